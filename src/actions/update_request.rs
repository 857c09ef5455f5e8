//! The request of an update: what is checked, what follows, what is sent. Starting one and forcing one share it.

use serde_json::{Value, json};

use super::cluster_version::{
    self, ALLOW_WITH_WARNINGS, PATCH, acceptance, found, found_condition, name_of, patch_line, told,
};
use super::update_risks::{self, ALLOW_NOT_RECOMMENDED, Acceptance};
use super::update_target::{Release, Source};
use super::words::{count, list, shell};
use super::{
    Arg, ArgKind, Ask, Danger, Effect, Entry, Material, Plan, Precondition, Question, Read, Refusal, Session,
    WantedUpdate, Write, gate, grammar, health_checks,
};
use crate::api::{self, Condition, Conditions as _, Tri};
use crate::upgrade::assessment::{Assessment, OperatorRow, Topology};
use crate::upgrade::updates::updates;
use crate::upgrade::version::{leaves_minor, minor_parts};

/// It cannot be taken back.
pub(super) const DANGER: Danger = Danger::H;

/// `--newest`.
pub(super) const NEWEST: Arg =
    Arg::option(grammar::NEWEST, ArgKind::Flag, "the highest version that is recommended, instead of a named one");
/// `--image`.
pub(super) const IMAGE: Arg = Arg::option(
    "image",
    ArgKind::Text,
    "the release by its digest, REPOSITORY@sha256:DIGEST, as a disconnected cluster names it",
);
/// `--allow-explicit`.
pub(super) const EXPLICIT: Arg = Arg::option("allow-explicit", ArgKind::Flag, "also an image that is not on offer");
/// `--allow-not-recommended`.
pub(super) const NOT_RECOMMENDED: Arg = Arg::option(
    ALLOW_NOT_RECOMMENDED,
    ArgKind::Flag,
    "also a version that is not recommended, whatever its risks: none of them is accepted by name",
);
/// `--accept-risk`.
pub(super) const RISK: Arg = Arg {
    several: true,
    choices: Some(open_risks),
    ..Arg::option(update_risks::ACCEPT_RISK, ArgKind::Text, "a risk of the version, accepted by its name")
};
/// `--allow-with-warnings`.
pub(super) const WARNINGS: Arg = Arg::option(
    ALLOW_WITH_WARNINGS,
    ArgKind::Flag,
    "also while the ClusterVersion fails or another update is in progress",
);

/// Risks of what is on offer that apply, or may, and that nobody has accepted.
pub(super) fn open_risks(assessment: &Assessment) -> Vec<String> {
    let updates = updates(assessment);
    let open = updates.choices.iter().flat_map(|choice| &choice.risks);
    let open = open.filter(|risk| {
        risk.applies != Some(false) && !risk.accepted && risk.name != crate::upgrade::updates::UPGRADEABLE_FALSE
    });
    let mut names: Vec<String> = open.map(|risk| risk.name.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A minor or major update is barred while Upgradeable is False, whether by an operator, an admin gate or an override;
/// a patch update is not (precondition ClusterVersionUpgradeable). Up to 4.22 the causes are conditions of their own
/// (`UpgradeableAdminAckRequired` ...), and the sum may lag behind them. None: nothing bars `version`.
pub(super) fn barred<'a>(seen: &'a api::ClusterVersion, version: &str) -> Option<&'a Condition> {
    if version.is_empty() || !beyond_patch(&seen.status.desired.version, version) {
        return None;
    }
    let conditions = seen.status.conditions.iter();
    let barred: Vec<&Condition> =
        conditions.filter(|found| found.kind.starts_with("Upgradeable") && found.status == Tri::False).collect();
    // The sum repeats its causes: told alone where it is there.
    barred.iter().find(|found| found.kind == "Upgradeable").or(barred.first()).copied()
}

