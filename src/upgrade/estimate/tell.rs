//! Small words of estimates.

use chrono::TimeDelta;

use super::{Estimates, Spread};

/// Seconds for people, finer than ages are told: `45s`, `5m40s`, `23m`, `1h05m`.
pub fn clock(seconds: f64) -> String {
    let seconds = super::lots::delta(seconds).num_seconds();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    if hours > 0 {
        format!("{hours}h{:02}m", minutes % 60)
    } else if minutes >= 10 || (minutes > 0 && seconds % 60 == 0) {
        format!("{minutes}m")
    } else if minutes > 0 {
        format!("{minutes}m{:02}s", seconds % 60)
    } else {
        format!("{seconds}s")
    }
}

/// A factor as a percentage.
pub fn percent(factor: f64) -> String {
    format!("{:.0}%", (factor * 100.0).clamp(0.0, 99_999.0))
}

impl Spread {
    /// From so much to so much: `38-55m`, `1h20m-2h05m`, `under 1m`.
    pub fn words(&self) -> String {
        let minutes = |delta: TimeDelta| (delta.num_seconds() + 30) / 60;
        let (least, most) = (minutes(self.p10), minutes(self.p90));
        let whole = |minutes: i64| match (minutes / 60, minutes % 60) {
            (0, minutes) => format!("{minutes}m"),
            (hours, minutes) => format!("{hours}h{minutes:02}m"),
        };
        match (least, most) {
            (_, 0) => "under 1m".to_owned(),
            (least, most) if least == most => whole(most),
            (least, most) if most < 90 => format!("{least}-{most}m"),
            (least, most) => format!("{}-{}", whole(least), whole(most)),
        }
    }
}

impl Estimates {
    /// How long it still takes, for the header: `38-55m left`, before an update `1h20m-2h05m if started now`; none when
    /// nothing rolls and nothing is on offer, or when nothing of what is left goes on by itself.
    pub fn words(&self) -> Option<String> {
        let whole = self.whole.as_ref().filter(|whole| !whole.waits())?;
        let tail = if self.before { "if started now" } else { "left" };
        Some(format!("{} {tail}", whole.remaining.words()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_told_as_a_range() {
        let spread = |p10: i64, p90: i64| {
            let [p10, p90] = [p10, p90].map(TimeDelta::seconds);
            Spread { p10, p50: p10, p90 }.words()
        };
        let table = [
            (38 * 60, 55 * 60, "38-55m"),
            (80 * 60, 125 * 60, "1h20m-2h05m"),
            (5, 20, "under 1m"),
            (10, 90, "0-2m"),
            (300, 310, "5m"),
        ];
        for (p10, p90, words) in table {
            assert_eq!(spread(p10, p90), words);
        }
    }

    #[test]
    fn clocks_are_finer_than_ages() {
        for (seconds, words) in [(45.0, "45s"), (340.0, "5m40s"), (300.0, "5m"), (1384.0, "23m"), (3900.0, "1h05m")] {
            assert_eq!(clock(seconds), words);
        }
    }
}
