//! The rules by which changes of configuration drain and reboot nodes, as far as a plan can read them.

use serde::Deserialize as _;
use serde_json::Value;

use super::{Material, Read};
use crate::api::{MachineConfiguration, NodeDisruptionPolicies};
use crate::upgrade::assessment::{Assessment, Pool};
use crate::upgrade::node_disruption::{Rules, daemon_release};

/// Where the policies in effect are.
pub(super) const PATH: &str = "/apis/operator.openshift.io/v1/machineconfigurations/cluster";

/// What is known of the rules.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    minor: Option<(u64, u64)>,
    policies: Option<NodeDisruptionPolicies>,
}

impl Known {
    /// By the release, and `MachineConfiguration/cluster`; none: it does not exist, or could not be read.
    pub(super) fn new(assessment: &Assessment, configuration: Option<&Value>) -> Self {
        let lens = configuration.and_then(|object| MachineConfiguration::deserialize(object).ok());
        Self { minor: daemon_release(assessment), policies: lens.and_then(|lens| lens.status.node_disruption.policies) }
    }

    /// The same, with what is to be read added to `reads`; none while it is not read yet.
    pub(super) fn read(assessment: &Assessment, material: &Material, reads: &mut Vec<Read>) -> Option<Self> {
        let Some(answer) = material.object(PATH) else {
            let read = Read::Object(PATH.to_owned());
            if !reads.contains(&read) {
                reads.push(read);
            }
            return None;
        };
        Some(Self::new(assessment, answer.ok().flatten()))
    }

    /// Minor release of the daemon.
    pub(super) const fn minor(&self) -> Option<(u64, u64)> {
        self.minor
    }

    /// The rules for the nodes of a pool.
    pub(super) fn of_pool(&self, pool: Option<&Pool>) -> Rules<'_> {
        self.rules(pool.is_some_and(|pool| pool.layer.is_some()))
    }

    /// The rules for nodes whose image is built on the cluster, or is not.
    pub(super) const fn rules(&self, layered: bool) -> Rules<'_> {
        Rules { minor: self.minor, policies: self.policies.as_ref(), layered }
    }

    /// On what the answer rests where something could not be read; empty otherwise.
    pub(super) fn caveat(&self) -> &'static str {
        let rules = self.rules(false);
        if rules.assumes_defaults() {
            " (by the defaults of the release: the node disruption policy could not be read)"
        } else if rules.knows_nothing() {
            " (at most: neither the node disruption policy nor the release is known)"
        } else {
            ""
        }
    }
}
