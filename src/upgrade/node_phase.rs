//! The phase of a node, from its MachineConfigNode where there is one, else from annotations and node state.
//!
//! Annotations decide whether the machine-config daemon is at work at all (they are written by both sides, controller
//! and daemon, and never lag behind a reboot); the MachineConfigNode tells which step it is at.
//! Rules: machine-config operator, pkg/daemon/update.go, pkg/daemon/drain.go, pkg/upgrademonitor.

use chrono::{DateTime, Utc};

use super::assessment::{NodePhase, Source};
use crate::api::{Condition, Conditions as _, MachineConfigNode, Node, Tri, node_key};

/// Annotation `state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DaemonState {
    /// `Done`.
    Done,
    /// `Working`.
    Working,
    /// `Degraded` or `Unreconcilable`: the daemon failed and may be retargeted.
    Failing,
    /// None, or a word that is not known.
    Unset,
}

/// What the annotations of a node say.
#[derive(Debug, Clone, Copy)]
pub struct Marks<'a> {
    /// The rendered config that runs.
    pub current: Option<&'a str>,
    /// The rendered config that the controller wants.
    pub desired: Option<&'a str>,
    /// The daemon's state.
    pub state: DaemonState,
    /// Between the reboot command and the daemon's return.
    pub rebooting: bool,
    /// What the daemon asked the drain controller for.
    pub desired_drain: &'a str,
    /// What the drain controller did last.
    pub applied_drain: &'a str,
    /// The OS image that runs, on nodes of layered pools.
    pub current_image: Option<&'a str>,
    /// The OS image that the controller wants, on nodes of layered pools.
    pub desired_image: Option<&'a str>,
}

impl<'a> Marks<'a> {
    /// Reads the annotations.
    pub fn of(node: &'a Node) -> Self {
        let Some(annotations) = node.metadata.annotations.as_ref() else { return Self::NONE };
        let mut marks = Self::NONE;
        for (key, value) in annotations {
            match key.as_str() {
                node_key::CURRENT_CONFIG => marks.current = Some(value.as_str()).filter(|name| !name.is_empty()),
                node_key::DESIRED_CONFIG => marks.desired = Some(value.as_str()).filter(|name| !name.is_empty()),
                node_key::CURRENT_IMAGE => marks.current_image = Some(value.as_str()).filter(|image| !image.is_empty()),
                node_key::DESIRED_IMAGE => marks.desired_image = Some(value.as_str()).filter(|image| !image.is_empty()),
                node_key::STATE => {
                    marks.state = match value.as_str() {
                        "Done" => DaemonState::Done,
                        "Working" | "Rebooting" => DaemonState::Working,
                        "Degraded" | "Unreconcilable" => DaemonState::Failing,
                        _ => DaemonState::Unset,
                    }
                }
                node_key::POST_CONFIG_ACTION => marks.rebooting = value == "Rebooting",
                node_key::DESIRED_DRAIN => marks.desired_drain = value,
                node_key::LAST_APPLIED_DRAIN => marks.applied_drain = value,
                _ => {}
            }
        }
        marks
    }

    const NONE: Marks<'static> = Marks {
        current: None,
        desired: None,
        state: DaemonState::Unset,
        rebooting: false,
        desired_drain: "",
        applied_drain: "",
        current_image: None,
        desired_image: None,
    };

    /// The controller wants another configuration than the one that runs.
    pub fn targeted(&self) -> bool {
        self.desired.is_some() && (self.current != self.desired || self.current_image != self.desired_image)
    }

    /// Nothing is under way (`isNodeDone`).
    pub fn done(&self) -> bool {
        self.current.is_some() && !self.targeted() && self.state == DaemonState::Done
    }

    /// The daemon failed on the way to another configuration (`isNodeMCDFailing`).
    pub fn failing(&self) -> bool {
        self.state == DaemonState::Failing && self.targeted()
    }

    /// Does the controller want this configuration of it, and this image where the pool is layered?
    pub fn targets(&self, config: &str, image: Option<&str>) -> bool {
        self.desired == Some(config) && image.is_none_or(|image| self.desired_image == Some(image))
    }

    /// A drain was asked for (done or not): the cordon is the operator's.
    pub fn drain_asked(&self) -> bool {
        self.desired_drain.starts_with("drain-")
    }

    /// A drain was asked for and is not done.
    pub fn drain_pending(&self) -> bool {
        self.drain_asked() && self.desired_drain != self.applied_drain
    }

    /// The cordon is to be lifted and is not yet.
    pub fn uncordon_pending(&self) -> bool {
        self.desired_drain.starts_with("uncordon-") && self.desired_drain != self.applied_drain
    }

    /// The cordon was lifted for the wanted configuration.
    fn uncordoned_for_desired(&self) -> bool {
        self.desired_drain.strip_prefix("uncordon-").is_some_and(|config| Some(config) == self.desired)
    }
}

