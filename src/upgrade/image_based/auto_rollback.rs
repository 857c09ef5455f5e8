//! When the node goes back by itself: the watchdog, and the switches.

use chrono::{DateTime, TimeDelta, Utc};

use super::ImageBased;
use super::stage_history::{POST_PIVOT, PRE_PIVOT};
use super::stage_machine::{Stage, State};
use crate::api::{ImageBasedUpgrade, ibu_key};

/// The limit when none is given (lifecycle-agent: `InitMonitorTimeoutSeconds` default).
pub const DEFAULT_TIMEOUT: TimeDelta = TimeDelta::seconds(1800);

/// The deadline of the new system. It is counted from the boot, which nobody outside sees: so it is a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watchdog {
    /// The limit.
    pub timeout: TimeDelta,
    /// Switched off, as far as the annotation of now tells: what counts is what it was in Prep.
    pub off: bool,
    /// Not before.
    pub from: Option<DateTime<Utc>>,
    /// Not after; none: the agent has not been back yet.
    pub to: Option<DateTime<Utc>>,
}

/// When a switch counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwitchEffect {
    /// With the next Prep, which copies it into the new system.
    NextPrep,
    /// It was copied in Prep: a change since then has no effect.
    FixedAtPrep,
    /// It is read when it is needed.
    Live,
    /// Not any more: the upgrade is over.
    Over,
}

impl SwitchEffect {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::NextPrep => "counts from the next Prep on",
            Self::FixedAtPrep => "fixed by Prep: a change has no effect any more",
            Self::Live => "read live: a change counts at once",
            Self::Over => "the upgrade is over: counts no more",
        }
    }
}

/// A trigger of an automatic rollback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// What triggers.
    pub trigger: &'static str,
    /// The annotation that switches it off.
    pub key: &'static str,
    /// It is switched off.
    pub off: bool,
    /// When that counts.
    pub effect: SwitchEffect,
}

/// The three triggers, all on unless switched off. The first and the last are copied into the new system by Prep.
pub fn switches(object: &ImageBasedUpgrade, state: State) -> Vec<Switch> {
    let off = |key: &str| object.annotation(key) == Some(ibu_key::DISABLED);
    let effect = |copied: bool| match (state, copied) {
        (State::Idle | State::Unknown | State::Aborting | State::Finalizing, _) => SwitchEffect::NextPrep,
        (State::Upgraded | State::RolledBack | State::RolledBackByItself | State::FinalizeFailed, _) => {
            SwitchEffect::Over
        }
        (_, true) => SwitchEffect::FixedAtPrep,
        (_, false) => SwitchEffect::Live,
    };
    let switch = |trigger, key, copied| Switch { trigger, key, off: off(key), effect: effect(copied) };
    vec![
        switch("configuring the new system fails", ibu_key::ROLLBACK_POST_REBOOT, true),
        switch("the upgrade fails after the reboot", ibu_key::ROLLBACK_COMPLETION, false),
        switch("not completed in time (watchdog)", ibu_key::ROLLBACK_WATCHDOG, true),
    ]
}

/// The limit that was asked for.
pub fn timeout(object: &ImageBasedUpgrade) -> TimeDelta {
    match object.spec.auto_rollback.watchdog_seconds {
        0 | i64::MIN..0 => DEFAULT_TIMEOUT,
        // A year is beyond any sense, and does not overflow.
        seconds => TimeDelta::seconds(seconds.min(31_536_000)),
    }
}

/// The watchdog, from when the upgrade is asked for until it is over.
pub fn watchdog(object: &ImageBasedUpgrade, image: &ImageBased) -> Option<Watchdog> {
    let runs = matches!(image.state, State::BeforePivot | State::AfterPivot | State::Prepared | State::UpgradeFailed);
    if !runs {
        return None;
    }
    let timeout = timeout(object);
    let upgrade = image.run(Stage::Upgrade);
    let left = upgrade.and_then(|run| run.phase(PRE_PIVOT)?.completed);
    let back = upgrade.and_then(|run| run.phase(POST_PIVOT)?.started);
    let after = |at: DateTime<Utc>| at.checked_add_signed(timeout);
    Some(Watchdog {
        timeout,
        off: object.annotation(ibu_key::ROLLBACK_WATCHDOG) == Some(ibu_key::DISABLED),
        from: left.and_then(after),
        to: back.and_then(after),
    })
}
