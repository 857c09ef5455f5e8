//! The header: where we are, where the update stands, the worst thing and the key that opens it; and the phase rail.

use chrono::TimeDelta;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::ctx::Ctx;
use super::panes::image_based::outage_words;
use super::popups::estimates::{at_rest, range};
use super::theme::Tone;
use super::widgets::bar::bar;
use super::widgets::pen::Pen;
use super::words;
use crate::actions;
use crate::actions::next_step::NextStep;
use crate::input::{Command, Tab};
use crate::upgrade::assessment::{Finding, StepState, VerdictKind, age};
use crate::upgrade::facts::{Kind, KindStatus};
use crate::upgrade::image_based::ImageBased;
use crate::upgrade::link::{Link, LinkState, TroubleKind};

/// Draws the three lines.
pub fn draw(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, next: Option<&NextStep>) {
    let line = |row: u16| Rect { y: area.y + row, height: 1, ..area };
    draw_where(buffer, line(0), ctx);
    draw_verdict(buffer, line(1), ctx);
    draw_worst(buffer, line(2), ctx, next);
}

/// One line for those who hid the header: the verdict is never hidden.
pub fn draw_short(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
    let right = link_pen(ctx, false);
    let width = area.width.saturating_sub(right.width() as u16 + 1);
    draw_verdict(buffer, Rect { width, ..area }, ctx);
    draw_right(buffer, area, &right);
}

fn draw_right(buffer: &mut Buffer, area: Rect, pen: &Pen<'_>) {
    let width = (pen.width() as u16).min(area.width);
    pen.draw(buffer, Rect { x: area.right() - width, width, ..area });
}

/// `prod-eu1 · admin · RW      ● live 0.4s · 6 kinds      03:12:44Z  @kubeconfig`.
fn draw_where(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
    let signs = ctx.theme.symbols();
    let dot = format!(" {} ", signs.dot);
    let mut right = Pen::new(ctx.theme);
    right.put(Tone::Text, ctx.now.format("%H:%M:%SZ").to_string());
    if area.width >= 110 && !ctx.connection.source.is_empty() {
        right.gap(2).put(Tone::Dim, format!("@{}", shortened(&ctx.connection.source)));
    }
    right.gap(1);
    draw_right(buffer, area, &right);

    let link = link_pen(ctx, area.width >= 100);
    let room = usize::from(area.width).saturating_sub(right.width() + link.width() + 4);
    let mut left = Pen::new(ctx.theme);
    let production = if ctx.connection.production { Tone::Production } else { Tone::Strong };
    left.gap(1);
    let name = if ctx.connection.context.is_empty() { &ctx.connection.cluster } else { &ctx.connection.context };
    left.rest(production, name, room.saturating_sub(5));
    let user = &ctx.connection.user;
    if !user.is_empty() && left.width() + words::width(user) + 12 < room {
        left.put(Tone::Dim, &dot).put(Tone::Text, user);
    }
    let mode =
        if ctx.session.read_only.is_some() || may_only_look(ctx) { (Tone::Info, "RO") } else { (Tone::Text, "RW") };
    left.put(Tone::Dim, &dot).put(mode.0, mode.1);
    left.draw(buffer, area);

    let wanted = area.x + (area.width / 2).saturating_sub(link.width() as u16 / 2);
    let x = wanted.max(area.x + left.width() as u16 + 2);
    let end = area.right().saturating_sub(right.width() as u16 + 1);
    if x < end {
        link.draw(buffer, Rect { x, width: end - x, ..area });
    }
}

/// Does the server say of every write that this program knows that the user may not?
fn may_only_look(ctx: &Ctx<'_>) -> bool {
    let access = &ctx.assessment.facts.access;
    let permissions = actions::permissions();
    access.refuses_all(permissions.iter().filter(|permission| permission.writes()))
}

/// The last part of a path.
fn shortened(source: &str) -> &str {
    source.rsplit('/').next().unwrap_or(source)
}

