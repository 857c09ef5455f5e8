//! Reboot into the prepared system.

use serde_json::json;

use super::ibu::{self, NEEDS};
use super::{ActionId, Ask, Confirm, Danger, Effect, Entry, Material, Offered, Plan, Refusal, Session, Target};
use crate::upgrade::assessment::Assessment;
use crate::upgrade::image_based::ImageBased;
use crate::upgrade::image_based::auto_rollback::{DEFAULT_TIMEOUT, SwitchEffect};
use crate::upgrade::image_based::node_volumes::NodeVolume;
use crate::upgrade::image_based::pivot_outage::USUALLY;
use crate::upgrade::image_based::stage_machine::{Move, Stage};

/// Begin the upgrade.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::IbuUpgrade,
    name: "ibu-upgrade",
    word: "upgrade",
    summary: "reboot into the prepared system (image-based upgrade)",
    gerund: "starting an image-based upgrade",
    dangers: &[Danger::H],
    needs: NEEDS,
    inverse: Some(ActionId::IbuRollback),
    offered,
    plan: make,
    ..ibu::ENTRY
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let image = ibu::concerns(assessment, target)?;
    let refusal = ibu::may(assessment, session, Move::Upgrade).err();
    Some(Offered { action: ActionId::IbuUpgrade, title: title(image), danger: Danger::H, refusal })
}

fn title(image: &ImageBased) -> String {
    let version = &image.seed.version;
    if version.is_empty() { "Reboot into the prepared system".to_owned() } else { format!("Reboot into {version}") }
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let image = ibu::may(assessment, session, Move::Upgrade)?;
    let content = ibu::config_maps(material, &image.oadp_content)?;
    if !content.reads.is_empty() {
        return Ok(ibu::with_reads(Plan::draft(&ENTRY, ask, title(image)), content.reads));
    }
    let volumes = ibu::volume_rules(image, &content);
    let mut preconditions = ibu::preconditions(assessment, image, Move::Upgrade);
    preconditions.insert(2, ibu::higher(assessment, &image.seed.version)?);
    preconditions.extend(ibu::healthy(&image.health));
    let mut consequences = consequences(image);
    consequences.extend(volumes);
    consequences.extend(content.unread);
    Ok(Plan {
        danger: Danger::H,
        preconditions,
        consequences,
        writes: vec![ibu::stage_write(assessment, session, json!({}), Stage::Upgrade, Vec::new())?],
        confirm: Confirm::Type(image.seed.version.clone()),
        effect: Effect::ImageStage { stage: Stage::Upgrade.word() },
        strict_lock: true,
        ..Plan::draft(&ENTRY, ask, title(image))
    }
    .undone_on(Target::Cluster))
}

fn consequences(image: &ImageBased) -> Vec<String> {
    let (from, to) = (USUALLY.0.num_minutes(), USUALLY.1.num_minutes());
    let mut lines = vec![
        format!("Prep said: {}", image.message.trim()),
        "the node reboots: everything that runs on this cluster stops".to_owned(),
        if image.oadp_content.is_empty() {
            ibu::NO_BACKUPS.to_owned()
        } else {
            format!("before it application data is backed up, as {} say", image.oadp_content.join(", "))
        },
        format!("the only API server goes away with it, usually for {from} to {to} minutes"),
        "afterwards another etcd answers: what was changed here between backup and reboot is not in it; an `oc login` token \
         will not be taken any more, a client certificate will"
            .to_owned(),
        "a failure before the reboot does not roll back: Idle gives it up then, and only then; an Idle in the last seconds \
         before the reboot is taken by the API and lost"
            .to_owned(),
    ];
    if let Some(warning) = &image.warning {
        lines.push(format!("validation warning: {}", warning.trim()));
    }
    let timeout = image.watchdog.as_ref().map_or(DEFAULT_TIMEOUT, |watchdog| watchdog.timeout).num_minutes();
    let off: Vec<_> = image.switches.iter().filter(|switch| switch.off).collect();
    if off.is_empty() {
        lines.push(format!(
            "the node goes back by itself when configuring it or the upgrade fails after the reboot, or when the upgrade is \
             not completed {timeout} minutes after the boot"
        ));
    }
    lines.extend(off.into_iter().map(|switch| {
        let fixed =
            if switch.effect == SwitchEffect::FixedAtPrep { " (as of now; it counts as it was in Prep)" } else { "" };
        format!("NO automatic rollback when {}{fixed}", switch.trigger)
    }));
    lines.extend(ibu::not_followed(image));
    lines.extend(ibu::waits(&image.health));
    let before =
        |row: &NodeVolume| format!("to be there afterwards as well: PersistentVolume {}, {}", row.name, row.words());
    lines.extend(image.volumes.rows.iter().map(before));
    lines.extend(image.volumes.unread.iter().map(|words| format!("not checked, volumes: {words}")));
    lines
}
