//! Pod logs: what the platform's pods have said, and for all others a plausible text that is derived from their state;
//! for as long as the pod is followed.
//!
//! Rules: Kubernetes, pkg/kubelet/kubelet_pods.go (validateContainerLogStatus) and pkg/registry/core/pod/strategy.go
//! (LogLocation): which requests are refused, and with which words.

use std::collections::VecDeque;
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
use crate::sim::journal::{Journal, Line};
use crate::sim::kinds::Res;
use crate::sim::request::Params;
use crate::sim::status::{Refusal, bytes_response};
use crate::sim::store::Store;

/// How often a container without a journal says something.
const BEAT: Duration = Duration::from_secs(10);
/// How many lines of it are kept.
const KEPT: i64 = 200;
/// How often a followed log is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// What a log is read from.
pub struct Source {
    /// The objects.
    pub store: Arc<Store>,
    /// What pods have said.
    pub journal: Journal,
    /// The cluster's time.
    pub clock: WallClock,
    /// When a stream is cut.
    pub signals: Signals,
}

/// A container's log.
struct Log {
    name: String,
    namespace: String,
    pod: String,
    node: String,
    started: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
    timestamps: bool,
    /// The instance before the present one is meant.
    previous: bool,
}

/// Where a reader is: in the journal, or in the beat.
#[derive(Debug, Clone, Copy)]
enum Place {
    Journal(u64),
    Beat(i64),
}