/// [`barred`] as a refusal.
pub(super) fn upgradeable(seen: &api::ClusterVersion, version: &str) -> Result<(), Refusal> {
    barred(seen, version).map_or(Ok(()), |found| {
        Err(Refusal(format!(
            "{version} is not a patch of {}, and Upgradeable is False ({}): {}",
            seen.status.desired.version, found.reason, found.message
        )))
    })
}

/// Another minor or major version?
fn beyond_patch(from: &str, to: &str) -> bool {
    minor_parts(from) != minor_parts(to)
}

/// What the request is made of.
pub(super) struct Request<'a> {
    pub assessment: &'a Assessment,
    pub seen: &'a api::ClusterVersion,
    pub ask: &'a Ask,
    pub material: &'a Material,
    pub release: Release,
    pub force: bool,
    /// What speaks against it and was passed over.
    pub passed_over: Vec<String>,
}

impl Request<'_> {
    /// The plan, without title and confirmation of its own.
    pub(super) fn plan(&self, session: &Session, entry: &Entry, title: String) -> Result<Plan, Refusal> {
        let risks = update_risks::acceptance(self.seen, &self.release, self.ask, self.material)?;
        let backup = backup(self.assessment, self.seen, &self.release);
        let mut plan = Plan { danger: DANGER, strict_lock: true, ..Plan::draft(entry, self.ask, title) };
        plan.preconditions = self.preconditions(&risks);
        plan.preconditions.extend(backup.found);
        plan.preconditions.push(gate::permission_found(self.assessment, &PATCH));
        plan.consequences = self.consequences();
        plan.consequences.extend(risks.consequences.iter().cloned());
        plan.consequences.extend(backup.consequence);
        plan.reads.clone_from(&risks.reads);
        if self.names_image() {
            match signature(self.seen, &self.release, self.material) {
                Ok(lines) => plan.consequences.extend(lines),
                Err(read) => plan.reads.push(read),
            }
        }
        plan.effect = Effect::UpdateRequested(self.wanted());
        plan.confirm = super::Confirm::Type(self.release.typed());
        plan.questions = risks.questions.iter().cloned().chain(backup.question).collect();
        if plan.reads.is_empty() {
            plan.writes = vec![self.write(session, &risks)?];
        }
        Ok(plan)
    }

    /// The image was named by the person: where its signature is, nobody has said.
    fn names_image(&self) -> bool {
        self.ask.args.get("image").is_some()
    }

    fn wanted(&self) -> WantedUpdate {
        WantedUpdate {
            version: self.release.version.clone(),
            image: self.release.image.clone(),
            architecture: String::new(),
            force: self.force,
        }
    }

    /// The request. Both version and image, as `oc` sends: a version alone is looked up among the recommended ones only.
    /// `mode` is removed: a merge patch without it would keep an earlier `mode: Preflight`, and the request would stay a
    /// preflight. Accepted risks stay, since a merge patch leaves what it does not name.
    fn write(&self, session: &Session, risks: &Acceptance) -> Result<Write, Refusal> {
        let mut spec = json!({ "desiredUpdate": {
            "architecture": "",
            "version": self.release.version,
            "image": self.release.image,
            "force": self.force,
            "mode": null,
        } });
        let force = if self.force { json!(true) } else { Value::Null };
        let mut stored = vec![
            ("desiredUpdate/version", json!(self.release.version)),
            ("desiredUpdate/image", json!(self.release.image)),
            ("desiredUpdate/force", force),
            ("desiredUpdate/mode", Value::Null),
        ];
        let before = update_risks::accepted(self.seen);
        if let Some(names) = &risks.names {
            spec["desiredUpdate"]["acceptRisks"] = update_risks::as_list(names);
        }
        let kept = risks.names.as_ref().unwrap_or(&before);
        if !kept.is_empty() {
            stored.push(("desiredUpdate/acceptRisks", update_risks::as_list(kept)));
        }
        let oc = self.line(&spec, risks);
        cluster_version::write(session, self.seen, spec, oc, stored)
    }

    /// The equivalent of `oc adm upgrade`, where it has one.
    fn line(&self, spec: &Value, risks: &Acceptance) -> String {
        let by_image = self.names_image();
        let own = self.release.source == Source::Before || risks.names.is_some() || {
            by_image && self.release.source == Source::Digest && !self.release.version.is_empty()
        };
        if own {
            return patch_line(spec);
        }
        let mut words = "adm upgrade".to_owned();
        for (given, option) in [
            (self.force, "force"),
            (risks.not_recommended, "allow-not-recommended"),
            (by_image && self.release.choice().is_none(), "allow-explicit-upgrade"),
            (!self.passed_over.is_empty(), "allow-upgrade-with-warnings"),
        ] {
            if given {
                words = format!("{words} --{option}");
            }
        }
        if by_image || self.release.version.is_empty() {
            format!("{words} --to-image={}", shell(&self.release.image))
        } else {
            format!("{words} --to={}", shell(&self.release.version))
        }
    }

    fn preconditions(&self, risks: &Acceptance) -> Vec<Precondition> {
        let (seen, present) = (self.seen, &self.seen.status.desired.version);
        let mut lines = Vec::new();
        if self.passed_over.is_empty() {
            lines.push(found_condition(seen, "the ClusterVersion is valid", "Invalid"));
            lines.push(found_condition(seen, "nothing fails", "Failing"));
            lines.push(found_condition(seen, "no update is in progress", "Progressing"));
        }
        lines.extend(risks.preconditions.iter().cloned());
        let name = self.release.name();
        if let Some(choice) = self.release.choice().filter(|_| self.ask.args.flag(grammar::NEWEST)) {
            let what = if choice.recommended { "recommended" } else { "on offer" };
            let channel = seen.spec.channel.as_deref().unwrap_or_default();
            lines.push(found(format!("{name} is the newest that is {what}"), "spec.channel", channel));
        }
        match &self.release.source {
            Source::Offered(_) => {}
            Source::Before => lines.push(found(
                format!("{name} is the release that was applied before"),
                "status.history",
                &self.release.image,
            )),
            Source::Requested => {
                lines.push(found(format!("{name} is requested"), "spec.desiredUpdate.image", &self.release.image));
            }
            Source::Digest => lines.push(Precondition {
                words: "the image is named by its digest, which cannot be moved".to_owned(),
                evidence: self.release.image.clone(),
            }),
        }
        if self.release.source != Source::Before && !self.release.version.is_empty() {
            lines.push(found(format!("{name} is above {present}"), "status.desired.version", present));
        }
        if beyond_patch(present, &self.release.version) && !self.release.version.is_empty() && !self.force {
            lines.push(found_condition(seen, "a minor update is not barred", "Upgradeable"));
        }
        lines
    }

    fn consequences(&self) -> Vec<String> {
        let (seen, release) = (self.seen, &self.release);
        let present = &seen.status.desired.version;
        let mut lines = vec![match &release.source {
            Source::Before => format!(
                "{present} -> {} (back to the release before, of the same minor), image {}",
                release.version, release.image
            ),
            _ if release.version.is_empty() => format!(
                "{present} -> whatever version the image holds, image {}: the operator tells when it has pulled it",
                release.image
            ),
            _ => {
                let size = if beyond_patch(present, &release.version) { "minor update" } else { "patch update" };
                format!("{present} -> {} ({size}), image {}", release.version, release.image)
            }
        }];
        lines.push(
            "once accepted it cannot be stopped or taken back: a failed update is repaired forward, or restored from \
             etcd's backup"
                .to_owned(),
        );
        lines
            .extend(release.choice().and_then(|choice| choice.url.as_ref()).map(|url| format!("release notes: {url}")));
        lines.extend(self.passed_over.iter().map(|what| format!("passed over: {what}")));
        lines.extend(self.replaced());
        lines.extend(self.unknown_version());
        lines.extend(reboots(self.assessment));
        lines.extend(warnings(self.assessment, seen));
        lines
    }

    /// What becomes of the request of before, and of the update that is in progress.
    fn replaced(&self) -> Vec<String> {
        let (seen, update) = (self.seen, &self.assessment.update);
        let mut lines = Vec::new();
        if let Some(wanted) = &seen.spec.desired_update {
            let name = name_of(wanted);
            let repeats = wanted.version == seen.status.desired.version && wanted.architecture.is_empty();
            if !name.is_empty() && !repeats && name != self.release.version {
                lines.push(format!("it replaces the request for {name}; {}", acceptance(seen)));
            }
            if !wanted.mode.is_empty() {
                lines.push(format!(
                    "the request of before was a {}: the mode is taken away",
                    wanted.mode.to_lowercase()
                ));
            }
        }
        if update.in_progress && !update.installing {
            let to = update.to.as_deref().unwrap_or("another release");
            lines.push(format!(
                "it takes the place of the update to {to}, which stays in the history as partial: what is at {to} \
                 already goes on from there, nothing is rolled back"
            ));
            let leaves = update.from.as_deref().is_some_and(|from| leaves_minor(from, to));
            if leaves {
                lines.push(
                    "that update leaves its minor: the operator notes the change of target in the history as a risk \
                     that was accepted (MinorVersionClusterUpdateInProgress)"
                        .to_owned(),
                );
            }
        }
        lines
    }

    /// What cannot be judged of an image whose version nobody names.
    fn unknown_version(&self) -> Option<String> {
        if !self.release.version.is_empty() {
            return (self.release.source == Source::Digest).then(|| {
                format!(
                    "nobody offers this image: the operator refuses it when it holds another version than {}",
                    self.release.version
                )
            });
        }
        let upgradeable = self.seen.status.conditions.condition("Upgradeable");
        let barred = upgradeable.filter(|found| found.status == Tri::False);
        Some(match barred {
            Some(found) => format!(
                "its version is not known here: were it of another minor, the operator would refuse it, because \
                 Upgradeable is False ({})",
                found.reason
            ),
            None => "its version is not known here: whether it is above the present one, and of which minor, the \
                     operator judges when it has pulled it"
                .to_owned(),
        })
    }
}

