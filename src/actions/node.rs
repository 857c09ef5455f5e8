//! What cordoning and uncordoning share: finding nodes, the request, who is at work on a node, the pools concerned.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::request::Change;
use super::words::shell;
use super::{
    Ask, Danger, Effect, Entry, Material, Offered, PatchKind, Plan, Precondition, Read, Refusal, Session, Target,
    Write, blast_radius,
};
use crate::api::{self, node_key};
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::{Assessment, Node, NodePhase, OperatorRow, Pool};
use crate::upgrade::facts::Kind;

/// Cordoning and uncordoning patch the node.
pub(super) const PATCH: Permission = Permission::cluster("patch", "", "nodes");

/// The consequences name the pods; without this permission they say so.
pub(super) const LIST_PODS: Permission = Permission::cluster("list", "", "pods");

/// What such a decision rests on. Pools are not among it: a cluster without the machine-config operator has none.
pub(super) const KINDS: &[Kind] = &[Kind::Nodes];

/// On how many nodes the pods are read.
const NODES_READ: usize = 12;

/// A node as it is meant and as it was seen.
pub(super) struct Found<'a> {
    /// As it is meant.
    pub node: &'a Node,
    /// As it was seen.
    pub seen: &'a api::Node,
}

/// The nodes by name, each once, in the given order.
pub(super) fn find<'a>(assessment: &'a Assessment, names: &[String]) -> Result<Vec<Found<'a>>, Refusal> {
    let mut found: Vec<Found<'a>> = Vec::with_capacity(names.len());
    let mut taken = BTreeSet::new();
    for name in names {
        let gone = || Refusal(format!("there is no node {name}"));
        let node = assessment.node(name).ok_or_else(gone)?;
        let nodes = &assessment.facts.nodes;
        let at = nodes.binary_search_by(|seen| seen.name().cmp(name)).map_err(|_| gone())?;
        if taken.insert(name) {
            found.push(Found { node, seen: &nodes[at] });
        }
    }
    if found.is_empty() { Err(Refusal("no node is chosen".to_owned())) } else { Ok(found) }
}

/// The request that sets or removes `spec.unschedulable`.
pub(super) fn write(session: &Session, seen: &api::Node, unschedulable: bool) -> Result<Write, Refusal> {
    let name = seen.name();
    let (verb, value) = if unschedulable { ("cordon", json!(true)) } else { ("uncordon", Value::Null) };
    Change {
        object: format!("node/{name}"),
        path: format!("/api/v1/nodes/{name}"),
        patch: PatchKind::Strategic,
        metadata: &seen.metadata,
        spec: json!({ "unschedulable": value }),
        oc: format!("adm {verb} {}", shell(name)),
        stored: vec![("/spec/unschedulable".to_owned(), value)],
    }
    .write(session)
}

/// What is told of cordoning or uncordoning.
pub(super) struct Told {
    /// What it reaches, or what has to be read for that.
    pub radius: Result<Vec<String>, Vec<Read>>,
    /// How dangerous it is.
    pub danger: Danger,
    /// What was checked.
    pub preconditions: Vec<Precondition>,
    /// What follows.
    pub consequences: Vec<String>,
}

