//! What has to be remembered between assessments because the API does not: phase clocks, what was there before, the
//! timeline.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::assess::settles;
use super::assessment::{Assessment, Finding, Level, Payload, Subject};
use super::cycles::Cycle;
use super::facts::Facts;
use super::image_based::{Believed, Record};
use super::timeline::{Entry, Origin, Timeline};
use super::{operator_clock, progress};

/// The memory of one session with one cluster. `assess` reads it; [`Memory::observe`] lets it learn.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The newest assessment that was observed.
    pub last: Option<Arc<Assessment>>,
    /// What happened.
    pub timeline: Arc<Timeline>,
    /// Entries that no assessment carries yet.
    pub noted: Vec<Entry>,
    /// The clocks.
    pub clocks: Clocks,
    /// How long nodes took in this rollout.
    cycles: Arc<Vec<Cycle>>,
    /// What was known before another state of the cluster answered, until it is known whether it is the same cluster.
    before: Option<Arc<Before>>,
    /// The image-based upgrade as it was before its reboot, until its record is back.
    believed: Option<Believed>,
}

/// What is kept while it is not known who answers.
#[derive(Debug, Clone)]
struct Before {
    /// `spec.clusterID`.
    cluster_id: Option<String>,
    /// See [`Facts::chosen`].
    chosen: u64,
    /// What happened.
    timeline: Arc<Timeline>,
    /// The image-based upgrade.
    believed: Option<Believed>,
}

/// Clocks that the API does not keep.
#[derive(Debug, Clone, Default)]
pub struct Clocks {
    /// Since when operators work on the target version. The cluster-version operator keeps such clocks too
    /// (pkg/payload/task.go, `COUpdateStartTimes`), but loses them with its pod and never tells them.
    operators: BTreeMap<String, DateTime<Utc>>,
    /// The target version of these clocks.
    target: Option<String>,
    /// When anything moved last, and what it looked like.
    moved: Option<(DateTime<Utc>, u64)>,
    /// Since when anything is watched at all.
    watching: Option<DateTime<Utc>>,
    /// The generation of the ClusterVersion that its operator has not looked at, and since when that is known.
    unseen: Option<(i64, DateTime<Utc>)>,
    /// When an operator was last seen not to be at rest.
    restless: Option<DateTime<Utc>>,
    /// The newest count of manifests, and the start of the update that it belongs to.
    payload: Option<(Option<DateTime<Utc>>, Payload)>,
    /// When a pool was last seen to roll to the release of the update that began then.
    rolled: Option<(Option<DateTime<Utc>>, DateTime<Utc>)>,
    /// Since when findings are known.
    findings: HashMap<(&'static str, Subject), DateTime<Utc>>,
}

impl Memory {
    /// Lets the memory learn from an assessment that was made with it.
    pub fn observe(&mut self, assessment: &Arc<Assessment>) {
        if let Some(fresh) = self.going_on(&assessment.facts, assessment.now) {
            *self = fresh;
        }
        self.clocks.time_operators(assessment);
        self.clocks.watch_version(assessment);
        self.clocks.date_findings(assessment);
        if settles(&assessment.facts) {
            if self.last.as_ref().is_some_and(|last| set_clock(last, assessment)) {
                self.clocks.moved = Some((assessment.now, progress::signature(assessment)));
            }
            self.clocks.time_moves(assessment);
            self.clocks.watching.get_or_insert(assessment.now);
        }
        let carried = &assessment.timeline.entries;
        self.noted.retain(|noted| !carried.iter().rev().take(64).any(|entry| entry == noted));
        self.timeline = Arc::clone(&assessment.timeline);
        self.cycles = Arc::clone(&assessment.cycles);
        let back = assessment.image_based.as_ref().is_some_and(|image| image.record == Record::Seen);
        if back || self.believed.as_ref().is_some_and(|believed| assessment.now >= believed.until()) {
            self.believed = None;
        }
        self.last = Some(Arc::clone(assessment));
    }

    /// The memory to go on with when another state of the cluster (or another cluster) answers; none: this one.
    ///
    /// Clocks and rows of before never hold then. What happened before does, when the `clusterID` shows that it is the
    /// same cluster: after the reboot of an image-based upgrade another etcd answers for it.
    pub(super) fn going_on(&self, facts: &Facts, now: DateTime<Utc>) -> Option<Self> {
        let dropped = self.dropped_for(facts);
        let memory = dropped.as_ref().unwrap_or(self);
        memory.recognised(facts, now).or(dropped)
    }

