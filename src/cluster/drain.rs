//! A drain as it runs: the nodes are cordoned, then emptied one after the other by evictions.
//!
//! Whether a pod may go is for its budget to say. A refused eviction is sent again as `kubectl drain` sends it (kubectl,
//! pkg/drain/drain.go, `evictPods`: after 5 s), but not blindly: when the budget is seen to allow it, else after longer
//! and longer. What an answer did not tell, the next look at the node does. While the API server does not answer it
//! waits, and goes on when the same cluster is back.

mod answered;
mod track;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::stream::{self, StreamExt as _};
use serde::Deserialize as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::answered::{Answered, answered};
use self::track::{Track, Tracks};
use super::execute::{self, Replan, Transport};
use super::{Method, Request};
use crate::actions::audit::{Audit, AuditId, Proof};
use crate::actions::drain::{Drain, DrainedNode, Fate, NodeProgress, NodeState, Objection, PodState, Progress, fate};
use crate::actions::outcome::{Order, Outcome, Written};
use crate::actions::{Found, Read, Session, evict};
use crate::api::{self, Pod, node_key};
use crate::clock;
use crate::upgrade::blockers::Evictions;
use crate::upgrade::facts::{Facts, Kind, KindState, KindStatus};
use crate::upgrade::link::TroubleKind;

/// How often the node is looked at while pods are ending.
const PERIOD: Duration = Duration::from_secs(2);
/// The same while nothing is expected to happen at once.
const QUIET: Duration = Duration::from_secs(5);
/// Evictions under way at once.
const AT_ONCE: usize = 6;
/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Carries out an order whose plan is a drain: its writes (the cordons), then the evictions, each entered in `audit` before
/// it is sent. `tell` hears of every change. When `stop` is cancelled nothing more is sent; what was sent stays sent, and
/// the nodes stay cordoned. The proof of a whole drain is for the watch: [`crate::actions::Effect::NodesDrained`].
///
/// An order of any other plan is executed as [`execute::execute`] does.
pub async fn drain<T: Transport, A: Audit>(
    client: &T,
    order: Order,
    audit: &A,
    replan: impl Replan,
    stop: &CancellationToken,
    tell: impl FnMut(&Progress) + Send,
) -> Outcome {
    let Some(drain) = order.rehearsal.plan.drain.clone() else {
        return execute::execute(client, order, audit, replan).await;
    };
    let outcome = execute::execute(client, order.clone(), audit, replan).await;
    let Outcome::Accepted { done } = outcome else { return outcome };
    let session = Session { context: order.actor.context.clone(), ..Session::default() };
    let now = clock::runtime_instant();
    let timeout = drain.timeout.map(Duration::from_secs);
    let node = |node: &DrainedNode| NodeProgress {
        name: node.name.clone(),
        state: NodeState::Waiting,
        gone: 0,
        pods: Vec::new(),
        stays: [0; 4],
    };
    let progress = Progress {
        nodes: drain.nodes.iter().map(node).collect(),
        silent: None,
        deadline: timeout.and_then(|timeout| Some(client.now() + TimeDelta::from_std(timeout).ok()?)),
        stopping: false,
    };
    let deadline = timeout.and_then(|timeout| now.checked_add(timeout));
    let mut driver = Driver {
        client,
        audit,
        order: &order,
        drain: &drain,
        session,
        stop,
        tell,
        progress,
        told: None,
        deadline,
        done,
    };
    driver.run().await
}

/// Why a drain ends before its end.
enum Halt {
    /// The person stopped it.
    Stopped,
    /// The time is up.
    TimedOut,
    /// It cannot go on.
    Failed(String),
}

/// Why a look at the node showed nothing.
enum Blind {
    /// Nobody answers for now.
    Silent(String),
    /// It will not get better.
    Halt(Halt),
}

/// A node as it is now.
struct Seen {
    node: api::Node,
    pods: Vec<Arc<Pod>>,
}

struct Driver<'a, T, A, F> {
    client: &'a T,
    audit: &'a A,
    order: &'a Order,
    drain: &'a Drain,
    /// For the `oc` lines.
    session: Session,
    stop: &'a CancellationToken,
    tell: F,
    progress: Progress,
    /// What was told last.
    told: Option<Progress>,
    deadline: Option<Instant>,
    /// The cordons.
    done: Vec<Written>,
}

