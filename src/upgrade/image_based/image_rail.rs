//! The phase rail of an image-based upgrade: Idle, Prep, Upgrade, Rollback.

use super::stage_machine::{Stage, State};
use super::{ImageBased, Record};
use crate::upgrade::assessment::{Step, StepState};

/// The steps.
pub fn rail(image: &ImageBased) -> Vec<Step> {
    let step = |name, state, detail: String| Step { name, state, detail, beside: false };
    vec![
        step("idle", idle(image), String::new()),
        step("prep", prep(image), prep_detail(image)),
        step("upgrade", upgrade(image), upgrade_detail(image)),
        step("rollback", rollback(image), String::new()),
    ]
}

fn idle(image: &ImageBased) -> StepState {
    match image.state {
        State::Aborting | State::Finalizing => StepState::Active,
        State::AbortFailed | State::FinalizeFailed => StepState::Trouble,
        _ => StepState::Done,
    }
}

/// By its run, where the history tells; it is emptied only when the stage machine is idle.
fn done(image: &ImageBased, stage: Stage) -> bool {
    image.run(stage).is_some_and(|run| run.completed.is_some())
}

fn prep(image: &ImageBased) -> StepState {
    match image.state {
        State::PrepFailed => StepState::Trouble,
        State::Preparing => StepState::Active,
        State::Prepared
        | State::BeforePivot
        | State::AfterPivot
        | State::UpgradeFailed
        | State::RolledBackByItself
        | State::Upgraded
        | State::RollingBack
        | State::RollbackFailed
        | State::RolledBack => StepState::Done,
        _ if done(image, Stage::Prep) => StepState::Done,
        _ if image.asked() == Some(Stage::Prep) => StepState::Active,
        _ => StepState::Todo,
    }
}

fn prep_detail(image: &ImageBased) -> String {
    let count = image.precache.filter(|_| image.state == State::Preparing);
    count.map(|count| format!("{}/{}", count.pulled, count.total)).unwrap_or_default()
}

fn upgrade(image: &ImageBased) -> StepState {
    match image.state {
        State::BeforePivot | State::AfterPivot => StepState::Active,
        State::UpgradeFailed | State::RolledBackByItself => StepState::Trouble,
        State::Upgraded => StepState::Done,
        // It was given up on purpose: what it came to before is told by the history.
        _ if done(image, Stage::Upgrade) => StepState::Done,
        State::RollingBack | State::RolledBack | State::RollbackFailed => StepState::Trouble,
        _ => StepState::Todo,
    }
}

fn upgrade_detail(image: &ImageBased) -> String {
    let gone = image.outage.as_ref().is_some_and(|outage| outage.began.is_some());
    match (image.state, image.record) {
        (State::BeforePivot | State::AfterPivot, Record::Remembered { .. }) => "back?".to_owned(),
        (State::BeforePivot, _) if gone => "reboot".to_owned(),
        (State::BeforePivot, _) => "before reboot".to_owned(),
        (State::AfterPivot, _) => "after reboot".to_owned(),
        _ => String::new(),
    }
}

fn rollback(image: &ImageBased) -> StepState {
    match image.state {
        State::RollingBack => StepState::Active,
        State::RollbackFailed => StepState::Trouble,
        State::RolledBack | State::RolledBackByItself => StepState::Done,
        _ => StepState::Todo,
    }
}
