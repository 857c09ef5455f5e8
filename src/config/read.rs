//! Reading the file: an error names the file, the line and what was expected; an unknown key is a warning.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Spanned};

use super::{Config, yaml};

/// A configuration and what is odd about it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// One line per key that nobody knows.
    pub warnings: Vec<String>,
    /// Where the entries of `keys:` stand, by key: `config.yaml:3:3`.
    pub key_places: BTreeMap<String, String>,
}

/// The entries of `keys:` with their places: what they mean is read elsewhere, and judged by whoever knows the commands.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Places {
    keys: Entries,
}

#[derive(Debug, Default)]
struct Entries(BTreeMap<String, Location>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("keys with what they mean")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((key, _)) = map.next_entry::<Spanned<String>, IgnoredAny>()? {
                    entries.insert(key.value, key.referenced);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// Where the entries of `keys:` stand in the text of a file.
fn key_places(text: &str, name: &str) -> BTreeMap<String, String> {
    // What is wrong with the text was told when its meaning was read.
    let places: Places = serde_saphyr::from_str(text).unwrap_or_default();
    let place = |at: &Location| format!("{name}:{}:{}", at.line(), at.column());
    places.keys.0.iter().map(|(key, at)| (key.clone(), place(at))).collect()
}

/// Reads `path`. A missing file is an empty configuration, unless the person named it (`named`).
pub fn load(path: &Path, named: bool) -> Result<Loaded, String> {
    match fs::read_to_string(path) {
        Ok(text) => parse(&text, &path.display().to_string()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !named => Ok(Loaded::default()),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Reads the text of a file that is called `name` in messages.
pub fn parse(text: &str, name: &str) -> Result<Loaded, String> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Loaded::default());
    }
    let config: Config = yaml::from_str(text).map_err(|error| {
        let place = error.location().map_or_else(String::new, |at| format!(":{}:{}", at.line(), at.column()));
        let words = error.without_snippet().to_string();
        format!("{name}{place}: {}", words.lines().next().unwrap_or_default())
    })?;
    let warnings = unknown(&config).into_iter().map(|key| format!("{name}: unknown key `{key}`, ignored")).collect();
    Ok(Loaded { config, warnings, key_places: key_places(text, name) })
}

fn unknown(config: &Config) -> Vec<String> {
    let top = config.unknown.keys().cloned();
    let notify = config.notify.unknown.keys().map(|key| format!("notify.{key}"));
    let contexts = config
        .contexts
        .iter()
        .flat_map(|(name, context)| context.unknown.keys().map(move |key| format!("contexts.{name}.{key}")));
    let actions = config.actions.unknown.keys().map(|key| format!("actions.{key}"));
    let inner = config.contexts.iter().flat_map(|(name, context)| {
        context.actions.unknown.keys().map(move |key| format!("contexts.{name}.actions.{key}"))
    });
    top.chain(notify).chain(actions).chain(contexts).chain(inner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_and_a_file_of_comments_are_the_defaults() {
        assert_eq!(parse("", "c.yaml"), Ok(Loaded::default()));
        assert_eq!(parse("# theme: light\n\n", "c.yaml"), Ok(Loaded::default()));
    }

    #[test]
    fn every_key_is_read() {
        let text = "theme: light\nascii: true\nmouse: false\ncolumns: {nodes: [node, kubelet]}\ntab: nodes\nread-only: true\n\
                    notify: {bell: false, osc9: true, hook: 'echo hi'}\nkeys: {ctrl-q: quit, d: {command: yaml, when: nodes}}\n\
                    actions: {confirm: typed, forbid: [start-update]}\n\
                    contexts:\n  'prod*': {read-only: true, label: production, actions: {confirm: plan}}\n";
        let loaded = parse(text, "c.yaml").unwrap();
        assert_eq!(loaded.warnings, Vec::<String>::new());
        assert_eq!(loaded.config.theme.as_deref(), Some("light"));
        assert_eq!(loaded.config.columns["nodes"], ["node", "kubelet"]);
        assert_eq!(loaded.config.notify.hook.as_deref(), Some("echo hi"));
        assert_eq!(loaded.config.keys["ctrl-q"].command(), "quit");
        assert_eq!(loaded.config.keys["d"].when(), Some("nodes"));
        assert_eq!(loaded.config.contexts["prod*"].label.as_deref(), Some("production"));
    }

    #[test]
    fn an_unknown_key_is_a_warning_wherever_it_stands() {
        let loaded =
            parse("thema: light\nnotify: {bel: true}\ncontexts: {prod: {readonly: true}}\n", "c.yaml").unwrap();
        assert_eq!(
            loaded.warnings,
            [
                "c.yaml: unknown key `thema`, ignored",
                "c.yaml: unknown key `notify.bel`, ignored",
                "c.yaml: unknown key `contexts.prod.readonly`, ignored",
            ]
        );
    }

    #[test]
    fn a_wrong_value_is_an_error_with_file_line_and_expectation() {
        let error = parse("theme: light\nascii: maybe\n", "c.yaml").unwrap_err();
        assert!(error.starts_with("c.yaml:2:"), "{error}");
        assert!(error.contains("bool"), "{error}");
        let error = parse("keys:\n  x: [3]\n", "c.yaml").unwrap_err();
        assert!(error.contains("c.yaml:"), "{error}");
        let error = parse("theme: [\n", "c.yaml").unwrap_err();
        assert!(error.starts_with("c.yaml:"), "{error}");
    }

    #[test]
    fn the_entries_of_keys_have_their_places() {
        let loaded =
            parse("theme: light\nkeys:\n  z: explode\n  d:\n    command: yaml\n    when: nodes\n", "c.yaml").unwrap();
        let places: Vec<(&str, &str)> =
            loaded.key_places.iter().map(|(key, place)| (key.as_str(), place.as_str())).collect();
        assert_eq!(places, [("d", "c.yaml:4:3"), ("z", "c.yaml:3:3")]);
        assert_eq!(parse("theme: light\n", "c.yaml").unwrap().key_places, BTreeMap::new());
    }

    #[test]
    fn a_missing_file_is_an_error_only_when_it_was_named() {
        let path = Path::new("/nowhere/config.yaml");
        assert_eq!(load(path, false), Ok(Loaded::default()));
        assert!(load(path, true).unwrap_err().starts_with("/nowhere/config.yaml: "));
    }
}
