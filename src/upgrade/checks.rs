//! The checks: what a person should know. One file per check, named as its findings are.
//!
//! A check reads the assessment (rows, counts, facts) and the memory's clocks, and adds findings. It never looks at
//! another check's findings: which of them are consequences of others is found out at the end, in `causes`.

mod admin_ack_missing;
pub mod alert_firing;
mod blocked_pods;
pub(super) mod boot_images_degraded;
mod capabilities_implicit;
mod capacity_double_count;
mod capacity_exhausted;
mod causes;
mod clear_came_too_late;
mod clock_skew;
mod config_drift;
mod control_plane_machine_set;
mod csr_pending;
pub(super) mod cv_overrides;
mod cvo_down;
mod cvo_failing;
mod cvo_failing_early;
mod degraded;
mod drain_blocked;
mod drain_over_an_hour;
mod drain_will_block;
mod etcd_member_unhealthy;
mod eviction_loses_data;
mod guard_budgets_crossed;
mod health_check_active;
mod hop_refused;
mod ibu;
mod ibu_auto_rolled_back;
mod ibu_backup_failed;
mod ibu_blocked;
mod ibu_cleanup_failed;
mod ibu_failed;
mod ibu_health_waits;
mod ibu_rollback_expiring;
mod ibu_rollback_failed;
mod ibu_rollback_off;
mod ibu_rollback_waits;
mod ibu_validation_warning;
mod image_build_failed;
mod invalid_request;
mod kind_unreadable;
mod link_stale;
mod machine_deleting;
mod machine_failed;
mod machines;
mod mcc_restarted;
mod multi_arch_left;
mod no_failing_condition;
mod node_conditions;
mod node_cordoned;
mod node_custom_master;
mod node_degraded;
mod node_disk_full;
mod node_disk_pressure;
mod node_in_two_pools;
mod node_lost_in_reboot;
mod node_network_unavailable;
mod node_not_ready;
mod node_pull_failed;
mod node_unmanaged;
pub(super) mod not_upgradeable;
mod operator_degraded;
pub mod operator_slow;
mod operator_unavailable;
mod os_image_mismatch;
mod packageserver_stuck;
mod payload_pull_failed;
mod payload_version_mismatch;
mod pinned_images_failed;
mod pod_terminating;
mod pool_certificates;
mod pool_degraded;
mod pool_paused;
mod preflight_mode_left;
mod reading;
mod reboot_failed;
mod release;
mod release_not_accepted;
pub(super) mod removed_api_used;
mod render_degraded;
mod rendered_config_missing;
mod required_pool_paused;
mod risk_unknown;
mod several_budgets;
mod several_errors;
pub(super) mod signature_missing;
#[cfg(test)]
mod tests;
mod uncordon_failed;
mod unreconcilable;
mod update_blocked_by_webhook;
mod update_partial;
pub(super) mod updates_not_retrieved;
mod vm_cannot_migrate;
mod windows_node;

use chrono::{DateTime, TimeDelta, Utc};

use super::as_oc::AsOc;
use super::assessment::{Assessment, Evidence, Finding, Impact, Level, Remedy, Resource, Subject, age};
use super::memory::Memory;

/// What a check looks at.
pub(super) struct Look<'a> {
    /// Rows and facts; its findings and verdict are not made yet.
    pub now: &'a Assessment,
    /// The clocks.
    pub memory: &'a Memory,
    /// The same in the eyes of `oc adm upgrade status`, whose findings are all told.
    pub oc: AsOc<'a>,
}

impl<'a> Look<'a> {
    fn at(now: &'a Assessment, memory: &'a Memory) -> Self {
        Self { now, memory, oc: AsOc::of(now) }
    }
}

/// A finding that the checks can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: &'static str,
    /// What it says, in one line.
    pub title: &'static str,
}

const fn entry(id: &'static str, title: &'static str) -> Entry {
    Entry { id, title }
}

