//! What a person should know.

use serde::Serialize;

use crate::report::parts::{Evidence, Moment, Remedy, Resource, each, level, said};
use crate::upgrade::as_oc::AsOc;
use crate::upgrade::assessment::{self, Assessment, Level, VerdictKind};
use crate::upgrade::checks::alert_firing;

/// What a finding costs, in the words of `oc`.
pub type Impact = &'static str;

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Stable name of the check: `drain-blocked`, `pool-paused`.
    pub id: &'static str,
    /// `info`, `warning`, `error` or `critical`.
    pub level: &'static str,
    /// None, Unknown, API Availability, Cluster Capacity, Application Availability, Application Outage, Data Loss,
    /// Update Speed or Update Stalled.
    pub impact: Impact,
    /// Since when. Null: not known.
    pub since: Option<Moment>,
    /// One line.
    pub title: String,
    /// What it means.
    pub meaning: Option<String>,
    /// Normal while nodes reboot.
    pub expected: bool,
    /// The objects that it is about.
    pub resources: Vec<Resource>,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What to do, the best first.
    pub remedies: Vec<Remedy>,
    /// Where to read more.
    pub link: Option<String>,
    #[serde(skip)]
    pub(super) degree: Level,
}

/// Checks that say what `oc adm upgrade status` has a finding for too (oc: pkg/cli/admin/upgrade/status): with one of
/// these it does not call an update well.
const OF_OC: [&str; 12] = [
    "alert-firing",
    "cvo-failing",
    "cvo-failing-early",
    "no-failing-condition",
    "node-degraded",
    "node-disk-pressure",
    "node-network-unavailable",
    "node-not-ready",
    "operator-degraded",
    "operator-unavailable",
    "pool-paused",
    "update-partial",
];

/// All findings, worst first. Where an update goes on and nothing speaks against that, it is said, as `oc` does.
pub fn findings(assessment: &Assessment) -> Vec<Finding> {
    let told = assessment.findings.iter().flat_map(|found| match found.id {
        // Programs want to know each alert with its time.
        "alert-firing" => alert_firing::apart(assessment, found).iter().map(finding).collect(),
        _ => vec![finding(found)],
    });
    let goes_on = match assessment.verdict.kind {
        VerdictKind::UpdatingControlPlane | VerdictKind::UpdatingPools => true,
        // The ClusterVersion has not yet said that it is done.
        VerdictKind::Completed | VerdictKind::NotUpdating => AsOc::of(assessment).updating(),
        _ => false,
    };
    let well = goes_on && !assessment.findings.iter().any(hinders);
    told.chain(well.then(|| proceeding(assessment))).collect()
}

/// Does it speak against the update going on well? What is wrong elsewhere (a certificate that runs out tomorrow) does not.
fn hinders(finding: &assessment::Finding) -> bool {
    let progress = matches!(finding.impact, assessment::Impact::UpdateSpeed | assessment::Impact::UpdateStalled);
    finding.level >= Level::Error || (finding.level == Level::Warning && (progress || OF_OC.contains(&finding.id)))
}

fn finding(from: &assessment::Finding) -> Finding {
    Finding {
        id: from.id,
        level: level(from.level),
        impact: from.impact.words(),
        since: from.since.map(Moment),
        title: from.title.clone(),
        meaning: said(&from.meaning),
        expected: from.expected,
        resources: each(&from.resources),
        evidence: each(&from.evidence),
        remedies: each(&from.remedies),
        link: from.link.clone(),
        degree: from.level,
    }
}

fn proceeding(assessment: &Assessment) -> Finding {
    Finding {
        id: "update-proceeding",
        level: level(Level::Info),
        impact: assessment::Impact::None.words(),
        since: assessment.update.started.map(Moment),
        title: "Update is proceeding well".to_owned(),
        meaning: None,
        expected: true,
        resources: each(&[assessment::Resource::version()]),
        evidence: Vec::new(),
        remedies: Vec::new(),
        link: None,
        degree: Level::Info,
    }
}
