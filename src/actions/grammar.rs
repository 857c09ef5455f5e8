//! How a wish is written: the usage of an action, and the way from words to a wish.
//!
//! The command line of the cockpit, its forms and `oc-cockpit do` all go through [`Entry::ask`], so that the same words
//! mean the same everywhere: `ACTION TARGET... [VALUE] [--name VALUE]`.

use semver::Version;

use super::{ALL, Arg, ArgKind, Args, Ask, Entry, Refusal, Takes, Target};
use crate::upgrade::assessment::Resource;
use crate::upgrade::version::without_v;

/// The argument that stands for the newest version.
pub(super) const NEWEST: &str = "newest";

/// What stands for the target in a usage line, and how many of it may be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nouns {
    /// The noun for one: `POOL`.
    pub noun: &'static str,
    /// Must one be named?
    pub required: bool,
    /// May several be named?
    pub several: bool,
}

impl Takes {
    /// How the target is written; none: it is given.
    pub fn nouns(self) -> Option<Nouns> {
        let nouns = |noun, required, several| Some(Nouns { noun, required, several });
        match self {
            Self::Cluster => None,
            Self::Version => nouns("VERSION", false, false),
            Self::Pool => nouns("POOL", true, false),
            Self::Pools => nouns("POOL", true, true),
            Self::Nodes => nouns("NODE", true, true),
            Self::Objects { noun, several, none, .. } => nouns(noun, !none, several),
            Self::Listed => nouns("KIND/[NAMESPACE/]NAME", true, false),
        }
    }

    /// The target that these names make; nothing named: the cluster, where that will do.
    fn target(self, names: &[String]) -> Result<Target, String> {
        let names = distinct(names);
        Ok(match self {
            _ if names.is_empty() => Target::Cluster,
            Self::Cluster => return Err(format!("unexpected `{}`", names[0])),
            Self::Version => Target::Version(without_v(&names[0]).to_owned()),
            Self::Pool | Self::Pools => Target::Pools(names),
            Self::Nodes => Target::Nodes(names),
            Self::Objects { resource, namespaced, namespace, .. } => {
                let one = |name: &String| object(resource, namespaced, namespace, name);
                Target::Objects(names.iter().map(one).collect::<Result<_, _>>()?)
            }
            Self::Listed => Target::Objects(vec![listed(&names)?]),
        })
    }
}

/// An object of the list, by `KIND/NAME`, `KIND/NAMESPACE/NAME`, or with a blank behind the kind. Which kinds are on the
/// list, and where they live, the plan knows.
fn listed(names: &[String]) -> Result<Resource, String> {
    let joined = names.join("/");
    let parts: Vec<&str> = joined.split('/').collect();
    let (kind, namespace, name) = match parts.as_slice() {
        [kind, name] => (*kind, "", *name),
        [kind, namespace, name] => (*kind, *namespace, *name),
        _ => return Err(format!("`{joined}` is not KIND/NAME or KIND/NAMESPACE/NAME")),
    };
    if parts.iter().any(|part| part.is_empty()) {
        return Err(format!("`{joined}` is not KIND/NAME or KIND/NAMESPACE/NAME"));
    }
    let resource = super::files::kinds::resource_named(kind)
        .ok_or_else(|| format!("{kind} is not on the list of what is deleted: {}", super::files::kinds::list()))?;
    Ok(Resource { resource, namespace: namespace.to_owned(), name: name.to_owned() })
}

/// Each name once, in the order in which they were given.
fn distinct(names: &[String]) -> Vec<String> {
    let mut seen: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        if !seen.contains(name) {
            seen.push(name.clone());
        }
    }
    seen
}

fn object(resource: &str, namespaced: bool, only: &str, name: &str) -> Result<Resource, String> {
    let plural = resource.split('.').next().unwrap_or_default();
    match (namespaced, name.split_once('/')) {
        (false, None) => Ok(Resource::cluster(resource, name)),
        (false, Some(_)) => Err(format!("{plural} are in no namespace: `{name}`")),
        (true, None) if only.is_empty() => Err(format!("in which namespace? NAMESPACE/{name}")),
        (true, None) => Ok(Resource::namespaced(resource, only, name)),
        (true, Some((namespace, _))) if !only.is_empty() && namespace != only => {
            Err(format!("only {plural} of the namespace {only} can be named: `{name}`"))
        }
        (true, Some((namespace, name))) if namespace.is_empty() || name.is_empty() || name.contains('/') => {
            Err(format!("`{namespace}/{name}` is not NAMESPACE/NAME"))
        }
        (true, Some((namespace, name))) => Ok(Resource::namespaced(resource, namespace, name)),
    }
}

