//! The integration tests: one crate, a module per promise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)] // a test fails by panicking and may tell why
#![allow(missing_docs)]

mod answers;
mod architecture;
mod between;
mod client_around;
mod client_faults;
mod doing;
mod driven;
mod dumps;
mod estimates;
mod image_journeys;
mod journeys;
mod logs;
mod mishap_stories;
mod plans;
mod procedures;
mod recommend;
mod recorded;
mod remedied;
mod restart;
mod screens;
mod sim_around;
mod sim_http;
mod sim_image_based;
mod sim_kubectl;
mod sim_pools;
mod sim_scenarios;
mod sim_story;
mod sim_transcripts;
mod sim_trust;
mod sim_version;
mod story;
mod support;
