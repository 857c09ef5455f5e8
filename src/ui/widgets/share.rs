//! Rows of a column of lists that are drawn one below the other: who gets how many.

/// How many rows a list would like to have, each number with what stands before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Need {
    /// Without them it says nothing at all.
    pub least: u16,
    /// What is wrong.
    pub wrong: u16,
    /// What moves, too.
    pub moves: u16,
    /// Everything.
    pub all: u16,
}

impl Need {
    /// Of a list of `all` rows the first `wrong` tell what is wrong, the next ones up to `moves` what moves.
    pub fn new(wrong: usize, moves: usize, all: usize) -> Self {
        let rows = |rows: usize| u16::try_from(rows).unwrap_or(u16::MAX);
        let all = rows(all).max(1);
        let (wrong, moves) = (rows(wrong).min(all), rows(moves).min(all));
        Self { least: 1, wrong: wrong.max(1), moves: moves.max(wrong).max(1), all }
    }

    /// With so many rows above the list that are always there.
    #[must_use]
    pub fn below(self, rows: u16) -> Self {
        let add = |n: u16| n.saturating_add(rows);
        Self { least: add(self.least), wrong: add(self.wrong), moves: add(self.moves), all: add(self.all) }
    }
}

/// Shares `room` rows among lists, the one that matters most first: what is wrong in all of them comes before what moves
/// in any, and that before the rest. In each round they take turns. Gives back the rows of each; what nobody needs is left
/// over.
pub fn share(room: u16, needs: &[Need]) -> Vec<u16> {
    let mut rows = vec![0; needs.len()];
    let mut left = room;
    for of in [|need: &Need| need.least, |need: &Need| need.wrong, |need: &Need| need.moves, |need: &Need| need.all] {
        let mut given = true;
        while given && left > 0 {
            given = false;
            for (rows, need) in rows.iter_mut().zip(needs) {
                if *rows < of(need) && left > 0 {
                    *rows += 1;
                    left -= 1;
                    given = true;
                }
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_comes_before_what_moves_and_that_before_the_rest() {
        let operators = Need::new(2, 3, 30).below(1);
        let pools = Need::new(4, 6, 12);
        assert_eq!(share(2, &[pools, operators]), [1, 1]);
        assert_eq!(share(7, &[pools, operators]), [4, 3]);
        assert_eq!(share(10, &[pools, operators]), [6, 4]);
        assert_eq!(share(16, &[pools, operators]), [9, 7], "then they take turns");
    }

    #[test]
    fn a_short_list_leaves_its_rows_to_the_others() {
        let short = Need::new(0, 0, 3);
        let long = Need::new(0, 0, 40);
        assert_eq!(share(20, &[short, long]), [3, 17]);
        assert_eq!(share(20, &[short, short]), [3, 3], "what nobody needs is left over");
        assert_eq!(share(0, &[short, long]), [0, 0]);
    }

    #[test]
    fn a_list_without_rows_still_says_that_it_has_none() {
        assert_eq!(Need::new(0, 0, 0), Need { least: 1, wrong: 1, moves: 1, all: 1 });
        assert_eq!(Need::new(9, 2, 4).wrong, 4, "never more than there is");
    }
}
