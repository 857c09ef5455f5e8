//! Popups that offer a choice: versions on offer, contexts, the simulated cluster.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::actions::{self, ActionId, Ask, Danger, Material, Refusal, Target};
use crate::ui::ctx::Ctx;
use crate::ui::request::{Request, SimFault, SimRequest};
use crate::ui::theme::Tone;
use crate::ui::widgets::motion::Motion;
use crate::ui::widgets::pen::{Pen, write};
use crate::ui::widgets::spots::Spots;
use crate::ui::words;

/// What is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offering {
    /// The versions on offer.
    Versions,
    /// The contexts of the kubeconfig.
    Contexts,
    /// The simulated cluster.
    Sim,
}

/// A line that can be chosen.
struct Choice {
    tone: Tone,
    words: String,
    /// In lines below it: the first of them, or all when selected.
    detail: String,
    /// What choosing it leads to.
    pick: Request,
    /// How well it can be taken: of the best ones the first is selected until somebody moves.
    standing: Standing,
}

/// How well something can be taken, the best first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is offered without reserve.
    #[default]
    Plain,
    /// It is offered with risks.
    Risky,
    /// It is refused.
    Refused,
}

/// Columns by which a detail is indented.
const DETAIL: u16 = 6;

impl Choice {
    /// The detail, in lines.
    fn detail_lines(&self, columns: usize) -> Vec<String> {
        if self.detail.is_empty() {
            return Vec::new();
        }
        words::wrap(&self.detail, columns.saturating_sub(usize::from(DETAIL) + 2), 0)
    }
}

/// The popup.
#[derive(Debug)]
pub struct Choices {
    /// What is offered.
    pub offering: Offering,
    /// Where somebody moved; none: nobody has, the best choice is selected.
    cursor: Option<usize>,
    offset: usize,
    page: usize,
    /// Where the choices stand.
    spots: Spots<usize>,
}

/// The letter of a danger, with its word.
pub fn danger_words(danger: Danger) -> &'static str {
    match danger {
        Danger::L => "L reversible",
        Danger::M => "M may disrupt workloads or reboot nodes",
        Danger::H => "H cannot be undone or can lose quorum, data or support",
    }
}

/// Meaning of a danger.
pub fn danger_tone(danger: Danger) -> Tone {
    match danger {
        Danger::L => Tone::Ok,
        Danger::M => Tone::Warning,
        Danger::H => Tone::Danger,
    }
}

/// `3 marked nodes (worker-0, worker-1 +1)`.
fn marked(names: &[String], what: &str) -> String {
    format!("{} marked {what} ({})", names.len(), words::listed(names, words::MARKED))
}

/// A target in words.
pub fn target_words(target: &Target) -> String {
    match target {
        Target::Nodes(names) if names.len() > 1 => marked(names, "nodes"),
        Target::Pools(names) if names.len() > 1 => marked(names, "pools"),
        Target::Cluster => "the cluster".into(),
        other => other.words(),
    }
}

impl Choices {
    /// A popup.
    pub fn new(offering: Offering) -> Self {
        Self { offering, cursor: None, offset: 0, page: 5, spots: Spots::default() }
    }

    /// Title.
    pub fn title(&self) -> String {
        match &self.offering {
            Offering::Versions => "versions on offer".into(),
            Offering::Contexts => "contexts".into(),
            Offering::Sim => "the simulated cluster".into(),
        }
    }

