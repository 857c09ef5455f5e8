//! Alerts of the cluster's monitoring, as Prometheus tells them (`/api/v1/alerts`).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

/// An alert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alert {
    /// `alertname`.
    pub name: String,
    /// `firing` or `pending`.
    pub state: String,
    /// When it became active.
    pub active_at: Option<DateTime<Utc>>,
    /// All labels: `severity`, `namespace`, `poddisruptionbudget` ...
    pub labels: BTreeMap<String, String>,
    /// All annotations: `summary`, `description`, `message`, `runbook_url`.
    pub annotations: BTreeMap<String, String>,
}

impl Alert {
    /// A label; empty when it has none of that name.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    /// An annotation; empty when it has none of that name.
    pub fn annotation(&self, name: &str) -> &str {
        self.annotations.get(name).map_or("", String::as_str)
    }

    /// Does it fire (as opposed to pending)?
    pub fn fires(&self) -> bool {
        self.state == "firing"
    }

    /// One alert of the answer; none when it has no name.
    pub fn read(value: &Value) -> Option<Self> {
        let texts = |key: &str| -> BTreeMap<String, String> {
            let all = value.get(key).and_then(Value::as_object).into_iter().flatten();
            all.filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned()))).collect()
        };
        let labels = texts("labels");
        let name = labels.get("alertname").filter(|name| !name.is_empty())?.clone();
        Some(Self {
            name,
            state: value.get("state").and_then(Value::as_str).unwrap_or_default().to_owned(),
            active_at: value.get("activeAt").and_then(Value::as_str).and_then(|text| text.parse().ok()),
            labels,
            annotations: texts("annotations"),
        })
    }
}

/// The alerts of an answer of `/api/v1/alerts` (`{"status":"success","data":{"alerts":[...]}}`), or of that of
/// `/api/v1/rules` as must-gather keeps it (`data.groups[].rules[].alerts[]`); none when it is neither.
pub fn of_answer(value: &Value) -> Option<Vec<Alert>> {
    let data = value.get("data")?;
    if let Some(alerts) = data.get("alerts").and_then(Value::as_array) {
        return Some(alerts.iter().filter_map(Alert::read).collect());
    }
    let groups = data.get("groups")?.as_array()?;
    let rules = groups.iter().filter_map(|group| group.get("rules")?.as_array()).flatten();
    let alerts = rules.filter_map(|rule| rule.get("alerts")?.as_array()).flatten();
    Some(alerts.filter_map(Alert::read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn alerts_are_read_from_both_answers_and_nameless_ones_left_out() {
        let alert = json!({"labels": {"alertname": "A", "severity": "warning"}, "annotations": {"summary": "s"},
            "state": "firing", "activeAt": "2026-01-02T03:04:05.678Z", "value": "1e+00"});
        let plain = of_answer(&json!({"status": "success", "data": {"alerts": [alert, {"labels": {}}, null]}}));
        let rules = of_answer(&json!({"data": {"groups": [{"rules": [{"alerts": [alert]}, {"type": "recording"}]}]}}));
        assert_eq!(plain, rules);
        let alerts = plain.unwrap_or_default();
        assert_eq!((alerts[0].name.as_str(), alerts[0].label("severity"), alerts[0].fires()), ("A", "warning", true));
        assert!(alerts[0].active_at.is_some());
        assert_eq!(of_answer(&json!({"kind": "Node"})), None);
    }
}
