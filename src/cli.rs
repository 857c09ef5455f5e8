//! The command line.
//!
//! Belongs here: flags and subcommands with their help, and what the plugin name makes of them. Does not: doing
//! anything. May import: every room (but needs few).

mod connect;
mod demo;

pub use connect::Connect;
pub use demo::{DemoArgs, ServeArgs, SimArgs};

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::Overrides;

const LONG: &str = "A live terminal cockpit for OpenShift 4 upgrades.

Without a subcommand it opens on the current context of the kubeconfig, with the flags that kubectl and oc know. \
`oc-cockpit demo` opens it on a simulated cluster in the middle of an update: nothing else is needed.

On the PATH as `oc-cockpit` it also runs as `oc cockpit`, and by a link named `kubectl-cockpit` as `kubectl cockpit`.";

const AFTER: &str = "Exit codes:
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
    let cli = Cli::from_arg_matches(&command.try_get_matches_from_mut(args)?)?;
    if let (Some(Command::Demo(_) | Command::Sim(_)), Some(flag)) = (&cli.command, cli.connect.first_given()) {
        let words = format!("{flag} cannot be used here: the simulated cluster has its own kubeconfig");
        return Err(command.error(clap::error::ErrorKind::ArgumentConflict, words));
    }
    Ok(cli)
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
