//! `do`: the actions of the catalogue as subcommands, made from what the catalogue says of each.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{Arg as Flag, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::Connect;
use super::connect::duration;
use crate::actions::audit::Given;
use crate::actions::{self, ActionId, Arg, ArgKind, Ask, Entry, Nouns, SET, Takes};
use crate::report::{self, Format};

/// `oc-cockpit do`.
#[derive(Debug, Clone, PartialEq)]
pub struct DoArgs {
    /// What is wanted.
    pub wish: Wish,
    /// Form of the answer.
    pub output: Format,
    /// How to reach the cluster.
    pub connect: Connect,
}

/// What is wanted of `do`.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    /// `do --list`: the catalogue; with `permitted`, what this user may do.
    List {
        /// Ask the cluster.
        permitted: bool,
    },
    /// An action.
    Act(Box<Act>),
}

/// An action that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// The action, its target and values.
    pub ask: Ask,
    /// Send nothing but the dry run.
    pub dry_run: bool,
    /// Confirmed beforehand, with the text that has to be typed, if one has to.
    pub yes: Option<Option<String>>,
    /// Answers to the questions of the plan.
    pub answers: Vec<Given>,
    /// The audit log, in place of the one in XDG_STATE_HOME.
    pub audit: Option<PathBuf>,
    /// How long the effect may take to be seen; none: as long as it takes.
    pub timeout: Option<Duration>,
}

/// The flags that `do` has whatever the action is.
#[derive(Debug, Clone, Args)]
struct Flags {
    /// List all actions with their danger and the permission that they need, and do nothing
    #[arg(long)]
    list: bool,
    /// With --list: ask the cluster what this user may do
    #[arg(long, requires = "list")]
    permitted: bool,
    /// Show the plan and what the server says to its dry run; change nothing
    #[arg(long, global = true)]
    dry_run: bool,
    /// Confirm without being asked; an action of danger H only with the text that its plan names
    #[arg(long, global = true, value_name = "TEXT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    yes: Option<String>,
    /// Answer to a question of the plan; may be given several times
    #[arg(long, global = true, value_name = "NAME=TEXT", value_parser = given, action = ArgAction::Append)]
    answer: Vec<Given>,
    /// File of the audit log, in place of the one in XDG_STATE_HOME
    #[arg(long, global = true, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// How long to wait for the effect to be seen in the watch: 5s, 2m, 1h, or seconds; 0 for no limit
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration)]
    timeout: Duration,
    /// Form of the answer: text, json or yaml
    #[arg(long, short, global = true, value_name = "FORM", default_value_t = Format::Text, value_parser = form)]
    output: Format,
}

fn form(text: &str) -> Result<Format, String> {
    text.parse()
}

fn given(text: &str) -> Result<Given, String> {
    match text.split_once('=') {
        Some((name, answer)) if !name.is_empty() && !answer.trim().is_empty() => {
            Ok(Given { name: name.to_owned(), answer: answer.trim().to_owned() })
        }
        _ => Err(format!("`{text}` is not NAME=TEXT")),
    }
}

/// The flag that says how long the effect is waited for.
const TIMEOUT: &str = "timeout";

/// The ids of targets and values among the arguments of an action: no flag of the program has such a name.
const TARGET: &str = "action target";

fn value_id(arg: &Arg) -> String {
    format!("action {}", arg.name)
}

