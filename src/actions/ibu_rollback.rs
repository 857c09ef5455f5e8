//! Reboot into the former system.

use serde_json::json;

use super::ibu;
use super::words::when;
use super::{ActionId, Ask, Confirm, Danger, Effect, Entry, Material, Offered, Plan, Refusal, Session, Target};
use crate::upgrade::assessment::Assessment;
use crate::upgrade::image_based::ImageBased;
use crate::upgrade::image_based::pivot_outage::USUALLY;
use crate::upgrade::image_based::stage_machine::{Move, Stage};

/// Roll back.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::IbuRollback,
    name: "ibu-rollback",
    word: "rollback",
    summary: "reboot into the former system (image-based upgrade)",
    gerund: "rolling an image-based upgrade back",
    dangers: &[Danger::H],
    offered,
    plan: make,
    ..ibu::ENTRY
};

/// What is typed to confirm.
const TYPED: &str = "rollback";

const TITLE: &str = "Reboot into the former system";

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    ibu::concerns(assessment, target)?;
    let refusal = ibu::may(assessment, session, Move::Rollback).err();
    Some(Offered { action: ActionId::IbuRollback, title: TITLE.to_owned(), danger: Danger::H, refusal })
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, _: &Material) -> Result<Plan, Refusal> {
    let image = ibu::may(assessment, session, Move::Rollback)?;
    Ok(Plan {
        danger: Danger::H,
        preconditions: ibu::preconditions(assessment, image, Move::Rollback),
        consequences: consequences(assessment, image),
        writes: vec![ibu::stage_write(assessment, session, json!({}), Stage::Rollback, Vec::new())?],
        confirm: Confirm::Type(TYPED.to_owned()),
        effect: Effect::ImageStage { stage: Stage::Rollback.word() },
        strict_lock: true,
        ..Plan::draft(&ENTRY, ask, TITLE.to_owned())
    })
}

fn consequences(assessment: &Assessment, image: &ImageBased) -> Vec<String> {
    let (from, to) = (USUALLY.0.num_minutes(), USUALLY.1.num_minutes());
    let mut lines = vec![
        "the node reboots into the former system, with the etcd and the data of before the upgrade: what was changed since \
         then is not there"
            .to_owned(),
        format!("the only API server goes away, usually for {from} to {to} minutes; its ClusterVersion has another UID then"),
        "it cannot be taken back: after it only Idle is offered".to_owned(),
    ];
    lines.push(match image.rollback_expires {
        None => "until when a rollback is safe is not told (status.rollbackAvailabilityExpiration)".to_owned(),
        Some(at) if at <= assessment.now => format!(
            "the former system's certificates have run out ({}): the node may need them to be recovered by hand",
            when(at)
        ),
        Some(at) => format!("the former system's certificates hold until {}", when(at)),
    });
    lines.extend(ibu::not_followed(image));
    lines.push("collect logs of what went wrong first: Idle deletes this system afterwards".to_owned());
    lines
}
