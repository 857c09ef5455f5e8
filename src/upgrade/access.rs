//! Who the user is and what the user may do, as the API server says.

use std::collections::BTreeMap;

/// Something that may be permitted: the attributes of a SelfSubjectAccessReview.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission {
    /// `get`, `list`, `watch`, `patch`, `create`, `update`, `delete`.
    pub verb: &'static str,
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Plural resource name.
    pub resource: &'static str,
    /// Subresource such as `eviction`; empty for none.
    pub subresource: &'static str,
    /// Namespace; empty for cluster-scoped resources and for "all namespaces".
    pub namespace: &'static str,
    /// The only object that is meant; empty for any.
    pub name: &'static str,
}

impl Permission {
    /// A permission on a cluster-scoped resource.
    pub const fn cluster(verb: &'static str, group: &'static str, resource: &'static str) -> Self {
        Self { verb, group, resource, subresource: "", namespace: "", name: "" }
    }

    /// The same on the one object of that name: what a role that lists `resourceNames` permits.
    #[must_use]
    pub const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// The same in one namespace.
    #[must_use]
    pub const fn in_namespace(self, namespace: &'static str) -> Self {
        Self { namespace, ..self }
    }

    /// As `oc auth can-i` words it: `patch nodes`, `patch machineconfigpools.machineconfiguration.openshift.io`.
    pub fn words(&self) -> String {
        let dot = if self.group.is_empty() { "" } else { "." };
        let slash = if self.subresource.is_empty() { "" } else { "/" };
        let name = if self.name.is_empty() { String::new() } else { format!(" {}", self.name) };
        let scope = if self.namespace.is_empty() { String::new() } else { format!(" in {}", self.namespace) };
        format!("{} {}{dot}{}{slash}{}{name}{scope}", self.verb, self.resource, self.group, self.subresource)
    }
}

/// The server's answer on one permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Allowed,
    /// No, with the server's reason (may be empty).
    Denied(String),
}

/// What is known of the user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// User name by SelfSubjectReview; none while unknown or where the server does not serve it.
    pub user: Option<String>,
    /// Answers so far; a permission that is missing was not asked yet.
    pub answers: BTreeMap<Permission, Answer>,
}

impl Access {
    /// The answer on `permission`, if the server gave one.
    pub fn answer(&self, permission: &Permission) -> Option<&Answer> {
        self.answers.get(permission)
    }
}
