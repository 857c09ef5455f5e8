//! `payload-pull-failed`: the image of the release that was asked for cannot be pulled or loaded.

use super::release_not_accepted::{Refusal, refusal, refused};
use super::{Finding, Look};
use crate::upgrade::assessment::Remedy;

/// The pod that pulls a release (cluster-version-operator, pkg/cvo/updatepayload.go).
const PULLING: &str = "oc get pods -n openshift-cluster-version -l k8s-app=retrieve-openshift-release -o wide";

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some((requested, Refusal::Pull)) = refusal(look) else { return };
    found.push(refused(
        look,
        "payload-pull-failed",
        requested,
        format!("the image of {} cannot be pulled", requested.target),
        "Pulling it has a budget of 4 minutes. A time-out is tried again by itself; an image that is not there is not.",
        vec![
            Remedy::look("Look at the pod that pulls it and at its events.").oc(PULLING),
            Remedy::look("Look whether a mirror set names the repository, and whether the mirror holds the digest.")
                .oc("oc get imagedigestmirrorsets,imagetagmirrorsets,imagecontentsourcepolicies"),
            // Its content is nobody's to see on a screen: what it is of, and how large.
            Remedy::look("Make sure that the pull secret has the registry's credentials.")
                .oc("oc describe secret pull-secret -n openshift-config"),
        ],
    ));
}
