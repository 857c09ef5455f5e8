//! Delete an object of the kinds that are applied from files.

use super::files::{delete, kinds};
use super::{ActionId, Ask, Danger, Entry, Material, Offered, Plan, Refusal, Session, Takes, Target, gate, pool};
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::{Assessment, Resource};

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
    takes: Takes::Listed,
    args: &[],
    permissions: &[DELETE],
    needs: &[],
    inverse: Some(ActionId::ApplyFile),
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let live = gate::session(assessment, session, pool::KINDS);
    let (title, may) = match target {
        Target::Cluster => ("Delete an object of the list".to_owned(), Ok(())),
        Target::Objects(objects) => match objects.as_slice() {
            [one] => delete::offered(assessment, one)?,
            _ => return None,
        },
        _ => return None,
    };
    let refusal = live.and(may).err();
    Some(Offered { action: ActionId::DeleteObject, title, danger: Danger::M, refusal })
}

/// The wish to delete an object of these kinds.
pub(super) fn wish(kind: &str, namespace: &str, name: &str) -> Ask {
    let resource = kinds::resource_named(kind).unwrap_or_else(|| kind.to_owned());
    let object = Resource { resource, namespace: namespace.to_owned(), name: name.to_owned() };
    Ask::new(ActionId::DeleteObject, Target::Objects(vec![object]))
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    delete::plan(&ENTRY, assessment, session, ask, material)
}
