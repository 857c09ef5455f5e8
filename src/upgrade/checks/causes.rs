//! Which findings are consequences of others, and the order of all.
//!
//! One cause is told once, at its place; what follows from it stays in the list, below it and pointing to it. So a node
//! that cannot pull its image comes first, and below it that the node, its pool and the operator machine-config are
//! degraded.

use std::cmp::Reverse;
use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{Finding, Impact, Level, Look, Subject, capacity_exhausted};
use crate::api::Conditions as _;

/// Points consequences to their causes, where the check itself could not know them.
pub(super) fn link(look: &Look, found: &mut [Finding]) {
    for at in 0..found.len() {
        let because = match (found[at].id, &found[at].subject) {
            _ if found[at].because.is_some() => continue,
            ("capacity-exhausted", Subject::Pool(pool)) => held(look, found, pool),
            ("operator-degraded" | "operator-slow" | "operator-unavailable", Subject::Operator(name)) => {
                operator(look, found, name, &found[at])
            }
            ("cvo-failing" | "cvo-failing-early" | "several-errors", _) => {
                failing(look, found).or_else(|| first(found, |finding| finding.id == "update-blocked-by-webhook"))
            }
            ("machine-config-sync-error", _) => pool_of_machine_config(found),
            ("node-not-ready", Subject::Node(name)) => silent(found, name),
            ("node-cordoned", Subject::Node(name)) => of_node(found, name, &["machine-deleting"]),
            ("drain-blocked", Subject::Node(name)) => of_node(found, name, &["guard-budgets-crossed"]),
            ("alert-firing", Subject::Object(alert)) => alerted(found, &alert.name),
            _ => None,
        };
        found[at].because = because;
    }
    settle(found);
}

type Because = Option<(&'static str, Subject)>;

fn first(found: &[Finding], wanted: impl Fn(&Finding) -> bool) -> Because {
    let worst =
        found.iter().filter(|finding| wanted(finding)).max_by_key(|finding| (finding.level, Reverse(&finding.subject)));
    worst.map(|finding| (finding.id, finding.subject.clone()))
}

/// Who holds the capacity of a pool.
fn held(look: &Look, found: &[Finding], pool: &str) -> Because {
    let pool = look.now.pool(pool)?;
    let names: Vec<&str> = capacity_exhausted::holders(look, pool).map(|node| node.name.as_str()).collect();
    let twice = first(found, |finding| {
        finding.id == "capacity-double-count" && finding.subject == Subject::Pool(pool.name.clone())
    });
    if twice.is_some() {
        return twice;
    }
    let holds = |finding: &Finding| match &finding.subject {
        Subject::Node(name) => names.contains(&name.as_str()),
        _ => false,
    };
    let causes = [
        "node-cordoned",
        "node-degraded",
        "node-lost-in-reboot",
        "node-not-ready",
        "node-disk-pressure",
        "node-network-unavailable",
    ];
    causes.iter().find_map(|id| first(found, |finding| finding.id == *id && holds(finding)))
}

/// What makes an operator degraded or slow, when nodes or pools do.
fn operator(look: &Look, found: &[Finding], name: &str, finding: &Finding) -> Because {
    if name == "machine-config" {
        return pool_of_machine_config(found);
    }
    if name == "etcd" && finding.id == "operator-degraded" {
        return first(found, |finding| finding.id == "etcd-member-unhealthy");
    }
    if name == "operator-lifecycle-manager-packageserver" {
        return first(found, |finding| finding.id == "packageserver-stuck");
    }
    // Static pod operators say by this reason that they miss a control plane node (library-go, NodeController).
    let row = look.now.operator(name)?;
    let misses = finding.id == "operator-degraded" && row.reason.contains("NodeController_MasterNodesReady");
    let of_control_plane = |finding: &Finding| match &finding.subject {
        Subject::Node(name) => {
            let pool = look.now.node(name).and_then(|node| node.pool.as_deref());
            pool.and_then(|pool| look.now.pool(pool)).is_some_and(|pool| pool.control_plane)
        }
        _ => false,
    };
    let causes = ["node-lost-in-reboot", "node-not-ready"];
    misses
        .then(|| causes.iter().find_map(|id| first(found, |finding| finding.id == *id && of_control_plane(finding))))
        .flatten()
}

/// What keeps the operator machine-config: any degraded pool, or a required one that is paused or stands still.
fn pool_of_machine_config(found: &[Finding]) -> Because {
    let causes = ["pool-degraded", "render-degraded", "image-build-failed", "required-pool-paused"];
    causes.iter().find_map(|id| first(found, |finding| finding.id == *id))
}

/// The operator because of which the cluster-version operator fails, by its message (`Cluster operator etcd is degraded`).
fn failing(look: &Look, found: &[Finding]) -> Because {
    let told = look.now.facts.cluster_version.as_ref()?.status.conditions.condition("Failing")?;
    if !told.reason.contains("ClusterOperator") && !told.reason.contains("MultipleErrors") {
        return None;
    }
    let words: Vec<&str> = told.message.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).collect();
    let named = |finding: &Finding| match &finding.subject {
        Subject::Operator(name) => words.contains(&name.as_str()),
        _ => false,
    };
    let causes = ["operator-unavailable", "operator-degraded", "operator-slow"];
    causes.iter().find_map(|id| first(found, |finding| finding.id == *id && named(finding)))
}

