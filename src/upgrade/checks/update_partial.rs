//! `update-partial`: an update was begun before the one before it had ended.

use super::release::{HISTORY, field};
use super::{Finding, Impact, Level, Look, Subject, finding};
use crate::api::HistoryEntry;
use crate::upgrade::assessment::Remedy;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    // For `oc` it goes on until all operators are updated, for the ClusterVersion until the whole payload is applied.
    let operators = &look.now.operators;
    let goes_on = look.now.update.in_progress || (look.updating() && operators.updated < operators.total);
    let Some(version) = look.version().filter(|_| goes_on) else { return };
    let [current, previous, before @ ..] = version.status.history.as_slice() else { return };
    if previous.is_completed() {
        return;
    }
    let last = before.iter().find(|entry| entry.is_completed());
    let known = last.map_or_else(|| "unknown".to_owned(), |entry| name(entry).to_owned());
    found.push(Finding {
        impact: Impact::None,
        meaning: format!(
            "The update to {} began while the one to {} was still being applied, so operators may come from either. Clocks and \
             progress count from the newer request. Going on forward is the normal way; going back and forth is not.",
            name(current),
            name(previous)
        ),
        remedies: vec![
            Remedy::look("Let the present update end, then look at the operators' versions.").oc("oc get clusteroperators"),
        ],
        link: Some(HISTORY.to_owned()),
        since: current.started,
        evidence: vec![
            field("status.history[1]", format!("{} {}", name(previous), previous.state), previous.started),
            field("status.history[0]", format!("{} {}", name(current), current.state), current.started),
        ],
        ..finding(
            "update-partial",
            Level::Warning,
            Subject::Version,
            format!("Previous update to {} never completed, last complete update was {known}", name(previous)),
        )
    });
}

fn name(entry: &HistoryEntry) -> &str {
    if entry.version.is_empty() { &entry.image } else { &entry.version }
}