/// The conditions of a MachineConfigNode.
#[derive(Debug, Clone, Copy, Default)]
pub struct Steps<'a> {
    /// `Updated`.
    pub updated: Option<&'a Condition>,
    /// `UpdatePrepared`.
    pub prepared: Option<&'a Condition>,
    /// `UpdateExecuted`.
    pub executed: Option<&'a Condition>,
    /// `Cordoned`.
    pub cordoned: Option<&'a Condition>,
    /// `Drained`.
    pub drained: Option<&'a Condition>,
    /// The first of `AppliedFilesAndOS`, `AppliedFiles`, `AppliedOSImage`, `ImagePulledFromRegistry` that was entered.
    pub applied: Option<&'a Condition>,
    /// `UpdatePostActionComplete`.
    pub post_action: Option<&'a Condition>,
    /// `RebootedNode`.
    pub rebooted: Option<&'a Condition>,
    /// `Resumed`.
    pub resumed: Option<&'a Condition>,
    /// `UpdateComplete`.
    pub complete: Option<&'a Condition>,
    /// `Uncordoned`.
    pub uncordoned: Option<&'a Condition>,
    /// `NodeDegraded`.
    pub degraded: Option<&'a Condition>,
}

impl<'a> Steps<'a> {
    /// Reads the conditions.
    pub fn of(node: &'a MachineConfigNode) -> Self {
        let mut steps = Self::default();
        for condition in &node.status.conditions {
            match condition.kind.as_str() {
                "Updated" => steps.updated = Some(condition),
                "UpdatePrepared" => steps.prepared = Some(condition),
                "UpdateExecuted" => steps.executed = Some(condition),
                "Cordoned" => steps.cordoned = Some(condition),
                "Drained" => steps.drained = Some(condition),
                "AppliedFilesAndOS" | "AppliedFiles" | "AppliedOSImage" | "ImagePulledFromRegistry"
                    if entered(Some(condition)) && !entered(steps.applied) =>
                {
                    steps.applied = Some(condition);
                }
                "UpdatePostActionComplete" => steps.post_action = Some(condition),
                "RebootedNode" => steps.rebooted = Some(condition),
                "Resumed" => steps.resumed = Some(condition),
                "UpdateComplete" => steps.complete = Some(condition),
                "Uncordoned" => steps.uncordoned = Some(condition),
                "NodeDegraded" => steps.degraded = Some(condition),
                _ => {}
            }
        }
        steps
    }
}

/// False: not reached. Unknown: in progress, or failed. True: done.
fn entered(condition: Option<&Condition>) -> bool {
    condition.is_some_and(|condition| condition.status != Tri::False)
}

fn is_true(condition: Option<&Condition>) -> bool {
    condition.is_some_and(|condition| condition.status == Tri::True)
}

fn since(condition: Option<&Condition>) -> Option<DateTime<Utc>> {
    condition.and_then(|condition| condition.since)
}

/// What the pool asks of a node.
#[derive(Debug, Clone, Copy, Default)]
pub struct Aim<'a> {
    /// `spec.configuration.name`.
    pub target: &'a str,
    /// The OS image of a layered pool, once it can be used.
    pub image: Option<&'a str>,
    /// `spec.paused`.
    pub paused: bool,
    /// The node runs a config that was rendered for another release than the cluster's.
    pub other_release: bool,
    /// Since when nodes of the pool wait.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Since when the pool says that nodes of it are degraded.
    pub degraded_since: Option<DateTime<Utc>>,
}

/// A phase, since when by what the API remembers, and where it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// The phase.
    pub phase: NodePhase,
    /// Since when; none: the API does not remember.
    pub since: Option<DateTime<Utc>>,
    /// Where it was read.
    pub source: Source,
}

