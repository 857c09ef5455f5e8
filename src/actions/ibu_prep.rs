//! Configure a seed image and begin Prep, in one patch: the new system is put beside the running one, and its images are
//! pulled ahead.

use serde_json::{Value, json};

use super::ibu::{self, NEEDS};
use super::{
    ActionId, Arg, ArgKind, Ask, Confirm, Danger, Effect, Entry, Material, Offered, Plan, Precondition, Refusal,
    Session, Target,
};
use crate::upgrade::assessment::Assessment;
use crate::upgrade::image_based::ImageBased;
use crate::upgrade::image_based::health_checks::{self, HealthRow};
use crate::upgrade::image_based::stage_machine::{Move, Stage};
use crate::upgrade::version::without_v;

/// Begin Prep.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::IbuPrep,
    name: "ibu-prep",
    word: "prep",
    summary: "prepare a seed image beside the running system (image-based upgrade)",
    gerund: "preparing an image-based upgrade",
    dangers: &[Danger::L, Danger::H],
    args: &[
        Arg {
            required: true,
            choices: Some(seed_image),
            ..Arg::option("seed-image", ArgKind::Text, "pull spec of the seed image")
        },
        Arg {
            required: true,
            choices: Some(seed_version),
            ..Arg::option("seed-version", ArgKind::Text, "OpenShift version of the seed, for example 4.19.3")
        },
        Arg::option("pull-secret", ArgKind::Text, "Secret in the agent's namespace to pull it with, or none"),
        Arg {
            several: true,
            ..Arg::option(
                "oadp-content",
                ArgKind::Text,
                "NAMESPACE/NAME of a ConfigMap with backups and restores, or none",
            )
        },
        Arg {
            several: true,
            ..Arg::option(
                "extra-manifest",
                ArgKind::Text,
                "NAMESPACE/NAME of a ConfigMap with further manifests, or none",
            )
        },
        // Not `timeout`: everywhere else that is how long the effect is waited for.
        Arg::option("watchdog", ArgKind::Number, "seconds from the boot within which the upgrade has to be completed"),
    ],
    needs: NEEDS,
    inverse: Some(ActionId::IbuIdle),
    offered,
    plan: make,
    ..ibu::ENTRY
};

/// The seed that is configured already.
fn seed_image(assessment: &Assessment) -> Vec<String> {
    configured(assessment, |image| &image.seed.image)
}

/// Its version.
fn seed_version(assessment: &Assessment) -> Vec<String> {
    configured(assessment, |image| &image.seed.version)
}

fn configured(assessment: &Assessment, field: fn(&ImageBased) -> &String) -> Vec<String> {
    let known = assessment.image_based.as_deref().map(field);
    known.filter(|known| !known.is_empty()).cloned().into_iter().collect()
}

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    ibu::concerns(assessment, target)?;
    let refusal = ibu::may(assessment, session, Move::Prep).err();
    Some(Offered { action: ActionId::IbuPrep, title: "Prepare a seed image".to_owned(), danger: Danger::L, refusal })
}

/// What is asked for, as it would stand in `spec`.
struct Wanted {
    image: String,
    version: String,
    pull_secret: Option<String>,
    content: Vec<String>,
    manifests: Vec<String>,
    watchdog: Option<i64>,
}

/// What was given; what was not stays as it is. `none` takes it away.
fn wanted(image: &ImageBased, ask: &Ask) -> Result<Wanted, Refusal> {
    let text = |name: &str, present: &str| ask.args.get(name).unwrap_or(present).trim().to_owned();
    let seed = text("seed-image", &image.seed.image);
    let version = without_v(&text("seed-version", &image.seed.version)).to_owned();
    for (value, name) in [(&seed, "seed-image"), (&version, "seed-version")] {
        if value.is_empty() {
            return Err(Refusal(format!("no seed is configured yet: give {name}")));
        }
    }
    let several = |name: &str, present: &[String]| match ask.args.all(name) {
        [] => present.to_vec(),
        [one] if one == "none" => Vec::new(),
        given => given.to_vec(),
    };
    let watchdog = match ask.args.get("watchdog").map(str::parse::<i64>) {
        None => None,
        Some(Ok(seconds)) if seconds > 0 => Some(seconds),
        Some(_) => return Err(Refusal("watchdog is a number of seconds above 0".to_owned())),
    };
    let secret = text("pull-secret", &image.seed.pull_secret);
    Ok(Wanted {
        image: seed,
        version,
        pull_secret: Some(secret).filter(|secret| !secret.is_empty() && secret != "none"),
        content: several("oadp-content", &image.oadp_content),
        manifests: several("extra-manifest", &image.extra_manifests),
        watchdog,
    })
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let image = ibu::may(assessment, session, Move::Prep)?;
    let wanted = wanted(image, ask)?;
    let higher = ibu::higher(assessment, &wanted.version)?;
    let content = ibu::config_maps(material, &wanted.content)?;
    let manifests = ibu::config_maps(material, &wanted.manifests)?;
    let title = format!("Prepare {} beside the running system", wanted.version);
    let reads: Vec<_> = content.reads.iter().chain(&manifests.reads).cloned().collect();
    if !reads.is_empty() {
        return Ok(ibu::with_reads(Plan::draft(&ENTRY, ask, title), reads));
    }
    let volumes = ibu::volume_rules(image, &content);
    // What is waited for depends on what is asked for now, and not on what an earlier configuration had.
    let health = health_checks::rows(&assessment.facts, !wanted.content.is_empty());
    let danger = if volumes.is_empty() { Danger::L } else { Danger::H };
    let mut preconditions = ibu::preconditions(assessment, image, Move::Prep);
    preconditions.insert(2, higher);
    preconditions.extend(ibu::healthy(&health));
    let read = content.addresses.iter().chain(&manifests.addresses);
    preconditions.extend(read.map(|address| Precondition {
        words: format!("ConfigMap {address} exists"),
        evidence: format!("read for this plan: {address}"),
    }));
    let (spec, stored) = spec(assessment, &wanted)?;
    Ok(Plan {
        danger,
        preconditions,
        consequences: consequences(image, &wanted, &health, volumes, content.unread.iter().chain(&manifests.unread)),
        writes: vec![ibu::stage_write(assessment, session, spec, Stage::Prep, stored)?],
        confirm: if danger == Danger::H { Confirm::Type(wanted.version.clone()) } else { Confirm::Button },
        effect: Effect::ImageStage { stage: Stage::Prep.word() },
        strict_lock: true,
        ..Plan::draft(&ENTRY, ask, title)
    }
    .undone_on(Target::Cluster))
}

