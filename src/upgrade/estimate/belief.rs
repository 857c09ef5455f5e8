//! What is believed of a length of time that nobody knows exactly: log-normal, as lengths of work are, and corrected by
//! what is measured (a normal belief about the logarithm, with normal observations).

/// A belief about the usual length of something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Belief {
    /// Logarithm of the length in seconds (or of a factor).
    pub log: f64,
    /// How unsure: variance of the logarithm.
    pub variance: f64,
}

/// What was measured: logarithms of lengths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// How many.
    pub count: usize,
    /// Their mean.
    pub log: f64,
    /// Their sum of squares around the mean.
    pub squares: f64,
}

/// Beyond so many standard deviations, what is measured contradicts the belief rather than corrects it.
const CONTRADICTION: f64 = 2.5;

impl Belief {
    /// About `length` seconds; `sigma` is the standard deviation of the logarithm.
    pub fn about(length: f64, sigma: f64) -> Self {
        Self { log: length.max(1e-9).ln(), variance: sigma * sigma }
    }

    /// The median.
    pub fn median(self) -> f64 {
        self.log.exp()
    }

    /// The length in the case of that draw.
    pub fn at(self, draw: f64) -> f64 {
        (self.log + self.variance.max(0.0).sqrt() * draw).exp()
    }

    /// Corrected by an observation of the logarithm with a variance of its own. A belief that is contradicted gives way:
    /// it is taken to be as unsure as it was wrong.
    #[must_use]
    pub fn corrected(self, log: f64, variance: f64) -> Self {
        let off = log - self.log;
        let variance = variance.max(1e-6);
        let contradicted = off * off > CONTRADICTION.powi(2) * (self.variance + variance);
        let own = if contradicted { off * off } else { self.variance };
        let gain = own / (own + variance);
        Self { log: self.log + gain * off, variance: own * (1.0 - gain) }
    }

    /// Less sure by so much.
    #[must_use]
    pub fn widened(self, sigma: f64) -> Self {
        Self { variance: self.variance + sigma * sigma, ..self }
    }
}

impl Measured {
    /// Of lengths in seconds; none if there are none.
    pub fn of(lengths: impl IntoIterator<Item = f64>) -> Option<Self> {
        let logs: Vec<f64> = lengths.into_iter().map(|length| length.max(1.0).ln()).collect();
        let count = logs.len();
        (count > 0).then(|| {
            let mean = logs.iter().sum::<f64>() / count as f64;
            Self { count, log: mean, squares: logs.iter().map(|log| (log - mean).powi(2)).sum() }
        })
    }

    /// Standard deviation of single lengths: what is usual (`sigma`, as much worth as five measurements), corrected by
    /// what was measured.
    pub fn sigma(measured: Option<&Self>, sigma: f64) -> f64 {
        const WORTH: f64 = 5.0;
        let Some(measured) = measured else { return sigma };
        ((WORTH * sigma * sigma + measured.squares) / (WORTH + measured.count as f64 - 1.0)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measuring_moves_a_belief_and_makes_it_surer() {
        let belief = Belief::about(300.0, 0.5);
        let once = belief.corrected(360.0_f64.ln(), 0.2 * 0.2);
        assert!((340.0..360.0).contains(&once.median()), "{}", once.median());
        assert!(once.variance < belief.variance);
        let often = belief.corrected(360.0_f64.ln(), 0.2 * 0.2 / 10.0);
        assert!(often.variance < once.variance && often.median() > once.median());
    }

    #[test]
    fn a_belief_that_is_contradicted_gives_way() {
        let belief = Belief::about(4800.0, 0.15).corrected(600.0_f64.ln(), 0.1 * 0.1);
        assert!((590.0..620.0).contains(&belief.median()), "{}", belief.median());
    }

    #[test]
    fn lengths_that_differ_widen_what_is_usual() {
        let alike = Measured::of([300.0, 305.0, 295.0, 300.0]);
        let apart = Measured::of([100.0, 900.0, 150.0, 600.0]);
        assert!(Measured::sigma(alike.as_ref(), 0.3) < 0.3);
        assert!(Measured::sigma(apart.as_ref(), 0.3) > 0.5);
        assert_eq!(Measured::of([]), None);
    }
}
