//! Plans meet the API server: rehearsed without a trace, executed with one.
//!
//! Nothing here retries blindly, nothing is sent before the audit log has it, and a reply proves only that the server
//! stored what was asked for: the effect is for the watch to show.

mod aftermath;
mod answer;
#[cfg(test)]
mod specimen;

use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt as _};
use serde_json::Value;

pub(super) use self::answer::{Verdict, judge, lost, several_budgets, told};
use super::{ContentType, Method, PodOnNode, PodPhase, Reply, Request, Requests};
use crate::actions::audit::{Answer, Attempt, Audit, AuditId, Sent};
use crate::actions::outcome::{Order, Outcome, Rehearsal, Step, Written};
use crate::actions::pods::{Pod, PodList};
use crate::actions::{
    self, Effect, FIELD_MANAGER, Found, Material, PatchKind, Plan, Read, Refusal, Target, Verb, Write,
};
use crate::clock;
use crate::upgrade::link::Trouble;

/// How often a write is sent again after a conflict that changed nothing of its meaning.
const RESENDS: u32 = 3;

/// How long a single request may take: as long as the slowest admission webhook (`timeoutSeconds` is 30 at most).
const LIMIT: Duration = Duration::from_secs(30);

/// How many rehearsal requests are under way at once: they are cheap, but nobody waits for a page of nodes in a row.
const AT_ONCE: usize = 6;

/// What sends requests: [`Requests`], or a script in a test.
pub trait Transport: Sync {
    /// Sends once. An error means that no answer came.
    fn send(&self, request: Request) -> impl Future<Output = Result<Reply, Trouble>> + Send;

    /// Reads what a plan asks for.
    fn read(&self, read: &Read) -> impl Future<Output = Result<Found, Trouble>> + Send;

    /// What time it is for the cluster.
    fn now(&self) -> DateTime<Utc> {
        clock::now()
    }

    /// Does another cluster answer by now than the one that this was made for? Then why nothing is sent any more.
    fn elsewhere(&self) -> Option<String> {
        None
    }
}

impl Transport for Requests {
    async fn send(&self, request: Request) -> Result<Reply, Trouble> {
        Requests::send(self, request).await
    }

    async fn read(&self, read: &Read) -> Result<Found, Trouble> {
        Requests::read(self, read).await
    }

    fn now(&self) -> DateTime<Utc> {
        Requests::now(self)
    }

    fn elsewhere(&self) -> Option<String> {
        Requests::elsewhere(self)
    }
}

/// Makes the plan again with what was read for it: [`actions::again`] with the newest assessment. The target is what is
/// left to do.
pub trait Replan: FnMut(&Target, &Material) -> Result<Plan, Refusal> + Send {}

impl<F: FnMut(&Target, &Material) -> Result<Plan, Refusal> + Send> Replan for F {}

/// How often a plan may ask for further reads: what is read may name other things to read.
const ROUNDS: u32 = 6;

/// Checks `plan` on live objects without changing anything: the reads, a fresh GET of each object, the plan made again
/// on them, a server-side dry run of each write. What is wrong with a write is said in its step.
///
/// # Errors
/// The reason, when an object cannot be read, is another one now, or the plan cannot be made on it any more.
pub async fn rehearse(client: &impl Transport, plan: Plan, mut replan: impl Replan) -> Result<Rehearsal, Refusal> {
    let (whole, mut material) = whole(client, plan.clone(), &mut replan).await?;
    let mut tries = 0;
    loop {
        material.fresh = fetch_all(client, &whole.writes).await.map_err(Refusal)?;
        let (fresh, read) = made(client, &plan.target, material, &mut replan).await?;
        material = read;
        let dry: Vec<Verdict> = stream::iter(fresh.writes.clone())
            .map(|write| async move { try_dry(client, &write).await })
            .buffered(AT_ONCE)
            .collect()
            .await;
        // The object moved between the GET and the dry run: nothing was changed, so looking again costs nothing.
        tries += 1;
        if tries <= RESENDS && dry.iter().any(|verdict| matches!(verdict, Verdict::Conflict { .. })) {
            continue;
        }
        let steps = fresh.writes.iter().zip(&dry).map(|(write, verdict)| step(write, verdict)).collect();
        let completed = actions::complete(fresh, &material);
        // A plan that was not whole yet could not be confirmed: what it has become is no change.
        let changed =
            plan.reads == whole.reads && !actions::same_meaning(&actions::complete(plan, &material), &completed);
        return Ok(Rehearsal { plan: completed, changed, steps, material });
    }
}

