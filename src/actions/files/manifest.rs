//! An object of a file, checked against the list and freed of what is the server's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::kinds::{Home, Role, Row, row_of};
use super::registry_ca::{field, named};
use super::{root_secret, user_data};
use crate::actions::Refusal;
use crate::actions::raw::{name, text};
use crate::actions::words::shell;

/// What the machine-config operator writes on objects itself. An annotation of it in a file would be a lie to it.
const MCO_ANNOTATIONS: &str = "machineconfiguration.openshift.io/";
/// What kubectl apply leaves behind: the whole object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object to be applied.
#[derive(Clone)]
pub(super) struct Manifest {
    /// Its row on the list.
    pub row: &'static Row,
    /// Namespace; empty for none.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The object: API version, kind, name, labels, annotations, and what the file says beside status and metadata.
    pub body: Value,
    /// What the file says and is left out.
    pub left_out: Vec<String>,
}

impl Manifest {
    /// The object as it would be written.
    ///
    /// # Errors
    /// What is wrong with it, in one sentence.
    pub(super) fn read(object: &Value) -> Result<Self, Refusal> {
        let (api_version, kind) = (text(object, "/apiVersion"), text(object, "/kind"));
        let (namespace, name) = (text(object, "/metadata/namespace"), name(object));
        if name.is_empty() {
            return Err(Refusal(format!("a {kind} in the file has no metadata.name")));
        }
        let row = row_of(api_version, kind, namespace, name)?;
        if !is_path_segment(name) || !is_path_segment(namespace) {
            return Err(Refusal(format!("{kind} {name} has a name that no object can have")));
        }
        let (body, left_out) = cleaned(object, row)?;
        let manifest = Self { row, namespace: namespace.to_owned(), name: name.to_owned(), body, left_out };
        manifest.formally()?;
        Ok(manifest)
    }

    /// What holds whatever the cluster looks like.
    fn formally(&self) -> Result<(), Refusal> {
        let refuse = |why: &str| Err(Refusal(format!("{} {why}", self.object())));
        let annotations = self.body.pointer("/metadata/annotations").and_then(Value::as_object);
        if let Some(key) =
            annotations.into_iter().flatten().map(|(key, _)| key).find(|key| key.starts_with(MCO_ANNOTATIONS))
        {
            return refuse(&format!(
                "has the annotation {key}: those are written by the machine-config operator alone"
            ));
        }
        let role_label = !crate::actions::raw::label(&self.body, "machineconfiguration.openshift.io/role")
            .unwrap_or_default()
            .is_empty();
        match self.row.role {
            Role::MachineConfig if self.name.starts_with("rendered-") => {
                refuse("is a rendered configuration: the machine-config controller makes those")
            }
            Role::MachineConfig | Role::PinnedImageSet if !role_label => {
                refuse("has no label machineconfiguration.openshift.io/role: no pool would take it")
            }
            Role::UserData => user_data::check(&self.name, &self.body).map_or_else(|why| refuse(&why), |_| Ok(())),
            role if !is_path_segment(named(role, &self.body)) => {
                refuse(&format!("names a ConfigMap in {} that cannot be", field(role).unwrap_or_default()))
            }
            Role::Subscription if text(&self.body, "/spec/name") != super::kinds::UPDATE_SERVICE_PACKAGE => {
                refuse("is not for the package cincinnati-operator, the update service")
            }
            _ => Ok(()),
        }
    }

    /// Must its values not be shown?
    pub(super) fn is_secret(&self) -> bool {
        is_secret(self.row.role, &self.body)
    }

    /// Where such objects are created.
    pub(super) fn collection(&self) -> String {
        collection(&self.version(), &self.namespace, self.row.plural)
    }

    fn version(&self) -> String {
        text(&self.body, "/apiVersion").to_owned()
    }

    /// Where it is.
    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.collection(), self.name)
    }

    /// `machineconfig/50-x`, `secret/pull-secret -n openshift-config`.
    pub(super) fn object(&self) -> String {
        object(self.row, &self.namespace, &self.name)
    }

    /// `machineconfig 50-x`, `secret pull-secret -n openshift-config`, as `oc` takes it.
    pub(super) fn arguments(&self) -> String {
        arguments(self.row, &self.namespace, &self.name)
    }
}

/// Are its values secret? A MachineConfig is where it holds the hash of a password, a Proxy where it holds a password.
pub(super) fn is_secret(role: Role, object: &Value) -> bool {
    match role {
        Role::PullSecret | Role::Credentials | Role::RootSecret | Role::UserData => true,
        Role::MachineConfig => !super::line_diff::password_hashes(object).is_empty(),
        Role::Proxy => !super::proxy_config::passwords(object).is_empty(),
        _ => false,
    }
}

/// The path of a collection.
pub(super) fn collection(api_version: &str, namespace: &str, plural: &str) -> String {
    let root = if api_version.contains('/') { "/apis" } else { "/api" };
    match namespace {
        "" => format!("{root}/{api_version}/{plural}"),
        namespace => format!("{root}/{api_version}/namespaces/{namespace}/{plural}"),
    }
}

/// In words, unique within a plan.
pub(super) fn object(row: &Row, namespace: &str, name: &str) -> String {
    let place = if namespace.is_empty() { String::new() } else { format!(" -n {namespace}") };
    format!("{}/{name}{place}", row.kind.to_lowercase())
}

/// As `oc` takes it.
pub(super) fn arguments(row: &Row, namespace: &str, name: &str) -> String {
    let place = if namespace.is_empty() { String::new() } else { format!(" -n {}", shell(namespace)) };
    format!("{} {}{place}", row.oc_name(), shell(name))
}

