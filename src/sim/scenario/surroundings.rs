//! What stands around the nodes of a scenario's cluster: credentials, health checks, mirrors, layered software, clients
//! of old APIs.
//!
//! Imports nothing of ours but spans.

use serde::Deserialize;

use super::Span;

/// What the nodes are: it decides how long they are away when they reboot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hardware {
    /// Instances of a cloud: away two to three minutes.
    #[default]
    Cloud,
    /// Servers with firmware that takes its time: away eight to fifteen minutes.
    Metal,
}

/// Which architectures the release payload is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// One architecture.
    #[default]
    Single,
    /// All of them (`architecture: Multi`).
    Multi,
}

/// How the platform's credentials are made (`CloudCredential` `cluster`).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Credentials {
    /// `spec.credentialsMode`: empty, `Mint`, `Passthrough` or `Manual`.
    #[serde(default)]
    pub mode: String,
    /// Whether the root credentials were taken away from `kube-system`.
    #[serde(default)]
    pub without_root_secret: bool,
    /// The annotation that declares manual credentials ready for a release.
    #[serde(default)]
    pub upgradeable_to: Option<String>,
    /// `Authentication.spec.serviceAccountIssuer`: set where ccoctl made the credentials.
    #[serde(default)]
    pub issuer: String,
}

/// The MachineHealthCheck of the workers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HealthCheck {
    /// How long a node may be not Ready before its Machine is deleted, simulated.
    #[serde(default = "half_an_hour")]
    pub timeout: Span,
    /// Whether somebody has paused it.
    #[serde(default)]
    pub paused: bool,
    /// `spec.maxUnhealthy`.
    #[serde(default = "forty_percent")]
    pub max_unhealthy: String,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self { timeout: half_an_hour(), paused: false, max_unhealthy: forty_percent() }
    }
}

fn half_an_hour() -> Span {
    Span::seconds(1_800)
}

fn forty_percent() -> String {
    "40%".to_owned()
}

/// Somebody still uses an API that a later Kubernetes removes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OldApi {
    /// `RESOURCE.VERSION.GROUP`, as the APIRequestCount is named.
    pub name: String,
    /// The Kubernetes release without it, such as `1.32`.
    pub removed_in: String,
    /// Requests of the last day.
    pub requests: u64,
    /// Whose they are.
    pub user: String,
    /// With which program.
    pub agent: String,
}

/// An operator that OLM installed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Package {
    /// Package and Subscription.
    pub name: String,
    /// Its name for people.
    #[serde(default)]
    pub title: String,
    /// Its namespace.
    pub namespace: String,
    /// The installed version.
    pub version: String,
    /// The channel.
    #[serde(default = "stable")]
    pub channel: String,
    /// The newest OpenShift minor that the installed version supports (`olm.maxOpenShiftVersion`).
    #[serde(default)]
    pub max_openshift: Option<String>,
    /// A newer version whose InstallPlan waits for approval.
    #[serde(default)]
    pub offered: Option<String>,
    /// The phase of the ClusterServiceVersion.
    #[serde(default = "succeeded")]
    pub phase: String,
}

fn stable() -> String {
    "stable".to_owned()
}

fn succeeded() -> String {
    "Succeeded".to_owned()
}

/// Where a cluster without internet gets images from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mirror {
    /// The registry, with port and path prefix: `registry.corp.example.com:5000/ocp`.
    pub registry: String,
    /// Releases whose signature ConfigMap was applied.
    #[serde(default)]
    pub signatures: Vec<String>,
    /// Releases that were mirrored; empty for all.
    #[serde(default)]
    pub releases: Vec<String>,
    /// Whether recommendations come through all the same, by a proxy.
    #[serde(default)]
    pub update_service: bool,
}

/// Images that the nodes of a pool are to have before they need them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pinned {
    /// The PinnedImageSet.
    pub name: String,
    /// Its pool.
    pub pool: String,
    /// How many images.
    pub images: usize,
}
