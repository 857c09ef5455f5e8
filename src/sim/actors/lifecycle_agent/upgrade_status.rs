//! The status of an ImageBasedUpgrade: conditions, the stages that may come next, history.
//!
//! Rules: lifecycle-agent, api/imagebasedupgrade/v1 (types), internal/common and utils (conditions, history),
//! controllers (`getValidNextStageList`).

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::prep_jobs::home;
use crate::sim::actors::world::{Speaker, World};
use crate::sim::cluster::image_based::{CONTROLLER, NAME};
use crate::sim::cluster::object::{Condition, condition, condition_status, items, text};
use crate::sim::kinds::Res;
use crate::sim::scenario::from_image::Stage;
use crate::sim::store::timestamp;

/// Reasons of `Idle` while what was is being removed, or could not be.
const CLEANING: [&str; 4] = ["Aborting", "AbortFailed", "Finalizing", "FinalizeFailed"];

/// Writes the status, and with it what follows from it.
pub fn write(world: &World, change: impl FnOnce(&mut Value)) {
    let mut news = None;
    world.store.update(Res::IMAGE_BASED_UPGRADES, None, NAME, |object| {
        let before = last(object).clone();
        change(object);
        conclude(world, object);
        news = Some(last(object).clone()).filter(|last| *last != before);
    });
    if let Some(news) = news {
        let of = |field: &str| news[field].as_str().unwrap_or_default().to_owned();
        let told = format!("condition {}={} {}: {}", of("type"), of("status"), of("reason"), of("message"));
        let severity = if of("reason").ends_with("Failed") { 'E' } else { 'I' };
        world.log(Speaker::Leader(&home(world), CONTROLLER), severity, "imagebasedupgrade_controller.go", &told);
    }
}

fn last(object: &Value) -> &Value {
    items(object, "/status/conditions").last().unwrap_or(&Value::Null)
}

/// `validNextStages` and `observedGeneration` as they follow from the rest.
fn conclude(world: &World, object: &mut Value) {
    let pivoted = world.disk.is_booted(text(object, "/spec/seedImageRef/version"));
    let next: Vec<Value> = next_stages(object, pivoted).into_iter().map(|stage| json!(stage.word())).collect();
    if !object["status"].is_object() {
        object["status"] = json!({});
    }
    object["status"]["observedGeneration"] = object["metadata"]["generation"].clone();
    if next.is_empty() {
        if let Some(status) = object["status"].as_object_mut() {
            status.remove("validNextStages");
        }
    } else {
        object["status"]["validNextStages"] = json!(next);
    }
}

/// The stages that may be asked for next, by the order of `getValidNextStageList`.
pub fn next_stages(object: &Value, pivoted: bool) -> Vec<Stage> {
    let is = |kind: &str, status: &str| condition_status(object, kind) == status;
    let reason = condition(object, "Idle").map_or("", |idle| text(idle, "/reason"));
    if is("Idle", "False") && CLEANING.contains(&reason) || is("RollbackInProgress", "True") {
        return Vec::new();
    }
    if is("RollbackCompleted", "False") {
        return Vec::new();
    }
    if is("PrepInProgress", "True") || is("PrepCompleted", "False") {
        return vec![Stage::Idle];
    }
    if is("UpgradeInProgress", "True") || is("UpgradeCompleted", "False") {
        return vec![if pivoted { Stage::Rollback } else { Stage::Idle }];
    }
    if is("RollbackCompleted", "True") {
        return vec![Stage::Idle];
    }
    if is("UpgradeCompleted", "True") {
        return vec![Stage::Idle, Stage::Rollback];
    }
    if is("PrepCompleted", "True") {
        return vec![Stage::Idle, Stage::Upgrade];
    }
    if is("Idle", "True") {
        return vec![Stage::Prep];
    }
    if condition(object, "Idle").is_none() {
        return vec![Stage::Idle];
    }
    if reason == "Blocked" {
        return Stage::parse(text(object, "/spec/stage")).into_iter().collect();
    }
    Vec::new()
}

