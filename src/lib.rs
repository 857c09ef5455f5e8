//! A live terminal cockpit for OpenShift 4 upgrades.
//!
//! The rooms of the house, and what each may import, from the pure inside to the wiring outside:
//!
//! | Room | What it is |
//! |---|---|
//! | [`api`] | lenses on API objects: only the fields that are read, tolerant of null and of the unknown |
//! | [`upgrade`] | the domain: `assess(&Facts, &Memory, now) -> Assessment`, pure |
//! | [`actions`] | what changes a cluster: catalogue, plans, outcomes, audit entries; data, no client |
//! | [`input`] | key presses to commands; footer and help read the same table |
//! | [`ui`] | drawing: screens, panes, popups, widgets, themes; sees a `Ctx` only |
//! | [`app`] | the state of the program: `update(Msg) -> Vec<Effect>`, no I/O |
//! | [`cluster`] | the only room that talks to an API server |
//! | [`recorder`] | the task that owns the audit log |
//! | [`snapshot`] | dumps of clusters (`oc get -o yaml`) read into JSON values |
//! | [`sim`] | the simulated cluster: an API server with controllers, in JSON alone |
//! | [`runtime`] | the terminal, the signals, the one select loop |
//!
//! [`config`] and [`logging`] are leaves that every room may import; [`clock`] is for `sim`, `recorder`, `cluster` and
//! `runtime`. `tests/it/architecture.rs` keeps this table true.

pub mod actions;
pub mod api;
pub mod app;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod input;
pub mod logging;
pub mod recorder;
pub mod report;
pub mod runtime;
pub mod sim;
pub mod snapshot;
pub mod ui;
pub mod upgrade;
