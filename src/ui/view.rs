//! The state of what is looked at, and the doors through which the app drives it.

mod carry;
mod line;
mod mouse;

use ratatui::Frame;

use super::ctx::Ctx;
use super::panes::findings::FindingSheet;
use super::panes::image_based::{self, ImageBasedPane};
use super::panes::map::Map;
use super::panes::nodes::NodeSheet;
use super::panes::operators::OperatorSheet;
use super::panes::pools::Pools;
use super::panes::timeline::TimelineSheet;
use super::popups::choices::{Choices, Offering};
use super::popups::columns::{self, ColumnsPopup};
use super::popups::confirm::PlanPopup;
use super::popups::drain::DrainPopup;
use super::popups::finding::FindingPopup;
use super::popups::form::Form;
use super::popups::logs::LogPopup;
use super::popups::menu::{self, Menu};
use super::popups::object::ObjectPopup;
use super::popups::report::{About, Report};
use super::request::{Fetched, LogAsk, LogNews, Rehearsed, Request};
use super::screen;
use super::theme::Tone;
use super::widgets::table::{Sheet, Table};
use super::widgets::text_view::{TextLine, TextView};
use crate::actions::next_step::{NextStep, next_step};
use crate::actions::{Ask, Plan, Target};
use crate::input::{Command, Key, Layer, Pane, Row, Snapshot, Tab};
use crate::upgrade::assessment::Subject;
use crate::upgrade::facts::Kind;
use crate::upgrade::needs;

pub(super) use line::{Prompt, Purpose};

/// What lies over the panes.
#[derive(Debug)]
pub(super) enum Popup {
    /// Describe or YAML.
    Object(Box<ObjectPopup>),
    /// Help, for where the person was, narrowed by a filter.
    Help { view: TextView, at: Snapshot, filter: String },
    /// The command log.
    Log(TextView),
    /// A finding.
    Finding(Box<FindingPopup>),
    /// An answer that fills the screen.
    Report(Box<Report>),
    /// The logs that explain something.
    Logs(Box<LogPopup>),
    /// A choice.
    Choices(Choices),
    /// The columns of a table.
    Columns(Box<ColumnsPopup>),
    /// The actions for something.
    Menu(Menu),
    /// The form of an action.
    Form(Box<Form>),
    /// A wish that waits for what it is decided on to be read.
    Waiting(Ask),
    /// A plan that waits for confirmation.
    Plan(Box<PlanPopup>),
    /// A drain as it goes.
    Drain(Box<DrainPopup>),
    /// Something that needs more room than the flash line.
    Message { title: String, view: TextView },
}

/// All view state: tab, focus, per pane selection, scroll, filter, sort, marks; popups; the line at the bottom.
#[derive(Debug)]
pub struct View {
    pub(super) tab: Tab,
    last_tab: Tab,
    /// The pane with the focus on the overview.
    overview: Pane,
    /// The focus on the node tab is on the map.
    on_map: bool,
    /// Panes that the last frame showed, in the order of `tab`.
    pub(super) visible: Vec<Pane>,
    /// What the last frame showed where, for the mouse.
    pub(super) places: mouse::Places,
    pub(super) operators: Table<OperatorSheet>,
    pub(super) nodes: Table<NodeSheet>,
    pub(super) findings: Table<FindingSheet>,
    pub(super) timeline: Table<TimelineSheet>,
    pub(super) image_based: ImageBasedPane,
    pub(super) pools: Pools,
    pub(super) map: Map,
    pub(super) popups: Vec<Popup>,
    pub(super) prompt: Option<Prompt>,
    history: Vec<String>,
    pub(super) header: bool,
    pub(super) fullscreen: bool,
    /// `q` was pressed once at the root.
    leaving: bool,
    generation: Option<u64>,
    pub(super) next: Option<NextStep>,
    /// Counts the logs that were opened, across clusters: an answer to an older question is ignored.
    logs: u64,
}

