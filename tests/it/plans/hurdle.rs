//! What may happen to requests on their way to a simulated API server.

use std::sync::Mutex;
use std::time::Duration;

use oc_cockpit::actions::{Found, Read};
use oc_cockpit::cluster::execute::Transport;
use oc_cockpit::cluster::{Method, Reply, Request};
use oc_cockpit::upgrade::link::{Trouble, TroubleKind};
use serde_json::{Value, json};

use super::in_process::{InProcess, is_write};

/// What a server that knows more rules says: of a field, and of the object as a whole.
pub const RULES: [(&str, &str); 2] = [
    ("spec.shape", "Invalid value: \"square\": spec.shape in body should be one of [round oval]"),
    ("<nil>", "Invalid value: \"object\": a peg that is round needs a hole that is round"),
];

/// How long the server asks to wait.
pub const WAIT: Duration = Duration::from_secs(7);

/// What happens.
#[derive(Debug, Clone)]
pub enum Way {
    /// The connection breaks before the request has arrived.
    Breaks,
    /// The connection breaks before the request has arrived, and after it nobody answers.
    GoesSilent,
    /// The server stores what is asked for, and its answer is lost.
    LosesReply,
    /// Nobody listens any more.
    Refused,
    /// The server fails.
    Fails,
    /// The server asks to slow down.
    TooMany,
    /// Somebody else was faster, again and again.
    Conflict,
    /// The server has rules that nobody knew of.
    Invalid,
    /// The credentials are not good any more.
    Expired,
    /// The server does not know this field, by its JSON pointer: it stores the rest.
    Prunes(String),
    /// The lock is lost on the way: the definition's own rules have to notice.
    Unlocks,
}

/// A way to the server on which writes meet something.
pub struct Hurdle<'a> {
    client: &'a InProcess,
    way: Way,
    passing: usize,
    rehearsal: bool,
    sent: Mutex<Vec<Request>>,
}

impl<'a> Hurdle<'a> {
    /// Every write that is no dry run meets it.
    pub fn new(client: &'a InProcess, way: Way) -> Self {
        Self { client, way, passing: 0, rehearsal: false, sent: Mutex::default() }
    }

    /// The first `writes` pass.
    pub fn after(self, writes: usize) -> Self {
        Self { passing: writes, ..self }
    }

    /// Dry runs meet it, and nothing else does.
    pub fn in_rehearsal(self) -> Self {
        Self { rehearsal: true, ..self }
    }

    /// The writes as they left, whether they arrived or not.
    pub fn sent(&self) -> Vec<Request> {
        self.sent.lock().unwrap().clone()
    }

    async fn meet(&self, mut request: Request) -> Result<Reply, Trouble> {
        match &self.way {
            Way::Breaks | Way::GoesSilent => lost(TroubleKind::Broken, "the connection broke"),
            Way::LosesReply => {
                let reply = self.client.send(request).await?;
                assert!(reply.ok(), "it is to be stored: {reply:?}");
                lost(TroubleKind::Timeout, "no answer within 30 s")
            }
            Way::Refused => lost(TroubleKind::Refused, "nobody listens"),
            Way::Fails => answer(503, json!({ "message": "etcdserver: leader changed" })),
            Way::TooMany => {
                let reply = answer(429, json!({ "message": "too many requests" }))?;
                Ok(Reply { retry_after: Some(WAIT), ..reply })
            }
            Way::Conflict => answer(409, json!({ "message": "the object has been modified" })),
            Way::Invalid => answer(422, invalid()),
            Way::Expired => answer(401, json!({ "message": "Unauthorized" })),
            Way::Prunes(pointer) => {
                if let Some((_, body)) = &mut request.body {
                    remove(body, pointer);
                }
                self.client.send(request).await
            }
            Way::Unlocks => {
                if let Some((_, body)) = &mut request.body {
                    remove(body, "/metadata/resourceVersion");
                }
                self.client.send(request).await
            }
        }
    }
}

/// Takes the field at `pointer` out of `object`; of a list, the whole element.
fn remove(object: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    match object.pointer_mut(parent) {
        Some(Value::Object(fields)) => drop(fields.remove(&name.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(items)) => {
            let at = name.parse::<usize>().ok().filter(|at| *at < items.len());
            drop(at.map(|at| items.remove(at)));
        }
        _ => {}
    }
}

fn lost(kind: TroubleKind, words: &str) -> Result<Reply, Trouble> {
    Err(Trouble { kind, words: words.into(), hint: String::new(), since: chrono::DateTime::UNIX_EPOCH })
}

#[expect(clippy::unnecessary_wraps, reason = "it stands beside answers that never come")]
fn answer(status: u16, mut body: Value) -> Result<Reply, Trouble> {
    body["kind"] = json!("Status");
    Ok(Reply { status, body, retry_after: None })
}

fn invalid() -> Value {
    let cause =
        |(field, message): &(&str, &str)| json!({ "reason": "FieldValueInvalid", "field": field, "message": message });
    let told: Vec<String> = RULES.iter().map(|(field, message)| format!("{field}: {message}")).collect();
    json!({
        "reason": "Invalid", "message": format!("it is invalid: [{}]", told.join(", ")),
        "details": { "causes": RULES.iter().map(cause).collect::<Vec<_>>() },
    })
}

impl Transport for Hurdle<'_> {
    async fn send(&self, request: Request) -> Result<Reply, Trouble> {
        if !is_write(&request) {
            if matches!(self.way, Way::GoesSilent) && self.sent.lock().unwrap().len() > self.passing {
                return lost(TroubleKind::Timeout, "no answer within 5 s");
            }
            let meets = self.rehearsal && request.method != Method::Get;
            return if meets { self.meet(request).await } else { self.client.send(request).await };
        }
        let before = {
            let mut sent = self.sent.lock().unwrap();
            sent.push(request.clone());
            sent.len() - 1
        };
        if self.rehearsal || before < self.passing { self.client.send(request).await } else { self.meet(request).await }
    }

    async fn read(&self, read: &Read) -> Result<Found, Trouble> {
        self.client.read(read).await
    }
}
