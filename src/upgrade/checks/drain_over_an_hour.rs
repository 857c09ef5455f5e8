//! `drain-over-an-hour`: the daemon has given up waiting politely and calls the node degraded; the drain goes on.

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, reading};
use crate::upgrade::assessment::age;
use crate::upgrade::blockers;
use crate::upgrade::drain::TOO_LONG;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for node in look.now.nodes.iter().filter(|node| blockers::drains(node)) {
        let Some(trouble) = &node.drain_trouble else { continue };
        let told = super::degraded::reason(node).is_some_and(|reason| reason.contains("failed to drain"));
        let long = trouble.since.is_some_and(|since| age(since, look.now.now) >= TOO_LONG);
        if !told && !long {
            continue;
        }
        let pool = node.pool.clone().unwrap_or_default();
        found.push(Finding {
            impact: Impact::UpdateStalled,
            resources: vec![Resource::node(&node.name), Resource::pool(&pool)],
            meaning: format!(
                "The machine-config daemon calls the node Degraded, and with it pool {pool}. Any degraded pool keeps the \
                 operator machine-config from finishing (RequiredPoolsFailed). The daemon takes no newer configuration while it \
                 waits. The drain is tried again every five minutes; as soon as it succeeds all this goes away by itself."
            ),
            remedies: vec![
                Remedy::look("Free what holds the drain up: see the finding drain-blocked of this node."),
                Remedy::look("Read what the controller says of it.")
                    .oc("oc logs -n openshift-machine-config-operator deployment/machine-config-controller"),
            ],
            link: Some(reading::DRAIN.to_owned()),
            // The daemon's clock began earlier than what is known of the drain: then nobody knows since when.
            since: trouble.since.filter(|_| long).and_then(|since| since.checked_add_signed(TOO_LONG)),
            evidence: vec![evidence(format!("node/{}", node.name), "drain", trouble.error.clone(), trouble.since)],
            because: Some(("drain-blocked", Subject::Node(node.name.clone()))),
            ..finding(
                "drain-over-an-hour",
                Level::Error,
                Subject::Node(node.name.clone()),
                if long {
                    format!("{}: the drain has lasted over an hour", node.name)
                } else {
                    format!("{}: the daemon gave up on the drain, as it does after an hour", node.name)
                },
            )
        });
    }
}