/// The phase of a node that a pool manages. `booted`: when its boot ID was seen to change in this cycle.
pub fn phase(node: &Node, marks: &Marks, steps: Option<&Steps>, aim: &Aim, booted: Option<DateTime<Utc>>) -> Phase {
    let from = |phase, since, source| Phase { phase, since, source };
    if marks.state == DaemonState::Failing {
        let told = steps.and_then(|steps| steps.degraded).filter(|degraded| degraded.status == Tri::True);
        return from(NodePhase::Degraded, since(told).or(aim.degraded_since), Source::Annotations);
    }
    if let Some(degraded) = steps.and_then(|steps| steps.degraded)
        && degraded.status == Tri::True
        && !marks.done()
        // The daemon tries again, and takes the condition back only when it has succeeded.
        && marks.state != DaemonState::Working
    {
        return from(NodePhase::Degraded, degraded.since, Source::MachineConfigNode);
    }
    if marks.done() || marks.current.is_none() {
        return at_rest(marks, steps, aim);
    }
    by_either(node, marks, steps, booted)
}

/// By the MachineConfigNode where there is one. The daemon writes `post-config-action` last before the reboot: a
/// MachineConfigNode that has not got so far lags.
fn by_either(node: &Node, marks: &Marks, steps: Option<&Steps>, booted: Option<DateTime<Utc>>) -> Phase {
    match steps {
        Some(steps) if !marks.rebooting || entered(steps.rebooted) => by_steps(node, marks, steps, booted),
        _ => by_marks(node, marks, booted),
    }
}

/// In which phase a degraded node fails; none when it is not on the way to another configuration.
pub fn reached(node: &Node, marks: &Marks, steps: Option<&Steps>) -> Option<NodePhase> {
    marks.targeted().then(|| by_either(node, marks, steps, None).phase)
}

fn at_rest(marks: &Marks, steps: Option<&Steps>, aim: &Aim) -> Phase {
    let other_image = aim.image.is_some_and(|image| marks.current_image != Some(image));
    let outdated = marks.current != Some(aim.target) || aim.other_release || other_image;
    let updated = steps.and_then(|steps| steps.updated);
    if !outdated {
        let source = if updated.is_some() { Source::MachineConfigNode } else { Source::Annotations };
        return Phase { phase: NodePhase::Done, since: since(updated.filter(|_| is_true(updated))), source };
    }
    let phase = if aim.paused { NodePhase::Paused } else { NodePhase::Waiting };
    Phase { phase, since: aim.waiting_since, source: Source::Annotations }
}

/// The furthest step that was entered decides.
fn by_steps(node: &Node, marks: &Marks, steps: &Steps, booted: Option<DateTime<Utc>>) -> Phase {
    let from = |phase, since| Phase { phase, since, source: Source::MachineConfigNode };
    if is_true(steps.updated) {
        // Targeted a moment ago: the daemon has not written to its MachineConfigNode yet.
        return Phase { phase: NodePhase::Preparing, since: None, source: Source::Annotations };
    }
    if is_true(steps.resumed) || entered(steps.complete) || entered(steps.uncordoned) {
        let entered_at = [steps.resumed, steps.complete, steps.uncordoned].into_iter().find(|step| entered(*step));
        return from(NodePhase::Uncordoning, since(entered_at.flatten()));
    }
    if entered(steps.rebooted) {
        let (phase, at) = rebooting_or_back(node, marks, since(steps.rebooted), is_true(steps.rebooted), booted);
        return from(phase, at);
    }
    if is_true(steps.post_action) {
        return from(NodePhase::Back, since(steps.post_action));
    }
    if entered(steps.post_action) || entered(steps.applied) || is_true(steps.drained) || drain_not_required(steps) {
        let drained = steps.drained.filter(|_| is_true(steps.drained) || drain_not_required(steps));
        return from(NodePhase::Applying, since(drained).or_else(|| since(steps.applied)));
    }
    if entered(steps.drained) {
        // `Drained` is rewritten with every attempt; the cordon's time is the drain's start.
        return from(NodePhase::Draining, since(steps.cordoned).or_else(|| since(steps.drained)));
    }
    if is_true(steps.cordoned) {
        return from(NodePhase::Cordoned, since(steps.cordoned));
    }
    let started = steps.updated.filter(|updated| updated.status == Tri::False);
    from(NodePhase::Preparing, since(started).or_else(|| since(steps.prepared)))
}

