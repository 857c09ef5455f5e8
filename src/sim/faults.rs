//! Faults on demand: what can go wrong between a client and its API server, thrown by a flag or while running.
//!
//! Belongs here: the words of faults, when they begin and end, and what they do to a request. Does not: the listener
//! (it follows [`FaultsHandle::outage`]) and the watches (they follow [`FaultsHandle::signals`]).

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::SecondsFormat;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::clock;
use crate::sim::host::Host;
use crate::sim::identity::Identity;
use crate::sim::kinds::{KINDS, Res};
use crate::sim::mishaps::Mishaps;
use crate::sim::scenario::{Mishap, MishapKind};
use crate::sim::store::Store;

/// How long an outage or a half-open server lasts when nothing is said.
const SPELL: Duration = Duration::from_secs(30);
/// How long after a revocation the new token is written into the kubeconfig, when nothing is said.
pub(crate) const RENEWAL: Duration = Duration::from_secs(5);

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// Every so often all watches are cut in the middle of the stream.
    Cut(Duration),
    /// All watches are told by an ERROR event that their version is gone, and older versions are forgotten: once, or
    /// every so often.
    Gone(Option<Duration>),
    /// The start of a watch is answered by HTTP status 410.
    GoneStatus,
    /// Requests are answered by 429 with this Retry-After.
    TooMany(Duration),
    /// This share of the requests, from 0 to 1, is answered by 500 or 503.
    Error(f64),
    /// Every answer is late by this.
    Latency(Duration),
    /// Nobody listens: connections are refused, existing ones are reset.
    Outage,
    /// Connections are accepted and nothing is ever answered; running watches fall silent.
    HalfOpen,
    /// The admin's token is refused; a new one is written into the kubeconfig after this long.
    RevokeToken(Duration),
    /// The viewer may not see the kind with this plural.
    ViewerForbidden(String),
    /// The kind with this plural is not served.
    Absent(String),
    /// So many Nodes a second report a heartbeat: a cluster that is large and busy.
    Churn(u32),
    /// Something goes wrong with the cluster itself.
    Mishap(MishapKind, String),
}

/// A trouble with its times. In words: `NAME[=VALUE][/LASTS][@AFTER]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What goes wrong.
    pub trouble: Trouble,
    /// For how long; `None` until it is cleared.
    pub lasts: Option<Duration>,
    /// How long after it was thrown (at start: after the start) it begins.
    pub after: Duration,
}

/// Why a fault was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultSyntax(String);

impl fmt::Display for FaultSyntax {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for FaultSyntax {}

/// What a person may write, one line per fault.
pub const FAULT_HELP: &str = "\
cut=10s                      cut all watches every 10 s
gone, gone=30s               tell all watches 410 as an ERROR event, once or every 30 s
gone-status                  answer the start of a watch by HTTP status 410
too-many=2s                  answer 429 with Retry-After 2
error=0.2                    answer 500 or 503 to a fifth of the requests
latency=300ms                answer late
outage=30s                   refuse connections for 30 s
half-open=10s                accept connections and stay silent for 10 s
revoke-token, revoke-token=5s   refuse the admin's token; write a new one into the kubeconfig 5 s later
viewer-forbidden=nodes       answer 403 to the viewer for a kind
absent=machineconfignodes    do not serve a kind
churn=1000                   change a thousand Nodes a second (heartbeats)
node-lost=worker-1           what a scenario's faults can say: a kind, and what it happens to
Any of them may end in /DURATION (how long) and @DURATION (how long after the start), as in error=0.5/20s@1m.";

impl Fault {
    /// A fault that begins at once and lasts until it is cleared.
    pub fn now(trouble: Trouble) -> Self {
        Self { trouble, lasts: None, after: Duration::ZERO }
    }

