//! How long nodes take: from being targeted until they are done, with the moments between.
//!
//! A cycle that was seen is timed by what was seen; one that was under way or over at the start is rebuilt from what
//! the MachineConfigNode and events remember. Cycles are the measure of the estimates.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::assessment::{Assessment, Node, NodePhase};
use super::drain::THRESHOLD;
use super::memory::Memory;
use super::node_events::node_of;
use super::node_phase::Steps;
use crate::api::{Condition, Conditions as _, Event, MachineConfigNode, Tri};

/// How many cycles are kept: the newest.
const KEPT: usize = 8_192;

/// One node's way to a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// The node.
    pub node: String,
    /// Its pool.
    pub pool: String,
    /// The rendered config that it goes to.
    pub target: String,
    /// When it was targeted.
    pub began: DateTime<Utc>,
    /// When its drain ended, or was found not to be needed.
    pub drained: Option<DateTime<Utc>>,
    /// When its reboot was asked for.
    pub rebooted: Option<DateTime<Utc>>,
    /// When it was heard again after the reboot.
    pub back: Option<DateTime<Utc>>,
    /// When it was done.
    pub done: Option<DateTime<Utc>>,
    /// Its drain went beyond [`super::drain::THRESHOLD`], or it failed on the way: the length says little about others.
    pub blocked: bool,
}

impl Cycle {
    /// How long the whole took; none while it goes on.
    pub fn length(&self) -> Option<TimeDelta> {
        self.done.map(|done| done - self.began)
    }

    fn begin(node: &Node, began: DateTime<Utc>) -> Option<Self> {
        Some(Self {
            node: node.name.clone(),
            pool: node.pool.clone()?,
            target: node.desired_config.clone()?,
            began,
            drained: None,
            rebooted: None,
            back: None,
            done: None,
            blocked: false,
        })
    }

    /// Notes the moment at which a phase was entered.
    fn enter(&mut self, phase: NodePhase, at: DateTime<Utc>) {
        let at = at.max(self.began);
        match phase {
            NodePhase::Applying => self.drained = self.drained.or(Some(at)),
            NodePhase::Rebooting => self.rebooted = self.rebooted.or(Some(at)),
            NodePhase::Back => self.back = self.back.or(Some(at)),
            NodePhase::Done => self.done = self.done.or(Some(at)),
            _ => {}
        }
    }

    /// A drain that takes too long, and any failure, spoil the measure.
    fn note_trouble(&mut self, node: &Node, now: DateTime<Utc>) {
        let since = node.drain_trouble.as_ref().and_then(|trouble| trouble.since);
        let late = since.is_some_and(|since| now - since >= THRESHOLD);
        self.blocked |= late || node.phase == NodePhase::Degraded;
    }
}

/// The cycles since the cluster last changed its version, in the order in which they began.
pub fn cycles(assessment: &Assessment, memory: &Memory) -> Arc<Vec<Cycle>> {
    match memory.settled(&assessment.facts) {
        None => Arc::new(rebuilt(assessment)),
        Some(last) if Arc::ptr_eq(&last.facts.nodes, &assessment.facts.nodes) && quiet(memory.cycles()) => {
            Arc::clone(&last.cycles)
        }
        Some(last) => advanced(last, assessment),
    }
}

fn quiet(cycles: &[Cycle]) -> bool {
    cycles.iter().all(|cycle| cycle.done.is_some())
}

