//! The Jobs of the Prep stage and their pods: what `kubectl logs` shows of it.
//!
//! Rules: lifecycle-agent, internal/prep and internal/precache (names, backoffLimit 0).

use serde_json::json;

use crate::sim::actors::world::World;
use crate::sim::cluster::object::{hex, owner, text};
use crate::sim::cluster::workloads::{Template, bind, pod, run};
use crate::sim::kinds::Res;
use crate::sim::scenario::node_name;
use crate::sim::store::timestamp;

/// The Job that sets up the new stateroot.
pub const STATEROOT: &str = "lca-prep-stateroot-setup";
/// The Job that pulls the images.
pub const PRECACHE: &str = "lca-prep-precache";

/// The namespace of the agent.
pub fn home(world: &World) -> String {
    world.scenario.cluster.lifecycle_agent.as_ref().map_or_else(String::new, |agent| agent.namespace.clone())
}

fn pod_name(world: &World, job: &str) -> String {
    let unique = text_of_uid(world, job);
    format!("{job}-{}", &hex(&unique, 5))
}

fn text_of_uid(world: &World, job: &str) -> String {
    let object = world.store.get(Res::JOBS, Some(&home(world)), job);
    object.map(|object| text(&object, "/metadata/uid").to_owned()).unwrap_or_default()
}

/// A Job starts, with its pod.
pub fn start(world: &World, job: &str) {
    let namespace = home(world);
    let image = format!("registry.redhat.io/openshift4/lifecycle-agent-rhel9@sha256:{}", hex("lifecycle agent", 64));
    let mut template = Template::new(job, image, "");
    template.tolerates_all = true;
    let template = template.object();
    world.store.create(
        Res::JOBS,
        json!({
            "metadata": {"name": job, "namespace": namespace},
            "spec": {"backoffLimit": 0, "completions": 1, "parallelism": 1, "template": template},
            "status": {"active": 1, "ready": 1, "startTime": timestamp(world.now)},
        }),
        world.now,
    );
    let owners = owner("batch/v1", "Job", job, &text_of_uid(world, job));
    let mut object = pod(&template, &namespace, &pod_name(world, job), owners);
    object["metadata"]["labels"]["batch.kubernetes.io/job-name"] = json!(job);
    object["spec"]["restartPolicy"] = json!("Never");
    bind(&mut object, &node_name("master", 0), world.now);
    run(&mut object, world.now);
    world.store.create(Res::PODS, object, world.now);
}

/// The pod of a Job says something.
pub fn say(world: &World, job: &str, level: &str, text: &str) {
    let time = timestamp(world.now);
    let line = format!("time=\"{time}\" level={level} msg={text:?}");
    world.journal.write(&home(world), &pod_name(world, job), world.now, &line);
}

/// A Job is done, well or not.
pub fn finish(world: &World, job: &str, well: bool) {
    let namespace = home(world);
    let now = timestamp(world.now);
    let pod = pod_name(world, job);
    world.store.update(Res::JOBS, Some(&namespace), job, |object| {
        let started = object["status"]["startTime"].clone();
        let (count, kind, reason) =
            if well { ("succeeded", "Complete", "") } else { ("failed", "Failed", "BackoffLimitExceeded") };
        object["status"] = json!({
            "conditions": [{"lastProbeTime": now, "lastTransitionTime": now, "reason": reason, "status": "True",
                            "type": kind}],
            count: 1, "ready": 0, "startTime": started,
        });
        if well {
            object["status"]["completionTime"] = json!(now);
        }
    });
    world.store.update(Res::PODS, Some(&namespace), &pod, |object| {
        let status = &mut object["status"];
        let started = status["containerStatuses"][0]["state"]["running"]["startedAt"].clone();
        status["phase"] = json!(if well { "Succeeded" } else { "Failed" });
        let container = &mut status["containerStatuses"][0];
        container["ready"] = json!(false);
        container["started"] = json!(false);
        container["state"] = json!({"terminated": {
            "exitCode": i32::from(!well), "finishedAt": now, "reason": if well { "Completed" } else { "Error" },
            "startedAt": started,
        }});
        for condition in status["conditions"].as_array_mut().into_iter().flatten() {
            if matches!(condition["type"].as_str(), Some("Ready" | "ContainersReady")) {
                condition["status"] = json!("False");
                condition["reason"] = json!(if well { "PodCompleted" } else { "PodFailed" });
            }
        }
    });
}

/// Whether a Job runs.
pub fn is_running(world: &World, job: &str) -> bool {
    let object = world.store.get(Res::JOBS, Some(&home(world)), job);
    object.is_some_and(|object| object["status"]["active"] == 1)
}

/// Removes a Job and its pod.
pub fn remove(world: &World, job: &str) {
    let namespace = home(world);
    let pod = pod_name(world, job);
    if world.store.delete(Res::JOBS, Some(&namespace), job).is_some() {
        world.store.delete(Res::PODS, Some(&namespace), &pod);
    }
}
