//! Recommended and conditional updates, and the risks that somebody accepted.
//!
//! Rules: cluster-version-operator, pkg/cvo/availableupdates.go. With the feature gate ClusterUpdateAcceptRisks an update
//! whose exposed risks are all accepted is recommended, and what the risks say of the cluster is told risk by risk.

use semver::Version;
use serde_json::{Value, json};

use super::super::world::World;
use crate::sim::cluster::cluster_version::{is_multi, release_object};
use crate::sim::cluster::object::{Condition, items, set_condition, text};
use crate::sim::kinds::Res;
use crate::sim::scenario::{Applies, MishapKind, Release, Risk, Scenario};
use crate::sim::schema::gated::Gates;

/// Writes `availableUpdates`, `conditionalUpdates` and RetrievedUpdates.
pub fn write(world: &World, object: &Value) {
    let channel = text(object, "/spec/channel");
    let current = text(object, "/status/desired/version");
    let multi = is_multi(object);
    let known = release_object(&world.scenario, current, multi);
    let in_channel = known["channels"].as_array().is_some_and(|channels| channels.iter().any(|it| it == channel));
    let asked = &object["spec"]["desiredUpdate"];
    let migrates = !multi && asked["architecture"] == "Multi";
    let service = service(world, text(object, "/spec/upstream"));
    let retrieved = if let Some(problem) = unreachable(world, &service) {
        Err(problem)
    } else if channel.is_empty() {
        Err(("NoChannel", "The update channel has not been configured.".to_owned()))
    } else if migrates {
        // Nothing but the payload of the same version for all architectures.
        let same = release_object(&world.scenario, current, true);
        return store(world, &Ok(()), &[same], Vec::new(), None);
    } else if in_channel {
        Ok(())
    } else {
        let message = format!(
            "Unable to retrieve available updates: currently reconciling cluster version {current} not found in \
             the {channel:?} channel"
        );
        Err(("VersionNotFound", message))
    };
    let accepted = accepted(world, object);
    let (available, conditional) = match &retrieved {
        Ok(()) => offers(world, current, channel, (multi, &service), accepted.as_deref()),
        Err(_) => (Vec::new(), Vec::new()),
    };
    let judged = accepted.is_some().then(|| judged(world, &conditional));
    store(world, &retrieved, &available, conditional, judged);
}

/// The names of risks that somebody accepted; none where the operator does not heed them.
pub fn accepted(world: &World, cluster: &Value) -> Option<Vec<String>> {
    let heeds = Gates::of(&world.store, Res::CLUSTER_VERSIONS).accept_risks(cluster);
    let names = items(cluster, "/spec/desiredUpdate/acceptRisks").iter();
    heeds.then(|| names.map(|risk| text(risk, "/name").to_owned()).collect())
}

/// `status.conditionalUpdateRisks`: each risk once, newest release first, with what it is to this cluster.
fn judged(world: &World, conditional: &[Value]) -> Vec<Value> {
    let mut judged: Vec<Value> = Vec::new();
    for update in conditional {
        let release = world.scenario.releases.iter().find(|it| update["release"]["version"] == it.version);
        for risk in release.into_iter().flat_map(|release| &release.risks) {
            if judged.iter().any(|known| known["name"] == risk.name) {
                continue;
            }
            let unknown = unknown_exposure(risk);
            let condition = match risk.applies {
                Applies::Yes => Condition::new("Applies", "True", "Match", ""),
                Applies::No => Condition::new("Applies", "False", "NotMatch", ""),
                Applies::Unknown => Condition::new("Applies", "Unknown", "EvaluationFailed", &unknown),
            };
            let mut object = risk_object(risk);
            object["conditions"] = json!([condition.at(world.now)]);
            judged.push(object);
        }
    }
    judged
}

/// Who is asked for recommendations.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Service {
    /// The one on the internet.
    Public,
    /// One in this cluster.
    Local,
    /// Another, which nobody here knows.
    Unknown(String),
}

/// The path of the graph below the URI of an update service.
const GRAPH: &str = "/api/upgrades_info/v1/graph";

fn service(world: &World, upstream: &str) -> Service {
    let public = upstream.is_empty() || upstream.starts_with("https://api.openshift.com/");
    let is_local = |service: &Value| {
        let uri = text(service, "/status/policyEngineURI");
        !uri.is_empty() && upstream.strip_prefix(uri).is_some_and(|path| path == GRAPH)
    };
    if public {
        Service::Public
    } else if world.store.list(Res::UPDATE_SERVICES).iter().any(|service| is_local(service)) {
        Service::Local
    } else {
        Service::Unknown(upstream.to_owned())
    }
}

/// Why a service does not answer: reason and message.
fn unreachable(world: &World, service: &Service) -> Option<(&'static str, String)> {
    let get = |url: &str, why: &str| {
        Some(("RemoteFailed", format!("Unable to retrieve available updates: Get \"{url}\": {why}")))
    };
    let timeout = "dial tcp: lookup api.openshift.com: i/o timeout";
    match service {
        Service::Local => None,
        Service::Public => {
            let offline = world.scenario.cluster.mirror.as_ref().is_some_and(|mirror| !mirror.update_service);
            let struck = world.strikes(MishapKind::UpdatesUnreachable, "").is_some();
            if struck || offline { get(&format!("https://api.openshift.com{GRAPH}"), timeout) } else { None }
        }
        Service::Unknown(url) => {
            let host = url.split('/').nth(2).unwrap_or_default();
            get(url, &format!("dial tcp: lookup {host}: no such host"))
        }
    }
}

