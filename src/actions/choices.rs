//! What can be named: targets and values to choose from, as far as the cluster tells; and how a line goes on.

use std::sync::Arc;

use kube::core::ObjectMeta;

use super::{Arg, ArgKind, Entry, Takes};
use crate::upgrade::assessment::Assessment;
use crate::upgrade::facts::Kind;

impl Entry {
    /// The targets that the cluster has, as they are written; empty where they are not known (their kind was not read).
    pub fn targets(&self, assessment: &Assessment) -> Vec<String> {
        match self.takes {
            Takes::Cluster => Vec::new(),
            Takes::Version => assessment.update.offers.iter().map(|offer| offer.version.clone()).collect(),
            Takes::Pool | Takes::Pools => assessment.pools.iter().map(|pool| pool.name.clone()).collect(),
            Takes::Nodes => assessment.nodes.iter().map(|node| node.name.clone()).collect(),
            Takes::Listed => listed(assessment),
            Takes::Objects { resource, namespaced, namespace, .. } => {
                objects(assessment, resource, namespaced, namespace)
            }
        }
    }

    /// How the last word of a line may go on: `given` are the words between the name of the action and it.
    pub fn completions(&self, given: &[String], last: &str, assessment: &Assessment) -> Vec<String> {
        let option = |word: &String| word.strip_prefix("--").map(str::to_owned);
        let named = |name: &str| self.args.iter().find(|arg| !arg.positional && arg.name == name);
        let valued = |arg: &&Arg| arg.kind != ArgKind::Flag;
        if let Some(arg) = given.last().and_then(option).and_then(|name| named(&name)).filter(valued) {
            return fitting(arg.choices.map(|choices| choices(assessment)).unwrap_or_default(), last, &[]);
        }
        if last.starts_with('-') {
            let fresh = |arg: &&Arg| !arg.positional && (arg.several || !given.contains(&format!("--{}", arg.name)));
            let options = self.args.iter().filter(fresh).map(|arg| format!("--{}", arg.name)).collect();
            return fitting(options, last, &[]);
        }
        let bare = self.bare(given);
        let behind: Vec<&Arg> = self.args.iter().filter(|arg| arg.positional).collect();
        let several = self.nouns().is_some_and(|nouns| nouns.several);
        let targets = if bare.is_empty() || several { self.targets(assessment) } else { Vec::new() };
        let place = bare.len().saturating_sub(self.named(bare.len(), &behind));
        let value = if bare.is_empty() && self.nouns().is_some_and(|nouns| nouns.required) {
            None
        } else {
            behind.get(place).or_else(|| behind.last().filter(|arg| arg.several))
        };
        let values = value.and_then(|arg| arg.choices).map(|choices| choices(assessment)).unwrap_or_default();
        let all: Vec<String> = targets.into_iter().chain(values).collect();
        fitting(all, last, &bare)
    }

    /// The words of `given` that are neither options nor their values.
    fn bare(&self, given: &[String]) -> Vec<String> {
        let mut bare = Vec::new();
        let mut words = given.iter();
        while let Some(word) = words.next() {
            match word.strip_prefix("--") {
                None => bare.push(word.clone()),
                Some(name) => {
                    let arg = self.args.iter().find(|arg| arg.name == name);
                    if arg.is_some_and(|arg| arg.kind != ArgKind::Flag) {
                        words.next();
                    }
                }
            }
        }
        bare
    }
}

/// The objects of the list that are known, by `KIND/NAME` or `KIND/NAMESPACE/NAME`.
fn listed(assessment: &Assessment) -> Vec<String> {
    let all = super::files::kinds::resources().into_iter().flat_map(|(resource, namespace)| {
        let plural = resource.split('.').next().unwrap_or_default().to_owned();
        let names = objects(assessment, &resource, !namespace.is_empty(), namespace).into_iter();
        let place = if namespace.is_empty() { String::new() } else { format!("{namespace}/") };
        names.map(move |name| format!("{plural}/{place}{name}")).collect::<Vec<_>>()
    });
    let mut all: Vec<String> = all.collect();
    all.sort();
    all.dedup();
    all
}

fn fitting(all: Vec<String>, last: &str, given: &[String]) -> Vec<String> {
    all.into_iter().filter(|name| name.starts_with(last) && !given.contains(name)).collect()
}

/// The objects of a resource that are known, by `NAME` or `NAMESPACE/NAME`.
fn objects(assessment: &Assessment, resource: &str, namespaced: bool, only: &str) -> Vec<String> {
    let around = &assessment.facts.around;
    let place = |of: &ObjectMeta| (of.namespace.clone().unwrap_or_default(), of.name.clone().unwrap_or_default());
    let mut found: Vec<(String, String)> = Vec::new();
    macro_rules! of {
        ($($kind:ident => $list:expr),* $(,)?) => {
            $(if resource == Kind::$kind.resource() {
                found.extend($list.iter().map(|object| place(&object.metadata)));
            })*
        };
    }
    of! {
        CertificateSigningRequests => around.certificate_signing_requests,
        Machines => around.machines,
        MachineHealthChecks => around.machine_health_checks,
        ConfigMaps => around.config_maps,
        ImageDigestMirrorSets => around.image_digest_mirror_sets,
        PinnedImageSets => around.pinned_image_sets,
        MachineOsConfigs => around.machine_os_configs,
        ClusterServiceVersions => around.cluster_service_versions,
        Subscriptions => around.subscriptions,
        InstallPlans => around.install_plans,
        PodDisruptionBudgets => around.pod_disruption_budgets,
    }
    if resource == Kind::Pods.resource() {
        let pods = around.pods.values().flat_map(|pods: &Arc<_>| pods.iter());
        found.extend(pods.map(|pod| place(&pod.metadata)));
    }
    found.sort();
    found
        .into_iter()
        .filter(|(namespace, _)| only.is_empty() || namespace == only)
        .map(|(namespace, name)| if namespaced && only.is_empty() { format!("{namespace}/{name}") } else { name })
        .collect()
}
