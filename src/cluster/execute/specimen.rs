//! A write to judge answers and objects by, for the tests beside.

use serde_json::json;

use crate::actions::{Verb, Write};

/// What pauses a pool, with the lock, sent by that verb.
pub(super) fn write(verb: Verb) -> Write {
    Write {
        object: "mcp/worker".into(),
        path: "/apis/machineconfiguration.openshift.io/v1/machineconfigpools/worker".into(),
        object_path: None,
        verb,
        body: json!({}),
        secret: false,
        uid: Some("u".into()),
        resource_version: Some("1".into()),
        oc: String::new(),
        stored: vec![("/spec/paused".into(), json!(true))],
    }
}
