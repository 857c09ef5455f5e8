//! Acknowledge an admin gate: an administrator says that what the gate speaks of has been settled, and the next minor
//! update is no longer held up by it.
//!
//! Writes one key of ConfigMap `openshift-config/admin-acks`, after showing who still uses APIs that the next minor no
//! longer has: that is what most gates are about.

use kube::core::ObjectMeta;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::cluster_version::{KINDS, seen};
use super::request::{oc, patch};
use super::words::{in_pointer, list};
use super::{
    ActionId, Arg, ArgKind, Ask, Confirm, Danger, Effect, Entry, Material, Offered, PatchKind, Plan, Precondition,
    Read, Refusal, SET, Session, Takes, Target, Write, gate,
};
use crate::api;
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::updates::{Gate, gate_version, gates_in, gates_of, kubernetes_of_next_minor, still_used};

const DANGER: Danger = Danger::M;

/// An acknowledgement is a key of this one ConfigMap.
const PATCH: Permission =
    Permission::cluster("patch", "", "configmaps").in_namespace("openshift-config").named("admin-acks");

/// Where gates are named.
const GATES: &str = "/api/v1/namespaces/openshift-config-managed/configmaps/admin-gates";
/// Where they are acknowledged.
const ACKS: &str = "/api/v1/namespaces/openshift-config/configmaps/admin-acks";
/// Who uses which API.
const COUNTS: &str = "/apis/apiserver.openshift.io/v1/apirequestcounts";

/// Acknowledge an admin gate.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::AckGate,
    name: "ack-gate",
    word: "acknowledge",
    summary: "acknowledge an admin gate, after showing who still uses APIs that go away",
    gerund: "acknowledging an admin gate",
    dangers: &[Danger::L, DANGER],
    takes: Takes::Cluster,
    args: &[
        Arg {
            choices: Some(open_keys),
            ..Arg::word("key", ArgKind::Text, "the gate, for example ack-4.18-kube-1.32-api-removals-in-4.19")
        },
        Arg::option("withdraw", ArgKind::Flag, "take the acknowledgement back"),
        Arg::option("create", ArgKind::Flag, "create ConfigMap openshift-config/admin-acks where it is missing"),
    ],
    permissions: &[PATCH],
    needs: &[],
    inverse: Some(ActionId::AckGate),
    offered,
    plan: make,
};

/// The gates that wait for an acknowledgement, as far as they are known.
fn open_keys(assessment: &Assessment) -> Vec<String> {
    let gates = gates_of(assessment).unwrap_or_default();
    let open = gates.into_iter().filter(|gate| gate.acknowledged == Some(false) && !gate.broken);
    open.map(|gate| gate.key).collect()
}

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let open = open_keys(assessment);
    if *target != Target::Cluster || open.is_empty() {
        return None;
    }
    let refusal = allowed(assessment, session).err();
    let title = match open.as_slice() {
        [key] => title(key, false),
        _ => "Acknowledge an admin gate".to_owned(),
    };
    Some(Offered { action: ActionId::AckGate, title, danger: DANGER, refusal })
}

fn title(key: &str, withdraw: bool) -> String {
    if withdraw { format!("Take back the acknowledgement of {key}") } else { format!("Acknowledge {key}") }
}

