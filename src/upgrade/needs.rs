//! What has to be read beyond the core kinds, so that what is going on can be explained. Nothing is read for nobody.

use std::collections::BTreeSet;

use super::assessment::{Assessment, Node, NodePhase, Pool, Topology, VerdictKind};
use super::facts::Kind;
use crate::api::{Conditions as _, Tri};

/// What somebody looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Purpose {
    /// The update as it goes: the cockpit, `status`.
    #[default]
    Watch,
    /// An image-based upgrade.
    ImageBased,
    /// The versions on offer: `updates`.
    Updates,
    /// Everything that bears on readiness: `preflight`.
    Preflight,
}

/// What somebody looks at, and is about to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// What is looked at.
    pub purpose: Purpose,
    /// Kinds that a decision waits for, whatever is looked at.
    pub kinds: BTreeSet<Kind>,
}

impl From<Purpose> for Wanted {
    fn from(purpose: Purpose) -> Self {
        Self { purpose, kinds: BTreeSet::new() }
    }
}

impl Wanted {
    /// What has to be read: what the purpose asks for on this assessment, and the kinds that are waited for.
    pub fn needs(&self, assessment: &Assessment) -> Needs {
        let mut needs = needs(assessment, self.purpose);
        if self.kinds.contains(&Kind::Pods) {
            needs.pods = PodsOf::All;
        }
        needs.kinds.extend(self.kinds.iter().copied().filter(|kind| !kind.is_core() && *kind != Kind::Pods));
        needs
    }
}

/// Whose pods are needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodsOf {
    /// Those of these nodes.
    Nodes(BTreeSet<String>),
    /// All pods of the cluster.
    All,
}

impl Default for PodsOf {
    fn default() -> Self {
        Self::Nodes(BTreeSet::new())
    }
}

/// What has to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// Kinds, none of them core; [`Kind::Pods`] is told by `pods` alone.
    pub kinds: BTreeSet<Kind>,
    /// Pods.
    pub pods: PodsOf,
    /// Events as they come, and not only those of the start.
    pub events: bool,
}

/// What is cheap to keep, and explains a rollout or a request that is held up.
const WHILE_BUSY: [Kind; 9] = [
    Kind::MachineHealthChecks,
    Kind::ControlPlaneMachineSets,
    Kind::Infrastructures,
    Kind::PinnedImageSets,
    Kind::MachineOsConfigs,
    Kind::MachineOsBuilds,
    Kind::MachineConfigurations,
    Kind::ConfigMaps,
    Kind::Deployments,
];
/// What may speak against another minor version.
const FOR_A_MINOR: [Kind; 5] =
    [Kind::ConfigMaps, Kind::ApiRequestCounts, Kind::ClusterServiceVersions, Kind::Subscriptions, Kind::InstallPlans];
/// What the lifecycle agent waits for, and what it moves along.
const IMAGE_BASED: [Kind; 10] = [
    Kind::ClusterServiceVersions,
    Kind::CertificateSigningRequests,
    Kind::IpConfigs,
    Kind::Backups,
    Kind::Restores,
    Kind::BackupStorageLocations,
    Kind::DataProtectionApplications,
    Kind::LogicalVolumes,
    Kind::PersistentVolumes,
    Kind::SriovNodeStates,
];
/// Nodes whose pods are read, those that drain: each is a watch of its own.
const DRAINING: usize = 40;
/// The same, of those that come next.
const NEXT: usize = 20;
/// The same, of those that somebody cordoned.
const CORDONED: usize = 20;
/// The operator that waits for a ClusterServiceVersion of the platform.
const PACKAGE_SERVER: &str = "operator-lifecycle-manager-packageserver";
/// Label of the pods that virtual machines run in (KubeVirt, `AppLabel` of `virt-launcher`).
const VIRT_LAUNCHER: (&str, &str) = ("kubevirt.io", "virt-launcher");

