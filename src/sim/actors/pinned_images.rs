//! Images that nodes fetch before they need them: the PinnedImageSets of each pool, and how far its nodes are.
//!
//! Rules: machine-config-operator, pkg/controller/pinnedimageset (a pool takes the sets that its machineConfigSelector
//! selects) and pkg/daemon/pinned_image_set.go (generations and conditions in the MachineConfigNode).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::world::{Actor, World};
use crate::sim::cluster::object::{Condition, items, name, number, set_condition};
use crate::sim::kinds::Res;
use crate::sim::scenario::MishapKind;
use crate::sim::selector::label_selector_matches;

/// The sets of a pool: name and generation.
type Sets = BTreeMap<String, i64>;

/// The prefetchers of all nodes.
#[derive(Debug, Default)]
pub struct PinnedImages {
    /// When a node is done with a generation of a set.
    due: BTreeMap<(String, String, i64), Duration>,
    /// What pools were told last.
    told: BTreeMap<String, Sets>,
}

impl Actor for PinnedImages {
    fn step(&mut self, world: &mut World) {
        if !world.store.served(Res::PINNED_IMAGE_SETS) || !world.store.served(Res::MACHINE_CONFIG_NODES) {
            return;
        }
        let all = world.store.list(Res::PINNED_IMAGE_SETS);
        if all.is_empty() && self.told.values().all(BTreeMap::is_empty) {
            return;
        }
        let pools: Vec<_> = world.seen.pools.values().map(|pool| pool.object.clone()).collect();
        for pool in pools {
            let selector = &pool["spec"]["machineConfigSelector"];
            let own = all.iter().filter(|set| label_selector_matches(selector, &set["metadata"]["labels"]));
            let sets: Sets = own.map(|set| (name(set).to_owned(), number(set, "/metadata/generation"))).collect();
            self.tell_pool(world, &pool, &sets);
            let nodes: Vec<String> = world.seen.nodes_of(name(&pool)).map(|node| node.view.name.clone()).collect();
            for node in &nodes {
                self.fetch(world, node, &sets);
            }
            count(world, &pool, &nodes, &sets);
        }
    }
}

impl PinnedImages {
    fn tell_pool(&mut self, world: &World, pool: &Value, sets: &Sets) {
        if self.told.get(name(pool)).is_none_or(|told| told.keys().ne(sets.keys())) {
            let names: Vec<Value> = sets.keys().map(|set| json!({"name": set})).collect();
            let known = items(pool, "/spec/pinnedImageSets");
            if known != names.as_slice() {
                world.store.update(Res::MACHINE_CONFIG_POOLS, None, name(pool), |pool| {
                    pool["spec"]["pinnedImageSets"] = json!(names);
                });
            }
        }
        self.told.insert(name(pool).to_owned(), sets.clone());
    }

    /// A node that cannot fetch is left to what keeps it from it.
    fn fetch(&mut self, world: &World, node: &str, sets: &Sets) {
        if world.mishaps.is_on(MishapKind::PinnedImagesFailing, node) {
            return;
        }
        let Some(object) = world.store.get(Res::MACHINE_CONFIG_NODES, None, node) else { return };
        let mut busy = false;
        let mut entries = Vec::new();
        for (set, generation) in sets {
            let key = (node.to_owned(), set.clone(), *generation);
            let known = items(&object, "/status/pinnedImageSets")
                .iter()
                .find(|it| it["name"] == *set)
                .and_then(|it| it["currentGeneration"].as_i64());
            let purpose = format!("pin {set} {generation} {node}");
            let due = *self.due.entry(key).or_insert_with(|| {
                // What a scenario begins with has been there for long.
                if world.unwatched || world.elapsed.is_zero() || known == Some(*generation) {
                    world.elapsed
                } else {
                    world.elapsed + world.around(&purpose, 45.0, 0.3)
                }
            });
            let done = world.elapsed >= due;
            busy |= !done;
            let mut entry = json!({"name": set, "desiredGeneration": generation});
            if done {
                entry["currentGeneration"] = json!(generation);
            } else if let Some(known) = known {
                entry["currentGeneration"] = json!(known);
            }
            entries.push(entry);
        }
        if items(&object, "/status/pinnedImageSets") == entries.as_slice() {
            return;
        }
        let (status, reason, message) = if busy {
            ("True", "ImagePrefetch", "node is prefetching images")
        } else {
            ("False", "AsExpected", "node is running with the latest pinned image sets")
        };
        world.store.update(Res::MACHINE_CONFIG_NODES, None, node, |object| {
            object["status"]["pinnedImageSets"] = json!(entries);
            let progressing = Condition::new("PinnedImageSetsProgressing", status, reason, message);
            set_condition(object, &progressing, world.now);
            let degraded = Condition::new("PinnedImageSetsDegraded", "False", "AsExpected", "All is good");
            set_condition(object, &degraded, world.now);
        });
    }
}

/// `status.poolSynchronizersStatus` of a pool (pkg/controller/node/status.go).
fn count(world: &World, pool: &Value, nodes: &[String], sets: &Sets) {
    let done = |node: &&String| {
        world.store.get(Res::MACHINE_CONFIG_NODES, None, node).is_some_and(|object| {
            let entries = items(&object, "/status/pinnedImageSets");
            entries.len() == sets.len() && entries.iter().all(|it| it["currentGeneration"] == it["desiredGeneration"])
        })
    };
    let updated = nodes.iter().filter(done).count();
    let status = json!([{
        "availableMachineCount": updated, "machineCount": nodes.len(), "observedGeneration": 1,
        "poolSynchronizerType": "PinnedImageSets", "readyMachineCount": updated,
        "unavailableMachineCount": nodes.len() - updated, "updatedMachineCount": updated,
    }]);
    if pool["status"]["poolSynchronizersStatus"] != status
        && (!sets.is_empty() || !pool["status"]["poolSynchronizersStatus"].is_null())
    {
        world.store.update(Res::MACHINE_CONFIG_POOLS, None, name(pool), |pool| {
            pool["status"]["poolSynchronizersStatus"] = status;
        });
    }
}
