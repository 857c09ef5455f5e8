//! The sample cluster behind a simulated API server, for actions that read what nobody watches.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use oc_cockpit::actions::audit::Actor;
use oc_cockpit::actions::outcome::{Order, Outcome, Rehearsal};
use oc_cockpit::actions::{ActionId, Ask, Effect, Material, Plan, Read, Refusal, Target, plan};
use oc_cockpit::cluster::execute::{Transport, execute, rehearse, shown};
use oc_cockpit::cluster::{Method, Reply, Request};
use oc_cockpit::recorder::Recorder;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::server::{Options, Simulation};
use oc_cockpit::sim::store::Store;
use oc_cockpit::upgrade::assessment::{Assessment, Resource};
use oc_cockpit::upgrade::link::{Trouble, TroubleKind};
use serde_json::{Value, json};

use super::in_process::InProcess;
use super::sample::{Sample, assess_live};
use super::script::{lines, scratch};
use super::simulated::{replanner, session};
use crate::support::sim::namespace;

const MCO: &str = "machineconfiguration.openshift.io";

/// Namespaces that the actions write to.
const NAMESPACES: [&str; 7] = [
    "bank",
    "openshift-config",
    "openshift-config-managed",
    "openshift-image-registry",
    "openshift-machine-api",
    "openshift-operator-lifecycle-manager",
    "shop",
];

/// The server and the way to it.
pub struct Lab {
    pub simulation: Simulation,
    pub store: Arc<Store>,
    pub client: InProcess,
}

/// How an action went.
pub struct Done {
    pub plan: Plan,
    pub outcome: Outcome,
    pub audit: Vec<Value>,
}

/// An object of the machine API, of a namespace, of nothing.
pub fn resource(resource: &str, namespace: &str, name: &str) -> Resource {
    Resource { resource: resource.into(), namespace: namespace.into(), name: name.into() }
}

/// A wish for the cluster with values.
pub fn ask(action: ActionId, args: &[(&str, &str)]) -> Ask {
    args.iter().fold(Ask::new(action, Target::Cluster), |ask, (name, value)| ask.with(name, *value))
}

/// The sample, with what pools need to select configuration: as the machine-config operator makes them.
pub fn selecting(mut sample: Sample) -> Sample {
    for pool in ["master", "worker", "infra"] {
        let roles = if pool == "infra" { json!(["worker", "infra"]) } else { json!([pool]) };
        sample.edit(&format!("pool/{pool}"), |object| {
            object["metadata"]["labels"][format!("pools.operator.{MCO}/{pool}")] = json!("");
            object["spec"]["machineConfigSelector"] =
                json!({ "matchExpressions": [{ "key": format!("{MCO}/role"), "operator": "In", "values": roles }] });
        });
    }
    sample
}

/// A file with these objects, JSON lines as YAML documents.
pub fn file(name: &str, objects: &[Value]) -> PathBuf {
    let path = scratch("files").join(name);
    let text: Vec<String> = objects.iter().map(Value::to_string).collect();
    std::fs::write(&path, format!("---\n{}\n", text.join("\n---\n"))).unwrap();
    path
}

/// `text` without the folder of a scratch file, for snapshots.
pub fn homely(text: &str, path: &Path) -> String {
    let folder = path.parent().unwrap().to_str().unwrap();
    text.replace(&format!("{folder}/"), "")
}

impl Lab {
    pub fn new(sample: &Sample) -> Self {
        let mut objects: Vec<Value> = NAMESPACES.iter().map(|name| namespace(name)).collect();
        objects.extend(sample.objects());
        let simulation = Simulation::new(&Options { objects, ..Options::default() }).unwrap();
        Self { store: simulation.store(), client: InProcess::new(simulation.service()), simulation }
    }

    /// What a watch would show now.
    pub fn look(&self) -> Assessment {
        let kinds = [
            Res::CLUSTER_VERSIONS,
            Res::CLUSTER_OPERATORS,
            Res::MACHINE_CONFIG_POOLS,
            Res::MACHINE_CONFIGS,
            Res::NODES,
            Res::MACHINE_HEALTH_CHECKS,
            Res::MACHINE_OS_CONFIGS,
        ];
        let objects: Vec<Value> =
            kinds.iter().flat_map(|kind| self.store.list(*kind)).map(|object| (*object).clone()).collect();
        assess_live(objects.iter())
    }

