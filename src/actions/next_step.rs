//! The one next step that can be driven from here. It is offered, never taken: it opens a plan, a list or a place.

use super::remedy::covered;
use super::{ActionId, Ask, FIELD_MANAGER, Session, Target, next_image_step};
use crate::api::{ClusterVersion, MachineHealthCheck};
use crate::upgrade::assessment::{Assessment, Impact, Level, Node, Pool, Resource, StepState, Subject, VerdictKind};
use crate::upgrade::link::LinkState;
use crate::upgrade::updates::gates_of;
use crate::upgrade::version::{below_extended, channel_minor, leaves_minor, minor_parts};

/// How many offers are tried before it is said that none can be started.
const OFFERS: usize = 4;

/// How much of a name is shown: node names of clouds are long, and the header is not.
const NAME: usize = 24;

/// The key that opens it, where no other one is configured.
pub const KEY: &str = "n";

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

/// The next step of an image-based upgrade where one is under way, else of a standard update: acknowledge, start, free
/// the drain, settle what one action settles (certificates, health checks ...), unpause the next pool, resume health checks,
/// verify, look at what stalls. None when nothing is to be done but wait, or nothing can be written.
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
    // Between two releases with extended support the pools that are held stay held: their nodes reboot once, at the end.
    let steps: &[Step] = if between_extended(assessment) {
        &[free_the_drain, settle, acknowledge_for_request, acknowledge, start, unpause, verify, look_at_what_stalls]
    } else {
        &[
            free_the_drain,
            settle,
            unpause,
            acknowledge_for_request,
            resume_health_checks,
            verify,
            acknowledge_for_channel,
            start,
            acknowledge,
            look_at_what_stalls,
        ]
    };
    steps.iter().find_map(|step| step(assessment, session))
}

/// What looks for one kind of step.
type Step = fn(&Assessment, &Session) -> Option<NextStep>;

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

/// A drain that does not end: the one action that helps, or else a look at what holds it, where each way out is told.
fn free_the_drain(assessment: &Assessment, session: &Session) -> Option<NextStep> {
    let stuck = assessment.nodes.iter().find(|node| node.drain_trouble.is_some())?;
    let phase = phase_of(stuck.pool.as_deref(), assessment);
    let plan = only_way_out(stuck).and_then(|(pod, ask)| {
        let words = format!("delete pod {}", shortened(pod));
        planned(assessment, session, phase, words, ask)
    });
    plan.or_else(|| {
        let leads = Leads::Look(Subject::Node(stuck.name.clone()));
        Some(NextStep { phase, words: format!("look at {}", shortened(&stuck.name)), leads })
    })
}

/// What is in the way of an update and is settled by one action: the finding, its phase, the words.
const SETTLED: &[(&str, &str, &str)] = &[
    ("csr-pending", "pools", "approve certificates"),
    ("signature-missing", "accepted", "apply the signature"),
    ("packageserver-stuck", "operators", "free packageserver"),
    ("health-check-active", "pools", "pause health checks"),
];

/// The action that a finding of [`SETTLED`] advises.
fn settle(assessment: &Assessment, session: &Session) -> Option<NextStep> {
    SETTLED.iter().find_map(|&(id, phase, words)| {
        let finding = assessment.findings.iter().find(|finding| finding.id == id && !finding.expected)?;
        let mut ask = finding.remedies.iter().find_map(|remedy| covered(remedy, assessment))?;
        if ask.action == ActionId::PauseMhc {
            // The guides pause all of them.
            ask.target = Target::Cluster;
        }
        planned(assessment, session, phase, words.to_owned(), ask)
    })
}

/// Something does not go on by itself, and no one action settles it: a look at what it is, where each way out is told.
fn look_at_what_stalls(assessment: &Assessment, _: &Session) -> Option<NextStep> {
    let finding = assessment.findings.iter().find(|finding| {
        !finding.expected
            && finding.because.is_none()
            && finding.level == Level::Error
            && finding.impact == Impact::UpdateStalled
    })?;
    let look = |phase, name: &str| {
        let leads = Leads::Look(finding.subject.clone());
        Some(NextStep { phase, words: format!("look at {}", shortened(name)), leads })
    };
    match &finding.subject {
        Subject::Node(name) => look(phase_of(assessment.node(name)?.pool.as_deref(), assessment), name),
        Subject::Pool(name) => look(phase_of(Some(name), assessment), name),
        Subject::Operator(name) => look("operators", name),
        Subject::Version | Subject::Link | Subject::Object(_) => {
            let at = |state| assessment.rail.iter().find(|step| step.state == state);
            let phase = at(StepState::Trouble).or_else(|| at(StepState::Active))?.name;
            Some(NextStep { phase, words: "look at what it waits for".to_owned(), leads: Leads::Phases })
        }
    }
}

/// Where the nodes of a pool stand on the rail.
fn phase_of(pool: Option<&str>, assessment: &Assessment) -> &'static str {
    let control_plane = pool.and_then(|pool| assessment.pool(pool)).is_some_and(|pool| pool.control_plane);
    if control_plane { "masters" } else { "pools" }
}

