//! A request of the Kubernetes API, understood: which verb, on what, with which options.

use axum::extract::Request;
use http::{HeaderMap, Method, header};
use std::sync::Arc;

use crate::sim::kinds::{KindInfo, Res};
use crate::sim::status::Refusal;
use crate::sim::store::Store;

/// What a request is about: a collection, an object, or a part of one.
#[derive(Debug, Clone)]
pub struct Target {
    /// The kind.
    pub info: Arc<KindInfo>,
    /// The namespace in the path.
    pub namespace: Option<String>,
    /// The name in the path; a collection has none.
    pub name: Option<String>,
    /// `status`, `eviction`, `log` and the like.
    pub subresource: Option<String>,
}

impl Target {
    /// Reads a path below `/api` or `/apis`. `None` when nothing is registered there.
    pub fn parse(store: &Store, path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let find = |plural: &str| store.find(group, version, plural);
        let (namespace, plural, rest) = match rest {
            ["namespaces", namespace, plural, rest @ ..] if !matches!(*plural, "status" | "finalize") => {
                (Some((*namespace).to_owned()), *plural, rest)
            }
            [plural, rest @ ..] => (None, *plural, rest),
            [] => return None,
        };
        let info = find(plural)?;
        let (name, subresource) = match rest {
            [] => (None, None),
            [name] => (Some((*name).to_owned()), None),
            [name, subresource] => (Some((*name).to_owned()), Some((*subresource).to_owned())),
            _ => return None,
        };
        // A namespaced object is never reached without its namespace, nor a cluster-scoped one with a namespace.
        let reachable = if info.namespaced { namespace.is_some() || name.is_none() } else { namespace.is_none() };
        reachable.then_some(Self { info, namespace, name, subresource })
    }

    /// Whether a subresource is a part of the object itself, to be read and written as the object is.
    pub fn is_part_of_object(&self, subresource: &str) -> bool {
        match subresource {
            "status" => self.info.status,
            "approval" => self.info.res() == Res::CSRS,
            _ => false,
        }
    }

    /// The plural with the subresource, as access rules name it.
    pub fn resource(&self) -> String {
        match &self.subresource {
            Some(subresource) => format!("{}/{subresource}", self.info.plural),
            None => self.info.plural.to_owned(),
        }
    }
}

/// What a client wants to do, in the words of access rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Read one object.
    Get,
    /// Read a collection.
    List,
    /// Follow a collection.
    Watch,
    /// Make an object.
    Create,
    /// Replace an object.
    Update,
    /// Change parts of an object.
    Patch,
    /// Remove an object.
    Delete,
    /// Remove all objects of a collection.
    DeleteCollection,
}

impl Verb {
    /// The verb of a request.
    pub fn of(method: &Method, target: &Target, params: &Params) -> Result<Self, Refusal> {
        match (method, target.name.is_some()) {
            (&Method::GET | &Method::HEAD, false) if params.flag("watch") => Ok(Self::Watch),
            (&Method::GET | &Method::HEAD, false) => Ok(Self::List),
            (&Method::GET | &Method::HEAD, true) => Ok(Self::Get),
            (&Method::POST, named) if !named || target.subresource.is_some() => Ok(Self::Create),
            (&Method::PUT, true) => Ok(Self::Update),
            (&Method::PATCH, true) => Ok(Self::Patch),
            (&Method::DELETE, true) => Ok(Self::Delete),
            (&Method::DELETE, false) => Ok(Self::DeleteCollection),
            _ => Err(Refusal::method_not_allowed()),
        }
    }

    /// The verb as access rules spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }
}

/// The query of a request, decoded. Empty pairs, as in `?&limit=500`, are ignored.
#[derive(Debug, Clone, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query string.
    pub fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(key), decode(value))
                })
                .collect(),
        )
    }

    /// The first value of a parameter; empty counts as absent.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, value)| name == key && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The value, or an empty text.
    pub fn text(&self, key: &str) -> &str {
        self.get(key).unwrap_or_default()
    }

    /// Whether a flag is set: `true`, `1`, or named without a value.
    pub fn flag(&self, key: &str) -> bool {
        self.0.iter().any(|(name, value)| name == key && matches!(value.as_str(), "true" | "1" | "t" | "True" | ""))
    }

    /// A number; a refusal when it is not one.
    pub fn number(&self, key: &str) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.get(key) else { return Ok(None) };
        let parsed = text.parse().map(Some);
        parsed.map_err(|_| Refusal::bad_request(format!("Invalid value for parameter {key}: {text:?} is not a number")))
    }

    /// Whether the server is asked to rehearse only. `All` is the one value there is.
    pub fn dry_run(&self) -> Result<bool, Refusal> {
        match self.get("dryRun") {
            None => Ok(false),
            Some("All") => Ok(true),
            Some(other) => {
                Err(Refusal::bad_request(format!("dryRun: Unsupported value: \"{other}\": supported values: \"All\"")))
            }
        }
    }
}

