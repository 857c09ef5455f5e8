//! Copying to the clipboard of the terminal in front of the person (OSC 52), and notifications (OSC 9).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// tmux accepts no single sequence above 1 MiB, screen's own limit is smaller: texts are cut here.
const LONGEST: usize = 64 * 1024;

/// screen drops device control strings longer than 768 bytes: they are sent in pieces of this size.
const PIECE: usize = 700;

/// What sits between the program and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// Nothing that matters.
    Nothing,
    /// tmux: sequences for the outer terminal are wrapped, escapes doubled.
    Tmux,
    /// GNU screen: wrapped and in pieces.
    Screen,
}

impl Between {
    /// Judged by the environment: `TMUX` and `TERM`.
    pub fn judge(tmux: Option<&str>, term: Option<&str>) -> Self {
        if tmux.is_some_and(|value| !value.is_empty()) {
            Self::Tmux
        } else if term.is_some_and(|term| term.starts_with("screen")) {
            Self::Screen
        } else {
            Self::Nothing
        }
    }

    /// `sequence` so that it reaches the outer terminal.
    fn wrap(self, sequence: &str) -> String {
        match self {
            Self::Nothing => sequence.to_owned(),
            Self::Tmux => format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
            Self::Screen => {
                let mut wrapped = String::new();
                // Only ASCII comes here: base64, or a text whose odd characters a screen would not show anyway.
                for piece in sequence.as_bytes().chunks(PIECE) {
                    wrapped.push_str("\x1bP");
                    wrapped.push_str(&String::from_utf8_lossy(piece));
                    wrapped.push_str("\x1b\\");
                }
                wrapped
            }
        }
    }
}

/// The sequence that puts `text` on the clipboard. Inside tmux the plain sequence is sent as well: tmux answers it
/// itself with `set-clipboard on`, and passes the wrapped one on with `allow-passthrough on`.
pub fn clipboard(text: &str, between: Between) -> String {
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    let cut = ends.take_while(|end| *end <= LONGEST).last().unwrap_or(0);
    let sequence = format!("\x1b]52;c;{}\x07", STANDARD.encode(&text[..cut]));
    match between {
        Between::Tmux => format!("{sequence}{}", between.wrap(&sequence)),
        _ => between.wrap(&sequence),
    }
}

/// The sequence that shows `text` as a desktop notification in terminals that know OSC 9.
pub fn notification(text: &str, between: Between) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    between.wrap(&format!("\x1b]9;{plain}\x07"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_goes_out_in_base64() {
        assert_eq!(clipboard("worker-3", Between::Nothing), "\x1b]52;c;d29ya2VyLTM=\x07");
    }

    #[test]
    fn inside_tmux_the_outer_terminal_gets_it_too() {
        let sequence = clipboard("x", Between::Tmux);
        assert_eq!(sequence, "\x1b]52;c;eA==\x07\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\");
    }

    #[test]
    fn screen_gets_short_pieces() {
        let sequence = clipboard(&"x".repeat(2_000), Between::Screen);
        let pieces: Vec<&str> = sequence.split_inclusive("\x1b\\").collect();
        assert!(pieces.len() > 3);
        assert!(pieces.iter().all(|piece| piece.starts_with("\x1bP") && piece.len() <= PIECE + 4));
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let sequence = clipboard(&"é".repeat(LONGEST), Between::Nothing);
        let body = sequence.trim_start_matches("\x1b]52;c;").trim_end_matches('\x07');
        let text = String::from_utf8(STANDARD.decode(body).unwrap()).unwrap();
        assert!(text.len() <= LONGEST);
    }

    #[test]
    fn a_notification_carries_no_control_characters() {
        assert_eq!(notification("a\x1b]0;b\x07c\n", Between::Nothing), "\x1b]9;a]0;bc\x07");
    }

    #[test]
    fn what_sits_between_is_judged_by_the_environment() {
        assert_eq!(Between::judge(Some("/tmp/tmux-0/default,1,0"), Some("screen-256color")), Between::Tmux);
        assert_eq!(Between::judge(None, Some("screen.xterm-256color")), Between::Screen);
        assert_eq!(Between::judge(None, Some("xterm-256color")), Between::Nothing);
    }
}
