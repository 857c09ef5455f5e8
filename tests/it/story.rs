//! Told through every moment of an update, the story is consistent: verdicts follow each other as listed, what is done
//! stays done, every fault has its finding in time, and no finding outlives its cause.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::scenario::{Mishap, MishapKind, Scenario, Span};
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::{Assessment, Subject, VerdictKind};
use oc_cockpit::upgrade::estimate::Estimates;
use oc_cockpit::upgrade::facts::Facts;
use oc_cockpit::upgrade::outline::outline;
use oc_cockpit::upgrade::verdict::{NEVER, may_follow};

use crate::support::lived::Lived;

/// How often a story is looked at, in seconds.
const EVERY: i64 = 5;
/// How late a finding may be after its threshold.
const IN_TIME: TimeDelta = TimeDelta::seconds(10);
/// How long a finding may outlive its cause.
const OVER: TimeDelta = TimeDelta::seconds(60);

/// What the last look said, to compare the next one with.
struct Teller {
    name: &'static str,
    lived: Lived,
    last: Option<Arc<Assessment>>,
    verdicts: Vec<VerdictKind>,
    /// Everything that is wrong, told at once at the end.
    wrong: Vec<String>,
}

impl Teller {
    fn new(name: &'static str, scenario: &Scenario) -> Self {
        let lived = Lived::read_closely(scenario, 1);
        Self { name, lived, last: None, verdicts: Vec::new(), wrong: Vec::new() }
    }

    /// Lets so many seconds go by and looks.
    fn look(&mut self, seconds: i64) -> Arc<Assessment> {
        self.lived.pass(seconds);
        let now = self.lived.look();
        let mut wrong = alone(&now);
        if let Some(last) = &self.last {
            wrong.extend(after(last, &now));
        }
        let at = self.lived.elapsed().num_seconds();
        self.wrong.extend(wrong.into_iter().map(|wrong| format!("{} after {at} s: {wrong}", self.name)));
        if self.verdicts.last() != Some(&now.verdict.kind) {
            self.verdicts.push(now.verdict.kind);
        }
        self.last = Some(now.clone());
        now
    }

    /// Looks on until something is true, at most for so long.
    fn until(&mut self, what: &str, limit: TimeDelta, truth: impl Fn(&Assessment) -> bool) -> DateTime<Utc> {
        let end = self.lived.now + limit;
        loop {
            let now = self.look(EVERY);
            if truth(&now) {
                return self.lived.now;
            }
            assert!(self.lived.now < end, "{}: {what}: not within {limit}\n{}", self.name, outline(&now));
        }
    }

    /// Looks on for so long.
    fn pass(&mut self, time: TimeDelta) {
        let end = self.lived.now + time;
        while self.lived.now < end {
            self.look(EVERY);
        }
    }

    fn note(&mut self, wrong: &str) {
        self.wrong.push(format!("{}: {wrong}", self.name));
    }

    fn end(self) -> Vec<VerdictKind> {
        let few: Vec<&String> = self.wrong.iter().take(12).collect();
        assert!(self.wrong.is_empty(), "{} things are wrong, of these: {few:#?}", self.wrong.len());
        self.verdicts
    }
}

/// What is wrong with a look by itself.
fn alone(now: &Assessment) -> Vec<String> {
    let mut wrong = Vec::new();
    if now.verdict.evidence.is_empty() && !matches!(now.verdict.kind, VerdictKind::Unknown | VerdictKind::NotUpdating) {
        wrong.push(format!("the verdict {:?} has no evidence: {}", now.verdict.kind, now.verdict.why));
    }
    let entries = &now.timeline.entries;
    if !entries.is_sorted_by_key(|entry| entry.at) {
        wrong.push("the timeline is out of order".to_owned());
    }
    for finding in now.findings.iter().filter(|finding| finding.evidence.is_empty()) {
        wrong.push(format!("the finding {} has no evidence", finding.id));
    }
    wrong.extend(unlikely(&now.estimates));
    let rolls = now.progress.is_some_and(|percent| percent < 100);
    if rolls && now.estimates.whole.is_none() {
        wrong.push("something rolls and nothing is estimated".to_owned());
    }
    wrong
}

/// What is wrong with estimates by themselves.
fn unlikely(estimates: &Estimates) -> Vec<String> {
    let all = estimates.whole.iter().chain(&estimates.parts);
    let mut wrong = Vec::new();
    for estimate in all {
        let spread = estimate.remaining;
        if spread.p10 < TimeDelta::zero() || spread.p10 > spread.p50 || spread.p50 > spread.p90 {
            wrong.push(format!("the spread of {:?} is out of order: {spread:?}", estimate.part));
        }
        if estimate.working.is_empty() || (estimate.inputs.is_empty() && !estimate.waits()) {
            wrong.push(format!("the estimate of {:?} does not show its working", estimate.part));
        }
        if let Some(whole) = &estimates.whole
            && !estimates.before
            && spread.p90 > whole.remaining.p90
        {
            wrong.push(format!("{:?} takes longer than the whole: {spread:?}", estimate.part));
        }
    }
    wrong
}

