//! Apply objects from a file, of the kinds that the procedures of an update need.

use super::files::apply::{Rules, plan};
use super::files::kinds::Role;
use super::{
    ActionId, Arg, ArgKind, Ask, Danger, Entry, Material, Offered, Plan, Refusal, Session, Takes, Target, gate, pool,
};
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;

/// One of many: which are needed is known when the file is read, and the rest is asked by the dry run.
const CREATE: Permission = Permission::cluster("create", "machineconfiguration.openshift.io", "machineconfigs");
const PATCH: Permission = Permission::cluster("patch", "machineconfiguration.openshift.io", "machineconfigs");

const RULES: Rules = Rules { entry: &ENTRY, roles: &[] as &[Role], wants: "", kinds: pool::KINDS };

/// Apply a file.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::ApplyFile,
    name: "apply-file",
    word: "apply file",
    summary: "apply objects from a file (mirror sets, signatures, certificates and who trusts them, pull secret, machine configuration ...)",
    gerund: "applying a file",
    dangers: &[Danger::L, Danger::M],
    takes: Takes::Cluster,
    args: &[
        Arg::word("file", ArgKind::File, "objects in YAML or JSON, of the kinds on the list"),
        Arg::option(
            "requests",
            ArgKind::File,
            "CredentialsRequests of the release to come, which say what Secrets and namespaces it needs",
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
    let refusal = gate::session(assessment, session, RULES.kinds).err();
    Some(Offered { action: ActionId::ApplyFile, title: "Apply a file".to_owned(), danger: Danger::M, refusal })
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    plan(&RULES, assessment, session, ask, material)
}
