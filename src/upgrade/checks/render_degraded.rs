//! `render-degraded`: no new configuration can be rendered for a pool (machine-config operator,
//! pkg/controller/render/render_controller.go): its nodes keep what they have.

use super::{Finding, Impact, Level, Look, Remedy, Subject, evidence, finding, reading};
use crate::api::{Conditions as _, Tri};
use crate::upgrade::danger::Danger;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for pool in look.now.facts.pools.iter() {
        let told = pool.status.conditions.condition("RenderDegraded").filter(|told| told.status == Tri::True);
        let Some(told) = told else { continue };
        let name = pool.name();
        let why = [words::first_line(&told.message), told.reason.as_str()].into_iter().find(|why| !why.is_empty());
        found.push(Finding {
            impact: Impact::UpdateStalled,
            meaning: "A MachineConfig, a KubeletConfig or a ContainerRuntimeConfig of this pool is wrong, contradicts another one, \
                      or the base of the release is missing. Until that is put right the pool gets no new configuration, so no \
                      new release either."
                .to_owned(),
            remedies: vec![
                Remedy::look("Find the source that the message names.")
                    .oc("oc get machineconfigs,kubeletconfigs,containerruntimeconfigs --sort-by=.metadata.creationTimestamp"),
                Remedy::change(Danger::L, "Correct or delete that source: rendering is tried again at once."),
            ],
            link: Some(reading::NODES.to_owned()),
            since: told.since,
            evidence: vec![evidence(format!("mcp/{name}"), "RenderDegraded", told.message.clone(), told.since)],
            ..finding(
                "render-degraded",
                Level::Error,
                Subject::Pool(name.to_owned()),
                format!("pool {name} gets no new configuration: {}", why.unwrap_or("it does not say why")),
            )
        });
    }
}
