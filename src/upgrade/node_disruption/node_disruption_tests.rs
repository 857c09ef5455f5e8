//! What a change does to a node, by release, policy and content: as the machine-config daemon does it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde::Deserialize as _;
use serde_json::{Value, json};

use super::*;
use crate::api::MachineConfiguration;
use crate::upgrade::specimen::{OLD, Specimen, rendered};

fn policies(own: &Value) -> NodeDisruptionPolicies {
    let object = json!({ "status": { "nodeDisruptionPolicyStatus": { "clusterPolicies": own } } });
    MachineConfiguration::deserialize(object).unwrap().status.node_disruption.policies.unwrap()
}

/// Policies of a cluster: some of people, some of the release.
fn some_policies() -> NodeDisruptionPolicies {
    policies(&json!({
        "files": [
            { "path": "/etc/chrony.conf", "actions": [{ "type": "Restart", "restart": { "serviceName": "chronyd" } }] },
            { "path": "/etc/mine", "actions": [{ "type": "Drain" }] },
            { "path": "/etc/mine/quiet.conf", "actions": [{ "type": "None" }] },
            { "path": "/etc/both", "actions": [{ "type": "Reload" }, { "type": "Drain" }] },
            { "path": "/etc/loud", "actions": [{ "type": "Reboot" }] },
            { "path": "/etc/strange", "actions": [{ "type": "Explode" }] },
            { "path": REGISTRIES, "actions": [{ "type": "Special" }] },
        ],
        "units": [{ "name": "mine.service", "actions": [{ "type": "DaemonReload" }] }],
        "sshkey": { "actions": [{ "type": "Drain" }] },
    }))
}

fn release(minor: u64) -> Rules<'static> {
    Rules { minor: Some((4, minor)), policies: None, layered: false }
}

fn file(path: &str) -> Value {
    json!({ "config": { "storage": { "files": [{ "path": path, "contents": { "source": "data:,x" } }] } } })
}

fn comes(spec: &Value, rules: &Rules) -> Impact {
    of_spec(&json!({}), spec, rules).impact()
}

#[test]
fn files_follow_the_closest_policy() {
    let own = some_policies();
    let rules = Rules { policies: Some(&own), ..release(18) };
    for (path, impact) in [
        ("/etc/chrony.conf", Impact::Service),
        ("/etc/chrony.conf.d/x", Impact::Reboot),
        ("/etc/mine/a.conf", Impact::Drain),
        ("/etc/mine/quiet.conf", Impact::None),
        ("/etc/minerals", Impact::Reboot),
        ("/etc/both", Impact::Drain),
        ("/etc/loud", Impact::Reboot),
        ("/etc/strange", Impact::Reboot),
        ("/etc/other", Impact::Reboot),
        ("/etc/containers/policy.json", Impact::Reboot),
    ] {
        assert_eq!(comes(&file(path), &rules), impact, "{path}");
    }
}

#[test]
fn units_and_users_follow_their_policies() {
    let own = some_policies();
    let unit = |name: &str| json!({ "config": { "systemd": { "units": [{ "name": name, "enabled": true }] } } });
    let core = json!({ "config": { "passwd": { "users": [{ "name": "core", "passwordHash": "h" }] } } });
    let with = Rules { policies: Some(&own), ..release(18) };
    assert_eq!(comes(&unit("mine.service"), &with), Impact::Service);
    assert_eq!(comes(&unit("other.service"), &with), Impact::Reboot);
    assert_eq!(comes(&core, &with), Impact::Drain, "passwords follow the policy for keys");
    for (minor, impact) in [(6, Impact::Reboot), (7, Impact::None), (16, Impact::None), (19, Impact::None)] {
        assert_eq!(comes(&core, &release(minor)), impact, "4.{minor}");
        assert_eq!(comes(&unit("mine.service"), &release(minor)), Impact::Reboot, "4.{minor}");
    }
}

#[test]
fn without_policies_the_release_decides() {
    let known = [
        (KUBELET_AUTH, 7, Impact::None),
        ("/etc/kubernetes/kubelet-ca.crt", 8, Impact::None),
        ("/etc/machine-config-daemon/no-reboot/containers-gpg.pub", 10, Impact::Service),
        ("/etc/containers/policy.json", 10, Impact::Service),
        ("/etc/mco/internal-registry-pull-secret.json", 16, Impact::None),
        ("/etc/containers/registries.d/a.yaml", 17, Impact::Service),
        ("/etc/nmstate/openshift/cluster.yml", 17, Impact::None),
        (USER_CA, 17, Impact::Service),
        ("/etc/crio/policies/shop.json", 18, Impact::Service),
    ];
    for (path, since, impact) in known {
        for minor in 6..20 {
            let expected = if minor >= since { impact } else { Impact::Reboot };
            assert_eq!(comes(&file(path), &release(minor)), expected, "{path} on 4.{minor}");
        }
        assert_eq!(comes(&file(path), &Rules::default()), Impact::Reboot, "{path} where the release is not known");
    }
    assert_eq!(comes(&file("/etc/other"), &release(16)), Impact::Reboot);
}