/// What is known of the backup of etcd.
struct Backup {
    found: Option<Precondition>,
    consequence: Option<String>,
    question: Option<Question>,
}

/// Up to 4.14 the operator etcd tells (condition `RecentBackup`), and a minor update waits for a backup
/// (cluster-version-operator, pkg/payload/precondition/clusterversion/etcdbackup.go); later nothing in the cluster does.
fn backup(assessment: &Assessment, seen: &api::ClusterVersion, release: &Release) -> Backup {
    let operator = assessment.facts.operators.iter().find(|operator| operator.name() == "etcd");
    let told_by_etcd = operator.and_then(|operator| operator.status.conditions.condition("RecentBackup"));
    if let Some(recent) = told_by_etcd.filter(|recent| recent.status == Tri::True) {
        let evidence = format!("clusteroperator/etcd RecentBackup = True: {}", told(recent));
        let found = Precondition { words: "there is a recent backup of etcd".to_owned(), evidence };
        return Backup { found: Some(found), consequence: None, question: None };
    }
    let present = &seen.status.desired.version;
    let waits = minor_parts(present).is_some_and(|parts| parts <= (4, 14)) && beyond_patch(present, &release.version);
    let consequence = told_by_etcd.map(|recent| {
        let then = if waits { ": the operator does not accept the update until there is one" } else { "" };
        format!("etcd has no recent backup ({}){then}", told(recent))
    });
    // A hosted control plane's etcd is not of this cluster.
    let asked = assessment.topology != Topology::External;
    let words = "Where is the etcd backup that was taken before this update?";
    Backup { found: None, consequence, question: asked.then(|| Question::open("etcd-backup", words)) }
}