/// Why a node is not ready, when something else says so.
fn silent(found: &[Finding], node: &str) -> Because {
    of_node(found, node, &["machine-deleting", "machine-failed", "csr-pending"])
}

/// The first of these findings that speaks of a node.
fn of_node(found: &[Finding], node: &str, causes: &[&str]) -> Because {
    let names = |finding: &Finding| finding.resources.iter().any(|of| of.resource == "nodes" && of.name == node);
    causes.iter().find_map(|id| first(found, |finding| finding.id == *id && names(finding)))
}

/// What an alert of the machine-config operator or of Kubernetes fires about, when it is told already.
fn alerted(found: &[Finding], alert: &str) -> Because {
    let causes: &[&str] = match alert {
        "MCCDrainError" => &["drain-blocked"],
        "MCDRebootError" => &["reboot-failed"],
        "MCDPivotError" => &["os-image-mismatch", "node-pull-failed"],
        "MCCPoolAlert" => &["node-custom-master"],
        "OCLBuildFailed" | "OCLBuildDegraded" => &["image-build-failed"],
        "KubeNodeNotReady" | "KubeNodeUnreachable" => &["node-lost-in-reboot", "node-not-ready"],
        "MachineConfigControllerPausedPoolKubeletCA" => &["pool-certificates"],
        "MachineNotYetDeleted" => &["machine-deleting"],
        "ClusterVersionOperatorDown" => &["cvo-down"],
        "ClusterReleaseNotAccepted" => &[
            "signature-missing",
            "payload-pull-failed",
            "payload-version-mismatch",
            "hop-refused",
            "release-not-accepted",
        ],
        "CannotRetrieveUpdates" => &["updates-not-retrieved"],
        "CannotEvaluateConditionalUpdates" => &["risk-unknown"],
        "etcdMembersDown" => &["etcd-member-unhealthy"],
        _ => &[],
    };
    causes.iter().find_map(|id| first(found, |finding| finding.id == *id))
}

/// Takes away what points to nothing, or round in a circle.
fn settle(found: &mut [Finding]) {
    let known: HashMap<(&str, Subject), usize> =
        found.iter().enumerate().map(|(at, finding)| ((finding.id, finding.subject.clone()), at)).collect();
    let causes: Vec<Option<usize>> = found
        .iter()
        .map(|finding| finding.because.as_ref().and_then(|(id, subject)| known.get(&(*id, subject.clone())).copied()))
        .collect();
    for at in 0..found.len() {
        let mut next = causes[at];
        for _ in 0..found.len() {
            next = match next {
                Some(cause) if cause != at => causes[cause],
                other => other,
            };
        }
        if causes[at].is_none() || next.is_some() {
            found[at].because = None;
        }
    }
}

/// How a finding compares: by level, then by what blocks progress, the unexpected first, then the oldest.
type Rank = (Reverse<Level>, Reverse<u8>, bool, DateTime<Utc>);

fn rank(finding: &Finding) -> Rank {
    let progress = match finding.impact {
        Impact::UpdateStalled => 2,
        Impact::UpdateSpeed => 1,
        _ => 0,
    };
    (Reverse(finding.level), Reverse(progress), finding.expected, finding.since.unwrap_or(DateTime::<Utc>::MAX_UTC))
}

/// The order of the list: causes by the worst of what follows from them, consequences below their cause.
pub(super) fn order(found: Vec<Finding>) -> Vec<Finding> {
    let known: HashMap<(&str, &Subject), usize> =
        found.iter().enumerate().map(|(at, finding)| ((finding.id, &finding.subject), at)).collect();
    let cause: Vec<Option<usize>> = found
        .iter()
        .map(|finding| finding.because.as_ref().and_then(|(id, subject)| known.get(&(*id, subject)).copied()))
        .collect();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); found.len()];
    let mut weight: Vec<Rank> = found.iter().map(rank).collect();
    for at in 0..found.len() {
        if let Some(cause) = cause[at] {
            below[cause].push(at);
        }
        let own = rank(&found[at]);
        let mut above = cause[at];
        while let Some(to) = above {
            weight[to] = weight[to].min(own);
            above = cause[to];
        }
    }
    let by_rank = |places: &mut Vec<usize>| {
        places.sort_by(|a, b| {
            (weight[*a], found[*a].id, &found[*a].subject).cmp(&(weight[*b], found[*b].id, &found[*b].subject))
        });
    };
    let mut roots: Vec<usize> = (0..found.len()).filter(|at| cause[*at].is_none()).collect();
    by_rank(&mut roots);
    below.iter_mut().for_each(by_rank);
    let mut order = Vec::with_capacity(found.len());
    let mut stack: Vec<usize> = roots.into_iter().rev().collect();
    while let Some(at) = stack.pop() {
        order.push(at);
        stack.extend(below[at].iter().rev());
    }
    let mut found: Vec<Option<Finding>> = found.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| found[at].take()).collect()
}