    /// The same for a limited time.
    #[must_use]
    pub fn lasting(self, lasts: Duration) -> Self {
        Self { lasts: Some(lasts), ..self }
    }
}

impl FromStr for Fault {
    type Err = FaultSyntax;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let whole = text.trim();
        let (rest, after) = match whole.rsplit_once('@') {
            Some((rest, after)) => (rest, duration(after, whole)?),
            None => (whole, Duration::ZERO),
        };
        let (rest, mut lasts) = match rest.rsplit_once('/') {
            Some((rest, lasts)) => (rest, Some(duration(lasts, whole)?)),
            None => (rest, None),
        };
        let (name, value) = match rest.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim()).filter(|value| !value.is_empty())),
            None => (rest.trim(), None),
        };
        let required = || {
            value.ok_or_else(|| {
                FaultSyntax(format!("fault \"{whole}\": {name} needs a value, as in\n{}", example(name)))
            })
        };
        let optional = |default| value.map_or(Ok(default), |value| duration(value, whole));
        let trouble = match name {
            "cut" => Trouble::Cut(positive(duration(required()?, whole)?, whole)?),
            "gone" => Trouble::Gone(value.map(|value| positive(duration(value, whole)?, whole)).transpose()?),
            "gone-status" => Trouble::GoneStatus,
            "too-many" => Trouble::TooMany(optional(Duration::from_secs(1))?),
            "error" => Trouble::Error(share(required()?, whole)?),
            "latency" => Trouble::Latency(duration(required()?, whole)?),
            "outage" | "half-open" => {
                lasts = Some(optional(lasts.unwrap_or(SPELL))?);
                if name == "outage" { Trouble::Outage } else { Trouble::HalfOpen }
            }
            "revoke-token" => Trouble::RevokeToken(optional(RENEWAL)?),
            "viewer-forbidden" => Trouble::ViewerForbidden(required()?.to_owned()),
            "absent" => Trouble::Absent(known_kind(required()?, whole)?),
            "churn" => Trouble::Churn(rate(required()?, whole)?),
            _ => match name.parse::<MishapKind>() {
                Ok(kind) => Trouble::Mishap(kind, value.unwrap_or_default().to_owned()),
                Err(_) => {
                    return Err(FaultSyntax(format!("there is no fault \"{name}\". Faults are\n{FAULT_HELP}")));
                }
            },
        };
        Ok(Self { trouble, lasts, after })
    }
}

fn example(name: &str) -> &'static str {
    FAULT_HELP.lines().find(|line| line.starts_with(name)).unwrap_or(FAULT_HELP)
}

fn duration(text: &str, whole: &str) -> Result<Duration, FaultSyntax> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "ms" => Some(0.001),
        "" | "s" => Some(1.0),
        "m" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    };
    let seconds = number.parse::<f64>().ok().zip(scale).map(|(number, scale)| number * scale);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| FaultSyntax(format!("fault \"{whole}\": \"{text}\" is not a duration such as 300ms, 10s or 2m")))
}

fn positive(duration: Duration, whole: &str) -> Result<Duration, FaultSyntax> {
    if duration < Duration::from_millis(10) {
        return Err(FaultSyntax(format!("fault \"{whole}\": an interval below 10ms would leave nothing to watch")));
    }
    Ok(duration)
}

fn share(text: &str, whole: &str) -> Result<f64, FaultSyntax> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| FaultSyntax(format!("fault \"{whole}\": \"{text}\" is not a share between 0 and 1")))
}

fn rate(text: &str, whole: &str) -> Result<u32, FaultSyntax> {
    let rate = text.parse::<u32>().ok().filter(|rate| (1..=100_000).contains(rate));
    rate.ok_or_else(|| FaultSyntax(format!("fault \"{whole}\": \"{text}\" is not a number of changes a second")))
}

fn known_kind(plural: &str, whole: &str) -> Result<String, FaultSyntax> {
    if KINDS.iter().any(|info| info.plural == plural) {
        return Ok(plural.to_owned());
    }
    Err(FaultSyntax(format!("fault \"{whole}\": no kind has the plural name \"{plural}\", as in machineconfignodes")))
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lasts = self.lasts;
        match &self.trouble {
            Trouble::Cut(every) => write!(formatter, "cut={}", Spelled(*every))?,
            Trouble::Gone(None) => formatter.write_str("gone")?,
            Trouble::Gone(Some(every)) => write!(formatter, "gone={}", Spelled(*every))?,
            Trouble::GoneStatus => formatter.write_str("gone-status")?,
            Trouble::TooMany(retry) => write!(formatter, "too-many={}", Spelled(*retry))?,
            Trouble::Error(share) => write!(formatter, "error={share}")?,
            Trouble::Latency(delay) => write!(formatter, "latency={}", Spelled(*delay))?,
            Trouble::Outage => write!(formatter, "outage={}", Spelled(lasts.take().unwrap_or(SPELL)))?,
            Trouble::HalfOpen => write!(formatter, "half-open={}", Spelled(lasts.take().unwrap_or(SPELL)))?,
            Trouble::RevokeToken(renewed) => write!(formatter, "revoke-token={}", Spelled(*renewed))?,
            Trouble::ViewerForbidden(plural) => write!(formatter, "viewer-forbidden={plural}")?,
            Trouble::Absent(plural) => write!(formatter, "absent={plural}")?,
            Trouble::Churn(rate) => write!(formatter, "churn={rate}")?,
            Trouble::Mishap(kind, object) if object.is_empty() => write!(formatter, "{kind}")?,
            Trouble::Mishap(kind, object) => write!(formatter, "{kind}={object}")?,
        }
        if let Some(lasts) = lasts {
            write!(formatter, "/{}", Spelled(lasts))?;
        }
        if !self.after.is_zero() {
            write!(formatter, "@{}", Spelled(self.after))?;
        }
        Ok(())
    }
}

