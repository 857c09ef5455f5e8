//! Where monitoring is reached: the Route and the Service of thanos-querier.

use serde_json::json;

use super::Builder;
use crate::sim::kinds::Res;
use crate::sim::store::{Store, timestamp};

/// The namespace of the platform's monitoring.
pub const NAMESPACE: &str = "openshift-monitoring";
/// Route and Service.
pub const QUERIER: &str = "thanos-querier";

/// Creates them.
pub fn build(builder: &Builder<'_>) {
    let host = format!("{QUERIER}-{NAMESPACE}.apps.{}.example.com", builder.scenario.cluster.name);
    let metadata = json!({
        "name": QUERIER, "namespace": NAMESPACE,
        "labels": {"app.kubernetes.io/component": "query-layer", "app.kubernetes.io/part-of": "openshift-monitoring"},
    });
    let admitted = json!([{"lastTransitionTime": timestamp(builder.installed), "status": "True", "type": "Admitted"}]);
    let ingress = json!({
        "conditions": admitted, "host": host, "routerCanonicalHostname": "router-default.apps.example.com",
        "routerName": "default", "wildcardPolicy": "None",
    });
    builder.old(
        Res::ROUTES,
        json!({
            "metadata": metadata,
            "spec": {
                "host": host, "path": "/api", "port": {"targetPort": "web"},
                "tls": {"insecureEdgeTerminationPolicy": "Redirect", "termination": "reencrypt"},
                "to": {"kind": "Service", "name": QUERIER, "weight": 100},
                "wildcardPolicy": "None",
            },
            "status": {"ingress": [ingress]},
        }),
    );
    let ports = json!([
        {"name": "web", "port": 9091, "protocol": "TCP", "targetPort": "web"},
        {"name": "tenancy", "port": 9092, "protocol": "TCP", "targetPort": "tenancy"},
    ]);
    builder.old(
        Res::SERVICES,
        json!({
            "metadata": metadata,
            "spec": {"clusterIP": "172.30.61.91", "ports": ports, "selector": {"app": QUERIER}, "type": "ClusterIP"},
            "status": {"loadBalancer": {}},
        }),
    );
}

/// The host at which the Route is admitted.
pub fn host(store: &Store) -> Option<String> {
    let route = store.get(Res::ROUTES, Some(NAMESPACE), QUERIER)?;
    route.pointer("/status/ingress/0/host")?.as_str().map(str::to_owned)
}

/// The Route is reached at `host` from now on. The simulation owns no names: its host is an address with a port.
pub fn admit(store: &Store, host: &str) {
    store.update(Res::ROUTES, Some(NAMESPACE), QUERIER, |route| {
        route["spec"]["host"] = json!(host);
        route["status"]["ingress"][0]["host"] = json!(host);
    });
}
