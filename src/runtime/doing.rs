//! `oc-cockpit do`: an action without the screen, by the same plan, rehearsal, order, audit and proof.
//!
//! The plan goes to stdout, what happens meanwhile to stderr. As JSON there is one document, at the end.

mod consent;
mod eyes;
mod ledger;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use color_eyre::eyre::{Result, eyre};
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

use self::consent::consent;
use self::eyes::Eyes;
use self::ledger::Ledger;
use super::files::WithFiles;
use super::keepsake;
use super::oneshot::{complain, print};
use super::perform::replan;
use super::signals::Signals;
use super::start::options;
use crate::actions::audit::{Actor, Audit as _, Given, Proof};
use crate::actions::outcome::{Order, Outcome, Rehearsal};
use crate::actions::{self, Effect, Material, Plan, Refusal, Session};
use crate::cli::{Act, Connect, DoArgs, Wish};
use crate::clock;
use crate::cluster::{drain, execute};
use crate::config::{Config, Overrides};
use crate::recorder::Recorder;
use crate::report::plan::{Ended, Page, Story};
use crate::report::{self, Format, Look, Report as _, catalogue};

/// What the command runs with, beside its own arguments.
#[derive(Debug)]
pub struct Circumstances {
    /// The configuration: which contexts are read-only.
    pub config: Config,
    /// The flags against it.
    pub overrides: Overrides,
    /// Where the audit log is unless the command line says otherwise.
    pub audit: PathBuf,
    /// How texts look.
    pub look: Look,
}

/// How an action ended.
#[derive(Debug)]
struct End {
    result: Ended,
    words: String,
    /// The next thing to try; empty: none.
    hint: String,
}

impl End {
    fn new(result: Ended, words: impl Into<String>) -> Self {
        Self { result, words: words.into(), hint: String::new() }
    }
}

/// `oc-cockpit do --list`, without a cluster.
pub fn list(output: Format, look: &Look) -> Result<u8> {
    print(&report::render(&catalogue::list(None), output, look).map_err(|words| eyre!(words))?)?;
    Ok(0)
}

/// `oc-cockpit do`; the exit code.
pub fn run(args: DoArgs, circumstances: &Circumstances) -> Result<u8> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let DoArgs { wish, output, connect } = args;
    let code = match wish {
        Wish::List { permitted: false } => list(output, &circumstances.look),
        Wish::List { permitted: true } => runtime.block_on(permitted(connect, output, circumstances)),
        Wish::Act(act) => runtime.block_on(carry_out(*act, connect, output, circumstances)),
    };
    // A question that nobody answers is not waited for.
    runtime.shutdown_background();
    code
}

/// `oc-cockpit do --list --permitted`.
async fn permitted(connect: Connect, output: Format, circumstances: &Circumstances) -> Result<u8> {
    let mut eyes = Eyes::open(options(connect));
    let all = actions::permissions();
    if let Err(End { words, hint, .. }) = eyes.ready(&all, &[]).await {
        complain(&words, &hint);
        return Ok(Ended::Failed.code());
    }
    let access = Arc::clone(&eyes.newest().facts.access);
    print(
        &report::render(&catalogue::list(Some(&access)), output, &circumstances.look).map_err(|words| eyre!(words))?,
    )?;
    Ok(0)
}

async fn carry_out(act: Act, connect: Connect, output: Format, circumstances: &Circumstances) -> Result<u8> {
    let audit = act.audit.clone().unwrap_or_else(|| circumstances.audit.clone());
    let (recorder, recording) = Recorder::start(Some(audit.clone()));
    let ledger = Ledger::new(recorder.clone());
    let mut signals = Signals::listen()?;
    let stop = CancellationToken::new();
    let mut doing = Doing {
        act: &act,
        stop: stop.clone(),
        output,
        circumstances,
        ledger: &ledger,
        eyes: Eyes::open(options(connect)),
        session: Session::default(),
    };
    let (end, code) = until_told_to_end(Box::pin(doing.perform()), &mut signals, &stop, &ledger).await;
    let context = doing.context();
    // What no answer or no proof came for is ended as such in the audit log.
    recording.close(&recorder).await;
    tell(&end, code, &act, &context, output, &ledger, &audit, &circumstances.look)?;
    Ok(code)
}

