//! The roles that README names permit what the actions need.

use oc_cockpit::actions::{ActionId, permissions};
use oc_cockpit::upgrade::access::Permission;
use oc_cockpit::upgrade::root_credentials;
use serde_json::Value;

/// Does a rule of `roles` permit it?
fn permits(roles: &[Value], permission: &Permission) -> bool {
    roles.iter().any(|role| {
        let namespace = role.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
        if !namespace.is_empty() && namespace != permission.namespace {
            return false;
        }
        let lists = |rule: &Value, field: &str, wanted: &str| {
            rule[field].as_array().is_some_and(|all| all.iter().any(|one| one == wanted))
        };
        let resource = match permission.subresource {
            "" => permission.resource.to_owned(),
            sub => format!("{}/{sub}", permission.resource),
        };
        role["rules"].as_array().into_iter().flatten().any(|rule| {
            lists(rule, "verbs", permission.verb)
                && lists(rule, "apiGroups", permission.group)
                && lists(rule, "resources", &resource)
                && (rule.get("resourceNames").is_none() || lists(rule, "resourceNames", permission.name))
        })
    })
}

#[test]
fn the_roles_for_driving_permit_every_action() {
    let file = |name: &str| format!("{}/assets/rbac/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let roles = oc_cockpit::snapshot::read(["viewer", "driver", "around", "files"].map(file));
    assert_eq!(roles.broken, []);
    for permission in permissions() {
        let needed: Vec<&str> =
            ActionId::ALL.iter().filter(|id| id.permissions().contains(&permission)).map(|id| id.name()).collect();
        assert!(permits(&roles.objects, &permission), "{} for {}", permission.words(), needed.join(", "));
    }
}

#[test]
fn the_role_for_files_permits_the_secrets_that_are_applied_and_no_others() {
    let roles = oc_cockpit::snapshot::read([format!("{}/assets/rbac/files.yaml", env!("CARGO_MANIFEST_DIR"))]);
    assert_eq!(roles.broken, []);
    let secrets = |verb, namespace| Permission::cluster(verb, "", "secrets").in_namespace(namespace);
    let (roots, machines) = (root_credentials::NAMESPACE, "openshift-machine-api");
    for verb in ["get", "patch"] {
        for name in root_credentials::NAMES {
            assert!(permits(&roles.objects, &secrets(verb, roots).named(name)), "{verb} {name}");
        }
        assert!(!permits(&roles.objects, &secrets(verb, roots).named("kubeadmin")), "{verb}");
        assert!(permits(&roles.objects, &secrets(verb, machines)), "{verb}");
    }
    for namespace in [roots, machines] {
        assert!(permits(&roles.objects, &secrets("create", namespace)), "{namespace}");
        assert!(!permits(&roles.objects, &secrets("delete", namespace)), "{namespace}");
    }
    assert!(permits(
        &roles.objects,
        &Permission::cluster("list", "machine.openshift.io", "machinesets").in_namespace(machines)
    ));
}
