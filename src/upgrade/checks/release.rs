//! What the checks about the ClusterVersion, its operators and its gates share.

use chrono::{DateTime, Utc};

use super::{Evidence, Impact, Level, Look};
use crate::api::{ClusterVersion, Condition, Conditions as _, Tri};
use crate::upgrade::assessment::Pool;
use crate::upgrade::version::leaves_minor;
use crate::upgrade::words;

/// Runbook of a ClusterOperator that is down (openshift/runbooks).
pub(super) const OPERATOR_DOWN: &str =
    "https://github.com/openshift/runbooks/blob/master/alerts/cluster-monitoring-operator/ClusterOperatorDown.md";
/// Runbook of a ClusterOperator that is degraded (openshift/runbooks).
pub(super) const OPERATOR_DEGRADED: &str =
    "https://github.com/openshift/runbooks/blob/master/alerts/cluster-monitoring-operator/ClusterOperatorDegraded.md";
/// How the history of the ClusterVersion is read.
pub(super) const HISTORY: &str = "https://docs.openshift.com/container-platform/latest/updating/troubleshooting_updates/gathering-data-cluster-update.html#gathering-clusterversion-history-cli_troubleshooting_updates";
/// What `Upgradeable` means.
pub(super) const UPGRADEABLE: &str = "https://docs.openshift.com/container-platform/latest/updating/preparing_for_updates/updating-cluster-prepare.html#cluster-upgradeable_updating-cluster-prepare";
/// Updates without a connection to the internet.
pub(super) const DISCONNECTED: &str = "https://docs.openshift.com/container-platform/latest/updating/updating_a_cluster/updating_disconnected_cluster/index.html";
/// Runbook of an unhealthy etcd member.
pub(super) const ETCD_MEMBERS: &str =
    "https://github.com/openshift/runbooks/blob/master/alerts/cluster-etcd-operator/etcdMembersDown.md";

/// The line that looks at the ClusterVersion's conditions.
pub(super) const LOOK_AT_VERSION: &str = "oc get clusterversion version -o yaml";
/// The line that withdraws a request; nothing is undone once an update has begun.
pub(super) const WITHDRAW: &str = "oc adm upgrade --clear";
/// The line that looks for Kubernetes' admission webhooks and aggregated APIs.
pub(super) const LOOK_AT_WEBHOOKS: &str =
    "oc get validatingwebhookconfigurations,mutatingwebhookconfigurations,apiservices";

impl<'a> Look<'a> {
    /// The ClusterVersion, where one was read.
    pub(super) fn version(&self) -> Option<&'a ClusterVersion> {
        self.now.facts.cluster_version.as_deref()
    }

    /// A condition of the ClusterVersion.
    pub(super) fn says(&self, kind: &str) -> Option<&'a Condition> {
        self.version()?.status.conditions.condition(kind)
    }

    /// A condition of the ClusterVersion, when it is True.
    pub(super) fn says_true(&self, kind: &str) -> Option<&'a Condition> {
        self.says(kind).filter(|condition| condition.status == Tri::True)
    }

    /// A condition of the ClusterVersion, when it is False.
    pub(super) fn says_false(&self, kind: &str) -> Option<&'a Condition> {
        self.says(kind).filter(|condition| condition.status == Tri::False)
    }

    /// A condition of a ClusterOperator.
    pub(super) fn operator_says(&self, operator: &str, kind: &str) -> Option<&'a Condition> {
        let operators = &self.now.facts.operators;
        let at = operators.binary_search_by(|candidate| candidate.name().cmp(operator)).ok()?;
        operators[at].status.conditions.condition(kind)
    }

    /// Does anything roll: the payload, or the nodes of a pool that is not paused?
    pub(super) fn rolls(&self) -> bool {
        self.now.update.in_progress
            || self.now.pools.iter().any(|pool| pool.outdated() && (!pool.paused || pool.moving > 0))
    }

    /// Would `oc adm upgrade status` say that the cluster is updating (pkg/cli/admin/upgrade/status/status.go): the payload is
    /// applied, or a pool is not at its configuration, paused or not?
    pub(super) fn updating(&self) -> bool {
        self.now.update.in_progress || self.now.pools.iter().any(Pool::outdated) || self.oc.updating()
    }

    /// What a hindrance for minor updates weighs: a warning when one is on offer or was asked for.
    pub(super) fn minor_hindrance(&self) -> (Level, Impact) {
        let from = self.now.update.to.as_deref().unwrap_or_default();
        let requested = self.now.update.requested.as_ref();
        if requested.is_some_and(|requested| leaves_minor(from, &requested.target)) {
            (Level::Warning, Impact::UpdateStalled)
        } else if self.now.update.offers.iter().any(|offer| leaves_minor(from, &offer.version)) {
            (Level::Warning, Impact::None)
        } else {
            (Level::Info, Impact::None)
        }
    }
}

/// A condition of an operator as evidence, with all that it says.
pub(super) fn operator_evidence(operator: &str, condition: &Condition) -> Evidence {
    let head = match condition.reason.as_str() {
        "" => condition.status.word().to_owned(),
        reason => format!("{} ({reason})", condition.status.word()),
    };
    let value = if condition.message.is_empty() { head } else { format!("{head}: {}", condition.message) };
    Evidence {
        object: format!("clusteroperator/{operator}"),
        field: condition.kind.clone(),
        value,
        at: condition.since,
    }
}

/// A field of the ClusterVersion as evidence.
pub(super) fn field(field: &str, value: impl Into<String>, at: Option<DateTime<Utc>>) -> Evidence {
    super::evidence("clusterversion/version".to_owned(), field, value, at)
}

/// What a condition says, or that it says nothing.
pub(super) fn said(condition: &Condition) -> &str {
    match words::first_line(&condition.message) {
        "" => "<no message>",
        message => message,
    }
}
