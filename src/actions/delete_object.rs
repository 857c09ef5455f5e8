//! Delete an object of the kinds that are applied from files.

use super::files::delete::plan;
use super::{
    ActionId, Arg, ArgKind, Ask, Danger, Entry, Material, Offered, Plan, Refusal, Session, Takes, Target, gate, pool,
};
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;

/// One of many: which is needed is known when the object is named.
const DELETE: Permission = Permission::cluster("delete", "machineconfiguration.openshift.io", "machineconfigs");

/// Delete an object.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::DeleteObject,
    name: "delete-object",
    word: "delete object",
    summary: "delete an object of the kinds that are applied from files",
    gerund: "deleting an object",
    dangers: &[Danger::L, Danger::M, Danger::H],
    takes: Takes::Cluster,
    args: &[
        Arg::word("resource", ArgKind::Text, "its resource, as oc takes it: imagedigestmirrorsets, machineconfigs ..."),
        Arg::word("name", ArgKind::Text, "its name, or NAMESPACE/NAME"),
    ],
    permissions: &[DELETE],
    needs: &[],
    inverse: Some(ActionId::ApplyFile),
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    if *target != Target::Cluster {
        return None;
    }
    let refusal = gate::session(assessment, session, pool::KINDS).err();
    let title = "Delete an object of the list".to_owned();
    Some(Offered { action: ActionId::DeleteObject, title, danger: Danger::M, refusal })
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    plan(&ENTRY, assessment, session, ask, material)
}
