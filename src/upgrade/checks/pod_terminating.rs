//! `pod-terminating`: a drain waits for a pod that is being deleted and does not end.

use super::{Finding, Level, Look, blocked_pods, by_age};
use crate::upgrade::assessment::{Cause, age};
use crate::upgrade::drain::{THRESHOLD, TOO_LONG};
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let now = look.now.now;
    for (node, blocker) in blocked_pods::with(look, |cause| matches!(cause, Cause::Terminating { .. })) {
        let Cause::Terminating { grace_ends, finalizers } = &blocker.cause else { continue };
        let left = grace_ends.filter(|ends| *ends > now);
        let why = match (left, finalizers.as_slice()) {
            (Some(ends), _) => format!("its grace period lasts {} more", words::span(ends - now)),
            (None, []) => {
                let over = grace_ends.map(|ended| words::span(age(ended, now))).unwrap_or_default();
                format!("its grace period ended {over} ago")
            }
            (None, some) => format!("finalizer {} holds it", some.join(", ")),
        };
        let level = by_age(node.drain_trouble.as_ref().and_then(|trouble| trouble.since), now, THRESHOLD, TOO_LONG);
        // Before its grace period ends nothing is wrong with a pod, however long that is.
        let level = if left.is_some() { level.min(Level::Warning) } else { level.max(Level::Warning) };
        let title = format!("{}: {}/{} does not end, {why}", node.name, blocker.namespace, blocker.pod);
        found.push(Finding {
            meaning: if left.is_some() {
                "The pod may take that long to end, and the drain waits for it. Nothing is wrong unless the pod hangs."
                    .to_owned()
            } else {
                "The pod was told to end and should be gone. The drain waits for it without limit. To force a pod away whose \
                 process still runs can damage the data of a workload that must run once."
                    .to_owned()
            },
            ..blocked_pods::about(look, "pod-terminating", level, node, blocker, title)
        });
    }
}
