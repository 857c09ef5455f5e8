//! Mirror sets: what they map, whether this release takes them, and whether a change only adds.

use std::collections::BTreeSet;

use serde_json::Value;

use super::kinds::Role;
use crate::actions::Refusal;
use crate::actions::raw::{items, part, text};
use crate::actions::words::list;

/// Where the images of a release are.
const RELEASE_SOURCES: [&str; 2] =
    ["quay.io/openshift-release-dev/ocp-release", "quay.io/openshift-release-dev/ocp-v4.0-art-dev"];

/// A source and the mirrors that are asked before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    /// A registry, or a path in one.
    pub source: String,
    /// Its mirrors, in order.
    pub mirrors: Vec<String>,
    /// `NeverContactSource`: the source itself is not asked any more.
    pub blocks_source: bool,
}

/// Is it one of the kinds of mirror sets?
pub(super) fn is_mirror_set(role: Role) -> bool {
    matches!(role, Role::DigestMirrors | Role::TagMirrors | Role::ContentSources)
}

/// What a mirror set maps.
pub(super) fn mappings(role: Role, object: &Value) -> Vec<Mapping> {
    let field = match role {
        Role::TagMirrors => "/spec/imageTagMirrors",
        Role::ContentSources => "/spec/repositoryDigestMirrors",
        _ => "/spec/imageDigestMirrors",
    };
    let mapping = |one: &Value| Mapping {
        source: text(one, "/source").to_owned(),
        mirrors: part(one, "/mirrors").unwrap_or_default(),
        blocks_source: text(one, "/mirrorSourcePolicy") == "NeverContactSource",
    };
    items(object, field).iter().map(mapping).collect()
}

/// Is it complete?
pub(super) fn check(role: Role, words: &str, object: &Value) -> Result<(), Refusal> {
    let mappings = mappings(role, object);
    if mappings.is_empty() {
        return Err(Refusal(format!("{words} maps nothing")));
    }
    match mappings.iter().find(|one| one.source.is_empty() || one.mirrors.is_empty() && !one.blocks_source) {
        Some(one) if one.source.is_empty() => Err(Refusal(format!("{words} has a mapping without a source"))),
        Some(one) => Err(Refusal(format!("{words} names no mirror for {}", one.source))),
        None => Ok(()),
    }
}

/// Does this release take it? `served`: whether it has ImageDigestMirrorSets (from 4.13 on); none: not known.
pub(super) fn fits_release(role: Role, words: &str, served: Option<bool>) -> Result<(), Refusal> {
    match (role, served) {
        (Role::ContentSources, Some(true)) => Err(Refusal(format!(
            "{words}: this release has ImageDigestMirrorSets, which take the place of ImageContentSourcePolicies (oc adm \
             migrate icsp makes one of the other)"
        ))),
        (Role::DigestMirrors | Role::TagMirrors, Some(false)) => Err(Refusal(format!(
            "{words}: this release has no mirror sets of that kind yet, only ImageContentSourcePolicies"
        ))),
        _ => Ok(()),
    }
}

/// Whether a change is one that the machine-config daemon takes without a drain: sources by digest that come, and mirrors
/// that come to them (machine-config-operator, pkg/daemon/drain.go, `isSafeContainerRegistryConfChanges`).
pub(super) fn only_adds(role: Role, there: Option<&Value>, would_be: Option<&Value>) -> bool {
    let of = |object: Option<&Value>| object.map(|object| mappings(role, object)).unwrap_or_default();
    let (old, new) = (of(there), of(would_be));
    let kept = |old: &Mapping| {
        new.iter().any(|new| {
            new.source == old.source
                && new.blocks_source == old.blocks_source
                && old.mirrors.iter().all(|mirror| new.mirrors.contains(mirror))
        })
    };
    let added_is_safe = |new: &Mapping| !new.blocks_source || old.iter().any(|old| old == new);
    role != Role::TagMirrors && old.iter().all(kept) && new.iter().all(added_is_safe)
}

/// Does it map the images of releases?
pub(super) fn maps_releases(role: Role, object: &Value) -> bool {
    let covers = |mapping: &Mapping| RELEASE_SOURCES.iter().any(|source| covers(&mapping.source, source));
    mappings(role, object).iter().any(covers)
}

/// Is the source in the registry or below the path?
fn covers(place: &str, source: &str) -> bool {
    source.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Are all images of releases in one of these places?
pub(super) fn covers_releases(places: &BTreeSet<String>) -> bool {
    RELEASE_SOURCES.iter().all(|source| places.iter().any(|place| covers(place, source)))
}

/// What it maps, a line each.
pub(super) fn told(role: Role, object: &Value) -> Vec<String> {
    let line = |one: &Mapping| {
        let blocks = if one.blocks_source { "; the source itself is not asked any more" } else { "" };
        format!("images of {} are pulled from {}{blocks}", one.source, list(one.mirrors.iter().map(String::as_str)))
    };
    mappings(role, object).iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(mappings: &[(&str, &[&str])]) -> Value {
        let one = |(source, mirrors): &(&str, &[&str])| json!({ "source": source, "mirrors": mirrors });
        json!({ "spec": { "imageDigestMirrors": mappings.iter().map(one).collect::<Vec<_>>() } })
    }

    #[test]
    fn only_additions_by_digest_are_taken_without_a_drain() {
        let adds = |old: Option<&Value>, new: Option<&Value>| only_adds(Role::DigestMirrors, old, new);
        let (one, two) = (set(&[("a", &["m"])]), set(&[("a", &["m", "n"]), ("b", &["m"])]));
        assert!(adds(None, Some(&one)) && adds(Some(&one), Some(&two)));
        assert!(!adds(Some(&two), Some(&one)) && !adds(Some(&one), None));
        let blocking = json!({ "spec": { "imageDigestMirrors": [
            { "source": "a", "mirrors": ["m"], "mirrorSourcePolicy": "NeverContactSource" }] } });
        assert!(!adds(None, Some(&blocking)));
        let tags = json!({ "spec": { "imageTagMirrors": [{ "source": "a", "mirrors": ["m"] }] } });
        assert!(!only_adds(Role::TagMirrors, None, Some(&tags)));
    }

    #[test]
    fn a_registry_covers_the_paths_in_it() {
        assert!(maps_releases(Role::DigestMirrors, &set(&[("quay.io/openshift-release-dev", &["m"])])));
        assert!(maps_releases(Role::DigestMirrors, &set(&[("quay.io", &["m"])])));
        assert!(!maps_releases(Role::DigestMirrors, &set(&[("quay.io/openshift", &["m"])])));
    }
}
