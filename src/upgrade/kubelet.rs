//! Which kubelet belongs to the release, and which nodes run an older one. It is the only sign of the operating system of
//! nodes that the machine-config operator does not bring to the release.

use semver::Version;

use super::assessment::{Assessment, Node, NodePhase};
use super::version::kubernetes_minor;

/// The node's kubelet version; none: it says none, or none that can be read.
pub fn of(node: &Node) -> Option<Version> {
    parse(node.kubelet.as_deref()?)
}

/// `v1.31.9+abc`: what follows the plus is of no importance.
fn parse(version: &str) -> Option<Version> {
    let version = version.strip_prefix('v').unwrap_or(version);
    let mut version = Version::parse(version.split(['+', '-']).next()?).ok()?;
    version.build = semver::BuildMetadata::EMPTY;
    Some(version)
}

/// The Kubernetes minor of the release: as the operator `kube-apiserver` reports, else by the rule that 4.y carries
/// 1.(y+13).
fn minor(assessment: &Assessment) -> Option<u64> {
    let operators = &assessment.facts.operators;
    let at = operators.binary_search_by(|operator| operator.name().cmp("kube-apiserver")).ok();
    let told = at.filter(|_| assessment.operator("kube-apiserver").is_some_and(|row| row.updated));
    let told = told.and_then(|at| parse(operators[at].version("kube-apiserver")?));
    told.map(|version| version.minor).or_else(|| {
        let release = Version::parse(assessment.update.to.as_deref()?).ok()?;
        kubernetes_minor(release.major, release.minor)
    })
}

/// What nodes of the release run.
pub struct Wanted {
    minor: Option<u64>,
    /// The newest kubelet of a node that is done and whose operating system is the release's.
    newest: Option<Version>,
}

impl Wanted {
    /// By the release and by the nodes that are at it.
    pub fn by(assessment: &Assessment) -> Self {
        let mut texts: Vec<&str> = Vec::new();
        for node in assessment.nodes.iter().filter(|node| node.phase == NodePhase::Done && node.outside.is_none()) {
            if let Some(kubelet) = node.kubelet.as_deref()
                && texts.last() != Some(&kubelet)
                && !texts.contains(&kubelet)
            {
                texts.push(kubelet);
            }
        }
        Self { minor: minor(assessment), newest: texts.into_iter().filter_map(parse).max() }
    }

    /// Does the node run an older kubelet than the release's? Nodes of the release may differ in the patch: packages of
    /// operators and of the operating system are built apart. None: the node tells no version that can be read, which is
    /// neither old nor new.
    pub fn lags(&self, node: &Node) -> Option<bool> {
        let kubelet = of(node)?;
        let old_minor = self.minor.is_some_and(|minor| kubelet.major == 1 && kubelet.minor < minor);
        let old_patch = node.outside.is_some() && self.newest.as_ref().is_some_and(|newest| kubelet < *newest);
        Some(old_minor || old_patch)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::upgrade::assessment::Outside;
    use crate::upgrade::specimen::Specimen;
    use serde_json::json;

    fn lagging(cluster: &Specimen) -> Vec<String> {
        let assessment = cluster.assess(100);
        let wanted = Wanted::by(&assessment);
        assessment.nodes.iter().filter(|node| wanted.lags(node) == Some(true)).map(|node| node.name.clone()).collect()
    }

    #[test]
    fn the_release_says_which_minor_belongs_to_it() {
        let mut cluster = Specimen::finished();
        assert_eq!(lagging(&cluster), [] as [&str; 0]);
        cluster.node("worker-1")["status"]["nodeInfo"]["kubeletVersion"] = json!("v1.31.9+f67aeb3");
        assert_eq!(lagging(&cluster), ["worker-1"]);
        cluster.node("worker-1")["status"]["nodeInfo"]["kubeletVersion"] = json!("v1.32.5");
        assert_eq!(lagging(&cluster), [] as [&str; 0], "a patch apart is no sign of anything");
        cluster.operator("kube-apiserver")["status"]["versions"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "kube-apiserver", "version": "1.33.1"}));
        assert_eq!(lagging(&cluster).len(), 6, "what the operator says counts");
    }

    #[test]
    fn a_node_that_tells_no_version_is_neither_behind_nor_up_to_date() {
        for told in [json!(null), json!(""), json!("unknown")] {
            let mut cluster = Specimen::finished();
            cluster.node("worker-1")["status"]["nodeInfo"]["kubeletVersion"] = told;
            let assessment = cluster.assess(100);
            let wanted = Wanted::by(&assessment);
            assert_eq!(wanted.lags(assessment.node("worker-1").unwrap()), None);
            assert_eq!(wanted.lags(assessment.node("worker-0").unwrap()), Some(false));
        }
    }

    #[test]
    fn rhel_is_told_by_its_name_and_judged_to_the_patch() {
        let mut cluster = Specimen::finished();
        cluster.node("worker-1")["status"]["nodeInfo"] =
            json!({"kubeletVersion": "v1.32.5", "osImage": "Red Hat Enterprise Linux 8.10 (Ootpa)"});
        cluster.node("worker-2")["status"]["nodeInfo"]["osImage"] =
            json!("Red Hat Enterprise Linux CoreOS 419.96.202507 (Plow)");
        let assessment = cluster.assess(100);
        let outside = ["worker-1", "worker-2"].map(|name| assessment.node(name).unwrap().outside);
        assert_eq!(outside, [Some(Outside::Rhel), None]);
        assert_eq!(lagging(&cluster), ["worker-1"]);
    }

    #[test]
    fn an_overridden_image_is_told_by_the_rendered_config() {
        let mut cluster = Specimen::finished();
        for config in &mut cluster.machine_configs {
            if config["metadata"]["name"] == "rendered-worker-4.19.3" {
                config["metadata"]["annotations"]["machineconfiguration.openshift.io/os-image-url-overridden"] =
                    json!("true");
            }
        }
        let assessment = cluster.assess(100);
        assert_eq!(assessment.node("worker-0").unwrap().outside, Some(Outside::OverriddenImage));
        assert_eq!(assessment.node("master-0").unwrap().outside, None);
    }
}
