//! Where to read more: pages of the product and runbooks of its alerts.

/// What `oc adm upgrade status` refers to for nodes (pkg/cli/admin/upgrade/status/workerpool.go).
pub(super) const NODES: &str = "https://docs.openshift.com/container-platform/latest/post_installation_configuration/machine-configuration-tasks.html#understanding-the-machine-config-operator";
/// What it refers to for paused pools.
pub(super) const PAUSED: &str = "https://docs.openshift.com/container-platform/latest/support/troubleshooting/troubleshooting-operator-issues.html#troubleshooting-disabling-autoreboot-mco_troubleshooting-operator-issues";
/// Runbook of the alert MCCDrainError.
pub(super) const DRAIN: &str = "https://github.com/openshift/runbooks/blob/master/alerts/machine-config-operator/MachineConfigControllerDrainError.md";
/// Runbook of the alert MCDRebootError.
pub(super) const REBOOT: &str = "https://github.com/openshift/runbooks/blob/master/alerts/machine-config-operator/MachineConfigDaemonRebootError.md";
/// Runbook of the alert MCDPivotError.
pub(super) const PIVOT: &str =
    "https://github.com/openshift/runbooks/blob/master/alerts/machine-config-operator/MachineConfigDaemonPivotError.md";
/// Runbook of the alert MCCPoolAlert.
pub(super) const POOLS: &str = "https://github.com/openshift/runbooks/blob/master/alerts/machine-config-operator/MachineConfigControllerPoolAlert.md";
/// Runbook of the alert MachineConfigControllerPausedPoolKubeletCA.
pub(super) const KUBELET_CA: &str = "https://github.com/openshift/runbooks/blob/master/alerts/machine-config-operator/MachineConfigControllerPausedPoolKubeletCA.md";
/// Runbook of the alert PodDisruptionBudgetAtLimit.
pub(super) const BUDGET: &str = "https://github.com/openshift/runbooks/blob/master/alerts/cluster-kube-controller-manager-operator/PodDisruptionBudgetAtLimit.md";
/// Runbook of the alert KubeNodeNotReady.
pub(super) const NOT_READY: &str =
    "https://github.com/openshift/runbooks/blob/master/alerts/cluster-monitoring-operator/KubeNodeNotReady.md";
/// Runbook of the alert NodeFilesystemAlmostOutOfSpace.
pub(super) const DISK: &str = "https://github.com/openshift/runbooks/blob/master/alerts/cluster-monitoring-operator/NodeFilesystemAlmostOutOfSpace.md";
