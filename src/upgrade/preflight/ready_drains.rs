//! Can every node be drained?

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Ask, Row, evidence};
use crate::upgrade::assessment::{Blocker, Remedy, Resource, Topology};
use crate::upgrade::blockers::budgets::{impossible, of_platform};
use crate::upgrade::blockers::{Evictions, has, lasting, words as why_of};
use crate::upgrade::facts::Kind;
use crate::upgrade::words;

/// A single node is rebooted without a drain.
fn never_drained(ask: &Ask) -> bool {
    ask.now.topology == Topology::SingleReplica && ask.now.nodes.len() <= 1
}

pub(super) fn budgets(ask: &Ask) -> Option<Row> {
    let (id, title) = ("disruption-budgets", "Disruption budgets let pods go");
    if never_drained(ask) {
        return None;
    }
    if let Some(why) = ask.unread(&[Kind::PodDisruptionBudgets]) {
        return Some(Row::unknown(id, title, why, Kind::PodDisruptionBudgets));
    }
    let all = &ask.now.facts.around.pod_disruption_budgets;
    // Budgets of the platform are looked after by its operators, and are at their limit while those work.
    let own: Vec<_> = all.iter().filter(|budget| !of_platform(budget.namespace())).collect();
    let shut: Vec<_> = own
        .iter()
        .copied()
        .filter(|budget| impossible(budget) || budget.status.disruptions_allowed <= 0)
        .filter(|budget| budget.status.expected_pods > 0)
        .collect();
    if shut.is_empty() {
        if let Some(why) = ask.without_workloads() {
            return Some(Row::unknown(id, title, why, Kind::PodDisruptionBudgets));
        }
        let why = match own.len() {
            0 => "no workload has one".to_owned(),
            number => format!("none of {} of workloads holds pods back", words::count(number, "budget")),
        };
        return Some(Row::new(id, title, Answer::Pass, why));
    }
    let never = shut.iter().filter(|budget| impossible(budget)).count();
    let why = shut.iter().take(8).map(|budget| {
        let (name, status) = (format!("{}/{}", budget.namespace(), budget.name()), &budget.status);
        if impossible(budget) {
            format!(
                "{name} can never allow a disruption ({} to stay)",
                has(status.desired_healthy, status.expected_pods)
            )
        } else {
            format!(
                "{name} allows none now ({} healthy, {} needed)",
                words::share(status.current_healthy, status.expected_pods, "pod"),
                status.desired_healthy
            )
        }
    });
    let more = if shut.len() > 8 { format!("\nand {} more", shut.len() - 8) } else { String::new() };
    Some(
        Row::new(
            id,
            title,
            if never > 0 { Answer::Block } else { Answer::Warn },
            why.collect::<Vec<_>>().join("\n") + &more,
        )
        .about(shut.iter().map(|budget| Resource::budget(budget.namespace(), budget.name())))
        .rests_on(shut.iter().map(|budget| {
            evidence(
                format!("pdb/{}/{}", budget.namespace(), budget.name()),
                "status.disruptionsAllowed",
                budget.status.disruptions_allowed.to_string(),
            )
        }))
        .remedied([Remedy::look(
            "Give the workloads another healthy replica, or have their owners loosen the budgets for the update.",
        )
        .oc("oc get poddisruptionbudgets -A")]),
    )
}

/// What the drains of all nodes would meet, gathered by what stands in the way.
struct Outlook<'a> {
    judged: usize,
    unread: Vec<&'a str>,
    blocked: BTreeSet<&'a str>,
    blockers: Vec<(&'a str, Blocker)>,
    bare: Vec<String>,
    empty_dir: usize,
    longest_grace: i64,
}

fn outlook<'a>(ask: &Ask<'a>) -> Outlook<'a> {
    let evictions = Evictions::new(&ask.now.facts, ask.now.now);
    let mut outlook = Outlook {
        judged: 0,
        unread: Vec::new(),
        blocked: BTreeSet::new(),
        blockers: Vec::new(),
        bare: Vec::new(),
        empty_dir: 0,
        longest_grace: 0,
    };
    for node in ask.now.nodes.iter().filter(|node| node.pool.is_some()) {
        let Some(forecast) = evictions.forecast(&node.name) else {
            outlook.unread.push(&node.name);
            continue;
        };
        outlook.judged += 1;
        outlook.longest_grace = outlook.longest_grace.max(forecast.longest_grace);
        outlook.empty_dir += forecast.empty_dir.len();
        outlook.bare.extend(forecast.bare);
        if !forecast.blockers.is_empty() {
            outlook.blocked.insert(&node.name);
        }
        outlook.blockers.extend(forecast.blockers.into_iter().map(|blocker| (node.name.as_str(), blocker)));
    }
    outlook
}