/// Why nothing can be changed now: read-only, or a picture that is not live.
pub(super) fn writes_off(ctx: &Ctx<'_>) -> Option<String> {
    let stale = !ctx.assessment.facts.link.state.writable();
    ctx.session.read_only.clone().or_else(|| stale.then(|| "the picture is not live".to_owned()))
}

impl Default for View {
    fn default() -> Self {
        Self {
            tab: Tab::Overview,
            last_tab: Tab::Overview,
            overview: Pane::Pools,
            on_map: false,
            visible: Vec::new(),
            places: mouse::Places::default(),
            operators: Table::default(),
            nodes: Table::default(),
            findings: Table::default(),
            timeline: Table::default(),
            image_based: ImageBasedPane::default(),
            pools: Pools::default(),
            map: Map::default(),
            popups: Vec::new(),
            prompt: None,
            history: Vec::new(),
            header: true,
            fullscreen: false,
            leaving: false,
            generation: None,
            next: None,
            logs: 0,
        }
    }
}

impl View {
    /// A view that shows the overview.
    pub fn new() -> Self {
        Self::default()
    }

    /// Draws everything.
    pub fn draw(&mut self, frame: &mut Frame<'_>, ctx: &Ctx<'_>) {
        self.assessed(ctx);
        screen::draw(self, frame, ctx);
    }

    /// A new assessment: rows are rebuilt (only when its generation is new), selections follow their objects.
    pub fn assessed(&mut self, ctx: &Ctx<'_>) {
        if self.generation == Some(ctx.assessment.generation) {
            return;
        }
        self.generation = Some(ctx.assessment.generation);
        // While the tab is open its kind is asked for: until the answer is there, nobody knows.
        let facts = &ctx.assessment.facts;
        let known = facts.complete() && facts.settled(Kind::ImageBasedUpgrades);
        let gone = known && !image_based::served(ctx.assessment);
        if self.tab == Tab::ImageBased && gone {
            self.tab = Tab::Overview;
        }
        self.operators.assessed(ctx);
        self.nodes.assessed(ctx);
        self.findings.assessed(ctx);
        self.timeline.assessed(ctx);
        self.pools.assessed(ctx);
        self.next = next_step(ctx.assessment, ctx.session);
    }

    /// Shows these columns of the table of that name, in this order.
    ///
    /// # Errors
    /// There is no such table, or no such column (then which of `names`), and what was expected.
    pub fn choose_columns(&mut self, table: &str, names: &[String]) -> Result<(), (Option<usize>, String)> {
        fn choose<S: Sheet>(table: &mut Table<S>, names: &[String]) -> Result<(), (usize, String)> {
            table.choose(Some(columns::named(S::COLUMNS, names)?));
            Ok(())
        }
        let chosen = match table {
            "operators" => choose(&mut self.operators, names),
            "nodes" => choose(&mut self.nodes, names),
            "findings" => choose(&mut self.findings, names),
            "timeline" => choose(&mut self.timeline, names),
            _ => {
                let known = "operators, nodes, findings, timeline";
                return Err((None, format!("`{table}` is not a table, expected one of {known}")));
            }
        };
        chosen.map_err(|(name, trouble)| (Some(name), trouble))
    }

    /// The tab that is shown.
    pub fn tab(&self) -> Tab {
        self.tab
    }

    /// The pane that has the focus.
    pub fn pane(&self) -> Pane {
        match self.tab {
            Tab::Overview => self.overview,
            Tab::Operators => Pane::Operators,
            Tab::Pools => Pane::Pools,
            Tab::Nodes if self.on_map => Pane::Map,
            Tab::Nodes => Pane::Nodes,
            Tab::Findings => Pane::Findings,
            Tab::Timeline => Pane::Timeline,
            Tab::ImageBased => Pane::ImageBased,
        }
    }

