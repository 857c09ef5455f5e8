//! The one next step that can be driven from here.

use crate::actions::{self, ActionId, Target};
use crate::ui::ctx::Ctx;
use crate::upgrade::assessment::{Subject, VerdictKind};

/// Where the step leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leads {
    /// A plan to read and confirm.
    Plan(ActionId, Target),
    /// The versions on offer.
    Versions,
    /// Something to look at: what is in the way cannot be moved from here.
    Look(Subject),
}

/// The step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    /// `unpause infra`.
    pub words: String,
    /// Where it leads.
    pub leads: Leads,
}

/// Can the action be done now, as far as the catalogue says?
fn possible(ctx: &Ctx<'_>, action: ActionId, target: &Target) -> bool {
    let offered = actions::offered(ctx.assessment, ctx.session, target);
    offered.iter().any(|offered| offered.action == action && offered.refusal.is_none())
}

/// What to do next: a blocked drain is looked at, a pool that waits is unpaused, an idle cluster is updated.
pub fn next_step(ctx: &Ctx<'_>) -> Option<NextStep> {
    if ctx.session.read_only.is_some() || !ctx.assessment.facts.link.state.writable() {
        return None;
    }
    let assessment = ctx.assessment;
    let stuck = assessment.nodes.iter().find(|node| node.drain_trouble.is_some());
    if let Some(node) = stuck {
        let words = format!("look at {}", node.name);
        return Some(NextStep { words, leads: Leads::Look(Subject::Node(node.name.clone())) });
    }
    let control_plane_done = !assessment.update.in_progress;
    let held = assessment.pools.iter().find(|pool| pool.paused && pool.outdated());
    if let Some(pool) = held.filter(|_| control_plane_done) {
        let target = Target::pool(&pool.name);
        if possible(ctx, ActionId::UnpausePool, &target) {
            let words = format!("unpause {}", pool.name);
            return Some(NextStep { words, leads: Leads::Plan(ActionId::UnpausePool, target) });
        }
    }
    let idle = matches!(assessment.verdict.kind, VerdictKind::NotUpdating | VerdictKind::Completed);
    let versions = assessment.update.offers.iter().map(|offer| Target::Version(offer.version.clone()));
    let startable = idle && versions.take(4).any(|target| possible(ctx, ActionId::StartUpdate, &target));
    startable.then(|| NextStep { words: "start an update".into(), leads: Leads::Versions })
}
