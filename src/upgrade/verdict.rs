//! The verdict: one word for where the update stands, one sentence why, and what it rests on.
//!
//! The first judge that has something to say wins; the order is how much it matters to the person at the keyboard.

use chrono::{DateTime, TimeDelta, Utc};

use super::assessment::{Assessment, Evidence, NodePhase, Pool, Verdict, VerdictKind, age};
use super::checks::operator_slow;
use super::drain::THRESHOLD;
use super::facts::{Kind, KindStatus};
use super::memory::Memory;
use super::{progress, words};
use crate::api::{Condition, Conditions as _, Tri};

/// How long a finished update is called completed rather than "not updating".
const COMPLETED_FOR: TimeDelta = TimeDelta::hours(1);

/// How long nothing may move although something should.
pub const STALL: TimeDelta = TimeDelta::minutes(5);

/// Which verdict may follow which, beside each following itself: what an update that is told consistently does. A session
/// may begin with any. Hysteresis keeps `Failing`, `Slow` and `Stalled` from flapping.
pub const TRANSITIONS: &[(VerdictKind, &[VerdictKind])] = {
    use VerdictKind::{
        Completed, ConfigRollout, Failing, NeedsPerson, NotUpdating, Requested, Slow, Stalled, Unknown,
        UpdatingControlPlane, UpdatingPools,
    };
    &[
        (
            Unknown,
            &[
                NotUpdating,
                Requested,
                UpdatingControlPlane,
                UpdatingPools,
                ConfigRollout,
                NeedsPerson,
                Slow,
                Stalled,
                Failing,
                Completed,
            ],
        ),
        (NotUpdating, &[Unknown, Requested, UpdatingControlPlane, ConfigRollout, NeedsPerson, Failing]),
        (
            Requested,
            &[Unknown, NotUpdating, UpdatingControlPlane, UpdatingPools, ConfigRollout, NeedsPerson, Stalled, Failing],
        ),
        (UpdatingControlPlane, &[Unknown, Requested, UpdatingPools, NeedsPerson, Slow, Stalled, Failing, Completed]),
        (
            UpdatingPools,
            &[Unknown, Requested, UpdatingControlPlane, ConfigRollout, NeedsPerson, Stalled, Failing, Completed],
        ),
        (
            ConfigRollout,
            &[Unknown, NotUpdating, Requested, UpdatingControlPlane, NeedsPerson, Stalled, Failing, Completed],
        ),
        (
            NeedsPerson,
            &[
                Unknown,
                NotUpdating,
                Requested,
                UpdatingControlPlane,
                UpdatingPools,
                ConfigRollout,
                Slow,
                Stalled,
                Failing,
                Completed,
            ],
        ),
        (Slow, &[Unknown, Requested, UpdatingControlPlane, UpdatingPools, NeedsPerson, Stalled, Failing, Completed]),
        (
            Stalled,
            &[
                Unknown,
                NotUpdating,
                Requested,
                UpdatingControlPlane,
                UpdatingPools,
                ConfigRollout,
                NeedsPerson,
                Slow,
                Failing,
                Completed,
            ],
        ),
        (
            Failing,
            &[
                Unknown,
                NotUpdating,
                Requested,
                UpdatingControlPlane,
                UpdatingPools,
                ConfigRollout,
                NeedsPerson,
                Slow,
                Stalled,
                Completed,
            ],
        ),
        (
            Completed,
            &[
                Unknown,
                NotUpdating,
                Requested,
                UpdatingControlPlane,
                UpdatingPools,
                ConfigRollout,
                NeedsPerson,
                Failing,
            ],
        ),
    ]
};

/// The verdict on all that is known.
pub fn verdict(assessment: &Assessment, memory: &Memory) -> Verdict {
    let judges =
        [unknown, failing, refused, drain_blocked, stalled, slow, requested, control_plane, pools, paused, finished];
    let mut verdict = judges.iter().find_map(|judge| judge(assessment, memory)).unwrap_or_else(|| Verdict {
        kind: VerdictKind::NotUpdating,
        why: match &assessment.update.to {
            Some(version) => format!("the cluster is at {version} and nothing rolls"),
            None => "nothing rolls".to_owned(),
        },
        since: assessment.update.completed,
        evidence: Vec::new(),
    });
    if verdict.since.is_none() {
        let before = memory.settled(&assessment.facts).map(|last| &last.verdict);
        verdict.since = before.filter(|before| before.kind == verdict.kind).and_then(|before| before.since);
    }
    verdict
}

