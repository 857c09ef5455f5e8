//! From the command line to a running program, and its exit code.

use std::env;
use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use color_eyre::config::{HookBuilder, Theme};
use color_eyre::eyre::{Result, eyre};
use tokio::runtime::Builder;
use tokio::sync::mpsc;

use super::cockpit::{self, Ended, Parts, Place, Search};
use super::copy::Between;
use super::crash::Crash;
use super::simulator::{self, Simulator};
use super::{doing, oneshot, terminal};
use crate::actions;
use crate::app::{self, App, Msg};
use crate::cli::{Cli, Command, Connect, DemoArgs, DoArgs, Look, SimArgs, Wish};
use crate::clock;
use crate::cluster;
use crate::config::{self, Config, Loaded, Overrides, Paths};
use crate::logging;
use crate::snapshot::{Recording, Unopened};
use crate::ui::neutral::neutral_lines;
use crate::ui::{Depth, Flash, FlashLevel};

/// Exit code of a panic, as Rust itself has it.
const PANICKED: u8 = 101;

/// Does what the command line asks for; the exit code.
pub fn start(cli: Cli) -> Result<u8> {
    let Cli { connect, look, command } = cli;
    // Answers need no configuration, no state directory and no terminal.
    let command = match command {
        Some(Command::Status(args)) => return oneshot::status(args, oneshot::look(look.no_color)),
        Some(Command::Updates(args)) => return oneshot::updates(args, oneshot::look(look.no_color)),
        Some(Command::Preflight(args)) => return oneshot::preflight(args, oneshot::look(look.no_color)),
        Some(Command::Logs(args)) => return oneshot::logs(args),
        Some(Command::Do(DoArgs { wish: Wish::List { permitted: false }, output, .. })) => {
            return doing::list(output, &oneshot::look(look.no_color));
        }
        other => other,
    };
    let no_color = env::var("NO_COLOR").ok();
    let overrides = look.overrides(no_color.as_deref());
    let paths = Paths::find(look.config.clone())
        .ok_or_else(|| eyre!("there is no home directory: set HOME, or XDG_CONFIG_HOME and XDG_STATE_HOME"))?;
    match command {
        Some(Command::Sim(args)) => sim(&args),
        Some(Command::Config) => print_config(&paths, &load(&look, &paths)?, &overrides),
        Some(Command::Do(args)) => {
            let loaded = load(&look, &paths)?;
            let strangers = actions::strangers(&loaded.config, &loaded.places);
            loaded.warnings.iter().chain(&strangers).for_each(|warning| oneshot::complain(warning, ""));
            let (audit, look) = (paths.audit(), oneshot::look(look.no_color));
            doing::run(args, &doing::Circumstances { config: loaded.config, overrides, audit, look })
        }
        Some(Command::Demo(args)) => {
            let loaded = load(&look, &paths)?;
            open(&look, &paths, loaded, overrides, |messages| demo(&args, messages))
        }
        Some(Command::Open(args)) => {
            let loaded = load(&look, &paths)?;
            let recording = match Recording::open(&args.paths, args.now) {
                Ok(recording) => recording,
                Err(why @ Unopened::TooEarly(_)) => {
                    oneshot::complain(&why.to_string(), "");
                    return Ok(oneshot::WRONG_LINE);
                }
                Err(Unopened::Empty(words)) => return Err(eyre!(words)),
            };
            open(&look, &paths, loaded, overrides, |_| at(Place::Recording(Arc::new(recording))))
        }
        // The others have answered above.
        _ => {
            let loaded = load(&look, &paths)?;
            let options = options(connect);
            open(&look, &paths, loaded, overrides, |_| at(Place::Cluster(Box::new(options), None)))
        }
    }
}

/// A place that is known at once.
fn at(place: Place) -> Search {
    Box::pin(async move { Ok(place) })
}

