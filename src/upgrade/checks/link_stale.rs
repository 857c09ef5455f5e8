//! `link-stale`: the API server does not answer: what is shown is the last good picture.

use super::{Finding, Impact, Level, Look, Subject, evidence, finding};
use crate::upgrade::assessment::Remedy;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let link = &look.now.facts.link;
    let Some(since) = link.state.since().filter(|_| link.state.stale()) else { return };
    let why = link.trouble.as_ref().map(|trouble| format!(": {}", trouble.words)).unwrap_or_default();
    let hint = link.trouble.as_ref().map(|trouble| trouble.hint.as_str()).unwrap_or_default();
    let advice = match &link.expected_outage {
        Some(why) => {
            format!("Expected: {why}, and its API server with it. Writes are off until it is back.\n{hint}")
        }
        None => format!("Nothing is shown as live, and writes are off until it is back.\n{hint}"),
    };
    let said = link.trouble.as_ref().map_or_else(|| "no answer".to_owned(), |trouble| trouble.words.clone());
    found.push(Finding {
        impact: Impact::ApiAvailability,
        meaning: advice.trim_end().to_owned(),
        remedies: vec![
            Remedy::look(match link.expected_outage {
                Some(_) => "Wait: it is tried again all the time.",
                None => "Look whether another client gets through; it is tried again all the time.",
            })
            .oc("oc get --raw /readyz"),
        ],
        since: Some(since),
        expected: link.expected_outage.is_some(),
        evidence: vec![evidence("link".to_owned(), "/version", said, link.heard)],
        ..finding(
            "link-stale",
            if link.expected_outage.is_some() { Level::Warning } else { Level::Error },
            Subject::Link,
            format!("no answer from the API server for {}{why}", words::span(look.now.now - since)),
        )
    });
}
