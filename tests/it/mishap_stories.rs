//! Every mishap that the simulated cluster knows is told: brought about where it happens, its finding comes with the
//! evidence, the cause is taken away as a person would do it, and the finding goes. Meanwhile nothing is said that is not
//! so: whatever is more than a hint belongs to the mishap, or to what goes on anyway.

mod tales;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use oc_cockpit::sim::mishaps::Case;
use oc_cockpit::sim::scenario::{Mishap, MishapKind};
use oc_cockpit::upgrade::assessment::{Assessment, Finding, Level, Subject};
use oc_cockpit::upgrade::checks::CATALOGUE;
use oc_cockpit::upgrade::outline::outline;

use self::tales::{Cure, Stage, Tale, tale};
use crate::support::lived::Lived;

/// How often the actors step, in seconds.
const STEP: i64 = 5;
/// How often a story is looked at, in steps.
const LOOK: usize = 5;
/// How long it takes until a mishap that waits for its occasion has begun.
const OCCASION: TimeDelta = TimeDelta::hours(4);
/// How long everything takes to calm down when a cause is gone.
const CALM: TimeDelta = TimeDelta::minutes(20);

/// A story that is lived through, and what was wrong with what was said.
struct Telling {
    name: String,
    lived: Lived,
    stage: Stage,
    /// What may be said beyond what goes on anyway.
    may: BTreeSet<&'static str>,
    last: Arc<Assessment>,
    wrong: BTreeSet<String>,
}

impl Telling {
    fn new(name: &str, stage: Stage, may: impl IntoIterator<Item = &'static str>) -> Self {
        let mut lived = Lived::read_closely(&stage.scenario(), 1);
        let last = lived.look();
        let may = may.into_iter().chain(stage.usual().iter().copied()).collect();
        Self { name: name.to_owned(), lived, stage, may, last, wrong: BTreeSet::new() }
    }

    /// A few steps, and a look.
    fn look(&mut self) -> Arc<Assessment> {
        for _ in 0..LOOK {
            self.lived.pass(STEP);
        }
        if self.lived.actors.is_down() {
            return Arc::clone(&self.last); // nobody answers
        }
        self.last = self.lived.look();
        let at = self.lived.elapsed().num_seconds();
        for finding in loud(&self.last) {
            if finding.evidence.is_empty() {
                self.wrong.insert(format!("{}: {} has no evidence", self.name, finding.id));
            }
            if !self.may.contains(finding.id) {
                let new = format!("{}: says {} of {:?}: {}", self.name, finding.id, finding.subject, finding.title);
                if !self.wrong.iter().any(|told| told.starts_with(&new)) {
                    self.wrong.insert(format!("{new} (after {at} s): {:?}", finding.evidence));
                }
            }
        }
        Arc::clone(&self.last)
    }

    /// Looks on until something is so, or for so long.
    fn until(&mut self, limit: TimeDelta, truth: impl Fn(&Self) -> bool) -> bool {
        let end = self.lived.now + limit;
        while !truth(self) {
            if self.lived.now >= end {
                return false;
            }
            self.look();
        }
        true
    }

    fn pass(&mut self, time: TimeDelta) {
        self.until(time, |_| false);
    }

    fn note(&mut self, wrong: &str) {
        let said: Vec<String> =
            self.last.findings.iter().map(|it| format!("{:?} {} {:?}", it.level, it.id, it.subject)).collect();
        let at = self.lived.elapsed().num_seconds();
        self.wrong.insert(format!("{}: {wrong} (after {at} s); said: {said:#?}\n{}", self.name, outline(&self.last)));
    }
}

/// What is more than a hint and not to be expected.
fn loud(assessment: &Assessment) -> impl Iterator<Item = &Finding> {
    assessment.findings.iter().filter(|finding| finding.level > Level::Info && !finding.expected)
}

fn told<'a>(assessment: &'a Assessment, tale: &Tale) -> Option<&'a Finding> {
    let about = |subject: &Subject| tale.about.as_ref().is_none_or(|about| about == subject);
    assessment.findings.iter().find(|finding| finding.id == tale.finding && about(&finding.subject))
}

