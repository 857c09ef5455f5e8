//! Where each watched kind lives in the facts.

use std::fmt::Debug;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::session::Session;
use crate::api;
use crate::upgrade::facts::{Facts, Kind};

/// A kind that is watched all the time.
pub(super) trait Watched:
    kube::Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + Sync + 'static
{
    /// Which kind.
    const KIND: Kind;

    /// Its objects in the facts, ordered by name.
    fn objects<R>(facts: &mut Facts, change: impl FnOnce(&mut Vec<Arc<Self>>) -> R) -> R;

    /// Its name; empty for what is no object.
    fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }

    /// Called for each object that came, before it is put into the facts.
    fn noticed(&self, _session: &Session) {}
}

macro_rules! watched {
    ($lens:ident, $kind:ident, $field:ident) => {
        impl Watched for api::$lens {
            const KIND: Kind = Kind::$kind;

            fn objects<R>(facts: &mut Facts, change: impl FnOnce(&mut Vec<Arc<Self>>) -> R) -> R {
                change(Arc::make_mut(&mut facts.$field))
            }
        }
    };
}

watched!(ClusterOperator, ClusterOperators, operators);
watched!(MachineConfigPool, MachineConfigPools, pools);
watched!(MachineConfigNode, MachineConfigNodes, machine_config_nodes);
watched!(Node, Nodes, nodes);
watched!(MachineConfig, MachineConfigs, machine_configs);

impl Watched for api::ClusterVersion {
    const KIND: Kind = Kind::ClusterVersions;

    /// There is one, named `version` (cluster-version-operator, `DefaultClusterVersionName`); others are not looked at.
    fn objects<R>(facts: &mut Facts, change: impl FnOnce(&mut Vec<Arc<Self>>) -> R) -> R {
        let mut objects: Vec<_> = facts.cluster_version.take().into_iter().collect();
        let result = change(&mut objects);
        facts.cluster_version = objects.into_iter().find(|one| one.name() == "version");
        result
    }

    fn noticed(&self, session: &Session) {
        if self.name() == "version" {
            session.saw_cluster_version(self);
        }
    }
}

/// Replaces all objects. Objects that could not be read this time stay as they were last read.
pub(super) fn replace<K: Watched>(facts: &mut Facts, mut fresh: Vec<Arc<K>>, unreadable: Vec<(String, String)>) {
    K::objects(facts, |objects| {
        for (name, _) in &unreadable {
            if let Ok(place) = find(objects, name) {
                fresh.push(Arc::clone(&objects[place]));
            }
        }
        fresh.sort_by(|a, b| a.name().cmp(b.name()));
        fresh.shrink_to_fit();
        *objects = fresh;
    });
    facts.kinds.entry(K::KIND).or_default().unreadable = unreadable;
}

/// Adds or replaces one object.
pub(super) fn apply<K: Watched>(facts: &mut Facts, object: Arc<K>) {
    if let Some(state) = facts.kinds.get_mut(&K::KIND) {
        state.unreadable.retain(|(name, _)| name != object.name());
    }
    K::objects(facts, |objects| match find(objects, object.name()) {
        Ok(place) => objects[place] = object,
        Err(place) => objects.insert(place, object),
    });
}

/// Removes one object.
pub(super) fn delete<K: Watched>(facts: &mut Facts, name: &str) {
    if let Some(state) = facts.kinds.get_mut(&K::KIND) {
        state.unreadable.retain(|(unreadable, _)| unreadable != name);
    }
    K::objects(facts, |objects| {
        if let Ok(place) = find(objects, name) {
            objects.remove(place);
        }
    });
}

/// Names an object that could not be read; its last good version stays.
pub(super) fn unreadable<K: Watched>(facts: &mut Facts, name: String, why: String) {
    let all = &mut facts.kinds.entry(K::KIND).or_default().unreadable;
    all.retain(|(other, _)| *other != name);
    all.push((name, why));
}

fn find<K: Watched>(objects: &[Arc<K>], name: &str) -> Result<usize, usize> {
    objects.binary_search_by(|object| object.name().cmp(name))
}
