//! What was asked of the cluster, each as the `oc` line that does the same.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

use crate::actions::{Session, oc};
use crate::ui::LogLine;
use crate::upgrade::assessment::{Assessment, Subject};
use crate::upgrade::facts::{Kind, KindStatus};

/// Lines that are kept.
const KEPT: usize = 1_000;

/// The command log.
#[derive(Debug, Default)]
pub struct CommandLog {
    lines: VecDeque<LogLine>,
    /// How many lines were dropped: a line keeps its number.
    dropped: usize,
}

/// The number of a line, by which its outcome is filled in.
pub type LineId = usize;

impl CommandLog {
    /// Oldest first.
    pub fn lines(&self) -> &VecDeque<LogLine> {
        &self.lines
    }

    /// Something is asked.
    pub fn begin(&mut self, at: DateTime<Utc>, write: bool, oc: String) -> LineId {
        self.lines.push_back(LogLine { at, write, oc, outcome: String::new() });
        if self.lines.len() > KEPT {
            self.lines.pop_front();
            self.dropped += 1;
        }
        self.dropped + self.lines.len() - 1
    }

    /// It was answered.
    pub fn end(&mut self, line: LineId, outcome: impl Into<String>) {
        let at = line.checked_sub(self.dropped);
        if let Some(line) = at.and_then(|at| self.lines.get_mut(at)) {
            line.outcome = outcome.into();
        }
    }

    /// An object is read.
    pub fn begin_read(&mut self, session: &Session, at: DateTime<Utc>, subject: &Subject) {
        self.begin(at, false, oc(session, &read_line(subject)));
    }

    /// The newest read of `subject` that is under way was answered.
    pub fn end_read(&mut self, session: &Session, subject: &Subject, trouble: Option<&str>) {
        let oc = oc(session, &read_line(subject));
        let open = self.lines.iter_mut().rev().find(|line| line.oc == oc && line.outcome.is_empty());
        if let Some(line) = open {
            trouble.unwrap_or("200").clone_into(&mut line.outcome);
        }
    }

    /// Notes which watches began, failed or turned out to be impossible between two assessments.
    pub fn note_kinds(&mut self, session: &Session, before: &Assessment, after: &Assessment, at: DateTime<Utc>) {
        let other = before.facts.epoch != after.facts.epoch;
        for kind in Kind::CORE.into_iter().chain(Kind::AROUND) {
            let was = if other { &KindStatus::Waiting } else { before.facts.status(kind) };
            let is = after.facts.status(kind);
            if std::mem::discriminant(was) == std::mem::discriminant(is) {
                continue;
            }
            let outcome = match is {
                KindStatus::Waiting | KindStatus::NotAsked => continue,
                KindStatus::Live => "listed, watching".to_owned(),
                KindStatus::Absent => "404: the server does not serve it".to_owned(),
                KindStatus::Failing(trouble) | KindStatus::Forbidden(trouble) => trouble.words.clone(),
            };
            let line = self.begin(at, false, oc(session, &format!("get {} --watch", kind.resource())));
            self.end(line, outcome);
        }
    }
}

fn read_line(subject: &Subject) -> String {
    match subject {
        Subject::Version => "get clusterversion version -o yaml".to_owned(),
        Subject::Operator(name) => format!("get clusteroperator {name} -o yaml"),
        Subject::Pool(name) => format!("get machineconfigpool {name} -o yaml"),
        Subject::Node(name) => format!("get node {name} -o yaml"),
        Subject::Link => "version".to_owned(),
        Subject::Object(object) if object.namespace.is_empty() => {
            format!("get {} {} -o yaml", object.resource, object.name)
        }
        Subject::Object(object) => {
            format!("get {} {} -n {} -o yaml", object.resource, object.name, object.namespace)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_find_their_lines_although_old_lines_go() {
        let at = DateTime::from_timestamp(0, 0).unwrap();
        let mut log = CommandLog::default();
        let ids: Vec<LineId> = (0..KEPT + 3).map(|n| log.begin(at, false, format!("oc get {n}"))).collect();
        assert_eq!(log.lines().len(), KEPT);
        log.end(ids[0], "200");
        log.end(ids[KEPT + 2], "404");
        assert_eq!(log.lines().iter().filter(|line| !line.outcome.is_empty()).count(), 1);
        assert_eq!(log.lines().back().unwrap().outcome, "404");
    }

    #[test]
    fn a_read_is_ended_once() {
        let at = DateTime::from_timestamp(0, 0).unwrap();
        let lab = Session { context: "lab".into(), ..Session::default() };
        let subject = Subject::Node("worker-1".into());
        let mut log = CommandLog::default();
        log.begin_read(&lab, at, &subject);
        log.begin_read(&lab, at, &subject);
        log.end_read(&lab, &subject, None);
        log.end_read(&lab, &subject, Some("gone"));
        let outcomes: Vec<&str> = log.lines().iter().map(|line| line.outcome.as_str()).collect();
        assert_eq!(outcomes, ["gone", "200"]);
    }
}
