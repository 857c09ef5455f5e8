//! The update service operator: an UpdateService becomes a server of the update graph, at a host name that must not be
//! too long.
//!
//! Rules: openshift/cincinnati-operator, controllers/updateservice_controller.go (conditions ReconcileCompleted and
//! RegistryCACertFound; route names and hosts) and docs/disconnected-updateservice-operator.md.

use serde_json::{Value, json};

use super::world::{Actor, World};
use crate::sim::cluster::object::{Condition, name, namespace, number, owner, set_condition, text};
use crate::sim::cluster::workloads::Template;
use crate::sim::kinds::Res;

/// The longest label of a host name (RFC 1035).
const LABEL: usize = 63;

/// The operator.
#[derive(Debug, Default)]
pub struct UpdateServices;

impl Actor for UpdateServices {
    fn step(&mut self, world: &mut World) {
        if !world.store.served(Res::UPDATE_SERVICES) {
            return;
        }
        for service in world.store.list(Res::UPDATE_SERVICES) {
            reconcile(world, &service);
        }
    }
}

fn reconcile(world: &World, service: &Value) {
    let (place, own) = (namespace(service), name(service));
    let label = format!("{own}-route-{place}");
    if label.len() > LABEL {
        let message = format!(
            "Failed to create route: host must conform to DNS 1123 naming convention and {label:?} must be no more \
             than {LABEL} characters"
        );
        return tell(world, service, None, ("False", "CreateRouteFailed", &message));
    }
    deploy(world, service);
    let deployment = world.store.get(Res::DEPLOYMENTS, Some(place), own);
    let wanted = number(service, "/spec/replicas");
    if deployment.is_none_or(|deployment| number(&deployment, "/status/readyReplicas") < wanted) {
        return;
    }
    let uri = format!("https://{label}.apps.{}.example.com", world.scenario.cluster.name);
    tell(world, service, Some(&uri), ("True", "Success", ""));
}

fn deploy(world: &World, service: &Value) {
    let (place, own) = (namespace(service), name(service));
    if world.store.get(Res::DEPLOYMENTS, Some(place), own).is_some() {
        return;
    }
    let template = Template::new(own, text(service, "/spec/graphDataImage").to_owned(), "worker");
    let owners = owner("updateservice.operator.openshift.io/v1", "UpdateService", own, text(service, "/metadata/uid"));
    let object = json!({
        "metadata": {"name": own, "namespace": place, "labels": {"app": own}, "ownerReferences": owners},
        "spec": {
            "replicas": service["spec"]["replicas"], "selector": {"matchLabels": {"app": own}},
            "template": template.object(),
        },
    });
    world.store.create(Res::DEPLOYMENTS, object, world.now);
}

fn tell(world: &World, service: &Value, uri: Option<&str>, (status, reason, message): (&str, &str, &str)) {
    world.store.update(Res::UPDATE_SERVICES, Some(namespace(service)), name(service), |object| {
        if let Some(uri) = uri {
            object["status"]["policyEngineURI"] = json!(uri);
        }
        set_condition(object, &Condition::new("ReconcileCompleted", status, reason, message), world.now);
    });
}