/// What is wrong with a look after the one before.
fn after(last: &Assessment, now: &Assessment) -> Vec<String> {
    let mut wrong = Vec::new();
    let (was, is) = (last.verdict.kind, now.verdict.kind);
    if !may_follow(was, is) {
        let why = NEVER.iter().find(|(from, to, _)| (*from, *to) == (was, is)).map_or("", |(_, _, why)| why);
        wrong.push(format!("{was:?} ({}) is followed by {is:?} ({}), but {why}", last.verdict.why, now.verdict.why));
    }
    if last.update.to != now.update.to || last.update.started != now.update.started {
        return wrong;
    }
    if now.operators.updated < last.operators.updated {
        wrong.push(format!("updated operators fell from {} to {}", last.operators.updated, now.operators.updated));
    }
    for pool in &now.pools {
        let Some(before) = last.pool(&pool.name).filter(|before| before.target == pool.target) else { continue };
        if pool.updated < before.updated {
            let (was, is) = (before.updated, pool.updated);
            wrong.push(format!("updated nodes of {} fell from {was} to {is}", pool.name));
        }
    }
    if let (Some(was), Some(is)) = (last.progress, now.progress)
        && is < was
    {
        wrong.push(format!("the progress fell from {was}% to {is}%"));
    }
    wrong
}

fn has(assessment: &Assessment, id: &str, subject: &Subject) -> bool {
    assessment.findings.iter().any(|finding| finding.id == id && finding.subject == *subject)
}

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

fn node(name: &str) -> Subject {
    Subject::Node(name.to_owned())
}

#[test]
fn the_tour_is_told_consistently_from_beginning_to_end() {
    let mut story = Teller::new("tour", &Scenario::load("tour").unwrap());
    let worker = node("worker-1");
    let infra = Subject::Pool("infra".to_owned());

    // The blocked drain has its finding as soon as the drain controller says so.
    let failed = |lived: &Lived| {
        let state = lived.get(Res::MACHINE_CONFIG_NODES, "worker-1");
        let told = state["status"]["conditions"].as_array().cloned().unwrap_or_default();
        told.iter().any(|told| {
            told["type"] == "Drained" && told["message"].as_str().is_some_and(|message| message.starts_with("Error:"))
        })
    };
    let mut since = None;
    while !story.look(EVERY).findings.iter().any(|finding| finding.id == "drain-blocked" && finding.subject == worker) {
        since = since.or(failed(&story.lived).then_some(story.lived.now));
        assert!(story.lived.elapsed() < minutes(40), "the drain of worker-1 was never found blocked");
        if since.is_some_and(|since| story.lived.now - since > IN_TIME) {
            story.note("the blocked drain has no finding in time");
            break;
        }
    }
    let stuck = story.lived.now;
    story.until("all that can go on is done", minutes(90), |now| {
        !now.update.in_progress && now.pool("worker").is_some_and(|pool| pool.updated == 5)
    });
    let seen = story.look(EVERY);
    assert_eq!(seen.verdict.kind, VerdictKind::NeedsPerson, "{}", outline(&seen));
    assert!(story.lived.now - stuck > minutes(10), "the drain has been blocked for a while");
    let whole = seen.estimates.whole.clone().unwrap();
    assert!(whole.waits() && whole.left_out.iter().any(|left| left.contains("worker-1")), "{whole:?}");
    assert!(has(&seen, "pool-paused", &infra), "{}", outline(&seen));

    // Somebody deletes the pod: the drain ends, and so does what was said about it.
    story.lived.delete_pod("shop", "cart-0");
    let drained = story.until("the drain goes on", minutes(10), |now| {
        now.node("worker-1").is_some_and(|node| !node.phase.moving() || node.drain_trouble.is_none())
    });
    while has(story.last.as_ref().unwrap(), "drain-blocked", &worker) {
        story.look(EVERY);
        if story.lived.now - drained > OVER {
            story.note("the finding of the blocked drain outlives it");
            break;
        }
    }
    story.until("worker is done", minutes(30), |now| now.pool("worker").is_some_and(|pool| !pool.outdated()));
    story.lived.pause("infra", false);
    let unpaused = story.lived.now;
    story.until("infra is no longer called paused", OVER, |now| !has(now, "pool-paused", &infra));
    assert!(story.lived.now - unpaused <= OVER);
    story.until("infra is done", minutes(60), |now| now.pool("infra").is_some_and(|pool| !pool.outdated()));
    story.pass(minutes(10));
    let verdicts = story.end();
    println!("{verdicts:?}");
    assert_eq!(verdicts.first(), Some(&VerdictKind::UpdatingControlPlane));
    assert_eq!(verdicts.last(), Some(&VerdictKind::Completed));
    assert!(verdicts.contains(&VerdictKind::UpdatingPools) && verdicts.contains(&VerdictKind::NeedsPerson));
}

