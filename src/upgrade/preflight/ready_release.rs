//! Is the target on offer, and can the cluster get and verify its images?

use super::{Answer, Ask, Row, evidence};
use crate::api::{Conditions as _, HistoryEntry, MirroredSource, Tri};
use crate::upgrade::assessment::{Remedy, Resource};
use crate::upgrade::checks::{signature_missing, updates_not_retrieved};
use crate::upgrade::danger::Danger;
use crate::upgrade::facts::Kind;
use crate::upgrade::updates::UPGRADEABLE_FALSE;
use crate::upgrade::version::minor_parts;
use crate::upgrade::words;

/// Where the product's releases and the images that they refer to are published.
const RELEASES: &str = "quay.io/openshift-release-dev/ocp-release";
const CONTENT: &str = "quay.io/openshift-release-dev/ocp-v4.0-art-dev";

pub(super) fn target(ask: &Ask) -> Option<Row> {
    let (id, title) = ("target", "The target is on offer and recommended");
    let Some(target) = ask.target else { return Some(nothing_on_offer(ask, id, title)) };
    if let Some(row) = back(ask, id, title, target) {
        return Some(row);
    }
    if let Some(refusal) = hop(ask, target) {
        return Some(
            Row::new(id, title, Answer::Block, refusal)
                .about([Resource::version()])
                .rests_on([evidence("clusterversion/version", "status.desired.version", ask.updates.current.clone())])
                .remedied([Remedy::look("Choose another target.").oc("oc adm upgrade recommend")]),
        );
    }
    let Some(choice) = ask.choice else { return Some(not_on_offer(ask, id, title, target)) };
    if choice.recommended {
        return Some(Row::new(id, title, Answer::Pass, format!("{target} is recommended")).rests_on([evidence(
            "clusterversion/version",
            "status.availableUpdates",
            choice.image.clone(),
        )]));
    }
    let risks: Vec<_> = choice.risks.iter().filter(|risk| risk.applies != Some(false) && !risk.accepted).collect();
    // `Upgradeable` is a row of its own; here it is only named.
    let only_gate = !risks.is_empty() && risks.iter().all(|risk| risk.name == UPGRADEABLE_FALSE);
    let why = if only_gate {
        format!("{target} is on offer; minor updates are held up, see below")
    } else {
        let told = risks.iter().filter(|risk| risk.name != UPGRADEABLE_FALSE).map(|risk| {
            let applies = if risk.applies.is_none() { " (not known whether it applies)" } else { "" };
            format!("{}{applies}: {}", risk.name, words::first_line(&risk.message))
        });
        let told: Vec<String> = told.collect();
        format!(
            "{target} is not recommended ({}): {}",
            choice.reason,
            if told.is_empty() { choice.message.clone() } else { told.join("\n") }
        )
    };
    Some(
        Row::new(id, title, Answer::Warn, why)
            .about([Resource::version()])
            .rests_on([evidence(
                "clusterversion/version",
                "status.conditionalUpdates[].Recommended",
                choice.reason.clone(),
            )])
            .remedied([Remedy::look("Read its risks, and take another version if one of them matters here.")
                .oc(format!("oc adm upgrade recommend --version {target}", target = words::shell(target)))]),
    )
}

/// Back to the release that was applied just before, of the same minor: the only way back that the operator lets pass, and
/// only while nothing is at work (cluster-version-operator, pkg/payload/precondition/clusterversion/rollback.go; oc:
/// pkg/cli/admin/upgrade/rollback).
fn back(ask: &Ask, id: &'static str, title: &'static str, target: &str) -> Option<Row> {
    let version = ask.now.facts.cluster_version.as_deref()?;
    let desired = &version.status.desired;
    let older = semver::Version::parse(target).ok()? < semver::Version::parse(&desired.version).ok()?;
    let differs = |entry: &&HistoryEntry| entry.version != desired.version || entry.image != desired.image;
    let before = version.status.history.iter().find(differs)?;
    if !older || before.version != target || minor_parts(target) != minor_parts(&desired.version) {
        return None;
    }
    let still = version.status.conditions.condition("Progressing").is_some_and(|found| found.status == Tri::False);
    let (answer, why) = if still {
        (Answer::Warn, format!("{target} was applied just before {}: it can be gone back to", desired.version))
    } else {
        (
            Answer::Block,
            format!("{target} was applied just before {}, and is gone back to only at rest", desired.version),
        )
    };
    let remedy = Remedy::look("Going back is for a release that fails here; what it repaired comes back as well.");
    Some(
        Row::new(id, title, answer, why)
            .about([Resource::version()])
            .rests_on([evidence("clusterversion/version", "status.history", before.image.clone())])
            .remedied([remedy.oc("OC_ENABLE_CMD_UPGRADE_ROLLBACK=true oc adm upgrade rollback")]),
    )
}

