//! The command line.
//!
//! Belongs here: flags and subcommands with their help, and what the plugin name makes of them. Does not: doing
//! anything. May import: every room (but needs few).

mod answers;
mod connect;
mod demo;
mod doing;
mod logs;

pub use answers::{Answer, OpenArgs, PreflightArgs, Source, StatusArgs, UpdatesArgs};
pub use connect::Connect;
pub use demo::{DemoArgs, ServeArgs, SimArgs};
pub use doing::{Act, DoArgs, Wish};
pub use logs::LogsArgs;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::Overrides;

const LONG: &str = "A live terminal cockpit for OpenShift 4 upgrades.

Without a subcommand it opens on the current context of the kubeconfig, with the flags that kubectl and oc know; \
`oc-cockpit open` opens it on a must-gather or another dump. `status`, `updates` and `preflight` answer once, as text or \
JSON; `logs` prints the log that explains something. `do` carries out any action of the cockpit without its screen. \
`oc-cockpit demo` opens it on a simulated cluster in the middle of an update: nothing else is needed.

On the PATH as `oc-cockpit` it also runs as `oc cockpit`, and by a link named `kubectl-cockpit` as `kubectl cockpit`.";

const AFTER: &str = "Exit codes (status, updates, preflight, logs and do have their own, see their help):
  0    ended by the person
  1    could not start, or an error ended it
  2    the command line is wrong
  101  a defect (panic); the terminal was given back
  129, 130, 131, 143  ended by HUP, INT, QUIT, TERM

Environment:
  KUBECONFIG       list of kubeconfig files, as for kubectl
  NO_COLOR         no colour at all when set and not empty
  XDG_CONFIG_HOME  oc-cockpit/config.yaml is read there
  XDG_STATE_HOME   logs, the audit log and saved views go to oc-cockpit there";

/// The command line, parsed.
#[derive(Debug, Clone, Parser)]
#[command(name = "oc-cockpit", version, about = "A live terminal cockpit for OpenShift 4 upgrades", long_about = LONG, after_long_help = AFTER)]
pub struct Cli {
    /// How to reach the cluster.
    #[command(flatten)]
    pub connect: Connect,
    /// How the cockpit looks and behaves.
    #[command(flatten)]
    pub look: Look,
    /// What to run instead of the cockpit on a real cluster.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags of every screen, with or without a subcommand.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cockpit")]
pub struct Look {
    /// Never write to the cluster: removes every action from keys, menu, palette and help
    #[arg(long, global = true, conflicts_with = "write")]
    pub read_only: bool,
    /// Allow writes although the configuration says read-only for this context
    #[arg(long, global = true)]
    pub write: bool,
    /// Theme: dark, light, high-contrast, or none
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<String>,
    /// Draw without colour; letters and symbols say it all
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Draw with ASCII characters alone
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Tab to open first: overview, operators, pools, nodes, timeline, or its digit
    #[arg(long, global = true, value_name = "TAB")]
    pub tab: Option<String>,
    /// Configuration file, in place of the one in XDG_CONFIG_HOME
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How much goes to the log file: error, warn, info, debug, trace, or directives such as `oc_cockpit::cluster=debug`
    #[arg(long, global = true, value_name = "LEVEL", default_value = "info")]
    pub log_level: String,
    /// Panics on this key press: for the test that the terminal survives a defect
    #[arg(long, global = true, hide = true, value_name = "CHAR")]
    pub panic_on: Option<char>,
}

impl Look {
    /// What these flags say against the configuration. `no_color_env` is the value of `NO_COLOR`.
    pub fn overrides(&self, no_color_env: Option<&str>) -> Overrides {
        Overrides {
            theme: self.theme.clone(),
            no_color: self.no_color || no_color_env.is_some_and(|value| !value.is_empty()),
            ascii: self.ascii,
            tab: self.tab.clone(),
            read_only: if self.read_only {
                Some(true)
            } else if self.write {
                Some(false)
            } else {
                None
            },
        }
    }
}

/// The subcommands.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Tell where the update stands, why, and until when, as one complete answer
    ///
    /// Reads the cluster once, or a dump of one with --from. Nothing is written to the cluster.
    #[command(after_long_help = answers::AFTER_STATUS)]
    Status(StatusArgs),
    /// List the versions that the cluster could go to, with their risks and what stands in the way
    #[command(after_long_help = answers::AFTER_UPDATES)]
    Updates(UpdatesArgs),
    /// Go through the list of what has to be right before an update
    #[command(after_long_help = answers::AFTER_PREFLIGHT)]
    Preflight(PreflightArgs),
    /// Print the log that explains an operator, a pool, a node or the image-based upgrade: what `l` shows in the cockpit
    #[command(after_long_help = logs::AFTER_LOGS)]
    Logs(LogsArgs),
    /// Do something to the cluster: every action of the cockpit, with the same plan, refusals and audit, without the screen
    #[command(after_help = doing::AFTER_DO)]
    Do(DoArgs),
    /// Open the cockpit on a dump: `oc get -o yaml`, `oc adm inspect`, must-gather, archives of them
    #[command(after_long_help = answers::AFTER_OPEN)]
    Open(OpenArgs),
    /// Open the cockpit on a simulated cluster in the middle of an update
    ///
    /// The simulated API server listens on loopback, over HTTPS, for as long as the cockpit runs; `:sim` shows the
    /// kubeconfig to attach kubectl or oc with, changes the speed and throws faults.
    Demo(DemoArgs),
    /// Serve a simulated cluster until interrupted, for kubectl, oc, and cockpits elsewhere
    ///
    /// Prints the URL and how to use the kubeconfig, which holds a context for an admin and one for a viewer.
    Sim(SimArgs),
    /// Print the paths and the configuration in effect
    Config,
}