pub(super) fn forecast(ask: &Ask) -> Option<Row> {
    let (id, title) = ("drain-forecast", "Every node can be drained");
    if never_drained(ask) {
        return Some(Row::new(id, title, Answer::Pass, "a single node is rebooted without a drain"));
    }
    if let Some(why) = ask.unread(&[Kind::Nodes, Kind::Pods, Kind::PodDisruptionBudgets]) {
        return Some(Row::unknown(id, title, why, Kind::Pods));
    }
    let outlook = outlook(ask);
    if outlook.judged == 0 {
        return Some(Row::unknown(id, title, "the pods of no node are known".to_owned(), Kind::Pods));
    }
    let asides = asides(&outlook);
    if outlook.blockers.is_empty() {
        if let Some(why) = ask.without_workloads() {
            return Some(Row::unknown(id, title, why, Kind::Pods));
        }
        let asides = if asides.is_empty() { String::new() } else { format!("\n{}", asides.join("\n")) };
        let answer = match (outlook.unread.is_empty(), outlook.bare.is_empty()) {
            (false, _) => Answer::Unknown,
            (true, false) => Answer::Warn,
            (true, true) => Answer::Pass,
        };
        let unread = if outlook.unread.is_empty() {
            String::new()
        } else {
            format!(", the pods of {} are not known", words::some_of(outlook.unread.iter().copied(), 3))
        };
        let why =
            format!("nothing would hold up the drain of {}{unread}{asides}", words::count(outlook.judged, "node"));
        let row = Row::new(id, title, answer, why).rests_on(
            outlook.bare.iter().take(10).map(|pod| evidence(format!("pod/{pod}"), "metadata.ownerReferences", "none")),
        );
        let bare = (!outlook.bare.is_empty())
            .then(|| Remedy::look("Have the owners of bare pods save what they need: nothing brings those pods back."));
        return Some(row.remedied(bare));
    }
    Some(blocked(ask, id, title, &outlook, &asides))
}

/// The nodes that a workload holds up, and its pods there.
type Held<'a> = (BTreeSet<&'a str>, Vec<&'a Blocker>);

/// What is worth knowing although it holds nothing up.
fn asides(outlook: &Outlook) -> Vec<String> {
    let mut asides = Vec::new();
    if !outlook.bare.is_empty() {
        let names = words::some_of(outlook.bare.iter().map(String::as_str), 3);
        asides.push(format!("{} would be gone for good: {names}", words::count(outlook.bare.len(), "bare pod")));
    }
    if outlook.empty_dir > 0 {
        asides
            .push(format!("{} would lose what they keep in emptyDir volumes", words::count(outlook.empty_dir, "pod")));
    }
    if outlook.longest_grace > 600 {
        asides.push(format!(
            "the longest grace period is {}",
            words::span(chrono::TimeDelta::seconds(outlook.longest_grace.min(1 << 32)))
        ));
    }
    asides
}

fn blocked(ask: &Ask, id: &'static str, title: &'static str, outlook: &Outlook, asides: &[String]) -> Row {
    // The same workload stands on several nodes: told once, with how many nodes it holds.
    let mut by_cause: BTreeMap<(String, String), Held> = BTreeMap::new();
    for (node, blocker) in &outlook.blockers {
        let owner = blocker.owner.clone().unwrap_or_else(|| format!("pod {}", blocker.pod));
        let key = (format!("{}/{owner}", blocker.namespace), why_of(&blocker.cause, ask.now.now));
        let entry = by_cause.entry(key).or_default();
        entry.0.insert(node);
        entry.1.push(blocker);
    }
    let lines = by_cause
        .iter()
        .take(8)
        .map(|((owner, why), (nodes, _))| format!("{owner}: {why} (on {})", words::some_of(nodes.iter().copied(), 3)));
    let mut why = vec![format!(
        "{} of {} could not be drained as things stand",
        outlook.blocked.len(),
        words::count(outlook.judged, "node")
    )];
    why.extend(lines);
    if by_cause.len() > 8 {
        why.push(format!("and {} more", by_cause.len() - 8));
    }
    why.extend(asides.iter().cloned());
    let lasts = outlook.blockers.iter().any(|(_, blocker)| lasting(&blocker.cause));
    let mut remedies: Vec<Remedy> = Vec::new();
    for remedy in by_cause.values().filter_map(|(_, blockers)| blockers.first()?.frees.first()) {
        if !remedies.contains(remedy) && remedies.len() < 8 {
            remedies.push(remedy.clone());
        }
    }
    let pods = outlook.blockers.iter().map(|(_, blocker)| Resource::pod(&blocker.namespace, &blocker.pod));
    Row::new(id, title, if lasts { Answer::Block } else { Answer::Warn }, why.join("\n"))
        .about(outlook.blocked.iter().map(|node| Resource::node(node)).chain(pods))
        .rests_on(outlook.blockers.iter().take(20).map(|(node, blocker)| {
            evidence(
                format!("pod/{}/{}", blocker.namespace, blocker.pod),
                "drain",
                format!("{node}: {}", why_of(&blocker.cause, ask.now.now)),
            )
        }))
        .remedied(remedies)
}
