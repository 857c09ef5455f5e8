//! Recorded clusters are told as they were.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use oc_cockpit::snapshot;
use oc_cockpit::upgrade::assemble;
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::Assessment;
use oc_cockpit::upgrade::memory::Memory;
use oc_cockpit::upgrade::outline::outline;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/fixtures/oc-status");

fn recorded(case: &str) -> Option<Assessment> {
    if !Path::new(FOLDER).exists() {
        println!("skipped: {FOLDER} is not there");
        return None;
    }
    let files = ["cv", "co", "mcp", "mc", "node"].map(|part| format!("{FOLDER}/{case}-{part}.yaml"));
    let snapshot = snapshot::read(&files);
    assert_eq!(snapshot.broken, [], "all files of {case} can be read");
    let now: DateTime<Utc> = assemble::newest_transition(&snapshot.objects).expect("conditions have times");
    let facts = assemble::from_values(&snapshot.objects, now);
    Some(assess(Arc::new(facts), &Memory::default(), now))
}

#[test]
fn show() {
    for case in [
        "4.14.1-degraded",
        "4.14.1-paused-worker-pool",
        "4.14.1-workers-started-updating-multiple-pools",
        "4.15.0-ec2-early",
        "4.16.0-single-node",
        "not-upgrading",
        "ocpbugs-60768",
    ] {
        if let Some(a) = recorded(case) {
            println!("##### {case}\n{}", outline(&a));
        }
    }
}