/// The subcommand of an action.
fn subcommand(entry: &'static Entry) -> Command {
    // Only a target that may be left out gives way to the value behind it: else the value is what is missing.
    let optional = entry.nouns().is_none_or(|nouns| !nouns.required);
    let mut command =
        Command::new(entry.name).about(entry.summary).after_help(after(entry)).allow_missing_positional(optional);
    if let Some(Nouns { noun, required, several }) = entry.nouns() {
        let target = Flag::new(TARGET)
            .value_name(noun)
            .help(target_words(entry))
            .required(required)
            // An empty name is a variable of a script that was never set.
            .value_parser(NonEmptyStringValueParser::new());
        // A blank may stand between kind and name.
        let words = several || entry.takes == Takes::Listed;
        command = command.arg(if words { target.num_args(1..).action(ArgAction::Append) } else { target });
    }
    // An action that may take long has a limit of its own by that name.
    if !entry.args.iter().any(|arg| arg.name == TIMEOUT) {
        let words = "How long to wait for the effect to be seen in the watch: 5s, 2m, 1h, or seconds; 0 for no limit [default: 1m]";
        command =
            command.arg(Flag::new(TIMEOUT).long(TIMEOUT).value_name("DURATION").value_parser(duration).help(words));
    }
    for arg in entry.args {
        let flag = Flag::new(value_id(arg)).help(arg.words).required(arg.required);
        let flag = match (arg.positional, arg.kind) {
            (true, _) if arg.several => flag.value_name(arg.noun()).num_args(1..).action(ArgAction::Append),
            (true, _) => flag.value_name(arg.noun()),
            (false, ArgKind::Flag) => flag.long(arg.name).action(ArgAction::SetTrue),
            (false, _) if arg.several => {
                flag.long(arg.name).value_name(arg.noun()).num_args(1).action(ArgAction::Append)
            }
            (false, _) => flag.long(arg.name).value_name(arg.noun()),
        };
        command = command.arg(flag);
    }
    command
}

fn target_words(entry: &Entry) -> &'static str {
    match entry.takes {
        Takes::Cluster => "",
        Takes::Version => "A version",
        Takes::Pool => "A MachineConfigPool by name",
        Takes::Pools => "MachineConfigPools by name",
        Takes::Nodes => "Nodes by name",
        Takes::Objects { several: true, none: true, .. } => "By name; without any, all that fit",
        Takes::Objects { .. } => "By name",
        Takes::Listed => "An object of the kinds that are applied from files",
    }
}

fn after(entry: &Entry) -> String {
    let permissions: Vec<String> =
        entry.permissions.iter().map(super::super::upgrade::access::Permission::words).collect();
    let mut text = format!("Needs: {}\nDanger: ", permissions.join(", "));
    let dangers = entry.dangers.iter().map(|danger| format!("{danger:?} {}", report::plan::danger_words(*danger)));
    text += &dangers.collect::<Vec<_>>().join("; or ");
    if let Some(inverse) = entry.inverse {
        text += &format!("\nUndone by: {}", inverse.name());
    }
    text
}

