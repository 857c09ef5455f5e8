//! Clear the request of an update: it is cancelled as long as it was not accepted; afterwards only the field is cleared.
//!
//! What `oc adm upgrade --clear` does, which cannot tell one from the other beforehand.

use serde_json::{Value, json};

use super::cluster_version::{self, MULTI, PATCH, Standing, acceptance, found, name_of, patch_line, writable};
use super::update_request::{EXPLICIT, IMAGE};
use super::{
    ActionId, Ask, Danger, Effect, Entry, Material, Offered, Plan, Refusal, SET, Session, Takes, Target, gate,
    update_risks,
};
use crate::api;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::updates::choices_of;

const DANGER: Danger = Danger::L;

/// Clear the request.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::ClearUpdate,
    name: "clear-update",
    word: "clear",
    summary: "clear the request of an update: it is cancelled unless it was accepted already",
    gerund: "clearing the request of an update",
    dangers: &[DANGER],
    takes: Takes::Cluster,
    args: &[],
    permissions: &[PATCH],
    needs: &[],
    inverse: Some(ActionId::StartUpdate),
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let seen = assessment.facts.cluster_version.as_deref().filter(|_| *target == Target::Cluster)?;
    let standing = Standing::of(assessment, seen);
    if standing == Standing::Nothing {
        return None;
    }
    let refusal = writable(assessment, session).err();
    Some(Offered { action: ActionId::ClearUpdate, title: title(seen, &standing), danger: DANGER, refusal })
}

fn title(seen: &api::ClusterVersion, standing: &Standing) -> String {
    let name = seen.spec.desired_update.as_ref().map(name_of).unwrap_or_default();
    match standing {
        Standing::Waiting(_) | Standing::WaitingForMulti => format!("Cancel the requested update to {name}"),
        Standing::UnderWay => format!("Clear the request for {name}: the update goes on"),
        Standing::Done | Standing::Nothing => format!("Clear the request for {name}, which is done"),
    }
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, _: &Material) -> Result<Plan, Refusal> {
    let seen = writable(assessment, session)?;
    let standing = Standing::of(assessment, seen);
    let Some(wanted) = seen.spec.desired_update.as_ref().filter(|_| standing != Standing::Nothing) else {
        return Err(Refusal("no update is requested".to_owned()));
    };
    let name = name_of(wanted);
    let version = &seen.status.desired.version;
    let again = again(seen, wanted, &standing);
    Ok(Plan {
        danger: DANGER,
        preconditions: vec![
            found(format!("{name} is requested"), "spec.desiredUpdate", &name),
            found("the release that is applied", "status.desired.version", version),
            gate::permission_found(assessment, &PATCH),
        ],
        consequences: consequences(assessment, seen, &standing, &name),
        writes: vec![write(session, seen)?],
        effect: Effect::RequestCleared,
        strict_lock: true,
        inverse: again.as_ref().map(|again| again.action),
        back: again.into_iter().collect(),
        ..Plan::draft(&ENTRY, ask, title(seen, &standing))
    })
}

/// The wish that makes the request again as it was. None where it was taken up already, so that asking for it once more asks
/// for what is; and where no action asks for it in that way (a preflight, another architecture with another version).
fn again(seen: &api::ClusterVersion, wanted: &api::DesiredUpdate, standing: &Standing) -> Option<Ask> {
    if !wanted.mode.is_empty() || !matches!(standing, Standing::Waiting(_) | Standing::WaitingForMulti) {
        return None;
    }
    if !wanted.architecture.is_empty() {
        let same = wanted.version == seen.status.desired.version && wanted.architecture == MULTI;
        return same.then(|| Ask::new(ActionId::MigrateMultiArch, Target::Cluster));
    }
    let action = if wanted.force { ActionId::ForceUpdate } else { ActionId::StartUpdate };
    let target = match wanted.version.as_str() {
        "" => Target::Cluster,
        version => Target::Version(version.to_owned()),
    };
    let ask = Ask::new(action, target);
    let named = |release: &api::Release| release.version == wanted.version && release.image == wanted.image;
    if wanted.image.is_empty() || !choices_of(seen, named).is_empty() {
        return Some(ask);
    }
    Some(ask.with(IMAGE.name, &wanted.image).with(EXPLICIT.name, SET))
}

/// Accepted risks are kept: they are no request (oc: pkg/cli/admin/upgrade/upgrade.go, `--clear`).
fn write(session: &Session, seen: &api::ClusterVersion) -> Result<super::Write, Refusal> {
    let kept = update_risks::accepted(seen);
    if kept.is_empty() {
        let spec = json!({ "desiredUpdate": null });
        let stored = vec![("desiredUpdate", Value::Null)];
        return cluster_version::write(session, seen, spec, "adm upgrade --clear".to_owned(), stored);
    }
    let spec = json!({ "desiredUpdate": {
        "architecture": "", "version": "", "image": "", "force": false, "mode": null,
        "acceptRisks": update_risks::as_list(&kept),
    } });
    let stored = vec![
        ("desiredUpdate/version", json!("")),
        ("desiredUpdate/image", json!("")),
        ("desiredUpdate/architecture", json!("")),
        ("desiredUpdate/mode", Value::Null),
        ("desiredUpdate/acceptRisks", update_risks::as_list(&kept)),
    ];
    let oc = patch_line(&spec);
    cluster_version::write(session, seen, spec, oc, stored)
}

fn consequences(assessment: &Assessment, seen: &api::ClusterVersion, standing: &Standing, name: &str) -> Vec<String> {
    let version = &seen.status.desired.version;
    let mut lines = match standing {
        Standing::Waiting(requested) => {
            let step = if requested.step.is_empty() { String::new() } else { format!(" ({})", requested.step) };
            let how = if requested.refused { "was refused" } else { "is not accepted" };
            vec![
                format!("this cancels it: {name} {how}{step}, and nothing was changed for it; the cluster stays at {version}"),
                "should the operator accept it before this arrives, the ClusterVersion has changed, and nothing is sent \
                 without being looked at again"
                    .to_owned(),
            ]
        }
        Standing::WaitingForMulti => vec![format!(
            "this cancels it: the {MULTI} payload is not accepted ({}); the cluster stays at the one it has",
            acceptance(seen)
        )],
        Standing::UnderWay => vec![
            format!(
                "this does not stop the update: {name} was accepted, and the operator goes on to {version} all the same"
            ),
            "only the field is cleared; a failed update is repaired forward".to_owned(),
        ],
        Standing::Done | Standing::Nothing => {
            vec![format!("only the field is cleared: the cluster is at {version}, and stays there")]
        }
    };
    if matches!(standing, Standing::Waiting(_)) && assessment.update.in_progress {
        let to = assessment.update.to.as_deref().unwrap_or("the release of before");
        lines.push(format!("the update to {to}, which is in progress, goes on"));
    }
    let kept = update_risks::accepted(seen);
    if !kept.is_empty() {
        lines.push(format!("accepted risks stay accepted: {}", kept.join(", ")));
    }
    lines
}