/// What an action on several nodes reaches; nothing is told of a single one. An error is what has to be read for it.
pub(super) fn radius(
    assessment: &Assessment,
    material: &Material,
    chosen: &[&Found<'_>],
    cordoned: bool,
) -> Result<Vec<String>, Vec<Read>> {
    if chosen.len() < 2 {
        return Ok(Vec::new());
    }
    let mut reads = Vec::new();
    let around = blast_radius::read(assessment, material, chosen, &mut reads).ok_or(reads)?;
    Ok(blast_radius::lines(assessment, chosen, cordoned, &around))
}

/// The plan to cordon or uncordon `chosen`, which are those of the target of which it is not true yet.
pub(super) fn plan(
    session: &Session,
    entry: &Entry,
    ask: &Ask,
    chosen: &[&Found<'_>],
    unschedulable: bool,
    told: Told,
) -> Result<Plan, Refusal> {
    let verb = if unschedulable { "Cordon" } else { "Uncordon" };
    let chosen_names: Vec<&str> = chosen.iter().map(|found| found.node.name.as_str()).collect();
    let draft = Plan {
        danger: told.danger,
        preconditions: told.preconditions,
        ..Plan::draft(entry, ask, title(verb, &chosen_names))
    };
    let mut consequences = match told.radius {
        Ok(radius) => radius,
        Err(reads) => {
            let consequences = vec!["what runs on the nodes and in their pools is being read".to_owned()];
            return Ok(Plan { consequences, reads, ..draft });
        }
    };
    consequences.extend(told.consequences);
    if chosen.len() > NODES_READ {
        consequences.push(format!("pods are told of the first {NODES_READ} nodes only"));
    }
    Ok(Plan {
        consequences,
        reads: chosen_names.iter().take(NODES_READ).map(|name| Read::PodsOn((*name).to_owned())).collect(),
        writes: chosen.iter().map(|found| write(session, found.seen, unschedulable)).collect::<Result<_, _>>()?,
        effect: Effect::NodesUnschedulable {
            nodes: chosen_names.iter().map(|name| (*name).to_owned()).collect(),
            unschedulable,
        },
        ..draft
    }
    .undone_on(Target::Nodes(chosen_names.iter().map(|name| (*name).to_owned()).collect())))
}

impl Found<'_> {
    /// What the machine-config operator is doing with the node, if it is at work on it.
    ///
    /// Beside the phase this asks for the drain annotation: from `drain-...` until the daemon asks for `uncordon-...`
    /// the node is the operator's, whatever else is reported of it (machine-config-operator, pkg/daemon/drain.go), a
    /// failed drain after which the state is Degraded included.
    pub(super) fn at_work(&self) -> Option<String> {
        let drain = self.seen.annotation(node_key::DESIRED_DRAIN);
        let drained = drain == self.seen.annotation(node_key::LAST_APPLIED_DRAIN);
        if drain.is_some_and(|verb| verb.starts_with("drain-")) {
            return Some(match (self.node.phase, drained) {
                (_, false) => "is draining it".to_owned(),
                (phase, true) if phase.moving() => format!("works on it ({})", phase.word()),
                (_, true) => "works on it (drained, not finished)".to_owned(),
            });
        }
        match self.node.phase {
            phase if phase.moving() => Some(format!("works on it ({})", phase.word())),
            NodePhase::Degraded if self.node.desired_config != self.node.current_config => {
                Some("works on it (and fails)".to_owned())
            }
            _ => None,
        }
    }

    /// Is it a control plane node (arbiter included: it is a member of etcd)?
    pub(super) fn control_plane(&self) -> bool {
        control_plane(self.node)
    }
}

/// Is it a control plane node, by role or by pool?
pub(super) fn control_plane(node: &Node) -> bool {
    const ROLES: [&str; 3] = ["master", "control-plane", "arbiter"];
    node.roles.iter().any(|role| ROLES.contains(&role.as_str()))
        || node.pool.as_deref().is_some_and(|pool| pool == "master" || pool == "arbiter")
}

/// The pools of `nodes`, each with how many of the nodes `counts` (by pool name order of the assessment).
/// How the operator etcd is not well, as far as it is not: Ready nodes do not tell that all its members are back.
pub(super) fn ill(etcd: &OperatorRow) -> Option<String> {
    let ill = match () {
        () if !etcd.available => "not Available",
        () if etcd.degraded => "Degraded",
        () if etcd.progressing => "Progressing",
        () => return None,
    };
    let why = if etcd.message.is_empty() { String::new() } else { format!(" ({})", etcd.message.trim()) };
    Some(format!("{ill}{why}"))
}

pub(super) fn pools<'a>(
    assessment: &'a Assessment,
    nodes: &[&Found<'_>],
    counts: impl Fn(&Node) -> bool,
) -> Vec<(&'a Pool, usize)> {
    let of = |pool: &Pool| nodes.iter().filter(|found| found.node.pool.as_deref() == Some(&pool.name)).count();
    let counted = |pool: &Pool| {
        nodes.iter().filter(|found| found.node.pool.as_deref() == Some(&pool.name) && counts(found.node)).count()
    };
    assessment.pools.iter().filter(|pool| of(pool) > 0).map(|pool| (pool, counted(pool))).collect()
}

/// The offer for those of the nodes that it is for; none: there are none of them.
pub(super) fn offered(
    (entry, verb): (&Entry, &str),
    assessment: &Assessment,
    target: &Target,
    fits: fn(&Node) -> bool,
    (danger, available): (Danger, Result<(), Refusal>),
) -> Option<Offered> {
    let known = target.nodes().iter().filter_map(|name| assessment.node(name));
    let chosen: Vec<&str> = known.filter(|node| fits(node)).map(|node| node.name.as_str()).collect();
    let title = title(verb, &chosen);
    (!chosen.is_empty()).then(|| Offered { action: entry.id, title, danger, refusal: available.err() })
}

/// `Cordon node worker-1`, `Cordon 3 nodes`.
pub(super) fn title(verb: &str, nodes: &[&str]) -> String {
    match nodes {
        [name] => format!("{verb} node {name}"),
        names => format!("{verb} {} nodes", names.len()),
    }
}
