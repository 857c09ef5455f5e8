//! Does the control plane feel well enough to be updated?

use super::{Answer, Ask, Row, evidence};
use crate::api::{Conditions as _, Tri};
use crate::upgrade::assessment::{OperatorRow, Remedy, Resource, Topology};
use crate::upgrade::danger::Danger;
use crate::upgrade::facts::Kind;
use crate::upgrade::updates::{speaks_against_update, unread_alerts};
use crate::upgrade::verdict::version_evidence;
use crate::upgrade::version::minor_parts;
use crate::upgrade::words;

pub(super) fn no_update_running(ask: &Ask) -> Option<Row> {
    let (id, title) = ("no-update-running", "No update is in progress");
    let update = &ask.now.update;
    let to = update.to.as_deref().unwrap_or("another release");
    let history = ask.now.facts.cluster_version.as_deref().map_or(&[][..], |version| &version.status.history);
    Some(if history.is_empty() && update.requested.is_none() {
        let look = Remedy::look("Look at its history.").oc("oc get clusterversion version -o yaml");
        Row::new(id, title, Answer::Unknown, "the ClusterVersion has no history")
            .about([Resource::version()])
            .remedied([look])
    } else if update.in_progress {
        Row::new(
            id,
            title,
            Answer::Block,
            format!("the update to {to} is in progress: {}", words::first_line(&update.message)),
        )
        .about([Resource::version()])
        .rests_on([evidence("clusterversion/version", "status.history[0].state", "Partial")])
        .remedied([Remedy::look("Let it end first.").oc("oc-cockpit status")])
    } else if let Some(requested) = &update.requested {
        let step = if requested.step.is_empty() { String::new() } else { format!(" ({})", requested.step) };
        Row::new(
            id,
            title,
            if requested.refused { Answer::Block } else { Answer::Warn },
            format!(
                "{} is requested and not accepted{step}: {}",
                requested.target,
                words::first_line(&requested.message)
            ),
        )
        .about([Resource::version()])
        .rests_on([evidence("clusterversion/version", "spec.desiredUpdate", requested.target.clone())])
        .remedied([Remedy::change(Danger::L, "Withdraw it if it is not what is wanted.").oc("oc adm upgrade --clear")])
    } else {
        Row::new(id, title, Answer::Pass, format!("the cluster is at {to}")).rests_on([evidence(
            "clusterversion/version",
            "status.history[0].state",
            "Completed",
        )])
    })
}

pub(super) fn cluster_version(ask: &Ask) -> Option<Row> {
    let (id, title) = ("cluster-version", "The cluster-version operator is content");
    let version = ask.now.facts.cluster_version.as_deref()?;
    let conditions = &version.status.conditions;
    let is = |kind: &str, status: Tri| conditions.condition(kind).filter(|condition| condition.status == status);
    let trouble = [
        (is("Invalid", Tri::True), Answer::Block, "its spec is invalid"),
        (is("Failing", Tri::True), Answer::Block, "it fails"),
        (is("Failing", Tri::Unknown), Answer::Warn, "it may be failing"),
    ];
    for (condition, answer, words) in trouble {
        if let Some(condition) = condition {
            let why = match words::first_line(&condition.message) {
                "" => condition.reason.as_str(),
                message => message,
            };
            return Some(
                Row::new(id, title, answer, format!("{words}: {why}"))
                    .about([Resource::version()])
                    .rests_on([version_evidence(condition)])
                    .remedied([Remedy::look("Settle what it names.").oc("oc adm upgrade")]),
            );
        }
    }
    let unseen = version.metadata.generation.unwrap_or(0) > version.status.observed_generation;
    Some(match conditions.condition("Failing") {
        None => Row::new(id, title, Answer::Unknown, "it does not say whether it fails")
            .about([Resource::version()])
            .remedied([Remedy::look("Look whether it runs.").oc("oc get pods -n openshift-cluster-version")]),
        Some(_) if unseen => Row::new(id, title, Answer::Warn, "it has not looked at the newest spec yet")
            .about([Resource::version()])
            .rests_on([evidence("clusterversion/version", "status.observedGeneration", "behind")])
            .remedied([Remedy::look("Look whether it runs.").oc("oc get pods -n openshift-cluster-version")]),
        Some(failing) => Row::new(id, title, Answer::Pass, "it does not fail").rests_on([version_evidence(failing)]),
    })
}

