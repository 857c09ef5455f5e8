//! What the actions on an image-based upgrade share: the object, what has to hold for any stage, the write, what is read.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::request::Change;
use super::words::{in_pointer, list};
use super::{ActionId, Entry, Material, PatchKind, Plan, Precondition, Read, Refusal, Session, Target, Write, gate};
use crate::api;
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::{Assessment, Topology};
use crate::upgrade::facts::{Kind, KindStatus};
use crate::upgrade::image_based::health_checks::{self, Health, HealthRow};
use crate::upgrade::image_based::node_volumes::{Backing, NodeVolume};
use crate::upgrade::image_based::oadp_content;
use crate::upgrade::image_based::stage_machine::{Move, Stage};
use crate::upgrade::image_based::{ImageBased, NAME, Record};

/// Every stage is asked for by a patch of the ImageBasedUpgrade.
pub(super) const PATCH: Permission = Permission::cluster("patch", "lca.openshift.io", "imagebasedupgrades");

/// What all of them have in common; what is read for it is [`NEEDS`] where a stage begins.
pub(super) const ENTRY: Entry = Entry { permissions: &[PATCH], needs: NEEDS_LITTLE, ..Entry::blank(ActionId::IbuIdle) };

/// Where it is.
pub(super) const PATH: &str = "/apis/lca.openshift.io/v1/imagebasedupgrades/upgrade";

/// How it is named in plans and audit.
pub(super) const OBJECT: &str = "imagebasedupgrade/upgrade";

/// What is said where no ConfigMap with backups is named.
pub(super) const NO_BACKUPS: &str =
    "no backups are configured (oadpContent is empty): NO application data is carried over to the new system";

/// What the decision rests on.
const KINDS: &[Kind] = &[Kind::ImageBasedUpgrades];

/// What is read before a stage is planned: the object itself, and what the agent waits for.
pub(super) const NEEDS: &[Kind] = &[
    Kind::ImageBasedUpgrades,
    Kind::IpConfigs,
    Kind::ClusterServiceVersions,
    Kind::CertificateSigningRequests,
    Kind::BackupStorageLocations,
    Kind::DataProtectionApplications,
    Kind::LogicalVolumes,
    Kind::PersistentVolumes,
    Kind::SriovNodeStates,
];

/// The object alone: for what does not begin a stage.
pub(super) const NEEDS_LITTLE: &[Kind] = &[Kind::ImageBasedUpgrades];

/// Is the action one for this target, on a cluster that has image-based upgrades?
pub(super) fn concerns<'a>(assessment: &'a Assessment, target: &Target) -> Option<&'a ImageBased> {
    matches!(target, Target::Cluster).then(|| assessment.image_based.as_deref()).flatten()
}

/// An update through the ClusterVersion and one by an image do not know of each other: what the one writes is what the other
/// leaves behind, or prepares its reboot from.
///
/// # Errors
/// One by an image is under way, or on a single node it was not read whether one is.
pub(super) fn none_under_way(assessment: &Assessment) -> Result<(), Refusal> {
    if let Some(image) = assessment.image_based.as_deref().filter(|image| image.under_way()) {
        return Err(Refusal(format!(
            "an image-based upgrade is under way (it is {}): neither knows of the other; finish it or give it up first",
            image.headline()
        )));
    }
    let single = assessment.topology == Topology::SingleReplica;
    if single && assessment.facts.status(Kind::ImageBasedUpgrades) == &KindStatus::Waiting {
        return Err(Refusal("whether an image-based upgrade is under way was not read yet".to_owned()));
    }
    Ok(())
}

/// The image-based upgrade, as it is live in the cluster and as this session may change it.
pub(super) fn ready<'a>(assessment: &'a Assessment, session: &Session) -> Result<&'a ImageBased, Refusal> {
    gate::session(assessment, session, KINDS)?;
    let image = assessment.image_based.as_deref().filter(|image| image.record != Record::Missing);
    let Some(image) = image else {
        return Err(Refusal(format!("there is no {OBJECT}: the lifecycle agent makes it when it runs")));
    };
    if let Record::Remembered { .. } = image.record {
        return Err(Refusal(
            "another etcd answers since the reboot, and the lifecycle agent has not brought its record back: wait for it"
                .to_owned(),
        ));
    }
    gate::permitted(assessment, &PATCH)?;
    Ok(image)
}

/// Everything that has to hold before `step` is asked for.
pub(super) fn may<'a>(assessment: &'a Assessment, session: &Session, step: Move) -> Result<&'a ImageBased, Refusal> {
    let image = ready(assessment, session)?;
    if let Some((wanted, seen)) = image.behind {
        return Err(Refusal(format!(
            "the lifecycle agent has not caught up: it has looked at generation {seen} of {wanted}"
        )));
    }
    if let Some(banner) = &image.banner
        && banner.reason == "Blocked"
    {
        return Err(Refusal(format!("the lifecycle agent is blocked: {}", banner.message)));
    }
    if !image.may(step) {
        let offered: Vec<&str> = image.moves.iter().map(|one| one.words()).collect();
        let offered = if offered.is_empty() { "nothing".to_owned() } else { list(offered) };
        return Err(Refusal(format!(
            "{} is not allowed from here (status.validNextStages offers {offered}); it is {}",
            step.words(),
            image.headline()
        )));
    }
    if let Some(busy) = image.ip_config_busy.as_ref().filter(|_| step == Move::Prep) {
        return Err(Refusal(format!("a change of the node's addresses is under way (IPConfig): {busy}")));
    }
    Ok(image)
}

