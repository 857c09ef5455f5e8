//! An image-based upgrade of a single-node cluster: where its stage machine stands, what may come next, what it went
//! through, and what happens by itself.
//!
//! The rules are those of the lifecycle agent (lifecycle-agent: controllers/ibu_controller.go, upgrade_handlers.go,
//! utils/conditions.go): conditions are read in an order that stays true while it aborts or finalizes, and the only
//! authority for a move is `status.validNextStages`.

pub mod auto_rollback;
pub mod health_checks;
#[cfg(test)]
mod image_based_tests;
pub mod image_rail;
pub mod image_verdict;
pub mod node_volumes;
pub mod oadp;
pub mod oadp_content;
pub mod pivot_outage;
pub mod stage_history;
pub mod stage_machine;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::facts::{Facts, Kind, KindStatus};
use crate::api::{Conditions as _, ImageBasedUpgrade, Tri, ibu_key};
use auto_rollback::{Switch, Watchdog};
use health_checks::HealthRow;
use node_volumes::NodeVolumes;
use oadp::OadpRow;
use pivot_outage::Outage;
use stage_history::StageRun;
use stage_machine::{Move, Stage, State};

/// The name of the one ImageBasedUpgrade (a rule of its definition).
pub const NAME: &str = "upgrade";

/// As `oc` takes it.
pub const OBJECT: &str = "imagebasedupgrade/upgrade";

/// Where the stage machine was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// In the cluster.
    Seen,
    /// The kind is served, but there is no object: the agent has not made it yet.
    Missing,
    /// In the memory of this program: another etcd answers since a reboot, and the agent has not brought its record back.
    Remembered {
        /// When it was last seen.
        at: DateTime<Utc>,
    },
}

/// A request that the agent does not follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banner {
    /// `Blocked` or `InvalidTransition`.
    pub reason: String,
    /// What it says.
    pub message: String,
    /// The condition that says it.
    pub condition: String,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
}

/// The seed image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seed {
    /// Its version; empty: none was given.
    pub version: String,
    /// Pull spec.
    pub image: String,
    /// The Secret with which it is pulled; empty: the cluster's own.
    pub pull_secret: String,
}

/// How far images are pulled ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Precache {
    /// Images in all.
    pub total: u32,
    /// Pulled.
    pub pulled: u32,
    /// Failed.
    pub failed: u32,
}

/// What is known of an image-based upgrade.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageBased {
    /// Where it was read.
    pub record: Record,
    /// The stage that was asked for (`spec.stage`); none: nothing, or an unknown word.
    pub stage: Option<Stage>,
    /// What is happening.
    pub state: State,
    /// Since when, as far as the API tells.
    pub since: Option<DateTime<Utc>>,
    /// The condition that tells it.
    pub condition: String,
    /// What the agent says of it; of a failure its cause.
    pub message: String,
    /// The version that ran before its reboot; none: that was not seen.
    pub from: Option<String>,
    /// The seed image.
    pub seed: Seed,
    /// ConfigMaps with backups and restores, as `namespace/name`.
    pub oadp_content: Vec<String>,
    /// ConfigMaps with extra manifests, as `namespace/name`.
    pub extra_manifests: Vec<String>,
    /// What may be asked for now.
    pub moves: Vec<Move>,
    /// A request that the agent does not follow.
    pub banner: Option<Banner>,
    /// `metadata.generation` and `status.observedGeneration` where the agent has not looked at the newest request.
    pub behind: Option<(i64, i64)>,
    /// Does the node run the new system? None: that is not known.
    pub pivoted: Option<bool>,
    /// Stages since it was idle last.
    pub history: Vec<StageRun>,
    /// Images pulled ahead, as the message tells.
    pub precache: Option<Precache>,
    /// The Job that works now, as namespace and name, as the message tells: its pod's log says more.
    pub job: Option<(String, String)>,
    /// What the agent waits for, checked by ourselves.
    pub health: Vec<HealthRow>,
    /// Backups and restores of application data.
    pub oadp: Vec<OadpRow>,
    /// What of backups and restores could not be read, and why, a line each.
    pub oadp_unread: Vec<String>,
    /// Volumes on the node's own disks; none: that was not read.
    pub logical_volumes: Option<usize>,
    /// The volumes on the node's own disks, with what becomes of them.
    pub volumes: NodeVolumes,
    /// The deadline of the new system.
    pub watchdog: Option<Watchdog>,
    /// From then on a rollback may need certificates to be recovered by hand.
    pub rollback_expires: Option<DateTime<Utc>>,
    /// When it rolls back by itself.
    pub switches: Vec<Switch>,
    /// What the dry run of extra manifests warned of.
    pub warning: Option<String>,
    /// The reboot that is under way or to be expected.
    pub outage: Option<Outage>,
    /// Another change of the same agent is under way (`IPConfig` is not idle); none: it is idle, absent or was not read.
    pub ip_config_busy: Option<String>,
}