    /// What is selected in the pane that has the focus.
    pub fn subject(&self, ctx: &Ctx<'_>) -> Option<Subject> {
        let a = ctx.assessment;
        match self.pane() {
            Pane::Operators => self.operators.row(a).map(|row| Subject::Operator(row.name.clone())),
            Pane::Pools => self.pools.subject(),
            Pane::Map | Pane::Nodes => self.nodes.row(a).map(|row| Subject::Node(row.name.clone())),
            Pane::Findings => self.findings.row(a).map(|row| row.subject.clone()),
            Pane::Timeline => self.timeline.row(a).map(|row| row.subject.clone()),
            Pane::ImageBased => image_based::served(a).then(image_based::subject),
        }
    }

    /// What the conditions of the keymap look at.
    pub fn snapshot(&self, ctx: &Ctx<'_>) -> Snapshot {
        let layer = match self.popups.last() {
            None => Layer::Panes,
            Some(Popup::Choices(_) | Popup::Menu(_) | Popup::Columns(_)) => Layer::List,
            Some(Popup::Plan(_)) => Layer::Plan,
            Some(Popup::Form(_)) => Layer::Form,
            Some(_) => Layer::Text,
        };
        let typing = match self.popups.last() {
            Some(Popup::Plan(plan)) => plan.typing(),
            Some(Popup::Form(form)) => form.typing(),
            _ => false,
        };
        let command_line = self.prompt.as_ref().is_some_and(|prompt| prompt.purpose == Purpose::Command);
        Snapshot {
            layer,
            pane: self.pane(),
            text_entry: self.prompt.is_some() || typing,
            command_line,
            read_only: writes_off(ctx).is_some(),
            row: self.row_kind(ctx),
            marked: match self.pane() {
                Pane::Nodes | Pane::Map => self.nodes.marked(),
                Pane::Pools => self.nodes.marked() || !self.pools.marks(ctx.assessment).is_empty(),
                _ => false,
            },
            searching: self.text_view().is_some_and(TextView::searching),
            sim: matches!(self.popups.last(), Some(Popup::Choices(c)) if c.offering == Offering::Sim),
            versions: matches!(self.popups.last(), Some(Popup::Choices(c)) if c.offering == Offering::Versions),
            menu: matches!(self.popups.last(), Some(Popup::Menu(_))),
            message: matches!(self.popups.last(), Some(Popup::Message { .. })),
            barred: menu::barred(ctx).collect(),
            finding: matches!(self.popups.last(), Some(Popup::Finding(_))),
            covered: matches!(self.popups.last(), Some(Popup::Finding(f)) if f.action(ctx.assessment).is_some()),
            log: matches!(self.popups.last(), Some(Popup::Logs(_))),
            image_based: image_based::served(ctx.assessment),
            drain: matches!(self.popups.last(), Some(Popup::Drain(_))),
            drains: ctx.jobs.iter().any(|job| job.drain.is_some()),
            next_step: self.next.is_some(),
            updates: matches!(self.popups.last(), Some(Popup::Report(report)) if report.picked().is_some()),
            columns: matches!(self.popups.last(), Some(Popup::Columns(_))),
            root: self.at_root(),
            phases: matches!(self.popups.last(), Some(Popup::Report(report)) if report.about == About::Phases),
            running: ctx.jobs.iter().any(|job| job.state == super::ctx::JobState::Running),
        }
    }

    /// The marked pools where pools are listed, else the one that is selected.
    fn pools_meant(&self, selected: String, ctx: &Ctx<'_>) -> Vec<String> {
        let marks = if self.pane() == Pane::Pools { self.pools.marks(ctx.assessment) } else { Vec::new() };
        if marks.is_empty() { vec![selected] } else { marks }
    }

    fn row_kind(&self, ctx: &Ctx<'_>) -> Row {
        match self.subject(ctx) {
            None => Row::None,
            Some(Subject::Version) => Row::Version,
            Some(Subject::Operator(_)) => Row::Operator,
            Some(Subject::Pool(name)) => {
                // Of marked pools one that is not paused is enough: then pausing is what `p` means.
                let names = self.pools_meant(name, ctx);
                let mut pools = names.iter().filter_map(|name| ctx.assessment.pool(name));
                match pools.next().map(|first| first.paused && pools.all(|pool| pool.paused)) {
                    None => Row::Other,
                    Some(true) => Row::PausedPool,
                    Some(false) => Row::Pool,
                }
            }
            Some(Subject::Node(name)) => match ctx.assessment.node(&name) {
                Some(node) if node.cordon.is_some() => Row::CordonedNode,
                Some(_) => Row::Node,
                None => Row::Other,
            },
            Some(Subject::Object(_)) => Row::Object,
            Some(Subject::Link) => Row::Other,
        }
    }

