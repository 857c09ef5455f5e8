//! The difference between what is there and what would be, line by line, as YAML. Secret values stand there as digests.

use serde_json::Value;

use crate::actions::request::digest;

/// So many unchanged lines are shown around a change.
const CONTEXT: usize = 2;
/// So many lines are shown at most: whoever reads a plan reads no more.
const SHOWN: usize = 80;
/// Above this product of lines the middle is told as replaced as a whole.
const LARGEST: usize = 4_000_000;

/// The lines of the difference: `-` for what goes, `+` for what comes.
pub(super) fn difference(there: Option<&Value>, would_be: Option<&Value>) -> Vec<String> {
    let lines = |object: Option<&Value>| object.map(|object| yaml(&visible(object))).unwrap_or_default();
    let mut lines = shown(&compared(&lines(there), &lines(would_be)));
    if lines.len() > SHOWN {
        let more = lines.len() - SHOWN;
        lines.truncate(SHOWN);
        lines.push(format!("  ... and {more} more lines"));
    }
    lines
}

/// The object without what the server says about it, secret values by digest.
pub(super) fn visible(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in ["managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"] {
            metadata.remove(key);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    if object.get("kind").and_then(Value::as_str) == Some("Secret") {
        for field in ["data", "stringData"] {
            for value in
                object.get_mut(field).and_then(Value::as_object_mut).into_iter().flat_map(|map| map.values_mut())
            {
                veil(value);
            }
        }
    }
    let passwords = super::proxy_config::passwords(&object);
    for pointer in password_hashes(&object).into_iter().chain(passwords) {
        object.pointer_mut(&pointer).into_iter().for_each(veil);
    }
    object
}

fn veil(value: &mut Value) {
    *value = Value::from(value.as_str().map_or_else(|| "(not shown)".to_owned(), digest));
}

/// Where a MachineConfig holds hashes of passwords.
pub(super) fn password_hashes(object: &Value) -> Vec<String> {
    let users = crate::actions::raw::items(object, "/spec/config/passwd/users");
    let hashed = users.iter().enumerate().filter(|(_, user)| user.get("passwordHash").is_some());
    hashed.map(|(at, _)| format!("/spec/config/passwd/users/{at}/passwordHash")).collect()
}

fn yaml(object: &Value) -> Vec<String> {
    match serde_saphyr::to_string(object) {
        Ok(text) => text.lines().map(str::to_owned).collect(),
        // Never the content: it may be secret.
        Err(_) => vec!["(cannot be shown as YAML)".to_owned()],
    }
}

/// A line of both, of the old or of the new text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Both(&'a str),
    Old(&'a str),
    New(&'a str),
}

/// Both texts as one, by the longest common subsequence of what lies between their common beginning and end.
fn compared<'a>(old: &'a [String], new: &'a [String]) -> Vec<Line<'a>> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (left, right) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let mut lines: Vec<Line> = old[..head].iter().map(|line| Line::Both(line)).collect();
    if left.len().saturating_mul(right.len()) > LARGEST {
        lines.extend(left.iter().map(|line| Line::Old(line)));
        lines.extend(right.iter().map(|line| Line::New(line)));
    } else {
        lines.extend(middle(left, right));
    }
    lines.extend(old[old.len() - tail..].iter().map(|line| Line::Both(line)));
    lines
}

fn middle<'a>(old: &'a [String], new: &'a [String]) -> Vec<Line<'a>> {
    let width = new.len() + 1;
    // `longest[i * width + j]`: length of the longest common subsequence of old[i..] and new[j..].
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i * width + j] = if old[i] == new[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(Line::Both(&old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            lines.push(Line::Old(&old[i]));
            i += 1;
        } else {
            lines.push(Line::New(&new[j]));
            j += 1;
        }
    }
    lines
}

/// The changes with some lines around them.
fn shown(lines: &[Line]) -> Vec<String> {
    let changes: Vec<usize> = (0..lines.len()).filter(|at| !matches!(lines[*at], Line::Both(_))).collect();
    let near = |at: usize| {
        let next = changes.partition_point(|change| *change < at);
        let distance = |change: Option<&usize>| change.map_or(usize::MAX, |change| change.abs_diff(at));
        distance(changes.get(next)).min(distance(next.checked_sub(1).and_then(|before| changes.get(before)))) <= CONTEXT
    };
    let mut out: Vec<String> = Vec::new();
    let mut last = None;
    for (at, line) in lines.iter().enumerate().filter(|(at, _)| near(*at)) {
        if last.is_some_and(|last| at > last + 1) {
            out.push("  ...".to_owned());
        }
        last = Some(at);
        out.push(match line {
            Line::Both(text) => format!("  {text}"),
            Line::Old(text) => format!("- {text}"),
            Line::New(text) => format!("+ {text}"),
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_stand_among_what_stays() {
        let old = json!({ "spec": { "a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7 }, "status": { "x": 1 } });
        let mut new = old.clone();
        new["spec"]["b"] = json!(20);
        new["spec"]["h"] = json!(8);
        new["status"]["x"] = json!(2);
        let lines = difference(Some(&old), Some(&new));
        assert_eq!(
            lines,
            [
                "  spec:",
                "    a: 1",
                "-   b: 2",
                "+   b: 20",
                "    c: 3",
                "    d: 4",
                "  ...",
                "    f: 6",
                "    g: 7",
                "+   h: 8"
            ]
        );
    }

    #[test]
    fn what_is_new_is_shown_whole_and_what_is_the_same_not_at_all() {
        let object = json!({ "kind": "X", "spec": { "a": 1 } });
        assert_eq!(difference(None, Some(&object)), ["+ kind: X", "+ spec:", "+   a: 1"]);
        assert!(difference(Some(&object), Some(&object)).is_empty());
    }

    #[test]
    fn secret_values_are_digests() {
        let secret = |value: &str| json!({ "kind": "Secret", "data": { "key": value } });
        let lines = difference(Some(&secret("Y2FuYXJ5MQ==")), Some(&secret("Y2FuYXJ5Mg==")));
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines[1].starts_with("-   key: sha256:") && lines[2].starts_with("+   key: sha256:"), "{lines:?}");
        assert!(!lines.concat().contains("Y2FuYXJ5"));
        let hash = json!({ "spec": { "config": { "passwd": { "users": [{ "name": "core", "passwordHash": "$6$canary" }] } } } });
        assert!(!difference(None, Some(&hash)).concat().contains("canary"));
    }
}
