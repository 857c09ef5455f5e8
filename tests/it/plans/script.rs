//! A transport that answers from a list and remembers what it was sent, and plans to send through it.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use oc_cockpit::actions::audit::{Actor, Given};
use oc_cockpit::actions::outcome::{Order, Rehearsal, Step};
use oc_cockpit::actions::pods::PodList;
use oc_cockpit::actions::{
    ActionId, Args, Confirm, Danger, Effect, Found, Material, PatchKind, Plan, Precondition, Read, Refusal, Target,
    Verb, Write,
};
use oc_cockpit::cluster::execute::Transport;
use oc_cockpit::cluster::{Reply, Request};
use oc_cockpit::upgrade::link::{Trouble, TroubleKind};
use serde_json::{Value, json};

/// A file that no other test uses, gone at the start.
pub fn scratch(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let unique = format!("{name}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("plans").join(unique);
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The lines of an audit log.
pub fn lines(path: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Answers in order; a request beyond the script fails the test.
#[derive(Default)]
pub struct Script {
    answers: Mutex<VecDeque<Result<Reply, Trouble>>>,
    sent: Mutex<Vec<Request>>,
    /// The audit log as it was when each PATCH came.
    pub audit: Option<PathBuf>,
    seen: Mutex<Vec<Vec<Value>>>,
}

impl Script {
    pub fn of(answers: impl IntoIterator<Item = Result<Reply, Trouble>>) -> Self {
        Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() }
    }

    pub fn sent(&self) -> Vec<Request> {
        self.sent.lock().unwrap().clone()
    }

    /// `PATCH /path resourceVersion`, `GET /path`.
    pub fn log(&self) -> Vec<String> {
        let line = |request: &Request| {
            let version =
                request.body.as_ref().and_then(|(_, body)| body.pointer("/metadata/resourceVersion").cloned());
            let name = request.path.rsplit('/').next().unwrap_or_default();
            format!("{:?} {name} {}", request.method, version.unwrap_or_default().as_str().unwrap_or_default())
                .trim_end()
                .to_owned()
        };
        self.sent().iter().map(line).collect()
    }

    pub fn audit_when_sent(&self) -> Vec<Vec<Value>> {
        self.seen.lock().unwrap().clone()
    }
}

impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Reply, Trouble> {
        if let Some(path) = &self.audit {
            self.seen.lock().unwrap().push(lines(path));
        }
        self.sent.lock().unwrap().push(request.clone());
        self.answers.lock().unwrap().pop_front().unwrap_or_else(|| panic!("not in the script: {request:?}"))
    }

    async fn read(&self, _read: &Read) -> Result<Found, Trouble> {
        Ok(Found::Pods(PodList::default()))
    }
}

/// An answer as [`Script::of`] takes it.
#[expect(clippy::unnecessary_wraps, reason = "it stands in a list with answers that never came")]
pub fn reply(status: u16, body: Value) -> Result<Reply, Trouble> {
    Ok(Reply { status, body, retry_after: None })
}

pub fn conflict() -> Result<Reply, Trouble> {
    reply(409, json!({ "kind": "Status", "reason": "Conflict", "message": "the object has been modified" }))
}

pub fn timeout() -> Result<Reply, Trouble> {
    let words = "no answer within 30 s".to_owned();
    Err(Trouble { kind: TroubleKind::Timeout, words, hint: String::new(), since: chrono::DateTime::UNIX_EPOCH })
}

/// A pool as a server sends it.
pub fn pool(version: &str, paused: bool) -> Value {
    json!({
        "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfigPool",
        "metadata": { "name": "worker", "uid": "uid-worker", "resourceVersion": version },
        "spec": { "paused": paused },
    })
}

/// A node as a server sends it.
pub fn node(name: &str, version: &str, unschedulable: bool) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": name, "uid": format!("uid-{name}"), "resourceVersion": version },
        "spec": { "unschedulable": unschedulable },
    })
}

