//! From facts to assessment.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::assessment::{Assessment, Operators, Update, Verdict, VerdictKind};
use super::facts::Facts;
use super::memory::Memory;

/// What `facts` mean at `now`, given what is remembered.
pub fn assess(facts: Arc<Facts>, memory: &Memory, now: DateTime<Utc>) -> Assessment {
    Assessment {
        now,
        generation: memory.last.as_ref().map_or(0, |last| last.generation + 1),
        facts,
        openshift: None,
        cluster_id: None,
        verdict: Verdict { kind: VerdictKind::Unknown, why: String::new(), since: None, evidence: Vec::new() },
        update: Update::default(),
        progress: None,
        operators: Operators::default(),
        pools: Vec::new(),
        nodes: Vec::new(),
        rail: Vec::new(),
        findings: Vec::new(),
        timeline: Arc::clone(&memory.timeline),
    }
}
