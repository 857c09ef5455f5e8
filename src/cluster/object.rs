//! Any object by its address: for a person who wants to see it whole.

use std::fmt::Write as _;

use serde_json::Value;

use super::request::{Method, Reply, Request, Requests, escape};
use super::trouble::trouble;
use crate::upgrade::assessment::Resource;
use crate::upgrade::facts::Kind;
use crate::upgrade::link::{Trouble, TroubleKind};

/// The object as the API serves it now.
pub(super) async fn fetch(requests: &Requests, object: &Resource) -> Result<Value, Trouble> {
    let shown = match object.namespace.as_str() {
        "" => format!("{}/{}", object.resource, object.name),
        namespace => format!("{}/{} in {namespace}", object.resource, object.name),
    };
    let mut last = None;
    for base in bases(requests, &object.resource).await? {
        let reply = requests.send(Request::new(Method::Get, path(&base, object))).await?;
        if reply.ok() {
            return Ok(reply.body);
        }
        if reply.status != 404 {
            return Err(Requests::trouble(&reply, &shown));
        }
        last = Some(reply);
    }
    let gone = |reply: &Reply| {
        let words = format!("{shown} does not exist (any more)");
        Trouble { words, ..Requests::trouble(reply, &shown) }
    };
    Err(last.as_ref().map_or_else(
        || trouble(TroubleKind::AbsentKind, format!("the server does not serve {}", object.resource), ""),
        gone,
    ))
}

/// Where objects of a resource may be: `/api/v1`, or the versions of its group, the likeliest first.
async fn bases(requests: &Requests, resource: &str) -> Result<Vec<String>, Trouble> {
    let group = resource.split_once('.').map_or("", |(_, group)| group);
    if group.is_empty() {
        return Ok(vec!["/api/v1".to_owned()]);
    }
    if resource == "poddisruptionbudgets.policy" {
        return Ok(["v1", "v1beta1"].map(|version| format!("/apis/policy/{version}")).to_vec());
    }
    let known = Kind::CORE.into_iter().chain(Kind::AROUND).find(|kind| kind.resource() == resource);
    if let Some(kind) = known {
        return Ok(vec![format!("/apis/{group}/{}", kind.version())]);
    }
    let reply = requests.send(Request::new(Method::Get, format!("/apis/{group}"))).await?;
    if !reply.ok() {
        return Err(Requests::trouble(&reply, resource));
    }
    Ok(versions(&reply.body).into_iter().map(|version| format!("/apis/{version}")).collect())
}

/// `group/version` of an APIGroup, the preferred one first.
fn versions(group: &Value) -> Vec<String> {
    let text = |value: &Value| value.get("groupVersion").and_then(Value::as_str).map(ToOwned::to_owned);
    let mut all: Vec<String> = group.get("preferredVersion").and_then(text).into_iter().collect();
    let others = group.get("versions").and_then(Value::as_array).into_iter().flatten().filter_map(text);
    for other in others {
        if !all.contains(&other) {
            all.push(other);
        }
    }
    all
}

fn path(base: &str, object: &Resource) -> String {
    let mut path = base.to_owned();
    if !object.namespace.is_empty() {
        path.push_str("/namespaces/");
        escape(&object.namespace, &mut path);
    }
    let plural = object.resource.split('.').next().unwrap_or_default();
    // Writing to a String cannot fail.
    let _ = write!(path, "/{plural}/");
    escape(&object.name, &mut path);
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_path_of_an_object_is_escaped() {
        let object = Resource::namespaced("poddisruptionbudgets.policy", "shop", "cart/x");
        assert_eq!(path("/apis/policy/v1", &object), "/apis/policy/v1/namespaces/shop/poddisruptionbudgets/cart%2Fx");
        assert_eq!(path("/api/v1", &Resource::node("n")), "/api/v1/nodes/n");
    }

    #[test]
    fn the_preferred_version_of_a_group_comes_first() {
        let group = json!({"kind": "APIGroup", "versions": [{"groupVersion": "a/v2"}, {"groupVersion": "a/v1"}],
            "preferredVersion": {"groupVersion": "a/v1"}});
        assert_eq!(versions(&group), ["a/v1", "a/v2"]);
    }
}
