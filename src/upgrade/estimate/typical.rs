//! What things take where nothing was measured: documented figures, and shares of them.
//!
//! The whole: the product's guide for updates reckons 60 to 120 minutes for the control plane and 5 minutes for a node,
//! of which a reboot is 1 to 2 minutes in a cloud; on bare metal it may exceed 15. The share of each operator is our own
//! division of that hour; what counts is only their proportion once anything is measured.

use super::belief::Belief;
use crate::upgrade::assessment::NodePhase;

/// The guide's control plane: so long at least, and at most.
pub const CONTROL_PLANE: (f64, f64) = (3600.0, 7200.0);

/// The guide's node.
pub const NODE: f64 = 300.0;

/// What the guide's node does not have in it: the daemon asks every ten seconds whether the drain has ended
/// (machine-config operator, pkg/daemon/drain.go), and the kubelet and the controller report at their own pace.
pub const NODE_WAITS: f64 = 30.0;

/// How much a single operator's length differs from its usual one.
pub const OPERATOR_SIGMA: f64 = 0.25;

/// How much the length of a run level differs from what it should be at the cluster's pace: its operators differ, and our
/// proportions are unsure.
pub const LEVEL_SIGMA: f64 = 0.28;

/// The release's own manifests and CRDs before the first operator (run levels 0 to 10), in seconds.
pub const BEFORE_OPERATORS: f64 = 150.0;

/// Manifests of a run level until its operators have begun, in seconds.
pub const LEVEL_OVERHEAD: f64 = 20.0;

/// The machine-config operator's own parts, until new configurations are rendered, in seconds.
pub const OWN_PARTS: f64 = 120.0;

/// From the last control plane node until the cluster-version operator says Completed, in seconds: it begins the payload
/// anew when its own node was rebooted.
pub const TAIL: f64 = 90.0;

/// How much [`TAIL`] differs.
pub const TAIL_SIGMA: f64 = 0.7;

/// Between a node that is done and the next that is targeted, in seconds (machine-config operator,
/// pkg/controller/node/node_controller.go, `updateDelay`).
pub const NODE_PAUSE: f64 = 5.0;

/// Drains that the machine-config controller works on at a time, in the whole cluster
/// (pkg/controller/drain/drain_controller.go, number of workers).
pub const DRAIN_WORKERS: usize = 5;

/// Control plane nodes of the cluster that the guide has in mind.
pub const CONTROL_PLANE_NODES: f64 = 3.0;

/// What an operator takes for a new version, in seconds.
pub fn operator(name: &str) -> f64 {
    match name {
        "kube-apiserver" => 600.0,
        "etcd" | "monitoring" | "network" => 300.0,
        "kube-controller-manager" | "kube-scheduler" | "authentication" | "ingress" | "storage" => 240.0,
        "openshift-apiserver" | "console" | "dns" => 180.0,
        "image-registry" | "node-tuning" | "operator-lifecycle-manager-packageserver" => 150.0,
        "machine-config" => 0.0,
        "baremetal" | "kube-storage-version-migrator" | "cluster-autoscaler" | "config-operator" => 30.0,
        "cloud-controller-manager" | "cloud-credential" | "control-plane-machine-set" | "machine-approver" => 60.0,
        _ => 100.0,
    }
}

/// A part of a node's cycle that has a clock of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeStep {
    /// Targeted, until its drain has ended.
    Drain,
    /// Files and OS image, until the reboot is asked for.
    Apply,
    /// The reboot, until it is heard again.
    Reboot,
    /// Until it is schedulable and done.
    Settle,
}

impl NodeStep {
    /// All, in their order.
    pub const ALL: [Self; 4] = [Self::Drain, Self::Apply, Self::Reboot, Self::Settle];

    /// The step of a phase; none: the node does not move.
    pub fn of(phase: NodePhase) -> Option<Self> {
        match phase {
            NodePhase::Preparing | NodePhase::Cordoned | NodePhase::Draining => Some(Self::Drain),
            NodePhase::Applying => Some(Self::Apply),
            NodePhase::Rebooting => Some(Self::Reboot),
            NodePhase::Back | NodePhase::Uncordoning => Some(Self::Settle),
            _ => None,
        }
    }

    /// What it usually takes.
    pub fn belief(self, bare_metal: bool) -> Belief {
        match self {
            Self::Drain => Belief::about(80.0, 0.7),
            Self::Apply => Belief::about(90.0, 0.5),
            Self::Reboot if bare_metal => Belief::about(720.0, 0.5),
            Self::Reboot => Belief::about(125.0, 0.6),
            Self::Settle => Belief::about(35.0, 0.5),
        }
    }

    /// How much single nodes of a pool differ.
    pub fn sigma(self) -> f64 {
        match self {
            Self::Drain => 0.5,
            Self::Apply => 0.25,
            Self::Reboot => 0.3,
            Self::Settle => 0.35,
        }
    }

    /// How much pools differ from each other: other workloads, other machines.
    pub fn between_pools(self) -> f64 {
        match self {
            Self::Drain => 0.5,
            Self::Apply => 0.2,
            Self::Reboot | Self::Settle => 0.25,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_of_a_node_add_up_to_the_guides_five_minutes_and_the_waits_between() {
        let sum: f64 = NodeStep::ALL.iter().map(|step| step.belief(false).median()).sum();
        assert!((sum - NODE - NODE_WAITS).abs() < 1.0, "{sum}");
        let metal: f64 = NodeStep::ALL.iter().map(|step| step.belief(true).median()).sum();
        assert!(metal > 15.0 * 60.0, "bare metal may exceed 15 minutes: {metal}");
    }
}