/// The name under which the program was started, as its user would type it.
fn invoked_as(argv0: Option<&OsString>) -> &'static str {
    let stem = argv0.and_then(|path| std::path::Path::new(path).file_stem()).unwrap_or_default();
    if stem == "kubectl-cockpit" { "kubectl cockpit" } else { "oc-cockpit" }
}

/// Parses `args`, the first of which is the name of the program.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut command = Cli::command().bin_name(invoked_as(args.first()));
    let mut cli = Cli::from_arg_matches(&command.try_get_matches_from_mut(args)?)?;
    let outer = std::mem::take(&mut cli.connect);
    match settle(&mut cli, outer) {
        Ok(()) => Ok(cli),
        Err(words) => Err(command.error(clap::error::ErrorKind::ArgumentConflict, words)),
    }
}

/// Connection flags may stand before and behind the name of a command, and are refused where nothing is connected to.
fn settle(cli: &mut Cli, outer: Connect) -> Result<(), String> {
    let (source, connect) = match &mut cli.command {
        None | Some(Command::Config) => {
            cli.connect = outer;
            return Ok(());
        }
        Some(Command::Demo(_) | Command::Sim(_)) => {
            return refused(&outer, "the simulated cluster has its own kubeconfig");
        }
        Some(Command::Open(_)) => return refused(&outer, "a recording is read from files"),
        Some(Command::Status(args)) => (&args.source, &mut args.connect),
        Some(Command::Updates(args)) => (&args.answer.source, &mut args.answer.connect),
        Some(Command::Preflight(args)) => (&args.answer.source, &mut args.answer.connect),
        Some(Command::Do(args)) => {
            args.connect = std::mem::take(&mut args.connect).or(outer);
            return Ok(());
        }
        Some(Command::Logs(args)) => {
            args.connect = std::mem::take(&mut args.connect).or(outer);
            return Ok(());
        }
    };
    *connect = std::mem::take(connect).or(outer);
    if source.from.is_empty() { Ok(()) } else { refused(connect, "--from reads files") }
}