/// Decodes `%41` and `+`.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let raw = text.as_bytes();
    let mut at = 0;
    while at < raw.len() {
        let hex = || text.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match raw[at] {
            b'+' => bytes.push(b' '),
            b'%' if let Some(byte) = hex() => {
                bytes.push(byte);
                at += 2;
            }
            byte => bytes.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The form in which a client wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The objects themselves.
    Whole,
    /// Rows and columns for a person: `as=Table`.
    Table,
    /// Metadata only: `as=PartialObjectMetadata` or `as=PartialObjectMetadataList`.
    Metadata,
    /// Discovery of all groups in one document: `as=APIGroupDiscoveryList`.
    Discovery,
}

impl Form {
    /// The first form that the client accepts and this server can make.
    pub fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
        if accepted.peek().is_none() {
            return Ok(Self::Whole);
        }
        let clauses: Vec<&str> = accepted.flat_map(|value| value.split(',')).collect();
        clauses.iter().find_map(|clause| Self::of_clause(clause)).ok_or_else(Refusal::not_acceptable)
    }

    fn of_clause(clause: &str) -> Option<Self> {
        let mut parts = clause.split(';').map(str::trim);
        let media = parts.next()?;
        if !matches!(media, "application/json" | "application/*" | "*/*" | "" | "text/plain") {
            return None;
        }
        let mut form = Self::Whole;
        for part in parts {
            form = match part {
                "as=Table" => Self::Table,
                "as=PartialObjectMetadata" | "as=PartialObjectMetadataList" => Self::Metadata,
                "as=APIGroupDiscoveryList" => Self::Discovery,
                // Streaming of collections and the like: forms that this server does not make.
                other if other.starts_with("as=") => return None,
                // The only version of discovery that is served is v2; kubectl falls back from v2beta1 by itself.
                "v=v2beta1" | "v=v1beta1" => return None,
                _ => form,
            };
        }
        Some(form)
    }
}

/// The name under which a client's changes are kept in `metadata.managedFields`: `fieldManager`, else the first part
/// of the User-Agent, as kube-apiserver does.
pub fn field_manager(headers: &HeaderMap, params: &Params) -> String {
    if let Some(manager) = params.get("fieldManager") {
        return manager.to_owned();
    }
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = agent.split('/').next().unwrap_or_default();
    if name.is_empty() { "unknown".to_owned() } else { name.to_owned() }
}

/// The content type of a request, without parameters.
pub fn content_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// The query parameters of a request.
pub fn params_of<B>(request: &Request<B>) -> Params {
    Params::parse(request.uri().query().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str) -> Option<(String, Option<String>, Option<String>)> {
        let target = Target::parse(&Store::new(0), path)?;
        Some((target.resource(), target.namespace, target.name))
    }

    #[test]
    fn paths_name_collections_objects_and_subresources() {
        assert_eq!(target("/api/v1/nodes"), Some(("nodes".into(), None, None)));
        assert_eq!(target("/api/v1/namespaces/shop"), Some(("namespaces".into(), None, Some("shop".to_owned()))));
        assert_eq!(target("/api/v1/pods"), Some(("pods".into(), None, None)));
        assert_eq!(
            target("/api/v1/namespaces/shop/pods/cart-0/eviction"),
            Some(("pods/eviction".into(), Some("shop".to_owned()), Some("cart-0".to_owned())))
        );
        assert_eq!(
            target("/apis/config.openshift.io/v1/clusterversions/version/status"),
            Some(("clusterversions/status".into(), None, Some("version".to_owned())))
        );
        assert_eq!(target("/api/v1/pods/cart-0"), None);
        assert_eq!(target("/api/v1/namespaces/shop/nodes"), None);
        assert_eq!(target("/apis/lca.openshift.io/v9/nope"), None);
    }

    #[test]
    fn queries_tolerate_empty_pairs_and_escapes() {
        let params = Params::parse("&limit=500&labelSelector=a%3Db%2Cc&watch=1&dryRun=Some");
        assert_eq!(params.number("limit").unwrap(), Some(500));
        assert_eq!(params.text("labelSelector"), "a=b,c");
        assert!(params.flag("watch"));
        assert!(params.dry_run().is_err());
        assert!(params.number("labelSelector").is_err());
    }

    #[test]
    fn the_first_form_that_can_be_made_is_taken() {
        let form = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, http::HeaderValue::from_static(accept));
            Form::of(&headers)
        };
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1,application/json";
        assert_eq!(form(table).unwrap(), Form::Table);
        assert_eq!(form("application/vnd.kubernetes.protobuf,application/json").unwrap(), Form::Whole);
        assert_eq!(form("*/*").unwrap(), Form::Whole);
        assert!(form("application/vnd.kubernetes.protobuf").is_err());
    }
}
