//! What the checks of image-based upgrades have in common.

use chrono::TimeDelta;

use super::node_conditions::condition;
use super::{Finding, Level, Look, Resource, Subject, evidence, finding};
use crate::upgrade::assessment::age;
use crate::upgrade::facts::Kind;
use crate::upgrade::image_based::stage_machine::Stage;
use crate::upgrade::image_based::{ImageBased, NAME, OBJECT, Record};

/// Looking at all that it says.
pub(super) const LOOK: &str = "oc get imagebasedupgrade upgrade -o yaml";

/// The image-based upgrade, as the cluster tells it; what is only remembered is told by the verdict.
pub(super) fn seen<'a>(look: &Look<'a>) -> Option<&'a ImageBased> {
    look.now.image_based.as_deref().filter(|image| image.record == Record::Seen)
}

/// How long everything takes to come up after the only node booted.
const SETTLES: TimeDelta = TimeDelta::minutes(10);

/// Does the only node come up from a reboot? The API server runs on it: when that answers and the kubelet has just begun to
/// report, the machine has booted. After the reboot of an image-based upgrade nothing else tells it: another etcd answers,
/// which knows nothing of what went on before, and the lifecycle agent brings its record back late.
pub(super) fn starts(look: &Look) -> bool {
    let [node] = look.now.nodes.as_slice() else { return false };
    let ready = condition(look, &node.name, "Ready").and_then(|ready| ready.since);
    ready.is_some_and(|since| age(since, look.now.now) < SETTLES)
}

/// A finding about it: since when and what it rests on are those of its state.
pub(super) fn about(image: &ImageBased, id: &'static str, level: Level, title: String) -> Finding {
    let subject = Subject::Object(Resource::cluster(&Kind::ImageBasedUpgrades.resource(), NAME));
    let stage = image.stage.map_or("not set", Stage::word);
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