/// Names go into paths: nothing in them may lead elsewhere. An empty namespace is none.
pub(super) fn is_path_segment(name: &str) -> bool {
    name != "." && name != ".." && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._:".contains(c))
}

/// The object without what the server or a controller says, and what that was.
fn cleaned(object: &Value, row: &Row) -> Result<(Value, Vec<String>), Refusal> {
    let mut left_out = Vec::new();
    let mut body = Map::new();
    for (key, value) in object.as_object().into_iter().flatten() {
        match key.as_str() {
            "metadata" => {}
            "status" => left_out.push("status".to_owned()),
            _ if value.is_null() => {}
            _ => drop(body.insert(key.clone(), value.clone())),
        }
    }
    let mut metadata = Map::new();
    for (key, value) in object.get("metadata").and_then(Value::as_object).into_iter().flatten() {
        match key.as_str() {
            "name" | "namespace" | "labels" | "annotations" => drop(metadata.insert(key.clone(), value.clone())),
            // Read from a cluster: the server writes these anew.
            "uid" | "resourceVersion" | "generation" | "creationTimestamp" | "managedFields" | "selfLink" => {}
            other => left_out.push(format!("metadata.{other}")),
        }
    }
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
        // Of an object that was saved: what the operator found then.
        if row.role == Role::RootSecret && annotations.remove(root_secret::CAPABILITY).is_some() {
            left_out.push(format!("metadata.annotations[{}]", root_secret::CAPABILITY));
        }
    }
    metadata.retain(|_, value| !value.is_null() && value.as_object().is_none_or(|fields| !fields.is_empty()));
    body.insert("metadata".to_owned(), Value::Object(metadata));
    if row.kind == "Secret" {
        encode(&mut body)?;
    }
    Ok((Value::Object(body), left_out))
}

/// `stringData` is a way of writing `data`: what is stored, compared and shown by digest is `data`.
fn encode(body: &mut Map<String, Value>) -> Result<(), Refusal> {
    let plain = body.remove("stringData");
    let data = body.entry("data").or_insert_with(|| Value::Object(Map::new()));
    let Some(data) = data.as_object_mut() else { return Err(Refusal("the data of a Secret is no map".to_owned())) };
    for (key, value) in plain.as_ref().and_then(Value::as_object).into_iter().flatten() {
        let Some(value) = value.as_str() else {
            return Err(Refusal(format!("stringData.{key} of a Secret is no text")));
        };
        data.insert(key.clone(), Value::from(STANDARD.encode(value)));
    }
    // The line breaks of `base64` in a file are not part of the value.
    for (key, value) in data.iter_mut() {
        let packed: Option<String> = value.as_str().map(|text| text.split_whitespace().collect());
        match packed.filter(|packed| STANDARD.decode(packed).is_ok()) {
            Some(packed) => *value = Value::from(packed),
            None => return Err(Refusal(format!("data.{key} of a Secret is not base64"))),
        }
    }
    Ok(())
}

/// The namespace that has to exist before it can be created.
pub(super) fn needs_namespace(manifest: &Manifest) -> Option<&str> {
    (manifest.row.home != Home::Cluster).then_some(manifest.namespace.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(object: &Value) -> String {
        match Manifest::read(object) {
            Err(Refusal(words)) => words,
            Ok(manifest) => panic!("{} is taken", manifest.object()),
        }
    }

    #[test]
    fn what_is_the_servers_is_left_out() {
        let manifest = Manifest::read(&json!({
            "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "KubeletConfig",
            "metadata": { "name": "k", "uid": "u", "resourceVersion": "7", "creationTimestamp": null,
                          "finalizers": ["f"], "annotations": { LAST_APPLIED: "{}" } },
            "spec": { "autoSizingReserved": true }, "status": { "conditions": [] },
        }))
        .unwrap_or_else(|Refusal(words)| panic!("{words}"));
        let expected = json!({
            "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "KubeletConfig",
            "metadata": { "name": "k", "annotations": {} }, "spec": { "autoSizingReserved": true },
        });
        assert_eq!(manifest.body["spec"], expected["spec"]);
        assert_eq!(manifest.body["metadata"]["name"], "k");
        assert_eq!(manifest.body["metadata"]["uid"], Value::Null);
        let mut left_out = manifest.left_out;
        left_out.sort();
        assert_eq!(left_out, ["metadata.finalizers", "status"]);
    }

    #[test]
    fn annotations_of_the_machine_config_operator_come_in_through_no_file() {
        let config = json!({
            "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfig",
            "metadata": { "name": "50-x", "labels": { "machineconfiguration.openshift.io/role": "worker" },
                          "annotations": { "machineconfiguration.openshift.io/desiredConfig": "y" } },
        });
        assert!(refused(&config).contains("written by the machine-config operator alone"));
    }

    #[test]
    fn names_lead_nowhere_else() {
        let at = |name: &str| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
        for name in ["..", "a/b", "a?b", "a%2fb", "a b"] {
            assert!(refused(&at(name)).contains("no object can have"), "{name}");
        }
    }

    #[test]
    fn string_data_of_a_secret_is_data() {
        let manifest = Manifest::read(&json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s", "namespace": "openshift-image-registry" },
            "data": { "a": "YQ==\n" }, "stringData": { "b": "b" },
        }))
        .unwrap_or_else(|Refusal(words)| panic!("{words}"));
        assert_eq!(manifest.body["data"], json!({ "a": "YQ==", "b": "Yg==" }));
        assert!(manifest.is_secret() && manifest.body.get("stringData").is_none());
    }
}