/// The cycles of `last`, with what moved since then.
fn advanced(last: &Assessment, now: &Assessment) -> Arc<Vec<Cycle>> {
    let mut open: HashMap<&str, usize> = HashMap::new();
    let from = now.update.started.filter(|_| now.update.started != last.update.started);
    let mut cycles = if let Some(from) = from {
        Arc::new(last.cycles.iter().filter(|cycle| cycle.began >= from).cloned().collect())
    } else {
        Arc::clone(&last.cycles)
    };
    let known = Arc::clone(&cycles);
    for (at, cycle) in known.iter().enumerate().filter(|(_, cycle)| cycle.done.is_none()) {
        open.insert(cycle.node.as_str(), at);
    }
    let mut before = last.nodes.iter().peekable();
    let mut given_up = Vec::new();
    for node in now.nodes.iter() {
        while before.next_if(|was| was.name < node.name).is_some() {}
        let was = before.peek().filter(|was| was.name == node.name);
        let at = open.remove(node.name.as_str());
        match (at, under_way(node)) {
            (Some(at), _) if node.phase == NodePhase::Done || under_way(node) => {
                follow(&mut Arc::make_mut(&mut cycles)[at], was.copied(), node, now.now);
            }
            (Some(at), _) => given_up.push(at),
            (None, true) if was.is_none_or(|was| was.phase != NodePhase::Degraded) => {
                let began = node.since.filter(|since| was.is_none_or(|was| was.since.is_none_or(|was| *since >= was)));
                if let Some(mut cycle) = Cycle::begin(node, began.unwrap_or(now.now)) {
                    cycle.enter(node.phase, cycle.began);
                    cycle.note_trouble(node, now.now);
                    Arc::make_mut(&mut cycles).push(cycle);
                }
            }
            (None, _) => {}
        }
    }
    // What is left in `open` belongs to nodes that are gone.
    given_up.extend(open.into_values());
    if !given_up.is_empty() || cycles.len() > KEPT {
        given_up.sort_unstable();
        let mut place = 0;
        let surplus = cycles.len().saturating_sub(KEPT);
        Arc::make_mut(&mut cycles).retain(|_| {
            place += 1;
            place > surplus && given_up.binary_search(&(place - 1)).is_err()
        });
    }
    cycles
}

/// Is the node on its way to another configuration, or stuck on it?
fn under_way(node: &Node) -> bool {
    node.phase.moving() || (node.phase == NodePhase::Degraded && node.current_config != node.desired_config)
}

fn follow(cycle: &mut Cycle, was: Option<&Node>, node: &Node, now: DateTime<Utc>) {
    if node.desired_config.as_deref() != Some(cycle.target.as_str()) {
        // Another target before the node was touched, or in the middle: the way as a whole is what is measured.
        cycle.target = node.desired_config.clone().unwrap_or_default();
    }
    if was.is_none_or(|was| was.phase != node.phase) {
        cycle.enter(node.phase, node.since.unwrap_or(now));
    }
    cycle.note_trouble(node, now);
}

/// Cycles as the API remembers them: those that began since the cluster last changed its version.
fn rebuilt(assessment: &Assessment) -> Vec<Cycle> {
    let events = Moments::by_node(&assessment.facts.events);
    let mut steps = assessment.facts.machine_config_nodes.iter().peekable();
    let mut cycles = Vec::new();
    let mut undated = Vec::new();
    let from = assessment.update.started.unwrap_or(DateTime::<Utc>::MIN_UTC);
    for (node, object) in assessment.nodes.iter().zip(assessment.facts.nodes.iter()) {
        while steps.next_if(|steps| steps.name() < node.name.as_str()).is_some() {}
        let told = steps.peek().filter(|steps| steps.name() == node.name);
        let mut moments = events.get(node.name.as_str()).copied().unwrap_or_default();
        if let Some(told) = told {
            moments = moments.or(Moments::of_steps(told));
        }
        if moments.back.is_none() {
            let ready = object.status.conditions.condition("Ready").filter(|ready| ready.status == Tri::True);
            moments.back = ready
                .and_then(|ready| ready.since)
                .filter(|heard| moments.rebooted.is_some_and(|asked| *heard > asked));
        }
        if under_way(node) {
            moments.began = moments.began.or(node.since);
        }
        let told = moments.cycle(node, from, assessment.now);
        if told.is_none() && node.phase == NodePhase::Done {
            let ready = object.status.conditions.condition("Ready").filter(|ready| ready.status == Tri::True);
            let ended = moments.done.or(node.since).or_else(|| ready.and_then(|ready| ready.since));
            undated.extend(ended.filter(|ended| (from..=assessment.now).contains(ended)).map(|ended| (ended, node)));
        }
        cycles.extend(told);
    }
    by_turns(assessment, &undated, &mut cycles);
    cycles.sort_by(|a, b| (a.began, &a.node).cmp(&(b.began, &b.node)));
    cycles
}

