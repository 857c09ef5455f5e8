//! `preflight-mode-left`: the request says that the release is only to be checked. A new target does not take that away:
//! `oc adm upgrade --to` merges its request over it.

use super::release::field;
use super::{Finding, Impact, Level, Look, Subject, finding};
use crate::upgrade::assessment::Remedy;
use crate::upgrade::danger::Danger;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(wanted) = look.version().and_then(|version| version.spec.desired_update.as_ref()) else { return };
    if wanted.mode != "Preflight" {
        return;
    }
    let target = if wanted.version.is_empty() { &wanted.image } else { &wanted.version };
    found.push(Finding {
        impact: Impact::UpdateStalled,
        meaning:
            "The release is retrieved and its preconditions are judged; nothing is applied. Asking for another version \
                  leaves the mode as it is."
                .to_owned(),
        remedies: vec![
            Remedy::change(Danger::M, "Take the mode away: the update to the requested version then begins.")
                .oc("oc patch clusterversion version --type=json --patch \
                 '[{\"op\":\"remove\",\"path\":\"/spec/desiredUpdate/mode\"}]'"),
        ],
        evidence: vec![
            field("spec.desiredUpdate.mode", "Preflight", None),
            field("spec.desiredUpdate.version", target.clone(), None),
        ],
        ..finding(
            "preflight-mode-left",
            Level::Warning,
            Subject::Version,
            format!(
                "{} is only being checked, not applied: the request is a preflight",
                if target.is_empty() { "the release" } else { target }
            ),
        )
    });
}
