//! Recommended and conditional updates.
//!
//! Rules: cluster-version-operator, pkg/cvo/availableupdates.go.

use semver::Version;
use serde_json::{Value, json};

use super::super::world::World;
use crate::sim::cluster::cluster_version::release_object;
use crate::sim::cluster::object::{Condition, set_condition, text};
use crate::sim::scenario::{Applies, MishapKind, Release, Risk, Scenario};

/// Writes `availableUpdates`, `conditionalUpdates` and RetrievedUpdates.
pub fn write(world: &World, object: &Value) {
    let channel = text(object, "/spec/channel");
    let current = text(object, "/status/desired/version");
    let known = release_object(&world.scenario, current);
    let in_channel = known["channels"].as_array().is_some_and(|channels| channels.iter().any(|it| it == channel));
    let retrieved = if world.strikes(MishapKind::UpdatesUnreachable, "").is_some() {
        let message = "Unable to retrieve available updates: Get \"https://api.openshift.com/api/upgrades_info/v1/graph\": \
                       dial tcp: lookup api.openshift.com: i/o timeout";
        Err(("RemoteFailed", message.to_owned()))
    } else if channel.is_empty() {
        Err(("NoChannel", "The update channel has not been configured.".to_owned()))
    } else if in_channel {
        Ok(())
    } else {
        let message = format!(
            "Unable to retrieve available updates: currently reconciling cluster version {current} not found in \
             the {channel:?} channel"
        );
        Err(("VersionNotFound", message))
    };
    let (available, conditional) = match &retrieved {
        Ok(()) => offers(world, current, channel),
        Err(_) => (Vec::new(), Vec::new()),
    };
    super::write(world, |object| {
        let fields = &mut object["status"];
        fields["availableUpdates"] = if available.is_empty() { Value::Null } else { json!(available) };
        if conditional.is_empty() {
            if let Some(fields) = fields.as_object_mut() {
                fields.remove("conditionalUpdates");
            }
        } else {
            let since = |version: &Value| {
                fields["conditionalUpdates"]
                    .as_array()
                    .and_then(|old| old.iter().find(|it| it["release"]["version"] == *version))
                    .map(|it| it["conditions"].clone())
            };
            let mut list = conditional;
            for update in &mut list {
                if let Some(old) = since(&update["release"]["version"])
                    && old[0]["status"] == update["conditions"][0]["status"]
                {
                    update["conditions"][0]["lastTransitionTime"] = old[0]["lastTransitionTime"].clone();
                }
            }
            fields["conditionalUpdates"] = json!(list);
        }
        let condition = match &retrieved {
            Ok(()) => Condition::new("RetrievedUpdates", "True", "", ""),
            Err((reason, message)) => Condition::new("RetrievedUpdates", "False", reason, message),
        };
        set_condition(object, &condition, world.now);
    });
}

fn offers(world: &World, current: &str, channel: &str) -> (Vec<Value>, Vec<Value>) {
    let mut releases: Vec<&Release> = candidates(&world.scenario, current, channel);
    releases.sort_by_key(|release| std::cmp::Reverse(Version::parse(&release.version).ok()));
    let mut available = Vec::new();
    let mut conditional = Vec::new();
    for release in releases {
        let object = release_object(&world.scenario, &release.version);
        if release.risks.is_empty() {
            available.push(object);
            continue;
        }
        let condition = recommended(&release.risks);
        if condition.status == "True" {
            available.push(object.clone());
        }
        conditional.push(json!({
            "conditions": [condition.at(world.now)],
            "release": object,
            "risks": release.risks.iter().map(risk_object).collect::<Vec<_>>(),
        }));
    }
    (available, conditional)
}

/// Releases that the graph has an edge to: newer, in the channel, at most one minor version ahead.
fn candidates<'a>(scenario: &'a Scenario, current: &str, channel: &str) -> Vec<&'a Release> {
    let Ok(current) = Version::parse(current) else { return Vec::new() };
    let reachable = |release: &&Release| {
        Version::parse(&release.version).is_ok_and(|version| {
            version > current && version.major == current.major && version.minor <= current.minor + 1
        }) && release.channels.iter().any(|it| it == channel)
    };
    scenario.releases.iter().filter(reachable).collect()
}

fn risk_object(risk: &Risk) -> Value {
    let rule = match &risk.promql {
        Some(query) => json!({"type": "PromQL", "promql": {"promql": query}}),
        None => json!({"type": "Always"}),
    };
    json!({"matchingRules": [rule], "message": risk.message, "name": risk.name, "url": risk.url})
}

/// The condition Recommended of a conditional update.
fn recommended(risks: &[Risk]) -> OwnedCondition {
    let exposed: Vec<&Risk> = risks.iter().filter(|risk| risk.applies == Applies::Yes).collect();
    let unknown: Vec<&Risk> = risks.iter().filter(|risk| risk.applies == Applies::Unknown).collect();
    let text = |risk: &Risk| format!("{} {}", risk.message, risk.url);
    match (exposed.as_slice(), unknown.as_slice()) {
        ([], []) => OwnedCondition {
            status: "True",
            reason: "NotExposedToRisks".to_owned(),
            message: "The update is recommended, because none of the conditional update risks apply to this cluster."
                .to_owned(),
        },
        ([one], []) => OwnedCondition { status: "False", reason: one.name.clone(), message: text(one) },
        ([], [one]) => OwnedCondition {
            status: "Unknown",
            reason: "EvaluationFailed".to_owned(),
            message: format!(
                "Could not evaluate exposure to update risk {} (client-side throttling)\n  {0} description: {}\n  \
                 {0} URL: {}",
                one.name, one.message, one.url
            ),
        },
        (exposed, unknown) => OwnedCondition {
            status: if exposed.is_empty() { "Unknown" } else { "False" },
            reason: "MultipleReasons".to_owned(),
            message: exposed.iter().chain(unknown).map(|risk| text(risk)).collect::<Vec<_>>().join("\n\n"),
        },
    }
}

/// A condition Recommended with its own texts.
struct OwnedCondition {
    status: &'static str,
    reason: String,
    message: String,
}

impl OwnedCondition {
    fn at(&self, now: chrono::DateTime<chrono::Utc>) -> Value {
        Condition::new("Recommended", self.status, &self.reason, &self.message).at(now)
    }
}