    /// Another epoch: what was known is put aside.
    fn dropped_for(&self, facts: &Facts) -> Option<Self> {
        let last = self.last.as_ref().filter(|last| last.facts.epoch != facts.epoch)?;
        let said = Entry {
            at: last.now,
            level: Level::Warning,
            subject: Subject::Link,
            text: "another state of the cluster answers: it is read anew".to_owned(),
            origin: Origin::Seen,
        };
        let noted = self.noted.iter().cloned().chain([said]).collect();
        // A second change before the first was understood: what was put aside then is still what is known.
        let waiting = self.before.clone().filter(|_| last.cluster_id.is_none());
        let before = waiting.unwrap_or_else(|| {
            let image = last.image_based.clone().filter(|image| image.outage.is_some());
            let at = last.facts.link.state.since().or(last.facts.link.heard).unwrap_or(last.now);
            let fresh = image.filter(|_| self.believed.is_none()).map(|image| Believed { image, at });
            Arc::new(Before {
                cluster_id: last.cluster_id.clone(),
                chosen: last.facts.chosen,
                timeline: Arc::clone(&self.timeline),
                believed: self.believed.clone().or(fresh),
            })
        });
        let before = (before.chosen == facts.chosen).then_some(before);
        let believed = before.as_ref().and_then(|before| before.believed.clone());
        Some(Self { noted, before, believed, ..Self::default() })
    }

    /// It has become known who answers: the timeline of before is this cluster's, or of no use. While a reboot of an
    /// image-based upgrade is believed to be under way, another id says nothing yet: the seed cluster's own stays until
    /// the lifecycle agent has set it.
    fn recognised(&self, facts: &Facts, now: DateTime<Utc>) -> Option<Self> {
        let before = self.before.as_ref()?;
        let id = facts.cluster_version.as_ref()?.spec.cluster_id.as_ref()?;
        let mut memory = Self { before: None, ..self.clone() };
        if before.cluster_id.as_ref() == Some(id) {
            let mut timeline = Timeline::clone(&before.timeline);
            timeline.add(self.timeline.entries.iter().cloned());
            memory.timeline = Arc::new(timeline);
            let text = "it is the same cluster, by its clusterID: what happened before is kept".to_owned();
            memory.noted.push(Entry {
                at: now,
                level: Level::Info,
                subject: Subject::Link,
                text,
                origin: Origin::Seen,
            });
            return Some(memory);
        }
        let waits = before.believed.as_ref().is_some_and(|believed| now < believed.until());
        (!waits).then(|| {
            memory.believed = None;
            memory
        })
    }

    /// The image-based upgrade as it was before its reboot, until its record is back.
    pub(super) fn believed(&self) -> Option<&Believed> {
        self.believed.as_ref()
    }

    /// Adds an entry to the timeline (an action of this program); the next assessment carries it.
    pub fn note(&mut self, entry: Entry) {
        self.noted.push(entry);
    }

    /// The assessment to compare `facts` with; none after a start, while kinds were still being listed, and when
    /// another cluster answers.
    pub(super) fn settled(&self, facts: &Facts) -> Option<&Assessment> {
        self.last.as_deref().filter(|last| last.facts.epoch == facts.epoch && settles(&last.facts))
    }

    /// The timeline with what was noted and with `entries`.
    pub(super) fn timeline_with(&self, entries: Vec<Entry>) -> Arc<Timeline> {
        if entries.is_empty() && self.noted.is_empty() {
            return Arc::clone(&self.timeline);
        }
        let mut timeline = Timeline::clone(&self.timeline);
        timeline.add(self.noted.iter().cloned().chain(entries));
        Arc::new(timeline)
    }

    /// Since when an operator works on the target version, by the own clock.
    pub fn operator_since(&self, name: &str) -> Option<DateTime<Utc>> {
        self.clocks.operators.get(name).copied()
    }

    /// How long nodes took in this rollout, oldest first: seen live, or rebuilt from what the API remembers. While an
    /// assessment is made (`estimate::estimates`), these are already its own cycles, also in a one-shot answer.
    pub fn cycles(&self) -> &[Cycle] {
        &self.cycles
    }

