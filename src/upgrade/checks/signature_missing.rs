//! `signature-missing`: the release that was asked for cannot be verified.

use super::release::DISCONNECTED;
use super::release_not_accepted::{Refusal, refusal, refused};
use super::{Finding, Look, evidence};
use crate::upgrade::assessment::Remedy;
use crate::upgrade::danger::Danger;

/// Signatures as ConfigMaps (cluster-version-operator; oc-mirror and `oc adm release mirror` write them).
pub(in crate::upgrade) const SIGNATURES: &str =
    "oc get configmaps -n openshift-config-managed -l release.openshift.io/verification-signatures";

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some((requested, Refusal::Signature)) = refusal(look) else { return };
    let wanted = look.version().and_then(|version| version.spec.desired_update.as_ref());
    let digest = wanted.and_then(|wanted| wanted.image.split_once('@')).map(|(_, digest)| digest.to_owned());
    let mut finding = refused(
        look,
        "signature-missing",
        requested,
        format!("the release {} cannot be verified", requested.target),
        "No good signature was found for its digest, neither in the signature stores nor in a ConfigMap of the cluster. Without \
         a connection to the stores its ConfigMap has to be brought along with the mirrored images.",
        vec![
            Remedy::look("See which signatures the cluster has.").oc(SIGNATURES),
            Remedy::change(Danger::L, "Apply the signature ConfigMap that mirroring the release has written.")
                .oc("oc apply -f signature-sha256-DIGEST.yaml"),
            Remedy::look(
                "Do not force it: that switches off the verification as a whole and is remembered in the history for good.",
            ),
        ],
    );
    finding.link = Some(DISCONNECTED.to_owned());
    finding.evidence.extend(
        digest.map(|digest| evidence("clusterversion/version".to_owned(), "spec.desiredUpdate.image", digest, None)),
    );
    found.push(finding);
}
