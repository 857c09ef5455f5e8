//! Small sentences that every action needs, worded once.
//!
//! No ages: a plan is compared with itself made again a moment later, and an age would differ. Times are absolute, UTC.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};

pub(super) use crate::upgrade::words::{count, shell};

use crate::upgrade::assessment::{Cordon, Pool};

/// The manager under which the API server remembers the fields that this program writes.
pub const FIELD_MANAGER: &str = "oc-cockpit";

/// A JSON pointer as people write a field: `spec.desiredUpdate.image`.
pub(super) fn field(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~")
}

/// A key as it stands in a JSON pointer.
pub(super) fn in_pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// How many names a list shows before it says how many more there are.
const NAMES: usize = 8;

/// `a, b and 4 more`.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    if names.len() <= NAMES {
        return names.join(", ");
    }
    format!("{} and {} more", names[..NAMES].join(", "), names.len() - NAMES)
}

/// `a, then b, then c, then 4 more`: names whose order matters.
pub(super) fn order(names: &[String]) -> String {
    let mut words = names.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", then ");
    if names.len() > NAMES {
        let _ = write!(words, ", then {} more", names.len() - NAMES);
    }
    words
}

/// `2026-11-20T02:58:12Z`.
pub(super) fn when(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// ` since 2026-11-20T02:58:12Z`, or nothing.
pub(super) fn since(at: Option<DateTime<Utc>>) -> String {
    at.map(|at| format!(" since {}", when(at))).unwrap_or_default()
}

/// `cordoned by kubectl-cordon since 2026-11-20T02:58:12Z`.
pub(super) fn whose_cordon(cordon: &Cordon) -> String {
    let manager = match (&cordon.manager, cordon.by_mco) {
        (_, true) => "the machine-config operator",
        (Some(manager), false) if !manager.is_empty() => manager,
        _ => "somebody (the API does not tell whom)",
    };
    format!("cordoned by {manager}{}", since(cordon.since))
}

/// Whether to ask before a cordon is lifted: somebody else had a reason that this program does not know.
pub(super) fn ask_about_cordon(name: &str, cordon: &Cordon) -> String {
    let whose = whose_cordon(cordon);
    if !cordon.by_mco && cordon.manager.as_deref() == Some(FIELD_MANAGER) {
        return format!("{name} was {whose}: from here or from a colleague's cockpit");
    }
    format!("{name} was {whose}: ask before lifting somebody else's cordon")
}

/// `paused by oc-patch since 2026-11-20T02:58:12Z`.
pub(super) fn whose_pause(pool: &Pool) -> String {
    match &pool.paused_by {
        Some((manager, at)) if !manager.is_empty() => format!("paused by {manager}{}", since(*at)),
        _ => "paused by somebody (the API does not tell whom)".to_owned(),
    }
}

/// A configuration and its release: `rendered-worker-1 (4.18.22)`.
pub(super) fn config(name: Option<&str>, version: Option<&str>) -> String {
    match (name, version) {
        (Some(name), Some(version)) => format!("{name} ({version})"),
        (Some(name), None) => name.to_owned(),
        (None, Some(version)) => format!("the configuration of {version}"),
        (None, None) => "an unknown configuration".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_end_in_a_count() {
        let names: Vec<_> = (1..=10).map(|at| format!("n{at}")).collect();
        assert_eq!(list(names.iter().map(String::as_str)), "n1, n2, n3, n4, n5, n6, n7, n8 and 2 more");
        assert_eq!(order(&names[..2]), "n1, then n2");
        assert!(order(&names).ends_with("n8, then 2 more"));
    }
}
