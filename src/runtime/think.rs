//! The task that turns facts into assessments: the latest facts win, at most one assessment is in flight.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::pace;
use crate::clock;
use crate::upgrade::assess::{assess, freshened};
use crate::upgrade::assessment::Assessment;
use crate::upgrade::facts::Facts;
use crate::upgrade::memory::Memory;
use crate::upgrade::timeline::Entry;

/// Some findings come with time alone (a drain that takes too long): quiet facts are judged again this often.
const AGAIN: Duration = Duration::from_secs(5);

/// Judges `facts` until their source or the last reader is gone. What this program did itself comes as `notes`, and
/// is in the timeline from the next assessment on.
pub async fn think(
    mut facts: watch::Receiver<Arc<Facts>>,
    mut notes: mpsc::UnboundedReceiver<Entry>,
    assessed: watch::Sender<Arc<Assessment>>,
) {
    let mut memory = Memory::default();
    let mut due = clock::runtime_instant();
    loop {
        let newest = Arc::clone(&facts.borrow_and_update());
        let mut told = false;
        while let Ok(entry) = notes.try_recv() {
            memory.note(entry);
            told = true;
        }
        let began = clock::instant();
        let last = memory.last.as_ref().filter(|_| !told && clock::runtime_instant() < due);
        let assessment = if let Some(fresher) = last.and_then(|last| freshened(last, &newest)) {
            Arc::new(fresher)
        } else {
            let assessment = Arc::new(assess(newest, &memory, clock::now()));
            memory.observe(&assessment);
            due = clock::runtime_instant() + AGAIN;
            assessment
        };
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
            () = tokio::time::sleep_until(due) => {}
        }
    }
}