/// Sets a condition. One that changes goes to the end of the list: the last one is what `kubectl get` shows.
pub fn tell(object: &mut Value, (kind, status, reason): (&str, &str, &str), message: &str, now: DateTime<Utc>) {
    let known = condition(object, kind);
    let same = |field: &str, wanted: &str| known.is_some_and(|known| known[field] == wanted);
    if same("status", status) && same("reason", reason) && same("message", message) {
        return;
    }
    let since = known.filter(|known| known["status"] == status).map(|known| known["lastTransitionTime"].clone());
    let mut told = Condition::new(kind, status, reason, message).at(now);
    told["message"] = json!(message);
    told["observedGeneration"] = object["metadata"]["generation"].clone();
    if let Some(since) = since {
        told["lastTransitionTime"] = since;
    }
    let mut list = items(object, "/status/conditions").to_vec();
    list.retain(|condition| condition["type"] != kind);
    list.push(told);
    object["status"]["conditions"] = json!(list);
}

/// At rest: nothing of what was is left.
pub fn rest(object: &mut Value, now: DateTime<Utc>) {
    if let Some(status) = object["status"].as_object_mut() {
        for field in ["conditions", "history", "rollbackAvailabilityExpiration"] {
            status.remove(field);
        }
    }
    tell(object, ("Idle", "True", "Idle"), "Idle", now);
}

/// The history of a stage, which begins now if it has not.
fn stage_entry(object: &mut Value, stage: Stage, now: DateTime<Utc>) -> Option<&mut Value> {
    if !object["status"]["history"].is_array() {
        object["status"]["history"] = json!([]);
    }
    let list = object["status"]["history"].as_array_mut()?;
    let place = list.iter().position(|entry| entry["stage"] == stage.word());
    let place = place.unwrap_or_else(|| {
        list.push(json!({"stage": stage.word(), "startTime": timestamp(now)}));
        list.len() - 1
    });
    list.get_mut(place)
}

/// A stage begins.
pub fn begin_stage(object: &mut Value, stage: Stage, now: DateTime<Utc>) {
    stage_entry(object, stage, now);
}

/// A stage has succeeded.
pub fn end_stage(object: &mut Value, stage: Stage, now: DateTime<Utc>) {
    if let Some(entry) = stage_entry(object, stage, now) {
        entry["completionTime"] = json!(timestamp(now));
    }
}

/// A phase of a stage begins.
pub fn begin_phase(object: &mut Value, stage: Stage, phase: &str, now: DateTime<Utc>) {
    let Some(entry) = stage_entry(object, stage, now) else { return };
    if !entry["phases"].is_array() {
        entry["phases"] = json!([]);
    }
    let Some(phases) = entry["phases"].as_array_mut() else { return };
    if !phases.iter().any(|known| known["phase"] == phase) {
        phases.push(json!({"phase": phase, "startTime": timestamp(now)}));
    }
}

/// A phase of a stage has succeeded.
pub fn end_phase(object: &mut Value, stage: Stage, phase: &str, now: DateTime<Utc>) {
    let Some(entry) = stage_entry(object, stage, now) else { return };
    let phases = entry["phases"].as_array_mut().into_iter().flatten();
    for known in phases.filter(|known| known["phase"] == phase) {
        known["completionTime"] = json!(timestamp(now));
    }
}

