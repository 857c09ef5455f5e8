//! What only stands in the way of another minor: operators, gates, APIs that go away; and overrides.

use super::{Answer, Ask, Row, evidence};
use crate::api::{Conditions as _, Tri};
use crate::upgrade::assessment::{Remedy, Resource};
use crate::upgrade::checks::{cv_overrides, not_upgradeable, removed_api_used};
use crate::upgrade::danger::Danger;
use crate::upgrade::facts::Kind;
use crate::upgrade::updates::acknowledge;
use crate::upgrade::verdict::version_evidence;
use crate::upgrade::version::{minor_parts, removed_by};
use crate::upgrade::words;

pub(super) fn upgradeable(ask: &Ask) -> Option<Row> {
    let (id, title) = ("upgradeable", "All operators allow another minor");
    if !ask.minor {
        return None;
    }
    let operators = &ask.updates.operators;
    if operators.is_empty() && ask.updates.not_upgradeable.is_none() {
        if let Some(why) = ask.unread(&[Kind::ClusterOperators]) {
            return Some(Row::unknown(id, title, why, Kind::ClusterOperators));
        }
        let version = ask.now.facts.cluster_version.as_deref();
        let told = version.and_then(|version| version.status.conditions.condition("Upgradeable"));
        if let Some(unsure) = told.filter(|told| told.status == Tri::Unknown) {
            let why =
                format!("the ClusterVersion does not know ({}): {}", unsure.reason, words::first_line(&unsure.message));
            let look = Remedy::look("It is looked at again every few minutes.").oc("oc adm upgrade");
            let row = Row::new(id, title, Answer::Unknown, why).about([Resource::version()]);
            return Some(row.rests_on([version_evidence(unsure)]).remedied([look]));
        }
        return Some(Row::new(id, title, Answer::Pass, "neither an operator nor the ClusterVersion says otherwise"));
    }
    let mut why: Vec<String> = operators
        .iter()
        .map(|operator| {
            format!("{} ({}): {}", operator.operator, operator.reason, words::first_line(&operator.message))
        })
        .collect();
    if let Some((reason, message)) = ask.updates.not_upgradeable.as_ref().filter(|_| why.is_empty()) {
        why.push(format!("the ClusterVersion ({reason}): {message}"));
    }
    let mut remedies: Vec<Remedy> =
        operators.iter().flat_map(|operator| not_upgradeable::remedies(&operator.operator, &operator.reason)).collect();
    remedies.push(Remedy::look("It is looked at again every few minutes.").oc("oc adm upgrade"));
    Some(
        Row::new(id, title, Answer::Block, why.join("\n"))
            .about(operators.iter().map(|operator| Resource::operator(&operator.operator)).chain([Resource::version()]))
            .rests_on(
                operators
                    .iter()
                    .map(|operator| {
                        evidence(
                            format!("clusteroperator/{}", operator.operator),
                            "Upgradeable",
                            format!("False ({})", operator.reason),
                        )
                    })
                    .chain(ask.updates.not_upgradeable.iter().map(|(reason, _)| {
                        evidence("clusterversion/version", "Upgradeable", format!("False ({reason})"))
                    })),
            )
            .remedied(remedies),
    )
}

pub(super) fn gates(ask: &Ask) -> Option<Row> {
    let (id, title) = ("admin-gates", "All admin gates are acknowledged");
    if !ask.minor {
        return None;
    }
    let unread = ask.unread(&[Kind::ConfigMaps]);
    let Some(gates) = &ask.updates.gates else {
        let why = unread.unwrap_or_else(|| "the gates are not known".to_owned());
        return Some(Row::unknown(id, title, why, Kind::ConfigMaps));
    };
    let closed: Vec<_> = gates.iter().filter(|gate| gate.acknowledged != Some(true)).collect();
    if closed.is_empty() {
        let why = match gates.len() {
            0 => "there are none for this minor".to_owned(),
            number => format!("{} acknowledged", words::count(number, "gate")),
        };
        return Some(Row::new(id, title, Answer::Pass, why));
    }
    let unknown = closed.iter().all(|gate| gate.acknowledged.is_none());
    let why = closed.iter().map(|gate| format!("{}: {}", gate.key, gate.message.trim()));
    Some(
        Row::new(id, title, if unknown { Answer::Unknown } else { Answer::Block }, why.collect::<Vec<_>>().join("\n"))
            .about([Resource::namespaced("configmaps", "openshift-config", "admin-acks")])
            .rests_on(closed.iter().map(|gate| {
                evidence(
                    "configmap/admin-acks",
                    &format!("data[{}]", gate.key),
                    if unknown { "not read" } else { "not \"true\"" },
                )
            }))
            .remedied(closed.iter().map(|gate| {
                Remedy::change(Danger::M, format!("Acknowledge {} when what it says has been settled.", gate.key))
                    .oc(acknowledge(&gate.key))
            })),
    )
}