struct Spelled(Duration);

impl fmt::Display for Spelled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.subsec_millis() == 0 {
            write!(formatter, "{}s", self.0.as_secs())
        } else {
            write!(formatter, "{}ms", self.0.as_millis())
        }
    }
}

/// A fault that has been thrown.
struct Thrown {
    id: u64,
    fault: Fault,
    begun: bool,
    task: Option<AbortHandle>,
    /// The number of what goes wrong with the cluster.
    mishap: Option<u64>,
}

/// What the faults do to one request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Verdict {
    /// Wait this long first.
    pub delay: Duration,
    /// Then answer this instead.
    pub answer: Option<Answer>,
}

/// An answer that a fault gives instead of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// 429 with Retry-After in seconds.
    TooMany(u32),
    /// 500.
    Internal,
    /// 503.
    Unavailable,
    /// 410 as a status.
    Gone,
}

/// What running watches and the listener follow.
#[derive(Debug, Clone)]
pub struct Signals {
    /// Counts up when all watches are to be cut.
    pub cuts: watch::Receiver<u64>,
    /// Counts up when all watches are to be told that their version is gone.
    pub gone: watch::Receiver<u64>,
    /// True while nothing is answered.
    pub silent: watch::Receiver<bool>,
    /// True while the machine of a single-node cluster is down.
    pub down: watch::Receiver<bool>,
}

/// The faults that are thrown; clones share them.
#[derive(Clone)]
pub struct FaultsHandle(Arc<Shared>);

struct Shared {
    thrown: Mutex<Vec<Thrown>>,
    next: AtomicU64,
    dice: AtomicU64,
    cuts: watch::Sender<u64>,
    gone: watch::Sender<u64>,
    silent: watch::Sender<bool>,
    outage: watch::Sender<bool>,
    renewed: watch::Sender<u64>,
    store: Arc<Store>,
    identity: Arc<Identity>,
    mishaps: Mishaps,
    host: Host,
}

impl FaultsHandle {
    /// No faults yet. `seed` decides which requests an error share hits.
    pub fn new(store: Arc<Store>, identity: Arc<Identity>, mishaps: Mishaps, host: Host, seed: u64) -> Self {
        Self(Arc::new(Shared {
            thrown: Mutex::new(Vec::new()),
            next: AtomicU64::new(1),
            dice: AtomicU64::new(seed),
            cuts: watch::Sender::new(0),
            gone: watch::Sender::new(0),
            silent: watch::Sender::new(false),
            outage: watch::Sender::new(false),
            renewed: watch::Sender::new(0),
            store,
            identity,
            mishaps,
            host,
        }))
    }

    /// Throws a fault and returns the number to clear it by. Has to be called within a tokio runtime, whose clock
    /// decides about beginning and end.
    pub fn throw(&self, fault: Fault) -> u64 {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.lock().push(Thrown { id, fault: fault.clone(), begun: false, task: None, mishap: None });
        // What begins at once has begun when this returns, so that a test need not wait for it.
        if fault.after.is_zero() {
            self.begin(id, &fault.trouble);
        }
        let handle = self.clone();
        let task = tokio::spawn(async move { handle.live(id, fault).await });
        if let Some(thrown) = self.0.lock().iter_mut().find(|thrown| thrown.id == id) {
            thrown.task = Some(task.abort_handle());
        }
        id
    }

    async fn live(&self, id: u64, fault: Fault) {
        if !fault.after.is_zero() {
            tokio::time::sleep(fault.after).await;
            self.begin(id, &fault.trouble);
        }
        let act = async {
            match fault.trouble {
                Trouble::Cut(every) => loop {
                    tokio::time::sleep(every).await;
                    self.cut_watches();
                },
                Trouble::Churn(rate) => self.churn(rate).await,
                Trouble::Gone(Some(every)) => loop {
                    tokio::time::sleep(every).await;
                    self.expire_watches();
                },
                Trouble::Gone(None) => {}
                Trouble::RevokeToken(renewed) => {
                    tokio::time::sleep(renewed).await;
                    self.0.renewed.send_modify(|count| *count += 1);
                }
                _ => std::future::pending().await,
            }
        };
        match fault.lasts {
            Some(lasts) => drop(tokio::time::timeout(lasts, act).await),
            None => act.await,
        }
        self.end(id);
    }