/// The upgrade has failed of a cause, which is told where its progress was.
pub fn upgrade_failed(object: &mut Value, cause: &str, now: DateTime<Utc>) {
    tell(object, ("UpgradeCompleted", "False", "Failed"), "Upgrade failed", now);
    tell(object, ("UpgradeInProgress", "False", "Failed"), cause, now);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Conditions, and the stages that may come next before and after the pivot.
    type Row = (Vec<(&'static str, &'static str, &'static str)>, Vec<Stage>, Vec<Stage>);

    fn upgrade(conditions: &[(&str, &str, &str)]) -> Value {
        let conditions: Vec<Value> = conditions
            .iter()
            .map(|(kind, status, reason)| json!({"type": kind, "status": status, "reason": reason, "message": ""}))
            .collect();
        json!({"metadata": {"generation": 3}, "spec": {"stage": "Prep"}, "status": {"conditions": conditions}})
    }

    /// The table of the stages that may come next, row by row, before and after the pivot.
    #[test]
    fn the_next_stages_follow_from_the_conditions_from_the_top_down() {
        use Stage::{Idle, Prep, Rollback, Upgrade};
        let idle = ("Idle", "False", "InProgress");
        let prepared = [idle, ("PrepInProgress", "False", "Completed"), ("PrepCompleted", "True", "Completed")];
        let with = |more: &[(&'static str, &'static str, &'static str)]| [&prepared[..], more].concat();
        let rows: Vec<Row> = vec![
            (vec![("Idle", "False", "Aborting")], vec![], vec![]),
            (with(&[("Idle", "False", "AbortFailed")])[1..].to_vec(), vec![], vec![]),
            (vec![("Idle", "False", "Finalizing"), ("UpgradeCompleted", "True", "Completed")], vec![], vec![]),
            (vec![("Idle", "False", "FinalizeFailed")], vec![], vec![]),
            (
                with(&[("UpgradeCompleted", "False", "Failed"), ("RollbackInProgress", "True", "InProgress")]),
                vec![],
                vec![],
            ),
            (
                with(&[("RollbackInProgress", "False", "Failed"), ("RollbackCompleted", "False", "Failed")]),
                vec![],
                vec![],
            ),
            (vec![idle, ("PrepInProgress", "True", "InProgress")], vec![Idle], vec![Idle]),
            (vec![idle, ("PrepCompleted", "False", "Failed")], vec![Idle], vec![Idle]),
            (with(&[("UpgradeInProgress", "True", "InProgress")]), vec![Idle], vec![Rollback]),
            (with(&[("UpgradeCompleted", "False", "Failed")]), vec![Idle], vec![Rollback]),
            (vec![idle, ("RollbackCompleted", "True", "Completed")], vec![Idle], vec![Idle]),
            (with(&[("UpgradeCompleted", "True", "Completed")]), vec![Idle, Rollback], vec![Idle, Rollback]),
            (prepared.to_vec(), vec![Idle, Upgrade], vec![Idle, Upgrade]),
            (vec![("Idle", "True", "Idle")], vec![Prep], vec![Prep]),
            (vec![], vec![Idle], vec![Idle]),
            (vec![("Idle", "False", "Blocked")], vec![Prep], vec![Prep]),
        ];
        for (conditions, before, after) in rows {
            let object = upgrade(&conditions);
            assert_eq!(next_stages(&object, false), before, "before the pivot: {conditions:?}");
            assert_eq!(next_stages(&object, true), after, "after the pivot: {conditions:?}");
        }
    }

    #[test]
    fn a_condition_that_changes_goes_to_the_end_and_keeps_its_time_while_its_status_stays() {
        let (early, late) = (DateTime::UNIX_EPOCH, DateTime::from_timestamp(60, 0).unwrap());
        let mut object = upgrade(&[]);
        tell(&mut object, ("Idle", "False", "InProgress"), "In progress", early);
        tell(&mut object, ("PrepInProgress", "True", "InProgress"), "In progress", early);
        tell(&mut object, ("Idle", "False", "Aborting"), "In progress", late);
        let types: Vec<&str> = items(&object, "/status/conditions").iter().map(|it| text(it, "/type")).collect();
        assert_eq!(types, ["PrepInProgress", "Idle"]);
        assert_eq!(text(&object, "/status/conditions/1/lastTransitionTime"), "1970-01-01T00:00:00Z");
        let before = object.clone();
        tell(&mut object, ("PrepInProgress", "True", "InProgress"), "In progress", late);
        assert_eq!(object, before, "saying the same again changes nothing");
    }
}