    /// A key: resolved by the keymap and carried out, or typed into the text field that has the keyboard.
    pub fn key(&mut self, key: Key, ctx: &Ctx<'_>) -> Vec<Request> {
        let at = self.snapshot(ctx);
        if let Some(command) = ctx.keymap.resolve(key, &at) {
            return self.command(command, ctx);
        }
        if at.text_entry {
            self.text(key, ctx);
            return Vec::new();
        }
        self.leaving = false;
        if ctx.keymap.would_write(key, &at) {
            let why = writes_off(ctx).unwrap_or_default();
            return vec![Request::Say(format!("{key} does nothing here, writes are off: {why}"))];
        }
        // A dead key says so: at night nobody knows whether it was the key or the program.
        let words = if let Some((command, when)) = ctx.keymap.elsewhere(key, &at) {
            format!("{key} ({}) does nothing here: {}", command.word(), when.missing())
        } else {
            let help = ctx.keymap.keys(Command::Help, false).first().map(ToString::to_string).unwrap_or_default();
            format!("{key} does nothing here; {help} lists the keys")
        };
        vec![Request::Say(words)]
    }

    /// A key that is text, for the field that has the keyboard.
    pub fn text(&mut self, key: Key, ctx: &Ctx<'_>) {
        if let Some(prompt) = &mut self.prompt {
            if prompt.edit.edit(key) {
                self.typed(ctx);
            }
            return;
        }
        match self.popups.last_mut() {
            Some(Popup::Plan(plan)) => plan.key(key),
            Some(Popup::Form(form)) => form.key(key),
            _ => {}
        }
    }

    /// A paste from the terminal: goes to the text field that has the keyboard, and is ignored elsewhere.
    pub fn paste(&mut self, text: &str, ctx: &Ctx<'_>) {
        if let Some(prompt) = &mut self.prompt {
            prompt.edit.insert(text);
            self.typed(ctx);
            return;
        }
        match self.popups.last_mut() {
            Some(Popup::Plan(plan)) => plan.paste(text),
            Some(Popup::Form(form)) => form.paste(text),
            _ => {}
        }
    }

    /// Carries a command out.
    pub fn command(&mut self, command: Command, ctx: &Ctx<'_>) -> Vec<Request> {
        self.assessed(ctx);
        if command != Command::Leave {
            self.leaving = false;
        }
        if let Some(why) = writes_off(ctx).filter(|_| command.writes() && command != Command::CancelJob) {
            return vec![Request::Say(format!("writes are off: {why}"))];
        }
        self.carry_out(command, ctx)
    }

    /// The answer to [`Request::Fetch`].
    #[expect(clippy::needless_pass_by_value, reason = "an answer is handed over")]
    pub fn show_object(&mut self, subject: &Subject, fetched: Fetched) {
        for popup in &mut self.popups {
            if let Popup::Object(object) = popup
                && object.subject == *subject
            {
                object.show(fetched.clone());
            }
        }
    }

    /// The answer to [`Request::Plan`]: shown for confirmation. The dry run and the reads follow by
    /// [`View::show_rehearsal`].
    pub fn show_plan(&mut self, plan: Plan) {
        let ask = plan.ask();
        let mut popup = PlanPopup::new(plan);
        for shown in &self.popups {
            if let Popup::Plan(before) = shown
                && before.is(&ask)
            {
                popup.keep_answers(before);
            }
        }
        self.make_room(&ask);
        self.popups.push(Popup::Plan(Box::new(popup)));
    }

