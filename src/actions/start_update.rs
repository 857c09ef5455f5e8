//! Start an update to a version on offer.
//!
//! What `oc adm upgrade --to` does, with the checks that it leaves out (Upgradeable, Failing=Unknown, paused and
//! unavailable nodes) and with `mode` removed: a merge patch without it would keep an earlier `mode: Preflight`, and
//! the request would stay a preflight.

use semver::Version;
use serde_json::{Value, json};

use super::request::Change;
use super::words::{count, list, shell};
use super::{
    ActionId, Ask, Confirm, Danger, Effect, Entry, Material, Offered, PatchKind, Plan, Precondition, Question, Refusal,
    Session, Takes, Target, Write, gate,
};
use crate::api::{self, Condition, Conditions as _, Tri};
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::{Assessment, Offer, OperatorRow};
use crate::upgrade::facts::Kind;

/// It cannot be taken back.
pub(super) const DANGER: Danger = Danger::H;

/// Starting an update patches the ClusterVersion.
pub(super) const PATCH: Permission = Permission::cluster("patch", "config.openshift.io", "clusterversions");

/// Start an update.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::StartUpdate,
    name: "start-update",
    word: "update",
    summary: "start an update to a version on offer",
    gerund: "starting an update",
    dangers: &[DANGER],
    takes: Takes::Version,
    args: &[],
    permissions: &[PATCH],
    needs: &[],
    inverse: None,
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let (title, refusal) = match target {
        Target::Version(version) => (title(version), available(assessment, session, version).err()),
        Target::Cluster => ("Start an update".to_owned(), available_at_all(assessment, session).err()),
        _ => return None,
    };
    Some(Offered { action: ActionId::StartUpdate, title, danger: DANGER, refusal })
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, _: &Material) -> Result<Plan, Refusal> {
    let Target::Version(version) = &ask.target else {
        available_at_all(assessment, session)?;
        return Err(Refusal("choose the version to update to".to_owned()));
    };
    plan(assessment, session, ask, version)
}

/// What the decision rests on.
const KINDS: &[Kind] = &[Kind::ClusterVersions];

/// Can any update be started now?
pub(super) fn available_at_all(assessment: &Assessment, session: &Session) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    let seen = seen(assessment)?;
    idle(seen)?;
    if assessment.update.offers.is_empty() {
        let why = retrieval_trouble(seen).unwrap_or_default();
        return Err(Refusal(format!("no update is on offer{why}")));
    }
    gate::permitted(assessment, &PATCH)
}

/// Can an update to `version` be started now?
pub(super) fn available(assessment: &Assessment, session: &Session, version: &str) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    let seen = seen(assessment)?;
    let offer = higher_and_on_offer(assessment, seen, version)?;
    idle(seen)?;
    upgradeable(seen, version)?;
    if let Some(risk) = &offer.risk {
        return Err(Refusal(format!("{version} is on offer, but not recommended for this cluster: {risk}")));
    }
    gate::permitted(assessment, &PATCH)
}

/// The plan.
fn plan(assessment: &Assessment, session: &Session, ask: &Ask, version: &str) -> Result<Plan, Refusal> {
    available(assessment, session, version)?;
    let seen = seen(assessment)?;
    let offer = higher_and_on_offer(assessment, seen, version)?;
    Ok(Plan {
        danger: DANGER,
        preconditions: preconditions(assessment, seen, offer),
        consequences: consequences(assessment, seen, offer),
        writes: vec![write(session, seen, offer)?],
        questions: vec![Question {
            name: "etcd-backup",
            words: "Where is the etcd backup that was taken before this update?".to_owned(),
        }],
        confirm: Confirm::Type(version.to_owned()),
        effect: Effect::UpdateRequested { version: version.to_owned() },
        strict_lock: true,
        ..Plan::draft(&ENTRY, ask, title(version))
    })
}

/// `Start update to 4.18.25`.
pub(super) fn title(version: &str) -> String {
    format!("Start update to {version}")
}

fn seen(assessment: &Assessment) -> Result<&api::ClusterVersion, Refusal> {
    assessment.facts.cluster_version.as_deref().ok_or_else(|| Refusal("there is no ClusterVersion".to_owned()))
}

/// The request. Both version and image, as `oc` sends: a version alone is looked up among the recommended ones only.
/// Accepted risks stay, since a merge patch leaves what it does not name.
fn write(session: &Session, seen: &api::ClusterVersion, offer: &Offer) -> Result<Write, Refusal> {
    let name = seen.name();
    let stored = |field: &str, value: Value| (format!("/spec/desiredUpdate/{field}"), value);
    Change {
        object: format!("clusterversion/{name}"),
        path: format!("/apis/config.openshift.io/v1/clusterversions/{name}"),
        patch: PatchKind::Merge,
        metadata: &seen.metadata,
        spec: json!({ "desiredUpdate": {
            "architecture": "",
            "version": offer.version,
            "image": offer.image,
            "force": false,
            "mode": null,
        } }),
        oc: format!("adm upgrade --to={}", shell(&offer.version)),
        stored: vec![
            stored("version", json!(offer.version)),
            stored("image", json!(offer.image)),
            stored("force", Value::Null),
            stored("mode", Value::Null),
        ],
    }
    .write(session)
}

