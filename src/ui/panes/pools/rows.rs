//! The texts of the tree: pools, nodes, what is below them.

use chrono::{DateTime, TimeDelta, Utc};

use super::Branch;
use crate::ui::ctx::Ctx;
use crate::ui::neutral::neutral_lines;
use crate::ui::panes::blockers::{forecast_words, several, short};
use crate::ui::panes::nodes::{held_up, says, tone};
use crate::ui::popups::estimates::left;
use crate::ui::theme::Tone;
use crate::ui::widgets::bar::bar;
use crate::ui::widgets::pen::Pen;
use crate::ui::widgets::strip::{strip, stuck};
use crate::ui::words;
use crate::upgrade::assessment::{Blocker, Node, NodePhase, Outside, Pool, Resource};
use crate::upgrade::estimate::Part;

/// `worker   ███████▒▒░░░░  4/6   1 draining  1 blocked   max 1, free 0`.
pub fn pool_line<'t>(pool: &Pool, own: &Branch, ctx: &Ctx<'t>, width: usize, name_width: usize, open: bool) -> Pen<'t> {
    let signs = ctx.theme.symbols();
    let mut pen = Pen::new(ctx.theme);
    pen.cell(Tone::Strong, &pool.name, name_width).gap(1);
    let columns = if width > 60 { 14 } else { 8 };
    bar(&mut pen, columns, pool.updated, pool.moving, pool.total);
    let done = !pool.outdated();
    let longest = ctx.assessment.pools.iter().map(|pool| 1 + 2 * digits(pool.total)).max().unwrap_or(5).max(5);
    let count = format!("{}/{}", pool.updated, pool.total);
    pen.gap(1).put(if done { Tone::Ok } else { Tone::Text }, format!("{count:>longest$}"));
    pen.gap(2);
    if pool.paused {
        let by = pool.paused_by.as_ref().map_or_else(String::new, |(who, at)| {
            let age = at.map(|at| format!(" {} ago", words::since(Some(at), ctx.now, false))).unwrap_or_default();
            format!(" by {who}{age}")
        });
        pen.put(Tone::Paused, format!("{} paused{by}", signs.paused)).gap(2);
    }
    let blocked = own.blocked;
    let draining = pool.draining.saturating_sub(blocked);
    let moving = pool.moving.saturating_sub(pool.draining);
    // A single node under way is named where it is not listed below.
    if let (1, false) = (moving, open)
        && let Some(node) = own.moves.and_then(|at| ctx.assessment.nodes.get(at as usize))
    {
        let age = words::since(node.since, ctx.now, node.since_rebuilt);
        pen.put(Tone::Active, format!("{} {} {age}", node.name, node.phase.word().to_lowercase())).gap(2);
    }
    let moving = if moving == 1 && !open { 0 } else { moving };
    let parts = [
        (pool.degraded, "degraded", Tone::Danger),
        (blocked, "blocked", Tone::Danger),
        (draining, "draining", Tone::Active),
        (moving, "moving", Tone::Active),
        (pool.waiting, if pool.paused { "held" } else { "waiting" }, Tone::Dim),
    ];
    for (n, word, tone) in parts {
        if n > 0 {
            pen.put(tone, format!("{n} {word}")).gap(2);
        }
    }
    if pool.total == 0 {
        pen.put(Tone::Dim, "no nodes");
    } else if done && pool.moving == 0 {
        pen.put(Tone::Ok, format!("{} done", signs.ok)).gap(2);
    }
    let part = Part::Pool(pool.name.clone());
    let estimate = ctx.assessment.estimates.parts.iter().find(|estimate| estimate.part == part);
    if let Some(estimate) = estimate.filter(|_| pool.outdated() && !pool.paused && !ctx.assessment.estimates.before) {
        let text = left(estimate);
        if pen.width() + words::width(&text) + 2 <= width {
            pen.put(Tone::Text, text).gap(2);
        }
    }
    if pool.outdated() || pool.unavailable > 0 {
        let capacity = &pool.capacity;
        let all = format!("max {}, free {}", capacity.max_unavailable_spec, capacity.free);
        let least = format!("free {}", capacity.free);
        let fits = |text: &String| pen.width() + words::width(text) <= width;
        if let Some(text) = [all, least].into_iter().find(fits) {
            pen.put(Tone::Dim, text);
        }
    }
    pen
}

