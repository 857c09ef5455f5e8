//! A case for every action of the catalogue: a cluster on which it is possible, the wish, and what somebody else may do
//! to its object meanwhile.

use oc_cockpit::actions::{ActionId, Ask, Target};
use oc_cockpit::upgrade::assessment::Resource;
use serde_json::{Value, json};

use super::around::{self, PAUSED, approve, approve_plan, asking, checked, csr, free_it, install_plan, packageserver};
use super::draining::{budget, owned};
use super::from_files::{HEX, apply, config, delete, mirrors, signature};
use super::gates::{GATE, acks, credentials, gates};
use super::image_based::{self, Stage};
use super::lab::{ask, file, selecting};
use super::pools::{
    all, canary, canary_over, create, image, layered, many, moving, nodes, pin, prune, rebuild, set_max,
};
use super::sample::{Sample, pool_object};
use super::version_requests::{at_4_22, cluster, start};

const MCO: &str = "machineconfiguration.openshift.io";
/// The pod of the cases that are about one.
pub const POD: &str = "web-6d5f7c9b8-aaaaa";

/// What somebody else may do to the object of the first request so that it matters.
pub enum Theirs {
    /// They change it.
    Edit(fn(&mut Value)),
    /// They create one of that name: the action would.
    Create,
    /// Nothing but putting another in its place: what it holds does not bear on the request.
    Identity,
}

/// A case.
pub struct Case {
    /// The wish.
    pub ask: Ask,
    /// The cluster.
    pub sample: Sample,
    /// What somebody else may do.
    pub theirs: Theirs,
}

