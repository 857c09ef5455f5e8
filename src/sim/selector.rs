//! Label and field selectors: which objects a list or a watch is about.

use serde_json::Value;

use crate::sim::status::Refusal;

/// What a client wants to see of a collection.
#[derive(Debug, Clone, Default)]
pub struct Selector {
    namespace: Option<String>,
    labels: Vec<LabelRule>,
    fields: Vec<FieldRule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct LabelRule {
    key: String,
    test: LabelTest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum LabelTest {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FieldRule {
    path: Vec<String>,
    value: String,
    equal: bool,
}

impl Selector {
    /// Reads the selectors of a request. The message of a refusal says which part is not understood.
    pub fn parse(namespace: Option<&str>, labels: &str, fields: &str) -> Result<Self, Refusal> {
        Ok(Self {
            namespace: namespace.map(str::to_owned),
            labels: parse_labels(labels)?,
            fields: parse_fields(fields)?,
        })
    }

    /// Whether labels or fields narrow the collection.
    pub fn is_selective(&self) -> bool {
        !self.labels.is_empty() || !self.fields.is_empty()
    }

    /// Whether the object is wanted.
    pub fn matches(&self, object: &Value) -> bool {
        let metadata = &object["metadata"];
        let in_namespace =
            self.namespace.as_deref().is_none_or(|namespace| metadata["namespace"].as_str() == Some(namespace));
        in_namespace
            && self.labels.iter().all(|rule| rule.matches(&metadata["labels"]))
            && self.fields.iter().all(|rule| rule.matches(object))
    }
}

/// Whether labels satisfy a `metav1.LabelSelector`. An empty selector selects everything, a missing one nothing:
/// policy/v1, PodDisruptionBudgetSpec.
pub fn label_selector_matches(selector: &Value, labels: &Value) -> bool {
    let Some(selector) = selector.as_object() else { return false };
    let labels_match = selector
        .get("matchLabels")
        .and_then(Value::as_object)
        .is_none_or(|wanted| wanted.iter().all(|(key, value)| labels.get(key).is_some_and(|found| found == value)));
    let rules = selector.get("matchExpressions").and_then(Value::as_array);
    labels_match && rules.is_none_or(|rules| rules.iter().all(|rule| expression(rule).matches(labels)))
}

fn expression(rule: &Value) -> LabelRule {
    let values = rule["values"].as_array().map(Vec::as_slice).unwrap_or_default();
    let values = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let test = match rule["operator"].as_str() {
        Some("In") => LabelTest::In(values),
        Some("NotIn") => LabelTest::NotIn(values),
        Some("DoesNotExist") => LabelTest::Missing,
        _ => LabelTest::Exists,
    };
    LabelRule { key: rule["key"].as_str().unwrap_or_default().to_owned(), test }
}

impl LabelRule {
    fn matches(&self, labels: &Value) -> bool {
        let value = labels.get(&self.key).and_then(Value::as_str);
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.test {
            LabelTest::Exists => value.is_some(),
            LabelTest::Missing => value.is_none(),
            LabelTest::In(values) => value.is_some_and(|value| values.iter().any(|wanted| wanted == value)),
            LabelTest::NotIn(values) => value.is_none_or(|value| values.iter().all(|wanted| wanted != value)),
            LabelTest::Above(limit) => number().is_some_and(|number| number > *limit),
            LabelTest::Below(limit) => number().is_some_and(|number| number < *limit),
        }
    }
}

impl FieldRule {
    fn matches(&self, object: &Value) -> bool {
        let found = self.path.iter().try_fold(object, |value, step| value.get(step));
        let found = match found {
            Some(Value::String(text)) => text.clone(),
            // An absent field reads as its zero value: `spec.unschedulable=false` selects schedulable nodes.
            None | Some(Value::Null) if matches!(self.value.as_str(), "false" | "true") => "false".to_owned(),
            None | Some(Value::Null) => String::new(),
            Some(other) => other.to_string(),
        };
        (found == self.value) == self.equal
    }
}

fn parse_labels(text: &str) -> Result<Vec<LabelRule>, Refusal> {
    split_outside_parentheses(text).into_iter().map(|part| parse_label(part, text)).collect()
}

fn parse_label(part: &str, whole: &str) -> Result<LabelRule, Refusal> {
    let refuse = || Refusal::bad_request(format!("unable to parse requirement: found '{part}' in \"{whole}\""));
    let rule = |key: &str, test| {
        let key = key.trim();
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        if key.is_empty() || !key.chars().all(legal) { Err(refuse()) } else { Ok((key.to_owned(), test)) }
    };
    let list = |text: &str| -> Result<Vec<String>, Refusal> {
        let inner = text.trim().strip_prefix('(').and_then(|text| text.strip_suffix(')')).ok_or_else(refuse)?;
        Ok(inner.split(',').map(|value| value.trim().to_owned()).collect())
    };
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| refuse());
    let (key, test) = if let Some((key, values)) = part.split_once(" notin ") {
        rule(key, LabelTest::NotIn(list(values)?))?
    } else if let Some((key, values)) = part.split_once(" in ") {
        rule(key, LabelTest::In(list(values)?))?
    } else if let Some((key, value)) = part.split_once("!=") {
        rule(key, LabelTest::NotIn(vec![value.trim().to_owned()]))?
    } else if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        rule(key, LabelTest::In(vec![value.trim().to_owned()]))?
    } else if let Some((key, value)) = part.split_once('>') {
        rule(key, LabelTest::Above(number(value)?))?
    } else if let Some((key, value)) = part.split_once('<') {
        rule(key, LabelTest::Below(number(value)?))?
    } else if let Some(key) = part.trim().strip_prefix('!') {
        rule(key, LabelTest::Missing)?
    } else {
        rule(part, LabelTest::Exists)?
    };
    Ok(LabelRule { key, test })
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_u32, 0);
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn parse_fields(text: &str) -> Result<Vec<FieldRule>, Refusal> {
    let parts = text.split(',').filter(|part| !part.trim().is_empty());
    parts
        .map(|part| {
            let (path, value, equal) = if let Some((path, value)) = part.split_once("!=") {
                (path, value, false)
            } else if let Some((path, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
                (path, value, true)
            } else {
                let message = format!("invalid field selector: \"{text}\"; can't understand '{part}'");
                return Err(Refusal::bad_request(message));
            };
            let path = path.trim().split('.').map(str::to_owned).collect();
            Ok(FieldRule { path, value: value.trim().to_owned(), equal })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn selects(labels: &str, object: &Value) -> bool {
        Selector::parse(None, labels, "").unwrap().matches(object)
    }

    fn selects_field(fields: &str, object: &Value) -> bool {
        Selector::parse(None, "", fields).unwrap().matches(object)
    }

    #[test]
    fn every_label_operator_selects() {
        let node = json!({"metadata": {"labels": {"zone": "a", "size": "7", "role/worker": ""}}});
        for (selector, expected) in [
            ("zone=a", true),
            ("zone==b", false),
            ("zone!=b", true),
            ("rack!=b", true),
            ("zone in (a, b)", true),
            ("zone notin (a,b)", false),
            ("role/worker", true),
            ("!role/worker", false),
            ("!rack", true),
            ("size>6", true),
            ("size<7", false),
            ("zone in (a,c),role/worker=,!rack", true),
            ("", true),
        ] {
            assert_eq!(selects(selector, &node), expected, "{selector}");
        }
        assert!(Selector::parse(None, "zone in a", "").is_err());
        assert!(Selector::parse(None, "=a", "").is_err());
    }

    #[test]
    fn absent_fields_read_as_their_zero_value() {
        let node = json!({"metadata": {"name": "n"}, "spec": {}});
        assert!(selects_field("spec.unschedulable=false", &node));
        assert!(selects_field("spec.nodeName=", &node));
        assert!(selects_field("spec.nodeName!=m,metadata.name=n", &node));
        assert!(!selects_field("metadata.name!=n", &node));
        assert!(selects_field("spec.unschedulable=true", &json!({"spec": {"unschedulable": true}})));
        assert!(Selector::parse(None, "", "name").is_err());
    }

    #[test]
    fn an_empty_label_selector_selects_all_and_a_missing_one_nothing() {
        let labels = json!({"app": "cart"});
        assert!(label_selector_matches(&json!({}), &labels));
        assert!(!label_selector_matches(&Value::Null, &labels));
        let rule = json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["cart"]}]});
        assert!(!label_selector_matches(&rule, &labels));
    }
}