/// `version` is above the present one, and on offer.
fn higher_and_on_offer<'a>(
    assessment: &'a Assessment,
    seen: &api::ClusterVersion,
    version: &str,
) -> Result<&'a Offer, Refusal> {
    let present = &seen.status.desired.version;
    if version == present {
        return Err(Refusal(format!("the cluster is at {version} already, or on its way to it")));
    }
    if let Some(wanted) = &seen.spec.desired_update
        && wanted.version == version
    {
        return Err(Refusal(format!("{version} is requested already; {}", acceptance(seen))));
    }
    let Some((from, to)) = Version::parse(present).ok().zip(Version::parse(version).ok()) else {
        return Err(Refusal(format!("{version} cannot be compared with the present version {present}")));
    };
    if to <= from {
        return Err(Refusal(format!("{version} is below the present version {present}: going back is not an update")));
    }
    let offer = assessment.update.offers.iter().find(|offer| offer.version == version).ok_or_else(|| {
        let offers = list(assessment.update.offers.iter().map(|offer| offer.version.as_str()));
        let offers = if offers.is_empty() { "nothing is".to_owned() } else { format!("on offer: {offers}") };
        let channel = seen.spec.channel.as_deref().unwrap_or("none");
        Refusal(format!("{version} is not on offer (channel {channel}; {offers})"))
    })?;
    if offer.image.is_empty() {
        return Err(Refusal(format!("{version} is on offer without an image")));
    }
    // cluster-version-operator, ClusterVersionGiantHop (pkg/payload/precondition/clusterversion/gianthop.go).
    if to.major == from.major && to.minor.saturating_sub(from.minor) > 1 {
        return Err(Refusal(format!("{version} is more than one minor version above {present}")));
    }
    Ok(offer)
}

/// Nothing is wrong with the ClusterVersion and nothing is under way (`checkForUpgrade` of `oc adm upgrade`, which lets
/// Failing=Unknown pass; a cluster whose operator cannot tell is no cluster to start an update on).
fn idle(seen: &api::ClusterVersion) -> Result<(), Refusal> {
    let conditions = seen.status.conditions.as_slice();
    if let Some(invalid) = conditions.condition("Invalid").filter(|found| found.status == Tri::True) {
        return Err(Refusal(format!("the ClusterVersion is invalid: {}", told(invalid))));
    }
    match conditions.condition("Failing") {
        Some(failing) if failing.status == Tri::False => {}
        Some(failing) => return Err(Refusal(format!("Failing is {}: {}", failing.status.word(), told(failing)))),
        None => {
            return Err(Refusal(
                "the ClusterVersion has no condition Failing: it is not known to be healthy".to_owned(),
            ));
        }
    }
    if let Some(progressing) = conditions.condition("Progressing").filter(|found| found.status == Tri::True) {
        return Err(Refusal(format!("an update is in progress: {}", told(progressing))));
    }
    if seen.status.observed_generation != 0
        && seen.metadata.generation.is_some_and(|generation| generation != seen.status.observed_generation)
    {
        return Err(Refusal(
            "the cluster-version operator has not yet taken note of the last change of its spec".to_owned(),
        ));
    }
    Ok(())
}

/// A minor or major update is barred while Upgradeable is False, whether by an operator, an admin gate or an override;
/// a patch update is not (precondition ClusterVersionUpgradeable). Up to 4.22 the causes are conditions of their own
/// (`UpgradeableAdminAckRequired` ...), and the sum may lag behind them.
fn upgradeable(seen: &api::ClusterVersion, version: &str) -> Result<(), Refusal> {
    let present = &seen.status.desired.version;
    if !beyond_patch(present, version) {
        return Ok(());
    }
    let barred: Vec<&Condition> = seen
        .status
        .conditions
        .iter()
        .filter(|found| found.kind.starts_with("Upgradeable") && found.status == Tri::False)
        .collect();
    // The sum repeats its causes: told alone where it is there.
    let sum = barred.iter().find(|found| found.kind == "Upgradeable").or(barred.first());
    match sum {
        None => Ok(()),
        Some(found) => Err(Refusal(format!(
            "{version} is not a patch of {present}, and Upgradeable is False ({}): {}",
            found.reason, found.message
        ))),
    }
}

/// Another minor or major version?
fn beyond_patch(from: &str, to: &str) -> bool {
    let minor = |version: &str| Version::parse(version).ok().map(|version| (version.major, version.minor));
    minor(from) != minor(to)
}

/// Reason and message of a condition.
fn told(condition: &Condition) -> String {
    match (condition.reason.as_str(), condition.message.as_str()) {
        ("", "") => "no reason is given".to_owned(),
        ("", message) => message.to_owned(),
        (reason, "") => reason.to_owned(),
        (reason, message) => format!("{message} ({reason})"),
    }
}

