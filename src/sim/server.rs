//! Starting the simulated cluster: objects, listener, kubeconfig, faults.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::WallClock;
use crate::sim::actors::Boards;
use crate::sim::cluster::monitoring;
use crate::sim::credentials::{CertificateError, Certificates, kubeconfig, write_kubeconfig};
use crate::sim::faults::{Fault, FaultsHandle, RENEWAL};
use crate::sim::identity::Identity;
use crate::sim::kinds::KindInfo;
use crate::sim::listener::Door;
use crate::sim::routes::Api;
use crate::sim::store::Store;

/// How to start a simulated cluster.
pub struct Options {
    /// Recorded objects: single ones, or Lists of them. They are served as they are.
    pub objects: Vec<Value>,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where to write the kubeconfig, with mode 0600; it is rewritten when the admin's token changes.
    pub kubeconfig_out: Option<PathBuf>,
    /// Faults to throw at the start.
    pub faults: Vec<Fault>,
    /// What uids and chances are derived from.
    pub seed: u64,
    /// How much faster than reality durations pass.
    pub speed: f64,
    /// The name of the scenario, for `GET /sim/status`.
    pub scenario: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            objects: Vec::new(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            kubeconfig_out: None,
            faults: Vec::new(),
            seed: 1,
            speed: 1.0,
            scenario: None,
        }
    }
}

/// What controllers get when they are attached.
#[derive(Clone)]
pub struct Stage {
    /// The objects.
    pub store: Arc<Store>,
    /// The cluster's time.
    pub clock: WallClock,
    /// How much faster than reality durations pass; it may change at any time.
    pub speed: watch::Receiver<f64>,
    /// What chances are derived from.
    pub seed: u64,
    /// What is seen of the controllers from outside.
    pub boards: Boards,
}

/// Controllers: a function that sets a stage at once, and then plays on it until it is dropped. See [`serve`].
pub type Controllers = Box<dyn FnOnce(Stage) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// Why the simulated cluster did not start.
#[derive(Debug)]
pub enum SimError {
    /// The address cannot be listened at.
    Listen(SocketAddr, io::Error),
    /// No certificates could be made.
    Certificates(CertificateError),
    /// The kubeconfig cannot be written.
    Kubeconfig(PathBuf, io::Error),
    /// A recorded object is none: the text says why.
    Object(String),
}

impl fmt::Display for SimError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address, error) => {
                write!(formatter, "the simulated cluster cannot listen at {address}: {error}")
            }
            Self::Certificates(error) => write!(formatter, "no certificates for the simulated cluster: {error}"),
            Self::Kubeconfig(path, error) => {
                write!(formatter, "the kubeconfig cannot be written to {}: {error}", path.display())
            }
            Self::Object(why) => write!(formatter, "a recorded object cannot be served: {why}"),
        }
    }
}

impl std::error::Error for SimError {}

/// A cluster in memory, not listened at yet: for tests on paused time, as a service in process.
pub struct Simulation {
    api: Arc<Api>,
    seed: u64,
}

impl Simulation {
    /// Takes in the recorded objects and throws no fault yet. Has to be called within a tokio runtime.
    pub fn new(options: &Options) -> Result<Self, SimError> {
        let store = Arc::new(Store::new(options.seed));
        let clock = WallClock::start();
        for object in &options.objects {
            load(&store, object, &clock)?;
        }
        store.forget_history();
        let identity = Arc::new(Identity::new());
        let boards = Boards::default();
        let faults = FaultsHandle::new(
            Arc::clone(&store),
            Arc::clone(&identity),
            boards.mishaps.clone(),
            boards.host.clone(),
            options.seed,
        );
        let api = Api {
            store,
            identity,
            faults,
            clock,
            speed: watch::Sender::new(options.speed),
            controllers: AtomicBool::new(false),
            kubeconfig: RwLock::new(String::new()),
            about: json!({"seed": options.seed, "scenario": options.scenario}),
            boards,
        };
        Ok(Self { api: Arc::new(api), seed: options.seed })
    }

    /// The API as a service for clients in the same process; requests without a token come from the admin.
    pub fn service(&self) -> Router {
        Arc::clone(&self.api).router(true)
    }

    /// The objects.
    pub fn store(&self) -> Arc<Store> {
        Arc::clone(&self.api.store)
    }

    /// The faults.
    pub fn faults(&self) -> FaultsHandle {
        self.api.faults.clone()
    }