impl Target {
    /// The names as they are written in a line; none for the cluster.
    pub fn written(&self) -> Vec<String> {
        match self {
            Self::Pools(names) | Self::Nodes(names) => names.clone(),
            Self::Version(version) => vec![version.clone()],
            Self::Objects(objects) => objects
                .iter()
                .map(|object| match object.namespace.as_str() {
                    "" => object.name.clone(),
                    namespace => format!("{namespace}/{}", object.name),
                })
                .collect(),
            Self::Cluster => Vec::new(),
        }
    }
}

impl Arg {
    /// What stands for the value in a usage line: `CHANNEL`.
    pub fn noun(&self) -> String {
        self.name.to_uppercase()
    }

    /// How it is written in a usage line: `CHANNEL`, `[--image IMAGE]`, `[--force]`.
    pub fn usage(&self) -> String {
        let value = match (self.positional, self.kind) {
            (true, _) => self.noun(),
            (false, ArgKind::Flag) => format!("--{}", self.name),
            (false, _) => format!("--{} {}", self.name, self.noun()),
        };
        let value = if self.required { value } else { format!("[{value}]") };
        if self.several { value + "..." } else { value }
    }

    /// Is `value` of the kind of this argument?
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn takes(&self, value: &str) -> Result<(), String> {
        let number = || {
            let digits = value.strip_suffix('%').unwrap_or(value);
            !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
        };
        match self.kind {
            ArgKind::Number if !number() => Err(format!("`{value}` is no whole number")),
            ArgKind::File if value.trim().is_empty() => Err(format!("{} is empty", self.name)),
            ArgKind::Text | ArgKind::File | ArgKind::Number | ArgKind::Flag => Ok(()),
        }
    }
}

impl Entry {
    /// A target of this action as its names are written in a line; none for the cluster.
    pub fn written(&self, target: &Target) -> Vec<String> {
        let kind = |object: &Resource| object.resource.split('.').next().unwrap_or_default().to_owned();
        match (self.takes, target) {
            (Takes::Listed, Target::Objects(objects)) => {
                objects.iter().zip(target.written()).map(|(one, name)| format!("{}/{name}", kind(one))).collect()
            }
            _ => target.written(),
        }
    }

    /// How the target is written; none: it is given. A flag can stand for the names of pools.
    pub fn nouns(&self) -> Option<Nouns> {
        let all = self.takes == Takes::Pools && self.args.iter().any(|arg| arg.name == ALL);
        self.takes.nouns().map(|nouns| Nouns { required: nouns.required && !all, ..nouns })
    }

    /// The action with what it takes: `pause-pool POOL...`, `set-max-unavailable POOL NUMBER`.
    pub fn usage(&self) -> String {
        let mut parts = vec![self.name.to_owned()];
        if let Some(Nouns { noun, required, several }) = self.nouns() {
            let dots = if several { "..." } else { "" };
            parts.push(if required { format!("{noun}{dots}") } else { format!("[{noun}{dots}]") });
        }
        let words = self.args.iter().filter(|arg| arg.positional);
        let options = self.args.iter().filter(|arg| !arg.positional);
        parts.extend(words.chain(options).map(Arg::usage));
        parts.join(" ")
    }

    /// The wish that bare words (target first, then the values that stand behind it) and named values make.
    ///
    /// # Errors
    /// What does not fit the form of the action, in words.
    pub fn ask(&self, words: &[String], values: Args) -> Result<Ask, Refusal> {
        let (names, values) = self.parts(words, values)?;
        self.wish(&names, values)
    }

    /// The wish that targets and values by name make.
    ///
    /// # Errors
    /// What does not fit the form of the action, in words.
    pub fn wish(&self, names: &[String], values: Args) -> Result<Ask, Refusal> {
        let (names, values) = self.versions(names, values).map_err(|words| self.misfit(&words))?;
        let target = self.takes.target(names).map_err(|words| self.misfit(&words))?;
        let ask = Ask { action: self.id, target, args: values };
        self.accepts(&ask).map_err(|Refusal(why)| self.misfit(&why))?;
        Ok(ask)
    }

