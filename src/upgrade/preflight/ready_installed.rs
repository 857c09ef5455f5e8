//! Are the operators that people installed fit for the target?

use super::{Answer, Ask, Row, evidence};
use crate::upgrade::assessment::{Remedy, Resource};
use crate::upgrade::danger::Danger;
use crate::upgrade::facts::Kind;
use crate::upgrade::version::minor_parts;
use crate::upgrade::words;

const CSV: &str = "clusterserviceversions.operators.coreos.com";

fn namespace(metadata: &kube::core::ObjectMeta) -> &str {
    metadata.namespace.as_deref().unwrap_or_default()
}

/// `4.18`, or a whole version.
fn parts(text: &str) -> Option<(u64, u64)> {
    minor_parts(text).or_else(|| {
        let (major, minor) = text.trim().trim_start_matches('v').split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    })
}

pub(super) fn compatible(ask: &Ask) -> Option<Row> {
    let (id, title) = ("installed-operators-compatible", "Installed operators support the target");
    if !ask.minor {
        return None;
    }
    if let Some(why) = ask.unread(&[Kind::ClusterServiceVersions]) {
        return Some(Row::unknown(id, title, why, Kind::ClusterServiceVersions));
    }
    let Some(target) = ask.target.and_then(minor_parts) else {
        return Some(Row::untold(id, title, "which minor the target is of is not known"));
    };
    let all = &ask.now.facts.around.cluster_service_versions;
    let held: Vec<_> = all
        .iter()
        .filter_map(|csv| {
            let most = csv.max_openshift_version()?;
            parts(&most).is_none_or(|most| most < target).then_some((csv, most))
        })
        .collect();
    if held.is_empty() {
        let why = match all.len() {
            0 => "none is installed".to_owned(),
            number => format!("none of {} names an older release as its last", words::count(number, "operator")),
        };
        return Some(Row::new(id, title, Answer::Pass, why));
    }
    let why =
        held.iter().map(|(csv, most)| format!("{} in {} supports up to {most}", csv.name(), namespace(&csv.metadata)));
    Some(
        Row::new(id, title, Answer::Block, why.collect::<Vec<_>>().join("\n"))
            .about(held.iter().map(|(csv, _)| Resource::namespaced(CSV, namespace(&csv.metadata), csv.name())))
            .rests_on(held.iter().map(|(csv, most)| {
                evidence(format!("clusterserviceversion/{}", csv.name()), "olm.maxOpenShiftVersion", most.clone())
            }))
            .remedied([Remedy::look(
                "Update them first, through their channels, to versions that support the target.",
            )
            .oc("oc get subscriptions -A")]),
    )
}

pub(super) fn up_to_date(ask: &Ask) -> Option<Row> {
    let (id, title) = ("installed-operators-current", "Installed operators are up to date and well");
    let kinds = [Kind::ClusterServiceVersions, Kind::Subscriptions, Kind::InstallPlans];
    if let Some(why) = ask.unread(&kinds) {
        return Some(Row::unknown(id, title, why, Kind::Subscriptions));
    }
    let around = &ask.now.facts.around;
    let plans: Vec<_> = around
        .install_plans
        .iter()
        .filter(|plan| plan.status.phase == "RequiresApproval" && !plan.spec.approved)
        .collect();
    let behind: Vec<_> = around
        .subscriptions
        .iter()
        .filter(|subscription| !subscription.status.state.is_empty() && subscription.status.state != "AtLatestKnown")
        .collect();
    let failed: Vec<_> = around.cluster_service_versions.iter().filter(|csv| csv.status.phase == "Failed").collect();
    if plans.is_empty() && behind.is_empty() && failed.is_empty() {
        return Some(Row::new(
            id,
            title,
            Answer::Pass,
            format!("{} at the latest known version", words::count(around.subscriptions.len(), "subscription")),
        ));
    }
    let mut why = Vec::new();
    why.extend(failed.iter().map(|csv| {
        format!("{} in {} failed: {}", csv.name(), namespace(&csv.metadata), words::first_line(&csv.status.message))
    }));
    why.extend(plans.iter().map(|plan| {
        format!(
            "install plan {} in {} waits for approval: {}",
            plan.name(),
            namespace(&plan.metadata),
            plan.spec.installs.join(", ")
        )
    }));
    why.extend(behind.iter().map(|one| {
        format!(
            "{} in {} is {}: {} installed, {} known",
            one.spec.package,
            namespace(&one.metadata),
            one.status.state,
            one.status.installed,
            one.status.current
        )
    }));
    let approve = plans.iter().take(8).map(|plan| {
        Remedy::change(Danger::M, format!("Approve {} when its operator may be updated now.", plan.name())).oc(format!(
            "oc patch installplan -n {} {} --type=merge --patch '{{\"spec\":{{\"approved\":true}}}}'",
            words::shell(namespace(&plan.metadata)),
            words::shell(plan.name())
        ))
    });
    Some(
        Row::new(id, title, Answer::Warn, why.join("\n"))
            .about(
                plans
                    .iter()
                    .map(|plan| {
                        Resource::namespaced(
                            "installplans.operators.coreos.com",
                            namespace(&plan.metadata),
                            plan.name(),
                        )
                    })
                    .chain(behind.iter().map(|one| {
                        Resource::namespaced("subscriptions.operators.coreos.com", namespace(&one.metadata), one.name())
                    }))
                    .chain(failed.iter().map(|csv| Resource::namespaced(CSV, namespace(&csv.metadata), csv.name()))),
            )
            .rests_on(
                plans
                    .iter()
                    .map(|plan| {
                        evidence(format!("installplan/{}", plan.name()), "status.phase", plan.status.phase.clone())
                    })
                    .chain(behind.iter().map(|one| {
                        evidence(format!("subscription/{}", one.name()), "status.state", one.status.state.clone())
                    }))
                    .chain(failed.iter().map(|csv| {
                        evidence(format!("clusterserviceversion/{}", csv.name()), "status.phase", "Failed")
                    })),
            )
            .remedied(approve.chain([
                Remedy::look("Look at them.").oc("oc get subscriptions,installplans,clusterserviceversions -A"),
            ])),
    )
}
