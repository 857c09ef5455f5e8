//! `oc-cockpit status`: where the update stands, as one complete answer. `docs/status-json.md` documents every field.
//!
//! Words and counts that `oc adm upgrade status` knows are told as it tells them, so that programs can move over;
//! what this program knows better stands beside them (`phaseDetail`, `why`, `evidence`).

mod finding;
mod forecast;
mod image;
mod image_page;
mod node;
mod overview;
mod phases;
mod pool;
mod progress;

use serde::Serialize;

pub use finding::{Finding, Impact};
pub use forecast::{Estimate, Input, Part, Remaining};
pub use image::ImageBased;
pub use node::{Node, NodeAssessment, NodePhase};
pub use overview::Details;
pub use phases::{Next, Phase};
pub use pool::{Capacity, Pool, PoolAssessment};
pub use progress::{Operator, OperatorCounts, Payload, Requested, Update};

pub use super::parts::Problem;
use super::parts::{Moment, unread};
use super::text::Look;
use super::{API_VERSION, Report};
use crate::upgrade::assessment::{Assessment, Topology, VerdictKind};
use crate::upgrade::facts::Kind;
use crate::upgrade::link::LinkState;

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// [`API_VERSION`].
    pub api_version: &'static str,
    /// `Status`.
    pub kind: &'static str,
    /// The moment that all ages refer to: when the cluster was asked, or the time of a recording.
    pub now: Moment,
    /// These objects come from files.
    pub recording: bool,
    /// Which cluster.
    pub cluster: Cluster,
    /// Where the update stands.
    pub update: Update,
    /// The phases of the procedure, in their order: of the image-based upgrade that is under way, else of a standard update.
    pub phases: Vec<Phase>,
    /// The one next step that can be driven from here. Null: there is nothing to do but wait, or nothing can be told of it
    /// (a recording, or nobody answers).
    pub next: Option<Next>,
    /// ClusterOperators: by run level, then by name. Null: they could not be read.
    pub operators: Option<Vec<Operator>>,
    /// MachineConfigPools: master, arbiter, worker, then the others by name. Null: they could not be read.
    pub pools: Option<Vec<Pool>>,
    /// Nodes, in the order of `oc`: the worst first. Null: they could not be read.
    pub nodes: Option<Vec<Node>>,
    /// What a person should know, worst first.
    pub findings: Vec<Finding>,
    /// The image-based upgrade of a single-node cluster. Null: the cluster has none, or it could not be read.
    pub image_based: Option<ImageBased>,
    /// How long it still takes. Null: nothing rolls, or that is not known.
    pub estimate: Option<Estimate>,
    /// What could not be read: the answer is incomplete in that respect.
    pub problems: Vec<Problem>,
    /// Where it stands, in the words of the header.
    #[serde(skip)]
    headline: &'static str,
    #[serde(skip)]
    details: Details,
}

/// Which cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// `spec.clusterID`.
    pub id: Option<String>,
    /// Is it OpenShift? Null: not known.
    pub openshift: Option<bool>,
    /// `HighlyAvailable`, `SingleReplica`, `Arbiter`, `Dual` or `External` (a hosted control plane).
    pub topology: Option<&'static str>,
    /// `spec.channel`.
    pub channel: Option<String>,
}

/// What the exit code says, as documented for `--exit-code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Fine, or completed.
    Fine,
    /// Could not tell.
    Unknown,
    /// Updating, on time or slowly.
    Updating,
    /// Waits for a person.
    NeedsPerson,
    /// Stalled or failing.
    Trouble,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Unknown => 1,
            Self::Updating => 3,
            Self::NeedsPerson => 4,
            Self::Trouble => 5,
        }
    }

    /// By the verdict.
    pub fn of(verdict: VerdictKind) -> Self {
        match verdict {
            VerdictKind::NotUpdating | VerdictKind::Completed => Self::Fine,
            VerdictKind::Unknown => Self::Unknown,
            VerdictKind::Requested
            | VerdictKind::UpdatingControlPlane
            | VerdictKind::UpdatingPools
            | VerdictKind::ConfigRollout
            | VerdictKind::ImageBased
            | VerdictKind::Slow => Self::Updating,
            VerdictKind::NeedsPerson => Self::NeedsPerson,
            VerdictKind::Stalled | VerdictKind::Failing => Self::Trouble,
        }
    }
}