/// The preconditions of `step` with what was found.
pub(super) fn preconditions(assessment: &Assessment, image: &ImageBased, step: Move) -> Vec<Precondition> {
    let offered: Vec<&str> = image.moves.iter().map(|one| one.stage().word()).collect();
    let stage = image.stage.map_or("not set", Stage::word);
    vec![
        Precondition {
            words: format!("{} is offered", step.words()),
            evidence: format!("{OBJECT} status.validNextStages = {}, spec.stage = {stage}", offered.join(", ")),
        },
        Precondition {
            words: "the lifecycle agent has looked at the newest request".to_owned(),
            evidence: format!("{OBJECT} metadata.generation = status.observedGeneration"),
        },
        gate::permission_found(assessment, &PATCH),
    ]
}

/// The object as the watch, or a fresh read, has it.
pub(super) fn object(assessment: &Assessment) -> Result<&api::ImageBasedUpgrade, Refusal> {
    let objects = &assessment.facts.around.image_based_upgrades;
    let found = objects.iter().map(AsRef::as_ref).find(|one| one.name() == NAME);
    found.ok_or_else(|| Refusal(format!("there is no {OBJECT}")))
}

/// The write of a stage, with whatever else of `spec` goes into the same patch. `stored` has to be there afterwards.
pub(super) fn stage_write(
    assessment: &Assessment,
    session: &Session,
    mut spec: Value,
    stage: Stage,
    stored: Vec<(String, Value)>,
) -> Result<Write, Refusal> {
    spec["stage"] = json!(stage.word());
    let patch = json!({ "spec": spec }).to_string();
    let stored = [("/spec/stage".to_owned(), json!(stage.word()))].into_iter().chain(stored).collect();
    Change {
        object: OBJECT.to_owned(),
        path: PATH.to_owned(),
        patch: PatchKind::Merge,
        metadata: &object(assessment)?.metadata,
        spec,
        oc: format!("patch imagebasedupgrade {NAME} --type=merge -p {}", super::words::shell(&patch)),
        stored,
    }
    .write(session)
}

/// The write of an annotation.
pub(super) fn annotation_write(
    assessment: &Assessment,
    session: &Session,
    key: &str,
    value: &str,
    arguments: &str,
) -> Result<Write, Refusal> {
    let mut write = Change {
        object: OBJECT.to_owned(),
        path: PATH.to_owned(),
        patch: PatchKind::Merge,
        metadata: &object(assessment)?.metadata,
        spec: Value::Null,
        oc: format!("annotate imagebasedupgrade {NAME} {arguments}"),
        stored: vec![(format!("/metadata/annotations/{}", in_pointer(key)), json!(value))],
    }
    .write(session)?;
    if let Some(body) = write.body.as_object_mut() {
        body.remove("spec");
    }
    write.body["metadata"]["annotations"] = json!({ key: value });
    Ok(write)
}

/// What the agent waits for, when all of it is as it has to be.
pub(super) fn healthy(rows: &[HealthRow]) -> Option<Precondition> {
    let fine = |row: &HealthRow| matches!(row.health, Health::Well | Health::NotThere);
    (!rows.is_empty() && rows.iter().all(fine)).then(|| Precondition {
        words: "what the agent waits for is as it has to be".to_owned(),
        evidence: rows.iter().map(|row| format!("{}: {}", row.name, row.words)).collect::<Vec<_>>().join("; "),
    })
}

/// A request before this one that the agent did not follow: what is offered may be what leads out of it, so that it is told
/// and does not stand in the way.
pub(super) fn not_followed(image: &ImageBased) -> Option<String> {
    let banner = image.banner.as_ref()?;
    Some(format!("the agent did not follow what was asked for last ({}: {})", banner.reason, banner.message.trim()))
}

/// What stands against a cleanup now, as checked here: it deletes what was backed up.
pub(super) fn storage_trouble(image: &ImageBased) -> Option<String> {
    let row = image.health.iter().find(|row| row.name == health_checks::OADP && row.health == Health::Waits)?;
    Some(format!("as checked here, {}: {}; a cleanup that has to delete backups fails then", row.name, row.words))
}

/// What the agent would wait for, and what could not be checked, a line each.
pub(super) fn waits(rows: &[HealthRow]) -> Vec<String> {
    let of = |health: Health| rows.iter().filter(move |row| row.health == health);
    let wrong = of(Health::Waits).map(|row| format!("the agent will wait for {}: {}", row.name, row.words));
    let unknown = of(Health::Unknown).map(|row| format!("not checked, {}: {}", row.name, row.words));
    wrong.chain(unknown).collect()
}