#[test]
fn the_minor_update_is_told_consistently_from_the_gate_to_the_end() {
    let scenario = Scenario::load("minor").unwrap();
    let gate = scenario.gates.keys().next().unwrap().clone();
    let mut story = Teller::new("minor", &scenario);
    story.pass(minutes(2));
    let seen = story.look(EVERY);
    assert_eq!(seen.verdict.kind, VerdictKind::NotUpdating, "{}", outline(&seen));
    assert!(seen.estimates.before && seen.estimates.whole.is_some(), "{:?}", seen.estimates);

    story.lived.ask_for("4.19.3");
    story.until("the refusal needs a person", minutes(5), |now| now.verdict.kind == VerdictKind::NeedsPerson);
    story.pass(minutes(3));
    story.lived.acknowledge(&gate);
    story.until("the update begins", minutes(10), |now| now.update.in_progress);
    let before = story.look(EVERY).estimates.whole.clone().unwrap();
    story.until("the control plane is done", minutes(180), |now| !now.update.in_progress);
    story.until("all pools are done", minutes(180), |now| now.pools.iter().all(|pool| !pool.outdated()));
    let took = story.lived.now - story.last.as_ref().unwrap().update.started.unwrap();
    println!("it took {} min; at first it was said to take {:?}", took.num_minutes(), before.remaining);
    story.pass(minutes(10));
    let verdicts = story.end();
    println!("{verdicts:?}");
    assert_eq!(verdicts.first(), Some(&VerdictKind::NotUpdating));
    assert_eq!(verdicts.last(), Some(&VerdictKind::Completed));
}

#[test]
fn a_degraded_operator_is_told_consistently_until_it_recovers() {
    let mut story = Teller::new("degraded-operator", &Scenario::load("degraded-operator").unwrap());
    let monitoring = Subject::Operator("monitoring".to_owned());
    let degraded = |lived: &Lived| {
        let operator = lived.get(Res::CLUSTER_OPERATORS, "monitoring");
        let told = operator["status"]["conditions"].as_array().cloned().unwrap_or_default();
        told.iter().any(|told| told["type"] == "Degraded" && told["status"] == "True")
    };
    let (mut begun, mut ended) = (None, None);
    while ended.is_none_or(|ended| story.lived.now - ended <= OVER) {
        let seen = story.look(EVERY);
        assert!(story.lived.elapsed() < minutes(120), "monitoring never recovered\n{}", outline(&seen));
        let now = story.lived.now;
        let (is, told) = (degraded(&story.lived), has(&seen, "operator-degraded", &monitoring));
        begun = begun.or(is.then_some(now));
        ended = ended.or((begun.is_some() && !is).then_some(now));
        if is && !told && begun.is_some_and(|begun| now - begun > IN_TIME) {
            story.note(&format!(
                "after {} s: monitoring is degraded without a finding",
                story.lived.elapsed().num_seconds()
            ));
        }
        if told && ended.is_some_and(|ended| now - ended > OVER) {
            story.note("operator-degraded outlives its cause");
        }
    }
    let verdicts = story.end();
    println!("{verdicts:?}");
    assert!(verdicts.contains(&VerdictKind::Failing), "after 40 minutes it fails: {verdicts:?}");
}

#[test]
fn the_stuck_drain_is_told_consistently_from_the_middle_on() {
    let mut story = Teller::new("stuck-drain", &Scenario::load("stuck-drain").unwrap());
    story.pass(minutes(40));
    let seen = story.look(EVERY);
    assert_eq!(seen.verdict.kind, VerdictKind::NeedsPerson, "{}", outline(&seen));
    assert!(seen.estimates.whole.as_ref().is_some_and(|whole| !whole.left_out.is_empty()), "{:?}", seen.estimates);
    story.lived.delete_pod("shop", "cart-0");
    story.until("worker-0 is done", minutes(30), |now| {
        now.node("worker-0").is_some_and(|node| node.phase == oc_cockpit::upgrade::assessment::NodePhase::Done)
    });
    // The pod went to a node that has its turn later, and blocks that one as well.
    let again = story.until("the pod blocks another node", minutes(90), |now| {
        now.findings.iter().any(|finding| finding.id == "drain-blocked" && finding.subject != node("worker-0"))
    });
    assert!(again > story.lived.begun);
    story.pass(minutes(5));
    let verdicts = story.end();
    println!("{verdicts:?}");
}

