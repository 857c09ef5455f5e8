//! Times, ages and numbers in words, and texts cut to a width.

use std::borrow::Cow;
use std::cmp::Ordering;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::CellWidth as _;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::upgrade::assessment::age;

/// A duration as people say it, in at most two units: `41s`, `3m12s`, `52m`, `1h12m`, `2d4h`, `21d`.
pub fn duration(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, 1..=9) => format!("{minutes}m{:02}s", seconds % 60),
        (0, 0, _) => format!("{minutes}m"),
        (0, _, _) => format!("{hours}h{minutes:02}m"),
        (1..=9, 1.., _) => format!("{days}d{hours}h"),
        _ => format!("{days}d"),
    }
}

/// An age, `~` in front when it was rebuilt rather than seen; empty when unknown.
pub fn since(at: Option<DateTime<Utc>>, now: DateTime<Utc>, rebuilt: bool) -> String {
    at.map_or_else(String::new, |at| format!("{}{}", if rebuilt { "~" } else { "" }, duration(age(at, now))))
}

/// From the shorter to the longer of two durations, no finer than such a guess can be: `38-55m`, `1h10m-1h40m`, `9h-12h30m`.
pub fn range(low: TimeDelta, high: TimeDelta) -> String {
    let minutes = |span: TimeDelta| span.num_seconds().max(0) as f64 / 60.0;
    let (low, high) = (minutes(low.min(high)), minutes(high.max(low)));
    if high < 1.0 {
        return "<1m".into();
    }
    let step = match high {
        ..60.0 => 1.0,
        ..300.0 => 5.0,
        _ => 30.0,
    };
    // The range is never told narrower than it is.
    let (low, high) = (((low / step).floor() * step) as i64, ((high / step).ceil() * step) as i64);
    let say = |minutes: i64| match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}m"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h{minutes:02}m"),
    };
    match (low, high) {
        (low, high) if low == high => say(high),
        (0, high) => format!("<{}", say(high)),
        (low, high) if high < 60 => format!("{low}-{high}m"),
        (low, high) => format!("{}-{}", say(low), say(high)),
    }
}

/// A time of day, with the date in front when it is not today's.
pub fn clock(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let today = at.date_naive() == now.date_naive();
    at.format(if today { "%H:%M:%S" } else { "%m-%d %H:%M" }).to_string()
}

/// A time in full.
pub fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// `1 node`, `2 nodes`.
pub fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Columns that the names of marked rows take in a title.
pub const MARKED: usize = 30;

/// Names, as many as fit into `columns`, and how many more there are: `worker-0, worker-1 +3`.
pub fn listed(names: &[String], columns: usize) -> String {
    let more = |shown: usize| if shown == names.len() { String::new() } else { format!(" +{}", names.len() - shown) };
    let text = |shown: usize| names[..shown].join(", ") + &more(shown);
    (1..=names.len()).rev().map(text).find(|text| width(text) <= columns).unwrap_or_else(|| {
        let first = names.first().map(String::as_str).unwrap_or_default();
        let more = if names.is_empty() { String::new() } else { more(1) };
        format!("{}{more}", fit(first, columns.saturating_sub(more.len()), ".."))
    })
}

/// The order in which people list names: `worker-2` before `worker-10`.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let Some(differ) = a.iter().zip(b).position(|(x, y)| x != y) else { return a.len().cmp(&b.len()) };
    // The number that the difference is in begins before it, where both are still the same.
    let start = a[..differ].iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |at| at + 1);
    let digits = |text: &[u8]| text[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (mine, theirs) = (digits(a), digits(b));
    if mine == 0 || theirs == 0 {
        return a[differ..].cmp(&b[differ..]);
    }
    let number = |text: &[u8], digits: usize| {
        let zeros = text[start..start + digits].iter().take_while(|byte| **byte == b'0').count();
        (digits - zeros, text[start + zeros..start + digits].to_vec())
    };
    number(a, mine).cmp(&number(b, theirs)).then_with(|| a.cmp(b))
}