/// The case of an action: there is one for each, or this does not compile.
#[expect(clippy::too_many_lines, reason = "a row an action")]
pub fn case(id: ActionId) -> Case {
    let (ask, sample, theirs) = match id {
        ActionId::SetChannel => (
            cluster(id).with("channel", "fast-4.19"),
            Sample::idle(),
            Theirs::Edit(|version| version["spec"]["channel"] = json!("candidate-4.19")),
        ),
        ActionId::SetUpstream => (
            cluster(id).with("url", "https://osus.example.com/api/upgrades_info/v1/graph"),
            Sample::idle(),
            Theirs::Edit(|version| version["spec"]["upstream"] = json!("https://other.example.com/graph")),
        ),
        ActionId::StartUpdate => (start("4.18.25"), Sample::idle(), Theirs::Edit(their_update)),
        ActionId::MigrateMultiArch => (cluster(id), Sample::idle(), Theirs::Edit(their_update)),
        ActionId::ClearUpdate => (cluster(id), requested(), Theirs::Edit(their_update)),
        ActionId::ClearOverrides => (
            cluster(id),
            overridden(),
            Theirs::Edit(|version| version["spec"]["overrides"] = json!([component("openshift-console", "console")])),
        ),
        ActionId::AcceptRisks => (cluster(id).with("risk", "DiskLoss"), with_risks(), Theirs::Edit(their_update)),
        ActionId::AckGate => (
            cluster(id).with("key", GATE),
            with([gates(), acks(&json!({}))]),
            Theirs::Edit(|acks| acks["data"] = json!({ GATE: "true" })),
        ),
        ActionId::ForceUpdate => {
            (Ask::new(id, Target::Version("4.18.25".into())), Sample::idle(), Theirs::Edit(their_update))
        }
        ActionId::SetUpgradeableTo => (
            Ask::new(id, Target::Version("4.19.3".into())),
            with([credentials("Manual", &json!({}))]),
            Theirs::Edit(|credentials| credentials["spec"]["credentialsMode"] = json!("Mint")),
        ),
        ActionId::PausePool => (all(id), with([pool_object("gpu", 0)]), Theirs::Edit(|pool| paused(pool, true))),
        ActionId::UnpausePool => {
            (Ask::new(id, Target::pool("infra")), Sample::idle(), Theirs::Edit(|pool| paused(pool, false)))
        }
        ActionId::SetMaxUnavailable => {
            (set_max("worker", "2"), Sample::idle(), Theirs::Edit(|pool| pool["spec"]["maxUnavailable"] = json!(3)))
        }
        ActionId::CreatePool => (create("canary"), selecting(Sample::idle()), Theirs::Create),
        ActionId::MoveNodes => (
            moving(&["worker-2", "infra-0"], "canary"),
            canary(),
            Theirs::Edit(|node| node["metadata"]["labels"]["node-role.kubernetes.io/infra"] = json!("")),
        ),
        ActionId::DeletePool => (
            Ask::new(id, Target::pool("canary")),
            canary_over(),
            Theirs::Edit(|pool| {
                pool["spec"]["nodeSelector"] = json!({ "matchLabels": { "node-role.kubernetes.io/worker": "" } });
            }),
        ),
        ActionId::PruneRenderedConfigs => (prune("worker", "2"), many(), Theirs::Identity),
        ActionId::RebuildImage => (
            rebuild("worker"),
            with([layered_worker()]),
            Theirs::Edit(|config| config["metadata"]["annotations"][format!("{MCO}/rebuild")] = json!("")),
        ),
        ActionId::PinImages => (pin("worker", "release", &[image('a')]), Sample::idle(), Theirs::Create),
        ActionId::CordonNodes => (
            Ask::new(id, nodes(&["worker-3", "worker-0"])),
            Sample::idle(),
            Theirs::Edit(|node| node["spec"]["unschedulable"] = json!(true)),
        ),
        ActionId::UncordonNodes => (
            Ask::new(id, nodes(&["worker-3", "worker-0"])),
            cordoned(&["worker-3", "worker-0"]),
            Theirs::Edit(|node| node["spec"] = json!({})),
        ),
        ActionId::DrainNodes => (
            Ask::new(id, nodes(&["worker-3"])).with("timeout", "60s"),
            with([web(), budget("web", 1)]),
            Theirs::Edit(|node| node["spec"]["unschedulable"] = json!(true)),
        ),
        ActionId::EvictPod | ActionId::DeletePod => {
            let pod = Target::Objects(vec![Resource::pod("shop", POD)]);
            (Ask::new(id, pod), with([web(), budget("web", 1)]), Theirs::Identity)
        }
        ActionId::PauseMhc => {
            (Ask::new(id, Target::Cluster), checked(Sample::idle()), Theirs::Edit(|check| health_check(check, true)))
        }
        ActionId::ResumeMhc => {
            (Ask::new(id, Target::Cluster), paused_by_us(), Theirs::Edit(|check| health_check(check, false)))
        }
        ActionId::ApproveCsr => (
            approve(&["x", "y"]),
            asking(Sample::idle(), ["x", "y"].map(|name| csr(name, "worker-3", true, |_| {})).into()),
            Theirs::Edit(|csr| csr["status"]["conditions"] = json!([{ "type": "Denied", "status": "True" }])),
        ),
        ActionId::DeletePackageserverCsv => (
            free_it(),
            packageserver("Installing", "2026-11-20T02:20:00Z"),
            Theirs::Edit(|csv| csv["status"]["phase"] = json!("Succeeded")),
        ),
        ActionId::ApproveInstallPlan => (
            approve_plan(),
            install_plan("RequiresApproval", false),
            Theirs::Edit(|plan| plan["spec"]["clusterServiceVersionNames"] = json!(["cart.v3"])),
        ),
        ActionId::ApplySignature => {
            let path = file("signature.yaml", &[signature()]);
            let ask = ask(id, &[("file", path.to_str().unwrap()), ("for", &format!("sha256:{HEX}"))]);
            (ask, selecting(Sample::idle()), Theirs::Create)
        }
        ActionId::AddMirrorSet => {
            let path = file("mirrors.yaml", &[mirrors("ocp", &[("quay.io/a", &["mirror.lab/a"])])]);
            (ask(id, &[("file", path.to_str().unwrap())]), selecting(Sample::idle()), Theirs::Create)
        }
        ActionId::ApplyFile => {
            let path = file("tuned.yaml", &[tuned(500), mirrors("ocp", &[("quay.io/a", &["mirror.lab/a"])])]);
            let theirs = Theirs::Edit(|kubelet| kubelet["spec"]["kubeletConfig"]["maxPods"] = json!(300));
            (apply(&path), selecting(with([tuned(250)])), theirs)
        }
        ActionId::DeleteObject => (
            delete("machineconfigs", "50-kargs"),
            selecting(with([config("50-kargs", "worker", json!({ "kernelArguments": ["nosmt"] }))])),
            Theirs::Edit(|config| config["spec"]["kernelArguments"] = json!(["nosmt", "quiet"])),
        ),
        ActionId::IbuPrep => {
            (image_based::prep(), image_based::sample(Stage::Idle), Theirs::Edit(|one| moved(one, "Prep")))
        }
        ActionId::IbuUpgrade => {
            (image_based::ask(id), image_based::sample(Stage::Prepared), Theirs::Edit(|one| moved(one, "Idle")))
        }
        ActionId::IbuRollback => {
            (image_based::ask(id), image_based::upgraded(), Theirs::Edit(|one| moved(one, "Idle")))
        }
        ActionId::IbuIdle => {
            (image_based::ask(id), image_based::sample(Stage::Prepared), Theirs::Edit(|one| moved(one, "Upgrade")))
        }
        ActionId::IbuManualCleanupDone => (
            image_based::ask(id),
            image_based::sample(Stage::AbortFailed),
            Theirs::Edit(|one| one["metadata"]["annotations"] = json!({ "lca.openshift.io/manual-cleanup-done": "" })),
        ),
        ActionId::IbuTriggerReconcile => {
            (image_based::ask(id), image_based::sample(Stage::Blocked), Theirs::Edit(|one| moved(one, "Prep")))
        }
    };
    Case { ask, sample, theirs }
}

