//! The left half: what happens, what may be asked for, what was, what happens by itself.

use chrono::TimeDelta;

use super::outage_lines::{outage_words, until};
use super::{heading, labelled};
use crate::input::Command;
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::bar::bar;
use crate::ui::widgets::pen::Pen;
use crate::ui::widgets::text_view::TextLine;
use crate::ui::words;
use crate::upgrade::image_based::auto_rollback::{Switch, Watchdog};
use crate::upgrade::image_based::pivot_outage::Sureness;
use crate::upgrade::image_based::stage_history::{PhaseRun, StageRun};
use crate::upgrade::image_based::stage_machine::{Move, State};
use crate::upgrade::image_based::{ImageBased, Precache, Record};
use crate::upgrade::link::LinkState;

/// All lines.
pub fn lines(image: &ImageBased, ctx: &Ctx<'_>) -> Vec<TextLine> {
    let mut lines = now(image, ctx);
    lines.extend(moves(image, ctx));
    lines.extend(history(image, ctx));
    lines.extend(by_itself(image, ctx));
    lines.extend(wanted(image));
    lines
}

fn tone(state: State) -> Tone {
    match state {
        State::Idle => Tone::Ok,
        State::Unknown => Tone::Dim,
        State::RolledBackByItself | State::Prepared | State::Upgraded | State::RolledBack => Tone::Warning,
        state if state.failed() => Tone::Danger,
        _ => Tone::Active,
    }
}

fn now(image: &ImageBased, ctx: &Ctx<'_>) -> Vec<TextLine> {
    let signs = ctx.theme.symbols();
    let sign = if image.state.failed() {
        signs.fail
    } else if image.state == State::Idle || image.state.waits_for_person() {
        signs.ok
    } else {
        signs.active
    };
    let since = words::since(image.since, ctx.now, false);
    let since = if since.is_empty() { since } else { format!("  for {since}") };
    let mut lines =
        vec![TextLine::new(tone(image.state), format!("{sign} {}", image.headline())).and(Tone::Dim, since)];
    if let Record::Remembered { at } = image.record {
        let text = format!(
            "{} as of {}: another etcd answers since the reboot, and the agent has not brought its record back. Nothing here \
             says that it is finished.",
            signs.warn,
            words::clock(at, ctx.now)
        );
        lines.push(TextLine::new(Tone::Warning, text).hanging(2));
    }
    if image.record == Record::Missing {
        lines.push(TextLine::new(Tone::Warning, "there is no ImageBasedUpgrade: the agent makes it when it runs"));
    }
    if let Some(asked) = image.asked() {
        lines.push(TextLine::new(
            Tone::Active,
            format!("{} {} was asked for, and not begun", signs.active, asked.word()),
        ));
    }
    lines.extend(image.message.lines().map(|line| TextLine::new(Tone::Text, format!("  {line}")).hanging(2)));
    if !image.condition.is_empty() {
        lines.push(TextLine::new(Tone::Dim, format!("  {}", image.condition)));
    }
    if image.state == State::Preparing {
        lines.extend(image.precache.map(|count| precache(count, ctx)));
        lines.extend(image.job.as_ref().map(|(namespace, name)| {
            let key = ctx.key_of(Command::Logs);
            TextLine::new(Tone::Dim, format!("  its log: {key}, or oc logs -n {namespace} job/{name} -f")).hanging(2)
        }));
    }
    if let Some((wanted, seen)) = image.behind {
        let text = format!("{} generation {wanted} is not observed yet (the agent is at {seen})", signs.active);
        lines.push(TextLine::new(Tone::Warning, text).hanging(2));
    }
    if let Some(banner) = &image.banner {
        let text = format!("{} {} ({}): {}", signs.warn, banner.reason, banner.condition, banner.message);
        lines.push(TextLine::new(Tone::Warning, text).hanging(2));
    }
    lines.extend(dead_end(image));
    lines.extend(outage(image, ctx));
    if let Some(warning) = &image.warning {
        lines.push(TextLine::new(Tone::Warning, format!("{} validation warning: {warning}", signs.warn)).hanging(2));
    }
    lines
}

/// What cannot be done by a stage any more.
fn dead_end(image: &ImageBased) -> Vec<TextLine> {
    let text = match image.state {
        State::RollbackFailed => {
            "no stage is allowed from here and no annotation helps. Deleting the object only begins its record anew; look at \
             the node itself first."
        }
        State::AbortFailed | State::FinalizeFailed => {
            "fix the cause, then tell the agent (manual-cleanup-done): it repeats the whole cleanup. Clean up by hand only if \
             it fails again, and never the booted stateroot."
        }
        _ => return Vec::new(),
    };
    vec![TextLine::new(Tone::Warning, format!("  {text}")).hanging(2)]
}

