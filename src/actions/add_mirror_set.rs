//! Add mirrors from a file: where images by digest are pulled from in a disconnected cluster.

use super::files::apply::{Rules, plan};
use super::files::kinds::Role;
use super::{
    ActionId, Arg, ArgKind, Ask, Danger, Entry, Material, Offered, Plan, Refusal, Session, Takes, Target, gate, pool,
};
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;

const CREATE: Permission = Permission::cluster("create", "config.openshift.io", "imagedigestmirrorsets");
const PATCH: Permission = Permission::cluster("patch", "config.openshift.io", "imagedigestmirrorsets");
/// Releases before 4.13.
const CREATE_OLDER: Permission = Permission::cluster("create", "operator.openshift.io", "imagecontentsourcepolicies");

const RULES: Rules = Rules {
    entry: &ENTRY,
    roles: &[Role::DigestMirrors, Role::ContentSources],
    wants: "ImageDigestMirrorSets (ImageContentSourcePolicies before 4.13)",
    kinds: pool::KINDS,
};

/// Add mirrors.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::AddMirrorSet,
    name: "add-mirror-set",
    word: "add mirrors",
    summary: "add an ImageDigestMirrorSet (before 4.13 an ImageContentSourcePolicy) from a file",
    gerund: "adding mirrors",
    dangers: &[Danger::L, Danger::M],
    takes: Takes::Cluster,
    args: &[Arg::word("file", ArgKind::File, "the mirror set that mirroring has written")],
    permissions: &[CREATE, PATCH, CREATE_OLDER],
    needs: &[],
    inverse: Some(ActionId::DeleteObject),
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    if *target != Target::Cluster {
        return None;
    }
    let refusal = gate::session(assessment, session, RULES.kinds).err();
    let title = "Add mirrors from a file".to_owned();
    Some(Offered { action: ActionId::AddMirrorSet, title, danger: Danger::L, refusal })
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    plan(&RULES, assessment, session, ask, material)
}
