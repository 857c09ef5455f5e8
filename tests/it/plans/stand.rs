//! An action that was rehearsed and is about to be confirmed, what somebody may do before it is sent, and how it went: the
//! outcome, the audit log, everything that the server holds.

use std::collections::BTreeMap;
use std::fmt;

use oc_cockpit::actions::outcome::{Outcome, Rehearsal};
use oc_cockpit::actions::{ActionId, Verb, Write};
use oc_cockpit::cluster::Request;
use oc_cockpit::cluster::execute::{Transport, shown};
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::store::Store;
use oc_cockpit::upgrade::assessment::Assessment;
use serde_json::{Value, json};

use super::cases::{Case, case};
use super::hurdle::{Hurdle, Way};
use super::in_process::{InProcess, is_write};
use super::lab::{Done, Lab};

/// Why something cannot come between for an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// Its object does not exist yet: nobody can change it, replace it or take it away.
    NothingThereYet,
    /// It deletes or evicts: the answer holds nothing that has to be stored.
    NothingStored,
    /// What the object holds does not bear on the request, only whether it is that very object.
    OnlyIdentity,
    /// No budget stands in its way: it is no eviction.
    NoBudget,
    /// It sends one request only.
    OneRequest,
    /// It moves no stage of an image-based upgrade.
    NoStage,
    /// After a conflict it is not sent again without being looked at.
    NeverAgain,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingThereYet => "its object does not exist yet",
            Self::NothingStored => "a removal stores nothing",
            Self::OnlyIdentity => "only the identity of its object matters",
            Self::NoBudget => "it is no eviction",
            Self::OneRequest => "it sends one request",
            Self::NoStage => "it moves no stage",
            Self::NeverAgain => "a conflict ends it",
        })
    }
}

/// Everything that the server holds.
pub type Everything = BTreeMap<String, Value>;

/// Where an object is.
pub struct Place {
    pub res: Res,
    pub namespace: Option<String>,
    pub name: String,
}

impl Place {
    pub fn key(&self) -> String {
        format!("{} {}/{}", self.res.plural, self.namespace.as_deref().unwrap_or_default(), self.name)
    }
}

/// An action, rehearsed and about to be confirmed.
pub struct Stand {
    pub id: ActionId,
    pub case: Case,
    pub lab: Lab,
    pub rehearsal: Rehearsal,
    /// What a watch showed then.
    pub seen: Assessment,
    pub before: Everything,
}

/// What the watch shows of what somebody did after the rehearsal.
#[derive(Debug, Clone, Copy)]
pub enum Watch {
    /// It shows it.
    Live,
    /// It does not yet: the server has to notice.
    Behind,
}

/// How it went.
pub struct Went {
    pub done: Done,
    pub after: Everything,
    pub sent: Vec<Request>,
}

impl Stand {
    pub async fn new(id: ActionId) -> Self {
        let case = case(id);
        assert_eq!(case.ask.action, id, "the case of another action");
        Self::of(case).await
    }

    /// An action of its own case.
    pub async fn of(case: Case) -> Self {
        let id = case.ask.action;
        let lab = Lab::new(&case.sample);
        let rehearsal = lab.rehearse(&case.ask).await.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", id.name()));
        assert!(rehearsal.ok() && !rehearsal.changed, "{}: {rehearsal:?}", id.name());
        let (seen, before) = (lab.look(), everything(&lab));
        Self { id, case, lab, rehearsal, seen, before }
    }

    pub fn writes(&self) -> &[Write] {
        &self.rehearsal.plan.writes
    }

    pub fn first(&self) -> &Write {
        &self.writes()[0]
    }

    pub fn creates(&self) -> bool {
        self.first().verb == Verb::Create
    }

    pub fn removes(&self) -> bool {
        matches!(self.first().verb, Verb::Delete | Verb::Evict)
    }

    pub fn drains(&self) -> bool {
        self.rehearsal.plan.drain.is_some()
    }

