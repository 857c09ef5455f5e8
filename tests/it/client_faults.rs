//! The client survives what an API server does to it.

use std::sync::Arc;
use std::time::Duration;

use oc_cockpit::cluster::{Cluster, Options};
use oc_cockpit::upgrade::facts::{Facts, Kind, KindStatus};
use oc_cockpit::upgrade::link::LinkState;

use crate::support::sim;

/// Longer than anything here should take: a test that waits for this long has failed.
const PATIENCE: Duration = Duration::from_secs(40);

/// Waits until the facts say so, and gives them back; or panics with what they say instead.
async fn until(cluster: &Cluster, what: &str, says: impl FnMut(&Arc<Facts>) -> bool) -> Arc<Facts> {
    let mut facts = cluster.facts();
    let found = tokio::time::timeout(PATIENCE, facts.wait_for(says)).await;
    let found = found.map(|facts| Arc::clone(&facts.expect("the cluster's tasks ended")));
    found.unwrap_or_else(|_| {
        let last = facts.borrow();
        panic!("never came: {what}\nlink: {:?}\nkinds: {:#?}", last.link, last.kinds)
    })
}

fn live(facts: &Facts, kind: Kind) -> bool {
    *facts.status(kind) == KindStatus::Live
}

#[tokio::test(start_paused = true)]
async fn the_first_picture_is_complete() {
    let simulation = sim::simulation();
    let cluster = Cluster::start_in_process(kube::Client::new(simulation.service(), "default"));
    let facts = until(&cluster, "a complete picture", |facts| facts.complete()).await;
    assert_eq!(facts.link.state, LinkState::Live);
    assert_eq!(facts.nodes.len(), 3);
    assert_eq!(facts.operators.len(), 2);
    assert_eq!(facts.pools.len(), 2);
    assert!(facts.cluster_version.is_some());
    assert!(live(&facts, Kind::Nodes) && live(&facts, Kind::MachineConfigs), "{:?}", facts.kinds);
}

#[tokio::test]
async fn over_https_with_the_printed_kubeconfig() {
    let path = sim::TempKubeconfig::path();
    let options = oc_cockpit::sim::server::Options {
        objects: sim::small_cluster(),
        kubeconfig_out: Some(path.0.clone()),
        ..oc_cockpit::sim::server::Options::default()
    };
    let _server = oc_cockpit::sim::server::serve(options, None).await.unwrap();
    let cluster = Cluster::start(Options { kubeconfig: Some(path.0.clone()), ..Options::default() });
    let facts = until(&cluster, "a complete picture and a user", |f| f.complete() && f.access.user.is_some()).await;
    assert_eq!(facts.nodes.len(), 3);
    println!("{:?} {:?}", facts.access, facts.kinds);
    println!("{:?}", cluster.connection().borrow());
}
