//! `pinned-images-failed`: nodes could not pull the images ahead that they should keep: the update gets slower, or the
//! disk is too small.

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding};
use crate::api::{Condition, Conditions as _, Tri};
use crate::upgrade::danger::Danger;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let failed: Vec<(&str, &Condition)> = look
        .now
        .facts
        .machine_config_nodes
        .iter()
        .filter_map(|node| {
            let told = node.status.conditions.condition("PinnedImageSetsDegraded")?;
            (told.status == Tri::True).then_some((node.name(), told))
        })
        .collect();
    let Some((first, told)) = failed.first() else { return };
    let names: Vec<&str> = failed.iter().map(|(name, _)| *name).collect();
    let full = failed.iter().any(|(_, told)| told.message.contains("storage available is less than"));
    let why = match words::first_line(&told.message) {
        "" => told.reason.as_str(),
        message => message,
    };
    let space = Remedy::change(Danger::M, "Free disk on the nodes: 16 GiB have to stay free.")
        .oc(super::degraded::on_host(first, "crictl rmi --prune"));
    let mut remedies = vec![
        Remedy::look("Check that the images of the set exist and can be pulled.").oc("oc get pinnedimagesets -o yaml"),
    ];
    if full {
        remedies.insert(0, space);
    }
    found.push(Finding {
        impact: Impact::UpdateSpeed,
        resources: names.iter().map(|name| Resource::node(name)).collect(),
        meaning: "Images that are pulled ahead spare each node the wait for the registry. Without them the nodes pull while they \
                  update; nothing is blocked."
            .to_owned(),
        remedies,
        since: failed.iter().filter_map(|(_, told)| told.since).min(),
        evidence: failed
            .iter()
            .map(|(name, told)| {
                let value = format!("{} {}", told.reason, told.message);
                evidence(format!("machineconfignode/{name}"), "PinnedImageSetsDegraded", value, told.since)
            })
            .collect(),
        ..finding(
            "pinned-images-failed",
            Level::Warning,
            Subject::Node((*first).to_owned()),
            format!("images could not be pulled ahead on {}: {why}", words::some_of(names.iter().copied(), 3)),
        )
    });
}