impl Args for DoArgs {
    fn augment_args(command: Command) -> Command {
        let connection = Connect::augment_args(Command::new("do"));
        let mut command = Flags::augment_args(command);
        for flag in connection.get_arguments() {
            command = command.arg(flag.clone().global(true).hide_short_help(true));
        }
        let command = command.subcommand_value_name("ACTION").subcommand_help_heading("Actions");
        ActionId::ALL.iter().fold(command, |command, id| command.subcommand(subcommand(id.entry())))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for DoArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = Flags::from_arg_matches(matches)?;
        let connect = Connect::from_arg_matches(matches)?;
        let wrong = |kind, words: String| clap::Error::raw(kind, format!("{words}\n"));
        let wish = match matches.subcommand() {
            None if flags.list => Wish::List { permitted: flags.permitted },
            None => {
                let words = "which action? `oc-cockpit do --list` lists them".to_owned();
                return Err(wrong(ErrorKind::MissingSubcommand, words));
            }
            Some((name, _)) if flags.list => {
                let words = format!("--list does nothing, and so not `{name}`: one of the two");
                return Err(wrong(ErrorKind::ArgumentConflict, words));
            }
            Some((name, own)) => {
                let ask = ask(name, own).map_err(|words| wrong(ErrorKind::ValueValidation, words))?;
                Wish::Act(Box::new(Act {
                    ask,
                    dry_run: flags.dry_run,
                    yes: flags.yes.map(|text| Some(text).filter(|text| !text.is_empty())),
                    answers: flags.answer,
                    audit: flags.audit,
                    timeout: Some(timeout(own).unwrap_or(flags.timeout)).filter(|limit| !limit.is_zero()),
                }))
            }
        };
        Ok(Self { wish, output: flags.output, connect })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The limit that stands behind the action.
fn timeout(matches: &ArgMatches) -> Option<Duration> {
    matches.try_get_one::<Duration>(TIMEOUT).ok().flatten().copied()
}

/// The wish of an action's subcommand.
fn ask(name: &str, matches: &ArgMatches) -> Result<Ask, String> {
    let entry = ActionId::named(name).ok_or_else(|| format!("`{name}` is no action"))?.entry();
    let texts = |id: &str| -> Vec<String> { matches.get_many::<String>(id).into_iter().flatten().cloned().collect() };
    let mut words = if entry.nouns().is_some() { texts(TARGET) } else { Vec::new() };
    let mut values = actions::Args::default();
    for arg in entry.args {
        match (arg.positional, arg.kind) {
            (true, _) => words.extend(texts(&value_id(arg))),
            (false, ArgKind::Flag) if matches.get_flag(&value_id(arg)) => values.add(arg.name, SET),
            (false, ArgKind::Flag) => {}
            (false, _) => texts(&value_id(arg)).into_iter().for_each(|value| values.add(arg.name, value)),
        }
    }
    entry.ask(&words, values).map_err(|actions::Refusal(words)| words)
}

/// After the help of `do`.
pub const AFTER_DO: &str = "Every action is a plan: it is checked on the live objects, rehearsed by the server (dry run), shown, confirmed, entered in the
audit log, sent, and done when the watch shows its effect. On a terminal it asks; elsewhere it needs --yes.

Exit codes:
  0  done, and the effect was seen; with --dry-run: the server would accept it
  1  failed: the cluster cannot be reached, or a write was refused after others were accepted
  2  the command line is wrong
  3  refused: not possible now, not permitted, read-only, not confirmed; nothing was sent, and stderr says why
  4  sent, but the effect was not seen in time
  130, 143  ended by INT, TERM: stderr says what was sent

The form of -o json is documented in docs/do.md.

Examples:
  oc-cockpit do --list
  oc-cockpit do pause-pool worker --dry-run
  oc-cockpit do cordon worker-1 worker-2 --yes
  oc-cockpit do start-update 4.19.3 --yes=4.19.3 --answer etcd-backup=nas:/backup/2026-11-20";

#[cfg(test)]
mod tests {
    use super::super::{Cli, Command as Parsed, parse};
    use super::*;
    use crate::actions::Target;

    fn words(line: &[&str]) -> Result<Cli, clap::Error> {
        parse(["oc-cockpit", "do"].into_iter().chain(line.iter().copied()).map(Into::into))
    }

    fn wanted(line: &[&str]) -> DoArgs {
        let cli = words(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        let Some(Parsed::Do(args)) = cli.command else { panic!("do") };
        args
    }

    fn act(line: &[&str]) -> Act {
        match wanted(line).wish {
            Wish::Act(act) => *act,
            list @ Wish::List { .. } => panic!("{list:?}"),
        }
    }

    /// A line with everything that the action takes.
    fn full(entry: &Entry) -> Vec<String> {
        let mut line = vec![entry.name.to_owned()];
        line.extend(entry.nouns().map(|_| match entry.takes {
            Takes::Objects { namespaced: true, namespace: "", .. } => "shop/one".to_owned(),
            Takes::Listed => "machineconfigs/one".to_owned(),
            Takes::Version => "4.19.3".to_owned(),
            _ => "one".to_owned(),
        }));
        let sample = |arg: &Arg| if arg.kind == ArgKind::Number { "2".to_owned() } else { "a text".to_owned() };
        line.extend(entry.args.iter().filter(|arg| arg.positional).map(sample));
        for arg in entry.args.iter().filter(|arg| !arg.positional) {
            line.push(format!("--{}", arg.name));
            line.extend((arg.kind != ArgKind::Flag).then(|| sample(arg)));
        }
        line
    }

    #[test]
    fn a_name_is_never_empty() {
        let why = words(&["cordon", "worker-1", ""]).unwrap_err().to_string();
        assert!(why.contains("value is required"), "{why}");
    }

    #[test]
    fn what_is_missing_behind_the_target_is_named() {
        let why = words(&["set-max-unavailable", "worker"]).unwrap_err().to_string();
        let missing = why.lines().nth(1).unwrap_or_default().trim();
        assert_eq!(missing, "<NUMBER>", "{why}");
    }

    #[test]
    fn every_action_means_here_what_it_means_on_the_command_line_of_the_cockpit() {
        for id in ActionId::ALL {
            let line = full(id.entry());
            let refs: Vec<&str> = line.iter().map(String::as_str).collect();
            let act = act(&refs);
            assert_eq!(act.ask, id.entry().parse(&line[1..]).unwrap(), "{line:?}");
            let again = actions::split(&act.ask.line()).unwrap();
            let again: Vec<&str> = again.iter().map(String::as_str).collect();
            assert_eq!(self::act(&again).ask, act.ask);
        }
    }

    #[test]
    fn every_action_has_help() {
        for id in ActionId::ALL {
            let entry = id.entry();
            let help = words(&[entry.name, "--help"]).unwrap_err();
            assert_eq!(help.exit_code(), 0);
            // Lines are wrapped as wide as the terminal is.
            let help = help.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(help.contains(entry.summary) && help.contains("Danger: "), "{help}");
            for arg in entry.args {
                let first: String = arg.words.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
                assert!(help.contains(&first), "{}: {}\n{help}", entry.name, arg.name);
            }
        }
    }

    #[test]
    fn flags_stand_before_and_behind_the_action() {
        for line in [
            ["--dry-run", "--context=lab", "-ojson", "cordon", "a", "b"],
            ["cordon", "a", "b", "--dry-run", "--context=lab", "-ojson"],
        ] {
            let args = wanted(&line);
            assert_eq!((args.connect.context.as_deref(), args.output), (Some("lab"), Format::Json), "{line:?}");
            let act = act(&line);
            assert!(act.dry_run);
            assert_eq!(act.ask.target, Target::Nodes(vec!["a".into(), "b".into()]));
        }
    }

    #[test]
    fn yes_may_hold_what_has_to_be_typed_and_never_swallows_a_target() {
        assert_eq!(act(&["cordon", "--yes", "a"]).yes, Some(None));
        assert_eq!(act(&["start-update", "4.19.3", "--yes=4.19.3"]).yes, Some(Some("4.19.3".to_owned())));
        assert_eq!(act(&["cordon", "a"]).yes, None);
        let answers = act(&["start-update", "4.19.3", "--answer", "etcd-backup=on the nas"]).answers;
        assert_eq!(answers, [Given { name: "etcd-backup".into(), answer: "on the nas".into() }]);
        assert_eq!(act(&["cordon", "a", "--timeout", "0"]).timeout, None);
        assert_eq!(act(&["cordon", "a"]).timeout, Some(Duration::from_secs(60)));
    }

    #[test]
    fn what_is_wrong_is_a_usage_error() {
        for line in [
            &[] as &[&str],
            &["explode"],
            &["cordon"],
            &["pause-pool"],
            &["cordon", "a", "--explode"],
            &["cordon", "a", "--answer", "x"],
            &["cordon", "a", "-o", "xml"],
            &["--list", "cordon", "a"],
            &["--permitted"],
        ] {
            assert_eq!(words(line).unwrap_err().exit_code(), 2, "{line:?}");
        }
        assert_eq!(wanted(&["--list", "--permitted"]).wish, Wish::List { permitted: true });
    }
}