fn precache(count: Precache, ctx: &Ctx<'_>) -> TextLine {
    let mut pen = Pen::new(ctx.theme);
    bar(&mut pen, 24, count.pulled as usize, 0, count.total as usize);
    let failed = if count.failed > 0 { format!(", {} failed", count.failed) } else { String::new() };
    TextLine::new(Tone::BarDone, format!("  {}", pen.text()))
        .and(Tone::Text, format!(" {}/{} images", count.pulled, count.total))
        .and(Tone::Danger, failed)
}

fn outage(image: &ImageBased, ctx: &Ctx<'_>) -> Vec<TextLine> {
    let Some(outage) = image.outage.as_ref().filter(|_| image.record == Record::Seen) else { return Vec::new() };
    let signs = ctx.theme.symbols();
    let gone = outage.began.is_some() && ctx.assessment.facts.link.state != LinkState::Live;
    if !gone && !outage.expected() {
        return Vec::new();
    }
    if outage.locked_out {
        let text = "the API server is back, and does not take the credentials: log in again. What runs now, and how far it is, \
                    cannot be seen before.";
        return vec![TextLine::new(Tone::Warning, format!("{} {text}", signs.warn)).hanging(2)];
    }
    let sure = match outage.sure {
        Sureness::Certain => "certain",
        Sureness::Likely => "likely",
        Sureness::Possible => "possible",
    };
    let head = if gone { format!("{} {}", signs.active, outage.what) } else { format!("next: {}", outage.what) };
    let tone = if outage.expected() { Tone::Active } else { Tone::Warning };
    vec![
        TextLine::new(tone, format!("{head} ({sure})")).hanging(2),
        TextLine::new(Tone::Text, format!("  {}", outage_words(outage, ctx.now))).hanging(2),
        TextLine::new(Tone::Dim, format!("  inferred: {}", outage.why)).hanging(2),
    ]
}

/// What a move means here.
fn meaning(step: Move, image: &ImageBased) -> &'static str {
    match (step, image.state) {
        (Move::Prep, _) => "puts the seed's system beside the running one; nothing is interrupted",
        (Move::Upgrade, _) if image.oadp_content.is_empty() => {
            "reboots into the new system (the API is away for minutes); no backups are configured"
        }
        (Move::Upgrade, _) => "backs up, reboots into the new system (the API is away for minutes), restores",
        (Move::Rollback, _) => "reboots into the former system",
        (Move::Abort, State::RolledBackByItself) => "cleans up, with what is needed to find the cause",
        (Move::Abort, _) => "gives it up and cleans up what was prepared",
        (Move::Finalize, State::Upgraded) => "takes the former system away: no rollback after that",
        (Move::Finalize, _) => "cleans up, with what is needed to find the cause",
    }
}

fn moves(image: &ImageBased, ctx: &Ctx<'_>) -> Vec<TextLine> {
    let signs = ctx.theme.symbols();
    let mut lines = vec![TextLine::default(), heading("May be asked for now (validNextStages)")];
    // While nobody answers a request gets nowhere, or is lost with the reboot.
    if ctx.assessment.facts.link.state.stale() {
        let text = "  nothing, until the picture is live again";
        lines.push(TextLine::new(Tone::Dim, text).hanging(2));
        return lines;
    }
    if image.moves.is_empty() {
        let why = match (image.record, image.state) {
            (Record::Remembered { .. }, _) => "not known until the agent's record is back",
            (Record::Missing, _) => "not known: there is no object",
            (_, State::Aborting | State::Finalizing) => "nothing, until it has cleaned up",
            (_, State::RollingBack) => "nothing, until the rollback has ended",
            _ => "nothing: the agent offers no stage",
        };
        lines.push(TextLine::new(Tone::Dim, format!("  {why}")));
    }
    lines.extend(image.moves.iter().map(|step| {
        TextLine::new(Tone::Strong, format!("  {} {}", signs.arrow, step.words()))
            .and(Tone::Dim, format!("  {}", meaning(*step, image)))
            .hanging(6)
    }));
    lines
}

fn history(image: &ImageBased, ctx: &Ctx<'_>) -> Vec<TextLine> {
    if image.history.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![TextLine::default(), heading("Stages since it was idle")];
    for run in &image.history {
        lines.push(stage_line(run, image, ctx));
        lines.extend(run.phases.iter().map(|phase| phase_line(phase, image, ctx)));
    }
    lines
}

