//! `several-errors`: several errors at once. `oc` and the Progressing message then speak of "an unknown error"; the list is
//! in the message of `Failing`.

use super::cvo_failing::{Shade, early, failing, finding_of};
use super::release::field;
use super::{Finding, Look};
use crate::upgrade::assessment::Remedy;
use crate::upgrade::words;

/// The errors of the message (`Multiple errors are preventing progress:\n* a\n* b`), in its order.
pub(super) fn errors(message: &str) -> Vec<&str> {
    message
        .lines()
        .filter_map(|line| line.trim().strip_prefix("* "))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect()
}

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some((failing, Shade::Several)) = failing(look) else { return };
    let mut finding = finding_of(look, "several-errors", failing);
    let errors = errors(&failing.message);
    finding.meaning = match errors.len() {
        0 => failing.message.clone(),
        number => format!("{}:\n{}", words::count(number, "error"), errors.join("\n")),
    };
    if early(look) {
        finding.meaning.push_str(
            "\nLow confidence: when errors of different kinds meet, a degraded operator is called failing at once, without \
             its 40 minutes; that may pass by itself.",
        );
    }
    finding.evidence.extend(errors.iter().map(|error| field("Failing.message", *error, failing.since)));
    finding.remedies.insert(0, Remedy::look("Look at each error by itself: they rarely have one cause."));
    found.push(finding);
}
