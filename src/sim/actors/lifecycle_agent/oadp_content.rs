//! The content of an upgrade: manifests in ConfigMaps, Backups before the pivot, what goes over with it, Restores after
//! it.
//!
//! Rules: lifecycle-agent, internal/backuprestore and internal/extramanifest.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::sim::actors::disk::{Carried, Stateroot};
use crate::sim::actors::world::World;
use crate::sim::cluster::image_based::{OADP, WAVE, volumes};
use crate::sim::cluster::object::{annotation, flag, items, name, text};
use crate::sim::cluster::{Builder, image_based, workloads};
use crate::sim::kinds::Res;
use crate::sim::scenario::MishapKind;

/// The label of Backups that the agent made.
pub const MADE: &str = "lca.openshift.io/backup";
/// Kinds that extra manifests may not have.
const REFUSED: [&str; 4] = ["MachineConfig", "ClusterServiceVersion", "InstallPlan", "Subscription"];

/// The ConfigMaps of a list in the spec that are not there, as `namespace/name`.
pub fn missing(world: &World, upgrade: &Value, list: &str) -> Vec<String> {
    references(upgrade, list)
        .filter(|(namespace, name)| world.store.get(Res::CONFIGMAPS, Some(namespace), name).is_none())
        .map(|(namespace, name)| format!("{namespace}/{name}"))
        .collect()
}

fn references<'u>(upgrade: &'u Value, list: &str) -> impl Iterator<Item = (&'u str, &'u str)> {
    items(upgrade, &format!("/spec/{list}")).iter().map(|it| (text(it, "/namespace"), text(it, "/name")))
}

/// All manifests in the ConfigMaps of a list in the spec.
///
/// # Errors
/// What cannot be read, in words.
pub fn manifests(world: &World, upgrade: &Value, list: &str) -> Result<Vec<Value>, String> {
    let mut found = Vec::new();
    for (namespace, name) in references(upgrade, list) {
        let Some(map) = world.store.get(Res::CONFIGMAPS, Some(namespace), name) else { continue };
        for (key, data) in map["data"].as_object().into_iter().flatten() {
            for document in documents(data.as_str().unwrap_or_default()) {
                let manifest: Value = serde_saphyr::from_str(&document)
                    .map_err(|error| format!("failed to decode {key} of configmap {namespace}/{name}: {error}"))?;
                found.push(manifest);
            }
        }
    }
    Ok(found)
}

fn documents(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for line in text.lines() {
        if line.trim_end() == "---" {
            all.push(String::new());
        } else if let Some(last) = all.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    all.retain(|document| !document.trim().is_empty());
    all
}

/// Why the extra manifests may not be applied.
pub fn refused_manifest(manifests: &[Value]) -> Option<String> {
    let refused = manifests.iter().find(|manifest| REFUSED.contains(&text(manifest, "/kind")))?;
    Some(format!("{} is not allowed in extraManifests: {}", text(refused, "/kind"), name(refused)))
}

/// Manifests of a kind, in groups by wave.
pub fn waves(manifests: Vec<Value>, kind: &str) -> Vec<Vec<Value>> {
    let mut groups: BTreeMap<u32, Vec<Value>> = BTreeMap::new();
    for manifest in manifests.into_iter().filter(|manifest| manifest["kind"] == kind) {
        let wave = annotation(&manifest, WAVE).parse().unwrap_or(u32::MAX);
        groups.entry(wave).or_default().push(manifest);
    }
    groups.into_values().collect()
}

/// Creates Backups or Restores.
pub fn ask(world: &World, kind: Res, manifests: &[Value]) {
    for manifest in manifests {
        let mut object = manifest.clone();
        object["metadata"]["namespace"] = json!(OADP);
        if kind == Res::BACKUPS {
            let cluster = world.store.get(Res::CLUSTER_VERSIONS, None, "version");
            let id = cluster.as_ref().map_or("", |cluster| text(cluster, "/spec/clusterID"));
            object["metadata"]["labels"][MADE] = json!(id);
        }
        world.store.create(kind, object, world.now);
    }
}

/// How far Backups or Restores are: all completed, or still at work, or what has failed.
///
/// # Errors
/// The names and phases of those that failed.
pub fn progress(world: &World, kind: Res, manifests: &[Value]) -> Result<bool, String> {
    let mut failed = Vec::new();
    let mut done = true;
    for manifest in manifests {
        let object = world.store.get(kind, Some(OADP), name(manifest));
        let phase = object.as_ref().map_or("", |object| text(object, "/status/phase"));
        match phase {
            "Completed" => {}
            "FailedValidation" | "PartiallyFailed" | "Failed" => failed.push(format!("{} ({phase})", name(manifest))),
            _ => done = false,
        }
    }
    if failed.is_empty() { Ok(done) } else { Err(failed.join(", ")) }
}

/// What goes over to the new stateroot.
pub fn export(world: &World, upgrade: &Value) -> Carried {
    let oadp = manifests(world, upgrade, "oadpContent").unwrap_or_default();
    let strip = |object: &Value| {
        let mut object = object.clone();
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.retain(|field, _| matches!(field.as_str(), "name" | "namespace" | "labels" | "annotations"));
        }
        object
    };
    let made = |backup: &&Arc<Value>| !backup["metadata"]["labels"][MADE].is_null();
    let backups = world.store.list(Res::BACKUPS).iter().filter(made).map(|backup| strip(backup)).collect();
    let mut protection = Vec::new();
    if world.strikes(MishapKind::DataProtectionMissing, "").is_none() {
        let secrets =
            world.store.list(Res::SECRETS).into_iter().filter(|secret| secret["metadata"]["namespace"] == OADP);
        protection.extend(secrets.map(|secret| (Res::SECRETS, strip(&secret))));
        for application in world.store.list(Res::DATA_PROTECTION_APPLICATIONS) {
            let mut object = strip(&application);
            if let Some(fields) = object.as_object_mut() {
                fields.remove("status");
            }
            protection.push((Res::DATA_PROTECTION_APPLICATIONS, object));
        }
    }
    Carried {
        restores: oadp.into_iter().filter(|manifest| manifest["kind"] == "Restore").collect(),
        backups,
        protection,
        manifests: manifests(world, upgrade, "extraManifests").unwrap_or_default(),
    }
}

