//! Accepting connections: TLS, HTTP/1.1 (which the cockpit speaks, and kubectl and oc fall back to), and an off switch for
//! outages.
//!
//! An outage drops the listener and aborts every connection, as a rebooting machine does; afterwards the same port is
//! bound again. A half-open server accepts and stays silent.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// How long to wait before binding again when the port is taken for a moment.
const REBIND: Duration = Duration::from_millis(50);

/// A listener with what it serves.
pub struct Door {
    /// Where it listens.
    pub address: SocketAddr,
    /// TLS.
    pub tls: Arc<ServerConfig>,
    /// What answers.
    pub router: Router,
    /// True while nobody is to listen.
    pub outage: watch::Receiver<bool>,
    /// True while the machine is down: nobody is to listen either.
    pub down: watch::Receiver<bool>,
    /// True while connections are accepted and nothing is said.
    pub silent: watch::Receiver<bool>,
}

impl Door {
    /// Serves until the task is aborted; all connections end with it.
    pub async fn serve(self, first: TcpListener) -> io::Result<()> {
        let mut listener = Some(first);
        let (mut outage, mut down) = (self.outage.clone(), self.down.clone());
        loop {
            let open = match listener.take() {
                Some(listener) => listener,
                None => self.bind_again().await,
            };
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    biased;
                    changed = outage.wait_for(|outage| *outage) => {
                        if changed.is_err() {
                            return Ok(());
                        }
                        break;
                    }
                    changed = down.wait_for(|down| *down) => {
                        if changed.is_err() {
                            return Ok(());
                        }
                        break;
                    }
                    Some(_) = connections.join_next(), if !connections.is_empty() => {}
                    accepted = open.accept() => {
                        if let Ok((stream, _)) = accepted {
                            connections.spawn(self.connection(stream));
                        }
                    }
                }
            }
            drop(open);
            connections.shutdown().await;
            while *outage.borrow() || *down.borrow() {
                if outage.wait_for(|outage| !outage).await.is_err() || down.wait_for(|down| !down).await.is_err() {
                    return Ok(());
                }
            }
        }
    }

    async fn bind_again(&self) -> TcpListener {
        loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => return listener,
                Err(error) => {
                    tracing::warn!(%error, address = %self.address, "cannot listen again yet");
                    tokio::time::sleep(REBIND).await;
                }
            }
        }
    }

    fn connection(&self, stream: TcpStream) -> impl Future<Output = ()> + Send + 'static {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.tls));
        let service = TowerToHyperService::new(self.router.clone());
        let mut silent = self.silent.clone();
        async move {
            drop(silent.wait_for(|silent| !silent).await);
            drop(stream.set_nodelay(true));
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let builder = auto::Builder::new(TokioExecutor::new());
            // A client that goes away in the middle is no concern of the server.
            drop(builder.serve_connection(TokioIo::new(stream), service).await);
        }
    }
}
