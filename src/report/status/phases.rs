//! The phase rail, and the one next step that can be driven from here.

use serde::Serialize;

use crate::actions::Session;
use crate::actions::next_step::{KEY, Leads, next_step};
use crate::report::parts::{Evidence, Moment, Resource, each, said};
use crate::report::plan::done_by;
use crate::upgrade::assessment::{self, Assessment, Step, StepState, Subject};

/// A phase of the rail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    /// `preflight`, `requested`, `accepted`, `operators`, `masters`, `pools`, `verify`; of an image-based upgrade `idle`,
    /// `prep`, `upgrade`, `rollback`.
    pub name: &'static str,
    /// `Todo`, `Active`, `Trouble` (a person is needed, or something fails) or `Done`.
    pub state: &'static str,
    /// A count such as `33/34`, or the part that is being done.
    pub detail: Option<String>,
    /// Rolls side by side with the phase before it.
    pub beside: bool,
    /// When it began, or ended if it is done.
    pub since: Option<Moment>,
    /// What it waits for.
    pub waits: Vec<String>,
    /// What it was judged by.
    pub evidence: Vec<Evidence>,
}

/// The phases of a rail.
pub fn phases(rail: &[Step]) -> Vec<Phase> {
    rail.iter().map(phase).collect()
}

fn phase(step: &Step) -> Phase {
    Phase {
        name: step.name,
        state: match step.state {
            StepState::Todo => "Todo",
            StepState::Active => "Active",
            StepState::Trouble => "Trouble",
            StepState::Done => "Done",
        },
        detail: said(&step.detail),
        beside: step.beside,
        since: step.since.map(Moment),
        waits: step.waits.clone(),
        evidence: each(&step.evidence),
    }
}

/// The next step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Next {
    /// The phase that it belongs to.
    pub phase: &'static str,
    /// What it is: `unpause infra`.
    pub words: String,
    /// The line that opens its plan; null: it is no single plan, but something to choose or to look at.
    #[serde(rename = "do")]
    pub line: Option<String>,
    /// The line that shows what there is to choose or to look at; null: `do` says it all.
    pub look: Option<String>,
    /// What is to be looked at; null: nothing alone.
    pub object: Option<Resource>,
    /// The key of the cockpit that opens it, unless another one is configured.
    pub key: &'static str,
}

/// The next step; none: nothing is to be done but wait, or the picture is a recording or not live.
pub fn next(assessment: &Assessment) -> Option<Next> {
    let step = next_step(assessment, &Session::default())?;
    let (line, look, object) = match &step.leads {
        Leads::Plan(wish) => (Some(done_by(wish)), None, None),
        Leads::Versions => (None, Some("oc-cockpit updates".to_owned()), None),
        Leads::Phases => (None, Some("oc-cockpit status --details=health".to_owned()), None),
        Leads::Look(subject) => {
            let look = "oc-cockpit status --details=all".to_owned();
            (None, Some(look), object(subject))
        }
    };
    Some(Next { phase: step.phase, words: step.words, line, look, object, key: KEY })
}

fn object(subject: &Subject) -> Option<Resource> {
    use assessment::Resource as Address;
    let found = match subject {
        Subject::Version => Address::cluster("clusterversions.config.openshift.io", "version"),
        Subject::Operator(name) => Address::operator(name),
        Subject::Pool(name) => Address::pool(name),
        Subject::Node(name) => Address::node(name),
        Subject::Object(object) => object.clone(),
        Subject::Link => return None,
    };
    Some(Resource::from(&found))
}