fn refused(connect: &Connect, why: &str) -> Result<(), String> {
    match connect.first_given() {
        Some(flag) => Err(format!("{flag} cannot be used here: {why}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Result<Cli, clap::Error> {
        parse(text.split(' ').map(OsString::from))
    }

    #[test]
    fn the_definition_is_sound_and_every_flag_has_help() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
                assert!(argument.get_help().is_some(), "{} {} has no help", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        Cli::command().debug_assert();
        check(&Cli::command());
    }

    #[test]
    fn without_a_subcommand_it_takes_kubectls_flags() {
        let cli =
            words("oc-cockpit --kubeconfig k --context prod --as eve --as-group a --as-group b --request-timeout 5s")
                .unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.connect.context.as_deref(), Some("prod"));
        assert_eq!(cli.connect.as_group, ["a", "b"]);
        assert_eq!(cli.connect.request_timeout, Some(std::time::Duration::from_secs(5)));
    }

    #[test]
    fn a_simulated_cluster_takes_no_connection_flags() {
        let error = words("oc-cockpit --context prod demo").unwrap_err().to_string();
        assert!(error.contains("--context cannot be used here"), "{error}");
        assert!(words("oc-cockpit --theme light demo --scenario minor").is_ok());
        assert!(words("oc-cockpit demo --theme light").is_ok());
    }

    #[test]
    fn answers_take_connection_flags_on_both_sides_of_their_name_and_recordings_take_none() {
        let cli = words("oc-cockpit --context a --user u status --context b -o json --exit-code").unwrap();
        let Some(Command::Status(args)) = cli.command else { panic!("status") };
        assert_eq!((args.connect.context.as_deref(), args.connect.user.as_deref()), (Some("b"), Some("u")));
        assert_eq!((args.output, args.exit_code), (crate::report::Format::Json, true));
        for wrong in [
            "oc-cockpit --context a status --from x.yaml",
            "oc-cockpit updates --from x.yaml --token t",
            "oc-cockpit --context a open x.yaml",
            "oc-cockpit status --now 2026-03-01T11:20:00Z",
            "oc-cockpit status --watch --from x.yaml",
            "oc-cockpit status -o xml",
            "oc-cockpit status --details=some",
            "oc-cockpit open x.yaml --now yesterday",
            "oc-cockpit open",
        ] {
            assert_eq!(words(wrong).unwrap_err().exit_code(), 2, "{wrong}");
        }
        let cli = words("oc-cockpit updates --version 4.19.3 --accept a,b --accept c --from x.yaml y.yaml").unwrap();
        let Some(Command::Updates(args)) = cli.command else { panic!("updates") };
        assert_eq!((args.accept.len(), args.answer.source.from.len()), (3, 2));
        assert_eq!(args.version.as_deref(), Some("4.19.3"));
    }

    #[test]
    fn read_only_and_write_exclude_each_other() {
        assert!(words("oc-cockpit --read-only --write").is_err());
        assert_eq!(words("oc-cockpit --write").unwrap().look.overrides(None).read_only, Some(false));
        assert_eq!(words("oc-cockpit").unwrap().look.overrides(None).read_only, None);
    }

    #[test]
    fn no_color_counts_when_it_is_not_empty() {
        let look = Look::default();
        assert!(look.overrides(Some("1")).no_color);
        assert!(!look.overrides(Some("")).no_color);
        assert!(!look.overrides(None).no_color);
    }

    #[test]
    fn as_a_kubectl_plugin_it_calls_itself_so() {
        let help = words("/usr/local/bin/kubectl-cockpit --help").unwrap_err().to_string();
        assert!(help.contains("Usage: kubectl cockpit"), "{help}");
        let help = words("oc-cockpit --help").unwrap_err().to_string();
        assert!(help.contains("Usage: oc-cockpit"), "{help}");
    }
}
