//! Who is asking, and what they may do.
//!
//! Two users are known by their tokens: an admin who may do everything and a viewer who may get, list and watch
//! everything but secrets. The admin may impersonate anybody.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::{PoisonError, RwLock};

use http::{HeaderMap, header};
use serde_json::{Value, json};

use crate::sim::request::{Target, Verb};
use crate::sim::status::Refusal;

/// The name of the user who may do everything.
pub const ADMIN: &str = "admin";
/// The name of the user who may only look.
pub const VIEWER: &str = "viewer";

const MASTERS: &str = "system:masters";
const AUTHENTICATED: &str = "system:authenticated";
const VIEWERS: &str = "cluster-readers";

/// A user as the server knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's name.
    pub name: String,
    /// The user's uid, empty for an impersonated user.
    pub uid: String,
    /// The groups that the user belongs to.
    pub groups: Vec<String>,
}

/// What somebody wants to do, in the words of access rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempt {
    /// The verb.
    pub verb: String,
    /// The API group.
    pub group: String,
    /// The plural, with a subresource after a slash.
    pub resource: String,
    /// The namespace; empty for the cluster scope.
    pub namespace: String,
    /// The name; empty for a collection.
    pub name: String,
    /// A path that is no resource, such as `/metrics`.
    pub path: Option<String>,
}

/// The tokens in force and the kinds that the viewer may not see.
pub struct Identity {
    tokens: RwLock<Tokens>,
    /// Tokens of the etcds that are not running, by their number.
    elsewhere: RwLock<BTreeMap<u64, Tokens>>,
    hidden: RwLock<Vec<String>>,
    /// Namespaces in which the viewer has a role that permits everything.
    granted: RwLock<Vec<String>>,
}

struct Tokens {
    /// The etcd that knows them.
    etcd: u64,
    admin: String,
    viewer: String,
}

impl Identity {
    /// New random tokens.
    pub fn new() -> Self {
        Self {
            tokens: RwLock::new(Tokens::random(0)),
            elsewhere: RwLock::new(BTreeMap::new()),
            hidden: RwLock::new(Vec::new()),
            granted: RwLock::new(Vec::new()),
        }
    }

    /// The tokens that etcd `number` knows are good from now on, and no others. One that has never run gets new ones.
    pub fn belong_to(&self, number: u64) {
        if self.tokens.read().unwrap_or_else(PoisonError::into_inner).etcd == number {
            return;
        }
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        let mut elsewhere = self.elsewhere.write().unwrap_or_else(PoisonError::into_inner);
        if tokens.etcd != number {
            let known = elsewhere.remove(&number).unwrap_or_else(|| Tokens::random(number));
            let former = std::mem::replace(&mut *tokens, known);
            elsewhere.insert(former.etcd, former);
        }
    }

