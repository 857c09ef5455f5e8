//! Nodes and pools: the rows of both, from the same walk over the nodes.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::assessment::{Assessment, Build, Layer, Node, NodePhase, Outside, Pool, Source, Topology, Update};
use super::capacity::{self, Member, Rules};
use super::facts::Facts;
use super::membership::{Membership, Pools};
use super::node_events::{self, NodeEvents};
use super::node_phase::{self, Aim, Marks, Phase, Steps};
use super::{cordon, drain, layered, pool_phase, words};
use crate::api::{self, Conditions as _, Tri, node_key};

/// Nodes by name, pools in the order of the screen.
pub fn rollout(
    facts: &Facts,
    update: &Update,
    topology: Topology,
    last: Option<&Assessment>,
    now: DateTime<Utc>,
) -> (Vec<Node>, Vec<Pool>) {
    let layers: Vec<Option<Layer>> = facts.pools.iter().map(|pool| layered::layer(facts, pool)).collect();
    let lookup = Lookup::new(facts, update, &layers, now);
    let mut members: Vec<Vec<Member>> = facts.pools.iter().map(|_| Vec::new()).collect();
    let mut rows = Vec::with_capacity(facts.nodes.len());
    let mut machine_config_nodes = Walk(&facts.machine_config_nodes, |node| node.name());
    let mut rows_before = Walk(last.map_or(&[][..], |last| &last.nodes), |row| row.name.as_str());
    let mut objects_before = Walk(last.map_or(&[][..], |last| &last.facts.nodes), |node| node.name());
    for node in facts.nodes.iter() {
        let marks = Marks::of(node);
        let ready = capacity::controller_ready(node);
        let membership = lookup.pools.of(node);
        let steps = machine_config_nodes.to(node.name()).map(|node| Steps::of(node));
        let before = rows_before.to(node.name());
        let booted = booted(node, objects_before.to(node.name()), before, &marks, now);
        let row = lookup.row(&Seen { node, marks, steps, membership, ready, before, booted });
        if let Membership::Pool(at) = membership {
            members[at].push(Member { node, row: rows.len(), marks, ready, phase: row.phase });
        }
        rows.push(row);
    }
    let mut order: Vec<usize> = (0..facts.pools.len()).collect();
    order.sort_by_key(|at| pool_phase::order(facts.pools[*at].name()));
    let pools = order
        .into_iter()
        .map(|at| {
            let aim = &lookup.aims[at];
            let rules = rules(facts, &lookup, topology, &members, at);
            let (capacity, candidates) = capacity::capacity(&facts.pools[at], &members[at], &rules);
            for (place, row) in candidates.into_iter().enumerate() {
                rows[row].next = Some(place + 1);
            }
            let nodes = members[at].iter().map(|member| &rows[member.row]);
            pool_phase::pool(&facts.pools[at], nodes, aim.release, capacity, layers[at].clone())
        })
        .collect();
    (rows, pools)
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
fn booted(
    node: &api::Node,
    object: Option<&Arc<api::Node>>,
    row: Option<&Node>,
    marks: &Marks,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    if !marks.targeted() {
        return None;
    }
    let known = row.filter(|row| row.desired_config.as_deref() == marks.desired).and_then(|row| row.booted);
    let boot = |node: &api::Node| Some(node.status.node_info.boot_id.clone()).filter(|boot| !boot.is_empty());
    known.or_else(|| (boot(object?)? != boot(node)?).then_some(now))
}

/// Goes along a list that is ordered by name, beside another such list: no search per node.
struct Walk<'a, T>(&'a [T], fn(&T) -> &str);

impl<'a, T> Walk<'a, T> {
    /// The element of that name. Names must be asked for in their order.
    fn to(&mut self, name: &str) -> Option<&'a T> {
        while let Some((first, rest)) = self.0.split_first() {
            match (self.1)(first).cmp(name) {
                Ordering::Less => self.0 = rest,
                Ordering::Equal => return Some(first),
                Ordering::Greater => return None,
            }
        }
        None
    }
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
    /// The config that was looked up last: most nodes run the same one as the node before.
    config_before: Cell<(&'a str, Option<&'a api::MachineConfig>)>,
}

