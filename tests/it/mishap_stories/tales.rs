//! Where each mishap happens, what tells it, and what ends it.

use chrono::TimeDelta;
use oc_cockpit::sim::cluster::{mirrors, pools};
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::scenario::{MaxUnavailable, MishapKind, Release, Scenario};
use oc_cockpit::upgrade::assessment::{Resource, Subject};
use serde_json::{Value, json};

use crate::support::lived::Lived;

/// What a cluster does while something happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing.
    Rest,
    /// The configuration of the workers has changed and rolls.
    Rollout,
    /// An update within the minor version.
    Update,
    /// The same, in a cluster with a layered pool and pinned images.
    Layered,
    /// Prep and Upgrade of an image-based upgrade, one after the other.
    ImageUpgrade,
    /// The same, and then back.
    ImageRollback,
    /// Prep of an image-based upgrade that is given up.
    ImageAbort,
}

/// How a mishap ends.
#[derive(Clone, Copy)]
pub enum Cure {
    /// Its cause goes, out of anybody's hands here.
    Ends,
    /// Somebody does something.
    Deed(fn(&mut Lived)),
    /// Its cause goes, and somebody does something about what it left.
    EndsThen(fn(&mut Lived)),
    /// What goes on anyway.
    Time,
}

/// What is told about a mishap.
pub struct Tale {
    pub stage: Stage,
    pub object: &'static str,
    /// The finding that tells it.
    pub finding: &'static str,
    /// What the finding is about; `None` where chance decides.
    pub about: Option<Subject>,
    /// What its evidence has to show.
    pub proof: &'static str,
    /// How long after it began it is told.
    pub told_within: TimeDelta,
    /// How long what the cluster does goes on before it happens.
    pub later: TimeDelta,
    /// How long nobody does anything about it.
    pub borne: TimeDelta,
    pub cure: Cure,
    /// How long the finding may stay after the cause went.
    pub clears_within: TimeDelta,
    /// Findings that follow from it.
    pub follows: &'static [&'static str],
}

const fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

impl Tale {
    fn new(stage: Stage, object: &'static str, finding: &'static str, about: Option<Subject>) -> Self {
        Self {
            stage,
            object,
            finding,
            about,
            proof: object,
            told_within: minutes(1),
            later: TimeDelta::zero(),
            borne: minutes(1),
            cure: Cure::Ends,
            clears_within: minutes(2),
            follows: &[],
        }
    }

    fn shown_by(self, proof: &'static str) -> Self {
        Self { proof, ..self }
    }

    fn told_within(self, told_within: TimeDelta) -> Self {
        Self { told_within, ..self }
    }

    fn borne(self, borne: TimeDelta) -> Self {
        Self { borne, ..self }
    }

    fn later(self, later: TimeDelta) -> Self {
        Self { later, ..self }
    }

    fn cured(self, cure: Cure) -> Self {
        Self { cure, ..self }
    }

    fn clears_within(self, clears_within: TimeDelta) -> Self {
        Self { clears_within, ..self }
    }

    fn follows(self, follows: &'static [&'static str]) -> Self {
        Self { follows, ..self }
    }
}

impl Stage {
    pub const ALL: &[Self] = &[
        Self::Rest,
        Self::Rollout,
        Self::Update,
        Self::Layered,
        Self::ImageUpgrade,
        Self::ImageRollback,
        Self::ImageAbort,
    ];

    /// The cluster.
    pub fn scenario(self) -> Scenario {
        let mut scenario = match self {
            Self::Rest | Self::Rollout | Self::Update => Scenario::load("minor").unwrap(),
            Self::Layered => Scenario::load("layered").unwrap(),
            Self::ImageUpgrade | Self::ImageRollback | Self::ImageAbort => Scenario::load("ibu").unwrap(),
        };
        scenario.faults.clear();
        scenario.start = None;
        scenario.acknowledged = scenario.gates.keys().cloned().collect();
        if let Some(infra) = scenario.pools.get_mut("infra") {
            infra.nodes = 2;
        }
        if let Some(worker) = scenario.pools.get_mut("worker").filter(|pool| pool.nodes > 0) {
            worker.nodes = 4;
            worker.max_unavailable = Some(MaxUnavailable::Count(1));
        }
        let later = Release { version: "4.18.27".to_owned(), ..scenario.releases[0].clone() };
        scenario.releases.push(later);
        scenario
    }

