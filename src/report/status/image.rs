//! The image-based upgrade of a single-node cluster.

use serde::Serialize;

use crate::report::parts::{Moment, said};
use crate::upgrade::image_based::auto_rollback::SwitchEffect;
use crate::upgrade::image_based::image_rail;
use crate::upgrade::image_based::node_volumes::{Backing, NodeVolume, NodeVolumes};
use crate::upgrade::image_based::pivot_outage::Sureness;
use crate::upgrade::image_based::stage_history::StageRun;
use crate::upgrade::image_based::stage_machine::Move;
use crate::upgrade::image_based::{self, Record};

/// Where the stage machine stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageBased {
    /// The stage that was asked for: Idle, Prep, Upgrade or Rollback. Null: none.
    pub stage: Option<&'static str>,
    /// What is happening: Unknown, Idle, Preparing, PrepFailed, Prepared, BeforePivot, AfterPivot, UpgradeFailed,
    /// RolledBackByItself, Upgraded, RollingBack, RollbackFailed, RolledBack, Aborting, AbortFailed, Finalizing or
    /// FinalizeFailed.
    pub state: &'static str,
    /// Is it at rest? False while a stage goes on, waits for a person, or failed.
    pub under_way: bool,
    /// Since when.
    pub since: Option<Moment>,
    /// What the agent says of it; of a failure its cause.
    pub message: Option<String>,
    /// The version before its reboot, where that is known.
    pub from: Option<String>,
    /// The seed's version.
    pub seed_version: Option<String>,
    /// The seed's image.
    pub seed_image: Option<String>,
    /// What may be asked for now: Prep, Upgrade, Rollback, Abort (Idle before the reboot), Finalize (Idle after it).
    pub moves: Vec<&'static str>,
    /// The newest request was not looked at by the agent yet.
    pub not_observed: bool,
    /// `Blocked` or `InvalidTransition`, with what it says.
    pub blocked: Option<String>,
    /// Stages since it was idle.
    pub history: Vec<Stage>,
    /// Images pulled ahead.
    pub precache: Option<Precache>,
    /// What the agent waits for, as checked by this program.
    pub health: Vec<Health>,
    /// Backups and restores.
    pub backups: Vec<Backup>,
    /// What of backups and restores could not be read, and why.
    pub backups_unread: Vec<String>,
    /// Persistent volumes.
    pub volumes: Volumes,
    /// The deadline of the new system.
    pub watchdog: Option<Watchdog>,
    /// From then on a rollback may need certificates to be recovered by hand.
    pub rollback_expires_at: Option<Moment>,
    /// When it rolls back by itself.
    pub auto_rollback: Vec<Switch>,
    /// What the dry run of extra manifests warned of.
    pub validation_warning: Option<String>,
    /// The reboot that is under way or to be expected.
    pub reboot: Option<Reboot>,
    /// Its stages as phases: `idle`, `prep`, `upgrade`, `rollback`.
    pub rail: Vec<super::Phase>,
}

/// A stage as it went.
#[expect(clippy::struct_field_names, reason = "the fields are named as the document names them")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// Which.
    pub stage: &'static str,
    /// Begun.
    pub started_at: Option<Moment>,
    /// Ended well.
    pub completed_at: Option<Moment>,
    /// Its phases, `reboot` among them.
    pub phases: Vec<Phase>,
}

/// A phase of a stage.
#[expect(clippy::struct_field_names, reason = "the fields are named as the document names them")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    /// Stateroot, Precache, PrePivot, reboot or PostPivot.
    pub phase: String,
    /// Begun.
    pub started_at: Option<Moment>,
    /// Ended.
    pub completed_at: Option<Moment>,
    /// Seconds.
    pub seconds: Option<i64>,
}

/// Images pulled ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Precache {
    /// In all.
    pub total: u32,
    /// Pulled.
    pub pulled: u32,
    /// Failed.
    pub failed: u32,
}

/// A check.
#[expect(clippy::struct_field_names, reason = "the fields are named as the document names them")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// What is checked.
    pub name: &'static str,
    /// Well, NotThere, Unknown or Waits.
    pub health: &'static str,
    /// In words.
    pub words: String,
}

/// A backup or a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backup {
    /// `Backup` or `Restore`.
    pub kind: &'static str,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// `status.phase`.
    pub phase: Option<String>,
    /// Items done.
    pub done: Option<i64>,
    /// Items in all.
    pub total: Option<i64>,
    /// What went wrong.
    pub trouble: Option<String>,
}

/// Persistent volumes, whose records go with the old etcd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Volumes {
    /// Those on the node's own disks; first those that are deleted with their claim.
    pub on_node: Vec<Volume>,
    /// How many lie elsewhere.
    pub elsewhere: usize,
    /// What of them could not be read, and why: then the others are not all.
    pub unread: Vec<String>,
}

/// A volume on the node's own disks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// Name of the PersistentVolume; of a logical volume without one, its own.
    pub name: String,
    /// `logical` (in a logical volume) or `local` (in a folder or on a disk).
    pub backing: &'static str,
    /// `namespace/name` of its claim.
    pub claim: Option<String>,
    /// `spec.persistentVolumeReclaimPolicy`. Null: not known.
    pub reclaim_policy: Option<String>,
    /// Its capacity.
    pub size: Option<String>,
    /// What that is known by.
    pub evidence: String,
}

