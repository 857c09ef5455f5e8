//! The command log: what was asked of the cluster, as `oc` lines, and what became of the actions.

use crate::ui::ctx::{Ctx, Job, JobState, LogLine};
use crate::ui::theme::Tone;
use crate::ui::widgets::text_view::TextLine;
use crate::ui::words;

/// Sign and meaning of how far an action came.
pub fn job_sign(job: &Job, ctx: &Ctx<'_>) -> (Tone, &'static str) {
    let signs = ctx.theme.symbols();
    match job.state {
        JobState::Running => (Tone::Active, signs.active),
        JobState::Done => (Tone::Ok, signs.ok),
        JobState::Unproven => (Tone::Warning, signs.warn),
        JobState::Failed => (Tone::Danger, signs.fail),
        JobState::Cancelled => (Tone::Dim, signs.todo),
    }
}

/// `Pause pool worker: seen in the watch after 0.3 s`.
pub fn job_words(job: &Job, ctx: &Ctx<'_>) -> String {
    let age = match job.state {
        JobState::Running => format!(" ({})", words::duration(ctx.now - job.since)),
        _ => String::new(),
    };
    format!("{}: {}{age}", job.title, job.words)
}

/// The lines of the log: actions first, then everything that was asked, newest first.
pub fn lines(ctx: &Ctx<'_>) -> Vec<TextLine> {
    let mut lines = Vec::new();
    if !ctx.jobs.is_empty() {
        lines.push(TextLine::new(Tone::Heading, "Actions of this session"));
        for job in ctx.jobs.iter().rev() {
            let (tone, sign) = job_sign(job, ctx);
            let line = TextLine::new(Tone::Dim, format!("  {} ", words::clock(job.since, ctx.now)));
            lines.push(line.and(tone, format!("{sign} {}", job_words(job, ctx))).hanging(13));
        }
        lines.push(TextLine::default());
    }
    lines.push(TextLine::new(Tone::Heading, "What was asked of the cluster, newest first"));
    lines.extend(ctx.log.iter().rev().map(|line| entry(line, ctx)));
    if ctx.log.is_empty() {
        lines.push(TextLine::new(Tone::Dim, "  nothing yet"));
    }
    lines.push(TextLine::default());
    lines.push(match ctx.audit {
        Some(path) => TextLine::new(Tone::Dim, format!("Every write is also in the audit log, {}", path.display())),
        None => TextLine::new(Tone::Dim, "No audit log is written in this session."),
    });
    lines.push(TextLine::new(Tone::Dim, "A cluster has no undo: most actions name the one that reverses them."));
    lines
}

fn entry(line: &LogLine, ctx: &Ctx<'_>) -> TextLine {
    let tone = if line.write { Tone::Strong } else { Tone::Text };
    let failed = !line.outcome.is_empty() && !line.outcome.starts_with('2') && line.outcome != "ok";
    let outcome = if line.outcome.is_empty() { "under way" } else { &line.outcome };
    TextLine::new(Tone::Dim, format!("  {} ", words::clock(line.at, ctx.now)))
        .and(tone, &line.oc)
        .and(if failed { Tone::Danger } else { Tone::Dim }, format!("   {outcome}"))
        .hanging(13)
}