    /// The cluster's time.
    pub fn clock(&self) -> WallClock {
        self.api.clock.clone()
    }

    /// What is seen of the controllers from outside: mishaps, logs, alerts.
    pub fn boards(&self) -> Boards {
        self.api.boards.clone()
    }

    /// The token of the viewer, who may look and change nothing.
    pub fn viewer_token(&self) -> String {
        self.api.identity.viewer_token()
    }

    /// What controllers play on. Taking the stage means that somebody plays the kubelets: pods that run are no longer
    /// removed at once.
    pub fn stage(&self) -> Stage {
        self.api.controllers.store(true, Ordering::Relaxed);
        Stage {
            store: self.store(),
            clock: self.api.clock.clone(),
            speed: self.api.speed.subscribe(),
            seed: self.seed,
            boards: self.api.boards.clone(),
        }
    }
}

/// A running simulated cluster. Dropping it ends everything.
pub struct Server {
    /// The URL that clients use.
    pub url: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// The objects.
    pub store: Arc<Store>,
    /// Throws and ends faults.
    pub faults: FaultsHandle,
    simulation: Simulation,
    tasks: JoinSet<()>,
}

impl Server {
    /// The kubeconfig as clients should have it now: contexts `admin` and `viewer`.
    pub fn kubeconfig(&self) -> String {
        self.simulation.api.kubeconfig()
    }

    /// The same API as a service in process.
    pub fn service(&self) -> Router {
        self.simulation.service()
    }

    /// The cluster's time.
    pub fn clock(&self) -> WallClock {
        self.simulation.clock()
    }

    /// What is seen of the controllers from outside: mishaps, logs, alerts.
    pub fn boards(&self) -> Boards {
        self.simulation.boards()
    }

    /// The token of the admin.
    pub fn admin_token(&self) -> String {
        self.simulation.api.identity.admin_token()
    }

    /// Lets the viewer do everything in one namespace, as a RoleBinding there would.
    pub fn grant_viewer_in(&self, namespace: &str) {
        self.simulation.api.identity.grant_viewer_in(vec![namespace.to_owned()]);
    }

    /// The token of the viewer.
    pub fn viewer_token(&self) -> String {
        self.simulation.viewer_token()
    }

    /// How much faster than reality durations pass.
    pub fn speed(&self) -> f64 {
        *self.simulation.api.speed.borrow()
    }

    /// Changes how much faster than reality durations pass.
    pub fn set_speed(&self, speed: f64) {
        self.simulation.api.speed.send_replace(speed);
    }

    /// Lets time pass at once: the clock is put forward, and the controllers live through it. See [`WallClock::pass`].
    pub fn pass(&self, time: Duration) {
        self.simulation.api.clock.pass(time);
    }

    /// Ends everything: listener, connections, controllers, faults.
    pub async fn shutdown(mut self) {
        self.faults.clear_all();
        self.tasks.shutdown().await;
    }
}

/// Starts a simulated cluster on the current tokio runtime.
///
/// Without `controllers` the objects only change when a client changes them: the way to look at recorded clusters.
/// Controllers take the stage before anybody can connect: no client sees a cluster that is half built.
pub async fn serve(options: Options, controllers: Option<Controllers>) -> Result<Server, SimError> {
    let simulation = Simulation::new(&options)?;
    let playing = controllers.map(|controllers| controllers(simulation.stage()));
    let listen = options.listen;
    let listener = TcpListener::bind(listen).await.map_err(|error| SimError::Listen(listen, error))?;
    let address = listener.local_addr().map_err(|error| SimError::Listen(listen, error))?;
    let host = if address.ip().is_unspecified() { "localhost".to_owned() } else { address.ip().to_string() };
    let url = match address {
        SocketAddr::V6(_) if !address.ip().is_unspecified() => format!("https://[{host}]:{}", address.port()),
        _ => format!("https://{host}:{}", address.port()),
    };
    let certificates = Certificates::new(&host).map_err(SimError::Certificates)?;
    let (querier, querier_address) = querier(&simulation, listen, &host).await?;
    let api = Arc::clone(&simulation.api);
    let publisher = Publisher { url: url.clone(), authority: certificates.authority, out: options.kubeconfig_out };
    publisher.publish(&api)?;

    let door = Door {
        address,
        tls: certificates.tls,
        router: Arc::clone(&api).router(false),
        outage: api.faults.outage(),
        down: api.boards.host.down(),
        silent: api.faults.signals().silent,
    };
    // The querier is a server of its own: an outage of the API server does not concern it.
    let calm = watch::Sender::new(false);
    let querier_door = Door {
        address: querier_address,
        tls: Arc::clone(&door.tls),
        router: Arc::clone(&api).querier(),
        outage: calm.subscribe(),
        // Unless it runs on the machine that reboots.
        down: api.boards.host.down(),
        silent: calm.subscribe(),
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let _calm = calm;
        if let Err(error) = querier_door.serve(querier).await {
            tracing::error!(%error, "the simulated monitoring stopped listening");
        }
    });
    tasks.spawn(async move {
        if let Err(error) = door.serve(listener).await {
            tracing::error!(%error, "the simulated cluster stopped listening");
        }
    });
    tasks.spawn(publisher.follow(Arc::clone(&api)));
    for fault in options.faults {
        api.faults.throw(fault);
    }
    let (store, faults) = (simulation.store(), simulation.faults());
    if let Some(playing) = playing {
        tasks.spawn(playing);
    }
    Ok(Server { url, address, store, faults, simulation, tasks })
}

