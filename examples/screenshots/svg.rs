//! A drawn screen as SVG: text runs, backgrounds, and box-drawing characters as lines, so that frames join in every
//! viewer whatever its font.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

const CELL: (f64, f64) = (8.4, 18.0);
const FONT: f64 = 14.0;
const MARGIN: f64 = 12.0;

/// Colours of the terminal that the picture pretends to be.
pub struct Paper {
    pub foreground: &'static str,
    pub background: &'static str,
}

/// Draws `buffer` as an SVG document.
pub fn render(buffer: &Buffer, paper: &Paper, title: &str) -> String {
    let (columns, rows) = (f64::from(buffer.area.width), f64::from(buffer.area.height));
    let (width, height) = (columns * CELL.0 + 2.0 * MARGIN, rows * CELL.1 + 2.0 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n<title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n\
         <g font-family=\"'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,monospace\" font-size=\"{FONT}\" xml:space=\"preserve\">\n",
        escape(title),
        paper.background,
    );
    for y in 0..buffer.area.height {
        row(&mut out, buffer, y, paper);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// A run of neighbouring cells that look alike.
struct Run {
    start: u16,
    cells: u16,
    text: String,
    foreground: String,
    background: String,
    bold: bool,
    underlined: bool,
    faint: bool,
}

fn row(out: &mut String, buffer: &Buffer, y: u16, paper: &Paper) {
    let runs = runs(buffer, y, paper);
    let top = MARGIN + f64::from(y) * CELL.1;
    for run in runs.iter().filter(|run| run.background != paper.background) {
        let (x, width) = (MARGIN + f64::from(run.start) * CELL.0, f64::from(run.cells) * CELL.0);
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{}\"/>",
            CELL.1, run.background
        );
    }
    for run in &runs {
        lines(out, run, top);
        words(out, run, top);
    }
}

fn runs(buffer: &Buffer, y: u16, paper: &Paper) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut skip = 0;
    for x in 0..buffer.area.width {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let cell = &buffer[(x, y)];
        let wide = cell.symbol().width().max(1) as u16;
        skip = wide - 1;
        let fresh = look(cell, x, wide, paper);
        match runs.last_mut() {
            Some(last) if alike(last, &fresh) && wide == 1 => {
                last.text.push_str(cell.symbol());
                last.cells += wide;
            }
            _ => runs.push(fresh),
        }
    }
    runs
}

fn look(cell: &Cell, x: u16, cells: u16, paper: &Paper) -> Run {
    let mut foreground = hex(cell.fg).unwrap_or_else(|| paper.foreground.to_owned());
    let mut background = hex(cell.bg).unwrap_or_else(|| paper.background.to_owned());
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut foreground, &mut background);
    }
    Run {
        start: x,
        cells,
        text: cell.symbol().to_owned(),
        foreground,
        background,
        bold: cell.modifier.contains(Modifier::BOLD),
        underlined: cell.modifier.contains(Modifier::UNDERLINED),
        faint: cell.modifier.contains(Modifier::DIM),
    }
}

fn alike(a: &Run, b: &Run) -> bool {
    let last_was_wide = a.text.width() > a.text.chars().count();
    a.foreground == b.foreground
        && a.background == b.background
        && (a.bold, a.underlined, a.faint) == (b.bold, b.underlined, b.faint)
        && !last_was_wide
}

/// The characters that are drawn as lines or blocks are left out here.
fn words(out: &mut String, run: &Run, top: f64) {
    let text: String =
        run.text.chars().map(|c| if arms(c).is_some() || block(c).is_some() { ' ' } else { c }).collect();
    // Each word is placed by itself: fonts differ in width, cells do not.
    let mut at = run.start;
    for piece in text.split_inclusive(' ') {
        let word = piece.trim_end_matches(' ');
        if !word.is_empty() {
            let (x, width) = (MARGIN + f64::from(at) * CELL.0, word.width() as f64 * CELL.0);
            let weight = if run.bold { " font-weight=\"bold\"" } else { "" };
            let line = if run.underlined { " text-decoration=\"underline\"" } else { "" };
            let faint = if run.faint { " opacity=\"0.65\"" } else { "" };
            let _ = writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
                 fill=\"{}\"{weight}{line}{faint}>{}</text>",
                top + CELL.1 * 0.76,
                run.foreground,
                escape(word)
            );
        }
        at += piece.width() as u16;
    }
}

