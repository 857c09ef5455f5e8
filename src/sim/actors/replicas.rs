//! The controllers that keep pods in number: Deployments, ReplicaSets, StatefulSets, DaemonSets, and the operators'
//! guards of static pods.
//!
//! Rules: Kubernetes, pkg/controller/{deployment,replicaset,statefulset,daemon}; library-go, guards of static pods.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::disruption;
use super::seen::{Entry, Key, PodView, Whole};
use super::world::{Actor, World};
use crate::sim::cluster::object::{Condition, hex, items, name, namespace, number, set_condition, status, text};
use crate::sim::cluster::platform::{self, STATIC_PODS};
use crate::sim::cluster::workloads::{bind, claims, owned_by, pod, replica_set, run, template_hash};
use crate::sim::kinds::Res;

/// The controllers.
#[derive(Debug, Default)]
pub struct Replicas {
    born: u64,
}

impl Actor for Replicas {
    fn step(&mut self, world: &mut World) {
        let owners = touched_owners(world);
        let sets: BTreeSet<&str> = world
            .seen
            .replica_sets
            .changed
            .iter()
            .filter_map(|key| world.seen.replica_sets.get(&key.0, &key.1))
            .map(|set| owner_uid(&set.object))
            .collect();
        for deployment in due(&world.seen.deployments, !sets.is_empty(), |uid| sets.contains(uid)) {
            deploy(world, &deployment);
        }
        let moved = !owners.is_empty();
        for set in due(&world.seen.replica_sets, moved, |uid| owners.contains(uid)) {
            self.replicate(world, &set);
        }
        for set in due(&world.seen.stateful_sets, moved, |uid| owners.contains(uid)) {
            order(world, &set);
        }
        let nodes = &world.seen.nodes;
        let known: BTreeSet<&Key> = nodes.before.iter().map(|(key, _)| key).collect();
        let joined = nodes.changed.iter().any(|key| !known.contains(key))
            || known.iter().any(|key| nodes.get(&key.0, &key.1).is_none());
        for set in due(&world.seen.daemon_sets, moved || joined, |uid| joined || owners.contains(uid)) {
            self.spread(world, &set);
        }
        guards(world);
    }
}

/// Uids of owners whose pods appeared, changed or vanished.
fn touched_owners(world: &World) -> BTreeSet<String> {
    let pods = &world.seen.pods;
    let now = pods.changed.iter().filter_map(|key| pods.get(&key.0, &key.1)).map(|pod| pod.view.owner.clone());
    now.chain(pods.before.iter().map(|(_, pod)| pod.view.owner.clone())).collect()
}

/// Objects that changed themselves, or are concerned otherwise, which is asked only when something is.
fn due(mirror: &super::seen::Mirror<Whole>, any: bool, concerned: impl Fn(&str) -> bool) -> Vec<std::sync::Arc<Value>> {
    if !any {
        let changed = mirror.changed.iter().filter_map(|key| mirror.get(&key.0, &key.1));
        return changed.map(|entry| std::sync::Arc::clone(&entry.object)).collect();
    }
    mirror
        .iter()
        .filter(|(key, entry)| mirror.changed.contains(*key) || concerned(text(&entry.object, "/metadata/uid")))
        .map(|(_, entry)| std::sync::Arc::clone(&entry.object))
        .collect()
}

fn owner_uid(object: &Value) -> &str {
    items(object, "/metadata/ownerReferences").first().map_or("", |owner| text(owner, "/uid"))
}

