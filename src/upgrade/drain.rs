//! Drains that do not come to an end: since when, and which pods the errors name.

use chrono::{DateTime, TimeDelta, Utc};

use super::assessment::{DrainTrouble, NodePhase};
use super::node_phase::{Marks, Phase, Steps};
use crate::api::{Event, Tri};

/// From here on the drain controller itself calls a drain failing (machine-config operator,
/// pkg/controller/drain/drain_controller.go, `DrainThresholdExceeded` after 10 minutes).
pub const THRESHOLD: TimeDelta = TimeDelta::minutes(10);

/// From here on the daemon calls the node degraded, and the controller raises its metric (pkg/daemon/drain.go and
/// pkg/controller/drain: one hour).
pub const TOO_LONG: TimeDelta = TimeDelta::minutes(60);

/// The trouble of the drain of a node in `phase`, if there is any.
///
/// Each attempt overwrites the error of the one before with "draining"; `before` is what was known of the same drain, and
/// stays true until the drain ends.
pub fn trouble(
    phase: &Phase,
    marks: &Marks,
    steps: Option<&Steps>,
    event: Option<&Event>,
    started: Option<DateTime<Utc>>,
    before: Option<&DrainTrouble>,
    now: DateTime<Utc>,
) -> Option<DrainTrouble> {
    let drains = phase.phase == NodePhase::Draining || (phase.phase == NodePhase::Degraded && marks.drain_pending());
    if !drains {
        return None;
    }
    let told = steps
        .and_then(|steps| steps.drained)
        .filter(|drained| drained.status == Tri::Unknown && drained.message.contains("Error"))
        .map(|drained| drained.message.as_str());
    let said = event
        .filter(|event| event.last_at().zip(started).is_none_or(|(said, started)| said >= started))
        .map(|event| event.message.as_str());
    let known = before.filter(|before| before.since == started).map(|before| before.error.as_str());
    let long = started.is_some_and(|started| now - started >= THRESHOLD);
    let error = match told.or(known).or(said) {
        Some(error) => error.to_owned(),
        None if long => "the drain has not ended; no error of it is known yet".to_owned(),
        None => return None,
    };
    Some(DrainTrouble { since: started, pods: pods(&error), error })
}

/// The pods that a drain error names, as `namespace/name`, each once, in order.
///
/// `kubectl drain`'s sentences: `error when evicting pods/"P" -n "NS"`, `error when waiting for pod "P" in namespace
/// "NS" to terminate`, and of old `error when waiting for pod "P" terminating` (no namespace).
pub fn pods(error: &str) -> Vec<String> {
    let text = error.replace('\\', "");
    let mut pods: Vec<String> = Vec::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("pod") {
        rest = &rest[at + "pod".len()..];
        let Some(quoted) = rest.strip_prefix("s/\"").or_else(|| rest.strip_prefix(" \"")) else { continue };
        let Some((name, behind)) = quoted.split_once('"') else { break };
        let namespace = behind
            .strip_prefix(" -n \"")
            .or_else(|| behind.strip_prefix(" in namespace \""))
            .and_then(|namespace| namespace.split_once('"'))
            .map(|(namespace, _)| namespace);
        let pod = namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"));
        if !name.is_empty() && !pods.contains(&pod) {
            pods.push(pod);
        }
        rest = behind;
    }
    pods
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pods_are_found_in_each_form_of_the_error() {
        let table: [(&str, &[&str]); 5] = [
            (
                r#"Error: Node Drain has not succeeded. Error is: [error when evicting pods/"cart-0" -n "shop": global timeout reached: 1m30s]"#,
                &["shop/cart-0"],
            ),
            (
                r#"[error when evicting pods/"a" -n "x": global timeout reached: 1m30s, error when waiting for pod "b" in namespace "y" to terminate: global timeout reached: 1m30s, error when evicting pods/"a" -n "x": again]"#,
                &["x/a", "y/b"],
            ),
            (r#"error when waiting for pod "old" terminating: global timeout reached: 1m30s"#, &["old"]),
            (r#"Node n is reporting: "error when evicting pods/\"q\" -n \"ns\": timeout""#, &["ns/q"]),
            ("Cannot evict pod as it would violate the pod's disruption budget. pods/\"", &[]),
        ];
        for (error, expected) in table {
            assert_eq!(pods(error), expected, "{error}");
        }
    }
}
