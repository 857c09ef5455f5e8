//! Nodes and pools: the rows of both, from the same walk over the nodes.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::assessment::{Assessment, Layer, Node, NodePhase, Outside, Pool, Source, Topology, Update};
use super::capacity::{self, Member, Rules};
use super::earlier::{Earlier, Known, Walk};
use super::facts::Facts;
use super::membership::{Membership, Pools};
use super::node_events::{self, NodeEvents};
use super::node_phase::{self, Marks, Phase, Steps};
use super::pool_aim::{Configs, PoolAim, is_other_release};
use super::{cordon, drain, layered, pool_phase, progress, topology, words};
use crate::api::{self, Conditions as _, Tri, node_key};

/// Nodes by name, pools in the order of the screen.
pub struct Rollout {
    /// Nodes.
    pub nodes: Vec<Node>,
    /// Pools.
    pub pools: Vec<Pool>,
    /// How the control plane is laid out.
    pub topology: Topology,
    /// Workloads run on control plane nodes and nowhere else.
    pub compact: bool,
}

/// Nodes and pools of `facts`.
pub fn rollout(facts: &Facts, update: &Update, last: Option<&Assessment>, now: DateTime<Utc>) -> Rollout {
    let layers = layers_of(facts);
    let lookup = Lookup::new(facts, update, &layers, now);
    let (mut nodes, members) = rows(&lookup, last);
    let (topology, compact) = topology::topology(facts, &nodes);
    let mut order: Vec<usize> = (0..facts.pools.len()).collect();
    order.sort_by_key(|at| pool_phase::order(facts.pools[*at].name()));
    let pools = order
        .into_iter()
        .map(|at| {
            let aim = &lookup.aims[at];
            let rules = rules(facts, &lookup, topology, &members, at);
            let (capacity, candidates) = capacity::capacity(&facts.pools[at], &members[at], &rules);
            for (place, row) in candidates.into_iter().enumerate() {
                nodes[row].next = Some(place + 1);
            }
            let ours = members[at].iter().map(|member| &nodes[member.row]);
            let mut pool =
                pool_phase::pool(&facts.pools[at], ours, aim.release, capacity, layers[at].clone(), aim.rendered);
            let ours = members[at].iter().map(|member| &nodes[member.row]);
            let comes_from = lookup.configs.release(&facts.pools[at].status.configuration.name);
            pool.changes_release = progress::changes_release(&pool, ours, comes_from, update, last);
            pool
        })
        .collect();
    Rollout { nodes, pools, topology, compact }
}

fn layers_of(facts: &Facts) -> Vec<Option<Layer>> {
    facts.pools.iter().map(|pool| layered::layer(facts, pool)).collect()
}

/// The rows of all nodes, and for each pool what its arithmetic needs of them.
fn rows<'a>(lookup: &Lookup<'a>, last: Option<&'a Assessment>) -> (Vec<Node>, Vec<Vec<Member<'a>>>) {
    let facts = lookup.facts;
    let mut members: Vec<Vec<Member>> = facts.pools.iter().map(|_| Vec::new()).collect();
    let mut rows = Vec::with_capacity(facts.nodes.len());
    let mut machine_config_nodes = Walk(&facts.machine_config_nodes, |node| node.name());
    let mut earlier = Earlier::new(last);
    let same = last.is_some_and(|last| lookup.asks_the_same_as(last));
    for node in facts.nodes.iter() {
        let marks = Marks::of(node);
        let ready = capacity::controller_ready(node);
        let told = machine_config_nodes.to(node.name());
        let known = earlier.to(node.name());
        let kept = known.filter(|_| same).and_then(|known| known.kept(node, told));
        let (row, membership) = if let Some(row) = kept {
            let at = row.pool.as_deref().and_then(|pool| facts.pools.iter().position(|one| one.name() == pool));
            (row, at)
        } else {
            let membership = lookup.pools.of(node);
            let before = known.map(|known| known.row);
            let booted = booted(node, known, &marks, lookup.now);
            let steps = told.map(|told| Steps::of(told));
            let row = lookup.row(&Seen { node, marks, steps, membership, ready, before, booted });
            let at = if let Membership::Pool(at) = membership { Some(at) } else { None };
            (row, at)
        };
        if let Some(at) = membership {
            members[at].push(Member { node, row: rows.len(), marks, ready, phase: row.phase });
        }
        rows.push(row);
    }
    (rows, members)
}