/// Answers a request for the log of a pod.
pub fn answer(source: Source, pod: &Value, params: &Params) -> Result<Response, Refusal> {
    let now = source.clock.now();
    let log = Log::of(pod, params, now)?;
    reachable(&source.store, &log)?;
    let (mut lines, mut place) = log.so_far(&source.journal, now);
    let since = match (params.number("sinceSeconds")?, params.get("sinceTime")) {
        (Some(seconds), _) => Some(now - TimeDelta::seconds(seconds as i64)),
        (None, Some(text)) => Some(
            DateTime::parse_from_rfc3339(text)
                .map_err(|_| Refusal::bad_request(format!("sinceTime: {text:?} is not a time")))?
                .with_timezone(&Utc),
        ),
        (None, None) => None,
    };
    if let Some(since) = since {
        lines.retain(|line| line.at >= since);
    }
    if let Some(tail) = params.number("tailLines")? {
        let skip = lines.len().saturating_sub(tail as usize);
        lines.drain(..skip);
    }
    let mut text: String = lines.iter().map(|line| log.print(line)).collect();
    if let Some(limit) = params.number("limitBytes")? {
        let end = (0..=text.len().min(limit as usize)).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
    }
    let follows = params.get("follow").is_some() && params.flag("follow") && log.ended.is_none();
    if !follows {
        return Ok(bytes_response(StatusCode::OK, "text/plain", text));
    }
    let uid = pod["metadata"]["uid"].clone();
    let Source { store, journal, clock, signals } = source;
    let state = (Some(text), signals);
    let stream = stream::unfold(state, move |(ready, mut signals)| {
        let found = store.get(Res::PODS, Some(&log.namespace), &log.pod);
        let alive = found.is_some_and(|pod| pod["metadata"]["uid"] == uid);
        let log = &log;
        let text = ready.filter(|text| !text.is_empty()).unwrap_or_else(|| {
            let (lines, next) = log.after(&journal, place, clock.now());
            place = next;
            lines.iter().map(|line| log.print(line)).collect()
        });
        async move {
            if !text.is_empty() {
                return Some((Ok(Bytes::from(text)), (None, signals)));
            }
            if !alive {
                return None;
            }
            let cut = tokio::select! {
                _ = signals.down.wait_for(|down| *down) => true,
                _ = signals.cuts.changed() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let next = if cut { Err(std::io::Error::other("the log was cut")) } else { Ok(Bytes::new()) };
            Some((next, (None, signals)))
        }
    });
    Ok(bytes_response(StatusCode::OK, "text/plain", Body::from_stream(stream)))
}

/// The API server gets logs from the kubelet: that of a node that is away does not answer.
fn reachable(store: &Store, log: &Log) -> Result<(), Refusal> {
    let Some(node) = store.get(Res::NODES, None, &log.node) else { return Ok(()) };
    let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
    let ready = conditions.into_iter().flatten().find(|condition| condition["type"] == "Ready");
    if ready.is_none_or(|ready| ready["status"] != "Unknown") {
        return Ok(());
    }
    let address = node.pointer("/status/addresses/0/address").and_then(Value::as_str).unwrap_or(&log.node);
    let path = format!("containerLogs/{}/{}/{}", log.namespace, log.pod, log.name);
    let message =
        format!("Get \"https://{address}:10250/{path}\": dial tcp {address}:10250: connect: no route to host");
    Err(Refusal::internal(&message))
}

impl Log {
    fn of(pod: &Value, params: &Params, now: DateTime<Utc>) -> Result<Self, Refusal> {
        let pod_name = pod["metadata"]["name"].as_str().unwrap_or_default();
        let name = container(pod, pod_name, params)?;
        let status = |field: &str| pod["status"][field].as_array().map(Vec::as_slice).unwrap_or_default();
        let own = status("containerStatuses").iter().chain(status("initContainerStatuses"));
        let own = own.into_iter().find(|container| container["name"] == name);
        let state = own.map_or(&Value::Null, |own| &own["state"]);
        let last = own.map_or(&Value::Null, |own| &own["lastState"]["terminated"]);
        let previous = params.get("previous").is_some() && params.flag("previous");
        if previous && last["finishedAt"].is_null() {
            let message = format!("previous terminated container \"{name}\" in pod \"{pod_name}\" not found");
            return Err(Refusal::bad_request(message));
        }
        // A container that waits to be started again still has what it said before.
        if let Some(waiting) = state["waiting"].as_object()
            && last["finishedAt"].is_null()
        {
            let reason = waiting.get("reason").and_then(Value::as_str).unwrap_or("ContainerCreating");
            let message = format!("container \"{name}\" in pod \"{pod_name}\" is waiting to start: {reason}");
            return Err(Refusal::bad_request(message));
        }
        let born =
            time(&pod["status"]["startTime"]).or_else(|| time(&pod["metadata"]["creationTimestamp"])).unwrap_or(now);
        let running = time(&state["running"]["startedAt"]);
        let (started, ended) = if previous {
            (time(&last["startedAt"]).unwrap_or(born), time(&last["finishedAt"]))
        } else {
            let started = running.or_else(|| time(&state["terminated"]["startedAt"])).unwrap_or(born);
            (started, time(&state["terminated"]["finishedAt"]))
        };
        Ok(Self {
            name: name.to_owned(),
            namespace: pod["metadata"]["namespace"].as_str().unwrap_or_default().to_owned(),
            pod: pod_name.to_owned(),
            node: pod["spec"]["nodeName"].as_str().unwrap_or("no node").to_owned(),
            started,
            ended,
            timestamps: params.get("timestamps").is_some() && params.flag("timestamps"),
            previous,
        })
    }

    /// Everything that is known, and where to go on.
    fn so_far(&self, journal: &Journal, now: DateTime<Utc>) -> (VecDeque<Line>, Place) {
        let Some((lines, next)) = journal.read(&self.namespace, &self.pod, 0) else {
            let last = self.last_beat(now);
            let first = (last - KEPT + 1).max(0);
            return ((first..=last).map(|number| self.beat(number)).collect(), Place::Beat(last));
        };
        let own = |line: &Line| {
            // Times of objects are whole seconds: what was said within the last one belongs to it.
            let in_time = |end: DateTime<Utc>| line.at < end + TimeDelta::seconds(1);
            if self.previous { self.ended.is_none_or(in_time) } else { line.at >= self.started }
        };
        let greeting = Line { at: self.started, text: self.greeting() };
        let kept = lines.into_iter().filter(own);
        (std::iter::once(greeting).chain(kept).collect(), Place::Journal(next))
    }

    /// What was said after `place`.
    fn after(&self, journal: &Journal, place: Place, now: DateTime<Utc>) -> (Vec<Line>, Place) {
        let from = if let Place::Journal(from) = place { from } else { 0 };
        if let Some((lines, next)) = journal.read(&self.namespace, &self.pod, from) {
            return (lines, Place::Journal(next));
        }
        let Place::Beat(last) = place else { return (Vec::new(), place) };
        let next = self.last_beat(now).max(last);
        ((last + 1..=next).map(|number| self.beat(number)).collect(), Place::Beat(next))
    }

    fn last_beat(&self, now: DateTime<Utc>) -> i64 {
        let until = self.ended.unwrap_or(now);
        (until - self.started).num_seconds().max(0) / BEAT.as_secs() as i64
    }

    fn greeting(&self) -> String {
        format!("level=info msg=\"{} started\" pod={} node=\"{}\"", self.name, self.pod, self.node)
    }

    fn beat(&self, number: i64) -> Line {
        let at = self.started + TimeDelta::seconds(number * BEAT.as_secs() as i64);
        let text = if number == 0 {
            self.greeting()
        } else {
            format!("level=info msg=\"{} is working\" beat={number}", self.name)
        };
        Line { at, text }
    }

    fn print(&self, line: &Line) -> String {
        if self.timestamps {
            format!("{} {}\n", line.at.format("%Y-%m-%dT%H:%M:%S.%9fZ"), line.text)
        } else {
            format!("{}\n", line.text)
        }
    }
}

/// The container that is meant: the one that was asked for, or the only one.
fn container<'a>(pod: &'a Value, pod_name: &'a str, params: &'a Params) -> Result<&'a str, Refusal> {
    let listed = |field: &str| pod["spec"][field].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&str> = listed("containers")
        .iter()
        .chain(listed("initContainers"))
        .filter_map(|container| container["name"].as_str())
        .collect();
    match params.get("container") {
        Some(asked) if names.contains(&asked) => Ok(asked),
        Some(asked) => Err(Refusal::bad_request(format!("container {asked} is not valid for pod {pod_name}"))),
        None => match (listed("containers").len(), names.first()) {
            (0 | 1, Some(only)) => Ok(only),
            (0, None) => Ok(pod_name),
            _ => Err(Refusal::bad_request(format!(
                "a container name must be specified for pod {pod_name}, choose one of: [{}]",
                names.join(" ")
            ))),
        },
    }
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(value.as_str()?).ok()?.with_timezone(&Utc))
}
