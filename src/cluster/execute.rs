//! Plans meet the API server: rehearsed without a trace, executed with one.
//!
//! Nothing here retries blindly, and nothing is sent before the audit log has it.

use serde_json::Value;

use super::Requests;

use crate::actions::audit::Audit;
use crate::actions::outcome::{Order, Outcome, Rehearsal};
use crate::actions::{Plan, Refusal, Target};

/// Makes the plan again on fresh objects (as the server sent them): `actions::again` with the newest assessment.
/// The target is what is left to do.
pub trait Replan: FnMut(&Target, &[Value]) -> Result<Plan, Refusal> + Send {}

impl<F: FnMut(&Target, &[Value]) -> Result<Plan, Refusal> + Send> Replan for F {}

/// Checks `plan` on live objects without changing anything: a fresh GET of each object, the plan made again on them,
/// a server-side dry run of each write, the reads. What is wrong is said in the steps.
///
/// # Errors
/// The reason, when the plan cannot be made on the fresh objects any more.
pub async fn rehearse(_client: &Requests, plan: Plan, _replan: impl Replan) -> Result<Rehearsal, Refusal> {
    Err(Refusal(format!("{} cannot be rehearsed yet", plan.title)))
}

/// Executes a confirmed order, write by write, each entered in `audit` before it is sent.
pub async fn execute<A: Audit>(_client: &Requests, order: Order, _audit: &A, _replan: impl Replan) -> Outcome {
    Outcome::Refused { words: format!("{} cannot be executed yet", order.rehearsal.plan.title) }
}