impl Status {
    /// The answer that `assessment` gives; `details` of the text, and `problems` beside those of the kinds: files that
    /// could not be read.
    pub fn of(assessment: &Assessment, details: Details, problems: Vec<Problem>) -> Self {
        let facts = &assessment.facts;
        let known = |kind| facts.known(kind);
        let nodes = known(Kind::Nodes).then(|| node::nodes(assessment));
        let counted = nodes.as_deref().filter(|_| known(Kind::MachineConfigPools));
        let pools = counted.map(|nodes| pool::pools(assessment, nodes));
        Self {
            api_version: API_VERSION,
            kind: "Status",
            now: Moment(assessment.now),
            recording: facts.link.state == LinkState::Recording,
            cluster: Cluster {
                id: assessment.cluster_id.clone(),
                openshift: assessment.openshift,
                topology: topology(assessment.topology),
                channel: assessment.update.channel.clone(),
            },
            update: progress::update(assessment),
            phases: phases::phases(&assessment.rail),
            next: phases::next(assessment),
            operators: known(Kind::ClusterOperators).then(|| progress::operators(assessment)),
            pools,
            nodes: nodes.map(node::ordered),
            findings: finding::findings(assessment),
            image_based: assessment.image_based.as_deref().map(image::image_based),
            estimate: forecast::estimate(&assessment.estimates),
            problems: unread(assessment).chain(problems).collect(),
            headline: assessment.headline(),
            details,
        }
    }

    /// Does it say the same as `other`? Ages, estimates and what ticks in sentences aside.
    pub fn same_as(&self, other: &Self) -> bool {
        let update = |status: &Self| {
            let update = &status.update;
            let requested = update.requested.as_ref().map(|requested| (requested.target.clone(), requested.refused));
            (update.verdict, update.from.clone(), update.to.clone(), update.operators, update.payload, requested)
        };
        let pools = |status: &Self| -> Vec<_> {
            let pools = status.pools.iter().flatten();
            let told = pools.map(|pool| {
                let counts = [pool.total, pool.updated, pool.available, pool.progressing, pool.draining, pool.degraded];
                (pool.name.clone(), pool.assessment, pool.paused, counts)
            });
            told.collect()
        };
        let nodes = |status: &Self| -> Vec<_> {
            let nodes = status.nodes.iter().flatten();
            nodes.map(|node| (node.name.clone(), node.phase_detail, node.assessment, node.blockers.len())).collect()
        };
        let findings = |status: &Self| -> Vec<_> {
            let told = status.findings.iter();
            told.map(|finding| (finding.id, finding.level, finding.resources.clone())).collect()
        };
        let operators = |status: &Self| -> Vec<_> {
            status.operators.iter().flatten().map(|row| (row.name.clone(), row.state)).collect()
        };
        let image = |status: &Self| {
            let image = status.image_based.as_ref()?;
            Some((image.state, image.stage, image.moves.clone(), image.precache, image.message.clone()))
        };
        let rail = |status: &Self| -> (Vec<_>, _) {
            let states = status.phases.iter().map(|phase| (phase.name, phase.state)).collect();
            (states, status.next.as_ref().map(|next| (next.phase, next.words.clone())))
        };
        update(self) == update(other)
            && pools(self) == pools(other)
            && nodes(self) == nodes(other)
            && operators(self) == operators(other)
            && findings(self) == findings(other)
            && image(self) == image(other)
            && rail(self) == rail(other)
            && self.problems == other.problems
    }

    /// What the exit code says.
    pub fn exit(&self) -> Exit {
        Exit::of(self.update.kind)
    }
}

impl Report for Status {
    fn text(&self, look: &Look) -> String {
        overview::text(self, look, self.details)
    }
}

fn topology(topology: Topology) -> Option<&'static str> {
    Some(match topology {
        Topology::HighlyAvailable => "HighlyAvailable",
        Topology::SingleReplica => "SingleReplica",
        Topology::Arbiter => "Arbiter",
        Topology::Dual => "Dual",
        Topology::External => "External",
        Topology::Unknown => return None,
    })
}
