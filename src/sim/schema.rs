//! Validation: what the definitions of the kinds demand, as far as writes from outside rely on it.
//!
//! Belongs here: walking an object along a shape, the wording of what is wrong, rules that span fields. The shapes of
//! the kinds are in [`shapes`].

pub mod contents;
pub mod gated;
pub mod shapes;
pub mod supplies;

use regex::Regex;
use serde_json::Value;

use crate::sim::kinds::{KindInfo, Res};
use crate::sim::status::{Cause, Refusal};
use shapes::{Field, Shape, shape_of};

/// Drops the fields that the kind does not know and says which they were.
pub fn prune(res: Res, object: &mut Value) -> Vec<String> {
    let mut unknown = Vec::new();
    let outer = supplies::outer_fields(res);
    let shape = shape_of(res);
    if shape.is_none() && outer.is_none() {
        return unknown;
    }
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|name, _| {
            let known = match (name.as_str(), outer) {
                ("apiVersion" | "kind" | "metadata", _) | ("spec" | "status", None) => true,
                (name, outer) => outer.is_some_and(|outer| outer.contains(&name)),
            };
            if !known {
                unknown.push(name.clone());
            }
            known
        });
    }
    if let (Some(spec), Some(shape)) = (object.get_mut("spec"), shape) {
        drop_unknown(spec, shape.spec, "spec", &mut unknown);
    }
    unknown
}

fn drop_unknown(value: &mut Value, shape: &Shape, path: &str, unknown: &mut Vec<String>) {
    match (shape, value) {
        (Shape::Object(known), Value::Object(fields)) => {
            fields.retain(|name, _| {
                let keep = known.iter().any(|field| field.name == name);
                if !keep {
                    unknown.push(format!("{path}.{name}"));
                }
                keep
            });
            for field in *known {
                if let Some(value) = fields.get_mut(field.name) {
                    drop_unknown(value, &field.shape, &format!("{path}.{}", field.name), unknown);
                }
            }
        }
        (Shape::List(element), Value::Array(values)) => {
            for (at, value) in values.iter_mut().enumerate() {
                drop_unknown(value, element, &format!("{path}[{at}]"), unknown);
            }
        }
        _ => {}
    }
}

/// Refuses an object that breaks the rules of its kind. `previous` is null for a new object.
pub fn validate(info: &KindInfo, object: &Value, previous: &Value) -> Result<(), Refusal> {
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let invalid = |causes: &[Cause]| Err(Refusal::invalid(info.group, info.kind, name, causes));
    check_metadata(info, object)?;
    if previous.is_null() {
        check_name(info, name)?;
    }
    let Some(shape) = shape_of(info.res()) else { return Ok(()) };
    let mut causes = Vec::new();
    match object.get("spec") {
        None if shape.spec_required => causes.push(required("spec")),
        None => {}
        Some(spec) => examine(spec, shape.spec, "spec", &mut causes),
    }
    if !info.custom
        && let Some(cause) = causes.iter().find(|cause| cause.reason == "FieldValueTypeInvalid")
    {
        // Built-in kinds are decoded into Go structs: a wrong type never gets as far as the validation.
        return Err(Refusal::bad_request(format!(
            "{kind} in version \"{}\" cannot be handled as a {kind}: json: cannot unmarshal {} into Go struct field \
             {kind}Spec.{} of another type",
            info.version,
            cause.message.split('"').nth(1).unwrap_or_default(),
            cause.field,
            kind = info.kind,
        )));
    }
    if !causes.is_empty() {
        if shape.rules.is_some() {
            causes.push(Cause {
                reason: "FieldValueInvalid",
                message: "Invalid value: null: some validation rules were not checked because the object was \
                          invalid; correct the existing errors to complete validation"
                    .to_owned(),
                field: "<nil>".to_owned(),
            });
        }
        return invalid(&causes);
    }
    let broken: Vec<Cause> = shape
        .rules
        .map(|rules| rules(object, previous))
        .unwrap_or_default()
        .into_iter()
        .map(|(field, message)| Cause {
            reason: "FieldValueInvalid",
            message: format!("Invalid value: {message}"),
            field: field.to_owned(),
        })
        .collect();
    if broken.is_empty() { Ok(()) } else { invalid(&broken) }
}

