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