fn lines(out: &mut String, run: &Run, top: f64) {
    let (middle, half) = ((CELL.0 / 2.0, CELL.1 / 2.0), 0.6);
    for (index, character) in run.text.chars().enumerate() {
        let left = MARGIN + (f64::from(run.start) + index as f64) * CELL.0;
        if let Some((x, y, width, height, opacity)) = block(character) {
            let _ = writeln!(
                out,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\" opacity=\"{opacity}\"/>",
                left + x * CELL.0,
                top + y * CELL.1,
                width * CELL.0,
                height * CELL.1,
                run.foreground
            );
        }
        let Some((up, right, down, left_arm)) = arms(character) else { continue };
        let mut path = String::new();
        let centre = (left + middle.0, top + middle.1);
        for (arm, to) in [
            (up, (centre.0, top)),
            (right, (left + CELL.0, centre.1)),
            (down, (centre.0, top + CELL.1)),
            (left_arm, (left, centre.1)),
        ] {
            if arm {
                let _ = write!(path, "M{:.1} {:.1}L{:.1} {:.1}", centre.0, centre.1, to.0, to.1);
            }
        }
        let _ = writeln!(out, "<path d=\"{path}\" stroke=\"{}\" stroke-width=\"{:.1}\"/>", run.foreground, half * 2.0);
    }
}

/// Which arms a box-drawing character has: up, right, down, left.
fn arms(character: char) -> Option<(bool, bool, bool, bool)> {
    Some(match character {
        '─' | '━' | '╌' | '┄' => (false, true, false, true),
        '│' | '┃' | '╎' | '┆' => (true, false, true, false),
        '┌' | '╭' | '┏' => (false, true, true, false),
        '┐' | '╮' | '┓' => (false, false, true, true),
        '└' | '╰' | '┗' => (true, true, false, false),
        '┘' | '╯' | '┛' => (true, false, false, true),
        '├' | '┣' => (true, true, true, false),
        '┤' | '┫' => (true, false, true, true),
        '┬' | '┳' => (false, true, true, true),
        '┴' | '┻' => (true, true, false, true),
        '┼' | '╋' => (true, true, true, true),
        _ => return None,
    })
}

/// Block elements as a rectangle of the cell (left, top, width, height in parts of it) and an opacity.
fn block(character: char) -> Option<(f64, f64, f64, f64, f64)> {
    let eighth = |count: u32| f64::from(count) / 8.0;
    Some(match character {
        '█' => (0.0, 0.1, 1.0, 0.8, 1.0),
        '▓' => (0.0, 0.1, 1.0, 0.8, 0.75),
        '▒' => (0.0, 0.1, 1.0, 0.8, 0.5),
        '░' => (0.0, 0.1, 1.0, 0.8, 0.25),
        '▉'..='▏' => (0.0, 0.1, eighth(0x2590 - character as u32), 0.8, 1.0),
        '▁'..='▇' => {
            let height = eighth(character as u32 - 0x2580);
            (0.0, 1.0 - height, 1.0, height, 1.0)
        }
        _ => return None,
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A colour as `#rrggbb`; none for the terminal's default.
fn hex(color: Color) -> Option<String> {
    let (r, g, b) = match color {
        Color::Reset => return None,
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Indexed(index) => indexed(index),
        named => indexed(ansi(named)?),
    };
    Some(format!("#{r:02x}{g:02x}{b:02x}"))
}

fn ansi(color: Color) -> Option<u8> {
    Some(match color {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        _ => return None,
    })
}

fn indexed(index: u8) -> (u8, u8, u8) {
    const SIXTEEN: [(u8, u8, u8); 16] = [
        (30, 34, 42),
        (224, 108, 117),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (86, 182, 194),
        (190, 197, 209),
        (107, 114, 128),
        (240, 138, 146),
        (178, 215, 150),
        (240, 209, 152),
        (134, 196, 246),
        (216, 155, 233),
        (120, 206, 217),
        (236, 239, 244),
    ];
    match index {
        0..=15 => SIXTEEN[usize::from(index)],
        16..=231 => {
            let step = |part: u8| if part == 0 { 0 } else { 55 + 40 * part };
            let cube = index - 16;
            (step(cube / 36), step(cube / 6 % 6), step(cube % 6))
        }
        _ => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    }
}
