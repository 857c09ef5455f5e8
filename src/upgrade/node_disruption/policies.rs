//! Which policy a file, a unit or a key follows.

use super::{Impact, POLICIES_SINCE, REBOOTLESS_SINCE, Rules};
use crate::api::{DisruptionAction, FileDisruption, NodeDisruptionPolicies};

/// The global pull secret (mco: pkg/daemon/constants/constants.go, `KubeletAuthFile`).
pub const KUBELET_AUTH: &str = "/var/lib/kubelet/config.json";
/// Where images come from (`ContainerRegistryConfPath`).
pub const REGISTRIES: &str = "/etc/containers/registries.conf";
/// Certificates that all trust (`UserCABundlePath`).
pub const USER_CA: &str = "/etc/pki/ca-trust/source/anchors/openshift-config-user-ca-bundle.crt";

/// What is done for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Always the same.
    Does(Impact),
    /// registries.conf: drained unless mirrors by digest are only added.
    Registries,
}

/// A file, or a folder with all below it, and what holds for it without a policy of the cluster.
struct BuiltIn {
    path: &'static str,
    rule: Rule,
    /// The first minor release in which it surely holds; earlier ones are taken to reboot.
    since: (u64, u64),
}

/// `calculatePostConfigChangeActionFromMCDiffs` up to 4.16, `defaultClusterPolicies` (pkg/apihelpers/apihelpers.go) after.
const BUILT_IN: [BuiltIn; 10] = [
    BuiltIn { path: KUBELET_AUTH, rule: Rule::Does(Impact::None), since: REBOOTLESS_SINCE },
    BuiltIn { path: REGISTRIES, rule: Rule::Registries, since: REBOOTLESS_SINCE },
    BuiltIn { path: "/etc/kubernetes/kubelet-ca.crt", rule: Rule::Does(Impact::None), since: (4, 8) },
    BuiltIn { path: "/etc/machine-config-daemon/no-reboot/containers-gpg.pub", rule: SERVICE, since: (4, 10) },
    BuiltIn { path: "/etc/containers/policy.json", rule: SERVICE, since: (4, 10) },
    BuiltIn { path: "/etc/mco/internal-registry-pull-secret.json", rule: Rule::Does(Impact::None), since: (4, 16) },
    BuiltIn { path: "/etc/containers/registries.d", rule: SERVICE, since: POLICIES_SINCE },
    BuiltIn { path: "/etc/nmstate/openshift", rule: Rule::Does(Impact::None), since: POLICIES_SINCE },
    BuiltIn { path: USER_CA, rule: SERVICE, since: POLICIES_SINCE },
    BuiltIn { path: "/etc/crio/policies", rule: SERVICE, since: (4, 18) },
];
const SERVICE: Rule = Rule::Does(Impact::Service);

/// What a change of the file at `path` follows.
pub(super) fn of_file(path: &str, rules: &Rules) -> Rule {
    match rules.policies {
        Some(policies) => by_policy(path, policies),
        None => built_in(path, rules),
    }
}

/// The policy of the file itself, or of the closest folder that has one (pkg/controller/common/helpers.go,
/// `FindClosestFilePolicyPathMatch`); without one the node reboots.
fn by_policy(path: &str, policies: &NodeDisruptionPolicies) -> Rule {
    let covering = policies.files.iter().filter(|policy| covers(&policy.path, path));
    let Some(FileDisruption { actions, .. }) = covering.max_by_key(|policy| policy.path.len()) else {
        return Rule::Does(Impact::Reboot);
    };
    // The reserved action of registries.conf; next to a drain or a reboot it adds nothing.
    let impact = worst(actions);
    let special = actions.iter().any(|action| action.kind == "Special");
    if special && impact < Impact::Drain { Rule::Registries } else { Rule::Does(impact) }
}

fn built_in(path: &str, rules: &Rules) -> Rule {
    let Some(minor) = rules.minor else { return Rule::Does(Impact::Reboot) };
    let found = BUILT_IN.iter().find(|known| covers(known.path, path)).filter(|known| minor >= known.since);
    found.map_or(Rule::Does(Impact::Reboot), |known| known.rule)
}

/// Is `path` the one of the policy, or below it?
fn covers(policy: &str, path: &str) -> bool {
    let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    !policy.is_empty() && path.strip_prefix(policy.trim_end_matches('/')).is_some_and(below)
}

/// What a change of a unit does: units have policies since there are any, and the release brings none for units.
pub(super) fn of_unit(name: &str, rules: &Rules) -> Impact {
    let units = rules.policies.map_or(&[][..], |policies| policies.units.as_slice());
    units.iter().find(|policy| policy.name == name).map_or(Impact::Reboot, |policy| worst(&policy.actions))
}

/// What a change of users, keys or passwords does: all of them follow the policy for SSH keys.
pub(super) fn of_users(rules: &Rules) -> Impact {
    match (rules.policies, rules.minor) {
        (Some(policies), _) => worst(&policies.ssh_key.actions),
        (None, Some(minor)) if minor >= REBOOTLESS_SINCE => Impact::None,
        (None, _) => Impact::Reboot,
    }
}

/// The worst of several actions; `Special` is none of them. An action that is not known is taken for the worst.
fn worst(actions: &[DisruptionAction]) -> Impact {
    let one = |action: &DisruptionAction| match action.kind.as_str() {
        "None" | "Special" => Impact::None,
        "Drain" => Impact::Drain,
        "Reload" | "Restart" | "DaemonReload" => Impact::Service,
        _ => Impact::Reboot,
    };
    actions.iter().map(one).max().unwrap_or(Impact::None)
}