/// `live 0.4s · 6 kinds`, or what it is instead.
fn link_pen<'t>(ctx: &Ctx<'t>, roomy: bool) -> Pen<'t> {
    let signs = ctx.theme.symbols();
    let facts = &ctx.assessment.facts;
    let mut pen = Pen::new(ctx.theme);
    let ago = |at| words::duration(age(at, ctx.now));
    match facts.link.state {
        LinkState::Live => {
            let heard = facts.link.heard.map(|at| age(at, ctx.now)).unwrap_or_default();
            pen.put(Tone::Ok, format!("{} live {}", signs.live, tenths(heard)));
            let live = Kind::CORE.iter().filter(|kind| *facts.status(**kind) == KindStatus::Live).count();
            let served = Kind::CORE.iter().filter(|kind| *facts.status(**kind) != KindStatus::Absent).count();
            if live < served {
                pen.put(Tone::Warning, format!(" {} {live} of {served} kinds", signs.dot));
            } else if roomy {
                pen.put(Tone::Dim, format!(" {} {}", signs.dot, words::count(live, "kind", "kinds")));
            }
        }
        LinkState::Connecting { since } => {
            pen.put(Tone::Warning, format!("{} connecting {}", signs.todo, ago(since)));
        }
        LinkState::Stale { since } => {
            pen.put(silent_tone(&facts.link), format!(" {} STALE {} ", signs.dead, ago(since)));
        }
        LinkState::Reconnecting { since, attempts } => {
            pen.put(silent_tone(&facts.link), format!(" {} STALE {} ", signs.dead, ago(since)));
            if roomy {
                pen.put(Tone::Warning, format!(" reconnecting, try {attempts}"));
            }
        }
        LinkState::Verifying { since } => {
            pen.put(Tone::Warning, format!("{} back, verifying (stale {})", signs.active, ago(since)));
        }
        LinkState::Recording => {
            pen.put(Tone::Info, format!("{} recording of {}", signs.todo, ctx.now.format("%Y-%m-%d")));
        }
    }
    pen
}

/// An outage that was to be expected is no alarm.
fn silent_tone(link: &Link) -> Tone {
    if link.expected_outage.is_some() { Tone::Warning } else { Tone::Critical }
}

/// Seconds with a tenth.
fn tenths(span: TimeDelta) -> String {
    let millis = span.num_milliseconds().max(0);
    if millis < 10_000 { format!("{}.{}s", millis / 1000, millis / 100 % 10) } else { words::duration(span) }
}

/// `4.18.22 -> 4.19.3`, as far as known.
fn versions(ctx: &Ctx<'_>) -> String {
    let update = &ctx.assessment.update;
    let to = update.to.as_deref().unwrap_or("version unknown");
    let arrow = ctx.theme.symbols().arrow;
    if let Some(image) = ctx.assessment.image_based.as_deref().filter(|image| image.under_way()) {
        return match (&image.from, image.seed.version.as_str(), image.goes_forward()) {
            (Some(from), seed, true) if !seed.is_empty() => format!("{from} {arrow} {seed}"),
            _ => to.to_owned(),
        };
    }
    // What is done and what is only asked for are told apart: nothing goes from the release before to the present one.
    let asked_for = update.requested.is_some() && !update.in_progress && ctx.assessment.progress.is_none();
    match (&update.from, (moving(ctx) || update.in_progress) && !asked_for) {
        (Some(from), true) => format!("{from} {arrow} {to}"),
        _ => match &update.requested {
            Some(requested) => format!("{to} {arrow} {}?", requested.target),
            None => to.to_owned(),
        },
    }
}

fn moving(ctx: &Ctx<'_>) -> bool {
    !matches!(
        ctx.assessment.verdict.kind,
        VerdictKind::Unknown | VerdictKind::NotUpdating | VerdictKind::Requested | VerdictKind::ConfigRollout
    )
}

