//! The pods of a node that have to go, and how far each is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::answered::Answered;
use crate::actions::audit::AuditId;
use crate::actions::drain::{PodProgress, PodState};
use crate::api::Pod;
use crate::api::metadata::deleted;
use crate::upgrade::assessment::Blocker;
use crate::upgrade::blockers;

/// The least time after which a refused eviction is sent again (kubectl, pkg/drain/drain.go, `evictPods`).
const LEAST: Duration = Duration::from_secs(5);
/// The most: a budget that is read wrongly, or not at all, is asked all the same.
const MOST: Duration = Duration::from_secs(30);

/// A pod that has to go.
#[derive(Debug, Clone)]
pub(super) struct Track {
    /// UID.
    pub uid: String,
    /// As it was seen last.
    pub pod: Arc<Pod>,
    /// How often its eviction was sent.
    pub tries: u32,
    state: PodState,
    blocker: Option<Blocker>,
    /// It is not sent before.
    earliest: Instant,
    /// It is sent then, whatever its budget is seen to allow.
    latest: Instant,
    /// Its budgets were read since it was refused last, and nothing is seen to keep it.
    free: bool,
    /// Entries of the audit log that wait for it to be gone.
    open: Vec<AuditId>,
}

/// All of them, by UID.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    pods: BTreeMap<String, Track>,
}

/// What a look has shown to be gone.
pub(super) struct Left {
    /// How many pods.
    pub gone: usize,
    /// The entries of the audit log that this proves.
    pub proved: Vec<AuditId>,
}

impl Tracks {
    /// Takes in the pods that are there now.
    pub fn take(&mut self, going: &[&Arc<Pod>], now: DateTime<Utc>, at: Instant) -> Left {
        let uid = |pod: &Pod| pod.metadata.uid.clone().unwrap_or_default();
        let there: BTreeSet<String> = going.iter().map(|pod| uid(pod)).collect();
        let mut left = Left { gone: 0, proved: Vec::new() };
        self.pods.retain(|uid, track| {
            let stays = there.contains(uid);
            if !stays {
                left.gone += 1;
                left.proved.append(&mut track.open);
            }
            stays
        });
        for pod in going {
            let track = self.pods.entry(uid(pod)).or_insert_with(|| Track {
                uid: uid(pod),
                pod: Arc::clone(pod),
                tries: 0,
                state: PodState::Waiting,
                blocker: None,
                earliest: at,
                latest: at,
                free: false,
                open: Vec::new(),
            });
            track.pod = Arc::clone(pod);
            if let Some(until) = deleted(&pod.metadata) {
                let finalizers = pod.metadata.finalizers.clone().unwrap_or_default();
                track.state = PodState::Ending { until, finalizers };
                track.blocker = None;
            } else if matches!(track.state, PodState::Ending { .. }) {
                // Accepted, and not being deleted: whoever took the eviction (a virtual machine is moved by its own
                // controller) does something else with it first.
                let next = now + TimeDelta::from_std(MOST).unwrap_or_default();
                let words = "the eviction was accepted, and the pod is not being deleted yet".to_owned();
                track.state = PodState::Refused { words, since: now, next };
                (track.earliest, track.latest, track.free) = (at + MOST, at + MOST, false);
            }
        }
        left
    }

    /// Has every pod gone?
    pub fn is_empty(&self) -> bool {
        self.pods.is_empty()
    }

    /// The pods whose eviction is to be sent now.
    pub fn due(&self, now: Instant) -> Vec<Track> {
        let due = |track: &&Track| match track.state {
            PodState::Waiting | PodState::Refused { .. } => {
                now >= track.latest || (track.free && now >= track.earliest)
            }
            PodState::Ending { .. } | PodState::Failed(_) => false,
        };
        self.pods.values().filter(due).cloned().collect()
    }