/// Where signatures of releases are looked for first (cluster-version-operator, verification store of
/// `openshift-config-managed`).
const SIGNATURES: &str = "/api/v1/namespaces/openshift-config-managed/configmaps?labelSelector=release.openshift.io%2Fverification-signatures";

/// Whether the signature of the image is in the cluster; what has to be read to tell.
fn signature(seen: &api::ClusterVersion, release: &Release, material: &Material) -> Result<Vec<String>, Read> {
    let digest = release.image.rsplit("@sha256:").next().unwrap_or_default();
    let key = format!("sha256-{digest}");
    let has = |map: &&Value| {
        let data = map.get("binaryData").and_then(Value::as_object);
        data.is_some_and(|data| data.keys().any(|name| name.starts_with(&key)))
    };
    let line = match material.list(SIGNATURES) {
        None => return Err(Read::List(SIGNATURES.to_owned())),
        Some(Err(words)) => format!("whether its signature is in openshift-config-managed is not known: {words}"),
        Some(Ok(maps)) => {
            if let Some(map) = maps.unwrap_or_default().iter().find(has) {
                let name = map.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
                format!("its signature is in ConfigMap openshift-config-managed/{name}")
            } else {
                let own = seen.spec.signature_stores.as_ref().is_some_and(|stores| !stores.is_empty());
                let stores =
                    if own { "the cluster's own signature stores" } else { "Red Hat's public signature stores" };
                format!(
                    "no ConfigMap in openshift-config-managed has its signature: {stores} have to be within reach, or \
                 the operator refuses it (apply the ConfigMap that mirroring has written first)"
                )
            }
        }
    };
    let repository = release.image.split('@').next().unwrap_or_default();
    Ok(vec![format!("the nodes pull it from {repository}, or from where a mirror set sends them"), line])
}