/// A case with its name.
pub type Named = (&'static str, fn() -> Case);

/// Wishes that take three requests, one after the other, by name.
pub fn several() -> Vec<Named> {
    vec![
        ("pause-pool", || Case {
            sample: with([pool_object("gpu", 0), pool_object("web", 0)]),
            ..case(ActionId::PausePool)
        }),
        ("unpause-pool", || {
            let mut sample = with([pool_object("gpu", 0)]);
            for pool in ["worker", "gpu"] {
                sample.edit(&format!("pool/{pool}"), |pool| paused(pool, true));
            }
            let pools = ["worker", "infra", "gpu"].map(str::to_owned);
            Case {
                ask: Ask::new(ActionId::UnpausePool, Target::Pools(pools.into())),
                sample,
                ..case(ActionId::UnpausePool)
            }
        }),
        ("move-nodes", || Case {
            ask: moving(&["worker-2", "infra-0", "worker-1"], "canary"),
            theirs: Theirs::Edit(|node| node["metadata"]["labels"]["node-role.kubernetes.io/canary"] = json!("")),
            ..case(ActionId::MoveNodes)
        }),
        ("prune-rendered-configs", || Case { ask: prune("worker", "3"), ..case(ActionId::PruneRenderedConfigs) }),
        ("cordon", || Case {
            ask: Ask::new(ActionId::CordonNodes, nodes(&["worker-3", "worker-0", "worker-1"])),
            ..case(ActionId::CordonNodes)
        }),
        ("uncordon", || {
            let names = ["worker-3", "worker-0", "worker-1"];
            let ask = Ask::new(ActionId::UncordonNodes, nodes(&names));
            Case { ask, sample: cordoned(&names), ..case(ActionId::UncordonNodes) }
        }),
        ("drain", || Case {
            ask: Ask::new(ActionId::DrainNodes, nodes(&["worker-3", "worker-0", "worker-1"])),
            ..case(ActionId::DrainNodes)
        }),
        ("pause-mhc", || Case {
            sample: with(["a", "b", "c"].map(|name| around::health_check(name, "worker"))),
            ..case(ActionId::PauseMhc)
        }),
        ("resume-mhc", || {
            let checks = ["a", "b", "c"].map(|name| by_us(around::health_check(name, "worker")));
            Case { sample: with(checks), ..case(ActionId::ResumeMhc) }
        }),
        ("approve-csr", || {
            let requests = ["x", "y", "z"].map(|name| csr(name, "worker-3", true, |_| {}));
            let sample = asking(Sample::idle(), requests.into());
            Case { ask: approve(&["x", "y", "z"]), sample, ..case(ActionId::ApproveCsr) }
        }),
        ("apply-file, patches", || {
            let names = ["a", "b", "c"];
            let path = file("tuned.yaml", &names.map(|name| named(tuned(500), name)));
            let sample = selecting(with(names.map(|name| named(tuned(250), name))));
            Case { ask: apply(&path), sample, ..case(ActionId::ApplyFile) }
        }),
        ("apply-file, creations", || {
            let sets = ["a", "b", "c"].map(|name| mirrors(name, &[("quay.io/a", &["mirror.lab/a"])]));
            let ask = apply(&file("mirrors.yaml", &sets));
            Case { ask, sample: selecting(Sample::idle()), theirs: Theirs::Create }
        }),
    ]
}

fn named(mut object: Value, name: &str) -> Value {
    object["metadata"]["name"] = json!(name);
    object
}

/// An idle cluster that also holds these.
fn with<const N: usize>(objects: [Value; N]) -> Sample {
    let mut sample = Sample::idle();
    for object in objects {
        sample.add(object);
    }
    sample
}

fn their_update(version: &mut Value) {
    version["spec"]["desiredUpdate"] = json!({ "version": "4.19.3", "image": "quay.io/r@sha256:193" });
}

/// An entry of `spec.overrides`.
pub fn component(namespace: &str, name: &str) -> Value {
    json!({ "group": "apps", "kind": "Deployment", "namespace": namespace, "name": name, "unmanaged": true })
}

/// Two components are out of the operator's hands, and one is listed that is not.
pub fn overridden() -> Sample {
    let mut sample = Sample::idle();
    sample.edit("version", |version| {
        let mut listed = component("openshift-monitoring", "metrics");
        listed["unmanaged"] = json!(false);
        version["spec"]["overrides"] =
            json!([component("openshift-console", "console"), listed, component("openshift-dns", "dns")]);
    });
    sample
}

/// An update is asked for and was not accepted.
fn requested() -> Sample {
    let mut sample = Sample::idle();
    sample.edit("version", |version| {
        version["spec"]["desiredUpdate"] = json!({ "version": "4.18.25", "image": "quay.io/r@sha256:1825" });
    });
    sample.condition("ReleaseAccepted", "False", "RetrievePayload", "no signature");
    sample
}

fn with_risks() -> Sample {
    let mut sample = Sample::idle();
    let gate = at_4_22(&mut sample);
    sample.add(gate);
    sample
}

fn paused(pool: &mut Value, paused: bool) {
    pool["spec"]["paused"] = json!(paused);
}

/// The MachineOSConfig has the name of its pool, as the real API wants it.
fn layered_worker() -> Value {
    let mut config = layered();
    config["metadata"]["name"] = json!("worker");
    config
}

fn cordoned(names: &[&str]) -> Sample {
    let mut sample = Sample::idle();
    for name in names {
        sample.cordon(name, "kubectl-cordon", "2026-11-20T02:00:00Z");
    }
    sample
}

/// A pod of a Deployment.
fn web() -> Value {
    let mut pod = owned(POD, "ReplicaSet", "web-6d5f7c9b8", "worker-3");
    pod["metadata"]["labels"] = json!({ "app": "web" });
    pod
}

fn health_check(check: &mut Value, paused: bool) {
    check["metadata"]["annotations"] = if paused { json!({ PAUSED: "" }) } else { json!({}) };
}

/// The health check of the workers, as pausing it from here leaves it.
fn paused_by_us() -> Sample {
    let mut sample = checked(Sample::idle());
    let check = by_us(sample.object("MachineHealthCheck/workers"));
    sample.edit("MachineHealthCheck/workers", |workers| *workers = check);
    sample
}

/// A health check as pausing it from here leaves it.
fn by_us(mut check: Value) -> Value {
    health_check(&mut check, true);
    check["metadata"]["managedFields"] = json!([{
        "manager": "oc-cockpit", "operation": "Update", "apiVersion": "machine.openshift.io/v1beta1",
        "fieldsType": "FieldsV1", "time": "2026-11-20T02:00:00Z",
        "fieldsV1": { "f:metadata": { "f:annotations": { format!("f:{PAUSED}"): {} } } },
    }]);
    check
}

fn tuned(pods: u32) -> Value {
    json!({
        "apiVersion": format!("{MCO}/v1"), "kind": "KubeletConfig", "metadata": { "name": "tuned" },
        "spec": { "machineConfigPoolSelector": { "matchLabels": { format!("pools.operator.{MCO}/worker"): "" } },
                  "kubeletConfig": { "maxPods": pods } },
    })
}

/// Somebody else has asked for a stage, and the agent has taken it up.
fn moved(upgrade: &mut Value, stage: &str) {
    upgrade["spec"]["stage"] = json!(stage);
    upgrade["status"]["observedGeneration"] = json!(upgrade["metadata"]["generation"].as_i64().unwrap() + 1);
    upgrade["status"]["validNextStages"] = json!([]);
    upgrade["status"]["conditions"] = json!([
        { "type": "Idle", "status": "False", "reason": "InProgress", "message": "In progress" },
        { "type": format!("{stage}InProgress"), "status": "True", "reason": "InProgress", "message": "In progress" },
    ]);
}
