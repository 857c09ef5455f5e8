//! Moving in anything that has rows.

use crate::input::Command;

/// A movement among rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// One up.
    Up,
    /// One down.
    Down,
    /// To the first.
    First,
    /// To the last.
    Last,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// Half a page up.
    HalfUp,
    /// Half a page down.
    HalfDown,
}

impl Motion {
    /// The movement that a command asks for, if it asks for one.
    pub fn of(command: Command) -> Option<Self> {
        Some(match command {
            Command::Up => Self::Up,
            Command::Down => Self::Down,
            Command::First => Self::First,
            Command::Last => Self::Last,
            Command::PageUp => Self::PageUp,
            Command::PageDown => Self::PageDown,
            Command::HalfUp => Self::HalfUp,
            Command::HalfDown => Self::HalfDown,
            _ => return None,
        })
    }

    /// Where `at` of `len` rows goes, `page` of which are visible.
    pub fn apply(self, at: usize, len: usize, page: usize) -> usize {
        let page = page.max(2);
        let target = match self {
            Self::Up => at.saturating_sub(1),
            Self::Down => at + 1,
            Self::First => 0,
            Self::Last => usize::MAX,
            Self::PageUp => at.saturating_sub(page - 1),
            Self::PageDown => at + page - 1,
            Self::HalfUp => at.saturating_sub(page / 2),
            Self::HalfDown => at + page / 2,
        };
        target.min(len.saturating_sub(1))
    }
}

/// The first visible row, so that `at` is among `page` visible rows of `len`, moving as little as possible.
pub fn scrolled(offset: usize, at: usize, len: usize, page: usize) -> usize {
    let page = page.max(1);
    let lowest = (at + 1).saturating_sub(page);
    offset.clamp(lowest, at.max(lowest)).min(len.saturating_sub(page))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_selected_row_is_always_visible(offset in 0_usize..500, at in 0_usize..500, len in 1_usize..500, page in 0_usize..80) {
            let at = at.min(len - 1);
            let first = scrolled(offset, at, len, page);
            prop_assert!(first <= at && at < first + page.max(1));
        }
    }

    #[test]
    fn movements_stay_within_the_rows() {
        assert_eq!(Motion::Down.apply(4, 5, 10), 4);
        assert_eq!(Motion::Up.apply(0, 5, 10), 0);
        assert_eq!(Motion::Last.apply(0, 0, 10), 0);
        assert_eq!(Motion::PageDown.apply(0, 100, 10), 9);
        assert_eq!(Motion::HalfUp.apply(20, 100, 10), 15);
    }
}
