//! From plan to outcome: the rehearsal, the confirmed order, and what came of it.

use serde::Serialize;

use super::audit::{Actor, AuditId, Given};
use super::{Effect, Material, Plan, PoolEffect, Target};

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
        /// What was not done, the object that changed first.
        left: Vec<String>,
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
        /// What happened, and what reading the object again has shown.
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
        let mut objects: Vec<&str> = self.done().iter().map(|written| written.object.as_str()).collect();
        match self {
            Self::Accepted { .. } => Some(effect.clone()),
            // A drain that was stopped is told as it went; nobody waits for the rest.
            Self::Refused { .. } | Self::Stopped { .. } => None,
            Self::Failed { .. } | Self::Changed { .. } => part(effect, &objects),
            Self::Unknown { object, .. } => {
                objects.push(object);
                part(effect, &objects)
            }
        }
    }

    /// Is the action done once the watch shows what is awaited? Not where something of it was not sent.
    pub fn is_whole(&self, effect: &Effect) -> bool {
        self.awaited(effect).as_ref() == Some(effect)
    }

    /// One sentence for the person, `target` included.
    pub fn words(&self, target: &Target) -> String {
        let rest = |left: &[String]| match left {
            [] => String::new(),
            left => format!("; not sent: {}", left.join(", ")),
        };
        match self {
            Self::Accepted { .. } => format!("{}: accepted, waiting for the watch to show it", target.words()),
            Self::Refused { words } => format!("nothing was sent: {words}"),
            Self::Changed { words, left, .. } => match left.split_first() {
                Some((object, left)) if !self.done().is_empty() => {
                    format!("{}not done, {words}{}", self.before(object, left), rest(left))
                }
                _ => format!("not done: {words}"),
            },
            Self::Stopped { words, left, .. } => format!("stopped: {words}{}", rest(left)),
            Self::Failed { object, words, left, .. } | Self::Unknown { object, words, left, .. } => {
                format!("{}{words}{}", self.before(object, left), rest(left))
            }
        }
    }

    /// What was done before the write of `object`, and its name: `1 of 3 done (mcp/worker), then mcp/gpu: `. A drain ends at
    /// a node that it has cordoned itself, and says so.
    fn before(&self, object: &str, left: &[String]) -> String {
        let names: Vec<&str> = self.done().iter().map(|written| written.object.as_str()).collect();
        let all = names.len() + 1 + left.len();
        match names.as_slice() {
            names if names.is_empty() || names.contains(&object) => format!("{object}: "),
            names => format!("{} of {all} done ({}), then {object}: ", names.len(), names.join(", ")),
        }
    }
}