/// What is drawn of a text, piece by piece: where it begins, what a person takes for one character, and its columns. A
/// character may be several code points (a base with a variation selector, a family of emoji), which together take other
/// columns than one by one; the drawing library counts as it is counted here, so that nothing is cut amid one.
pub fn graphemes(text: &str) -> impl DoubleEndedIterator<Item = (usize, &str, usize)> {
    text.grapheme_indices(true).map(|(at, grapheme)| {
        // The drawing library leaves control characters out.
        let drawn = !grapheme.contains(char::is_control);
        (at, grapheme, if drawn { usize::from(grapheme.cell_width()) } else { 0 })
    })
}

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { graphemes(text).map(|(.., columns)| columns).sum() }
}

/// A text cut to `columns`, with `ellipsis` where something is missing. Never splits a wide character.
pub fn fit<'a>(text: &'a str, columns: usize, ellipsis: &str) -> Cow<'a, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let room = columns.saturating_sub(width(ellipsis));
    let mut used = 0;
    let kept = graphemes(text).take_while(|(.., wide)| {
        used += wide;
        used <= room
    });
    let end = kept.last().map_or(0, |(at, grapheme, _)| at + grapheme.len());
    let ellipsis = if columns >= width(ellipsis) { ellipsis } else { "" };
    Cow::Owned(format!("{}{ellipsis}", &text[..end]))
}

/// The end of a text, cut to `columns` in front: for names whose ends differ.
pub fn tail<'a>(text: &'a str, columns: usize, ellipsis: &str) -> Cow<'a, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let room = columns.saturating_sub(width(ellipsis));
    let mut used = 0;
    let kept = graphemes(text).rev().take_while(|(.., wide)| {
        used += wide;
        used <= room
    });
    let start = kept.last().map_or(text.len(), |(at, ..)| at);
    Cow::Owned(format!("{ellipsis}{}", &text[start..]))
}

/// A text cut and padded to exactly `columns`.
pub fn pad(text: &str, columns: usize, ellipsis: &str) -> String {
    let mut out = fit(text, columns, ellipsis).into_owned();
    let missing = columns.saturating_sub(width(&out));
    out.extend(std::iter::repeat_n(' ', missing));
    out
}

/// A text in lines of at most `columns`, broken at spaces where possible; lines after the first are indented.
pub fn wrap(text: &str, columns: usize, indent: usize) -> Vec<String> {
    let columns = columns.max(4);
    let indent = indent.min(columns / 2);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let bare = width(word.trim_end());
        // A word too long for any line is split where it stands; blanks alone are no line.
        let begun = lines.last().is_some_and(|line| !line.trim().is_empty());
        if begun && used + bare > columns && bare <= columns - indent {
            lines.push(" ".repeat(indent));
            used = indent;
        }
        for (piece, wide) in graphemes(word).flat_map(|(_, grapheme, wide)| breakable(grapheme, wide, columns - indent))
        {
            if used + wide > columns {
                if piece == " " {
                    continue;
                }
                lines.push(" ".repeat(indent));
                used = indent;
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(piece);
            }
            used += wide;
        }
    }
    lines
}

