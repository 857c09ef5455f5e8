//! When a person is told: the verdict worsened, a person is needed, the update is done.

use crate::upgrade::assessment::{Assessment, VerdictKind};

/// Why a person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The verdict is worse than before.
    Worse,
    /// A person is needed.
    NeedsPerson,
    /// The update is done.
    Done,
}

impl News {
    /// The value of `COCKPIT_EVENT`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::NeedsPerson => "needs-person",
            Self::Done => "done",
        }
    }
}

/// What a person (or a hook command) is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Why.
    pub news: News,
    /// The verdict in words.
    pub verdict: &'static str,
    /// Its reason.
    pub why: String,
    /// Context.
    pub context: String,
    /// Version that the cluster comes from.
    pub from: String,
    /// Version that it goes to.
    pub to: String,
}

impl Story {
    /// In one line.
    pub fn line(&self) -> String {
        let what = match self.news {
            News::Done => format!("update to {} is done", self.to),
            News::Worse | News::NeedsPerson => format!("{}: {}", self.verdict, self.why),
        };
        format!("{}: {what}", self.context)
    }
}

/// Remembers what was last said, so that it is said once.
#[derive(Debug, Default)]
pub struct Announcer {
    last: Option<VerdictKind>,
    /// Was something rolling when last heard? Only then can it be done.
    rolling: bool,
}

/// How bad a verdict is; none: it says nothing about that.
fn badness(kind: VerdictKind) -> Option<u8> {
    match kind {
        VerdictKind::Unknown => None,
        VerdictKind::NotUpdating
        | VerdictKind::Requested
        | VerdictKind::UpdatingControlPlane
        | VerdictKind::UpdatingPools
        | VerdictKind::ConfigRollout
        | VerdictKind::ImageBased
        | VerdictKind::Completed => Some(0),
        VerdictKind::Slow => Some(1),
        VerdictKind::NeedsPerson => Some(2),
        VerdictKind::Stalled => Some(3),
        VerdictKind::Failing => Some(4),
    }
}

impl Announcer {
    /// Hears an assessment of `context`; a story when a person should be told. A stale picture tells nothing, and
    /// neither does the first one: the person is looking at the screen then.
    pub fn hear(&mut self, assessment: &Assessment, context: &str) -> Option<Story> {
        let kind = assessment.verdict.kind;
        let badness_now = badness(kind)?;
        if assessment.facts.link.state.stale() || !assessment.facts.complete() {
            return None;
        }
        let rolled = std::mem::replace(&mut self.rolling, assessment.progress.is_some());
        let last = self.last.replace(kind)?;
        if last == kind {
            return None;
        }
        let news = match kind {
            VerdictKind::Completed if rolled => News::Done,
            VerdictKind::NeedsPerson => News::NeedsPerson,
            _ if Some(badness_now) > badness(last) => News::Worse,
            _ => return None,
        };
        Some(Story {
            news,
            verdict: kind.words(),
            why: assessment.verdict.why.clone(),
            context: context.to_owned(),
            from: assessment.update.from.clone().unwrap_or_default(),
            to: assessment.update.to.clone().unwrap_or_default(),
        })
    }
}