fn deploy(world: &World, deployment: &Value) {
    let place = namespace(deployment);
    let uid = text(deployment, "/metadata/uid");
    let replicas = number(deployment, "/spec/replicas");
    let hash = template_hash(&deployment["spec"]["template"]);
    let wanted = format!("{}-{hash}", name(deployment));
    let sets: Vec<&Entry<Whole>> =
        world.seen.replica_sets.in_namespace(place).filter(|set| owner_uid(&set.object) == uid).collect();
    let revision = sets.iter().filter_map(|set| revision(&set.object)).max().unwrap_or_default();
    let Some(current) = sets.iter().find(|set| name(&set.object) == wanted) else {
        world.store.create(Res::REPLICA_SETS, replica_set(deployment, replicas, revision + 1), world.now);
        world.store.update(Res::DEPLOYMENTS, Some(place), name(deployment), |object| {
            object["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!((revision + 1).to_string());
        });
        return;
    };
    scale(world, &current.object, replicas);
    let ready = number(&current.object, "/status/readyReplicas");
    if ready >= replicas {
        for old in sets.iter().filter(|set| name(&set.object) != wanted) {
            scale(world, &old.object, 0);
        }
    }
    let total: i64 = sets.iter().map(|set| number(&set.object, "/status/replicas")).sum();
    let all_ready: i64 = sets.iter().map(|set| number(&set.object, "/status/readyReplicas")).sum();
    let updated = number(&current.object, "/status/replicas");
    let now = world.now;
    world.store.update(Res::DEPLOYMENTS, Some(place), name(deployment), |object| {
        let generation = object["metadata"]["generation"].clone();
        let fields = &mut object["status"];
        fields["observedGeneration"] = generation;
        fields["replicas"] = json!(total);
        fields["updatedReplicas"] = json!(updated);
        fields["readyReplicas"] = json!(all_ready);
        fields["availableReplicas"] = json!(all_ready);
        fields["unavailableReplicas"] = json!((replicas - all_ready).max(0));
        let available = all_ready >= replicas - (replicas / 4);
        let (reason, message) = if available {
            ("MinimumReplicasAvailable", "Deployment has minimum availability.")
        } else {
            ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        };
        set_condition(object, &Condition::new("Available", status(available), reason, message), now);
        let (reason, message) = if ready >= replicas {
            ("NewReplicaSetAvailable", format!("ReplicaSet {wanted:?} has successfully progressed."))
        } else {
            ("ReplicaSetUpdated", format!("ReplicaSet {wanted:?} is progressing."))
        };
        set_condition(object, &Condition::new("Progressing", "True", reason, &message), now);
    });
}

fn revision(set: &Value) -> Option<i64> {
    set["metadata"]["annotations"]["deployment.kubernetes.io/revision"].as_str()?.parse().ok()
}

fn scale(world: &World, set: &Value, replicas: i64) {
    if number(set, "/spec/replicas") != replicas {
        world.store.update(Res::REPLICA_SETS, Some(namespace(set)), name(set), |set| {
            set["spec"]["replicas"] = json!(replicas);
        });
    }
}

/// The pods of an owner: those that count, and how many of them are ready.
fn own<'a>(world: &'a World, owner: &Value) -> (Vec<(&'a Key, &'a Entry<PodView>)>, i64) {
    let pods: Vec<_> = world
        .seen
        .pods_by(text(owner, "/metadata/uid"))
        .filter(|(_, pod)| !pod.view.deleting && !pod.view.completed())
        .collect();
    let ready = pods.iter().filter(|(_, pod)| pod.view.ready).count() as i64;
    (pods, ready)
}

impl Replicas {
    /// A tail for a pod's name that was not used before.
    fn tail(&mut self, world: &World, owner: &Value) -> String {
        self.born += 1;
        hex(&format!("{}/{} {} {}", namespace(owner), name(owner), self.born, world.dice.0), 5)
    }

    fn replicate(&mut self, world: &World, set: &Value) {
        let place = namespace(set);
        let (pods, ready) = own(world, set);
        let wanted = number(set, "/spec/replicas");
        for _ in (pods.len() as i64)..wanted {
            let pod_name = format!("{}-{}", name(set), self.tail(world, set));
            let object = pod(&set["spec"]["template"], place, &pod_name, owned_by(set));
            world.store.create(Res::PODS, object, world.now);
        }
        // Pods that are not ready, then the youngest, go first (controller.ActivePods).
        let mut surplus: Vec<&(&Key, &Entry<PodView>)> = pods.iter().collect();
        surplus.sort_by_key(|(_, pod)| (pod.view.ready, std::cmp::Reverse(pod.view.born)));
        for (_, pod) in surplus.into_iter().take((pods.len() as i64 - wanted).max(0) as usize) {
            disruption::terminate(world, &pod.object);
        }
        world.store.update(Res::REPLICA_SETS, Some(place), name(set), |object| {
            let generation = object["metadata"]["generation"].clone();
            let count = pods.len();
            object["status"] = json!({
                "availableReplicas": ready, "fullyLabeledReplicas": count, "observedGeneration": generation,
                "readyReplicas": ready, "replicas": count,
            });
        });
    }

    fn spread(&mut self, world: &World, set: &Value) {
        let place = namespace(set);
        let uid = text(set, "/metadata/uid");
        let mut there: BTreeSet<&str> = BTreeSet::new();
        let (mut ready, mut scheduled) = (0, 0);
        for (_, pod) in world.seen.pods_by(uid) {
            there.insert(pod.view.node.as_str());
            if !pod.view.deleting {
                scheduled += 1;
                ready += i64::from(pod.view.ready);
            }
        }
        let wanted = world.seen.nodes.values().filter(|node| !node.view.windows).count();
        let missing: Vec<String> = if there.len() < wanted {
            world
                .seen
                .nodes
                .values()
                .filter(|node| !node.view.windows)
                .map(|node| node.view.name.clone())
                .filter(|node| !there.contains(node.as_str()))
                .collect()
        } else {
            Vec::new()
        };
        for node in missing {
            let pod_name = format!("{}-{}", name(set), self.tail(world, set));
            let mut object = pod(&set["spec"]["template"], place, &pod_name, owned_by(set));
            bind(&mut object, &node, world.now);
            world.store.create(Res::PODS, object, world.now);
        }
        world.store.update(Res::DAEMON_SETS, Some(place), name(set), |object| {
            let generation = object["metadata"]["generation"].clone();
            object["status"] = json!({
                "currentNumberScheduled": scheduled, "desiredNumberScheduled": wanted, "numberAvailable": ready,
                "numberMisscheduled": 0, "numberReady": ready, "numberUnavailable": wanted as i64 - ready,
                "observedGeneration": generation, "updatedNumberScheduled": scheduled,
            });
        });
    }
}