/// The patch of `spec`: everything of the configuration, so that nothing of an earlier one is left, and what has to be
/// stored of it.
fn spec(assessment: &Assessment, wanted: &Wanted) -> Result<(Value, Vec<(String, Value)>), Refusal> {
    let reference = |address: &String| {
        let (_, namespace, name) = ibu::config_map(address)?;
        Ok(json!({ "namespace": namespace, "name": name }))
    };
    let references = |all: &[String]| all.iter().map(reference).collect::<Result<Vec<Value>, Refusal>>();
    let (content, manifests) = (references(&wanted.content)?, references(&wanted.manifests)?);
    let secret = wanted.pull_secret.as_ref().map(|name| json!({ "name": name })).unwrap_or_default();
    let mut spec = json!({
        "seedImageRef": { "image": wanted.image, "version": wanted.version, "pullSecretRef": secret },
        "oadpContent": content,
        "extraManifests": manifests,
    });
    let mut stored = vec![
        ("/spec/seedImageRef/image".to_owned(), json!(wanted.image)),
        ("/spec/seedImageRef/version".to_owned(), json!(wanted.version)),
    ];
    let known = ibu::object(assessment)?.spec.auto_rollback.watchdog_seconds;
    if let Some(seconds) = wanted.watchdog.filter(|seconds| *seconds != known) {
        spec["autoRollbackOnFailure"] = json!({ "initMonitorTimeoutSeconds": seconds });
        stored.push(("/spec/autoRollbackOnFailure/initMonitorTimeoutSeconds".to_owned(), json!(seconds)));
    }
    Ok((spec, stored))
}

fn consequences<'a>(
    image: &ImageBased,
    wanted: &Wanted,
    health: &[HealthRow],
    volumes: Vec<String>,
    unread: impl Iterator<Item = &'a String>,
) -> Vec<String> {
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let mut lines = vec![
        format!("seed {} ({})", wanted.image, wanted.version),
        format!(
            "pull secret: {}; backups and restores: {}; further manifests: {}",
            wanted.pull_secret.as_deref().unwrap_or("the cluster's own"),
            list(&wanted.content),
            list(&wanted.manifests)
        ),
        "nothing is interrupted: the new system is written beside the running one, its images are pulled, and the disk and \
         the network of the node are busy meanwhile"
            .to_owned(),
        "the agent checks the seed against this cluster (proxy, FIPS, trust bundle, container storage) and fails at once where \
         they differ; Idle gives it up"
            .to_owned(),
    ];
    if wanted.content.is_empty() {
        lines.push(ibu::NO_BACKUPS.to_owned());
    }
    if let Some(seconds) = wanted.watchdog {
        lines.push(format!("the upgrade has to be completed {seconds} s after the boot, or the node goes back"));
    }
    let off = image.switches.iter().filter(|switch| switch.off);
    lines.extend(off.map(|switch| format!("NO automatic rollback when {}: that is copied by Prep", switch.trigger)));
    lines.extend(ibu::not_followed(image));
    lines.extend(ibu::waits(health));
    let broken = !volumes.is_empty();
    lines.extend(volumes);
    lines.extend(ibu::volume_lines(image, broken));
    lines.extend(unread.cloned());
    lines.push(
        "where a hub manages this cluster: its ManagedCluster should be annotated \
         import.open-cluster-management.io/disable-auto-import=true before Upgrade (not visible from here)"
            .to_owned(),
    );
    lines
}
