//! What a person wants: an action, what it is aimed at, and the values given with it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ActionId;
use crate::upgrade::assessment::Resource;

/// A wish, from a key, a menu, the command line of the cockpit or `oc-cockpit do`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ask {
    /// Action.
    pub action: ActionId,
    /// What it is aimed at.
    pub target: Target,
    /// Values by the name of the argument ([`super::Arg`]).
    #[serde(skip_serializing_if = "Args::is_empty")]
    pub args: Args,
}

impl Ask {
    /// A wish without values.
    pub fn new(action: ActionId, target: Target) -> Self {
        Self { action, target, args: Args::default() }
    }

    /// The wish with a value more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.args.add(name, value);
        self
    }
}

/// What an action is aimed at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// MachineConfigPools by name, in the order in which they were named.
    Pools(Vec<String>),
    /// Nodes by name, in the order in which they were marked.
    Nodes(Vec<String>),
    /// A version.
    Version(String),
    /// Other objects.
    Objects(Vec<Resource>),
    /// The cluster as a whole: nothing chosen, or the action has one object only.
    Cluster,
}

impl Target {
    /// One pool.
    pub fn pool(name: impl Into<String>) -> Self {
        Self::Pools(vec![name.into()])
    }

    /// The pools; none when it is something else.
    pub fn pools(&self) -> &[String] {
        if let Self::Pools(names) = self { names } else { &[] }
    }

    /// The nodes; none when it is something else.
    pub fn nodes(&self) -> &[String] {
        if let Self::Nodes(names) = self { names } else { &[] }
    }

    /// The objects; none when it is something else.
    pub fn objects(&self) -> &[Resource] {
        if let Self::Objects(objects) = self { objects } else { &[] }
    }

    /// In words: `pool worker`, `3 nodes`.
    pub fn words(&self) -> String {
        match self {
            Self::Pools(names) => match names.as_slice() {
                [name] => format!("pool {name}"),
                names => format!("{} pools", names.len()),
            },
            Self::Nodes(names) => match names.as_slice() {
                [name] => format!("node {name}"),
                names => format!("{} nodes", names.len()),
            },
            Self::Version(version) => format!("version {version}"),
            Self::Objects(objects) => match objects.as_slice() {
                [one] => one.short(),
                several => format!("{} objects", several.len()),
            },
            Self::Cluster => "cluster".to_owned(),
        }
    }
}

/// Values by argument. An argument may be given several times.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Args(BTreeMap<String, Vec<String>>);

impl Args {
    /// Is nothing given?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a value.
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        self.0.entry(name.to_owned()).or_default().push(value.into());
    }

    /// Takes an argument away.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The value of an argument; the last one, when it was given several times.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|values| values.last()).map(String::as_str)
    }

    /// All values of an argument, in the order in which they were given.
    pub fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Was a flag given?
    pub fn flag(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The arguments that were given, by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