/// `Drained` False with this message: single-node clusters, and changes that need none.
fn drain_not_required(steps: &Steps) -> bool {
    steps.drained.is_some_and(|drained| {
        drained.status == Tri::False && drained.message.to_ascii_lowercase().contains("drain not required")
    })
}

/// From the reboot command until the node is heard again it is rebooting, then it is back: Ready changed since then, the
/// daemon says so, or the node reports another boot.
fn rebooting_or_back(
    node: &Node,
    marks: &Marks,
    asked: Option<DateTime<Utc>>,
    daemon_is_back: bool,
    booted: Option<DateTime<Utc>>,
) -> (NodePhase, Option<DateTime<Utc>>) {
    let ready = node.status.conditions.condition("Ready");
    let heard = ready.filter(|ready| {
        ready.status != Tri::Unknown
            && !ready.message.contains("shutting down")
            && asked.zip(ready.since).is_some_and(|(asked, heard)| heard > asked)
    });
    match heard {
        Some(ready) => (NodePhase::Back, ready.since),
        None if daemon_is_back => (NodePhase::Back, asked),
        None if booted.is_some() => (NodePhase::Back, booted),
        None => {
            let silent = ready.filter(|ready| ready.status != Tri::True).and_then(|ready| ready.since);
            (NodePhase::Rebooting, asked.or(silent).filter(|_| marks.rebooting || asked.is_some() || silent.is_some()))
        }
    }
}