/// What the second line must say whatever else fits: verdict, progress, elapsed. Gives the columns of the verdict too.
/// That the control plane was done some time ago gives way to the versions, which take `versions` columns.
fn essence<'t>(ctx: &Ctx<'t>, width: usize, versions: usize) -> (Pen<'t>, usize) {
    let a = ctx.assessment;
    let mut pen = Pen::new(ctx.theme);
    let stale = a.facts.link.state.stale();
    pen.put(if stale { Tone::Warning } else { a.verdict.kind.into() }, format!(" {} ", a.headline().to_uppercase()));
    let badge = pen.width();
    if let (true, Some(since)) = (stale, a.facts.link.state.since()) {
        pen.put(Tone::Warning, format!(" as of {}", words::clock(since, ctx.now)));
    }
    pen.gap(2);
    if let Some(progress) = a.progress {
        // Beside the bar stand the percentage and the time that the update has run for.
        let columns = if width >= 110 && versions + pen.width() + 24 + 18 <= width { 24 } else { 12 };
        // The bar gives way to the version that it goes to.
        let beside = versions + pen.width() + times(ctx).last().map_or(0, |text| words::width(text)) + 10;
        let columns = columns.min(width.saturating_sub(beside)).max(4);
        bar(&mut pen, columns, usize::from(progress), 0, 100);
        pen.put(Tone::Strong, format!(" {progress:>3}%")).gap(2);
    }
    let room = width.saturating_sub(pen.width() + versions + 3);
    let fitting = times(ctx).into_iter().find(|text| words::width(text) <= room);
    // How long it still takes was said of a picture that is over: that gives way.
    let needed = a.update.completed.is_none() && !stale;
    if let Some(text) = fitting.or_else(|| times(ctx).pop().filter(|_| needed)) {
        pen.put(Tone::Text, text);
    }
    (pen, badge)
}

/// How long it has been going on and how long it still takes, from the fullest words to the shortest.
fn times(ctx: &Ctx<'_>) -> Vec<String> {
    let a = ctx.assessment;
    let (left, short) = remaining(ctx).unzip();
    let mut past = Vec::new();
    match (a.update.started.filter(|_| a.update.in_progress || a.progress.is_some()), a.update.completed) {
        (Some(started), None) => past.push(words::duration(age(started, ctx.now))),
        // The last standard update is not what an image-based one is about.
        (_, Some(_)) if a.image_based.as_deref().is_some_and(ImageBased::under_way) => {}
        (_, Some(completed)) if !a.update.in_progress => {
            // The cluster-version operator is done before the pools are.
            let what = if a.progress.is_some() { "control plane done" } else { "completed" };
            let ago = words::duration(age(completed, ctx.now));
            past = vec![format!("{what} {ago} ago"), format!("done {ago} ago")];
        }
        _ => {}
    }
    match left {
        Some(left) => {
            past.first().map(|past| format!("{past}, {left}")).into_iter().chain([left]).chain(short).collect()
        }
        None => past,
    }
}

/// `38-55m left`, at length and in short; `+ blocked` (in short a `+`) when work that does not go on by itself is not
/// counted in it. None while nothing rolls.
fn remaining(ctx: &Ctx<'_>) -> Option<(String, String)> {
    let estimates = &ctx.assessment.estimates;
    let whole = estimates.whole.as_ref().filter(|_| !estimates.before && ctx.assessment.progress.is_some())?;
    if at_rest(whole) {
        return Some(("at rest, blocked".into(), "at rest".into()));
    }
    let (beyond, sign) = if whole.left_out.is_empty() { ("", "") } else { (" + blocked", "+") };
    let range = range(&whole.remaining);
    Some((format!("{range} left{beyond}"), format!("{range}{sign} left")))
}

/// Versions, channel, verdict, progress, elapsed; the reason where there is room.
fn draw_verdict(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
    let a = ctx.assessment;
    let width = usize::from(area.width);
    let versions = versions(ctx);
    let (essence, badge_width) = essence(ctx, width, words::width(&versions));
    let mut pen = Pen::new(ctx.theme);
    // Long names of nightly builds give way to the verdict, and to the gap before it.
    pen.gap(1).rest(Tone::Strong, versions, width.saturating_sub(essence.width() + 2).max(12));
    if let Some(channel) = a.update.channel.as_ref()
        && pen.width() + words::width(channel) + essence.width() + 6 < width
    {
        pen.gap(2).put(Tone::Dim, channel);
    }
    pen.gap(2);
    let badge = pen.width() as u16;
    pen.append(essence);
    if a.update.multi_arch {
        pen.gap(2).put(Tone::Dim, "to multi-architecture");
    }
    if a.update.installing && width >= 90 {
        pen.gap(2).put(Tone::Dim, "installation");
    }
    if pen.width() + 20 < width && !a.verdict.why.is_empty() {
        pen.gap(3).rest(Tone::Dim, &a.verdict.why, width.saturating_sub(1));
    }
    pen.draw(buffer, area);
    if badge < area.width {
        let width = (badge_width as u16).min(area.width - badge);
        let place = Rect { x: area.x + badge, width, height: 1, ..area };
        // Critical is drawn on a ground of its own already.
        let critical = a.verdict.kind == VerdictKind::Failing && !a.facts.link.state.stale();
        let emphasis = if critical { Modifier::BOLD } else { Modifier::REVERSED | Modifier::BOLD };
        buffer.set_style(place, Style::new().add_modifier(emphasis));
    }
}