/// Over a minor, or back (cluster-version-operator, pkg/payload/precondition/clusterversion: gianthop.go, rollback.go).
fn hop(ask: &Ask, target: &str) -> Option<String> {
    let current = &ask.updates.current;
    let (from, to) = (minor_parts(current)?, minor_parts(target)?);
    if target == current {
        return Some(format!("the cluster is at {target}"));
    }
    if semver::Version::parse(target).ok()? < semver::Version::parse(current).ok()? {
        return Some(format!("{target} is older than {current}: an update only goes forward"));
    }
    (from.0 == to.0 && to.1.saturating_sub(from.1) > 1)
        .then(|| format!("{target} is {} minors away from {current}: minors are updated one at a time", to.1 - from.1))
}

fn retrieved(ask: &Ask) -> Option<(bool, String, String)> {
    let version = ask.now.facts.cluster_version.as_deref()?;
    let condition = version.status.conditions.condition("RetrievedUpdates")?;
    Some((condition.status == Tri::True, condition.reason.clone(), condition.message.clone()))
}

fn nothing_on_offer(ask: &Ask, id: &'static str, title: &'static str) -> Row {
    let (why, remedies) = match retrieved(ask) {
        Some((true, ..)) => (
            format!(
                "nothing is on offer in channel {}",
                if ask.updates.channel.is_empty() { "(none)" } else { &ask.updates.channel }
            ),
            vec![
                Remedy::change(Danger::L, "Set the channel of the minor that is wanted.")
                    .oc("oc adm upgrade channel stable-4.y"),
            ],
        ),
        Some((false, reason, message)) => {
            let (_, remedies) = updates_not_retrieved::advice(&reason);
            (format!("what is on offer cannot be retrieved ({reason}): {}", words::first_line(&message)), remedies)
        }
        None => ("whether anything is on offer is not known".to_owned(), Vec::new()),
    };
    Row::new(id, title, Answer::Warn, why)
        .about([Resource::version()])
        .rests_on([evidence("clusterversion/version", "spec.channel", ask.updates.channel.clone())])
        .remedied(remedies)
}

fn not_on_offer(ask: &Ask, id: &'static str, title: &'static str, target: &str) -> Row {
    let by_digest =
        Remedy::change(Danger::M, "Or ask for it by digest; then nobody has said that it is fit for this cluster.")
            .oc("oc adm upgrade --to-image=REPOSITORY@sha256:DIGEST --allow-explicit-upgrade");
    let offline = retrieved(ask).is_none_or(|(retrieved, ..)| !retrieved);
    let told = evidence("clusterversion/version", "spec.channel", ask.updates.channel.clone());
    let row = if offline {
        let why = format!("{target} is not among the updates that the cluster knows; it cannot retrieve any");
        Row::new(id, title, Answer::Warn, why).remedied([by_digest])
    } else {
        let why = format!("{target} is not on offer in channel {}", ask.updates.channel);
        let channel = Remedy::change(Danger::L, "Set a channel that holds it.").oc("oc adm upgrade channel CHANNEL");
        Row::new(id, title, Answer::Block, why).remedied([channel, by_digest])
    };
    row.about([Resource::version()]).rests_on([told])
}

/// How sure it is that the cluster has no way to the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Nothing speaks of mirrors.
    Connected,
    /// There are mirror sets, and Red Hat's update service answers.
    Mirrored,
    /// The image stands elsewhere, or the update service is another one or does not answer.
    Cut,
}

fn line(ask: &Ask) -> Line {
    let elsewhere = ask.choice.is_some_and(|choice| !choice.image.is_empty() && !choice.image.starts_with("quay.io/"));
    let current = ask.now.facts.cluster_version.as_deref().map(|version| version.status.desired.image.as_str());
    let running_elsewhere =
        ask.choice.is_none() && current.is_some_and(|image| !image.is_empty() && !image.starts_with("quay.io/"));
    let unanswered = retrieved(ask).is_some_and(|(retrieved, reason, _)| {
        // That no channel is set says nothing about the line.
        !retrieved && matches!(reason.as_str(), "RemoteFailed" | "ResponseFailed" | "NoUpstream")
    });
    let other_service = ask.updates.upstream.as_ref().is_some_and(|upstream| !upstream.contains(".openshift.com/"));
    if elsewhere || running_elsewhere || unanswered || other_service {
        Line::Cut
    } else if mirror_sources(ask).next().is_some() {
        Line::Mirrored
    } else {
        Line::Connected
    }
}

