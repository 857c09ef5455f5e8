//! The table that joins keys, circumstances and commands: ordered rules, the first that fits wins.

use super::command::Command;
use super::defaults;
use super::key::Key;
use super::when::{Layer, Snapshot, When};

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The key.
    pub key: Key,
    /// Under which circumstances.
    pub when: When,
    /// What it means then.
    pub command: Command,
    /// Its place in the footer, smaller first; none: help only.
    pub hint: Option<u8>,
}

/// Rules in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    rules: Vec<Rule>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { rules: defaults::rules() }
    }
}

/// A change to the keys that a configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The key as written: `ctrl-e`.
    pub key: String,
    /// The command as written: `describe`; `none` takes the key away.
    pub command: String,
    /// The circumstances as written (`nodes`, `panes`, `text` ...); none: anywhere.
    pub when: Option<String>,
    /// Where that stands, for messages: `config.yaml:3:3`; empty: not known.
    pub place: String,
}

/// Of these names the one that was probably meant by `name`.
fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let off = known.map(|one| (distance(name, one), one)).min()?;
    (off.0 <= name.chars().count().div_ceil(2)).then_some(off.1)
}

/// How many characters have to be added, taken away or replaced to make `b` of `a` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, x) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], at + 1);
        for (i, y) in b.iter().enumerate() {
            let replaced = corner + usize::from(x != *y);
            corner = row[i + 1];
            row[i + 1] = replaced.min(corner + 1).min(row[i] + 1);
        }
    }
    row[b.len()]
}

impl Keymap {
    /// The default keys with changes, and what could not be understood (one line each; the rest holds).
    pub fn with_overrides(overrides: &[Override]) -> (Self, Vec<String>) {
        let mut map = Self::default();
        let mut troubles = Vec::new();
        let mut first = Vec::new();
        for change in overrides {
            match map.rule(change) {
                Ok(Some(rule)) => first.push(rule),
                Ok(None) => {}
                Err(trouble) => {
                    let place = if change.place.is_empty() { String::new() } else { format!("{}: ", change.place) };
                    troubles.push(format!("{place}keys: {trouble}; ignored"));
                }
            }
        }
        first.append(&mut map.rules);
        map.rules = first;
        (map, troubles)
    }

    /// The rule of a change; none when it took a key away.
    fn rule(&mut self, change: &Override) -> Result<Option<Rule>, String> {
        let key: Key = change.key.parse().map_err(|trouble| format!("{trouble}"))?;
        let when = match &change.when {
            None => When::Anywhere,
            Some(name) => When::named(name).ok_or_else(|| {
                let known: Vec<&str> = When::NAMES.iter().map(|(name, _)| *name).collect();
                format!("`{name}` (for {key}) is not a circumstance, expected one of {}", known.join(", "))
            })?,
        };
        if change.command == "none" {
            let everywhere = change.when.is_none();
            self.rules.retain(|rule| rule.key != key || !(everywhere || rule.when == when));
            return Ok(None);
        }
        let command = Command::named(&change.command).ok_or_else(|| {
            let meant = nearest(&change.command, Command::all().map(Command::name));
            let meant = meant.map(|name| format!(" (`{name}`?)")).unwrap_or_default();
            let expected = "expected the name of a command, such as `describe` or `pause-pool`, or `none`";
            format!("`{}` (for {key}) is not a command{meant}, {expected}", change.command)
        })?;
        let hint = self.rules.iter().filter(|rule| rule.command == command).find_map(|rule| rule.hint);
        Ok(Some(Rule { key, when, command, hint }))
    }

    /// What `key` means now.
    pub fn resolve(&self, key: Key, at: &Snapshot) -> Option<Command> {
        self.rules
            .iter()
            .find(|rule| rule.key == key && rule.when.holds(at) && !(at.read_only && rule.command.writes()))
            .map(|rule| rule.command)
    }

    /// Would `key` change the cluster if writes were on? Then a read-only cockpit says so instead of nothing.
    pub fn would_write(&self, key: Key, at: &Snapshot) -> bool {
        let open = Snapshot { read_only: false, ..*at };
        at.read_only && self.resolve(key, &open).is_some_and(Command::writes)
    }

