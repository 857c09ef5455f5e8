//! The task that turns facts into assessments: the latest facts win, at most one assessment is in flight.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, watch};

use super::pace;
use crate::clock;
use crate::upgrade::assess::{assess, freshened};
use crate::upgrade::assessment::Assessment;
use crate::upgrade::facts::Facts;
use crate::upgrade::link::{LinkState, Trouble, TroubleKind};
use crate::upgrade::memory::Memory;
use crate::upgrade::needs::{Needs, Wanted};
use crate::upgrade::timeline::Entry;

/// Judges facts: [`assess`].
type Judge = fn(Arc<Facts>, &Memory, DateTime<Utc>) -> Assessment;

/// Some findings come with time alone (a drain that takes too long): quiet facts are judged again this often.
const AGAIN: Duration = Duration::from_secs(5);

/// Judges `facts` until their source or the last reader is gone. What this program did itself comes as `notes`, and
/// is in the timeline from the next assessment on. What the newest assessment needs to say more about what somebody looks
/// at (`looked_at`) is asked for by `need`.
pub async fn think(
    facts: watch::Receiver<Arc<Facts>>,
    notes: mpsc::UnboundedReceiver<Entry>,
    assessed: watch::Sender<Arc<Assessment>>,
    looked_at: watch::Receiver<Wanted>,
    need: impl Fn(Needs) + Send,
) {
    think_by(assess, facts, notes, assessed, looked_at, need).await;
}

async fn think_by(
    judge: Judge,
    mut facts: watch::Receiver<Arc<Facts>>,
    mut notes: mpsc::UnboundedReceiver<Entry>,
    assessed: watch::Sender<Arc<Assessment>>,
    mut looked_at: watch::Receiver<Wanted>,
    need: impl Fn(Needs) + Send,
) {
    let mut memory = Memory::default();
    let mut failed = false;
    let mut asked_for = None;
    let mut due = clock::runtime_instant();
    loop {
        let newest = Arc::clone(&facts.borrow_and_update());
        let mut told = false;
        while let Ok(entry) = notes.try_recv() {
            memory.note(entry);
            told = true;
        }
        let began = clock::instant();
        let last = memory.last.as_ref().filter(|_| !told && !failed && clock::runtime_instant() < due);
        let fresher = last.and_then(|last| freshened(last, &newest));
        let judges = fresher.is_none();
        let assessment = if let Some(fresher) = fresher {
            Arc::new(fresher)
        } else {
            due = clock::runtime_instant() + AGAIN;
            let judged = catch_unwind(AssertUnwindSafe(|| {
                let now = clock::now() + newest.link.clock_ahead;
                let assessment = Arc::new(judge(newest, &memory, now));
                memory.observe(&assessment);
                assessment
            }));
            failed = judged.is_err();
            judged.unwrap_or_else(|_| Arc::new(distrusted(&assessed.borrow())))
        };
        let wanted = looked_at.borrow_and_update().clone();
        if judges || asked_for.as_ref() != Some(&wanted) {
            let wish = catch_unwind(AssertUnwindSafe(|| wanted.needs(&assessment)));
            wish.into_iter().for_each(&need);
            asked_for = Some(wanted);
        }
        let cost = clock::instant().duration_since(began);
        if assessed.send(assessment).is_err() {
            return;
        }
        tokio::time::sleep(pace::rest_after(cost)).await;
        tokio::select! {
            changed = facts.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            Some(entry) = notes.recv() => {
                memory.note(entry);
                due = clock::runtime_instant();
            }
            // What somebody looks at changed: asked for at the top of the loop. Its sender may go before this ends.
            Ok(()) = looked_at.changed() => {}
            () = tokio::time::sleep_until(due) => {}
        }
    }
}

/// The judgement failed, by a defect of ours (the panic's own words are in the log): the last picture stays, marked as no
/// longer live, so that nothing is decided on it and nothing is written.
fn distrusted(last: &Assessment) -> Assessment {
    let mut facts = (*last.facts).clone();
    let now = clock::now() + facts.link.clock_ahead;
    let since = facts.link.state.since().unwrap_or(last.now);
    facts.link.state = LinkState::Stale { since };
    facts.link.trouble = Some(Trouble {
        kind: TroubleKind::Other,
        words: "this program failed to judge what it sees".to_owned(),
        hint: "the log says more; look with oc meanwhile".to_owned(),
        since: now,
    });
    Assessment { facts: Arc::new(facts), generation: last.generation + 1, ..last.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upgrade::link::Link;

    /// Fails on the facts of epoch 1.
    fn brittle(facts: Arc<Facts>, memory: &Memory, now: DateTime<Utc>) -> Assessment {
        assert!(facts.epoch != 1, "no judgement on this");
        assess(facts, memory, now)
    }

    fn facts(epoch: u64) -> Arc<Facts> {
        let mut facts = Facts::nothing(clock::now());
        facts.link = Link { state: LinkState::Live, ..Link::recording() };
        facts.epoch = epoch;
        Arc::new(facts)
    }

    #[tokio::test(start_paused = true)]
    async fn a_picture_that_cannot_be_judged_does_not_pass_for_live() {
        let (observed, facts_in) = watch::channel(facts(0));
        let (_notes, noted) = mpsc::unbounded_channel();
        let (thoughts, mut assessed) = watch::channel(super::super::cockpit::nothing());
        let (_looks, looked_at) = watch::channel(Wanted::default());
        let thinking = tokio::spawn(think_by(brittle, facts_in, noted, thoughts, looked_at, |_| {}));
        assessed.wait_for(|assessment| assessment.facts.link.state == LinkState::Live).await.unwrap();
        observed.send_replace(facts(1));
        let failed = assessed.wait_for(|assessment| assessment.facts.link.state.stale()).await.unwrap().clone();
        assert!(failed.facts.link.trouble.as_ref().unwrap().words.contains("failed to judge"));
        observed.send_replace(facts(2));
        let later = assessed.wait_for(|assessment| assessment.facts.epoch == 2).await.unwrap().clone();
        assert_eq!(later.facts.link.state, LinkState::Live, "and it goes on when it can");
        thinking.abort();
    }
}