/// A name is a DNS subdomain, that of a namespace a DNS label; roles and their bindings may be called anything that
/// fits into a path (apimachinery, pkg/util/validation).
fn check_name(info: &KindInfo, name: &str) -> Result<(), Refusal> {
    const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
    if info.group == "rbac.authorization.k8s.io" {
        return Ok(());
    }
    let is_label = info.res() == Res::NAMESPACES;
    let pattern = if is_label { LABEL.to_owned() } else { format!(r"{LABEL}(\.{LABEL})*") };
    let fits = Regex::new(&format!("^{pattern}$")).is_ok_and(|regex| regex.is_match(name));
    let longest = if is_label { 63 } else { 253 };
    if fits && name.len() <= longest {
        return Ok(());
    }
    let rule = if is_label {
        format!(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
             end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
             '{pattern}')"
        )
    } else {
        format!(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
             start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
             '{pattern}')"
        )
    };
    let rule = if fits { format!("must be no more than {longest} characters") } else { rule };
    let cause = Cause {
        reason: "FieldValueInvalid",
        message: format!("Invalid value: \"{name}\": {rule}"),
        field: "metadata.name".to_owned(),
    };
    Err(Refusal::invalid(info.group, info.kind, name, &[cause]))
}

/// Labels and annotations map texts to texts.
fn check_metadata(info: &KindInfo, object: &Value) -> Result<(), Refusal> {
    for map in ["labels", "annotations"] {
        let values = object["metadata"][map].as_object().into_iter().flatten();
        for (key, value) in values {
            if !value.is_string() {
                return Err(Refusal::bad_request(format!(
                    "{kind} in version \"{}\" cannot be handled as a {kind}: json: cannot unmarshal {} into Go struct \
                     field ObjectMeta.metadata.{map} of type string (key \"{key}\")",
                    info.version,
                    type_of(value),
                    kind = info.kind,
                )));
            }
        }
    }
    Ok(())
}

fn examine(value: &Value, shape: &Shape, path: &str, causes: &mut Vec<Cause>) {
    let mut wrong_type = |expected: &str| {
        let found = type_of(value);
        causes.push(Cause {
            reason: "FieldValueTypeInvalid",
            message: format!("Invalid value: \"{found}\": {path} in body must be of type {expected}: \"{found}\""),
            field: path.to_owned(),
        });
    };
    match shape {
        Shape::Boolean if !value.is_boolean() => wrong_type("boolean"),
        Shape::Integer if !(value.is_i64() || value.is_u64()) => wrong_type("integer"),
        Shape::Natural if value.is_i64() && !value.is_u64() => causes.push(Cause {
            reason: "FieldValueInvalid",
            message: format!("Invalid value: {value}: {path} in body should be greater than or equal to 0"),
            field: path.to_owned(),
        }),
        Shape::Natural if !value.is_u64() => wrong_type("integer"),
        Shape::IntOrString if !(value.is_i64() || value.is_u64() || value.is_string()) => wrong_type("integer,string"),
        Shape::Text | Shape::Choice(_) | Shape::Pattern(_) if !value.is_string() => wrong_type("string"),
        Shape::Any | Shape::Boolean | Shape::Integer | Shape::Natural | Shape::IntOrString | Shape::Text => {}
        Shape::Choice(choices) => causes.extend(choice(value, choices, path)),
        Shape::Pattern(pattern) => causes.extend(mismatch(value, pattern, path)),
        Shape::List(element) => match value.as_array() {
            None => wrong_type("array"),
            Some(values) => {
                for (at, value) in values.iter().enumerate() {
                    examine(value, element, &format!("{path}[{at}]"), causes);
                }
            }
        },
        Shape::Map(element) => match value.as_object() {
            None => wrong_type("object"),
            Some(fields) => {
                for (name, value) in fields {
                    examine(value, element, &format!("{path}.{name}"), causes);
                }
            }
        },
        Shape::Object(known) => match value.as_object() {
            None => wrong_type("object"),
            Some(_) => examine_fields(value, known, path, causes),
        },
    }
}

fn examine_fields(object: &Value, known: &[Field], path: &str, causes: &mut Vec<Cause>) {
    for field in known {
        let path = format!("{path}.{}", field.name);
        match object.get(field.name) {
            None if field.required => causes.push(required(&path)),
            None => {}
            Some(value) => examine(value, &field.shape, &path, causes),
        }
    }
}

fn required(path: &str) -> Cause {
    Cause { reason: "FieldValueRequired", message: "Required value".to_owned(), field: path.to_owned() }
}

fn choice(value: &Value, choices: &[&str], path: &str) -> Option<Cause> {
    let text = value.as_str().unwrap_or_default();
    let supported = || choices.iter().map(|choice| format!("\"{choice}\"")).collect::<Vec<_>>().join(", ");
    (!choices.contains(&text)).then(|| Cause {
        reason: "FieldValueNotSupported",
        message: format!("Unsupported value: \"{text}\": supported values: {}", supported()),
        field: path.to_owned(),
    })
}

