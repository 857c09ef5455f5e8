//! The sample cluster behind a simulated API server, for actions that read what nobody watches.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use oc_cockpit::actions::audit::{Actor, Given};
use oc_cockpit::actions::outcome::{Order, Outcome, Rehearsal};
use oc_cockpit::actions::{ActionId, Ask, Effect, Material, Plan, Question, Refusal, Target, again, plan};
use oc_cockpit::cluster::drain::drain;
use oc_cockpit::cluster::execute::{Transport, rehearse, shown};
use oc_cockpit::recorder::Recorder;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::server::{Options, Simulation};
use oc_cockpit::sim::store::Store;
use oc_cockpit::upgrade::assessment::{Assessment, Resource};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

pub use super::hurdle::{Hurdle, Way};
use super::in_process::InProcess;
use super::sample::Sample;
use super::script::{lines, scratch};
use super::simulated::{look, replanner, session};
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

/// What the questions of a plan want to hear.
pub fn answers(plan: &Plan) -> Vec<Given> {
    let answer = |question: &Question| Given {
        name: question.name.clone(),
        answer: question.exactly.clone().unwrap_or_else(|| "nas:/backups/etcd".into()),
    };
    plan.questions.iter().map(answer).collect()
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
        look(&self.store)
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
        let (_, rehearsal) = self.rehearse_by(&self.client, ask).await.unwrap();
        self.carry_out(client, rehearsal).await
    }

    /// Confirms what was rehearsed and sends it. Plans that are made again are made on what a watch shows by then.
    pub async fn carry_out(&self, client: &impl Transport, rehearsal: Rehearsal) -> Done {
        self.carry_out_seeing(client, rehearsal, || self.look()).await
    }

    /// The same where a watch shows this.
    pub async fn carry_out_seeing(
        &self,
        client: &impl Transport,
        rehearsal: Rehearsal,
        look: impl Fn() -> Assessment + Sync,
    ) -> Done {
        let plan = rehearsal.plan.clone();
        let path = scratch("lab").join("audit.jsonl");
        let (recorder, task) = Recorder::start(Some(path.clone()));
        let order = Order { rehearsal, actor: Actor::of(&look(), &session()), answers: answers(&plan) };
        let again = |target: &Target, material: &Material| again(&look(), &session(), &plan, target, material);
        let outcome = drain(client, order, &recorder, again, &CancellationToken::new(), |_| {}).await;
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