    /// What the footer shows: for each command that has a place there and can be given now its first key.
    pub fn hints(&self, at: &Snapshot) -> Vec<(Key, Command)> {
        let mut found: Vec<(u8, Key, Command)> = Vec::new();
        for rule in &self.rules {
            let Some(place) = rule.hint else { continue };
            if matches!(rule.command, Command::Act(action) if at.barred.contains(action)) {
                continue;
            }
            if found.iter().all(|(_, _, command)| *command != rule.command)
                && rule.when.holds(at)
                && self.resolve(rule.key, at) == Some(rule.command)
            {
                found.push((place, rule.key, rule.command));
            }
        }
        found.sort_by_key(|(place, ..)| *place);
        found.into_iter().map(|(_, key, command)| (key, command)).collect()
    }

    /// All keys of a command that work now, in the order of the table.
    pub fn keys_now(&self, command: Command, at: &Snapshot) -> Vec<Key> {
        let mut keys: Vec<Key> = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.command == command) {
            if !keys.contains(&rule.key) && self.resolve(rule.key, at) == Some(command) {
                keys.push(rule.key);
            }
        }
        keys
    }

    /// What a key that does nothing here would do elsewhere, and under which condition.
    pub fn elsewhere(&self, key: Key, at: &Snapshot) -> Option<(Command, When)> {
        let rules = || {
            let own = self.rules.iter().filter(move |rule| rule.key == key);
            own.filter(|rule| !(at.read_only && rule.command.writes()))
        };
        let near = rules().find(|rule| rule.when.about_panes() == (at.layer == Layer::Panes));
        near.or_else(|| rules().next()).map(|rule| (rule.command, rule.when))
    }

    /// All keys of a command, whatever the circumstances; none while read-only if it writes.
    pub fn keys(&self, command: Command, read_only: bool) -> Vec<Key> {
        let mut keys: Vec<Key> = Vec::new();
        if read_only && command.writes() {
            return keys;
        }
        for rule in self.rules.iter().filter(|rule| rule.command == command) {
            if !keys.contains(&rule.key) {
                keys.push(rule.key);
            }
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::super::when::{Layer, Pane, Row};
    use super::*;
    use crate::actions::ActionId;
    use crate::input::command::Tab;

    fn key(text: &str) -> Key {
        text.parse().unwrap()
    }

    #[test]
    fn the_same_key_means_what_the_place_says() {
        let map = Keymap::default();
        let panes = Snapshot { row: Row::Node, pane: Pane::Nodes, ..Snapshot::default() };
        let text = Snapshot { layer: Layer::Text, searching: true, ..Snapshot::default() };
        let step = Snapshot { next_step: true, ..panes };
        assert_eq!(map.resolve(key(crate::actions::next_step::KEY), &step), Some(Command::NextStep));
        assert_eq!(map.resolve(key("n"), &text), Some(Command::NextMatch));
        assert_eq!(map.resolve(key("c"), &panes), Some(Command::Act(ActionId::CordonNodes)));
        assert_eq!(map.resolve(key("4"), &panes), Some(Command::Go(Tab::Nodes)));
    }

    #[test]
    fn p_pauses_or_unpauses_by_the_state_of_the_pool() {
        let map = Keymap::default();
        let at = |row| Snapshot { row, ..Snapshot::default() };
        assert_eq!(map.resolve(key("p"), &at(Row::Pool)), Some(Command::Act(ActionId::PausePool)));
        assert_eq!(map.resolve(key("p"), &at(Row::PausedPool)), Some(Command::Act(ActionId::UnpausePool)));
        assert_eq!(map.resolve(key("p"), &at(Row::Operator)), None);
    }

    #[test]
    fn ctrl_d_is_half_a_page_everywhere_and_nothing_else() {
        let map = Keymap::default();
        for layer in [Layer::Panes, Layer::Text, Layer::List, Layer::Plan, Layer::Form] {
            let at = Snapshot { layer, row: Row::Node, ..Snapshot::default() };
            assert_eq!(map.resolve(key("ctrl-d"), &at), Some(Command::HalfDown), "{layer:?}");
        }
    }

    #[test]
    fn read_only_takes_every_write_away_at_once() {
        let map = Keymap::default();
        for row in [Row::None, Row::Node, Row::CordonedNode, Row::Pool, Row::PausedPool, Row::Version] {
            let at = Snapshot { row, read_only: true, marked: true, next_step: true, ..Snapshot::default() };
            for rule in &map.rules {
                let meaning = map.resolve(rule.key, &at);
                assert!(!meaning.is_some_and(Command::writes), "{} means {meaning:?}", rule.key);
            }
            assert!(map.hints(&at).iter().all(|(_, command)| !command.writes()));
            assert!(
                Command::all().filter(|command| command.writes()).all(|command| map.keys(command, true).is_empty())
            );
        }
        let at = Snapshot { row: Row::Node, read_only: true, ..Snapshot::default() };
        assert!(map.would_write(key("c"), &at));
        assert!(!map.would_write(key("j"), &at));
    }

    #[test]
    fn letters_are_text_while_text_is_typed() {
        let map = Keymap::default();
        let typing = Snapshot { text_entry: true, row: Row::Node, ..Snapshot::default() };
        for c in ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(":/?!- ".chars()) {
            assert_eq!(map.resolve(Key::char(c), &typing), None, "{c}");
        }
        assert_eq!(map.resolve(key("ctrl-c"), &typing), Some(Command::Quit));
        assert_eq!(map.resolve(key("esc"), &typing), Some(Command::Cancel));
    }

    #[test]
    fn overrides_come_first_and_mistakes_are_named() {
        let change = |key: &str, command: &str, when: Option<&str>| Override {
            key: key.into(),
            command: command.into(),
            when: when.map(Into::into),
            place: String::new(),
        };
        let (map, troubles) = Keymap::with_overrides(&[
            change("ctrl-x", "menu", None),
            change("x", "none", None),
            change("hyper-q", "quit", None),
            change("z", "explode", None),
            change("d", "yaml", Some("nodes")),
        ]);
        let at = Snapshot { row: Row::Node, pane: Pane::Nodes, ..Snapshot::default() };
        assert_eq!(map.resolve(key("ctrl-x"), &at), Some(Command::Menu));
        assert_eq!(map.resolve(key("x"), &at), None);
        assert_eq!(map.resolve(key("d"), &at), Some(Command::Yaml));
        assert_eq!(troubles.len(), 2, "{troubles:?}");
        assert!(troubles[0].contains("hyper-q") && troubles[1].contains("explode"));
    }

    #[test]
    fn a_mistake_is_told_with_its_place_and_what_was_expected() {
        let change = |key: &str, command: &str, when: Option<&str>| Override {
            key: key.into(),
            command: command.into(),
            when: when.map(Into::into),
            place: "c.yaml:3:3".into(),
        };
        let told = |change: Override| Keymap::with_overrides(&[change]).1.concat();
        assert_eq!(
            told(change("z", "describ", None)),
            "c.yaml:3:3: keys: `describ` (for z) is not a command (`describe`?), expected the name of a command, such as \
             `describe` or `pause-pool`, or `none`; ignored"
        );
        let key = told(change("hyper-q", "quit", None));
        assert!(key.starts_with("c.yaml:3:3: keys: ") && key.contains("hyper-q") && key.contains("expected"), "{key}");
        let when = told(change("d", "yaml", Some("node-list")));
        assert!(when.contains("`node-list` (for d) is not a circumstance, expected one of anywhere, always"), "{when}");
    }

    #[test]
    fn the_nearest_name_is_offered_only_where_it_is_near() {
        assert_eq!(nearest("descripe", ["describe", "yaml"].into_iter()), Some("describe"));
        assert_eq!(nearest("xyz", ["describe", "yaml"].into_iter()), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn the_footer_shows_the_keys_that_work_here() {
        let map = Keymap::default();
        let node = Snapshot { row: Row::Node, pane: Pane::Nodes, ..Snapshot::default() };
        let hints = map.hints(&node);
        assert!(hints.contains(&(key("c"), Command::Act(ActionId::CordonNodes))), "{hints:?}");
        assert!(!hints.iter().any(|(_, command)| *command == Command::Act(ActionId::PausePool)));
        for (shown, command) in hints {
            assert_eq!(map.resolve(shown, &node), Some(command));
        }
    }
}
