//! Degraded nodes and the reasons that the machine-config daemon gives, which tell what to do about them
//! (machine-config operator: pkg/daemon/on_disk_validation.go, daemon.go, update.go, drain.go;
//! pkg/controller/common/reconcile.go).

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding};
use crate::upgrade::assessment::{Node, NodePhase};
use crate::upgrade::words::shell;

/// What a reason is about: each has its own finding, which tells the cause that `node-degraded` points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The drain.
    Drain,
    /// No space left.
    DiskFull,
    /// Files, units or modes are not what they should be.
    Drift,
    /// It runs another OS image than it should.
    OsImage,
    /// A rendered config that does not exist.
    ConfigMissing,
    /// A change that cannot be made on a running node.
    Unreconcilable,
    /// An image cannot be pulled.
    Pull,
    /// It could not be rebooted.
    Reboot,
    /// The cordon could not be lifted.
    Uncordon,
}

impl Cause {
    /// What `reason` is about, when it is known.
    pub(super) fn of(reason: &str) -> Option<Self> {
        let any = |needles: &[&str]| needles.iter().any(|needle| reason.contains(needle));
        if any(&["failed to drain"]) {
            Some(Self::Drain)
        } else if any(&["failed to uncordon"]) {
            Some(Self::Uncordon)
        } else if any(&["no space left on device", "storage available is less than minimum required"]) {
            Some(Self::DiskFull)
        } else if any(&["expected target osImageURL"]) {
            Some(Self::OsImage)
        } else if any(&["unexpected on-disk state", "content mismatch", "mode mismatch", "could not stat file"]) {
            Some(Self::Drift)
        } else if any(&["can't reconcile config"]) {
            Some(Self::Unreconcilable)
        } else if any(&["rendered-"]) && any(&["not found"]) {
            Some(Self::ConfigMissing)
        } else if any(&["reboot command failed"]) {
            Some(Self::Reboot)
        } else if any(&["podman pull", "container registry", "pulling image", "initializing source docker://"]) {
            Some(Self::Pull)
        } else {
            None
        }
    }

    /// The finding that tells it.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Drain => "drain-blocked",
            Self::DiskFull => "node-disk-full",
            Self::Drift => "config-drift",
            Self::OsImage => "os-image-mismatch",
            Self::ConfigMissing => "rendered-config-missing",
            Self::Unreconcilable => "unreconcilable",
            Self::Pull => "node-pull-failed",
            Self::Reboot => "reboot-failed",
            Self::Uncordon => "uncordon-failed",
        }
    }
}

/// Why a node is degraded, as the daemon says it; none: it is not. While its drain is blocked the row speaks of the
/// drain instead.
pub(super) fn reason(node: &Node) -> Option<&str> {
    (node.phase == NodePhase::Degraded).then_some(match &node.drain_trouble {
        Some(_) => "failed to drain",
        None => node.message.as_str(),
    })
}

/// The nodes that are degraded for a cause, each with a finding to be completed.
pub(super) fn because_of(look: &Look, cause: Cause, title: impl Fn(&Node, &str) -> String) -> Vec<Finding> {
    let degraded = look.now.nodes.iter().filter_map(|node| Some((node, reason(node)?)));
    let these = degraded.filter(|(_, reason)| Cause::of(reason) == Some(cause));
    these
        .map(|(node, reason)| {
            let mut resources = vec![Resource::node(&node.name)];
            resources.extend(node.pool.as_deref().map(Resource::pool));
            Finding {
                impact: Impact::UpdateStalled,
                resources,
                since: node.since,
                evidence: vec![evidence(
                    format!("node/{}", node.name),
                    "machineconfiguration.openshift.io/reason",
                    reason,
                    node.since,
                )],
                ..finding(cause.id(), Level::Error, Subject::Node(node.name.clone()), title(node, reason))
            }
        })
        .collect()
}

/// The text between the first `open` and the next `close`.
pub(super) fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(open)?;
    rest.split_once(close).map(|(inside, _)| inside).filter(|inside| !inside.is_empty())
}

/// How to look at what the daemon of a node does.
pub(super) fn daemon_log(node: &Node) -> Remedy {
    Remedy::look("Read the log of the machine-config daemon on the node.").oc(format!(
        "oc logs -n openshift-machine-config-operator -c machine-config-daemon $(oc get pods -n \
         openshift-machine-config-operator -l k8s-app=machine-config-daemon --field-selector spec.nodeName={} -o name)",
        shell(&node.name)
    ))
}

/// A shell on the host of a node.
///
/// What comes out of a message of the node goes into it only when it is [`plain`].
pub(super) fn on_host(node: &str, command: &str) -> String {
    format!("oc debug node/{node} -- chroot /host {command}", node = shell(node))
}

/// Makes the daemon apply the whole configuration once more (pkg/daemon/constants.go, `MachineConfigDaemonForceFile`).
pub(super) fn force_file(node: &str) -> Remedy {
    Remedy::change(
        crate::upgrade::danger::Danger::M,
        "Let the daemon apply its whole configuration once more, without the check; the node usually reboots.",
    )
    .oc(on_host(node, "touch /run/machine-config-daemon-force"))
}

/// A path or an address without anything that a shell would read as more than that: messages may say anything, and
/// the line is there to be copied.
pub(super) fn plain(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|sign| sign.is_ascii_alphanumeric() || "/._-@:+%=".contains(sign))
}
