//! Are pools and nodes where they should be?

use chrono::TimeDelta;

use super::{Answer, Ask, Row, evidence};
use crate::api::Conditions as _;
use crate::upgrade::assessment::{Evidence, Node, NodePhase, Outside, Pool, Remedy, Resource, Topology};
use crate::upgrade::danger::Danger;
use crate::upgrade::facts::Kind;
use crate::upgrade::node_disruption::of_pending;
use crate::upgrade::version::minor_parts;
use crate::upgrade::words::shell;
use crate::upgrade::{kubelet, words};

/// Certificates are renewed long before they end; one that is this near to its end was not.
const NEAR: TimeDelta = TimeDelta::days(30);

/// Lives a day after an installation and a month later on, and is renewed halfway (cluster-kube-controller-manager-operator,
/// `csr-signer`): its end is always near, and says nothing.
const SHORT_LIVED: &str = "kube-csr-signer";

fn hosted(ask: &Ask) -> bool {
    ask.now.topology == Topology::External && ask.now.pools.is_empty()
}

/// What taking up the pending changes of a pool does to its nodes.
fn pending_words(ask: &Ask, pool: &Pool) -> &'static str {
    match of_pending(ask.now, pool) {
        Some(_) => "its nodes are at another release and reboot",
        None if pool.outdated() => "pending changes reboot its nodes unless all of them are such that need less",
        None => "nothing is pending, so none of its nodes reboots",
    }
}

/// The answer when pools are not known; a hosted cluster has none.
fn without_pools(ask: &Ask, id: &'static str, title: &'static str) -> Option<Row> {
    if let Some(why) = ask.unread(&[Kind::MachineConfigPools, Kind::Nodes]) {
        return Some(Row::unknown(id, title, why, Kind::MachineConfigPools));
    }
    if ask.now.pools.is_empty() && !hosted(ask) {
        return Some(Row::unknown(id, title, "no pools were seen".to_owned(), Kind::MachineConfigPools));
    }
    None
}

fn about(pools: &[&Pool]) -> Vec<Resource> {
    pools.iter().map(|pool| Resource::pool(&pool.name)).collect()
}

pub(super) fn pools_updated(ask: &Ask) -> Option<Row> {
    let (id, title) = ("pools-updated", "All pools are updated and none is degraded");
    if hosted(ask) {
        return None;
    }
    if let Some(row) = without_pools(ask, id, title) {
        return Some(row);
    }
    let degraded: Vec<&Pool> =
        ask.now.pools.iter().filter(|pool| pool.degraded_message.is_some() || pool.degraded > 0).collect();
    let outdated: Vec<&Pool> = ask.now.pools.iter().filter(|pool| pool.outdated()).collect();
    let remedy = Remedy::look("Let them finish, or mend what is degraded.").oc("oc get machineconfigpools");
    if !degraded.is_empty() {
        let why = degraded.iter().map(|pool| {
            let message = pool.degraded_message.as_deref().map(words::first_line).unwrap_or_default();
            format!("pool {} is degraded: {message}", pool.name)
        });
        return Some(
            Row::new(id, title, Answer::Block, why.collect::<Vec<_>>().join("\n"))
                .about(about(&degraded))
                .rests_on(degraded.iter().map(|pool| evidence(format!("mcp/{}", pool.name), "Degraded", "True")))
                .remedied([remedy]),
        );
    }
    if !outdated.is_empty() {
        let rolling = outdated.iter().any(|pool| !pool.paused);
        let why = outdated.iter().map(|pool| {
            let how = if pool.paused { " (paused)" } else { "" };
            let total = words::count(pool.total, "node");
            format!("pool {}{how}: {} of {total} at its configuration", pool.name, pool.updated)
        });
        return Some(
            Row::new(id, title, if rolling { Answer::Block } else { Answer::Warn }, why.collect::<Vec<_>>().join("\n"))
                .about(about(&outdated))
                .rests_on(outdated.iter().map(|pool| {
                    evidence(
                        format!("mcp/{}", pool.name),
                        "spec.configuration.name",
                        pool.target.clone().unwrap_or_default(),
                    )
                }))
                .remedied([remedy]),
        );
    }
    let nodes: usize = ask.now.pools.iter().map(|pool| pool.total).sum();
    let why = format!(
        "{} of {} are at their configuration",
        words::count(nodes, "node"),
        words::count(ask.now.pools.len(), "pool")
    );
    Some(Row::new(id, title, Answer::Pass, why))
}

