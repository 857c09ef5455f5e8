//! `pool-paused`: a paused pool whose nodes are not at its configuration. Meant, as long as the control plane updates;
//! afterwards nothing happens until a person unpauses it.

use super::{Finding, Level, Look, Subject, evidence, finding};
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for pool in look.now.pools.iter().filter(|pool| pool.paused) {
        let by = pool.paused_by.as_ref();
        let who = by.map(|(manager, _)| format!(" by {manager}")).unwrap_or_default();
        let to_come = pool.total - pool.updated;
        let in_progress = look.now.update.in_progress;
        if to_come == 0 && !(in_progress && pool.control_plane) {
            continue;
        }
        // A paused master pool holds the update itself up (machine-config operator, pkg/operator/sync.go,
        // `syncRequiredMachineConfigPools`).
        let level = match (pool.control_plane, in_progress) {
            (true, true) => Level::Error,
            (false, true) => Level::Info,
            (_, false) => Level::Warning,
        };
        let since = by.and_then(|(_, at)| *at);
        let reboots = words::count(to_come, "node");
        let advice = if pool.control_plane {
            "The update cannot end while this pool is paused.".to_owned()
        } else {
            format!("Unpausing it drains and reboots {reboots}, {} at a time.", pool.capacity.max_unavailable)
        };
        found.push(Finding {
            meaning: advice,
            since,
            evidence: vec![evidence(format!("mcp/{}", pool.name), "spec.paused", "true", since)],
            ..finding(
                "pool-paused",
                level,
                Subject::Pool(pool.name.clone()),
                format!("pool {} is paused{who}, {reboots} to come", pool.name),
            )
        });
    }
}
