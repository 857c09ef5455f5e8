//! The demo's simulated cluster, on a thread and a runtime of its own, so that it neither slows the cockpit nor hides
//! how fast the cockpit is; and `sim`, the same cluster served on its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

use super::signals::Signals;
use crate::app::Msg;
use crate::cli::{ServeArgs, SimArgs};
use crate::sim::actors;
use crate::sim::admin;
use crate::sim::faults::{Fault, Trouble};
use crate::sim::scenario::Scenario;
use crate::sim::server::{self, Server};
use crate::snapshot;
use crate::ui::{SimFault, SimInfo, SimRequest};

/// The scenario of the demo when none is named.
const TOUR: &str = "tour";

/// How often the list of faults is looked at: they end by themselves.
const LOOK: Duration = Duration::from_millis(500);

/// Retry-After of a simulated 429.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// After this long the kubeconfig has the token that replaces a refused one.
const RENEWAL: Duration = Duration::from_secs(5);

/// A simulated cluster that runs until this is dropped.
#[derive(Debug)]
pub struct Simulator {
    requests: mpsc::UnboundedSender<SimRequest>,
    kubeconfig: PathBuf,
    info: SimInfo,
    /// The kubeconfig's folder, removed at the end.
    _folder: Folder,
}

impl Simulator {
    /// Starts one on its own thread at once; what is returned is ready when it listens. Changes of its controls go
    /// into `messages`.
    pub fn start(
        args: ServeArgs,
        messages: mpsc::UnboundedSender<Msg>,
    ) -> impl Future<Output = Result<Self, String>> + Send + 'static {
        let (ready, starting) = oneshot::channel();
        let (requests, inbox) = mpsc::unbounded_channel();
        let spawned = thread::Builder::new().name("simulator".to_owned()).spawn(move || {
            let folder = match Folder::new() {
                Ok(folder) => folder,
                Err(words) => return drop(ready.send(Err(words))),
            };
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(error.to_string()))),
            };
            runtime.block_on(play(args, folder, ready, inbox, messages));
        });
        async move {
            spawned.map_err(|error| format!("the simulated cluster got no thread: {error}"))?;
            let ended = |_| "the simulated cluster ended while it started".to_owned();
            let (folder, kubeconfig, info) = starting.await.map_err(ended)??;
            Ok(Self { requests, kubeconfig, info, _folder: folder })
        }
    }

    /// The kubeconfig to reach it with.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The context of the admin, or of the viewer.
    pub fn context(&self, viewer: bool) -> String {
        if viewer { "viewer" } else { "admin" }.to_owned()
    }

    /// The controls as they were at the start.
    pub fn info(&self) -> SimInfo {
        self.info.clone()
    }

    /// Asks for a change; the controls follow as a message.
    pub fn drive(&self, request: SimRequest) {
        // An error means that the simulator has ended, which has been said.
        let _ = self.requests.send(request);
    }
}

type Started = Result<(Folder, PathBuf, SimInfo), String>;

/// The simulator's thread: starts the cluster, then does what is asked until nobody asks any more.
async fn play(
    args: ServeArgs,
    folder: Folder,
    ready: oneshot::Sender<Started>,
    mut inbox: mpsc::UnboundedReceiver<SimRequest>,
    messages: mpsc::UnboundedSender<Msg>,
) {
    let kubeconfig = folder.0.join("kubeconfig");
    let options = server::Options { kubeconfig_out: Some(kubeconfig.clone()), ..server::Options::default() };
    let (server, seed, scenario) = match open(&args, options).await {
        Ok(opened) => opened,
        Err(words) => return drop(ready.send(Err(words))),
    };
    let about = |server: &Server| SimInfo {
        kubeconfig: kubeconfig.display().to_string(),
        url: server.url.clone(),
        scenario: scenario.clone(),
        seed,
        speed: server.speed(),
        faults: server.faults.active().iter().map(|(_, fault)| fault.to_string()).collect(),
    };
    let mut shown = about(&server);
    if ready.send(Ok((folder, kubeconfig.clone(), shown.clone()))).is_err() {
        return;
    }
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            request = inbox.recv() => match request {
                Some(request) => drive(&server, &request),
                None => break,
            },
            _ = look.tick() => {}
        }
        let now = about(&server);
        if now != shown {
            shown = now.clone();
            let _ = messages.send(Msg::Sim(now));
        }
    }
    server.shutdown().await;
}

/// Starts the cluster that `args` describe; with its seed and the name of its scenario.
async fn open(args: &ServeArgs, mut options: server::Options) -> Result<(Server, u64, String), String> {
    for text in &args.fault {
        options.faults.push(text.parse::<Fault>().map_err(|error| error.to_string())?);
    }
    options.seed = args.seed.unwrap_or(options.seed);
    let seed = options.seed;
    if !args.from.is_empty() {
        options.objects = recorded(&args.from)?;
        let name = "recorded".to_owned();
        options.scenario = Some(name.clone());
        let server = server::serve(options, None).await.map_err(|error| error.to_string())?;
        return Ok((server, seed, name));
    }
    let name = args.scenario.as_deref().unwrap_or(TOUR);
    let mut scenario = Scenario::load(name).map_err(|error| error.to_string())?;
    if let Some(nodes) = args.nodes {
        scenario = scenario.with_workers(nodes);
    }
    options.speed = args.speed.unwrap_or(scenario.speed);
    options.scenario = Some(scenario.name.clone());
    let name = scenario.name.clone();
    let server = server::serve(options, Some(actors::play(scenario))).await.map_err(|error| error.to_string())?;
    Ok((server, seed, name))
}

