//! Degraded nodes and the reasons that the machine-config daemon gives, which tell what to do about them
//! (machine-config operator: pkg/daemon/on_disk_validation.go, daemon.go, update.go, drain.go;
//! pkg/controller/common/reconcile.go).

use chrono::TimeDelta;

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding};
use crate::api::{Conditions as _, Tri};
use crate::upgrade::assessment::{Evidence, Node, NodePhase};
use crate::upgrade::facts::Kind;
use crate::upgrade::node_events::node_of;
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

/// Events in which the daemon says that a node is not what its configuration says (pkg/daemon/daemon.go: at boot, by its
/// monitor, before an update).
const DRIFT_EVENTS: [&str; 3] =
    ["OnDiskStateValidationFailed", "ConfigDriftDetected", "PreflightConfigDriftCheckFailed"];

/// Why a node is degraded, as far as anything tells: the annotation of the node first, then its MachineConfigNode, then
/// what the daemon said in events since, then whether the configurations that it names exist at all. Annotations are cut
/// to 2,000 characters, may be overwritten by a later failure of another sort, and are worded by release.
pub(super) fn cause_of(look: &Look, node: &Node) -> Option<(Cause, Evidence)> {
    let reason = reason(node)?;
    let by = |object: String, field: &str, text: &str, at| Some((Cause::of(text)?, evidence(object, field, text, at)));
    let annotation = "machineconfiguration.openshift.io/reason";
    by(format!("node/{}", node.name), annotation, reason, node.since)
        .or_else(|| {
            let told = look.now.facts.machine_config_nodes.iter().find(|told| told.name() == node.name)?;
            let degraded = told.status.conditions.condition("NodeDegraded").filter(|it| it.status == Tri::True)?;
            by(format!("machineconfignode/{}", node.name), "NodeDegraded", &degraded.message, degraded.since)
        })
        .or_else(|| drift_event(look, node))
        .or_else(|| {
            let (field, config) = missing_config(look, node)?;
            Some((Cause::ConfigMissing, evidence(format!("node/{}", node.name), field, config, node.since)))
        })
}

/// What the daemon said of drift since the node is degraded. Half a minute before is since: the event comes first.
fn drift_event(look: &Look, node: &Node) -> Option<(Cause, Evidence)> {
    let since = node.since.map(|since| since - TimeDelta::seconds(30));
    let event = look.now.facts.events.iter().rev().find(|event| {
        DRIFT_EVENTS.contains(&event.reason.as_str())
            && node_of(event) == Some(&node.name)
            && since.is_none_or(|since| event.last_at().is_some_and(|at| at >= since))
    })?;
    let cause = Cause::of(&event.message).filter(|cause| *cause == Cause::OsImage).unwrap_or(Cause::Drift);
    let at = event.last_at();
    Some((cause, evidence(format!("node/{}", node.name), &format!("event {}", event.reason), &event.message, at)))
}

/// A rendered config that the node names and that does not exist, with the field that names it. Only where the list of
/// configurations is whole: it holds the one that the node's pool asks for.
pub(super) fn missing_config<'a>(look: &'a Look, node: &'a Node) -> Option<(&'static str, &'a str)> {
    let facts = &look.now.facts;
    let exists = |name: &str| facts.machine_configs.binary_search_by(|config| config.name().cmp(name)).is_ok();
    let pool = node.pool.as_deref().and_then(|pool| look.now.pool(pool))?;
    if !facts.known(Kind::MachineConfigs) || !pool.target.as_deref().is_some_and(exists) {
        return None;
    }
    let named = [("currentConfig", &node.current_config), ("desiredConfig", &node.desired_config)];
    named.into_iter().find_map(|(field, config)| {
        let config = config.as_deref().filter(|config| config.starts_with("rendered-") && !exists(config))?;
        Some((field, config))
    })
}

/// The nodes that are degraded for a cause, each with a finding to be completed. The first evidence is what tells the
/// cause.
pub(super) fn because_of(look: &Look, cause: Cause, title: impl Fn(&Node, &str) -> String) -> Vec<Finding> {
    let degraded = look.now.nodes.iter().filter_map(|node| Some((node, cause_of(look, node)?)));
    let these = degraded.filter(|(_, (told, _))| *told == cause);
    these.map(|(node, (_, proof))| about(node, cause, title(node, &proof.value), proof)).collect()
}

/// The finding on a node, to be completed.
pub(super) fn about(node: &Node, cause: Cause, title: String, proof: Evidence) -> Finding {
    let mut resources = vec![Resource::node(&node.name)];
    resources.extend(node.pool.as_deref().map(Resource::pool));
    Finding {
        impact: Impact::UpdateStalled,
        resources,
        since: node.since,
        evidence: vec![proof],
        ..finding(cause.id(), Level::Error, Subject::Node(node.name.clone()), title)
    }
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