pub(super) fn removed_apis(ask: &Ask) -> Option<Row> {
    let (id, title) = ("removed-apis", "Nobody uses APIs that the target no longer has");
    if !ask.minor {
        return None;
    }
    if let Some(why) = ask.unread(&[Kind::ApiRequestCounts]) {
        return Some(Row::unknown(id, title, why, Kind::ApiRequestCounts));
    }
    let Some(kubernetes) = ask.kubernetes() else {
        return Some(Row::untold(id, title, "which Kubernetes the target brings is not known"));
    };
    let used: Vec<_> = ask
        .now
        .facts
        .around
        .api_request_counts
        .iter()
        .filter(|api| removed_by(&api.status.removed_in, kubernetes) && removed_api_used::is_used(api))
        .collect();
    if used.is_empty() {
        return Some(Row::new(
            id,
            title,
            Answer::Pass,
            format!("none of what Kubernetes 1.{kubernetes} drops was asked for in the last day"),
        ));
    }
    let why = used.iter().map(|api| {
        let clients = removed_api_used::clients(api);
        let named: Vec<String> = clients.iter().map(|(client, count)| format!("{client} ({count})")).collect();
        let by = if named.is_empty() {
            "clients that are not told".to_owned()
        } else {
            words::some_of(named.iter().map(String::as_str), 3)
        };
        format!("{} (gone in {}): {by}", api.name(), api.status.removed_in)
    });
    Some(
        Row::new(id, title, Answer::Block, why.collect::<Vec<_>>().join("\n"))
            .about(used.iter().map(|api| Resource::cluster("apirequestcounts.apiserver.openshift.io", api.name())))
            .rests_on(used.iter().map(|api| {
                evidence(
                    format!("apirequestcount/{}", api.name()),
                    "status.requestCount",
                    api.status.requests.to_string(),
                )
            }))
            .remedied(used.iter().take(8).map(|api| {
                Remedy::look(format!("Bring the clients of {} to the API that takes its place.", api.name()))
                    .oc(format!("oc get apirequestcounts {} -o yaml", words::shell(api.name())))
            })),
    )
}

/// Overrides hold up other minors, and up to 4.20 every update (cluster-version-operator,
/// pkg/payload/precondition/clusterversion/upgradeable.go).
pub(super) fn overrides(ask: &Ask) -> Option<Row> {
    let (id, title) = ("overrides", "The cluster-version operator looks after every component");
    let version = ask.now.facts.cluster_version.as_deref()?;
    let taken: Vec<String> =
        version.spec.overrides.iter().filter(|one| one.unmanaged).map(cv_overrides::name).collect();
    if taken.is_empty() {
        return Some(Row::new(id, title, Answer::Pass, "no component is overridden"));
    }
    let blocks = ask.minor || minor_parts(&ask.updates.current).is_none_or(|parts| parts <= (4, 20));
    let why = format!("out of its hands: {}", words::some_of(taken.iter().map(String::as_str), 5));
    Some(
        Row::new(id, title, if blocks { Answer::Block } else { Answer::Warn }, why)
            .about([Resource::version()])
            .rests_on(taken.iter().map(|name| evidence("clusterversion/version", "spec.overrides", format!("{name} unmanaged"))))
            .remedied([Remedy::change(Danger::M, "Give them back.").oc(
                "oc patch clusterversion version --type=json --patch '[{\"op\":\"remove\",\"path\":\"/spec/overrides\"}]'",
            )]),
    )
}