fn mismatch(value: &Value, pattern: &str, path: &str) -> Option<Cause> {
    let text = value.as_str().unwrap_or_default();
    let matches = Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text));
    (!matches).then(|| Cause {
        reason: "FieldValueInvalid",
        message: format!("Invalid value: \"{text}\": {path} in body should match '{pattern}'"),
        field: path.to_owned(),
    })
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::kinds::KINDS;
    use serde_json::json;

    fn refused(res: Res, object: &Value) -> Option<String> {
        let info = KINDS.iter().find(|info| info.res() == res).unwrap();
        let status = validate(info, object, &Value::Null).err()?.status();
        Some(status["message"].as_str().unwrap().to_owned())
    }

    fn pool(spec: &Value) -> Option<String> {
        refused(Res::MACHINE_CONFIG_POOLS, &json!({"metadata": {"name": "worker"}, "spec": spec}))
    }

    #[test]
    fn a_pool_is_paused_or_not_and_unavailable_by_number_or_share() {
        assert_eq!(pool(&json!({"paused": true, "maxUnavailable": "10%"})), None);
        assert_eq!(pool(&json!({"maxUnavailable": 2})), None);
        let told = pool(&json!({"paused": "yes"})).unwrap();
        assert!(told.contains("spec.paused in body must be of type boolean: \"string\""), "{told}");
        assert!(pool(&json!({"maxUnavailable": true})).is_some());
        assert!(
            refused(Res::MACHINE_CONFIG_POOLS, &json!({"metadata": {"name": "w"}})).unwrap().contains("spec: Required")
        );
    }

    #[test]
    fn an_update_names_a_known_architecture_and_then_a_version() {
        let cluster = |update: Value| {
            let spec = json!({"clusterID": "c", "desiredUpdate": update});
            refused(Res::CLUSTER_VERSIONS, &json!({"metadata": {"name": "version"}, "spec": spec}))
        };
        assert_eq!(cluster(json!({"version": "4.19.3", "force": false, "architecture": ""})), None);
        let arm = cluster(json!({"version": "4.19.3", "architecture": "arm64"})).unwrap();
        assert!(arm.contains("Unsupported value: \"arm64\": supported values: \"Multi\", \"\""), "{arm}");
        assert!(cluster(json!({"architecture": "Multi"})).unwrap().contains("Version must be set"));
        assert!(cluster(json!({"architecture": "Multi", "version": "4.19.3", "image": "i"})).is_some());
    }

    #[test]
    fn unknown_fields_are_dropped_and_named() {
        let mut pool = json!({
            "metadata": {"name": "w"}, "speck": 1,
            "spec": {"paused": true, "pause": true, "pinnedImageSets": [{"name": "a", "title": "b"}]},
        });
        let unknown = prune(Res::MACHINE_CONFIG_POOLS, &mut pool);
        assert_eq!(unknown, ["speck", "spec.pause", "spec.pinnedImageSets[0].title"]);
        assert_eq!(pool["spec"], json!({"paused": true, "pinnedImageSets": [{"name": "a"}]}));
    }

    #[test]
    fn the_stage_of_an_image_based_upgrade_follows_what_its_status_permits() {
        let info = KINDS.iter().find(|info| info.res() == Res::IMAGE_BASED_UPGRADES).unwrap();
        let upgrade = |stage: &str| {
            json!({
                "metadata": {"name": "upgrade"}, "spec": {"stage": stage},
                "status": {"validNextStages": ["Prep"], "conditions": [{"type": "Idle", "status": "True"}]},
            })
        };
        assert!(validate(info, &upgrade("Prep"), &upgrade("Idle")).is_ok());
        let refused = validate(info, &upgrade("Upgrade"), &upgrade("Idle")).unwrap_err().status();
        assert!(refused["message"].as_str().unwrap().contains("the stage transition is not permitted"));
    }

    #[test]
    fn a_node_is_unschedulable_or_not_and_taints_have_an_effect() {
        let node = |spec: Value| refused(Res::NODES, &json!({"metadata": {"name": "n"}, "spec": spec}));
        assert_eq!(node(json!({"unschedulable": true, "taints": [{"key": "a", "effect": "NoSchedule"}]})), None);
        assert!(node(json!({"unschedulable": "yes"})).unwrap().contains("cannot unmarshal string"));
        assert!(node(json!({"taints": [{"key": "a", "effect": "Never"}]})).unwrap().contains("Unsupported value"));
    }
}
