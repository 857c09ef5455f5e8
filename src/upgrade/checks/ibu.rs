//! What the checks of image-based upgrades have in common.

use super::{Finding, Level, Look, Resource, Subject, evidence, finding};
use crate::upgrade::facts::Kind;
use crate::upgrade::image_based::{ImageBased, NAME, OBJECT, Record};

/// Looking at all that it says.
pub(super) const LOOK: &str = "oc get imagebasedupgrade upgrade -o yaml";

/// The image-based upgrade, as the cluster tells it; what is only remembered is told by the verdict.
pub(super) fn seen<'a>(look: &Look<'a>) -> Option<&'a ImageBased> {
    look.now.image_based.as_deref().filter(|image| image.record == Record::Seen)
}

/// A finding about it: since when and what it rests on are those of its state.
pub(super) fn about(image: &ImageBased, id: &'static str, level: Level, title: String) -> Finding {
    let subject = Subject::Object(Resource::cluster(&Kind::ImageBasedUpgrades.resource(), NAME));
    let stage = image.stage.map_or("not set", crate::upgrade::image_based::stage_machine::Stage::word);
    let mut rests = vec![evidence(OBJECT.to_owned(), "spec.stage", stage, None)];
    if !image.condition.is_empty() {
        rests.push(evidence(OBJECT.to_owned(), "status.conditions", image.condition.clone(), image.since));
    }
    Finding { since: image.since, evidence: rests, ..finding(id, level, subject, title) }
}

/// The oc line that asks for a stage.
pub(super) fn ask_for(stage: &str) -> String {
    format!("oc patch imagebasedupgrade upgrade --type=merge -p '{{\"spec\":{{\"stage\":\"{stage}\"}}}}'")
}
