//! Backups and restores of application data, as far as they are.

use chrono::{DateTime, Utc};

use crate::upgrade::facts::{Facts, Kind, KindStatus};
use crate::upgrade::words;

/// What became of a backup or a restore (as the agent counts: lifecycle-agent, internal/backuprestore).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OadpState {
    /// Not begun.
    Pending,
    /// Under way.
    Running,
    /// Done.
    Completed,
    /// Failed: wholly, in part, or before it began.
    Failed,
}

impl OadpState {
    /// By the phase.
    pub fn of(phase: &str) -> Self {
        match phase {
            "" => Self::Pending,
            "Completed" => Self::Completed,
            "FailedValidation" | "PartiallyFailed" | "Failed" => Self::Failed,
            _ => Self::Running,
        }
    }
}

/// A backup or a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OadpRow {
    /// A restore, as opposed to a backup.
    pub restore: bool,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Its group; none: not said.
    pub wave: Option<String>,
    /// As it says.
    pub phase: String,
    /// What that means.
    pub state: OadpState,
    /// Items done and in all; none: not told.
    pub items: Option<(i64, i64)>,
    /// What went wrong, in words; empty: nothing.
    pub trouble: String,
    /// Begun.
    pub started: Option<DateTime<Utc>>,
}

/// The row of a backup or a restore: two kinds whose status has the same fields.
macro_rules! row {
    ($one:expr, $restore:expr) => {
        OadpRow {
            restore: $restore,
            namespace: $one.metadata.namespace.clone().unwrap_or_default(),
            name: $one.name().to_owned(),
            wave: $one.wave().map(str::to_owned),
            state: OadpState::of(&$one.status.phase),
            phase: $one.status.phase.clone(),
            items: items($one.status.progress.done, $one.status.progress.total),
            trouble: trouble(
                &$one.status.failure,
                &$one.status.validation_errors,
                ($one.status.errors, $one.status.warnings),
            ),
            started: $one.status.started,
        }
    };
}

/// All of them: backups before restores, by group, then by name.
pub fn rows(facts: &Facts) -> Vec<OadpRow> {
    let backups = facts.around.backups.iter().map(|one| row!(one, false));
    let restores = facts.around.restores.iter().map(|one| row!(one, true));
    let mut rows: Vec<OadpRow> = backups.chain(restores).collect();
    // Waves are numbers in practice; what has none runs last.
    let wave = |row: &OadpRow| row.wave.as_ref().map_or(i64::MAX, |wave| wave.parse().unwrap_or(i64::MAX));
    rows.sort_by(|a, b| (a.restore, wave(a), &a.name).cmp(&(b.restore, wave(b), &b.name)));
    rows
}

/// Why nothing is known of a kind, a line each: then an empty list does not mean that there are none.
pub fn unread(facts: &Facts) -> Vec<String> {
    let why = |kind: Kind| {
        let name = kind.plural();
        Some(match facts.status(kind) {
            KindStatus::NotAsked | KindStatus::Waiting => format!("{name} were not read yet"),
            KindStatus::Forbidden(trouble) => format!("{name} may not be read: {}", trouble.words),
            KindStatus::Failing(trouble) if !facts.known(kind) => format!("{name} cannot be read: {}", trouble.words),
            KindStatus::Failing(_) | KindStatus::Live | KindStatus::Absent => return None,
        })
    };
    [Kind::Backups, Kind::Restores].into_iter().filter_map(why).collect()
}

fn items(done: i64, total: i64) -> Option<(i64, i64)> {
    (total > 0).then_some((done, total))
}

fn trouble(failure: &str, validation: &[String], (errors, warnings): (i64, i64)) -> String {
    let mut told = Vec::new();
    if !failure.is_empty() {
        told.push(failure.to_owned());
    }
    told.extend(validation.iter().cloned());
    for (count, what) in [(errors, "error"), (warnings, "warning")] {
        if count > 0 {
            told.push(words::count(usize::try_from(count).unwrap_or_default(), what));
        }
    }
    told.join("; ")
}