/// Whether the seed can be upgraded to from the version that runs.
pub(super) fn higher(assessment: &Assessment, seed: &str) -> Result<Precondition, Refusal> {
    let present = assessment.facts.cluster_version.as_ref().map(|version| version.status.desired.version.as_str());
    let Some(present) = present.filter(|version| !version.is_empty()) else {
        return Err(Refusal("the version that runs is not known".to_owned()));
    };
    let parsed = semver::Version::parse(present).ok().zip(semver::Version::parse(seed).ok());
    let Some((from, to)) = parsed else {
        return Err(Refusal(format!("{seed} cannot be compared with the present version {present}")));
    };
    if to <= from {
        return Err(Refusal(format!("{seed} is not above the present version {present}, as the agent asks for")));
    }
    Ok(Precondition {
        words: format!("{seed} is above {present}"),
        evidence: format!("clusterversion/version status.desired.version = {present}"),
    })
}

/// Where a ConfigMap is, by `namespace/name`.
///
/// # Errors
/// It is not of that form.
pub(super) fn config_map(address: &str) -> Result<(String, &str, &str), Refusal> {
    match address.split_once('/').filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty()) {
        Some((namespace, name)) if !name.contains('/') => {
            Ok((format!("/api/v1/namespaces/{namespace}/configmaps/{name}"), namespace, name))
        }
        _ => Err(Refusal(format!("{address} is no NAMESPACE/NAME"))),
    }
}

/// ConfigMaps as they were read: those that are there, and what is still to be read.
pub(super) struct ConfigMaps<'a> {
    /// What has to be read first.
    pub reads: Vec<Read>,
    /// Those that exist.
    pub found: Vec<&'a Value>,
    /// Their addresses.
    pub addresses: Vec<&'a str>,
    /// Those that could not be read, with the reason.
    pub unread: Vec<String>,
}

/// Looks up the ConfigMaps of these addresses.
///
/// # Errors
/// One of them does not exist, or an address is none.
pub(super) fn config_maps<'a>(material: &'a Material, addresses: &'a [String]) -> Result<ConfigMaps<'a>, Refusal> {
    let mut maps = ConfigMaps { reads: Vec::new(), found: Vec::new(), addresses: Vec::new(), unread: Vec::new() };
    for address in addresses {
        let (path, namespace, name) = config_map(address)?;
        match material.object(&path) {
            None => maps.reads.push(Read::Object(path)),
            Some(Ok(Some(found))) => {
                maps.found.push(found);
                maps.addresses.push(address);
            }
            Some(Ok(None)) => return Err(Refusal(format!("there is no ConfigMap {name} in {namespace}"))),
            Some(Err(words)) => maps.unread.push(format!("{address} could not be read: {words}")),
        }
    }
    Ok(maps)
}

/// What is wrong with backups and restores for a node that has volumes of its own, a line each; empty: nothing, or there
/// are no such volumes.
pub(super) fn volume_rules(image: &ImageBased, content: &ConfigMaps) -> Vec<String> {
    let volumes = match image.logical_volumes {
        Some(0) => return Vec::new(),
        Some(1) => "1 logical volume".to_owned(),
        Some(number) => format!("{number} logical volumes"),
        None => "volumes on the node's own disks were not read; if there are any".to_owned(),
    };
    if !content.unread.is_empty() {
        return vec![format!("{volumes}: whether they are backed up could not be checked")];
    }
    let texts = content.found.iter().filter_map(|map| map.pointer("/data")?.as_object());
    let texts: Vec<&str> = texts.flat_map(|data| data.values()).filter_map(Value::as_str).collect();
    let claims = image.volumes.rows.iter().filter(|row| row.backing == Backing::Logical);
    let namespaces: BTreeSet<&str> = claims.filter_map(|row| Some(row.claim.as_ref()?.split_once('/')?.0)).collect();
    let broken = match oadp_content::documents(&texts) {
        Ok(documents) => oadp_content::volume_rules_broken(&documents, &namespaces),
        Err(words) => vec![words],
    };
    if image.logical_volumes.is_none() && broken.is_empty() {
        return Vec::new();
    }
    broken.into_iter().map(|rule| format!("{volumes}, and {rule}: their contents do not come back")).collect()
}

/// The volumes on the node's own disks, a line each: whether they come back when the rules for them are `broken` or not,
/// and their reclaim policy; and what of them could not be read.
pub(super) fn volume_lines(image: &ImageBased, broken: bool) -> Vec<String> {
    let line = |row: &NodeVolume| {
        let fate = match (row.backing, broken) {
            (Backing::Logical, true) => "would be lost",
            (Backing::Logical, false) => "is to come back by a Restore",
            (Backing::Local, _) => "lies in a folder or on a disk of the node, which nothing here brings back",
        };
        format!("PersistentVolume {} {fate}: {}", row.name, row.words())
    };
    let unread = image.volumes.unread.iter().map(|words| format!("not checked, volumes: {words}"));
    image.volumes.rows.iter().map(line).chain(unread).collect()
}

/// The plan with `reads` in front of everything: nothing is decided before they are there.
pub(super) fn with_reads(plan: Plan, reads: Vec<Read>) -> Plan {
    Plan { reads, ..plan }
}
