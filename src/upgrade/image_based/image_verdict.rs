//! The verdict while an image-based upgrade is under way: it comes before what the ClusterVersion says, which knows nothing
//! of it and is replaced by another one in the middle.

use chrono::{DateTime, Utc};

use super::stage_machine::State;
use super::{ImageBased, OBJECT, Record};
use crate::upgrade::assessment::{Assessment, Evidence, Verdict, VerdictKind};
use crate::upgrade::memory::Memory;
use crate::upgrade::words;

/// The verdict, when an image-based upgrade is under way.
pub fn judge(assessment: &Assessment, _: &Memory) -> Option<Verdict> {
    let image = assessment.image_based.as_deref().filter(|image| image.under_way())?;
    let kind = match image.state {
        _ if matches!(image.record, Record::Remembered { .. }) => VerdictKind::ImageBased,
        _ if image.locked_out() => VerdictKind::NeedsPerson,
        State::AbortFailed
        | State::FinalizeFailed
        | State::PrepFailed
        | State::UpgradeFailed
        | State::RollbackFailed => VerdictKind::Failing,
        State::RolledBackByItself => VerdictKind::NeedsPerson,
        state if state.waits_for_person() => VerdictKind::NeedsPerson,
        _ if image.banner.is_some() || image.waits_for_boot_choice() => VerdictKind::NeedsPerson,
        _ => VerdictKind::ImageBased,
    };
    Some(Verdict { kind, why: why(image, assessment.now), since: image.since, evidence: evidence(image) })
}

/// What it rests on.
pub(super) fn evidence(image: &ImageBased) -> Vec<Evidence> {
    let seen =
        |field: &str, value: String, at| Evidence { object: OBJECT.to_owned(), field: field.to_owned(), value, at };
    let stage = image.stage.map_or("not set", super::stage_machine::Stage::word).to_owned();
    let mut told = vec![seen("spec.stage", stage, None)];
    if !image.condition.is_empty() {
        told.push(seen("status.conditions", image.condition.clone(), image.since));
    }
    told
}

/// One sentence: what and why.
pub fn why(image: &ImageBased, now: DateTime<Utc>) -> String {
    if let Record::Remembered { at } = image.record {
        let ago = words::span(now - at);
        return format!(
            "another etcd answers since the reboot, and the lifecycle agent has not brought its record back ({} {ago} ago): not finished",
            image.state.headline()
        );
    }
    if let Some(asked) = image.asked() {
        return match &image.banner {
            Some(banner) => format!("{} was asked for; {}: {}", asked.word(), banner.reason, first(&banner.message)),
            None => format!("{} was asked for, and the lifecycle agent has not begun", asked.word()),
        };
    }
    if image.locked_out() {
        return format!(
            "the API server is back, and does not take the credentials: how far it is cannot be seen; before that it was {}",
            image.state.headline()
        );
    }
    let said = first(&image.message);
    let seed = if image.seed.version.is_empty() { "the seed image" } else { &image.seed.version };
    match image.state {
        State::Unknown | State::Idle => "no image-based upgrade is under way".to_owned(),
        State::Aborting => format!("cleaning up what was prepared: {said}"),
        State::AbortFailed => format!("the cleanup failed: {said}"),
        State::Finalizing => format!("cleaning up: {said}"),
        State::FinalizeFailed => format!("the cleanup after the upgrade failed: {said}"),
        State::Preparing => format!("{seed} is being prepared beside the running system: {said}"),
        State::PrepFailed => format!("Prep failed: {said}"),
        State::Prepared => format!("{seed} is ready beside the running system: Upgrade, or Idle to give it up"),
        State::BeforePivot if image.gone() => format!("the node reboots into {seed}; the last that it said: {said}"),
        State::BeforePivot => format!("upgrade to {seed}, before its reboot: {said}"),
        State::AfterPivot => format!("{seed} runs and settles: {said}"),
        State::UpgradeFailed if image.pivoted == Some(true) => format!("the upgrade failed after the reboot: {said}"),
        State::UpgradeFailed => format!("the upgrade failed before the reboot; nothing rolls back: {said}"),
        State::RolledBackByItself => format!("the node went back to the former system by itself: {said}"),
        State::Upgraded => format!("{seed} runs; Rollback is possible until it is finalized by Idle"),
        State::RollingBack => format!("the node goes back to the former system: {said}"),
        State::RollbackFailed => format!("the rollback failed, and no stage is allowed from here: {said}"),
        State::RolledBack => "the former system runs again; Idle cleans up, and the evidence goes with it".to_owned(),
    }
}

/// The first line, without the colon that announces others.
fn first(message: &str) -> &str {
    let line = words::first_line(message).trim_end_matches(':');
    if line.is_empty() { "it gives no reason" } else { line }
}
