//! From plan to outcome: the rehearsal, the confirmed order, and what came of it.

use serde::Serialize;

use super::audit::{Actor, AuditId, Given};
use super::{Effect, Material, Plan, Target};

/// What the server answered to the dry run of one write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The object: `node/worker-1`.
    pub object: String,
    /// In words: that the server would accept it, or why not.
    pub words: String,
    /// Would it be accepted?
    pub ok: bool,
}

/// A plan that was checked against the live objects, without changing anything.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rehearsal {
    /// The plan as made on the fresh objects, its consequences completed. This is the plan to show and to confirm.
    pub plan: Plan,
    /// The fresh plan differs in meaning from the one that was rehearsed: mark what is shown as changed.
    pub changed: bool,
    /// A dry run each, in the order of the writes.
    pub steps: Vec<Step>,
    /// What was read for the plan.
    #[serde(skip)]
    pub material: Material,
}

impl Rehearsal {
    /// May the plan be executed?
    pub fn ok(&self) -> bool {
        self.plan.reads.is_empty() && self.steps.iter().all(|step| step.ok)
    }
}

/// A plan that a person has read and confirmed.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The rehearsal whose plan was confirmed.
    pub rehearsal: Rehearsal,
    /// Who, where.
    pub actor: Actor,
    /// Answers to the plan's questions.
    pub answers: Vec<Given>,
}

/// A write that the server accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// The object.
    pub object: String,
    /// Its entry in the audit log, to be ended by [`super::audit::Audit::proved`].
    pub audit: AuditId,
    /// In words, with the number of tries if there was more than one.
    pub words: String,
}

/// What came of an order. The proof of the effect is the watch's, not the reply's.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Every write was accepted and stored. Wait for [`Plan::effect`] in the watch.
    Accepted {
        /// The writes.
        done: Vec<Written>,
    },
    /// Nothing was sent, and why.
    Refused {
        /// In one sentence.
        words: String,
    },
    /// The object changed in a way that changes what the action means: show the new plan and ask again.
    Changed {
        /// Writes that were accepted before.
        done: Vec<Written>,
        /// The plan for what is left, its reads not yet made: rehearse it and show the rehearsal.
        plan: Box<Plan>,
        /// What differs.
        words: String,
    },
    /// A write was refused; nothing after it was sent.
    Failed {
        /// Writes that were accepted before.
        done: Vec<Written>,
        /// The object whose write failed.
        object: String,
        /// Why, with the next thing to try.
        words: String,
        /// What was not sent.
        left: Vec<String>,
    },
    /// The person stopped it. What was sent stays sent.
    Stopped {
        /// Writes that were accepted before.
        done: Vec<Written>,
        /// How far it came.
        words: String,
        /// What was not begun.
        left: Vec<String>,
    },
    /// It is not known whether a write was applied; nothing after it was sent. The watch will tell.
    Unknown {
        /// Writes that were accepted before.
        done: Vec<Written>,
        /// The object whose write has no answer.
        object: String,
        /// Its entry in the audit log.
        audit: AuditId,
        /// What happened.
        words: String,
        /// What was not sent.
        left: Vec<String>,
    },
}

impl Outcome {
    /// The writes that were accepted.
    pub fn done(&self) -> &[Written] {
        match self {
            Self::Refused { .. } => &[],
            Self::Accepted { done }
            | Self::Changed { done, .. }
            | Self::Failed { done, .. }
            | Self::Stopped { done, .. }
            | Self::Unknown { done, .. } => done,
        }
    }

    /// Audit entries that still wait for a proof: hand them to [`super::audit::Audit::proved`].
    pub fn unproved(&self) -> Vec<AuditId> {
        let mut ids: Vec<_> = self.done().iter().map(|written| written.audit.clone()).collect();
        if let Self::Unknown { audit, .. } = self {
            ids.push(audit.clone());
        }
        ids
    }

    /// What the watch has to show after it, of the effect of the plan; none: nothing was changed.
    pub fn awaited(&self, effect: &Effect) -> Option<Effect> {
        match self {
            Self::Accepted { .. } | Self::Unknown { .. } => Some(effect.clone()),
            // A drain that was stopped is told as it went; nobody waits for the rest.
            Self::Refused { .. } | Self::Stopped { .. } => None,
            Self::Failed { done, .. } | Self::Changed { done, .. } => part(effect, done),
        }
    }

    /// One sentence for the person, `target` included.
    pub fn words(&self, target: &Target) -> String {
        let so_far = match self.done() {
            [] => String::new(),
            done => {
                let names: Vec<_> = done.iter().map(|written| written.object.as_str()).collect();
                format!("; done before: {}", names.join(", "))
            }
        };
        let rest = |left: &[String]| match left {
            [] => String::new(),
            left => format!("; not sent: {}", left.join(", ")),
        };
        match self {
            Self::Accepted { .. } => format!("{}: accepted, waiting for the watch to show it", target.words()),
            Self::Refused { words } => format!("nothing was sent: {words}"),
            Self::Changed { words, .. } => format!("not sent: {words}{so_far}"),
            Self::Failed { object, words, left, .. } => format!("{object}: {words}{so_far}{}", rest(left)),
            Self::Stopped { words, left, .. } => format!("stopped: {words}{}", rest(left)),
            Self::Unknown { object, words, left, .. } => {
                format!(
                    "{object}: {words}; it is not known whether it was applied, the watch will tell{so_far}{}",
                    rest(left)
                )
            }
        }
    }
}

/// The effect of the writes that were accepted before one failed; none: nothing to wait for.
fn part(effect: &Effect, done: &[Written]) -> Option<Effect> {
    if done.is_empty() {
        return None;
    }
    Some(match effect {
        Effect::NodesUnschedulable { nodes, unschedulable } => {
            let wrote = |node: &String| done.iter().any(|written| written.object == format!("node/{node}"));
            Effect::NodesUnschedulable {
                nodes: nodes.iter().filter(|node| wrote(node)).cloned().collect(),
                unschedulable: *unschedulable,
            }
        }
        Effect::All(effects) => Effect::All(effects.iter().filter_map(|effect| part(effect, done)).collect()),
        // A drain that did not come to its end is told by itself.
        Effect::NodesDrained { .. } => return None,
        other => other.clone(),
    })
}