fn load(look: &Look, paths: &Paths) -> Result<Loaded> {
    config::load(&paths.config, look.config.is_some()).map_err(|words| eyre!(words))
}

/// Opens the cockpit on the cluster of `place`.
fn open(
    look: &Look,
    paths: &Paths,
    loaded: Loaded,
    overrides: Overrides,
    place: impl FnOnce(&mpsc::UnboundedSender<Msg>) -> Search,
) -> Result<u8> {
    let term = env::var("TERM").ok();
    terminal::usable(term.as_deref()).map_err(|words| eyre!(words))?;
    let mouse = loaded.config.settings(&overrides).mouse;
    let mut warnings = loaded.warnings;
    let log = logging::start(&paths.logs(), &look.log_level);
    // A log that cannot be written is no reason to keep a person from the cluster.
    warnings.extend(log.as_ref().err().cloned());
    let messages = mpsc::unbounded_channel();
    // The demo's simulator starts here, on its own thread, while the screen is being made ready.
    let place = place(&messages.0);
    let crash = watch_panics(messages.0.clone());
    let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("cockpit-worker").enable_all().build()?;
    let app = App::new(
        app::Start {
            config: loaded.config,
            overrides,
            depth: depth(term.as_deref(), env::var("COLORTERM").ok().as_deref()),
            theme: background(env::var("COLORFGBG").ok().as_deref()),
            audit: Some(paths.audit()),
            sim: None,
            warnings,
            places: loaded.places,
        },
        cockpit::nothing(),
        clock::now(),
    );
    let parts = Parts {
        place,
        mouse,
        views: paths.views(),
        audit: Some(paths.audit()),
        panic_on: look.panic_on,
        between: Between::judge(env::var("TMUX").ok().as_deref(), term.as_deref()),
        messages,
    };
    let ended = panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(cockpit::run(app, parts))));
    terminal::give_back();
    // Whatever still waits for an API server that does not answer is not waited for.
    runtime.shutdown_background();
    drop(log);
    match ended {
        Ok(Ok(Ended::Left)) => Ok(0),
        Ok(Ok(Ended::Signal(number))) => Ok(128 + u8::try_from(number).unwrap_or(127)),
        Ok(Err(error)) => Err(eyre!("the terminal failed: {error}")),
        Err(_) => {
            // A panic can quote what a server said (a text that was cut inside a character, for one).
            let words = neutral_lines(&crash.take().unwrap_or_else(|| "panic".to_owned())).join("\n");
            let _ = writeln!(std::io::stderr(), "{words}\n\nThe log may say more: {}", paths.logs().display());
            Ok(PANICKED)
        }
    }
}

/// Panics of workers become messages; the UI thread's is kept until the terminal is given back.
fn watch_panics(messages: mpsc::UnboundedSender<Msg>) -> Crash {
    let (hook, eyre) = HookBuilder::default().theme(Theme::new()).display_env_section(false).into_hooks();
    // Installed twice only in a test that starts the program twice in one process.
    let _ = eyre.install();
    Crash::watch(
        move |info| hook.panic_report(info).to_string(),
        move |words| {
            let first = words.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
            let text = format!("a part of the cockpit failed, the log says more: {first}");
            let _ = messages.send(Msg::Say(Flash { level: FlashLevel::Error, text }));
        },
    )
}

/// How many colours the terminal shows, by what it says of itself.
fn depth(term: Option<&str>, colorterm: Option<&str>) -> Depth {
    match (colorterm, term) {
        (Some("truecolor" | "24bit"), _) => Depth::True,
        (_, Some(term)) if term.ends_with("-direct") => Depth::True,
        (_, Some(term)) if term.contains("256color") => Depth::Ansi256,
        (_, Some("vt100" | "vt220" | "linux-m")) => Depth::None,
        _ => Depth::Ansi16,
    }
}