    /// A menu that led to an action has done its work; its form stays below, so that one step up leads back to it.
    fn make_room(&mut self, ask: &Ask) {
        self.popups.retain(|popup| match popup {
            Popup::Choices(_) | Popup::Menu(_) | Popup::Plan(_) | Popup::Waiting(_) => false,
            Popup::Form(form) => form.action() == ask.action,
            _ => true,
        });
        self.prompt = None;
    }

    /// The answer to [`Request::Plan`] while what it is decided on is being read: the plan follows when it is known.
    pub fn show_waiting(&mut self, ask: Ask) {
        self.make_room(&ask);
        self.popups.push(Popup::Waiting(ask));
    }

    /// The wish that waits for something to be read.
    pub fn waiting(&self) -> Option<&Ask> {
        self.popups.iter().rev().find_map(|popup| match popup {
            Popup::Waiting(ask) => Some(ask),
            _ => None,
        })
    }

    /// News about the plan that is on the screen; ignored when another one is.
    pub fn show_rehearsal(&mut self, ask: &Ask, news: Rehearsed) {
        for popup in &mut self.popups {
            if let Popup::Plan(plan) = popup
                && plan.is(ask)
            {
                plan.rehearsed(news);
                return;
            }
        }
    }

    /// The answer to [`Request::Plan`] when it cannot be done, or a refusal after the fact: the reason.
    pub fn show_refusal(&mut self, ask: &Ask, why: &str) {
        for popup in &mut self.popups {
            if let Popup::Plan(plan) = popup
                && plan.is(ask)
            {
                plan.refused(why);
                return;
            }
        }
        self.popups.retain(|popup| !matches!(popup, Popup::Waiting(_)));
        for popup in &mut self.popups {
            if let Popup::Form(form) = popup
                && form.action() == ask.action
            {
                form.refused(why);
                return;
            }
        }
        let target = match &ask.target {
            Target::Cluster => String::new(),
            target => format!(" {}", super::popups::choices::target_words(target)),
        };
        let title = format!("{}{target}: refused", Command::Act(ask.action).word());
        self.show_message(title, why);
    }

    /// A drain has begun: shown as it goes. The plan that led here has done its work.
    pub fn show_drain(&mut self, job: u64) {
        self.popups.retain(|popup| !matches!(popup, Popup::Plan(_) | Popup::Choices(_) | Popup::Drain(_)));
        self.popups.push(Popup::Drain(Box::new(DrainPopup::new(job))));
    }

    /// A text that is too important for the line at the bottom, in a popup of its own.
    pub fn show_message(&mut self, title: impl Into<String>, text: &str) {
        let lines = super::neutral::neutral_lines(text);
        let lines = lines.into_iter().map(|line| TextLine::new(Tone::Text, line)).collect();
        self.popups.push(Popup::Message { title: title.into(), view: TextView::new(lines) });
    }

    /// What a message of that title said is no longer so.
    pub fn end_message(&mut self, title: &str) {
        self.popups.retain(|popup| !matches!(popup, Popup::Message { title: shown, .. } if shown == title));
    }

    /// Another cluster answers: selections, marks, filters and popups of the old one go.
    pub fn forget_cluster(&mut self) {
        let history = std::mem::take(&mut self.history);
        let columns = (self.operators.chosen(), self.nodes.chosen(), self.findings.chosen(), self.timeline.chosen());
        *self = Self { tab: self.tab, header: self.header, history, logs: self.logs, ..Self::default() };
        self.operators.choose(columns.0);
        self.nodes.choose(columns.1);
        self.findings.choose(columns.2);
        self.timeline.choose(columns.3);
    }