pub(super) fn operators(ask: &Ask) -> Option<Row> {
    let (id, title) = ("operators-healthy", "Operators are available and not degraded");
    if let Some(why) = ask.unread(&[Kind::ClusterOperators]) {
        return Some(Row::unknown(id, title, why, Kind::ClusterOperators));
    }
    let rows: Vec<&OperatorRow> = ask.now.operators.rows.iter().filter(|row| row.platform).collect();
    if rows.is_empty() {
        return Some(Row::unknown(id, title, "no operators were seen".to_owned(), Kind::ClusterOperators));
    }
    let ill: Vec<&OperatorRow> = rows.iter().copied().filter(|row| !row.available || row.degraded).collect();
    let busy: Vec<&OperatorRow> = rows.iter().copied().filter(|row| row.progressing).collect();
    let names = |rows: &[&OperatorRow]| words::some_of(rows.iter().map(|row| row.name.as_str()), 5);
    let about = |rows: &[&OperatorRow]| rows.iter().map(|row| Resource::operator(&row.name)).collect::<Vec<_>>();
    let told = |rows: &[&OperatorRow], field: &'static str| {
        rows.iter()
            .map(|row| {
                evidence(
                    format!("clusteroperator/{}", row.name),
                    field,
                    format!("{} {}", row.reason, words::first_line(&row.message)),
                )
            })
            .collect::<Vec<_>>()
    };
    let look = |rows: &[&OperatorRow]| {
        rows.iter()
            .take(5)
            .map(|row| {
                Remedy::look(format!("Look at {}.", row.name))
                    .oc(format!("oc describe clusteroperator {}", words::shell(&row.name)))
            })
            .collect::<Vec<_>>()
    };
    Some(if !ill.is_empty() {
        let why = ill.iter().take(5).map(|row| {
            let word = if row.available { "degraded" } else { "unavailable" };
            format!("{} is {word}: {}", row.name, words::first_line(&row.message))
        });
        let more = if ill.len() > 5 { format!("\nand {} more", ill.len() - 5) } else { String::new() };
        Row::new(id, title, Answer::Block, why.collect::<Vec<_>>().join("\n") + &more)
            .about(about(&ill))
            .rests_on(told(&ill, "Degraded"))
            .remedied(look(&ill))
    } else if !busy.is_empty() && !ask.now.update.in_progress {
        Row::new(id, title, Answer::Warn, format!("still changing something: {}", names(&busy)))
            .about(about(&busy))
            .rests_on(told(&busy, "Progressing"))
            .remedied([Remedy::look("Wait until they are quiet.").oc("oc adm wait-for-stable-cluster")])
    } else {
        Row::new(
            id,
            title,
            Answer::Pass,
            format!("{} are available and not degraded", words::count(rows.len(), "operator")),
        )
    })
}

pub(super) fn etcd(ask: &Ask) -> Option<Row> {
    let (id, title) = ("etcd-healthy", "All members of etcd are healthy");
    if ask.now.topology == Topology::External {
        return None; // its etcd is not here
    }
    if let Some(why) = ask.unread(&[Kind::ClusterOperators]) {
        return Some(Row::unknown(id, title, why, Kind::ClusterOperators));
    }
    let Some(row) = ask.now.operator("etcd") else {
        return Some(Row::unknown(id, title, "there is no operator etcd".to_owned(), Kind::ClusterOperators));
    };
    let operator = ask.now.facts.operators.iter().find(|operator| operator.name() == "etcd");
    let members = operator.and_then(|operator| operator.status.conditions.condition("Available"));
    let told = members.map(|condition| words::first_line(&condition.message)).unwrap_or_default();
    let row_of = |answer: Answer, why: String| {
        Row::new(id, title, answer, why).about([Resource::operator("etcd")]).rests_on([evidence(
            "clusteroperator/etcd",
            "Degraded",
            format!("{} {}", row.reason, words::first_line(&row.message)),
        )])
    };
    let look = Remedy::look("Look at its members; no control plane node may go down before all are back.")
        .oc("oc get pods -n openshift-etcd -l app=etcd -o wide");
    Some(if !row.available || row.degraded {
        row_of(Answer::Block, format!("etcd is not well: {}", words::first_line(&row.message))).remedied([look])
    } else if row.progressing {
        row_of(Answer::Warn, format!("etcd is changing: {}", words::first_line(&row.message))).remedied([look])
    } else {
        Row::new(id, title, Answer::Pass, if told.is_empty() { "etcd is available and not degraded" } else { told })
    })
}