impl ImageBased {
    /// Does a rollback wait until a person has made the former system the default of the next boot? The agent says so where
    /// the node's ostree cannot do it (lifecycle-agent, controllers/rollback_handlers.go), and looks again and again.
    pub fn waits_for_boot_choice(&self) -> bool {
        self.state == State::RollingBack && self.message.contains("default deployment must be manually set")
    }

    /// Is a stage under way, done or failed, so that the cluster is not at rest?
    pub fn under_way(&self) -> bool {
        !matches!(self.state, State::Idle | State::Unknown) || self.asked().is_some()
    }

    /// Has a stage ended, well or not, so that nothing goes on by itself? What failed after the reboot may still roll back
    /// by itself; what was asked for and not begun, or not looked at, is still to come.
    pub fn ended(&self) -> bool {
        let ended = match self.state {
            State::UpgradeFailed => self.pivoted == Some(false),
            state => state.failed() || state.waits_for_person(),
        };
        ended && self.record == Record::Seen && self.behind.is_none() && self.asked().is_none()
    }

    /// The stage that was asked for and that the agent has not begun: it rests, or has not looked yet.
    pub fn asked(&self) -> Option<Stage> {
        let rests = matches!(self.state, State::Idle | State::Unknown);
        self.stage.filter(|stage| rests && *stage != Stage::Idle && self.record != Record::Missing)
    }

    /// May this be asked for now?
    pub fn may(&self, step: Move) -> bool {
        self.moves.contains(&step)
    }

    /// The words of the header.
    pub fn headline(&self) -> &'static str {
        match (self.record, self.asked()) {
            (Record::Remembered { .. }, _) => "back, waiting for the agent",
            (_, Some(_)) => "requested, not begun",
            _ if self.locked_out() => "back, log in again",
            _ if self.state == State::BeforePivot && self.gone() => "rebooting",
            _ => self.state.headline(),
        }
    }

    /// Is the node away for a reboot that was to be expected?
    pub fn gone(&self) -> bool {
        self.outage.as_ref().is_some_and(|outage| outage.began.is_some() && outage.expected() && !outage.locked_out)
    }

    /// Does the API server answer again after the reboot, and not take the credentials?
    pub fn locked_out(&self) -> bool {
        self.outage.as_ref().is_some_and(|outage| outage.locked_out)
    }

    /// The run of a stage.
    pub fn run(&self, stage: Stage) -> Option<&StageRun> {
        self.history.iter().find(|run| run.stage == stage)
    }

    /// Is it on its way to the seed's version, or there?
    pub fn goes_forward(&self) -> bool {
        matches!(
            self.state,
            State::Preparing
                | State::PrepFailed
                | State::Prepared
                | State::BeforePivot
                | State::AfterPivot
                | State::UpgradeFailed
                | State::Upgraded
        ) || self.asked() == Some(Stage::Prep)
    }

    /// Did the node roll back by itself?
    pub fn rolled_back_by_itself(&self) -> bool {
        self.state == State::RolledBackByItself
    }
}