fn took(span: Option<TimeDelta>) -> String {
    span.map(words::duration).unwrap_or_default()
}

fn stage_line(run: &StageRun, image: &ImageBased, ctx: &Ctx<'_>) -> TextLine {
    let signs = ctx.theme.symbols();
    let began = run.started.map(|at| words::clock(at, ctx.now)).unwrap_or_default();
    // A stage that failed is never given an end; the last one is the one that runs or failed.
    let last = image.history.last() == Some(run);
    let (tone, sign, ended) = match run.took() {
        Some(_) => (Tone::Ok, signs.ok, took(run.took())),
        None if last && !image.state.failed() => {
            (Tone::Active, signs.active, format!("{} so far", words::since(run.started, ctx.now, false)))
        }
        None => (Tone::Danger, signs.fail, "did not complete".to_owned()),
    };
    TextLine::new(tone, format!("  {sign} {:<10}", run.stage.word()))
        .and(Tone::Dim, format!("{began:<12}"))
        .and(Tone::Text, ended)
}

fn phase_line(phase: &PhaseRun, image: &ImageBased, ctx: &Ctx<'_>) -> TextLine {
    let began = phase.started.map(|at| words::clock(at, ctx.now)).unwrap_or_default();
    let ended = match phase.took() {
        Some(_) => took(phase.took()),
        // What the new system wrote down went with it when the node came back from there.
        None if image.state.failed() || image.state == State::RolledBack => "its end is not told".to_owned(),
        None => "no end yet".to_owned(),
    };
    TextLine::new(Tone::Dim, format!("      {:<11}{began:<11} ", phase.name)).and(Tone::Text, ended)
}

fn by_itself(image: &ImageBased, ctx: &Ctx<'_>) -> Vec<TextLine> {
    let mut lines = Vec::new();
    if let Some(watchdog) = &image.watchdog {
        lines.push(labelled("watchdog", Tone::Text, watchdog_words(watchdog, ctx)));
    }
    if let Some(at) = image.rollback_expires {
        let past = at <= ctx.now;
        let text = if past {
            format!(
                "{} ({}): certificates may have to be recovered by hand",
                words::clock(at, ctx.now),
                until(at, ctx.now)
            )
        } else {
            format!("until {} ({})", words::clock(at, ctx.now), until(at, ctx.now))
        };
        lines.push(labelled("way back", if past { Tone::Danger } else { Tone::Text }, text));
    }
    lines.extend(image.switches.iter().map(|switch| switch_line(switch, ctx)));
    if lines.is_empty() {
        return lines;
    }
    lines.splice(0..0, [TextLine::default(), heading("Rolls back by itself when")]);
    lines
}

fn watchdog_words(watchdog: &Watchdog, ctx: &Ctx<'_>) -> String {
    let limit = words::duration(watchdog.timeout);
    let off = if watchdog.off { " (switched off now; what counts is what it was in Prep)" } else { "" };
    let clock = |at| words::clock(at, ctx.now);
    let told = match (watchdog.from, watchdog.to) {
        (Some(from), Some(to)) => {
            format!("{limit} after the boot: between {} and {} ({})", clock(from), clock(to), until(to, ctx.now))
        }
        (Some(from), None) => {
            format!(
                "{limit} after the boot: not before {} ({}); the boot was not seen",
                clock(from),
                until(from, ctx.now)
            )
        }
        _ => format!("{limit} after the boot into the new system"),
    };
    format!("{told}{off}")
}

fn switch_line(switch: &Switch, ctx: &Ctx<'_>) -> TextLine {
    let signs = ctx.theme.symbols();
    let (tone, word) = if switch.off { (Tone::Warning, "OFF") } else { (Tone::Ok, "on") };
    let sign = if switch.off { signs.warn } else { signs.ok };
    TextLine::new(tone, format!("  {sign} {word:<4}"))
        .and(Tone::Text, switch.trigger)
        .and(Tone::Dim, format!("  {}", switch.effect.words()))
        .hanging(8)
}

fn wanted(image: &ImageBased) -> Vec<TextLine> {
    if image.seed.image.is_empty() {
        return Vec::new();
    }
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let mut lines = vec![
        TextLine::default(),
        heading("Seed"),
        labelled("version", Tone::Text, &image.seed.version),
        labelled("image", Tone::Text, &image.seed.image),
    ];
    if !image.seed.pull_secret.is_empty() {
        lines.push(labelled("pull secret", Tone::Text, &image.seed.pull_secret));
    }
    lines.push(labelled("OADP content", Tone::Text, list(&image.oadp_content)));
    lines.push(labelled("manifests", Tone::Text, list(&image.extra_manifests)));
    lines
}
