//! Objects go with their owners.
//!
//! Rules: Kubernetes, pkg/controller/garbagecollector (owner references; background deletion). Watched are the owners
//! that the simulated cluster has; what they own is looked for only when one of them is gone.

use std::collections::BTreeSet;

use serde_json::Value;

use super::disruption;
use super::seen::{Mirror, Whole};
use super::world::{Actor, World};
use crate::sim::cluster::object::{items, name, namespace, text};
use crate::sim::kinds::Res;

/// Kinds whose objects others own.
const OWNED: [Res; 3] = [Res::DEPLOYMENTS, Res::REPLICA_SETS, Res::MACHINE_CONFIGS];

/// The collector.
#[derive(Debug, Default)]
pub struct GarbageCollector {
    /// Uids of UpdateServices, which no informer holds.
    services: BTreeSet<String>,
}

impl Actor for GarbageCollector {
    fn step(&mut self, world: &mut World) {
        let mut gone = self.services_gone(world);
        let seen = &world.seen;
        for mirror in [&seen.pools, &seen.deployments, &seen.replica_sets, &seen.stateful_sets, &seen.daemon_sets] {
            gone.extend(owners_gone(mirror));
        }
        if gone.is_empty() {
            return;
        }
        for res in OWNED {
            for object in world.store.list(res).iter().filter(|object| is_owned(object, &gone)) {
                let place = Some(namespace(object)).filter(|place| !place.is_empty());
                world.store.delete(res, place, name(object));
            }
        }
        for uid in &gone {
            let pods: Vec<_> = world.seen.pods_by(uid).map(|(_, pod)| pod.object.clone()).collect();
            for pod in pods {
                disruption::terminate(world, &pod);
            }
        }
    }
}

impl GarbageCollector {
    fn services_gone(&mut self, world: &World) -> BTreeSet<String> {
        let services = world.store.list(Res::UPDATE_SERVICES);
        let now: BTreeSet<String> = services.iter().map(|it| text(it, "/metadata/uid").to_owned()).collect();
        let gone = self.services.difference(&now).cloned().collect();
        self.services = now;
        gone
    }
}

fn owners_gone(mirror: &Mirror<Whole>) -> impl Iterator<Item = String> + '_ {
    let vanished = mirror.before.iter().filter(|(key, old)| {
        let uid = text(&old.object, "/metadata/uid");
        mirror.get(&key.0, &key.1).is_none_or(|now| text(&now.object, "/metadata/uid") != uid)
    });
    vanished.map(|(_, old)| text(&old.object, "/metadata/uid").to_owned())
}

fn is_owned(object: &Value, gone: &BTreeSet<String>) -> bool {
    items(object, "/metadata/ownerReferences").iter().any(|owner| gone.contains(text(owner, "/uid")))
}
