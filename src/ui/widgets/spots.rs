//! What stands where, as the last frame showed it: the mouse asks by place.

use ratatui::layout::{Position, Rect};

/// Places of things on the screen, in the order in which they were drawn.
#[derive(Debug, Clone)]
pub struct Spots<T>(Vec<(Rect, T)>);

impl<T> Default for Spots<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Spots<T> {
    /// Nothing stands anywhere: a frame begins.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// A thing stands there.
    pub fn put(&mut self, area: Rect, thing: T) {
        self.0.push((area, thing));
    }

    /// What stands there: of several that overlap the one that was drawn last.
    pub fn at(&self, at: Position) -> Option<T> {
        self.0.iter().rev().find(|(area, _)| area.contains(at)).map(|(_, thing)| *thing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_drawn_last_lies_on_top() {
        let mut spots = Spots::default();
        spots.put(Rect::new(0, 0, 10, 3), 'a');
        spots.put(Rect::new(0, 2, 10, 3), 'b');
        let at = |x, y| spots.at(Position { x, y });
        assert_eq!((at(1, 1), at(1, 2), at(1, 5), at(10, 1)), (Some('a'), Some('b'), None, None));
        spots.clear();
        assert_eq!(spots.at(Position { x: 1, y: 1 }), None);
    }
}