    /// Lines above the choices.
    fn preface(&self, ctx: &Ctx<'_>) -> Vec<(Tone, String)> {
        let dim = |text: String| (Tone::Dim, text);
        match (&self.offering, ctx.sim) {
            (Offering::Sim, Some(sim)) => {
                let faults = if sim.faults.is_empty() { "none".into() } else { sim.faults.join(", ") };
                vec![
                    dim(format!("scenario {}, seed {}, at {}", sim.scenario, sim.seed, sim.url)),
                    dim("attach kubectl or oc from another terminal (Y copies this line):".into()),
                    (Tone::Strong, attach_line(&sim.kubeconfig)),
                    dim(format!("speed {} (+ and - change it), faults in force: {faults}", speed_words(sim.speed))),
                    (Tone::Text, String::new()),
                ]
            }
            (Offering::Sim, None) => vec![dim("this is not a simulated cluster".into())],
            (Offering::Versions, _) => {
                let update = &ctx.assessment.update;
                let channel = update.channel.as_deref().unwrap_or("no channel");
                let mut lines =
                    vec![dim(format!("at {}, {channel}", update.to.as_deref().unwrap_or("an unknown version")))];
                if update.in_progress {
                    let text = "an update is in progress: another target takes its place and nothing is rolled back";
                    lines.push((Tone::Warning, text.to_owned()));
                }
                lines.push(dim(
                    "d tells all risks, issues and gates (:updates); :preflight goes through readiness".into()
                ));
                lines
            }
            _ => Vec::new(),
        }
    }

    fn choices(&self, ctx: &Ctx<'_>) -> Vec<Choice> {
        match &self.offering {
            Offering::Versions => versions(ctx),
            Offering::Contexts => contexts(ctx),
            Offering::Sim => faults(ctx),
        }
    }

    /// The selected one of them.
    fn selected(&self, choices: &[Choice]) -> usize {
        let best = || (0..choices.len()).min_by_key(|at| choices[*at].standing).unwrap_or(0);
        self.cursor.map_or_else(best, |at| at.min(choices.len().saturating_sub(1)))
    }

    /// Moves the selection.
    pub fn go(&mut self, motion: Motion, ctx: &Ctx<'_>) {
        let choices = self.choices(ctx);
        self.cursor = Some(motion.apply(self.selected(&choices), choices.len(), self.page));
    }

    /// Selects the choice that was drawn there; true: it was selected already.
    pub fn select_at(&mut self, at: Position, ctx: &Ctx<'_>) -> bool {
        let Some(row) = self.spots.at(at) else { return false };
        let before = self.selected(&self.choices(ctx));
        self.cursor = Some(row);
        before == row
    }

    /// Takes the selected choice.
    pub fn pick(&self, ctx: &Ctx<'_>) -> Option<Request> {
        let choices = self.choices(ctx);
        let at = self.selected(&choices);
        choices.into_iter().nth(at).map(|choice| choice.pick)
    }

    /// What copying gives.
    pub fn copied(&self, ctx: &Ctx<'_>) -> Option<String> {
        if let (Offering::Sim, Some(sim)) = (&self.offering, ctx.sim) {
            return Some(attach_line(&sim.kubeconfig));
        }
        let choices = self.choices(ctx);
        choices.get(self.selected(&choices)).map(|choice| choice.words.trim().to_owned())
    }

    /// The popup as text.
    pub fn text(&self, ctx: &Ctx<'_>) -> String {
        let preface = self.preface(ctx).into_iter().map(|(_, text)| text);
        let lines =
            preface.chain(self.choices(ctx).into_iter().map(|choice| format!("{}  {}", choice.words, choice.detail)));
        lines.map(|line| line + "\n").collect()
    }

    /// Lines that the popup would like when its text is so wide.
    pub fn height(&self, columns: u16, ctx: &Ctx<'_>) -> u16 {
        let columns = usize::from(columns);
        let preface: usize = self.preface(ctx).iter().map(|(_, text)| words::wrap(text, columns, 0).len()).sum();
        let choices: usize = self.choices(ctx).iter().map(|choice| 1 + choice.detail_lines(columns).len()).sum();
        (preface + choices.max(1)).clamp(2, 30) as u16
    }