/// How far a request that was made before has come.
fn acceptance(seen: &api::ClusterVersion) -> String {
    match seen.status.conditions.condition("ReleaseAccepted") {
        Some(found) if found.status == Tri::True => "the operator has accepted its payload".to_owned(),
        Some(found) => format!("ReleaseAccepted is {}: {}", found.status.word(), told(found)),
        None => "the operator has not said yet whether it accepts it".to_owned(),
    }
}

/// Why there may be no offers.
fn retrieval_trouble(seen: &api::ClusterVersion) -> Option<String> {
    let found = seen.status.conditions.condition("RetrievedUpdates")?;
    (found.status != Tri::True).then(|| format!(": {}", told(found)))
}

fn preconditions(assessment: &Assessment, seen: &api::ClusterVersion, offer: &Offer) -> Vec<Precondition> {
    let conditions = seen.status.conditions.as_slice();
    let status = |kind: &str| {
        let found = conditions.condition(kind).map_or("absent", |found| found.status.word());
        format!("clusterversion/version {kind} = {found}")
    };
    let line = |words: &str, evidence: String| Precondition { words: words.to_owned(), evidence };
    let present = &seen.status.desired.version;
    let mut lines = vec![
        line("the ClusterVersion is valid", status("Invalid")),
        line("nothing fails", status("Failing")),
        line("no update is in progress", status("Progressing")),
        Precondition {
            words: format!("{} is recommended for this cluster", offer.version),
            evidence: format!("clusterversion/version status.availableUpdates: {}", offer.image),
        },
        Precondition {
            words: format!("{} is above {present}", offer.version),
            evidence: format!("clusterversion/version status.desired.version = {present}"),
        },
    ];
    if beyond_patch(present, &offer.version) {
        lines.push(line("a minor update is not barred", status("Upgradeable")));
    }
    lines.push(gate::permission_found(assessment, &PATCH));
    lines
}

fn consequences(assessment: &Assessment, seen: &api::ClusterVersion, offer: &Offer) -> Vec<String> {
    let present = &seen.status.desired.version;
    let size = if beyond_patch(present, &offer.version) { "minor update" } else { "patch update" };
    let mut lines = vec![
        format!("{present} -> {} ({size}), image {}", offer.version, offer.image),
        "once accepted it cannot be stopped or taken back: a failed update is repaired forward, or restored from etcd's \
         backup"
            .to_owned(),
    ];
    lines.extend(offer.url.as_ref().map(|url| format!("release notes: {url}")));
    if let Some(wanted) = &seen.spec.desired_update
        && wanted.version != *present
        && !wanted.version.is_empty()
    {
        lines.push(format!("it replaces the request for {}; {}", wanted.version, acceptance(seen)));
    }
    lines.extend(reboots(assessment));
    lines.extend(warnings(assessment, seen));
    lines
}

/// Which nodes will reboot, by pool.
fn reboots(assessment: &Assessment) -> Vec<String> {
    let mut lines = Vec::new();
    let rolling: Vec<String> = assessment
        .pools
        .iter()
        .filter(|pool| !pool.paused && pool.total > 0)
        .map(|pool| format!("{} {} at most {} at a time", pool.name, pool.total, pool.capacity.max_unavailable))
        .collect();
    if !rolling.is_empty() {
        lines.push(format!(
            "after the operators, nodes are drained and rebooted, pools side by side: {}",
            rolling.join(", ")
        ));
    }
    for pool in assessment.pools.iter().filter(|pool| pool.paused && pool.total > 0) {
        lines.push(format!(
            "pool {} is paused: its {} stay behind until it is unpaused",
            pool.name,
            count(pool.total, "node")
        ));
    }
    lines
}

/// What does not bar the update, but should be known before it.
fn warnings(assessment: &Assessment, seen: &api::ClusterVersion) -> Vec<String> {
    let mut lines = Vec::new();
    let unwell: Vec<&OperatorRow> =
        assessment.operators.rows.iter().filter(|row| row.platform && (row.degraded || !row.available)).collect();
    if !unwell.is_empty() {
        lines.push(format!(
            "operators degraded or unavailable now: {}",
            list(unwell.iter().map(|row| row.name.as_str()))
        ));
    }
    for pool in assessment.pools.iter().filter(|pool| pool.degraded_message.is_some()) {
        lines.push(format!("pool {} is degraded now: the update waits until it is not", pool.name));
    }
    let out: Vec<&str> =
        assessment.nodes.iter().filter(|node| node.unavailable).map(|node| node.name.as_str()).collect();
    if !out.is_empty() {
        lines.push(format!("nodes that are cordoned or unavailable now take capacity from their pools: {}", list(out)));
    }
    let unmanaged = seen.spec.overrides.iter().filter(|entry| entry.unmanaged).count();
    if unmanaged > 0 {
        let overrides = count(unmanaged, "component override");
        lines.push(format!(
            "{overrides} in spec.overrides: up to 4.20 the operator refuses every update while one is set"
        ));
    }
    lines
}
