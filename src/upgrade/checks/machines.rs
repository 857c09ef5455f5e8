//! What the findings about Machines share.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Look, Resource};
use crate::api::metadata::deleted;
use crate::api::{Machine, Node};

/// The namespace of the machine API.
pub(super) const NAMESPACE: &str = "openshift-machine-api";

/// The Machine behind a node.
pub(super) fn of<'a>(look: &'a Look, node: &str) -> Option<&'a Machine> {
    let machines = &look.now.facts.around.machines;
    let by_reference = machines.iter().find(|machine| machine.status.node.name == node);
    let by_annotation = || {
        let node: &Node = super::node_conditions::object(look, node)?;
        let (_, name) = node.annotation("machine.openshift.io/machine")?.split_once('/')?;
        machines.iter().find(|machine| machine.name() == name)
    };
    by_reference.or_else(by_annotation).map(AsRef::as_ref)
}

/// The Machine behind a node, when it is being deleted.
pub(super) fn deleting<'a>(look: &'a Look, node: &str) -> Option<&'a Machine> {
    of(look, node).filter(|machine| goes(machine))
}

/// Is it being deleted?
pub(super) fn goes(machine: &Machine) -> bool {
    machine.status.phase == "Deleting" || deleted(&machine.metadata).is_some()
}

/// When its deletion was asked for.
pub(super) fn asked(machine: &Machine) -> Option<DateTime<Utc>> {
    let grace = machine.metadata.deletion_grace_period_seconds.unwrap_or_default().clamp(0, 1 << 32);
    deleted(&machine.metadata).and_then(|at| at.checked_sub_signed(TimeDelta::seconds(grace)))
}

/// Its address.
pub(super) fn address(machine: &Machine) -> Resource {
    let namespace = machine.metadata.namespace.as_deref().unwrap_or(NAMESPACE);
    Resource::namespaced("machines.machine.openshift.io", namespace, machine.name())
}
