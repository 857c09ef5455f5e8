//! Which nodes the machine-config controller takes next, and why none: its own arithmetic, step by step
//! (machine-config operator, pkg/controller/node/node_controller.go, `getAllCandidateMachines`, `maxUnavailable`).

use chrono::{DateTime, Utc};

use super::assessment::{Build, Capacity, Layer, NodePhase};
use super::node_phase::{DaemonState, Marks};
use super::words;
use crate::api::metadata::deleted;
use crate::api::{IntOrString, MachineConfigPool, Node, Tri, node_key};

/// At most so many candidates are named.
const NAMED: usize = 64;

/// Is the node ready in the controller's eyes (`checkNodeReady`)? Conditions that are missing do not count against it.
pub fn controller_ready(node: &Node) -> bool {
    !node.spec.unschedulable
        && node.status.conditions.iter().all(|condition| match condition.kind.as_str() {
            "Ready" => condition.status == Tri::True,
            "DiskPressure" | "NetworkUnavailable" => condition.status == Tri::False,
            _ => true,
        })
}

/// Does it count as unavailable (`isNodeUnavailable`)? Not ready, cordoned by anybody, or the daemon is at work; a
/// daemon that failed may be retargeted, so a failing node that is ready does not count.
pub fn unavailable(ready: bool, marks: &Marks) -> bool {
    !ready || !(marks.done() || marks.failing())
}

/// What the arithmetic needs of one node.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// The node.
    pub node: &'a Node,
    /// Place of its row.
    pub row: usize,
    /// Its annotations.
    pub marks: Marks<'a>,
    /// [`controller_ready`].
    pub ready: bool,
    /// Its phase.
    pub phase: NodePhase,
}

/// `maxUnavailable` as a number: percentages are rounded down, 0 becomes 1, the arbiter pool always has 1, and what
/// cannot be read is 1 too (the controller stops there; validation keeps it from happening).
pub fn max_unavailable(pool: &MachineConfigPool, total: usize) -> usize {
    if pool.name() == "arbiter" {
        return 1;
    }
    let scaled = match &pool.spec.max_unavailable {
        None => 1,
        Some(IntOrString::Int(number)) => usize::try_from(*number).unwrap_or(0),
        Some(IntOrString::Text(text)) => {
            let percent = text.strip_suffix('%').and_then(|number| number.trim().parse::<usize>().ok());
            percent.map_or(0, |percent| total.saturating_mul(percent) / 100)
        }
    };
    scaled.max(1)
}

/// As written in the pool.
fn as_written(pool: &MachineConfigPool) -> String {
    match &pool.spec.max_unavailable {
        None => "1".to_owned(),
        Some(IntOrString::Int(number)) => number.to_string(),
        Some(IntOrString::Text(text)) => text.clone(),
    }
}

/// What bears on a pool beside its own nodes.
#[derive(Debug, Clone, Default)]
pub struct Rules<'a> {
    /// The pool's configuration is the one that the update will end with; before, the order is a forecast.
    pub rendered: bool,
    /// The layer of the pool.
    pub layer: Option<&'a Layer>,
    /// Another pool keeps the controller from taking any node of this one: why.
    pub held: Option<String>,
    /// The node that is put off while there are others: it runs the machine-config operator.
    pub last: Option<&'a str>,
    /// What the order cannot take into account.
    pub caveat: &'static str,
}

impl<'a> Rules<'a> {
    /// The image that nodes have to go to, once it can be used.
    fn image(&self) -> Option<&'a str> {
        self.layer.filter(|layer| layer.build == Build::Succeeded)?.image.as_deref()
    }
}

/// Does the controller still have to take this node, could it?
pub fn is_candidate(pool: &MachineConfigPool, member: &Member, rules: &Rules) -> bool {
    let targeted = member.marks.targets(&pool.spec.configuration.name, rules.image());
    member.ready && if rules.rendered { !targeted } else { member.phase != NodePhase::Done }
}