    /// A version as people type it: `newest` and `latest` stand for the argument, where the action has it; anything else has
    /// to be a whole version.
    fn versions<'n>(&self, names: &'n [String], mut values: Args) -> Result<(&'n [String], Args), String> {
        let (Takes::Version, [name, ..]) = (self.takes, names) else { return Ok((names, values)) };
        let newest = self.args.iter().any(|arg| arg.name == NEWEST);
        let word = name.trim().to_ascii_lowercase();
        if newest && matches!(word.as_str(), NEWEST | "latest") {
            if !values.flag(NEWEST) {
                values.add(NEWEST, SET);
            }
            return Ok((&[], values));
        }
        if Version::parse(without_v(name)).is_err() {
            let or = if newest { ", or newest" } else { "" };
            return Err(format!("`{name}` is no version: expected is one such as 4.19.3{or}"));
        }
        Ok((names, values))
    }

    /// Bare words taken apart: the names of targets, and the values with those that stand behind the target. Something
    /// may still be missing.
    ///
    /// # Errors
    /// A word too many.
    pub fn parts(&self, words: &[String], values: Args) -> Result<(Vec<String>, Args), Refusal> {
        let mut values = values;
        let behind: Vec<&Arg> = self.args.iter().filter(|arg| arg.positional).collect();
        if self.takes == Takes::Listed {
            // `KIND NAME` is the same as `KIND/NAME`.
            return Ok((words.to_vec(), values));
        }
        let (names, rest) = words.split_at(self.named(words.len(), &behind));
        let mut rest = rest.iter();
        for arg in behind {
            let room = if arg.several { usize::MAX } else { 1 };
            rest.by_ref().take(room).for_each(|word| values.add(arg.name, word));
        }
        match rest.next() {
            Some(word) => Err(self.misfit(&format!("unexpected `{word}`"))),
            None => Ok((names.to_vec(), values)),
        }
    }

    fn misfit(&self, words: &str) -> Refusal {
        Refusal(format!("{words}; usage: {}", self.usage()))
    }

    /// How many of `given` bare words name targets.
    pub(super) fn named(&self, given: usize, behind: &[&Arg]) -> usize {
        let Some(nouns) = self.nouns() else { return 0 };
        // Words behind the target exist only where one target is named at most (checked for the whole catalogue).
        if behind.is_empty() {
            return given;
        }
        let wanted = behind.iter().filter(|arg| arg.required).count();
        usize::from(given > 0 && (nouns.required || given > wanted))
    }

    /// The wish that the words behind the name of the action make, options included.
    ///
    /// # Errors
    /// What does not fit the form of the action, in words.
    pub fn parse(&self, words: &[String]) -> Result<Ask, Refusal> {
        let (bare, values) = self.read(words)?;
        self.ask(&bare, values)
    }

    /// The bare words and the named values among the words behind the name of the action.
    ///
    /// # Errors
    /// An option that the action does not have, or that lacks its value.
    pub fn read(&self, words: &[String]) -> Result<(Vec<String>, Args), Refusal> {
        let (mut bare, mut values) = (Vec::new(), Args::default());
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                bare.extend(words.by_ref().cloned());
                break;
            }
            match word.strip_prefix("--") {
                Some(option) => self.option(option, &mut words, &mut values).map_err(|words| self.misfit(&words))?,
                None if word.len() > 1 && word.starts_with('-') => {
                    return Err(self.misfit(&format!("unexpected `{word}`")));
                }
                None => bare.push(word.clone()),
            }
        }
        Ok((bare, values))
    }

    /// An option: `name`, `name=value`, or `name` with its value in the next word.
    fn option<'w>(
        &self,
        option: &str,
        words: &mut impl Iterator<Item = &'w String>,
        values: &mut Args,
    ) -> Result<(), String> {
        let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
        let arg = self.args.iter().find(|arg| !arg.positional && arg.name == name);
        let arg = arg.ok_or_else(|| format!("{} takes no --{name}", self.name))?;
        match (arg.kind, value) {
            (ArgKind::Flag, None) => values.add(name, SET),
            (ArgKind::Flag, Some(_)) => return Err(format!("--{name} takes no value")),
            (_, Some(value)) => values.add(name, value),
            (_, None) => {
                let value = words.next().ok_or_else(|| format!("--{name} needs a value: {}", arg.words))?;
                values.add(name, value);
            }
        }
        Ok(())
    }
}

/// The value of a flag that was given.
pub const SET: &str = "true";

impl Ask {
    /// The line that means this wish: `set-max-unavailable worker 2`.
    pub fn line(&self) -> String {
        let entry = self.action.entry();
        let mut parts = vec![entry.name.to_owned()];
        parts.extend(entry.written(&self.target));
        for arg in entry.args.iter().filter(|arg| arg.positional) {
            parts.extend(self.args.all(arg.name).iter().cloned());
        }
        for arg in entry.args.iter().filter(|arg| !arg.positional) {
            for value in self.args.all(arg.name) {
                parts.push(format!("--{}", arg.name));
                if arg.kind != ArgKind::Flag {
                    parts.push(value.clone());
                }
            }
        }
        parts.iter().map(|part| super::words::shell(part)).collect::<Vec<_>>().join(" ")
    }
}