    /// Takes in an answer.
    pub fn answered(&mut self, uid: &str, id: AuditId, answer: Answered, now: DateTime<Utc>, at: Instant) {
        let Some(track) = self.pods.get_mut(uid) else { return };
        let before = match &track.state {
            PodState::Refused { since, .. } => Some(*since),
            _ => None,
        };
        let wait_for = |track: &mut Track, least: Duration, most: Duration| {
            (track.earliest, track.latest, track.free) = (at + least, at + most, false);
            now + TimeDelta::from_std(most).unwrap_or_default()
        };
        match answer {
            Answered::Accepted => {
                track.tries += 1;
                track.open.push(id);
                let grace = track.pod.spec.grace_seconds.unwrap_or_default().clamp(0, 1 << 32);
                track.state = PodState::Ending { until: now + TimeDelta::seconds(grace), finalizers: Vec::new() };
                track.blocker = None;
            }
            // The next look shows that it is not there any more.
            Answered::Gone => {
                track.tries += 1;
                wait_for(track, LEAST, LEAST);
            }
            Answered::Later { words, wait } => {
                track.tries += 1;
                let least = wait.unwrap_or_default().max(LEAST);
                let grown = LEAST * 2_u32.pow((track.tries - 1).min(8));
                let next = wait_for(track, least, grown.min(MOST).max(least));
                track.state = PodState::Refused { words, since: before.unwrap_or(now), next };
            }
            Answered::Unknown { words } => {
                track.tries += 1;
                track.open.push(id);
                let next = wait_for(track, LEAST, LEAST);
                track.state = PodState::Refused { words, since: before.unwrap_or(now), next };
            }
            Answered::NotSent { .. } => {
                wait_for(track, LEAST, LEAST);
            }
            Answered::Never { words } => {
                track.tries += 1;
                track.state = PodState::Failed(words);
            }
        }
    }

    /// Is any refused?
    pub fn refused(&self) -> bool {
        self.pods.values().any(|track| matches!(track.state, PodState::Refused { .. }))
    }

    /// The namespaces of those that are refused.
    pub fn refused_namespaces(&self) -> BTreeSet<String> {
        let refused = self.pods.values().filter(|track| matches!(track.state, PodState::Refused { .. }));
        refused.map(|track| track.pod.namespace().to_owned()).collect()
    }

    /// Takes in what keeps the refused pods of these namespaces.
    pub fn explain(&mut self, known: &BTreeSet<String>, holds: impl Fn(&Pod) -> Option<Blocker>) {
        for track in self.pods.values_mut() {
            if matches!(track.state, PodState::Refused { .. }) {
                track.blocker = holds(&track.pod);
                track.free = known.contains(track.pod.namespace()) && track.blocker.is_none();
            }
        }
    }

    /// Is anything expected to happen at once?
    pub fn moving(&self) -> bool {
        self.pods.values().any(|track| matches!(track.state, PodState::Ending { .. } | PodState::Waiting))
    }

    /// Why nothing is left to wait for, although pods are.
    pub fn hopeless(&self) -> Option<String> {
        let mut words = Vec::new();
        for track in self.pods.values() {
            let PodState::Failed(why) = &track.state else { return None };
            words.push(format!("{}/{}: {why}", track.pod.namespace(), track.pod.name()));
        }
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// Entries of the audit log whose pods are still there.
    pub fn open(&self) -> Vec<AuditId> {
        self.pods.values().flat_map(|track| track.open.iter().cloned()).collect()
    }

    /// For the screen: what holds it up first.
    pub fn shown(&self) -> Vec<PodProgress> {
        let rank = |track: &&Track| match track.state {
            PodState::Failed(_) => 0,
            PodState::Refused { .. } => 1,
            PodState::Ending { .. } => 2,
            PodState::Waiting => 3,
        };
        let mut tracks: Vec<&Track> = self.pods.values().collect();
        tracks.sort_by(|a, b| {
            let key = |track: &Track| (track.pod.namespace().to_owned(), track.pod.name().to_owned());
            rank(a).cmp(&rank(b)).then_with(|| key(a).cmp(&key(b)))
        });
        let shown = |track: &Track| PodProgress {
            namespace: track.pod.namespace().to_owned(),
            name: track.pod.name().to_owned(),
            owner: blockers::workload(&track.pod),
            state: track.state.clone(),
            tries: track.tries,
            blocker: track.blocker.clone(),
        };
        tracks.into_iter().map(shown).collect()
    }
}

/// `shop/cart-0 (PDB cart allows 0 of 1)`: why a pod is held, where it is.
pub(super) fn held(pod: &PodProgress) -> Option<String> {
    let why = match (&pod.state, &pod.blocker) {
        (PodState::Refused { .. }, Some(blocker)) => blockers::short(&blocker.cause),
        (PodState::Refused { words, .. } | PodState::Failed(words), _) => words.clone(),
        _ => return None,
    };
    Some(format!("{}/{} ({why})", pod.namespace, pod.name))
}
