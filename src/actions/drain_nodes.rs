//! Drain nodes: cordoned first, then emptied one after the other by evictions, which budgets may refuse for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cordon_nodes;
use super::departing::{self, Budgets, Claim, held};
use super::drain::{Drain, DrainedNode, Fate, Objection, fate};
use super::eviction::{self, EVICT};
use super::node::{self, Found, LIST_PODS, PATCH, find};
use super::pod::reading;
use super::request::oc;
use super::words::{count, list, shell};
use super::{
    ActionId, Arg, ArgKind, Ask, Confirm, Danger, Effect, Entry, Material, Offered, Plan, Precondition, Read, Refusal,
    Session, Takes, Target, gate,
};
use crate::api::Pod;
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::{Assessment, Blocker, Topology};
use crate::upgrade::blockers::{self, Evictions};
use crate::upgrade::facts::{Facts, Kind};

const EMPTY_DIR: &str = "delete-emptydir-data";
const FORCE: &str = "force";
const TIMEOUT: &str = "timeout";

/// What is needed whatever runs on the nodes.
const NODES: [Permission; 2] = [PATCH, LIST_PODS];

/// Drain nodes.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::DrainNodes,
    name: "drain",
    word: "drain",
    summary: "drain the node or the marked nodes, one after the other",
    gerund: "draining nodes",
    dangers: &[Danger::M, Danger::H],
    takes: Takes::Nodes,
    args: &[
        Arg::option(EMPTY_DIR, ArgKind::Flag, "pods with emptyDir volumes go too: what is in them is lost"),
        Arg::option(FORCE, ArgKind::Flag, "bare pods go too: nothing brings them back"),
        Arg::option(TIMEOUT, ArgKind::Text, "give up after this time, for example 90s or 10m; 0: never"),
    ],
    permissions: &[PATCH, LIST_PODS, EVICT],
    needs: &[],
    inverse: Some(ActionId::UncordonNodes),
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let names = target.nodes();
    let now = (Danger::M, available(assessment, session, names));
    node::offered((&ENTRY, "Drain"), assessment, target, |_| true, now)
}

/// Can the nodes be drained now, as far as is known before their pods are? Evictions that one namespace permits may be all
/// that is needed: only who may evict nowhere is refused beforehand.
pub(super) fn available(assessment: &Assessment, session: &Session, names: &[String]) -> Result<(), Refusal> {
    ready(assessment, session, names)?;
    if assessment.facts.access.refuses_all([&EVICT]) { gate::permitted(assessment, &EVICT) } else { Ok(()) }
}

/// The same but for the evictions.
fn ready(assessment: &Assessment, session: &Session, names: &[String]) -> Result<(), Refusal> {
    gate::session(assessment, session, &[Kind::Nodes])?;
    let found = find(assessment, names)?;
    for found in &found {
        if let Some(work) = found.at_work() {
            return Err(Refusal(format!(
                "the machine-config operator {work}: two drains of {} would only be in each other's way",
                found.node.name
            )));
        }
    }
    control_plane(assessment, &found)?;
    NODES.iter().try_for_each(|permission| gate::permitted(assessment, permission))
}

