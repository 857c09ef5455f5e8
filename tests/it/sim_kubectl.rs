//! kubectl works against the simulated cluster.

use std::process::{Command, Output};

use oc_cockpit::sim::server::{Options, Server, serve};

use crate::support::sim::{TempKubeconfig, small_cluster};

/// A simulated cluster with kubectl pointed at it.
struct Cluster {
    server: Option<Server>,
    runtime: tokio::runtime::Runtime,
    kubeconfig: TempKubeconfig,
    cache: PathGuard,
}

struct PathGuard(std::path::PathBuf);

impl Drop for PathGuard {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

impl Cluster {
    /// `None`, with a word why, where kubectl is missing on somebody's own machine; CI has to have it.
    fn start() -> Option<Self> {
        if Command::new("kubectl").args(["version", "--client"]).output().is_err() {
            assert!(std::env::var_os("CI").is_none(), "kubectl is not on the PATH: these tests need it in CI");
            println!("skipped: kubectl is not on the PATH");
            return None;
        }
        let kubeconfig = TempKubeconfig::path();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options =
            Options { objects: small_cluster(), kubeconfig_out: Some(kubeconfig.0.clone()), ..Options::default() };
        let server = runtime.block_on(serve(options, None)).unwrap();
        let cache = PathGuard(kubeconfig.0.with_extension("cache"));
        Some(Self { server: Some(server), runtime, kubeconfig, cache })
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new("kubectl");
        command.env("KUBECONFIG", &self.kubeconfig.0).env("HOME", &self.cache.0).arg("--cache-dir").arg(&self.cache.0);
        command.args(args).output().unwrap()
    }

    /// The output of a command that has to work.
    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let (out, err) = texts(&output);
        assert!(output.status.success(), "kubectl {}\n{out}{err}", args.join(" "));
        out
    }

    /// The complaint of a command that has to fail.
    fn refused(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let (out, err) = texts(&output);
        assert!(!output.status.success(), "kubectl {}\n{out}", args.join(" "));
        err
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.shutdown());
        }
    }
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn it_says_what_there_is() {
    let Some(cluster) = Cluster::start() else { return };
    assert!(cluster.ok(&["version"]).contains("Server Version: v1.31"));
    let resources = cluster.ok(&["api-resources"]);
    assert!(resources.contains("machineconfigpools") && resources.contains("mcp"), "{resources}");
    let versions = cluster.ok(&["api-versions"]);
    assert!(versions.lines().any(|line| line == "config.openshift.io/v1"), "{versions}");
}

/// Serves the small cluster until it is interrupted: `cargo test --test it serve_for_a_person -- --ignored --nocapture`.
#[test]
#[ignore = "for a person to try commands by hand"]
fn serve_for_a_person() {
    let Some(cluster) = Cluster::start() else { return };
    println!("export KUBECONFIG={}", cluster.kubeconfig.0.display());
    println!("{}", cluster.server().url);
    cluster.runtime.block_on(std::future::pending::<()>());
}
