//! Which release is meant: a version on offer, the newest one, the release before, or an image by its digest.

use std::cmp::Ordering;

use semver::Version;

use super::cluster_version::acceptance;
use super::words::list;
use super::{Ask, Refusal, Target};
use crate::api::{self, Conditions as _, Tri};
use crate::upgrade::assessment::Assessment;
use crate::upgrade::updates::{Choice, UPGRADEABLE_FALSE, Updates, choices_of, updates};

/// Where the release is known from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// It is on offer.
    Offered(Box<Choice>),
    /// It is the release that was applied before.
    Before,
    /// The request names it already.
    Requested,
    /// By its digest alone: nobody offers it.
    Digest,
}

/// The release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Release {
    /// Version; empty when only an image is known.
    pub version: String,
    /// Pull spec by digest.
    pub image: String,
    /// Where it is known from.
    pub source: Source,
}

/// What may be meant, beside what is on offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// The release before, of the same minor.
    pub rollback: bool,
    /// An image that is not on offer.
    pub explicit: bool,
    /// By force, a request that stands already may be made again.
    pub force: bool,
}

impl Release {
    /// Version, else repository and the beginning of the digest.
    pub(super) fn name(&self) -> String {
        if !self.version.is_empty() {
            return self.version.clone();
        }
        match self.image.split_once("@sha256:") {
            Some((repository, digest)) => format!("{repository}@sha256:{}", digest.get(..12).unwrap_or(digest)),
            None => self.image.clone(),
        }
    }

    /// What is typed to confirm it: the version, else the first 12 digits of the digest.
    pub(super) fn typed(&self) -> String {
        if !self.version.is_empty() {
            return self.version.clone();
        }
        let digest = self.image.rsplit(':').next().unwrap_or_default();
        digest.get(..12).unwrap_or(digest).to_owned()
    }

    /// What is on offer of it.
    pub(super) fn choice(&self) -> Option<&Choice> {
        if let Source::Offered(choice) = &self.source { Some(choice) } else { None }
    }
}

/// The release that is asked for.
///
/// # Errors
/// Why there is none, or why it may not be asked for.
pub(super) fn resolve(
    assessment: &Assessment,
    seen: &api::ClusterVersion,
    ask: &Ask,
    limits: Limits,
) -> Result<Release, Refusal> {
    let version = if let Target::Version(version) = &ask.target { Some(version.as_str()) } else { None };
    let (image, newest) = (ask.args.get("image"), ask.args.flag("newest"));
    let release = match (version, image, newest) {
        (None, None, false) => return Err(Refusal("choose the version to update to".to_owned())),
        (Some(_), _, true) | (_, Some(_), true) => {
            return Err(Refusal("newest chooses the release itself: name no other beside it".to_owned()));
        }
        (None, None, true) => the_newest(&updates(assessment), ask.args.flag("allow-not-recommended"))?,
        (version, Some(image), false) => by_image(seen, image, version, limits)?,
        (Some(version), None, false) => by_version(assessment, seen, version, limits)?,
    };
    not_yet(seen, &release, limits)?;
    if !release.version.is_empty() && release.source != Source::Before {
        forward(&seen.status.desired.version, &release.version)?;
    }
    Ok(release)
}

/// Neither applied nor requested already.
fn not_yet(seen: &api::ClusterVersion, release: &Release, limits: Limits) -> Result<(), Refusal> {
    let present = &seen.status.desired;
    if !release.image.is_empty() && release.image == present.image {
        return Err(Refusal(format!("the cluster is at {} already, or on its way to it", present_name(present))));
    }
    let Some(wanted) = &seen.spec.desired_update else { return Ok(()) };
    let same = wanted.image == release.image && wanted.version == release.version;
    // A preflight only checks the release: asking for it to be applied is another request.
    if same && wanted.mode.is_empty() && (!limits.force || wanted.force) {
        return Err(Refusal(format!("{} is requested already; {}", release.name(), acceptance(seen))));
    }
    Ok(())
}

fn present_name(present: &api::Release) -> &str {
    if present.version.is_empty() { &present.image } else { &present.version }
}

