//! The alerts of the simulated cluster's monitoring, as its querier answers for them.
//!
//! Belongs here: the alerts that are pending or firing now, and the answer of `/api/v1/alerts`. Does not: the rules
//! behind them (see [`crate::sim::actors::alerts`]).
//! Imports nothing of ours.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

/// An alert that is pending or firing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// All labels, `alertname` and `severity` among them.
    pub labels: BTreeMap<String, String>,
    /// `summary`, `description`, `runbook_url`.
    pub annotations: BTreeMap<String, String>,
    /// Whether it fires; it is pending otherwise.
    pub fires: bool,
    /// Since when its condition holds, on the wall.
    pub active_at: DateTime<Utc>,
}

impl Alert {
    /// Its name.
    pub fn name(&self) -> &str {
        self.labels.get("alertname").map_or("", String::as_str)
    }

    fn to_json(&self) -> Value {
        json!({
            "labels": self.labels,
            "annotations": self.annotations,
            "state": if self.fires { "firing" } else { "pending" },
            "activeAt": self.active_at.to_rfc3339_opts(SecondsFormat::Nanos, true),
            "value": "1e+00",
            "partialResponseStrategy": "WARN",
        })
    }
}

/// The alerts of now; clones share them.
#[derive(Debug, Clone, Default)]
pub struct AlertBoard(Arc<RwLock<Vec<Alert>>>);

impl AlertBoard {
    /// Replaces all alerts.
    pub fn set(&self, alerts: Vec<Alert>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = alerts;
    }

    /// All alerts, by name and labels.
    pub fn alerts(&self) -> Vec<Alert> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The answer of `/api/v1/alerts`.
    pub fn answer(&self) -> Value {
        let alerts: Vec<Value> = self.alerts().iter().map(Alert::to_json).collect();
        json!({"status": "success", "data": {"alerts": alerts}})
    }
}