    /// Where the object of a write is.
    pub fn place(&self, write: &Write) -> Place {
        let parts: Vec<&str> = write.object_path().trim_start_matches('/').split('/').collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => panic!("{}", write.object_path()),
        };
        let (namespace, plural, name) = match rest {
            ["namespaces", namespace, plural, name] => (Some((*namespace).to_owned()), *plural, *name),
            [plural, name] => (None, *plural, *name),
            _ => panic!("{}", write.object_path()),
        };
        let info = self.lab.store.find(group, version, plural).unwrap_or_else(|| panic!("{plural} is not served"));
        Place { res: info.res(), namespace, name: name.to_owned() }
    }

    /// The object of a write as the server holds it.
    pub fn held(&self, write: &Write) -> Option<Value> {
        let place = self.place(write);
        let found = self.lab.store.get(place.res, place.namespace.as_deref(), &place.name);
        found.map(|object| (*object).clone())
    }

    /// Somebody changes the object of the first write.
    pub fn edit(&self, change: impl FnOnce(&mut Value)) {
        let place = self.place(self.first());
        let changed = self.lab.store.update(place.res, place.namespace.as_deref(), &place.name, change);
        assert!(changed, "{}: nothing was changed", self.id.name());
    }

    /// Somebody deletes it.
    pub fn take_away(&self) -> Value {
        let place = self.place(self.first());
        let gone = self.lab.store.delete(place.res, place.namespace.as_deref(), &place.name);
        (*gone.expect("it is there")).clone()
    }

    /// Somebody creates an object in its place.
    pub fn put(&self, mut object: Value, uid: &str) {
        object["metadata"]["uid"] = json!(uid);
        object["metadata"]["labels"]["example.com/whose"] = json!("theirs");
        self.lab.store.create(self.place(self.first()).res, object, self.lab.simulation.clock().now());
    }

    /// It is confirmed, and sent through `client`, which tells afterwards what left.
    pub async fn send<C: Transport>(&self, client: &C, watch: Watch, sent: impl Fn(&C) -> Vec<Request>) -> Went {
        let look = || match watch {
            Watch::Live => self.lab.look(),
            Watch::Behind => self.seen.clone(),
        };
        let done = self.lab.carry_out_seeing(client, self.rehearsal.clone(), look).await;
        Went { done, after: everything(&self.lab), sent: sent(client) }
    }

    pub async fn meets(&self, way: Way) -> Went {
        self.meets_after(0, way).await
    }

    /// The first `writes` pass.
    pub async fn meets_after(&self, writes: usize, way: Way) -> Went {
        self.send(&Hurdle::new(&self.lab.client, way).after(writes), Watch::Live, Hurdle::sent).await
    }

    /// It is sent on the plain way, after what somebody did.
    pub async fn goes(&self, watch: Watch) -> Went {
        self.goes_by(&InProcess::new(self.lab.simulation.service()), watch).await
    }

    pub async fn goes_by(&self, client: &InProcess, watch: Watch) -> Went {
        self.send(client, watch, |client| client.sent().into_iter().filter(is_write).collect()).await
    }

    /// A user who may look and change nothing.
    pub fn viewer(&self) -> InProcess {
        let simulation = &self.lab.simulation;
        InProcess::new(simulation.service()).with_token(simulation.viewer_token())
    }

    /// What is to be stored and can be left out of the first request: what is set, from the last to the first, then what
    /// is to go.
    pub fn fields(&self) -> Vec<String> {
        let write = self.first();
        // Name and place are told by the path too.
        let place = ["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"];
        let asked = |pointer: &str| !place.contains(&pointer) && write.body.pointer(pointer).is_some();
        let fields = write.stored.iter().rev().filter(|(pointer, _)| asked(pointer));
        let (set, gone): (Vec<_>, Vec<_>) = fields.partition(|(_, value)| !value.is_null());
        set.into_iter().chain(gone).map(|(pointer, _)| pointer.clone()).collect()
    }

    /// The field that a server drops without a word, with what the rehearsal says of it then.
    pub async fn dropped(&self) -> (String, String) {
        for pointer in self.fields() {
            let hurdle = Hurdle::new(&self.lab.client, Way::Prunes(pointer.clone())).in_rehearsal();
            let (_, rehearsal) = self.lab.rehearse_by(&hurdle, &self.case.ask).await.unwrap();
            let step = &rehearsal.steps[0];
            assert!(!step.ok, "{}: without {pointer}: {}", self.id.name(), step.words);
            // A field that is required is missed by the server itself.
            if !step.words.starts_with("dry run: invalid: ") {
                return (pointer, step.words.clone());
            }
        }
        panic!("{}: {:?}", self.id.name(), self.first().stored)
    }

    /// The names of what differs from `before`.
    pub fn changed(before: &Everything, after: &Everything) -> Vec<String> {
        let names = before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name));
        let mut names: Vec<String> = names.cloned().collect();
        names.sort();
        names.dedup();
        names
    }

    pub fn unchanged(&self, went: &Went) {
        assert_eq!(Stand::changed(&self.before, &went.after), Vec::<String>::new(), "{}", self.id.name());
    }

    /// Only the object of that write differs.
    pub fn only(&self, write: &Write, went: &Went) {
        let mut changed = Stand::changed(&self.before, &went.after);
        // What a budget allows is counted by the server.
        changed.retain(|name| !name.starts_with("poddisruptionbudgets "));
        assert_eq!(changed, [self.place(write).key()], "{}", self.id.name());
    }

    /// Is everything stored that the write asks for?
    pub fn stored(&self, write: &Write) -> bool {
        match (write.verb, self.held(write)) {
            (Verb::Delete | Verb::Evict, found) => {
                found.is_none_or(|object| !object["metadata"]["deletionTimestamp"].is_null())
            }
            (_, Some(object)) => write.not_stored(&object).is_none(),
            (_, None) => false,
        }
    }

    /// A row of a table of outcomes.
    pub fn row(&self, went: &Went) -> String {
        self.audited(went);
        format!("{}: {}", kind(&went.done.outcome), went.done.outcome.words(&self.case.ask.target))
    }

    /// Every write that left is in the audit log before its outcome, with who, what, the request and the answer; and
    /// nothing else is.
    pub fn audited(&self, went: &Went) {
        let (name, audit) = (self.id.name(), &went.done.audit);
        let of = |kind: &str| audit.iter().filter(|line| line["line"] == kind).collect::<Vec<_>>();
        let (attempts, outcomes) = (of("attempt"), of("outcome"));
        assert_eq!((attempts.len(), outcomes.len()), (went.sent.len(), went.sent.len()), "{name}: {audit:?}");
        for (attempt, request) in attempts.iter().zip(&went.sent) {
            let told = &attempt["request"];
            let method = format!("{:?}", request.method).to_uppercase();
            assert_eq!(told["method"], method, "{name}");
            assert_eq!(told["uri"].as_str().unwrap().split('?').next().unwrap(), request.path, "{name}");
            assert_eq!(told["body"], request.body.as_ref().unwrap().1, "{name}");
            assert_eq!((&attempt["action"], &attempt["user"]), (&json!(name), &json!("kim")));
            assert_eq!((&attempt["context"], &attempt["danger"]), (&json!("lab"), &json!(went.done.plan.danger)));
            assert!(!attempt["oc"].as_str().unwrap().is_empty() && attempt["time"].is_string(), "{name}");
            assert_eq!(attempt["answers"].as_array().unwrap().len(), went.done.plan.questions.len(), "{name}");
            let end: Vec<_> = outcomes.iter().filter(|outcome| outcome["id"] == attempt["id"]).collect();
            let [end] = end.as_slice() else { panic!("{name}: {} outcomes of {attempt}", end.len()) };
            assert!(end["answer"].is_string() && end["effect"].is_string(), "{name}: {end}");
        }
    }

    /// The answers in the audit log, in the order of the attempts: `refused 409`.
    pub fn answers(went: &Went) -> Vec<String> {
        let attempts = went.done.audit.iter().filter(|line| line["line"] == "attempt");
        let end = |attempt: &Value| {
            let end = |line: &&Value| line["line"] == "outcome" && line["id"] == attempt["id"];
            let end = went.done.audit.iter().find(end).unwrap();
            match end["status"].as_u64() {
                Some(status) => format!("{} {status}", end["answer"].as_str().unwrap()),
                None => end["answer"].as_str().unwrap().to_owned(),
            }
        };
        attempts.map(end).collect()
    }
}