pub(super) fn pools_unpaused(ask: &Ask) -> Option<Row> {
    let (id, title) = ("pools-unpaused", "No pool is paused");
    if hosted(ask) {
        return None;
    }
    if let Some(row) = without_pools(ask, id, title) {
        return Some(row);
    }
    let paused: Vec<&Pool> = ask.now.pools.iter().filter(|pool| pool.paused).collect();
    if paused.is_empty() {
        return Some(Row::new(id, title, Answer::Pass, "none is"));
    }
    let control_plane = paused.iter().any(|pool| pool.control_plane);
    let why = paused.iter().map(|pool| {
        let by = pool.paused_by.as_ref().map(|(who, _)| format!(" by {who}")).unwrap_or_default();
        let then = if pool.control_plane { "the update cannot end" } else { "its nodes stay at the old release" };
        format!("pool {} is paused{by}: {then}", pool.name)
    });
    let unpause = paused.iter().map(|pool| {
        Remedy::change(
            Danger::M,
            format!(
                "Unpause {}, unless only the control plane is meant to be updated; {}.",
                pool.name,
                pending_words(ask, pool)
            ),
        )
        .oc(format!(
            "oc patch machineconfigpool {} --type=merge --patch '{{\"spec\":{{\"paused\":false}}}}'",
            shell(&pool.name)
        ))
    });
    Some(
        Row::new(
            id,
            title,
            if control_plane { Answer::Block } else { Answer::Warn },
            why.collect::<Vec<_>>().join("\n"),
        )
        .about(about(&paused))
        .rests_on(paused.iter().map(|pool| evidence(format!("mcp/{}", pool.name), "spec.paused", "true")))
        .remedied(unpause),
    )
}

pub(super) fn one_at_a_time(ask: &Ask) -> Option<Row> {
    let (id, title) = ("control-plane-one-at-a-time", "Control plane nodes are updated one at a time");
    if hosted(ask) {
        return None;
    }
    if let Some(row) = without_pools(ask, id, title) {
        return Some(row);
    }
    let several: Vec<&Pool> =
        ask.now.pools.iter().filter(|pool| pool.control_plane && pool.capacity.max_unavailable > 1).collect();
    if several.is_empty() {
        return Some(Row::new(id, title, Answer::Pass, "maxUnavailable of their pools is 1"));
    }
    let why = several.iter().map(|pool| {
        format!(
            "maxUnavailable of pool {} is {}: several control plane nodes may go down at once, and the quorum of etcd with them",
            pool.name, pool.capacity.max_unavailable_spec
        )
    });
    Some(
        Row::new(id, title, Answer::Block, why.collect::<Vec<_>>().join("\n"))
            .about(about(&several))
            .rests_on(several.iter().map(|pool| {
                evidence(
                    format!("mcp/{}", pool.name),
                    "spec.maxUnavailable",
                    pool.capacity.max_unavailable_spec.clone(),
                )
            }))
            .remedied(several.iter().map(|pool| {
                Remedy::change(Danger::L, format!("Set maxUnavailable of {} back to 1.", pool.name)).oc(format!(
                    "oc patch machineconfigpool {} --type=merge --patch '{{\"spec\":{{\"maxUnavailable\":1}}}}'",
                    shell(&pool.name)
                ))
            })),
    )
}

/// Why a node is not fit; none: it is.
fn unfit(ask: &Ask, node: &Node) -> Option<String> {
    if !node.ready {
        return Some("is not ready".to_owned());
    }
    if let Some(cordon) = &node.cordon {
        let by = cordon.manager.as_ref().map(|manager| format!(" by {manager}")).unwrap_or_default();
        return Some(format!("is cordoned{by}"));
    }
    let facts = &ask.now.facts.nodes;
    let at = facts.binary_search_by(|object| object.name().cmp(&node.name)).ok()?;
    let pressed = ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];
    let pressed = pressed.iter().find(|kind| facts[at].status.conditions.is_true(kind))?;
    Some(format!("has {pressed}"))
}