fn allowed(assessment: &Assessment, session: &Session) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    gate::permitted(assessment, &PATCH)
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    allowed(assessment, session)?;
    let version = gate_version(seen(assessment)?).to_owned();
    let Some(key) = ask.args.get("key").filter(|key| !key.is_empty()) else {
        return Err(Refusal("name the gate".to_owned()));
    };
    let withdraw = ask.args.flag("withdraw");
    let draft = Plan {
        danger: if withdraw { Danger::L } else { DANGER },
        strict_lock: true,
        ..Plan::draft(&ENTRY, ask, title(key, withdraw))
    };
    let (Some(gates), Some(acks), Some(counts)) =
        (material.object(GATES), material.object(ACKS), material.list(COUNTS))
    else {
        let objects = [GATES, ACKS].map(|path| Read::Object(path.to_owned()));
        let reads = objects.into_iter().chain([Read::List(COUNTS.to_owned())]).collect();
        let consequences = vec!["reading the gates, and who still uses APIs that go away".to_owned()];
        return Ok(Plan { consequences, reads, ..draft });
    };
    let gates = map(gates.map_err(|why| unreadable("openshift-config-managed/admin-gates", why))?)?;
    let acks_seen = acks.map_err(|why| unreadable("openshift-config/admin-acks", why))?;
    let gate = find(&gates_in(gates.as_ref(), map(acks_seen)?.as_ref(), &version), key, &version, withdraw)?;
    let usage = usage(assessment, counts, withdraw);
    let mut preconditions = vec![
        Precondition {
            words: format!("{key} is a gate of {version}"),
            evidence: "configmap openshift-config-managed/admin-gates".to_owned(),
        },
        Precondition {
            words: format!("it is {}acknowledged", if withdraw { "" } else { "not " }),
            evidence: "configmap openshift-config/admin-acks".to_owned(),
        },
    ];
    preconditions.push(gate::permission_found(assessment, &PATCH));
    let mut consequences: Vec<String> = gate
        .message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| format!("the gate says: {line}"))
        .collect();
    consequences.extend(usage.lines);
    consequences.extend(follows(assessment, acks_seen.is_none(), withdraw));
    let back = Ask::new(ActionId::AckGate, Target::Cluster).with("key", key);
    let value = if withdraw { Value::Null } else { json!("true") };
    let fields = vec![(format!("/data/{}", in_pointer(key)), value.clone())];
    Ok(Plan {
        preconditions,
        consequences,
        writes: vec![write(session, acks_seen, key, &value, ask.args.flag("create"))?.storing(fields.clone())],
        confirm: if usage.calm { Confirm::Button } else { Confirm::Type(key.to_owned()) },
        effect: Effect::Stored { object: "configmap/admin-acks".to_owned(), path: ACKS.to_owned(), fields },
        back: vec![if withdraw { back } else { back.with("withdraw", SET) }],
        ..draft
    })
}

fn unreadable(object: &str, why: &str) -> Refusal {
    Refusal(format!("ConfigMap {object} could not be read: {why}"))
}

fn map(object: Option<&Value>) -> Result<Option<api::ConfigMap>, Refusal> {
    object
        .map(api::ConfigMap::deserialize)
        .transpose()
        .map_err(|error| Refusal(format!("a ConfigMap makes no sense: {error}")))
}

/// The gate, if an acknowledgement can do something for it.
fn find(gates: &[Gate], key: &str, version: &str, withdraw: bool) -> Result<Gate, Refusal> {
    let Some(gate) = gates.iter().find(|gate| gate.key == key) else {
        let known = list(gates.iter().map(|gate| gate.key.as_str()));
        let known = if known.is_empty() { "there is none".to_owned() } else { format!("its gates: {known}") };
        return Err(Refusal(format!("{key} is no gate of {version}; {known}")));
    };
    match (gate.acknowledged == Some(true), withdraw) {
        _ if gate.broken => Err(Refusal(format!("{key}: {}", gate.message))),
        (true, false) => Err(Refusal(format!("{key} is acknowledged already"))),
        (false, true) => Err(Refusal(format!("{key} is not acknowledged"))),
        _ => Ok(gate.clone()),
    }
}

/// Who still uses what goes away.
struct Usage {
    lines: Vec<String>,
    /// Nobody does, and that is known.
    calm: bool,
}

