//! Nodes and pools: the rows of both, from the same walk over the nodes.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Bound;

use chrono::{DateTime, Utc};

use super::assessment::{Assessment, Node, NodePhase, Pool, Source, Update};
use super::capacity::{self, Member};
use super::facts::Facts;
use super::membership::{Membership, Pools};
use super::node_events::{self, NodeEvents};
use super::node_phase::{self, Aim, Marks, Phase, Steps};
use super::{cordon, drain, pool_phase, words};
use crate::api::{self, Conditions as _, Tri, node_key};

/// Nodes by name, pools in the order of the screen.
pub fn rollout(
    facts: &Facts,
    update: &Update,
    last: Option<&Assessment>,
    now: DateTime<Utc>,
) -> (Vec<Node>, Vec<Pool>) {
    let lookup = Lookup::new(facts, update, now);
    let mut members: Vec<Vec<Member>> = facts.pools.iter().map(|_| Vec::new()).collect();
    let mut rows = Vec::with_capacity(facts.nodes.len());
    let mut machine_config_nodes = Walk(&facts.machine_config_nodes, |node| node.name());
    let mut rows_before = Walk(last.map_or(&[][..], |last| &last.nodes), |row| row.name.as_str());
    for node in facts.nodes.iter() {
        let marks = Marks::of(node);
        let ready = capacity::controller_ready(node);
        let membership = lookup.pools.of(node);
        let steps = machine_config_nodes.to(node.name()).map(|node| Steps::of(node));
        let before = rows_before.to(node.name());
        let row = lookup.row(&Seen { node, marks, steps, membership, ready, before });
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
            let (capacity, candidates) = capacity::capacity(&facts.pools[at], &members[at], aim.rendered);
            for (place, row) in candidates.into_iter().enumerate() {
                rows[row].next = Some(place + 1);
            }
            let nodes = members[at].iter().map(|member| &rows[member.row]);
            pool_phase::pool(&facts.pools[at], nodes, aim.release, capacity)
        })
        .collect();
    (rows, pools)
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
}

/// What every node is looked up in.
struct Lookup<'a> {
    facts: &'a Facts,
    update: &'a Update,
    now: DateTime<Utc>,
    pools: Pools<'a>,
    aims: Vec<PoolAim<'a>>,
    events: HashMap<&'a str, NodeEvents<'a>>,
    /// The config that was looked up last, and its release: most nodes run the same one as the node before.
    release_before: Cell<(&'a str, Option<&'a str>)>,
}

/// What a pool asks of its nodes.
struct PoolAim<'a> {
    target: &'a str,
    paused: bool,
    /// Release of the target.
    release: Option<&'a str>,
    /// The target belongs to the cluster's release: what the nodes roll to is known.
    rendered: bool,
    waiting_since: Option<DateTime<Utc>>,
    degraded_since: Option<DateTime<Utc>>,
}

impl<'a> Lookup<'a> {
    fn new(facts: &'a Facts, update: &'a Update, now: DateTime<Utc>) -> Self {
        let mut lookup = Self {
            facts,
            update,
            now,
            pools: Pools::new(&facts.pools),
            aims: Vec::new(),
            events: node_events::by_node(&facts.events),
            release_before: Cell::new(("", None)),
        };
        lookup.aims = facts.pools.iter().map(|pool| lookup.aim(pool)).collect();
        lookup
    }

    fn aim(&self, pool: &'a api::MachineConfigPool) -> PoolAim<'a> {
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
        PoolAim { target, paused: pool.spec.paused, release, rendered, waiting_since, degraded_since }
    }

    /// The release that a rendered config was made for.
    fn release(&self, config: &'a str) -> Option<&'a str> {
        let (before, release) = self.release_before.get();
        if before == config {
            return release;
        }
        let configs = &self.facts.machine_configs;
        let at = configs.binary_search_by(|candidate| candidate.name().cmp(config));
        let release = at.ok().and_then(|at| configs[at].release_version());
        self.release_before.set((config, release));
        release
    }

    fn is_other_release(&self, release: Option<&str>) -> bool {
        release.zip(self.update.to.as_deref()).is_some_and(|(release, to)| release != to)
    }

    fn row(&self, seen: &Seen<'a>) -> Node {
        let Seen { node, ref marks, ref steps, membership, ready, before } = *seen;
        let name = node.name();
        let steps = steps.as_ref();
        let release = marks.current.and_then(|config| self.release(config));
        let phase = match membership {
            Membership::Pool(at) => {
                node_phase::phase(node, marks, steps, &self.aims[at].of(self.is_other_release(release)))
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
            ready: heard.is_some_and(|heard| heard.status == Tri::True),
            cordon,
            version: release.map(str::to_owned),
            kubelet: Some(node.status.node_info.kubelet_version.clone()).filter(|version| !version.is_empty()),
            current_config: marks.current.map(str::to_owned),
            desired_config: marks.desired.map(str::to_owned),
            outside: None,
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
            paused: self.paused,
            other_release,
            waiting_since: self.waiting_since,
            degraded_since: self.degraded_since,
        }
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
        _ => String::new(),
    }
}
