//! `demo` and `sim`: the flags of the simulated cluster.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// What is simulated: the flags that `demo` and `sim` share.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "Simulated cluster")]
pub struct ServeArgs {
    /// Scenario: tour, minor, stuck-drain, degraded-operator, gate, lost-node, drift, layered, disconnected, arbiter, sno,
    /// compact, multi-arch, eus, config-rollout, canary, credentials-manual, offline, ibu, ibu-auto-rollback,
    /// ibu-abort-failed, or the path of a file like those in assets/scenarios
    #[arg(long, value_name = "NAME|FILE")]
    pub scenario: Option<String>,
    /// How much faster than a real cluster, in place of the scenario's own pace
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    pub speed: Option<f64>,
    /// Seed of everything that is left to chance: the same seed tells the same story
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Number of worker nodes, in place of the scenario's own
    #[arg(long, value_name = "NUMBER")]
    pub nodes: Option<usize>,
    /// Serve these recorded objects instead (files or folders of `oc get -o yaml`), with the controllers off
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["scenario", "speed", "seed", "nodes"])]
    pub from: Vec<PathBuf>,
    /// Fault from the start, may be given several times: cut=10s, gone, gone-status, too-many=2s, error=0.2, latency=300ms,
    /// outage=30s, half-open=10s, revoke-token, viewer-forbidden=nodes, absent=machineconfignodes, churn=1000; or what a
    /// scenario's faults can say, such as node-lost=worker-1 or operator-degraded=etcd; each may end in /DURATION (how
    /// long) and @DURATION (how long after the start)
    #[arg(long, value_name = "SPEC")]
    pub fault: Vec<String>,
}

/// `oc-cockpit demo`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct DemoArgs {
    /// What is simulated.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Open the cockpit as the viewer, who may look and not touch
    #[arg(long)]
    pub as_viewer: bool,
}

/// `oc-cockpit sim`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct SimArgs {
    /// What is simulated.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// File for the kubeconfig, in place of a new one in the temporary directory
    #[arg(long, value_name = "FILE")]
    pub kubeconfig_out: Option<PathBuf>,
}

fn factor(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('x').parse::<f64>() {
        Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(factor),
        _ => Err(format!("`{text}` is no factor: write a number above 0, such as 1 or 30")),
    }
}
