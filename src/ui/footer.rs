//! The bottom of the screen: actions under way, the message of the moment, the keys that work here or the line that is
//! typed.

use chrono::TimeDelta;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::ctx::{Ctx, FlashLevel, JobState};
use super::popups::command_log::{job_sign, job_words};
use super::theme::Tone;
use super::view::{Purpose, View};
use super::widgets::pen::Pen;
use super::words;
use crate::input::{Command, Key};

/// How long a finished action stays on the screen.
const LINGER: TimeDelta = TimeDelta::seconds(8);

/// Lines of the flash, at most: it comes and goes.
const SAID: usize = 3;

/// Lines above the footer: at most two actions and the flash, which is wrapped to `columns`.
pub fn messages<'t>(ctx: &Ctx<'t>, columns: usize) -> Vec<Pen<'t>> {
    let fresh =
        |job: &&super::ctx::Job| job.state == JobState::Running || job.ended.is_some_and(|at| ctx.now - at < LINGER);
    let jobs = ctx.jobs.iter().rev().filter(fresh).take(2).map(|job| {
        let (tone, sign) = job_sign(job, ctx);
        let mut pen = Pen::new(ctx.theme);
        pen.gap(1).put(tone, format!("{sign} {}", job_words(job, ctx)));
        pen
    });
    let flash = ctx.flash.map(|flash| {
        let signs = ctx.theme.symbols();
        let (tone, sign) = match flash.level {
            FlashLevel::Info => (Tone::Info, signs.info),
            FlashLevel::Warning => (Tone::Warning, signs.warn),
            FlashLevel::Error => (Tone::Danger, signs.fail),
        };
        let lines = words::wrap(&format!(" {sign} {}", flash.text), columns, 3);
        let pen = |text: String| {
            let mut pen = Pen::new(ctx.theme);
            pen.put(tone, text);
            pen
        };
        lines.into_iter().take(SAID).map(pen).collect::<Vec<_>>()
    });
    jobs.chain(flash.into_iter().flatten()).collect()
}

/// Draws the footer; gives back where the cursor stands.
pub fn draw(view: &View, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<(u16, u16)> {
    if view.prompt.is_some() {
        return draw_line(view, buffer, area, ctx);
    }
    let at = view.snapshot(ctx);
    let mut pen = Pen::new(ctx.theme);
    let columns = |key: &Key, command: Command| words::width(&key.to_string()) + words::width(command.word()) + 3;
    // Each says what it would do here: where nothing is left to go back from, the way out takes the place of the way back.
    let meant = |command: Command| match command {
        Command::Back => !at.root,
        Command::Leave => at.root,
        // Of a container that was never started again there is no other run.
        Command::PreviousLog => view.log_restarted(),
        // What is chosen there is planned, or why not is told.
        Command::Act(_) if at.updates => true,
        other => able(view, other, ctx),
    };
    let hints: Vec<_> = ctx.keymap.hints(&at).into_iter().filter(|(_, command)| meant(*command)).collect();
    // What matters most now and the doors to everything else are always there; what does not fit is left out whole, help
    // has it.
    let door = |command: Command| {
        matches!(
            command,
            Command::NextStep
                | Command::Enter
                | Command::Press
                | Command::GoTo
                | Command::Help
                | Command::CommandLine
                | Command::Leave
                | Command::Back
        )
    };
    let doors: usize = hints.iter().filter(|(_, c)| door(*c)).map(|(key, command)| columns(key, *command)).sum();
    let mut room = usize::from(area.width).saturating_sub(doors);
    let mut fits = |(key, command): &(Key, Command)| {
        let wanted = columns(key, *command);
        let fits = door(*command) || wanted <= room;
        room -= if fits && !door(*command) { wanted } else { 0 };
        fits
    };
    let hints: Vec<_> = hints.into_iter().filter(|hint| fits(hint)).collect();
    for (key, command) in hints {
        pen.gap(1).put(Tone::Key, key.to_string()).put(Tone::Dim, format!(" {} ", command.word()));
    }
    pen.draw(buffer, area);
    None
}

/// Would it do something here now? An action that is refused for what is selected is left to the menu, which says why.
fn able(view: &View, command: Command, ctx: &Ctx<'_>) -> bool {
    let Command::Act(action) = command else { return true };
    let entry = action.entry();
    let target = view.aimed(action, ctx);
    let offered = (entry.offered)(ctx.assessment, ctx.session, &target);
    offered.is_some_and(|offered| offered.refusal.is_none() || !entry.unread(&ctx.assessment.facts).is_empty())
}

/// The line that is typed: prompt, text, suggestion, count or what is wrong with it.
fn draw_line(view: &View, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<(u16, u16)> {
    let prompt = view.prompt.as_ref()?;
    let (lead, error, count) = match prompt.purpose {
        Purpose::Command => (":", None, String::new()),
        Purpose::Search => ("/", view.search_error(), view.search_words()),
        Purpose::Filter(pane) => {
            let (shown, all) = view.counts(pane, ctx);
            ("/", view.filter_of(pane).error(), format!("{shown}/{all}"))
        }
    };
    let mut pen = Pen::new(ctx.theme);
    pen.put(Tone::Key, lead);
    pen.put(if error.is_some() { Tone::Danger } else { Tone::Prompt }, prompt.edit.text());
    if let Some(ghost) = view.ghost(ctx) {
        pen.put(Tone::Ghost, ghost.get(prompt.edit.text().len()..).unwrap_or_default());
    }
    pen.draw(buffer, area);
    let mut right = Pen::new(ctx.theme);
    match error {
        Some(why) => right.put(Tone::Danger, format!(" {} {why} ", ctx.theme.symbols().fail)),
        None => right.put(Tone::Dim, format!(" {count} ")),
    };
    let room = usize::from(area.width).saturating_sub(pen.width());
    if right.width() <= room {
        let width = right.width() as u16;
        right.draw(buffer, Rect { x: area.right() - width, width, ..area });
    }
    let x = area.x + (1 + words::width(prompt.edit.before())) as u16;
    Some((x.min(area.right().saturating_sub(1)), area.y))
}