/// What annotations tell without a MachineConfigNode (before 4.19).
fn by_marks(node: &Node, marks: &Marks, booted: Option<DateTime<Utc>>) -> Phase {
    let from = |phase, since| Phase { phase, since, source: Source::Annotations };
    let cordoned = node.taint(node_key::UNSCHEDULABLE).and_then(|taint| taint.added);
    if marks.rebooting {
        // The reboot was asked for after the cordon: a Ready that is younger than the cordon is a node that came back.
        let ready = node.status.conditions.condition("Ready");
        let silent = ready.filter(|ready| ready.status != Tri::True).and_then(|ready| ready.since);
        let (phase, at) = rebooting_or_back(node, marks, cordoned, false, booted);
        return from(phase, if phase == NodePhase::Rebooting { silent } else { at });
    }
    if marks.uncordon_pending() && marks.uncordoned_for_desired() {
        return from(NodePhase::Uncordoning, None);
    }
    if marks.drain_pending() {
        let phase = if node.spec.unschedulable { NodePhase::Draining } else { NodePhase::Preparing };
        return from(phase, cordoned);
    }
    let ready = node.status.conditions.condition("Ready");
    if marks.drain_asked() {
        // Drained. Before the reboot Ready is older than the cordon, after it younger.
        let back = ready.filter(|ready| cordoned.zip(ready.since).is_some_and(|(cordon, heard)| heard > cordon));
        return match back {
            Some(ready) => from(NodePhase::Back, ready.since),
            None => from(NodePhase::Applying, None),
        };
    }
    if !marks.targeted() {
        return from(NodePhase::Back, since(ready));
    }
    if marks.uncordoned_for_desired() {
        return from(NodePhase::Uncordoning, None);
    }
    from(NodePhase::Preparing, None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::upgrade::specimen::{NEW, Specimen, at, condition, rendered, stamp};
    use serde_json::{Value, json};

    fn new_config() -> String {
        rendered("worker", NEW)
    }

    /// The phase of worker-1 with these annotations, targeted at the new configuration, cordoned at minute 32 or not.
    fn marked(marks: &[(&str, &str)], cordoned: bool, ready: Value) -> (NodePhase, Option<DateTime<Utc>>) {
        let mut cluster = Specimen::rolling();
        cluster.mark("worker-1", &[("desiredConfig", &new_config()), ("state", "Working")]);
        cluster.mark("worker-1", marks);
        if cordoned {
            cluster.cordon("worker-1", "machine-config-controller", 32);
        }
        cluster.node("worker-1")["status"]["conditions"][0] = ready;
        let assessment = cluster.assess(45);
        let node = assessment.node("worker-1").unwrap();
        assert_eq!(node.phase_source, Source::Annotations);
        (node.phase, node.since)
    }

    #[test]
    fn annotations_alone_tell_the_phases_of_clusters_before_4_19() {
        // Story, annotations, cordoned, Ready; phase and since when.
        type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], bool, Value, NodePhase, Option<i64>);
        use NodePhase::{Applying, Back, Degraded, Draining, Preparing, Rebooting, Uncordoning};
        let drain = format!("drain-{}", new_config());
        let uncordon = format!("uncordon-{}", new_config());
        let up = || condition("Ready", "True", "KubeletReady", "", -9000);
        let silent = || condition("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", 38);
        let shutting_down = || condition("Ready", "False", "KubeletNotReady", "node is shutting down", 37);
        let starting = || condition("Ready", "False", "KubeletNotReady", "container runtime network not ready", 41);
        let up_again = || condition("Ready", "True", "KubeletReady", "", 42);
        let asked = [("desiredDrain", drain.as_str())];
        let drained = [("desiredDrain", drain.as_str()), ("lastAppliedDrain", drain.as_str())];
        let rebooting = [drained[0], drained[1], ("post-config-action", "Rebooting")];
        let table: [Row; 13] = [
            ("targeted, not picked up", &[("state", "Done")], false, up(), Preparing, None),
            ("picked up, drain not asked for", &[], false, up(), Preparing, None),
            ("drain asked for, not cordoned yet", &asked, false, up(), Preparing, None),
            ("drain runs", &asked, true, up(), Draining, Some(32)),
            ("drain is done", &drained, true, up(), Applying, None),
            ("reboot asked for, kubelet still posts", &rebooting, true, up(), Rebooting, None),
            ("shutting down", &rebooting, true, shutting_down(), Rebooting, Some(37)),
            ("silent", &rebooting, true, silent(), Rebooting, Some(38)),
            ("heard again, not ready", &rebooting, true, starting(), Back, Some(41)),
            ("ready again, daemon not there", &rebooting, true, up_again(), Back, Some(42)),
            (
                "daemon is there",
                &[drained[0], drained[1], ("post-config-action", "")],
                true,
                up_again(),
                Back,
                Some(42),
            ),
            (
                "uncordon asked for",
                &[("desiredDrain", &uncordon), ("lastAppliedDrain", &drain)],
                true,
                up_again(),
                Uncordoning,
                None,
            ),
            ("daemon failed", &[("state", "Unreconcilable"), ("reason", "no")], false, up(), Degraded, None),
        ];
        for (story, marks, cordoned, ready, phase, since) in table {
            assert_eq!(marked(marks, cordoned, ready), (phase, since.map(at)), "{story}");
        }
    }

    /// The conditions of a MachineConfigNode whose update has come so far: the last of `True` steps, then one Unknown.
    fn walked(reached: &[&str], current: Option<&str>) -> Vec<Value> {
        const ORDER: [&str; 9] = [
            "UpdatePrepared",
            "Cordoned",
            "Drained",
            "AppliedFilesAndOS",
            "UpdateExecuted",
            "RebootedNode",
            "UpdatePostActionComplete",
            "Resumed",
            "UpdateComplete",
        ];
        let mut conditions = vec![condition("Updated", "False", "", "Node worker-1 needs an update", 31)];
        for (place, kind) in ORDER.iter().enumerate() {
            let status = if reached.contains(kind) {
                "True"
            } else if current == Some(kind) {
                "Unknown"
            } else {
                "False"
            };
            conditions.push(condition(kind, status, "", "Action during update to rendered-x: ", 32 + place as i64));
        }
        conditions
    }

    #[test]
    fn a_degraded_node_keeps_how_far_it_came() {
        let degraded = condition("NodeDegraded", "True", "", "failed", 40);
        let table: [(&[&str], Option<&str>, NodePhase); 3] = [
            (&["UpdatePrepared", "Cordoned"], Some("Drained"), NodePhase::Draining),
            (&["UpdatePrepared", "Cordoned", "Drained"], Some("AppliedFilesAndOS"), NodePhase::Applying),
            (&[], Some("UpdatePrepared"), NodePhase::Preparing),
        ];
        for (reached, current, phase) in table {
            let mut cluster = Specimen::rolling();
            cluster.drains("worker-1", "worker", 33);
            let mut conditions = walked(reached, current);
            conditions.push(degraded.clone());
            cluster.steps("worker-1", conditions);
            cluster.mark("worker-1", &[("state", "Degraded"), ("reason", "no")]);
            let assessment = cluster.assess(45);
            let node = assessment.node("worker-1").unwrap();
            assert_eq!((node.phase, node.reached), (NodePhase::Degraded, Some(phase)), "in {current:?}");
        }
        // Without a MachineConfigNode the annotations tell; a node that is not on its way came nowhere.
        let mut cluster = Specimen::workers_left();
        cluster.mark("worker-0", &[("desiredConfig", &new_config()), ("state", "Degraded")]);
        assert_eq!(cluster.assess(45).node("worker-0").unwrap().reached, Some(NodePhase::Preparing));
        let mut drifted = Specimen::idle();
        drifted.mark("worker-0", &[("state", "Degraded")]);
        assert_eq!(drifted.assess(0).node("worker-0").unwrap().reached, None);
        assert_eq!(Specimen::rolling().assess(45).node("worker-1").unwrap().reached, None, "not degraded");
    }

    #[test]
    fn the_machine_config_node_tells_the_step() {
        use NodePhase::{Applying, Cordoned, Draining, Preparing, Rebooting, Uncordoning};
        let all = [
            "UpdatePrepared",
            "Cordoned",
            "Drained",
            "AppliedFilesAndOS",
            "UpdateExecuted",
            "RebootedNode",
            "UpdatePostActionComplete",
            "Resumed",
        ];
        let table: [(&[&str], Option<&str>, NodePhase, i64); 8] = [
            (&[], None, Preparing, 31),
            (&all[..1], None, Preparing, 31),
            (&all[..2], None, Cordoned, 33),
            // The drain's clock is the cordon's: `Drained` is rewritten with each attempt.
            (&all[..2], Some("Drained"), Draining, 33),
            (&all[..3], None, Applying, 34),
            (&all[..3], Some("AppliedFilesAndOS"), Applying, 34),
            (&all[..5], Some("RebootedNode"), Rebooting, 37),
            (&all[..8], None, Uncordoning, 39),
        ];
        for (reached, current, phase, since) in table {
            let mut cluster = Specimen::rolling();
            cluster.drains("worker-1", "worker", 33);
            cluster.steps("worker-1", walked(reached, current));
            let assessment = cluster.assess(45);
            let node = assessment.node("worker-1").unwrap();
            assert_eq!((node.phase, node.since), (phase, Some(at(since))), "after {reached:?}, in {current:?}");
            assert_eq!(node.phase_source, Source::MachineConfigNode);
            assert!(node.since_rebuilt, "nobody saw it happen");
        }
    }

    #[test]
    fn a_node_that_is_heard_after_its_reboot_is_back() {
        let mut cluster = Specimen::rolling();
        cluster.drains("worker-1", "worker", 33);
        let reached = ["UpdatePrepared", "Cordoned", "Drained", "AppliedFilesAndOS", "UpdateExecuted"];
        cluster.steps("worker-1", walked(&reached, Some("RebootedNode")));
        cluster.node("worker-1")["status"]["conditions"][0] = condition("Ready", "True", "KubeletReady", "", 41);
        let node = cluster.assess(45).node("worker-1").cloned().unwrap();
        assert_eq!((node.phase, node.since), (NodePhase::Back, Some(at(41))));
    }

    #[test]
    fn a_machine_config_node_that_lags_does_not_hide_what_annotations_say() {
        let updated = || vec![condition("Updated", "True", "", "", -9000)];
        let mut cluster = Specimen::rolling();
        cluster.steps("worker-1", updated());
        let waits = cluster.assess(45).node("worker-1").cloned().unwrap();
        assert_eq!(
            (waits.phase, waits.since),
            (NodePhase::Waiting, Some(at(30))),
            "since the pool got its configuration"
        );

        cluster.mark("worker-1", &[("desiredConfig", &new_config())]);
        assert_eq!(cluster.assess(45).node("worker-1").unwrap().phase, NodePhase::Preparing, "targeted a moment ago");

        // "sensed disruption via a manual update": Updated turns False although nothing is under way.
        let mut done = Specimen::finished();
        done.steps(
            "worker-1",
            vec![condition("Updated", "False", "", "This node is not updated, sensed disruption", 95)],
        );
        assert_eq!(done.assess(100).node("worker-1").unwrap().phase, NodePhase::Done);
    }

    #[test]
    fn a_node_at_its_pools_old_configuration_waits_for_the_new_release() {
        let mut cluster = Specimen::updating();
        cluster.pool("worker")["spec"]["paused"] = json!(true);
        let assessment = cluster.assess(5);
        assert_eq!(assessment.node("master-0").unwrap().phase, NodePhase::Waiting);
        assert_eq!(assessment.node("worker-0").unwrap().phase, NodePhase::Paused);
        assert_eq!(Specimen::idle().assess(0).node("worker-0").unwrap().phase, NodePhase::Done);
    }

    #[test]
    fn a_pool_that_is_paused_in_the_middle_holds_its_nodes_from_then_on() {
        let mut cluster = Specimen::rolling();
        assert_eq!(cluster.assess(45).node("worker-2").unwrap().since, Some(at(30)));
        cluster.pool("worker")["spec"]["paused"] = json!(true);
        cluster.pool("worker")["metadata"]["managedFields"] = json!([
            {"manager": "oc-cockpit", "operation": "Update", "time": stamp(40), "fieldsV1": {"f:spec": {"f:paused": {}}}},
        ]);
        let assessment = cluster.assess(45);
        let node = assessment.node("worker-2").unwrap();
        assert_eq!((node.phase, node.since), (NodePhase::Paused, Some(at(40))));
    }

    #[test]
    fn a_node_without_marks_is_not_done() {
        let mut cluster = Specimen::finished();
        cluster.node("worker-1")["metadata"]["annotations"] = json!(null);
        cluster.node("worker-1")["metadata"]["creationTimestamp"] = json!(stamp(99));
        assert_eq!(cluster.assess(100).node("worker-1").unwrap().phase, NodePhase::Waiting);
    }

    #[test]
    fn annotations_know_of_the_reboot_when_the_machine_config_node_lags() {
        let mut cluster = Specimen::rolling();
        cluster.drains("worker-1", "worker", 33);
        let drained = ["UpdatePrepared", "Cordoned", "Drained"];
        cluster.steps("worker-1", walked(&drained, Some("AppliedFilesAndOS")));
        assert_eq!(cluster.assess(45).node("worker-1").unwrap().phase, NodePhase::Applying);
        let drain = format!("drain-{}", new_config());
        cluster.mark("worker-1", &[("lastAppliedDrain", &drain), ("post-config-action", "Rebooting")]);
        assert_eq!(cluster.assess(45).node("worker-1").unwrap().phase, NodePhase::Rebooting);
    }

    #[test]
    fn another_boot_is_a_node_that_came_back() {
        use crate::upgrade::memory::Memory;
        // A single node neither drains nor is cordoned: nothing dates its reboot but the boot itself.
        let mut cluster = Specimen::rolling();
        cluster.node("worker-1")["status"]["nodeInfo"]["bootID"] = json!("one");
        cluster.mark(
            "worker-1",
            &[("desiredConfig", &new_config()), ("state", "Working"), ("post-config-action", "Rebooting")],
        );
        let mut memory = Memory::default();
        assert_eq!(cluster.watched(&mut memory, 40).node("worker-1").unwrap().phase, NodePhase::Rebooting);
        cluster.node("worker-1")["status"]["nodeInfo"]["bootID"] = json!("two");
        for minute in [43, 44] {
            let assessment = cluster.watched(&mut memory, minute);
            let node = assessment.node("worker-1").unwrap();
            assert_eq!((node.phase, node.since, node.booted), (NodePhase::Back, Some(at(43)), Some(at(43))));
        }
    }

    #[test]
    fn a_daemon_that_tries_again_is_at_work_though_its_condition_is_still_there() {
        let mut cluster = Specimen::rolling();
        cluster.drains("worker-1", "worker", 33);
        let mut conditions = walked(&["UpdatePrepared", "Cordoned", "Drained"], Some("AppliedFilesAndOS"));
        conditions.push(condition("NodeDegraded", "True", "", "failed to drain", 40));
        cluster.steps("worker-1", conditions);
        assert_eq!(cluster.assess(45).node("worker-1").unwrap().phase, NodePhase::Applying);
        cluster.mark("worker-1", &[("state", "Degraded")]);
        assert_eq!(cluster.assess(45).node("worker-1").unwrap().phase, NodePhase::Degraded);
    }
}
