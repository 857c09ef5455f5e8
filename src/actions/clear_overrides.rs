//! Give components back to the cluster-version operator: take them off `spec.overrides` of the ClusterVersion.
//!
//! Overrides hold up updates to another minor, and up to 4.20 every update (cluster-version-operator,
//! pkg/payload/precondition/clusterversion/upgradeable.go). Taking components out of its hands is not offered: such a
//! cluster is not supported.

use serde_json::{Value, json};

use super::cluster_version::{self, PATCH, found, patch_line, writable};
use super::words::{count, list};
use super::{
    ActionId, Arg, ArgKind, Ask, Danger, Effect, Entry, Material, Offered, Plan, Refusal, Session, Takes, Target, gate,
};
use crate::api::{ComponentOverride, Conditions as _, Tri};
use crate::upgrade::assessment::Assessment;

const DANGER: Danger = Danger::M;

/// Give components back.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::ClearOverrides,
    name: "clear-overrides",
    word: "overrides",
    summary: "give overridden components back to the version operator",
    gerund: "giving components back to the cluster-version operator",
    dangers: &[DANGER],
    takes: Takes::Cluster,
    args: &[Arg {
        several: true,
        choices: Some(taken),
        ..Arg::option("component", ArgKind::Text, "only this one, as KIND/NAME or KIND/NAMESPACE/NAME")
    }],
    permissions: &[PATCH],
    needs: &[],
    inverse: None,
    offered,
    plan: make,
};

/// The components that are out of its hands, as this action takes them.
fn taken(assessment: &Assessment) -> Vec<String> {
    let overrides = assessment.facts.cluster_version.as_deref().map_or(&[][..], |seen| &seen.spec.overrides);
    overrides.iter().filter(|one| one.unmanaged).map(ComponentOverride::path).collect()
}

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let taken = taken(assessment);
    if *target != Target::Cluster || taken.is_empty() {
        return None;
    }
    let refusal = writable(assessment, session).err();
    Some(Offered { action: ActionId::ClearOverrides, title: title(&taken), danger: DANGER, refusal })
}

fn title(given: &[String]) -> String {
    format!("Give {} back to the cluster-version operator", list(given.iter().map(String::as_str)))
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, _: &Material) -> Result<Plan, Refusal> {
    let seen = writable(assessment, session)?;
    let taken = taken(assessment);
    let asked = ask.args.all("component");
    if taken.is_empty() {
        return Err(Refusal("no component is out of the cluster-version operator's hands".to_owned()));
    }
    if let Some(unknown) = asked.iter().find(|name| !taken.contains(name)) {
        return Err(Refusal(format!("{unknown} is not among the overrides: they are {}", taken.join(", "))));
    }
    let is_given = |one: &&ComponentOverride| one.unmanaged && (asked.is_empty() || asked.contains(&one.path()));
    let (given, left): (Vec<_>, Vec<_>) = seen.spec.overrides.iter().partition(is_given);
    let given: Vec<String> = given.into_iter().map(ComponentOverride::path).collect();
    let written = if left.is_empty() { Value::Null } else { left.iter().map(|one| entry(one)).collect() };
    let spec = json!({ "overrides": written });
    let oc = patch_line(&spec);
    Ok(Plan {
        danger: DANGER,
        preconditions: vec![
            found("out of its hands now", "spec.overrides", &taken.join(", ")),
            gate::permission_found(assessment, &PATCH),
        ],
        consequences: consequences(seen, &given, left.iter().filter(|one| one.unmanaged).count()),
        writes: vec![cluster_version::write(session, seen, spec, oc, vec![("overrides", written)])?],
        effect: Effect::ComponentsManaged { components: given.clone() },
        strict_lock: true,
        ..Plan::draft(&ENTRY, ask, title(&given))
    })
}

/// An entry of `spec.overrides` that stays, as it is.
fn entry(one: &ComponentOverride) -> Value {
    json!({
        "group": one.group, "kind": one.kind, "name": one.name, "namespace": one.namespace, "unmanaged": one.unmanaged,
    })
}

fn consequences(seen: &crate::api::ClusterVersion, given: &[String], left: usize) -> Vec<String> {
    let (it, has) = if given.len() == 1 { ("it", "it is") } else { ("them", "they are") };
    let mut lines = vec![
        format!(
            "within minutes the operator puts {it} back to what the release says: what was changed by hand is undone, \
             pods may restart, and what was scaled down runs again"
        ),
        format!("whoever took {it} out had a reason: what was worked around comes back if it is not solved"),
    ];
    if left > 0 {
        lines.push(format!("{} out of its hands, and updates held up", words_of_left(left)));
    } else if seen.status.conditions.condition("Upgradeable").is_some_and(|found| found.status == Tri::False) {
        lines.push("Upgradeable is looked at again within minutes; other reasons may hold it up still".to_owned());
    }
    let spec = json!({ "overrides": seen.spec.overrides.iter().map(entry).collect::<Vec<_>>() });
    lines.push(format!("to undo it, {has} taken out again by hand, which is not supported: oc {}", patch_line(&spec)));
    lines
}

fn words_of_left(left: usize) -> String {
    format!("{} {}", count(left, "component"), if left == 1 { "stays" } else { "stay" })
}
