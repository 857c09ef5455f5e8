//! The demo's simulated cluster, on a thread and a runtime of its own, so that it neither slows the cockpit nor hides
//! how fast the cockpit is.

use std::path::{Path, PathBuf};

use crate::cli::{ServeArgs, SimArgs};
use crate::ui::{SimInfo, SimRequest};

/// A simulated cluster that runs until this is dropped.
#[derive(Debug)]
pub struct Simulator {
    kubeconfig: PathBuf,
}

impl Simulator {
    /// Starts one; ready when it listens.
    pub async fn start(_args: ServeArgs) -> Result<Self, String> {
        Err("the simulated cluster cannot be started yet".to_owned())
    }

    /// The kubeconfig to reach it with.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The context of the admin, or of the viewer.
    pub fn context(&self, viewer: bool) -> String {
        if viewer { "viewer" } else { "admin" }.to_owned()
    }

    /// The controls as they are now.
    pub fn info(&self) -> SimInfo {
        SimInfo::default()
    }

    /// Does what was asked for; the controls as they are then.
    pub fn drive(&self, _request: &SimRequest) -> Result<SimInfo, String> {
        Err("not yet".to_owned())
    }
}

/// Serves a simulated cluster until interrupted.
pub async fn serve(_args: &SimArgs) -> Result<u8, String> {
    Err("the simulated cluster cannot be served yet".to_owned())
}