    /// The memory with the cycles of the assessment that is being made.
    pub(super) fn with_cycles(&self, cycles: &Arc<Vec<Cycle>>) -> Self {
        Self { cycles: Arc::clone(cycles), ..self.clone() }
    }

    /// Since when this program has been watching; none: this is the first look.
    pub fn watching_since(&self) -> Option<DateTime<Utc>> {
        self.clocks.watching
    }

    /// Since when the ClusterVersion is newer than what its operator has looked at, by the own clock.
    pub fn unseen_since(&self, facts: &Facts) -> Option<DateTime<Utc>> {
        let generation = unseen_generation(facts)?;
        self.clocks.unseen.filter(|(known, _)| *known == generation).map(|(_, since)| since)
    }

    /// Since when all operators of the platform have been available, not degraded and not progressing: by their transition
    /// times and by what was seen; none: they are not.
    pub fn quiet_since(&self, assessment: &Assessment) -> Option<DateTime<Utc>> {
        if restless(assessment) {
            return None;
        }
        let told = assessment.facts.operators.iter().filter(|operator| operator.is_platform()).flat_map(|operator| {
            let telling = |kind: &str| matches!(kind, "Available" | "Degraded" | "Progressing");
            operator.status.conditions.iter().filter(move |told| telling(&told.kind)).filter_map(|told| told.since)
        });
        told.chain(self.clocks.restless).map(|at| at.min(assessment.now)).max()
    }

    /// When a pool was last seen to roll to the release of the present update.
    pub fn rolled(&self, assessment: &Assessment) -> Option<DateTime<Utc>> {
        self.clocks.rolled.filter(|(started, _)| *started == assessment.update.started).map(|(_, at)| at)
    }

    /// The count of manifests with what is known of earlier ones for the same update: fewer than before is a new attempt.
    pub fn counted(&self, payload: Payload, started: Option<DateTime<Utc>>) -> Payload {
        let Some((_, before)) = self.clocks.payload.filter(|(known, _)| *known == started) else { return payload };
        Payload {
            attempt: before.attempt + u32::from(payload.done < before.done),
            highest: before.highest.max(payload.done),
            ..payload
        }
    }

    /// When a finding was first seen, for `assessment`; none in a one-shot answer.
    pub fn first_seen(&self, finding: &Finding, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.last.as_ref()?;
        Some(self.clocks.findings.get(&(finding.id, finding.subject.clone())).copied().unwrap_or(now))
    }

    /// When anything moved last, as seen; before the first assessment as the API remembers.
    pub fn moved(&self, assessment: &Assessment) -> Option<DateTime<Utc>> {
        // The clock was set: how long nothing moved is not known by it.
        if self.last.as_ref().is_some_and(|last| set_clock(last, assessment)) {
            return Some(assessment.now);
        }
        match self.clocks.moved {
            Some((at, before)) if before == progress::signature(assessment) => Some(at),
            Some(_) => Some(assessment.now),
            None => progress::newest_known_move(assessment),
        }
    }
}

impl Clocks {
    fn time_moves(&mut self, assessment: &Assessment) {
        let signature = progress::signature(assessment);
        let at = match self.moved {
            Some((_, before)) if before == signature => return,
            Some(_) => assessment.now,
            None => progress::newest_known_move(assessment).unwrap_or(assessment.now),
        };
        self.moved = Some((at, signature));
    }

    fn watch_version(&mut self, assessment: &Assessment) {
        self.unseen = unseen_generation(&assessment.facts).map(|generation| match self.unseen {
            Some((known, since)) if known == generation => (known, since),
            _ => (generation, assessment.now),
        });
        if restless(assessment) {
            self.restless = Some(assessment.now);
        }
        if assessment.pools.iter().any(|pool| pool.changes_release) {
            self.rolled = Some((assessment.update.started, assessment.now));
        }
        if let Some(payload) = assessment.update.payload {
            self.payload = Some((assessment.update.started, payload));
        }
    }

    fn date_findings(&mut self, assessment: &Assessment) {
        let before = std::mem::take(&mut self.findings);
        for finding in &assessment.findings {
            let key = (finding.id, finding.subject.clone());
            let since = before.get(&key).copied().unwrap_or(assessment.now);
            self.findings.insert(key, since);
        }
    }