/// What is remembered of a cluster that answers from another etcd.
#[derive(Debug, Clone)]
pub struct Believed {
    /// As it was last seen.
    pub image: Arc<ImageBased>,
    /// When.
    pub at: DateTime<Utc>,
}

/// How long after the watchdog's limit a memory is held against what the cluster says.
const BELIEF: TimeDelta = TimeDelta::minutes(30);

impl Believed {
    /// Until when it is held.
    pub fn until(&self) -> DateTime<Utc> {
        let limit = self.image.watchdog.as_ref().map_or(auto_rollback::DEFAULT_TIMEOUT, |watchdog| watchdog.timeout);
        self.at + limit + BELIEF
    }
}

/// What the facts say of an image-based upgrade; none: the kind is not served, or was not read.
///
/// After a reboot of the node another etcd answers. Until the lifecycle agent has brought its record back there, the
/// server has none, or the one of the seed cluster (at rest), or one without status: none of them means that the upgrade
/// is over. `believed` is told then. `earlier` is what was known last: the version before the reboot is told nowhere else.
pub fn image_based(
    facts: &Facts,
    believed: Option<&Believed>,
    earlier: Option<&ImageBased>,
    now: DateTime<Utc>,
) -> Option<Arc<ImageBased>> {
    let object = facts.around.image_based_upgrades.iter().find(|one| one.name() == NAME);
    let believed = believed.filter(|believed| now < believed.until() && believed.image.outage.is_some());
    if let Some(believed) = believed
        && !object.is_some_and(|object| restored(object, &believed.image))
    {
        return Some(Arc::new(remembered(believed)));
    }
    match (object, facts.status(Kind::ImageBasedUpgrades)) {
        (Some(object), _) => {
            let mut image = seen(object, facts, now);
            let known = || earlier.filter(|earlier| earlier.seed.image == image.seed.image)?.from.clone();
            image.from = image.from.take().or_else(known);
            Some(Arc::new(image))
        }
        (None, KindStatus::Live) => Some(Arc::new(missing(facts))),
        (None, _) => None,
    }
}

/// Is it the record of the upgrade that was under way? The seed cluster's own one does not name our seed image.
fn restored(object: &ImageBasedUpgrade, before: &ImageBased) -> bool {
    let told = !object.status.conditions.is_empty();
    let stage = Stage::of(&object.spec.stage);
    let ours = !before.seed.image.is_empty() && object.spec.seed.image == before.seed.image;
    told && (matches!(stage, Some(Stage::Upgrade | Stage::Rollback)) || ours)
}

fn remembered(believed: &Believed) -> ImageBased {
    ImageBased {
        record: Record::Remembered { at: believed.at },
        // Since when the server is back is not told by anything.
        since: None,
        // Nothing of what is allowed now is known, and nothing that is checked is of now.
        moves: Vec::new(),
        health: Vec::new(),
        oadp: Vec::new(),
        oadp_unread: Vec::new(),
        ..ImageBased::clone(&believed.image)
    }
}

fn missing(facts: &Facts) -> ImageBased {
    ImageBased {
        record: Record::Missing,
        stage: None,
        state: State::Unknown,
        since: None,
        condition: String::new(),
        message: String::new(),
        from: None,
        seed: Seed::default(),
        oadp_content: Vec::new(),
        extra_manifests: Vec::new(),
        moves: Vec::new(),
        banner: None,
        behind: None,
        pivoted: None,
        history: Vec::new(),
        precache: None,
        job: None,
        health: health_checks::rows(facts, false),
        oadp: Vec::new(),
        oadp_unread: Vec::new(),
        logical_volumes: logical_volumes(facts),
        volumes: node_volumes::volumes(facts),
        watchdog: None,
        rollback_expires: None,
        switches: Vec::new(),
        warning: None,
        outage: None,
        ip_config_busy: None,
    }
}