fn condition<'a>(assessment: &'a Assessment, kind: &str) -> Option<&'a Condition> {
    assessment.facts.cluster_version.as_ref()?.status.conditions.condition(kind)
}

/// A condition of the ClusterVersion as evidence.
pub fn version_evidence(condition: &Condition) -> Evidence {
    Evidence {
        object: "clusterversion/version".to_owned(),
        field: condition.kind.clone(),
        value: match condition.reason.as_str() {
            "" => condition.status.word().to_owned(),
            reason => format!("{} ({reason})", condition.status.word()),
        },
        at: condition.since,
    }
}

fn unknown(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    if assessment.facts.cluster_version.is_some() {
        return None;
    }
    let why = match (assessment.openshift, assessment.facts.status(Kind::ClusterVersions)) {
        (_, KindStatus::Waiting) => "the cluster has not been read yet".to_owned(),
        (Some(false), _) => "this is not an OpenShift cluster: it has no ClusterVersion".to_owned(),
        (_, KindStatus::Forbidden(trouble) | KindStatus::Failing(trouble)) => {
            format!("the ClusterVersion cannot be read: {}", trouble.words)
        }
        _ => "there is no ClusterVersion named version".to_owned(),
    };
    Some(Verdict { kind: VerdictKind::Unknown, why, since: None, evidence: Vec::new() })
}

fn failing(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let failing = condition(assessment, "Failing").filter(|failing| failing.status == Tri::True)?;
    Some(Verdict {
        kind: VerdictKind::Failing,
        why: format!("the cluster-version operator fails: {}", told(failing)),
        since: failing.since,
        evidence: vec![version_evidence(failing)],
    })
}

fn told(condition: &Condition) -> String {
    match (condition.reason.as_str(), words::first_line(&condition.message)) {
        ("", "") => "it gives no reason".to_owned(),
        (reason, "") => reason.to_owned(),
        (_, message) => message.to_owned(),
    }
}

/// A request that was refused for good: only a person can change it, its gate or its preconditions.
fn refused(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let requested = assessment.update.requested.as_ref().filter(|requested| requested.refused)?;
    let field = if condition(assessment, "Invalid").is_some_and(|invalid| invalid.status == Tri::True) {
        "Invalid"
    } else {
        "ReleaseAccepted"
    };
    Some(Verdict {
        kind: VerdictKind::NeedsPerson,
        why: format!(
            "the update to {} was refused ({}): {}",
            requested.target,
            requested.step,
            words::first_line(&requested.message)
        ),
        since: requested.since,
        evidence: condition(assessment, field).map(version_evidence).into_iter().collect(),
    })
}

fn drain_blocked(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let blocked = assessment.nodes.iter().filter_map(|node| {
        let trouble = node.drain_trouble.as_ref()?;
        let since = trouble.since?;
        (age(since, assessment.now) >= THRESHOLD || node.phase == NodePhase::Degraded).then_some((since, node, trouble))
    });
    let (since, node, trouble) = blocked.min_by_key(|(since, node, _)| (*since, node.name.as_str()))?;
    let pods = match trouble.pods.len() {
        0 => String::new(),
        _ => format!(": {}", words::some_of(trouble.pods.iter().map(String::as_str), 2)),
    };
    Some(Verdict {
        kind: VerdictKind::NeedsPerson,
        why: format!("the drain of {} has been blocked for {}{pods}", node.name, words::span(assessment.now - since)),
        since: Some(since),
        evidence: vec![Evidence {
            object: format!("node/{}", node.name),
            field: "drain".to_owned(),
            value: trouble.error.clone(),
            at: Some(since),
        }],
    })
}

/// The name of the pool that stands still although it should not, and since when.
pub fn standing_pool<'a>(assessment: &'a Assessment, memory: &Memory) -> Option<(&'a Pool, DateTime<Utc>)> {
    let should_move = |pool: &&Pool| {
        pool.waiting > 0 && !pool.paused && pool.moving == 0 && pool.target.is_some() && rendered(assessment, pool)
    };
    assessment.pools.iter().filter(should_move).find_map(|pool| {
        let cordoned = assessment
            .nodes_of(&pool.name)
            .filter(|node| node.unavailable || node.phase == NodePhase::Degraded)
            .filter_map(|node| node.since.max(node.cordon.as_ref().and_then(|cordon| cordon.since)))
            .max();
        let since = pool.rolling_since.max(cordoned).max(memory.moved(assessment))?;
        (age(since, assessment.now) >= STALL).then_some((pool, since))
    })
}

