//! `cvo-failing`: the cluster-version operator itself says that it fails, or may.

use super::{Finding, Level, Look, Subject, finding};
use crate::api::{Conditions as _, Tri};
use crate::upgrade::verdict::version_evidence;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(version) = &look.now.facts.cluster_version else { return };
    let Some(failing) = version.status.conditions.condition("Failing") else { return };
    let (level, word) = match failing.status {
        Tri::True => (Level::Error, "fails"),
        Tri::Unknown => (Level::Warning, "may be failing"),
        Tri::False => return,
    };
    let why = match words::first_line(&failing.message) {
        "" => failing.reason.as_str(),
        message => message,
    };
    let early = failing.status == Tri::True && failing.reason.contains("Degraded");
    found.push(Finding {
        meaning: if early {
            "When several operators have different troubles, a degraded one is called failing at once, without the usual \
             40 minutes: it may pass by itself."
                .to_owned()
        } else {
            failing.message.clone()
        },
        since: failing.since,
        evidence: vec![version_evidence(failing)],
        ..finding("cvo-failing", level, Subject::Version, format!("the cluster-version operator {word}: {why}"))
    });
}
