//! Durations as a person writes them: `90s`, `1h10m`, `40d`.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A duration of a scenario file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span(pub Duration);

impl Span {
    /// That many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The same as a difference of wall times.
    pub fn delta(self) -> chrono::TimeDelta {
        chrono::TimeDelta::from_std(self.0).unwrap_or(chrono::TimeDelta::MAX)
    }

    /// Reads `1h10m`, `90s`, `3d`: numbers with a unit, largest first by habit, summed up.
    ///
    /// # Errors
    /// When a number has no unit or a unit no number.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a duration such as 90s, 1h10m or 40d");
        let mut total = 0_u64;
        let mut number = String::new();
        for letter in text.trim().chars() {
            if letter.is_ascii_digit() {
                number.push(letter);
                continue;
            }
            let unit = match letter {
                's' => 1,
                'm' => 60,
                'h' => 3_600,
                'd' => 86_400,
                _ => return Err(wrong()),
            };
            let count: u64 = number.parse().map_err(|_| wrong())?;
            total = count.checked_mul(unit).and_then(|seconds| total.checked_add(seconds)).ok_or_else(wrong)?;
            number.clear();
        }
        if number.is_empty() && !text.trim().is_empty() { Ok(Self::seconds(total)) } else { Err(wrong()) }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_they_are_spoken() {
        assert_eq!(Span::parse("90s"), Ok(Span::seconds(90)));
        assert_eq!(Span::parse("1h10m"), Ok(Span::seconds(4_200)));
        assert_eq!(Span::parse("2d"), Ok(Span::seconds(172_800)));
        for wrong in ["", "10", "m", "5x", "1h10", "99999999999999999999d"] {
            assert!(Span::parse(wrong).is_err(), "{wrong}");
        }
    }
}
