//! What an action has done so far: the audit log's messages, remembered, so that an interruption can say what was sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::complain;
use crate::actions::audit::{Answer, Attempt, Audit, AuditId, Given, Proof};
use crate::actions::drain::Progress;
use crate::actions::outcome::Rehearsal;
use crate::recorder::Recorder;
use crate::report::plan::{Fate, Told};

/// The audit log with a memory.
#[derive(Debug, Clone)]
pub struct Ledger {
    recorder: Recorder,
    book: Arc<Mutex<Book>>,
}

#[derive(Debug, Default)]
struct Book {
    rehearsal: Option<Rehearsal>,
    answers: Vec<Given>,
    /// A drain is under way, and what was said of it last.
    draining: Option<String>,
    entries: Vec<(AuditId, Told)>,
}

impl Ledger {
    /// An empty one in front of `recorder`.
    pub fn new(recorder: Recorder) -> Self {
        Self { recorder, book: Arc::default() }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This plan was shown.
    pub fn show(&self, rehearsal: &Rehearsal) {
        self.book().rehearsal = Some(rehearsal.clone());
    }

    /// The plan that was shown last.
    pub fn shown(&self) -> Option<Rehearsal> {
        self.book().rehearsal.clone()
    }

    /// These answers were given.
    pub fn answered_by(&self, answers: &[Given]) {
        self.book().answers = answers.to_vec();
    }

    /// Requests are being sent; `drain`: by a drain, which tells how far it is.
    pub fn begin(&self, drain: bool) {
        self.book().draining = drain.then(String::new);
    }

    /// Is a drain under way?
    pub fn draining(&self) -> bool {
        self.book().draining.is_some()
    }

    /// How far the drain is: said when it changed.
    pub fn progress(&self, progress: &Progress) {
        let words = progress.headline();
        let said = self.book().draining.as_mut().is_some_and(|said| {
            let new = *said != words;
            said.clone_from(&words);
            new
        });
        if said {
            complain(&words, "");
        }
    }

    /// The answers that were given.
    pub fn answers(&self) -> Vec<Given> {
        self.book().answers.clone()
    }

    /// What became of everything that was sent, in its order.
    pub fn told(&self) -> Vec<Told> {
        self.book().entries.iter().map(|(_, told)| told.clone()).collect()
    }

    /// What was sent and what was not, in a sentence.
    pub fn summary(&self) -> String {
        let book = self.book();
        let told = |fate: Fate| -> Vec<&str> {
            let of_fate = book.entries.iter().filter(|(_, told)| told.fate == fate);
            of_fate.map(|(_, told)| told.object.as_str()).collect()
        };
        let unsent: Vec<&str> = match &book.rehearsal {
            None => Vec::new(),
            Some(rehearsal) => {
                let sent = |object: &str| book.entries.iter().any(|(_, told)| told.object == object);
                let writes = rehearsal.plan.writes.iter().map(|write| write.object.as_str());
                writes.filter(|object| !sent(object)).collect()
            }
        };
        if book.entries.is_empty() {
            return "nothing was sent".to_owned();
        }
        let parts = [
            ("accepted, its effect not waited for", told(Fate::Accepted)),
            ("refused", told(Fate::Refused)),
            ("sent without an answer, look whether it was applied", [told(Fate::Sent), told(Fate::Unknown)].concat()),
            ("not sent", unsent),
        ];
        let parts = parts.into_iter().filter(|(_, objects)| !objects.is_empty());
        parts.map(|(words, objects)| format!("{words}: {}", objects.join(", "))).collect::<Vec<_>>().join("; ")
    }
}

impl Audit for Ledger {
    async fn attempt(&self, attempt: Attempt) -> Result<AuditId, String> {
        let object = attempt.object.clone();
        let id = self.recorder.attempt(attempt).await?;
        self.book().entries.push((id.clone(), Told { object, fate: Fate::Sent, words: String::new() }));
        Ok(id)
    }

    async fn answered(&self, id: &AuditId, answer: Answer) {
        let (fate, words) = match &answer {
            Answer::Accepted { .. } => (Fate::Accepted, "accepted".to_owned()),
            Answer::Refused { words, .. } => (Fate::Refused, words.clone()),
            Answer::Unknown { words } => (Fate::Unknown, words.clone()),
        };
        let told = self.book().entries.iter_mut().find(|(entered, _)| entered == id).map(|(_, told)| {
            told.fate = fate;
            told.words.clone_from(&words);
            told.object.clone()
        });
        if let Some(object) = told {
            complain(&format!("{object}: {words}"), "");
        }
        self.recorder.answered(id, answer).await;
    }

    async fn proved(&self, ids: &[AuditId], proof: Proof) {
        self.recorder.proved(ids, proof).await;
    }
}
