//! Styles by meaning. Panes ask for [`Tone::Danger`], never for red; colours are private to a theme file.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use super::symbols::{ASCII, FULL, Symbols};
use crate::upgrade::assessment::{Level, NodePhase, OperatorState, StepState, VerdictKind};

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

macro_rules! tones {
    ($($(#[$doc:meta])* $tone:ident = $name:literal),* $(,)?) => {
        /// What a piece of text means.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Tone { $($(#[$doc])* $tone),* }

        impl Tone {
            /// All of them with their names in theme files.
            pub const ALL: &'static [(Self, &'static str)] = &[$((Self::$tone, $name)),*];
        }
    };
}

tones! {
    /// Ordinary text.
    Text = "text",
    /// Text that matters less.
    Dim = "dim",
    /// Text that matters more.
    Strong = "strong",
    /// Title of a pane.
    Title = "title",
    /// Title of the pane that has the focus.
    TitleFocused = "title-focused",
    /// Border.
    Border = "border",
    /// Border of the pane that has the focus.
    BorderFocused = "border-focused",
    /// Heading of a column or section.
    Heading = "heading",
    /// The selected row of the focused pane.
    Selected = "selected",
    /// The selected row of another pane.
    SelectedDim = "selected-dim",
    /// A marked row.
    Marked = "marked",
    /// Good, done.
    Ok = "ok",
    /// In progress.
    Active = "active",
    /// Its turn has not come.
    Waiting = "waiting",
    /// Paused.
    Paused = "paused",
    /// Good to know.
    Info = "info",
    /// Look at it.
    Warning = "warning",
    /// Wrong.
    Danger = "danger",
    /// Act now.
    Critical = "critical",
    /// Older than the cluster.
    Stale = "stale",
    /// Done part of a bar.
    BarDone = "bar-done",
    /// Moving part of a bar.
    BarMoving = "bar-moving",
    /// Part of a bar that is left.
    BarLeft = "bar-left",
    /// A key in footer and help.
    Key = "key",
    /// Text that is being typed.
    Prompt = "prompt",
    /// A suggestion behind it.
    Ghost = "ghost",
    /// A match of a search.
    Match = "match",
    /// The current match.
    MatchCurrent = "match-current",
    /// Name of a production context.
    Production = "production",
    /// A button.
    Button = "button",
    /// The button that has the focus.
    ButtonFocused = "button-focused",
    /// The button that changes the cluster, with the focus.
    ButtonDanger = "button-danger",
    /// The selected tab.
    Tab = "tab",
}

/// Styles and symbols.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    name: String,
    styles: Vec<Style>,
    symbols: Symbols,
}

/// A theme file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    colours: BTreeMap<String, Colour>,
    styles: BTreeMap<String, Entry>,
}

/// A colour for deep terminals, and the nearest of the 16 as a person sees it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Colour {
    rgb: String,
    ansi: String,
}

/// A style of a theme file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    add: Vec<String>,
    /// With the 16 colours of a terminal, whose shades nobody knows: these in place of the above. A background of one of
    /// the 16 would swallow the texts that have another.
    ansi: Option<Vec<String>>,
}

/// The built-in files.
const FILES: [(&str, &str); 4] = [
    ("dark", include_str!("../../assets/themes/dark.yaml")),
    ("light", include_str!("../../assets/themes/light.yaml")),
    ("high-contrast", include_str!("../../assets/themes/high-contrast.yaml")),
    ("no-colour", include_str!("../../assets/themes/no-colour.yaml")),
];

