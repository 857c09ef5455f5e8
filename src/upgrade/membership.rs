//! Which pool manages a node, by the rules of the machine-config operator (pkg/helpers/helpers.go, `GetPoolsForNode`
//! and `GetPrimaryPoolForNode`), not by those of `oc`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::{MachineConfigPool, Node, node_key};

/// Which pool manages a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// The pool at this place of the facts' pools.
    Pool(usize),
    /// Windows: the machine-config operator leaves it alone.
    Windows,
    /// Two or more custom pools match: it is left alone, and nothing but a log line says so.
    SeveralCustomPools,
    /// No pool matches.
    NoPool,
}

/// The pools, ready to be asked about many nodes.
pub struct Pools<'a> {
    master: Option<Selector<'a>>,
    arbiter: Option<Selector<'a>>,
    worker: Option<Selector<'a>>,
    custom: Vec<Selector<'a>>,
}

struct Selector<'a> {
    at: usize,
    pool: &'a MachineConfigPool,
}

impl Selector<'_> {
    /// An empty selector (and none) matches nothing (`labels.Empty` is skipped in `GetPoolsForNode`).
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.pool.spec.node_selector.as_ref().is_some_and(|selector| !selector.is_empty() && selector.matches(labels))
    }
}

impl<'a> Pools<'a> {
    /// Sorts pools by what their names mean to the machine-config operator.
    pub fn new(pools: &'a [Arc<MachineConfigPool>]) -> Self {
        let mut sorted = Self { master: None, arbiter: None, worker: None, custom: Vec::new() };
        for (at, pool) in pools.iter().enumerate() {
            let selector = Selector { at, pool };
            match pool.name() {
                "master" => sorted.master = Some(selector),
                "arbiter" => sorted.arbiter = Some(selector),
                "worker" => sorted.worker = Some(selector),
                _ => sorted.custom.push(selector),
            }
        }
        sorted
    }

    /// Which pool manages `node`: master and arbiter beat custom, custom beats worker, two custom ones beat nobody.
    pub fn of(&self, node: &Node) -> Membership {
        let labels = node.labels();
        let os = labels.get(node_key::OS).map_or(node.status.node_info.operating_system.as_str(), String::as_str);
        if os == "windows" {
            return Membership::Windows;
        }
        let matching = |pool: &Option<Selector>| pool.as_ref().filter(|pool| pool.matches(labels)).map(|pool| pool.at);
        let mut custom = self.custom.iter().filter(|pool| pool.matches(labels)).map(|pool| pool.at);
        let (first, second) = (custom.next(), custom.next());
        if second.is_some() {
            return Membership::SeveralCustomPools;
        }
        matching(&self.master)
            .or_else(|| matching(&self.arbiter))
            .or(first)
            .or_else(|| matching(&self.worker))
            .map_or(Membership::NoPool, Membership::Pool)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use serde_json::json;

    fn pool(name: &str, selector: &serde_json::Value) -> Arc<MachineConfigPool> {
        Arc::new(
            serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"nodeSelector": selector}})).unwrap(),
        )
    }

    fn role_pool(role: &str) -> Arc<MachineConfigPool> {
        let label = format!("node-role.kubernetes.io/{role}");
        pool(role, &json!({"matchExpressions": [{"key": label, "operator": "Exists"}]}))
    }

    #[test]
    fn the_operators_own_rules_decide() {
        let pools = [
            role_pool("infra"),
            role_pool("master"),
            role_pool("worker"),
            role_pool("gpu"),
            role_pool("arbiter"),
            pool("everything", &json!({})),
            pool("nothing", &json!(null)),
        ];
        let sorted = Pools::new(&pools);
        let named = |name: &str| Membership::Pool(pools.iter().position(|pool| pool.name() == name).unwrap());
        let table: [(&[&str], &str, Membership); 9] = [
            (&["worker"], "linux", named("worker")),
            (&["master"], "linux", named("master")),
            (&["master", "worker"], "linux", named("master")),
            (&["worker", "infra"], "linux", named("infra")),
            (&["infra"], "linux", named("infra")),
            (&["master", "infra"], "linux", named("master")),
            (&["worker", "infra", "gpu"], "linux", Membership::SeveralCustomPools),
            (&["worker"], "windows", Membership::Windows),
            (&[], "linux", Membership::NoPool),
        ];
        for (roles, os, expected) in table {
            let mut labels = BTreeMap::from([(node_key::OS.to_owned(), os.to_owned())]);
            labels.extend(roles.iter().map(|role| (format!("node-role.kubernetes.io/{role}"), String::new())));
            let mut node = Node::default();
            node.metadata.labels = Some(labels);
            assert_eq!(sorted.of(&node), expected, "roles {roles:?} on {os}");
        }
    }
}
