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

/// What was measured: logarithms of lengths, added up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Measured {
    /// How many.
    pub count: usize,
    sum: f64,
    squares: f64,
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
    /// One more, in seconds.
    pub fn add(&mut self, length: f64) {
        let log = length.max(1.0).ln();
        self.count += 1;
        self.sum += log;
        self.squares += log * log;
    }

    /// What is in this and not in `part`, which is a part of it.
    #[must_use]
    pub fn without(self, part: &Self) -> Self {
        Self {
            count: self.count.saturating_sub(part.count),
            sum: self.sum - part.sum,
            squares: self.squares - part.squares,
        }
    }

    /// The mean of the logarithms; none if nothing was measured.
    pub fn log(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// Standard deviation of single lengths: what is usual (`sigma`, as much worth as five measurements), corrected by
    /// what was measured.
    pub fn sigma(&self, sigma: f64) -> f64 {
        const WORTH: f64 = 5.0;
        let Some(mean) = self.log() else { return sigma };
        let around = (self.squares - self.sum * mean).max(0.0);
        ((WORTH * sigma * sigma + around) / (WORTH + self.count as f64 - 1.0)).sqrt()
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
        let of = |lengths: [f64; 4]| {
            let mut measured = Measured::default();
            for length in lengths {
                measured.add(length);
            }
            measured
        };
        assert!(of([300.0, 305.0, 295.0, 300.0]).sigma(0.3) < 0.3);
        assert!(of([100.0, 900.0, 150.0, 600.0]).sigma(0.3) > 0.5);
        assert!((Measured::default().sigma(0.3) - 0.3).abs() < 1e-9);
        assert_eq!(Measured::default().log(), None);
    }
}