/// A control plane node is drained alone, while all others are in and etcd is well: Ready does not mean that its member
/// is back.
fn control_plane(assessment: &Assessment, found: &[Found<'_>]) -> Result<(), Refusal> {
    let refuse = |words: String| Err(Refusal(words));
    let chosen: Vec<&Found<'_>> = found.iter().filter(|found| found.control_plane()).collect();
    let Some(first) = chosen.first() else { return Ok(()) };
    let name = &first.node.name;
    if assessment.topology == Topology::SingleReplica {
        return refuse(format!("{name} is the only control plane node: its pods have nowhere to go"));
    }
    cordon_nodes::second(assessment, &chosen)?;
    if found.len() > 1 {
        return refuse(format!("{name} is a control plane node: it is drained alone, and no worker beside it"));
    }
    gate::session(assessment, &Session::default(), &[Kind::ClusterOperators])?;
    let Some(etcd) = assessment.operator("etcd") else {
        return refuse(format!(
            "{name} is a control plane node, and there is no ClusterOperator etcd to tell how etcd is"
        ));
    };
    let Some(ill) = node::ill(etcd) else { return Ok(()) };
    refuse(format!(
        "{name} is a control plane node, and ClusterOperator etcd is {ill}: not before all members are well"
    ))
}

/// The seconds of `90s`, `10m`, `1h30m` or a plain number; none for 0.
fn timeout(ask: &Ask) -> Result<Option<u64>, Refusal> {
    let Some(text) = ask.args.get(TIMEOUT) else { return Ok(None) };
    seconds(text.trim())
        .map(|seconds| (seconds > 0).then_some(seconds))
        .ok_or_else(|| Refusal(format!("{TIMEOUT} is a time such as 90s, 10m or 1h30m, not {text:?}")))
}

fn seconds(text: &str) -> Option<u64> {
    if let Ok(plain) = text.parse() {
        return Some(plain);
    }
    let (mut total, mut number) = (0_u64, String::new());
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    (number.is_empty() && !text.is_empty()).then_some(total)
}

/// What was read for the plan.
struct Gathered {
    eviction: String,
    budgets: Budgets,
    /// By node.
    pods: BTreeMap<String, Vec<Arc<Pod>>>,
    /// The claims of the pods that go, by `namespace/name` of the pod.
    claims: BTreeMap<String, Vec<Claim>>,
}

/// What was read, or what has to be.
fn gather(found: &[Found<'_>], material: &Material) -> Result<Result<Gathered, Vec<Read>>, Refusal> {
    let mut reads = Vec::new();
    let eviction = eviction::group_version(material).transpose()?;
    if eviction.is_none() {
        reads.push(eviction::discovery());
    }
    let budgets = departing::budgets(material, None).map_err(|read| reads.push(read)).ok();
    let (mut pods, mut claims, mut wanted) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    for Found { node, .. } in found {
        let Some(on) = departing::pods(material, &node.name).transpose()? else {
            reads.push(departing::pods_on(&node.name));
            continue;
        };
        for pod in on.iter().filter(|pod| fate(pod) == Fate::Goes) {
            let held = departing::claims(material, pod, &mut wanted);
            if !held.is_empty() {
                claims.insert(name(pod), held);
            }
        }
        pods.insert(node.name.clone(), on);
    }
    reads.extend(wanted.into_iter().map(Read::Object));
    Ok(match (eviction, budgets) {
        (Some(eviction), Some(budgets)) if reads.is_empty() => Ok(Gathered { eviction, budgets, pods, claims }),
        _ => Err(reads),
    })
}

fn name(pod: &Pod) -> String {
    format!("{}/{}", pod.namespace(), pod.name())
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let names = ask.target.nodes();
    ready(assessment, session, names)?;
    let timeout = timeout(ask)?;
    let found = find(assessment, names)?;
    let titles: Vec<&str> = found.iter().map(|found| found.node.name.as_str()).collect();
    let draft = Plan::draft(&ENTRY, ask, node::title("Drain", &titles));
    let gathered = match gather(&found, material)? {
        Ok(gathered) => gathered,
        Err(reads) => return Ok(reading(draft, reads)),
    };
    let drain = drain(session, ask, &found, &gathered, timeout)?;
    let mut reads = Vec::new();
    let evicts = evicts(assessment, material, &gathered, &titles, &mut reads)?;
    if !reads.is_empty() {
        return Ok(reading(draft, reads));
    }
    let facts = departing::facts(assessment, &gathered.pods, &gathered.budgets);
    let evictions = Evictions::new(&facts, assessment.now);
    guards(&found, &gathered, &evictions)?;
    let look =
        Look { assessment, found: &found, gathered: &gathered, evictions: &evictions, facts: &facts, drain: &drain };
    let bare = drain.force && look.going().any(|pod| pod.owner().is_none());
    let confirm = match titles.as_slice() {
        _ if !bare => Confirm::Button,
        [name] => Confirm::Type((*name).to_owned()),
        names => Confirm::Type(count(names.len(), "node")),
    };
    let to_cordon = found.iter().filter(|found| found.node.cordon.is_none());
    // Nodes that were cordoned before stay cordoned.
    let ours: Vec<String> = to_cordon.clone().map(|found| found.node.name.clone()).collect();
    let back = (!ours.is_empty()).then(|| Ask::new(ActionId::UncordonNodes, Target::Nodes(ours)));
    let nodes: Vec<String> = titles.iter().map(|name| (*name).to_owned()).collect();
    Ok(Plan {
        danger: if bare { Danger::H } else { Danger::M },
        preconditions: look.preconditions().into_iter().chain(evicts).collect(),
        consequences: look.consequences(),
        writes: to_cordon.map(|found| node::write(session, found.seen, true)).collect::<Result<_, _>>()?,
        confirm,
        effect: Effect::All(vec![
            Effect::NodesUnschedulable { nodes: nodes.clone(), unschedulable: true },
            Effect::NodesDrained { nodes },
        ]),
        drain: Some(drain),
        back: back.into_iter().collect(),
        ..draft
    })
}

/// The evictions of the pods that go are permitted: everywhere, or in each of their namespaces.
fn evicts(
    assessment: &Assessment,
    material: &Material,
    gathered: &Gathered,
    nodes: &[&str],
    reads: &mut Vec<Read>,
) -> Result<Vec<Precondition>, Refusal> {
    let going = gathered.pods.values().flatten().filter(|pod| fate(pod) == Fate::Goes);
    let namespaces: BTreeSet<&str> = going.map(|pod| pod.namespace()).collect();
    let why = format!("where pods of {} have to go", list(nodes.iter().copied()));
    gate::permission_where(assessment, material, &EVICT, &namespaces, (&why, "the eviction itself will tell"), reads)
}

/// What is done after the cordons; refused where pods need to be named by an argument, as `kubectl drain` does.
fn drain(
    session: &Session,
    ask: &Ask,
    found: &[Found<'_>],
    gathered: &Gathered,
    timeout: Option<u64>,
) -> Result<Drain, Refusal> {
    let (empty_dir, force) = (ask.args.flag(EMPTY_DIR), ask.args.flag(FORCE));
    let names: Vec<String> = found.iter().map(|found| shell(&found.node.name)).collect();
    let mut line = format!("adm drain {} --ignore-daemonsets", names.join(" "));
    for (given, flag) in [(empty_dir, EMPTY_DIR), (force, FORCE)] {
        if given {
            line.push_str(&format!(" --{flag}"));
        }
    }
    line.push_str(&timeout.map(|seconds| format!(" --{TIMEOUT}={seconds}s")).unwrap_or_default());
    line.push_str(
        &all_but_guards(gathered).map(|only| format!(" --pod-selector={}", shell(&only))).unwrap_or_default(),
    );
    let mut nodes = Vec::new();
    for Found { node, seen } in found {
        let Some(uid) = seen.metadata.uid.clone() else {
            return Err(Refusal(format!("node {} was read without uid: it cannot be locked", node.name)));
        };
        let pods = gathered.pods.get(&node.name).map_or(&[][..], Vec::as_slice);
        let goes = pods.iter().filter(|pod| fate(pod) == Fate::Goes);
        let pods = goes.filter_map(|pod| pod.metadata.uid.clone()).collect();
        nodes.push(DrainedNode { name: node.name.clone(), uid, pods });
    }
    let drain = Drain {
        nodes,
        eviction: gathered.eviction.clone(),
        budgets: gathered.budgets.group_version.clone(),
        empty_dir,
        force,
        timeout,
        oc: oc(session, &line),
    };
    objections(&drain, gathered)?;
    Ok(drain)
}

/// The selector by which `oc adm drain` leaves the guards of the control plane where they are, as it is done from here:
/// a label that all of them have, with values that no pod has that goes. None: there are no guards, or no such label.
fn all_but_guards(gathered: &Gathered) -> Option<String> {
    let of = |wanted: Fate| {
        let pods = gathered.pods.values().flatten().filter(move |pod| fate(pod) == wanted);
        pods.map(|pod| pod.metadata.labels.clone().unwrap_or_default()).collect::<Vec<_>>()
    };
    let (guards, going) = (of(Fate::Guard), of(Fate::Goes));
    guards.first()?.keys().find_map(|key| {
        let values: BTreeSet<&String> = guards.iter().map(|labels| labels.get(key)).collect::<Option<_>>()?;
        let apart = going.iter().all(|labels| labels.get(key).is_none_or(|value| !values.contains(value)));
        let values: Vec<&str> = values.into_iter().map(String::as_str).collect();
        apart.then(|| match values.as_slice() {
            [value] => format!("{key}!={value}"),
            values => format!("{key} notin ({})", values.join(",")),
        })
    })
}

/// The pods that are in the way of a drain without further arguments, by name.
fn objections(drain: &Drain, gathered: &Gathered) -> Result<(), Refusal> {
    let going = || gathered.pods.values().flatten().filter(|pod| fate(pod) == Fate::Goes);
    let named = |objection: Objection| {
        let mut names: Vec<String> =
            going().filter(|pod| drain.objection(pod) == Some(objection)).map(|pod| name(pod)).collect();
        names.sort_unstable();
        names
    };
    let (bare, empty_dir) = (named(Objection::Bare), named(Objection::EmptyDir));
    let mut words = Vec::new();
    if !bare.is_empty() {
        words.push(format!("nothing brings back {} (--{FORCE} evicts them all the same)", shown(&bare)));
    }
    if !empty_dir.is_empty() {
        let names = shown(&empty_dir);
        words.push(format!("emptyDir data would be lost of {names} (--{EMPTY_DIR} accepts that)"));
    }
    if words.is_empty() { Ok(()) } else { Err(Refusal(words.join("; "))) }
}

fn shown(names: &[String]) -> String {
    list(names.iter().map(String::as_str))
}

/// The guards stay where they are; but what they guard must be able to bear it that their node goes.
fn guards(found: &[Found<'_>], gathered: &Gathered, evictions: &Evictions<'_>) -> Result<(), Refusal> {
    for Found { node, .. } in found {
        let pods = gathered.pods.get(&node.name).map_or(&[][..], Vec::as_slice);
        for pod in pods.iter().filter(|pod| fate(pod) == Fate::Guard) {
            if let Some(Blocker { cause, .. }) = evictions.holds(pod) {
                return Err(Refusal(format!(
                    "{} on {} guards the quorum of the control plane, and its budget lets none go ({}): another member is not well",
                    name(pod),
                    node.name,
                    blockers::short(&cause)
                )));
            }
        }
    }
    Ok(())
}

/// What the words of a plan are made of.
struct Look<'a> {
    assessment: &'a Assessment,
    found: &'a [Found<'a>],
    gathered: &'a Gathered,
    evictions: &'a Evictions<'a>,
    facts: &'a Facts,
    drain: &'a Drain,
}

impl Look<'_> {
    fn pods(&self, node: &str) -> &[Arc<Pod>] {
        self.gathered.pods.get(node).map_or(&[], Vec::as_slice)
    }

    /// The pods that go, of all nodes.
    fn going(&self) -> impl Iterator<Item = &Arc<Pod>> {
        let nodes = self.found.iter().flat_map(|found| self.pods(&found.node.name));
        nodes.filter(|pod| fate(pod) == Fate::Goes)
    }

    fn preconditions(&self) -> Vec<Precondition> {
        let mut lines = Vec::new();
        for Found { node, .. } in self.found {
            let name = &node.name;
            let phase = node.phase.word();
            lines.push(Precondition {
                words: format!("the machine-config operator does not work on node {name}"),
                evidence: format!("node/{name} phase {phase}, no drain is asked for"),
            });
        }
        if self.found.iter().any(Found::control_plane) {
            let others =
                self.assessment.nodes.iter().filter(|node| node::control_plane(node)).count().saturating_sub(1);
            lines.push(Precondition {
                words: "every other control plane node is available".to_owned(),
                evidence: format!("{others} others, each Ready, schedulable and not being worked on"),
            });
            lines.push(Precondition {
                words: "etcd is well".to_owned(),
                evidence: "clusteroperator/etcd Available=True, Degraded=False, Progressing=False".to_owned(),
            });
        }
        lines.push(Precondition {
            words: format!("the server takes evictions as {}", self.drain.eviction),
            evidence: "discovery of /api/v1: pods/eviction".to_owned(),
        });
        lines.extend(NODES.iter().map(|permission| gate::permission_found(self.assessment, permission)));
        lines
    }

    fn consequences(&self) -> Vec<String> {
        let mut lines = vec![self.radius()];
        if self.found.len() > 1 {
            let names: Vec<&str> = self.found.iter().map(|found| found.node.name.as_str()).collect();
            lines.push(format!("all are cordoned first, then drained one after the other: {}", names.join(", then ")));
        }
        for Found { node, .. } in self.found {
            self.of_node(&node.name, node.ready, &mut lines);
        }
        lines.extend(self.replicas());
        lines.extend(self.lost());
        lines.extend(self.data());
        if let Err(why) = &self.gathered.budgets.list {
            lines.push(format!("PodDisruptionBudgets could not be read, so who will refuse is not known: {why}"));
        }
        lines.extend(cordon_nodes::consequences(self.assessment, self.found));
        lines.extend(self.nowhere());
        lines.push(match self.drain.timeout {
            Some(seconds) => format!("it gives up after {}; the nodes stay cordoned", count_seconds(seconds)),
            None => "it goes on until it is done or stopped, and the nodes stay cordoned either way".to_owned(),
        });
        lines
    }

    /// Nodes, pods, namespaces.
    fn radius(&self) -> String {
        let namespaces: BTreeSet<&str> = self.going().map(|pod| pod.namespace()).collect();
        let pods = self.going().count();
        let platform = self.going().filter(|pod| blockers::of_platform(pod.namespace())).count();
        let own = if platform == 0 { String::new() } else { format!(" ({platform} of the platform)") };
        format!(
            "{} of {} in {} go{own}",
            count(pods, "pod"),
            count(self.found.len(), "node"),
            count(namespaces.len(), "namespace"),
        )
    }

    fn of_node(&self, node: &str, ready: bool, lines: &mut Vec<String>) {
        let stay = |wanted: Fate| self.pods(node).iter().filter(|pod| fate(pod) == wanted).count();
        let stays: Vec<String> = [
            (Fate::Daemon, "of DaemonSets"),
            (Fate::Static, "static"),
            (Fate::Guard, "guarding the control plane"),
            (Fate::Ended, "ended"),
        ]
        .into_iter()
        .filter(|(fate, _)| stay(*fate) > 0)
        .map(|(fate, words)| format!("{} {words}", stay(fate)))
        .collect();
        let left = if stays.is_empty() { String::new() } else { format!("; pods that stay: {}", stays.join(", ")) };
        let goes = self.pods(node).iter().filter(|pod| fate(pod) == Fate::Goes);
        let longest = goes.clone().filter_map(|pod| pod.spec.grace_seconds).max().unwrap_or_default();
        let grace = if longest > 60 { format!(", one may take {longest} seconds to end") } else { String::new() };
        lines.push(format!("{node}: {} evicted{grace}{left}", count(goes.count(), "pod")));
        if !ready {
            lines.push(format!("{node} is not Ready: pods that its kubelet does not end stay listed"));
        }
        let forecast = self.evictions.forecast(node).unwrap_or_default();
        for blocker in forecast.blockers.iter().filter(|blocker| !self.stays(node, blocker)) {
            let owner = blocker.owner.as_ref().map(|owner| format!(" ({owner})")).unwrap_or_default();
            let why = held(&blocker.cause, self.assessment);
            lines.push(format!("{node} would wait for {}/{}{owner}: {why}", blocker.namespace, blocker.pod));
        }
    }

    fn stays(&self, node: &str, blocker: &Blocker) -> bool {
        let is = |pod: &&Arc<Pod>| pod.namespace() == blocker.namespace && pod.name() == blocker.pod;
        self.pods(node).iter().find(is).is_some_and(|pod| fate(pod) != Fate::Goes)
    }

    /// Workloads that lose several replicas.
    fn replicas(&self) -> Option<String> {
        let mut owners: BTreeMap<String, usize> = BTreeMap::new();
        for pod in self.going() {
            if let Some(owner) = blockers::workload(pod) {
                *owners.entry(format!("{owner} in {}", pod.namespace())).or_default() += 1;
            }
        }
        let several: Vec<String> =
            owners.into_iter().filter(|(_, n)| *n > 1).map(|(owner, n)| format!("{n} of {owner}")).collect();
        (!several.is_empty()).then(|| format!("several replicas of one workload go: {}", shown(&several)))
    }

    /// What is gone for good.
    fn lost(&self) -> Vec<String> {
        let named = |which: fn(&Pod) -> bool| {
            let mut names: Vec<String> = self.going().filter(|pod| which(pod)).map(|pod| name(pod)).collect();
            names.sort_unstable();
            names
        };
        let mut lines = Vec::new();
        let bare = named(|pod| pod.owner().is_none());
        if !bare.is_empty() {
            lines.push(format!("nothing brings back {}: --{FORCE} takes that in", shown(&bare)));
        }
        let scratch = named(Pod::has_empty_dir);
        if !scratch.is_empty() {
            lines.push(format!("emptyDir data is lost of {}", shown(&scratch)));
        }
        lines
    }

    /// StatefulSets and volumes that only one node may mount.
    fn data(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut sets: Vec<String> = self
            .going()
            .filter(|pod| pod.owner().is_some_and(|owner| owner.kind == "StatefulSet"))
            .map(|pod| name(pod))
            .collect();
        sets.sort_unstable();
        if !sets.is_empty() {
            lines.push(format!("StatefulSets lose a replica until it runs elsewhere: {}", shown(&sets)));
        }
        let claims: Vec<String> = self
            .gathered
            .claims
            .iter()
            .map(|(pod, claims)| {
                let claims: Vec<String> = claims.iter().map(Claim::words).collect();
                format!("{pod} with {}", claims.join(", "))
            })
            .collect();
        if !claims.is_empty() {
            lines.push(format!("volumes have to follow to another node: {}", shown(&claims)));
        }
        lines
    }

    /// Pools without a node that takes pods afterwards.
    fn nowhere(&self) -> Vec<String> {
        let chosen: Vec<&Found<'_>> = self.found.iter().collect();
        let touched = node::pools(self.assessment, &chosen, |_| true);
        let nodes = &self.facts.nodes;
        let takes = |node: &crate::upgrade::assessment::Node| {
            node.ready && node.cordon.is_none() && !self.found.iter().any(|found| found.node.name == node.name)
        };
        touched
            .into_iter()
            .filter(|(pool, _)| !nodes.is_empty() && !self.assessment.nodes_of(&pool.name).any(takes))
            .map(|(pool, _)| {
                format!("no other node of pool {} takes pods: those that need one stay Pending", pool.name)
            })
            .collect()
    }
}

/// `90 seconds`, `10 minutes`.
fn count_seconds(seconds: u64) -> String {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    if seconds.is_multiple_of(60) { count(number(seconds / 60), "minute") } else { count(number(seconds), "second") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_written_as_kubectl_takes_it() {
        let table = [("90s", Some(90)), ("10m", Some(600)), ("1h30m", Some(5_400)), ("45", Some(45)), ("0", Some(0))];
        for (text, expected) in table {
            assert_eq!(seconds(text), expected, "{text}");
        }
        for text in ["", "m", "10x", "5m3", "-1"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