impl<T: Transport, A: Audit, F: FnMut(&Progress) + Send> Driver<'_, T, A, F> {
    async fn run(&mut self) -> Outcome {
        for at in 0..self.drain.nodes.len() {
            let since = self.client.now();
            self.progress.nodes[at].state = NodeState::Draining { since };
            self.publish();
            let mut tracks = Tracks::default();
            let end = self.node(at, &mut tracks).await;
            let proof = Proof::NotSeen { until: clock::now() };
            self.audit.proved(&tracks.open(), proof).await;
            if let Err(halt) = end {
                return self.halted(at, &tracks, halt);
            }
            self.progress.nodes[at].pods = Vec::new();
            self.progress.nodes[at].state = NodeState::Drained { at: self.client.now() };
            self.publish();
        }
        Outcome::Accepted { done: std::mem::take(&mut self.done) }
    }

    /// Empties one node.
    async fn node(&mut self, at: usize, tracks: &mut Tracks) -> Result<(), Halt> {
        let mut explained: Option<Instant> = None;
        loop {
            self.not_stopped()?;
            let seen = tokio::select! {
                () = self.stop.cancelled() => return Err(Halt::Stopped),
                seen = self.look(&self.drain.nodes[at]) => seen,
            };
            match seen {
                Ok(seen) => {
                    self.progress.silent = None;
                    self.take(at, &seen, tracks).await?;
                    if tracks.is_empty() {
                        return Ok(());
                    }
                    self.send_due(tracks).await?;
                    let now = clock::runtime_instant();
                    if tracks.refused() && explained.is_none_or(|last| now.duration_since(last) >= QUIET) {
                        explained = Some(now);
                        self.explain(&seen, tracks).await;
                    }
                    if let Some(words) = tracks.hopeless() {
                        self.show(at, tracks);
                        return Err(Halt::Failed(words));
                    }
                }
                Err(Blind::Silent(words)) => self.silent(words),
                Err(Blind::Halt(halt)) => return Err(halt),
            }
            self.show(at, tracks);
            let now = clock::runtime_instant();
            if self.deadline.is_some_and(|deadline| deadline <= now) {
                return Err(Halt::TimedOut);
            }
            let pause = if tracks.moving() { PERIOD } else { QUIET };
            let pause = self.deadline.map_or(pause, |deadline| pause.min(deadline.duration_since(now)));
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// May it go on, as far as the person and the cluster's identity are concerned?
    fn not_stopped(&mut self) -> Result<(), Halt> {
        if self.stop.is_cancelled() {
            return Err(Halt::Stopped);
        }
        match self.client.elsewhere() {
            Some(words) => Err(Halt::Failed(words)),
            None => Ok(()),
        }
    }

    fn silent(&mut self, words: String) {
        let since = self.progress.silent.as_ref().map_or_else(|| self.client.now(), |(since, _)| *since);
        self.progress.silent = Some((since, words));
    }

    /// Reads the node and its pods.
    async fn look(&self, node: &DrainedNode) -> Result<Seen, Blind> {
        let name = &node.name;
        let halt = |words: String| Err(Blind::Halt(Halt::Failed(words)));
        let get = Request { limit: Some(LIMIT), ..Request::new(Method::Get, format!("/api/v1/nodes/{name}")) };
        let reply = match self.client.send(get).await {
            Ok(reply) => reply,
            Err(trouble) => return Err(Blind::Silent(trouble.words)),
        };
        let told = || execute::told(&reply);
        match reply.status {
            200..=299 => {}
            404 => return halt(format!("node {name} is gone")),
            403 => return halt(format!("node {name} may not be read any more: {}", told())),
            status => return Err(Blind::Silent(format!("node {name} could not be read ({status}): {}", told()))),
        }
        let seen = api::Node::deserialize(&reply.body);
        let Ok(seen) = seen else { return halt(format!("node {name} cannot be understood")) };
        if seen.metadata.uid.as_deref() != Some(&node.uid) {
            return halt(format!("node {name} is another one now: it was deleted and created again"));
        }
        let list = Read::List(format!("/api/v1/pods?fieldSelector=spec.nodeName={name}"));
        let pods = match self.client.read(&list).await {
            Ok(Found::List(found)) => found.unwrap_or_default(),
            Ok(_) => Vec::new(),
            Err(trouble) if trouble.kind == TroubleKind::Forbidden => return halt(trouble.words),
            Err(trouble) => return Err(Blind::Silent(trouble.words)),
        };
        let pods = pods.iter().filter_map(|pod| Pod::deserialize(pod).ok()).map(Arc::new).collect();
        Ok(Seen { node: seen, pods })
    }

    /// Takes in what a look has shown.
    async fn take(&mut self, at: usize, seen: &Seen, tracks: &mut Tracks) -> Result<(), Halt> {
        let node = &self.drain.nodes[at];
        let name = &node.name;
        if !seen.node.spec.unschedulable {
            return Err(Halt::Failed(format!(
                "somebody uncordoned {name}: new pods may come to it at any time, so it is not emptied any further"
            )));
        }
        let object = format!("node/{name}");
        let cordon: Vec<AuditId> =
            self.done.iter().filter(|written| written.object == object).map(|written| written.audit.clone()).collect();
        if !cordon.is_empty() {
            self.audit.proved(&cordon, Proof::Seen { at: clock::now() }).await;
        }
        let wanted = seen.node.annotation(node_key::DESIRED_DRAIN);
        let applied = seen.node.annotation(node_key::LAST_APPLIED_DRAIN);
        if wanted != applied && wanted.is_some_and(|wanted| wanted.starts_with("drain-")) {
            return Err(Halt::Failed(format!(
                "the machine-config operator drains {name} itself now, and goes on with it"
            )));
        }
        let going: Vec<&Arc<Pod>> = seen.pods.iter().filter(|pod| fate(pod) == Fate::Goes).collect();
        self.admitted(&going)?;
        let left = tracks.take(&going, self.client.now(), clock::runtime_instant());
        self.progress.nodes[at].gone += left.gone;
        if !left.proved.is_empty() {
            self.audit.proved(&left.proved, Proof::Seen { at: clock::now() }).await;
        }
        let stays = [Fate::Daemon, Fate::Static, Fate::Ended, Fate::Guard];
        self.progress.nodes[at].stays = stays.map(|wanted| seen.pods.iter().filter(|pod| fate(pod) == wanted).count());
        Ok(())
    }

    /// Pods that came since the plan was made are held to what the plan was confirmed for.
    fn admitted(&self, going: &[&Arc<Pod>]) -> Result<(), Halt> {
        for pod in going {
            let name = || format!("{}/{}", pod.namespace(), pod.name());
            let words = match self.drain.objection(pod) {
                None => continue,
                Some(Objection::Bare) => format!("{} has come, and nothing would bring it back (--force)", name()),
                Some(Objection::EmptyDir) => {
                    format!("{} has come, and its emptyDir data would be lost (--delete-emptydir-data)", name())
                }
            };
            return Err(Halt::Failed(format!("{words}: it was not in the plan")));
        }
        Ok(())
    }

    /// Sends the evictions whose time has come.
    async fn send_due(&mut self, tracks: &mut Tracks) -> Result<(), Halt> {
        let due = tracks.due(clock::runtime_instant());
        let driver = &*self;
        let answers: Vec<_> = stream::iter(due)
            .map(|track| async move {
                let answer = driver.evict(&track).await;
                (track.uid, answer)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut unaudited = None;
        for (uid, answer) in answers {
            match answer {
                Ok((id, answer)) => {
                    if let Answered::NotSent { words } = &answer {
                        self.silent(words.clone());
                    }
                    tracks.answered(&uid, id, answer, self.client.now(), clock::runtime_instant());
                }
                Err(words) => unaudited = Some(words),
            }
        }
        unaudited.map_or(Ok(()), |words| Err(Halt::Failed(words)))
    }

    /// Sends one eviction. An error is one of the audit log: then nothing was sent.
    async fn evict(&self, track: &Track) -> Result<(AuditId, Answered), String> {
        let (namespace, name) = (track.pod.namespace(), track.pod.name());
        let write = evict(&self.session, &self.drain.eviction, namespace, name, &track.uid);
        let id = self.audit.attempt(execute::entry(self.order, &write, None, track.tries + 1)).await?;
        let reply = self.client.send(execute::request(&write, false)).await;
        let (answer, told) = answered(&write, reply);
        self.audit.answered(&id, told).await;
        Ok((id, answer))
    }

    /// Asks the budgets of refused pods what they allow, so that the screen can tell and the next try is not blind.
    async fn explain(&self, seen: &Seen, tracks: &mut Tracks) {
        let now = self.client.now();
        let mut facts = Facts::nothing(now);
        let around = Arc::make_mut(&mut facts.around);
        around.pods = Arc::new(BTreeMap::from([(seen.node.name().to_owned(), Arc::new(seen.pods.clone()))]));
        let mut budgets = Vec::new();
        let mut known = BTreeSet::new();
        for namespace in tracks.refused_namespaces() {
            let path = format!("/apis/{}/namespaces/{namespace}/poddisruptionbudgets", self.drain.budgets);
            if let Ok(Found::List(found)) = self.client.read(&Read::List(path)).await {
                let found = found.unwrap_or_default();
                budgets.extend(
                    found.iter().filter_map(|one| api::PodDisruptionBudget::deserialize(one).ok()).map(Arc::new),
                );
                known.insert(namespace);
            }
        }
        around.pod_disruption_budgets = Arc::new(budgets);
        let state = KindState { status: KindStatus::Live, ..KindState::default() };
        facts.kinds.insert(Kind::PodDisruptionBudgets, state);
        let evictions = Evictions::new(&facts, now);
        tracks.explain(&known, |pod| evictions.holds(pod));
    }

    /// Puts the pods of the node into the progress, and tells it.
    fn show(&mut self, at: usize, tracks: &Tracks) {
        self.progress.nodes[at].pods = tracks.shown();
        self.publish();
    }

    fn publish(&mut self) {
        self.progress.stopping = self.stop.is_cancelled();
        if self.told.as_ref() != Some(&self.progress) {
            (self.tell)(&self.progress);
            self.told = Some(self.progress.clone());
        }
    }

    /// The outcome of a drain that ended before its end.
    fn halted(&mut self, at: usize, tracks: &Tracks, halt: Halt) -> Outcome {
        let name = self.drain.nodes[at].name.clone();
        let mut so_far = self.so_far(at, tracks);
        if let Some((_, words)) = &self.progress.silent {
            so_far.push_str(&format!("; the API server was waited for: {words}"));
        }
        let left: Vec<String> = self.drain.nodes[at + 1..].iter().map(|node| format!("node/{}", node.name)).collect();
        let stay = match self.drain.nodes.len() {
            1 => format!("{name} stays cordoned"),
            _ => "all its nodes stay cordoned".to_owned(),
        };
        let done = std::mem::take(&mut self.done);
        let object = format!("node/{name}");
        let (state, outcome) = match halt {
            Halt::Stopped => {
                let words = format!("{so_far}; what was sent stays sent, and {stay}");
                (NodeState::Left, Outcome::Stopped { done, words, left })
            }
            Halt::TimedOut => {
                let words = format!("not drained in the time that it was given: {so_far}; {stay}");
                (NodeState::Failed(words.clone()), Outcome::Failed { done, object, words, left })
            }
            Halt::Failed(why) => {
                let words = format!("{why}; {so_far}; {stay}");
                (NodeState::Failed(why), Outcome::Failed { done, object, words, left })
            }
        };
        self.progress.nodes[at].state = state;
        self.progress.nodes[at].pods = tracks.shown();
        self.progress.silent = None;
        self.publish();
        outcome
    }

    /// `worker-3: 5 of 12 pods are gone, 2 are ending, refused: shop/cart-0 (PDB cart allows 0 of 1)`.
    fn so_far(&self, at: usize, tracks: &Tracks) -> String {
        let node = &self.progress.nodes[at];
        let pods = tracks.shown();
        let all = node.gone + pods.len();
        let mut words = match all {
            0 => format!("{}: nothing was evicted", node.name),
            1 => format!("{}: {} of 1 pod is gone", node.name, node.gone),
            _ => format!("{}: {} of {all} pods are gone", node.name, node.gone),
        };
        let ending = pods.iter().filter(|pod| matches!(pod.state, PodState::Ending { .. })).count();
        if ending > 0 {
            words.push_str(&format!(", {ending} ending"));
        }
        let held: Vec<String> = pods.iter().filter_map(track::held).collect();
        if !held.is_empty() {
            words.push_str(&format!(", held: {}", crate::upgrade::words::some_of(held.iter().map(String::as_str), 4)));
        }
        words
    }
}