/// The deadline of the new system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Watchdog {
    /// The limit from the boot.
    pub timeout_seconds: i64,
    /// Switched off, as the annotation of now says.
    pub off: bool,
    /// Not before.
    pub from: Option<Moment>,
    /// Not after.
    pub to: Option<Moment>,
}

/// A trigger of an automatic rollback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Switch {
    /// What triggers.
    pub trigger: &'static str,
    /// The annotation.
    pub annotation: &'static str,
    /// Switched off.
    pub off: bool,
    /// NextPrep, FixedAtPrep, Live or Over: when a change counts.
    pub effect: &'static str,
}

/// A reboot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reboot {
    /// What happens.
    pub what: String,
    /// What that is inferred from.
    pub why: String,
    /// Certain, Likely or Possible.
    pub sureness: &'static str,
    /// Since when nobody answers.
    pub began_at: Option<Moment>,
}

fn stage(run: &StageRun) -> Stage {
    let phase = |phase: &image_based::stage_history::PhaseRun| Phase {
        phase: phase.name.clone(),
        started_at: phase.started.map(Moment),
        completed_at: phase.completed.map(Moment),
        seconds: phase.took().map(|took| took.num_seconds()),
    };
    Stage {
        stage: run.stage.word(),
        started_at: run.started.map(Moment),
        completed_at: run.completed.map(Moment),
        phases: run.phases.iter().map(phase).collect(),
    }
}

fn volumes(volumes: &NodeVolumes) -> Volumes {
    let volume = |row: &NodeVolume| Volume {
        name: row.name.clone(),
        backing: match row.backing {
            Backing::Logical => "logical",
            Backing::Local => "local",
        },
        claim: row.claim.clone(),
        reclaim_policy: said(&row.policy),
        size: said(&row.size),
        evidence: row.evidence.clone(),
    };
    Volumes {
        on_node: volumes.rows.iter().map(volume).collect(),
        elsewhere: volumes.elsewhere,
        unread: volumes.unread.clone(),
    }
}

fn step(step: Move) -> &'static str {
    match step {
        Move::Prep => "Prep",
        Move::Upgrade => "Upgrade",
        Move::Rollback => "Rollback",
        Move::Abort => "Abort",
        Move::Finalize => "Finalize",
    }
}

fn effect(effect: SwitchEffect) -> &'static str {
    match effect {
        SwitchEffect::NextPrep => "NextPrep",
        SwitchEffect::FixedAtPrep => "FixedAtPrep",
        SwitchEffect::Live => "Live",
        SwitchEffect::Over => "Over",
    }
}

fn sureness(sure: Sureness) -> &'static str {
    match sure {
        Sureness::Possible => "Possible",
        Sureness::Likely => "Likely",
        Sureness::Certain => "Certain",
    }
}

/// As the assessment has it.
pub fn image_based(image: &image_based::ImageBased) -> ImageBased {
    ImageBased {
        stage: image.stage.map(image_based::stage_machine::Stage::word),
        state: if image.record == Record::Missing { "Unknown" } else { image.state.name() },
        under_way: image.under_way(),
        since: image.since.map(Moment),
        message: said(&image.message),
        from: image.from.clone(),
        seed_version: said(&image.seed.version),
        seed_image: said(&image.seed.image),
        moves: image.moves.iter().map(|one| step(*one)).collect(),
        not_observed: image.behind.is_some(),
        blocked: image.banner.as_ref().map(|banner| format!("{}: {}", banner.reason, banner.message)),
        history: image.history.iter().map(stage).collect(),
        precache: image.precache.map(|count| Precache {
            total: count.total,
            pulled: count.pulled,
            failed: count.failed,
        }),
        health: image
            .health
            .iter()
            .map(|row| Health { name: row.name, health: row.health.name(), words: row.words.clone() })
            .collect(),
        backups: image
            .oadp
            .iter()
            .map(|row| Backup {
                kind: if row.restore { "Restore" } else { "Backup" },
                namespace: row.namespace.clone(),
                name: row.name.clone(),
                phase: said(&row.phase),
                done: row.items.map(|(done, _)| done),
                total: row.items.map(|(_, total)| total),
                trouble: said(&row.trouble),
            })
            .collect(),
        backups_unread: image.oadp_unread.clone(),
        volumes: volumes(&image.volumes),
        watchdog: image.watchdog.as_ref().map(|watchdog| Watchdog {
            timeout_seconds: watchdog.timeout.num_seconds(),
            off: watchdog.off,
            from: watchdog.from.map(Moment),
            to: watchdog.to.map(Moment),
        }),
        rollback_expires_at: image.rollback_expires.map(Moment),
        auto_rollback: image
            .switches
            .iter()
            .map(|switch| Switch {
                trigger: switch.trigger,
                annotation: switch.key,
                off: switch.off,
                effect: effect(switch.effect),
            })
            .collect(),
        validation_warning: image.warning.clone(),
        reboot: image.outage.as_ref().map(|outage| Reboot {
            what: outage.what.clone(),
            why: outage.why.clone(),
            sureness: sureness(outage.sure),
            began_at: outage.began.map(Moment),
        }),
        rail: super::phases::phases(&image_rail::rail(image)),
    }
}
