//! ClusterOperators: their run levels, their states towards the target version, their counts.

use super::assessment::{OperatorRow, OperatorState, Operators};
use crate::api::{ClusterOperator, Condition, Conditions as _, Tri};

/// Run levels at which the ClusterOperator manifests of the payload stand (`0000_NN_...` file names of the release
/// image; the API does not tell them). The cluster-version operator goes through them from low to high and waits at
/// each for its operators. Operators that are not listed get no level.
const LEVELS: &[(u8, &[&str])] = &[
    (12, &["etcd"]),
    (20, &["kube-apiserver"]),
    (25, &["kube-controller-manager", "kube-scheduler"]),
    (26, &["cloud-controller-manager"]),
    (30, &["machine-api", "openshift-apiserver"]),
    (31, &["baremetal"]),
    (40, &["kube-storage-version-migrator"]),
    (
        50,
        &[
            "authentication",
            "cloud-credential",
            "cluster-autoscaler",
            "config-operator",
            "console",
            "control-plane-machine-set",
            "csi-snapshot-controller",
            "image-registry",
            "ingress",
            "insights",
            "machine-approver",
            "marketplace",
            "monitoring",
            "node-tuning",
            "olm",
            "openshift-controller-manager",
            "openshift-samples",
            "operator-lifecycle-manager",
            "operator-lifecycle-manager-catalog",
            "operator-lifecycle-manager-packageserver",
            "service-ca",
            "storage",
        ],
    ),
    (70, &["dns", "network"]),
    (80, &["machine-config"]),
];

/// The run level of an operator's manifest, by the built-in table.
pub fn run_level(name: &str) -> Option<u8> {
    LEVELS.iter().find(|(_, names)| names.contains(&name)).map(|(level, _)| *level)
}

/// What operators are measured by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Target<'a> {
    /// `status.desired.version`.
    pub version: Option<&'a str>,
    /// The image of the machine-config operator's Deployment, where known. A migration to a multi-architecture payload
    /// keeps the version; that operator alone tells which image it has reached (oc:
    /// pkg/cli/admin/upgrade/status/controlplane.go).
    pub machine_config_image: Option<&'a str>,
}

/// The operators towards `target`.
///
/// `nodes_busy`: nodes reboot now, so that daemon sets flip Progressing; `masters_busy`: a control plane node is out of
/// service, so that operators miss a member.
pub fn operators<'a>(
    all: impl Iterator<Item = &'a ClusterOperator>,
    target: Target<'_>,
    nodes_busy: bool,
    masters_busy: bool,
) -> Operators {
    let mut operators = Operators::default();
    for object in all {
        let mut row = row(object, target);
        row.expected = expected(&row, nodes_busy, masters_busy);
        if row.platform {
            tally(&mut operators, &row, object.status.conditions.is_false("Progressing"));
        }
        operators.rows.push(row);
    }
    operators.rows.sort_by(|a, b| {
        (a.level.unwrap_or(u8::MAX), a.name.as_str()).cmp(&(b.level.unwrap_or(u8::MAX), b.name.as_str()))
    });
    operators
}

/// An operator whose Progressing is neither True nor False (missing, Unknown) neither updates nor waits, as `oc` counts.
fn tally(operators: &mut Operators, row: &OperatorRow, at_rest: bool) {
    operators.total += 1;
    operators.updated += usize::from(row.updated);
    operators.updating += usize::from(!row.updated && row.progressing);
    operators.waiting += usize::from(!row.updated && at_rest);
    operators.unavailable += usize::from(!row.available);
    operators.degraded += usize::from(row.available && row.degraded);
}

fn row(object: &ClusterOperator, target: Target<'_>) -> OperatorRow {
    let conditions = &object.status.conditions;
    let (available, degraded, progressing) =
        (conditions.condition("Available"), conditions.condition("Degraded"), conditions.condition("Progressing"));
    let is = |condition: Option<&Condition>| condition.is_some_and(|condition| condition.status == Tri::True);
    let version = object.version("operator");
    let updated = version.is_some() && version == target.version && image_reached(object, target);
    let state = if !is(available) {
        OperatorState::Unavailable
    } else if is(degraded) {
        OperatorState::Degraded
    } else if updated {
        OperatorState::Updated
    } else if is(progressing) {
        OperatorState::Updating
    } else {
        OperatorState::Waiting
    };
    let telling = match state {
        OperatorState::Unavailable => available,
        OperatorState::Degraded => degraded,
        OperatorState::Updating | OperatorState::Waiting | OperatorState::Updated => progressing,
    };
    OperatorRow {
        name: object.name().to_owned(),
        level: run_level(object.name()),
        platform: object.is_platform(),
        state,
        updated,
        available: is(available),
        progressing: is(progressing),
        degraded: is(degraded),
        not_upgradeable: conditions
            .condition("Upgradeable")
            .filter(|condition| condition.status == Tri::False)
            .map(|condition| if condition.message.is_empty() { &condition.reason } else { &condition.message }.clone()),
        version: version.map(str::to_owned),
        since: telling.and_then(|condition| condition.since),
        reason: telling.map(|condition| condition.reason.clone()).unwrap_or_default(),
        message: telling.map(|condition| condition.message.clone()).unwrap_or_default(),
        expected: false,
        working_since: None,
        deadline: None,
        sync_error: object.status.extension.last_sync_error.clone().filter(|error| !error.is_empty()),
    }
}