/// The plan with everything read that it asks for, in as many rounds as it takes.
async fn whole(client: &impl Transport, plan: Plan, replan: &mut impl Replan) -> Result<(Plan, Material), Refusal> {
    let (mut plan, mut material) = (plan, Material::default());
    for _ in 0..ROUNDS {
        let asks = |read: &&Read| !matches!(read, Read::PodsOn(_)) && material.answer(read).is_none();
        let missing: Vec<Read> = plan.reads.iter().filter(asks).cloned().collect();
        if missing.is_empty() {
            return Ok((plan, material));
        }
        material = read_all(client, &missing, material).await;
        plan = replan(&plan.target, &material)?;
    }
    Err(Refusal("the plan asks for ever more to be read".to_owned()))
}

/// The plan made on `material`, and on whatever it asks to be read further: after a change it may be asked for anew without
/// what was read before.
async fn made(
    client: &impl Transport,
    target: &Target,
    material: Material,
    replan: &mut impl Replan,
) -> Result<(Plan, Material), Refusal> {
    let mut material = material;
    for _ in 0..ROUNDS {
        let plan = replan(target, &material)?;
        let whole = plan.reads.iter().all(|read| matches!(read, Read::PodsOn(_)) || material.answer(read).is_some());
        material = read_all(client, &plan.reads, material).await;
        if whole {
            return Ok((plan, material));
        }
    }
    Err(Refusal("the plan asks for ever more to be read".to_owned()))
}

/// How long an effect that no watch shows is looked for, and how often.
const PATIENCE: Duration = Duration::from_secs(60);
const PERIOD: Duration = Duration::from_secs(1);

