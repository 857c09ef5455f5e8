//! The shapes of the kinds that people apply from files for an update: what OLM, the update service, the credentials and
//! the kubelets are told. Sources: the definitions in openshift/api (machineconfiguration/v1, operator/v1), in
//! openshift/cloud-credential-operator, openshift/cincinnati-operator and operator-framework/api, and k8s.io/api.
//!
//! Belongs here: shapes and rules of those kinds. Does not: kinds of the platform itself (see [`super::shapes`]).

use serde_json::Value;

use super::shapes::{KindShape, LOG_LEVEL, REFERENCE, Rules, SELECTOR, Shape, field, must};
use crate::sim::kinds::Res;

/// The shape of a kind; `None` where nothing is checked.
pub fn shape_of(res: Res) -> Option<KindShape> {
    let (spec_required, spec, rules): (bool, &Shape, Option<Rules>) = match res {
        Res::KUBELET_CONFIGS => (true, &KUBELET_CONFIG, None),
        Res::CONTAINER_RUNTIME_CONFIGS => (true, &CONTAINER_RUNTIME_CONFIG, None),
        Res::MACHINE_CONFIGURATIONS => (true, &MACHINE_CONFIGURATION, Some(machine_configuration_rules)),
        Res::SUBSCRIPTIONS => (true, &SUBSCRIPTION, None),
        Res::OPERATOR_GROUPS => (false, &OPERATOR_GROUP, None),
        Res::UPDATE_SERVICES => (true, &UPDATE_SERVICE, Some(update_service_rules)),
        Res::CREDENTIALS_REQUESTS => (true, &CREDENTIALS_REQUEST, None),
        Res::NAMESPACES => (false, &NAMESPACE, None),
        Res::IMAGES => (true, &IMAGE, Some(image_rules)),
        Res::PROXIES => (true, &PROXY, None),
        _ => return None,
    };
    Some(KindShape { spec_required, spec, rules })
}

static KUBELET_CONFIG: Shape = Shape::Object(&[
    field("autoSizingReserved", Shape::Boolean),
    field("kubeletConfig", Shape::Any),
    field("logLevel", Shape::Integer),
    field("machineConfigPoolSelector", SELECTOR),
    field("tlsSecurityProfile", Shape::Any),
]);

static CONTAINER_RUNTIME_CONFIG: Shape = Shape::Object(&[
    must(
        "containerRuntimeConfig",
        Shape::Object(&[
            field("defaultRuntime", Shape::Choice(&["", "crun", "runc"])),
            field("logLevel", Shape::Text),
            field("logSizeMax", Shape::Any),
            field("overlaySize", Shape::Any),
            field("pidsLimit", Shape::Integer),
        ]),
    ),
    field("machineConfigPoolSelector", SELECTOR),
]);

const ACTIONS: Shape = Shape::List(&Shape::Object(&[
    field("reload", Shape::Object(&[must("serviceName", Shape::Text)])),
    field("restart", Shape::Object(&[must("serviceName", Shape::Text)])),
    must("type", Shape::Choice(&["Reboot", "Drain", "Reload", "Restart", "DaemonReload", "None"])),
]));

static MACHINE_CONFIGURATION: Shape = Shape::Object(&[
    field("bootImageSkewEnforcement", Shape::Any),
    field("failedRevisionLimit", Shape::Integer),
    field("forceRedeploymentReason", Shape::Text),
    field("irreconcilableValidationOverrides", Shape::Any),
    field("logLevel", LOG_LEVEL),
    field("managedBootImages", Shape::Any),
    must("managementState", Shape::Pattern("^(Managed|Unmanaged|Force|Removed)$")),
    field(
        "nodeDisruptionPolicy",
        Shape::Object(&[
            field("files", Shape::List(&Shape::Object(&[must("actions", ACTIONS), must("path", Shape::Text)]))),
            field("sshkey", Shape::Object(&[must("actions", ACTIONS)])),
            field("units", Shape::List(&Shape::Object(&[must("actions", ACTIONS), must("name", Shape::Text)]))),
        ]),
    ),
    field("observedConfig", Shape::Any),
    field("operatorLogLevel", LOG_LEVEL),
    field("succeededRevisionLimit", Shape::Integer),
    field("unsupportedConfigOverrides", Shape::Any),
]);

static SUBSCRIPTION: Shape = Shape::Object(&[
    field("channel", Shape::Text),
    field("config", Shape::Any),
    field("installPlanApproval", Shape::Text),
    must("name", Shape::Text),
    must("source", Shape::Text),
    must("sourceNamespace", Shape::Text),
    field("startingCSV", Shape::Text),
]);