/// What bears on the pool at a place beside its own nodes.
fn rules<'a>(
    facts: &'a Facts,
    lookup: &Lookup<'a>,
    topology: Topology,
    members: &[Vec<Member<'a>>],
    at: usize,
) -> Rules<'a> {
    let aim = &lookup.aims[at];
    let name = facts.pools[at].name();
    let mut rules = Rules { rendered: aim.rendered, layer: aim.layer, ..Rules::default() };
    if topology == Topology::Arbiter {
        rules.held = held(facts, lookup, members, name);
    }
    if name == "master" && members[at].len() > 1 {
        let seen = members[at].iter().map(|member| (member.node.name(), facts.around.pods_of(member.node.name())));
        let operator = seen.clone().find(|(_, pods)| pods.is_some_and(|pods| pods.iter().any(|pod| is_operator(pod))));
        rules.last = operator.map(|(name, _)| name);
        if rules.last.is_none() && seen.clone().any(|(_, pods)| pods.is_none()) {
            rules.caveat = "the master that runs the machine-config operator goes last; which one is not known";
        }
    }
    rules
}

/// The pod of the machine-config operator, whose node the controller puts off (mco: node_controller.go,
/// `filterControlPlaneCandidateNodes`).
fn is_operator(pod: &api::Pod) -> bool {
    api::metadata::label(&pod.metadata, "k8s-app") == Some("machine-config-operator") && !pod.is_finished()
}

/// Two masters and an arbiter: the masters wait while the arbiter is away, and it waits for both (mco:
/// node_controller.go, `syncMachineConfigPool`).
fn held(facts: &Facts, lookup: &Lookup, members: &[Vec<Member>], name: &str) -> Option<String> {
    let place = |name: &str| facts.pools.iter().position(|pool| pool.name() == name);
    let (masters, arbiters) = (place("master")?, place("arbiter")?);
    let away = |member: &&Member| capacity::unavailable(member.ready, &member.marks);
    match name {
        "master" => {
            let arbiter = members[arbiters].iter().find(away)?;
            Some(format!("the arbiter {} is not available, so no master is taken", arbiter.node.name()))
        }
        "arbiter" => {
            let rules = Rules { rendered: lookup.aims[masters].rendered, ..Rules::default() };
            let to_come = |member: &Member| capacity::is_candidate(&facts.pools[masters], member, &rules);
            let waits = members[masters].iter().any(|member| away(&member) || to_come(member));
            waits.then(|| "the arbiter waits until all masters are updated and available".to_owned())
        }
        _ => None,
    }
}

/// When the node's boot ID was seen to change on its present way to a configuration.
fn booted(node: &api::Node, known: Option<Known>, marks: &Marks, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if !marks.targeted() {
        return None;
    }
    let known = known?;
    let seen = known.row.booted.filter(|_| known.row.desired_config.as_deref() == marks.desired);
    let (before, boot) = (known.object.status.node_info.boot_id.as_str(), node.status.node_info.boot_id.as_str());
    seen.or_else(|| (!before.is_empty() && !boot.is_empty() && before != boot).then_some(now))
}

/// One node, and what belongs to it.
struct Seen<'a> {
    node: &'a api::Node,
    marks: Marks<'a>,
    steps: Option<Steps<'a>>,
    membership: Membership,
    ready: bool,
    before: Option<&'a Node>,
    booted: Option<DateTime<Utc>>,
}

