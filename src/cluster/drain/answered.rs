//! What the answer to an eviction means.

use std::time::Duration;

use serde_json::Value;

use crate::actions::Write;
use crate::actions::audit::Answer;
use crate::cluster::Reply;
use crate::cluster::execute::{self, Verdict};
use crate::upgrade::link::Trouble;

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answered {
    /// The pod is being deleted.
    Accepted,
    /// The pod was gone already, or another one has its name.
    Gone,
    /// Not now; it may be asked again.
    Later {
        /// Why.
        words: String,
        /// What the server asks to wait for.
        wait: Option<Duration>,
    },
    /// Perhaps it was done, perhaps not: the next look tells.
    Unknown {
        /// What happened.
        words: String,
    },
    /// It did not reach the server.
    NotSent {
        /// Why.
        words: String,
    },
    /// It will not be taken.
    Never {
        /// Why.
        words: String,
    },
}

/// What `reply` means, for the drain and for the audit log.
pub(super) fn answered(write: &Write, reply: Result<Reply, Trouble>) -> (Answered, Answer) {
    let reply = match reply {
        Ok(reply) => reply,
        Err(trouble) => {
            return match execute::lost(&trouble) {
                Verdict::Unknown { words } => (Answered::Unknown { words: words.clone() }, Answer::Unknown { words }),
                Verdict::Refused { status, words } | Verdict::Conflict { status, words } => {
                    (Answered::NotSent { words: words.clone() }, Answer::Refused { status, words })
                }
                Verdict::Accepted { .. } => unreachable!("no answer came"),
            };
        }
    };
    let status = reply.status;
    let told = execute::told(&reply);
    let refused = |words: &str| Answer::Refused { status, words: words.to_owned() };
    let later = |words: String| {
        let answer = refused(&words);
        (Answered::Later { words, wait: reply.retry_after }, answer)
    };
    match status {
        200..=299 => (Answered::Accepted, Answer::Accepted { status, resource_version: String::new() }),
        404 | 409 => (Answered::Gone, refused(&format!("the pod is gone, or another one has its name: {told}"))),
        429 => later(budget_words(&reply).unwrap_or(told)),
        500 if execute::several_budgets(&reply) => later(told),
        // kubectl waits for such a namespace to take the pod along (pkg/drain/drain.go, `evictPods`).
        403 if cause(&reply, "NamespaceTerminating").is_some() => {
            later(format!("its namespace is being deleted: {told}"))
        }
        401 => (Answered::NotSent { words: told.clone() }, refused(&told)),
        _ => match execute::judge(write, &reply) {
            Verdict::Unknown { words } => (Answered::Unknown { words: words.clone() }, Answer::Unknown { words }),
            Verdict::Refused { words, .. } | Verdict::Conflict { words, .. } | Verdict::Accepted { words, .. } => {
                let answer = refused(&words);
                (Answered::Never { words }, answer)
            }
        },
    }
}

/// What the budget says: the message of the cause, which has the numbers.
fn budget_words(reply: &Reply) -> Option<String> {
    cause(reply, "DisruptionBudget").filter(|words| !words.is_empty())
}

/// The message of the cause of that reason.
fn cause(reply: &Reply, reason: &str) -> Option<String> {
    let causes = reply.body.pointer("/details/causes")?.as_array()?;
    let text = |cause: &Value, key: &str| cause.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    causes.iter().find(|cause| text(cause, "reason") == reason).map(|cause| text(cause, "message"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::{Session, evict};
    use crate::upgrade::link::TroubleKind;
    use serde_json::json;

    fn of(status: u16, body: Value) -> Answered {
        let write = evict(&Session::default(), "policy/v1", "shop", "cart-0", "u");
        answered(&write, Ok(Reply { status, body, retry_after: None })).0
    }

    fn later(words: &str) -> Answered {
        Answered::Later { words: words.into(), wait: None }
    }

    #[test]
    fn a_budget_says_later_with_its_numbers() {
        let body = json!({
            "message": "Cannot evict pod as it would violate the pod's disruption budget.",
            "details": { "causes": [{
                "reason": "DisruptionBudget",
                "message": "The disruption budget cart needs 1 healthy pods and has 1 currently",
            }] },
        });
        assert_eq!(of(429, body), later("The disruption budget cart needs 1 healthy pods and has 1 currently"));
        assert_eq!(of(429, json!({ "message": "slow down" })), later("slow down"));
    }

    #[test]
    fn two_budgets_and_a_dying_namespace_are_waited_for() {
        let two = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
        assert_eq!(of(500, json!({ "message": two })), later(two));
        let dying = json!({ "message": "no", "details": { "causes": [{ "reason": "NamespaceTerminating" }] } });
        assert_eq!(of(403, dying), later("its namespace is being deleted: no"));
    }

    #[test]
    fn what_will_not_get_better_is_not_asked_again() {
        for (status, body) in [
            (403, json!({ "message": "cannot create resource \"pods/eviction\"" })),
            (422, json!({ "message": "no" })),
            (400, json!({ "message": "the API version in the data (policy/v1) does not match" })),
        ] {
            assert!(matches!(of(status, body), Answered::Never { .. }), "{status}");
        }
    }

    #[test]
    fn the_next_look_tells_what_no_answer_told() {
        assert_eq!(of(201, json!({ "status": "Success" })), Answered::Accepted);
        assert_eq!(of(404, json!({})), Answered::Gone);
        assert_eq!(of(409, json!({})), Answered::Gone, "its UID is another one");
        assert!(matches!(of(503, json!({ "message": "etcd" })), Answered::Unknown { .. }));
        let trouble =
            |kind| Trouble { kind, words: "w".into(), hint: String::new(), since: chrono::DateTime::UNIX_EPOCH };
        let write = evict(&Session::default(), "policy/v1", "shop", "cart-0", "u");
        let lost = |kind| answered(&write, Err(trouble(kind))).0;
        assert!(matches!(lost(TroubleKind::Timeout), Answered::Unknown { .. }));
        assert!(matches!(lost(TroubleKind::Refused), Answered::NotSent { .. }));
    }
}
