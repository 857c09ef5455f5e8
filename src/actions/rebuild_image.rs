//! Build the OS image of a layered pool again.

use serde_json::{Value, json};

use super::pool::{API, GROUP};
use super::raw::{Patch, text};
use super::served_version::served;
use super::words::{count, shell};
use super::{
    ActionId, Ask, Danger, Effect, Entry, Material, Offered, Plan, Precondition, Read, Refusal, Session, Takes, Target,
    Write, gate,
};
use crate::api::Conditions as _;
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::facts::Kind;

const PATCH: Permission = Permission::cluster("patch", GROUP, "machineosconfigs");
pub(super) const RESOURCE: &str = "machineosconfigs.machineconfiguration.openshift.io";
const KINDS: &[Kind] = &[Kind::MachineConfigPools, Kind::Nodes];

/// What the builder takes as an order; it removes it when it has begun (machine-config-operator: pkg/controller/build,
/// `RebuildMachineOSConfigAnnotationKey`).
const REBUILD: &str = "machineconfiguration.openshift.io/rebuild";

/// Conditions of a pool that keep the builder from beginning.
const PREVENTING: [&str; 4] = ["NodeDegraded", "RenderDegraded", "PinnedImageSetsDegraded", "SynchronizerDegraded"];

/// The nodes of the pool go to the new image: they drain and reboot.
const DANGER: Danger = Danger::M;

/// Rebuild a layered image.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::RebuildImage,
    name: "rebuild-image",
    word: "rebuild image",
    summary: "build the OS image of a layered pool again; its nodes reboot into it",
    gerund: "rebuilding an image",
    dangers: &[DANGER],
    takes: Takes::Objects {
        resource: RESOURCE,
        noun: "MACHINEOSCONFIG",
        namespaced: false,
        namespace: "",
        several: false,
        none: false,
    },
    args: &[],
    permissions: &[PATCH],
    needs: &[],
    inverse: None,
    offered,
    plan: make,
};

fn named(target: &Target) -> Option<&str> {
    match target.objects() {
        [one] if one.resource == RESOURCE => Some(&one.name),
        _ => None,
    }
}

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let name = named(target)?;
    let refusal = available(assessment, session).err();
    Some(Offered { action: ActionId::RebuildImage, title: title(name), danger: DANGER, refusal })
}

fn title(name: &str) -> String {
    format!("Rebuild the image of {name}")
}

fn available(assessment: &Assessment, session: &Session) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    gate::permitted(assessment, &PATCH)
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let Some(name) = named(&ask.target) else { return Err(Refusal("one MachineOSConfig at a time".to_owned())) };
    available(assessment, session)?;
    let mut plan = Plan { danger: DANGER, ..Plan::draft(&ENTRY, ask, title(name)) };
    let path = format!("{API}/machineosconfigs/{name}");
    // Both kinds are served in the same version.
    let running = served(material, "machineosbuilds", &mut plan.reads);
    if let Some(older) = running.as_ref().filter(|builds| builds.version != "v1") {
        return Err(Refusal(format!(
            "the builder of this release, which serves {}, does not know the order to build again: it builds when the \
             MachineOSConfig or the pool's configuration changes",
            older.version
        )));
    }
    let object = material.object(&path);
    let (Some(object), Some(running)) = (object, running) else {
        plan.reads.extend(object.is_none().then(|| Read::Object(path.clone())));
        plan.consequences.push("the MachineOSConfig and its builds are being read".to_owned());
        return Ok(plan);
    };
    let unread = |words: &str| Refusal(format!("the MachineOSConfig cannot be judged: {words}"));
    let Some(object) = object.map_err(unread)? else {
        return Err(Refusal(format!("there is no MachineOSConfig {name}, or this API server does not serve the kind")));
    };
    let pool = text(object, "/spec/machineConfigPool/name");
    free_to_build(assessment, name, pool, object, running.objects.map_err(unread)?.unwrap_or_default())?;
    plan.preconditions = preconditions(assessment, name, pool);
    plan.consequences = consequences(assessment, pool, object);
    plan.writes = vec![write(session, name, &path, object)?];
    // That the annotation was stored is proved by the answer; that the builder has taken it, by its going.
    plan.effect = Effect::Stored {
        object: format!("the builder takes the order: machineosconfig/{name}"),
        path,
        fields: vec![(pointer(), Value::Null)],
    };
    Ok(plan)
}

