//! What colours say, and that nothing is said by colour alone.

use oc_cockpit::ui::theme::Tone;
use oc_cockpit::ui::{Depth, Theme};
use ratatui::style::{Color, Modifier};

use super::sample::{self, World};
use super::{Stage, dump};

fn with(mut world: World, theme: &str, depth: Depth, ascii: bool) -> World {
    world.theme = Theme::built_in(theme, depth, ascii).unwrap();
    world
}

#[test]
fn the_verdict_stands_out_and_trouble_is_red() {
    let stage = Stage::new(sample::rolling(), 120, 40);
    let theme = &stage.world.theme;
    let verdict = stage.buffer()[stage.find("POOLS ROLLING")].style();
    assert!(verdict.add_modifier.contains(Modifier::REVERSED | Modifier::BOLD));
    assert_eq!(verdict.fg, theme.style(Tone::Active).fg);
    let (x, y) = stage.find("✖ worker-3 drain blocked");
    assert_eq!(stage.buffer()[(x, y)].style().fg, theme.style(Tone::Danger).fg);
}

#[test]
fn the_selected_row_of_the_focused_pane_is_the_only_one_with_the_cursor() {
    let stage = Stage::new(sample::rolling(), 120, 40);
    let (x, y) = stage.find("▌");
    assert_eq!(stage.buffer()[(x + 3, y)].style().bg, stage.world.theme.style(Tone::Selected).bg);
    assert_eq!(dump(stage.buffer()).matches('▌').count(), 1);
}

#[test]
fn stale_content_does_not_look_live() {
    let stage = Stage::new(sample::stale(), 120, 40);
    let style = stage.buffer()[stage.find("master-2  ■")].style();
    assert!(style.add_modifier.contains(Modifier::DIM), "{style:?}");
}

#[test]
fn without_colour_there_is_none_and_the_text_says_the_same() {
    for tab in ["1", "2", "3", "4", "5", "6"] {
        let mut plain = Stage::new(with(sample::rolling(), "dark", Depth::None, false), 120, 40);
        let mut colour = Stage::new(sample::rolling(), 120, 40);
        plain.keys(tab);
        colour.keys(tab);
        for cell in plain.buffer().content() {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
        }
        assert_eq!(dump(plain.buffer()), dump(colour.buffer()));
    }
}

#[test]
fn sixteen_colours_use_the_palette_of_the_terminal_only() {
    let stage = Stage::new(with(sample::rolling(), "light", Depth::Ansi16, false), 120, 40);
    for cell in stage.buffer().content() {
        assert!(!matches!(cell.fg, Color::Rgb(..) | Color::Indexed(_)), "{:?}", cell.fg);
        assert!(!matches!(cell.bg, Color::Rgb(..) | Color::Indexed(_)), "{:?}", cell.bg);
    }
}

#[test]
fn a_terminal_without_unicode_gets_ascii_alone() {
    for keys in ["1", "2", "3", "4", "5", "6", "?", "@", "x", "4 d", "U"] {
        let mut stage = Stage::new(with(sample::rolling(), "dark", Depth::Ansi16, true), 120, 40);
        let screen = stage.keys(keys).screen();
        let strange: String = screen.chars().filter(|c| !c.is_ascii()).collect();
        assert!(strange.is_empty(), "{keys}: {strange:?}\n{screen}");
    }
}

/// The 16 colours as xterm and a VGA console have them.
const PALETTES: [[u32; 16]; 2] = [
    [
        0x00_0000, 0xcd_0000, 0x00_cd00, 0xcd_cd00, 0x00_00ee, 0xcd_00cd, 0x00_cdcd, 0xe5_e5e5, 0x7f_7f7f, 0xff_0000,
        0x00_ff00, 0xff_ff00, 0x5c_5cff, 0xff_00ff, 0x00_ffff, 0xff_ffff,
    ],
    [
        0x00_0000, 0xaa_0000, 0x00_aa00, 0xaa_5500, 0x00_00aa, 0xaa_00aa, 0x00_aaaa, 0xaa_aaaa, 0x55_5555, 0xff_5555,
        0x55_ff55, 0xff_ff55, 0x55_55ff, 0xff_55ff, 0x55_ffff, 0xff_ffff,
    ],
];

/// What a colour looks like; none: as the terminal has it.
fn shade(colour: Option<Color>, palette: &[u32; 16]) -> Option<u32> {
    const NAMED: [Color; 16] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    match colour? {
        Color::Rgb(r, g, b) => Some(u32::from_be_bytes([0, r, g, b])),
        named => NAMED.iter().position(|known| *known == named).map(|at| palette[at]),
    }
}

/// How well two colours can be told apart, from 1 to 21 (WCAG 2, relative luminance).
fn contrast(a: u32, b: u32) -> f64 {
    let light = |colour: u32| {
        let [_, r, g, b] = colour.to_be_bytes();
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.039_28 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    };
    let (a, b) = (light(a), light(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_text_can_be_read_on_its_background_in_every_theme() {
    // Lines and what is left of a bar are not read.
    let faint = [Tone::Border, Tone::BarLeft];
    let mut poor = Vec::new();
    for (name, page, text) in [
        ("dark", 0x00_0000, 0xe5_e5e5),
        ("dark", 0x1e_1e1e, 0xd0_d0d0),
        ("light", 0xff_ffff, 0x00_0000),
        ("high-contrast", 0, 0xff_ffff),
    ] {
        for (depth, palette) in [(Depth::True, 0), (Depth::Ansi16, 0), (Depth::Ansi16, 1)] {
            let theme = Theme::built_in(name, depth, false).unwrap();
            let look = |colour| shade(colour, &PALETTES[palette]);
            for (tone, word) in Tone::ALL {
                let style = theme.style(*tone);
                let (fg, bg) = (look(style.fg).unwrap_or(text), look(style.bg).unwrap_or(page));
                if !faint.contains(tone) && contrast(fg, bg) < 2.6 {
                    poor.push(format!("{name} {depth:?} {palette}: {word} {:.1}", contrast(fg, bg)));
                }
                // A row that is selected keeps the colours of its texts.
                for row in [Tone::Selected, Tone::SelectedDim] {
                    let row = theme.style(row);
                    let (fg, under) = (look(row.fg.or(style.fg)).unwrap_or(text), look(row.bg).unwrap_or(page));
                    if style.bg.is_none()
                        && !faint.contains(tone)
                        && *tone != Tone::BorderFocused
                        && contrast(fg, under) < 2.6
                    {
                        poor.push(format!(
                            "{name} {depth:?} {palette}: {word} when selected {:.1}",
                            contrast(fg, under)
                        ));
                    }
                }
            }
        }
    }
    assert!(poor.is_empty(), "{poor:#?}");
}