    /// What sets it going.
    pub fn begin(self, lived: &mut Lived) {
        match self {
            Self::Rest => {}
            Self::Rollout => {
                lived.store.create(Res::MACHINE_CONFIGS, pools::changed("worker"), lived.now);
            }
            Self::Update => lived.ask_for("4.18.25"),
            Self::Layered => lived.ask_for("4.19.9"),
            Self::ImageUpgrade | Self::ImageRollback | Self::ImageAbort => prep(lived),
        }
    }

    /// What has to be asked for on the way.
    pub fn go_on(self, lived: &mut Lived) {
        let next = |lived: &Lived| -> Option<(String, Vec<Value>)> {
            let upgrade = lived.get(Res::IMAGE_BASED_UPGRADES, "upgrade");
            let stage = upgrade["spec"]["stage"].as_str()?.to_owned();
            Some((stage, upgrade["status"]["validNextStages"].as_array().cloned().unwrap_or_default()))
        };
        if !matches!(self, Self::ImageUpgrade | Self::ImageRollback | Self::ImageAbort) || lived.actors.is_down() {
            return;
        }
        let Some((stage, next)) = next(lived) else { return };
        let may = |stage: &str| next.iter().any(|next| next == stage);
        match (self, stage.as_str()) {
            (Self::ImageUpgrade | Self::ImageRollback, "Prep") if may("Upgrade") => to_stage(lived, "Upgrade"),
            (Self::ImageRollback, "Upgrade") if may("Idle") && may("Rollback") => to_stage(lived, "Rollback"),
            (Self::ImageAbort, "Prep") if may("Upgrade") => to_stage(lived, "Idle"),
            _ => {}
        }
    }

    /// How long it takes where nothing goes wrong.
    pub fn lasts(self) -> TimeDelta {
        match self {
            Self::Rest | Self::ImageAbort => minutes(30),
            Self::Rollout => minutes(60),
            Self::Update | Self::Layered => minutes(150),
            Self::ImageUpgrade | Self::ImageRollback => minutes(90),
        }
    }

    /// What is said though nothing is wrong: true, and no consequence of any mishap.
    pub fn usual(self) -> &'static [&'static str] {
        match self {
            Self::Rollout | Self::Update | Self::Layered => &["health-check-active"],
            Self::Rest | Self::ImageUpgrade | Self::ImageRollback | Self::ImageAbort => &[],
        }
    }
}

fn prep(lived: &mut Lived) {
    lived.store.update(Res::IMAGE_BASED_UPGRADES, None, "upgrade", |upgrade| {
        upgrade["spec"]["oadpContent"] = json!([
            {"name": "acm-klusterlet", "namespace": "openshift-adp"}, {"name": "edge-apps", "namespace": "openshift-adp"},
        ]);
        upgrade["spec"]["seedImageRef"] =
            json!({"image": "registry.example.com:5000/seeds/edge:4.19.3", "version": "4.19.3"});
        upgrade["spec"]["stage"] = json!("Prep");
    });
}

fn to_stage(lived: &mut Lived, stage: &str) {
    lived.store.update(Res::IMAGE_BASED_UPGRADES, None, "upgrade", |upgrade| upgrade["spec"]["stage"] = json!(stage));
}

fn to_idle(lived: &mut Lived) {
    to_stage(lived, "Idle");
}

fn clean_up_again(lived: &mut Lived) {
    lived.store.update(Res::IMAGE_BASED_UPGRADES, None, "upgrade", |upgrade| {
        upgrade["metadata"]["annotations"]["lca.openshift.io/manual-cleanup-done"] = json!("");
    });
}

/// What the location is reached with is put right.
fn renew_credentials(lived: &mut Lived) {
    lived.store.update(Res::SECRETS, Some("openshift-adp"), "cloud-credentials", |secret| {
        secret["data"]["cloud"] = json!("cmVuZXdlZA==");
    });
}