/// A character, or its code points where it is wider than a line: some scripts join any number of letters.
fn breakable(grapheme: &str, wide: usize, line: usize) -> impl Iterator<Item = (&str, usize)> {
    let whole = (wide <= line).then_some((grapheme, wide));
    let parts = grapheme.char_indices().filter(move |_| wide > line).map(|(at, c)| {
        let part = &grapheme[at..at + c.len_utf8()];
        (part, width(part))
    });
    whole.into_iter().chain(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let say = |seconds| duration(TimeDelta::seconds(seconds));
        assert_eq!(say(-5), "0s");
        assert_eq!(say(41), "41s");
        assert_eq!(say(192), "3m12s");
        assert_eq!(say(840), "14m");
        assert_eq!(say(4_320), "1h12m");
        assert_eq!(say(2 * 86_400 + 4 * 3_600), "2d4h");
        assert_eq!(say(30 * 86_400 + 4 * 3_600), "30d");
    }

    #[test]
    fn ranges_are_as_fine_as_a_guess_can_be() {
        let say = |low, high| range(TimeDelta::seconds(low), TimeDelta::seconds(high));
        assert_eq!(say(2_285, 3_280), "38-55m");
        assert_eq!(say(20, 50), "<1m");
        assert_eq!(say(20, 130), "<3m");
        assert_eq!(say(3_000, 4_700), "50m-1h20m");
        assert_eq!(say(3_600, 3_600), "1h");
        assert_eq!(say(33_000, 44_000), "9h-12h30m");
        assert_eq!(say(55, 40), "<1m", "a range the wrong way round is one all the same");
    }

    #[test]
    fn of_many_names_those_that_fit_are_told_and_how_many_more_there_are() {
        let names: Vec<String> = ["worker-0", "worker-1", "worker-2"].map(Into::into).into();
        assert_eq!(listed(&names, 40), "worker-0, worker-1, worker-2");
        assert_eq!(listed(&names, 22), "worker-0, worker-1 +1");
        assert_eq!(listed(&names, 10), "worke.. +2", "at least one, and how many");
        assert_eq!(listed(&[], 10), "");
    }

    #[test]
    fn names_are_listed_by_their_numbers() {
        let mut names =
            ["worker-10", "worker-2", "infra-1", "worker-02", "worker-1b", "worker-1", "a10x2", "a9x10", "a10x10"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            ["a9x10", "a10x2", "a10x10", "infra-1", "worker-1", "worker-1b", "worker-02", "worker-2", "worker-10"]
        );
    }

    #[test]
    fn wide_characters_count_two_columns() {
        assert_eq!(pad("节点", 6, "…"), "节点  ");
        assert_eq!(fit("节点已就绪", 6, "…"), "节点…");
        assert_eq!(width(&pad("节点已就绪", 6, "…")), 6);
        assert_eq!(tail("eu-central-1a", 6, "…"), "…al-1a");
        assert_eq!(tail("节点已就绪", 6, "…"), "…就绪");
    }

    #[test]
    fn long_texts_break_at_spaces() {
        assert_eq!(wrap("one two three", 8, 2), ["one two ", "  three"]);
        assert_eq!(wrap("abcdefghij", 4, 0), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("    {\"a\":\"bcdefgh\"}", 12, 4), ["    {\"a\":\"bc", "    defgh\"}"]);
    }

    /// Texts of anything, rich in what is not as wide as its parts: variation selectors, joiners, flags, marks of their own
    /// width, ligatures, letters that are put together.
    fn text() -> impl Strategy<Value = String> {
        let odd = "[\u{200d}\u{fe0e}\u{fe0f}\u{1f3fb}\u{1f468}\u{2764}\u{2615}#0\u{20e3}\u{1f1e9}\u{1f1ea}\u{ff76}\u{ff9e}\u{301}\u{1100}\u{1161}\u{11a8}\u{644}\u{627}\u{94d}\u{915}\u{ad}节 ]{0,40}";
        prop_oneof!["\\PC{0,80}", odd, "[a-z\u{301} ]{0,40}"]
    }

    proptest! {
        #[test]
        fn the_natural_order_is_one(mut names in proptest::collection::vec("[a0-9é]{0,6}", 3)) {
            names.sort_by(|a, b| natural(a, b));
            for pair in [(0, 1), (1, 2), (0, 2)] {
                prop_assert!(natural(&names[pair.0], &names[pair.1]) != Ordering::Greater, "{names:?}");
                prop_assert_eq!(natural(&names[pair.1], &names[pair.0]), natural(&names[pair.0], &names[pair.1]).reverse());
            }
        }

        #[test]
        fn nothing_is_wider_than_asked(text in text(), columns in 0_usize..60) {
            prop_assert!(width(&fit(&text, columns, "…")) <= columns);
            prop_assert!(width(&tail(&text, columns, "…")) <= columns.max(1));
            prop_assert_eq!(width(&pad(&text, columns, "…")), columns);
            for line in wrap(&text, columns, 2) {
                prop_assert!(width(&line) <= columns.max(4), "{line:?}");
            }
        }

        /// What is cut is drawn as it was counted.
        #[test]
        fn a_text_is_drawn_as_wide_as_it_is_counted(text in text(), columns in 0_usize..60) {
            let area = ratatui::layout::Rect::new(0, 0, 200, 1);
            let mut buffer = ratatui::buffer::Buffer::empty(area);
            for shown in [fit(&text, columns, "…"), tail(&text, columns, "…")] {
                let (end, _) = buffer.set_stringn(0, 0, &shown, 200, ratatui::style::Style::new());
                prop_assert_eq!(usize::from(end), graphemes(&shown).map(|(.., wide)| wide).sum::<usize>());
            }
        }
    }
}
