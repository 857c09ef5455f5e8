//! Let the agent look at an image-based upgrade again.

use super::ibu::{self, PATCH};
use super::{ActionId, Ask, Danger, Effect, Entry, Material, Offered, Plan, Precondition, Refusal, Session, Target};
use crate::api::ibu_key;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::image_based::ImageBased;

/// The annotation that lets the agent look again.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::IbuTriggerReconcile,
    name: "ibu-trigger-reconcile",
    word: "look again",
    summary: "let the lifecycle agent look again (image-based upgrade)",
    gerund: "letting the lifecycle agent look again",
    dangers: &[Danger::L],
    offered,
    plan: make,
    ..ibu::ENTRY
};

const TITLE: &str = "Let the lifecycle agent look again";

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    ibu::concerns(assessment, target).filter(|image| image.under_way())?;
    let refusal = ibu::ready(assessment, session).err();
    Some(Offered { action: ActionId::IbuTriggerReconcile, title: TITLE.to_owned(), danger: Danger::L, refusal })
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, _: &Material) -> Result<Plan, Refusal> {
    let image = ibu::ready(assessment, session)?;
    let key = ibu_key::TRIGGER;
    let present = ibu::object(assessment)?.annotation(key);
    let value = next(present);
    Ok(Plan {
        danger: Danger::L,
        preconditions: vec![
            Precondition {
                words: "its annotation has another value".to_owned(),
                evidence: format!("{} {key} = {}", ibu::OBJECT, present.unwrap_or("absent")),
            },
            super::gate::permission_found(assessment, &PATCH),
        ],
        consequences: consequences(image),
        writes: vec![ibu::annotation_write(
            assessment,
            session,
            key,
            &value,
            &format!("--overwrite {key}={}", super::words::shell(&value)),
        )?],
        effect: Effect::ImageAnnotation { key, value },
        strict_lock: true,
        ..Plan::draft(&ENTRY, ask, TITLE.to_owned())
    })
}

/// Another value than the present one; the same plan made again has the same.
fn next(present: Option<&str>) -> String {
    match present.map(str::parse::<u32>) {
        None => "1".to_owned(),
        Some(Ok(number)) => number.wrapping_add(1).to_string(),
        Some(Err(_)) => format!("{}-again", present.unwrap_or_default()),
    }
}

fn consequences(image: &ImageBased) -> Vec<String> {
    let mut lines = vec!["the agent looks again now, and not only at its next timer; nothing else changes".to_owned()];
    if let Some(banner) = &image.banner {
        lines.push(format!("it said {}: {}", banner.reason, banner.message));
    }
    lines
}
