//! The domain: what an OpenShift upgrade looks like, where it stands and why.
//!
//! Belongs here: [`facts::Facts`] (what was observed), [`assess::assess`] (what it means), and every rule taken from
//! OpenShift's behaviour, each with its source (component and constant).
//! Does not: a client, an async runtime, the terminal, the clock. Time is an argument, so that a live cluster, a
//! recording and a test are judged by the same code.
//! May import: `api`.

pub mod access;
pub mod alert;
pub mod as_oc;
pub mod assemble;
pub mod assess;
pub mod assessment;
pub mod blockers;
pub mod capacity;
pub mod certificates;
pub mod changes;
pub mod checks;
pub mod cordon;
pub mod cycles;
pub mod danger;
pub mod drain;
pub mod earlier;
pub mod estimate;
pub mod facts;
pub mod image_based;
pub mod kubelet;
pub mod layered;
pub mod link;
pub mod log_source;
pub mod membership;
pub mod memory;
pub mod needs;
pub mod neutral;
pub mod node_disruption;
pub mod node_events;
pub mod node_phase;
pub mod operator_clock;
pub mod operators;
pub mod outline;
pub mod pool_aim;
pub mod pool_phase;
pub mod preflight;
pub mod progress;
pub mod progress_message;
pub mod rail;
pub mod rebuild;
pub mod requests;
pub mod rollout;
pub mod root_credentials;
#[cfg(test)]
pub(crate) mod specimen;
pub mod timeline;
pub mod topology;
pub mod updates;
pub mod verdict;
pub mod version;
pub mod words;