/// What every node is looked up in.
struct Lookup<'a> {
    facts: &'a Facts,
    update: &'a Update,
    now: DateTime<Utc>,
    pools: Pools<'a>,
    aims: Vec<PoolAim<'a>>,
    events: HashMap<&'a str, NodeEvents<'a>>,
    configs: Configs<'a>,
}

impl<'a> Lookup<'a> {
    fn new(facts: &'a Facts, update: &'a Update, layers: &'a [Option<Layer>], now: DateTime<Utc>) -> Self {
        let configs = Configs::new(facts);
        let aims = facts.pools.iter().zip(layers);
        Self {
            facts,
            update,
            now,
            pools: Pools::new(&facts.pools),
            aims: aims.map(|(pool, layer)| PoolAim::new(pool, layer.as_ref(), &configs, update)).collect(),
            events: node_events::by_node(&facts.events),
            configs,
        }
    }

    /// Did the assessment before ask the same of all nodes? Then a node that has not changed has the same row.
    fn asks_the_same_as(&self, last: &Assessment) -> bool {
        let (before, facts) = (&last.facts, self.facts);
        let same_pools = before.pools.len() == facts.pools.len()
            && before.pools.iter().zip(facts.pools.iter()).all(|(was, is)| {
                Arc::ptr_eq(was, is) || (was.name() == is.name() && was.spec.node_selector == is.spec.node_selector)
            });
        let same_facts = same_pools
            && Arc::ptr_eq(&before.machine_configs, &facts.machine_configs)
            && Arc::ptr_eq(&before.events, &facts.events)
            && (&last.update.to, last.update.started) == (&self.update.to, self.update.started);
        same_facts && {
            let layers = layers_of(before);
            let configs = Configs::new(before);
            let aims = before
                .pools
                .iter()
                .zip(&layers)
                .map(|(pool, layer)| PoolAim::new(pool, layer.as_ref(), &configs, &last.update));
            aims.eq(self.aims.iter().cloned())
        }
    }

    /// Who but the machine-config operator brings the node's operating system to a release.
    fn outside(&self, node: &api::Node, marks: &Marks<'a>) -> Option<Outside> {
        let os = node.status.node_info.os_image.as_str();
        if os.starts_with("Red Hat Enterprise Linux") && !os.contains("CoreOS") {
            return Some(Outside::Rhel);
        }
        marks.current.is_some_and(|config| self.configs.is_overridden(config)).then_some(Outside::OverriddenImage)
    }

    fn row(&self, seen: &Seen<'a>) -> Node {
        let Seen { node, ref marks, ref steps, membership, ready, before, booted } = *seen;
        let name = node.name();
        let steps = steps.as_ref();
        let release = marks.current.and_then(|config| self.configs.release(config));
        let phase = match membership {
            Membership::Pool(at) => {
                node_phase::phase(node, marks, steps, &self.aims[at].of(is_other_release(release, self.update)), booted)
            }
            _ => Phase { phase: NodePhase::Unmanaged, since: None, source: Source::Annotations },
        };
        let events = self.events.get(name).copied().unwrap_or_default();
        let phase = Phase { since: phase.since.or_else(|| events.since(phase.phase, self.update.started)), ..phase };
        let cordon = cordon::cordon(node, marks, steps);
        let drain_started = steps
            .and_then(|steps| steps.cordoned)
            .filter(|cordoned| cordoned.status == Tri::True)
            .and_then(|cordoned| cordoned.since)
            .or_else(|| cordon.as_ref().and_then(|cordon| cordon.since));
        let event = events.drain_failure;
        let known = before.and_then(|before| before.drain_trouble.as_ref());
        let drain_trouble = drain::trouble(&phase, marks, steps, event, drain_started, known, self.now);
        let heard = node.status.conditions.condition("Ready");
        let (since, since_rebuilt) = clock(&phase, marks, before, self.now);
        let mut row = Node {
            name: name.to_owned(),
            pool: match membership {
                Membership::Pool(at) => Some(self.facts.pools[at].name().to_owned()),
                _ => None,
            },
            zone: node.label(node_key::ZONE).map(str::to_owned),
            roles: roles(node),
            phase: phase.phase,
            since,
            reached: (phase.phase == NodePhase::Degraded).then(|| node_phase::reached(node, marks, steps)).flatten(),
            phase_source: phase.source,
            since_rebuilt,
            booted,
            ready: heard.is_some_and(|heard| heard.status == Tri::True),
            cordon,
            version: release.map(str::to_owned),
            kubelet: Some(node.status.node_info.kubelet_version.clone()).filter(|version| !version.is_empty()),
            current_config: marks.current.map(str::to_owned),
            desired_config: marks.desired.map(str::to_owned),
            outside: self.outside(node, marks),
            unavailable: capacity::unavailable(ready, marks),
            message: String::new(),
            drain_trouble,
            next: None,
            blockers: Vec::new(),
            forecast: None,
        };
        row.message = message(node, &row, steps, membership);
        row
    }
}