/// The pool's configuration is the one that the update ends with.
pub fn rendered(assessment: &Assessment, pool: &Pool) -> bool {
    pool.target_version.is_none() || pool.target_version == assessment.update.to
}

fn stalled(assessment: &Assessment, memory: &Memory) -> Option<Verdict> {
    if assessment.pools.iter().any(|pool| pool.moving > 0) {
        return None;
    }
    let busy = |name: &str, progressing: bool| progressing && name != "machine-config";
    let payload_moves = assessment.update.in_progress
        && assessment.operators.rows.iter().any(|row| row.platform && !row.updated && busy(&row.name, row.progressing));
    if payload_moves {
        return None;
    }
    let (pool, since) = standing_pool(assessment, memory)?;
    let reason = match pool.capacity.why_none.as_str() {
        "" => "the machine-config controller takes no node although it could",
        reason => reason,
    };
    Some(Verdict {
        kind: VerdictKind::Stalled,
        why: format!("pool {} stands still, {} to come: {reason}", pool.name, words::count(pool.waiting, "node")),
        since: Some(since),
        evidence: vec![Evidence {
            object: format!("mcp/{}", pool.name),
            field: "spec.maxUnavailable".to_owned(),
            value: format!("{}, unavailable {}", pool.capacity.max_unavailable_spec, pool.capacity.unavailable),
            at: None,
        }],
    })
}

fn slow(assessment: &Assessment, memory: &Memory) -> Option<Verdict> {
    if !assessment.update.in_progress {
        return None;
    }
    let failing = condition(assessment, "Failing");
    if let Some(slow) = failing.filter(|failing| failing.status == Tri::Unknown && failing.reason.contains("Slow")) {
        return Some(Verdict {
            kind: VerdictKind::Slow,
            why: format!("the cluster-version operator: {}", told(slow)),
            since: slow.since,
            evidence: vec![version_evidence(slow)],
        });
    }
    let (name, since, limit) = operator_slow::slowest(assessment, memory)?;
    Some(Verdict {
        kind: VerdictKind::Slow,
        why: format!(
            "{name} has been updating for {}, longer than the {} it should take",
            words::span(assessment.now - since),
            words::span(limit)
        ),
        since: Some(since + limit),
        evidence: vec![Evidence {
            object: format!("clusteroperator/{name}"),
            field: "Progressing".to_owned(),
            value: "True".to_owned(),
            at: Some(since),
        }],
    })
}

fn requested(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let requested = assessment.update.requested.as_ref()?;
    let step = match requested.step.as_str() {
        "" => String::new(),
        step => format!(" ({step})"),
    };
    Some(Verdict {
        kind: VerdictKind::Requested,
        why: format!("the update to {} is being checked{step}", requested.target),
        since: requested.since,
        evidence: condition(assessment, "ReleaseAccepted").map(version_evidence).into_iter().collect(),
    })
}

fn control_plane(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let update = &assessment.update;
    if !update.in_progress {
        return None;
    }
    let waiting = match update.waiting_on.len() {
        0 => String::new(),
        _ => format!(", waiting on {}", words::some_of(update.waiting_on.iter().map(String::as_str), 3)),
    };
    let master_paused = assessment.pools.iter().find(|pool| pool.control_plane && pool.paused && pool.outdated());
    let operators = &assessment.operators;
    let all_but_pool = operators.total > 0 && operators.total - operators.updated <= 1;
    if let Some(pool) = master_paused.filter(|_| all_but_pool) {
        return Some(Verdict {
            kind: VerdictKind::NeedsPerson,
            why: format!("pool {} is paused: the update cannot end until it is unpaused", pool.name),
            since: pool.paused_by.as_ref().and_then(|(_, at)| *at),
            evidence: vec![paused_evidence(pool)],
        });
    }
    Some(Verdict {
        kind: VerdictKind::UpdatingControlPlane,
        why: format!(
            "{} of {} operators at {}{waiting}",
            operators.updated,
            operators.total,
            update.to.as_deref().unwrap_or("the target")
        ),
        since: update.started,
        evidence: condition(assessment, "Progressing").map(version_evidence).into_iter().collect(),
    })
}

fn paused_evidence(pool: &Pool) -> Evidence {
    Evidence {
        object: format!("mcp/{}", pool.name),
        field: "spec.paused".to_owned(),
        value: "true".to_owned(),
        at: pool.paused_by.as_ref().and_then(|(_, at)| *at),
    }
}

