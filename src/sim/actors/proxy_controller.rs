//! The proxy controller of the network operator: it takes over what it finds valid, and merges the certificates that a
//! proxy names with those of the system.
//!
//! Rules: cluster-network-operator, pkg/controller/proxyconfig (controller.go, validation.go, status.go) and
//! pkg/util/proxyconfig (MergeUserSystemNoProxy). Endpoints are not asked here: there is no network.

use serde_json::{Value, json};

use super::world::{Actor, World};
use crate::sim::cluster::object::text;
use crate::sim::cluster::trust::{KEY, NAMESPACE};
use crate::sim::kinds::Res;

/// Where the merged certificates are.
const MERGED: (&str, &str) = ("openshift-config-managed", "trusted-ca-bundle");
/// What no proxy is asked for, whatever people say.
const OWN: &str = ".cluster.local,.svc,10.0.0.0/16,10.128.0.0/14,127.0.0.1,172.30.0.0/16,localhost";

/// The controller.
#[derive(Debug, Default)]
pub struct ProxyController;

impl Actor for ProxyController {
    fn step(&mut self, world: &mut World) {
        let Some(proxy) = world.store.get(Res::PROXIES, None, "cluster") else { return };
        let Ok(certificates) = certificates(world, &proxy) else { return };
        if invalid(&proxy).is_some() {
            return;
        }
        let wanted = status(&proxy);
        if proxy["status"] != wanted {
            world.store.update(Res::PROXIES, None, "cluster", |proxy| proxy["status"] = wanted);
        }
        merge(world, &certificates);
    }
}

/// Why the proxy is not taken over: reason and message of the operator.
pub fn trouble(world: &World) -> Option<(String, String)> {
    let proxy = world.store.get(Res::PROXIES, None, "cluster")?;
    let why = invalid(&proxy).or_else(|| certificates(world, &proxy).err())?;
    let message = format!(
        "The configuration is invalid for proxy 'cluster' ({why}). Use 'oc edit proxy.config.openshift.io cluster' to fix."
    );
    Some(("InvalidProxyConfig".to_owned(), message))
}

fn invalid(proxy: &Value) -> Option<String> {
    let scheme = |field: &str| text(proxy, field).split_once("://").map_or("", |(scheme, _)| scheme).to_owned();
    let given = |field: &str| !text(proxy, field).is_empty();
    if given("/spec/httpProxy") && scheme("/spec/httpProxy") != "http" {
        return Some("httpProxy requires a \"http\" URI scheme".to_owned());
    }
    if given("/spec/httpsProxy") && !matches!(scheme("/spec/httpsProxy").as_str(), "http" | "https") {
        return Some("httpsProxy requires a \"http\" or \"https\" URI scheme".to_owned());
    }
    None
}

/// The certificates that the proxy names; none are named: an empty text.
fn certificates(world: &World, proxy: &Value) -> Result<String, String> {
    let name = text(proxy, "/spec/trustedCA/name");
    if name.is_empty() {
        return Ok(String::new());
    }
    let Some(map) = world.store.get(Res::CONFIGMAPS, Some(NAMESPACE), name) else {
        return Err(format!(
            "failed to validate trustedCA {name:?}: failed to get configmap '{NAMESPACE}/{name}': ConfigMap {name:?} not \
             found"
        ));
    };
    match map["data"][KEY].as_str() {
        None => Err(format!("failed to validate trustedCA {name:?}: ConfigMap {name:?} is missing {KEY:?}")),
        Some(bundle) if !bundle.contains("-----BEGIN CERTIFICATE-----") => Err(format!(
            "failed to validate trustedCA {name:?}: failed parsing certificate data from ConfigMap {name:?}"
        )),
        Some(bundle) => Ok(bundle.to_owned()),
    }
}

/// Nothing where no proxy is asked for; else what is asked for, and what never goes through it.
fn status(proxy: &Value) -> Value {
    let mut status = json!({});
    for field in ["httpProxy", "httpsProxy"] {
        let value = &proxy["spec"][field];
        if value.as_str().is_some_and(|value| !value.is_empty()) {
            status[field] = value.clone();
        }
    }
    let without = text(proxy, "/spec/noProxy");
    match (status.as_object().is_some_and(serde_json::Map::is_empty), without) {
        (true, _) => {}
        (false, "*") => status["noProxy"] = json!("*"),
        (false, without) => {
            let mut all: Vec<&str> = OWN.split(',').chain(without.split(',').map(str::trim)).collect();
            all.retain(|place| !place.is_empty());
            all.sort_unstable();
            all.dedup();
            status["noProxy"] = json!(all.join(","));
        }
    }
    status
}

fn merge(world: &World, certificates: &str) {
    let (namespace, name) = MERGED;
    let data = json!({KEY: format!("# system\n{certificates}")});
    match world.store.get(Res::CONFIGMAPS, Some(namespace), name) {
        Some(map) if map["data"] == data => {}
        Some(_) => {
            world.store.update(Res::CONFIGMAPS, Some(namespace), name, |map| map["data"] = data);
        }
        None => {
            let metadata = json!({"name": name, "namespace": namespace});
            world.store.create(Res::CONFIGMAPS, json!({"metadata": metadata, "data": data}), world.now);
        }
    }
}
