//! What keeps a drain from ending, in words: short for a line, at length below it.

use crate::ui::ctx::Ctx;
use crate::ui::popups::choices::{danger_tone, danger_words};
use crate::ui::theme::Tone;
use crate::ui::words;
use crate::upgrade::assessment::{Blocker, Cause, Forecast};
use crate::upgrade::blockers;

/// The cause in the fewest words: `PDB shop/cart allows 0 of 1`.
pub fn cause_words(blocker: &Blocker) -> String {
    let namespace = &blocker.namespace;
    match &blocker.cause {
        Cause::Budget(budget) if budget.impossible => {
            format!("PDB {namespace}/{} can never allow a disruption", budget.name)
        }
        Cause::Budget(budget) => {
            format!("PDB {namespace}/{} allows {} of {}", budget.name, budget.allowed, budget.expected)
        }
        Cause::BudgetNotObserved { name } => format!("PDB {namespace}/{name} is not judged yet"),
        Cause::SeveralBudgets { names } => format!("{} PDBs select it", names.len()),
        Cause::Terminating { finalizers, .. } if !finalizers.is_empty() => "terminating, held by a finalizer".into(),
        Cause::Terminating { .. } => "terminating".into(),
        Cause::VirtualMachine { why } => format!("its virtual machine {why}"),
    }
}

/// `pod shop/cart-0: PDB shop/cart allows 0 of 1`.
pub fn short(blocker: &Blocker) -> String {
    format!("pod {}/{}: {}", blocker.namespace, blocker.pod, cause_words(blocker))
}

/// The same with the cause first: what has to be seen when the line is cut.
fn cause_first(blocker: &Blocker) -> String {
    format!("{}: pod {}/{}", cause_words(blocker), blocker.namespace, blocker.pod)
}

/// The first of several, and how many more.
pub fn several(blockers: &[Blocker]) -> String {
    match blockers {
        [] => String::new(),
        [one] => cause_first(one),
        [first, rest @ ..] => format!("{} and {} more", cause_first(first), rest.len()),
    }
}

/// The lines below a blocker: cause at length, owner, what frees it.
pub fn lines(blocker: &Blocker, ctx: &Ctx<'_>) -> Vec<(Tone, String)> {
    let mut lines = vec![(Tone::Text, blockers::words(&blocker.cause, ctx.now))];
    if let Cause::SeveralBudgets { .. } = blocker.cause {
        lines.push((Tone::Dim, "the eviction API refuses such pods whatever the budgets allow".into()));
    }
    let owner = blocker
        .owner
        .as_ref()
        .map_or_else(|| "owner: none, nothing brings the pod back".to_owned(), |owner| format!("owner: {owner}"));
    lines.push((Tone::Text, owner));
    if let Some(since) = blocker.since {
        lines.push((Tone::Dim, format!("in the way for {}", words::since(Some(since), ctx.now, false))));
    }
    for remedy in &blocker.frees {
        let (tone, letter) = match remedy.danger {
            Some(danger) => (danger_tone(danger), format!("{} ", &danger_words(danger)[..1])),
            None => (Tone::Text, String::new()),
        };
        lines.push((tone, format!("frees it: {letter}{}", remedy.words)));
        lines.extend(remedy.oc.as_ref().map(|line| (Tone::Info, format!("  {line}"))));
    }
    lines
}

/// What a drain would do besides what would hold it up; empty when nothing is remarkable.
pub fn forecast_words(forecast: &Forecast) -> Vec<String> {
    let mut lines = Vec::new();
    if !forecast.bare.is_empty() {
        lines.push(format!("nothing brings back: {}", some(&forecast.bare)));
    }
    if !forecast.empty_dir.is_empty() {
        let n = words::count(forecast.empty_dir.len(), "pod loses", "pods lose");
        lines.push(format!("{n} the content of emptyDir volumes"));
    }
    if forecast.longest_grace > 120 {
        let grace = words::duration(chrono::TimeDelta::seconds(forecast.longest_grace.min(1 << 32)));
        lines.push(format!("a pod may take {grace} to end"));
    }
    if !lines.is_empty() || !forecast.blockers.is_empty() {
        lines.insert(0, format!("its drain would evict {}", words::count(forecast.evicted, "pod", "pods")));
    }
    lines
}

fn some(names: &[String]) -> String {
    let shown = names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 3 { format!("{shown} and {} more", names.len() - 3) } else { shown }
}