fn begin_record_anew(lived: &mut Lived) {
    lived.store.delete(Res::IMAGE_BASED_UPGRADES, None, "upgrade");
}

fn clear_request(lived: &mut Lived) {
    lived.store.update(Res::CLUSTER_VERSIONS, None, "version", |cluster| {
        cluster["spec"].as_object_mut().unwrap().remove("desiredUpdate");
    });
}

fn sign(lived: &mut Lived) {
    lived.store.create(Res::CONFIGMAPS, mirrors::signature("4.18.25"), lived.now);
}

fn acknowledge(lived: &mut Lived) {
    lived.acknowledge(GATE);
}

fn unpause(lived: &mut Lived) {
    lived.pause("worker", false);
}

fn uncordon(lived: &mut Lived) {
    lived.store.update(Res::NODES, None, "worker-2", |node| {
        node["spec"].as_object_mut().unwrap().remove("unschedulable");
    });
}

fn approve(lived: &mut Lived) {
    for request in lived.store.list(Res::CSRS) {
        let name = request["metadata"]["name"].as_str().unwrap();
        lived.store.update(Res::CSRS, None, name, |request| {
            if request["status"]["conditions"].is_null() {
                request["status"]["conditions"] = json!([{
                    "type": "Approved", "status": "True", "reason": "KubectlApprove",
                    "message": "This CSR was approved by kubectl certificate approve.",
                }]);
            }
        });
    }
}

/// Each certificate that a node asks for: the one for serving is asked for when the other is there.
fn approve_both(lived: &mut Lived) {
    for _ in 0..12 {
        approve(lived);
        lived.pass(10);
    }
}

fn delete_second_budget(lived: &mut Lived) {
    lived.store.delete(Res::PDBS, Some("shop"), "web-second");
}

fn delete_zero_budget(lived: &mut Lived) {
    lived.store.delete(Res::PDBS, Some("batch"), "report-builder-frozen");
}

fn delete_package_server(lived: &mut Lived) {
    lived.store.delete(Res::CLUSTER_SERVICE_VERSIONS, Some("openshift-operator-lifecycle-manager"), "packageserver");
}

/// The gate that appears.
const GATE: &str = "ack-4.18-late";