/// A listener for the querier of the cluster's monitoring, to which its Route leads from now on.
async fn querier(
    simulation: &Simulation,
    beside: SocketAddr,
    host: &str,
) -> Result<(TcpListener, SocketAddr), SimError> {
    let wanted = SocketAddr::new(beside.ip(), 0);
    let listener = TcpListener::bind(wanted).await.map_err(|error| SimError::Listen(wanted, error))?;
    let address = listener.local_addr().map_err(|error| SimError::Listen(wanted, error))?;
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    monitoring::admit(&simulation.api.store, &format!("{host}:{}", address.port()));
    Ok((listener, address))
}

/// Keeps the kubeconfig up to date.
struct Publisher {
    url: String,
    authority: String,
    out: Option<PathBuf>,
}

impl Publisher {
    fn publish(&self, api: &Api) -> Result<(), SimError> {
        let text = kubeconfig(&self.url, &self.authority, &api.identity);
        api.kubeconfig.write().unwrap_or_else(PoisonError::into_inner).clone_from(&text);
        match &self.out {
            Some(path) => write_kubeconfig(path, &text).map_err(|error| SimError::Kubeconfig(path.clone(), error)),
            None => Ok(()),
        }
    }

    async fn follow(self, api: Arc<Api>) {
        let mut renewed = api.faults.renewed_tokens();
        let mut tokens = api.boards.host.token_changes();
        loop {
            let (changed, pause) = tokio::select! {
                changed = renewed.changed() => (changed, Duration::ZERO),
                // Somebody logs in again, some time after the cluster is back.
                changed = tokens.changed() => (changed, RENEWAL),
            };
            if changed.is_err() {
                return;
            }
            tokio::time::sleep(pause).await;
            api.identity.belong_to(api.boards.host.tokens());
            if let Err(error) = self.publish(&api) {
                tracing::error!(%error, "the new token could not be published");
            }
        }
    }
}

/// Takes a recorded object, or every item of a List, into the store. Incomplete metadata is completed.
fn load(store: &Store, object: &Value, clock: &WallClock) -> Result<(), SimError> {
    if let Some(items) = object.get("items").and_then(Value::as_array) {
        let list_kind = object["kind"].as_str().unwrap_or_default();
        for item in items {
            let mut item = item.clone();
            // Items of a typed list leave out what the list says.
            if item.get("kind").is_none()
                && let Some(kind) = list_kind.strip_suffix("List").filter(|kind| !kind.is_empty())
            {
                item["kind"] = json!(kind);
                item["apiVersion"] = object["apiVersion"].clone();
            }
            load(store, &item, clock)?;
        }
        return Ok(());
    }
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    if api_version.is_empty() || kind.is_empty() || name.is_empty() {
        return Err(SimError::Object(format!(
            "it needs apiVersion, kind and metadata.name; it has apiVersion \"{api_version}\", kind \"{kind}\", name \
             \"{name}\""
        )));
    }
    let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
    let res = store.find_kind(group, kind).map_or_else(
        || {
            let info = KindInfo::guessed(api_version, kind, object.pointer("/metadata/namespace").is_some());
            let res = info.res();
            store.register(info);
            res
        },
        |info| info.res(),
    );
    store.load(res, object.clone(), clock.now());
    Ok(())
}
