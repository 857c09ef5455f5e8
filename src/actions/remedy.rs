//! The actions that remedies lead to: what this program does of what the `oc` line of a remedy says.
//!
//! Belongs here: which line is which action, and what it is aimed at. A line that no action covers leads nowhere: it is
//! shown, and done elsewhere.

use super::pool_role::BUILT_IN;
use super::set_max_unavailable::NUMBER;
use super::{ActionId, Ask, Target, rebuild_image};
use crate::api::ibu_key;
use crate::upgrade::assessment::{Assessment, Remedy, Resource};
use crate::upgrade::root_credentials;

/// What an action of this program does, as the `oc` line of a remedy says it; what the line leaves open (`VERSION`,
/// `CHANNEL`) is left open in it, to be asked for.
pub fn covered(remedy: &Remedy, assessment: &Assessment) -> Option<Ask> {
    let line = remedy.oc.as_deref()?;
    let words: Vec<&str> = line.split_whitespace().filter(|word| !word.starts_with("--context")).collect();
    let known_nodes = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| name.trim_start_matches("node/").to_owned()).collect();
        let all = !names.is_empty() && names.iter().all(|name| assessment.node(name).is_some());
        all.then_some(Target::Nodes(names))
    };
    match words.as_slice() {
        ["oc", "adm", "cordon", names @ ..] => Some(Ask::new(ActionId::CordonNodes, known_nodes(names)?)),
        ["oc", "adm", "uncordon", names @ ..] => Some(Ask::new(ActionId::UncordonNodes, known_nodes(names)?)),
        ["oc", "adm", "upgrade", rest @ ..] => upgrade(rest, assessment),
        ["oc", "-n", "openshift-config", "patch", "configmap", "admin-acks", rest @ ..] => {
            let patch = rest.concat().replace(['\'', '"'], "");
            let (_, key) = patch.split_once("{data:{")?;
            let key = key.strip_suffix(":true}}")?;
            Some(Ask::new(ActionId::AckGate, Target::Cluster).with("key", key))
        }
        ["oc", "annotate", "cloudcredential", "cluster", .., said] => {
            let version = said.strip_prefix("cloudcredential.openshift.io/upgradeable-to=")?;
            // `VERSION` stands where the target is not known.
            let known = version.starts_with(|c: char| c.is_ascii_digit());
            let target = if known { Target::Version(version.to_owned()) } else { Target::Cluster };
            Some(Ask::new(ActionId::SetUpgradeableTo, target))
        }
        ["oc", "patch", "clusterversion", "version", rest @ ..]
            if rest.concat().contains("/spec/desiredUpdate/mode") =>
        {
            without_mode(assessment)
        }
        ["oc", "patch", "clusterversion", "version", rest @ ..] if rest.concat().contains("/spec/overrides") => {
            Some(Ask::new(ActionId::ClearOverrides, Target::Cluster))
        }
        ["oc", "adm", "drain", rest @ ..] => {
            let names: Vec<&str> = rest.iter().copied().filter(|word| !word.starts_with("--")).collect();
            Some(Ask::new(ActionId::DrainNodes, known_nodes(&names)?))
        }
        // Neither with a grace period of its own nor by force.
        ["oc", "delete", "pod", "-n", namespace, name] => {
            Some(Ask::new(ActionId::DeletePod, Target::Objects(vec![Resource::pod(namespace, name)])))
        }
        ["oc", "annotate", "machinehealthcheck", rest @ ..] if rest.ends_with(&["cluster.x-k8s.io/paused="]) => {
            Some(Ask::new(ActionId::PauseMhc, health_checks(rest)?))
        }
        ["oc", "adm", "certificate", "approve", names @ ..] if !names.is_empty() && !names.contains(&"NAME") => {
            let request = |name: &&str| Resource::cluster("certificatesigningrequests.certificates.k8s.io", name);
            Some(Ask::new(ActionId::ApproveCsr, Target::Objects(names.iter().map(request).collect())))
        }
        ["oc", "delete", "clusterserviceversion", "-n", "openshift-operator-lifecycle-manager", "packageserver"] => {
            Some(Ask::new(ActionId::DeletePackageserverCsv, Target::Cluster))
        }
        ["oc", "patch", "installplan", "-n", namespace, name, ..] => {
            let plan = Resource::namespaced("installplans.operators.coreos.com", namespace, name);
            Some(Ask::new(ActionId::ApproveInstallPlan, Target::Objects(vec![plan])))
        }
        ["oc", "apply", "-f", file] if file.starts_with("signature-") => {
            Some(Ask::new(ActionId::ApplySignature, Target::Cluster))
        }
        ["oc", "apply", "-f", file] if is_of_a_person(file) => Some(Ask::new(ActionId::ApplyFile, Target::Cluster)),
        ["oc", "patch" | "annotate", "imagebasedupgrade", "upgrade", rest @ ..] => image_based(rest),
        ["oc", "annotate", "machineosconfig", name, ..] => {
            let config = Resource::cluster(rebuild_image::RESOURCE, name);
            Some(Ask::new(ActionId::RebuildImage, Target::Objects(vec![config])))
        }
        ["oc", "label", "node", name, label] => moved(name, label, assessment),
        ["oc", "patch", rest @ ..] => patched_pool(rest, assessment),
        _ => None,
    }
}

