//! The log: a rolling file in the state directory, never the terminal.
//!
//! Belongs here: where log lines go and which are kept. Does not: what is worth logging; audit entries (`recorder`).
//! May import: nothing of ours.

use std::path::Path;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Days of logs that are kept.
const KEPT_DAYS: usize = 7;

/// What is held down whatever the level. On an answer that cannot be decoded kube-client logs the whole body as a
/// warning (`kube_client::client`), which can hold whatever the cluster holds; and each request that finds nobody as an
/// error (`kube_client::client::builder`), which the link tells better and once.
const QUIET: [(&str, LevelFilter); 2] =
    [("kube_client::client", LevelFilter::ERROR), ("kube_client::client::builder", LevelFilter::OFF)];

/// Starts logging into `folder`, a file a day. `level` is a level for the whole program or directives such as
/// `warn,oc_cockpit::cluster=debug`. Lines are written until the guard is dropped.
pub fn start(folder: &Path, level: &str) -> Result<WorkerGuard, String> {
    let words = |error: &dyn std::fmt::Display| format!("cannot log into {}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(|error| words(&error))?;
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("oc-cockpit")
        .filename_suffix("log")
        .max_log_files(KEPT_DAYS)
        .build(folder)
        .map_err(|error| words(&error))?;
    let (writer, guard) = tracing_appender::non_blocking(appender);
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(writer);
    tracing_subscriber::registry().with(lines).with(filter(level)?).try_init().map_err(|error| words(&error))?;
    Ok(guard)
}

fn filter(level: &str) -> Result<Targets, String> {
    let single = level.parse::<tracing::Level>().is_ok() || level == "off";
    // A plain level is meant for this program; at debug the HTTP crates would drown it.
    let directives = if single { format!("warn,oc_cockpit={level}") } else { level.to_owned() };
    let filter: Targets = directives.parse().map_err(|error| format!("--log-level {level}: {error}"))?;
    Ok(QUIET.into_iter().fold(filter, |filter, (target, level)| filter.with_target(target, level)))
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn a_plain_level_is_for_this_program_alone_and_bodies_stay_out() {
        let words = filter("debug").unwrap().to_string();
        assert!(words.contains("oc_cockpit=debug"), "{words}");
        assert!(words.contains("kube_client::client=error"), "{words}");
        let words = filter("oc_cockpit=trace,kube_client::client=trace").unwrap().to_string();
        assert!(words.contains("kube_client::client=error"), "{words}");
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        assert!(filter("oc_cockpit=loud").unwrap_err().starts_with("--log-level oc_cockpit=loud"));
    }
}
