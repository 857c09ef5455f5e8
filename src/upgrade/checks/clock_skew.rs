//! `clock-skew`: this machine's clock is not that of the API server, whose moments all ages are told by.

use super::{Finding, Level, Look, Subject, evidence, finding};
use crate::upgrade::assessment::Remedy;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let link = &look.now.facts.link;
    let Some(words) = link.clock_words() else { return };
    let told = format!("{} s", link.clock_ahead.num_seconds());
    found.push(Finding {
        meaning:
            "Ages and estimates follow the API server's clock, as the timestamps of the cluster's objects do. The \
                  audit log has the times of this machine."
                .to_owned(),
        remedies: vec![
            Remedy::look("Compare both with a clock that is right: on this machine, and on the control plane nodes.")
                .oc("oc get --raw /version -v=8 2>&1 | grep -i ' date:'"),
        ],
        evidence: vec![evidence("link".to_owned(), "Date of its answers minus this machine's clock", told, link.heard)],
        ..finding("clock-skew", Level::Info, Subject::Link, words)
    });
}
