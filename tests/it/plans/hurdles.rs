//! What may come between a rehearsal and a write, for every action of the catalogue: how it ends, in which words, what the
//! audit log has of it, and what the server holds afterwards.
//!
//! Where something cannot come between for an action the table says why.

use std::collections::BTreeMap;
use std::fmt;

use oc_cockpit::actions::outcome::{Outcome, Rehearsal};
use oc_cockpit::actions::{ActionId, Effect, Refusal, Verb, Write};
use oc_cockpit::cluster::Request;
use oc_cockpit::cluster::execute::{Transport, shown};
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::upgrade::assessment::Assessment;
use serde_json::{Value, json};

use super::cases::{Case, Theirs, case};
use super::hurdle::{Hurdle, RULES, Way};
use super::in_process::{InProcess, is_write};
use super::lab::{Done, Lab};

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
    /// What a watch showed then.
    seen: Assessment,
    before: Everything,
}

/// What the watch shows of what somebody did after the rehearsal.
#[derive(Debug, Clone, Copy)]
enum Watch {
    /// It shows it.
    Live,
    /// It does not yet: the server has to notice.
    Behind,
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
        let (seen, before) = (lab.look(), everything(&lab));
        Self { id, case, lab, rehearsal, seen, before }
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

    /// It is confirmed, and sent through `client`, which tells afterwards what left.
    async fn send<C: Transport>(&self, client: &C, watch: Watch, sent: impl Fn(&C) -> Vec<Request>) -> Went {
        let look = || match watch {
            Watch::Live => self.lab.look(),
            Watch::Behind => self.seen.clone(),
        };
        let done = self.lab.carry_out_seeing(client, self.rehearsal.clone(), look).await;
        Went { done, after: everything(&self.lab), sent: sent(client) }
    }

    async fn meets(&self, way: Way) -> Went {
        self.meets_after(0, way).await
    }

    /// The first `writes` pass.
    async fn meets_after(&self, writes: usize, way: Way) -> Went {
        self.send(&Hurdle::new(&self.lab.client, way).after(writes), Watch::Live, Hurdle::sent).await
    }

    /// It is sent on the plain way, after what somebody did.
    async fn goes(&self, watch: Watch) -> Went {
        self.goes_by(&InProcess::new(self.lab.simulation.service()), watch).await
    }

    async fn goes_by(&self, client: &InProcess, watch: Watch) -> Went {
        self.send(client, watch, |client| client.sent().into_iter().filter(is_write).collect()).await
    }

    /// A user who may look and change nothing.
    fn viewer(&self) -> InProcess {
        let simulation = &self.lab.simulation;
        InProcess::new(simulation.service()).with_token(simulation.viewer_token())
    }

    /// What is to be stored and can be left out of the first request: what is set, from the last to the first, then what
    /// is to go.
    fn fields(&self) -> Vec<String> {
        let write = self.first();
        // Name and place are told by the path too.
        let place = ["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"];
        let asked = |pointer: &str| !place.contains(&pointer) && write.body.pointer(pointer).is_some();
        let fields = write.stored.iter().rev().filter(|(pointer, _)| asked(pointer));
        let (set, gone): (Vec<_>, Vec<_>) = fields.partition(|(_, value)| !value.is_null());
        set.into_iter().chain(gone).map(|(pointer, _)| pointer.clone()).collect()
    }