/// Does the name stand for a file that a person has yet to name: a root secret of the cloud, what machines boot with?
fn is_of_a_person(file: &str) -> bool {
    file.strip_suffix(".yaml").is_some_and(|stem| stem == "user-data" || root_credentials::NAMES.contains(&stem))
}

/// A change of a pool: paused, unpaused, another `maxUnavailable`.
fn patched_pool(words: &[&str], assessment: &Assessment) -> Option<Ask> {
    let (pool, rest) = pool_of(words, assessment)?;
    let patch = rest.concat().replace(['\'', '"'], "");
    let (_, change) = patch.split_once("{spec:{")?;
    let change = change.strip_suffix("}}")?;
    let ask = |action| Some(Ask::new(action, Target::pool(pool.clone())));
    match change.split_once(':')? {
        ("paused", "false") => ask(ActionId::UnpausePool),
        ("paused", "true") => ask(ActionId::PausePool),
        ("maxUnavailable", number) => Some(ask(ActionId::SetMaxUnavailable)?.with(NUMBER, number)),
        _ => None,
    }
}

/// A stage of the image-based upgrade, or an annotation by which the agent looks again.
fn image_based(words: &[&str]) -> Option<Ask> {
    let line = words.concat().replace(['\'', '"'], "");
    let stage = line.split_once("{spec:{stage:").and_then(|(_, stage)| stage.strip_suffix("}}"));
    let action = match stage {
        Some("Idle") => ActionId::IbuIdle,
        Some("Prep") => ActionId::IbuPrep,
        Some("Upgrade") => ActionId::IbuUpgrade,
        Some("Rollback") => ActionId::IbuRollback,
        None if line.contains(ibu_key::MANUAL_CLEANUP) => ActionId::IbuManualCleanupDone,
        None if line.contains(ibu_key::TRIGGER) => ActionId::IbuTriggerReconcile,
        _ => return None,
    };
    Some(Ask::new(action, Target::Cluster))
}

/// A role label that is given or taken away (`node-role.kubernetes.io/infra-`): the pool that the node goes to by it,
/// where that is one.
fn moved(node: &str, label: &str, assessment: &Assessment) -> Option<Ask> {
    let role = label.strip_prefix("node-role.kubernetes.io/")?;
    let seen = assessment.node(node)?;
    let to = match (role.strip_suffix('='), role.strip_suffix('-')) {
        (Some(given), _) => given,
        (None, Some(taken)) => {
            let custom = assessment.pools.iter().map(|pool| pool.name.as_str()).filter(|pool| !BUILT_IN.contains(pool));
            let mut left = custom.filter(|pool| *pool != taken && seen.roles.iter().any(|role| role == pool));
            let one = left.next()?;
            if left.next().is_some() {
                return None;
            }
            one
        }
        (None, None) => return None,
    };
    // A control plane is not made, and not changed, by a label.
    if seen.roles.iter().any(|role| matches!(role.as_str(), "master" | "control-plane" | "arbiter")) {
        return None;
    }
    let known = assessment.pool(to).is_some_and(|pool| !pool.control_plane);
    known.then(|| Ask::new(ActionId::MoveNodes, Target::Nodes(vec![node.to_owned()])).with("pool", to))
}

/// The health checks that are annotated: `-n NAMESPACE NAME ...`, or all of them.
fn health_checks(words: &[&str]) -> Option<Target> {
    match words {
        ["--all", "-n", _, _] => Some(Target::Cluster),
        ["-n", namespace, name, _] => {
            let check = Resource::namespaced("machinehealthchecks.machine.openshift.io", namespace, name);
            Some(Target::Objects(vec![check]))
        }
        _ => None,
    }
}

/// `oc adm upgrade` with these words.
fn upgrade(words: &[&str], assessment: &Assessment) -> Option<Ask> {
    let cluster = |action| Some(Ask::new(action, Target::Cluster));
    let version = match words {
        ["--clear"] => return cluster(ActionId::ClearUpdate),
        ["--to-multi-arch"] => return cluster(ActionId::MigrateMultiArch),
        ["channel", channel] => {
            let ask = Ask::new(ActionId::SetChannel, Target::Cluster);
            // `stable-4.y` and `CHANNEL` stand for one that the person has to choose.
            let named = channel.contains('-') && channel.ends_with(|c: char| c.is_ascii_digit());
            return Some(if named { ask.with("channel", *channel) } else { ask });
        }
        ["--to=VERSION"] => return cluster(ActionId::StartUpdate),
        // Which image is for the person to say.
        [image, ..] if image.starts_with("--to-image=") => {
            return Some(Ask::new(ActionId::StartUpdate, Target::Cluster).with("allow-explicit", ""));
        }
        ["--to", version] => *version,
        [flag] => flag.strip_prefix("--to=")?,
        _ => return None,
    };
    let offered = assessment.update.offers.iter().any(|offer| offer.version == version);
    offered.then(|| Ask::new(ActionId::StartUpdate, Target::Version(version.to_owned())))
}

