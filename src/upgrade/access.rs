//! Who the user is and what the user may do, as the API server says.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// Something that may be permitted: the attributes of a SelfSubjectAccessReview.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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

    /// Whether it changes anything: what is only read for a plan is no right to.
    pub fn writes(&self) -> bool {
        !matches!(self.verb, "get" | "list" | "watch")
    }

    /// Whether it is asked in the namespace of each target: a role in one namespace permits there what is refused
    /// elsewhere. The resources of this kind that actions write.
    pub fn is_by_namespace(&self) -> bool {
        let namespaced = matches!(
            (self.group, self.resource),
            ("", "pods" | "secrets" | "configmaps")
                | ("operators.coreos.com", "installplans" | "subscriptions" | "clusterserviceversions")
        );
        namespaced && self.namespace.is_empty()
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
    /// Answers in one namespace, to permissions that the user does not have in all of them.
    pub answers_in: BTreeMap<(Permission, String), Answer>,
    /// There are more namespaces than were asked for: what all those that were asked refuse, another one may permit.
    pub unasked: bool,
}

impl Access {
    /// The answer on `permission`, if the server gave one.
    pub fn answer(&self, permission: &Permission) -> Option<&Answer> {
        self.answers.get(permission)
    }

    /// The answer on `permission` in a namespace: whoever may do it in all of them may do it there. None: not asked yet.
    pub fn answer_in(&self, permission: &Permission, namespace: &str) -> Option<&Answer> {
        match self.answers.get(permission) {
            Some(Answer::Allowed) => Some(&Answer::Allowed),
            _ => self.answers_in.get(&(permission.clone(), namespace.to_owned())),
        }
    }

    /// Has the server refused all of these, in every namespace that it was asked for?
    pub fn refuses_all<'a>(&self, permissions: impl IntoIterator<Item = &'a Permission>) -> bool {
        let granted: BTreeSet<&Permission> = self
            .answers_in
            .iter()
            .filter(|(_, answer)| **answer == Answer::Allowed)
            .map(|((permission, _), _)| permission)
            .collect();
        let refused = |permission: &Permission| {
            let open = permission.is_by_namespace() && self.unasked;
            matches!(self.answer(permission), Some(Answer::Denied(_))) && !granted.contains(permission) && !open
        };
        let mut permissions = permissions.into_iter().peekable();
        permissions.peek().is_some() && permissions.all(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PODS: Permission = Permission::cluster("delete", "", "pods");
    const NODES: Permission = Permission::cluster("patch", "", "nodes");

    #[test]
    fn a_role_in_one_namespace_permits_there_and_nowhere_else() {
        let mut access = Access::default();
        let no = || Answer::Denied(String::new());
        access.answers.extend([(PODS, no()), (NODES, no())]);
        assert!(access.refuses_all(&[PODS, NODES]));
        assert!(!access.refuses_all(&[]), "nothing was asked for");
        access.answers_in.insert((PODS, "shop".to_owned()), Answer::Allowed);
        access.answers_in.insert((PODS, "bank".to_owned()), no());
        assert_eq!(access.answer_in(&PODS, "shop"), Some(&Answer::Allowed));
        assert_eq!(access.answer_in(&PODS, "bank"), Some(&no()));
        assert_eq!(access.answer_in(&PODS, "other"), None, "a refusal for all namespaces says nothing of one");
        assert!(!access.refuses_all(&[PODS, NODES]));
        access.answers_in.insert((PODS, "shop".to_owned()), no());
        assert!(access.refuses_all(&[PODS, NODES]));
        access.unasked = true;
        assert!(!access.refuses_all(&[PODS, NODES]), "another namespace may permit it");
        access.answers.insert(PODS, Answer::Allowed);
        assert_eq!(access.answer_in(&PODS, "bank"), Some(&Answer::Allowed));
    }

    #[test]
    fn what_lives_in_namespaces_is_asked_there_unless_its_namespace_is_known() {
        assert!(PODS.is_by_namespace());
        assert!(!PODS.in_namespace("shop").is_by_namespace());
        assert!(!NODES.is_by_namespace());
    }
}
