//! Start an update: to a version on offer, recommended or with its risks accepted, to the newest one, to an image by its
//! digest, or back to the release before.
//!
//! What `oc adm upgrade --to`, `--to-latest`, `--to-image` and `rollback` do, with the checks that they leave out
//! (Upgradeable, Failing=Unknown, paused and unavailable nodes).

use super::cluster_version::{ALLOW_WITH_WARNINGS, KINDS, PATCH, idle, seen, told};
use super::update_request::{DANGER, EXPLICIT, IMAGE, NEWEST, NOT_RECOMMENDED, RISK, Request, WARNINGS, upgradeable};
use super::update_target::{Limits, Release, Source, resolve};
use super::{ActionId, Arg, ArgKind, Ask, Entry, Material, Offered, Plan, Refusal, Session, Takes, Target, gate, ibu};
use crate::api::{self, Conditions as _, Tri};
use crate::upgrade::assessment::Assessment;

/// Start an update.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::StartUpdate,
    name: "start-update",
    word: "update",
    summary: "start an update: to a version on offer, the newest, or an image by its digest",
    gerund: "starting an update",
    dangers: &[DANGER],
    takes: Takes::Version,
    args: &[
        NEWEST,
        IMAGE,
        EXPLICIT,
        RISK,
        NOT_RECOMMENDED,
        WARNINGS,
        Arg::option("rollback", ArgKind::Flag, "back to the release before, of the same minor"),
    ],
    permissions: &[PATCH],
    needs: &[],
    inverse: None,
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let ask = Ask::new(ActionId::StartUpdate, target.clone());
    let (title, refusal) = match target {
        Target::Version(version) => (format!("Start update to {version}"), prepared(assessment, session, &ask).err()),
        Target::Cluster => ("Start an update".to_owned(), available_at_all(assessment, session).err()),
        _ => return None,
    };
    Some(Offered { action: ActionId::StartUpdate, title, danger: DANGER, refusal })
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let chosen = matches!(ask.target, Target::Version(_)) || ask.args.flag("newest") || ask.args.flag("image");
    if !chosen {
        available_at_all(assessment, session)?;
    }
    let Prepared { seen, release, passed_over } = prepared(assessment, session, ask)?;
    let title = match release.source {
        Source::Before => format!("Go back to {}", release.name()),
        _ => format!("Start update to {}", release.name()),
    };
    Request { assessment, seen, ask, material, release, force: false, passed_over }.plan(session, &ENTRY, title)
}

/// What is asked for, and that it may be.
struct Prepared<'a> {
    seen: &'a api::ClusterVersion,
    release: Release,
    passed_over: Vec<String>,
}

fn prepared<'a>(assessment: &'a Assessment, session: &Session, ask: &Ask) -> Result<Prepared<'a>, Refusal> {
    gate::session(assessment, session, KINDS)?;
    let seen = seen(assessment)?;
    let limits =
        Limits { rollback: ask.args.flag("rollback"), explicit: ask.args.flag("allow-explicit"), force: false };
    let release = resolve(assessment, seen, ask, limits)?;
    if limits.rollback && release.source != Source::Before {
        return Err(Refusal(format!("{} is no way back: leave rollback away", release.name())));
    }
    ibu::none_under_way(assessment)?;
    // Going back is for a release that fails: only that nothing is at work has to hold, and was checked.
    let passed_over = idle(seen, ask.args.flag(ALLOW_WITH_WARNINGS) || release.source == Source::Before)?;
    upgradeable(seen, &release.version)?;
    gate::permitted(assessment, &PATCH)?;
    Ok(Prepared { seen, release, passed_over })
}

/// Can any update be started now?
fn available_at_all(assessment: &Assessment, session: &Session) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    let seen = seen(assessment)?;
    ibu::none_under_way(assessment)?;
    idle(seen, false)?;
    if assessment.update.offers.is_empty() {
        let why = retrieval_trouble(seen).unwrap_or_default();
        return Err(Refusal(format!("no update is on offer{why}")));
    }
    gate::permitted(assessment, &PATCH)
}

/// Why there may be no offers.
fn retrieval_trouble(seen: &api::ClusterVersion) -> Option<String> {
    let found = seen.status.conditions.condition("RetrievedUpdates")?;
    (found.status != Tri::True).then(|| format!(": {}", told(found)))
}
