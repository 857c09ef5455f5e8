//! The one next step that can be driven from here. It is offered, never taken: it opens a plan, a list or a place.

use super::{ActionId, Ask, Session, Target, next_image_step};
use crate::upgrade::assessment::{Assessment, Pool, StepState, Subject, VerdictKind};
use crate::upgrade::link::LinkState;
use crate::upgrade::updates::gates_of;
use crate::upgrade::version::leaves_minor;

/// How many offers are tried before it is said that none can be started.
const OFFERS: usize = 4;

/// Where the step leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leads {
    /// A plan to read and confirm.
    Plan(Ask),
    /// The versions on offer.
    Versions,
    /// Something to look at: what is in the way cannot be moved by one action.
    Look(Subject),
    /// The phases, with what they were judged by.
    Phases,
}

/// The step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    /// The phase of the rail that it belongs to ([`crate::upgrade::assessment::Step::name`]).
    pub phase: &'static str,
    /// `unpause infra`.
    pub words: String,
    /// Where it leads.
    pub leads: Leads,
}

/// The next step of an image-based upgrade where one is under way, else of a standard update: acknowledge, start, free the drain, unpause the next pool, verify. None when
/// nothing is to be done but wait, or nothing can be written.
pub fn next_step(assessment: &Assessment, session: &Session) -> Option<NextStep> {
    if session.read_only.is_some() || !assessment.facts.link.state.writable() {
        return None;
    }
    if assessment.facts.link.state == LinkState::Recording {
        return None;
    }
    if next_image_step::under_way(assessment) {
        return next_image_step::step(assessment, session);
    }
    let steps = [free_the_drain, unpause, acknowledge_for_request, start, acknowledge, verify];
    steps.iter().find_map(|step| step(assessment, session))
}

/// The step that a plan is for, if the plan can be made now, as far as the catalogue says.
fn planned(
    assessment: &Assessment,
    session: &Session,
    phase: &'static str,
    words: String,
    ask: Ask,
) -> Option<NextStep> {
    let offered = (ask.action.entry().offered)(assessment, session, &ask.target)?;
    offered.refusal.is_none().then_some(NextStep { phase, words, leads: Leads::Plan(ask) })
}

/// A drain that does not end: what holds it is looked at, where each way out is offered.
fn free_the_drain(assessment: &Assessment, _: &Session) -> Option<NextStep> {
    let stuck = assessment.nodes.iter().find(|node| node.drain_trouble.is_some())?;
    let control_plane =
        stuck.pool.as_deref().and_then(|pool| assessment.pool(pool)).is_some_and(|pool| pool.control_plane);
    let phase = if control_plane { "masters" } else { "pools" };
    let leads = Leads::Look(Subject::Node(stuck.name.clone()));
    Some(NextStep { phase, words: format!("look at {}", stuck.name), leads })
}

/// The control plane is done, and a pool waits for a person.
fn unpause(assessment: &Assessment, session: &Session) -> Option<NextStep> {
    if assessment.update.in_progress {
        return None;
    }
    // One pool at a time: the next is released when the one before it is done.
    let rolling = |pool: &&Pool| !pool.paused && pool.outdated();
    if assessment.pools.iter().any(|pool| rolling(&pool)) {
        return None;
    }
    let held = assessment.pools.iter().filter(|pool| pool.paused && pool.outdated());
    let mut steps = held.filter_map(|pool| {
        let ask = Ask::new(ActionId::UnpausePool, Target::pool(&pool.name));
        planned(assessment, session, "pools", format!("unpause {}", pool.name), ask)
    });
    steps.next()
}

/// A request that was refused waits for an acknowledgement.
fn acknowledge_for_request(assessment: &Assessment, session: &Session) -> Option<NextStep> {
    let refused = assessment.update.requested.as_ref().filter(|requested| requested.refused)?;
    let present = assessment.facts.cluster_version.as_deref()?;
    leaves_minor(&present.status.desired.version, &refused.target).then_some(())?;
    acknowledge(assessment, session)
}

/// A gate holds up the next minor, and nothing else is left to be done from here.
fn acknowledge(assessment: &Assessment, session: &Session) -> Option<NextStep> {
    if assessment.update.in_progress {
        return None;
    }
    let gates = gates_of(assessment)?.into_iter();
    let mut open = gates.filter(|gate| gate.acknowledged == Some(false) && !gate.broken);
    let ask = Ask::new(ActionId::AckGate, Target::Cluster).with("key", open.next()?.key);
    planned(assessment, session, "preflight", "acknowledge the gate".to_owned(), ask)
}

/// Nothing rolls: an update can be started.
fn start(assessment: &Assessment, session: &Session) -> Option<NextStep> {
    let idle = matches!(assessment.verdict.kind, VerdictKind::NotUpdating | VerdictKind::Completed);
    // One that is not recommended is nothing to be led to.
    let offers = assessment.update.offers.iter().filter(|offer| idle && offer.risk.is_none()).take(OFFERS);
    let mut steps = offers.filter_map(|offer| {
        let ask = Ask::new(ActionId::StartUpdate, Target::Version(offer.version.clone()));
        planned(assessment, session, "requested", "start an update".to_owned(), ask)
    });
    steps.next().map(|step| NextStep { leads: Leads::Versions, ..step })
}

/// Everything is at the new version, and something still has to be looked at before it can be called done.
fn verify(assessment: &Assessment, _: &Session) -> Option<NextStep> {
    let last = assessment.rail.last().filter(|step| step.name == "verify")?;
    let open = matches!(last.state, StepState::Active | StepState::Trouble);
    open.then(|| NextStep { phase: "verify", words: "verify".to_owned(), leads: Leads::Phases })
}