/// What has to be read to say more about `assessment` than it says.
pub fn needs(assessment: &Assessment, purpose: Purpose) -> Needs {
    if purpose == Purpose::Preflight {
        let of_images = |kind: Kind| kind.image_based() && !single(assessment);
        let kinds = Kind::AROUND.into_iter().filter(|kind| *kind != Kind::Pods && !of_images(*kind)).collect();
        return Needs { kinds, pods: PodsOf::All, events: false };
    }
    let mut kinds = BTreeSet::new();
    let nodes = nodes_of_interest(assessment);
    if busy(assessment) {
        kinds.extend(WHILE_BUSY);
        kinds.insert(Kind::Alerts);
    }
    if assessment.update.in_progress && assessment.operator(PACKAGE_SERVER).is_some_and(|row| !row.updated) {
        kinds.insert(Kind::ClusterServiceVersions);
    }
    if !nodes.is_empty() {
        kinds.insert(Kind::PodDisruptionBudgets);
    }
    if runs_virtual_machines(assessment, &nodes) {
        kinds.insert(Kind::VirtualMachineInstances);
    }
    if assessment.nodes.iter().any(|node| !node.ready) {
        // A kubelet that is not heard may wait for its certificate, or its machine be replaced.
        kinds.extend([Kind::CertificateSigningRequests, Kind::Machines]);
    }
    let checks = &assessment.facts.around.machine_health_checks;
    if assessment.verdict.kind == VerdictKind::Completed || checks.iter().any(|check| check.is_paused()) {
        // Those that were paused for the update are to be resumed after it.
        kinds.insert(Kind::MachineHealthChecks);
    }
    if !checks.is_empty() {
        // Which nodes they watch over is known by their Machines.
        kinds.insert(Kind::Machines);
    }
    if assessment.pools.iter().any(|pool| pool.paused) {
        // Certificates do not reach the nodes of a paused pool.
        kinds.insert(Kind::ControllerConfigs);
    }
    if single(assessment) {
        // Nobody has to ask: where there is none it costs one answer a minute.
        kinds.insert(Kind::ImageBasedUpgrades);
    }
    if let Some(image) = &assessment.image_based
        && (image.under_way() || purpose == Purpose::ImageBased)
    {
        kinds.extend(IMAGE_BASED);
    }
    let barred = not_upgradeable(assessment);
    if barred {
        kinds.insert(Kind::ConfigMaps);
    }
    if purpose == Purpose::Updates {
        kinds.insert(Kind::Alerts);
        if barred || minor_on_offer(assessment) {
            kinds.extend(FOR_A_MINOR);
        }
    }
    let events = assessment.update.requested.is_some() || assessment.nodes.iter().any(|node| node.phase.moving());
    Needs { kinds, pods: PodsOf::Nodes(nodes), events }
}

/// May this be a cluster of one node, which alone can be upgraded by an image?
fn single(assessment: &Assessment) -> bool {
    assessment.image_based.is_some() || assessment.topology == Topology::SingleReplica
}

/// Does anything roll, or was anything asked for?
fn busy(assessment: &Assessment) -> bool {
    let update = &assessment.update;
    update.in_progress
        || update.requested.is_some()
        || assessment.nodes.iter().any(|node| node.phase.moving() || node.phase == NodePhase::Degraded)
        || assessment.pools.iter().any(|pool| pool.outdated() && !pool.paused)
}

/// The nodes whose pods decide how it goes on: those that drain, the longest first, and those that are next.
fn nodes_of_interest(assessment: &Assessment) -> BTreeSet<String> {
    let drains = |node: &&Node| match node.phase {
        NodePhase::Draining | NodePhase::Cordoned => true,
        NodePhase::Degraded => node.drain_trouble.is_some() || node.reached == Some(NodePhase::Draining),
        _ => node.drain_trouble.is_some(),
    };
    let mut draining: Vec<&Node> = assessment.nodes.iter().filter(drains).collect();
    // Where the time is not known it may be long.
    draining.sort_by_key(|node| node.since);
    // What is left on nodes that somebody cordoned tells whether they are drained.
    let cordoned = |node: &&Node| node.cordon.as_ref().is_some_and(|cordon| !cordon.by_mco) && !drains(node);
    let cordoned = assessment.nodes.iter().filter(cordoned).take(CORDONED).map(|node| node.name.clone());
    let cordoned: Vec<String> = cordoned.collect();
    let mut nodes: BTreeSet<String> = draining.into_iter().take(DRAINING).map(|node| node.name.clone()).collect();
    nodes.extend(cordoned);
    nodes.extend(next(assessment).into_iter().take(NEXT).map(str::to_owned));
    nodes
}