/// The finding that the third line shows: the first that is not expected, else the first.
fn worst<'a>(ctx: &'a Ctx<'_>) -> Option<&'a Finding> {
    let findings = &ctx.assessment.findings;
    findings.iter().find(|finding| !finding.expected).or(findings.first())
}

/// The other findings.
pub fn others<'a>(ctx: &'a Ctx<'_>) -> impl Iterator<Item = &'a Finding> {
    let worst = worst(ctx);
    ctx.assessment.findings.iter().filter(move |finding| worst.is_none_or(|worst| !std::ptr::eq(*finding, worst)))
}

/// The reboot of an image-based upgrade: what happens, and its countdown first, since nobody can do anything but wait.
fn pivot_words(link: &Link, ctx: &Ctx<'_>) -> Option<String> {
    let outage = ctx.assessment.image_based.as_deref()?.outage.as_ref().filter(|_| link.state.stale())?;
    let since = link.state.since()?;
    let head = if outage.expected() { "expected" } else { "perhaps" };
    let back = match link.state {
        LinkState::Verifying { .. } => "it answers again, and is being recognised".to_owned(),
        _ => outage_words(outage, ctx.now),
    };
    let clock = words::clock(since, ctx.now);
    let trouble = link.trouble.as_ref().map(|trouble| format!("; {}", trouble.words)).unwrap_or_default();
    Some(format!("{head}: {}; {back}; silent since {clock}, writes are off{trouble}", outage.what))
}

/// What is to be said of a link that is not live.
fn stale_words(link: &Link, ctx: &Ctx<'_>) -> Option<String> {
    let since = link.state.since()?;
    let connecting = matches!(link.state, LinkState::Connecting { .. });
    if let Some(trouble) = link.trouble.as_ref().filter(|trouble| trouble.kind == TroubleKind::Unauthorized)
        && link.state.stale()
    {
        return Some(format!(
            "the API server is back, and does not take the credentials (401): {}; stale since {}, writes are off",
            trouble.hint,
            words::clock(since, ctx.now)
        ));
    }
    if let Some(text) = pivot_words(link, ctx) {
        return Some(text);
    }
    let mut text = match link.state {
        LinkState::Connecting { .. } if ctx.connection.server.is_empty() => "not connected".to_owned(),
        LinkState::Connecting { .. } => format!("connecting to {}", ctx.connection.server),
        _ => format!("stale since {}, {}", words::clock(since, ctx.now), words::duration(age(since, ctx.now))),
    };
    if let Some(why) = &link.expected_outage {
        text.push_str(&format!("; expected: {why}"));
    }
    if let Some(trouble) = &link.trouble {
        text.push_str(&format!("; {}", trouble.words));
        if !trouble.hint.is_empty() {
            text.push_str(&format!(": {}", trouble.hint));
        }
    }
    if !connecting {
        text.push_str("; writes are off");
    }
    Some(text)
}