/// All findings that there are, for help, documentation and tests.
pub const CATALOGUE: &[Entry] = &[
    // Drains.
    entry("drain-blocked", "a drain does not come to an end, and which pods hold it up"),
    entry("drain-over-an-hour", "a drain has lasted over an hour: the node is called degraded"),
    entry("pod-terminating", "a drain waits for a pod that is being deleted and does not end"),
    entry("several-budgets", "more than one budget selects a pod, which can therefore not be evicted"),
    entry("vm-cannot-migrate", "a virtual machine that has to leave its node, and cannot"),
    entry("guard-budgets-crossed", "two control plane nodes are drained at once"),
    entry("drain-will-block", "a node of the next wave carries a pod that will not leave"),
    entry("eviction-loses-data", "the next drains end bare pods, or lose what is in an emptyDir"),
    entry("mcc-restarted", "the machine-config controller started anew and counts drains from then"),
    // Nodes.
    entry("node-degraded", "the machine-config daemon failed on a node"),
    entry("config-drift", "files on a node are not what its configuration says"),
    entry("os-image-mismatch", "a node did not boot into the wanted OS image"),
    entry("rendered-config-missing", "a node refers to a rendered configuration that does not exist"),
    entry("unreconcilable", "a change that cannot be made on a running node"),
    entry("node-pull-failed", "a node cannot pull the OS image"),
    entry("node-disk-full", "no space is left on a node for the update"),
    entry("reboot-failed", "a node could not be rebooted by its daemon"),
    entry("uncordon-failed", "a node is done and stays cordoned"),
    entry("node-lost-in-reboot", "a node has not come back from its reboot in time"),
    entry("node-not-ready", "a node is not ready"),
    entry("node-disk-pressure", "a node runs out of disk"),
    entry("node-network-unavailable", "the network of a node is not set up"),
    entry("node-cordoned", "a node that somebody cordoned uses up capacity of its pool"),
    entry("node-unmanaged", "a node that no pool updates"),
    entry("node-in-two-pools", "two custom pools select a node, so none updates it"),
    entry("node-custom-master", "a control plane node with the role of a custom pool"),
    entry("windows-node", "Windows nodes, which their own operator updates"),
    entry("csr-pending", "nodes wait for the approval of their certificates"),
    // Machines.
    entry("health-check-active", "a health check may delete machines that reboot for the update"),
    entry("machine-deleting", "the machine of a node is being deleted"),
    entry("machine-failed", "a machine failed for good"),
    entry("control-plane-machine-set", "control plane machines are replaced during the update"),
    // Pools.
    entry("pool-paused", "a paused pool whose nodes are not at its configuration"),
    entry("required-pool-paused", "the control plane's pool is paused, so the update cannot end"),
    entry("pool-degraded", "a pool says that something is wrong"),
    entry("render-degraded", "no new configuration can be rendered for a pool"),
    entry("capacity-exhausted", "nodes wait and the controller takes no further one"),
    entry("capacity-double-count", "a node that fails and is cordoned counts twice against maxUnavailable"),
    entry("image-build-failed", "the OS image of a layered pool could not be built"),
    entry("pinned-images-failed", "images could not be pulled ahead"),
    entry("boot-images-degraded", "the images that new machines boot could not be renewed"),
    entry("pool-certificates", "the certificate by which a pool's nodes trust the API server runs out"),
    // Operators and the update itself.
    entry("operator-unavailable", "what an operator provides does not work"),
    entry("operator-degraded", "an operator says that something is wrong"),
    entry("operator-slow", "an operator takes longer than it should"),
    entry("etcd-member-unhealthy", "a member of etcd is down"),
    entry("packageserver-stuck", "the package server never gets installed"),
    entry("cvo-failing", "the cluster-version operator says that it fails, or may"),
    entry("cvo-failing-early", "a degraded operator is called failing before its time is over"),
    entry("several-errors", "the cluster-version operator fails because of several errors"),
    entry("no-failing-condition", "the ClusterVersion does not say whether the update fails"),
    entry("update-blocked-by-webhook", "the API server rejects a manifest of the release"),
    entry("cvo-down", "the cluster-version operator does not run"),
    // Requests.
    entry("release-not-accepted", "a requested update was refused, or takes long to be accepted"),
    entry("signature-missing", "the requested release cannot be verified"),
    entry("payload-pull-failed", "the image of the requested release cannot be pulled"),
    entry("payload-version-mismatch", "the requested image holds another version"),
    entry("hop-refused", "there is no way to the requested version in one step"),
    entry("invalid-request", "the requested update is not valid"),
    entry("preflight-mode-left", "the request says that the release is only to be checked"),
    entry("clear-came-too-late", "the request was withdrawn after the update had begun"),
    entry("update-partial", "an update was begun before the one before it had ended"),
    entry("multi-arch-left", "pools still roll to the multi-architecture release"),
    // What stands in the way of the next update.
    entry("not-upgradeable", "minor updates are held up"),
    entry("admin-ack-missing", "a gate for minor updates is not acknowledged"),
    entry("cv-overrides", "components are out of the cluster-version operator's hands"),
    entry("removed-api-used", "an API that the next minor drops is still used"),
    entry("risk-unknown", "whether risks of versions apply here is unknown"),
    entry("updates-not-retrieved", "the cluster does not learn which updates there are"),
    entry("capabilities-implicit", "an update switched optional parts of the platform on"),
    // Image-based upgrades.
    entry("ibu-failed", "Prep or Upgrade of an image-based upgrade failed"),
    entry("ibu-auto-rolled-back", "the node went back to the former system by itself"),
    entry("ibu-abort-failed", "the cleanup of an image-based upgrade that was given up failed"),
    entry("ibu-finalize-failed", "the cleanup after an image-based upgrade failed"),
    entry("ibu-rollback-failed", "a rollback failed, and no stage is allowed from there"),
    entry("ibu-rollback-waits", "a rollback waits for a person to choose the system of the next boot"),
    entry("ibu-rollback-expiring", "the way back of an image-based upgrade closes soon, or has closed"),
    entry("ibu-blocked", "the lifecycle agent does not follow what was asked for"),
    entry("ibu-validation-warning", "extra manifests of an image-based upgrade were taken with a warning"),
    entry("ibu-health-waits", "the lifecycle agent waits for the cluster to settle"),
    entry("ibu-backup-failed", "a backup or restore of an image-based upgrade failed"),
    entry("ibu-rollback-off", "an image-based upgrade that would not go back by itself"),
    // Monitoring.
    entry("alert-firing", "an alert that bears on the update fires"),
    // What this program can see.
    entry("kind-unreadable", "a kind, or an object of it, cannot be read"),
    entry("link-stale", "the API server does not answer"),
    entry("clock-skew", "this machine's clock differs from the API server's"),
];