pub(super) fn nodes_ready(ask: &Ask) -> Option<Row> {
    let (id, title) = ("nodes-ready", "All nodes are ready and schedulable");
    if let Some(why) = ask.unread(&[Kind::Nodes]) {
        return Some(Row::unknown(id, title, why, Kind::Nodes));
    }
    if ask.now.nodes.is_empty() {
        return Some(Row::unknown(id, title, "no nodes were seen".to_owned(), Kind::Nodes));
    }
    let unfit: Vec<(&Node, String)> = ask.now.nodes.iter().filter_map(|node| Some((node, unfit(ask, node)?))).collect();
    if unfit.is_empty() {
        return Some(Row::new(id, title, Answer::Pass, format!("{} are", words::count(ask.now.nodes.len(), "node"))));
    }
    // Workers only take capacity from their pool; when none is left, or a control plane node is meant, nothing may begin.
    let pool_of = |node: &Node| node.pool.as_deref().and_then(|pool| ask.now.pool(pool));
    let full = |pool: &Pool| pool.total > 0 && pool.capacity.unavailable >= pool.capacity.max_unavailable;
    let blocks = unfit.iter().any(|(node, _)| pool_of(node).is_some_and(|pool| pool.control_plane || full(pool)));
    let why = unfit.iter().take(8).map(|(node, why)| match pool_of(node).filter(|pool| full(pool)) {
        Some(pool) => format!("{} {why}: pool {} has no capacity left", node.name, pool.name),
        None => format!("{} {why}", node.name),
    });
    let more = if unfit.len() > 8 { format!("\nand {} more", unfit.len() - 8) } else { String::new() };
    let remedies = unfit.iter().take(5).map(|(node, _)| match (node.ready, &node.cordon) {
        (true, Some(_)) => Remedy::change(Danger::L, format!("Uncordon {} if nobody works on it.", node.name))
            .oc(format!("oc adm uncordon {}", shell(&node.name))),
        _ => Remedy::look(format!("Look at {}.", node.name)).oc(format!("oc describe node {}", shell(&node.name))),
    });
    Some(
        Row::new(
            id,
            title,
            if blocks { Answer::Block } else { Answer::Warn },
            why.collect::<Vec<_>>().join("\n") + &more,
        )
        .about(unfit.iter().map(|(node, _)| Resource::node(&node.name)))
        .rests_on(unfit.iter().map(|(node, why)| evidence(format!("node/{}", node.name), "state", why.clone())))
        .remedied(remedies),
    )
}

/// How many minors a kubelet may be behind: two at even minors of OpenShift 4, so that control-plane-only updates work,
/// one at odd ones (cluster-kube-apiserver-operator, pkg/operator/kubeletversionskewcontroller).
fn allowed_skew(openshift_minor: u64) -> u64 {
    if openshift_minor.is_multiple_of(2) { 2 } else { 1 }
}

pub(super) fn kubelet_skew(ask: &Ask) -> Option<Row> {
    let (id, title) = ("kubelet-skew", "Kubelets are not too old for the target");
    if let Some(why) = ask.unread(&[Kind::Nodes]) {
        return Some(Row::unknown(id, title, why, Kind::Nodes));
    }
    let minor = minor_parts(ask.target.unwrap_or(&ask.updates.current)).map(|(_, minor)| minor);
    let Some((minor, kubernetes)) = minor.zip(ask.kubernetes()) else {
        return Some(Row::untold(id, title, "which Kubernetes the target brings is not known"));
    };
    let allowed = allowed_skew(minor);
    let behind = |node: &Node| kubelet::of(node).map(|version| kubernetes.saturating_sub(version.minor));
    let old: Vec<&Node> =
        ask.now.nodes.iter().filter(|node| behind(node).is_some_and(|behind| behind > allowed)).collect();
    let silent = ask.now.nodes.iter().filter(|node| behind(node).is_none()).count();
    if old.is_empty() {
        return Some(if silent > 0 {
            Row::new(
                id,
                title,
                Answer::Unknown,
                format!("which kubelet {} run is not told", words::count(silent, "node")),
            )
        } else {
            let why = format!(
                "none is more than {} behind Kubernetes 1.{kubernetes}",
                words::count(allowed as usize, "minor")
            );
            Row::new(id, title, Answer::Pass, why)
        });
    }
    let version = |node: &Node| node.kubelet.clone().unwrap_or_default();
    let why = format!(
        "the target brings Kubernetes 1.{kubernetes}, and a kubelet may be {} behind: {}",
        words::count(allowed as usize, "minor"),
        words::some_of(
            old.iter()
                .map(|node| format!("{} runs {}", node.name, version(node)))
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str),
            5
        )
    );
    Some(
        Row::new(id, title, Answer::Block, why)
            .about(old.iter().map(|node| Resource::node(&node.name)))
            .rests_on(
                old.iter().map(|node| {
                    evidence(format!("node/{}", node.name), "status.nodeInfo.kubeletVersion", version(node))
                }),
            )
            .remedied([
                Remedy::look("Finish their pools first: unpause what is paused.").oc("oc get machineconfigpools,nodes")
            ]),
    )
}

