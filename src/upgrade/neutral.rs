//! Server texts made harmless: the one way from an API object to a cell or to a line of output.
//!
//! Anything that the cluster stores can hold escape sequences (a node annotation, an event message), control
//! characters, or the bidirectional overrides that make a name read as another one. They are replaced by a visible sign
//! rather than dropped, so that a manipulated text looks manipulated.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// What stands for a character that is not drawn.
pub const SIGN: char = '\u{fffd}';

/// How many combining characters in a row are drawn; more is an attempt to draw over other lines.
const COMBINING: usize = 2;

/// One line, harmless: control characters, escapes, bidirectional overrides and invisible characters become a sign;
/// line breaks and tabs become spaces.
pub fn neutral(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut combining = 0;
    for c in text.chars() {
        match c {
            '\n' | '\t' | '\u{2028}' | '\u{2029}' | '\u{85}' => out.push(' '),
            '\r' => {}
            _ if deceptive(c) => out.push(SIGN),
            _ => {
                combining = if c.width() == Some(0) { combining + 1 } else { 0 };
                if combining <= COMBINING {
                    out.push(c);
                }
            }
        }
    }
    Cow::Owned(out)
}

/// Several lines, each harmless; tabs become four spaces.
pub fn neutral_lines(text: &str) -> Vec<String> {
    text.lines().map(|line| neutral(&line.replace('\t', "    ")).into_owned()).collect()
}

/// Characters that would move the cursor, recolour, reorder, or hide.
fn deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
            | '\u{e000}'..='\u{f8ff}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(neutral("worker-3 is draining"), Cow::Borrowed(_)));
    }

    #[test]
    fn escape_sequences_stay_visible_and_do_nothing() {
        assert_eq!(neutral("\u{1b}[31mred\u{1b}]0;title\u{7}"), "\u{fffd}[31mred\u{fffd}]0;title\u{fffd}");
        assert_eq!(neutral("\u{9b}2J"), "\u{fffd}2J");
    }

    #[test]
    fn text_cannot_pretend_to_be_another() {
        assert_eq!(neutral("pool-\u{202e}retsam"), "pool-\u{fffd}retsam");
        assert_eq!(neutral("mas\u{200b}ter"), "mas\u{fffd}ter");
    }

    #[test]
    fn lines_become_one_line_or_stay_lines() {
        assert_eq!(neutral("a\r\nb\tc"), "a b c");
        assert_eq!(neutral_lines("a\r\n\tb"), ["a", "    b"]);
    }

    #[test]
    fn other_scripts_pass_and_stacks_of_marks_do_not() {
        assert_eq!(neutral("节点已就绪 Übung"), "节点已就绪 Übung");
        assert_eq!(neutral("a\u{301}\u{301}\u{301}\u{301}").chars().count(), 3);
    }

    proptest! {
        #[test]
        fn nothing_that_moves_the_cursor_survives(text in "\\PC*|[\\x00-\\x9f\\u{2000}-\\u{2070}]*") {
            let line = neutral(&text);
            prop_assert!(!line.chars().any(deceptive), "{line:?}");
        }
    }
}
