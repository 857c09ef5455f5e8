//! Tell the agent to repeat a cleanup that failed.

use super::ibu::{self, PATCH};
use super::{
    ActionId, Ask, Danger, Effect, Entry, Material, Offered, Plan, Precondition, Question, Refusal, Session, Target,
    Version,
};
use crate::api::ibu_key;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::image_based::ImageBased;
use crate::upgrade::image_based::stage_machine::State;

/// The annotation that lets the agent repeat the cleanup.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::IbuManualCleanupDone,
    name: "ibu-manual-cleanup-done",
    word: "cleanup done",
    summary: "let the agent repeat a cleanup that failed (image-based upgrade)",
    gerund: "repeating the cleanup of an image-based upgrade",
    dangers: &[Danger::M],
    offered,
    plan: make,
    ..ibu::ENTRY
};

const TITLE: &str = "Let the agent repeat its cleanup";

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let image = ibu::concerns(assessment, target)?;
    failed(image).ok()?;
    let refusal = ibu::ready(assessment, session).err();
    Some(Offered { action: ActionId::IbuManualCleanupDone, title: TITLE.to_owned(), danger: Danger::M, refusal })
}

/// Only what failed can be repeated.
fn failed(image: &ImageBased) -> Result<&'static str, Refusal> {
    match image.state {
        State::AbortFailed => Ok("AbortFailed"),
        State::FinalizeFailed => Ok("FinalizeFailed"),
        _ => Err(Refusal(format!("no cleanup has failed: it is {}", image.headline()))),
    }
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, _: &Material) -> Result<Plan, Refusal> {
    let image = ibu::ready(assessment, session)?;
    let reason = failed(image)?;
    let key = ibu_key::MANUAL_CLEANUP;
    let object = ibu::object(assessment)?;
    if object.annotation(key).is_some() {
        return Err(Refusal(format!("{key} is set already: the agent has not taken it up yet")));
    }
    let before = Version(object.metadata.resource_version.clone().unwrap_or_default());
    Ok(Plan {
        danger: Danger::M,
        preconditions: vec![
            Precondition {
                words: "the cleanup failed".to_owned(),
                evidence: format!("{} Idle = False ({reason})", ibu::OBJECT),
            },
            super::gate::permission_found(assessment, &PATCH),
        ],
        consequences: consequences(image),
        writes: vec![ibu::annotation_write(assessment, session, key, "", &format!("{key}="))?],
        questions: vec![Question {
            name: "cause".to_owned(),
            exactly: None,
            words: "What was the cause, and what was done about it?".to_owned(),
        }],
        effect: Effect::ImageAnnotationTaken { key, before },
        strict_lock: true,
        ..Plan::draft(&ENTRY, ask, TITLE.to_owned())
    })
}

fn consequences(image: &ImageBased) -> Vec<String> {
    let mut lines = vec![
        format!("it failed with: {}", image.message.trim()),
        "fix that cause first (for example a backup location that is not Available), and nothing else".to_owned(),
    ];
    lines.extend(ibu::storage_trouble(image));
    lines.push("the agent takes the annotation away and repeats the WHOLE cleanup; it can fail again".to_owned());
    lines.push("only if it does: clean up by hand, never the booted stateroot, and tell it once more".to_owned());
    lines
}
