//! What may come between a rehearsal and a write, for every action of the catalogue: how it ends, in which words, what the
//! audit log has of it, and what the server holds afterwards.
//!
//! Where something cannot come between for an action the table says why.

use std::collections::BTreeMap;
use std::fmt;

use oc_cockpit::actions::outcome::{Outcome, Rehearsal};
use oc_cockpit::actions::{ActionId, Material, Refusal, Target, Verb, Write, plan};
use oc_cockpit::cluster::Request;
use oc_cockpit::cluster::execute::Transport;
use oc_cockpit::sim::kinds::Res;
use serde_json::{Value, json};

use super::cases::{Case, Theirs, case};
use super::hurdle::{Hurdle, RULES, Way};
use super::in_process::{InProcess, is_write};
use super::lab::{Done, Lab};
use super::simulated::session;

/// Why something cannot come between for an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Because {
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
        })
    }
}

/// Everything that the server holds.
type Everything = BTreeMap<String, Value>;

/// Where an object is.
struct Place {
    res: Res,
    namespace: Option<String>,
    name: String,
}

impl Place {
    fn key(&self) -> String {
        format!("{} {}/{}", self.res.plural, self.namespace.as_deref().unwrap_or_default(), self.name)
    }
}

/// An action, rehearsed and about to be confirmed.
struct Stand {
    id: ActionId,
    case: Case,
    lab: Lab,
    rehearsal: Rehearsal,
    before: Everything,
}

/// How it went.
struct Went {
    done: Done,
    after: Everything,
    sent: Vec<Request>,
}

impl Stand {
    async fn new(id: ActionId) -> Self {
        let case = case(id);
        assert_eq!(case.ask.action, id, "the case of another action");
        let lab = Lab::new(&case.sample);
        let rehearsal = lab.rehearse(&case.ask).await.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", id.name()));
        assert!(rehearsal.ok() && !rehearsal.changed, "{}: {rehearsal:?}", id.name());
        let before = everything(&lab);
        Self { id, case, lab, rehearsal, before }
    }

    fn writes(&self) -> &[Write] {
        &self.rehearsal.plan.writes
    }

    fn first(&self) -> &Write {
        &self.writes()[0]
    }

    fn creates(&self) -> bool {
        self.first().verb == Verb::Create
    }

    fn removes(&self) -> bool {
        matches!(self.first().verb, Verb::Delete | Verb::Evict)
    }

    fn drains(&self) -> bool {
        self.rehearsal.plan.drain.is_some()
    }

    /// Where the object of a write is.
    fn place(&self, write: &Write) -> Place {
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
    fn held(&self, write: &Write) -> Option<Value> {
        let place = self.place(write);
        let found = self.lab.store.get(place.res, place.namespace.as_deref(), &place.name);
        found.map(|object| (*object).clone())
    }

    /// Somebody changes the object of the first write.
    fn edit(&self, change: impl FnOnce(&mut Value)) {
        let place = self.place(self.first());
        let changed = self.lab.store.update(place.res, place.namespace.as_deref(), &place.name, change);
        assert!(changed, "{}: nothing was changed", self.id.name());
    }

    /// Somebody deletes it.
    fn take_away(&self) -> Value {
        let place = self.place(self.first());
        let gone = self.lab.store.delete(place.res, place.namespace.as_deref(), &place.name);
        (*gone.expect("it is there")).clone()
    }

    /// Somebody creates an object in its place.
    fn put(&self, mut object: Value, uid: &str) {
        object["metadata"]["uid"] = json!(uid);
        object["metadata"]["labels"]["example.com/whose"] = json!("theirs");
        self.lab.store.create(self.place(self.first()).res, object, self.lab.simulation.clock().now());
    }

    /// It is confirmed, and sent through `client`.
    async fn send(&self, client: &impl Transport, sent: impl Fn() -> Vec<Request>) -> Went {
        let done = self.lab.carry_out(client, self.rehearsal.clone()).await;
        Went { done, after: everything(&self.lab), sent: sent() }
    }

    async fn meets(&self, way: Way) -> Went {
        self.meets_after(0, way).await
    }

    /// The first `writes` pass.
    async fn meets_after(&self, writes: usize, way: Way) -> Went {
        let hurdle = Hurdle::new(&self.lab.client, way).after(writes);
        self.send(&hurdle, || hurdle.sent()).await
    }

    /// It is sent on the plain way, after what somebody did.
    async fn goes(&self) -> Went {
        let client = InProcess::new(self.lab.simulation.service());
        let sent = || client.sent().into_iter().filter(is_write).collect();
        self.send(&client, sent).await
    }

    /// The names of what differs from `before`.
    fn changed(&self, before: &Everything, after: &Everything) -> Vec<String> {
        let names = before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name));
        let mut names: Vec<String> = names.cloned().collect();
        names.sort();
        names.dedup();
        names
    }

    fn unchanged(&self, went: &Went) {
        assert_eq!(self.changed(&self.before, &went.after), Vec::<String>::new(), "{}", self.id.name());
    }

    /// Only the object of that write differs.
    fn only(&self, write: &Write, went: &Went) {
        let mut changed = self.changed(&self.before, &went.after);
        // What a budget allows is counted by the server.
        changed.retain(|name| !name.starts_with("poddisruptionbudgets "));
        assert_eq!(changed, [self.place(write).key()], "{}", self.id.name());
    }

    /// Is everything stored that the write asks for?
    fn stored(&self, write: &Write) -> bool {
        match (write.verb, self.held(write)) {
            (Verb::Delete | Verb::Evict, found) => {
                found.is_none_or(|object| !object["metadata"]["deletionTimestamp"].is_null())
            }
            (_, Some(object)) => write.not_stored(&object).is_none(),
            (_, None) => false,
        }
    }

    /// A row of a table of outcomes.
    fn row(&self, went: &Went) -> String {
        self.audited(went);
        format!("{}: {}", kind(&went.done.outcome), went.done.outcome.words(&self.case.ask.target))
    }

    /// Every write that left is in the audit log before its outcome, with who, what, the request and the answer; and
    /// nothing else is.
    fn audited(&self, went: &Went) {
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
    fn answers(&self, went: &Went) -> Vec<String> {
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

fn everything(lab: &Lab) -> Everything {
    let objects = lab.store.kinds().into_iter().flat_map(|kind| {
        let plural = kind.plural;
        lab.store.list(kind.res()).into_iter().map(move |object| {
            let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
            (format!("{plural} {}/{}", text("namespace"), text("name")), (*object).clone())
        })
    });
    objects.collect()
}

fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Refused { .. } => "refused",
        Outcome::Changed { .. } => "changed",
        Outcome::Failed { .. } => "failed",
        Outcome::Stopped { .. } => "stopped",
        Outcome::Unknown { .. } => "unknown",
    }
}

