//! Approve an InstallPlan: the operators that it names go from the version that is installed to another, for good.

use serde_json::{Value, json};

use super::raw::{Patch, items, name, part, permission, text};
use super::reading::Reading;
use super::words::{list, shell};
use super::{
    ActionId, Ask, Danger, Effect, Entry, Material, Offered, Plan, Precondition, Refusal, Session, Takes, Target, gate,
};
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::{Assessment, Resource};

/// As `oc get` takes it.
const RESOURCE: &str = "installplans.operators.coreos.com";
const OLM: &str = "/apis/operators.coreos.com/v1alpha1/namespaces";

const PATCH: Permission = permission("patch", "operators.coreos.com", "installplans", "");
const GET: Permission = permission("get", "operators.coreos.com", "installplans", "");
const LIST_SUBSCRIPTIONS: Permission = permission("list", "operators.coreos.com", "subscriptions", "");
const LIST_VERSIONS: Permission = permission("list", "operators.coreos.com", "clusterserviceversions", "");

/// All of it in the namespace of the install plan: whoever runs one team's operators may see no other ones.
const NEEDED: [Permission; 4] = [GET, PATCH, LIST_SUBSCRIPTIONS, LIST_VERSIONS];

/// Operators restart, and do not go back.
const DANGER: Danger = Danger::M;

/// Approve it.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::ApproveInstallPlan,
    name: "approve-install-plan",
    word: "approve",
    summary: "approve an InstallPlan, after seeing every operator version that it moves",
    gerund: "approving an install plan",
    dangers: &[DANGER],
    takes: Takes::Objects {
        resource: RESOURCE,
        noun: "NAMESPACE/INSTALLPLAN",
        namespaced: true,
        namespace: "",
        several: false,
        none: false,
    },
    args: &[],
    permissions: &NEEDED,
    needs: &[],
    inverse: None,
    offered,
    plan: make,
};

fn chosen(target: &Target) -> Result<&Resource, Refusal> {
    match target.objects() {
        [one] if one.resource == RESOURCE && !one.namespace.is_empty() => Ok(one),
        [one] => Err(Refusal(format!("{} is no install plan", one.short()))),
        _ => Err(Refusal("one install plan at a time: each moves operators".to_owned())),
    }
}

fn title(plan: &Resource) -> String {
    format!("Approve install plan {}/{}", plan.namespace, plan.name)
}

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let plan = chosen(target).ok()?;
    let refusal = available(assessment, session, plan).err();
    Some(Offered { action: ActionId::ApproveInstallPlan, title: title(plan), danger: DANGER, refusal })
}

fn available(assessment: &Assessment, session: &Session, plan: &Resource) -> Result<(), Refusal> {
    gate::session(assessment, session, &[])?;
    let seen =
        assessment.facts.around.install_plans.iter().find(|seen| {
            seen.name() == plan.name && seen.metadata.namespace.as_deref() == Some(plan.namespace.as_str())
        });
    if let Some(seen) = seen {
        waits(&plan.name, seen.spec.approved, &seen.status.phase)?;
    }
    NEEDED.iter().try_for_each(|permission| gate::permitted_in(assessment, permission, &plan.namespace))
}

