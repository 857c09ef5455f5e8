//! Who still uses an API that the next minor no longer has: what most admin gates are about.

use crate::api::APIRequestCount;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::checks::removed_api_used;
use crate::upgrade::version::{kubernetes_minor, minor_parts, removed_by};

/// An API that goes away, and is asked for by somebody who will miss it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StillUsed {
    /// `RESOURCE.VERSION.GROUP`.
    pub name: String,
    /// The Kubernetes release in which it is gone: `1.32`.
    pub removed_in: String,
    /// Who asked in the last day, with how many requests, most first; empty: not told.
    pub clients: Vec<(String, i64)>,
}

/// Which of `counts` are gone in Kubernetes 1.`minor` and still used.
pub fn still_used(counts: &[APIRequestCount], minor: u64) -> Vec<StillUsed> {
    let used =
        |count: &&APIRequestCount| removed_by(&count.status.removed_in, minor) && removed_api_used::is_used(count);
    let told = |count: &APIRequestCount| StillUsed {
        name: count.name().to_owned(),
        removed_in: count.status.removed_in.clone(),
        clients: removed_api_used::clients(count),
    };
    counts.iter().filter(used).map(told).collect()
}

/// The minor of Kubernetes 1 that the next minor of the cluster brings; none: not known.
pub fn kubernetes_of_next_minor(assessment: &Assessment) -> Option<u64> {
    let version = assessment.facts.cluster_version.as_deref()?;
    let (major, minor) = minor_parts(super::gate_version(version))?;
    kubernetes_minor(major, minor.checked_add(1)?)
}