/// Pauses the pool `worker` that was read at `version`.
pub fn pause(version: &str) -> Plan {
    Plan {
        action: ActionId::PausePool,
        target: Target::pool("worker"),
        args: Args::default(),
        title: "Pause pool worker".into(),
        danger: Danger::L,
        preconditions: vec![Precondition {
            words: "pool worker is not paused".into(),
            evidence: "mcp/worker spec.paused = false".into(),
        }],
        consequences: vec!["no further node is taken".into()],
        reads: Vec::new(),
        writes: vec![Write {
            object: "mcp/worker".into(),
            path: "/apis/machineconfiguration.openshift.io/v1/machineconfigpools/worker".into(),
            object_path: None,
            verb: Verb::Patch(PatchKind::Merge),
            secret: false,
            body: json!({
                "metadata": { "uid": "uid-worker", "resourceVersion": version }, "spec": { "paused": true },
            }),
            uid: Some("uid-worker".into()),
            resource_version: Some(version.into()),
            oc: "oc patch mcp/worker".into(),
            stored: vec![("/spec/paused".into(), json!(true))],
        }],
        drain: None,
        back: Vec::new(),
        questions: Vec::new(),
        confirm: Confirm::Button,
        effect: Effect::PoolPaused { pool: "worker".into(), paused: true },
        inverse: Some(ActionId::UnpausePool),
        undo: Vec::new(),
        keepsake: None,
        strict_lock: false,
    }
}

/// Cordons nodes that were read at `version`.
pub fn cordon(names: &[&str], version: &str) -> Plan {
    let write = |name: &&str| Write {
        object: format!("node/{name}"),
        path: format!("/api/v1/nodes/{name}"),
        object_path: None,
        verb: Verb::Patch(PatchKind::Strategic),
        secret: false,
        body: json!({
            "metadata": { "uid": format!("uid-{name}"), "resourceVersion": version }, "spec": { "unschedulable": true },
        }),
        uid: Some(format!("uid-{name}")),
        resource_version: Some(version.into()),
        oc: format!("oc adm cordon {name}"),
        stored: vec![("/spec/unschedulable".into(), json!(true))],
    };
    let owned: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    Plan {
        action: ActionId::CordonNodes,
        target: Target::Nodes(owned.clone()),
        title: "Cordon nodes".into(),
        preconditions: owned
            .iter()
            .map(|name| Precondition { words: format!("node {name} is schedulable"), evidence: String::new() })
            .collect(),
        consequences: vec![format!("{} more nodes are unavailable", names.len())],
        writes: names.iter().map(write).collect(),
        effect: Effect::NodesUnschedulable { nodes: owned, unschedulable: true },
        inverse: Some(ActionId::UncordonNodes),
        ..pause(version)
    }
}

/// `plan`, rehearsed and confirmed.
pub fn order(plan: Plan) -> Order {
    let step = |write: &Write| Step { object: write.object.clone(), words: "dry run: accepted".into(), ok: true };
    Order {
        rehearsal: Rehearsal {
            steps: plan.writes.iter().map(step).collect(),
            plan,
            changed: false,
            material: Material::default(),
        },
        actor: Actor { user: Some("admin".into()), cluster_id: Some("c1".into()), context: "lab".into() },
        answers: vec![Given { name: "why".into(), answer: "a test; token=sha256~abcdef".into() }],
    }
}

/// A planner that finds everything as it was, and must not be asked about a conflict.
pub fn calm(plan: &Plan) -> impl FnMut(&Target, &Material) -> Result<Plan, Refusal> + Send + use<> {
    let plan = plan.clone();
    move |_, material| {
        assert!(material.fresh.is_empty(), "nothing conflicted, so no object is planned on again");
        Ok(plan.clone())
    }
}

/// A planner that finds everything as it was, until it is asked about an object: then `make` plans on its version.
pub fn on_conflict(
    plan: &Plan,
    make: impl Fn(&Target, &str) -> Plan + Send,
) -> impl FnMut(&Target, &Material) -> Result<Plan, Refusal> + Send {
    let plan = plan.clone();
    move |target, material| match material.fresh.as_slice() {
        [] => Ok(plan.clone()),
        [(_, object), ..] => Ok(make(target, object.pointer("/metadata/resourceVersion").unwrap().as_str().unwrap())),
    }
}