/// The arithmetic for one pool; the second part holds the rows of all candidates, in the controller's order.
pub fn capacity(pool: &MachineConfigPool, members: &[Member], rules: &Rules) -> (Capacity, Vec<usize>) {
    let target = pool.spec.configuration.name.as_str();
    let max_unavailable = max_unavailable(pool, members.len());
    let (mut unavailable_now, mut failing, mut waiting) = (0, 0, 0);
    let mut candidates: Vec<&Member> = Vec::new();
    for member in members {
        unavailable_now += usize::from(unavailable(member.ready, &member.marks));
        failing += usize::from(member.marks.failing() && member.marks.targets(target, rules.image()));
        waiting += usize::from(matches!(member.phase, NodePhase::Waiting | NodePhase::Paused));
        if is_candidate(pool, member, rules) {
            candidates.push(member);
        }
    }
    candidates.sort_by_cached_key(|member| (rules.last == Some(member.node.name()), order(member.node)));
    let held = rules.held.is_some();
    let free = if held { 0 } else { max_unavailable.saturating_sub(unavailable_now).saturating_sub(failing) };
    let holders = Holders::of(members);
    let why_none = why_none(pool, &holders, &candidates, rules, waiting, free);
    let passed_over = pool.spec.paused || passes_over(pool, rules).is_some();
    let next = if passed_over { &[][..] } else { &candidates[..candidates.len().min(NAMED)] };
    let rows = if passed_over || !rules.rendered { Vec::new() } else { candidates.iter().map(|m| m.row).collect() };
    let capacity = Capacity {
        max_unavailable,
        max_unavailable_spec: as_written(pool),
        unavailable: unavailable_now,
        failing,
        free,
        next: next.iter().map(|member| member.node.name().to_owned()).collect(),
        why_none,
        busy: if free == 0 && !held && holders.only_work() { holders.at_work() } else { Vec::new() },
        caveat: if next.len() > 1 { rules.caveat.to_owned() } else { String::new() },
    };
    (capacity, rows)
}

/// Why the controller leaves the pool alone altogether (`syncMachineConfigPool`), in words.
fn passes_over(pool: &MachineConfigPool, rules: &Rules) -> Option<String> {
    if deleted(&pool.metadata).is_some() {
        return Some("the pool is being deleted, the controller leaves it alone".to_owned());
    }
    if pool.spec.node_selector.as_ref().is_none_or(crate::api::LabelSelector::is_empty) {
        return Some("the pool's node selector is empty, the controller leaves such pools alone".to_owned());
    }
    let layer = rules.layer.filter(|layer| layer.build != Build::Succeeded)?;
    Some(format!("waits for its OS image: the build {}", layer.build.words()))
}

/// By zone, in a zone the oldest first, those without zone last (`getCandidateMachines`). Members come by name, and sorting
/// keeps that order among equals.
fn order(node: &Node) -> (bool, &str, Option<DateTime<Utc>>) {
    let zone = node.label(node_key::ZONE);
    (zone.is_none(), zone.unwrap_or_default(), node.created())
}

/// Why the controller takes no further node although some wait; empty if it does, or if none waits.
fn why_none(
    pool: &MachineConfigPool,
    holders: &Holders,
    candidates: &[&Member],
    rules: &Rules,
    waiting: usize,
    free: usize,
) -> String {
    if waiting == 0 {
        return String::new();
    }
    if pool.spec.paused {
        return format!("the pool is paused; {} to come", words::count(waiting, "node"));
    }
    if !rules.rendered {
        return "the new configuration has not been rendered yet".to_owned();
    }
    if let Some(why) = passes_over(pool, rules) {
        return why;
    }
    if let Some(why) = &rules.held {
        return why.clone();
    }
    if free == 0 {
        // Nodes that are worked on are what the capacity is for: no trouble, and not told like one.
        return if holders.only_work() { holders.words() } else { format!("no capacity: {}", holders.words()) };
    }
    if candidates.is_empty() {
        return "the nodes that wait are cordoned or not ready, so the controller passes them over".to_owned();
    }
    String::new()
}