    /// The rehearsal of what is asked, through `client`.
    pub async fn rehearse_by(&self, client: &impl Transport, ask: &Ask) -> Result<(Assessment, Rehearsal), Refusal> {
        let seen = self.look();
        let plan = plan(&seen, &session(), ask, &Material::default())?;
        let rehearsal = rehearse(client, plan.clone(), replanner(seen.clone(), plan)).await?;
        Ok((seen, rehearsal))
    }

    pub async fn rehearse(&self, ask: &Ask) -> Result<Rehearsal, Refusal> {
        self.rehearse_by(&self.client, ask).await.map(|(_, rehearsal)| rehearsal)
    }

    /// Why it is refused before anything is sent.
    pub async fn refusal(&self, ask: &Ask) -> String {
        match self.rehearse(ask).await {
            Err(Refusal(words)) => words,
            Ok(rehearsal) => panic!("{} is planned: {rehearsal:?}", rehearsal.plan.title),
        }
    }

    /// Plans, rehearses, confirms and sends, whatever the rehearsal says.
    pub async fn send_by(&self, client: &impl Transport, ask: &Ask) -> Done {
        let (seen, rehearsal) = self.rehearse_by(&self.client, ask).await.unwrap();
        let plan = rehearsal.plan.clone();
        let path = scratch("lab").join("audit.jsonl");
        let (recorder, task) = Recorder::start(Some(path.clone()));
        let order = Order { rehearsal, actor: Actor::of(&seen, &session()), answers: Vec::new() };
        let outcome = execute(client, order, &recorder, replanner(seen, plan.clone())).await;
        task.close(&recorder).await;
        Done { plan, outcome, audit: lines(&path) }
    }

    /// The same where everything has to work: the dry run leaves no trace, the effect shows.
    pub async fn act(&self, ask: &Ask) -> Done {
        let before = self.store.resource_version();
        let rehearsal = self.rehearse(ask).await.unwrap();
        assert!(rehearsal.ok() && !rehearsal.changed, "{rehearsal:?}");
        assert_eq!(self.store.resource_version(), before, "a rehearsal changes nothing");
        let done = self.send_by(&self.client, ask).await;
        assert!(matches!(done.outcome, Outcome::Accepted { .. }), "{:?}", done.outcome);
        assert_eq!(done.audit.len(), 2 * done.outcome.done().len());
        let effects: Vec<&Effect> = done.plan.effect.reread();
        assert!(!effects.is_empty(), "nothing would prove it");
        assert!(shown(&self.client, &effects).await, "{}", done.plan.effect.words());
        done
    }

    pub fn get(&self, res: Res, namespace: Option<&str>, name: &str) -> Value {
        self.store.get(res, namespace, name).map(|object| (*object).clone()).unwrap_or_default()
    }
}

/// What happens to writes on their way.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// The connection breaks after the request was sent.
    Breaks,
    /// Nobody listens any more.
    Refused,
    /// The server asks to slow down.
    TooMany,
    /// Somebody else was faster, again and again.
    Conflict,
}

/// A way to the server on which writes that are no dry runs meet something.
pub struct Hurdle<'a>(pub &'a InProcess, pub Way);

impl Transport for Hurdle<'_> {
    async fn send(&self, request: Request) -> Result<Reply, Trouble> {
        let is_write = request.method != Method::Get && request.query.iter().all(|(name, _)| name != "dryRun");
        let trouble = |kind, words: &str| {
            Err(Trouble { kind, words: words.into(), hint: String::new(), since: chrono::DateTime::UNIX_EPOCH })
        };
        let reply = |status, message: &str| {
            Ok(Reply { status, body: json!({ "kind": "Status", "message": message }), retry_after: None })
        };
        match self.1 {
            _ if !is_write => self.0.send(request).await,
            Way::Breaks => trouble(TroubleKind::Broken, "the connection broke"),
            Way::Refused => trouble(TroubleKind::Refused, "nobody listens"),
            Way::TooMany => reply(429, "too many requests"),
            Way::Conflict => reply(409, "the object has been modified"),
        }
    }

    async fn read(&self, read: &Read) -> Result<oc_cockpit::actions::Found, Trouble> {
        self.0.read(read).await
    }
}
