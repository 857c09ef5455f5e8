//! Waiting for what the live client knows.

use std::sync::Arc;
use std::time::Duration;

use oc_cockpit::cluster::Cluster;
use oc_cockpit::upgrade::facts::{Facts, Kind, KindStatus};

/// Waits until the facts say so, and gives them back; or panics with what they say instead after so long.
pub async fn until_within(
    patience: Duration,
    cluster: &Cluster,
    what: &str,
    says: impl FnMut(&Arc<Facts>) -> bool,
) -> Arc<Facts> {
    let mut facts = cluster.facts();
    let found = tokio::time::timeout(patience, facts.wait_for(says)).await;
    let found = found.map(|facts| Arc::clone(&facts.expect("the cluster's tasks ended")));
    found.unwrap_or_else(|_| {
        let last = facts.borrow();
        panic!("never came: {what}\nlink: {:?}\nkinds: {:#?}", last.link, last.kinds)
    })
}

pub fn live(facts: &Facts, kind: Kind) -> bool {
    *facts.status(kind) == KindStatus::Live
}
