//! Pod logs: a plausible text that is derived from the pod's state, for as long as the pod is followed.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream;
use http::StatusCode;
use serde_json::Value;

use crate::clock::WallClock;
use crate::sim::faults::Signals;
use crate::sim::kinds::Res;
use crate::sim::request::Params;
use crate::sim::status::{Refusal, bytes_response};
use crate::sim::store::Store;

/// How often a container says something.
const BEAT: Duration = Duration::from_secs(10);
/// How many lines a log keeps.
const KEPT: i64 = 200;

/// A container's log: lines at a steady beat since the container started.
struct Log {
    name: String,
    pod: String,
    node: String,
    started: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
    timestamps: bool,
}

/// Answers a request for the log of a pod.
pub fn answer(
    store: &Arc<Store>,
    pod: &Value,
    params: &Params,
    clock: WallClock,
    signals: Signals,
) -> Result<Response, Refusal> {
    let log = Log::of(pod, params, clock.now())?;
    let now = clock.now();
    let mut last = log.last_line(now);
    let mut first = (last - KEPT + 1).max(0);
    if let Some(seconds) = params.number("sinceSeconds")? {
        let since = now - TimeDelta::seconds(seconds as i64);
        first = first.max((since - log.started).num_seconds().div_euclid(BEAT.as_secs() as i64) + 1);
    }
    if let Some(lines) = params.number("tailLines")? {
        first = first.max(last - lines as i64 + 1);
    }
    let mut text: String = (first..=last).map(|line| log.line(line)).collect();
    if let Some(limit) = params.number("limitBytes")? {
        let end = (0..=text.len().min(limit as usize)).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
    }
    let follows = params.get("follow").is_some() && params.flag("follow") && log.ended.is_none();
    if !follows {
        return Ok(bytes_response(StatusCode::OK, "text/plain", text));
    }
    let store = Arc::clone(store);
    let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
    let uid = pod["metadata"]["uid"].clone();
    let state = (Some(text), signals);
    let lines = stream::unfold(state, move |(ready, mut signals)| {
        let alive = store.get(Res::PODS, Some(&namespace), &log.pod).is_some_and(|pod| pod["metadata"]["uid"] == uid);
        let (now, log) = (clock.now(), &log);
        let text = ready.filter(|text| !text.is_empty()).unwrap_or_else(|| {
            let from = last + 1;
            last = log.last_line(now);
            (from..=last).map(|line| log.line(line)).collect()
        });
        async move {
            if !text.is_empty() {
                return Some((Ok(Bytes::from(text)), (None, signals)));
            }
            if !alive {
                return None;
            }
            tokio::select! {
                _ = signals.cuts.changed() => Some((Err(std::io::Error::other("the log was cut")), (None, signals))),
                () = tokio::time::sleep(Duration::from_secs(1)) => Some((Ok(Bytes::new()), (None, signals))),
            }
        }
    });
    Ok(bytes_response(StatusCode::OK, "text/plain", Body::from_stream(lines)))
}

impl Log {
    fn of(pod: &Value, params: &Params, now: DateTime<Utc>) -> Result<Self, Refusal> {
        let pod_name = pod["metadata"]["name"].as_str().unwrap_or_default();
        let listed = |field: &str| pod["spec"][field].as_array().map(Vec::as_slice).unwrap_or_default();
        let names: Vec<&str> = listed("containers")
            .iter()
            .chain(listed("initContainers"))
            .filter_map(|container| container["name"].as_str())
            .collect();
        let name = match params.get("container") {
            Some(asked) if names.contains(&asked) => asked,
            Some(asked) => {
                return Err(Refusal::bad_request(format!("container {asked} is not valid for pod {pod_name}")));
            }
            None => match (listed("containers").len(), names.first()) {
                (0 | 1, Some(only)) => only,
                (0, None) => pod_name,
                _ => {
                    return Err(Refusal::bad_request(format!(
                        "a container name must be specified for pod {pod_name}, choose one of: [{}]",
                        names.join(" ")
                    )));
                }
            },
        };
        let status = |field: &str| pod["status"][field].as_array().map(Vec::as_slice).unwrap_or_default();
        let own = status("containerStatuses").iter().chain(status("initContainerStatuses"));
        let own = own.into_iter().find(|container| container["name"] == name);
        let state = own.map_or(&Value::Null, |own| &own["state"]);
        if let Some(waiting) = state["waiting"].as_object() {
            let reason = waiting.get("reason").and_then(Value::as_str).unwrap_or("ContainerCreating");
            let message = format!("container \"{name}\" in pod \"{pod_name}\" is waiting to start: {reason}");
            return Err(Refusal::bad_request(message));
        }
        let started = time(&state["running"]["startedAt"])
            .or_else(|| time(&state["terminated"]["startedAt"]))
            .or_else(|| time(&pod["status"]["startTime"]))
            .or_else(|| time(&pod["metadata"]["creationTimestamp"]))
            .unwrap_or(now);
        Ok(Self {
            name: name.to_owned(),
            pod: pod_name.to_owned(),
            node: pod["spec"]["nodeName"].as_str().unwrap_or("no node").to_owned(),
            started,
            ended: time(&state["terminated"]["finishedAt"]),
            timestamps: params.get("timestamps").is_some() && params.flag("timestamps"),
        })
    }

    fn last_line(&self, now: DateTime<Utc>) -> i64 {
        let until = self.ended.unwrap_or(now);
        (until - self.started).num_seconds().max(0) / BEAT.as_secs() as i64
    }

    fn line(&self, number: i64) -> String {
        let at = self.started + TimeDelta::seconds(number * BEAT.as_secs() as i64);
        let at = at.format("%Y-%m-%dT%H:%M:%S.000000000Z");
        let prefix = if self.timestamps { format!("{at} ") } else { String::new() };
        let text = if number == 0 {
            format!("level=info msg=\"{} started\" pod={} node=\"{}\"", self.name, self.pod, self.node)
        } else {
            format!("level=info msg=\"{} is working\" beat={number}", self.name)
        };
        format!("{prefix}{text}\n")
    }
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(value.as_str()?).ok()?.with_timezone(&Utc))
}
