//! What holds in the end: the flags, then the context's settings, then the file, then the defaults.

use super::{Config, Confirmation, glob};

/// What the command line says. None: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--theme`.
    pub theme: Option<String>,
    /// `--no-color`, or `NO_COLOR` in the environment.
    pub no_color: bool,
    /// `--ascii`.
    pub ascii: bool,
    /// `--tab`.
    pub tab: Option<String>,
    /// `--read-only` (true) or `--write` (false).
    pub read_only: Option<bool>,
}

/// The settings of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Name of the theme; none: by the terminal's background where it says so, else dark.
    pub theme: Option<String>,
    /// Draw without colour.
    pub no_color: bool,
    /// Draw in ASCII alone.
    pub ascii: bool,
    /// Name of the tab to open first.
    pub tab: Option<String>,
    /// Listen to the mouse.
    pub mouse: bool,
    /// Ring the bell.
    pub bell: bool,
    /// OSC 9 notifications.
    pub osc9: bool,
    /// Hook command.
    pub hook: Option<String>,
}

/// What holds in one context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContextSettings {
    /// Writes are off, and why.
    pub read_only: Option<String>,
    /// A word beside the context's name.
    pub label: Option<String>,
    /// Actions are confirmed by typing the name of the context at least.
    pub typed: bool,
    /// Names of actions that are not to be done.
    pub forbid: Vec<String>,
}

impl Config {
    /// The settings that hold with these flags.
    pub fn settings(&self, overrides: &Overrides) -> Settings {
        Settings {
            theme: overrides.theme.clone().or_else(|| self.theme.clone()),
            no_color: overrides.no_color,
            ascii: overrides.ascii || self.ascii.unwrap_or(false),
            tab: overrides.tab.clone().or_else(|| self.tab.clone()),
            mouse: self.mouse.unwrap_or(true),
            bell: self.notify.bell.unwrap_or(true),
            osc9: self.notify.osc9.unwrap_or(false),
            hook: self.notify.hook.clone().filter(|hook| !hook.trim().is_empty()),
        }
    }

    /// Every action that is forbidden anywhere, with the key that does.
    pub fn forbidden(&self) -> Vec<(String, String)> {
        let everywhere = self.actions.forbid.iter().flatten().map(|name| ("actions.forbid".to_owned(), name.clone()));
        let of = |(pattern, own): (&String, &super::Context)| {
            let place = format!("contexts.{pattern}.actions.forbid");
            let names = own.actions.forbid.clone().unwrap_or_default();
            names.into_iter().map(move |name| (place.clone(), name))
        };
        everywhere.chain(self.contexts.iter().flat_map(of)).collect()
    }

    /// What holds in `context` with these flags. Asked again whenever the context is switched.
    pub fn context(&self, context: &str, overrides: &Overrides) -> ContextSettings {
        let (pattern, own) = self
            .contexts
            .iter()
            .filter(|(pattern, _)| glob::matches(pattern, context))
            .max_by_key(|(pattern, _)| pattern.len())
            .map_or((None, None), |(pattern, own)| (Some(pattern), Some(own)));
        let by_file = match own.and_then(|own| own.read_only) {
            Some(true) => {
                Some(format!("the configuration marks context `{}` read-only", pattern.map_or(context, |p| p)))
            }
            Some(false) => None,
            None => (self.read_only == Some(true)).then(|| "the configuration says read-only".to_owned()),
        };
        ContextSettings {
            read_only: match overrides.read_only {
                Some(true) => Some("started with --read-only".to_owned()),
                Some(false) => None,
                None => by_file,
            },
            label: own.and_then(|own| own.label.clone()),
            typed: own.and_then(|own| own.actions.confirm).or(self.actions.confirm) == Some(Confirmation::Typed),
            forbid: own
                .and_then(|own| own.actions.forbid.clone())
                .or_else(|| self.actions.forbid.clone())
                .unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn config(text: &str) -> Config {
        parse(text, "c.yaml").unwrap().config
    }

    #[test]
    fn flags_win_over_the_file() {
        let config = config("theme: light\ntab: nodes\n");
        let flags = Overrides { theme: Some("dark".into()), ..Overrides::default() };
        let settings = config.settings(&flags);
        assert_eq!(settings.theme.as_deref(), Some("dark"));
        assert_eq!(settings.tab.as_deref(), Some("nodes"));
        assert!(settings.bell, "the bell is on unless the file says otherwise");
    }

    #[test]
    fn the_longest_pattern_that_matches_decides_about_writes() {
        let config = config(
            "contexts:\n  '*': {read-only: true}\n  'lab-*': {read-only: false, label: lab}\n  'lab-prod': {read-only: true}\n",
        );
        let none = Overrides::default();
        let reason = config.context("prod", &none).read_only.unwrap();
        assert!(reason.contains("`*`"), "{reason}");
        assert_eq!(config.context("lab-1", &none), ContextSettings { label: Some("lab".into()), ..Default::default() });
        assert!(config.context("lab-prod", &none).read_only.is_some());
    }

    #[test]
    fn a_context_says_for_itself_what_is_forbidden_and_how_actions_are_confirmed() {
        let config = config(
            "actions: {forbid: [start-update]}\ncontexts:\n  'prod*': {actions: {confirm: typed}}\n  lab: {actions: {forbid: []}}\n",
        );
        let none = Overrides::default();
        let prod = config.context("prod-1", &none);
        assert!(prod.typed);
        assert_eq!(prod.forbid, ["start-update"], "as everywhere");
        let lab = config.context("lab", &none);
        assert!(!lab.typed && lab.forbid.is_empty());
        assert_eq!(config.forbidden(), [("actions.forbid".to_owned(), "start-update".to_owned())]);
    }

    #[test]
    fn write_overrides_the_file_and_read_only_overrides_a_context() {
        let config = config("read-only: true\ncontexts: {lab: {read-only: false}}\n");
        let write = Overrides { read_only: Some(false), ..Overrides::default() };
        let read = Overrides { read_only: Some(true), ..Overrides::default() };
        assert!(config.context("prod", &Overrides::default()).read_only.is_some());
        assert_eq!(config.context("prod", &write).read_only, None);
        assert_eq!(config.context("lab", &Overrides::default()).read_only, None);
        assert_eq!(config.context("lab", &read).read_only.as_deref(), Some("started with --read-only"));
    }
}
