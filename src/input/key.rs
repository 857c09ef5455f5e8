//! A key as a person writes it: `ctrl-e`, `G`, `shift-tab`, `space`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// The key itself, without modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// A character as it is typed: `g` and `G` differ.
    Char(char),
    /// Function key.
    F(u8),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tabulator.
    Tab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

/// A key press: a key and the modifiers that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The key.
    pub code: Code,
    /// Control was held.
    pub ctrl: bool,
    /// Alt (or meta) was held.
    pub alt: bool,
    /// Shift was held; never set for characters, whose case says it.
    pub shift: bool,
}

/// Names of the keys that are not characters. The first name of a code is the one that is shown.
const NAMES: [(&str, Code); 20] = [
    ("enter", Code::Enter),
    ("return", Code::Enter),
    ("esc", Code::Esc),
    ("escape", Code::Esc),
    ("tab", Code::Tab),
    ("backspace", Code::Backspace),
    ("del", Code::Delete),
    ("delete", Code::Delete),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("home", Code::Home),
    ("end", Code::End),
    ("pgup", Code::PageUp),
    ("pageup", Code::PageUp),
    ("pgdn", Code::PageDown),
    ("pagedown", Code::PageDown),
    ("space", Code::Char(' ')),
    ("minus", Code::Char('-')),
];

impl Key {
    /// A key without modifiers.
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    /// A character.
    pub const fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }

    /// A character with control held.
    pub const fn ctrl(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: true, alt: false, shift: false }
    }

    /// The key of a terminal event; none for releases and for keys that have no name here.
    pub fn from_event(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::META);
        let shift = event.modifiers.contains(KeyModifiers::SHIFT);
        let (code, shift) = match event.code {
            KeyCode::Char(c) if ctrl => (Code::Char(c.to_ascii_lowercase()), false),
            KeyCode::Char(c) if shift && c.is_ascii_lowercase() => (Code::Char(c.to_ascii_uppercase()), false),
            KeyCode::Char(c) => (Code::Char(c), false),
            KeyCode::Null => return Some(Self::ctrl(' ')),
            KeyCode::F(n) => (Code::F(n), shift),
            KeyCode::Enter => (Code::Enter, shift),
            KeyCode::Esc => (Code::Esc, shift),
            KeyCode::Tab => (Code::Tab, shift),
            KeyCode::BackTab => (Code::Tab, true),
            KeyCode::Backspace => (Code::Backspace, shift),
            KeyCode::Delete => (Code::Delete, shift),
            KeyCode::Up => (Code::Up, shift),
            KeyCode::Down => (Code::Down, shift),
            KeyCode::Left => (Code::Left, shift),
            KeyCode::Right => (Code::Right, shift),
            KeyCode::Home => (Code::Home, shift),
            KeyCode::End => (Code::End, shift),
            KeyCode::PageUp => (Code::PageUp, shift),
            KeyCode::PageDown => (Code::PageDown, shift),
            _ => return None,
        };
        Some(Self { code, ctrl, alt, shift })
    }

    /// The character that this key types, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(c) if !self.ctrl && !self.alt && !c.is_control() => Some(c),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, word) in [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")] {
            if held {
                f.write_str(word)?;
            }
        }
        if let Code::Char('-') = self.code {
            return f.write_str(if self.ctrl || self.alt { "minus" } else { "-" });
        }
        if let Some((name, _)) = NAMES.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            Code::Char(c) => write!(f, "{c}"),
            Code::F(n) => write!(f, "f{n}"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// A text that names no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAKey(pub String);

impl fmt::Display for NotAKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a key, expected for example ctrl-e, G, shift-tab, space, f5", self.0)
    }
}

impl std::error::Error for NotAKey {}

impl FromStr for Key {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let fail = || NotAKey(text.to_owned());
        let mut key = Self::char(' ');
        let mut rest = text;
        while let Some((head, tail)) = rest.split_once('-').filter(|(head, tail)| !head.is_empty() && !tail.is_empty())
        {
            match head.to_ascii_lowercase().as_str() {
                "ctrl" | "control" | "c" => key.ctrl = true,
                "alt" | "meta" | "a" | "m" => key.alt = true,
                "shift" | "s" => key.shift = true,
                _ => return Err(fail()),
            }
            rest = tail;
        }
        let mut chars = rest.chars();
        key.code = match (chars.next(), chars.next()) {
            (Some(c), None) => Code::Char(c),
            (Some(f), Some(_)) if f.eq_ignore_ascii_case(&'f') && rest[1..].parse::<u8>().is_ok() => {
                Code::F(rest[1..].parse().map_err(|_| fail())?)
            }
            _ => {
                let lower = rest.to_ascii_lowercase();
                NAMES.iter().find(|(name, _)| *name == lower).map(|(_, code)| *code).ok_or_else(fail)?
            }
        };
        if let Code::Char(c) = key.code {
            let c = if key.shift { c.to_ascii_uppercase() } else { c };
            key.code = Code::Char(if key.ctrl { c.to_ascii_lowercase() } else { c });
            key.shift = false;
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_what_is_parsed() {
        for text in
            ["ctrl-e", "G", "shift-tab", "space", "-", "esc", "alt-x", "f5", "pgdn", "ctrl-\\", "ctrl-minus", "/"]
        {
            let key: Key = text.parse().unwrap();
            assert_eq!(key.to_string(), text, "{key:?}");
            assert_eq!(key.to_string().parse::<Key>().unwrap(), key);
        }
    }

    #[test]
    fn the_same_key_has_one_value_however_it_is_written() {
        assert_eq!("shift-g".parse::<Key>(), "G".parse());
        assert_eq!("Ctrl-E".parse::<Key>(), "ctrl-e".parse());
        assert_eq!("return".parse::<Key>(), "enter".parse());
        assert!("hyper-x".parse::<Key>().is_err());
        assert!("".parse::<Key>().is_err());
        assert!("ctrl-".parse::<Key>().is_err());
    }

    #[test]
    fn terminals_spell_shifted_keys_in_two_ways() {
        let shifted = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        let bare = KeyEvent::new(KeyCode::Char('g'), KeyModifiers::SHIFT);
        assert_eq!(Key::from_event(&shifted), Some(Key::char('G')));
        assert_eq!(Key::from_event(&bare), Some(Key::char('G')));
        let back = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(Key::from_event(&back).unwrap().to_string(), "shift-tab");
    }
}
