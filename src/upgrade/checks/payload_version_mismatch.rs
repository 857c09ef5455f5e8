//! `payload-version-mismatch`: the image that was asked for holds another version than the one that was asked for.

use super::release::field;
use super::release_not_accepted::{Refusal, refusal, refused};
use super::{Finding, Look};
use crate::upgrade::assessment::Remedy;
use crate::upgrade::danger::Danger;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some((requested, Refusal::Version)) = refusal(look) else { return };
    let mut finding = refused(
        look,
        "payload-version-mismatch",
        requested,
        format!("the image that was asked for is not {}", requested.target),
        "Version and image of the request do not belong together, or the update service names the wrong image.",
        vec![
            Remedy::look("See which version the image holds.").oc("oc adm release info IMAGE"),
            Remedy::change(Danger::M, "Ask again, with a version and the image that belongs to it.")
                .oc("oc adm upgrade --to=VERSION"),
        ],
    );
    let wanted = look.version().and_then(|version| version.spec.desired_update.as_ref());
    finding.evidence.extend(wanted.map(|wanted| field("spec.desiredUpdate.image", wanted.image.clone(), None)));
    found.push(finding);
}
