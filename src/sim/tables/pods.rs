//! The columns of Pods: pkg/printers/internalversion, printPod.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::sim::tables::age;
use crate::sim::tables::columns::{Column, column, created, text};

pub(super) fn columns() -> Vec<Column> {
    let or_none = |name, pointer: &'static str| {
        text(name, move |pod| pod.pointer(pointer).and_then(Value::as_str).unwrap_or("<none>").to_owned()).wide()
    };
    vec![
        text("Ready", ready),
        text("Status", status),
        column("Restarts", "string", restarts),
        created(),
        or_none("IP", "/status/podIP"),
        or_none("Node", "/spec/nodeName"),
        or_none("Nominated Node", "/status/nominatedNodeName"),
        text("Readiness Gates", |_| "<none>".to_owned()).wide(),
    ]
}

fn containers<'v>(pod: &'v Value, field: &str) -> &'v [Value] {
    pod["status"][field].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn ready(pod: &Value) -> String {
    let ready = containers(pod, "containerStatuses").iter().filter(|container| container["ready"] == true).count();
    let all = pod.pointer("/spec/containers").and_then(Value::as_array).map_or(0, Vec::len);
    format!("{ready}/{all}")
}

/// What keeps a pod from running, else its phase.
fn status(pod: &Value) -> String {
    let reason = pod["status"]["reason"].as_str();
    if pod.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null()) {
        return if reason == Some("NodeLost") { "Unknown".to_owned() } else { "Terminating".to_owned() };
    }
    if let Some(reason) = initializing(pod) {
        return reason;
    }
    let waiting = containers(pod, "containerStatuses").iter().rev().find_map(|container| {
        let state = &container["state"];
        let told = |field: &str| state[field]["reason"].as_str().filter(|reason| !reason.is_empty());
        let exit = || state["terminated"]["exitCode"].as_i64().map(|code| format!("ExitCode:{code}"));
        told("waiting").or_else(|| told("terminated")).map(str::to_owned).or_else(exit)
    });
    waiting
        .or_else(|| reason.map(str::to_owned))
        .unwrap_or_else(|| pod["status"]["phase"].as_str().unwrap_or("Unknown").to_owned())
}

fn initializing(pod: &Value) -> Option<String> {
    let all = pod.pointer("/spec/initContainers").and_then(Value::as_array).map_or(0, Vec::len);
    let statuses = containers(pod, "initContainerStatuses");
    let (at, container) = statuses.iter().enumerate().find(|(_, container)| {
        let done = container["state"]["terminated"]["exitCode"] == 0;
        let sidecar = container["started"] == true && container["state"]["running"].is_object();
        !done && !sidecar
    })?;
    let state = &container["state"];
    let told = |field: &str| state[field]["reason"].as_str().filter(|reason| !reason.is_empty());
    let waiting = told("waiting").filter(|reason| *reason != "PodInitializing");
    Some(match told("terminated").or(waiting) {
        Some(reason) => format!("Init:{reason}"),
        None => format!("Init:{at}/{all}"),
    })
}

fn restarts(pod: &Value, now: DateTime<Utc>) -> Value {
    let statuses = containers(pod, "containerStatuses");
    let count: i64 = statuses.iter().filter_map(|container| container["restartCount"].as_i64()).sum();
    let last = statuses
        .iter()
        .filter_map(|container| container.pointer("/lastState/terminated/finishedAt"))
        .max_by_key(|at| at.as_str().unwrap_or_default().to_owned());
    match last {
        Some(last) if count > 0 => {
            let ago = age(Some(last), now);
            json!(format!("{count} ({} ago)", ago.as_str().unwrap_or_default()))
        }
        _ => json!(count.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_tells_what_keeps_it() {
        let waiting = json!({"status": {"phase": "Running", "containerStatuses": [
            {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 3},
        ]}});
        assert_eq!(status(&waiting), "CrashLoopBackOff");
        assert_eq!(
            status(&json!({"metadata": {"deletionTimestamp": "x"}, "status": {"phase": "Running"}})),
            "Terminating"
        );
        let init = json!({"spec": {"initContainers": [{}, {}]}, "status": {"phase": "Pending", "initContainerStatuses": [
            {"state": {"terminated": {"exitCode": 0}}}, {"state": {"running": {}}},
        ]}});
        assert_eq!(status(&init), "Init:1/2");
        assert_eq!(status(&json!({"status": {"phase": "Pending"}})), "Pending");
    }
}