/// Puts back what OADP needs, as soon as the agent runs in the new stateroot.
pub fn import(world: &World) {
    for (kind, object) in &world.disk.carried.protection {
        world.store.create(*kind, object.clone(), world.now);
    }
}

/// Applies the extra manifests: those of kinds that the cluster serves.
///
/// # Errors
/// The first kind that it does not serve.
pub fn apply(world: &World) -> Result<(), String> {
    for manifest in &world.disk.carried.manifests {
        let group = text(manifest, "/apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
        let kind = text(manifest, "/kind");
        let info = world.store.find_kind(group, kind).filter(|info| world.store.served(info.res()));
        let info = info.ok_or_else(|| format!("no matches for kind \"{kind}\" in group \"{group}\""))?;
        world.store.create(info.res(), manifest.clone(), world.now);
    }
    Ok(())
}

/// The applications that completed Restores bring back: those of the namespaces that their Backups cover.
pub fn bring_back(world: &mut World) {
    let Some(Stateroot::Left(left)) = &world.disk.other else { return };
    let mut scenario = (*left.scenario).clone();
    let carried = &world.disk.carried;
    let backup_of = |restore: &Value| {
        let wanted = text(restore, "/spec/backupName").to_owned();
        carried.backups.iter().find(move |backup| name(backup) == wanted)
    };
    let covers = |namespace: &str| {
        carried
            .restores
            .iter()
            .filter_map(backup_of)
            .any(|backup| items(backup, "/spec/includedNamespaces").iter().any(|it| it == namespace || it == "*"))
    };
    scenario.workloads.retain(|workload| covers(&workload.namespace));
    let with_volumes = carried.restores.iter().any(|restore| {
        let backed_up = backup_of(restore).is_some_and(|backup| {
            items(backup, "/spec/includedClusterScopedResources").iter().any(|it| it == "logicalvolumes.topolvm.io")
        });
        let status = items(restore, "/spec/restoreStatus/includedResources");
        backed_up && flag(restore, "/spec/restorePVs") && status.iter().any(|it| it == "logicalvolumes")
    });
    let present = &world.scenario;
    scenario.cluster = present.cluster.clone();
    scenario.pools.clone_from(&present.pools);
    let now = world.now;
    let builder = Builder { store: &world.store, scenario: &scenario, now, installed: now };
    for workload in &scenario.workloads {
        let namespace = workload.namespace.as_str();
        if world.store.get(Res::NAMESPACES, None, namespace).is_none() {
            image_based::namespace(&builder, namespace);
        }
    }
    workloads::build(&builder);
    let count = scenario.cluster.lifecycle_agent.as_ref().map_or(0, |agent| agent.logical_volumes);
    if with_volumes && count > 0 {
        volumes(&builder, count);
    }
    let restored = scenario.workloads.clone();
    Arc::make_mut(&mut world.scenario).workloads = restored;
}