    fn time_operators(&mut self, assessment: &Assessment) {
        if self.target != assessment.update.to || !assessment.update.in_progress {
            self.operators.clear();
            self.target.clone_from(&assessment.update.to);
        }
        if !assessment.update.in_progress {
            return;
        }
        for row in &assessment.operators.rows {
            if row.updated {
                self.operators.remove(&row.name);
            } else if !self.operators.contains_key(&row.name)
                && (row.progressing || assessment.update.waiting_on.contains(&row.name))
            {
                let told = operator_clock::progressing_since(&assessment.facts, &row.name);
                let since = told.unwrap_or(assessment.now).min(assessment.now);
                self.operators.insert(row.name.clone(), since.max(assessment.update.started.unwrap_or(since)));
            }
        }
    }
}

/// Is the clock by which the second is told another one than that of the first?
fn set_clock(before: &Assessment, after: &Assessment) -> bool {
    before.facts.link.clock_ahead != after.facts.link.clock_ahead
}

/// The ClusterVersion's generation, when its operator has not looked at it yet.
fn unseen_generation(facts: &Facts) -> Option<i64> {
    let version = facts.cluster_version.as_ref()?;
    let generation = version.metadata.generation?;
    (generation > version.status.observed_generation && version.status.observed_generation > 0).then_some(generation)
}

/// Is any operator of the platform not at rest?
fn restless(assessment: &Assessment) -> bool {
    let rows = assessment.operators.rows.iter().filter(|row| row.platform);
    rows.into_iter().any(|row| !row.available || row.degraded || row.progressing)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::upgrade::assessment::NodePhase;
    use crate::upgrade::facts::{Kind, KindStatus};
    use crate::upgrade::specimen::{NEW, Specimen, at, condition, rendered};
    use serde_json::json;

    fn texts(assessment: &Assessment, origin: Origin) -> Vec<&str> {
        let entries = assessment.timeline.entries.iter().filter(|entry| entry.origin == origin);
        entries.map(|entry| entry.text.as_str()).collect()
    }

    /// worker-0 goes from waiting to done, a step every few minutes; each step is (minute, what the cluster is then).
    fn story() -> Vec<(i64, Specimen)> {
        let config = rendered("worker", NEW);
        let drain = format!("drain-{config}");
        let start = Specimen::workers_left();
        let mut targeted = start.clone();
        targeted.mark("worker-0", &[("desiredConfig", &config)]);
        let mut draining = start.clone();
        draining.drains("worker-0", "worker", 64);
        let mut applying = draining.clone();
        applying.mark("worker-0", &[("lastAppliedDrain", &drain)]);
        let mut rebooting = applying.clone();
        rebooting.mark("worker-0", &[("post-config-action", "Rebooting")]);
        let mut silent = rebooting.clone();
        silent.node("worker-0")["status"]["conditions"][0] = condition("Ready", "Unknown", "", "", 71);
        let mut back = silent.clone();
        back.node("worker-0")["status"]["conditions"][0] = condition("Ready", "True", "", "", 75);
        let mut done = start.clone();
        done.node("worker-0")["status"]["conditions"][0] = condition("Ready", "True", "", "", 75);
        done.reaches("worker-0", "worker");
        vec![
            (61, start),
            (63, targeted),
            (65, draining),
            (67, applying),
            (69, rebooting),
            (72, silent),
            (76, back),
            (78, done),
        ]
    }

    #[test]
    fn what_was_seen_is_told_once_and_dated() {
        let mut memory = Memory::default();
        let mut last = None;
        for (minute, cluster) in story() {
            cluster.watched(&mut memory, minute);
            last = Some(cluster.watched(&mut memory, minute));
        }
        let last = last.unwrap();
        let seen: Vec<(DateTime<Utc>, &str)> = last
            .timeline
            .entries
            .iter()
            .filter(|entry| entry.origin == Origin::Seen)
            .map(|entry| (entry.at, entry.text.as_str()))
            .collect();
        let expected = [
            (63, "worker-0 targeted, goes to rendered-worker-4.19.3"),
            (64, "worker-0 drain started"),
            (67, "worker-0 drained, applies the configuration"),
            (69, "worker-0 reboots"),
            (72, "worker-0 is not ready"),
            (75, "worker-0 is back from its reboot"),
            (76, "worker-0 is ready"),
            (78, "worker-0 is done, at 4.19.3"),
        ];
        assert_eq!(seen, expected.map(|(minute, text)| (at(minute), text)));
    }

    /// Restarting in the middle keeps the ages of all phases of which the API remembers anything.
    #[test]
    fn a_restart_keeps_phases_ages_and_verdict() {
        let mut memory = Memory::default();
        for (minute, cluster) in story() {
            let watched = cluster.watched(&mut memory, minute);
            let restarted = cluster.assess(minute);
            assert_eq!(restarted.verdict.kind, watched.verdict.kind, "minute {minute}");
            for (was, is) in watched.nodes.iter().zip(restarted.nodes.iter()) {
                assert_eq!(was.phase, is.phase, "{} at minute {minute}", is.name);
                if let (Some(was), Some(is)) = (was.since, is.since) {
                    assert!((was - is).abs() <= chrono::TimeDelta::minutes(2), "at minute {minute}: {was} and {is}");
                }
            }
        }
    }

    #[test]
    fn a_new_attempt_of_a_drain_does_not_wash_the_error_of_the_last_one_away() {
        let mut cluster = Specimen::workers_left();
        cluster.drains("worker-0", "worker", 61);
        let attempt = |message: &str, minute| {
            vec![condition("Cordoned", "True", "", "", 61), condition("Drained", "Unknown", "", message, minute)]
        };
        let mut memory = Memory::default();
        cluster.watched(&mut memory, 60);
        let error = "Error: error when evicting pods/\"cart-0\" -n \"shop\": global timeout reached: 1m30s";
        let mut told = Vec::new();
        for (minute, message) in [(63, error), (64, "Draining node."), (66, error), (67, "Draining node.")] {
            cluster.steps("worker-0", attempt(message, minute));
            let assessment = cluster.watched(&mut memory, minute);
            let pods = assessment.node("worker-0").unwrap().drain_trouble.as_ref().map(|trouble| trouble.pods.clone());
            assert_eq!(pods, Some(vec!["shop/cart-0".to_owned()]), "minute {minute}");
            told = texts(&assessment, Origin::Seen).into_iter().map(str::to_owned).collect();
        }
        let fails = told.iter().filter(|text| text.contains("drain fails")).count();
        assert_eq!(fails, 1, "it is said once: {told:?}");
    }

    #[test]
    fn after_a_start_the_timeline_is_what_the_api_remembers() {
        let mut cluster = Specimen::workers_left();
        cluster.operator("etcd")["status"]["conditions"][1] = condition("Progressing", "False", "", "", 12);
        cluster.cordon("worker-1", "kubectl-cordon", 40);
        cluster.drains("worker-0", "worker", 62);
        cluster.steps(
            "worker-0",
            vec![condition("Updated", "False", "", "", 61), condition("Cordoned", "True", "", "", 62)],
        );
        cluster.events.push(json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "reason": "DrainThresholdExceeded",
            "involvedObject": {"kind": "Node", "name": "worker-0"}, "type": "Warning", "message": "Drain failed",
            "firstTimestamp": crate::upgrade::specimen::stamp(72), "lastTimestamp": crate::upgrade::specimen::stamp(77),
        }));
        let mut memory = Memory::default();
        let assessment = cluster.watched(&mut memory, 80);
        let expected = [
            "installation of 4.18.1 started",
            "control plane is at 4.18.1",
            "update to 4.18.22 started",
            "control plane is at 4.18.22",
            "update to 4.19.3 started",
            "etcd is at 4.19.3",
            "pool worker goes to rendered-worker-4.19.3",
            "worker-1 cordoned by kubectl-cordon",
            "pool master is done, 3 nodes",
            "control plane is at 4.19.3",
            "machine-config is at 4.19.3",
            "worker-0 cordoned",
            "worker-0 drain has failed for 10 minutes",
        ];
        assert_eq!(texts(&assessment, Origin::Rebuilt), expected);
        assert_eq!(texts(&assessment, Origin::Seen), [] as [&str; 0]);
        assert!(assessment.node("worker-0").unwrap().since_rebuilt);
        let again = cluster.watched(&mut memory, 81);
        assert_eq!(again.timeline.entries.len(), expected.len(), "nothing is told twice");
    }

    #[test]
    fn what_is_listed_later_is_no_news() {
        let cluster = Specimen::workers_left();
        let mut memory = Memory::default();
        let mut partial = cluster.facts(61);
        partial.nodes = Arc::default();
        partial.kinds.entry(Kind::Nodes).or_default().status = KindStatus::Waiting;
        let first = Arc::new(crate::upgrade::assess::assess(Arc::new(partial), &memory, at(61)));
        memory.observe(&first);
        assert!(first.timeline.entries.is_empty(), "the picture is not complete yet");
        let second = cluster.watched(&mut memory, 62);
        assert!(
            !texts(&second, Origin::Seen).iter().any(|text| text.contains("joined")),
            "the nodes were there before"
        );
        assert!(!texts(&second, Origin::Rebuilt).is_empty());
        assert!(second.node("worker-0").unwrap().since_rebuilt);
    }

    #[test]
    fn another_cluster_voids_what_was_known() {
        let mut memory = Memory::default();
        let mut cluster = Specimen::workers_left();
        cluster.watched(&mut memory, 61);
        cluster.pool("worker")["spec"]["paused"] = json!(true);
        let before = cluster.watched(&mut memory, 62);
        cluster.epoch = 2;
        cluster.version["spec"]["clusterID"] = json!("c2");
        cluster.node("worker-0")["metadata"]["name"] = json!("worker-9");
        let after = cluster.watched(&mut memory, 63);
        let seen = texts(&after, Origin::Seen);
        assert_eq!(seen, ["another state of the cluster answers: it is read anew"]);
        assert!(after.generation > before.generation, "views rebuild their rows");
        let later = cluster.watched(&mut memory, 64);
        assert_eq!(texts(&later, Origin::Seen).len(), 1, "and it is said once");
    }

    #[test]
    fn another_state_of_the_same_cluster_keeps_what_happened_and_compares_nothing() {
        let mut memory = Memory::default();
        let mut cluster = Specimen::workers_left();
        cluster.watched(&mut memory, 61);
        cluster.pool("worker")["spec"]["paused"] = json!(true);
        cluster.watched(&mut memory, 62);
        cluster.epoch = 2;
        cluster.node("worker-0")["metadata"]["name"] = json!("worker-9");
        let after = cluster.watched(&mut memory, 63);
        let seen = texts(&after, Origin::Seen);
        let said = [
            "another state of the cluster answers: it is read anew",
            "it is the same cluster, by its clusterID: what happened before is kept",
        ];
        assert!(seen.contains(&"pool worker paused"), "{seen:?}");
        assert!(said.iter().all(|text| seen.contains(text)), "{seen:?}");
        assert!(!seen.iter().any(|text| text.contains("worker-9") || text.contains("is gone")), "{seen:?}");
        let later = cluster.watched(&mut memory, 64);
        assert_eq!(texts(&later, Origin::Seen), seen, "and it is said once");
    }

    #[test]
    fn an_action_is_kept_even_when_an_assessment_was_on_its_way() {
        let mut memory = Memory::default();
        let cluster = Specimen::workers_left();
        let on_its_way = Arc::new(crate::upgrade::assess::assess(Arc::new(cluster.facts(61)), &memory, at(61)));
        memory.note(Entry {
            at: at(61),
            level: Level::Info,
            subject: Subject::Pool("worker".to_owned()),
            text: "paused pool worker".to_owned(),
            origin: Origin::Action,
        });
        memory.observe(&on_its_way);
        for minute in 62..64 {
            let assessment = cluster.watched(&mut memory, minute);
            assert_eq!(texts(&assessment, Origin::Action), ["paused pool worker"], "minute {minute}");
        }
    }

    #[test]
    fn the_own_clock_of_an_operator_survives_its_flapping() {
        let mut cluster = Specimen::updating();
        let mut memory = Memory::default();
        cluster.operator("dns")["status"]["conditions"][1] = condition("Progressing", "True", "", "", 5);
        cluster.watched(&mut memory, 6);
        cluster.operator("dns")["status"]["conditions"][1] = condition("Progressing", "False", "", "", 20);
        cluster.watched(&mut memory, 21);
        cluster.operator("dns")["status"]["conditions"][1] = condition("Progressing", "True", "", "", 30);
        let late = cluster.watched(&mut memory, 36);
        assert_eq!(memory.operator_since("dns"), Some(at(5)));
        assert!(late.findings.iter().any(|finding| finding.id == "operator-slow"), "31 minutes in all");
        cluster.operator("dns")["status"]["versions"][0]["version"] = json!(NEW);
        cluster.watched(&mut memory, 37);
        assert_eq!(memory.operator_since("dns"), None);
        assert_eq!(late.node("worker-0").unwrap().phase, NodePhase::Waiting);
    }
}