#[expect(clippy::unnecessary_wraps, reason = "a tale may have no subject")]
fn operator(name: &str) -> Option<Subject> {
    Some(Subject::Operator(name.to_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "a tale may have no subject")]
fn node(name: &str) -> Option<Subject> {
    Some(Subject::Node(name.to_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "a tale may have no subject")]
fn pool(name: &str) -> Option<Subject> {
    Some(Subject::Pool(name.to_owned()))
}

/// The ImageBasedUpgrade.
#[expect(clippy::unnecessary_wraps, reason = "a tale may have no subject")]
fn image() -> Option<Subject> {
    Some(Subject::Object(Resource::cluster("imagebasedupgrades.lca.openshift.io", "upgrade")))
}

const VERSION: Option<Subject> = Some(Subject::Version);

/// What follows from a node that does not get its configuration.
const NODE_FAILS: &[&str] =
    &["node-degraded", "pool-degraded", "operator-degraded", "not-upgradeable", "cvo-failing", "capacity-exhausted"];

/// The tale of a mishap. Whoever adds one has to say here what tells it.
pub fn tale(kind: MishapKind) -> Tale {
    use MishapKind as Kind;
    match kind {
        Kind::InvalidRequest
        | Kind::Retarget
        | Kind::SignatureMissing
        | Kind::PayloadUnreachable
        | Kind::UpdatesUnreachable
        | Kind::ManifestsRejected
        | Kind::VersionOperatorDown
        | Kind::GateOpen => of_the_request(kind),
        Kind::OperatorDegraded
        | Kind::OperatorUnavailable
        | Kind::OperatorSlow
        | Kind::OperatorNotUpgradeable
        | Kind::OperatorFlapping
        | Kind::EtcdMemberUnhealthy
        | Kind::PackageServerStuck => of_operators(kind),
        Kind::PoolPaused
        | Kind::RenderDegraded
        | Kind::BuildFailed
        | Kind::PodStuck
        | Kind::SecondBudget
        | Kind::BudgetZero => of_pools(kind),
        Kind::NodeCordoned
        | Kind::NodeLost
        | Kind::NodeDown
        | Kind::RebootFailed
        | Kind::ConfigDrift
        | Kind::ImagePullFailing
        | Kind::Unreconcilable
        | Kind::ConfigMissing
        | Kind::DiskPressure
        | Kind::CsrPending
        | Kind::PinnedImagesFailing => of_nodes(kind),
        Kind::SeedUnreachable
        | Kind::PrecacheFailed
        | Kind::BackupFailed
        | Kind::BackupLocationUnavailable
        | Kind::DataProtectionMissing
        | Kind::PolicyManifestsFailed
        | Kind::ConfigManifestsFailed
        | Kind::RestoreFailed
        | Kind::UpgradeHangs
        | Kind::BootConfigFailed
        | Kind::UncontrolledRollback
        | Kind::RollbackFailed
        | Kind::DefaultDeploymentManual
        | Kind::CleanupFailed => of_image_based_upgrades(kind),
    }
}

fn of_the_request(kind: MishapKind) -> Tale {
    use MishapKind as Kind;
    match kind {
        Kind::InvalidRequest => Tale::new(Stage::Rest, "", "invalid-request", VERSION)
            .shown_by("InvalidClusterVersion")
            .cured(Cure::Deed(clear_request)),
        Kind::Retarget => Tale::new(Stage::Update, "4.18.27", "update-partial", VERSION)
            .shown_by("4.18.25 Partial")
            .told_within(minutes(5))
            .later(minutes(20))
            .cured(Cure::Time)
            .clears_within(minutes(240)),
        Kind::SignatureMissing => Tale::new(Stage::Update, "4.18.25", "signature-missing", VERSION)
            .shown_by("RetrievePayload")
            .cured(Cure::Deed(sign))
            .follows(&["release-not-accepted"]),
        Kind::PayloadUnreachable => Tale::new(Stage::Update, "4.18.25", "payload-pull-failed", VERSION)
            .shown_by("RetrievePayload")
            .follows(&["release-not-accepted"]),
        Kind::UpdatesUnreachable => Tale::new(Stage::Rest, "", "updates-not-retrieved", VERSION)
            .shown_by("RemoteFailed")
            .clears_within(minutes(6)),
        Kind::ManifestsRejected => Tale::new(Stage::Update, "kube-scheduler", "update-blocked-by-webhook", VERSION)
            .shown_by("rejecting")
            .told_within(minutes(5))
            .borne(minutes(10))
            .clears_within(minutes(5))
            .follows(&["cvo-failing", "operator-slow"]),
        Kind::VersionOperatorDown => {
            Tale::new(Stage::Rest, "", "cvo-down", VERSION).shown_by("cluster-version-operator").borne(minutes(5))
        }
        _ => Tale::new(Stage::Rest, GATE, "admin-ack-missing", VERSION)
            .told_within(minutes(3))
            .cured(Cure::Deed(acknowledge))
            .clears_within(minutes(5))
            .follows(&["not-upgradeable"]),
    }
}

fn of_operators(kind: MishapKind) -> Tale {
    use MishapKind as Kind;
    match kind {
        Kind::OperatorDegraded => Tale::new(Stage::Rest, "monitoring", "operator-degraded", operator("monitoring"))
            .borne(minutes(45))
            .follows(&["cvo-failing"]),
        Kind::OperatorUnavailable => Tale::new(Stage::Rest, "console", "operator-unavailable", operator("console"))
            .borne(minutes(10))
            .follows(&["cvo-failing"]),
        Kind::OperatorSlow => Tale::new(Stage::Update, "dns", "operator-slow", operator("dns"))
            .told_within(minutes(22))
            .borne(minutes(15))
            .clears_within(minutes(5))
            .follows(&["cvo-failing"]),
        Kind::OperatorNotUpgradeable => Tale::new(Stage::Rest, "storage", "not-upgradeable", operator("storage"))
            .told_within(minutes(3))
            .clears_within(minutes(5)),
        Kind::OperatorFlapping => Tale::new(Stage::Rest, "dns", "operator-degraded", operator("dns"))
            .told_within(minutes(15))
            .borne(minutes(10)),
        Kind::EtcdMemberUnhealthy => Tale::new(Stage::Rest, "master-1", "etcd-member-unhealthy", None)
            .told_within(minutes(3))
            .borne(minutes(10))
            .clears_within(minutes(4))
            .follows(&["operator-degraded", "cvo-failing"]),
        _ => Tale::new(Stage::Update, "", "packageserver-stuck", operator("operator-lifecycle-manager-packageserver"))
            .shown_by("packageserver")
            .told_within(minutes(150))
            .cured(Cure::Deed(delete_package_server))
            .clears_within(minutes(5))
            .follows(&["operator-unavailable", "operator-degraded", "cvo-failing"]),
    }
}

fn of_pools(kind: MishapKind) -> Tale {
    use MishapKind as Kind;
    match kind {
        Kind::PoolPaused => Tale::new(Stage::Rollout, "worker", "pool-paused", pool("worker"))
            .told_within(minutes(2))
            .cured(Cure::Deed(unpause)),
        Kind::RenderDegraded => Tale::new(Stage::Rest, "worker", "render-degraded", pool("worker"))
            .borne(minutes(10))
            .follows(&["pool-degraded", "operator-degraded", "not-upgradeable"]),
        Kind::BuildFailed => Tale::new(Stage::Layered, "infra", "image-build-failed", pool("infra"))
            .told_within(minutes(5))
            .borne(minutes(10))
            .clears_within(minutes(30))
            .follows(&["pool-degraded", "operator-degraded", "capacity-exhausted", "cvo-failing"]),
        Kind::PodStuck => Tale::new(Stage::Rollout, "batch/report-builder", "pod-terminating", None)
            .shown_by("report-builder")
            .told_within(minutes(60))
            .borne(minutes(15))
            .clears_within(minutes(8))
            .follows(&["drain-blocked", "capacity-exhausted"]),
        Kind::SecondBudget => Tale::new(Stage::Rollout, "shop/web", "several-budgets", None)
            .shown_by("web")
            .told_within(minutes(60))
            .borne(minutes(15))
            .cured(Cure::Deed(delete_second_budget))
            .clears_within(minutes(8))
            .follows(&["drain-blocked", "drain-will-block"]),
        _ => Tale::new(Stage::Rollout, "batch/report-builder", "drain-blocked", None)
            .shown_by("report-builder")
            .told_within(minutes(60))
            .borne(minutes(15))
            .cured(Cure::Deed(delete_zero_budget))
            .clears_within(minutes(8))
            .follows(&["drain-will-block"]),
    }
}

fn of_nodes(kind: MishapKind) -> Tale {
    use MishapKind as Kind;
    match kind {
        Kind::NodeCordoned => Tale::new(Stage::Rollout, "worker-2", "node-cordoned", node("worker-2"))
            .borne(minutes(20))
            .cured(Cure::Deed(uncordon))
            .follows(&["capacity-exhausted"]),
        Kind::NodeLost => Tale::new(Stage::Rollout, "worker-1", "node-lost-in-reboot", node("worker-1"))
            .told_within(minutes(25))
            .borne(minutes(10))
            .clears_within(minutes(5))
            .follows(&["node-not-ready", "capacity-exhausted"]),
        Kind::NodeDown => Tale::new(Stage::Rest, "worker-2", "node-not-ready", node("worker-2"))
            .borne(minutes(10))
            .clears_within(minutes(8)),
        Kind::RebootFailed => Tale::new(Stage::Rollout, "worker-0", "reboot-failed", node("worker-0"))
            .told_within(minutes(25))
            .borne(minutes(15))
            .clears_within(minutes(10))
            .follows(NODE_FAILS),
        Kind::ConfigDrift => Tale::new(Stage::Rest, "worker-2", "config-drift", node("worker-2"))
            .told_within(minutes(2))
            .borne(minutes(15))
            .clears_within(minutes(10))
            .follows(NODE_FAILS),
        Kind::ImagePullFailing => Tale::new(Stage::Update, "worker-0", "node-pull-failed", node("worker-0"))
            .told_within(minutes(20))
            .borne(minutes(15))
            .clears_within(minutes(10))
            .follows(NODE_FAILS),
        Kind::Unreconcilable => Tale::new(Stage::Rollout, "worker-1", "unreconcilable", node("worker-1"))
            .told_within(minutes(5))
            .borne(minutes(15))
            .clears_within(minutes(10))
            .follows(NODE_FAILS),
        Kind::ConfigMissing => Tale::new(Stage::Rollout, "worker-2", "rendered-config-missing", node("worker-2"))
            .told_within(minutes(5))
            .borne(minutes(15))
            .clears_within(minutes(10))
            .follows(NODE_FAILS),
        Kind::DiskPressure => {
            Tale::new(Stage::Rest, "worker-2", "node-disk-pressure", node("worker-2")).borne(minutes(10))
        }
        Kind::CsrPending => Tale::new(Stage::Rollout, "worker-0", "csr-pending", None)
            .shown_by("csr-")
            .told_within(minutes(10))
            .borne(minutes(20))
            .cured(Cure::Deed(approve_both))
            .clears_within(minutes(5))
            .follows(&["node-not-ready", "node-lost-in-reboot", "capacity-exhausted"]),
        _ => Tale::new(Stage::Layered, "worker-1", "pinned-images-failed", node("worker-1"))
            .told_within(minutes(2))
            .borne(minutes(10)),
    }
}

/// After the machine has gone back by itself.
const WENT_BACK: &[&str] = &["ibu-failed", "ibu-auto-rolled-back", "ibu-backup-failed", "ibu-health-waits"];

fn of_image_based_upgrades(kind: MishapKind) -> Tale {
    use MishapKind as Kind;
    let went_back = |proof: &'static str| {
        Tale::new(Stage::ImageUpgrade, "", "ibu-auto-rolled-back", image())
            .shown_by(proof)
            .told_within(minutes(90))
            .cured(Cure::EndsThen(to_idle))
            .clears_within(minutes(15))
            .follows(WENT_BACK)
    };
    let failed = |proof: &'static str| {
        Tale::new(Stage::ImageUpgrade, "", "ibu-failed", image())
            .shown_by(proof)
            .told_within(minutes(10))
            .cured(Cure::EndsThen(to_idle))
            .clears_within(minutes(15))
    };
    match kind {
        Kind::SeedUnreachable | Kind::PrecacheFailed => failed("PrepCompleted"),
        Kind::BackupFailed => failed("UpgradeCompleted").follows(&["ibu-backup-failed"]),
        Kind::BackupLocationUnavailable => Tale::new(Stage::ImageUpgrade, "", "ibu-health-waits", image())
            .shown_by("dpa-edge-1")
            .told_within(minutes(3))
            .cured(Cure::Deed(renew_credentials))
            .clears_within(minutes(5)),
        Kind::DataProtectionMissing
        | Kind::PolicyManifestsFailed
        | Kind::ConfigManifestsFailed
        | Kind::RestoreFailed
        | Kind::UpgradeHangs
        | Kind::BootConfigFailed
        | Kind::UncontrolledRollback => went_back("Upgrade"),
        Kind::RollbackFailed => Tale::new(Stage::ImageRollback, "", "ibu-rollback-failed", image())
            .shown_by("Rollback")
            .told_within(minutes(10))
            .cured(Cure::EndsThen(begin_record_anew)),
        Kind::DefaultDeploymentManual => Tale::new(Stage::ImageRollback, "", "ibu-rollback-waits", image())
            .shown_by("RollbackInProgress")
            .clears_within(minutes(20)),
        _ => Tale::new(Stage::ImageAbort, "", "ibu-abort-failed", image())
            .shown_by("Idle")
            .told_within(minutes(10))
            .cured(Cure::EndsThen(clean_up_again))
            .clears_within(minutes(6)),
    }
}