/// StatefulSets make their pods in order, each when the one before is ready, and keep their names.
fn order(world: &World, set: &Value) {
    let place = namespace(set);
    let wanted = number(set, "/spec/replicas");
    let mut ready = 0;
    let mut there = 0;
    let mut may_create = true;
    for index in 0..wanted {
        let pod_name = format!("{}-{index}", name(set));
        match world.store.get(Res::PODS, Some(place), &pod_name) {
            Some(object) => {
                let view = <PodView as super::seen::View>::read(&object);
                there += 1;
                ready += i64::from(view.ready && !view.deleting);
                may_create &= view.ready && !view.deleting;
            }
            None if may_create => {
                let mut object = pod(&set["spec"]["template"], place, &pod_name, owned_by(set));
                object["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] = json!(pod_name);
                object["metadata"]["labels"]["apps.kubernetes.io/pod-index"] = json!(index.to_string());
                for claim in claims(set, &mut object) {
                    if world.store.get(Res::PERSISTENT_VOLUME_CLAIMS, Some(place), name(&claim)).is_none() {
                        world.store.create(Res::PERSISTENT_VOLUME_CLAIMS, claim, world.now);
                    }
                }
                world.store.create(Res::PODS, object, world.now);
                may_create = false;
            }
            None => {}
        }
    }
    let (pods, _) = own(world, set);
    for (_, pod) in pods {
        let ordinal = name(&pod.object).rsplit_once('-').and_then(|(_, ordinal)| ordinal.parse::<i64>().ok());
        if ordinal.is_some_and(|ordinal| ordinal >= wanted) {
            disruption::terminate(world, &pod.object);
        }
    }
    let hash = template_hash(&set["spec"]["template"]);
    world.store.update(Res::STATEFUL_SETS, Some(place), name(set), |object| {
        let generation = object["metadata"]["generation"].clone();
        let revision = format!("{}-{hash}", name(set));
        object["status"] = json!({
            "availableReplicas": ready, "collisionCount": 0, "currentReplicas": there, "currentRevision": revision,
            "observedGeneration": generation, "readyReplicas": ready, "replicas": there,
            "updateRevision": revision, "updatedReplicas": there,
        });
    });
}

/// Guard pods stand on every control plane node that can take pods; static pods come back by themselves.
fn guards(world: &World) {
    let concerns = |key: &Key| STATIC_PODS.iter().any(|(place, _)| key.0 == *place);
    let news = world.seen.nodes.changed.iter().any(|(_, node)| world.seen.pool_of(node) == Some("master"))
        || world.seen.pods.before.iter().any(|(key, _)| concerns(key));
    if !news {
        return;
    }
    let masters: Vec<&Entry<super::seen::NodeView>> = world.seen.nodes_of("master").collect();
    for (place, app) in STATIC_PODS {
        for master in &masters {
            let node = &master.view;
            let version = text(&master.object, "/status/nodeInfo/kubeletVersion");
            let static_name = format!("{app}-{}", node.name);
            if node.ready && world.store.get(Res::PODS, Some(place), &static_name).is_none() {
                let mut template = crate::sim::cluster::workloads::Template::new(app, String::new(), "");
                template.image = crate::sim::cluster::release::component_image(version, app);
                template.tolerates_all = true;
                template.labels = json!({"k8s-app": app});
                let mut object = pod(&template.object(), place, &static_name, Value::Null);
                platform::mirror(&world.store, &mut object, &node.name, version);
                bind(&mut object, &node.name, world.now);
                run(&mut object, world.now);
                world.store.create(Res::PODS, object, world.now);
            }
            let guard = platform::guard_pod(place, app, &node.name, version);
            if node.ready && !node.unschedulable && world.store.get(Res::PODS, Some(place), name(&guard)).is_none() {
                let mut guard = guard;
                bind(&mut guard, &node.name, world.now);
                world.store.create(Res::PODS, guard, world.now);
            }
        }
    }
}
