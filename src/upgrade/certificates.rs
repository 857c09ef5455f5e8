//! Until when the nodes of a pool trust the API server, and whether a pause keeps the renewal from them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::facts::Facts;
use super::version::minor_parts;
use crate::api::MachineConfigPool;

/// The signer by which kubelets trust the API server: valid for a year, renewed after 292 days
/// (cluster-kube-apiserver-operator: pkg/operator/certrotationcontroller). The others of the bundle live for days or
/// weeks only, some are leftovers of the installation: their dates say nothing.
const SIGNER: &str = "kube-apiserver-to-kubelet-signer";

/// The certificate by which the nodes of a pool trust the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The pool itself tells of it; otherwise the ControllerConfig does.
    pub of_pool: bool,
    /// The bundle that it is in.
    pub bundle: String,
    /// Its subject, without the number of its issue.
    pub subject: String,
    /// When it runs out.
    pub expiry: DateTime<Utc>,
}

/// The certificate of the signer that runs out last, for each bundle; of these the bundle that runs out first. A renewed
/// certificate stands beside the one that it replaces, which runs out in peace. None: nothing tells of it.
///
/// Read from `status.certExpirys` of the pool, else from the ControllerConfig, as far as that was read.
pub fn trust(facts: &Facts, pool: &MachineConfigPool) -> Option<Trust> {
    let of_pool = pool.status.cert_expirys.iter();
    let of_pool = of_pool.filter_map(|told| Some((told.bundle.as_str(), told.subject.as_str(), told.expiry?)));
    let configs = facts.around.controller_configs.iter().flat_map(|config| &config.status.certificates);
    let of_cluster = configs.filter_map(|told| Some((told.bundle.as_str(), told.subject.as_str(), told.expires?)));
    shortest(true, of_pool).or_else(|| shortest(false, of_cluster))
}

fn shortest<'a>(of_pool: bool, told: impl Iterator<Item = (&'a str, &'a str, DateTime<Utc>)>) -> Option<Trust> {
    let mut newest: BTreeMap<(&str, &str), DateTime<Utc>> = BTreeMap::new();
    for (bundle, subject, expiry) in told {
        let signer = subject.split(['@', ',']).next().unwrap_or_default();
        if signer.ends_with(SIGNER) {
            let known = newest.entry((bundle, signer)).or_insert(expiry);
            *known = (*known).max(expiry);
        }
    }
    let ((bundle, subject), expiry) = newest.into_iter().min_by_key(|(_, expiry)| *expiry)?;
    Some(Trust { of_pool, bundle: bundle.to_owned(), subject: subject.to_owned(), expiry })
}

/// Does a renewed certificate reach the nodes of a paused pool? Since 4.13 the machine-config daemon writes it whether the
/// pool is paused or not (machine-config-operator: pkg/daemon/certificate_writer.go). None: the release is not known.
pub fn delivered_despite_pause(version: &str) -> Option<bool> {
    minor_parts(version).map(|release| release >= (4, 13))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::upgrade::specimen::{Specimen, stamp};
    use serde_json::json;

    #[test]
    fn the_newest_certificate_of_the_signer_counts_and_the_shortest_bundle() {
        let mut cluster = Specimen::finished();
        let signer = "CN=openshift-kube-apiserver-operator_kube-apiserver-to-kubelet-signer@17";
        cluster.pool("worker")["status"]["certExpirys"] = json!([
            { "bundle": "A", "subject": signer, "expiry": stamp(100) },
            { "bundle": "A", "subject": signer, "expiry": stamp(900) },
            { "bundle": "A", "subject": "CN=other", "expiry": stamp(1) },
            { "bundle": "B", "subject": signer, "expiry": stamp(1200) },
        ]);
        let assessment = cluster.assess(40);
        let pool = assessment.facts.pools.iter().find(|pool| pool.name() == "worker").unwrap();
        let trust = trust(&assessment.facts, pool).unwrap();
        assert_eq!((trust.bundle.as_str(), trust.expiry.to_rfc3339()), ("A", stamp(900).replace('Z', "+00:00")));
        let master = assessment.facts.pools.iter().find(|pool| pool.name() == "master").unwrap();
        assert_eq!(super::trust(&assessment.facts, master), None, "nothing tells of it");
    }

    #[test]
    fn a_pause_held_the_renewal_back_until_4_12() {
        assert_eq!(delivered_despite_pause("4.12.50"), Some(false));
        assert_eq!(delivered_despite_pause("4.13.0-rc.1"), Some(true));
        assert_eq!(delivered_despite_pause("quay.io/r@sha256:1"), None);
    }
}
