//! `hop-refused`: the way from the present version to the one that was asked for is not allowed: over a minor, or back.

use super::release_not_accepted::{Refusal, refusal, refused};
use super::{Finding, Look};
use crate::upgrade::assessment::Remedy;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some((requested, Refusal::Hop)) = refusal(look) else { return };
    let back = requested.message.contains("ClusterVersionRollback") || requested.message.contains("LowDesiredVersion");
    let from = look.now.update.to.as_deref().unwrap_or("the present version");
    let (meaning, remedy) = if back {
        (
            "An update only goes forward; the only way back is to the release that was applied just before, within the same \
             minor.",
            "Stay, or go forward to a release that holds the fix.",
        )
    } else {
        (
            "Minors are updated one at a time, control-plane-only updates too: those only pause the worker pools between the \
             hops.",
            "Choose a release of the next minor, and go on from there.",
        )
    };
    let remedies = vec![Remedy::look(remedy).oc("oc adm upgrade recommend")];
    found.push(refused(
        look,
        "hop-refused",
        requested,
        format!("there is no way from {from} to {} in one step", requested.target),
        meaning,
        remedies,
    ));
}