/// Nodes that the machine-config operator does not bring to the release.
pub(super) fn other_systems(ask: &Ask) -> Option<Row> {
    let (id, title) = ("other-systems", "All nodes are updated by the cluster itself");
    if let Some(why) = ask.unread(&[Kind::Nodes]) {
        return Some(Row::unknown(id, title, why, Kind::Nodes));
    }
    let facts = &ask.now.facts.nodes;
    let windows: Vec<&str> =
        facts.iter().filter(|node| node.label("kubernetes.io/os") == Some("windows")).map(|node| node.name()).collect();
    let outside = |why: Outside| {
        ask.now.nodes.iter().filter(move |node| node.outside == Some(why)).map(|node| node.name.as_str())
    };
    let (rhel, own): (Vec<&str>, Vec<&str>) =
        (outside(Outside::Rhel).collect(), outside(Outside::OverriddenImage).collect());
    let unmanaged = ask.now.nodes.iter().filter(|node| {
        node.phase == NodePhase::Unmanaged && !windows.contains(&node.name.as_str()) && !ask.now.pools.is_empty()
    });
    let unmanaged: Vec<&str> = unmanaged.map(|node| node.name.as_str()).collect();
    let kinds = [
        (&rhel, "run RHEL: their packages are updated by a playbook, after the cluster"),
        (&own, "run an OS image of their own: it is not updated with the release"),
        (&windows, "run Windows: their own operator updates them"),
        (&unmanaged, "are in no pool, or in several: nothing updates them"),
    ];
    let why: Vec<String> = kinds
        .iter()
        .filter(|(names, _)| !names.is_empty())
        .map(|(names, what)| {
            format!("{} ({}) {what}", words::count(names.len(), "node"), words::some_of(names.iter().copied(), 3))
        })
        .collect();
    if why.is_empty() {
        return Some(Row::new(
            id,
            title,
            Answer::Pass,
            "no RHEL, Windows or unmanaged nodes and no OS images of their own",
        ));
    }
    let all = rhel.iter().chain(&own).chain(&windows).chain(&unmanaged);
    Some(
        Row::new(id, title, Answer::Warn, why.join("\n"))
            .about(all.clone().map(|name| Resource::node(name)))
            .rests_on(all.map(|name| {
                let system =
                    facts.iter().find(|node| node.name() == *name).map(|node| node.status.node_info.os_image.clone());
                evidence(format!("node/{name}"), "status.nodeInfo.osImage", system.unwrap_or_default())
            }))
            .remedied([Remedy::look("Plan their update apart from the cluster's.").oc("oc get nodes -o wide")]),
    )
}

pub(super) fn certificates(ask: &Ask) -> Option<Row> {
    let (id, title) = ("certificates", "No certificate of the nodes runs out soon");
    let pools = ask.now.facts.pools.iter().flat_map(|pool| {
        pool.status
            .cert_expirys
            .iter()
            .map(|one| (format!("mcp/{}", pool.name()), one.bundle.clone(), one.subject.clone(), one.expiry))
    });
    let configs = ask.now.facts.around.controller_configs.iter().flat_map(|config| {
        config.status.certificates.iter().map(|one| {
            (format!("controllerconfig/{}", config.name()), one.bundle.clone(), one.subject.clone(), one.expires)
        })
    });
    let all: Vec<_> = pools
        .chain(configs)
        .filter(|(_, _, subject, _)| !subject.contains(SHORT_LIVED))
        .filter_map(|(object, bundle, subject, at)| Some((at?, object, bundle, subject)))
        .collect();
    if all.is_empty() {
        if hosted(ask) {
            return None;
        }
        let unread = ask.unread(&[Kind::MachineConfigPools, Kind::ControllerConfigs]);
        let why = unread.unwrap_or_else(|| "this release does not say when they run out".to_owned());
        return Some(Row::unknown(id, title, why, Kind::ControllerConfigs));
    }
    let mut near: Vec<_> = all.iter().filter(|(at, ..)| *at - ask.now.now < NEAR).collect();
    near.sort();
    near.dedup_by(|a, b| (&a.0, &a.2, &a.3) == (&b.0, &b.2, &b.3));
    let first = all.iter().map(|(at, ..)| *at).min().unwrap_or(ask.now.now);
    if near.is_empty() {
        let why = format!(
            "the first of {} ends in {}",
            words::count(all.len(), "certificate"),
            words::span(first - ask.now.now)
        );
        return Some(Row::new(id, title, Answer::Pass, why));
    }
    let over = first <= ask.now.now;
    let why = near.iter().take(5).map(|(at, _, bundle, subject)| {
        let when = if *at <= ask.now.now {
            format!("ended {} ago", words::span(ask.now.now - *at))
        } else {
            format!("ends in {}", words::span(*at - ask.now.now))
        };
        format!("{subject} of {bundle} {when}")
    });
    let evidence_of = |(at, object, bundle, _): &&(_, String, String, String)| Evidence {
        at: Some(*at),
        ..evidence(object.clone(), &format!("certExpirys[{bundle}]"), "near its end")
    };
    Some(
        Row::new(id, title, if over { Answer::Block } else { Answer::Warn }, why.collect::<Vec<_>>().join("\n"))
            .rests_on(near.iter().map(evidence_of))
            .remedied([
                Remedy::look("See whether the operators renew them by themselves; a paused pool does not get what is renewed.")
                    .oc("oc get machineconfigpools -o jsonpath='{range .items[*]}{.metadata.name}{\" \"}{.status.certExpirys}{\"\\n\"}{end}'"),
            ]),
    )
}