fn usage(assessment: &Assessment, counts: Result<Option<&[Value]>, &str>, withdraw: bool) -> Usage {
    if withdraw {
        return Usage { lines: Vec::new(), calm: true };
    }
    let unknown = |why: &str| Usage {
        lines: vec![format!("who still uses APIs that the next minor no longer has is not known: {why}")],
        calm: false,
    };
    let Some(kubernetes) = kubernetes_of_next_minor(assessment) else {
        return unknown("which Kubernetes the next minor brings is not known");
    };
    let counts = match counts {
        Err(why) => return unknown(why),
        Ok(None) => return unknown("this cluster does not count requests (APIRequestCount)"),
        Ok(Some(counts)) => counts,
    };
    let read: Result<Vec<api::APIRequestCount>, _> = counts.iter().map(api::APIRequestCount::deserialize).collect();
    let read = match read {
        Ok(read) => read,
        Err(error) => return unknown(&format!("a count makes no sense: {error}")),
    };
    let used = still_used(&read, kubernetes);
    if used.is_empty() {
        let line = format!(
            "of the APIs that Kubernetes 1.{kubernetes} no longer has, none was asked for in the last day by anybody who \
             will miss it (APIRequestCount)"
        );
        return Usage { lines: vec![line], calm: true };
    }
    let lines = used.iter().map(|api| {
        let clients: Vec<String> = api.clients.iter().map(|(client, count)| format!("{client} ({count})")).collect();
        let clients = if clients.is_empty() {
            "clients that are not told".to_owned()
        } else {
            list(clients.iter().map(String::as_str))
        };
        format!("{} is gone in Kubernetes {}, and was asked for in the last day by {clients}", api.name, api.removed_in)
    });
    let warn = "they fail from the moment in which the API servers are updated".to_owned();
    Usage { lines: lines.chain([warn]).collect(), calm: false }
}

fn follows(assessment: &Assessment, missing: bool, withdraw: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if missing {
        lines
            .push("ConfigMap openshift-config/admin-acks does not exist: it is created with this key alone".to_owned());
    }
    if withdraw {
        lines.push("the next minor update is held up by the gate again, unless it has begun".to_owned());
        return lines;
    }
    lines.push(
        "the gate no longer holds up the next minor update: the operator looks again within minutes; it can be taken back \
         until that update is accepted"
            .to_owned(),
    );
    let version = assessment.facts.cluster_version.as_deref();
    let others: Vec<&str> = assessment
        .operators
        .rows
        .iter()
        .filter(|row| row.not_upgradeable.is_some())
        .map(|row| row.name.as_str())
        .collect();
    if !others.is_empty() {
        lines.push(format!("Upgradeable stays False for other reasons: {}", list(others)));
    }
    if let Some(requested) = assessment.update.requested.as_ref().filter(|requested| requested.refused)
        && version.is_some_and(|version| {
            crate::upgrade::version::leaves_minor(&version.status.desired.version, &requested.target)
        })
    {
        lines.push(format!(
            "the update to {} is requested and was refused: once nothing else holds it up it begins by itself",
            requested.target
        ));
    }
    lines
}

fn write(session: &Session, acks: Option<&Value>, key: &str, value: &Value, create: bool) -> Result<Write, Refusal> {
    let data = json!({ "data": { key: value } });
    let line = format!("-n openshift-config patch configmap admin-acks --type=merge --patch '{data}'");
    let Some(acks) = acks else {
        if !create {
            return Err(Refusal(
                "ConfigMap openshift-config/admin-acks does not exist; create makes it, with this acknowledgement alone"
                    .to_owned(),
            ));
        }
        let body = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "admin-acks", "namespace": "openshift-config" }, "data": { key: value },
        });
        let collection = "/api/v1/namespaces/openshift-config/configmaps";
        let line = format!("-n openshift-config create configmap admin-acks --from-literal={key}=true");
        return Ok(Write::create(session, "configmap/admin-acks".to_owned(), collection, body, &line));
    };
    let metadata = ObjectMeta {
        uid: acks.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned),
        resource_version: acks.pointer("/metadata/resourceVersion").and_then(Value::as_str).map(str::to_owned),
        ..ObjectMeta::default()
    };
    patch("configmap/admin-acks", ACKS, PatchKind::Merge, &metadata, data, oc(session, &line))
}
