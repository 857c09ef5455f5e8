//! A plan made again on fresh objects, after a conflict or before a rehearsal, and whether it still means the same.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::what_if::what_if;
use super::{Ask, Material, Plan, Refusal, Session, Target, Write};
use crate::api;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::facts::Facts;

/// Makes `plan` again for `target` on `newest` with the fresh objects of `material` in place of those that the watch last
/// showed: a GET may be ahead of the watch.
///
/// # Errors
/// Why it cannot be made any more.
pub fn again(
    newest: &Assessment,
    session: &Session,
    plan: &Plan,
    target: &Target,
    material: &Material,
) -> Result<Plan, Refusal> {
    let ask = Ask { target: target.clone(), ..plan.ask() };
    if material.fresh.is_empty() {
        return super::plan(newest, session, &ask, material);
    }
    let assessment = what_if(newest, |facts| material.fresh.iter().for_each(|(_, object)| put(facts, object)));
    super::plan(&assessment, session, &ask, material)
}

/// Puts an object that a server sent into the facts; objects of other kinds are passed over.
fn put(facts: &mut Facts, object: &Value) {
    match object.get("kind").and_then(Value::as_str) {
        Some("Node") => put_into(&mut facts.nodes, object, api::Node::name),
        Some("MachineConfigPool") => put_into(&mut facts.pools, object, api::MachineConfigPool::name),
        Some("ImageBasedUpgrade") => {
            let around = Arc::make_mut(&mut facts.around);
            put_into(&mut around.image_based_upgrades, object, api::ImageBasedUpgrade::name);
        }
        Some("ClusterVersion") => {
            if let Ok(version) = api::ClusterVersion::deserialize(object) {
                facts.cluster_version = Some(Arc::new(version));
            }
        }
        _ => {}
    }
}

/// Replaces the object of the same name; one that the watch did not show is put in its place by name.
fn put_into<'de, T: Deserialize<'de> + Clone>(list: &mut Arc<Vec<Arc<T>>>, object: &'de Value, name: fn(&T) -> &str) {
    let Ok(new) = T::deserialize(object) else { return };
    let list = Arc::make_mut(list);
    match list.binary_search_by(|old| name(old).cmp(name(&new))) {
        Ok(at) => list[at] = Arc::new(new),
        Err(at) => list.insert(at, Arc::new(new)),
    }
}

/// Do both plans mean the same to the person who confirmed one of them? Objects (by UID), writes but for the
/// resourceVersion, the words of the preconditions, the consequences, and how dangerous it is.
pub fn same_meaning(before: &Plan, after: &Plan) -> bool {
    difference(before, after).is_none()
}

/// What differs in meaning, in words; none when nothing does.
pub fn difference(before: &Plan, after: &Plan) -> Option<String> {
    if before.ask() != after.ask() {
        return Some("it is another action".to_owned());
    }
    if let Some(words) = rest_differs(before, after) {
        return Some(words);
    }
    let gone = before.writes.iter().find(|old| after.writes.iter().all(|write| write.object != old.object));
    if let Some(write) = gone {
        return Some(format!("nothing has to be done to {} any more", write.object));
    }
    if before.writes.len() != after.writes.len() || before.effect != after.effect {
        return Some("the requests differ".to_owned());
    }
    if before.preconditions.len() != after.preconditions.len() {
        return Some("the preconditions differ".to_owned());
    }
    let lines = |plan: &Plan| plan.consequences.clone();
    let (was, is) = (lines(before), lines(after));
    let new = is.iter().find(|line| !was.contains(line));
    let gone = was.iter().find(|line| !is.contains(line));
    match (new, gone) {
        (Some(line), _) => Some(format!("the consequences changed: {line}")),
        (None, Some(line)) => Some(format!("this does not hold any more: {line}")),
        (None, None) if was != is => Some("the consequences changed their order".to_owned()),
        (None, None) if before.danger != after.danger => Some("it is less dangerous now".to_owned()),
        (None, None) if before.confirm != after.confirm || before.questions != after.questions => {
            Some("it is confirmed in another way now".to_owned())
        }
        (None, None) => None,
    }
}

/// What differs in the part of a bulk plan that is left to do, once writes of its own have begun to change the
/// consequences: the writes, the words of the preconditions, and more danger.
pub fn rest_differs(before: &Plan, after: &Plan) -> Option<String> {
    for write in &after.writes {
        match before.writes.iter().find(|old| old.object == write.object) {
            None => return Some(format!("{} was not part of the plan", write.object)),
            Some(old) if old.uid != write.uid => {
                return Some(format!("{} is another object now (it was deleted and created again)", write.object));
            }
            Some(old) if !same_write(old, write) => return Some(format!("the request for {} differs", write.object)),
            Some(_) => {}
        }
    }
    if let Some(words) = drain_differs(before, after) {
        return Some(words);
    }
    if after.danger > before.danger {
        return Some(format!("the danger is {:?} now, it was {:?}", after.danger, before.danger));
    }
    let known = |words: &str| before.preconditions.iter().any(|old| old.words == words);
    let new = after.preconditions.iter().find(|new| !known(&new.words));
    new.map(|new| format!("a precondition is new: {}", new.words)).or_else(|| undo_differs(before, after))
}

/// What somebody has changed of an object that is still to be written: the request says the same, and would undo that.
fn undo_differs(before: &Plan, after: &Plan) -> Option<String> {
    let of = |plan: &Plan, write: &Write| plan.undo.iter().find(|undo| undo.object == write.object).cloned();
    after.writes.iter().find_map(|write| {
        let (was, is) = (of(before, write), of(after, write));
        let how = is.as_ref().map(|is| format!("; {}", is.told())).unwrap_or_default();
        (was != is).then(|| format!("somebody has changed {}{how}", write.object))
    })
}

/// What differs in a drain, but for the pods: those come and go, and the consequences tell them. Of several nodes some may
/// be left to do.
fn drain_differs(before: &Plan, after: &Plan) -> Option<String> {
    let (Some(old), Some(new)) = (&before.drain, &after.drain) else { return None };
    let known =
        |node: &&super::drain::DrainedNode| old.nodes.iter().any(|old| old.name == node.name && old.uid == node.uid);
    if let Some(node) = new.nodes.iter().find(|node| !known(node)) {
        return Some(format!("node {} is another one now (it was deleted and created again)", node.name));
    }
    let how = |drain: &super::Drain| (drain.eviction.clone(), drain.empty_dir, drain.force, drain.timeout);
    (how(old) != how(new)).then(|| "it would be drained in another way".to_owned())
}

/// The same request but for the resourceVersion?
fn same_write(before: &Write, after: &Write) -> bool {
    before.on_version("") == after.on_version("")
}
