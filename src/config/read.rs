//! Reading the file: an error names the file, the line and what was expected; an unknown key is a warning.

use std::fs;
use std::io;
use std::path::Path;

use super::{Config, Places};

/// A configuration and what is odd about it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// One line per key that nobody knows.
    pub warnings: Vec<String>,
    /// Where its entries stand.
    pub places: Places,
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
    let config: Config = serde_saphyr::from_str(text).map_err(|error| {
        let place = error.location().map_or_else(String::new, |at| format!(":{}:{}", at.line(), at.column()));
        let words = error.without_snippet().to_string();
        format!("{name}{place}: {}", words.lines().next().unwrap_or_default())
    })?;
    let places = Places::of(text, name);
    let stranger = |key: String| places.told(&key, &format!("unknown key `{key}`, ignored"));
    Ok(Loaded { warnings: unknown(&config).into_iter().map(stranger).collect(), config, places })
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
                "c.yaml:1:1: unknown key `thema`, ignored",
                "c.yaml:2:10: unknown key `notify.bel`, ignored",
                "c.yaml:3:19: unknown key `contexts.prod.readonly`, ignored",
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
    fn every_entry_has_its_place() {
        let text = "theme: light\nkeys:\n  z: explode\n  d: &d\n    command: yaml\n    when: nodes\n  e: *d\n\
                    columns: {nodes: [node, zone],\n  operators: [~, 1, 0.5, yes]}\nodd: {\"4\": [[x]]}\n";
        let places = parse(text, "c.yaml").unwrap_or_default().places;
        assert_eq!(places, Places::default(), "columns are no words");
        let places = parse(&text.replace("~, 1, 0.5, yes", "name"), "c.yaml").unwrap().places;
        for (path, place) in [
            ("theme", "c.yaml:1:1"),
            ("keys.z", "c.yaml:3:3"),
            ("keys.d", "c.yaml:4:3"),
            ("keys.d.when", "c.yaml:6:5"),
            ("keys.e", "c.yaml:7:3"),
            ("columns.nodes", "c.yaml:8:11"),
            ("columns.nodes.1", "c.yaml:8:25"),
            ("columns.operators.0", "c.yaml:9:15"),
            ("odd.4.0.0", "c.yaml:10:14"),
            ("nowhere", "c.yaml"),
        ] {
            assert_eq!(places.at(path), place, "{path}");
        }
        assert_eq!(parse("", "c.yaml").unwrap().places.at("theme"), "");
    }

    #[test]
    fn a_missing_file_is_an_error_only_when_it_was_named() {
        let path = Path::new("/nowhere/config.yaml");
        assert_eq!(load(path, false), Ok(Loaded::default()));
        assert!(load(path, true).unwrap_err().starts_with("/nowhere/config.yaml: "));
    }
}