/// Reads the objects of `effects` again ([`Effect::reread`]) until they show them, for a minute at most. False: they did
/// not.
pub async fn shown(client: &impl Transport, effects: &[&Effect]) -> bool {
    let looking = async {
        for effect in effects {
            let (Effect::Stored { path, .. }
            | Effect::Digests { path, .. }
            | Effect::Gone { path, .. }
            | Effect::Leaving { path, .. }) = effect
            else {
                continue;
            };
            loop {
                let reply = client.send(Request { limit: Some(LIMIT), ..Request::new(Method::Get, path) }).await;
                let shows = reply.is_ok_and(|reply| match reply.status {
                    404 => effect.shown_by(None),
                    200..=299 => effect.shown_by(Some(&reply.body)),
                    _ => false,
                });
                if shows {
                    break;
                }
                tokio::time::sleep(PERIOD).await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.is_ok()
}

/// Executes a confirmed order, write by write, each entered in `audit` before it is sent. Stops at the first write that
/// is not accepted.
///
/// Before anything is sent the plan is made once more on what the watch shows by then (`replan` without fresh objects):
/// minutes may lie between rehearsal and confirmation, and what changed meanwhile on *other* objects (a second control
/// plane node went down) does not touch the lock.
pub async fn execute<A: Audit>(client: &impl Transport, order: Order, audit: &A, mut replan: impl Replan) -> Outcome {
    let plan = &order.rehearsal.plan;
    if let Some(question) = unanswered(&order) {
        return Outcome::Refused { words: format!("a question is not answered: {question}") };
    }
    if !plan.reads.is_empty() {
        return Outcome::Refused { words: "the plan is not whole: something that it needs was not read".to_owned() };
    }
    let material = order.rehearsal.material.refreshed(Vec::new());
    match replan(&plan.target, &material).map(|newest| actions::complete(newest, &material)) {
        Err(Refusal(words)) => return Outcome::Refused { words },
        Ok(newest) => {
            if let Some(words) = actions::rest_differs(plan, &newest) {
                let left = plan.writes.iter().map(|write| write.object.clone()).collect();
                return Outcome::Changed { done: Vec::new(), plan: Box::new(newest), words, left };
            }
        }
    }
    let mut done: Vec<Written> = Vec::with_capacity(plan.writes.len());
    for (at, write) in plan.writes.iter().enumerate() {
        let left = || plan.writes[at + 1..].iter().map(|write| write.object.clone()).collect::<Vec<_>>();
        let mut job = Job { client, order: &order, audit, at, first: done.is_empty() };
        match job.write(write, &mut replan).await {
            End::Accepted(written) => done.push(written),
            End::Unaudited(words) if done.is_empty() => return Outcome::Refused { words },
            End::Unaudited(words) | End::Refused(words) => {
                return Outcome::Failed { done, object: write.object.clone(), words, left: left() };
            }
            End::Changed(plan, words) => {
                let left = [vec![write.object.clone()], left()].concat();
                return Outcome::Changed { done, plan, words, left };
            }
            End::Unknown(audit, words) => {
                return Outcome::Unknown { done, object: write.object.clone(), audit, words, left: left() };
            }
        }
    }
    Outcome::Accepted { done }
}

/// The first question of the plan that is not answered, in words.
fn unanswered(order: &Order) -> Option<String> {
    order.rehearsal.plan.questions.iter().find_map(|question| {
        let given = order.answers.iter().find(|given| given.name == question.name);
        question.unanswered_by(given.map_or("", |given| given.answer.as_str()))
    })
}

/// How one write ended.
enum End {
    Accepted(Written),
    Unaudited(String),
    Refused(String),
    Changed(Box<Plan>, String),
    Unknown(AuditId, String),
}

/// One write of an order.
struct Job<'a, T, A> {
    client: &'a T,
    order: &'a Order,
    audit: &'a A,
    /// Which write of the plan.
    at: usize,
    /// Nothing of the order was written yet: then the whole plan is compared after a conflict.
    first: bool,
}

impl<T: Transport, A: Audit> Job<'_, T, A> {
    async fn write(&mut self, planned: &Write, replan: &mut impl Replan) -> End {
        let mut write = planned.clone();
        for attempt in 1..=RESENDS + 1 {
            let id = match self.audit.attempt(self.entry(&write, attempt)).await {
                Ok(id) => id,
                Err(words) => return End::Unaudited(words),
            };
            let verdict = send(self.client, &write, false).await;
            self.audit.answered(&id, verdict.answer()).await;
            match verdict {
                Verdict::Accepted { words, .. } => {
                    let again = if attempt == 1 { String::new() } else { format!(" at try {attempt}") };
                    return End::Accepted(Written { object: write.object, audit: id, words: words + &again });
                }
                Verdict::Refused { words, .. } => return End::Refused(words),
                Verdict::Unknown { words } => {
                    let words = format!("{words}; {}", aftermath::found_out(self.client, &write).await);
                    self.audit.answered(&id, Answer::Unknown { words: words.clone() }).await;
                    return End::Unknown(id, words);
                }
                Verdict::Conflict { words, .. } => match self.after_conflict(&write, replan).await {
                    Ok(newer) if attempt <= RESENDS => write = newer,
                    Ok(_) => return End::Refused(format!("{words}; it was sent {attempt} times")),
                    Err(end) => return end,
                },
            }
        }
        End::Refused("it was modified again and again".to_owned())
    }

    /// The object was modified since it was read. Reads it again and makes the plan again; the write on the newer
    /// version, if it still means the same.
    async fn after_conflict(&self, write: &Write, replan: &mut impl Replan) -> Result<Write, End> {
        let object = fetch(self.client, write).await.map_err(End::Refused)?;
        let plan = &self.order.rehearsal.plan;
        let target = self.left_of(&plan.target);
        let material = self.order.rehearsal.material.refreshed(object.into_iter().collect());
        let fresh = replan(&target, &material).map_err(|Refusal(words)| End::Refused(words))?;
        // What is shown next is rehearsed again; only the comparison needs the pods that were read before.
        let completed = actions::complete(fresh.clone(), &material);
        let differs =
            if self.first { actions::difference(plan, &completed) } else { actions::rest_differs(plan, &completed) };
        let strict = || plan.strict_lock.then(|| format!("{} was modified since the plan was made", write.object));
        if let Some(words) = differs.or_else(strict) {
            return Err(End::Changed(Box::new(fresh), words));
        }
        if completed.writes.is_empty() && completed.reads.iter().any(|read| !matches!(read, Read::PodsOn(_))) {
            return Err(End::Changed(
                Box::new(fresh),
                "it rests on something else now, which has to be read".to_owned(),
            ));
        }
        let newer = completed.writes.into_iter().find(|newer| newer.object == write.object);
        newer.ok_or_else(|| End::Refused("nothing has to be done to it any more".to_owned()))
    }

    /// What is left of a bulk target from this write on: all but what was done, since by now the watch may show that. As long
    /// as nothing was done it is the whole, so that the plans can be compared as a whole.
    fn left_of(&self, target: &Target) -> Target {
        let done = &self.order.rehearsal.plan.writes[..self.at];
        let open = |object: &str| self.first || done.iter().all(|write| write.object != object);
        let kept = |kind: &str, names: &[String]| -> Vec<String> {
            names.iter().filter(|name| open(&format!("{kind}/{name}"))).cloned().collect()
        };
        match target {
            Target::Nodes(names) => Target::Nodes(kept("node", names)),
            Target::Pools(names) => Target::Pools(kept("mcp", names)),
            Target::Objects(objects) => {
                let was_done = |name: &str| done.iter().any(|write| write.object.rsplit('/').next() == Some(name));
                let left = objects.iter().filter(|object| self.first || !was_done(&object.name));
                Target::Objects(left.cloned().collect())
            }
            other => other.clone(),
        }
    }

    fn entry(&self, write: &Write, attempt: u32) -> Attempt {
        let dry_run = self.order.rehearsal.steps.get(self.at).map(|step| step.words.clone());
        entry(self.order, write, dry_run, attempt)
    }
}

/// The first line of a write in the audit log.
pub(super) fn entry(order: &Order, write: &Write, dry_run: Option<String>, attempt: u32) -> Attempt {
    let plan = &order.rehearsal.plan;
    Attempt {
        actor: order.actor.clone(),
        action: plan.action,
        target: plan.target.clone(),
        args: plan.args.clone(),
        danger: plan.danger,
        object: write.object.clone(),
        request: Sent {
            method: write.method(),
            uri: match write.verb {
                Verb::Delete | Verb::Evict => write.path.clone(),
                _ => format!("{}?fieldManager={FIELD_MANAGER}", write.path),
            },
            content_type: write.content_type(),
            body: write.shown(),
        },
        oc: write.oc.clone(),
        undo: plan.undo.iter().find(|undo| undo.object == write.object).and_then(|undo| undo.oc.clone()),
        dry_run,
        answers: order.answers.clone(),
        attempt,
    }
}

/// Sends a write, or its dry run, and judges the answer.
async fn send(client: &impl Transport, write: &Write, dry: bool) -> Verdict {
    let verdict = match client.send(request(write, dry)).await {
        Ok(reply) => judge(write, &reply),
        Err(trouble) => lost(&trouble),
    };
    // Servers and webhooks quote what they were sent.
    if write.secret { verdict.reworded(|words| write.veiled(words)) } else { verdict }
}

async fn try_dry(client: &impl Transport, write: &Write) -> Verdict {
    send(client, write, true).await
}

/// The request of a write. `fieldManager` names us in `managedFields`; `fieldValidation=Strict` would make old servers'
/// pruning an error, but is refused by none and honoured only from 1.25 on, so the answer is compared instead.
pub(super) fn request(write: &Write, dry: bool) -> Request {
    let (method, content_type) = match write.verb {
        Verb::Patch(PatchKind::Merge) => (Method::Patch, ContentType::MergePatch),
        Verb::Patch(PatchKind::Strategic) => (Method::Patch, ContentType::StrategicPatch),
        Verb::Patch(PatchKind::Json) => (Method::Patch, ContentType::JsonPatch),
        Verb::Create | Verb::Evict => (Method::Post, ContentType::Json),
        Verb::Replace => (Method::Put, ContentType::Json),
        Verb::Delete => (Method::Delete, ContentType::Json),
    };
    let mut query = Vec::new();
    if dry {
        query.push(("dryRun".to_owned(), "All".to_owned()));
    }
    if !matches!(write.verb, Verb::Delete | Verb::Evict) {
        query.push(("fieldManager".to_owned(), FIELD_MANAGER.to_owned()));
    }
    Request {
        method,
        path: write.path.clone(),
        query,
        body: Some((content_type, write.body.clone())),
        limit: Some(LIMIT),
    }
}

fn step(write: &Write, verdict: &Verdict) -> Step {
    let object = write.object.clone();
    match verdict {
        Verdict::Accepted { .. } => Step { object, words: "dry run: the server would accept it".to_owned(), ok: true },
        Verdict::Conflict { words, .. } | Verdict::Refused { words, .. } | Verdict::Unknown { words } => {
            Step { object, words: format!("dry run: {words}"), ok: false }
        }
    }
}

/// The objects of the writes by path, fresh, in their order; those that have yet to be created have none.
async fn fetch_all(client: &impl Transport, writes: &[Write]) -> Result<Vec<(String, Value)>, String> {
    let answers: Vec<Result<Option<(String, Value)>, String>> = stream::iter(writes.to_vec())
        .map(|write| async move { fetch(client, &write).await })
        .buffered(AT_ONCE)
        .collect()
        .await;
    answers.into_iter().filter_map(Result::transpose).collect()
}

/// The object of a write as the server has it now, with its path; it must still be the same one, or must not exist where
/// it is to be created.
async fn fetch(client: &impl Transport, write: &Write) -> Result<Option<(String, Value)>, String> {
    let object = &write.object;
    let path = write.object_path();
    let get = Request { limit: Some(LIMIT), ..Request::new(Method::Get, path) };
    let reply = client.send(get).await.map_err(|trouble| format!("{object} could not be read: {}", trouble.words))?;
    if reply.status == 404 {
        return if write.uid.is_none() { Ok(None) } else { Err(format!("{object} is gone")) };
    }
    if !reply.ok() {
        return Err(format!("{object} could not be read: {}", told(&reply)));
    }
    let uid = reply.body.pointer("/metadata/uid").and_then(Value::as_str);
    match &write.uid {
        None => return Err(format!("{object} exists already")),
        Some(known) if uid != Some(known) => {
            return Err(format!("{object} is another object now: it was deleted and created again"));
        }
        Some(_) => {}
    }
    Ok(Some((path.to_owned(), reply.body)))
}

/// The material with the answers to `reads`, as far as it does not have them.
async fn read_all(client: &impl Transport, reads: &[Read], material: Material) -> Material {
    let mut material = material;
    let missing: Vec<Read> = reads.iter().filter(|read| material.answer(read).is_none()).cloned().collect();
    let answers: Vec<_> = stream::iter(missing)
        .map(|read| async move {
            let found = client.read(&read).await;
            (read, found.map_err(|trouble| trouble.words))
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    material.answers.extend(answers);
    material
}

/// Pods as a plan has them.
pub(super) fn pod_list(pods: Vec<PodOnNode>) -> PodList {
    PodList { pods: pods.into_iter().map(pod).collect() }
}

fn pod(pod: PodOnNode) -> Pod {
    Pod {
        name: format!("{}/{}", pod.namespace, pod.name),
        owner: Some(pod.owner_kind).filter(|kind| !kind.is_empty()),
        mirror: pod.mirror,
        completed: matches!(pod.phase, PodPhase::Succeeded | PodPhase::Failed),
        empty_dir: pod.empty_dir,
    }
}

impl Verdict {
    /// For the audit log.
    fn answer(&self) -> Answer {
        match self {
            Self::Accepted { status, resource_version, .. } => {
                Answer::Accepted { status: *status, resource_version: resource_version.clone() }
            }
            Self::Conflict { status, words } | Self::Refused { status, words } => {
                Answer::Refused { status: *status, words: words.clone() }
            }
            Self::Unknown { words } => Answer::Unknown { words: words.clone() },
        }
    }
}