    /// Draws preface and choices, each with its detail: of the selected one in full.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
        let columns = usize::from(area.width);
        let mut y = area.y;
        for (tone, text) in self.preface(ctx) {
            for line in words::wrap(&text, columns, 0) {
                if y >= area.bottom() {
                    return;
                }
                write(buffer, (area.x, y), area.width, ctx.theme, tone, &line);
                y += 1;
            }
        }
        self.spots.clear();
        let choices = self.choices(ctx);
        let cursor = self.selected(&choices);
        if choices.is_empty() {
            if y < area.bottom() {
                let text = self.nothing();
                write(buffer, (area.x, y), area.width, ctx.theme, Tone::Dim, &text);
            }
            return;
        }
        let details = |index: usize, choice: &Choice| {
            let lines = choice.detail_lines(columns);
            let shown = if index == cursor { lines.len() } else { lines.len().min(1) };
            (lines, shown)
        };
        let room = usize::from(area.bottom() - y);
        let tall = |index: usize| 1 + details(index, &choices[index]).1;
        self.page = (room / 2).max(1);
        self.offset = self.offset.min(cursor);
        while self.offset < cursor && (self.offset..=cursor).map(tall).sum::<usize>() > room {
            self.offset += 1;
        }
        for (index, choice) in choices.iter().enumerate().skip(self.offset) {
            if y >= area.bottom() {
                break;
            }
            let selected = index == cursor;
            let top = y;
            let mut pen = Pen::new(ctx.theme);
            pen.sign(Tone::Key, if selected { ctx.theme.symbols().cursor } else { " " });
            pen.put(choice.tone, &choice.words);
            let line = Rect { y, height: 1, ..area };
            pen.draw(buffer, line);
            if selected {
                buffer.set_style(line, ctx.theme.style(Tone::Selected));
            }
            y += 1;
            let (lines, shown) = details(index, choice);
            let cut = lines.len() > shown;
            for text in lines.into_iter().take(shown) {
                if y >= area.bottom() {
                    break;
                }
                let text = if cut { format!("{} {}", text.trim_end(), ctx.theme.symbols().ellipsis) } else { text };
                write(buffer, (area.x + DETAIL, y), area.width.saturating_sub(DETAIL), ctx.theme, Tone::Dim, &text);
                y += 1;
            }
            self.spots.put(Rect { y: top, height: y - top, ..area }, index);
        }
    }

    fn nothing(&self) -> String {
        match self.offering {
            Offering::Contexts => "the kubeconfig has no contexts".into(),
            Offering::Versions => "no version is on offer".into(),
            Offering::Sim => String::new(),
        }
    }
}

/// The line to attach another tool with.
fn attach_line(kubeconfig: &str) -> String {
    format!("export KUBECONFIG={kubeconfig}")
}

fn speed_words(speed: f64) -> String {
    format!("{speed}x")
}

/// The wish to go to a version that is on offer. Another target for an update that is in progress is a choice that was
/// made by coming where it is listed: the plan says what it means.
pub fn update_ask(version: &str, ctx: &Ctx<'_>) -> Ask {
    let ask = Ask::new(ActionId::StartUpdate, Target::Version(version.to_owned()));
    if ctx.assessment.update.in_progress { ask.with("allow-with-warnings", "") } else { ask }
}

/// How well a version can be gone to, and why not where it cannot.
pub fn standing(ask: &Ask, recommended: bool, ctx: &Ctx<'_>) -> (Standing, Option<Refusal>) {
    match actions::plan(ctx.assessment, ctx.session, ask, &Material::default()) {
        Err(refusal) => (Standing::Refused, Some(refusal)),
        Ok(_) if recommended => (Standing::Plain, None),
        Ok(_) => (Standing::Risky, None),
    }
}