/// What is requested as a preflight, to be applied.
fn without_mode(assessment: &Assessment) -> Option<Ask> {
    let wanted = assessment.facts.cluster_version.as_deref()?.spec.desired_update.as_ref()?;
    if !wanted.version.is_empty() {
        return Some(Ask::new(ActionId::StartUpdate, Target::Version(wanted.version.clone())));
    }
    let by_image = Ask::new(ActionId::StartUpdate, Target::Cluster).with("image", wanted.image.clone());
    (!wanted.image.is_empty()).then(|| by_image.with("allow-explicit", ""))
}

/// The pool that a patch is for, and what follows it: `mcp/worker ...` or `mcp worker ...`.
fn pool_of<'w>(words: &'w [&'w str], assessment: &Assessment) -> Option<(String, &'w [&'w str])> {
    let (first, rest) = words.split_first()?;
    let (kind, name, rest) = match first.split_once('/') {
        Some((kind, name)) => (kind, name, rest),
        None => (*first, *rest.first()?, &rest[1..]),
    };
    let pools =
        ["mcp", "machineconfigpool", "machineconfigpools", "machineconfigpools.machineconfiguration.openshift.io"];
    (pools.contains(&kind) && assessment.pool(name).is_some()).then(|| (name.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upgrade::danger::Danger;
    use crate::upgrade::specimen::Specimen;

    fn line(oc: &str) -> Option<String> {
        let remedy = Remedy::change(Danger::M, "Do it.").oc(oc);
        covered(&remedy, &Specimen::rolling().assess(30)).map(|ask| ask.line())
    }

    #[test]
    fn what_an_action_covers_is_done_from_the_finding() {
        let cases = [
            ("oc patch mcp worker --type merge -p '{\"spec\":{\"maxUnavailable\":2}}'", "set-max-unavailable worker 2"),
            (
                "oc patch machineconfigpool worker --type=merge --patch '{\"spec\":{\"paused\":true}}'",
                "pause-pool worker",
            ),
            ("oc patch imagebasedupgrade upgrade --type=merge -p '{\"spec\":{\"stage\":\"Idle\"}}'", "ibu-idle"),
            (
                "oc patch imagebasedupgrade upgrade --type=merge -p '{\"spec\":{\"stage\":\"Rollback\"}}'",
                "ibu-rollback",
            ),
            ("oc annotate imagebasedupgrade upgrade lca.openshift.io/manual-cleanup-done=", "ibu-manual-cleanup-done"),
            (
                "oc annotate imagebasedupgrade upgrade --overwrite lca.openshift.io/trigger-reconcile=again",
                "ibu-trigger-reconcile",
            ),
            (
                "oc annotate machineosconfig infra machineconfiguration.openshift.io/rebuild= --overwrite",
                "rebuild-image infra",
            ),
            ("oc label node worker-1 node-role.kubernetes.io/worker=", "move-nodes worker-1 --pool worker"),
            ("oc adm upgrade --to=VERSION", "start-update"),
            ("oc apply -f signature-sha256-DIGEST.yaml", "apply-signature"),
            ("oc apply -f aws-creds.yaml", "apply-file"),
            ("oc apply -f user-data.yaml", "apply-file"),
            (
                "oc patch clusterversion version --type=json --patch '[{\"op\":\"remove\",\"path\":\"/spec/overrides\"}]'",
                "clear-overrides",
            ),
        ];
        for (oc, wish) in cases {
            assert_eq!(line(oc).as_deref(), Some(wish), "{oc}");
        }
    }

    #[test]
    fn what_no_action_covers_leads_nowhere() {
        for oc in [
            "oc label node master-0 node-role.kubernetes.io/infra-",
            "oc label node worker-1 node-role.kubernetes.io/nowhere=",
            "oc label node worker-1 zone=b",
            "oc apply -f anything.yaml",
            "oc patch mcp nowhere --type merge -p '{\"spec\":{\"paused\":false}}'",
            "oc patch mcp worker --type merge -p '{\"spec\":{\"nodeSelector\":{}}}'",
            "oc patch pdb -n shop cart --type merge -p '{\"spec\":{\"maxUnavailable\":1}}'",
            "oc delete pod -n shop cart-0 --grace-period=0 --force",
        ] {
            assert_eq!(line(oc), None, "{oc}");
        }
    }
}