/// The end of an action, or what was sent before a signal came. A drain is asked to end first, and says how far it came; a
/// second signal does not wait for that.
async fn until_told_to_end(
    work: impl Future<Output = End>,
    signals: &mut Signals,
    stop: &CancellationToken,
    ledger: &Ledger,
) -> (End, u8) {
    tokio::pin!(work);
    let mut ended_by = None;
    loop {
        tokio::select! {
            biased;
            end = &mut work => {
                let code = ended_by.unwrap_or(end.result.code());
                let result = if ended_by.is_some() { Ended::Interrupted } else { end.result };
                return (End { result, ..end }, code);
            }
            number = signals.end() => {
                let code = 128 + u8::try_from(number).unwrap_or(127);
                if !ledger.draining() || ended_by.replace(code).is_some() {
                    return (End::new(Ended::Interrupted, format!("interrupted; {}", ledger.summary())), code);
                }
                complain("stopping: what was evicted stays evicted, and the nodes stay cordoned", "");
                stop.cancel();
            }
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the end of a story has all its threads")]
fn tell(
    end: &End,
    code: u8,
    act: &Act,
    context: &str,
    output: Format,
    ledger: &Ledger,
    audit: &Path,
    look: &Look,
) -> Result<()> {
    let fine = matches!(end.result, Ended::Done | Ended::Rehearsed);
    if output == Format::Text {
        if fine {
            print(&report::text::paragraph(look, "", &end.words))?;
        } else {
            complain(&end.words, &end.hint);
        }
        return Ok(());
    }
    if !fine {
        complain(&end.words, &end.hint);
    }
    let rehearsal = ledger.shown();
    let told = ledger.told();
    let audit = (!told.is_empty()).then(|| audit.display().to_string());
    let answers = ledger.answers();
    let story = Story {
        ask: &act.ask,
        context,
        dry_run: act.dry_run,
        result: end.result,
        exit_code: code,
        words: &end.words,
        plan: rehearsal.as_ref().map(|rehearsal| &rehearsal.plan),
        steps: rehearsal.as_ref().map_or(&[], |rehearsal| &rehearsal.steps),
        told: &told,
        answers: &answers,
        audit: audit.as_deref(),
    };
    print(&report::written(&report::plan::json(&story), output).map_err(|words| eyre!(words))?)?;
    Ok(())
}

/// An action on its way.
struct Doing<'a> {
    act: &'a Act,
    /// Asks a drain to end.
    stop: CancellationToken,
    output: Format,
    circumstances: &'a Circumstances,
    ledger: &'a Ledger,
    eyes: Eyes,
    session: Session,
}

impl Doing<'_> {
    fn context(&self) -> String {
        self.session.context.clone()
    }

    async fn perform(&mut self) -> End {
        match self.all().await {
            Ok(end) | Err(end) => end,
        }
    }

    /// From the first picture to the proof. `Err` is an end before anything was sent.
    async fn all(&mut self) -> Result<End, End> {
        let refused = |Refusal(words)| End::new(Ended::Refused, words);
        let entry = self.act.ask.action.entry();
        self.eyes.connected().await?;
        let context = self.eyes.context();
        let held = self.circumstances.config.context(&context, &self.circumstances.overrides);
        self.session = Session::new(&context, &held);
        if let Some(why) = &self.session.read_only {
            return Err(End::new(Ended::Refused, format!("writes are off: {why}")));
        }
        self.eyes.ready(entry.permissions, entry.needs).await?;
        let newest = self.eyes.newest();
        let mut plan = actions::plan(&newest, &self.session, &self.act.ask, &Material::default()).map_err(refused)?;
        loop {
            let (rehearsal, answers) = self.confirmed(plan).await?;
            if self.act.dry_run {
                let words = format!("{}: the server would accept it; nothing was changed", rehearsal.plan.title);
                return Ok(End::new(Ended::Rehearsed, words));
            }
            let outcome = self.execute(rehearsal.clone(), answers).await;
            match outcome {
                // Somebody is there to read the new plan and to confirm that one.
                Outcome::Changed { done, plan: newer, words, .. } if done.is_empty() && consent::asks(self.act) => {
                    complain(&format!("not done: {words}. This is the plan as it is now:"), "");
                    plan = *newer;
                }
                outcome => return Ok(self.prove(&rehearsal.plan, outcome).await),
            }
        }
    }

    /// The plan rehearsed, shown and confirmed.
    async fn confirmed(&mut self, plan: Plan) -> Result<(Rehearsal, Vec<Given>), End> {
        let epoch = self.eyes.newest().facts.epoch;
        let requests = WithFiles(self.eyes.requests(epoch));
        let again = replan(self.eyes.assessed(), plan.clone(), self.session.clone(), epoch);
        let rehearsed = execute::rehearse(&requests, plan, again).await;
        let rehearsal = rehearsed.map_err(|Refusal(words)| End::new(Ended::Refused, words))?;
        self.ledger.show(&rehearsal);
        let page = Page(&rehearsal).text(&self.circumstances.look);
        match self.output {
            Format::Text => drop(print(&(page + "\n"))),
            _ if consent::asks(self.act) => consent::say(&page),
            _ => {}
        }
        if let Some(step) = rehearsal.steps.iter().find(|step| !step.ok) {
            let words = format!("the server would not accept it: {}: {}", step.object, step.words);
            return Err(End::new(Ended::Refused, words));
        }
        if !rehearsal.ok() {
            let words = "the plan is not whole: something that it needs could not be read";
            return Err(End::new(Ended::Refused, words));
        }
        if self.act.dry_run {
            return Ok((rehearsal, Vec::new()));
        }
        let answers = consent(&rehearsal.plan, self.act).await.map_err(|words| End::new(Ended::Refused, words))?;
        self.ledger.answered_by(&answers);
        Ok((rehearsal, answers))
    }

    /// Where views are saved: beside the audit log, unless that is written elsewhere.
    fn views(&self) -> PathBuf {
        self.circumstances.audit.parent().unwrap_or(Path::new(".")).join("views")
    }

    async fn execute(&self, rehearsal: Rehearsal, answers: Vec<Given>) -> Outcome {
        let newest = self.eyes.newest();
        let epoch = newest.facts.epoch;
        let requests = WithFiles(self.eyes.requests(epoch));
        let again = replan(self.eyes.assessed(), rehearsal.plan.clone(), self.session.clone(), epoch);
        match keepsake::keep(&rehearsal.plan, &self.views()).await {
            Ok(None) => {}
            Ok(Some(path)) => complain(&format!("saved before it goes: {}", path.display()), ""),
            Err(words) => return Outcome::Refused { words },
        }
        let order = Order { rehearsal, actor: Actor::of(&newest, &self.session), answers };
        self.ledger.begin(order.rehearsal.plan.drain.is_some());
        let outcome =
            drain::drain(&requests, order, self.ledger, again, &self.stop, |progress| self.ledger.progress(progress))
                .await;
        self.ledger.begin(false);
        outcome
    }

    /// Waits for what the watch has to show, and enters what it showed into the audit log.
    async fn prove(&mut self, plan: &Plan, outcome: Outcome) -> End {
        let began = clock::instant();
        let told = outcome.words(&plan.target);
        let seen = match outcome.awaited(&plan.effect) {
            Some(effect) => self.sees(&effect).await,
            None => false,
        };
        let proof = if seen { Proof::Seen { at: clock::now() } } else { Proof::NotSeen { until: clock::now() } };
        self.ledger.proved(&outcome.unproved(), proof).await;
        let whole = outcome.is_whole(&plan.effect);
        let effect = plan.effect.words();
        let after = began.elapsed().as_secs_f64();
        match outcome {
            Outcome::Refused { .. } => End::new(Ended::Refused, told),
            Outcome::Changed { done, words, .. } if done.is_empty() => {
                End::new(Ended::Refused, format!("nothing was changed: {words}; look at the plan again (--dry-run)"))
            }
            Outcome::Changed { .. } | Outcome::Failed { .. } => End::new(Ended::Failed, told),
            Outcome::Stopped { .. } => End::new(Ended::Interrupted, told),
            // What has no answer was applied all the same; what was to follow was not sent.
            Outcome::Unknown { .. } if seen && !whole => {
                End::new(Ended::Failed, format!("{told}; the watch shows that it was applied"))
            }
            Outcome::Accepted { .. } | Outcome::Unknown { .. } if seen => {
                let title = &plan.title;
                let shown =
                    if effect.is_empty() { "accepted".to_owned() } else { format!("{effect}, seen in the watch") };
                End::new(Ended::Done, format!("{title}: done ({shown} after {after:.1} s)"))
            }
            Outcome::Accepted { .. } => {
                let words =
                    format!("{}: sent and accepted, but not seen in the watch for {after:.0} s: {effect}", plan.title);
                End::new(Ended::NotSeen, words)
            }
            Outcome::Unknown { .. } => End::new(Ended::NotSeen, format!("{told}; not seen for {after:.0} s: {effect}")),
        }
    }

    async fn sees(&mut self, effect: &Effect) -> bool {
        let epoch = self.eyes.newest().facts.epoch;
        let requests = WithFiles(self.eyes.requests(epoch));
        let looking = self.eyes.see(effect, &requests, epoch);
        match self.act.timeout {
            Some(limit) => tokio::time::timeout(limit, looking).await.unwrap_or(false),
            None => looking.await,
        }
    }
}