/// Dates the beginning of cycles of which only the end is remembered (a MachineConfigNode forgets its steps when it is done,
/// events are kept for an hour or so): a pool takes a node as soon as one of its `maxUnavailable` turns is free, so a node
/// began when the one so many places before it was done, and the first ones when the pool began to roll.
fn by_turns(assessment: &Assessment, undated: &[(DateTime<Utc>, &Node)], cycles: &mut Vec<Cycle>) {
    for pool in &assessment.pools {
        let ours = |node: &Node| node.pool.as_deref() == Some(pool.name.as_str());
        let dated = cycles.iter().filter(|cycle| cycle.pool == pool.name).filter_map(|cycle| Some((cycle.done?, None)));
        let ends = undated.iter().filter(|(_, node)| ours(node)).map(|(ended, node)| (*ended, Some(*node)));
        let mut ends: Vec<(DateTime<Utc>, Option<&Node>)> = dated.chain(ends).collect();
        ends.sort_by(|a, b| (a.0, a.1.map(|node| &node.name)).cmp(&(b.0, b.1.map(|node| &node.name))));
        let turns = pool.capacity.max_unavailable;
        for (place, (ended, node)) in ends.iter().enumerate() {
            let before = place.checked_sub(turns).map(|before| ends[before].0).or(pool.rolling_since);
            let (Some(node), Some(began)) = (node, before.filter(|before| before < ended)) else { continue };
            let cycle = Cycle::begin(node, began).map(|cycle| Cycle { done: Some(*ended), ..cycle });
            cycles.extend(cycle);
        }
    }
}

/// The moments of a node's last cycle.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    began: Option<DateTime<Utc>>,
    drained: Option<DateTime<Utc>>,
    rebooted: Option<DateTime<Utc>>,
    back: Option<DateTime<Utc>>,
    done: Option<DateTime<Utc>>,
}

impl Moments {
    /// By the events of the machine-config controller and daemon; a newer `SetDesiredConfig` begins anew.
    fn by_node(events: &[Event]) -> HashMap<&str, Self> {
        let mut nodes: HashMap<&str, Self> = HashMap::new();
        for event in events {
            let Some(name) = node_of(event) else { continue };
            let at = event.last_at();
            match event.reason.as_str() {
                "SetDesiredConfig" => drop(nodes.insert(name, Self { began: at, ..Self::default() })),
                "OSUpdateStarted" => nodes.entry(name).or_default().drained = at,
                "Reboot" => nodes.entry(name).or_default().rebooted = at,
                "NodeDone" => nodes.entry(name).or_default().done = at,
                _ => {}
            }
        }
        nodes
    }

    /// By the conditions of a MachineConfigNode. Their times are those of the last write, so only steps that are over
    /// tell when they were reached; `UpdatePrepared` is the first one that is written.
    fn of_steps(node: &MachineConfigNode) -> Self {
        let steps = Steps::of(node);
        let reached =
            |step: Option<&Condition>| step.filter(|step| step.status == Tri::True).and_then(|step| step.since);
        let asked = steps.rebooted.filter(|rebooted| rebooted.status == Tri::Unknown).and_then(|asked| asked.since);
        let started = steps.updated.filter(|updated| updated.status == Tri::False).and_then(|updated| updated.since);
        let prepared = reached(steps.prepared);
        Self {
            began: match (started, prepared) {
                (Some(started), Some(prepared)) => Some(started.min(prepared)),
                (started, prepared) => prepared.or(started),
            },
            drained: reached(steps.drained),
            rebooted: asked.or_else(|| reached(steps.executed).filter(|_| reached(steps.rebooted).is_some())),
            back: reached(steps.rebooted),
            done: reached(steps.updated),
        }
    }