/// The worst finding and the key that opens it; when the link is down, that. The one next step with its key.
fn draw_worst(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, next: Option<&NextStep>) {
    let signs = ctx.theme.symbols();
    let facts = &ctx.assessment.facts;
    let mut right = Pen::new(ctx.theme);
    let mut pen = Pen::new(ctx.theme);
    pen.gap(1);
    if let Some(text) = stale_words(&facts.link, ctx) {
        let tone = if facts.link.expected_outage.is_some() { Tone::Warning } else { Tone::Danger };
        pen.put(tone, format!("{} {text}", signs.dead));
        pen.draw(buffer, area);
        return;
    }
    if let Some(finding) = worst(ctx) {
        right.put(Tone::Key, ctx.key_of(Command::Go(Tab::Findings))).put(Tone::Dim, " why ");
        if let Some(next) = next {
            right.put(Tone::Dim, format!("{} ", signs.dot));
            right.put(Tone::Key, ctx.key_of(Command::NextStep)).put(Tone::Dim, format!(" {} ", next.words));
        }
        let room = usize::from(area.width).saturating_sub(right.width() + 1);
        let since = words::since(finding.since, ctx.now, false);
        let since = if since.is_empty() { since } else { format!(" ({since})") };
        let expected = if finding.expected { ", expected now" } else { "" };
        let tone = if finding.expected { Tone::Dim } else { finding.level.into() };
        pen.rest(tone, format!("{} {}{expected}{since}", signs.level(finding.level), finding.title), room);
    } else if facts.complete() {
        if let Some(next) = next {
            right.put(Tone::Key, ctx.key_of(Command::NextStep)).put(Tone::Dim, format!(" {} ", next.words));
        }
        pen.put(Tone::Ok, format!("{} nothing to report", signs.ok)).gap(2);
        let room = usize::from(area.width).saturating_sub(right.width() + 2);
        pen.rest(Tone::Dim, &ctx.assessment.verdict.why, room);
    } else {
        let waiting = Kind::CORE.iter().filter(|kind| *facts.status(**kind) == KindStatus::Waiting);
        let names = waiting.map(|kind| kind.plural()).collect::<Vec<_>>().join(", ");
        pen.put(Tone::Dim, format!("reading {names} ..."));
    }
    pen.draw(buffer, area);
    draw_right(buffer, area, &right);
}

/// Where in the procedure we are. The next step stands above it, at the end of the header.
pub fn draw_rail(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
    // Where it is narrow, counts are told of what is under way.
    let quiet = |state| matches!(state, StepState::Done | StepState::Todo);
    let signs = ctx.theme.symbols();
    let mut pen = Pen::new(ctx.theme);
    let rail = &ctx.assessment.rail;
    let wide = |short: bool| -> usize {
        let step = |step: &crate::upgrade::assessment::Step| {
            let detail = if short && quiet(step.state) { 0 } else { step.detail.len() + 1 };
            let joint = match (step.beside, short) {
                (true, _) => 3,
                (false, true) => 1,
                (false, false) => 4,
            };
            step.name.len() + detail + 2 + joint
        };
        rail.iter().map(step).sum::<usize>() + 1
    };
    let short = wide(false) > usize::from(area.width);
    // Where even that is too wide, the first steps that are done are told by their signs alone.
    let mut over = if short { wide(true).saturating_sub(usize::from(area.width)) } else { 0 };
    for (at, step) in rail.iter().enumerate() {
        let joint = match (at, step.beside) {
            (0, _) => " ".to_owned(),
            (_, true) => format!(" {} ", signs.beside),
            (_, false) if short => " ".to_owned(),
            (_, false) => format!(" {} ", signs.rail),
        };
        pen.put(Tone::Dim, joint);
        let tone: Tone = step.state.into();
        let detail = if step.detail.is_empty() || (short && quiet(step.state)) {
            String::new()
        } else {
            format!(" {}", step.detail)
        };
        if over > 0 && step.state == StepState::Done {
            over = over.saturating_sub(step.name.len() + 1);
            pen.put(tone, signs.step(step.state));
            continue;
        }
        pen.put(tone, format!("{} {}{detail}", signs.step(step.state), step.name));
    }
    if rail.is_empty() && ctx.assessment.verdict.kind != VerdictKind::Unknown {
        pen.gap(1).put(Tone::Dim, "idle");
        if !ctx.assessment.update.offers.is_empty() {
            let n = ctx.assessment.update.offers.len();
            pen.put(Tone::Dim, format!(": {} on offer", words::count(n, "update", "updates")));
        }
    }
    pen.draw(buffer, area);
}

/// What a screen that is too small for anything else says.
pub fn essentials(ctx: &Ctx<'_>) -> Vec<(Tone, String)> {
    let a = ctx.assessment;
    let signs = ctx.theme.symbols();
    let progress = a.progress.map(|progress| format!(" {progress}%")).unwrap_or_default();
    let mut lines = vec![
        (a.verdict.kind.into(), format!("{}{progress}", a.headline().to_uppercase())),
        (Tone::Text, versions(ctx)),
    ];
    if let Some(text) = stale_words(&a.facts.link, ctx) {
        lines.insert(0, (Tone::Danger, text));
    }
    if let Some(finding) = worst(ctx) {
        lines.push((finding.level.into(), format!("{} {}", signs.level(finding.level), finding.title)));
    }
    lines
}
