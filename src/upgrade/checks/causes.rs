//! Which findings are consequences of others, and the order of all.
//!
//! One cause is told once, at its place; what follows from it stays in the list, below it and pointing to it. So a node
//! that cannot pull its image comes first, and below it that the node, its pool and the operator machine-config are
//! degraded.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::{Finding, Impact, Level, Look, Subject, capacity_exhausted};
use crate::api::Conditions as _;

/// Points consequences to their causes, where the check itself could not know them.
pub(super) fn link(look: &Look, found: &mut [Finding]) {
    let told = Told::new(found);
    let because: Vec<Because> = found
        .iter()
        .map(|finding| match (finding.id, &finding.subject) {
            _ if finding.because.is_some() => finding.because.clone(),
            ("capacity-exhausted", Subject::Pool(pool)) => held(look, &told, pool),
            ("operator-degraded" | "operator-slow" | "operator-unavailable", Subject::Operator(name)) => {
                operator(look, &told, name, finding)
            }
            ("cvo-failing" | "cvo-failing-early" | "several-errors", _) => {
                failing(look, &told).or_else(|| told.first(&["update-blocked-by-webhook"], |_| true))
            }
            ("machine-config-sync-error", _) => told.first(KEEP_MACHINE_CONFIG, |_| true),
            ("node-not-ready", Subject::Node(name)) => {
                told.of_node(name, &["machine-deleting", "machine-failed", "csr-pending"])
            }
            ("node-cordoned", Subject::Node(name)) => told.of_node(name, &["machine-deleting"]),
            ("drain-blocked", Subject::Node(name)) => told.of_node(name, &["guard-budgets-crossed"]),
            ("alert-firing", Subject::Object(alert)) => alerted(&told, &alert.name),
            _ => None,
        })
        .collect();
    for (finding, because) in found.iter_mut().zip(because) {
        finding.because = because;
    }
    settle(found);
}

type Because = Option<(&'static str, Subject)>;

/// The findings by id.
struct Told<'a>(HashMap<&'static str, Vec<&'a Finding>>);

impl<'a> Told<'a> {
    fn new(found: &'a [Finding]) -> Self {
        let mut by_id: HashMap<&'static str, Vec<&Finding>> = HashMap::new();
        for finding in found {
            by_id.entry(finding.id).or_default().push(finding);
        }
        Self(by_id)
    }

    /// The worst finding of the first of these ids that has one that is wanted.
    fn first(&self, ids: &[&str], wanted: impl Fn(&Finding) -> bool) -> Because {
        ids.iter().find_map(|id| {
            let these = self.0.get(id)?.iter().filter(|finding| wanted(finding));
            let worst = these.max_by_key(|finding| (finding.level, Reverse(&finding.subject)))?;
            Some((worst.id, worst.subject.clone()))
        })
    }

    /// The first of these findings that speaks of a node.
    fn of_node(&self, node: &str, ids: &[&str]) -> Because {
        self.first(ids, |finding| finding.resources.iter().any(|of| of.resource == "nodes" && of.name == node))
    }
}

/// Who holds the capacity of a pool.
fn held(look: &Look, told: &Told, pool: &str) -> Because {
    let of_pool = |finding: &Finding| finding.subject == Subject::Pool(pool.to_owned());
    if let Some(twice) = told.first(&["capacity-double-count"], of_pool) {
        return Some(twice);
    }
    let pool = look.now.pool(pool)?;
    let names: HashSet<&str> = capacity_exhausted::holders(look, pool).map(|node| node.name.as_str()).collect();
    let causes = [
        "node-cordoned",
        "node-degraded",
        "node-lost-in-reboot",
        "node-not-ready",
        "node-disk-pressure",
        "node-network-unavailable",
    ];
    told.first(&causes, |finding| matches!(&finding.subject, Subject::Node(name) if names.contains(name.as_str())))
}

/// What keeps the operator machine-config: any degraded pool, or a required one that is paused.
const KEEP_MACHINE_CONFIG: &[&str] =
    &["pool-degraded", "render-degraded", "image-build-failed", "required-pool-paused"];

/// What makes an operator degraded or slow, when nodes or pools do.
fn operator(look: &Look, told: &Told, name: &str, finding: &Finding) -> Because {
    if name == "machine-config" {
        return told.first(KEEP_MACHINE_CONFIG, |_| true);
    }
    if name == "etcd" && finding.id == "operator-degraded" {
        return told.first(&["etcd-member-unhealthy"], |_| true);
    }
    if name == "operator-lifecycle-manager-packageserver" {
        return told.first(&["packageserver-stuck"], |_| true);
    }
    // Static pod operators say by this reason that they miss a control plane node (library-go, NodeController).
    let row = look.now.operator(name)?;
    if finding.id != "operator-degraded" || !row.reason.contains("NodeController_MasterNodesReady") {
        return None;
    }
    told.first(&["node-lost-in-reboot", "node-not-ready"], |finding| match &finding.subject {
        Subject::Node(name) => {
            let pool = look.now.node(name).and_then(|node| node.pool.as_deref());
            pool.and_then(|pool| look.now.pool(pool)).is_some_and(|pool| pool.control_plane)
        }
        _ => false,
    })
}

/// The operator because of which the cluster-version operator fails, by its message (`Cluster operator etcd is degraded`).
fn failing(look: &Look, told: &Told) -> Because {
    let said = look.now.facts.cluster_version.as_ref()?.status.conditions.condition("Failing")?;
    if !said.reason.contains("ClusterOperator") && !said.reason.contains("MultipleErrors") {
        return None;
    }
    let words: HashSet<&str> = said.message.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).collect();
    let causes = ["operator-unavailable", "operator-degraded", "operator-slow"];
    told.first(&causes, |finding| matches!(&finding.subject, Subject::Operator(name) if words.contains(name.as_str())))
}

/// What an alert of the machine-config operator or of Kubernetes fires about, when it is told already.
fn alerted(told: &Told, alert: &str) -> Because {
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
    told.first(causes, |_| true)
}

/// The place of the cause of each finding, where it is among them.
fn places(found: &[Finding]) -> Vec<Option<usize>> {
    let mut known: HashMap<(&str, &Subject), usize> = HashMap::new();
    for (at, finding) in found.iter().enumerate() {
        known.entry((finding.id, &finding.subject)).or_insert(at);
    }
    let cause = |finding: &Finding| {
        let (id, subject) = finding.because.as_ref()?;
        known.get(&(*id, subject)).copied()
    };
    found.iter().map(cause).collect()
}

/// Takes away what points to nothing, or round in a circle.
fn settle(found: &mut [Finding]) {
    let mut causes = places(found);
    for at in 0..found.len() {
        let mut above = causes[at];
        let mut steps = 0;
        while let Some(cause) = above.filter(|cause| *cause != at && steps < DEEPEST) {
            above = causes[cause];
            steps += 1;
        }
        if above.is_some() {
            causes[at] = None;
        }
        if causes[at].is_none() {
            found[at].because = None;
        }
    }
}

/// No chain of causes is that long.
const DEEPEST: usize = 16;

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
    let cause = places(&found);
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
