//! `cvo-failing`: the cluster-version operator itself says that it fails, or may.

use super::release::{LOOK_AT_VERSION, OPERATOR_DEGRADED, said};
use super::{Finding, Impact, Level, Look, Subject, finding, operator_degraded};
use crate::api::{Condition, Tri};
use crate::upgrade::assessment::{OperatorState, Remedy, age};
use crate::upgrade::verdict::version_evidence;
use crate::upgrade::words::shell;

/// What kind of failing it is; each has a check of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shade {
    /// As it says.
    Plain,
    /// A degraded operator that is called failing before its 40 minutes are over.
    Early,
    /// Several errors at once, whose reasons are hidden behind one word.
    Several,
}

/// What the ClusterVersion says of failing, with its shade; none: it does not fail, or says nothing.
pub(super) fn failing<'a>(look: &Look<'a>) -> Option<(&'a Condition, Shade)> {
    let failing = look.says("Failing").filter(|failing| failing.status != Tri::False)?;
    let shade = match failing.reason.as_str() {
        "MultipleErrors" => Shade::Several,
        "ClusterOperatorDegraded" | "ClusterOperatorsDegraded" if failing.status == Tri::True && early(look) => {
            Shade::Early
        }
        _ => Shade::Plain,
    };
    Some((failing, shade))
}

/// Has no degraded operator had its 40 minutes (cluster-version-operator, pkg/cvo/status.go)? They are counted from when
/// the update reached the operator, so never from before it began. When errors of different kinds meet, the operator
/// forgets to wait and says Failing at once.
pub(super) fn early(look: &Look) -> bool {
    let update = &look.now.update;
    let degraded = look.now.operators.rows.iter().filter(|row| row.platform && row.state == OperatorState::Degraded);
    let mut since = degraded.map(|row| row.since.max(update.started)).peekable();
    update.in_progress
        && since.peek().is_some()
        && since.all(|since| since.is_some_and(|since| age(since, look.now.now) < operator_degraded::ERROR))
}

/// In the words of `oc adm upgrade status`. At rest nothing is being updated, so that it fails at something else.
pub(super) fn title(look: &Look, failing: &Condition) -> String {
    let verb = if failing.status == Tri::True { "is" } else { "may be" };
    let at = if look.updating() { " to proceed with the update" } else { "" };
    format!("Cluster Version version {verb} failing{at} ({})", failing.reason)
}

/// The finding of a shade, without its meaning.
pub(super) fn finding_of(look: &Look, id: &'static str, failing: &Condition) -> Finding {
    Finding {
        impact: Impact::UpdateStalled,
        remedies: vec![Remedy::look("Look at what the ClusterVersion says.").oc(LOOK_AT_VERSION)],
        link: Some(OPERATOR_DEGRADED.to_owned()),
        since: failing.since,
        evidence: vec![version_evidence(failing)],
        ..finding(id, Level::Warning, Subject::Version, title(look, failing))
    }
}

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some((failing, Shade::Plain)) = failing(look) else { return };
    let mut finding = finding_of(look, "cvo-failing", failing);
    finding.meaning = format!("{}\n{}", said(failing), next(look, failing));
    let named = look.now.operators.rows.iter().filter(|row| failing.message.contains(row.name.as_str()));
    let troubled = named.filter(|row| matches!(row.state, OperatorState::Unavailable | OperatorState::Degraded));
    finding.remedies.extend(troubled.map(|row| {
        Remedy::look(format!("See the finding of {}: it is the cause.", row.name))
            .oc(format!("oc describe clusteroperator {}", shell(&row.name)))
    }));
    found.push(finding);
}

/// What happens if nobody acts.
fn next(look: &Look, failing: &Condition) -> &'static str {
    match (failing.status, look.now.update.in_progress) {
        (Tri::Unknown, _) if failing.reason.contains("Slow") => {
            "Slow is no error: the update goes on by itself when the operator is done."
        }
        (Tri::Unknown, _) => "It is not sure itself; the update may go on by itself.",
        (_, true) => "It tries again all the time: as soon as the cause is gone the update goes on by itself.",
        (_, false) => {
            "No update is in progress: it fails to keep the present release as it should be, and would not start another."
        }
    }
}
