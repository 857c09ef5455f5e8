//! Where the program's own files live, after the XDG base directory specification.

use std::path::PathBuf;

/// The paths in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The configuration file (which need not exist).
    pub config: PathBuf,
    /// Logs, audit log, saved views.
    pub state: PathBuf,
}

impl Paths {
    /// The paths of this user: `$XDG_CONFIG_HOME/oc-cockpit/config.yaml` and `$XDG_STATE_HOME/oc-cockpit`, with the
    /// system's own places where there is no XDG. `config` is `--config`. None when there is no home directory.
    pub fn find(config: Option<PathBuf>) -> Option<Self> {
        let dirs = directories::ProjectDirs::from("", "", "oc-cockpit")?;
        let state = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_path_buf();
        Some(Self { config: config.unwrap_or_else(|| dirs.config_dir().join("config.yaml")), state })
    }

    /// Rolling log files.
    pub fn logs(&self) -> PathBuf {
        self.state.join("log")
    }

    /// The audit log of attempted writes.
    pub fn audit(&self) -> PathBuf {
        self.state.join("audit.jsonl")
    }

    /// Views saved by the person.
    pub fn views(&self) -> PathBuf {
        self.state.join("views")
    }
}
