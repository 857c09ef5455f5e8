//! What has become of a write whose answer got lost: its object is read again and tells.
//!
//! That proves neither the effect, which is for the watch to show, nor that a request which is still on its way will not
//! arrive. It is what a person would look up first.

use std::time::Duration;

use serde_json::Value;

use super::{Request, Transport};
use crate::actions::{Verb, Write};
use crate::cluster::Method;

/// How long one look may take: whoever waits for the answer has waited long enough.
const LIMIT: Duration = Duration::from_secs(5);
/// How often it is looked, and how long is waited in between: a connection that broke is often back at once.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// What the object of a write without an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// What was asked for.
    Applied,
    /// The same as when the plan was made.
    Before,
    /// It does not exist, and was to be created.
    Absent,
    /// It is gone, or another one, and was to be changed.
    Lost,
    /// It has changed, and is not what was asked for. The lock keeps the request from being applied any more.
    Otherwise,
}

impl Shown {
    const fn words(self) -> &'static str {
        match self {
            Self::Applied => "it was applied all the same, as reading it again shows",
            Self::Before => "read again, it is as it was before: it was not applied so far",
            Self::Absent => "read again, it does not exist: it was not applied so far",
            Self::Lost => "read again, it is gone, or another object of its name",
            Self::Otherwise => {
                "read again, it has changed and is not what was asked for: it was not applied, or somebody has changed it \
                 since"
            }
        }
    }
}

/// What has become of `write`, in words.
pub(super) async fn found_out(client: &impl Transport, write: &Write) -> &'static str {
    for look in 1..=LOOKS {
        let get = Request { limit: Some(LIMIT), ..Request::new(Method::Get, write.object_path()) };
        match client.send(get).await {
            Ok(reply) if reply.status == 404 => return shown(write, None).words(),
            Ok(reply) if reply.ok() && reply.body.is_object() => return shown(write, Some(&reply.body)).words(),
            _ if look < LOOKS => tokio::time::sleep(PAUSE).await,
            _ => {}
        }
    }
    "it is not known whether it was applied, the watch will tell"
}

/// What the object shows; none: it does not exist.
fn shown(write: &Write, object: Option<&Value>) -> Shown {
    let text = |object: &Value, pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let removes = matches!(write.verb, Verb::Delete | Verb::Evict);
    let Some(object) = object else {
        return match write.verb {
            _ if removes => Shown::Applied,
            Verb::Create => Shown::Absent,
            _ => Shown::Lost,
        };
    };
    let another = write.uid.is_some() && text(object, "/metadata/uid") != write.uid;
    if removes {
        let leaving = object.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null());
        return if another || leaving { Shown::Applied } else { Shown::Before };
    }
    let locked = write.resource_version.is_some();
    match () {
        () if another => Shown::Lost,
        () if locked && text(object, "/metadata/resourceVersion") == write.resource_version => Shown::Before,
        () if write.not_stored(object).is_none() => Shown::Applied,
        () => Shown::Otherwise,
    }
}

#[cfg(test)]
mod tests {
    use super::super::specimen::write;
    use super::*;
    use crate::actions::PatchKind;
    use serde_json::json;

    fn object(uid: &str, version: &str, paused: bool) -> Value {
        json!({ "metadata": { "uid": uid, "resourceVersion": version }, "spec": { "paused": paused } })
    }

    #[test]
    fn the_object_tells_what_has_become_of_a_patch() {
        let patch = write(Verb::Patch(PatchKind::Merge));
        for (found, expected) in [
            (Some(object("u", "2", true)), Shown::Applied),
            (Some(object("u", "1", false)), Shown::Before),
            (Some(object("u", "2", false)), Shown::Otherwise),
            (Some(object("other", "2", true)), Shown::Lost),
            (None, Shown::Lost),
        ] {
            assert_eq!(shown(&patch, found.as_ref()), expected, "{found:?}");
        }
        let free = Write { resource_version: None, ..patch };
        assert_eq!(shown(&free, Some(&object("u", "1", true))), Shown::Applied, "any version will do");
    }

    #[test]
    fn what_was_to_be_removed_is_gone_or_going_and_what_was_to_be_created_is_there() {
        let delete = write(Verb::Delete);
        let mut going = object("u", "1", false);
        going["metadata"]["deletionTimestamp"] = json!("2026-11-20T03:00:00Z");
        for (found, expected) in [
            (None, Shown::Applied),
            (Some(going), Shown::Applied),
            (Some(object("other", "9", false)), Shown::Applied),
            (Some(object("u", "1", false)), Shown::Before),
        ] {
            assert_eq!(shown(&delete, found.as_ref()), expected, "{found:?}");
        }
        let create = Write { uid: None, resource_version: None, ..write(Verb::Create) };
        assert_eq!(shown(&create, None), Shown::Absent);
        assert_eq!(shown(&create, Some(&object("new", "1", true))), Shown::Applied);
        assert_eq!(shown(&create, Some(&object("theirs", "1", false))), Shown::Otherwise);
    }
}