/// Pools roll: to the cluster's version, or merely to another configuration.
fn pools(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let rolling: Vec<&Pool> =
        assessment.pools.iter().filter(|pool| pool.outdated() && (!pool.paused || pool.moving > 0)).collect();
    let first = rolling.first()?;
    let nodes: usize = rolling.iter().map(|pool| pool.total - pool.updated).sum();
    let names = words::some_of(rolling.iter().map(|pool| pool.name.as_str()), 3);
    let kind =
        if progress::release_differs(assessment) { VerdictKind::UpdatingPools } else { VerdictKind::ConfigRollout };
    let pool_word = if rolling.len() == 1 { "pool" } else { "pools" };
    Some(Verdict {
        kind,
        why: format!("{pool_word} {names}: {} to come", words::count(nodes, "node")),
        since: rolling.iter().filter_map(|pool| pool.rolling_since).min(),
        evidence: vec![Evidence {
            object: format!("mcp/{}", first.name),
            field: "spec.configuration.name".to_owned(),
            value: first.target.clone().unwrap_or_default(),
            at: first.rolling_since,
        }],
    })
}

/// All that is left is paused: nothing will ever happen without a person.
fn paused(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let pool = assessment.pools.iter().find(|pool| pool.paused && pool.outdated())?;
    let by = pool.paused_by.as_ref().map(|(manager, _)| format!(" by {manager}")).unwrap_or_default();
    let to_come = words::count(pool.total - pool.updated, "node");
    Some(Verdict {
        kind: VerdictKind::NeedsPerson,
        why: format!("pool {} is paused{by}, {to_come} to come", pool.name),
        since: pool.paused_by.as_ref().and_then(|(_, at)| *at),
        evidence: vec![paused_evidence(pool)],
    })
}

