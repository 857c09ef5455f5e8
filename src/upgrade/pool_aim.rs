//! What a pool asks of its nodes: which configuration, which image, since when.

use std::cell::Cell;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::assessment::{Build, Layer, Update};
use super::facts::Facts;
use super::node_phase::Aim;
use crate::api::{self, Conditions as _, Tri};

/// MachineConfigs by name. The one that was looked up last is remembered: most nodes run the same as the node before.
pub struct Configs<'a> {
    configs: &'a [Arc<api::MachineConfig>],
    before: Cell<(&'a str, Option<&'a api::MachineConfig>)>,
}

impl<'a> Configs<'a> {
    /// Those of `facts`.
    pub fn new(facts: &'a Facts) -> Self {
        Self { configs: &facts.machine_configs, before: Cell::new(("", None)) }
    }

    /// The release that a rendered config was made for.
    pub fn release(&self, name: &'a str) -> Option<&'a str> {
        self.config(name)?.release_version()
    }

    /// Does a config name another OS image than the release's (mco: pkg/controller/common/constants.go,
    /// `OSImageURLOverriddenKey`)?
    pub fn is_overridden(&self, name: &'a str) -> bool {
        let key = "machineconfiguration.openshift.io/os-image-url-overridden";
        self.config(name).is_some_and(|config| api::metadata::annotation(&config.metadata, key) == Some("true"))
    }

    fn config(&self, name: &'a str) -> Option<&'a api::MachineConfig> {
        let (before, config) = self.before.get();
        if before == name {
            return config;
        }
        let at = self.configs.binary_search_by(|candidate| candidate.name().cmp(name));
        let config = at.ok().map(|at| self.configs[at].as_ref());
        self.before.set((name, config));
        config
    }
}

/// Is it a release, and not the one that the cluster goes to?
pub fn is_other_release(release: Option<&str>, update: &Update) -> bool {
    release.zip(update.to.as_deref()).is_some_and(|(release, to)| release != to)
}

/// What a pool asks of its nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolAim<'a> {
    target: &'a str,
    /// The layer of the pool.
    pub layer: Option<&'a Layer>,
    /// Its image, once it can be used.
    image: Option<&'a str>,
    paused: bool,
    /// Release of the target.
    pub release: Option<&'a str>,
    /// The target belongs to the cluster's release: what the nodes roll to is known.
    pub rendered: bool,
    waiting_since: Option<DateTime<Utc>>,
    degraded_since: Option<DateTime<Utc>>,
}

impl<'a> PoolAim<'a> {
    /// Of a pool with its layer, in an update.
    pub fn new(
        pool: &'a api::MachineConfigPool,
        layer: Option<&'a Layer>,
        configs: &Configs<'a>,
        update: &Update,
    ) -> Self {
        let target = pool.spec.configuration.name.as_str();
        let release = configs.release(target);
        let rendered = !is_other_release(release, update);
        let updating = pool.status.conditions.condition("Updating");
        let waiting_since = if pool.spec.paused {
            // `Updating` turns False when a rollout ends, long before anybody pauses: its time says nothing of the pause.
            pool.paused_by().and_then(|owner| owner.since())
        } else if rendered {
            updating.filter(|updating| updating.status == Tri::True).and_then(|rolling| rolling.since)
        } else {
            update.started
        };
        let degraded = pool.status.conditions.condition("NodeDegraded").filter(|told| told.status == Tri::True);
        let degraded_since = degraded.and_then(|degraded| degraded.since);
        let image = layer.filter(|layer| layer.build == Build::Succeeded).and_then(|layer| layer.image.as_deref());
        Self { target, layer, image, paused: pool.spec.paused, release, rendered, waiting_since, degraded_since }
    }

    /// The same for a node that runs a config of another release than the cluster's, or of its own.
    pub fn of(&self, other_release: bool) -> Aim<'a> {
        Aim {
            target: self.target,
            image: self.image,
            paused: self.paused,
            other_release,
            waiting_since: self.waiting_since,
            degraded_since: self.degraded_since,
        }
    }
}
