//! OpenAPI v3 documents, as far as kubectl reads them: which parameters a kind's PATCH takes (before `create`, `apply`
//! and `edit` send `fieldValidation`), and the fields that `explain` tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::sim::kinds::KindInfo;
use crate::sim::schema::shapes::{Shape, shape_of};
use crate::sim::status::json_response;
use crate::sim::store::Store;

const METADATA: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Answers a path below `/openapi`; `None` where nothing is served.
pub fn answer(store: &Store, path: &str) -> Option<Response> {
    let documents = documents(store);
    let document = match path.trim_end_matches('/').strip_prefix("/openapi/v3")? {
        "" => index(&documents, store.resource_version()),
        rest => document(documents.get(rest.trim_start_matches('/'))?),
    };
    Some(json_response(StatusCode::OK, &document))
}

type Documents = BTreeMap<String, Vec<Arc<KindInfo>>>;

fn documents(store: &Store) -> Documents {
    let mut documents = Documents::new();
    for info in store.kinds() {
        documents.entry(root_of(&info)).or_default().push(info);
    }
    documents
}

fn root_of(info: &KindInfo) -> String {
    if info.group.is_empty() {
        format!("api/{}", info.version)
    } else {
        format!("apis/{}/{}", info.group, info.version)
    }
}

fn index(documents: &Documents, version: u64) -> Value {
    let paths: Map<String, Value> = documents
        .keys()
        .map(|root| (root.clone(), json!({"serverRelativeURL": format!("/openapi/v3/{root}?hash={version}")})))
        .collect();
    json!({"paths": paths})
}

fn document(kinds: &Vec<Arc<KindInfo>>) -> Value {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    schemas.insert(METADATA.to_owned(), metadata());
    for info in kinds {
        let scope = if info.namespaced { "/namespaces/{namespace}" } else { "" };
        let collection = format!("/{}{scope}/{}", root_of(info), info.plural);
        let gvk = json!({"group": info.group, "version": info.version, "kind": info.kind});
        let operation = |action: &str| {
            let parameters: Vec<Value> = ["dryRun", "fieldManager", "fieldValidation"]
                .iter()
                .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string"}}))
                .collect();
            json!({
                "parameters": parameters,
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-action": action,
                "x-kubernetes-group-version-kind": gvk,
            })
        };
        paths.insert(collection.clone(), json!({"post": operation("post")}));
        paths.insert(format!("{collection}/{{name}}"), json!({"patch": operation("patch"), "put": operation("put")}));
        schemas.insert(schema_name(info), schema_of(info, &gvk));
    }
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Simulated OpenShift", "version": "unversioned"},
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

fn schema_name(info: &KindInfo) -> String {
    let group = if info.group.is_empty() { "core" } else { info.group };
    let reversed: Vec<&str> = group.split('.').rev().collect();
    format!("{}.{}.{}", reversed.join("."), info.version, info.kind)
}

fn schema_of(info: &KindInfo, gvk: &Value) -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let mut properties = json!({
        "apiVersion": text("The group and version of this object's form."),
        "kind": text("The kind of this object."),
        "metadata": {
            "description": "What every object has: name, labels, annotations.",
            "default": {},
            "allOf": [{"$ref": format!("#/components/schemas/{METADATA}")}],
        },
    });
    let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    properties["spec"] = shape_of(info.res()).map_or_else(|| anything.clone(), |shape| to_openapi(shape.spec));
    if info.status {
        properties["status"] = anything;
    }
    json!({
        "type": "object",
        "description": format!("{} of the simulated cluster.", info.kind),
        "properties": properties,
        "x-kubernetes-group-version-kind": [gvk],
    })
}

fn to_openapi(shape: &Shape) -> Value {
    match shape {
        Shape::Any => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::Integer => json!({"type": "integer"}),
        Shape::Natural => json!({"minimum": 0, "type": "integer"}),
        Shape::IntOrString => {
            json!({"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true})
        }
        Shape::Text => json!({"type": "string"}),
        Shape::Choice(choices) => json!({"type": "string", "enum": choices}),
        Shape::Pattern(pattern) => json!({"type": "string", "pattern": pattern}),
        Shape::List(element) => json!({"type": "array", "items": to_openapi(element)}),
        Shape::Map(element) => json!({"type": "object", "additionalProperties": to_openapi(element)}),
        Shape::Object(fields) => {
            let properties: Map<String, Value> =
                fields.iter().map(|field| (field.name.to_owned(), to_openapi(&field.shape))).collect();
            let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
            let mut object = json!({"type": "object", "properties": properties});
            if !required.is_empty() {
                object["required"] = json!(required);
            }
            object
        }
    }
}

fn metadata() -> Value {
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    json!({
        "type": "object",
        "description": "What every object has.",
        "properties": {
            "annotations": texts,
            "creationTimestamp": {"type": "string", "format": "date-time"},
            "deletionTimestamp": {"type": "string", "format": "date-time"},
            "finalizers": {"type": "array", "items": {"type": "string"}},
            "generation": {"type": "integer"},
            "labels": texts,
            "name": {"type": "string"},
            "namespace": {"type": "string"},
            "resourceVersion": {"type": "string"},
            "uid": {"type": "string"},
        },
    })
}
