//! Certificates of kubelets: the machine approver approves what it knows, the signer issues what is approved.
//!
//! Rules: openshift/cluster-machine-approver (pkg/controller), Kubernetes, pkg/controller/certificates.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::world::{Actor, World};
use crate::sim::cluster::object::{hex, items, name, text};
use crate::sim::cluster::signing_request;
use crate::sim::kinds::Res;
use crate::sim::scenario::MishapKind;
use crate::sim::store::timestamp;

/// The signer of the certificates with which kubelets ask the API server.
pub const CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
/// The signer of the certificates with which kubelets serve logs and exec.
pub const SERVING: &str = "kubernetes.io/kubelet-serving";
/// The label by which a request of the simulation says whose it is: a real approver compares with the machines.
const NODE: &str = "sim.oc-cockpit.dev/node";
/// How long the signer takes.
const SIGN: Duration = Duration::from_secs(2);

/// Approver and signer.
#[derive(Debug, Default)]
pub struct Certificates {
    due: BTreeMap<String, Duration>,
}

impl Actor for Certificates {
    fn step(&mut self, world: &mut World) {
        let requests = world.store.list(Res::CSRS);
        for request in requests {
            if !text(&request, "/status/certificate").is_empty() {
                self.due.remove(name(&request));
                continue;
            }
            let said = items(&request, "/status/conditions");
            let is = |kind: &str| said.iter().any(|condition| condition["type"] == kind);
            if is("Approved") {
                let due = *self.due.entry(format!("sign {}", name(&request))).or_insert(world.elapsed + SIGN);
                if world.elapsed >= due {
                    issue(world, &request);
                }
            } else if said.is_empty() {
                self.consider(world, &request);
            }
        }
    }
}

impl Certificates {
    /// The approver leaves a request alone while a mishap wants it to.
    fn consider(&mut self, world: &World, request: &Value) {
        let node = request["metadata"]["labels"][NODE].as_str().unwrap_or_default();
        if world.mishaps.is_on(MishapKind::CsrPending, node) || node.is_empty() {
            return;
        }
        let wait = world.between(&format!("approve {}", name(request)), (3, 9));
        let due = *self.due.entry(name(request).to_owned()).or_insert(world.elapsed + wait);
        if world.elapsed < due {
            return;
        }
        let approved = json!({
            "lastTransitionTime": timestamp(world.now), "lastUpdateTime": timestamp(world.now),
            "message": "This CSR was approved by the Node CSR Approver (cluster-machine-approver)",
            "reason": "NodeCSRApprove", "status": "True", "type": "Approved",
        });
        world.store.update(Res::CSRS, None, name(request), |request| {
            request["status"]["conditions"] = json!([approved]);
        });
    }
}

fn issue(world: &World, request: &Value) {
    world.store.update(Res::CSRS, None, name(request), |request| {
        request["status"]["certificate"] = json!("c2ltdWxhdGVkIGNlcnRpZmljYXRl");
    });
}

/// The name of a node's request for its `boot`-th start.
fn request_name(node: &str, signer: &str, boot: u32) -> String {
    format!("csr-{}", &hex(&format!("{node} {signer} {boot}"), 5))
}

/// A kubelet asks for a certificate. Whether it has it.
pub fn ask(world: &World, node: &str, signer: &str, boot: u32) -> bool {
    let request = request_name(node, signer, boot);
    if let Some(object) = world.store.get(Res::CSRS, None, &request) {
        return !text(&object, "/status/certificate").is_empty();
    }
    let (username, groups, usages) = if signer == SERVING {
        let groups = json!(["system:nodes", "system:authenticated"]);
        (format!("system:node:{node}"), groups, json!(["digital signature", "server auth"]))
    } else {
        let account = "system:serviceaccount:openshift-machine-config-operator:node-bootstrapper";
        let groups = json!([
            "system:serviceaccounts",
            "system:serviceaccounts:openshift-machine-config-operator",
            "system:authenticated",
        ]);
        (account.to_owned(), groups, json!(["digital signature", "client auth"]))
    };
    let hosts = if signer == SERVING { hosts(world, node) } else { Vec::new() };
    let content = signing_request::of_node(node, hosts).unwrap_or_default();
    let object = json!({
        "metadata": {"name": request, "labels": {NODE: node}},
        "spec": {
            "groups": groups, "request": content, "signerName": signer, "usages": usages,
            "username": username,
        },
        "status": {},
    });
    world.store.create(Res::CSRS, object, world.now);
    false
}

/// The names and addresses of a node.
fn hosts(world: &World, node: &str) -> Vec<String> {
    let object = world.store.get(Res::NODES, None, node);
    let mut hosts = vec![node.to_owned()];
    for address in object.iter().flat_map(|object| items(object, "/status/addresses")) {
        let address = text(address, "/address").to_owned();
        if !hosts.contains(&address) {
            hosts.push(address);
        }
    }
    hosts
}

/// Whether a node waits for somebody to approve a certificate of its.
pub fn is_waiting(world: &World, node: &str) -> bool {
    world
        .store
        .list(Res::CSRS)
        .iter()
        .any(|request| request["metadata"]["labels"][NODE] == node && items(request, "/status/conditions").is_empty())
}

/// Somebody denied what a node asked for: it asks again.
pub fn forget_denied(world: &World, node: &str, signer: &str, boot: u32) {
    let request = request_name(node, signer, boot);
    let denied = world.store.get(Res::CSRS, None, &request).is_some_and(|object| {
        items(&object, "/status/conditions").iter().any(|condition| condition["type"] == "Denied")
    });
    if denied {
        world.store.delete(Res::CSRS, None, &request);
    }
}