/// The next wave of each pool, in turns, so that a large pool does not hide the others.
fn next(assessment: &Assessment) -> Vec<&str> {
    let wave = |pool: &Pool| pool.capacity.next.len().min(pool.capacity.max_unavailable);
    let rolling: Vec<&Pool> = assessment.pools.iter().filter(|pool| !pool.paused && wave(pool) > 0).collect();
    let longest = rolling.iter().map(|pool| wave(pool)).max().unwrap_or_default();
    let turn = |at: usize| rolling.iter().filter(move |pool| at < wave(pool)).map(move |pool| &pool.capacity.next[at]);
    (0..longest).flat_map(turn).map(String::as_str).collect()
}

fn runs_virtual_machines(assessment: &Assessment, nodes: &BTreeSet<String>) -> bool {
    let (label, value) = VIRT_LAUNCHER;
    let around = &assessment.facts.around;
    let mut pods = nodes.iter().filter_map(|node| around.pods_of(node)).flatten();
    pods.any(|pod| pod.metadata.labels.as_ref().is_some_and(|labels| labels.get(label).is_some_and(|own| own == value)))
}

/// Does the ClusterVersion, or an operator, speak against another minor version?
fn not_upgradeable(assessment: &Assessment) -> bool {
    let version = assessment.facts.cluster_version.as_ref();
    let upgradeable = version.and_then(|version| version.status.conditions.condition("Upgradeable"));
    upgradeable.is_some_and(|condition| condition.status == Tri::False)
        || assessment.operators.rows.iter().any(|row| row.not_upgradeable.is_some())
}