/// The effect of the writes of these objects; none: nothing to wait for.
fn part(effect: &Effect, written: &[&str]) -> Option<Effect> {
    if written.is_empty() {
        return None;
    }
    let wrote = |object: &str| written.contains(&object);
    let of = |kind: &str, names: &[String]| -> Vec<String> {
        names.iter().filter(|name| wrote(&format!("{kind}/{name}"))).cloned().collect()
    };
    let kept = match effect {
        Effect::All(effects) => {
            let parts: Vec<Effect> = effects.iter().filter_map(|effect| part(effect, written)).collect();
            return (!parts.is_empty()).then_some(Effect::All(parts));
        }
        Effect::NodesUnschedulable { nodes, unschedulable } => {
            let nodes = of("node", nodes);
            return (!nodes.is_empty()).then_some(Effect::NodesUnschedulable { nodes, unschedulable: *unschedulable });
        }
        Effect::Pool(PoolEffect::Manages { pool, nodes }) => {
            let nodes = of("node", nodes);
            let manages = Effect::Pool(PoolEffect::Manages { pool: pool.clone(), nodes: nodes.clone() });
            return (!nodes.is_empty()).then_some(manages);
        }
        Effect::Pool(PoolEffect::ConfigsGone { configs }) => {
            let configs = of("machineconfig", configs);
            return (!configs.is_empty()).then_some(Effect::Pool(PoolEffect::ConfigsGone { configs }));
        }
        Effect::PoolPaused { pool, .. } => wrote(&format!("mcp/{pool}")),
        // Some are told in a sentence that ends in the object.
        Effect::Stored { object, .. }
        | Effect::Digests { object, .. }
        | Effect::Gone { object, .. }
        | Effect::Leaving { object, .. } => written.iter().any(|written| object.ends_with(written)),
        // A drain that did not come to its end is told by itself.
        Effect::NodesDrained { .. } => false,
        // Effects of the only write of their plan.
        Effect::Pool(PoolEffect::Exists { .. } | PoolEffect::Gone { .. } | PoolEffect::MaxUnavailable { .. })
        | Effect::ImageStage { .. }
        | Effect::ImageAnnotation { .. }
        | Effect::ImageAnnotationTaken { .. }
        | Effect::UpdateRequested(_)
        | Effect::RequestCleared
        | Effect::RisksAccepted { .. }
        | Effect::ChannelSet { .. }
        | Effect::UpstreamSet { .. }
        | Effect::ComponentsManaged { .. } => true,
    };
    kept.then(|| effect.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(object: &str) -> Written {
        Written { object: object.into(), audit: AuditId("1".into()), words: String::new() }
    }

    fn failed(done: &[&str]) -> Outcome {
        Outcome::Failed {
            done: done.iter().map(|object| written(object)).collect(),
            object: "x".into(),
            words: String::new(),
            left: Vec::new(),
        }
    }

    fn unknown(done: &[&str], object: &str) -> Outcome {
        Outcome::Unknown {
            done: done.iter().map(|object| written(object)).collect(),
            object: object.into(),
            audit: AuditId("2".into()),
            words: String::new(),
            left: Vec::new(),
        }
    }

    fn stored(object: &str) -> Effect {
        Effect::Stored { object: object.into(), path: String::new(), fields: vec![("/a".into(), json!(1))] }
    }

    #[test]
    fn only_what_was_accepted_is_waited_for() {
        let pool = |name: &str| Effect::PoolPaused { pool: name.into(), paused: true };
        let nodes = |names: &[&str]| Effect::NodesUnschedulable {
            nodes: names.iter().map(|name| (*name).to_owned()).collect(),
            unschedulable: true,
        };
        let configs = |names: &[&str]| {
            Effect::Pool(PoolEffect::ConfigsGone { configs: names.iter().map(|name| (*name).to_owned()).collect() })
        };
        let all = Effect::All;
        for (whole, object, left) in [
            (all(vec![pool("a"), pool("b")]), "mcp/a", all(vec![pool("a")])),
            (all(vec![stored("csr/a"), stored("csr/b")]), "csr/b", all(vec![stored("csr/b")])),
            (nodes(&["a", "b"]), "node/a", nodes(&["a"])),
            (configs(&["a", "b"]), "machineconfig/b", configs(&["b"])),
        ] {
            assert_eq!(failed(&[object]).awaited(&whole), Some(left.clone()));
            assert_eq!(unknown(&[], object).awaited(&whole), Some(left), "it may have been applied");
            assert_eq!(failed(&[]).awaited(&whole), None, "nothing was changed");
            assert!(!unknown(&[], object).is_whole(&whole), "the other one was not sent");
        }
        let both = all(vec![pool("a"), pool("b")]);
        assert!(unknown(&["mcp/a"], "mcp/b").is_whole(&both), "the last one has no answer");
    }

    #[test]
    fn a_cordon_without_an_answer_does_not_stand_for_the_drain() {
        let cordoned = Effect::NodesUnschedulable { nodes: vec!["a".into()], unschedulable: true };
        let drain = Effect::All(vec![cordoned.clone(), Effect::NodesDrained { nodes: vec!["a".into()] }]);
        let lost = unknown(&[], "node/a");
        assert_eq!(lost.awaited(&drain), Some(Effect::All(vec![cordoned])));
        assert!(!lost.is_whole(&drain));
    }
}