/// Lives through a mishap from before it to after it; what was wrong with what was said.
fn live(kind: MishapKind) -> BTreeSet<String> {
    let tale = tale(kind);
    let may = tale.follows.iter().copied().chain([tale.finding]);
    let mut telling = Telling::new(kind.word(), tale.stage, may);
    telling.pass(TimeDelta::minutes(1));
    if told(&telling.last, &tale).is_some() {
        telling.note("its finding is there before it");
    }
    let goes_on = tale.later > TimeDelta::zero();
    if goes_on {
        telling.stage.begin(&mut telling.lived);
        telling.pass(tale.later);
    }
    let id = telling.lived.actors.mishaps().add(Mishap::now(kind, tale.object));
    let case = |telling: &Telling| -> Case {
        telling.lived.actors.mishaps().cases().into_iter().find(|case| case.id == id).unwrap()
    };
    telling.lived.pass(1);
    if !goes_on {
        telling.stage.begin(&mut telling.lived);
    }
    let began = lead(&mut telling, |telling| case(telling).began.is_some());
    if !began {
        telling.note("it never begins");
        return telling.wrong;
    }
    if !telling.until(tale.told_within, |telling| told(&telling.last, &tale).is_some()) {
        telling.note(&format!("no {} within {}", tale.finding, tale.told_within));
        return telling.wrong;
    }
    let finding = told(&telling.last, &tale).unwrap().clone();
    let proves = |evidence: &oc_cockpit::upgrade::assessment::Evidence| {
        evidence.object.contains(tale.proof)
            || evidence.field.contains(tale.proof)
            || evidence.value.contains(tale.proof)
    };
    if !finding.evidence.iter().any(proves) {
        telling.note(&format!("the evidence does not show {:?}: {:?}", tale.proof, finding.evidence));
    }
    if finding.remedies.is_empty() {
        telling.note("its finding names no remedy");
    }
    telling.pass(tale.borne);
    match tale.cure {
        Cure::Ends => assert!(telling.lived.actors.mishaps().end(id) || case(&telling).ended.is_some()),
        Cure::Deed(deed) => deed(&mut telling.lived),
        Cure::EndsThen(deed) => {
            telling.lived.actors.mishaps().end(id);
            telling.lived.pass(STEP);
            deed(&mut telling.lived);
        }
        Cure::Time => {}
    }
    if !telling.until(tale.clears_within, |telling| told(&telling.last, &tale).is_none()) {
        telling.note(&format!("{} is still there {} after its cause went", tale.finding, tale.clears_within));
        return telling.wrong;
    }
    if case(&telling).ended.is_none() {
        telling.note("the simulated cluster does not take it for over");
    }
    let usual: BTreeSet<&str> = telling.stage.usual().iter().copied().collect();
    let calm = move |telling: &Telling| loud(&telling.last).all(|finding| usual.contains(finding.id));
    if !telling.until(CALM, calm) {
        telling.note("what follows from it outlives it");
    }
    telling.wrong
}

/// Goes on until something has begun, asking for the next stage of an image-based upgrade whenever one is ready.
fn lead(telling: &mut Telling, begun: impl Fn(&Telling) -> bool) -> bool {
    let end = telling.lived.now + OCCASION;
    while !begun(telling) {
        if telling.lived.now >= end {
            return false;
        }
        telling.look();
        let stage = telling.stage;
        stage.go_on(&mut telling.lived);
    }
    true
}

/// Does something for each of a list, on as many threads as there are processors.
fn each<T: Copy + Sync>(all: &[T], of: impl Fn(T) -> BTreeSet<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let mut wrong = Vec::new();
    std::thread::scope(|scope| {
        let work = || {
            let mut wrong = Vec::new();
            while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                wrong.extend(of(*one));
            }
            wrong
        };
        let parts: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        wrong = parts.into_iter().flat_map(|part| part.join().unwrap()).collect();
    });
    wrong
}

#[test]
fn every_mishap_is_told_while_it_lasts_and_no_longer() {
    let only = std::env::var("MISHAP").ok();
    let kinds: Vec<MishapKind> =
        MishapKind::ALL.iter().copied().filter(|kind| only.as_ref().is_none_or(|only| kind.word() == only)).collect();
    let wrong = each(&kinds, live);
    assert!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn where_nothing_goes_wrong_nothing_is_said_to() {
    let wrong = each(Stage::ALL, |stage| {
        let mut telling = Telling::new(&format!("{stage:?}"), stage, []);
        telling.pass(TimeDelta::minutes(1));
        telling.stage.begin(&mut telling.lived);
        lead(&mut telling, |telling| telling.lived.elapsed() > stage.lasts());
        telling.wrong
    });
    assert!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_tales_name_findings_that_there_are() {
    let known = |id: &str| CATALOGUE.iter().any(|entry| entry.id == id);
    for kind in MishapKind::ALL {
        let tale = tale(*kind);
        for id in tale.follows.iter().chain([&tale.finding]).chain(tale.stage.usual()) {
            assert!(known(id), "{kind}: there is no finding {id}");
        }
    }
}