    fn begin(&self, id: u64, trouble: &Trouble) {
        let mishap = match trouble {
            Trouble::Mishap(kind, object) => Some(self.0.mishaps.add(Mishap::now(*kind, object))),
            _ => None,
        };
        if let Some(thrown) = self.0.lock().iter_mut().find(|thrown| thrown.id == id) {
            (thrown.begun, thrown.mishap) = (true, mishap);
        }
        match trouble {
            Trouble::Gone(_) => self.expire_watches(),
            Trouble::RevokeToken(_) => self.0.identity.revoke_admin_token(),
            Trouble::Absent(plural) => self.set_served(plural, false),
            _ => {}
        }
        self.refresh();
    }

    fn end(&self, id: u64) {
        let ended = {
            let mut thrown = self.0.lock();
            let place = thrown.iter().position(|thrown| thrown.id == id);
            place.map(|place| thrown.remove(place))
        };
        if let Some(mishap) = ended.as_ref().and_then(|thrown| thrown.mishap) {
            self.0.mishaps.end(mishap);
        }
        if let Some(Thrown { fault: Fault { trouble: Trouble::Absent(plural), .. }, begun: true, .. }) = ended {
            self.set_served(&plural, true);
        }
        self.refresh();
    }

    /// Brings what the listener, the watches and the access rules follow up to date with the faults in force.
    fn refresh(&self) {
        let (mut silent, mut outage, mut hidden) = (false, false, Vec::new());
        for thrown in self.0.lock().iter().filter(|thrown| thrown.begun) {
            match &thrown.fault.trouble {
                Trouble::HalfOpen => silent = true,
                Trouble::Outage => outage = true,
                Trouble::ViewerForbidden(plural) => hidden.push(plural.clone()),
                _ => {}
            }
        }
        self.0.identity.hide_from_viewer(hidden);
        self.0.silent.send_if_modified(|value| std::mem::replace(value, silent) != silent);
        self.0.outage.send_if_modified(|value| std::mem::replace(value, outage) != outage);
    }

    fn set_served(&self, plural: &str, served: bool) {
        for info in KINDS.iter().filter(|info| info.plural == plural) {
            self.0.store.set_served(info.res(), served);
        }
    }

    /// Ends a fault. False when there is none of that number.
    pub fn clear(&self, id: u64) -> bool {
        let task = self.0.lock().iter().find(|thrown| thrown.id == id).map(|thrown| thrown.task.clone());
        let Some(task) = task else { return false };
        if let Some(task) = task {
            task.abort();
        }
        self.end(id);
        true
    }

    /// Ends all faults.
    pub fn clear_all(&self) {
        for (id, _) in self.active() {
            self.clear(id);
        }
    }

    /// The faults that are thrown and not over, with their numbers.
    pub fn active(&self) -> Vec<(u64, Fault)> {
        self.0.lock().iter().map(|thrown| (thrown.id, thrown.fault.clone())).collect()
    }

    /// Cuts all watches once, in the middle of the stream.
    pub fn cut_watches(&self) {
        self.0.cuts.send_modify(|count| *count += 1);
    }

    /// Lets so many Nodes a second report a heartbeat, one after the other, in hundredths of a second.
    async fn churn(&self, rate: u32) {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        let (mut owed, mut at) = (0, 0);
        loop {
            ticks.tick().await;
            owed += rate;
            let nodes = self.0.store.list(Res::NODES);
            let heartbeat = clock::now().to_rfc3339_opts(SecondsFormat::Micros, true);
            while owed >= 100 && !nodes.is_empty() {
                owed -= 100;
                at = (at + 1) % nodes.len();
                let name = nodes[at]["metadata"]["name"].as_str().unwrap_or_default();
                self.0.store.update(Res::NODES, None, name, |node| {
                    for condition in node["status"]["conditions"].as_array_mut().into_iter().flatten() {
                        condition["lastHeartbeatTime"] = json!(heartbeat);
                    }
                });
            }
        }
    }

