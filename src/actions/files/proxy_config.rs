//! `Proxy/cluster`: the way out of the cluster, and the certificates that everything on it trusts.

use serde_json::Value;

use super::kinds::Role;
use super::registry_ca::{USER_BUNDLE, named};
use crate::actions::Refusal;
use crate::actions::raw::{items, text};
use crate::actions::request::PROXIES;
use crate::upgrade::node_disruption::USER_CA;

/// Where nodes have the proxy from (machine-config-operator, templates/common/_base/files/etc-mco-proxy.yaml; the
/// services on nodes name it as their `EnvironmentFile`). What is in it comes from `status`, which the network operator
/// fills with what it found valid.
const ENVIRONMENT: &str = "/etc/mco/proxy.env";
/// Fields that end up there.
const WAYS: [&str; 3] = [PROXIES[0], PROXIES[1], "/spec/noProxy"];

/// Would the network operator take it? What it would not take leaves it degraded (InvalidProxyConfig), and the old proxy
/// in force (cluster-network-operator, pkg/controller/proxyconfig/validation.go, `ValidateProxyConfig`). Whether names can
/// be resolved and ends be reached it finds out itself.
///
/// # Errors
/// Why not.
pub(super) fn check(words: &str, would_be: &Value) -> Result<(), Refusal> {
    let refuse = |why: &str| Err(Refusal(format!("{words} {why}: the network operator would not take it")));
    let (http, https) = (text(would_be, WAYS[0]), text(would_be, WAYS[1]));
    if !http.is_empty() && !http.starts_with("http://") {
        return refuse("has a spec.httpProxy that does not begin with http://");
    }
    if !https.is_empty() && !https.starts_with("http://") && !https.starts_with("https://") {
        return refuse("has a spec.httpsProxy that begins with neither http:// nor https://");
    }
    let ends = items(would_be, "/spec/readinessEndpoints");
    let secure = |end: &Value| end.as_str().is_some_and(|end| end.starts_with("https://"));
    if ends.iter().any(secure) && named(Role::Proxy, would_be).is_empty() {
        return refuse("has spec.readinessEndpoints with https:// and no spec.trustedCA");
    }
    Ok(())
}

/// The files of nodes that change, by MachineConfigs.
pub(super) fn files(there: Option<&Value>, would_be: Option<&Value>) -> Vec<&'static str> {
    let mut files = Vec::new();
    if bundle(there) != bundle(would_be) {
        files.push(USER_CA);
    }
    if ways(there) != ways(would_be) {
        files.push(ENVIRONMENT);
    }
    files
}

/// The ConfigMap that nodes have besides that of the user (machine-config-operator, pkg/operator/sync.go,
/// `getTrustedBundle`).
fn bundle(object: Option<&Value>) -> &str {
    let name = object.map_or("", |object| named(Role::Proxy, object));
    if name == USER_BUNDLE { "" } else { name }
}

fn ways(object: Option<&Value>) -> [&str; 3] {
    WAYS.map(|way| object.map_or("", |object| text(object, way)))
}

/// What follows, beside what becomes of the nodes.
pub(super) fn told(there: Option<&Value>, would_be: &Value) -> Vec<String> {
    let (old, new) = (there.map_or("", |there| named(Role::Proxy, there)), named(Role::Proxy, would_be));
    let mut lines = Vec::new();
    if old != new && !new.is_empty() {
        // cluster-version-operator, pkg/cvo/egress.go, `getTLSConfig`.
        lines.push(format!(
            "the network operator merges the certificates of {new} into openshift-config-managed/trusted-ca-bundle: \
             operators trust them, and so does the cluster-version operator towards its update service"
        ));
    }
    if old != new && bundle(there) == bundle(Some(would_be)) {
        lines.push(format!(
            "nodes have the certificates of {USER_BUNDLE} in either case: the machine-config operator asks for no proxy there"
        ));
    }
    if old != new && !old.is_empty() {
        lines.push(format!("certificates that only {old} holds are not trusted by operators any more"));
    }
    if ways(there) != ways(Some(would_be)) {
        lines.push(
            "the network operator checks the proxy first (an invalid one leaves it Degraded, InvalidProxyConfig, and the old \
             one in force); operators and pods that are given the proxy are started anew with it"
                .to_owned(),
        );
    }
    if there.map_or(&[][..], |there| items(there, "/spec/readinessEndpoints"))
        != items(would_be, "/spec/readinessEndpoints")
    {
        lines.push("the network operator asks the readiness endpoints before it takes the proxy".to_owned());
    }
    lines
}

/// Where an object (or a patch of one) holds the password of a proxy: `http://user:password@host`.
pub(super) fn passwords(object: &Value) -> Vec<String> {
    let holds = |way: &&str| text(object, way).contains('@');
    PROXIES.iter().filter(|way| holds(way)).map(|way| (*way).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_bundle_of_the_user_is_on_nodes_in_any_case() {
        let proxy = |name: &str| json!({ "spec": { "trustedCA": { "name": name } } });
        let files = |old: &str, new: &str| files(Some(&proxy(old)), Some(&proxy(new)));
        assert!(files("", USER_BUNDLE).is_empty() && files(USER_BUNDLE, "").is_empty());
        assert_eq!(files("", "corporate"), [USER_CA]);
        assert_eq!(files("corporate", USER_BUNDLE), [USER_CA]);
        let way = json!({ "spec": { "noProxy": "lab" } });
        assert_eq!(super::files(None, Some(&way)), [ENVIRONMENT]);
    }

    #[test]
    fn a_proxy_that_the_network_operator_would_not_take_is_refused() {
        let why = |spec: Value| check("proxy/cluster", &json!({ "spec": spec })).map_err(|Refusal(words)| words);
        assert!(why(json!({ "httpProxy": "https://p:3128" })).unwrap_err().contains("http://"));
        assert!(why(json!({ "httpsProxy": "p:3128" })).unwrap_err().contains("neither"));
        assert!(why(json!({ "readinessEndpoints": ["https://a"] })).unwrap_err().contains("no spec.trustedCA"));
        let fine = json!({ "httpProxy": "http://p", "httpsProxy": "https://p", "readinessEndpoints": ["http://a"] });
        assert_eq!(why(fine), Ok(()));
    }
}