pub fn everything(lab: &Lab) -> Everything {
    held_by(&lab.store)
}

pub fn held_by(store: &Store) -> Everything {
    let objects = store.kinds().into_iter().flat_map(|kind| {
        let plural = kind.plural;
        store.list(kind.res()).into_iter().map(move |object| {
            let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
            (format!("{plural} {}/{}", text("namespace"), text("name")), (*object).clone())
        })
    });
    objects.collect()
}

pub fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Refused { .. } => "refused",
        Outcome::Changed { .. } => "changed",
        Outcome::Failed { .. } => "failed",
        Outcome::Stopped { .. } => "stopped",
        Outcome::Unknown { .. } => "unknown",
    }
}

/// A row for each action of the catalogue; at the end those that cannot meet it, by the reason.
pub async fn each(run: impl AsyncFn(Stand) -> Result<String, Because>) -> String {
    let mut rows = String::new();
    let mut cannot: BTreeMap<Because, Vec<&str>> = BTreeMap::new();
    for id in ActionId::ALL {
        match run(Stand::new(*id).await).await {
            Ok(words) => rows += &format!("{:<24} {words}\n", id.name()),
            Err(because) => cannot.entry(because).or_default().push(id.name()),
        }
    }
    for (because, names) in cannot {
        rows += &format!("-- {because}: {}\n", names.join(", "));
    }
    rows
}

/// The rows of those that cannot meet it.
pub fn cannot(rows: &str) -> String {
    rows.lines().filter(|line| line.starts_with("-- ")).collect::<Vec<_>>().join("\n")
}

/// Does a watch, or reading again, show what is awaited?
pub async fn found_again(stand: &Stand, went: &Went) -> bool {
    let awaited = went.done.outcome.awaited(&stand.rehearsal.plan.effect).unwrap();
    let watched = awaited.watched().is_none_or(|effect| effect.holds(&stand.lab.look()));
    watched && shown(&stand.lab.client, &awaited.reread()).await
}
