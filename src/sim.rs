//! The simulated cluster: an API server that holds plain JSON, and the controllers that move it.
//!
//! Belongs here: the store, the registry of kinds, the HTTP semantics that clients of a Kubernetes API depend on, faults
//! on demand, scenarios and the actors that play operators and kubelets. Does not: anything of the cockpit.
//! May import [`crate::clock`] and nothing else of ours: a field that is misspelt in a lens must not be misspelt in the
//! same way here.

pub mod actors;
pub mod cluster;
pub mod kinds;
pub mod pace;
pub mod scenario;
pub mod store;