/// Above the present version, and not over a minor (cluster-version-operator, `ClusterVersionGiantHop`,
/// pkg/payload/precondition/clusterversion/gianthop.go).
fn forward(present: &str, version: &str) -> Result<(), Refusal> {
    let Some((from, to)) = Version::parse(present).ok().zip(Version::parse(version).ok()) else {
        return Err(Refusal(format!("{version} cannot be compared with the present version {present}")));
    };
    match to.cmp_precedence(&from) {
        Ordering::Less => return Err(Refusal(format!("{version} is below the present version {present}"))),
        Ordering::Equal | Ordering::Greater => {}
    }
    if to.major == from.major && to.minor.saturating_sub(from.minor) > 1 {
        return Err(Refusal(format!("{version} is more than one minor version above {present}")));
    }
    Ok(())
}

fn offered(choice: &Choice) -> Release {
    Release {
        version: choice.version.clone(),
        image: choice.image.clone(),
        source: Source::Offered(Box::new(choice.clone())),
    }
}

/// The highest version that is recommended, or, where that is allowed, on offer at all (`oc adm upgrade --to-latest`).
fn the_newest(updates: &Updates, not_recommended: bool) -> Result<Release, Refusal> {
    let barred = |choice: &Choice| choice.risks.iter().any(|risk| risk.name == UPGRADEABLE_FALSE);
    let fit = |choice: &&Choice| choice.recommended || (not_recommended && !barred(choice));
    let above = |choice: &&Choice| forward(&updates.current, &choice.version).is_ok();
    let parsed = |choice: &Choice| Version::parse(&choice.version).ok();
    let newest = updates.choices.iter().filter(fit).filter(above).max_by_key(|choice| parsed(choice));
    newest.map(offered).ok_or_else(|| {
        let channel = if updates.channel.is_empty() { "none" } else { &updates.channel };
        let others = list(updates.choices.iter().map(|choice| choice.version.as_str()));
        let others = if others.is_empty() { String::new() } else { format!("; on offer, not recommended: {others}") };
        Refusal(format!("{} is the newest that is recommended (channel {channel}){others}", updates.current))
    })
}

fn by_version(
    assessment: &Assessment,
    seen: &api::ClusterVersion,
    version: &str,
    limits: Limits,
) -> Result<Release, Refusal> {
    let present = &seen.status.desired.version;
    if version == present {
        return Err(Refusal(format!("the cluster is at {version} already, or on its way to it")));
    }
    if let Some((from, to)) = Version::parse(present).ok().zip(Version::parse(version).ok())
        && to < from
    {
        return the_one_before(seen, version, limits.rollback);
    }
    forward(present, version)?;
    if let Some(choice) = choices_of(seen, |release| release.version == version).first() {
        if choice.image.is_empty() {
            return Err(Refusal(format!("{version} is on offer without an image")));
        }
        return Ok(offered(choice));
    }
    let requested = seen.spec.desired_update.as_ref().filter(|wanted| wanted.version == version);
    match requested {
        Some(wanted) if !wanted.image.is_empty() => {
            let release =
                Release { version: wanted.version.clone(), image: wanted.image.clone(), source: Source::Requested };
            not_yet(seen, &release, limits)?;
            if limits.force || !wanted.mode.is_empty() {
                return Ok(release);
            }
        }
        Some(_) => return Err(Refusal(format!("{version} is requested already; {}", acceptance(seen)))),
        None => {}
    }
    let offers = list(assessment.update.offers.iter().map(|offer| offer.version.as_str()));
    let offers = if offers.is_empty() { "nothing is".to_owned() } else { format!("on offer: {offers}") };
    let channel = seen.spec.channel.as_deref().unwrap_or("none");
    Err(Refusal(format!("{version} is not on offer (channel {channel}; {offers})")))
}

/// The only way back: the release that was applied before, of the same minor, while nothing is at work (oc:
/// pkg/cli/admin/upgrade/rollback; cluster-version-operator, `ClusterVersionRollback`,
/// pkg/payload/precondition/clusterversion/rollback.go).
fn the_one_before(seen: &api::ClusterVersion, version: &str, allowed: bool) -> Result<Release, Refusal> {
    let present = &seen.status.desired;
    let refuse =
        |why: String| Err(Refusal(format!("{version} is below the present version {}: {why}", present.version)));
    let minor = |version: &str| Version::parse(version).ok().map(|version| (version.major, version.minor));
    if minor(version) != minor(&present.version) {
        return refuse("there is no way back to another minor".to_owned());
    }
    let before =
        seen.status.history.iter().find(|entry| entry.version != present.version || entry.image != present.image);
    let Some(before) = before.filter(|before| before.version == version) else {
        let only = before.map_or_else(String::new, |before| format!(" ({})", before.version));
        return refuse(format!("only the release that was applied just before{only} can be gone back to"));
    };
    if !allowed {
        return refuse("it was applied just before, and rollback goes back to it".to_owned());
    }
    if !seen.status.conditions.is_false("Progressing") {
        let status = seen.status.conditions.condition("Progressing").map_or("absent", |found| found.status.word());
        return refuse(format!("going back needs Progressing to be False, and it is {status}"));
    }
    if let Some(invalid) = seen.status.conditions.condition("Invalid").filter(|found| found.status == Tri::True) {
        return refuse(format!("the ClusterVersion is invalid: {}", invalid.message));
    }
    Ok(Release { version: before.version.clone(), image: before.image.clone(), source: Source::Before })
}

