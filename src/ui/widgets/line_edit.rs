//! A line of text that is being typed.

use crate::input::Key;
use crate::input::key::Code;

/// Text and cursor. What a key of the keymap means (accept, cancel, history) is not known here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineEdit {
    text: String,
    /// Byte offset, always at a character boundary.
    cursor: usize,
}

impl LineEdit {
    /// A line with a text in it, the cursor at its end.
    pub fn with(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len() }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Characters before the cursor.
    pub fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// The cursor is at the end.
    pub fn at_end(&self) -> bool {
        self.cursor == self.text.len()
    }

    /// Replaces the text.
    pub fn set(&mut self, text: &str) {
        *self = Self::with(text);
    }

    /// Adds text at the cursor; a paste loses its line breaks and control characters.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            self.text.insert(self.cursor, c);
            self.cursor += c.len_utf8();
        }
    }

    /// A key; false: it does nothing here.
    pub fn edit(&mut self, key: Key) -> bool {
        if let Some(c) = key.typed() {
            self.insert(c.encode_utf8(&mut [0; 4]));
            return true;
        }
        match (key.code, key.ctrl) {
            (Code::Backspace, false) | (Code::Char('h'), true) => {
                let end = self.cursor;
                self.cursor = self.previous();
                self.text.replace_range(self.cursor..end, "");
            }
            (Code::Delete, _) => {
                let end = self.next();
                self.text.replace_range(self.cursor..end, "");
            }
            (Code::Left, _) => self.cursor = self.previous(),
            (Code::Right, _) => self.cursor = self.next(),
            (Code::Home, _) | (Code::Char('a'), true) => self.cursor = 0,
            (Code::End, _) | (Code::Char('e'), true) => self.cursor = self.text.len(),
            _ => return false,
        }
        true
    }

    /// Erases the word before the cursor.
    pub fn erase_word(&mut self) {
        let kept = self.before().trim_end();
        let start = kept.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
    }

    /// Erases everything.
    pub fn erase(&mut self) {
        self.set("");
    }

    fn previous(&self) -> usize {
        self.before().char_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn next(&self) -> usize {
        self.text[self.cursor..].chars().next().map_or(self.cursor, |c| self.cursor + c.len_utf8())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(keys: &[&str]) -> LineEdit {
        let mut line = LineEdit::default();
        for key in keys {
            line.edit(key.parse().unwrap());
        }
        line
    }

    #[test]
    fn typing_moves_and_erases_as_in_a_shell() {
        assert_eq!(typed(&["a", "b", "left", "x"]).text(), "axb");
        assert_eq!(typed(&["ü", "backspace", "o"]).text(), "o");
        assert_eq!(typed(&["a", "b", "home", "delete"]).text(), "b");
        let mut line = LineEdit::with("cordon worker-1 ");
        line.erase_word();
        assert_eq!(line.text(), "cordon ");
    }

    #[test]
    fn a_paste_is_one_line() {
        let mut line = LineEdit::default();
        line.insert("a\nb\u{1b}c");
        assert_eq!(line.text(), "abc");
    }

    proptest! {
        #[test]
        fn no_sequence_of_keys_breaks_it(keys in proptest::collection::vec("[a-zä节]|left|right|home|end|backspace|delete", 0..60)) {
            let mut line = LineEdit::default();
            for key in &keys {
                line.edit(key.parse().unwrap());
                prop_assert!(line.text().is_char_boundary(line.before().len()));
            }
            line.erase_word();
        }
    }
}