/// A row for each action of the catalogue; what a case says of itself, or why there is none.
async fn each(run: impl AsyncFn(Stand) -> Result<String, Because>) -> String {
    let mut rows = String::new();
    for id in ActionId::ALL {
        let row = match run(Stand::new(*id).await).await {
            Ok(words) => words,
            Err(because) => format!("-- {because}"),
        };
        rows += &format!("{:<24} {row}\n", id.name());
    }
    rows
}

/// An answer that refuses each write: told as `part`, asked once, written down, and nothing is changed.
async fn refuses(way: Way, answer: &str, parts: &[&str]) -> String {
    each(async |stand: Stand| {
        let went = stand.meets(way.clone()).await;
        let row = stand.row(&went);
        for part in parts {
            assert!(row.contains(part), "{}\n  expected: {part}\n  said:     {row}", stand.id.name());
        }
        assert!(matches!(went.done.outcome, Outcome::Failed { .. }), "{row}");
        assert_eq!(stand.answers(&went), [answer], "{}: it is asked once", stand.id.name());
        stand.unchanged(&went);
        Ok(row)
    })
    .await
}

// --- 401, 403 ---

#[tokio::test(start_paused = true)]
async fn a_viewer_is_told_by_the_rehearsal_which_permission_is_missing() {
    let rows = each(async |stand: Stand| {
        let lab = &stand.lab;
        let viewer = InProcess::new(lab.simulation.service()).with_token(lab.simulation.viewer_token());
        let (_, rehearsal) = lab.rehearse_by(&viewer, &stand.case.ask).await.unwrap();
        assert!(!rehearsal.ok(), "{}", stand.id.name());
        let refused: Vec<&str> = rehearsal.steps.iter().filter(|step| !step.ok).map(|step| step.words.as_str()).collect();
        assert_eq!(refused.len(), stand.writes().len(), "{}: {:?}", stand.id.name(), rehearsal.steps);
        assert!(refused[0].contains("oc auth can-i"), "{}", refused[0]);
        assert_eq!(stand.changed(&stand.before, &everything(lab)), Vec::<String>::new());
        Ok(refused[0].to_owned())
    })
    .await;
    insta::assert_snapshot!(rows);
}

#[tokio::test(start_paused = true)]
async fn a_permission_that_is_taken_away_after_the_rehearsal_is_told_by_the_write() {
    let rows = each(async |stand: Stand| {
        let lab = &stand.lab;
        let viewer = InProcess::new(lab.simulation.service()).with_token(lab.simulation.viewer_token());
        let sent = || viewer.sent().into_iter().filter(is_write).collect();
        let went = stand.send(&viewer, sent).await;
        let row = stand.row(&went);
        assert!(row.starts_with("failed: ") && row.contains("oc auth can-i"), "{row}");
        assert_eq!(stand.answers(&went), ["refused 403"], "{}", stand.id.name());
        stand.unchanged(&went);
        Ok(row)
    })
    .await;
    insta::assert_snapshot!(rows);
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_not_good_any_more_are_told() {
    let parts = ["the server does not accept the credentials (any more): Unauthorized"];
    refuses(Way::Expired, "refused 401", &parts).await;
}

// --- 409 ---

#[tokio::test(start_paused = true)]
async fn what_somebody_else_did_meanwhile_is_never_written_over() {
    let rows = each(async |stand: Stand| {
        match stand.case.theirs {
            Theirs::Edit(change) => stand.edit(change),
            Theirs::Create => stand.put(stand.first().body.clone(), "uid-theirs"),
            Theirs::Identity => return Err(Because::OnlyIdentity),
        }
        let theirs = everything(&stand.lab);
        assert_ne!(theirs, stand.before);
        let went = stand.goes().await;
        let row = stand.row(&went);
        assert!(went.done.outcome.done().is_empty(), "{}: {row}", stand.id.name());
        assert!(!matches!(went.done.outcome, Outcome::Accepted { .. } | Outcome::Unknown { .. }), "{row}");
        assert_eq!(stand.changed(&theirs, &went.after), Vec::<String>::new(), "{}: theirs stays", stand.id.name());
        Ok(row)
    })
    .await;
    insta::assert_snapshot!(rows);
}
