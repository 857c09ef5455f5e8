//! Migrate to the multi-architecture payload of the present version.
//!
//! What `oc adm upgrade --to-multi-arch` does (oc: pkg/cli/admin/upgrade/upgrade.go).

use serde_json::{Value, json};

use super::cluster_version::{
    self, ALLOW_WITH_WARNINGS, KINDS, MULTI, PATCH, acceptance, found, found_condition, idle, name_of, seen, told,
};
use super::update_request::{DANGER, WARNINGS, reboots, warnings};
use super::{
    ActionId, Ask, Confirm, Effect, Entry, Material, Offered, Plan, Question, Refusal, Session, Takes, Target,
    WantedUpdate, gate, ibu, update_risks,
};
use crate::api::{self, Conditions as _, Tri};
use crate::upgrade::assessment::Assessment;

/// Migrate to the multi-architecture payload.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::MigrateMultiArch,
    name: "migrate-multi-arch",
    word: "multi-arch",
    summary: "migrate to the multi-architecture payload of the present version",
    gerund: "migrating to the multi-architecture payload",
    dangers: &[DANGER],
    takes: Takes::Cluster,
    args: &[WARNINGS],
    permissions: &[PATCH],
    needs: &[],
    inverse: None,
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let seen = assessment.facts.cluster_version.as_deref().filter(|_| *target == Target::Cluster)?;
    // A cluster that is there already is not offered the way.
    if seen.status.desired.architecture == MULTI {
        return None;
    }
    let refusal = available(assessment, session, false).err();
    let title = "Migrate to the multi-architecture payload".to_owned();
    Some(Offered { action: ActionId::MigrateMultiArch, title, danger: DANGER, refusal })
}

fn available<'a>(
    assessment: &'a Assessment,
    session: &Session,
    despite: bool,
) -> Result<(&'a api::ClusterVersion, Vec<String>), Refusal> {
    gate::session(assessment, session, KINDS)?;
    let seen = seen(assessment)?;
    if seen.status.desired.architecture == MULTI {
        return Err(Refusal("the cluster has the multi-architecture payload already".to_owned()));
    }
    if seen.spec.desired_update.as_ref().is_some_and(|wanted| wanted.architecture == MULTI) {
        return Err(Refusal(format!("the multi-architecture payload is requested already; {}", acceptance(seen))));
    }
    if seen.status.desired.version.is_empty() {
        return Err(Refusal("the present version is not known, and the request has to name it".to_owned()));
    }
    ibu::none_under_way(assessment)?;
    let passed_over = idle(seen, despite)?;
    gate::permitted(assessment, &PATCH)?;
    Ok((seen, passed_over))
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, _: &Material) -> Result<Plan, Refusal> {
    let (seen, passed_over) = available(assessment, session, ask.args.flag(ALLOW_WITH_WARNINGS))?;
    let version = seen.status.desired.version.clone();
    let mut preconditions = Vec::new();
    if passed_over.is_empty() {
        preconditions.push(found_condition(seen, "nothing fails", "Failing"));
        preconditions.push(found_condition(seen, "no update is in progress", "Progressing"));
    }
    preconditions.push(found(
        "the payload is of one architecture",
        "status.desired.architecture",
        &seen.status.desired.architecture,
    ));
    preconditions.push(gate::permission_found(assessment, &PATCH));
    let words = "Where is the etcd backup that was taken before this migration?";
    Ok(Plan {
        danger: DANGER,
        preconditions,
        consequences: consequences(assessment, seen, &version, &passed_over),
        writes: vec![write(session, seen, &version, !passed_over.is_empty())?],
        questions: vec![Question::open("etcd-backup", words)],
        confirm: Confirm::Type(MULTI.to_owned()),
        effect: Effect::UpdateRequested(WantedUpdate {
            version: version.clone(),
            architecture: MULTI.to_owned(),
            ..WantedUpdate::default()
        }),
        strict_lock: true,
        ..Plan::draft(&ENTRY, ask, format!("Migrate to the multi-architecture payload of {version}"))
    })
}

/// Architecture and version without an image: both at once the schema refuses.
fn write(session: &Session, seen: &api::ClusterVersion, version: &str, despite: bool) -> Result<super::Write, Refusal> {
    let spec = json!({ "desiredUpdate": {
        "architecture": MULTI, "version": version, "image": "", "force": false, "mode": null,
    } });
    let mut stored = vec![
        ("desiredUpdate/architecture", json!(MULTI)),
        ("desiredUpdate/version", json!(version)),
        ("desiredUpdate/image", json!("")),
        ("desiredUpdate/force", Value::Null),
        ("desiredUpdate/mode", Value::Null),
    ];
    let kept = update_risks::accepted(seen);
    if !kept.is_empty() {
        stored.push(("desiredUpdate/acceptRisks", update_risks::as_list(&kept)));
    }
    let option = if despite { " --allow-upgrade-with-warnings" } else { "" };
    cluster_version::write(session, seen, spec, format!("adm upgrade --to-multi-arch{option}"), stored)
}

fn consequences(
    assessment: &Assessment,
    seen: &api::ClusterVersion,
    version: &str,
    passed_over: &[String],
) -> Vec<String> {
    let mut lines = vec![
        format!("the version stays {version}; every image is exchanged for one that runs on several architectures"),
        "there is no way back to a payload of one architecture".to_owned(),
        "from then on images take more room on mirrors and in the registry, and every later update is of this payload"
            .to_owned(),
    ];
    lines.extend(passed_over.iter().map(|what| format!("passed over: {what}")));
    let repeats = |wanted: &&api::DesiredUpdate| wanted.version == *version;
    if let Some(wanted) = seen.spec.desired_update.as_ref().filter(|wanted| !repeats(wanted))
        && !name_of(wanted).is_empty()
    {
        lines.push(format!("it replaces the request for {}; {}", name_of(wanted), acceptance(seen)));
    }
    let retrieved = seen.status.conditions.condition("RetrievedUpdates");
    if let Some(retrieved) = retrieved.filter(|retrieved| retrieved.status != Tri::True) {
        lines.push(format!(
            "the payload is looked up in the update service, which cannot be asked now: {}",
            told(retrieved)
        ));
    }
    lines.extend(reboots(assessment));
    lines.extend(warnings(assessment, seen));
    lines
}
