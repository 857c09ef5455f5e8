//! `pool-certificates`: the certificate by which nodes trust the API server runs out, or a paused pool keeps a new one
//! from them.
//!
//! Up to 4.12 a paused pool holds back the renewed kubelet CA (alert MachineConfigControllerPausedPoolKubeletCA: critical
//! from 14 days on); from 4.13 on the daemon writes it whether the pool is paused or not.

use chrono::TimeDelta;

use super::pool_paused::unpause;
use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, reading};
use crate::upgrade::assessment::Pool;
use crate::upgrade::certificates::{Trust, delivered_despite_pause, trust};
use crate::upgrade::danger::Danger;
use crate::upgrade::words;

/// From here on it is urgent.
const URGENT: TimeDelta = TimeDelta::days(14);
/// From here on a paused pool of an old release should be unpaused for a while.
const SOON: TimeDelta = TimeDelta::days(60);

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    // Where the release is not known, no pause is blamed.
    let release = look.now.update.to.as_deref().unwrap_or_default();
    let held_back = delivered_despite_pause(release) == Some(false);
    for pool in &look.now.pools {
        let Some(object) = look.now.facts.pools.iter().find(|object| object.name() == pool.name) else { continue };
        let Some(trust) = trust(&look.now.facts, object).filter(|trust| trust.of_pool) else { continue };
        let left = trust.expiry - look.now.now;
        let level = match (pool.paused && held_back, left) {
            (_, left) if left <= TimeDelta::zero() => Level::Critical,
            (true, left) if left <= URGENT => Level::Critical,
            (true, left) if left <= SOON => Level::Warning,
            (false, left) if left <= URGENT => Level::Warning,
            _ => continue,
        };
        found.push(about(pool, level, &trust, left, held_back));
    }
}

fn about(pool: &Pool, level: Level, told: &Trust, left: TimeDelta, held_back: bool) -> Finding {
    let Trust { bundle, subject, expiry, .. } = told;
    let name = &pool.name;
    let when = if left > TimeDelta::zero() {
        format!("runs out in {}", words::span(left))
    } else {
        format!("ran out {} ago", words::span(-left))
    };
    let paused = pool.paused && held_back;
    let mut remedies = Vec::new();
    if paused {
        remedies.push(
            Remedy::change(
                Danger::M,
                "Unpause the pool so that the new certificate reaches its nodes; they roll to what else waits.",
            )
            .oc(unpause(name)),
        );
    }
    remedies.push(
        Remedy::look("Look at the certificates and at the operator that renews them, kube-apiserver.")
            .oc("oc get controllerconfig machine-config-controller -o jsonpath='{.status.controllerCertificates}'"),
    );
    Finding {
        impact: Impact::ApiAvailability,
        resources: vec![Resource::pool(name)],
        meaning: if paused {
            "Up to 4.12 a paused pool keeps renewed certificates from its nodes. When the old one runs out, kubelets and API server \
             no longer trust each other: logs and exec fail, then the nodes are lost."
                .to_owned()
        } else {
            "It should have been renewed long before. When it runs out, nodes and API server no longer trust each other.".to_owned()
        },
        remedies,
        link: Some(reading::KUBELET_CA.to_owned()),
        since: None,
        evidence: vec![evidence(
            format!("mcp/{name}"),
            "status.certExpirys",
            format!("{bundle} {subject}: {expiry}"),
            Some(*expiry),
        )],
        ..finding(
            "pool-certificates",
            level,
            Subject::Pool(name.clone()),
            format!("pool {name}: certificate {} {when}", subject.trim_start_matches("CN=")),
        )
    }
}
