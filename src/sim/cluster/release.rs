//! What a release contains: images, the versions of the kubelet and of the operating system.
//!
//! Derived from the version alone, so that a scenario may name any release: nothing here is looked up.

use super::object::{hash, hex};
use crate::sim::kinds::Res;

/// `quay.io/openshift-release-dev/ocp-release@sha256:...` of a version.
pub fn image(version: &str) -> String {
    format!("quay.io/openshift-release-dev/ocp-release@sha256:{}", hex(&format!("release {version}"), 64))
}

/// The image of the same release for all architectures, where the usual one is for one.
pub fn multi_image(version: &str) -> String {
    format!("quay.io/openshift-release-dev/ocp-release@sha256:{}", hex(&format!("multi release {version}"), 64))
}

/// The digest in a pull spec, empty where it names a tag or nothing.
pub fn digest(image: &str) -> &str {
    image.rsplit_once('@').map_or("", |(_, digest)| digest)
}

/// Whether a pull spec means the image of a version: by the same digest wherever it is kept, or by a tag that is the
/// version, as registries name them (`4.19.3-x86_64`).
pub fn means(image: &str, version: &str) -> bool {
    match digest(image) {
        "" => {
            let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
            tag == version || tag.strip_prefix(version).is_some_and(|rest| rest.starts_with("-x86_64"))
        }
        found => found == digest(&self::image(version)) || found == digest(&multi_image(version)),
    }
}

/// The pull spec of a component's image in a release.
pub fn component_image(version: &str, component: &str) -> String {
    let digest = hex(&format!("component {version} {component}"), 64);
    format!("quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:{digest}")
}

/// The minor number of a version, zero for nonsense.
pub fn minor(version: &str) -> u64 {
    semver::Version::parse(version).map_or(0, |version| version.minor)
}

fn patch(version: &str) -> u64 {
    semver::Version::parse(version).map_or(0, |version| version.patch)
}

/// Kinds that came with a minor version, in the version of the kind that is served: the kind, the minor, and the run
/// level at which an update brings its definition (openshift/api: the manifests' names, and the feature gates
/// MachineConfigNodes, PinnedImages and OnClusterBuild on their way into the default feature set).
pub const ARRIVALS: [(Res, u64, u8); 7] = [
    (Res::CONTROL_PLANE_MACHINE_SETS, 12, 10),
    (Res::IMAGE_DIGEST_MIRROR_SETS, 13, 10),
    (Res::MACHINE_CONFIGURATIONS, 14, 80),
    (Res::MACHINE_OS_CONFIGS, 18, 80),
    (Res::MACHINE_OS_BUILDS, 18, 80),
    (Res::MACHINE_CONFIG_NODES, 19, 80),
    (Res::PINNED_IMAGE_SETS, 19, 80),
];

/// The version in which a kind was served before it came for everybody, where the technology preview is on.
pub fn preview_version(kind: Res, minor: u64) -> Option<&'static str> {
    match kind {
        Res::MACHINE_OS_CONFIGS | Res::MACHINE_OS_BUILDS if (16..18).contains(&minor) => Some("v1alpha1"),
        Res::PINNED_IMAGE_SETS if (16..19).contains(&minor) => Some("v1alpha1"),
        _ => None,
    }
}

/// The kinds that a release brings at a run level.
pub fn brings(version: &str, level: u8) -> impl Iterator<Item = Res> {
    let minor = minor(version);
    ARRIVALS.into_iter().filter(move |(_, since, at)| minor >= *since && *at == level).map(|(kind, ..)| kind)
}

/// MachineConfigNode is in the default feature set since 4.19 (openshift/api, feature gate MachineConfigNodes).
pub const fn has_machine_config_nodes(minor: u64) -> bool {
    minor >= 19
}

/// `policy/v1` came with Kubernetes 1.21, which is OpenShift 4.8; before there was `v1beta1` alone.
pub const fn policy_version(minor: u64) -> &'static str {
    if minor >= 8 { "v1" } else { "v1beta1" }
}

/// The Kubernetes minor version of an OpenShift minor version: 4.18 is built on 1.31.
pub const fn kubernetes_minor(minor: u64) -> u64 {
    minor + 13
}

/// The kubelet's version, for example `v1.31.11`.
pub fn kubelet(version: &str) -> String {
    format!("v1.{}.{}", kubernetes_minor(minor(version)), patch(version) / 2)
}

/// What `nodeInfo` says about the operating system and the container runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// `osImage`.
    pub os_image: String,
    /// `kernelVersion`.
    pub kernel: String,
    /// `containerRuntimeVersion`.
    pub runtime: String,
    /// `kubeletVersion`.
    pub kubelet: String,
}

/// The operating system that a release brings.
pub fn system(version: &str) -> System {
    let minor = minor(version);
    let rhel = if minor >= 19 { "9.6" } else { "9.4" };
    let stream = if minor >= 19 { "96" } else { "94" };
    // A build every week of 2025, the patch counted from the middle of February.
    let week = patch(version) + (minor - minor.min(18)) * 16;
    let day = 46 + 7 * week % 300;
    let (month, day) = (day / 28 % 12 + 1, day % 28 + 1);
    let kernel = if minor >= 19 { 570 } else { 427 };
    System {
        os_image: format!(
            "Red Hat Enterprise Linux CoreOS 4{minor}.{stream}.2025{month:02}{day:02}0{}-0",
            patch(version) % 8
        ),
        kernel: format!("5.14.0-{kernel}.{}.1.el{}.x86_64", 20 + patch(version), rhel.replace('.', "_")),
        runtime: format!(
            "cri-o://1.{}.{}-2.rhaos4.{minor}.git{}.el9",
            kubernetes_minor(minor),
            patch(version) / 3,
            hex(&format!("crio {version}"), 7)
        ),
        kubelet: kubelet(version),
    }
}

/// The git hash of the machine config operator in a release (`generated-by-controller-version`).
pub fn controller_hash(version: &str) -> String {
    hex(&format!("machine-config-operator {version}"), 40)
}

/// `status.versionHash` of ClusterVersion.
pub fn version_hash(version: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = hash(&format!("payload {version}"));
    (0..11).map(|i| char::from(LETTERS[(bits >> (i * 5) & 63) as usize])).chain(['=']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minor_update_changes_kubelet_and_operating_system() {
        let (old, new) = (system("4.18.22"), system("4.19.3"));
        assert_eq!(old.kubelet, "v1.31.11");
        assert_eq!(new.kubelet, "v1.32.1");
        assert!(old.os_image.starts_with("Red Hat Enterprise Linux CoreOS 418.94."));
        assert!(new.os_image.starts_with("Red Hat Enterprise Linux CoreOS 419.96."));
        assert_ne!(image("4.18.22"), image("4.18.25"));
    }
}