#[test]
fn what_no_policy_can_spare_reboots() {
    let own = some_policies();
    for (spec, words) in [
        (json!({ "kernelArguments": ["nosmt"] }), "kernel arguments"),
        (json!({ "extensions": ["usbguard"] }), "extensions"),
        (json!({ "kernelType": "realtime" }), "kernel type"),
        (json!({ "osImageURL": "quay.io/x@sha256:1" }), "OS image"),
    ] {
        let judged = of_spec(&json!({}), &spec, &Rules { policies: Some(&own), ..release(18) });
        assert_eq!((judged.impact(), judged.reasons().as_str()), (Impact::Reboot, words));
    }
    let order =
        of_spec(&json!({ "kernelArguments": ["a", "b"] }), &json!({ "kernelArguments": ["b", "a"] }), &release(18));
    assert_eq!(order.impact(), Impact::Reboot, "the order of kernel arguments matters");
}

#[test]
fn the_absent_the_empty_and_the_default_are_the_same() {
    let (old, new) = (
        json!({ "kernelType": "", "kernelArguments": null, "fips": false }),
        json!({ "kernelType": "default", "kernelArguments": [], "extensions": [], "config": { "passwd": {} } }),
    );
    assert!(of_spec(&old, &new, &release(18)).is_nothing());
}

#[test]
fn only_what_differs_counts_and_a_deletion_counts_as_much() {
    let config = json!({ "spec": file("/etc/other") });
    assert!(of_machine_config(Some(&config), Some(&config), &release(18)).is_nothing());
    let judged = of_machine_config(Some(&config), None, &release(18));
    assert_eq!((judged.impact(), judged.reasons().as_str()), (Impact::Reboot, "file /etc/other"));
}

#[test]
fn an_installed_node_cannot_change_everything() {
    let users = |user: Value| json!({ "config": { "passwd": { "users": [user] } } });
    let appended = json!({ "config": { "storage": { "files": [
        { "path": "/etc/a", "append": [{ "source": "data:,x" }] }] } } });
    for (spec, words) in [
        (json!({ "fips": true }), "FIPS mode"),
        (json!({ "config": { "storage": { "disks": [{ "device": "/dev/sda" }] } } }), "disks"),
        (json!({ "config": { "storage": { "directories": [{ "path": "/a" }] } } }), "directories"),
        (json!({ "config": { "storage": { "links": [{ "path": "/a" }] } } }), "links"),
        (json!({ "config": { "passwd": { "groups": [{ "name": "g" }] } } }), "groups of users"),
        (users(json!({ "name": "eve" })), "users other than core"),
        (users(json!({ "name": "core", "shell": "/bin/zsh" })), "more of user core than keys and password"),
        (appended, "appending to /etc/a"),
    ] {
        assert_eq!(of_spec(&json!({}), &spec, &release(18)).impossible, [words], "{spec}");
        let goes = of_spec(&spec, &json!({}), &release(18)).impossible;
        let may_go =
            ["links", "users other than core", "more of user core than keys and password", "appending to /etc/a"];
        assert_eq!(goes.is_empty(), may_go.contains(&words), "{words} that goes");
    }
}

#[test]
fn nodes_with_an_image_of_their_own_follow_no_policy() {
    let own = some_policies();
    let rules = Rules { policies: Some(&own), layered: true, ..release(18) };
    assert_eq!(comes(&file("/etc/mine/quiet.conf"), &rules), Impact::Reboot);
    let keys = json!({ "config": { "passwd": { "users": [{ "name": "core", "sshAuthorizedKeys": ["k"] }] } } });
    assert_eq!(comes(&keys, &rules), Impact::Reboot);
    assert_eq!(
        comes(&file(KUBELET_AUTH), &Rules { policies: None, ..rules }),
        Impact::None,
        "the pull secret is no part"
    );
}

/// A configuration whose registries.conf has these lines.
fn registries(lines: &str) -> Value {
    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.encode(lines);
    let source = format!("data:text/plain;charset=utf-8;base64,{data}");
    json!({ "config": { "storage": { "files": [{ "path": REGISTRIES, "contents": { "source": source } }] } } })
}

fn registry(location: &str, more: &str, mirrors: &[(&str, &str)]) -> String {
    let mut text = format!("[[registry]]\n  prefix = \"\"\n  location = \"{location}\"\n{more}\n");
    for (mirror, pulls) in mirrors {
        text += &format!("\n  [[registry.mirror]]\n    location = \"{mirror}\"\n");
        if !pulls.is_empty() {
            text += &format!("    pull-from-mirror = \"{pulls}\"\n");
        }
    }
    text
}

