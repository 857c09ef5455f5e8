//! Small words that several sentences share.

use std::cmp::Ordering;
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};

/// A span of time for people: `45s`, `14m`, `1h05m`, `2d3h`. Negative spans are `0s`: clocks differ.
pub fn span(delta: TimeDelta) -> String {
    let seconds = delta.num_seconds().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if days > 0 {
        format!("{days}d{}h", hours % 24)
    } else if hours > 0 {
        format!("{hours}h{:02}m", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes}m")
    } else {
        format!("{seconds}s")
    }
}

/// A moment for people and programs: `2026-03-01T12:00:00Z`.
pub fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `1 node`, `3 nodes`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `0 of 1 pod`, `2 of 3 pods`.
pub fn share(part: i64, of: i64, noun: &str) -> String {
    format!("{part} of {}", quantity(of, noun))
}

/// As [`count`], of a number that the API tells.
pub fn quantity(number: i64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// An argument for a POSIX shell, quoted where it must be: names come from the cluster, and lines are copied into shells.
pub fn shell(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

/// Several arguments, each quoted where it must be.
pub fn shell_all<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    arguments.into_iter().map(shell).collect::<Vec<_>>().join(" ")
}

/// The first line of a text, without the blanks around it.
pub fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default().trim()
}

/// `a, b and 3 more`: the first `shown` of them.
pub fn some_of<'a>(names: impl ExactSizeIterator<Item = &'a str>, shown: usize) -> String {
    let total = names.len();
    let mut text = String::new();
    for (at, name) in names.take(shown).enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        text.push_str(name);
    }
    if total > shown {
        let _ = write!(text, " and {} more", total - shown); // writing to a String cannot fail
    }
    text
}

/// The order of names for people: numbers in them count as numbers, `worker-2` before `worker-10`.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (Some(first), Some(second)) = (left.bytes().next(), right.bytes().next()) else {
            // What is equal but for zeros in front of numbers is ordered all the same.
            return left.len().cmp(&right.len()).then_with(|| a.cmp(b));
        };
        if first.is_ascii_digit() && second.is_ascii_digit() {
            let ((one, behind_one), (two, behind_two)) = (number(left), number(right));
            match one.len().cmp(&two.len()).then_with(|| one.cmp(two)) {
                Ordering::Equal => (left, right) = (behind_one, behind_two),
                unequal => return unequal,
            }
        } else {
            let (one, two) = (left.chars().next(), right.chars().next());
            match one.cmp(&two) {
                Ordering::Equal => {
                    let width = one.map_or(1, char::len_utf8);
                    (left, right) = (&left[width..], &right[width..]);
                }
                unequal => return unequal,
            }
        }
    }
}

/// The digits at the start without zeros in front, and what is behind them.
fn number(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].trim_start_matches('0'), &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_as_short_as_a_glance() {
        let table = [(-5, "0s"), (45, "45s"), (60, "1m"), (899, "14m"), (3900, "1h05m"), (90_000, "1d1h")];
        for (seconds, words) in table {
            assert_eq!(span(TimeDelta::seconds(seconds)), words);
        }
    }

    #[test]
    fn shell_arguments_are_quoted_where_they_must_be() {
        assert_eq!(shell("default/api-prod:6443/admin"), "default/api-prod:6443/admin");
        assert_eq!(shell("it's here"), r"'it'\''s here'");
        assert_eq!(shell("$(reboot)"), "'$(reboot)'");
        assert_eq!(shell(""), "''");
        assert_eq!(shell_all(["a", "b c"]), "a 'b c'");
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(some_of(["a", "b"].into_iter(), 3), "a, b");
        assert_eq!(some_of(["a", "b", "c", "d"].into_iter(), 2), "a, b and 2 more");
    }

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names =
            ["worker-10", "worker-2", "infra-1", "worker-002", "worker-2b", "wörker-1", "worker", "w9x8", "w9x10"];
        names.sort_by(|a, b| natural(a, b));
        let sorted =
            ["infra-1", "w9x8", "w9x10", "worker", "worker-002", "worker-2", "worker-2b", "worker-10", "wörker-1"];
        assert_eq!(names, sorted);
    }
}