    /// These, and where they tell nothing the others.
    fn or(self, other: Self) -> Self {
        Self {
            began: self.began.or(other.began),
            drained: self.drained.or(other.drained),
            rebooted: self.rebooted.or(other.rebooted),
            back: self.back.or(other.back),
            done: self.done.or(other.done),
        }
    }

    /// The cycle, if these moments tell one that belongs to the present rollout: each after the one before, and done only
    /// when the node is.
    fn cycle(self, node: &Node, from: DateTime<Utc>, now: DateTime<Utc>) -> Option<Cycle> {
        let began = self.began.filter(|began| (from..=now).contains(began))?;
        let over = node.phase == NodePhase::Done;
        if !over && !under_way(node) {
            return None;
        }
        let mut cycle = Cycle::begin(node, began)?;
        let mut latest = began;
        let mut after = |moment: Option<DateTime<Utc>>| {
            let moment = moment.filter(|moment| (latest..=now).contains(moment))?;
            latest = moment;
            Some(moment)
        };
        cycle.drained = after(self.drained);
        cycle.rebooted = after(self.rebooted);
        cycle.back = after(self.back);
        cycle.done = after(self.done.filter(|_| over));
        if over && cycle.done.is_none() {
            return None; // it ended, nobody remembers when
        }
        let drain = cycle.drained.map(|drained| drained - began);
        cycle.blocked = drain.is_some_and(|drain| drain >= THRESHOLD);
        cycle.note_trouble(node, now);
        Some(cycle)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::upgrade::specimen::{NEW, Specimen, at, condition, rendered, stamp};
    use serde_json::{Value, json};

    fn moments(cycle: &Cycle) -> [Option<DateTime<Utc>>; 5] {
        [Some(cycle.began), cycle.drained, cycle.rebooted, cycle.back, cycle.done]
    }

    fn minutes(minutes: [i64; 5]) -> [Option<DateTime<Utc>>; 5] {
        minutes.map(|minute| Some(at(minute)))
    }

    #[test]
    fn a_cycle_is_timed_by_what_was_seen() {
        let config = rendered("worker", NEW);
        let mut memory = Memory::default();
        let mut cluster = Specimen::workers_left();
        cluster.watched(&mut memory, 61);
        assert_eq!(memory.cycles(), [] as [Cycle; 0]);
        cluster.mark("worker-0", &[("desiredConfig", &config)]);
        cluster.watched(&mut memory, 63);
        cluster.drains("worker-0", "worker", 64);
        cluster.watched(&mut memory, 65);
        assert_eq!((memory.cycles().len(), memory.cycles()[0].done), (1, None));
        cluster.mark("worker-0", &[("lastAppliedDrain", &format!("drain-{config}"))]);
        cluster.watched(&mut memory, 67);
        cluster.mark("worker-0", &[("post-config-action", "Rebooting")]);
        cluster.watched(&mut memory, 69);
        cluster.node("worker-0")["status"]["conditions"][0] = condition("Ready", "True", "", "", 75);
        cluster.watched(&mut memory, 76);
        cluster.node("worker-0")["spec"] = json!({});
        cluster.mark("worker-0", &[("post-config-action", "")]);
        cluster.reaches("worker-0", "worker");
        cluster.watched(&mut memory, 78);
        let [cycle] = memory.cycles() else { panic!("one cycle") };
        assert_eq!(
            (cycle.node.as_str(), cycle.pool.as_str(), cycle.target.as_str()),
            ("worker-0", "worker", config.as_str())
        );
        assert_eq!(moments(cycle), minutes([63, 67, 69, 75, 78]));
        assert_eq!((cycle.length(), cycle.blocked), (Some(TimeDelta::minutes(15)), false));
        let before = memory.cycles().to_vec();
        cluster.watched(&mut memory, 90);
        assert_eq!(memory.cycles(), before, "nothing is timed twice");
    }

    #[test]
    fn a_blocked_drain_spoils_the_measure() {
        let mut cluster = Specimen::workers_left();
        let mut memory = Memory::default();
        cluster.watched(&mut memory, 61);
        cluster.drains("worker-0", "worker", 62);
        cluster.watched(&mut memory, 63);
        assert!(!memory.cycles()[0].blocked);
        cluster.watched(&mut memory, 73);
        assert!(memory.cycles()[0].blocked);
    }

    #[test]
    fn a_node_that_leaves_takes_its_open_cycle_along() {
        let mut cluster = Specimen::workers_left();
        let mut memory = Memory::default();
        cluster.watched(&mut memory, 61);
        cluster.drains("worker-0", "worker", 62);
        cluster.watched(&mut memory, 63);
        cluster.nodes.retain(|node| node["metadata"]["name"] != "worker-0");
        cluster.watched(&mut memory, 64);
        assert_eq!(memory.cycles(), [] as [Cycle; 0]);
    }

    fn done_steps(first: i64) -> Vec<Value> {
        let order = [
            "UpdatePrepared",
            "Cordoned",
            "Drained",
            "AppliedFilesAndOS",
            "UpdateExecuted",
            "RebootedNode",
            "Resumed",
            "Updated",
        ];
        order.iter().enumerate().map(|(at, kind)| condition(kind, "True", "", "", first + at as i64)).collect()
    }

    #[test]
    fn after_a_start_cycles_are_what_machine_config_nodes_remember() {
        let mut cluster = Specimen::workers_left();
        cluster.reaches("worker-0", "worker");
        cluster.steps("worker-0", done_steps(62));
        cluster.steps("master-0", done_steps(-500));
        let assessment = cluster.assess(75);
        let [cycle] = assessment.cycles.as_slice() else { panic!("one, not that of an earlier update") };
        assert_eq!(cycle.node, "worker-0");
        assert_eq!(moments(cycle), minutes([62, 64, 66, 67, 69]));
    }

    #[test]
    fn without_machine_config_nodes_events_remember() {
        let event = |reason: &str, minute| {
            let (kind, object, message) = match reason {
                "SetDesiredConfig" => ("MachineConfigPool", "worker", "Targeted node worker-0 to MachineConfig: x"),
                _ => ("Node", "worker-0", ""),
            };
            json!({
                "apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("{reason}{minute}")}, "reason": reason,
                "involvedObject": {"kind": kind, "name": object}, "message": message, "lastTimestamp": stamp(minute),
            })
        };
        let mut cluster = Specimen::workers_left();
        cluster.reaches("worker-0", "worker");
        cluster.node("worker-0")["status"]["conditions"][0] = condition("Ready", "True", "", "", 70);
        cluster.events =
            [("NodeDone", 5), ("SetDesiredConfig", 62), ("OSUpdateStarted", 64), ("Reboot", 66), ("NodeDone", 71)]
                .map(|(reason, minute)| event(reason, minute))
                .to_vec();
        let assessment = cluster.assess(75);
        let [cycle] = assessment.cycles.as_slice() else { panic!("one cycle") };
        assert_eq!(moments(cycle), minutes([62, 64, 66, 70, 71]));
    }

    #[test]
    fn a_node_under_way_at_the_start_has_an_open_cycle() {
        let mut cluster = Specimen::workers_left();
        cluster.drains("worker-1", "worker", 62);
        let assessment = cluster.assess(65);
        let [cycle] = assessment.cycles.as_slice() else { panic!("one cycle") };
        assert_eq!((cycle.node.as_str(), cycle.began, cycle.done), ("worker-1", at(62), None));
    }

    #[test]
    fn ends_alone_are_dated_by_turns() {
        let mut cluster = Specimen::workers_left();
        for (name, minute) in [("worker-1", 38), ("worker-0", 47)] {
            cluster.reaches(name, "worker");
            cluster.steps(name, vec![condition("Updated", "True", "", "", minute)]);
        }
        let assessment = cluster.assess(75);
        let told: Vec<_> =
            assessment.cycles.iter().map(|cycle| (cycle.node.as_str(), cycle.began, cycle.done)).collect();
        let expected = [("worker-1", at(30), Some(at(38))), ("worker-0", at(38), Some(at(47)))];
        assert_eq!(told, expected, "the pool rolls since minute 30, one node at a time");
    }
}
