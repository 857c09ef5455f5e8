//! Force an update: the cluster-version operator passes over the signature and its own preconditions.
//!
//! What `oc adm upgrade --force` does. It is for a release that is known to be good and whose signature cannot be had, or
//! for a precondition that is known not to hold any more; not for going back, nor over a minor: those are refused here.

use super::cluster_version::{ALLOW_WITH_WARNINGS, KINDS, PATCH, acceptance, idle, seen};
use super::update_request::{DANGER, EXPLICIT, IMAGE, NOT_RECOMMENDED, RISK, Request, WARNINGS, barred};
use super::update_target::{Limits, Release, resolve};
use super::{ActionId, Ask, Confirm, Entry, Material, Offered, Plan, Refusal, Session, Takes, Target, gate, ibu};
use crate::api;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::updates::gates_of;

/// Force an update.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::ForceUpdate,
    name: "force-update",
    word: "force",
    summary: "force an update: signature and preconditions are passed over",
    gerund: "forcing an update",
    dangers: &[DANGER],
    takes: Takes::Version,
    args: &[IMAGE, EXPLICIT, RISK, NOT_RECOMMENDED, WARNINGS],
    permissions: &[PATCH],
    needs: &[],
    inverse: None,
    offered,
    plan: make,
};

/// Offered only for what the operator refuses: a request that it did not take, or a version that it would not.
fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let version = assessment.facts.cluster_version.as_deref()?;
    let refused = assessment.update.requested.as_ref().filter(|requested| requested.refused);
    let target = match target {
        Target::Version(wanted) => {
            let waits = refused.is_some_and(|refused| refused.target == *wanted);
            (waits || barred(version, wanted).is_some()).then(|| target.clone())?
        }
        Target::Cluster => Target::Version(refused?.target.clone()),
        _ => return None,
    };
    let ask = Ask::new(ActionId::ForceUpdate, target.clone());
    let refusal = prepared(assessment, session, &ask).err();
    let Target::Version(name) = &target else { return None };
    Some(Offered { action: ActionId::ForceUpdate, title: title(name), danger: DANGER, refusal })
}

fn title(name: &str) -> String {
    format!("Force the update to {name}")
}

/// What is asked for; for the cluster as a whole it is what the operator has refused.
fn aimed(assessment: &Assessment, ask: &Ask) -> Ask {
    let refused = assessment.update.requested.as_ref().filter(|requested| requested.refused);
    match (&ask.target, refused) {
        (Target::Cluster, Some(refused)) if !ask.args.flag("image") => {
            let by_image = refused.target.contains('@');
            let target = if by_image { Target::Cluster } else { Target::Version(refused.target.clone()) };
            let aimed = Ask { target, ..ask.clone() };
            if by_image { aimed.with("image", refused.target.clone()) } else { aimed }
        }
        (Target::Version(image), _) if image.contains('@') && !ask.args.flag("image") => {
            Ask { target: Target::Cluster, ..ask.clone() }.with("image", image.clone())
        }
        _ => ask.clone(),
    }
}

struct Prepared<'a> {
    seen: &'a api::ClusterVersion,
    release: Release,
    passed_over: Vec<String>,
}

fn prepared<'a>(assessment: &'a Assessment, session: &Session, ask: &Ask) -> Result<Prepared<'a>, Refusal> {
    gate::session(assessment, session, KINDS)?;
    let seen = seen(assessment)?;
    let limits = Limits { rollback: false, explicit: ask.args.flag("allow-explicit"), force: true };
    let release = resolve(assessment, seen, &aimed(assessment, ask), limits)?;
    ibu::none_under_way(assessment)?;
    let passed_over = idle(seen, ask.args.flag(ALLOW_WITH_WARNINGS))?;
    gate::permitted(assessment, &PATCH)?;
    Ok(Prepared { seen, release, passed_over })
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let Prepared { seen, release, passed_over } = prepared(assessment, session, ask)?;
    let (name, typed) = (release.name(), release.typed());
    let bypassed = bypassed(assessment, seen, &release);
    let aimed = aimed(assessment, ask);
    let request = Request { assessment, seen, ask: &aimed, material, release, force: true, passed_over };
    let plan = request.plan(session, &ENTRY, title(&name))?;
    Ok(Plan {
        target: ask.target.clone(),
        args: ask.args.clone(),
        consequences: bypassed.into_iter().chain(plan.consequences).collect(),
        confirm: Confirm::Type(format!("force {typed} without signature and preconditions")),
        ..plan
    })
}

/// What is passed over, and what of it would hold the update up now (cluster-version-operator, pkg/cvo/sync_worker.go:
/// `force` skips the verification of the payload and lets failed preconditions pass).
fn bypassed(assessment: &Assessment, seen: &api::ClusterVersion, release: &Release) -> Vec<String> {
    let mut lines = vec![
        "bypassed: the signature. The payload is not verified, whoever made it runs with full rights on every node; the \
         history says verified: false"
            .to_owned(),
        "bypassed: the preconditions of the operator (Upgradeable, admin gates, version order, recent etcd backup up to \
         4.14). What they would have refused is in the history as accepted"
            .to_owned(),
    ];
    if assessment.update.requested.as_ref().is_some_and(|requested| requested.refused) {
        lines.push(format!("refused so far: {}", acceptance(seen)));
    }
    if let Some(found) = barred(seen, &release.version) {
        lines.push(format!("Upgradeable is False ({}): {}", found.reason, found.message));
    }
    let open = gates_of(assessment).unwrap_or_default();
    for gate in open.iter().filter(|gate| gate.acknowledged == Some(false)) {
        lines.push(format!("admin gate {} is not acknowledged", gate.key));
    }
    lines.push("support may ask for the cluster to be installed anew after a forced update that went wrong".to_owned());
    lines
}
