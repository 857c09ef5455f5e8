//! What the cloud credential operator thinks of a minor update.
//!
//! Rules: openshift/cloud-credential-operator, pkg/operator/utils (UpgradeableCheck) and the actuators: credentials that
//! people make themselves have to be declared ready by an annotation, and the others need the root credentials.

use serde_json::Value;

use super::world::World;
use crate::sim::cluster::configuration::root_secret;
use crate::sim::cluster::object::{annotation, items, text};
use crate::sim::cluster::release;
use crate::sim::kinds::Res;

/// The annotation.
const UPGRADEABLE_TO: &str = "cloudcredential.openshift.io/upgradeable-to";

/// Whether credentials hold minor updates now: reason and message.
pub fn hold(world: &World) -> Option<(String, String)> {
    let platform = world.scenario.cluster.platform.as_str();
    if !matches!(platform, "AWS" | "Azure" | "GCP" | "IBMCloud" | "Nutanix") {
        return None;
    }
    let object = world.store.get(Res::CLOUD_CREDENTIALS, None, "cluster")?;
    if text(&object, "/spec/credentialsMode") == "Manual" {
        let declared = annotation(&object, UPGRADEABLE_TO);
        return (!is_ready(declared, running(world))).then(|| {
            let message = format!(
                "Upgradeable annotation {UPGRADEABLE_TO} on cloudcredential.operator.openshift.io/cluster object needs \
                 updating before upgrade. See Manually Creating IAM documentation for instructions on preparing a \
                 cluster for upgrade."
            );
            ("MissingUpgradeableAnnotation".to_owned(), message)
        });
    }
    let secret = root_secret(platform)?;
    world.store.get(Res::SECRETS, Some("kube-system"), secret).is_none().then(|| {
        let message = format!("Parent credentials secret must be restored prior to upgrade: kube-system/{secret}");
        ("MissingRootCredential".to_owned(), message)
    })
}

/// The minor release that runs: the newest that was completed.
fn running(world: &World) -> u64 {
    let cluster = world.store.get(Res::CLUSTER_VERSIONS, None, "version");
    let completed = |cluster: &Value| {
        let entry = items(cluster, "/status/history").iter().find(|entry| entry["state"] == "Completed")?;
        Some(release::minor(text(entry, "/version")))
    };
    cluster.and_then(|cluster| completed(&cluster)).unwrap_or_default()
}

/// Whether somebody has declared a later minor release ready.
fn is_ready(declared: &str, running: u64) -> bool {
    let mut parts = declared.trim_start_matches('v').split(['.', '-']);
    let (major, minor) = (parts.next(), parts.next().and_then(|minor| minor.parse::<u64>().ok()));
    major == Some("4") && minor.is_some_and(|minor| minor > running)
}

#[cfg(test)]
mod tests {
    use super::is_ready;

    #[test]
    fn the_annotation_names_a_later_minor_release() {
        assert!(is_ready("4.19.3", 18) && is_ready("v4.19", 18) && is_ready("4.20", 18));
        assert!(!is_ready("4.18.30", 18) && !is_ready("", 18) && !is_ready("soon", 18));
    }
}