/// Releases up to 4.14 judge it themselves (condition `RecentBackup` of the operator etcd; a precondition of minor updates
/// in the cluster-version operator of that time); later ones do not know.
pub(super) fn backup(ask: &Ask) -> Option<Row> {
    let (id, title) = ("etcd-backup", "There is a recent backup of etcd");
    if ask.now.topology == Topology::External {
        return None;
    }
    let operator = ask.now.facts.operators.iter().find(|operator| operator.name() == "etcd");
    let backup = operator.and_then(|operator| operator.status.conditions.condition("RecentBackup"));
    let make =
        Remedy::look("Make one on a control plane node, and keep it somewhere else: an update only goes forward.")
            .oc("oc debug node/NODE -- chroot /host /usr/local/bin/cluster-backup.sh /home/core/backup");
    let told = backup.map(|backup| {
        evidence("clusteroperator/etcd", "RecentBackup", format!("{} ({})", backup.status.word(), backup.reason))
    });
    Some(
        match backup.map(|backup| (backup.status, words::first_line(&backup.message))) {
            Some((Tri::True, message)) => Row::new(id, title, Answer::Pass, message),
            Some((Tri::False, message)) => {
                let blocks = ask.minor && minor_parts(&ask.updates.current).is_some_and(|parts| parts <= (4, 14));
                Row::new(id, title, if blocks { Answer::Block } else { Answer::Warn }, message).remedied([make])
            }
            _ => Row {
                asked: true,
                ..Row::new(
                    id,
                    title,
                    Answer::Unknown,
                    "nothing in the cluster tells: when was the last one made, and where is it kept?",
                )
                .remedied([make])
            },
        }
        .about([Resource::operator("etcd")])
        .rests_on(told),
    )
}

pub(super) fn alerts(ask: &Ask) -> Option<Row> {
    let (id, title) = ("alerts", "No alert speaks against it");
    if let Some(why) = unread_alerts(ask.now) {
        return Some(Row::unknown(id, title, why, Kind::Alerts));
    }
    let against: Vec<_> = ask.now.facts.around.alerts.iter().filter(|alert| speaks_against_update(alert)).collect();
    let critical = against.iter().any(|alert| alert.label("severity") == "critical");
    if against.is_empty() {
        return Some(Row::new(
            id,
            title,
            Answer::Pass,
            "none of those that fire is critical or speaks of drains, pulls or nodes",
        ));
    }
    let told = against.iter().take(8).map(|alert| {
        let what = [alert.annotation("description"), alert.annotation("summary"), alert.annotation("message")];
        let what = what.into_iter().map(words::first_line).find(|what| !what.is_empty()).unwrap_or_default();
        format!("{} ({}): {what}", alert.name, alert.label("severity"))
    });
    let more = if against.len() > 8 { format!("\nand {} more", against.len() - 8) } else { String::new() };
    let runbooks = against.iter().filter_map(|alert| {
        let link = alert.annotation("runbook_url");
        (!link.is_empty()).then(|| Remedy::look(format!("Go by the runbook of {}: {link} .", alert.name)))
    });
    let mut runbooks: Vec<Remedy> = runbooks.collect();
    runbooks.dedup();
    Some(
        Row::new(
            id,
            title,
            if critical { Answer::Block } else { Answer::Warn },
            told.collect::<Vec<_>>().join("\n") + &more,
        )
        .about(against.iter().map(|alert| Resource::namespaced("alerts", alert.label("namespace"), &alert.name)))
        .rests_on(against.iter().map(|alert| crate::upgrade::assessment::Evidence {
            at: alert.active_at,
            ..evidence(format!("alert/{}", alert.name), "state", alert.state.clone())
        }))
        .remedied(runbooks.into_iter().chain([Remedy::look("Look at what fires.").oc("oc adm upgrade recommend")])),
    )
}