/// Which nodes will reboot, by pool.
pub(super) fn reboots(assessment: &Assessment) -> Vec<String> {
    let mut lines = Vec::new();
    let rolling: Vec<String> = assessment
        .pools
        .iter()
        .filter(|pool| !pool.paused && pool.total > 0)
        .map(|pool| format!("{} {} at most {} at a time", pool.name, pool.total, pool.capacity.max_unavailable))
        .collect();
    if !rolling.is_empty() {
        lines.push(format!(
            "after the operators, nodes are drained and rebooted, pools side by side: {}",
            rolling.join(", ")
        ));
    }
    for pool in assessment.pools.iter().filter(|pool| pool.paused && pool.total > 0) {
        lines.push(format!(
            "pool {} is paused: its {} stay behind until it is unpaused",
            pool.name,
            count(pool.total, "node")
        ));
    }
    lines
}

/// What does not bar the update, but should be known before it.
pub(super) fn warnings(assessment: &Assessment, seen: &api::ClusterVersion) -> Vec<String> {
    let mut lines = Vec::new();
    let unwell: Vec<&OperatorRow> =
        assessment.operators.rows.iter().filter(|row| row.platform && (row.degraded || !row.available)).collect();
    if !unwell.is_empty() {
        lines.push(format!(
            "operators degraded or unavailable now: {}",
            list(unwell.iter().map(|row| row.name.as_str()))
        ));
    }
    lines.extend(health_checks::not_paused(assessment));
    for pool in assessment.pools.iter().filter(|pool| pool.degraded_message.is_some()) {
        lines.push(format!("pool {} is degraded now: the update waits until it is not", pool.name));
    }
    let out: Vec<&str> =
        assessment.nodes.iter().filter(|node| node.unavailable).map(|node| node.name.as_str()).collect();
    if !out.is_empty() {
        lines.push(format!("nodes that are cordoned or unavailable now take capacity from their pools: {}", list(out)));
    }
    let unmanaged = seen.spec.overrides.iter().filter(|entry| entry.unmanaged).count();
    if unmanaged > 0 {
        let overrides = count(unmanaged, "component override");
        lines.push(format!(
            "{overrides} in spec.overrides: up to 4.20 the operator refuses every update while one is set"
        ));
    }
    lines
}
