//! What a plan says undoes it, does: the way back can be typed, is possible as soon as the action is done, and leads to
//! what was there before.

use std::collections::BTreeMap;

use oc_cockpit::actions::outcome::Outcome;
use oc_cockpit::actions::{ActionId, Ask, split};
use serde_json::Value;

use super::cases::{Case, case};
use super::lab::Lab;

/// What the API server keeps of its own accord.
const NOT_OURS: [&str; 4] = ["resourceVersion", "generation", "managedFields", "uid"];

/// What is gone with an eviction: no controller is there to make it again.
const EVICTED: [&str; 3] = ["events", "pods", "poddisruptionbudgets"];

/// What stands in the specs, labels and annotations of all objects; what says nothing is left away.
fn meant(lab: &Lab) -> BTreeMap<String, Value> {
    let objects = lab.store.kinds().into_iter().filter(|kind| !EVICTED.contains(&kind.plural));
    let objects = objects.flat_map(|kind| {
        let res = kind.res();
        let name = move |object: &Value| {
            let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
            format!("{} {}/{}", kind.plural, text("namespace"), text("name"))
        };
        lab.store.list(res).into_iter().map(move |object| (name(&object), said((*object).clone())))
    });
    objects.collect()
}

fn said(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|key, _| !NOT_OURS.contains(&key.as_str()));
    }
    without_defaults(object)
}

/// Without `false`, empty texts and what holds nothing.
fn without_defaults(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(key, value)| (key, without_defaults(value)));
            Value::Object(fields.filter(|(key, value)| !says_nothing(value) && !is_default(key, value)).collect())
        }
        other => other,
    }
}

/// A pool that does not say how many of its nodes may be away lets one go.
fn is_default(key: &str, value: &Value) -> bool {
    key == "maxUnavailable" && *value == 1
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

/// The wish that a line means.
fn typed(line: &str) -> Ask {
    let words = split(line).unwrap();
    let id = ActionId::ALL.iter().find(|id| id.name() == words[0]).unwrap();
    id.entry().parse(&words[1..]).unwrap()
}

/// Undone when a controller has taken note of it, of which there is none here.
const NEEDS_A_CONTROLLER: &[ActionId] = &[ActionId::ClearUpdate, ActionId::IbuPrep, ActionId::IbuUpgrade];

#[tokio::test(start_paused = true)]
async fn what_a_plan_says_undoes_it_does() {
    let mut wrong = Vec::new();
    let mut undone = 0;
    for id in ActionId::ALL {
        let Case { ask, sample, .. } = case(*id);
        let lab = Lab::new(&sample);
        let before = meant(&lab);
        let done = lab.send_by(&lab.client, &ask).await;
        let (name, plan) = (id.name(), done.plan);
        assert!(matches!(done.outcome, Outcome::Accepted { .. }), "{name}: {:?}", done.outcome);
        let known = plan.back.iter().map(|wish| wish.action).chain(plan.inverse).collect::<Vec<_>>();
        if plan.inverse.is_some() && plan.back.is_empty() && plan.undo.is_empty() {
            wrong.push(format!("{name}: that {} undoes it is said, and not how", known[0].name()));
        }
        for wish in &plan.back {
            assert_eq!(typed(&wish.line()), *wish, "{name}");
            if NEEDS_A_CONTROLLER.contains(id) {
                continue;
            }
            match lab.rehearse(wish).await {
                Ok(_) => undone += 1,
                Err(refusal) => {
                    wrong.push(format!("{name}: {} is refused: {}", wish.line(), refusal.0));
                    continue;
                }
            }
            let back = lab.send_by(&lab.client, wish).await;
            assert!(matches!(back.outcome, Outcome::Accepted { .. }), "{name}: {:?}", back.outcome);
        }
        let after = meant(&lab);
        if !plan.back.is_empty() && !NEEDS_A_CONTROLLER.contains(id) && after != before {
            let keys = before.keys().chain(after.keys());
            let other: Vec<_> = keys.filter(|key| before.get(*key) != after.get(*key)).collect();
            wrong.push(format!("{name}: something else is there afterwards: {other:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(undone > 10, "{undone}");
}
