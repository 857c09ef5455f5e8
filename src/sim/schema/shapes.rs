//! The shapes of the kinds that people and the cockpit write to. Sources: the definitions in openshift/api
//! (machineconfiguration/v1, config/v1), openshift-kni/lifecycle-agent (api/imagebasedupgrade/v1) and k8s.io/api.

use serde_json::Value;

use super::supplies;
use crate::sim::kinds::Res;

/// What a value has to look like.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Anything.
    Any,
    /// true or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A whole number that is not below zero.
    Natural,
    /// A whole number or a text such as `10%`.
    IntOrString,
    /// A text.
    Text,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A text that matches this regular expression.
    Pattern(&'static str),
    /// A list of such values.
    List(&'static Shape),
    /// Any names with such values.
    Map(&'static Shape),
    /// These fields and no others.
    Object(&'static [Field]),
}

/// A field of an object.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Whether it has to be there.
    pub required: bool,
    /// What it has to look like.
    pub shape: Shape,
}

/// Rules that span fields or compare with the object before: from the object and its predecessor (null when new) to
/// what is broken, as pairs of field and message.
pub type Rules = fn(&Value, &Value) -> Vec<(&'static str, String)>;

/// The shape of a kind.
#[derive(Debug, Clone, Copy)]
pub struct KindShape {
    /// Whether `spec` has to be there.
    pub spec_required: bool,
    /// The shape of `spec`.
    pub spec: &'static Shape,
    /// Further rules.
    pub rules: Option<Rules>,
}

pub(super) const fn field(name: &'static str, shape: Shape) -> Field {
    Field { name, required: false, shape }
}

pub(super) const fn must(name: &'static str, shape: Shape) -> Field {
    Field { name, required: true, shape }
}

/// The shape of a kind; `None` where nothing is checked.
pub fn shape_of(res: Res) -> Option<KindShape> {
    let (spec_required, spec, rules): (bool, &Shape, Option<Rules>) = match res {
        Res::MACHINE_CONFIG_POOLS => (true, &POOL, Some(no_rules)),
        Res::MACHINE_CONFIGS => (false, &MACHINE_CONFIG, None),
        Res::MACHINE_CONFIG_NODES => (true, &MACHINE_CONFIG_NODE, Some(machine_config_node_rules)),
        Res::CLUSTER_VERSIONS => (true, &CLUSTER_VERSION, Some(cluster_version_rules)),
        Res::CLUSTER_OPERATORS => (true, &Shape::Object(&[]), None),
        Res::IMAGE_BASED_UPGRADES => (false, &IMAGE_BASED_UPGRADE, Some(image_based_upgrade_rules)),
        Res::MACHINE_HEALTH_CHECKS => (false, &MACHINE_HEALTH_CHECK, None),
        Res::NODES => (false, &NODE, None),
        Res::PDBS => (false, &PDB, None),
        Res::INSTALL_PLANS => (false, &INSTALL_PLAN, None),
        Res::CLOUD_CREDENTIALS => (true, &CLOUD_CREDENTIAL, None),
        Res::PINNED_IMAGE_SETS => (true, &PINNED_IMAGE_SET, Some(pinned_image_set_rules)),
        Res::MACHINE_OS_CONFIGS => (true, &MACHINE_OS_CONFIG, Some(machine_os_config_rules)),
        Res::IMAGE_DIGEST_MIRROR_SETS => (true, &IMAGE_DIGEST_MIRROR_SET, None),
        Res::IMAGE_CONTENT_SOURCE_POLICIES => (true, &IMAGE_CONTENT_SOURCE_POLICY, None),
        Res::CSRS => (true, &CSR, None),
        _ => return supplies::shape_of(res),
    };
    Some(KindShape { spec_required, spec, rules })
}

pub(super) const REFERENCE: &[Field] = &[
    field("apiVersion", Shape::Text),
    field("fieldPath", Shape::Text),
    field("kind", Shape::Text),
    field("name", Shape::Text),
    field("namespace", Shape::Text),
    field("resourceVersion", Shape::Text),
    field("uid", Shape::Text),
];

pub(super) const SELECTOR: Shape = Shape::Object(&[
    field(
        "matchExpressions",
        Shape::List(&Shape::Object(&[
            must("key", Shape::Text),
            must("operator", Shape::Text),
            field("values", Shape::List(&Shape::Text)),
        ])),
    ),
    field("matchLabels", Shape::Map(&Shape::Text)),
]);

const DNS_NAME: Shape = Shape::Pattern(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$");

static POOL: Shape = Shape::Object(&[
    field(
        "configuration",
        Shape::Object(&[
            field("apiVersion", Shape::Text),
            field("fieldPath", Shape::Text),
            field("kind", Shape::Text),
            field("name", Shape::Text),
            field("namespace", Shape::Text),
            field("resourceVersion", Shape::Text),
            field("uid", Shape::Text),
            field("source", Shape::List(&Shape::Object(REFERENCE))),
        ]),
    ),
    field("machineConfigSelector", SELECTOR),
    field("maxUnavailable", Shape::IntOrString),
    field("nodeSelector", SELECTOR),
    field("osImageStream", Shape::Object(&[must("name", DNS_NAME)])),
    field("paused", Shape::Boolean),
    field("pinnedImageSets", Shape::List(&Shape::Object(&[must("name", Shape::Text)]))),
]);

static MACHINE_CONFIG: Shape = Shape::Object(&[
    field("baseOSExtensionsContainerImage", Shape::Text),
    field("config", Shape::Any),
    field("extensions", Shape::List(&Shape::Text)),
    field("fips", Shape::Boolean),
    field("kernelArguments", Shape::Any),
    field("kernelType", Shape::Text),
    field("osImageURL", Shape::Text),
]);

static MACHINE_CONFIG_NODE: Shape = Shape::Object(&[
    must("configVersion", Shape::Object(&[must("desired", DNS_NAME)])),
    field("configImage", Shape::Any),
    must("node", Shape::Object(&[must("name", DNS_NAME)])),
    must("pool", Shape::Object(&[must("name", DNS_NAME)])),
]);

static CLUSTER_VERSION: Shape = Shape::Object(&[
    field(
        "capabilities",
        Shape::Object(&[
            field("additionalEnabledCapabilities", Shape::List(&Shape::Text)),
            field(
                "baselineCapabilitySet",
                Shape::Choice(&[
                    "None", "v4.11", "v4.12", "v4.13", "v4.14", "v4.15", "v4.16", "v4.17", "v4.18", "vCurrent",
                ]),
            ),
        ]),
    ),
    field("channel", Shape::Text),
    must("clusterID", Shape::Text),
    field(
        "desiredUpdate",
        Shape::Object(&[
            field("acceptRisks", Shape::List(&Shape::Object(&[must("name", Shape::Text)]))),
            field("architecture", Shape::Choice(&["Multi", ""])),
            field("force", Shape::Boolean),
            field("image", Shape::Text),
            field("version", Shape::Text),
        ]),
    ),
    field(
        "overrides",
        Shape::List(&Shape::Object(&[
            must("group", Shape::Text),
            must("kind", Shape::Text),
            must("name", Shape::Text),
            must("namespace", Shape::Text),
            must("unmanaged", Shape::Boolean),
        ])),
    ),
    field("signatureStores", Shape::Any),
    field("upstream", Shape::Text),
]);

const NAMED: Shape = Shape::Object(&[must("name", Shape::Text), must("namespace", Shape::Text)]);

static IMAGE_BASED_UPGRADE: Shape = Shape::Object(&[
    field("autoRollbackOnFailure", Shape::Object(&[field("initMonitorTimeoutSeconds", Shape::Natural)])),
    field("extraManifests", Shape::List(&NAMED)),
    field("oadpContent", Shape::List(&NAMED)),
    field(
        "seedImageRef",
        Shape::Object(&[
            field("image", Shape::Pattern(r"^([a-z0-9]+://)?[\S]+$")),
            field("pullSecretRef", Shape::Object(&[must("name", Shape::Text)])),
            field("version", Shape::Text),
        ]),
    ),
    field("stage", Shape::Choice(&["Idle", "Prep", "Upgrade", "Rollback"])),
]);

static MACHINE_HEALTH_CHECK: Shape = Shape::Object(&[
    field("maxUnhealthy", Shape::IntOrString),
    field("nodeStartupTimeout", Shape::Text),
    field("remediationTemplate", Shape::Object(REFERENCE)),
    field("selector", SELECTOR),
    field(
        "unhealthyConditions",
        Shape::List(&Shape::Object(&[
            field("status", Shape::Text),
            field("timeout", Shape::Pattern(r"^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$")),
            field("type", Shape::Text),
        ])),
    ),
]);

static NODE: Shape = Shape::Object(&[
    field("configSource", Shape::Any),
    field("externalID", Shape::Text),
    field("podCIDR", Shape::Text),
    field("podCIDRs", Shape::List(&Shape::Text)),
    field("providerID", Shape::Text),
    field(
        "taints",
        Shape::List(&Shape::Object(&[
            must("effect", Shape::Choice(&["NoSchedule", "PreferNoSchedule", "NoExecute"])),
            must("key", Shape::Text),
            field("timeAdded", Shape::Any),
            field("value", Shape::Text),
        ])),
    ),
    field("unschedulable", Shape::Boolean),
]);

static PDB: Shape = Shape::Object(&[
    field("maxUnavailable", Shape::IntOrString),
    field("minAvailable", Shape::IntOrString),
    field("selector", SELECTOR),
    field("unhealthyPodEvictionPolicy", Shape::Choice(&["IfHealthyBudget", "AlwaysAllow"])),
]);

static INSTALL_PLAN: Shape = Shape::Object(&[
    must("approval", Shape::Text),
    must("approved", Shape::Boolean),
    must("clusterServiceVersionNames", Shape::List(&Shape::Text)),
    field("generation", Shape::Integer),
    field("source", Shape::Text),
    field("sourceNamespace", Shape::Text),
]);

pub(super) const LOG_LEVEL: Shape = Shape::Choice(&["", "Normal", "Debug", "Trace", "TraceAll"]);

static CLOUD_CREDENTIAL: Shape = Shape::Object(&[
    field("credentialsMode", Shape::Choice(&["", "Manual", "Mint", "Passthrough"])),
    field("logLevel", LOG_LEVEL),
    field("managementState", Shape::Pattern("^(Managed|Unmanaged|Force|Removed)$")),
    field("observedConfig", Shape::Any),
    field("operatorLogLevel", LOG_LEVEL),
    field("unsupportedConfigOverrides", Shape::Any),
]);

const NAME_ONLY: Shape = Shape::Object(&[must("name", Shape::Text)]);

static PINNED_IMAGE_SET: Shape = Shape::Object(&[must("pinnedImages", Shape::List(&NAME_ONLY))]);

static MACHINE_OS_CONFIG: Shape = Shape::Object(&[
    field("baseImagePullSecret", NAME_ONLY),
    field(
        "containerFile",
        Shape::List(&Shape::Object(&[
            field("containerfileArch", Shape::Choice(&["ARM64", "AMD64", "PPC64LE", "S390X", "NoArch"])),
            must("content", Shape::Text),
        ])),
    ),
    must("imageBuilder", Shape::Object(&[must("imageBuilderType", Shape::Choice(&["Job"]))])),
    must("machineConfigPool", NAME_ONLY),
    must("renderedImagePushSecret", NAME_ONLY),
    must("renderedImagePushSpec", Shape::Text),
]);

static IMAGE_DIGEST_MIRROR_SET: Shape = Shape::Object(&[field(
    "imageDigestMirrors",
    Shape::List(&Shape::Object(&[
        field("mirrorSourcePolicy", Shape::Choice(&["NeverContactSource", "AllowContactingSource"])),
        field("mirrors", Shape::List(&Shape::Text)),
        must("source", Shape::Text),
    ])),
)]);

static IMAGE_CONTENT_SOURCE_POLICY: Shape = Shape::Object(&[field(
    "repositoryDigestMirrors",
    Shape::List(&Shape::Object(&[field("mirrors", Shape::List(&Shape::Text)), must("source", Shape::Text)])),
)]);

static CSR: Shape = Shape::Object(&[
    field("expirationSeconds", Shape::Integer),
    field("extra", Shape::Any),
    field("groups", Shape::List(&Shape::Text)),
    must("request", Shape::Text),
    must("signerName", Shape::Text),
    field("uid", Shape::Text),
    field("usages", Shape::List(&Shape::Text)),
    field("username", Shape::Text),
]);

/// openshift/api, machineconfiguration/v1/types_pinned_image_set.go.
fn pinned_image_set_rules(object: &Value, _previous: &Value) -> Vec<(&'static str, String)> {
    let images = object["spec"]["pinnedImages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut broken = Vec::new();
    if !(1..=500).contains(&images.len()) {
        let message = format!("{}: spec.pinnedImages in body should have between 1 and 500 items", images.len());
        broken.push(("spec.pinnedImages", message));
    }
    let is_pinned = |image: &&Value| {
        let digest = image["name"].as_str().and_then(|name| name.rsplit_once("@sha256:")).map(|(_, digest)| digest);
        digest.is_some_and(|digest| digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    if !images.iter().all(|image| is_pinned(&image)) {
        let message = "\"string\": the OCI Image reference must end with a valid '@sha256:<digest>' suffix, where \
                       '<digest>' is 64 characters long";
        broken.push(("spec.pinnedImages.name", message.to_owned()));
    }
    broken
}

/// openshift/api, machineconfiguration/v1/types_machineosconfig.go: one MachineOSConfig for a pool, of its name.
fn machine_os_config_rules(object: &Value, _previous: &Value) -> Vec<(&'static str, String)> {
    if object["metadata"]["name"] == object["spec"]["machineConfigPool"]["name"] {
        return Vec::new();
    }
    vec![("<nil>", "MachineOSConfig name must match the referenced MachineConfigPool name".to_owned())]
}

/// The pool's definition has rules of its own (for image streams), which the shape covers here.
fn no_rules(_object: &Value, _previous: &Value) -> Vec<(&'static str, String)> {
    Vec::new()
}

fn machine_config_node_rules(object: &Value, _previous: &Value) -> Vec<(&'static str, String)> {
    if object["metadata"]["name"] == object["spec"]["node"]["name"] {
        return Vec::new();
    }
    vec![("<nil>", "spec.node.name should match metadata.name".to_owned())]
}

fn cluster_version_rules(object: &Value, _previous: &Value) -> Vec<(&'static str, String)> {
    let update = &object["spec"]["desiredUpdate"];
    let is_set = |name: &str| update[name].as_str().is_some_and(|value| !value.is_empty());
    let mut broken = Vec::new();
    if is_set("architecture") && is_set("image") {
        broken.push(("spec.desiredUpdate", "cannot set both Architecture and Image".to_owned()));
    }
    if is_set("architecture") && !is_set("version") {
        broken.push(("spec.desiredUpdate", "Version must be set if Architecture is set".to_owned()));
    }
    broken
}

fn image_based_upgrade_rules(object: &Value, previous: &Value) -> Vec<(&'static str, String)> {
    let mut broken = Vec::new();
    if object["metadata"]["name"] != "upgrade" {
        broken.push(("<nil>", "ibu is a singleton, metadata.name must be 'upgrade'".to_owned()));
    }
    let (old, new, status) = (&previous["spec"], &object["spec"], &previous["status"]);
    if !status.is_object() {
        return broken;
    }
    let conditions = status["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_idle = conditions.iter().any(|condition| condition["type"] == "Idle" && condition["status"] == "True");
    for name in ["seedImageRef", "oadpContent", "extraManifests", "autoRollbackOnFailure"] {
        if !is_idle && new["stage"] != "Idle" && old[name] != new[name] {
            broken.push(("<nil>", format!("can not change spec.{name} while ibu is in progress")));
        }
    }
    let permitted = status["validNextStages"].as_array().is_some_and(|stages| stages.contains(&new["stage"]));
    if !permitted && old["stage"] != new["stage"] {
        broken.push((
            "<nil>",
            "the stage transition is not permitted. Please refer to status.validNextStages for valid transitions. If \
             status.validNextStages is not present, it indicates that no transitions are currently allowed"
                .to_owned(),
        ));
    }
    broken
}