    /// Tells all watches once that their version is gone, and forgets older versions.
    pub fn expire_watches(&self) {
        self.0.store.forget_history();
        self.0.gone.send_modify(|count| *count += 1);
    }

    /// What running watches follow.
    pub fn signals(&self) -> Signals {
        Signals {
            cuts: self.0.cuts.subscribe(),
            gone: self.0.gone.subscribe(),
            silent: self.0.silent.subscribe(),
            down: self.0.host.down(),
        }
    }

    /// True while nobody is to listen.
    pub fn outage(&self) -> watch::Receiver<bool> {
        self.0.outage.subscribe()
    }

    /// Counts up when a revoked token is to be replaced in the kubeconfig.
    pub fn renewed_tokens(&self) -> watch::Receiver<u64> {
        self.0.renewed.subscribe()
    }

    /// What happens to a request.
    pub fn judge(&self, starts_watch: bool) -> Verdict {
        let mut verdict = Verdict::default();
        for thrown in self.0.lock().iter().filter(|thrown| thrown.begun) {
            let answer = match &thrown.fault.trouble {
                Trouble::Latency(delay) => {
                    verdict.delay += *delay;
                    None
                }
                Trouble::TooMany(retry) => Some(Answer::TooMany(retry.as_secs_f64().ceil().max(1.0) as u32)),
                Trouble::Error(share) => self.0.roll(*share),
                Trouble::GoneStatus if starts_watch => Some(Answer::Gone),
                Trouble::Outage => Some(Answer::Unavailable),
                _ => None,
            };
            verdict.answer = verdict.answer.or(answer);
        }
        verdict
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Thrown>> {
        self.thrown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hits exactly the given share in the long run, spread by a low-discrepancy sequence: a small share does hit.
    fn roll(&self, share: f64) -> Option<Answer> {
        let turn = self.dice.fetch_add(1, Ordering::Relaxed);
        let point = ((turn % 1_000_003) as f64 * 0.618_033_988_749_895).fract();
        let answer = if turn.is_multiple_of(2) { Answer::Internal } else { Answer::Unavailable };
        (point < share).then_some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle() -> FaultsHandle {
        FaultsHandle::new(Arc::new(Store::new(0)), Arc::new(Identity::new()), Mishaps::default(), Host::default(), 0)
    }

    #[test]
    fn faults_are_read_as_they_are_written() {
        for text in [
            "cut=10s",
            "gone",
            "gone=30s",
            "gone-status/5s",
            "too-many=2s",
            "error=0.2/20s@60s",
            "latency=300ms",
            "churn=1000",
            "outage=30s@60s",
            "half-open=10s",
            "revoke-token=5s",
            "viewer-forbidden=nodes",
            "absent=machineconfignodes",
        ] {
            assert_eq!(text.parse::<Fault>().map(|fault| fault.to_string()), Ok(text.to_owned()));
        }
        let outage: Fault = "outage=1m@2m".parse().unwrap();
        assert_eq!(outage.lasts, Some(Duration::from_secs(60)));
        assert_eq!(outage.after, Duration::from_secs(120));
    }

    #[test]
    fn a_fault_that_is_not_understood_says_what_is_wrong() {
        let told = |text: &str| text.parse::<Fault>().unwrap_err().to_string();
        assert!(told("storm").contains("no fault \"storm\"") && told("storm").contains("outage=30s"));
        assert!(told("cut").contains("needs a value"));
        assert!(told("cut=0s").contains("below 10ms"));
        assert!(told("latency=soon").contains("\"soon\" is not a duration"));
        assert!(told("error=2").contains("between 0 and 1"));
        assert!(told("absent=unicorns").contains("no kind"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_begins_and_ends_on_time() {
        let faults = handle();
        let mut outage = faults.outage();
        faults.throw("outage=30s@60s".parse().unwrap());
        assert!(!*outage.borrow());
        let begun = clock::runtime_instant();
        outage.changed().await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 60);
        assert!(*outage.borrow_and_update());
        outage.changed().await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 90);
        assert!(!*outage.borrow());
        assert!(faults.active().is_empty());
    }

    #[tokio::test]
    async fn a_share_of_the_requests_fails() {
        let faults = handle();
        let id = faults.throw("error=0.2".parse().unwrap());
        let failed = (0..1000).filter(|_| faults.judge(false).answer.is_some()).count();
        assert!((190..=210).contains(&failed), "{failed}");
        assert!(faults.clear(id));
        assert!(!faults.clear(id));
        assert_eq!(faults.judge(false), Verdict::default());
    }
}