/// `maxUnavailable 10% = 3, less 2 unavailable, less 1 failing: 0 free`, and which nodes count twice: the controller takes
/// a node that is unavailable and fails off both times (mco: pkg/controller/node/node_controller.go,
/// `getAllCandidateMachines`).
pub fn capacity_words(pool: &Pool, ctx: &Ctx<'_>) -> String {
    let capacity = &pool.capacity;
    let spec = &capacity.max_unavailable_spec;
    let mut text = format!("maxUnavailable {spec}");
    if *spec != capacity.max_unavailable.to_string() {
        text.push_str(&format!(" = {}", capacity.max_unavailable));
    }
    text.push_str(&format!(", less {} unavailable", capacity.unavailable));
    if capacity.failing > 0 {
        text.push_str(&format!(", less {} failing", capacity.failing));
    }
    text.push_str(&format!(": {} free", capacity.free));
    if capacity.failing > 0 {
        let twice: Vec<&str> = ctx
            .assessment
            .nodes_of(&pool.name)
            .filter(|node| node.phase == NodePhase::Degraded && node.unavailable)
            .map(|node| node.name.as_str())
            .collect();
        match twice.as_slice() {
            [] => {}
            [one] => text.push_str(&format!("; {one} counts twice, as unavailable and as failing")),
            [one, rest @ ..] => {
                text.push_str(&format!("; {one} and {} more count twice, as unavailable and as failing", rest.len()));
            }
        }
    }
    text
}

/// A text in at most so many lines; the last one is cut where there would be more.
fn clipped(text: &str, columns: usize, most: usize) -> Vec<String> {
    let mut lines = words::wrap(text, columns, 2);
    if lines.len() > most {
        let rest = lines.split_off(most).concat();
        if let Some(last) = lines.last_mut() {
            last.push_str(&rest);
        }
    }
    lines
}

fn digits(n: usize) -> usize {
    n.checked_ilog10().unwrap_or(0) as usize + 1
}

/// `next: worker-5, then worker-6`, or why none; nodes whose drain would be held up are marked, the first with why.
pub fn next_words(pool: &Pool, ctx: &Ctx<'_>) -> Option<String> {
    let capacity = &pool.capacity;
    if !pool.outdated() {
        return None;
    }
    let sign = ctx.theme.symbols().warn;
    let held = |name: &String| {
        let forecast = ctx.assessment.node(name).and_then(|node| node.forecast.clone());
        forecast.filter(|forecast| !forecast.blockers.is_empty())
    };
    let marked = |name: &String| if held(name).is_some() { format!("{name} {sign}") } else { name.clone() };
    // Nothing is imminent while there is no room: what stands before the names says so.
    let lead = match (capacity.free, capacity.busy.as_slice()) {
        (0, []) if !capacity.why_none.is_empty() => format!("{}; in line: ", capacity.why_none),
        (0, [one]) => format!("after {one}: "),
        (0, [first, rest @ ..]) => format!("after {first} or {} more: ", rest.len()),
        (0, []) => "in line: ".to_owned(),
        _ => "next: ".to_owned(),
    };
    let text = match capacity.next.as_slice() {
        [] if capacity.why_none.is_empty() => return None,
        [] => return Some(format!("next: none, {}", capacity.why_none)),
        [first] => format!("{lead}{}", marked(first)),
        // Of several masters the one that runs the operator's own pod comes last (`DeferringOperatorNodeUpdate` in the
        // machine-config controller).
        [first, second, rest @ ..] if pool.name == "master" => {
            let rest: Vec<String> = rest.iter().map(marked).collect();
            let then = if rest.is_empty() { String::new() } else { format!(", then {}", rest.join(", ")) };
            format!("{lead}{} or {}{then}", marked(first), marked(second))
        }
        [first, rest @ ..] => {
            let more = rest.len().saturating_sub(2);
            let then = rest.iter().take(2).map(marked).collect::<Vec<_>>().join(", ");
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{lead}{}, then {then}{more}", marked(first))
        }
    };
    let why = capacity.next.iter().take(3).find_map(|name| held(name).map(|forecast| (name, forecast)));
    Some(match why {
        Some((name, forecast)) => format!("{text}   {sign} {name} would wait for {}", several(&forecast.blockers)),
        None => text,
    })
}

/// `worker-3   ■■▣□□□□  Draining  14m   ✖ PDB shop/cart`.
pub fn node_line<'t>(node: &Node, ctx: &Ctx<'t>, width: usize, name_width: usize) -> Pen<'t> {
    let mut pen = Pen::new(ctx.theme);
    pen.cell(if stuck(node) { Tone::Danger } else { Tone::Text }, &node.name, name_width).gap(2);
    pen.put(tone(node), strip(node, ctx.theme.symbols())).gap(2);
    pen.cell(tone(node), node.phase.word(), 11).gap(1);
    let age = if matches!(node.phase, NodePhase::Done | NodePhase::Waiting | NodePhase::Unmanaged) {
        String::new()
    } else {
        words::since(node.since, ctx.now, node.since_rebuilt)
    };
    pen.cell(Tone::Dim, age, 7).gap(1);
    if stuck(node) {
        pen.rest(Tone::Danger, format!("{} {}", ctx.theme.symbols().fail, says(node)), width);
    } else if !node.ready && node.phase != NodePhase::Rebooting {
        pen.rest(Tone::Warning, "not ready", width);
    } else if held_up(node).is_some() {
        pen.rest(Tone::Warning, format!("{} {}", ctx.theme.symbols().warn, says(node)), width);
    } else {
        pen.rest(if node.blockers.is_empty() { Tone::Dim } else { Tone::Warning }, says(node), width);
    }
    pen
}