fn roles(node: &api::Node) -> Vec<String> {
    let labels = node.labels().range::<str, _>((Bound::Included(node_key::ROLE), Bound::Unbounded));
    labels.map_while(|(key, _)| key.strip_prefix(node_key::ROLE)).map(str::to_owned).collect()
}

/// Since when a node is in its phase, and whether that is what the API remembers rather than what was seen.
///
/// A change that was seen takes the API's time when that is younger than the phase before (it is exact, and the same
/// that a restart would find), else the moment it was seen.
fn clock(phase: &Phase, marks: &Marks, before: Option<&Node>, now: DateTime<Utc>) -> (Option<DateTime<Utc>>, bool) {
    match before {
        Some(before) if before.phase == phase.phase && before.desired_config.as_deref() == marks.desired => {
            (before.since.or(phase.since), before.since_rebuilt)
        }
        Some(before) => {
            let told = phase.since.filter(|told| *told <= now && before.since.is_none_or(|before| *told >= before));
            (told.or(Some(now)), false)
        }
        None => (phase.since, true),
    }
}

/// What there is to say about a node.
fn message(node: &api::Node, row: &Node, steps: Option<&Steps>, membership: Membership) -> String {
    match membership {
        Membership::SeveralCustomPools => {
            return "several custom pools match: the machine-config operator leaves it alone".to_owned();
        }
        Membership::Windows => return "Windows: the machine-config operator leaves it alone".to_owned(),
        Membership::NoPool => return "no pool matches its labels".to_owned(),
        Membership::Pool(_) => {}
    }
    if let Some(trouble) = &row.drain_trouble {
        return match trouble.pods.len() {
            0 => trouble.error.clone(),
            _ => format!("drain waits for {}", words::some_of(trouble.pods.iter().map(String::as_str), 3)),
        };
    }
    if row.phase == NodePhase::Degraded {
        let reason = node.annotation(node_key::REASON).filter(|reason| !reason.is_empty());
        let told = steps.and_then(|steps| steps.degraded).map(|degraded| degraded.message.as_str());
        return reason.or(told).unwrap_or("the machine-config daemon gives no reason").to_owned();
    }
    if !row.ready && !row.phase.moving() {
        let heard = node.status.conditions.condition("Ready");
        return heard.map_or("the kubelet has not reported", |heard| heard.message.as_str()).to_owned();
    }
    match &row.cordon {
        Some(cordon) if !cordon.by_mco => match &cordon.manager {
            Some(manager) => format!("cordoned by {manager}"),
            None => "cordoned".to_owned(),
        },
        _ => match row.outside {
            Some(Outside::Rhel) => "RHEL: its operating system is updated outside of the cluster".to_owned(),
            Some(Outside::OverriddenImage) => "a MachineConfig names another OS image than the release's".to_owned(),
            None => String::new(),
        },
    }
}