impl Theme {
    /// Names of the built-in themes.
    pub const NAMES: [&'static str; 4] = ["dark", "light", "high-contrast", "no-colour"];

    /// A built-in theme at a depth of colour; `ascii`: no symbols beyond ASCII. At [`Depth::None`] every name gives the
    /// theme without colour. The error names the themes there are.
    pub fn built_in(name: &str, depth: Depth, ascii: bool) -> Result<Self, String> {
        let name = match (depth, name) {
            (Depth::None, _) | (_, "no-color") => "no-colour",
            (_, name) => name,
        };
        let file = FILES.iter().find(|(known, _)| *known == name);
        let (_, text) = file.ok_or_else(|| format!("no theme {name:?}; there are: {}", Self::NAMES.join(", ")))?;
        Self::from_yaml(text, depth, ascii)
    }

    /// A theme from the text of a file. The error says what is wrong with it.
    pub fn from_yaml(text: &str, depth: Depth, ascii: bool) -> Result<Self, String> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| format!("theme: {error}"))?;
        let mut styles = vec![Style::new(); Tone::ALL.len()];
        for (name, entry) in &file.styles {
            let tone = Tone::ALL.iter().find(|(_, known)| known == name);
            let (tone, _) = tone.ok_or_else(|| format!("theme {}: no style {name:?}", file.name))?;
            styles[*tone as usize] =
                entry.style(&file.colours, depth).map_err(|e| format!("{}: {name}: {e}", file.name))?;
        }
        Ok(Self { name: file.name, styles, symbols: if ascii { ASCII } else { FULL } })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The style of a meaning.
    pub fn style(&self, tone: Tone) -> Style {
        self.styles[tone as usize]
    }

    /// The signs.
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }
}

impl Entry {
    fn style(&self, colours: &BTreeMap<String, Colour>, depth: Depth) -> Result<Style, String> {
        let mut style = Style::new();
        let find = |name: &String| colours.get(name).ok_or_else(|| format!("no colour {name:?}"))?.at(depth);
        let plain = self.ansi.as_ref().filter(|_| depth == Depth::Ansi16);
        if plain.is_none() {
            style.fg = self.fg.as_ref().map(find).transpose()?.flatten();
            style.bg = self.bg.as_ref().map(find).transpose()?.flatten();
        }
        for word in plain.unwrap_or(&self.add) {
            style = style.add_modifier(match word.as_str() {
                "bold" => Modifier::BOLD,
                "dim" => Modifier::DIM,
                "italic" => Modifier::ITALIC,
                "underlined" => Modifier::UNDERLINED,
                "reversed" => Modifier::REVERSED,
                "crossed-out" => Modifier::CROSSED_OUT,
                other => return Err(format!("no modifier {other:?}")),
            });
        }
        Ok(style)
    }
}

impl Colour {
    fn at(&self, depth: Depth) -> Result<Option<Color>, String> {
        let named = |word: &str| word.parse::<Color>().map_err(|_| format!("not a colour: {word:?}"));
        Ok(match depth {
            Depth::None => None,
            Depth::Ansi16 => Some(named(&self.ansi)?),
            Depth::True => Some(named(&self.rgb)?),
            Depth::Ansi256 => match named(&self.rgb)? {
                Color::Rgb(r, g, b) => Some(Color::Indexed(nearest(r, g, b))),
                other => Some(other),
            },
        })
    }
}

/// The nearest colour of the 256: of the 6x6x6 cube (from 16) or of the 24 greys (from 232).
fn nearest(r: u8, g: u8, b: u8) -> u8 {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let step = |value: u8| (0..6).min_by_key(|at| STEPS[*at].abs_diff(value)).unwrap_or(0);
    let (ri, gi, bi) = (step(r), step(g), step(b));
    let grey = (0..24_u8).min_by_key(|at| (8 + 10 * at).abs_diff(r)).unwrap_or(0);
    let distance = |x: u8, y: u8, z: u8| {
        [(x, r), (y, g), (z, b)].iter().map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum::<u32>()
    };
    let shade = 8 + 10 * grey;
    if distance(shade, shade, shade) < distance(STEPS[ri], STEPS[gi], STEPS[bi]) {
        232 + grey
    } else {
        (16 + 36 * ri + 6 * gi + bi) as u8
    }
}