type Check = fn(&Look, &mut Vec<Finding>);

const CHECKS: &[Check] = &[
    drain_blocked::check,
    drain_over_an_hour::check,
    pod_terminating::check,
    several_budgets::check,
    vm_cannot_migrate::check,
    guard_budgets_crossed::check,
    drain_will_block::check,
    eviction_loses_data::check,
    mcc_restarted::check,
    node_degraded::check,
    config_drift::check,
    os_image_mismatch::check,
    rendered_config_missing::check,
    unreconcilable::check,
    node_pull_failed::check,
    node_disk_full::check,
    reboot_failed::check,
    uncordon_failed::check,
    node_lost_in_reboot::check,
    node_not_ready::check,
    node_disk_pressure::check,
    node_network_unavailable::check,
    node_cordoned::check,
    node_unmanaged::check,
    node_in_two_pools::check,
    node_custom_master::check,
    windows_node::check,
    csr_pending::check,
    health_check_active::check,
    machine_deleting::check,
    machine_failed::check,
    control_plane_machine_set::check,
    pool_paused::check,
    required_pool_paused::check,
    pool_degraded::check,
    render_degraded::check,
    capacity_exhausted::check,
    capacity_double_count::check,
    image_build_failed::check,
    pinned_images_failed::check,
    boot_images_degraded::check,
    pool_certificates::check,
    operator_unavailable::check,
    operator_degraded::check,
    operator_slow::check,
    etcd_member_unhealthy::check,
    packageserver_stuck::check,
    cvo_failing::check,
    cvo_failing_early::check,
    several_errors::check,
    no_failing_condition::check,
    update_blocked_by_webhook::check,
    cvo_down::check,
    release_not_accepted::check,
    signature_missing::check,
    payload_pull_failed::check,
    payload_version_mismatch::check,
    hop_refused::check,
    invalid_request::check,
    preflight_mode_left::check,
    clear_came_too_late::check,
    update_partial::check,
    multi_arch_left::check,
    not_upgradeable::check,
    admin_ack_missing::check,
    cv_overrides::check,
    removed_api_used::check,
    risk_unknown::check,
    updates_not_retrieved::check,
    capabilities_implicit::check,
    ibu_failed::check,
    ibu_auto_rolled_back::check,
    ibu_cleanup_failed::check,
    ibu_rollback_failed::check,
    ibu_rollback_waits::check,
    ibu_rollback_expiring::check,
    ibu_blocked::check,
    ibu_validation_warning::check,
    ibu_health_waits::check,
    ibu_backup_failed::check,
    ibu_rollback_off::check,
    alert_firing::check,
    kind_unreadable::check,
    link_stale::check,
    clock_skew::check,
];

/// All findings: the worst first, then what blocks progress most, the unexpected, the oldest; what is only a consequence
/// of another finding below that one.
pub fn all(assessment: &Assessment, memory: &Memory) -> Vec<Finding> {
    let look = Look::at(assessment, memory);
    let mut found = Vec::new();
    for check in CHECKS {
        check(&look, &mut found);
    }
    causes::link(&look, &mut found);
    causes::order(found)
}

/// A finding without meaning, remedies, time and evidence: what every check begins with. Its resource is its subject.
fn finding(id: &'static str, level: Level, subject: Subject, title: String) -> Finding {
    let resources = match &subject {
        Subject::Version => vec![Resource::version()],
        Subject::Operator(name) => vec![Resource::operator(name)],
        Subject::Pool(name) => vec![Resource::pool(name)],
        Subject::Node(name) => vec![Resource::node(name)],
        Subject::Object(resource) => vec![resource.clone()],
        Subject::Link => Vec::new(),
    };
    Finding {
        id,
        level,
        impact: Impact::default(),
        subject,
        resources,
        title,
        meaning: String::new(),
        remedies: Vec::new(),
        link: None,
        since: None,
        first_seen: None,
        expected: false,
        evidence: Vec::new(),
        because: None,
    }
}

/// A level by age: the highest whose age is reached; unknown ages count as just begun.
fn by_age(since: Option<DateTime<Utc>>, now: DateTime<Utc>, warning: TimeDelta, error: TimeDelta) -> Level {
    let old = since.map_or(TimeDelta::zero(), |since| age(since, now));
    if old >= error {
        Level::Error
    } else if old >= warning {
        Level::Warning
    } else {
        Level::Info
    }
}

fn evidence(object: String, field: &str, value: impl Into<String>, at: Option<DateTime<Utc>>) -> Evidence {
    Evidence { object, field: field.to_owned(), value: value.into(), at }
}
