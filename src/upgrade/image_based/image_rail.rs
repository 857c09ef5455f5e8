//! The phase rail of an image-based upgrade: Idle, Prep, Upgrade, Rollback.

use super::health_checks::Health;
use super::image_verdict;
use super::stage_machine::{Stage, State};
use chrono::{DateTime, Utc};

use super::{ImageBased, Record};
use crate::upgrade::assessment::{Step, StepState};
use crate::upgrade::words;

/// The steps.
pub fn rail(image: &ImageBased) -> Vec<Step> {
    let step = |name, state, detail: String| Step {
        detail,
        since: since(image, state, name),
        waits: waits(image, state),
        evidence: if state == StepState::Todo { Vec::new() } else { image_verdict::evidence(image) },
        ..Step::new(name, state)
    };
    vec![
        step("idle", idle(image), String::new()),
        step("prep", prep(image), prep_detail(image)),
        step("upgrade", upgrade(image), upgrade_detail(image)),
        step("rollback", rollback(image), String::new()),
    ]
}

/// When the step began, or ended.
fn since(image: &ImageBased, state: StepState, name: &str) -> Option<DateTime<Utc>> {
    let stage = match name {
        "prep" => Stage::Prep,
        "upgrade" => Stage::Upgrade,
        "rollback" => Stage::Rollback,
        _ => return image.since.filter(|_| matches!(state, StepState::Active | StepState::Trouble)),
    };
    let run = image.run(stage)?;
    if state == StepState::Done { run.completed.or(run.started) } else { run.started }
}

/// What the agent says, and what it waits for.
fn waits(image: &ImageBased, state: StepState) -> Vec<String> {
    if !matches!(state, StepState::Active | StepState::Trouble) {
        return Vec::new();
    }
    let said = words::first_line(&image.message).to_owned();
    let health = image.health.iter().filter(|row| row.health == Health::Waits);
    let health = health.map(|row| format!("{}: {}", row.name, row.words));
    [said].into_iter().filter(|said| !said.is_empty()).chain(health).collect()
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
        _ if done(image, Stage::Rollback) => StepState::Done,
        _ => StepState::Todo,
    }
}
