//! A simulated cluster behind a door of our own: something may happen to it just before a request arrives, and an answer
//! may get lost on its way back.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use oc_cockpit::sim::actors;
use oc_cockpit::sim::scenario::Scenario;
use oc_cockpit::sim::server::{Options, Simulation};
use oc_cockpit::sim::store::Store;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use super::Home;

/// What becomes of a request that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrives, and is answered.
    Answered,
    /// It arrives, and the connection breaks in the midst of its answer.
    Unanswered,
}

/// Told of each request that changes something, counted from 1, before it arrives.
type Meddling = Box<dyn FnMut(usize, &Store) -> Fate + Send>;

/// The cluster; it ends with this.
pub struct Door {
    pub simulation: Simulation,
    kubeconfig: PathBuf,
    _runtime: Runtime,
}

impl Door {
    /// Plays a scenario behind the door.
    pub fn open(home: &Home, scenario: &str, meddle: impl FnMut(usize, &Store) -> Fate + Send + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let scenario = Scenario::load(scenario).unwrap();
        let (simulation, address) = runtime.block_on(async {
            let simulation = Simulation::new(&Options { speed: scenario.speed, ..Options::default() }).unwrap();
            tokio::spawn(actors::play(scenario)(simulation.stage()));
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let address = listener.local_addr().unwrap();
            let router = router(&simulation, Box::new(meddle));
            tokio::spawn(async move { axum::serve(listener, router).await });
            (simulation, address)
        });
        let kubeconfig = home.path().join("door.kubeconfig");
        let named =
            |kind: &str, name: &str, value: serde_json::Value| serde_json::json!([{ "name": name, kind: value }]);
        let text = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "admin",
            "clusters": named("cluster", "sim", serde_json::json!({ "server": format!("http://{address}") })),
            "users": named("user", "admin", serde_json::json!({})),
            "contexts": named("context", "admin", serde_json::json!({ "cluster": "sim", "user": "admin" })),
        });
        std::fs::write(&kubeconfig, text.to_string()).unwrap();
        Self { simulation, kubeconfig, _runtime: runtime }
    }

    /// `oc-cockpit do` with these words, run to its end.
    pub fn carry_out(&self, home: &Home, words: &[&str]) -> std::process::Output {
        let kubeconfig = self.kubeconfig.display().to_string();
        let mut args = vec!["do", "--kubeconfig", &kubeconfig];
        args.extend(words);
        home.run(&args)
    }
}

fn router(simulation: &Simulation, meddle: Meddling) -> Router {
    let (service, store) = (simulation.service(), simulation.store());
    let meddling = Arc::new(Mutex::new((0, meddle)));
    Router::new().fallback(move |request: Request| {
        let (service, store, meddling) = (service.clone(), Arc::clone(&store), Arc::clone(&meddling));
        async move {
            let mut fate = Fate::Answered;
            if changes(&request) {
                let (count, meddle) = &mut *meddling.lock().unwrap();
                *count += 1;
                fate = meddle(*count, &store);
            }
            let answer = service.oneshot(request).await.unwrap();
            if fate == Fate::Answered { answer } else { broken(&answer) }
        }
    })
}

/// Does it change something: no look, no dry run, no question about permissions?
fn changes(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or_default();
    request.method() != http::Method::GET
        && !query.contains("dryRun")
        && !request.uri().path().starts_with("/apis/auth")
}

/// The beginning of an answer, and then the connection breaks.
fn broken(answer: &Response) -> Response {
    let parts = futures::stream::iter([Ok("{"), Err(io::Error::other("cut"))]);
    let mut broken = Response::new(Body::from_stream(parts));
    *broken.status_mut() = answer.status();
    broken
}
