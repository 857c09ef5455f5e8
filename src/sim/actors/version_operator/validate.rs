//! What the spec of the ClusterVersion must not say.
//!
//! Rules: cluster-version-operator, lib/validation/validation.go. A ClusterVersion that breaks them is told as
//! `Invalid=True`, and nothing that it asks for is done. Versions that nobody offers are found by [`super::accept`].

use serde_json::Value;

use crate::sim::cluster::object::{items, text};

/// The first thing that is wrong.
pub fn problem(cluster: &Value) -> Option<String> {
    cluster_id(cluster).or_else(|| upstream(cluster)).or_else(|| channel(cluster)).or_else(|| overrides(cluster))
}

fn cluster_id(cluster: &Value) -> Option<String> {
    let id = text(cluster, "/spec/clusterID");
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = id.split('-').collect();
    let is_uuid = parts.len() == lengths.len()
        && parts
            .iter()
            .zip(lengths)
            .all(|(part, length)| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit()));
    (!id.is_empty() && !is_uuid)
        .then(|| format!("spec.clusterID: Invalid value: {id:?}: must be an RFC4122-variant UUID"))
}

fn upstream(cluster: &Value) -> Option<String> {
    let upstream = text(cluster, "/spec/upstream");
    let is_url = upstream.split_once("://").is_some_and(|(scheme, rest)| {
        matches!(scheme, "http" | "https") && !rest.is_empty() && !rest.starts_with('/') && !rest.contains(' ')
    });
    (!upstream.is_empty() && !is_url)
        .then(|| format!("spec.upstream: Invalid value: {upstream:?}: must be a valid URL or empty"))
}

fn channel(cluster: &Value) -> Option<String> {
    let channel = text(cluster, "/spec/channel");
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    let edge = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    let good = channel.bytes().all(fits) && edge(channel.chars().next()) && edge(channel.chars().last());
    (!channel.is_empty() && !good).then(|| {
        format!(
            "spec.channel: Invalid value: {channel:?}: a lowercase RFC 1123 subdomain must consist of lower case \
             alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
        )
    })
}

fn overrides(cluster: &Value) -> Option<String> {
    let key = |it: &Value| ["kind", "group", "namespace", "name"].map(|field| it[field].clone());
    let list = items(cluster, "/spec/overrides");
    let double = list.iter().enumerate().find(|(at, entry)| list[..*at].iter().any(|other| key(other) == key(entry)));
    double.map(|(_, entry)| {
        format!(
            "spec.overrides: Invalid value: {:?}: overrides must be unique by kind, group, namespace and name",
            text(entry, "/name")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(field: &str, value: Value) -> Option<String> {
        let mut cluster = json!({"spec": {"clusterID": "11111111-2222-4333-8444-555555555555"}});
        cluster["spec"][field] = value;
        problem(&cluster)
    }

    #[test]
    fn a_spec_that_cannot_be_is_named() {
        assert_eq!(told("channel", json!("stable-4.19")), None);
        assert_eq!(told("upstream", json!("https://updates.example.com/graph")), None);
        assert!(told("channel", json!("Stable 4.19")).unwrap().starts_with("spec.channel"));
        assert!(told("upstream", json!("updates")).unwrap().contains("must be a valid URL or empty"));
        assert!(told("clusterID", json!("mine")).unwrap().contains("UUID"));
        let entry = |name: &str| json!({"kind": "Deployment", "group": "apps", "namespace": "a", "name": name});
        assert_eq!(told("overrides", json!([entry("a"), entry("b")])), None);
        assert!(told("overrides", json!([entry("a"), entry("a")])).unwrap().contains("must be unique"));
    }
}
