//! Validation: what the definitions of the kinds demand, as far as writes from outside rely on it.

use serde_json::Value;

use crate::sim::kinds::{KindInfo, Res};
use crate::sim::status::Refusal;

/// Drops the fields that the kind does not know and says which they were.
pub fn prune(_res: Res, _object: &mut Value) -> Vec<String> {
    Vec::new()
}

/// Refuses an object that breaks the rules of its kind. `previous` is null for a new object.
pub fn validate(_info: &KindInfo, _object: &Value, _previous: &Value) -> Result<(), Refusal> {
    Ok(())
}
