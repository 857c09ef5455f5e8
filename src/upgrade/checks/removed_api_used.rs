//! `removed-api-used`: somebody still uses an API that the next minor no longer has.

use std::collections::BTreeMap;

use super::{Finding, Impact, Level, Look, Subject, evidence, finding};
use crate::api::APIRequestCount;
use crate::upgrade::assessment::{Remedy, Resource};
use crate::upgrade::version::{kubernetes_minor, minor_parts, removed_by};
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let current = look.now.update.to.as_deref().unwrap_or_default();
    let Some(next) = minor_parts(current).and_then(|(major, minor)| kubernetes_minor(major, minor.checked_add(1)?))
    else {
        return;
    };
    let (level, impact) = look.minor_hindrance();
    for api in look.now.facts.around.api_request_counts.iter() {
        if !removed_by(&api.status.removed_in, next) || !is_used(api) {
            continue;
        }
        let clients = clients(api);
        let named: Vec<String> = clients.iter().map(|(client, count)| format!("{client} ({count})")).collect();
        let who = match named.len() {
            0 => "who asks for it is not told".to_owned(),
            _ => format!("clients of the last day: {}", words::some_of(named.iter().map(String::as_str), 5)),
        };
        let resource = Resource::cluster("apirequestcounts.apiserver.openshift.io", api.name());
        found.push(Finding {
            impact: if level == Level::Info { Impact::None } else { impact.max(Impact::ApplicationAvailability) },
            meaning: format!(
                "Kubernetes {} no longer serves it, and the next minor brings that: {who}. They fail from the moment in which \
                 the API servers are updated.",
                api.status.removed_in
            ),
            remedies: vec![
                Remedy::look("See who asks, with which program.")
                    .oc(format!("oc get apirequestcounts {} -o yaml", words::shell(api.name()))),
                Remedy::look("Bring these clients to the API that takes its place, before the update."),
            ],
            evidence: std::iter::once(evidence(
                format!("apirequestcount/{}", api.name()),
                "status.requestCount",
                format!("{}, removed in {}", api.status.requests, api.status.removed_in),
                None,
            ))
            .chain(named.iter().take(5).map(|client| {
                evidence(format!("apirequestcount/{}", api.name()), "status.last24h.byNode.byUser", client.clone(), None)
            }))
            .collect(),
            ..finding(
                "removed-api-used",
                level,
                Subject::Object(resource),
                format!("{} is still used, Kubernetes {} drops it", api.name(), api.status.removed_in),
            )
        });
    }
}

/// Users of the platform that go through all resources that are served, whatever they are, and are updated with it: their
/// requests say nothing (the product's guide to admin acknowledgements names them).
const WALKERS: [&str; 6] = [
    "system:serviceaccount:kube-system:generic-garbage-collector",
    "system:serviceaccount:kube-system:namespace-controller",
    "system:serviceaccount:kube-system:resourcequota-controller",
    "system:kube-controller-manager",
    "system:cluster-policy-controller",
    "system:kube-apiserver",
];

/// Did anybody ask for it who will miss it? Where clients are told, those that walk through everything do not count.
pub(in crate::upgrade) fn is_used(api: &APIRequestCount) -> bool {
    let told = api.status.hours.iter().flat_map(|hour| &hour.nodes).any(|node| !node.users.is_empty());
    api.status.requests > 0 && (!told || !clients(api).is_empty())
}

/// Who asked in the last day, but for those that walk through everything, most requests first: `user with program`.
pub(in crate::upgrade) fn clients(api: &APIRequestCount) -> Vec<(String, i64)> {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for user in api.status.hours.iter().flat_map(|hour| &hour.nodes).flat_map(|node| &node.users) {
        if WALKERS.contains(&user.user.as_str()) {
            continue;
        }
        let program = user.agent.split([' ', '/']).next().unwrap_or_default();
        let name = if program.is_empty() { user.user.clone() } else { format!("{} with {program}", user.user) };
        let count = counts.entry(name).or_default();
        *count = count.saturating_add(user.requests);
    }
    let mut counts: Vec<(String, i64)> = counts.into_iter().collect();
    counts.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    counts
}
