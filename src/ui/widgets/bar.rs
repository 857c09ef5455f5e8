//! Progress bars.

use crate::ui::theme::Tone;
use crate::ui::widgets::pen::Pen;

/// Adds a bar of `columns`: `done` and `moving` of `total`. What is begun shows, what is not finished is never full.
pub fn bar(pen: &mut Pen<'_>, columns: usize, done: usize, moving: usize, total: usize) {
    let signs = *pen.theme().symbols();
    let (done, moving, left) = parts(columns, done, moving, total);
    pen.put(Tone::BarDone, signs.bar_done.repeat(done));
    pen.put(Tone::BarMoving, signs.bar_moving.repeat(moving));
    pen.put(Tone::BarLeft, signs.bar_left.repeat(left));
}

/// Columns of the three parts.
fn parts(columns: usize, done: usize, moving: usize, total: usize) -> (usize, usize, usize) {
    if total == 0 {
        return (0, 0, columns);
    }
    let done_columns = (columns * done.min(total) / total).min(columns);
    let begun = (done + moving).min(total);
    let mut begun_columns = (columns * begun).div_ceil(total).min(columns);
    if begun < total && begun_columns == columns {
        begun_columns = columns.saturating_sub(1).max(done_columns);
    }
    let moving_columns = if moving == 0 { 0 } else { begun_columns.saturating_sub(done_columns) };
    (done_columns, moving_columns, columns - done_columns - moving_columns)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_moving_node_of_many_shows() {
        assert_eq!(parts(10, 0, 1, 500), (0, 1, 9));
    }

    #[test]
    fn only_what_is_finished_is_full() {
        assert_eq!(parts(10, 499, 0, 500).0, 9);
        assert_eq!(parts(10, 500, 0, 500), (10, 0, 0));
    }

    proptest! {
        #[test]
        fn parts_add_up(columns in 0_usize..200, done in 0_usize..9_000, moving in 0_usize..9_000, total in 0_usize..9_000) {
            let (a, b, c) = parts(columns, done, moving, total);
            prop_assert_eq!(a + b + c, columns);
        }
    }
}
