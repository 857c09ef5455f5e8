//! Discovery: which groups, versions and resources there are, in the old form and aggregated.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::sim::kinds::{KindInfo, Res};
use crate::sim::request::Form;
use crate::sim::status::{bytes_response, json_response, no_such_path};
use crate::sim::store::Store;
use crate::sim::version;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// A resource as discovery tells it.
struct Resource {
    info: Arc<KindInfo>,
    parts: Vec<Part>,
}

/// A subresource.
struct Part {
    name: &'static str,
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    verbs: &'static [&'static str],
}

/// Resources that hold no objects: reviews that are answered and forgotten.
const REVIEWS: [(&str, &str, &str); 3] = [
    ("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
    ("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    ("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
];

/// What a proxy takes.
const PROXY: &[&str] = &["create", "delete", "get", "patch", "update"];

type Groups = BTreeMap<(String, String), Vec<Resource>>;

/// Answers the discovery paths; `None` when the path is none.
pub fn answer(store: &Store, path: &str, form: Form) -> Option<Response> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["api"] if form == Form::Discovery => Some(aggregated(store, true)),
        ["apis"] if form == Form::Discovery => Some(aggregated(store, false)),
        ["api"] => Some(json_response(StatusCode::OK, &json!({"kind": "APIVersions", "versions": ["v1"]}))),
        ["apis"] => Some(group_list(store)),
        ["api", version] => Some(resources(store, "", version)),
        ["apis", name] => Some(group(store, name)),
        ["apis", group, version] => Some(resources(store, group, version)),
        _ => None,
    }
}

fn groups(store: &Store) -> Groups {
    let mut groups = Groups::new();
    let eviction = version::eviction(store);
    for info in store.kinds() {
        let parts = parts_of(&info, eviction);
        groups.entry((info.group.to_owned(), info.version.to_owned())).or_default().push(Resource { info, parts });
    }
    for (group, ..) in REVIEWS {
        groups.entry((group.to_owned(), "v1".to_owned())).or_default();
    }
    groups
}

fn parts_of(info: &KindInfo, eviction: &'static str) -> Vec<Part> {
    let part = |name, verbs| Part { name, group: info.group, version: info.version, kind: info.kind, verbs };
    let mut parts = Vec::new();
    if info.res() == Res::PODS {
        parts.push(Part { name: "eviction", group: "policy", version: eviction, kind: "Eviction", verbs: &["create"] });
        parts.push(part("log", &["get"]));
    }
    if info.res() == Res::CSRS {
        parts.push(part("approval", &["get", "patch", "update"]));
    }
    if info.res() == Res::SERVICES {
        parts.push(Part { name: "proxy", group: "", version: "v1", kind: "ServiceProxyOptions", verbs: PROXY });
    }
    if info.status {
        parts.push(part("status", &["get", "patch", "update"]));
    }
    parts
}

fn resources(store: &Store, group: &str, version: &str) -> Response {
    let groups = groups(store);
    let Some(resources) = groups.get(&(group.to_owned(), version.to_owned())) else { return no_such_path() };
    let mut listed: Vec<Value> = Vec::new();
    for Resource { info, parts } in resources {
        let mut entry = json!({
            "name": info.plural,
            "singularName": info.singular,
            "namespaced": info.namespaced,
            "kind": info.kind,
            "verbs": info.verbs(),
        });
        if !info.short.is_empty() {
            entry["shortNames"] = json!(info.short);
        }
        if !info.categories.is_empty() {
            entry["categories"] = json!(info.categories);
        }
        listed.push(entry);
        for part in parts {
            let mut entry = json!({
                "name": format!("{}/{}", info.plural, part.name),
                "singularName": "",
                "namespaced": info.namespaced,
                "kind": part.kind,
                "verbs": part.verbs,
            });
            if part.group != info.group {
                entry["group"] = json!(part.group);
                entry["version"] = json!(part.version);
            }
            listed.push(entry);
        }
    }
    for (_, plural, kind) in REVIEWS.iter().filter(|(of, ..)| *of == group) {
        listed.push(json!({
            "name": plural, "singularName": kind.to_lowercase(), "namespaced": false, "kind": kind, "verbs": ["create"],
        }));
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    json_response(
        StatusCode::OK,
        &json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed}),
    )
}

/// A group with its versions, the first of which is preferred.
fn group_entry(name: &str, versions: &[String]) -> Value {
    let versions: Vec<Value> = versions
        .iter()
        .map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version}))
        .collect();
    json!({"name": name, "versions": versions, "preferredVersion": versions.first()})
}

fn versions_by_group(store: &Store) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (group, version) in groups(store).into_keys().filter(|(group, _)| !group.is_empty()) {
        found.entry(group).or_default().push(version);
    }
    found
}

fn group_list(store: &Store) -> Response {
    let groups: Vec<Value> =
        versions_by_group(store).iter().map(|(name, versions)| group_entry(name, versions)).collect();
    json_response(StatusCode::OK, &json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
}

fn group(store: &Store, name: &str) -> Response {
    let Some(versions) = versions_by_group(store).remove(name) else { return no_such_path() };
    let mut entry = group_entry(name, &versions);
    entry["kind"] = json!("APIGroup");
    entry["apiVersion"] = json!("v1");
    json_response(StatusCode::OK, &entry)
}

fn aggregated(store: &Store, core: bool) -> Response {
    let mut items: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for ((group, version), resources) in groups(store) {
        if group.is_empty() != core {
            continue;
        }
        let mut listed: Vec<Value> = resources.iter().map(aggregated_resource).collect();
        for (_, plural, kind) in REVIEWS.iter().filter(|(of, ..)| *of == group) {
            listed.push(json!({
                "resource": plural,
                "responseKind": {"group": group, "version": version, "kind": kind},
                "scope": "Cluster",
                "singularResource": kind.to_lowercase(),
                "verbs": ["create"],
            }));
        }
        items.entry(group).or_default().push(json!({
            "version": version, "resources": listed, "freshness": "Current",
        }));
    }
    let items: Vec<Value> = items
        .into_iter()
        .map(|(group, versions)| {
            let metadata = if group.is_empty() { json!({}) } else { json!({"name": group}) };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    let list = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
    });
    let mut response = bytes_response(StatusCode::OK, AGGREGATED, list.to_string());
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public"));
    response
}

fn aggregated_resource(resource: &Resource) -> Value {
    let Resource { info, parts } = resource;
    let parts: Vec<Value> = parts
        .iter()
        .map(|part| {
            json!({
                "subresource": part.name,
                "responseKind": {"group": part.group, "version": part.version, "kind": part.kind},
                "verbs": part.verbs,
            })
        })
        .collect();
    let mut entry = json!({
        "resource": info.plural,
        "responseKind": {"group": info.group, "version": info.version, "kind": info.kind},
        "scope": if info.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": info.singular,
        "verbs": info.verbs(),
    });
    for (name, values) in [("shortNames", info.short), ("categories", info.categories)] {
        if !values.is_empty() {
            entry[name] = json!(values);
        }
    }
    if !parts.is_empty() {
        entry["subresources"] = Value::Array(parts);
    }
    entry
}