fn minor_on_offer(assessment: &Assessment) -> bool {
    let minor = |version: &str| version.split('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    let present = assessment.update.to.as_deref().map(minor);
    assessment
        .update
        .offers
        .iter()
        .any(|offer| present.as_ref().is_some_and(|present| *present != minor(&offer.version)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::api;
    use crate::upgrade::specimen::Specimen;
    use serde_json::json;

    fn of(assessment: &Assessment, purpose: Purpose) -> (Vec<&'static str>, Vec<String>, bool) {
        let Needs { kinds, pods, events } = needs(assessment, purpose);
        let pods = match pods {
            PodsOf::All => vec!["all".to_owned()],
            PodsOf::Nodes(nodes) => nodes.into_iter().collect(),
        };
        (kinds.into_iter().map(Kind::plural).collect(), pods, events)
    }

    const BUSY: [&str; 10] = [
        "machinehealthchecks",
        "controlplanemachinesets",
        "configmaps",
        "infrastructures",
        "pinnedimagesets",
        "machineosconfigs",
        "machineosbuilds",
        "machineconfigurations",
        "deployments",
        "alerts",
    ];

    fn busy_and(more: &[&'static str]) -> BTreeSet<&'static str> {
        BUSY.into_iter().chain(more.iter().copied()).collect()
    }

    fn set(kinds: Vec<&'static str>) -> BTreeSet<&'static str> {
        kinds.into_iter().collect()
    }

    #[test]
    fn a_cluster_at_rest_needs_nothing() {
        let (kinds, pods, events) = of(&Specimen::idle().assess(0), Purpose::Watch);
        assert!(kinds.is_empty() && pods.is_empty() && !events, "{kinds:?} {pods:?}");
    }

    #[test]
    fn while_pools_roll_the_pods_of_the_next_nodes_are_needed_with_their_budgets() {
        let (kinds, pods, events) = of(&Specimen::rolling().assess(40), Purpose::Watch);
        assert_eq!(set(kinds), busy_and(&["poddisruptionbudgets"]));
        assert_eq!(pods, ["master-0", "worker-0"], "one of each pool: maxUnavailable is 1");
        assert!(!events, "nothing moves yet");
    }

    #[test]
    fn a_node_that_drains_is_looked_at_and_events_are_followed() {
        let mut cluster = Specimen::rolling();
        cluster.drains("worker-2", "worker", 35);
        let (_, pods, events) = of(&cluster.assess(40), Purpose::Watch);
        assert!(pods.contains(&"worker-2".to_owned()), "{pods:?}");
        assert!(events);
    }

    #[test]
    fn a_node_that_is_not_ready_may_wait_for_a_certificate_or_be_replaced() {
        let mut cluster = Specimen::idle();
        cluster.node("worker-0")["status"]["conditions"] = json!([{"type": "Ready", "status": "Unknown"}]);
        let (kinds, ..) = of(&cluster.assess(0), Purpose::Watch);
        assert!(set(kinds.clone()).is_superset(&set(vec!["certificatesigningrequests", "machines"])), "{kinds:?}");
    }

    #[test]
    fn machines_are_asked_for_where_something_checks_their_health() {
        let mut assessment = Specimen::rolling().assess(40);
        assert!(!of(&assessment, Purpose::Watch).0.contains(&"machines"));
        let mut facts = (*assessment.facts).clone();
        let around = Arc::make_mut(&mut facts.around);
        around.machine_health_checks = Arc::new(vec![Arc::new(api::MachineHealthCheck::default())]);
        assessment.facts = Arc::new(facts);
        assert!(of(&assessment, Purpose::Watch).0.contains(&"machines"));
    }

    #[test]
    fn certificates_matter_to_a_paused_pool_whose_pods_do_not() {
        let mut cluster = Specimen::rolling();
        cluster.pool("worker")["spec"]["paused"] = json!(true);
        let (kinds, pods, _) = of(&cluster.assess(40), Purpose::Watch);
        assert!(kinds.contains(&"controllerconfigs"));
        assert_eq!(pods, ["master-0"]);
    }

    #[test]
    fn virtual_machines_are_asked_for_when_there_is_one() {
        let cluster = Specimen::rolling();
        let mut assessment = cluster.assess(40);
        let pod: api::Pod = serde_json::from_value(json!({"metadata": {"name": "virt-launcher-x", "namespace": "vms",
            "labels": {"kubevirt.io": "virt-launcher"}}, "spec": {"nodeName": "worker-0"}}))
        .unwrap_or_default();
        let mut facts = (*assessment.facts).clone();
        let around = Arc::make_mut(&mut facts.around);
        around.pods = Arc::new([("worker-0".to_owned(), Arc::new(vec![Arc::new(pod)]))].into());
        assert!(!of(&assessment, Purpose::Watch).0.contains(&"virtualmachineinstances"));
        assessment.facts = Arc::new(facts);
        assert!(of(&assessment, Purpose::Watch).0.contains(&"virtualmachineinstances"));
    }

    /// A cluster of one node, with an image-based upgrade at that stage.
    fn single_node(stage: &str) -> Specimen {
        let mut cluster = Specimen::idle();
        cluster.nodes.truncate(1);
        cluster.pools.truncate(1);
        let idle = if stage == "Idle" { "True" } else { "False" };
        cluster.around = vec![json!({"apiVersion": "lca.openshift.io/v1", "kind": "ImageBasedUpgrade",
            "metadata": {"name": "upgrade"}, "spec": {"stage": stage},
            "status": {"conditions": [{"type": "Idle", "status": idle, "reason": "Idle"},
                                      {"type": "PrepInProgress", "status": "True", "reason": "InProgress"}]}})];
        cluster
    }

    #[test]
    fn on_a_single_node_an_image_based_upgrade_is_noticed_without_asking() {
        let mut cluster = single_node("Idle");
        assert_eq!(of(&cluster.assess(0), Purpose::Watch).0, ["imagebasedupgrades"]);
        cluster.around.clear();
        assert_eq!(of(&cluster.assess(0), Purpose::Watch).0, ["imagebasedupgrades"], "it may come");
        assert!(of(&Specimen::idle().assess(0), Purpose::ImageBased).0.is_empty(), "there is none on three nodes");
    }

    #[test]
    fn what_the_agent_waits_for_is_read_while_it_works_or_somebody_looks() {
        let looked = of(&single_node("Idle").assess(0), Purpose::ImageBased).0;
        let works = of(&single_node("Prep").assess(0), Purpose::Watch).0;
        assert_eq!(looked, works);
        for kind in ["backups", "restores", "clusterserviceversions", "certificatesigningrequests", "logicalvolumes"] {
            assert!(works.contains(&kind), "{works:?}");
        }
    }

    #[test]
    fn what_speaks_against_a_minor_is_read_for_the_versions_on_offer() {
        let mut cluster = Specimen::idle();
        assert_eq!(of(&cluster.assess(0), Purpose::Updates).0, ["alerts"]);
        let offer = |version: &str| json!([{"version": version, "image": "i"}]);
        cluster.version["status"]["availableUpdates"] = offer("4.18.30");
        assert_eq!(of(&cluster.assess(0), Purpose::Updates).0, ["alerts"], "a patch");
        cluster.version["status"]["availableUpdates"] = offer("4.19.3");
        let minor =
            ["configmaps", "apirequestcounts", "clusterserviceversions", "subscriptions", "installplans", "alerts"];
        assert_eq!(set(of(&cluster.assess(0), Purpose::Updates).0), set(minor.to_vec()));
        assert!(of(&cluster.assess(0), Purpose::Watch).0.is_empty());
        if let Some(conditions) = cluster.version["status"]["conditions"].as_array_mut() {
            conditions.push(json!({"type": "Upgradeable", "status": "False"}));
        }
        assert_eq!(of(&cluster.assess(0), Purpose::Watch).0, ["configmaps"], "a gate may be what is missing");
    }

    #[test]
    fn what_a_decision_waits_for_is_read_beside_what_is_looked_at() {
        let kinds = [Kind::CertificateSigningRequests, Kind::Pods, Kind::Nodes].into();
        let wanted = Wanted { purpose: Purpose::Updates, kinds };
        let needs = wanted.needs(&Specimen::idle().assess(0));
        assert_eq!(needs.kinds, [Kind::CertificateSigningRequests, Kind::Alerts].into(), "nodes are read anyway");
        assert_eq!(needs.pods, PodsOf::All);
    }

    #[test]
    fn readiness_depends_on_everything() {
        let (kinds, pods, _) = of(&Specimen::idle().assess(0), Purpose::Preflight);
        let of_images = Kind::AROUND.into_iter().filter(|kind| kind.image_based()).count();
        assert_eq!(kinds.len(), Kind::AROUND.len() - 1 - of_images, "but for what only a single node can have");
        assert_eq!(pods, ["all"]);
    }

    #[test]
    fn on_a_large_cluster_the_number_of_nodes_is_bounded_and_those_that_drain_for_long_come_first() {
        let mut assessment = Specimen::rolling().assess(40);
        let specimen = assessment.nodes[0].clone();
        let nodes = (0..300).map(|number| Node {
            name: format!("n-{number:03}"),
            phase: NodePhase::Draining,
            since: Some(assessment.now - chrono::TimeDelta::minutes(number)),
            ..specimen.clone()
        });
        assessment.nodes = Arc::new(nodes.collect());
        for pool in &mut assessment.pools {
            pool.capacity.max_unavailable = 100;
            pool.capacity.next = (0..64).map(|number| format!("{}-{number:02}", pool.name)).collect();
        }
        let (_, pods, _) = of(&assessment, Purpose::Watch);
        assert_eq!(pods.len(), DRAINING + NEXT);
        assert!(pods.contains(&"n-299".to_owned()) && !pods.contains(&"n-000".to_owned()));
        assert!(
            pods.iter().any(|name| name.starts_with("master-")) && pods.iter().any(|name| name.starts_with("worker-"))
        );
    }
}
