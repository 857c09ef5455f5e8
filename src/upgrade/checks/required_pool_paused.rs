//! `required-pool-paused`: the master (or arbiter) pool is paused during an update, which cannot end so
//! (machine-config operator, pkg/operator/sync.go, `syncRequiredMachineConfigPools`).

use super::pool_paused::{by, unpause};
use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, reading};
use crate::upgrade::danger::Danger;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let required = |name: &str| {
        let pool = look.now.facts.pools.iter().find(|pool| pool.name() == name);
        pool.is_some_and(|pool| pool.is_required_for_upgrade())
    };
    for pool in look.now.pools.iter().filter(|pool| pool.paused && look.now.update.in_progress) {
        if !pool.control_plane && !required(&pool.name) {
            continue;
        }
        let (who, since) = by(pool);
        let name = &pool.name;
        found.push(Finding {
            impact: Impact::UpdateStalled,
            resources: vec![Resource::pool(name), Resource::operator("machine-config")],
            meaning: "The operator machine-config waits for this pool before it reports the new version, and the \
                      cluster-version operator waits for that operator: the update cannot end while the pool is paused."
                .to_owned(),
            remedies: vec![
                Remedy::change(Danger::M, "Unpause it: the control plane nodes reboot one after the other.")
                    .oc(unpause(name)),
            ],
            link: Some(reading::PAUSED.to_owned()),
            since,
            evidence: vec![evidence(format!("mcp/{name}"), "spec.paused", format!("true{who}"), since)],
            ..finding(
                "required-pool-paused",
                Level::Error,
                Subject::Pool(name.clone()),
                format!("pool {name} is paused{who}: the update cannot end"),
            )
        });
    }
}