/// The words of a line, as a shell would take them apart: quotes keep blanks together.
///
/// # Errors
/// A quote that does not end.
pub fn split(line: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    for c in line.chars() {
        match (quote, c) {
            (None, '\'' | '"') => (quote, begun) = (Some(c), true),
            (Some(open), c) if c == open => quote = None,
            (None, c) if c.is_whitespace() => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                    begun = false;
                }
            }
            (_, c) => word.push(c),
        }
    }
    if let Some(open) = quote {
        return Err(format!("the quote {open} does not end"));
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::super::ActionId;
    use super::*;

    /// A value of the argument's kind.
    fn sample(arg: &Arg) -> &'static str {
        match arg.kind {
            ArgKind::Text => "a text",
            ArgKind::Number => "2",
            ArgKind::Flag => SET,
            ArgKind::File => "/tmp/a.yaml",
        }
    }

    fn names(entry: &Entry) -> Vec<String> {
        let names: &[&str] = match entry.takes {
            Takes::Cluster => &[],
            Takes::Version => &["4.19.3"],
            Takes::Pool => &["worker"],
            Takes::Pools => &["worker", "infra"],
            Takes::Nodes => &["worker-1", "worker-2"],
            Takes::Objects { namespaced: true, namespace: "", .. } => &["shop/one"],
            Takes::Listed => &["configmaps/openshift-config/one"],
            Takes::Objects { several: true, .. } => &["one", "two"],
            Takes::Objects { .. } => &["one"],
        };
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_action_is_parsed_from_its_own_line() {
        for id in ActionId::ALL {
            let entry = id.entry();
            for all in [false, true] {
                let mut ask =
                    Ask { action: *id, target: entry.takes.target(&names(entry)).unwrap(), args: Args::default() };
                for arg in entry.args.iter().filter(|arg| all || arg.required) {
                    ask.args.add(arg.name, sample(arg));
                }
                let line = ask.line();
                let words = split(&line).unwrap();
                assert_eq!(words[0], entry.name, "{line}");
                assert_eq!(entry.parse(&words[1..]).unwrap(), ask, "{line}");
            }
            assert!(entry.usage().starts_with(entry.name));
        }
    }

    #[test]
    fn what_is_required_is_asked_for_and_what_is_unknown_is_refused() {
        for id in ActionId::ALL {
            let entry = id.entry();
            if entry.nouns().is_some_and(|nouns| nouns.required) || entry.args.iter().any(|arg| arg.required) {
                let Refusal(why) = entry.parse(&[]).unwrap_err();
                assert!(why.contains(&entry.usage()), "{why}");
            }
            let Refusal(why) = entry.parse(&["--no-such-thing".to_owned()]).unwrap_err();
            assert!(why.contains("takes no --no-such-thing"), "{why}");
        }
    }

    #[test]
    fn objects_are_named_with_their_namespace_where_it_is_not_given() {
        let at = |namespaced, only, name| object("pods", namespaced, only, name);
        assert_eq!(at(true, "", "shop/cart-0"), Ok(Resource::pod("shop", "cart-0")));
        assert_eq!(at(true, "", "cart-0"), Err("in which namespace? NAMESPACE/cart-0".to_owned()));
        assert_eq!(at(true, "shop", "cart-0"), Ok(Resource::pod("shop", "cart-0")));
        assert!(at(true, "shop", "bank/cart-0").unwrap_err().contains("namespace shop"));
        assert!(at(true, "", "shop/").is_err() && at(true, "", "a/b/c").is_err());
        assert!(at(false, "", "a/b").is_err());
    }

    #[test]
    fn names_that_are_given_twice_count_once() {
        let words: Vec<String> = ["worker-1", "worker-2", "worker-1"].map(str::to_owned).into();
        let ask = ActionId::CordonNodes.entry().parse(&words).unwrap();
        assert_eq!(ask.target, Target::Nodes(vec!["worker-1".into(), "worker-2".into()]));
    }

    #[test]
    fn lines_are_taken_apart_as_a_shell_does() {
        assert_eq!(split("a  'b c' \"d e\"f ''"), Ok(["a", "b c", "d ef", ""].map(str::to_owned).into()));
        assert!(split("a 'b").is_err());
        assert_eq!(split("  "), Ok(Vec::new()));
    }
}
