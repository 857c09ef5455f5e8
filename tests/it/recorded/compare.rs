//! Our JSON beside the answer of `oc`, field by field.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::told::{Insight, Node, Pool, Told};

/// Where we differ on purpose; each line of `docs/differences-from-oc.md` that a recording can show has its rule here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// A node that is down for its reboot is Rebooting; for `oc` it is Updating, because it looks for a state that the
    /// machine-config daemon never writes.
    Rebooting,
    /// `oc` says "proceeding well" whenever it has no finding of its own; we do not while there is a warning.
    NotSoWell,
}

/// What differs although it should not, in words, and the differences on purpose that were met.
#[derive(Debug, Default)]
pub struct Outcome {
    pub wrong: Vec<String>,
    pub met: BTreeSet<Difference>,
}

impl Outcome {
    #[expect(clippy::needless_pass_by_value, reason = "a row of the comparison reads as one line")]
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, ours: T, theirs: T) {
        if ours != theirs {
            self.wrong.push(format!("{what}: {ours:?} here, {theirs:?} for oc"));
        }
    }
}

/// Compares.
pub fn compare(told: &Told, ours: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    if !told.updating {
        let quiet = ["NotUpdating", "Completed", "Requested", "ConfigRollout", "NeedsPerson", "Failing", "Stalled"];
        let verdict = ours["update"]["verdict"].as_str().unwrap_or("none");
        if !quiet.contains(&verdict) {
            outcome.wrong.push(format!("verdict {verdict} although oc sees no update"));
        }
        return outcome;
    }
    head(told, ours, &mut outcome);
    for (name, pool) in &told.pools {
        match by_name(&ours["pools"], name) {
            Some(ours) => compare_pool(name, pool, ours, &mut outcome),
            None => outcome.wrong.push(format!("pool {name} is missing")),
        }
    }
    for (name, node) in &told.nodes {
        match by_name(&ours["nodes"], name) {
            Some(ours) => compare_node(name, node, ours, &mut outcome),
            None => outcome.wrong.push(format!("node {name} is missing")),
        }
    }
    if let Some(version) = &told.masters_at {
        masters(version, ours, &mut outcome);
    }
    for insight in &told.insights {
        compare_insight(insight, ours, &mut outcome);
    }
    outcome
}

fn by_name<'a>(list: &'a Value, name: &str) -> Option<&'a Value> {
    list.as_array()?.iter().find(|item| item["name"] == name)
}

