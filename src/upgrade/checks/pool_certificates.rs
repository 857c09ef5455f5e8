//! `pool-certificates`: the certificate by which nodes trust the API server runs out, or a paused pool keeps a new one
//! from them.
//!
//! Up to 4.12 a paused pool holds back the renewed kubelet CA (alert MachineConfigControllerPausedPoolKubeletCA: critical
//! from 14 days on); from 4.13 on the daemon writes it whether the pool is paused or not.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::pool_paused::unpause;
use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, reading};
use crate::upgrade::assessment::Pool;
use crate::upgrade::danger::Danger;
use crate::upgrade::words;

/// The signer by which kubelets trust the API server: valid for a year, renewed after 292 days. The others of the bundle
/// live for days or weeks only, some are leftovers of the installation: their dates say nothing.
const SIGNER: &str = "kube-apiserver-to-kubelet-signer";
/// From here on it is urgent.
const URGENT: TimeDelta = TimeDelta::days(14);
/// From here on a paused pool of an old release should be unpaused for a while.
const SOON: TimeDelta = TimeDelta::days(60);

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let held_back = !delivered_despite_pause(look.now.update.to.as_deref().unwrap_or_default());
    for pool in &look.now.pools {
        let Some(object) = look.now.facts.pools.iter().find(|object| object.name() == pool.name) else { continue };
        // A renewed certificate stands beside the one that it replaces, which runs out in peace.
        let mut newest: BTreeMap<(&str, &str), DateTime<Utc>> = BTreeMap::new();
        for told in &object.status.cert_expirys {
            let Some(expiry) = told.expiry else { continue };
            let signer = told.subject.split(['@', ',']).next().unwrap_or_default();
            if !signer.ends_with(SIGNER) {
                continue;
            }
            let known = newest.entry((told.bundle.as_str(), signer)).or_insert(expiry);
            *known = (*known).max(expiry);
        }
        let Some((&(bundle, subject), &expiry)) = newest.iter().min_by_key(|(_, expiry)| **expiry) else { continue };
        let left = expiry - look.now.now;
        let level = match (pool.paused && held_back, left) {
            (_, left) if left <= TimeDelta::zero() => Level::Critical,
            (true, left) if left <= URGENT => Level::Critical,
            (true, left) if left <= SOON => Level::Warning,
            (false, left) if left <= URGENT => Level::Warning,
            _ => continue,
        };
        found.push(about(pool, level, (bundle, subject, expiry), left, held_back));
    }
}

/// 4.13 and later.
fn delivered_despite_pause(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    (major, minor) >= (4, 13) || major == 0
}

fn about(pool: &Pool, level: Level, told: (&str, &str, DateTime<Utc>), left: TimeDelta, held_back: bool) -> Finding {
    let (bundle, subject, expiry) = told;
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
            Some(expiry),
        )],
        ..finding(
            "pool-certificates",
            level,
            Subject::Pool(name.clone()),
            format!("pool {name}: certificate {} {when}", subject.trim_start_matches("CN=")),
        )
    }
}