fn seen(object: &ImageBasedUpgrade, facts: &Facts, now: DateTime<Utc>) -> ImageBased {
    let running = facts.cluster_version.as_ref().map(|version| version.status.desired.version.as_str());
    let reading = stage_machine::read(object, running);
    let address = |one: &crate::api::ConfigMapRef| format!("{}/{}", one.namespace, one.name);
    let mut image = ImageBased {
        record: Record::Seen,
        stage: Stage::of(&object.spec.stage),
        state: reading.state,
        since: reading.since,
        condition: reading.condition,
        from: if reading.pivoted == Some(true) {
            None
        } else {
            running.map(str::to_owned).filter(|version| !version.is_empty())
        },
        seed: Seed {
            version: object.spec.seed.version.clone(),
            image: object.spec.seed.image.clone(),
            pull_secret: object.spec.seed.pull_secret.name.clone(),
        },
        oadp_content: object.spec.oadp_content.iter().map(address).collect(),
        extra_manifests: object.spec.extra_manifests.iter().map(address).collect(),
        moves: stage_machine::moves(object),
        banner: banner(object),
        behind: behind(object),
        pivoted: reading.pivoted,
        history: stage_history::runs(object),
        precache: stage_machine::precache(&reading.message),
        job: stage_machine::job(&reading.message),
        message: reading.message,
        health: health_checks::rows(facts, !object.spec.oadp_content.is_empty()),
        oadp: oadp::rows(facts),
        oadp_unread: oadp::unread(facts),
        logical_volumes: logical_volumes(facts),
        volumes: node_volumes::volumes(facts),
        watchdog: None,
        rollback_expires: object.status.rollback_expiration,
        switches: Vec::new(),
        warning: object.annotation(ibu_key::VALIDATION_WARNING).map(str::to_owned),
        outage: None,
        ip_config_busy: ip_config_busy(facts),
    };
    image.switches = auto_rollback::switches(object, image.state);
    image.watchdog = auto_rollback::watchdog(object, &image);
    image.outage = pivot_outage::outage(&image, &facts.link, now);
    image.since = since(&image);
    image
}

/// Since when it is what the headline says. The condition of the upgrade stands since the stage began: since when the node
/// is away, or runs the new system, it does not tell.
fn since(image: &ImageBased) -> Option<DateTime<Utc>> {
    match image.state {
        _ if image.locked_out() => None,
        State::BeforePivot if image.gone() => image.outage.as_ref().and_then(|outage| outage.began),
        State::AfterPivot => image.run(Stage::Upgrade).and_then(|run| run.phase(stage_history::POST_PIVOT)?.started),
        _ => image.since,
    }
}

fn behind(object: &ImageBasedUpgrade) -> Option<(i64, i64)> {
    let (wanted, seen) = (object.metadata.generation?, object.status.observed_generation);
    (wanted != seen).then_some((wanted, seen))
}

/// `Blocked` and `InvalidTransition`, wherever they are said.
fn banner(object: &ImageBasedUpgrade) -> Option<Banner> {
    let telling = |reason: &str| matches!(reason, "Blocked" | "InvalidTransition");
    let condition = object.status.conditions.iter().rev().find(|condition| telling(&condition.reason))?;
    Some(Banner {
        reason: condition.reason.clone(),
        message: condition.message.clone(),
        condition: condition.kind.clone(),
        since: condition.since,
    })
}

fn ip_config_busy(facts: &Facts) -> Option<String> {
    let config = facts.around.ip_configs.first()?;
    let idle = config.status.conditions.condition("Idle")?;
    // The two block each other: `Blocked` says that the change of addresses is the one that waits (lifecycle-agent:
    // controllers/ipconfig_controller.go).
    (idle.status == Tri::False && idle.reason != "Blocked").then(|| format!("{}: {}", idle.reason, idle.message))
}

fn logical_volumes(facts: &Facts) -> Option<usize> {
    facts.known(Kind::LogicalVolumes).then(|| facts.around.logical_volumes.len())
}
