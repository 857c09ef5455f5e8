//! Apply the signature of a release from a file, where the cluster cannot reach the signature stores.

use super::files::apply::{Rules, plan};
use super::files::kinds::Role;
use super::raw::permission;
use super::{
    ActionId, Arg, ArgKind, Ask, Danger, Entry, Material, Offered, Plan, Refusal, Session, Takes, Target, gate,
};
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;

const NAMESPACE: &str = "openshift-config-managed";
const CREATE: Permission = permission("create", "", "configmaps", NAMESPACE);
const PATCH: Permission = permission("patch", "", "configmaps", NAMESPACE);

const RULES: Rules = Rules { entry: &ENTRY, roles: &[Role::Signature], wants: "signatures of releases", kinds: &[] };

/// Apply a signature.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::ApplySignature,
    name: "apply-signature",
    word: "apply signature",
    summary: "apply the signature of a release that is asked for, as mirroring has written it",
    gerund: "applying a signature",
    dangers: &[Danger::L],
    takes: Takes::Cluster,
    args: &[
        Arg::word("file", ArgKind::File, "the file that mirroring has written: signature-sha256-....yaml"),
        Arg::option(
            "for",
            ArgKind::Text,
            "the release that will be asked for: its digest (sha256:...), or its image by digest",
        ),
    ],
    permissions: &[CREATE, PATCH],
    needs: &[],
    inverse: Some(ActionId::DeleteObject),
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    if *target != Target::Cluster {
        return None;
    }
    let refusal = available(assessment, session).err();
    let title = "Apply the signature of a release".to_owned();
    Some(Offered { action: ActionId::ApplySignature, title, danger: Danger::L, refusal })
}

fn available(assessment: &Assessment, session: &Session) -> Result<(), Refusal> {
    gate::session(assessment, session, RULES.kinds)?;
    gate::permitted(assessment, &CREATE)
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    available(assessment, session)?;
    plan(&RULES, assessment, session, ask, material)
}
