//! Gates that an administrator acknowledges before a minor update (cluster-version-operator, pkg/risk/adminack):
//! ConfigMap `openshift-config-managed/admin-gates` names them, `openshift-config/admin-acks` acknowledges them.

use super::{Gate, minor_of};
use crate::api::ConfigMap;
use crate::upgrade::facts::{Facts, Kind};
use crate::upgrade::link::LinkState;
use crate::upgrade::words;

/// Namespace and name of the ConfigMap that names the gates.
const GATES: (&str, &str) = ("openshift-config-managed", "admin-gates");
/// And of the one that acknowledges them.
const ACKS: (&str, &str) = ("openshift-config", "admin-acks");

/// Gates for the minor of `current`; none: ConfigMaps could not be read. A cluster without the ConfigMap has no gates; a
/// recording without it may only not hold it.
pub fn gates(facts: &Facts, current: &str) -> Option<Vec<Gate>> {
    let map = facts.around.config_map(GATES.0, GATES.1);
    // A map that could not be read is not among those that were.
    let unreadable = facts.kinds.get(&Kind::ConfigMaps).is_some_and(|state| !state.unreadable.is_empty());
    let whole = facts.known(Kind::ConfigMaps) && !unreadable && facts.link.state != LinkState::Recording;
    if map.is_none() && !whole {
        return None;
    }
    let acks = facts.around.config_map(ACKS.0, ACKS.1);
    let acknowledged = |key: &str| match acks {
        Some(acks) => Some(is_acknowledged(acks, key)),
        None => whole.then_some(false),
    };
    Some(judge(map, acknowledged, current))
}

/// Does the ConfigMap acknowledge the gate?
pub fn is_acknowledged(acks: &ConfigMap, key: &str) -> bool {
    acks.data.get(key).is_some_and(|value| value == "true")
}

/// The gates of `map` for the minor of `current`.
pub fn judge(map: Option<&ConfigMap>, acknowledged: impl Fn(&str) -> Option<bool>, current: &str) -> Vec<Gate> {
    let present = minor_of(current);
    let gates = map.iter().flat_map(|map| &map.data).filter_map(|(key, text)| match minor(key) {
        // A gate that is broken itself blocks, and no acknowledgement helps.
        None => Some(Gate {
            key: key.clone(),
            message: "its name has not the form ack-MAJOR.MINOR-WORDS, so it blocks whatever is acknowledged"
                .to_owned(),
            acknowledged: Some(false),
            broken: true,
        }),
        Some(minor) if Some(minor) != present.as_deref() => None,
        Some(_) if text.trim().is_empty() => Some(Gate {
            key: key.clone(),
            message: "it says nothing, so it blocks whatever is acknowledged".to_owned(),
            acknowledged: Some(false),
            broken: true,
        }),
        Some(_) => {
            Some(Gate { key: key.clone(), message: text.clone(), acknowledged: acknowledged(key), broken: false })
        }
    });
    gates.collect()
}

/// The minor of a gate's name: `^ack-([4-5][.][0-9]{1,})-[^-]` (cluster-version-operator, `adminAckGateRegexp`).
fn minor(key: &str) -> Option<&str> {
    let (minor, words) = key.strip_prefix("ack-")?.split_once('-')?;
    let (major, digits) = minor.split_once('.')?;
    let readable =
        matches!(major, "4" | "5") && !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    (readable && !words.is_empty() && !words.starts_with('-')).then_some(minor)
}

/// The line that acknowledges a gate.
pub fn acknowledge(key: &str) -> String {
    // The key comes from a ConfigMap: it is quoted as JSON and as an argument.
    let patch = serde_json::json!({ "data": { key: "true" } }).to_string();
    format!("oc -n {} patch configmap {} --type=merge --patch {}", ACKS.0, ACKS.1, words::shell(&patch))
}

#[cfg(test)]
mod gate_names {
    use super::*;

    #[test]
    fn the_name_of_a_gate_tells_its_minor() {
        let table = [
            ("ack-4.13-kube-1.27-api-removals-in-4.14", Some("4.13")),
            ("ack-5.0-x", Some("5.0")),
            ("ack-4.13--x", None),
            ("ack-4.13-", None),
            ("ack-3.11-x", None),
            ("ack-4.x-y", None),
            ("gate-4.13-x", None),
        ];
        for (key, expected) in table {
            assert_eq!(minor(key), expected, "{key}");
        }
    }
}