/// Recorded objects from files and folders.
fn recorded(paths: &[PathBuf]) -> Result<Vec<serde_json::Value>, String> {
    let snapshot = snapshot::read(paths);
    if let Some(broken) = snapshot.broken.first() {
        return Err(format!("{}: {}", broken.path.display(), broken.why));
    }
    if snapshot.objects.is_empty() {
        return Err("there are no objects in what --from names".to_owned());
    }
    Ok(snapshot.objects)
}

/// Does what was asked for.
fn drive(server: &Server, request: &SimRequest) {
    match request {
        SimRequest::Speed(speed) if speed.is_finite() && *speed > 0.0 => server.set_speed(*speed),
        SimRequest::Speed(_) => {}
        SimRequest::Pass { minutes } => {
            server.pass(Duration::from_secs(minutes.saturating_mul(60)).min(admin::LONGEST));
        }
        SimRequest::ClearFaults => server.faults.clear_all(),
        SimRequest::Fault(fault) => throw(server, *fault),
    }
}

/// Throws a fault.
fn throw(server: &Server, fault: SimFault) {
    let faults = &server.faults;
    match fault {
        SimFault::CutWatches { every: None } => faults.cut_watches(),
        SimFault::CutWatches { every: Some(seconds) } => {
            faults.throw(Fault::now(Trouble::Cut(Duration::from_secs(seconds.max(1)))));
        }
        SimFault::Gone => faults.expire_watches(),
        SimFault::TooManyRequests { seconds } => {
            faults.throw(Fault::now(Trouble::TooMany(RETRY_AFTER)).lasting(Duration::from_secs(seconds)));
        }
        SimFault::ServerErrors { seconds } => {
            faults.throw(Fault::now(Trouble::Error(1.0)).lasting(Duration::from_secs(seconds)));
        }
        SimFault::Latency { millis } => {
            let late = |fault: &Fault| matches!(fault.trouble, Trouble::Latency(_));
            for (id, _) in faults.active().into_iter().filter(|(_, fault)| late(fault)) {
                faults.clear(id);
            }
            if millis > 0 {
                faults.throw(Fault::now(Trouble::Latency(Duration::from_millis(millis))));
            }
        }
        SimFault::Outage { seconds } => {
            faults.throw(Fault::now(Trouble::Outage).lasting(Duration::from_secs(seconds)));
        }
        SimFault::ExpireTokens => {
            faults.throw(Fault::now(Trouble::RevokeToken(RENEWAL)));
        }
    }
}

/// `oc-cockpit sim`: serves until HUP, INT, QUIT or TERM. Must run within a runtime.
pub async fn serve(args: &SimArgs) -> Result<u8, String> {
    // Before anything is said: who reads the URL may ask for the end at once.
    let mut signals = Signals::listen().map_err(|error| format!("signals: {error}"))?;
    let folder = Folder::new()?;
    let kubeconfig = args.kubeconfig_out.clone().unwrap_or_else(|| folder.0.join("kubeconfig"));
    let options =
        server::Options { listen: args.listen, kubeconfig_out: Some(kubeconfig.clone()), ..server::Options::default() };
    let (server, seed, scenario) = open(&args.serve, options).await?;
    let mut out = std::io::stdout();
    let told = writeln!(
        out,
        "A simulated OpenShift cluster (scenario {scenario}, seed {seed}, speed {speed}) listens at {url}\n\n    \
         export KUBECONFIG={path}\n    kubectl get clusterversion,clusteroperators,machineconfigpools,nodes\n    \
         oc-cockpit\n\nContexts: admin, and viewer (get, list, watch). Ctrl-c ends it.",
        speed = server.speed(),
        url = server.url,
        path = kubeconfig.display(),
    );
    told.and_then(|()| out.flush()).map_err(|error| format!("standard output: {error}"))?;
    signals.end().await;
    server.shutdown().await;
    drop(folder);
    Ok(0)
}

/// A folder for the owner alone, removed when dropped.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        use std::os::unix::fs::DirBuilderExt;
        let base = std::env::temp_dir();
        let stamp = crate::clock::now().timestamp_nanos_opt().unwrap_or_default();
        let path = base.join(format!("oc-cockpit-sim-{}-{stamp:x}", std::process::id()));
        let words = |error| format!("{} cannot be made: {error}", path.display());
        std::fs::DirBuilder::new().mode(0o700).create(&path).map_err(words)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left behind in the temporary directory if it cannot be removed: nothing depends on it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