    /// What somebody looks at and is about to do: what has to be read for that is more than for the panes alone.
    pub fn wanted(&self) -> needs::Wanted {
        let reports = self.popups.iter().filter_map(|popup| match popup {
            Popup::Report(report) => Some(report.purpose()),
            _ => None,
        });
        let pane = (self.tab == Tab::ImageBased).then_some(needs::Purpose::ImageBased);
        let mut wanted: needs::Wanted = reports.chain(pane).max().unwrap_or_default().into();
        for popup in &self.popups {
            match popup {
                Popup::Waiting(Ask { action, .. }) => wanted.kinds.extend(action.entry().needs),
                Popup::Plan(plan) => wanted.kinds.extend(plan.action().entry().needs),
                Popup::Form(form) => wanted.kinds.extend(form.action().entry().needs),
                Popup::Menu(menu) => {
                    let needs = menu.shown().flat_map(|entry| entry.needs);
                    // All pods of a cluster are not read for a look at a menu.
                    wanted.kinds.extend(needs.filter(|kind| **kind != Kind::Pods));
                }
                _ => {}
            }
        }
        wanted
    }

    /// The log that has to be read now, and the name of the question: as long as it is open, whatever lies over it.
    pub fn log_wanted(&self) -> Option<(u64, LogAsk)> {
        self.popups.iter().rev().find_map(|popup| match popup {
            Popup::Logs(log) => log.asked(),
            _ => None,
        })
    }

    /// News of the log of that question; ignored when another one is open.
    pub fn show_log(&mut self, ticket: u64, news: Vec<LogNews>) {
        let open = self.popups.iter_mut().rev().find_map(|popup| match popup {
            Popup::Logs(log) => Some(log),
            _ => None,
        });
        if let Some(log) = open {
            log.news(ticket, news);
        }
    }

    /// Has the container whose log is on top run before, as far as that is known?
    pub(super) fn log_restarted(&self) -> bool {
        matches!(self.popups.last(), Some(Popup::Logs(log)) if log.restarted())
    }

    /// Is a plan on the screen that waits for confirmation?
    pub fn confirming(&self) -> bool {
        self.popups.iter().any(|popup| matches!(popup, Popup::Plan(_)))
    }

    /// The text of the popup on top, where it has one.
    fn text_view(&self) -> Option<&TextView> {
        match self.popups.last()? {
            Popup::Object(object) => Some(&object.view),
            Popup::Finding(finding) => Some(&finding.view),
            Popup::Report(report) => Some(&report.view),
            Popup::Drain(drain) => Some(&drain.view),
            Popup::Help { view, .. } | Popup::Log(view) | Popup::Message { view, .. } => Some(view),
            Popup::Choices(_)
            | Popup::Menu(_)
            | Popup::Form(_)
            | Popup::Columns(_)
            | Popup::Waiting(_)
            | Popup::Plan(_)
            | Popup::Logs(_) => None,
        }
    }

    /// Why the search that is typed is not in force.
    pub(super) fn search_error(&self) -> Option<&str> {
        match self.popups.last()? {
            Popup::Logs(log) => log.log.filter.error(),
            Popup::Report(report) => report.filter.error(),
            _ => self.text_view().and_then(TextView::search_error),
        }
    }

    /// Where the search is.
    pub(super) fn search_words(&self) -> String {
        match self.popups.last() {
            Some(Popup::Logs(log)) => {
                let (shown, all) = log.log.counts();
                format!("{shown}/{all}")
            }
            Some(Popup::Report(report)) => {
                let (shown, all) = report.counts();
                format!("{shown}/{all}")
            }
            _ => self.text_view().map(TextView::search_words).unwrap_or_default(),
        }
    }

    fn text_view_mut(&mut self) -> Option<&mut TextView> {
        match self.popups.last_mut()? {
            Popup::Object(object) => Some(&mut object.view),
            Popup::Finding(finding) => Some(&mut finding.view),
            Popup::Report(report) => Some(&mut report.view),
            Popup::Drain(drain) => Some(&mut drain.view),
            Popup::Help { view, .. } | Popup::Log(view) | Popup::Message { view, .. } => Some(view),
            Popup::Choices(_)
            | Popup::Menu(_)
            | Popup::Form(_)
            | Popup::Columns(_)
            | Popup::Waiting(_)
            | Popup::Plan(_)
            | Popup::Logs(_) => None,
        }
    }
}
