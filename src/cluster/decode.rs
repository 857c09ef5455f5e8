//! Lists and watch events read so that one bad object never costs the others.
//!
//! The fast way reads straight into the lens. Only when that fails is the text read as a JSON tree and taken apart
//! object by object: the good ones are kept, the others are named with the reason.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::kinds::label;

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub items: Vec<T>,
    /// Names (or places) and reasons of what could not be read.
    pub unreadable: Vec<(String, String)>,
    /// `metadata.resourceVersion`.
    pub version: String,
    /// `metadata.continue`; empty on the last page.
    pub more: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ListMeta {
    #[serde(rename = "resourceVersion", deserialize_with = "or_default")]
    pub resource_version: String,
    #[serde(rename = "continue", deserialize_with = "or_default")]
    pub more: String,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Raw<T> {
    #[serde(default, deserialize_with = "or_default")]
    metadata: ListMeta,
    #[serde(default, deserialize_with = "or_default")]
    items: Vec<T>,
}

/// Reads a page. An error only when it is no list at all.
pub(super) fn page<T: DeserializeOwned>(text: &[u8]) -> Result<Page<T>, serde_json::Error> {
    if let Ok(raw) = serde_json::from_slice::<Raw<T>>(text) {
        let ListMeta { resource_version, more } = raw.metadata;
        return Ok(Page { items: raw.items, unreadable: Vec::new(), version: resource_version, more });
    }
    let raw: Raw<Value> = serde_json::from_slice(text)?;
    let ListMeta { resource_version, more } = raw.metadata;
    let mut page = Page { items: Vec::new(), unreadable: Vec::new(), version: resource_version, more };
    for (place, value) in raw.items.into_iter().enumerate() {
        let name = name_of(&value).unwrap_or_else(|| format!("item {}", place + 1));
        match serde_json::from_value(value) {
            Ok(item) => page.items.push(item),
            Err(error) => page.unreadable.push((name, error.to_string())),
        }
    }
    Ok(page)
}

/// One line of a watch.
#[derive(Debug)]
pub(super) enum Event<T> {
    /// `ADDED` or `MODIFIED`, with the object's resourceVersion.
    Applied(T),
    /// `DELETED`: which.
    Deleted { namespace: String, name: String, version: String },
    /// `BOOKMARK`.
    Bookmark { version: String },
    /// `ERROR`: a `Status`.
    Error { code: u16, message: String },
    /// An object that could not be read, as `name` or `namespace/name`.
    Unreadable { name: String, version: String, why: String },
}

#[derive(Deserialize)]
struct Typed {
    r#type: String,
    object: Value,
}

/// Reads an object. That it is UTF-8 is looked at once, not for each of its texts; one that is not is read as far as
/// what is kept of it is.
pub(super) fn object<T: DeserializeOwned>(text: &[u8]) -> Result<T, serde_json::Error> {
    str::from_utf8(text).map_or_else(|_| serde_json::from_slice(text), serde_json::from_str)
}

/// Reads an object of a watch.
type Object<'a, T> = &'a dyn Fn(&[u8]) -> Result<T, serde_json::Error>;

/// Reads one line of a watch. An error only when it is no watch event at all.
pub(super) fn event<T>(line: &[u8], read: Object<'_, T>) -> Result<Event<T>, serde_json::Error> {
    if let Some(Ok(object)) = applied(line).map(read) {
        return Ok(Event::Applied(object));
    }
    let Typed { r#type: kind, object } = serde_json::from_slice::<Typed>(line)?;
    let version = text(&object, "/metadata/resourceVersion");
    let namespace = text(&object, "/metadata/namespace");
    let name = text(&object, "/metadata/name");
    Ok(match kind.as_str() {
        "BOOKMARK" => Event::Bookmark { version },
        "DELETED" => Event::Deleted { namespace, name, version },
        "ERROR" => Event::Error {
            code: object.pointer("/code").and_then(Value::as_u64).and_then(|code| code.try_into().ok()).unwrap_or(500),
            message: text(&object, "/message"),
        },
        _ => {
            let read = match kind.as_str() {
                "ADDED" | "MODIFIED" => read(object.to_string().as_bytes()).map_err(|error| error.to_string()),
                _ => Err(format!("an event of type {kind}")),
            };
            match read {
                Ok(object) => Event::Applied(object),
                Err(why) => Event::Unreadable { name: label(&namespace, &name), version, why },
            }
        }
    })
}

/// The object of `ADDED` or `MODIFIED`, in the form in which API servers write them: the type, the object, no more. If
/// it is another form, this is no JSON.
fn applied(line: &[u8]) -> Option<&[u8]> {
    let modified = line.strip_prefix(br#"{"type":"MODIFIED","object":"#);
    modified.or_else(|| line.strip_prefix(br#"{"type":"ADDED","object":"#))?.trim_ascii_end().strip_suffix(b"}")
}

/// `name`, or `namespace/name`.
pub(super) fn name_of(object: &Value) -> Option<String> {
    let name = Some(text(object, "/metadata/name")).filter(|name| !name.is_empty())?;
    Some(label(&text(object, "/metadata/namespace"), &name))
}

fn text(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Strict {
        metadata: Named,
        paused: bool,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Named {
        name: String,
    }

    fn strict(text: &[u8]) -> Result<Strict, serde_json::Error> {
        serde_json::from_slice(text)
    }

    #[test]
    fn one_bad_object_does_not_cost_the_others() {
        let list = br#"{"metadata":{"resourceVersion":"7","continue":null},"items":[
            {"metadata":{"name":"a"},"paused":true},
            {"metadata":{"name":"b"},"paused":"perhaps"},
            null,
            {"metadata":{"name":"c"},"paused":false}]}"#;
        let page = page::<Strict>(list).unwrap();
        let names: Vec<_> = page.items.iter().map(|item| item.metadata.name.as_str()).collect();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(page.version, "7");
        assert_eq!(page.unreadable[0].0, "b");
        assert!(page.unreadable[0].1.contains("expected a boolean"), "{:?}", page.unreadable);
        assert_eq!(page.unreadable[1].0, "item 3");
    }

    #[test]
    fn null_items_are_an_empty_list() {
        let page = page::<Strict>(br#"{"metadata":{"resourceVersion":"7"},"items":null}"#).unwrap();
        assert!(page.items.is_empty() && page.unreadable.is_empty());
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        assert!(page::<Strict>(b"<html>busy</html>").is_err());
    }

    #[test]
    fn a_watch_line_names_the_object_that_it_cannot_read() {
        let line = br#"{"type":"MODIFIED","object":{"metadata":{"name":"b","resourceVersion":"9"},"paused":3}}"#;
        let Event::Unreadable { name, version, why } = event(line, &strict).unwrap() else { panic!("readable") };
        assert_eq!((name.as_str(), version.as_str()), ("b", "9"));
        assert!(why.contains("boolean"), "{why}");
    }

    #[test]
    fn an_object_is_found_wherever_its_line_has_it() {
        let object = r#"{"metadata":{"name":"b"},"paused":true}"#;
        for line in [
            format!(r#"{{"type":"ADDED","object":{object}}}"#),
            format!(r#"{{"type":"MODIFIED","object":{object}}} "#),
            format!(r#"{{"object":{object},"type":"MODIFIED"}}"#),
            format!(r#"{{"type":"ADDED","object":{object},"more":{{}}}}"#),
        ] {
            assert!(
                matches!(event(line.as_bytes(), &strict), Ok(Event::Applied(Strict { paused: true, .. }))),
                "{line}"
            );
        }
        assert!(event(br#"{"type":"ADDED","object":{"metadata":"#, &strict).is_err(), "cut");
    }

    #[test]
    fn gone_inside_a_watch_is_an_error_event() {
        let line = br#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#;
        assert!(matches!(event(line, &strict).unwrap(), Event::Error { code: 410, .. }));
    }

    #[test]
    fn a_bookmark_carries_its_version_alone() {
        let line = br#"{"type":"BOOKMARK","object":{"kind":"Node","metadata":{"resourceVersion":"12"}}}"#;
        assert!(matches!(event(line, &strict).unwrap(), Event::Bookmark { version } if version == "12"));
    }
}