/// Who uses the capacity up.
struct Holders<'a> {
    groups: [(&'static str, Vec<&'a str>); 4],
    /// Fail and are unavailable: both count.
    twice: Vec<&'a str>,
}

impl<'a> Holders<'a> {
    fn of(members: &[Member<'a>]) -> Self {
        let mut groups: [(&str, Vec<&str>); 4] =
            [("at work on", Vec::new()), ("cordoned", Vec::new()), ("not ready", Vec::new()), ("failing", Vec::new())];
        for member in members {
            let group = if member.marks.failing() {
                3
            } else if !unavailable(member.ready, &member.marks) {
                continue;
            } else if member.phase.moving() {
                0
            } else if member.node.spec.unschedulable {
                1
            } else if member.ready && member.marks.state != DaemonState::Done {
                0
            } else {
                2
            };
            groups[group].1.push(member.node.name());
        }
        for (_, names) in &mut groups {
            names.sort_by(|a, b| words::natural(a, b));
        }
        // A drain that failed leaves its node cordoned (unavailable) and degraded (failing).
        let twice = members.iter().filter(|m| m.marks.failing() && !m.ready).map(|member| member.node.name()).collect();
        Self { groups, twice }
    }

    /// Is it the controller's own work, and nothing else?
    fn only_work(&self) -> bool {
        let [(_, work), others @ ..] = &self.groups;
        !work.is_empty() && others.iter().all(|(_, names)| names.is_empty())
    }

    fn at_work(&self) -> Vec<String> {
        self.groups[0].1.iter().map(|&name| name.to_owned()).collect()
    }

    fn words(&self) -> String {
        let told = self.groups.iter().filter(|(_, names)| !names.is_empty());
        let told = told.map(|(word, names)| format!("{word} {}", words::some_of(names.iter().copied(), 3)));
        let mut parts: Vec<String> = told.collect();
        if !self.twice.is_empty() {
            let verb = if self.twice.len() == 1 {
                "fails and is unavailable, which counts twice"
            } else {
                "fail and are unavailable, which counts twice"
            };
            parts.push(format!("{} {verb}", words::some_of(self.twice.iter().copied(), 3)));
        }
        parts.join("; ")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::upgrade::specimen::{NEW, Specimen, rendered, stamp};
    use serde_json::{Value, json};

    #[test]
    fn max_unavailable_is_scaled_as_the_controller_does() {
        let table: [(Value, &str, usize, usize); 9] = [
            (json!(null), "worker", 6, 1),
            (json!(3), "worker", 6, 3),
            (json!(0), "worker", 6, 1),
            (json!("10%"), "worker", 6, 1),
            (json!("50%"), "worker", 7, 3),
            (json!("34%"), "worker", 100, 34),
            (json!("half"), "worker", 6, 1),
            (json!(-2), "worker", 6, 1),
            (json!(3), "arbiter", 6, 1),
        ];
        for (spec, name, total, expected) in table {
            let pool: MachineConfigPool =
                serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"maxUnavailable": spec}})).unwrap();
            assert_eq!(max_unavailable(&pool, total), expected, "{spec} of {total} in {name}");
        }
    }

    /// Capacity of the pool `worker`: free slots, the next ones, and why none.
    fn of_worker(cluster: &Specimen) -> (usize, Vec<String>, String) {
        let assessment = cluster.assess(40);
        let capacity = assessment.pool("worker").unwrap().capacity.clone();
        (capacity.free, capacity.next, capacity.why_none)
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn the_next_ones_come_by_zone_then_by_age_and_those_without_zone_last() {
        let mut cluster = Specimen::rolling();
        cluster.node("worker-0")["metadata"]["labels"]["topology.kubernetes.io/zone"] = json!(null);
        cluster.node("worker-1")["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
        cluster.node("worker-2")["metadata"]["labels"]["topology.kubernetes.io/zone"] = json!("b");
        assert_eq!(of_worker(&cluster), (1, names(&["worker-2", "worker-1", "worker-0"]), String::new()));
        let assessment = cluster.assess(40);
        let places = ["worker-0", "worker-1", "worker-2"].map(|name| assessment.node(name).unwrap().next);
        assert_eq!(places, [Some(3), Some(2), Some(1)]);
        assert_eq!(assessment.node("master-0").unwrap().next, Some(1), "each pool has its own queue");
    }

    #[test]
    fn a_node_at_work_uses_capacity() {
        let mut cluster = Specimen::rolling();
        cluster.drains("worker-0", "worker", 35);
        assert_eq!(
            of_worker(&cluster),
            (0, names(&["worker-2", "worker-1"]), "at work on worker-0".to_owned()),
            "that is what the capacity is for: it does not read like trouble"
        );
        assert_eq!(cluster.assess(40).pool("worker").unwrap().capacity.busy, ["worker-0"]);
        cluster.pool("worker")["spec"]["maxUnavailable"] = json!(2);
        assert_eq!(of_worker(&cluster), (1, names(&["worker-2", "worker-1"]), String::new()));
    }

    #[test]
    fn anybodys_cordon_uses_capacity_and_takes_the_node_out_of_the_queue() {
        let mut cluster = Specimen::rolling();
        cluster.cordon("worker-0", "kubectl-cordon", -60);
        assert_eq!(
            of_worker(&cluster),
            (0, names(&["worker-2", "worker-1"]), "no capacity: cordoned worker-0".to_owned())
        );
        assert_eq!(cluster.assess(40).pool("worker").unwrap().capacity.busy, [] as [&str; 0]);
        let cordon = cluster.assess(40).node("worker-0").unwrap().cordon.clone().unwrap();
        assert!(!cordon.by_mco);
        assert_eq!(cordon.manager.as_deref(), Some("kubectl-cordon"));
    }

    #[test]
    fn a_failed_drain_counts_twice() {
        let mut cluster = Specimen::rolling();
        cluster.drains("worker-0", "worker", -60);
        cluster.mark("worker-0", &[("state", "Degraded"), ("reason", "failed to drain node: worker-0 after 1 hour")]);
        for (max, free) in [(1, 0), (2, 0), (3, 1)] {
            cluster.pool("worker")["spec"]["maxUnavailable"] = json!(max);
            assert_eq!(of_worker(&cluster).0, free, "maxUnavailable {max}");
        }
        cluster.pool("worker")["spec"]["maxUnavailable"] = json!(2);
        assert!(of_worker(&cluster).2.contains("counts twice"));
    }

    #[test]
    fn a_failing_node_that_is_schedulable_counts_once() {
        let mut cluster = Specimen::rolling();
        let config = rendered("worker", NEW);
        cluster.mark("worker-0", &[("desiredConfig", &config), ("state", "Unreconcilable")]);
        let capacity = cluster.assess(40).pool("worker").unwrap().capacity.clone();
        assert_eq!((capacity.unavailable, capacity.failing, capacity.free), (0, 1, 0));
    }

    #[test]
    fn a_node_that_fails_at_an_older_target_may_be_retargeted() {
        let mut cluster = Specimen::rolling();
        cluster.mark("worker-0", &[("desiredConfig", "rendered-worker-between"), ("state", "Degraded")]);
        let (free, next, _) = of_worker(&cluster);
        assert_eq!((free, next), (1, names(&["worker-0", "worker-2", "worker-1"])));
    }

    #[test]
    fn disk_pressure_and_a_missing_network_make_a_node_unavailable() {
        for (kind, status) in [("DiskPressure", "True"), ("NetworkUnavailable", "True"), ("Ready", "Unknown")] {
            let mut cluster = Specimen::rolling();
            let told = json!({"type": kind, "status": status, "lastTransitionTime": stamp(0)});
            cluster.node("worker-0")["status"]["conditions"] = json!([told]);
            assert_eq!(of_worker(&cluster).0, 0, "{kind} {status}");
        }
    }

    #[test]
    fn a_paused_pool_has_no_next_one() {
        let mut cluster = Specimen::rolling();
        cluster.pool("worker")["spec"]["paused"] = json!(true);
        let (_, next, why) = of_worker(&cluster);
        assert_eq!((next, why.as_str()), (Vec::new(), "the pool is paused; 3 nodes to come"));
        assert_eq!(cluster.assess(40).node("worker-0").unwrap().next, None);
    }

    #[test]
    fn before_the_configuration_is_rendered_the_order_is_a_forecast() {
        let (_, next, why) = of_worker(&Specimen::updating());
        assert_eq!(next, names(&["worker-0", "worker-2", "worker-1"]));
        assert_eq!(why, "the new configuration has not been rendered yet");
        assert_eq!(Specimen::updating().assess(5).node("worker-0").unwrap().next, None, "no candidate now");
    }

    #[test]
    fn a_pool_that_is_being_deleted_is_left_alone() {
        let mut cluster = Specimen::rolling();
        cluster.pool("worker")["metadata"]["deletionTimestamp"] = json!(stamp(35));
        let (_, next, why) = of_worker(&cluster);
        assert_eq!((next, why.as_str()), (Vec::new(), "the pool is being deleted, the controller leaves it alone"));
    }

    #[test]
    fn the_master_that_runs_the_machine_config_operator_goes_last() {
        let mut cluster = Specimen::rolling();
        let of_master = |cluster: &Specimen| cluster.assess(40).pool("master").unwrap().capacity.clone();
        let unknown = of_master(&cluster);
        assert_eq!(unknown.next, names(&["master-0", "master-1", "master-2"]));
        assert!(unknown.caveat.contains("which one is not known"), "{}", unknown.caveat);
        cluster.around.push(json!({
            "apiVersion": "v1", "kind": "Pod", "spec": {"nodeName": "master-0"},
            "metadata": {"name": "machine-config-operator-1", "namespace": "openshift-machine-config-operator",
                "labels": {"k8s-app": "machine-config-operator"}},
        }));
        let known = of_master(&cluster);
        assert_eq!((known.next, known.caveat.as_str()), (names(&["master-1", "master-2", "master-0"]), ""));
    }

    /// Two masters and an arbiter, each in its pool.
    fn with_arbiter() -> Specimen {
        let mut cluster = Specimen::rolling();
        let mut pool = cluster.pool("worker").clone();
        pool["metadata"]["name"] = json!("arbiter");
        pool["spec"]["nodeSelector"] = json!({"matchLabels": {"node-role.kubernetes.io/arbiter": ""}});
        cluster.pools.push(pool);
        cluster.node("master-2")["metadata"]["labels"] =
            json!({"node-role.kubernetes.io/arbiter": "", "kubernetes.io/os": "linux"});
        cluster
    }

    #[test]
    fn the_arbiter_waits_for_the_masters_and_they_for_it_when_it_is_away() {
        let mut cluster = with_arbiter();
        let told = |cluster: &Specimen, pool: &str| {
            let capacity = cluster.assess(40).pool(pool).unwrap().capacity.clone();
            (capacity.free, capacity.why_none)
        };
        assert_eq!(told(&cluster, "master"), (1, String::new()));
        assert_eq!(
            told(&cluster, "arbiter"),
            (0, "the arbiter waits until all masters are updated and available".to_owned())
        );
        cluster.node("master-2")["status"]["conditions"][0]["status"] = json!("False");
        assert_eq!(
            told(&cluster, "master"),
            (0, "the arbiter master-2 is not available, so no master is taken".to_owned())
        );
        cluster.node("master-2")["status"]["conditions"][0]["status"] = json!("True");
        cluster.reaches("master-0", "master");
        cluster.reaches("master-1", "master");
        assert_eq!(told(&cluster, "arbiter").0, 1);
    }
}