    /// The admin's token.
    pub fn admin_token(&self) -> String {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).admin.clone()
    }

    /// The viewer's token.
    pub fn viewer_token(&self) -> String {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).viewer.clone()
    }

    /// Replaces the admin's token: the old one is refused from now on.
    pub fn revoke_admin_token(&self) {
        self.tokens.write().unwrap_or_else(PoisonError::into_inner).admin = random_token();
    }

    /// Sets the plural names of the kinds that the viewer may not see.
    pub fn hide_from_viewer(&self, plurals: Vec<String>) {
        *self.hidden.write().unwrap_or_else(PoisonError::into_inner) = plurals;
    }

    /// Sets the namespaces in which the viewer may do everything, as a RoleBinding there would have it.
    pub fn grant_viewer_in(&self, namespaces: Vec<String>) {
        *self.granted.write().unwrap_or_else(PoisonError::into_inner) = namespaces;
    }

    /// Who sends a request. In process, where `trusted`, nobody has to say so.
    pub fn authenticate(&self, headers: &HeaderMap, trusted: bool) -> Result<User, Refusal> {
        let user = match bearer(headers) {
            None if trusted => User::admin(),
            None => return Err(Refusal::unauthorized()),
            Some(token) => {
                let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
                if token == tokens.admin {
                    User::admin()
                } else if token == tokens.viewer {
                    User::viewer()
                } else {
                    return Err(Refusal::unauthorized());
                }
            }
        };
        user.impersonating(headers)
    }

    /// Whether a user may do that.
    pub fn allows(&self, user: &User, attempt: &Attempt) -> bool {
        if user.is_admin() {
            return true;
        }
        if attempt.path.is_some() {
            return attempt.verb == "get";
        }
        // What every authenticated user may ask about themselves: system:basic-user.
        let about_self = matches!(attempt.group.as_str(), "authorization.k8s.io" | "authentication.k8s.io")
            && attempt.resource.starts_with("selfsubject")
            && attempt.verb == "create";
        let looks = matches!(attempt.verb.as_str(), "get" | "list" | "watch");
        let plural = attempt.resource.split('/').next().unwrap_or_default();
        let hidden = self.hidden.read().unwrap_or_else(PoisonError::into_inner);
        let visible = plural != "secrets" && plural != "*" && !hidden.iter().any(|kind| kind == plural);
        let granted = self.granted.read().unwrap_or_else(PoisonError::into_inner);
        let at_home = !attempt.namespace.is_empty() && granted.contains(&attempt.namespace);
        about_self || (user.is_viewer() && (at_home || looks && visible))
    }

    /// Refuses a request that the user may not make.
    pub fn authorize(&self, user: &User, verb: Verb, target: &Target) -> Result<(), Refusal> {
        let attempt = Attempt {
            verb: verb.as_str().to_owned(),
            group: target.info.group.to_owned(),
            resource: target.resource(),
            namespace: target.namespace.clone().unwrap_or_default(),
            name: target.name.clone().unwrap_or_default(),
            path: None,
        };
        if self.allows(user, &attempt) { Ok(()) } else { Err(refusal(user, &attempt)) }
    }

    /// The access rules of a user, as SelfSubjectRulesReview tells them.
    pub fn rules(&self, user: &User) -> Value {
        let about_self = json!({
            "verbs": ["create"],
            "apiGroups": ["authorization.k8s.io", "authentication.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"],
        });
        let discovery = json!({"verbs": ["get"], "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz",
            "/livez", "/openapi", "/openapi/*", "/readyz", "/version"]});
        let (resources, paths) = if user.is_admin() {
            let all = json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]});
            (vec![all, about_self], vec![json!({"verbs": ["*"], "nonResourceURLs": ["*"]}), discovery])
        } else if user.is_viewer() {
            let look = json!({"verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"]});
            (vec![look, about_self], vec![discovery])
        } else {
            (vec![about_self], vec![discovery])
        };
        json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false})
    }
}

impl Tokens {
    fn random(etcd: u64) -> Self {
        Self { etcd, admin: random_token(), viewer: random_token() }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}

impl User {
    fn admin() -> Self {
        let groups = vec![MASTERS.to_owned(), AUTHENTICATED.to_owned()];
        Self { name: ADMIN.to_owned(), uid: ADMIN.to_owned(), groups }
    }

    fn viewer() -> Self {
        let groups = vec![VIEWERS.to_owned(), AUTHENTICATED.to_owned()];
        Self { name: VIEWER.to_owned(), uid: VIEWER.to_owned(), groups }
    }

    fn belongs_to(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }

    /// Whether the user may do everything.
    pub fn is_admin(&self) -> bool {
        self.belongs_to(MASTERS)
    }

    fn is_viewer(&self) -> bool {
        self.belongs_to(VIEWERS)
    }

    fn impersonating(self, headers: &HeaderMap) -> Result<Self, Refusal> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let asked: Vec<&str> = headers.get_all("impersonate-group").iter().filter_map(|v| v.to_str().ok()).collect();
        let Some(name) = text("impersonate-user") else {
            return if asked.is_empty() {
                Ok(self)
            } else {
                Err(Refusal::bad_request("requested [{Group  }] without impersonating a user"))
            };
        };
        if !self.is_admin() {
            let attempt = Attempt {
                verb: "impersonate".to_owned(),
                resource: "users".to_owned(),
                name: name.to_owned(),
                ..Attempt::default()
            };
            return Err(refusal(&self, &attempt));
        }
        let mut groups: Vec<String> = asked.into_iter().map(str::to_owned).collect();
        let known = match name {
            ADMIN => Some(MASTERS),
            VIEWER => Some(VIEWERS),
            _ => None,
        };
        if let Some(group) = known.filter(|_| groups.is_empty()) {
            groups.push(group.to_owned());
        }
        groups.push(AUTHENTICATED.to_owned());
        Ok(Self { name: name.to_owned(), uid: text("impersonate-uid").unwrap_or_default().to_owned(), groups })
    }

