//! Ask for Idle: give up what was prepared, or finalize an upgrade or a rollback.

use serde_json::{Value, json};

use super::ibu::{self, OBJECT, PATH};
use super::{
    ActionId, Ask, Confirm, Danger, Effect, Entry, Keepsake, Material, Offered, Plan, Question, Read, Refusal, Session,
    Target,
};
use crate::upgrade::assessment::Assessment;
use crate::upgrade::image_based::ImageBased;
use crate::upgrade::image_based::stage_machine::{Move, Stage, State};

/// Idle.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::IbuIdle,
    name: "ibu-idle",
    word: "idle",
    summary: "give up what was prepared, or finalize the upgrade or rollback (image-based upgrade)",
    gerund: "ending an image-based upgrade",
    dangers: &[Danger::M, Danger::H],
    offered,
    plan: make,
    ..ibu::ENTRY
};

/// What is typed to confirm a finalize.
const TYPED: &str = "finalize";

/// What is typed to confirm that what failed is cleaned up, with what tells why: for the agent that is an abort.
const TYPED_FAILED: &str = "clean-up";

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let image = ibu::concerns(assessment, target)?;
    let step = step(image);
    let danger = if grave(image, step) { Danger::H } else { Danger::M };
    let refusal = ibu::may(assessment, session, step).err();
    Some(Offered { action: ActionId::IbuIdle, title: title(image, step), danger, refusal })
}

/// What Idle means from here.
fn step(image: &ImageBased) -> Move {
    if image.may(Move::Finalize) { Move::Finalize } else { Move::Abort }
}

/// The evidence of a rollback goes with it: that cannot be undone either.
fn grave(image: &ImageBased, step: Move) -> bool {
    step == Move::Finalize || image.rolled_back_by_itself()
}

fn title(image: &ImageBased, step: Move) -> String {
    match (step, image.state) {
        (Move::Finalize, State::Upgraded) => "Finalize the upgrade: the former system goes".to_owned(),
        (Move::Finalize, _) => "Finalize the rollback: the other system goes".to_owned(),
        (_, State::RolledBackByItself) => "Clean up after the rollback: the system that failed goes".to_owned(),
        _ => "Give up the image-based upgrade and clean up".to_owned(),
    }
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let image = assessment.image_based.as_deref();
    let step = image.map_or(Move::Abort, step);
    let image = ibu::may(assessment, session, step)?;
    let title = title(image, step);
    let evidence = image.rolled_back_by_itself() || step == Move::Finalize || image.state.failed();
    let keepsake = match material.object(PATH) {
        _ if !evidence => None,
        None => return Ok(ibu::with_reads(Plan::draft(&ENTRY, ask, title), vec![Read::Object(PATH.to_owned())])),
        Some(Ok(Some(object))) => Some(keepsake(object)),
        Some(Ok(None)) => return Err(Refusal(format!("there is no {OBJECT}"))),
        Some(Err(words)) => return Err(Refusal(format!("its history cannot be saved first: {words}"))),
    };
    let grave = grave(image, step);
    Ok(Plan {
        danger: if grave { Danger::H } else { Danger::M },
        preconditions: ibu::preconditions(assessment, image, step),
        consequences: consequences(image, step, keepsake.is_some()),
        writes: vec![ibu::stage_write(assessment, session, json!({}), Stage::Idle, Vec::new())?],
        questions: questions(image, step),
        confirm: match step {
            Move::Finalize => Confirm::Type(TYPED.to_owned()),
            _ if grave => Confirm::Type(TYPED_FAILED.to_owned()),
            _ => Confirm::Button,
        },
        effect: Effect::ImageStage { stage: Stage::Idle.word() },
        keepsake,
        strict_lock: true,
        ..Plan::draft(&ENTRY, ask, title)
    })
}

fn questions(image: &ImageBased, step: Move) -> Vec<Question> {
    let mut questions = Vec::new();
    if step == Move::Finalize && image.state == State::Upgraded {
        questions.push(Question {
            name: "workloads".to_owned(),
            exactly: None,
            words: "Who has looked at the workloads on the new system, and when?".to_owned(),
        });
    }
    if image.state == State::RolledBack || image.rolled_back_by_itself() {
        questions.push(Question {
            name: "evidence".to_owned(),
            exactly: None,
            words: "Where are the logs that tell why it was rolled back?".to_owned(),
        });
    }
    questions
}

/// History and conditions, which are emptied when it is idle.
fn keepsake(object: &Value) -> Keepsake {
    let field = |pointer: &str| object.pointer(pointer).cloned().unwrap_or_default();
    let text = json!({
        "apiVersion": field("/apiVersion"),
        "kind": field("/kind"),
        "metadata": {
            "name": field("/metadata/name"),
            "uid": field("/metadata/uid"),
            "generation": field("/metadata/generation"),
            "annotations": field("/metadata/annotations"),
        },
        "spec": field("/spec"),
        "status": field("/status"),
    });
    Keepsake { name: "image-based-upgrade".to_owned(), text: format!("{text:#}\n") }
}

fn consequences(image: &ImageBased, step: Move, kept: bool) -> Vec<String> {
    let mut lines = Vec::new();
    match (step, image.state) {
        (Move::Finalize, State::Upgraded) => {
            lines.push("the former system is deleted: no way back after that".to_owned());
            lines.push(
                "the agent first waits until the cluster is well, then deletes backups and what is left".to_owned(),
            );
        }
        (Move::Finalize, _) => {
            lines.push("the system that was rolled back from is deleted, and with it what tells why".to_owned());
            lines.push(
                "the agent first waits until the cluster is well, then deletes backups and what is left".to_owned(),
            );
        }
        (_, State::RolledBackByItself) => {
            lines.push("the system that failed is deleted, and with it what tells why it failed".to_owned());
        }
        (_, State::BeforePivot) => {
            lines.push("the upgrade is given up, if the node has not left yet".to_owned());
            let why = image.outage.as_ref().map(|outage| format!(" ({})", outage.why)).unwrap_or_default();
            lines.push(format!(
                "the window closes when PrePivot ends: an Idle in the last seconds is taken by the API and lost with the \
                 reboot{why}"
            ));
        }
        _ => lines.push("what was prepared is deleted; the running system is not touched".to_owned()),
    }
    lines.push(
        "cleaning up takes minutes, up to 30 where a Job has to end first; nothing else is allowed meanwhile"
            .to_owned(),
    );
    lines.extend(ibu::not_followed(image));
    lines.extend(ibu::storage_trouble(image));
    lines.push("status.history and the conditions are emptied".to_owned());
    if kept {
        lines.push("they are saved to a file on this machine before anything is sent; it is told where".to_owned());
    }
    lines
}
