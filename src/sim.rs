//! The simulated cluster: an API server that holds plain JSON, and the controllers that move it.
//!
//! Belongs here: the store, the registry of kinds, the HTTP semantics that clients of a Kubernetes API depend on, faults
//! on demand, scenarios with their mishaps, and the actors that play operators, kubelets and monitoring. Does not: anything of the cockpit.
//! May import [`crate::clock`] and nothing else of ours: a field that is misspelt in a lens must not be misspelt in the
//! same way here.
//!
//! [`server::serve`] starts it on loopback HTTPS, [`server::Simulation`] holds it in process.

pub mod actors;
pub mod admin;
pub mod alert_board;
pub mod apply;
pub mod cluster;
pub mod credentials;
pub mod discovery;
pub mod faults;
pub mod field_set;
pub mod host;
pub mod identity;
pub mod journal;
pub mod kinds;
pub mod listener;
pub mod managed;
pub mod mishaps;
pub mod openapi;
pub mod pace;
pub mod patch;
pub mod pod_log;
pub mod present;
pub mod querier;
pub mod read;
pub mod removal;
pub mod request;
pub mod reviews;
pub mod routes;
pub mod scenario;
pub mod schema;
pub mod selector;
pub mod server;
pub mod status;
pub mod store;
pub mod tables;
pub mod version;
pub mod watch_hub;
pub mod write;