    /// The user as `status.userInfo` of a SelfSubjectReview.
    pub fn info(&self) -> Value {
        let mut info = json!({"username": self.name, "groups": self.groups});
        if !self.uid.is_empty() {
            info["uid"] = json!(self.uid);
        }
        info
    }
}

fn refusal(user: &User, attempt: &Attempt) -> Refusal {
    let scope = if attempt.namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace \"{}\"", attempt.namespace)
    };
    let message = format!(
        "User \"{}\" cannot {} resource \"{}\" in API group \"{}\" {scope}",
        user.name, attempt.verb, attempt.resource, attempt.group
    );
    let plural = attempt.resource.split('/').next().unwrap_or_default();
    Refusal::forbidden(&attempt.group, plural, &attempt.name, &message)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// A token that nobody guesses: the keys of [`RandomState`] come from the operating system.
fn random_token() -> String {
    let part = |salt: u64| {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(salt);
        hasher.finish()
    };
    format!("sim~{:016x}{:016x}", part(1), part(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn attempt(verb: &str, resource: &str) -> Attempt {
        Attempt { verb: verb.to_owned(), resource: resource.to_owned(), ..Attempt::default() }
    }

    #[test]
    fn tokens_tell_users_apart_and_a_revoked_one_is_refused() {
        let identity = Identity::new();
        let token = format!("Bearer {}", identity.admin_token());
        let admin = headers(&[("authorization", &token)]);
        assert_eq!(identity.authenticate(&admin, false).unwrap().name, ADMIN);
        identity.revoke_admin_token();
        assert!(identity.authenticate(&admin, false).is_err());
        assert!(identity.authenticate(&headers(&[]), false).is_err());
        assert_eq!(identity.authenticate(&headers(&[]), true).unwrap().name, ADMIN);
    }

    #[test]
    fn tokens_belong_to_an_etcd_and_are_good_again_when_it_is_back() {
        let identity = Identity::new();
        let token = format!("Bearer {}", identity.viewer_token());
        let viewer = headers(&[("authorization", &token)]);
        identity.belong_to(1);
        assert!(identity.authenticate(&viewer, false).is_err());
        identity.belong_to(0);
        assert_eq!(identity.authenticate(&viewer, false).unwrap().name, VIEWER);
    }

    #[test]
    fn the_viewer_looks_and_does_not_touch() {
        let identity = Identity::new();
        let viewer = User::viewer();
        assert!(identity.allows(&viewer, &attempt("watch", "nodes")));
        assert!(!identity.allows(&viewer, &attempt("patch", "nodes")));
        assert!(!identity.allows(&viewer, &attempt("create", "pods/eviction")));
        assert!(!identity.allows(&viewer, &attempt("get", "secrets")));
        identity.hide_from_viewer(vec!["nodes".to_owned()]);
        assert!(!identity.allows(&viewer, &attempt("list", "nodes")));
        assert!(identity.allows(&User::admin(), &attempt("list", "nodes")));
    }

    #[test]
    fn only_the_admin_may_be_somebody_else() {
        let identity = Identity::new();
        let as_viewer = headers(&[("impersonate-user", "viewer")]);
        let acting = identity.authenticate(&as_viewer, true).unwrap();
        assert!(!identity.allows(&acting, &attempt("delete", "pods")));
        let token = format!("Bearer {}", identity.viewer_token());
        let climbing = headers(&[("authorization", &token), ("impersonate-user", "admin")]);
        assert!(identity.authenticate(&climbing, false).is_err());
    }
}
