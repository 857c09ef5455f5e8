//! Help: from the real bindings, the keys that work here first.

use crate::input::command::{Command, Group};
use crate::input::{Key, Snapshot};
use crate::ui::command_line;
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::text_view::TextLine;

fn keys_words(keys: &[Key]) -> String {
    keys.iter().map(Key::to_string).collect::<Vec<_>>().join(", ")
}

/// The lines of help for where the person was when asking, narrowed to those that contain `filter`.
pub fn lines(ctx: &Ctx<'_>, at: &Snapshot, filter: &str) -> Vec<TextLine> {
    let needle = filter.to_lowercase();
    let mut lines = Vec::new();
    for group in Group::ALL {
        let mut rows = Vec::new();
        for command in Command::all().filter(|command| command.group() == group) {
            if matches!(command, Command::Act(action) if at.barred.contains(action)) {
                continue;
            }
            let keys = ctx.keymap.keys(command, at.read_only);
            if keys.is_empty() {
                continue;
            }
            let here = !ctx.keymap.keys_now(command, at).is_empty();
            let text = keys_words(&keys);
            if !needle.is_empty() && !format!("{text} {}", command.help()).to_lowercase().contains(&needle) {
                continue;
            }
            let (key, word) = if here { (Tone::Key, Tone::Text) } else { (Tone::Dim, Tone::Dim) };
            rows.push((!here, TextLine::new(key, format!("  {text:<22} ")).and(word, command.help()).hanging(25)));
        }
        if rows.is_empty() {
            continue;
        }
        rows.sort_by_key(|(elsewhere, _)| *elsewhere);
        lines.push(TextLine::new(Tone::Heading, group.title()));
        lines.extend(rows.into_iter().map(|(_, line)| line));
        lines.push(TextLine::default());
    }
    command_words(&mut lines, ctx, &needle, at.read_only);
    if needle.is_empty() {
        lines.extend(signs(ctx));
    }
    if lines.is_empty() {
        lines.push(TextLine::new(Tone::Dim, format!("nothing about {filter:?}")));
    }
    lines
}

/// What the command line takes.
fn command_words(lines: &mut Vec<TextLine>, ctx: &Ctx<'_>, needle: &str, read_only: bool) {
    let words = command_line::WORDS
        .iter()
        .filter(|word| !(read_only && word.writes) && (!word.sim || ctx.sim.is_some()))
        .map(|word| (word.usage.to_owned(), word.help));
    let actions = command_line::actions(ctx).map(|entry| (entry.usage(), entry.summary));
    for (title, rows) in [
        ("Command line", words.collect::<Vec<_>>()),
        ("Actions on the command line, and behind `oc-cockpit do`", actions.filter(|_| !read_only).collect()),
    ] {
        let wanted = |(usage, help): &&(String, &str)| {
            needle.is_empty() || format!("{usage} {help}").to_lowercase().contains(needle)
        };
        let rows: Vec<TextLine> = rows.iter().filter(wanted).map(|(usage, help)| row_of(usage, help)).collect();
        if !rows.is_empty() {
            lines.push(TextLine::new(Tone::Heading, title));
            lines.extend(rows);
            lines.push(TextLine::default());
        }
    }
}

/// A line of what can be typed.
fn row_of(usage: &str, help: &str) -> TextLine {
    TextLine::new(Tone::Key, format!("  :{usage:<21} ")).and(Tone::Text, help).hanging(25)
}

/// What the signs mean.
fn signs(ctx: &Ctx<'_>) -> Vec<TextLine> {
    let signs = ctx.theme.symbols();
    let row = |sign: &str, tone: Tone, text: &str| TextLine::new(tone, format!("  {sign:<22} ")).and(Tone::Text, text);
    let strip = format!("{0}{0}{1}{2}{2}{2}{2}", signs.cell_done, signs.cell_moving, signs.cell_waiting);
    vec![
        TextLine::new(Tone::Heading, "Signs"),
        row(&strip, Tone::Active, "preparing, cordoned, draining, applying, rebooting, back, uncordoning"),
        row(signs.fail, Tone::Danger, "wrong, stuck, failed"),
        row(signs.warn, Tone::Warning, "look at it"),
        row(signs.paused, Tone::Paused, "paused"),
        row(signs.mark, Tone::Marked, "marked"),
        row("~12m", Tone::Dim, "an age rebuilt at start from what the API remembers"),
    ]
}