fn mirror_sources<'a>(ask: &Ask<'a>) -> impl Iterator<Item = &'a MirroredSource> {
    let around = &ask.now.facts.around;
    let sets = around.image_digest_mirror_sets.iter().flat_map(|set| &set.spec.mirrors);
    let policies = around.image_content_source_policies.iter().flat_map(|policy| &policy.spec.mirrors);
    sets.chain(policies).filter(|source| !source.mirrors.is_empty())
}

pub(super) fn mirrors(ask: &Ask) -> Option<Row> {
    let (id, title) = ("mirrors", "The release's images are mirrored");
    let line = line(ask);
    if line == Line::Connected {
        return None;
    }
    // Before 4.13 the one kind, later the other: either tells.
    let kinds = [Kind::ImageDigestMirrorSets, Kind::ImageContentSourcePolicies];
    if let Some(why) = ask.unread(&kinds) {
        return Some(Row::unknown(id, title, why, Kind::ImageDigestMirrorSets));
    }
    let covers = |repository: &str| {
        mirror_sources(ask).any(|source| {
            let source = source.source.trim_end_matches('/');
            repository == source || repository.strip_prefix(source).is_some_and(|rest| rest.starts_with('/'))
        })
    };
    let own = ask.choice.is_some_and(|choice| !choice.image.starts_with("quay.io/"));
    let missing: Vec<&str> = [(RELEASES, own), (CONTENT, false)]
        .into_iter()
        .filter(|(repository, given)| !given && !covers(repository))
        .map(|(repository, _)| repository)
        .collect();
    let told = mirror_sources(ask).map(|source| evidence("mirror", &source.source, source.mirrors.join(", ")));
    if missing.is_empty() {
        let why = "a mirror set names the release's repositories; whether the mirror holds this release only its registry tells";
        return Some(Row::new(id, title, Answer::Pass, why).rests_on(told));
    }
    let answer = if line == Line::Cut { Answer::Block } else { Answer::Warn };
    let also = if line == Line::Cut { "" } else { "; they are pulled from where they are published" };
    Some(
        Row::new(id, title, answer, format!("no mirror set names {}{also}", missing.join(" and ")))
            .rests_on(told)
            .remedied([Remedy::change(
                Danger::M,
                "Apply the mirror set that mirroring the release has written; some changes drain nodes.",
            )
            .oc("oc get imagedigestmirrorsets,imagecontentsourcepolicies -o yaml")]),
    )
}

pub(super) fn signature(ask: &Ask) -> Option<Row> {
    let (id, title) = ("signature", "The release's signature is at hand");
    let line = line(ask);
    if line == Line::Connected {
        return None;
    }
    let Some(digest) = ask.choice.and_then(|choice| choice.image.split_once("@sha256:")).map(|(_, digest)| digest)
    else {
        return Some(Row::untold(id, title, "the digest of the target is not known"));
    };
    if let Some(why) = ask.unread(&[Kind::ConfigMaps]) {
        return Some(Row::unknown(id, title, why, Kind::ConfigMaps));
    }
    let maps = ask.now.facts.around.config_maps.iter().filter(|map| map.namespace() == "openshift-config-managed");
    let wanted = format!("sha256-{digest}");
    let there = maps.into_iter().find(|map| map.binary_keys.keys().any(|key| key.starts_with(&wanted)));
    if let Some(map) = there {
        return Some(
            Row::new(id, title, Answer::Pass, format!("ConfigMap {} has it", map.name())).rests_on([evidence(
                format!("configmap/{}", map.name()),
                "binaryData",
                wanted,
            )]),
        );
    }
    if ask.recorded() {
        let why = "the recording does not hold it: it is not there, or it was not written down".to_owned();
        return Some(Row::unknown(id, title, why, Kind::ConfigMaps));
    }
    let stores = ask.now.facts.cluster_version.as_deref().and_then(|version| version.spec.signature_stores.as_ref());
    let own_store = stores.is_some_and(|stores| !stores.is_empty());
    let (answer, why) = match (line, own_store) {
        (_, true) => (Answer::Warn, "no ConfigMap has it; the cluster's own signature stores have to"),
        (Line::Cut, false) => {
            (Answer::Block, "no ConfigMap in openshift-config-managed has it, and the public stores are out of reach")
        }
        _ => (Answer::Warn, "no ConfigMap has it; the public signature stores have to be within reach"),
    };
    Some(
        Row::new(id, title, answer, why)
            .rests_on([evidence("configmaps in openshift-config-managed", "binaryData", format!("no {wanted}"))])
            .remedied([
                Remedy::change(Danger::L, "Apply the signature ConfigMap that mirroring the release has written.")
                    .oc("oc apply -f signature-sha256-DIGEST.yaml"),
                Remedy::look("See which signatures there are.").oc(signature_missing::SIGNATURES),
            ]),
    )
}