/// The pod whose deletion is the only change that frees the node, with the wish for it: nothing else is in the way, and
/// nothing gentler (scaling up, repairing another pod, waiting) is advised.
fn only_way_out(node: &Node) -> Option<(&str, Ask)> {
    let [blocker] = node.blockers.as_slice() else { return None };
    let [remedy] = blocker.frees.as_slice() else { return None };
    let words: Vec<&str> = remedy.oc.as_deref()?.split_whitespace().collect();
    let line = ["oc", "delete", "pod", "-n", &blocker.namespace, &blocker.pod];
    let target = Target::Objects(vec![Resource::pod(&blocker.namespace, &blocker.pod)]);
    (words == line).then(|| (blocker.pod.as_str(), Ask::new(ActionId::DeletePod, target)))
}

/// A name as the header has room for it.
fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    let kept: String = name.chars().take(NAME - 3).collect();
    format!("{kept}...")
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
        planned(assessment, session, "pools", format!("unpause {}", shortened(&pool.name)), ask)
    });
    steps.next()
}

/// A request that was refused waits for an acknowledgement.
fn acknowledge_for_request(assessment: &Assessment, session: &Session) -> Option<NextStep> {
    let refused = assessment.update.requested.as_ref().filter(|requested| requested.refused)?;
    let present = present(assessment)?;
    leaves_minor(&present.status.desired.version, &refused.target).then_some(())?;
    // What it holds up is the acceptance of the request.
    acknowledge(assessment, session).map(|step| NextStep { phase: "accepted", ..step })
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

/// The channel is that of the next minor, so that is where it goes, and a gate bars the way.
fn acknowledge_for_channel(assessment: &Assessment, session: &Session) -> Option<NextStep> {
    let (aim, now) = (aim(assessment)?, minor_parts(&present(assessment)?.status.desired.version)?);
    (aim > now).then(|| acknowledge(assessment, session)).flatten()
}

/// The ClusterVersion.
fn present(assessment: &Assessment) -> Option<&ClusterVersion> {
    assessment.facts.cluster_version.as_deref()
}

/// The minor that the channel is of.
fn aim(assessment: &Assessment) -> Option<(u64, u64)> {
    channel_minor(assessment.update.channel.as_deref()?)
}

/// Is the cluster on the odd minor below the `eus-` channel that it follows, with a pool that waits?
fn between_extended(assessment: &Assessment) -> bool {
    let present = present(assessment).zip(assessment.update.channel.as_deref());
    let below = present.is_some_and(|(seen, channel)| below_extended(&seen.status.desired.version, channel));
    below && assessment.pools.iter().any(|pool| pool.paused && pool.outdated())
}

/// Nothing rolls, or what could is held on purpose: an update can be started.
fn start(assessment: &Assessment, session: &Session) -> Option<NextStep> {
    let idle = match assessment.verdict.kind {
        VerdictKind::NotUpdating | VerdictKind::Completed => true,
        _ => !assessment.update.in_progress && between_extended(assessment),
    };
    // One that is not recommended is nothing to be led to.
    let offers = assessment.update.offers.iter().filter(|offer| idle && offer.risk.is_none()).take(OFFERS);
    let mut steps = offers.filter_map(|offer| {
        let ask = Ask::new(ActionId::StartUpdate, Target::Version(offer.version.clone()));
        planned(assessment, session, "requested", "start an update".to_owned(), ask)
    });
    steps.next().map(|step| NextStep { leads: Leads::Versions, ..step })
}

/// Every node is at the new version and well: what was paused here for the update watches over the nodes again. One that
/// was paused after the update ended was paused for the next one, and one that somebody else paused is theirs.
fn resume_health_checks(assessment: &Assessment, session: &Session) -> Option<NextStep> {
    let ended = assessment.update.completed.filter(|_| !assessment.update.in_progress)?;
    let rest = assessment.pools.iter().all(|pool| !pool.outdated())
        && assessment.nodes.iter().all(|node| node.ready && !node.phase.moving());
    let ours = |check: &MachineHealthCheck| check.paused_by(FIELD_MANAGER).is_some_and(|at| at < ended);
    let paused = rest && assessment.facts.around.machine_health_checks.iter().any(|check| ours(check));
    let ask = Ask::new(ActionId::ResumeMhc, Target::Cluster);
    paused.then(|| planned(assessment, session, "verify", "resume health checks".to_owned(), ask)).flatten()
}

/// Everything is at the new version, and something still has to be looked at before it can be called done.
fn verify(assessment: &Assessment, _: &Session) -> Option<NextStep> {
    let last = assessment.rail.last().filter(|step| step.name == "verify")?;
    let open = matches!(last.state, StepState::Active | StepState::Trouble);
    open.then(|| NextStep { phase: "verify", words: "verify".to_owned(), leads: Leads::Phases })
}