/// What a pool asks of its nodes.
struct PoolAim<'a> {
    target: &'a str,
    /// The layer of the pool, and its image once it can be used.
    layer: Option<&'a Layer>,
    image: Option<&'a str>,
    paused: bool,
    /// Release of the target.
    release: Option<&'a str>,
    /// The target belongs to the cluster's release: what the nodes roll to is known.
    rendered: bool,
    waiting_since: Option<DateTime<Utc>>,
    degraded_since: Option<DateTime<Utc>>,
}

impl<'a> Lookup<'a> {
    fn new(facts: &'a Facts, update: &'a Update, layers: &'a [Option<Layer>], now: DateTime<Utc>) -> Self {
        let mut lookup = Self {
            facts,
            update,
            now,
            pools: Pools::new(&facts.pools),
            aims: Vec::new(),
            events: node_events::by_node(&facts.events),
            config_before: Cell::new(("", None)),
        };
        lookup.aims = facts.pools.iter().zip(layers).map(|(pool, layer)| lookup.aim(pool, layer.as_ref())).collect();
        lookup
    }

    fn aim(&self, pool: &'a api::MachineConfigPool, layer: Option<&'a Layer>) -> PoolAim<'a> {
        let target = pool.spec.configuration.name.as_str();
        let release = self.release(target);
        let rendered = !self.is_other_release(release);
        let updating = pool.status.conditions.condition("Updating");
        let rolling = updating.filter(|updating| updating.status == Tri::True || pool.spec.paused);
        let waiting_since = if rendered { rolling.and_then(|rolling| rolling.since) } else { self.update.started };
        // A pool that was paused in the middle has held its nodes since then only.
        let paused_at = pool.paused_by().filter(|_| pool.spec.paused).and_then(|owner| owner.at);
        let waiting_since = waiting_since.max(paused_at.filter(|_| waiting_since.is_some()));
        let degraded = pool.status.conditions.condition("NodeDegraded").filter(|told| told.status == Tri::True);
        let degraded_since = degraded.and_then(|degraded| degraded.since);
        let image = layer.filter(|layer| layer.build == Build::Succeeded).and_then(|layer| layer.image.as_deref());
        PoolAim { target, layer, image, paused: pool.spec.paused, release, rendered, waiting_since, degraded_since }
    }

    /// The release that a rendered config was made for.
    fn release(&self, config: &'a str) -> Option<&'a str> {
        self.config(config)?.release_version()
    }

    fn config(&self, name: &'a str) -> Option<&'a api::MachineConfig> {
        let (before, config) = self.config_before.get();
        if before == name {
            return config;
        }
        let configs = &self.facts.machine_configs;
        let at = configs.binary_search_by(|candidate| candidate.name().cmp(name));
        let config = at.ok().map(|at| configs[at].as_ref());
        self.config_before.set((name, config));
        config
    }

    /// Who but the machine-config operator brings the node's operating system to a release.
    fn outside(&self, node: &api::Node, marks: &Marks<'a>) -> Option<Outside> {
        let os = node.status.node_info.os_image.as_str();
        if os.starts_with("Red Hat Enterprise Linux") && !os.contains("CoreOS") {
            return Some(Outside::Rhel);
        }
        let overridden = marks.current.and_then(|config| self.config(config)).is_some_and(is_overridden);
        overridden.then_some(Outside::OverriddenImage)
    }

    fn is_other_release(&self, release: Option<&str>) -> bool {
        release.zip(self.update.to.as_deref()).is_some_and(|(release, to)| release != to)
    }

    fn row(&self, seen: &Seen<'a>) -> Node {
        let Seen { node, ref marks, ref steps, membership, ready, before, booted } = *seen;
        let name = node.name();
        let steps = steps.as_ref();
        let release = marks.current.and_then(|config| self.release(config));
        let phase = match membership {
            Membership::Pool(at) => {
                node_phase::phase(node, marks, steps, &self.aims[at].of(self.is_other_release(release)), booted)
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

impl<'a> PoolAim<'a> {
    fn of(&self, other_release: bool) -> Aim<'a> {
        Aim {
            target: self.target,
            image: self.image,
            paused: self.paused,
            other_release,
            waiting_since: self.waiting_since,
            degraded_since: self.degraded_since,
        }
    }
}

/// A MachineConfig names another OS image than the release's (mco: pkg/controller/common/constants.go,
/// `OSImageURLOverriddenKey`).
fn is_overridden(config: &api::MachineConfig) -> bool {
    let key = "machineconfiguration.openshift.io/os-image-url-overridden";
    api::metadata::annotation(&config.metadata, key) == Some("true")
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
        _ => String::new(),
    }
}