#[test]
fn mirrors_by_digest_that_are_only_added_spare_the_drain() {
    let head = "unqualified-search-registries = [\"a.example\", \"docker.io\"]\nshort-name-mode = \"\"\n\n";
    let one = registry("quay.io/x", "", &[("m.example/x", "digest-only")]);
    let from = format!("{head}{one}");
    let table: [(&str, String, Impact); 11] = [
        (
            "a mirror comes",
            format!(
                "{head}{}",
                registry("quay.io/x", "", &[("m.example/x", "digest-only"), ("n.example/x", "digest-only")])
            ),
            Impact::Service,
        ),
        (
            "a source comes",
            format!("{head}{one}{}", registry("quay.io/y", "", &[("m.example/y", "digest-only")])),
            Impact::Service,
        ),
        (
            "an older way to say by digest",
            format!("{head}{one}{}", registry("quay.io/y", "  mirror-by-digest-only = true", &[("m.example/y", "")])),
            Impact::Service,
        ),
        (
            "a mirror by tag comes",
            format!(
                "{head}{}",
                registry("quay.io/x", "", &[("m.example/x", "digest-only"), ("n.example/x", "tag-only")])
            ),
            Impact::Drain,
        ),
        (
            "a source by any pull comes",
            format!("{head}{one}{}", registry("quay.io/y", "", &[("m.example/y", "")])),
            Impact::Drain,
        ),
        (
            "a mirror is asked for more",
            format!("{head}{}", registry("quay.io/x", "", &[("m.example/x", "tag-only")])),
            Impact::Drain,
        ),
        ("a mirror goes", format!("{head}{}", registry("quay.io/x", "", &[])), Impact::Drain),
        ("the source goes", head.to_owned(), Impact::Drain),
        (
            "the source is blocked",
            format!("{head}{}", registry("quay.io/x", "  blocked = true", &[("m.example/x", "digest-only")])),
            Impact::Drain,
        ),
        (
            "another registry is searched first",
            format!("unqualified-search-registries = [\"b.example\", \"a.example\", \"docker.io\"]\n{one}"),
            Impact::Drain,
        ),
        ("it is not understood", format!("{from}\n[aliases]\n"), Impact::Drain),
    ];
    for (words, to, impact) in table {
        let (old, new) = (registries(&from), registries(&to));
        for rules in [release(8), release(18)] {
            assert_eq!(of_spec(&old, &new, &rules).impact(), impact, "{words}");
        }
        assert_eq!(of_spec(&old, &new, &release(7)).impact(), Impact::Drain, "{words}, on 4.7");
        assert_eq!(of_spec(&old, &new, &release(6)).impact(), Impact::Reboot, "{words}, on 4.6");
        let own = some_policies();
        let rules = Rules { policies: Some(&own), ..release(18) };
        assert_eq!(of_spec(&old, &new, &rules).impact(), impact, "{words}, by the reserved action");
        let layered = of_spec(&old, &new, &Rules { layered: true, ..release(18) }).impact();
        assert_eq!(layered == Impact::Reboot, impact == Impact::Drain, "{words}, on layered nodes");
    }
}

#[test]
fn all_that_differs_is_named_and_the_worst_of_it_apart() {
    let old = json!({});
    let mut new = file("/etc/kubernetes/kubelet-ca.crt");
    new["config"]["storage"]["files"].as_array_mut().unwrap().push(json!({ "path": "/etc/containers/policy.json" }));
    new["config"]["passwd"] = json!({ "users": [{ "name": "core", "sshAuthorizedKeys": ["k"] }] });
    let judged = of_spec(&old, &new, &release(16));
    assert_eq!(
        judged.differences(),
        "files /etc/containers/policy.json, /etc/kubernetes/kubelet-ca.crt; users or their SSH keys"
    );
    assert_eq!((judged.impact(), judged.reasons().as_str()), (Impact::Service, "file /etc/containers/policy.json"));
}

#[test]
fn another_release_reboots_and_another_configuration_of_the_same_is_to_be_compared() {
    let cluster = Specimen::rolling();
    let assessment = cluster.assess(40);
    let worker = assessment.pool("worker").unwrap();
    assert_eq!(of_pending(&assessment, worker), Some(Impact::Reboot));

    let mut cluster = Specimen::idle();
    let other = format!("{}-2", rendered("worker", OLD));
    let mut config = cluster.machine_configs[2].clone();
    config["metadata"]["name"] = json!(other);
    cluster.machine_configs.push(config);
    let assessment = cluster.assess(40);
    assert_eq!(of_pending(&assessment, assessment.pool("worker").unwrap()), None, "nothing is pending");
    cluster.pool("worker")["spec"]["configuration"]["name"] = json!(other);
    let assessment = cluster.assess(40);
    let worker = assessment.pool("worker").unwrap();
    assert!(worker.outdated());
    assert_eq!(of_pending(&assessment, worker), None, "whether it reboots depends on what changed");
}