static OPERATOR_GROUP: Shape = Shape::Object(&[
    field("selector", SELECTOR),
    field("serviceAccountName", Shape::Text),
    field("staticProvidedAPIs", Shape::Boolean),
    field("targetNamespaces", Shape::List(&Shape::Text)),
    field("upgradeStrategy", Shape::Choice(&["Default", "TechPreviewUnsafeFailForward"])),
]);

static UPDATE_SERVICE: Shape = Shape::Object(&[
    must("graphDataImage", Shape::Text),
    must("releases", Shape::Text),
    must("replicas", Shape::Integer),
]);

static CREDENTIALS_REQUEST: Shape = Shape::Object(&[
    field("cloudTokenPath", Shape::Text),
    field("providerSpec", Shape::Any),
    must("secretRef", Shape::Object(REFERENCE)),
    field("serviceAccountNames", Shape::List(&Shape::Text)),
]);

static NAMESPACE: Shape = Shape::Object(&[field("finalizers", Shape::List(&Shape::Text))]);

const TEXTS: Shape = Shape::List(&Shape::Text);
const NAMED: Shape = Shape::Object(&[must("name", Shape::Text)]);

static IMAGE: Shape = Shape::Object(&[
    field("additionalTrustedCA", NAMED),
    field(
        "allowedRegistriesForImport",
        Shape::List(&Shape::Object(&[field("domainName", Shape::Text), field("insecure", Shape::Boolean)])),
    ),
    field("externalRegistryHostnames", TEXTS),
    field("imageStreamImportMode", Shape::Choice(&["", "Legacy", "PreserveOriginal"])),
    field(
        "registrySources",
        Shape::Object(&[
            field("allowedRegistries", TEXTS),
            field("blockedRegistries", TEXTS),
            field("containerRuntimeSearchRegistries", TEXTS),
            field("insecureRegistries", TEXTS),
        ]),
    ),
]);

static PROXY: Shape = Shape::Object(&[
    field("httpProxy", Shape::Text),
    field("httpsProxy", Shape::Text),
    field("noProxy", Shape::Text),
    field("readinessEndpoints", TEXTS),
    field("trustedCA", NAMED),
]);

/// There is one, and an action stands alone where it decides about everything (openshift/api,
/// operator/v1/types_machineconfiguration.go).
fn machine_configuration_rules(object: &Value, _previous: &Value) -> Vec<(&'static str, String)> {
    let mut broken = Vec::new();
    let policy = &object["spec"]["nodeDisruptionPolicy"];
    let entries = ["files", "units"].into_iter().flat_map(|part| policy[part].as_array().into_iter().flatten());
    for entry in entries.chain(policy.get("sshkey")) {
        let actions = entry["actions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let has = |kind: &str| actions.iter().any(|action| action["type"] == kind);
        if has("Reboot") && actions.len() > 1 {
            let message = "\"array\": Reboot action can only be specified standalone, as it will override any other \
                           actions";
            broken.push(("spec.nodeDisruptionPolicy", message.to_owned()));
        } else if has("None") && actions.len() > 1 {
            let message = "\"array\": None action can only be specified standalone, as it will override any other \
                           actions";
            broken.push(("spec.nodeDisruptionPolicy", message.to_owned()));
        }
    }
    broken
}

fn image_rules(object: &Value, _previous: &Value) -> Vec<(&'static str, String)> {
    const SEARCHED: &str = "spec.registrySources.containerRuntimeSearchRegistries";
    match object["spec"]["registrySources"]["containerRuntimeSearchRegistries"].as_array() {
        Some(places) if places.is_empty() => {
            vec![(SEARCHED, format!("0: {SEARCHED} in body should have at least 1 items"))]
        }
        _ => Vec::new(),
    }
}

fn update_service_rules(object: &Value, _previous: &Value) -> Vec<(&'static str, String)> {
    match object["spec"]["replicas"].as_i64() {
        Some(replicas) if replicas < 1 => {
            let message = format!("{replicas}: spec.replicas in body should be greater than or equal to 1");
            vec![("spec.replicas", message)]
        }
        _ => Vec::new(),
    }
}

/// Fields besides `spec` and `status` that a kind has; what is not among them nobody knows. `None` for a kind of which
/// nothing is checked.
pub fn outer_fields(res: Res) -> Option<&'static [&'static str]> {
    match res {
        Res::CONFIGMAPS => Some(&["binaryData", "data", "immutable"]),
        Res::SECRETS => Some(&["data", "immutable", "stringData", "type"]),
        _ => None,
    }
}