impl From<Level> for Tone {
    fn from(level: Level) -> Self {
        match level {
            Level::Info => Self::Info,
            Level::Warning => Self::Warning,
            Level::Error => Self::Danger,
            Level::Critical => Self::Critical,
        }
    }
}

impl From<NodePhase> for Tone {
    fn from(phase: NodePhase) -> Self {
        match phase {
            NodePhase::Degraded => Self::Danger,
            NodePhase::Waiting => Self::Waiting,
            NodePhase::Paused => Self::Paused,
            NodePhase::Done => Self::Ok,
            NodePhase::Unmanaged => Self::Dim,
            _ => Self::Active,
        }
    }
}

impl From<OperatorState> for Tone {
    fn from(state: OperatorState) -> Self {
        match state {
            OperatorState::Unavailable => Self::Danger,
            OperatorState::Degraded => Self::Warning,
            OperatorState::Updating => Self::Active,
            OperatorState::Waiting => Self::Waiting,
            OperatorState::Updated => Self::Ok,
        }
    }
}

impl From<StepState> for Tone {
    fn from(state: StepState) -> Self {
        match state {
            StepState::Todo => Self::Waiting,
            StepState::Active => Self::Active,
            StepState::Trouble => Self::Danger,
            StepState::Done => Self::Ok,
        }
    }
}

impl From<VerdictKind> for Tone {
    fn from(kind: VerdictKind) -> Self {
        match kind {
            VerdictKind::Unknown => Self::Dim,
            VerdictKind::NotUpdating | VerdictKind::Completed => Self::Ok,
            VerdictKind::Requested
            | VerdictKind::UpdatingControlPlane
            | VerdictKind::UpdatingPools
            | VerdictKind::ConfigRollout
            | VerdictKind::ImageBased => Self::Active,
            VerdictKind::NeedsPerson | VerdictKind::Slow => Self::Warning,
            VerdictKind::Stalled => Self::Danger,
            VerdictKind::Failing => Self::Critical,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_says_every_tone_at_every_depth() {
        for (name, text) in FILES {
            for depth in [Depth::Ansi16, Depth::Ansi256, Depth::True] {
                let theme = Theme::built_in(name, depth, false).unwrap();
                assert_eq!(theme.name(), name);
            }
            let file: File = serde_saphyr::from_str(text).unwrap();
            for (_, tone) in Tone::ALL {
                assert!(file.styles.contains_key(*tone), "{name} lacks {tone}");
            }
        }
        assert!(Theme::built_in("solarised", Depth::True, false).unwrap_err().contains("high-contrast"));
    }

    #[test]
    fn no_color_means_none_whatever_the_theme() {
        for name in Theme::NAMES {
            let theme = Theme::built_in(name, Depth::None, false).unwrap();
            for (tone, _) in Tone::ALL {
                let style = theme.style(*tone);
                assert_eq!((style.fg, style.bg), (None, None), "{name} {tone:?}");
            }
        }
    }

    #[test]
    fn without_colour_the_selection_can_still_be_seen() {
        let theme = Theme::built_in("dark", Depth::None, true).unwrap();
        assert!(theme.style(Tone::Selected).add_modifier.contains(Modifier::REVERSED));
        assert_ne!(theme.style(Tone::ButtonFocused), theme.style(Tone::Button));
    }

    #[test]
    fn deep_colours_find_their_neighbours() {
        assert_eq!(nearest(255, 0, 0), 196);
        assert_eq!(nearest(0, 0, 0), 16);
        assert_eq!(nearest(128, 128, 128), 244);
    }

    #[test]
    fn mistakes_in_a_file_are_named() {
        let wrong = "name: x\nstyles: {text: {fg: mauve}}";
        assert!(Theme::from_yaml(wrong, Depth::True, false).unwrap_err().contains("mauve"));
        let unknown = "name: x\nstyles: {txt: {}}";
        assert!(Theme::from_yaml(unknown, Depth::True, false).unwrap_err().contains("txt"));
    }
}
