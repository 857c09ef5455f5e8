//! Is the cluster ready for an update? The list that the guides and those who do it daily go through.
//!
//! Each question is a function that looks at the assessment and answers with a row; none of them looks at another's
//! answer. What was not or could not be read is answered with unknown and says why, never with pass.

mod ready_capacity;
#[expect(clippy::unnecessary_wraps, reason = "every question has the same form")]
mod ready_control_plane;
mod ready_credentials;
#[expect(clippy::unnecessary_wraps, reason = "every question has the same form")]
mod ready_drains;
#[expect(clippy::unnecessary_wraps, reason = "every question has the same form")]
mod ready_installed;
#[expect(clippy::unnecessary_wraps, reason = "every question has the same form")]
mod ready_machines;
mod ready_minor;
#[expect(clippy::unnecessary_wraps, reason = "every question has the same form")]
mod ready_nodes;
#[expect(clippy::unnecessary_wraps, reason = "every question has the same form")]
mod ready_release;

use std::cell::RefCell;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::assessment::{Assessment, Evidence, Remedy, Resource};
use super::blockers::budgets::of_platform;
use super::facts::{Kind, KindStatus};
use super::link::LinkState;
use super::updates::{Choice, Updates, updates};
use super::version::{kubernetes_minor, leaves_minor, minor_parts};
use super::words;

/// The answer of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// Ready.
    Pass,
    /// Could not tell.
    Unknown,
    /// Possible, with care.
    Warn,
    /// Not before this is put right.
    Block,
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Stable id, kebab-case: `operators-healthy`, `drain-forecast`.
    pub id: &'static str,
    /// What is asked, as a person would: `Operators available and not degraded`.
    pub title: &'static str,
    /// The answer.
    pub answer: Answer,
    /// Why, in one or several lines.
    pub why: String,
    /// What it is about.
    pub resources: Vec<Resource>,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What to do about it.
    pub remedies: Vec<Remedy>,
    /// Nothing in the cluster tells: a person has to answer it. Such a row is unknown without anything being amiss.
    pub asked: bool,
}

/// The list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preflight {
    /// A ClusterVersion was read: without one there are no rows.
    pub known: bool,
    /// The version that the cluster is at.
    pub current: String,
    /// The version it was made for; none: no particular one.
    pub target: Option<String>,
    /// The target is of a later minor or major: what only concerns those is judged too.
    pub minor: bool,
    /// The moment of the assessment.
    pub now: Option<DateTime<Utc>>,
    /// Rows, in the order in which a person would go through them.
    pub rows: Vec<Row>,
}

impl Preflight {
    /// The worst answer; none when there are no rows.
    pub fn worst(&self) -> Option<Answer> {
        self.rows.iter().map(|row| row.answer).max()
    }

    /// The rows of an answer.
    pub fn with(&self, answer: Answer) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.answer == answer)
    }

    /// Rows that could not be judged although the cluster could tell.
    pub fn unjudged(&self) -> impl Iterator<Item = &Row> {
        self.with(Answer::Unknown).filter(|row| !row.asked)
    }
}

/// What every question looks at.
struct Ask<'a> {
    now: &'a Assessment,
    updates: &'a Updates,
    target: Option<&'a str>,
    choice: Option<&'a Choice>,
    minor: bool,
    /// The kinds that the question at hand rests on.
    consulted: RefCell<BTreeSet<Kind>>,
}