fn finished(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let completed = assessment.update.completed?;
    let reached = assessment.facts.pools.iter().filter_map(|pool| {
        let updated = pool.status.conditions.condition("Updated")?;
        updated.since.filter(|_| updated.status == Tri::True)
    });
    let at = reached.max().map_or(completed, |reached| reached.max(completed));
    let from = assessment.update.from.as_ref()?;
    (age(at, assessment.now) <= COMPLETED_FOR).then(|| Verdict {
        kind: VerdictKind::Completed,
        why: format!("the cluster went from {from} to {}", assessment.update.to.as_deref().unwrap_or("the target")),
        since: Some(at),
        evidence: vec![Evidence {
            object: "clusterversion/version".to_owned(),
            field: "status.history[0].completionTime".to_owned(),
            value: "Completed".to_owned(),
            at: Some(completed),
        }],
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::upgrade::facts::Facts;
    use crate::upgrade::link::{Trouble, TroubleKind};
    use crate::upgrade::specimen::{NEW, Specimen, at, condition, rendered};
    use serde_json::json;
    use std::sync::Arc;

    fn told(cluster: &Specimen, minute: i64) -> (VerdictKind, String, Option<DateTime<Utc>>) {
        let verdict = cluster.assess(minute).verdict;
        (verdict.kind, verdict.why, verdict.since)
    }

    #[test]
    fn the_quiet_way_through_an_update() {
        let mut requested = Specimen::idle();
        requested.version["spec"]["desiredUpdate"] = json!({"version": NEW});
        requested.says("ReleaseAccepted", "Unknown", "RetrievePayload", "Retrieving", -1);
        let table = [
            (Specimen::idle(), 0, VerdictKind::NotUpdating, Some(-9000)),
            (requested, 0, VerdictKind::Requested, Some(-1)),
            (Specimen::updating(), 5, VerdictKind::UpdatingControlPlane, Some(0)),
            (Specimen::rolling(), 32, VerdictKind::UpdatingControlPlane, Some(0)),
            (Specimen::workers_left(), 62, VerdictKind::UpdatingPools, Some(30)),
            (Specimen::finished(), 100, VerdictKind::Completed, Some(90)),
            (Specimen::finished(), 151, VerdictKind::NotUpdating, Some(60)),
        ];
        for (cluster, minute, kind, since) in table {
            let (told, why, at_minute) = told(&cluster, minute);
            assert_eq!((told, at_minute), (kind, since.map(at)), "at minute {minute}: {why}");
            assert!(!why.is_empty());
        }
    }

    #[test]
    fn failing_is_what_the_operator_says() {
        let mut cluster = Specimen::rolling();
        cluster.says("Failing", "True", "ClusterOperatorDegraded", "Cluster operator etcd is degraded", 20);
        let (kind, why, since) = told(&cluster, 40);
        assert_eq!((kind, since), (VerdictKind::Failing, Some(at(20))));
        assert_eq!(why, "the cluster-version operator fails: Cluster operator etcd is degraded");
    }

    #[test]
    fn a_gate_that_refuses_a_request_needs_a_person() {
        let mut cluster = Specimen::idle();
        cluster.version["spec"]["desiredUpdate"] = json!({"version": NEW});
        cluster.says(
            "ReleaseAccepted",
            "False",
            "PreconditionChecks",
            "Precondition \"ClusterVersionUpgradeable\" failed",
            3,
        );
        let (kind, why, since) = told(&cluster, 5);
        assert_eq!((kind, since), (VerdictKind::NeedsPerson, Some(at(3))));
        assert!(why.contains("ClusterVersionUpgradeable"), "{why}");
    }

    #[test]
    fn a_drain_that_fails_needs_a_person_after_ten_minutes() {
        let error = "Error: Node Drain has not succeeded. Error is: [error when evicting pods/\"cart-0\" -n \"shop\": global timeout reached: 1m30s]";
        let mut cluster = Specimen::workers_left();
        cluster.drains("worker-0", "worker", 61);
        cluster.steps(
            "worker-0",
            vec![
                condition("Updated", "False", "", "", 60),
                condition("UpdatePrepared", "True", "", "", 60),
                condition("Cordoned", "True", "", "", 61),
                condition("Drained", "Unknown", "", error, 64),
            ],
        );
        assert_eq!(told(&cluster, 70).0, VerdictKind::UpdatingPools, "it may still succeed");
        let (kind, why, since) = told(&cluster, 71);
        assert_eq!((kind, since), (VerdictKind::NeedsPerson, Some(at(61))));
        assert_eq!(why, "the drain of worker-0 has been blocked for 10m: shop/cart-0");
    }

    #[test]
    fn a_drain_without_a_machine_config_node_is_timed_all_the_same() {
        let mut cluster = Specimen::workers_left();
        cluster.drains("worker-0", "worker", 61);
        assert_eq!(told(&cluster, 70).0, VerdictKind::UpdatingPools);
        assert_eq!(told(&cluster, 72).0, VerdictKind::NeedsPerson);
    }

    #[test]
    fn cordons_that_use_the_capacity_up_are_a_stall() {
        let mut cluster = Specimen::workers_left();
        cluster.cordon("worker-0", "kubectl-cordon", 50);
        let (kind, why, _) = told(&cluster, 65);
        assert_eq!(kind, VerdictKind::Stalled);
        assert_eq!(why, "pool worker stands still, 3 nodes to come: no capacity: cordoned worker-0");

        cluster.cordon("worker-0", "kubectl-cordon", 62);
        assert_eq!(told(&cluster, 65).0, VerdictKind::UpdatingPools, "somebody may be about to lift it");
    }

    #[test]
    fn a_controller_that_takes_nobody_is_a_stall() {
        let cluster = Specimen::workers_left();
        let mut memory = Memory::default();
        assert_eq!(cluster.watched(&mut memory, 61).verdict.kind, VerdictKind::UpdatingPools);
        assert_eq!(cluster.watched(&mut memory, 64).verdict.kind, VerdictKind::UpdatingPools);
        let stalled = &cluster.watched(&mut memory, 66).verdict;
        assert_eq!(stalled.kind, VerdictKind::Stalled, "{}", stalled.why);
        assert!(stalled.why.contains("takes no node although it could"), "{}", stalled.why);
    }

    #[test]
    fn nothing_is_stalled_while_anything_moves() {
        let mut cluster = Specimen::workers_left();
        cluster.cordon("worker-0", "kubectl-cordon", 20);
        cluster.pool("worker")["spec"]["maxUnavailable"] = json!(2);
        cluster.drains("worker-1", "worker", 62);
        assert_eq!(told(&cluster, 70).0, VerdictKind::UpdatingPools);
    }

    #[test]
    fn slow_is_what_the_operator_says_or_what_the_own_clock_says() {
        let mut cluster = Specimen::updating();
        cluster.operator("etcd")["status"]["conditions"][1] = condition("Progressing", "True", "NodeInstaller", "", 1);
        assert_eq!(told(&cluster, 31).0, VerdictKind::UpdatingControlPlane, "30 minutes are allowed");
        let (kind, why, since) = told(&cluster, 33);
        assert_eq!((kind, since), (VerdictKind::Slow, Some(at(31))));
        assert!(why.starts_with("etcd has been updating for 32m"), "{why}");

        let mut told_so = Specimen::updating();
        told_so.says(
            "Failing",
            "Unknown",
            "SlowClusterOperator",
            "waiting on etcd over 30 minutes which is longer than expected",
            30,
        );
        assert_eq!(told(&told_so, 31).0, VerdictKind::Slow);
    }

    #[test]
    fn machine_config_is_allowed_ninety_minutes() {
        let mut cluster = Specimen::rolling();
        cluster.drains("master-0", "master", 110);
        assert_eq!(told(&cluster, 117).0, VerdictKind::UpdatingControlPlane);
        assert_eq!(told(&cluster, 119).0, VerdictKind::Slow);
    }

    #[test]
    fn a_paused_pool_needs_a_person_when_it_is_all_that_is_left() {
        let mut cluster = Specimen::workers_left();
        cluster.pool("worker")["spec"]["paused"] = json!(true);
        cluster.pool("worker")["metadata"]["managedFields"] = json!([
            {"manager": "oc-patch", "operation": "Update", "time": crate::upgrade::specimen::stamp(-120), "fieldsV1": {"f:spec": {"f:paused": {}}}},
        ]);
        let (kind, why, since) = told(&cluster, 70);
        assert_eq!((kind, since), (VerdictKind::NeedsPerson, Some(at(-120))));
        assert_eq!(why, "pool worker is paused by oc-patch, 3 nodes to come");

        let mut earlier = Specimen::updating();
        earlier.pool("worker")["spec"]["paused"] = json!(true);
        assert_eq!(
            told(&earlier, 5).0,
            VerdictKind::UpdatingControlPlane,
            "meant so, as long as the control plane updates"
        );
    }

    #[test]
    fn a_paused_master_pool_holds_the_update_up() {
        let mut cluster = Specimen::rolling();
        cluster.pool("master")["spec"]["paused"] = json!(true);
        cluster.drains("worker-0", "worker", 35);
        let (kind, why, _) = told(&cluster, 36);
        assert_eq!(kind, VerdictKind::NeedsPerson);
        assert!(why.contains("cannot end"), "{why}");
    }

    #[test]
    fn another_configuration_of_the_same_release_is_no_update() {
        let mut cluster = Specimen::finished();
        cluster.pool("worker")["spec"]["configuration"]["name"] = json!("rendered-worker-more");
        cluster.pool("worker")["status"]["conditions"] = json!([condition("Updating", "True", "", "", 200)]);
        cluster.mark("worker-0", &[("desiredConfig", "rendered-worker-more"), ("state", "Working")]);
        let assessment = cluster.assess(202);
        assert_eq!(assessment.verdict.kind, VerdictKind::ConfigRollout, "{}", assessment.verdict.why);
        assert_eq!(assessment.verdict.since, Some(at(200)));
        assert_eq!(assessment.progress, Some(0), "of the pool that rolls");
        assert_eq!(rendered("worker", NEW), assessment.node("worker-1").unwrap().current_config.clone().unwrap());
    }

    #[test]
    fn what_is_not_known_is_said_so() {
        let now = at(0);
        let judged = |facts: Facts| crate::upgrade::assess::assess(Arc::new(facts), &Memory::default(), now);
        assert_eq!(judged(Facts::nothing(now)).verdict.why, "the cluster has not been read yet");

        let mut plain = Facts::nothing(now);
        plain.kinds.entry(Kind::ClusterVersions).or_default().status = KindStatus::Absent;
        let plain = judged(plain);
        assert_eq!((plain.openshift, plain.verdict.kind), (Some(false), VerdictKind::Unknown));
        assert!(plain.verdict.why.contains("not an OpenShift cluster"));

        let mut refused = Facts::nothing(now);
        let words = "you may not list clusterversions".to_owned();
        let trouble = Trouble { kind: TroubleKind::Forbidden, words, hint: String::new(), since: now };
        refused.kinds.entry(Kind::ClusterVersions).or_default().status = KindStatus::Forbidden(trouble);
        let refused = judged(refused);
        assert_eq!(refused.openshift, None);
        assert!(refused.verdict.why.contains("you may not list"), "{}", refused.verdict.why);
    }
}