/// Writes what was retrieved, or why nothing was.
fn store(
    world: &World,
    retrieved: &Result<(), (&'static str, String)>,
    available: &[Value],
    conditional: Vec<Value>,
    judged: Option<Vec<Value>>,
) {
    super::write(world, |object| {
        let fields = &mut object["status"];
        store_judged(fields, judged);
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
        let condition = match retrieved {
            Ok(()) => Condition::new("RetrievedUpdates", "True", "", ""),
            Err((reason, message)) => Condition::new("RetrievedUpdates", "False", reason, message),
        };
        set_condition(object, &condition, world.now);
    });
}

/// Writes what the risks are to this cluster; what was said before keeps its time while it says the same.
fn store_judged(fields: &mut Value, judged: Option<Vec<Value>>) {
    let Some(mut judged) = judged.filter(|judged| !judged.is_empty()) else {
        if let Some(fields) = fields.as_object_mut() {
            fields.remove("conditionalUpdateRisks");
        }
        return;
    };
    for risk in &mut judged {
        let before = items(fields, "/conditionalUpdateRisks").iter().find(|it| it["name"] == risk["name"]);
        if let Some(before) = before.filter(|it| it["conditions"][0]["status"] == risk["conditions"][0]["status"]) {
            risk["conditions"][0]["lastTransitionTime"] = before["conditions"][0]["lastTransitionTime"].clone();
        }
    }
    fields["conditionalUpdateRisks"] = json!(judged);
}

fn offers(
    world: &World,
    current: &str,
    channel: &str,
    (multi, service): (bool, &Service),
    accepted: Option<&[String]>,
) -> (Vec<Value>, Vec<Value>) {
    let mut releases: Vec<&Release> = candidates(&world.scenario, current, channel);
    if *service == Service::Local
        && let Some(mirror) = &world.scenario.cluster.mirror
    {
        // A service here offers what its registry has.
        releases.retain(|release| mirror.releases.is_empty() || mirror.releases.contains(&release.version));
    }
    releases.sort_by_key(|release| std::cmp::Reverse(Version::parse(&release.version).ok()));
    let mut available = Vec::new();
    let mut conditional = Vec::new();
    for release in releases {
        let object = release_object(&world.scenario, &release.version, multi);
        if release.risks.is_empty() {
            available.push(object);
            continue;
        }
        let condition = recommended(&release.risks, accepted.unwrap_or_default());
        if condition.status == "True" {
            available.push(object.clone());
        }
        let mut update = json!({
            "conditions": [condition.at(world.now)],
            "release": object,
            "risks": release.risks.iter().map(risk_object).collect::<Vec<_>>(),
        });
        if accepted.is_some() {
            update["riskNames"] = json!(release.risks.iter().map(|risk| &risk.name).collect::<Vec<_>>());
        }
        conditional.push(update);
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

/// Why nobody can say whether a risk applies.
fn unknown_exposure(risk: &Risk) -> String {
    format!(
        "Could not evaluate exposure to update risk {} (client-side throttling)\n  {0} description: {}\n  {0} URL: {}",
        risk.name, risk.message, risk.url
    )
}

/// The condition Recommended of a conditional update (`evaluateConditionalUpdate`). Only a risk that applies can be
/// accepted: one that nobody could judge stays unknown.
fn recommended(risks: &[Risk], accepted: &[String]) -> OwnedCondition {
    let (mut reasons, mut texts): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
    let (mut exposed, mut unknown, mut borne) = (false, false, false);
    for risk in risks {
        match risk.applies {
            Applies::No => {}
            Applies::Yes if accepted.contains(&risk.name) => borne = true,
            Applies::Yes => {
                exposed = true;
                reasons.push(if is_reason(&risk.name) { &risk.name } else { "ExposedToRisks" });
                texts.push(format!("{} {}", risk.message, risk.url));
            }
            Applies::Unknown => {
                unknown = true;
                reasons.push("EvaluationFailed");
                texts.push(unknown_exposure(risk));
            }
        }
    }
    let fine = if borne {
        "The update is recommended, because either risk does not apply to this cluster or it is accepted by cluster \
         admins."
    } else {
        "The update is recommended, because none of the conditional update risks apply to this cluster."
    };
    let reason = match reasons.as_slice() {
        [] if borne => "AllExposedRisksAccepted",
        [] => "NotExposedToRisks",
        [one, others @ ..] if others.iter().all(|other| other == one) => one,
        _ => "MultipleReasons",
    };
    OwnedCondition {
        status: match (exposed, unknown) {
            (true, _) => "False",
            (false, true) => "Unknown",
            (false, false) => "True",
        },
        reason: reason.to_owned(),
        message: if texts.is_empty() { fine.to_owned() } else { texts.join("\n\n") },
    }
}

/// Whether a risk's name can be the reason of a condition.
fn is_reason(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ',' | ':');
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(fits)
        && name.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
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