impl Ask<'_> {
    /// Why one of these kinds is not known; none: all are. While a watch fails the last good content counts, if there was
    /// any.
    fn unread(&self, kinds: &[Kind]) -> Option<String> {
        self.consulted.borrow_mut().extend(kinds);
        kinds.iter().filter(|kind| !self.now.facts.known(**kind)).find_map(|kind| {
            let name = kind.plural();
            match self.now.facts.status(*kind) {
                KindStatus::Live | KindStatus::Absent => None,
                KindStatus::Failing(trouble) => Some(format!("{name} could not be read: {}", trouble.words)),
                KindStatus::NotAsked => Some(format!("{name} were not read")),
                KindStatus::Waiting => Some(format!("{name} have not been read yet")),
                KindStatus::Forbidden(trouble) => Some(format!("{name} may not be read: {}", trouble.words)),
            }
        })
    }

    /// The answer of a question. What it rests on may be listed and still not be whole: an object that could not be read
    /// is not among those that were looked at, so nothing passes for certain.
    fn answer(&self, question: Question) -> Option<Row> {
        self.consulted.borrow_mut().clear();
        let mut row = question(self)?;
        let consulted = self.consulted.borrow();
        let unreadable: Vec<String> = consulted.iter().filter_map(|kind| self.unreadable(*kind)).collect();
        if unreadable.is_empty() || row.answer == Answer::Unknown {
            return Some(row);
        }
        if row.answer == Answer::Pass {
            row.answer = Answer::Unknown;
        }
        row.why = std::iter::once(row.why).chain(unreadable).collect::<Vec<_>>().join("\n");
        let look = |kind: &Kind| {
            let (name, _) = self.now.facts.kinds.get(kind)?.unreadable.first()?;
            let (namespace, name) = name.split_once('/').map_or((None, name.as_str()), |(a, b)| (Some(a), b));
            let namespace = namespace.map(|namespace| format!(" -n {namespace}")).unwrap_or_default();
            let line = format!("oc get {} {name}{namespace} -o yaml", kind.resource());
            Some(Remedy::look("Look at what could not be read as the server has it.").oc(line))
        };
        row.remedies.extend(consulted.iter().filter_map(look));
        Some(row)
    }

    /// Objects of a kind that could not be read; none: all could.
    fn unreadable(&self, kind: Kind) -> Option<String> {
        let unreadable = &self.now.facts.kinds.get(&kind)?.unreadable;
        let (name, why) = unreadable.first()?;
        let number = words::count(unreadable.len(), "object");
        Some(format!("{number} of {} could not be read and may say otherwise, such as {name}: {why}", kind.plural()))
    }

    /// Do these objects come from files? Then an object that is not among them may only not have been written down.
    fn recorded(&self) -> bool {
        self.now.facts.link.state == LinkState::Recording
    }

    /// Why pods and budgets of workloads may be missing; none: they are not. A must-gather holds the namespaces of the
    /// platform alone.
    fn without_workloads(&self) -> Option<String> {
        let around = &self.now.facts.around;
        let pods =
            around.pods.values().flat_map(|pods| pods.iter()).filter_map(|pod| pod.metadata.namespace.as_deref());
        let budgets = around.pod_disruption_budgets.iter().map(|budget| budget.namespace());
        let platform = self.recorded() && pods.chain(budgets).all(of_platform);
        platform.then(|| "the recording holds only what is in the platform's namespaces, no workloads".to_owned())
    }

    /// The minor of Kubernetes 1 that the target brings, or the present one when there is no target.
    fn kubernetes(&self) -> Option<u64> {
        let (major, minor) = minor_parts(self.target.unwrap_or(&self.updates.current))?;
        kubernetes_minor(major, minor)
    }
}

impl Row {
    fn new(id: &'static str, title: &'static str, answer: Answer, why: impl Into<String>) -> Self {
        let why = why.into();
        let (resources, evidence, remedies) = (Vec::new(), Vec::new(), Vec::new());
        Self { id, title, answer, why, resources, evidence, remedies, asked: false }
    }

    fn about(self, resources: impl IntoIterator<Item = Resource>) -> Self {
        Self { resources: resources.into_iter().collect(), ..self }
    }

    fn rests_on(self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        Self { evidence: evidence.into_iter().collect(), ..self }
    }

    fn remedied(self, remedies: impl IntoIterator<Item = Remedy>) -> Self {
        Self { remedies: remedies.into_iter().collect(), ..self }
    }