/// A line below a node, and what is below that.
#[derive(Debug, Clone)]
pub struct Told {
    /// Meaning.
    pub tone: Tone,
    /// Text.
    pub text: String,
    /// What explains it.
    pub below: Vec<(Tone, String)>,
    /// The pod that it is about.
    pub pod: Option<Resource>,
}

/// Is there anything below a node? As [`told`] says it, without saying it.
pub fn has_more(node: &Node) -> bool {
    node.drain_trouble.is_some()
        || !node.blockers.is_empty()
        || node.forecast.as_ref().is_some_and(|forecast| !forecast_words(forecast).is_empty())
        || node.outside.is_some()
        || node.message.lines().any(|line| !line.trim().is_empty())
        || node.cordon.as_ref().is_some_and(|cordon| !(cordon.by_mco && node.phase.moving()))
}

/// Why a node is where it is: lines below it, what holds its drain up first; each wrapped to `room` columns and cut
/// after `most` lines.
pub fn told(node: &Node, ctx: &Ctx<'_>, room: usize, most: usize) -> Vec<Told> {
    let mut lines = Vec::new();
    let blockers = |blockers: &[Blocker], tone: Tone, lines: &mut Vec<Told>| {
        for blocker in blockers.iter().take(12) {
            let below = crate::ui::panes::blockers::lines(blocker, ctx);
            let pod = Some(Resource::pod(&blocker.namespace, &blocker.pod));
            lines.push(Told { tone, text: short(blocker), below, pod });
        }
        if blockers.len() > 12 {
            lines.push(Told {
                tone,
                text: format!("and {} more pods", blockers.len() - 12),
                below: Vec::new(),
                pod: None,
            });
        }
    };
    blockers(&node.blockers, Tone::Danger, &mut lines);
    let mut say = |tone: Tone, text: &str| {
        for line in neutral_lines(text).into_iter().filter(|line| !line.trim().is_empty()) {
            let wrapped = clipped(&line, room, most).into_iter();
            lines.extend(wrapped.map(|text| Told { tone, text, below: Vec::new(), pod: None }));
        }
    };
    if let Some(trouble) = &node.drain_trouble {
        let since = words::since(trouble.since, ctx.now, false);
        // The age of the phase stands beside it already; what starts a drain is not all at the same second.
        let apart = |(drain, phase): (DateTime<Utc>, DateTime<Utc>)| (drain - phase).abs() > TimeDelta::seconds(10);
        if !since.is_empty() && trouble.since.zip(node.since).is_none_or(apart) {
            say(Tone::Text, &format!("drain runs for {since}"));
        }
        // What the error says is told better by the pods themselves, where they are known.
        if node.blockers.is_empty() {
            trouble.pods.iter().take(6).for_each(|pod| say(Tone::Text, &format!("pod {pod}")));
            say(Tone::Text, &trouble.error);
        }
    }
    say(Tone::Text, &node.message);
    // The operator's own cordon belongs to its work and needs no words while that goes on.
    if let Some(cordon) = node.cordon.as_ref().filter(|cordon| !(cordon.by_mco && node.phase.moving())) {
        let by = cordon.manager.as_deref().unwrap_or("an unknown manager");
        let since = words::since(cordon.since, ctx.now, false);
        let whose = if cordon.by_mco { "by the machine-config operator".to_owned() } else { format!("by {by}") };
        let since = if since.is_empty() { since } else { format!(", {since} ago") };
        say(Tone::Text, &format!("cordoned {whose}{since}"));
    }
    match node.outside {
        Some(Outside::Rhel) => say(Tone::Text, "runs RHEL: its operating system is updated outside of the cluster"),
        Some(Outside::OverriddenImage) => {
            say(Tone::Text, "a MachineConfig names its operating system image: it does not follow the release");
        }
        None => {}
    }
    if let Some(forecast) = &node.forecast {
        for text in forecast_words(forecast) {
            say(Tone::Dim, &text);
        }
        blockers(&forecast.blockers, Tone::Warning, &mut lines);
    }
    lines
}