/// Has `machine-config` reached the image of its Deployment? When either is not known, its version has to do.
fn image_reached(object: &ClusterOperator, target: Target<'_>) -> bool {
    let told = object.version("operator-image").filter(|_| object.name() == "machine-config");
    told.zip(target.machine_config_image).is_none_or(|(told, wanted)| told == wanted)
}

/// Is the state what a rebooting node brings about by itself?
///
/// `UnavailablePod` is how operators say that one of three replicas is missing (library-go,
/// pkg/operator/apiserver/controller/workload); `NodeController_MasterNodesReady` is how the static pod operators (etcd, kube-apiserver, kube-controller-manager,
/// kube-scheduler) say that a control plane node is not Ready (library-go, pkg/operator/staticpod/controller/node).
fn expected(row: &OperatorRow, nodes_busy: bool, masters_busy: bool) -> bool {
    match row.state {
        OperatorState::Updated => row.progressing && nodes_busy,
        OperatorState::Degraded => {
            let members = ["MasterNodesReady", "UnhealthyMembers", "UnavailablePod"];
            masters_busy && members.iter().any(|member| row.reason.contains(member))
        }
        OperatorState::Unavailable | OperatorState::Updating | OperatorState::Waiting => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use serde_json::json;

    const TARGET: Target<'static> = Target { version: Some("4.19.3"), machine_config_image: None };

    fn operator(name: &str, version: &str, available: &str, progressing: &str, degraded: &str) -> ClusterOperator {
        serde_json::from_value(json!({
            "metadata": {"name": name, "annotations": {"include.release.openshift.io/self-managed-high-availability": "true"}},
            "status": {
                "conditions": [
                    {"type": "Available", "status": available}, {"type": "Progressing", "status": progressing},
                    {"type": "Degraded", "status": degraded, "reason": "NodeController_MasterNodesReady"},
                ],
                "versions": [{"name": "raw-internal", "version": "x"}, {"name": "operator", "version": version}],
            },
        }))
        .unwrap()
    }

    #[test]
    fn the_state_is_the_most_telling_one_and_the_counts_keep_all_sides() {
        use OperatorState::{Degraded, Unavailable, Updated, Updating, Waiting};
        let table = [
            ("etcd", "4.19.3", "True", "False", "False", Updated),
            ("dns", "4.18.22", "True", "True", "False", Updating),
            ("console", "4.18.22", "True", "False", "False", Waiting),
            ("network", "4.19.3", "True", "True", "True", Degraded),
            ("ingress", "4.18.22", "False", "False", "True", Unavailable),
            ("storage", "4.18.22", "", "True", "False", Unavailable),
        ];
        let objects: Vec<_> = table.iter().map(|(n, v, a, p, d, _)| operator(n, v, a, p, d)).collect();
        let operators = operators(objects.iter(), TARGET, false, false);
        for (name, .., state) in table {
            assert_eq!(operators.rows.iter().find(|row| row.name == name).unwrap().state, state, "{name}");
        }
        let names: Vec<_> = operators.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["etcd", "console", "ingress", "storage", "dns", "network"], "by run level, then by name");
        let counts = (operators.total, operators.updated, operators.updating, operators.waiting);
        assert_eq!(counts, (6, 2, 2, 2));
        assert_eq!((operators.unavailable, operators.degraded), (2, 1));
    }

    #[test]
    fn operators_of_others_are_shown_and_not_counted() {
        let mut other = operator("acme", "1.0", "True", "False", "True");
        other.metadata.annotations = None;
        let operators = operators([&other].into_iter(), TARGET, false, false);
        assert_eq!((operators.rows.len(), operators.total, operators.degraded), (1, 0, 0));
        assert_eq!(operators.rows[0].level, None);
    }

    #[test]
    fn a_rebooting_master_explains_a_missing_member() {
        let degraded = operator("etcd", "4.19.3", "True", "False", "True");
        let is_expected =
            |masters_busy| operators([&degraded].into_iter(), TARGET, true, masters_busy).rows[0].expected;
        assert!(is_expected(true));
        assert!(!is_expected(false), "nobody reboots, so it is no excuse");
    }

    #[test]
    fn an_operator_without_progressing_neither_updates_nor_waits() {
        let mut silent = operator("dns", "4.18.22", "True", "False", "False");
        silent.status.conditions.retain(|condition| condition.kind != "Progressing");
        let operators = operators([&silent].into_iter(), TARGET, false, false);
        assert_eq!((operators.total, operators.updated, operators.updating, operators.waiting), (1, 0, 0, 0));
    }

    #[test]
    fn machine_config_is_updated_when_its_image_is_too() {
        let mut object = operator("machine-config", "4.19.3", "True", "False", "False");
        object.status.versions.push(crate::api::OperandVersion {
            name: "operator-image".to_owned(),
            version: "registry/mco@sha256:amd64".to_owned(),
        });
        let updated = |machine_config_image| {
            operators([&object].into_iter(), Target { machine_config_image, ..TARGET }, false, false).updated
        };
        assert_eq!(updated(None), 1, "the Deployment is not known");
        assert_eq!(updated(Some("registry/mco@sha256:amd64")), 1);
        assert_eq!(updated(Some("registry/mco@sha256:multi")), 0, "a migration to multi-arch is under way");
    }

    #[test]
    fn what_keeps_machine_config_is_told_before_it_is_degraded() {
        let mut object = operator("machine-config", "4.18.22", "True", "True", "False");
        object.status.extension.last_sync_error = Some("required MachineConfigPool master is paused".to_owned());
        let operators = operators([&object].into_iter(), TARGET, false, false);
        assert_eq!(operators.rows[0].sync_error.as_deref(), Some("required MachineConfigPool master is paused"));
    }
}