/// The theme that suits the terminal's background, by `COLORFGBG` where a terminal sets it (`15;0`: light on dark).
fn background(colorfgbg: Option<&str>) -> &'static str {
    let back = colorfgbg.and_then(|value| value.rsplit(';').next()).and_then(|value| value.parse::<u8>().ok());
    match back {
        Some(7 | 15) => "light",
        _ => "dark",
    }
}

/// The connection flags, for the room that connects.
pub(super) fn options(connect: Connect) -> cluster::Options {
    cluster::Options {
        kubeconfig: connect.kubeconfig,
        context: connect.context,
        cluster: connect.cluster,
        user: connect.user,
        impersonate: connect.as_user,
        impersonate_groups: connect.as_group,
        token: connect.token.as_deref().map(Into::into),
        server: connect.server,
        insecure_skip_tls_verify: connect.insecure_skip_tls_verify,
        certificate_authority: connect.certificate_authority,
        request_timeout: connect.request_timeout,
    }
}

/// Starts the simulator on its thread; the cockpit connects when it listens.
fn demo(args: &DemoArgs, messages: &mpsc::UnboundedSender<Msg>) -> Search {
    let starting = Simulator::start(args.serve.clone(), messages.clone());
    let viewer = args.as_viewer;
    Box::pin(async move {
        let simulator = starting.await?;
        let options = cluster::Options {
            kubeconfig: Some(simulator.kubeconfig().to_path_buf()),
            context: Some(simulator.context(viewer)),
            ..cluster::Options::default()
        };
        Ok(Place::Cluster(Box::new(options), Some(simulator)))
    })
}

/// Serves a simulated cluster until interrupted.
fn sim(args: &SimArgs) -> Result<u8> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let ended = runtime.block_on(simulator::serve(args)).map_err(|words| eyre!(words));
    runtime.shutdown_background();
    ended
}

/// Prints where things are and what holds.
fn print_config(paths: &Paths, loaded: &Loaded, overrides: &Overrides) -> Result<u8> {
    let settings = loaded.config.settings(overrides);
    let effective = Config {
        theme: settings.theme,
        ascii: Some(settings.ascii),
        tab: settings.tab,
        mouse: Some(settings.mouse),
        read_only: Some(overrides.read_only.unwrap_or(loaded.config.read_only.unwrap_or(false))),
        notify: config::Notify {
            bell: Some(settings.bell),
            osc9: Some(settings.osc9),
            hook: settings.hook,
            ..config::Notify::default()
        },
        columns: loaded.config.columns.clone(),
        keys: loaded.config.keys.clone(),
        actions: loaded.config.actions.clone(),
        contexts: loaded.config.contexts.clone(),
        ..Config::default()
    };
    let exists = if paths.config.exists() { "" } else { " (does not exist)" };
    let mut out = std::io::stdout().lock();
    writeln!(out, "# configuration  {}{exists}", paths.config.display())?;
    writeln!(out, "# logs           {}", paths.logs().display())?;
    writeln!(out, "# audit log      {}", paths.audit().display())?;
    writeln!(out, "# saved views    {}", paths.views().display())?;
    for warning in loaded.warnings.iter().chain(&app::mistakes(&loaded.config, &loaded.places)) {
        writeln!(out, "# warning: {warning}")?;
    }
    write!(out, "{}", serde_saphyr::to_string(&effective)?)?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_judged_by_what_the_terminal_says_of_itself() {
        assert_eq!(depth(Some("xterm-256color"), Some("truecolor")), Depth::True);
        assert_eq!(depth(Some("xterm-256color"), None), Depth::Ansi256);
        assert_eq!(depth(Some("xterm"), None), Depth::Ansi16);
        assert_eq!(depth(Some("vt100"), None), Depth::None);
    }

    #[test]
    fn a_light_background_gets_the_light_theme() {
        assert_eq!(background(Some("0;15")), "light");
        assert_eq!(background(Some("15;default;0")), "dark");
        assert_eq!(background(None), "dark");
    }
}