/// An image by its digest: one on offer (by the same digest, wherever it is mirrored), or an explicit one.
fn by_image(
    seen: &api::ClusterVersion,
    image: &str,
    version: Option<&str>,
    limits: Limits,
) -> Result<Release, Refusal> {
    let digest = digest_of(image)?;
    if let Some(choice) = choices_of(seen, |release| release.image.ends_with(digest)).first() {
        if let Some(version) = version.filter(|version| *version != choice.version) {
            return Err(Refusal(format!("the image is on offer as {}, not as {version}", choice.version)));
        }
        return Ok(Release { image: image.to_owned(), ..offered(choice) });
    }
    let requested = seen.spec.desired_update.as_ref().is_some_and(|wanted| wanted.image == image);
    if !(limits.explicit || limits.force && requested) {
        return Err(Refusal(format!(
            "the image is not on offer, so nobody has said that it is fit for this cluster: --allow-explicit asks for \
             {image} all the same"
        )));
    }
    let source = if requested { Source::Requested } else { Source::Digest };
    Ok(Release { version: version.unwrap_or_default().to_owned(), image: image.to_owned(), source })
}

/// `@sha256:...` of a pull spec. A tag is refused: it can be moved to another image, and no signature is looked up for it
/// (oc: pkg/cli/admin/upgrade/upgrade.go).
fn digest_of(image: &str) -> Result<&str, Refusal> {
    let refuse = |why: &str| Err(Refusal(format!("{image}: {why}")));
    if image.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refuse("a pull spec has no spaces");
    }
    let Some(at) = image.find('@') else {
        let last = image.rsplit('/').next().unwrap_or_default();
        return if last.contains(':') {
            refuse("a tag can be moved to another image: name it by its digest, REPOSITORY@sha256:DIGEST")
        } else {
            refuse("name it by its digest, REPOSITORY@sha256:DIGEST")
        };
    };
    let (repository, digest) = image.split_at(at);
    if repository.is_empty() || !repository.contains('/') {
        return refuse("the registry and the repository are missing");
    }
    let Some(hex) = digest.strip_prefix("@sha256:") else { return refuse("the digest has to be one of sha256") };
    if hex.len() != 64 || !hex.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit)) {
        return refuse("a sha256 digest has 64 hexadecimal digits in lower case");
    }
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_digest_names_an_image_for_good() {
        let digest = "a1".repeat(32);
        let good = format!("mirror.example:5000/ocp/release@sha256:{digest}");
        assert_eq!(digest_of(&good).unwrap(), format!("@sha256:{digest}"));
        for (image, part) in [
            ("quay.io/ocp/release:4.18.25", "a tag can be moved"),
            ("mirror.example:5000/ocp/release", "name it by its digest"),
            ("release@sha256:00", "registry and the repository"),
            ("quay.io/ocp/release@sha256:00", "64 hexadecimal digits"),
            ("quay.io/ocp/release@sha512:00", "one of sha256"),
            ("quay.io/ocp/ release", "no spaces"),
        ] {
            let Err(Refusal(words)) = digest_of(image) else { panic!("{image} is no digest") };
            assert!(words.contains(part), "{words}");
        }
    }

    #[test]
    fn the_way_is_forward_and_one_minor_at_a_time() {
        for (from, to, part) in [
            ("4.18.22", "4.18.21", "below the present version"),
            ("4.18.22", "4.20.1", "more than one minor version above"),
            ("4.18.22", "x", "cannot be compared"),
        ] {
            let Err(Refusal(words)) = forward(from, to) else { panic!("{from} -> {to}") };
            assert!(words.contains(part), "{words}");
        }
        for to in ["4.18.23", "4.19.0-rc.1", "4.19.3", "5.0.0"] {
            forward("4.18.22", to).unwrap();
        }
    }
}