    /// The field that a server drops without a word, with what the rehearsal says of it then.
    async fn dropped(&self) -> (String, String) {
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
    fn changed(before: &Everything, after: &Everything) -> Vec<String> {
        let names = before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name));
        let mut names: Vec<String> = names.cloned().collect();
        names.sort();
        names.dedup();
        names
    }

    fn unchanged(&self, went: &Went) {
        assert_eq!(Stand::changed(&self.before, &went.after), Vec::<String>::new(), "{}", self.id.name());
    }

    /// Only the object of that write differs.
    fn only(&self, write: &Write, went: &Went) {
        let mut changed = Stand::changed(&self.before, &went.after);
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
    fn answers(went: &Went) -> Vec<String> {
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

/// A row for each action of the catalogue; at the end those that cannot meet it, by the reason.
async fn each(run: impl AsyncFn(Stand) -> Result<String, Because>) -> String {
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
fn cannot(rows: &str) -> String {
    rows.lines().filter(|line| line.starts_with("-- ")).collect::<Vec<_>>().join("\n")
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
        assert_eq!(Stand::answers(&went), [answer], "{}: it is asked once", stand.id.name());
        stand.unchanged(&went);
        Ok(row)
    })
    .await
}

// --- 401, 403 ---

#[tokio::test(start_paused = true)]
async fn a_viewer_is_told_by_the_rehearsal_which_permission_is_missing_and_by_the_write_no_less() {
    let rows = each(async |stand: Stand| {
        let lab = &stand.lab;
        let rehearsal = match lab.rehearse_by(&stand.viewer(), &stand.case.ask).await {
            Ok((_, rehearsal)) => rehearsal,
            // What is asked for in the namespace of the target is known before the dry run.
            Err(Refusal(words)) => {
                assert!(words.contains("may not") && words.contains("(oc auth can-i"), "{words}");
                assert_eq!(Stand::changed(&stand.before, &everything(lab)), Vec::<String>::new());
                let went = stand.goes_by(&stand.viewer(), Watch::Live).await;
                assert_eq!(Stand::answers(&went), ["refused 403"], "{}", stand.id.name());
                stand.unchanged(&went);
                return Ok(format!("refused: {words}"));
            }
        };
        assert!(!rehearsal.ok(), "{}", stand.id.name());
        let refused = rehearsal.steps.iter().filter(|step| !step.ok && step.words.contains("oc auth can-i"));
        assert_eq!(refused.count(), stand.writes().len(), "{}: {:?}", stand.id.name(), rehearsal.steps);
        assert_eq!(Stand::changed(&stand.before, &everything(lab)), Vec::<String>::new());
        // It was permitted when it was rehearsed, and is not any more.
        let went = stand.goes_by(&stand.viewer(), Watch::Live).await;
        let words = rehearsal.steps[0].words.trim_start_matches("dry run: ");
        let row = stand.row(&went);
        assert!(row.starts_with(&format!("failed: {}: {words}", stand.first().object)), "{row}");
        assert_eq!(Stand::answers(&went), ["refused 403"], "{}", stand.id.name());
        stand.unchanged(&went);
        Ok(words.to_owned())
    })
    .await;
    insta::assert_snapshot!(rows);
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_not_good_any_more_are_told() {
    let words = ["the server does not accept the credentials (any more): Unauthorized"];
    assert_eq!(cannot(&refuses(Way::Expired, "refused 401", &words).await), "");
}

// --- 409 ---

/// Somebody has done something to its object that matters.
async fn theirs_stays(watch: Watch) -> String {
    each(async |stand: Stand| {
        match stand.case.theirs {
            Theirs::Edit(change) => stand.edit(change),
            Theirs::Create => stand.put(stand.first().body.clone(), "uid-theirs"),
            Theirs::Identity => return Err(Because::OnlyIdentity),
        }
        let theirs = everything(&stand.lab);
        let went = stand.goes(watch).await;
        let row = stand.row(&went);
        assert!(went.done.outcome.done().is_empty(), "{}: {row}", stand.id.name());
        let ended =
            matches!(went.done.outcome, Outcome::Refused { .. } | Outcome::Changed { .. } | Outcome::Failed { .. });
        assert!(ended, "{}: {row}", stand.id.name());
        assert!(went.sent.len() <= 1, "{}: it is not sent again over theirs: {row}", stand.id.name());
        assert_eq!(Stand::changed(&theirs, &went.after), Vec::<String>::new(), "{}: theirs stays", stand.id.name());
        Ok(row)
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_did_is_not_written_over_when_the_watch_shows_it() {
    insta::assert_snapshot!(theirs_stays(Watch::Live).await);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_did_is_not_written_over_when_only_the_server_knows_it() {
    insta::assert_snapshot!(theirs_stays(Watch::Behind).await);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_does_not_matter_is_kept_and_holds_up_only_the_strict_ones() {
    let rows = each(async |stand: Stand| {
        if stand.creates() {
            return Err(Because::NothingThereYet);
        }
        stand.edit(|object| object["metadata"]["annotations"]["example.com/touched"] = json!("yes"));
        let theirs = everything(&stand.lab);
        let went = stand.goes(Watch::Live).await;
        let row = stand.row(&went);
        let locked = stand.first().resource_version.is_some();
        // The whole object is sent where the server takes no patch, and written down as the way back of a deletion.
        let whole = stand.first().verb == Verb::Replace || stand.id == ActionId::DeleteObject;
        if stand.rehearsal.plan.strict_lock || whole {
            assert!(matches!(went.done.outcome, Outcome::Changed { .. }), "{row}");
            assert_eq!(Stand::answers(&went), ["refused 409"], "{}", stand.id.name());
            assert_eq!(Stand::changed(&theirs, &went.after), Vec::<String>::new(), "{}", stand.id.name());
            return Ok(row);
        }
        assert!(matches!(went.done.outcome, Outcome::Accepted { .. }), "{}: {row}", stand.id.name());
        let answers = Stand::answers(&went);
        let refused = answers.iter().filter(|answer| *answer == "refused 409").count();
        assert_eq!(refused, usize::from(locked), "{}: {answers:?}", stand.id.name());
        for write in stand.writes() {
            assert!(stand.stored(write), "{}: {}", stand.id.name(), write.object);
        }
        if !stand.removes() {
            let kept = &stand.held(stand.first()).unwrap()["metadata"]["annotations"]["example.com/touched"];
            assert_eq!(kept, "yes", "{}: their change is kept", stand.id.name());
        }
        Ok(format!("{row} ({})", answers.join(", ")))
    })
    .await;
    insta::assert_snapshot!(rows);
}

#[tokio::test(start_paused = true)]
async fn another_object_of_the_name_is_not_touched() {
    let rows = each(async |stand: Stand| {
        if stand.creates() {
            return Err(Because::NothingThereYet);
        }
        let former = stand.take_away();
        stand.put(former, "uid-of-another");
        let theirs = everything(&stand.lab);
        let went = stand.goes(Watch::Behind).await;
        let row = stand.row(&went);
        assert!(row.contains("another object now"), "{}: {row}", stand.id.name());
        assert!(went.done.outcome.done().is_empty() && went.sent.len() == 1, "{row}");
        assert_eq!(Stand::changed(&theirs, &went.after), Vec::<String>::new(), "{}", stand.id.name());
        Ok(row)
    })
    .await;
    assert_eq!(
        cannot(&rows),
        "-- its object does not exist yet: create-pool, pin-images, apply-signature, add-mirror-set"
    );
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_gone_is_told_as_gone() {
    let rows = each(async |stand: Stand| {
        if stand.creates() {
            return Err(Because::NothingThereYet);
        }
        stand.take_away();
        let without = everything(&stand.lab);
        let went = stand.goes(Watch::Behind).await;
        let row = stand.row(&went);
        assert!(row.starts_with("failed: ") && row.contains("it is gone"), "{}: {row}", stand.id.name());
        assert_eq!(Stand::answers(&went), ["refused 404"], "{}", stand.id.name());
        assert_eq!(Stand::changed(&without, &went.after), Vec::<String>::new(), "{}", stand.id.name());
        Ok(row)
    })
    .await;
    assert_eq!(
        cannot(&rows),
        "-- its object does not exist yet: create-pool, pin-images, apply-signature, add-mirror-set"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_always_says_conflict_is_asked_four_times_at_most() {
    let rows = each(async |stand: Stand| {
        let went = stand.meets(Way::Conflict).await;
        let row = stand.row(&went);
        let (words, times) = match () {
            () if stand.creates() => ("it exists already: the object has been modified", 1),
            () if stand.rehearsal.plan.strict_lock => ("was modified since the plan was made", 1),
            () => ("it was modified since it was read; it was sent 4 times", 4),
        };
        assert!(row.contains(words), "{}: {row}", stand.id.name());
        assert_eq!(Stand::answers(&went), vec!["refused 409"; times], "{}", stand.id.name());
        stand.unchanged(&went);
        Ok(row)
    })
    .await;
    assert_eq!(cannot(&rows), "");
}

// --- 422 ---

#[tokio::test(start_paused = true)]
async fn what_breaks_the_servers_rules_is_told_in_its_own_words() {
    let words = RULES.map(|(_, sentence)| sentence);
    assert_eq!(cannot(&refuses(Way::Invalid, "refused 422", &words).await), "");
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_the_definition_does_not_permit_is_told_in_its_own_words() {
    let transition = "the stage transition is not permitted. Please refer to status.validNextStages for valid \
                      transitions. If status.validNextStages is not present, it indicates that no transitions are \
                      currently allowed";
    let rows = each(async |stand: Stand| {
        let Theirs::Edit(change) = stand.case.theirs else { return Err(Because::NoStage) };
        if !matches!(stand.rehearsal.plan.effect, Effect::ImageStage { .. }) {
            return Err(Because::NoStage);
        }
        stand.edit(change);
        let theirs = everything(&stand.lab);
        // With its lock the request is refused before the definition's rules are asked.
        let hurdle = Hurdle::new(&stand.lab.client, Way::Unlocks);
        let went = stand.send(&hurdle, Watch::Behind, Hurdle::sent).await;
        let row = stand.row(&went);
        let sentence = match stand.id {
            // Somebody else's Prep is under way already: it is no transition.
            ActionId::IbuPrep => "can not change spec.seedImageRef while ibu is in progress",
            _ => transition,
        };
        assert!(row.starts_with("failed: ") && row.contains(sentence), "{row}");
        assert_eq!(Stand::answers(&went), ["refused 422"], "{}", stand.id.name());
        assert_eq!(Stand::changed(&theirs, &went.after), Vec::<String>::new(), "{}", stand.id.name());
        Ok(row)
    })
    .await;
    assert_eq!(rows.matches("failed: ").count(), 4, "Prep, Upgrade, Rollback and Idle:\n{rows}");
    insta::assert_snapshot!(rows);
}

// --- 429 ---

#[tokio::test(start_paused = true)]
async fn a_server_that_is_busy_is_not_asked_again_by_itself() {
    let words = ["the server asks to slow down, try again in 7 s: too many requests"];
    assert_eq!(cannot(&refuses(Way::TooMany, "refused 429", &words).await), "");
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_allows_nothing_any_more_is_told_by_its_name() {
    let rows = each(async |stand: Stand| {
        if stand.first().verb != Verb::Evict && !stand.drains() {
            return Err(Because::NoBudget);
        }
        let spent = |budget: &mut Value| {
            budget["status"]["disruptionsAllowed"] = json!(0);
            budget["status"]["currentHealthy"] = json!(1);
        };
        assert!(stand.lab.store.update(Res::PDBS, Some("shop"), "web", spent));
        let went = stand.goes(Watch::Live).await;
        let row = stand.row(&went);
        assert!(matches!(went.done.outcome, Outcome::Failed { .. }), "{row}");
        let evictions = Stand::answers(&went).into_iter().skip(usize::from(stand.drains())).collect::<Vec<_>>();
        assert!(evictions.iter().all(|answer| answer == "refused 429"), "{evictions:?}");
        assert!(stand.lab.store.get(Res::PODS, Some("shop"), super::cases::POD).is_some());
        Ok(format!("{row} (asked: {})", evictions.len()))
    })
    .await;
    insta::assert_snapshot!(rows);
}

// --- A field that the server does not know ---

#[tokio::test(start_paused = true)]
async fn a_field_that_is_dropped_is_an_error_that_names_it_in_the_rehearsal_and_in_the_write() {
    let rows = each(async |stand: Stand| {
        if stand.removes() {
            return Err(Because::NothingStored);
        }
        let (pointer, words) = stand.dropped().await;
        let name = pointer.rsplit('/').next().unwrap().replace("~1", "/");
        let named = |words: &str| words.contains("did not store it: ") && words.contains(&name);
        assert!(named(&words), "{}: {words}", stand.id.name());
        let went = stand.meets(Way::Prunes(pointer)).await;
        let row = stand.row(&went);
        assert!(row.starts_with("failed: ") && named(&row), "{}: {row}", stand.id.name());
        assert!(went.done.outcome.done().is_empty(), "it is no success");
        let answers = Stand::answers(&went);
        assert!(matches!(answers.as_slice(), [one] if one.starts_with("refused 20")), "{answers:?}");
        let changed = Stand::changed(&stand.before, &went.after);
        assert!(changed.iter().all(|name| *name == stand.place(stand.first()).key()), "{changed:?}");
        Ok(row)
    })
    .await;
    insta::assert_snapshot!(rows);
}

// --- Nobody answers ---

#[tokio::test(start_paused = true)]
async fn a_server_that_is_gone_was_sent_nothing() {
    let rows = refuses(Way::Refused, "refused 0", &["it was not sent: nobody listens"]).await;
    assert_eq!(cannot(&rows), "");
}

/// The write has no answer: nothing is claimed, and it is not sent again.
async fn has_no_answer(stand: &Stand, way: Way) -> (Went, String) {
    let went = stand.meets(way).await;
    let row = stand.row(&went);
    assert!(matches!(went.done.outcome, Outcome::Unknown { .. }), "{}: {row}", stand.id.name());
    assert!(row.contains("it is not known whether it was applied, the watch will tell"), "{row}");
    assert_eq!(Stand::answers(&went), ["unknown"], "{}: it is sent once", stand.id.name());
    assert_eq!(went.done.outcome.unproved().len(), 1, "the watch will tell");
    for left in &stand.writes()[1..] {
        assert!(row.contains("; not sent: ") && row.contains(&left.object), "{row}");
    }
    (went, row)
}

/// Does a watch, or reading again, show what is awaited?
async fn found_again(stand: &Stand, went: &Went) -> bool {
    let awaited = went.done.outcome.awaited(&stand.rehearsal.plan.effect).unwrap();
    let watched = awaited.watched().is_none_or(|effect| effect.holds(&stand.lab.look()));
    watched && shown(&stand.lab.client, &awaited.reread()).await
}

#[tokio::test(start_paused = true)]
async fn what_got_lost_is_neither_success_nor_failure() {
    let rows = each(async |stand: Stand| {
        let (went, _) = has_no_answer(&stand, Way::Fails).await;
        stand.unchanged(&went);
        let (went, row) = has_no_answer(&stand, Way::Breaks).await;
        stand.unchanged(&went);
        // Taken up by somebody else: that nothing is asked for shows already.
        let rests = matches!(stand.id, ActionId::IbuManualCleanupDone | ActionId::RebuildImage);
        assert!(rests || !found_again(&stand, &went).await, "{}: nothing was stored", stand.id.name());
        Ok(row)
    })
    .await;
    assert_eq!(cannot(&rows), "");
}

#[tokio::test(start_paused = true)]
async fn what_was_stored_although_its_answer_got_lost_is_found_again() {
    let rows = each(async |stand: Stand| {
        let (went, row) = has_no_answer(&stand, Way::LosesReply).await;
        stand.only(stand.first(), &went);
        assert!(stand.stored(stand.first()), "{}", stand.id.name());
        // These wait for the agent or the builder to take it up, and nobody plays them here.
        let taken_up = match stand.id {
            ActionId::IbuPrep | ActionId::IbuUpgrade | ActionId::IbuRollback | ActionId::IbuIdle => true,
            id => matches!(id, ActionId::IbuManualCleanupDone | ActionId::RebuildImage),
        };
        assert!(taken_up || found_again(&stand, &went).await, "{}: {row}", stand.id.name());
        Ok(if taken_up { "stored; whoever takes it up proves it" } else { "found again" }.to_owned())
    })
    .await;
    insta::assert_snapshot!(rows);
}

// --- In the midst of several requests ---

#[tokio::test(start_paused = true)]
async fn what_comes_before_the_second_request_leaves_the_first_one_done_and_proved() {
    let rows = each(async |stand: Stand| {
        let [first, second, ..] = stand.writes() else { return Err(Because::OneRequest) };
        let mut told = String::new();
        for way in [Way::Refused, Way::Invalid, Way::TooMany, Way::Breaks] {
            let stand = Stand::new(stand.id).await;
            let went = stand.meets_after(1, way).await;
            told = stand.row(&went);
            assert!(told.contains(&format!("{}: ", second.object)), "{told}");
            assert!(told.contains(&format!("done before: {}", first.object)), "{told}");
            stand.only(first, &went);
            assert!(stand.stored(first) && !stand.stored(second), "{told}");
            let part = went.done.outcome.awaited(&stand.rehearsal.plan.effect).unwrap();
            if matches!(went.done.outcome, Outcome::Failed { .. }) {
                assert!(!went.done.outcome.is_whole(&stand.rehearsal.plan.effect), "only the first was done: {told}");
                assert!(found_again(&stand, &went).await, "{}: {}", stand.id.name(), part.words());
            }
        }
        Ok(told)
    })
    .await;
    insta::assert_snapshot!(rows);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_second_object_is_judged_by_what_is_left() {
    let rows = each(async |stand: Stand| {
        let [first, second, ..] = stand.writes() else { return Err(Because::OneRequest) };
        if second.verb == Verb::Create {
            return Err(Because::NothingThereYet);
        }
        if second.resource_version.is_none() {
            return Err(Because::OnlyIdentity);
        }
        let (store, place) = (stand.lab.simulation.store(), stand.place(second));
        let mut writes = 0;
        let client = InProcess::new(stand.lab.simulation.service()).before_writes(move |_| {
            writes += 1;
            if writes == 2 {
                store.update(place.res, place.namespace.as_deref(), &place.name, |object| {
                    object["metadata"]["annotations"]["example.com/touched"] = json!("yes");
                });
            }
        });
        let went = stand.goes_by(&client, Watch::Live).await;
        let row = stand.row(&went);
        assert!(stand.stored(first), "{row}");
        if second.verb == Verb::Replace {
            assert!(matches!(&went.done.outcome, Outcome::Changed { done, .. } if done.len() == 1), "{row}");
        } else {
            assert!(matches!(went.done.outcome, Outcome::Accepted { .. }), "{}: {row}", stand.id.name());
            assert!(stand.stored(second), "{row}");
        }
        Ok(format!("{row} ({})", Stand::answers(&went).join(", ")))
    })
    .await;
    insta::assert_snapshot!(rows);
}

#[tokio::test(start_paused = true)]
async fn what_evictions_of_a_drain_meet_is_waited_out_or_told() {
    let mut rows = String::new();
    for way in [
        Way::Expired,
        Way::Conflict,
        Way::Invalid,
        Way::TooMany,
        Way::Refused,
        Way::Fails,
        Way::Breaks,
        Way::LosesReply,
    ] {
        let stand = Stand::new(ActionId::DrainNodes).await;
        let went = stand.meets_after(1, way.clone()).await;
        let row = stand.row(&went);
        let answers = Stand::answers(&went);
        let gone = stand.lab.store.get(Res::PODS, Some("shop"), super::cases::POD).is_none();
        assert_eq!(gone, matches!(way, Way::LosesReply), "{way:?}: {row}");
        assert_eq!(gone, matches!(went.done.outcome, Outcome::Accepted { .. }), "{way:?}: {row}");
        assert!(stand.stored(stand.first()), "{way:?}: the node stays cordoned");
        let tries = answers.len() - 1;
        assert_eq!(tries == 1, matches!(way, Way::Invalid | Way::LosesReply), "{way:?}: {answers:?}");
        rows += &format!("{:<10} {row} (asked: {tries}, {})\n", format!("{way:?}"), answers[1]);
    }
    insta::assert_snapshot!(rows);
}