/// Does it wait for an approval?
fn waits(name: &str, approved: bool, phase: &str) -> Result<(), Refusal> {
    match (approved, phase) {
        (true, _) => Err(Refusal(format!("install plan {name} is approved already ({phase})"))),
        (false, "RequiresApproval") => Ok(()),
        (false, phase) => Err(Refusal(format!("install plan {name} is {phase}: it waits for no approval"))),
    }
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let chosen = chosen(&ask.target)?;
    available(assessment, session, chosen)?;
    let (namespace, plan_name) = (&chosen.namespace, &chosen.name);
    let path = format!("{OLM}/{namespace}/installplans/{plan_name}");
    let mut reading = Reading::of(material);
    let permitted = reading.permission(assessment, &PATCH, namespace)?;
    for permission in &NEEDED {
        reading.permission(assessment, permission, namespace)?;
    }
    // Not even looked at where it is not permitted.
    if reading.is_missing() {
        return Ok(reading.draft(&ENTRY, ask, title(chosen)));
    }
    let found = reading.object(&path)?;
    let subscriptions = reading.list(&format!("{OLM}/{namespace}/subscriptions"))?;
    let versions = reading.list(&format!("{OLM}/{namespace}/clusterserviceversions"))?;
    let (Some(found), Some(subscriptions), Some(versions)) = (found, subscriptions, versions) else {
        return Ok(reading.draft(&ENTRY, ask, title(chosen)));
    };
    let Some(plan) = found else { return Err(Refusal(format!("there is no install plan {plan_name} in {namespace}"))) };
    let approved = plan.pointer("/spec/approved").and_then(Value::as_bool).unwrap_or_default();
    waits(plan_name, approved, text(plan, "/status/phase"))?;
    let (subscriptions, versions) = (subscriptions.unwrap_or_default(), versions.unwrap_or_default());
    let installs: Vec<&str> =
        items(plan, "/spec/clusterServiceVersionNames").iter().filter_map(Value::as_str).collect();
    if installs.is_empty() {
        return Err(Refusal(format!(
            "install plan {plan_name} names no ClusterServiceVersion: what it does cannot be told"
        )));
    }
    let object = format!("installplan/{plan_name}");
    let write = Patch {
        object: object.clone(),
        path: path.clone(),
        seen: plan,
        body: json!({ "metadata": {}, "spec": { "approved": true } }),
        oc: format!(
            "patch installplan {} -n {} --type=merge -p '{{\"spec\":{{\"approved\":true}}}}'",
            shell(plan_name),
            shell(namespace)
        ),
        stored: vec![("/spec/approved".to_owned(), json!(true))],
    }
    .write(session)?;
    let mut consequences: Vec<String> =
        installs.iter().flat_map(|csv| moves(plan, csv, &subscriptions, &versions)).collect();
    consequences.push("an operator does not go back to an older version: there is no undoing it".to_owned());
    if assessment.update.in_progress {
        consequences.push(
            "an update of the cluster is in progress: operators that restart now do so on nodes that roll".to_owned(),
        );
    }
    Ok(Plan {
        danger: DANGER,
        preconditions: vec![
            Precondition {
                words: format!("install plan {plan_name} waits for approval"),
                evidence: format!("{object} spec.approved = false, status.phase = RequiresApproval"),
            },
            Precondition {
                words: format!("it moves {} and nothing else", list(installs.iter().copied())),
                evidence: format!("{object} spec.clusterServiceVersionNames"),
            },
            permitted,
        ],
        consequences,
        writes: vec![write],
        effect: Effect::Stored { object, path, fields: vec![("/spec/approved".to_owned(), json!(true))] },
        ..Plan::draft(&ENTRY, ask, title(chosen))
    })
}

/// What becomes of an operator: from which version it goes to which, and for how long that one is supported.
fn moves(plan: &Value, csv: &str, subscriptions: &[&Value], versions: &[&Value]) -> Vec<String> {
    let subscription = subscriptions.iter().find(|subscription| text(subscription, "/status/currentCSV") == csv);
    let installed = subscription.map(|subscription| text(subscription, "/status/installedCSV")).unwrap_or_default();
    let version = |name_of: &str| {
        let there = versions.iter().find(|version| name(version) == name_of);
        there.map(|there| text(there, "/spec/version")).filter(|version| !version.is_empty())
    };
    let mut lines = vec![match (subscription, installed) {
        _ if installed == csv => format!("{csv} is installed already: it is gone through again"),
        (_, "") if versions.iter().any(|version| name(version) == csv) => format!("{csv} is there already"),
        (Some(_), "") => format!("{csv} is installed for the first time"),
        (None, _) => format!("{csv}: no subscription tells from which version it comes, or it comes as a dependency"),
        (Some(_), from) => {
            let known = version(from).map(|version| format!(" ({version})")).unwrap_or_default();
            format!("{from}{known} -> {csv}")
        }
    }];
    lines.extend(newest_release(plan, csv).map(|newest| format!("{csv} supports OpenShift up to {newest}")));
    lines
}

/// The newest OpenShift minor that a bundle of the plan supports (`olm.maxOpenShiftVersion` of its properties).
fn newest_release(plan: &Value, csv: &str) -> Option<String> {
    let lookup = items(plan, "/status/bundleLookups").iter().find(|lookup| text(lookup, "/identifier") == csv)?;
    let properties: Value = serde_json::from_str(text(lookup, "/properties")).ok()?;
    let newest = |property: &Value| {
        (text(property, "/type") == "olm.maxOpenShiftVersion").then(|| part::<Value>(property, "/value"))?
    };
    let value = items(&properties, "/properties").iter().find_map(newest)?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}
