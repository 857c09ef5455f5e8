//! Where the cluster could go: versions on offer with their risks, and what stands in the way.

use chrono::{DateTime, Utc};

use super::assessment::Assessment;

/// A risk of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risk {
    /// Name: of the conditional risk, or `UpgradeableFalse`.
    pub name: String,
    /// Does it apply to this cluster? None: that could not be evaluated.
    pub applies: Option<bool>,
    /// What may happen.
    pub message: String,
    /// Where to read more.
    pub url: String,
    /// Accepted in `spec.desiredUpdate.acceptRisks`.
    pub accepted: bool,
}

/// A version that the cluster could go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Version.
    pub version: String,
    /// Pull spec by digest.
    pub image: String,
    /// Recommended for this cluster, with `Upgradeable` taken into account.
    pub recommended: bool,
    /// `Recommended` reason, or empty: `ExposedToRisks`, `EvaluationFailed`, `MultipleReasons` ...
    pub reason: String,
    /// Its message, or empty.
    pub message: String,
    /// Its risks.
    pub risks: Vec<Risk>,
    /// Release notes.
    pub url: Option<String>,
    /// Channels that hold it.
    pub channels: Vec<String>,
    /// Another minor or major version: `Upgradeable=False` blocks it.
    pub minor: bool,
}

/// An issue of the cluster that speaks against any update now, as `oc adm upgrade recommend` names them
/// (oc: pkg/cli/admin/upgrade/recommend): `Failing`, `Progressing`, an alert's name ...
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Name, as `--accept` takes it.
    pub name: String,
    /// What it says.
    pub message: String,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// Where to read more.
    pub url: Option<String>,
}

/// An operator that says `Upgradeable=False`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUpgradeable {
    /// Name.
    pub operator: String,
    /// Reason.
    pub reason: String,
    /// Message.
    pub message: String,
}

/// A gate that an administrator has to acknowledge before a minor update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Key in `admin-gates` and `admin-acks`.
    pub key: String,
    /// What it says.
    pub message: String,
    /// Acknowledged; none: `admin-acks` could not be read.
    pub acknowledged: Option<bool>,
}

/// Where the cluster could go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Updates {
    /// The version that the cluster is at (`status.desired`).
    pub current: String,
    /// Channel; empty: none is set.
    pub channel: String,
    /// Update service; none: Red Hat's.
    pub upstream: Option<String>,
    /// Versions: major.minor descending, then newest first.
    pub choices: Vec<Choice>,
    /// What speaks against any update now.
    pub issues: Vec<Issue>,
    /// What the ClusterVersion says about minor updates; none: nothing speaks against one.
    pub not_upgradeable: Option<(String, String)>,
    /// Operators that speak against minor updates.
    pub operators: Vec<NotUpgradeable>,
    /// Gates that apply to the present minor.
    pub gates: Vec<Gate>,
}

/// Where the cluster could go.
pub fn updates(assessment: &Assessment) -> Updates {
    let _ = assessment;
    Updates::default()
}