fn versions(ctx: &Ctx<'_>) -> Vec<Choice> {
    let choice = |offer: &crate::upgrade::assessment::Offer| {
        let ask = update_ask(&offer.version, ctx);
        let (standing, refusal) = standing(&ask, offer.risk.is_none(), ctx);
        let risk = offer.risk.as_ref().map_or_else(|| "recommended".to_owned(), |risk| format!("risk: {risk}"));
        let (tone, detail) = match (&refusal, &offer.risk) {
            (Some(refusal), _) => (Tone::Dim, format!("no: {}", refusal.0)),
            (None, Some(_)) => (Tone::Warning, risk),
            (None, None) => (Tone::Ok, risk),
        };
        // A refusal is not hidden behind a dead line: the app words it once more when the plan is asked for.
        let pick = Request::Plan(ask);
        Choice { tone, words: offer.version.clone(), detail, pick, standing }
    };
    ctx.assessment.update.offers.iter().map(choice).collect()
}

fn contexts(ctx: &Ctx<'_>) -> Vec<Choice> {
    let choice = |line: &crate::ui::ctx::ContextLine| Choice {
        tone: if line.current { Tone::Ok } else { Tone::Text },
        words: format!("{} {}", if line.current { ctx.theme.symbols().live } else { " " }, line.name),
        detail: format!("{}, as {}", line.cluster, line.user),
        pick: Request::SwitchContext(line.name.clone()),
        standing: Standing::Plain,
    };
    ctx.contexts.iter().map(choice).collect()
}

fn faults(ctx: &Ctx<'_>) -> Vec<Choice> {
    if ctx.sim.is_none() {
        return Vec::new();
    }
    let fault = |words: &str, fault| Choice {
        tone: Tone::Text,
        words: words.to_owned(),
        detail: String::new(),
        pick: Request::Sim(SimRequest::Fault(fault)),
        standing: Standing::Plain,
    };
    let pass = |minutes: u64| Choice {
        tone: Tone::Text,
        words: format!("let {minutes} min pass at once"),
        detail: String::new(),
        pick: Request::Sim(SimRequest::Pass { minutes }),
        standing: Standing::Plain,
    };
    vec![
        fault("outage: nobody listens for 20 s", SimFault::Outage { seconds: 20 }),
        fault("outage: nobody listens for 2 min", SimFault::Outage { seconds: 120 }),
        fault("cut all watches once", SimFault::CutWatches { every: None }),
        fault("cut all watches every 10 s", SimFault::CutWatches { every: Some(10) }),
        fault("410 Gone for the watches", SimFault::Gone),
        fault("429 Too Many Requests for 20 s", SimFault::TooManyRequests { seconds: 20 }),
        fault("500 for 20 s", SimFault::ServerErrors { seconds: 20 }),
        fault("800 ms more latency", SimFault::Latency { millis: 800 }),
        fault("expire the tokens (401)", SimFault::ExpireTokens),
        pass(10),
        pass(60),
        Choice {
            tone: Tone::Ok,
            words: "end all faults".into(),
            detail: String::new(),
            pick: Request::Sim(SimRequest::ClearFaults),
            standing: Standing::Plain,
        },
    ]
}

/// The next speed: 0 (paused) is not among them, since a cluster cannot be paused.
pub fn next_speed(speed: f64, faster: bool) -> f64 {
    const SPEEDS: [f64; 9] = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0];
    if faster {
        SPEEDS.into_iter().find(|step| *step > speed + 1e-9).unwrap_or(SPEEDS[SPEEDS.len() - 1])
    } else {
        SPEEDS.into_iter().rev().find(|step| *step < speed - 1e-9).unwrap_or(SPEEDS[0])
    }
}

/// The widest line, for the size of the popup.
pub fn widest(choices: &Choices, ctx: &Ctx<'_>) -> u16 {
    choices.text(ctx).lines().map(words::width).max().unwrap_or(30).clamp(44, 110) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_go_in_steps_and_stay_within_bounds() {
        assert!((next_speed(1.0, true) - 2.0).abs() < 1e-9);
        assert!((next_speed(3.0, false) - 2.0).abs() < 1e-9);
        assert!((next_speed(500.0, true) - 200.0).abs() < 1e-9);
        assert!((next_speed(0.1, false) - 0.5).abs() < 1e-9);
    }
}