fn head(told: &Told, ours: &Value, outcome: &mut Outcome) {
    let update = &ours["update"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    outcome.same("target", text(&update["to"]), told.target.clone());
    if let Some(from) = &told.from {
        outcome.same("from", text(&update["from"]), from.clone());
    }
    if let Some(incomplete) = told.from_incomplete {
        outcome.same("incomplete", &update["fromIncomplete"], &json!(incomplete));
    }
    if told.multi_arch {
        outcome.same("multi-arch", &update["multiArch"], &json!(true));
    }
    let count = |name: &str| update["operators"][name].as_u64().map(|number| number as usize);
    if let Some([updated, updating, waiting]) = told.operators {
        let counts = [count("updated"), count("updating"), count("waiting")];
        outcome.same("operators", counts, [Some(updated), Some(updating), Some(waiting)]);
    }
    if let Some(healthy) = told.healthy {
        let health = [count("healthy"), count("unavailable"), count("degraded")];
        outcome.same("health", health, [Some(healthy), Some(told.unavailable), Some(told.degraded)]);
        outcome.same("all operators", count("total"), Some(healthy + told.unavailable + told.degraded));
    }
    if !told.control_plane_done {
        let names = update["updatingOperators"].as_array().cloned().unwrap_or_default();
        let names: BTreeSet<String> = names.iter().map(text).collect();
        outcome.same("updating operators", &names, &told.updating_operators);
    }
}

fn compare_pool(name: &str, told: &Pool, ours: &Value, outcome: &mut Outcome) {
    outcome.same(&format!("pool {name}"), &ours["assessment"], &json!(told.assessment));
    let count = |field: &str| ours[field].as_u64().map(|number| number as usize);
    let (updated, total) = told.completion.unwrap_or_default();
    outcome.same(&format!("completion of {name}"), (count("updated"), count("total")), (Some(updated), Some(total)));
    if told.completion.is_some() {
        for word in ["Available", "Progressing", "Draining", "Excluded", "Degraded"] {
            let theirs = told.counts.get(word).copied().unwrap_or(0);
            outcome.same(&format!("{word} of {name}"), count(&word.to_lowercase()), Some(theirs));
        }
    }
}

fn compare_node(name: &str, told: &Node, ours: &Value, outcome: &mut Outcome) {
    outcome.same(&format!("pool of {name}"), &ours["pool"], &json!(told.pool));
    outcome.same(&format!("assessment of {name}"), &ours["assessment"], &json!(told.assessment));
    outcome.same(&format!("version of {name}"), &ours["version"], &json!(told.version));
    if (told.phase.as_str(), ours["phase"].as_str()) == ("Updating", Some("Rebooting")) {
        outcome.met.insert(Difference::Rebooting);
    } else {
        outcome.same(&format!("phase of {name}"), &ours["phase"], &json!(told.phase));
    }
}

fn masters(version: &str, ours: &Value, outcome: &mut Outcome) {
    let nodes = ours["nodes"].as_array().cloned().unwrap_or_default();
    for node in nodes.iter().filter(|node| node["pool"] == "master") {
        outcome.same(&format!("phase of {}", node["name"]), &node["phase"], &json!("Updated"));
    }
    let any = nodes.iter().any(|node| node["pool"] == "master" && node["version"] == version);
    outcome.same("a control plane node at the version", any, true);
}

fn compare_insight(told: &Insight, ours: &Value, outcome: &mut Outcome) {
    let findings = ours["findings"].as_array().cloned().unwrap_or_default();
    let about = |finding: &Value| {
        told.resources.iter().all(|(resource, name)| {
            let resources = finding["resources"].as_array().into_iter().flatten();
            // `oc` gives alerts a kind that does not exist.
            let alert = resource.starts_with("alerts.");
            resources.into_iter().any(|ours| (alert || ours["resource"] == *resource) && ours["name"] == *name)
        })
    };
    let same = |finding: &&Value| finding["title"] == told.message && about(finding);
    let differs = |finding: &Value| differences(told, ours, finding);
    // Several alerts may say the same: one of them has to be this one.
    let Some(wrong) = findings.iter().filter(same).map(differs).min_by_key(Vec::len) else {
        // Nor does a verdict that something is wrong go with it.
        let verdict = ours["update"]["verdict"].as_str().unwrap_or_default();
        let warned = findings.iter().any(|finding| finding["level"] != "info")
            || ["Slow", "Stalled", "Failing", "NeedsPerson"].contains(&verdict);
        if told.message == "Update is proceeding well" && warned {
            outcome.met.insert(Difference::NotSoWell);
        } else {
            let titles: Vec<&Value> = findings.iter().map(|finding| &finding["title"]).collect();
            outcome.wrong.push(format!("no finding says {:?} of {:?}: {titles:?}", told.message, told.resources));
        }
        return;
    };
    outcome.wrong.extend(wrong);
}

fn differences(told: &Insight, ours: &Value, finding: &Value) -> Vec<String> {
    let mut outcome = Outcome::default();
    let what = &told.message;
    let (level, theirs) = (finding["level"].as_str().unwrap_or_default(), told.level.to_lowercase());
    outcome.same(&format!("level of {what:?}"), level, theirs.as_str());
    outcome.same(&format!("impact of {what:?}"), &finding["impact"], &json!(told.impact));
    if let Some(since) = told.since {
        let moment = |value: &Value| value.as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
        let ours = moment(&ours["now"]).zip(moment(&finding["since"])).map(|(now, since)| (now - since).num_seconds());
        if ours.is_none_or(|ours| (ours - since).abs() > 1) {
            outcome.wrong.push(format!("since of {what:?}: {ours:?} s here, {since} s for oc"));
        }
    }
    outcome.wrong
}
