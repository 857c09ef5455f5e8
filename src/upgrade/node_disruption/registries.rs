//! Is a change of registries.conf one that no pod notices? (machine-config-operator, pkg/daemon/drain.go,
//! `isSafeContainerRegistryConfChanges`)
//!
//! The file is TOML as the operator writes it: tables `[[registry]]` with tables `[[registry.mirror]]`, one key a line.
//! Whatever else is found in it counts as not understood, and then as not safe.

use std::collections::BTreeMap;

/// The value of `pull-from-mirror` for pulls by digest.
const BY_DIGEST: &str = "digest-only";

/// A source of images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Registry {
    /// `prefix`, `location`, `blocked`, `insecure` as they are written.
    fields: BTreeMap<String, String>,
    by_digest_only: bool,
    /// Mirrors by location, and for which pulls they are asked (`pull-from-mirror`): all, `digest-only` or `tag-only`.
    mirrors: BTreeMap<String, String>,
}

/// The file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct File {
    search: Vec<String>,
    /// By prefix, or by location.
    registries: BTreeMap<String, Registry>,
}

/// Do mirrors by digest only come, and nothing goes or changes? False too when a file is not understood.
pub(super) fn only_adds(old: &str, new: &str) -> bool {
    let (Some(old), Some(new)) = (read(old), read(new)) else { return false };
    // The order of the registries that are searched decides: what is there stays in front.
    let searched = new.search.starts_with(&old.search);
    let kept = old.registries.iter().all(|(scope, was)| new.registries.get(scope).is_some_and(|is| is_safe(was, is)));
    let mut added = new.registries.iter().filter(|(scope, _)| !old.registries.contains_key(*scope));
    searched && kept && added.all(|(_, registry)| is_by_digest(registry))
}

fn is_safe(was: &Registry, is: &Registry) -> bool {
    let stays = |(location, pulls): (&String, &String)| {
        is.mirrors.get(location).is_some_and(|now| now == pulls || now == BY_DIGEST)
    };
    let comes = |(location, pulls): (&String, &String)| {
        was.mirrors.contains_key(location) || pulls == BY_DIGEST || is.by_digest_only
    };
    was.fields == is.fields
        && was.by_digest_only == is.by_digest_only
        && was.mirrors.iter().all(stays)
        && is.mirrors.iter().all(comes)
}

fn is_by_digest(registry: &Registry) -> bool {
    if registry.mirrors.is_empty() {
        return registry.by_digest_only;
    }
    registry.by_digest_only || registry.mirrors.values().all(|pulls| pulls == BY_DIGEST)
}

/// Where a line stands.
enum Part {
    Top,
    Registry,
    Mirror,
}

fn read(text: &str) -> Option<File> {
    let mut file = File::default();
    let mut part = Part::Top;
    let mut registries: Vec<Registry> = Vec::new();
    let mut mirrors: Vec<(String, String)> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line {
            "[[registry]]" | "[[registry.mirror]]" => {
                close_mirror(registries.last_mut(), &mut mirrors)?;
                if line == "[[registry]]" {
                    registries.push(Registry::default());
                    part = Part::Registry;
                } else {
                    registries.last()?;
                    mirrors.push(Default::default());
                    part = Part::Mirror;
                }
                continue;
            }
            _ if line.starts_with('[') => return None,
            _ => {}
        }
        let (key, value) = line.split_once('=').map(|(key, value)| (key.trim(), value.trim()))?;
        match (&part, key) {
            (Part::Top, "unqualified-search-registries") => file.search = texts(value)?,
            (Part::Top, "short-name-mode" | "credential-helpers") => {}
            (Part::Registry, "prefix" | "location" | "blocked" | "insecure") => {
                let fields = &mut registries.last_mut()?.fields;
                // Absent, empty and false are the same.
                if !matches!(value, "\"\"" | "false") {
                    fields.insert(key.to_owned(), value.to_owned());
                }
            }
            (Part::Registry, "mirror-by-digest-only") => registries.last_mut()?.by_digest_only = value == "true",
            (Part::Mirror, "location") => mirrors.last_mut()?.0 = text_of(value)?,
            (Part::Mirror, "pull-from-mirror") => mirrors.last_mut()?.1 = text_of(value)?,
            (Part::Mirror, "insecure") if value == "false" => {}
            _ => return None,
        }
    }
    close_mirror(registries.last_mut(), &mut mirrors)?;
    for registry in registries {
        let scope = registry.fields.get("prefix").or_else(|| registry.fields.get("location"))?.clone();
        file.registries.insert(scope, registry);
    }
    Some(file)
}

fn close_mirror(registry: Option<&mut Registry>, mirrors: &mut Vec<(String, String)>) -> Option<()> {
    let Some((location, pulls)) = mirrors.pop() else { return Some(()) };
    registry?.mirrors.insert(Some(location).filter(|location| !location.is_empty())?, pulls);
    Some(())
}

fn text_of(value: &str) -> Option<String> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains(['"', '\\'])).then(|| inner.to_owned())
}

fn texts(value: &str) -> Option<Vec<String>> {
    let inner = value.strip_prefix('[')?.strip_suffix(']')?.trim();
    if inner.is_empty() {
        return Some(Vec::new());
    }
    inner.split(',').map(|one| text_of(one.trim())).collect()
}