fn pointer() -> String {
    format!("/metadata/annotations/{}", REBUILD.replace('/', "~1"))
}

/// Is the pool degraded for no other reason than that its last build failed? Then the builder tries again
/// (machine-config-operator: pkg/controller/build, `shouldPreventBuildDueToDegradation`).
fn only_the_build_failed(assessment: &Assessment, pool: &str) -> bool {
    let object = assessment.facts.pools.iter().find(|object| object.name() == pool);
    let conditions = object.map(|object| object.status.conditions.as_slice()).unwrap_or_default();
    conditions.is_true("ImageBuildDegraded") && !PREVENTING.iter().any(|kind| conditions.is_true(kind))
}

/// Would the builder begin? Not for a pool that is degraded, and not while it builds.
fn free_to_build(
    assessment: &Assessment,
    name: &str,
    pool: &str,
    object: &Value,
    builds: &[Value],
) -> Result<(), Refusal> {
    if !object.pointer(&pointer()).unwrap_or(&Value::Null).is_null() {
        return Err(Refusal(format!(
            "a rebuild of {name} was asked for already, and the builder has not taken it yet"
        )));
    }
    let Some(row) = assessment.pool(pool) else {
        return Err(Refusal(format!("{name} is for the pool {pool}, which does not exist")));
    };
    if let Some(why) = row.degraded_message.as_ref().filter(|_| !only_the_build_failed(assessment, pool)) {
        return Err(Refusal(format!("pool {pool} is degraded, so no build begins: {why}")));
    }
    let building = builds.iter().find(|build| {
        let of = [text(build, "/spec/machineOSConfig/name"), text(build, "/spec/machineConfigPool/name")];
        of.contains(&name) && is_building(build)
    });
    match building {
        Some(build) => Err(Refusal(format!("{} is being built: wait for its end", text(build, "/metadata/name")))),
        None => Ok(()),
    }
}

/// Prepared or Building, and no end: the terminal conditions are Succeeded, Failed, Interrupted.
fn is_building(build: &Value) -> bool {
    let conditions = build.pointer("/status/conditions").and_then(Value::as_array);
    let holds = |kinds: &[&str]| {
        conditions.into_iter().flatten().any(|it| kinds.contains(&text(it, "/type")) && text(it, "/status") == "True")
    };
    holds(&["Prepared", "Building"]) && !holds(&["Succeeded", "Failed", "Interrupted"])
}

fn preconditions(assessment: &Assessment, name: &str, pool: &str) -> Vec<Precondition> {
    vec![
        Precondition {
            words: format!("pool {pool} is not degraded"),
            evidence: format!("mcp/{pool} condition Degraded is not True"),
        },
        Precondition {
            words: format!("no build of {name} is in progress"),
            evidence: "machineosbuilds, as they were read".to_owned(),
        },
        gate::permission_found(assessment, &PATCH),
    ]
}

fn consequences(assessment: &Assessment, pool: &str, object: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let image = text(object, "/status/currentImagePullSpec");
    if !image.is_empty() {
        lines.push(format!("the image of now: {image}"));
    }
    lines.push(
        "a new image is built from the present configuration and the containerfile, which takes minutes".to_owned(),
    );
    let Some(pool) = assessment.pool(pool) else { return lines };
    lines.push(if pool.paused {
        format!("pool {} is paused: its nodes take the new image when it is unpaused", pool.name)
    } else {
        format!(
            "when it is done {} of pool {} drain and reboot into it, {} at a time; pause the pool to hold them back",
            count(pool.total, "node"),
            pool.name,
            pool.capacity.max_unavailable
        )
    });
    lines.push("if the build fails the nodes keep what they have".to_owned());
    lines
}

fn write(session: &Session, name: &str, path: &str, object: &Value) -> Result<Write, Refusal> {
    Patch {
        object: format!("machineosconfig/{name}"),
        path: path.to_owned(),
        seen: object,
        body: json!({ "metadata": { "annotations": { REBUILD: "" } } }),
        oc: format!("annotate machineosconfig/{} {REBUILD}=", shell(name)),
        stored: vec![(pointer(), json!(""))],
    }
    .write(session)
}