/// A fault, what it happens to, the finding that tells it, and how old it has to be before it is one.
struct Expected {
    kind: MishapKind,
    object: &'static str,
    finding: &'static str,
    subject: Subject,
    threshold: TimeDelta,
}

fn expected(kind: MishapKind, object: &'static str, finding: &'static str, subject: Subject) -> Expected {
    Expected { kind, object, finding, subject, threshold: TimeDelta::zero() }
}

/// Faults that happen to a cluster at rest.
fn faults_at_rest() -> Vec<Expected> {
    let operator = |name: &str| Subject::Operator(name.to_owned());
    vec![
        expected(MishapKind::OperatorDegraded, "monitoring", "operator-degraded", operator("monitoring")),
        expected(MishapKind::OperatorUnavailable, "console", "operator-unavailable", operator("console")),
        expected(MishapKind::OperatorNotUpgradeable, "storage", "not-upgradeable", operator("storage")),
        expected(MishapKind::InvalidRequest, "", "invalid-request", Subject::Version),
        expected(MishapKind::UpdatesUnreachable, "", "updates-not-retrieved", Subject::Version),
        Expected {
            // The node lifecycle controller waits so long for the kubelet to be heard.
            threshold: TimeDelta::seconds(50),
            ..expected(MishapKind::NodeDown, "worker-2", "node-not-ready", node("worker-2"))
        },
        expected(MishapKind::ConfigDrift, "worker-2", "node-degraded", node("worker-2")),
        expected(MishapKind::RenderDegraded, "worker", "pool-degraded", Subject::Pool("worker".to_owned())),
    ]
}

/// Injects each fault for a while: its finding comes in time and goes in time, and everything else that was said because
/// of it goes too.
#[test]
fn each_fault_has_its_finding_in_time_and_no_finding_outlives_its_cause() {
    let mut story = Teller::new("faults", &Scenario::load("minor").unwrap());
    story.pass(minutes(2));
    for fault in faults_at_rest() {
        let what = format!("{} of {:?}", fault.kind.word(), fault.object);
        let told = |now: &Assessment| -> BTreeSet<(&'static str, Subject)> {
            now.findings.iter().map(|finding| (finding.id, finding.subject.clone())).collect()
        };
        let calm = told(&story.look(EVERY));
        let id = story.lived.actors.mishaps().add(Mishap::now(fault.kind, fault.object).lasting(Span::seconds(300)));
        let (mut found, mut ended) = (false, None);
        let injected = story.lived.now;
        while ended.is_none_or(|ended| story.lived.now - ended <= OVER) {
            let seen = story.look(EVERY);
            let case = story.lived.actors.mishaps().cases().into_iter().find(|case| case.id == id).unwrap();
            if story.lived.now - injected > minutes(20) {
                story.note(&format!("{what}: began {:?}, ended {:?}: it does not end", case.began, case.ended));
                break;
            }
            ended = ended.or(case.ended);
            found |= has(&seen, fault.finding, &fault.subject);
            let due = case.began.is_some_and(|began| story.lived.now - began > fault.threshold + IN_TIME);
            if due && !found {
                let said: Vec<String> = seen.findings.iter().map(|f| format!("{} {:?}", f.id, f.subject)).collect();
                story.note(&format!("{what}: no {} in time, but {said:?}", fault.finding));
                found = true;
            }
        }
        let left: Vec<_> = told(&story.look(EVERY)).difference(&calm).cloned().collect();
        if !left.is_empty() {
            story.note(&format!("{what}: {left:?} outlive it"));
        }
        // What follows from it calms down before the next.
        story.pass(minutes(3));
    }
    let verdicts = story.end();
    println!("{verdicts:?}");
}

#[test]
fn a_clock_that_is_set_is_no_standstill() {
    let mut lived = Lived::new(&Scenario::load("minor").unwrap(), 1);
    lived.ask_for("4.18.25");
    for _ in 0..60 {
        lived.pass(5);
        lived.look();
    }
    let seen = lived.look();
    let moved = lived.memory.moved(&seen).unwrap();
    let later = |ahead: TimeDelta| {
        let facts = Facts::clone(&seen.facts).ahead_by(ahead);
        assess(Arc::new(facts), &lived.memory, seen.now + TimeDelta::minutes(7))
    };
    let stood_still = later(TimeDelta::zero());
    assert_eq!(lived.memory.moved(&stood_still), Some(moved), "seven minutes in which nothing moved");
    let set = later(TimeDelta::minutes(7));
    assert_eq!(
        lived.memory.moved(&set),
        Some(set.now),
        "the server's clock turned out to be ahead: nothing stood still"
    );
    let mut memory = lived.memory.clone();
    memory.observe(&Arc::new(set.clone()));
    assert_eq!(memory.moved(&set), Some(set.now));
}