    /// What cannot be told of the target, whatever is read: it has to be named so that it can.
    fn untold(id: &'static str, title: &'static str, why: impl Into<String>) -> Self {
        let name = Remedy::look("Name a version that is on offer, or look into the release itself.")
            .oc("oc adm release info PULLSPEC");
        Self::new(id, title, Answer::Unknown, why).remedied([name])
    }

    /// What was not read: how to make it readable.
    fn unknown(id: &'static str, title: &'static str, why: String, kind: Kind) -> Self {
        let remedy = match kind {
            Kind::Alerts => Remedy::look("Use a token of a user who may see the cluster's monitoring.")
                .oc("oc auth can-i get routes -n openshift-monitoring"),
            kind => Remedy::look("Ask for the permission to list it, or look at it by hand.")
                .oc(format!("oc auth can-i list {} -A", kind.resource())),
        };
        Self::new(id, title, Answer::Unknown, why).remedied([remedy])
    }
}

/// A field of an object.
fn evidence(object: impl Into<String>, field: &str, value: impl Into<String>) -> Evidence {
    Evidence { object: object.into(), field: field.to_owned(), value: value.into(), at: None }
}

type Question = fn(&Ask) -> Option<Row>;

/// In the order in which a person would go through them; none: the question does not arise here.
const QUESTIONS: &[Question] = &[
    ready_release::target,
    ready_control_plane::no_update_running,
    ready_control_plane::cluster_version,
    ready_control_plane::operators,
    ready_control_plane::etcd,
    ready_control_plane::backup,
    ready_nodes::pools_updated,
    ready_nodes::pools_unpaused,
    ready_nodes::one_at_a_time,
    ready_nodes::nodes_ready,
    ready_nodes::kubelet_skew,
    ready_nodes::other_systems,
    ready_capacity::capacity,
    ready_drains::budgets,
    ready_drains::forecast,
    ready_machines::certificate_requests,
    ready_machines::health_checks,
    ready_machines::machines,
    ready_machines::boot_images,
    ready_nodes::certificates,
    ready_control_plane::alerts,
    ready_minor::upgradeable,
    ready_minor::gates,
    ready_minor::removed_apis,
    ready_installed::compatible,
    ready_installed::up_to_date,
    ready_minor::overrides,
    ready_credentials::credentials,
    ready_release::mirrors,
    ready_release::signature,
];

/// The list for an update to `target`; none: to what is requested and not begun, to the newest that is recommended, or to
/// any.
pub fn preflight(assessment: &Assessment, target: Option<&str>) -> Preflight {
    let updates = updates(assessment);
    if !updates.known {
        return Preflight { target: target.map(str::to_owned), now: Some(assessment.now), ..Preflight::default() };
    }
    let requested = assessment.update.requested.as_ref().map(|requested| requested.target.as_str());
    let newest = updates.choices.iter().find(|choice| choice.recommended).map(|choice| choice.version.as_str());
    let target = target.or(requested).or(newest);
    let choice = target.and_then(|target| {
        let named = |choice: &&Choice| choice.version == target || choice.image == target;
        updates.choices.iter().find(named)
    });
    let version = choice.map(|choice| choice.version.as_str()).or(target);
    // A digest names no version: what it holds is not known before it is pulled, so the whole list is gone through.
    let minor = version.is_some_and(|version| leaves_minor(&updates.current, version));
    let consulted = RefCell::default();
    let ask = Ask { now: assessment, updates: &updates, target: version, choice, minor, consulted };
    let rows = QUESTIONS.iter().filter_map(|question| ask.answer(*question)).collect();
    Preflight {
        known: true,
        current: updates.current.clone(),
        target: version.map(str::to_owned),
        minor,
        now: Some(assessment.now),
        rows,
    }
}

#[cfg(test)]
mod preflight_tests;
