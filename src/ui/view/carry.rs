//! What each command does: in the line, in the popup on top, in the panes.

use super::{Popup, View};
use crate::actions::next_step::Leads;
use crate::actions::{ActionId, Args, Ask, Takes, Target};
use crate::input::{Command, Pane, Tab};
use crate::ui::ctx::{Ctx, JobState};
use crate::ui::panes::findings::subject_words;
use crate::ui::panes::image_based::{self, ImageBasedPane};
use crate::ui::popups::choices::{Choices, Offering, next_speed};
use crate::ui::popups::columns::ColumnsPopup;
use crate::ui::popups::confirm::Outcome;
use crate::ui::popups::finding::{self, FindingPopup};
use crate::ui::popups::form;
use crate::ui::popups::logs::LogPopup;
use crate::ui::popups::menu::{Menu, Picked};
use crate::ui::popups::object::ObjectPopup;
use crate::ui::popups::report::About;
use crate::ui::request::{Request, SimRequest};
use crate::ui::widgets::motion::Motion;
use crate::ui::widgets::table::{Sheet, Table};
use crate::ui::widgets::text_view::TextView;
use crate::upgrade::assessment::{Resource, Subject};
use crate::upgrade::estimate::Part;
use crate::upgrade::link::LinkState;
use crate::upgrade::log_source;

impl View {
    pub(super) fn carry_out(&mut self, command: Command, ctx: &Ctx<'_>) -> Vec<Request> {
        match command {
            Command::Quit => return vec![Request::Quit],
            Command::Suspend => return vec![Request::Suspend],
            _ => {}
        }
        if self.prompt.is_some() {
            return self.line_command(command, ctx);
        }
        if let Some(requests) = self.in_program(command, ctx) {
            return requests;
        }
        if self.popups.is_empty() { self.in_panes(command, ctx) } else { self.in_popup(command, ctx) }
    }

    /// Commands that mean the same wherever they are given.
    fn in_program(&mut self, command: Command, ctx: &Ctx<'_>) -> Option<Vec<Request>> {
        match command {
            Command::CommandLine => self.open_command_line(),
            Command::Filter | Command::Search => self.open_filter(),
            Command::Header => self.header = !self.header,
            Command::Help => {
                if !matches!(self.popups.last(), Some(Popup::Help { .. })) {
                    let at = self.snapshot(ctx);
                    self.popups.push(Popup::Help { view: TextView::default(), at, filter: String::new() });
                }
            }
            Command::CommandLog => {
                if !matches!(self.popups.last(), Some(Popup::Log(_))) {
                    self.popups.push(Popup::Log(TextView::default()));
                }
            }
            Command::Refresh => {
                let object = match self.popups.last() {
                    Some(Popup::Object(object)) => Some(Request::Fetch(object.subject.clone())),
                    _ => None,
                };
                return Some(vec![object.unwrap_or(Request::Refresh)]);
            }
            Command::CancelJob => {
                let shown = match self.popups.last() {
                    Some(Popup::Drain(drain)) => drain.running(ctx),
                    _ => None,
                };
                if let Some(job) = shown {
                    return Some(vec![Request::CancelJob(job)]);
                }
                let running = ctx.jobs.iter().rev().find(|job| job.state == JobState::Running);
                return Some(running.map(|job| Request::CancelJob(job.id)).into_iter().collect());
            }
            Command::Drains => {
                if let Some(job) = ctx.jobs.iter().rev().find(|job| job.drain.is_some()) {
                    self.show_drain(job.id);
                }
            }
            Command::Save => return Some(vec![self.saved(ctx)]),
            Command::Copy => return Some(vec![self.copied(ctx)]),
            _ => return None,
        }
        Some(Vec::new())
    }

    pub(super) fn in_popup(&mut self, command: Command, ctx: &Ctx<'_>) -> Vec<Request> {
        if let Some(Popup::Plan(plan)) = self.popups.last_mut() {
            return match plan.command(command, ctx) {
                Outcome::Stay => Vec::new(),
                Outcome::Close => {
                    self.popups.pop();
                    Vec::new()
                }
                Outcome::Confirmed(request) => {
                    self.popups.pop();
                    self.popups.retain(|popup| !matches!(popup, Popup::Form(_)));
                    // What was marked is done: the next key must not meet it unawares.
                    if let Request::Confirm { plan, .. } = &request {
                        match plan.target {
                            Target::Nodes(_) => drop(self.nodes.clear_marks()),
                            Target::Pools(_) => drop(self.pools.clear_marks()),
                            _ => {}
                        }
                    }
                    vec![request]
                }
                Outcome::Asked(request) => vec![request],
                Outcome::NotYet(why) => vec![Request::Say(why)],
            };
        }
        if let Some(Popup::Form(form)) = self.popups.last_mut() {
            return match form.command(command, ctx) {
                form::Outcome::Stay => Vec::new(),
                form::Outcome::Close => {
                    self.popups.pop();
                    Vec::new()
                }
                form::Outcome::Wanted(ask) => vec![Request::Plan(ask)],
            };
        }
        if matches!(command, Command::Back | Command::Leave) {
            self.close_or_clear();
            return Vec::new();
        }
        if let Some(Popup::Menu(_)) = self.popups.last() {
            return self.in_menu(command, ctx);
        }
        if let Some(Popup::Columns(columns)) = self.popups.last_mut() {
            if columns.command(command) {
                let (pane, shown) = (columns.pane, columns.shown());
                self.show_columns(pane, shown);
            }
            return Vec::new();
        }
        if let Some(Popup::Choices(_)) = self.popups.last() {
            return self.in_choices(command, ctx);
        }
        if command == Command::NextStep {
            return self.next_step(ctx);
        }
        if let Some(Popup::Finding(_)) = self.popups.last()
            && let Some(requests) = self.in_finding(command, ctx)
        {
            return requests;
        }
        if let Some(Popup::Drain(drain)) = self.popups.last_mut() {
            match command {
                Command::NextChoice | Command::PreviousChoice => {
                    drain.choose(command == Command::NextChoice, ctx);
                    return Vec::new();
                }
                Command::Menu => {
                    let target = drain.target();
                    if let Some(target) = target {
                        self.popups.push(Popup::Menu(Menu::new(vec![target])));
                    }
                    return Vec::new();
                }
                _ => {}
            }
        }
        self.in_text(command)
    }

    /// Commands for what is read: scrolled, searched, chosen from.
    fn in_text(&mut self, command: Command) -> Vec<Request> {
        match command {
            Command::Fullscreen => self.fullscreen = !self.fullscreen,
            Command::Act(ActionId::StartUpdate) => {
                if let Some(Popup::Report(report)) = self.popups.last_mut() {
                    // What is below the fold has to be seen before it is asked for.
                    if report.reveal() {
                        return vec![Request::Say(format!("{} is chosen", report.chosen()))];
                    }
                    return report.picked().cloned().map(Request::Plan).into_iter().collect();
                }
            }
            other if matches!(self.popups.last(), Some(Popup::Logs(_))) => {
                if let Some(Popup::Logs(log)) = self.popups.last_mut() {
                    log.command(other);
                }
            }
            Command::ManagedFields => {
                if let Some(Popup::Object(object)) = self.popups.last_mut() {
                    object.toggle_managed();
                }
            }
            other => {
                if let Some(Popup::Report(report)) = self.popups.last_mut()
                    && let Some(motion) = Motion::of(other)
                {
                    report.go(motion);
                    return Vec::new();
                }
                if let Some(view) = self.text_view_mut() {
                    match other {
                        Command::NextMatch => view.next_match(true),
                        Command::PreviousMatch => view.next_match(false),
                        Command::Wrap => view.toggle_wrap(),
                        Command::Left => view.scroll(false),
                        Command::Right => view.scroll(true),
                        other => {
                            if let Some(motion) = Motion::of(other) {
                                view.go(motion);
                            }
                        }
                    }
                }
            }
        }
        Vec::new()
    }

    /// Commands that only a finding knows.
    fn in_finding(&mut self, command: Command, ctx: &Ctx<'_>) -> Option<Vec<Request>> {
        let Some(Popup::Finding(finding)) = self.popups.last_mut() else { return None };
        match command {
            Command::GoTo => {
                let subject = finding.subject().clone();
                // What it is about is shown in the panes; other objects are described over the finding.
                if !matches!(subject, Subject::Version | Subject::Link | Subject::Object(_)) {
                    self.popups.clear();
                }
                Some(self.go_to(&subject, ctx))
            }
            Command::NextChoice | Command::PreviousChoice => {
                finding.choose(command == Command::NextChoice);
                Some(Vec::new())
            }
            Command::DoRemedy => {
                let ask = finding.action(ctx.assessment);
                Some(ask.map(|ask| self.want(ask)).unwrap_or_default())
            }
            _ => None,
        }
    }

    /// One step up in a popup: the search goes first, then the popup.
    fn close_or_clear(&mut self) {
        match self.popups.last_mut() {
            Some(Popup::Report(report)) if report.filter.active() => return report.narrow(""),
            Some(Popup::Logs(log)) if log.log.filter.active() => return log.log.filter(""),
            _ => {}
        }
        if let Some(Popup::Help { filter, .. }) = self.popups.last_mut()
            && !filter.is_empty()
        {
            filter.clear();
            return;
        }
        if let Some(view) = self.text_view_mut()
            && view.searching()
        {
            view.search("");
            return;
        }
        self.popups.pop();
        self.fullscreen = false;
    }

    fn in_choices(&mut self, command: Command, ctx: &Ctx<'_>) -> Vec<Request> {
        let Some(Popup::Choices(choices)) = self.popups.last_mut() else { return Vec::new() };
        match (command, ctx.sim) {
            (Command::Faster | Command::Slower, Some(sim)) => {
                let speed = next_speed(sim.speed, command == Command::Faster);
                vec![Request::Sim(SimRequest::Speed(speed))]
            }
            (Command::Press | Command::Enter, _) => self.pick(ctx),
            (Command::Describe, _) if choices.offering == Offering::Versions => {
                self.report(About::Updates);
                Vec::new()
            }
            (other, _) => {
                if let Some(motion) = Motion::of(other) {
                    choices.go(motion, ctx);
                }
                Vec::new()
            }
        }
    }

    fn pick(&mut self, ctx: &Ctx<'_>) -> Vec<Request> {
        let Some(Popup::Choices(choices)) = self.popups.last() else { return Vec::new() };
        match choices.pick(ctx) {
            None => Vec::new(),
            // Faults are thrown one after the other; everything else is done with one choice.
            Some(request @ Request::Sim(_)) => vec![request],
            Some(request) => {
                self.popups.pop();
                vec![request]
            }
        }
    }

    /// Opens the choice of the columns of the focused table.
    fn open_columns(&mut self) {
        fn popup<S: Sheet>(pane: Pane, table: &Table<S>) -> ColumnsPopup {
            ColumnsPopup::new(pane, S::NAME, S::COLUMNS, table.choice())
        }
        let pane = self.pane();
        let popup = match pane {
            Pane::Operators => popup(pane, &self.operators),
            Pane::Nodes => popup(pane, &self.nodes),
            Pane::Findings => popup(pane, &self.findings),
            Pane::Timeline => popup(pane, &self.timeline),
            Pane::Pools | Pane::Map | Pane::ImageBased => return,
        };
        self.popups.push(Popup::Columns(Box::new(popup)));
    }

    fn show_columns(&mut self, pane: Pane, shown: Vec<usize>) {
        match pane {
            Pane::Operators => self.operators.choose(Some(shown)),
            Pane::Nodes => self.nodes.choose(Some(shown)),
            Pane::Findings => self.findings.choose(Some(shown)),
            Pane::Timeline => self.timeline.choose(Some(shown)),
            Pane::Pools | Pane::Map | Pane::ImageBased => {}
        }
    }

    fn in_menu(&mut self, command: Command, ctx: &Ctx<'_>) -> Vec<Request> {
        let Some(Popup::Menu(menu)) = self.popups.last_mut() else { return Vec::new() };
        match command {
            Command::ClusterActions => menu.turn(),
            Command::Values => {
                if let Some(ask) = menu.selected(ctx) {
                    self.fill(ask.action, &ask.action.entry().written(&ask.target), &ask.args, None);
                }
            }
            Command::Press | Command::Enter => {
                return match menu.pick(ctx) {
                    None => Vec::new(),
                    Some(Picked::Refused(why)) => vec![Request::Say(why)],
                    Some(Picked::Wish(ask)) => {
                        self.popups.pop();
                        self.want(ask)
                    }
                };
            }
            other => {
                if let Some(motion) = Motion::of(other) {
                    menu.go(motion, ctx);
                }
            }
        }
        Vec::new()
    }

    /// The way from a wish to its plan: by the versions on offer or the form where something is missing in it.
    pub(super) fn want(&mut self, ask: Ask) -> Vec<Request> {
        let entry = ask.action.entry();
        if ask == Ask::new(ActionId::StartUpdate, Target::Cluster) {
            self.offer(Offering::Versions);
            return Vec::new();
        }
        // What could be said and is not: a version, a value behind the target.
        let sayable = entry.takes == Takes::Version && ask.target == Target::Cluster
            || entry.args.iter().any(|arg| arg.positional);
        if sayable && ask.args.is_empty() || entry.accepts(&ask).is_err() {
            self.fill(ask.action, &entry.written(&ask.target), &ask.args, None);
            return Vec::new();
        }
        // An image is meant, and which is for the person to say.
        if ask.action == ActionId::StartUpdate && ask.args.flag("allow-explicit") && ask.args.get("image").is_none() {
            self.fill(ask.action, &entry.written(&ask.target), &ask.args, None);
            return Vec::new();
        }
        vec![Request::Plan(ask)]
    }

    /// Opens the form of an action, with what is known already, and why it is needed.
    pub(super) fn fill(&mut self, action: ActionId, names: &[String], values: &Args, why: Option<&str>) {
        let mut form = form::Form::new(action, names, values);
        if let Some(why) = why {
            form.refused(why);
        }
        self.popups.retain(|popup| !matches!(popup, Popup::Choices(_) | Popup::Form(_)));
        self.popups.push(Popup::Form(Box::new(form)));
    }

    fn in_panes(&mut self, command: Command, ctx: &Ctx<'_>) -> Vec<Request> {
        match command {
            // Before the first picture is complete nobody knows: the tab may be the one to start with.
            Command::Go(Tab::ImageBased) if ctx.assessment.facts.complete() && !image_based::served(ctx.assessment) => {
                return vec![Request::Say("this cluster has no image-based upgrades".into())];
            }
            Command::Go(tab) => self.go(tab),
            Command::LastView => self.go(self.last_tab),
            Command::NextPane => self.next_pane(true),
            Command::PreviousPane => self.next_pane(false),
            Command::Enter | Command::Press => return self.enter(ctx),
            Command::Back => self.back(ctx),
            Command::Leave => return self.leave(ctx),
            Command::Describe | Command::Yaml => {
                return match self.subject(ctx) {
                    Some(subject) => self.open_object(subject, command == Command::Yaml),
                    None => vec![Request::Say("nothing is selected".into())],
                };
            }
            Command::Menu => {
                if self.pane() == Pane::ImageBased {
                    self.popups.push(Popup::Menu(Menu::image_based()));
                    return Vec::new();
                }
                let mut menu = Menu::new(self.here(ctx));
                if menu.selected(ctx).is_none() {
                    menu.turn();
                }
                self.popups.push(Popup::Menu(menu));
            }
            Command::ClusterActions => self.popups.push(Popup::Menu(Menu::cluster_wide())),
            Command::Logs => return self.open_logs(ctx),
            Command::Estimates => {
                let pools = matches!(self.pane(), Pane::Pools | Pane::Nodes | Pane::Map);
                let part = match self.subject(ctx).filter(|_| pools && self.tab != Tab::Overview) {
                    Some(Subject::Pool(pool)) => Part::Pool(pool),
                    Some(Subject::Node(node)) => {
                        ctx.assessment.node(&node).and_then(|node| node.pool.clone()).map_or(Part::Whole, Part::Pool)
                    }
                    _ => Part::Whole,
                };
                self.report(About::Estimates(part));
            }
            Command::Columns => self.open_columns(),
            Command::Phases => self.report(About::Phases),
            Command::Act(action) => return self.act(action, ctx),
            Command::NextStep => return self.next_step(ctx),
            Command::Mark => self.mark(ctx, false),
            Command::MarkRange => self.mark(ctx, true),
            Command::ClearMarks => {
                self.nodes.clear_marks();
                self.pools.clear_marks();
            }
            other => self.in_list(other, ctx),
        }
        Vec::new()
    }

    /// Movement, sorting and columns in the focused pane.
    fn in_list(&mut self, command: Command, ctx: &Ctx<'_>) {
        self.in_list_of(self.pane(), command, ctx);
    }

    /// The same in a pane that need not have the focus.
    pub(super) fn in_list_of(&mut self, pane: Pane, command: Command, ctx: &Ctx<'_>) {
        match pane {
            Pane::Operators => in_table(&mut self.operators, command, ctx),
            Pane::Nodes => in_table(&mut self.nodes, command, ctx),
            Pane::Findings => in_table(&mut self.findings, command, ctx),
            Pane::Timeline => in_table(&mut self.timeline, command, ctx),
            Pane::ImageBased => self.image_based.command(command),
            Pane::Pools => self.pools.command(command),
            Pane::Map => {
                if let Some(name) = self.map.go(command, self.nodes.selected(), ctx.assessment)
                    && !self.nodes.select(&name, ctx)
                {
                    // The table hides the node that the map is on: on the map every node can be chosen.
                    self.set_filter(Pane::Nodes, "", ctx);
                    self.nodes.select(&name, ctx);
                }
            }
        }
    }

    fn go(&mut self, tab: Tab) {
        if tab != self.tab {
            self.last_tab = std::mem::replace(&mut self.tab, tab);
        }
    }

    /// Shows a pane where it has the most room.
    pub(super) fn show_pane(&mut self, pane: Pane) {
        self.go(match pane {
            Pane::Operators => Tab::Operators,
            Pane::Pools => Tab::Pools,
            Pane::Map | Pane::Nodes => Tab::Nodes,
            Pane::Findings => Tab::Findings,
            Pane::Timeline => Tab::Timeline,
            Pane::ImageBased => Tab::ImageBased,
        });
        self.on_map = pane == Pane::Map;
    }

    fn next_pane(&mut self, forward: bool) {
        let n = self.visible.len();
        if n == 0 {
            return;
        }
        let at = self.visible.iter().position(|pane| *pane == self.pane()).unwrap_or(0);
        let next = self.visible[if forward { at + 1 } else { at + n - 1 } % n];
        match self.tab {
            Tab::Overview => self.overview = next,
            Tab::Nodes => self.on_map = next == Pane::Map,
            _ => {}
        }
    }

    /// Down to the obvious child.
    fn enter(&mut self, ctx: &Ctx<'_>) -> Vec<Request> {
        match (self.pane(), self.subject(ctx)) {
            (Pane::Pools, _) => {
                self.pools.command(Command::Enter);
                Vec::new()
            }
            (_, None) => Vec::new(),
            (Pane::Findings, Some(_)) => {
                if let Some(finding) = self.findings.row(ctx.assessment) {
                    self.fullscreen = false;
                    self.popups.push(Popup::Finding(Box::new(FindingPopup::new(finding))));
                }
                Vec::new()
            }
            (Pane::Timeline, Some(subject)) => self.go_to(&subject, ctx),
            (Pane::Map, Some(_)) => {
                self.show_pane(Pane::Nodes);
                Vec::new()
            }
            (Pane::Operators, Some(_)) if self.tab == Tab::Overview => {
                self.show_pane(Pane::Operators);
                Vec::new()
            }
            (_, Some(subject)) => self.open_object(subject, false),
        }
    }

    /// Goes to an object where it is explained best.
    pub(super) fn go_to(&mut self, subject: &Subject, ctx: &Ctx<'_>) -> Vec<Request> {
        if *subject == image_based::subject() && image_based::served(ctx.assessment) {
            self.popups.clear();
            self.show_pane(Pane::ImageBased);
            return Vec::new();
        }
        let shown = match subject {
            Subject::Operator(name) => {
                self.show_pane(Pane::Operators);
                self.operators.select(name, ctx)
            }
            Subject::Node(name) if ctx.assessment.node(name).is_some_and(|node| node.pool.is_none()) => {
                self.show_pane(Pane::Nodes);
                self.nodes.select(name, ctx)
            }
            Subject::Pool(_) | Subject::Node(_) => {
                self.show_pane(Pane::Pools);
                self.set_filter(Pane::Pools, "", ctx);
                if let Subject::Node(name) = subject {
                    self.nodes.select(name, ctx);
                }
                self.pools.select(subject, ctx)
            }
            Subject::Version | Subject::Link | Subject::Object(_) => return self.open_object(subject.clone(), false),
        };
        if shown { Vec::new() } else { vec![Request::Say(format!("{} is not in the list", subject_words(subject)))] }
    }

    /// Opens describe or YAML.
    pub(super) fn open_object(&mut self, subject: Subject, yaml: bool) -> Vec<Request> {
        self.fullscreen = false;
        let fetch = (subject != Subject::Link).then(|| Request::Fetch(subject.clone()));
        if subject == Subject::Link && yaml {
            return vec![Request::Say("the connection is not an object".into())];
        }
        self.popups.push(Popup::Object(Box::new(ObjectPopup::new(subject, yaml))));
        fetch.into_iter().collect()
    }

    /// Opens the logs that explain what is selected.
    fn open_logs(&mut self, ctx: &Ctx<'_>) -> Vec<Request> {
        if ctx.assessment.facts.link.state == LinkState::Recording {
            return vec![Request::Say("this is a recording: logs are not in it".into())];
        }
        let Some(subject) = self.subject(ctx) else { return vec![Request::Say("nothing is selected".into())] };
        let sources = log_source::sources(ctx.assessment, &subject);
        if sources.is_empty() {
            return vec![Request::Say(format!("no log explains {}", subject_words(&subject)))];
        }
        self.logs += 1;
        self.fullscreen = true;
        self.popups.push(Popup::Logs(Box::new(LogPopup::new(subject, sources, self.logs))));
        Vec::new()
    }

    /// One step up, never out: filter, marks, tab.
    fn back(&mut self, ctx: &Ctx<'_>) {
        let pane = self.pane();
        if !self.filter_of(pane).text().is_empty() {
            self.set_filter(pane, "", ctx);
        } else if (matches!(pane, Pane::Nodes | Pane::Map) && self.nodes.clear_marks())
            || (pane == Pane::Pools && self.pools.clear_marks())
        {
            // The marks were the step.
        } else if self.tab != Tab::Overview {
            self.go(Tab::Overview);
        }
    }

    /// Is nothing left to go back from?
    pub(super) fn at_root(&self) -> bool {
        let pane = self.pane();
        let marked = match pane {
            Pane::Nodes | Pane::Map => self.nodes.marked(),
            Pane::Pools => self.pools.marked(),
            _ => false,
        };
        self.popups.is_empty() && self.tab == Tab::Overview && !marked && self.filter_of(pane).text().is_empty()
    }

    /// The same step up; where none is left, out, when it is asked for twice.
    fn leave(&mut self, ctx: &Ctx<'_>) -> Vec<Request> {
        if !self.at_root() {
            self.back(ctx);
            return Vec::new();
        }
        if self.leaving {
            return vec![Request::Quit];
        }
        self.leaving = true;
        let running = ctx.jobs.iter().filter(|job| job.state == JobState::Running).count();
        let words = match running {
            0 => "q again to quit".to_owned(),
            n => format!("{n} of your actions still under way: q again to quit and not see how it ends"),
        };
        vec![Request::Say(words)]
    }

    fn mark(&mut self, ctx: &Ctx<'_>, range: bool) {
        if self.pane() == Pane::Pools {
            if if range { self.pools.mark_range() } else { self.pools.mark() } {
                return;
            }
            if let Some(Subject::Node(name)) = self.pools.subject() {
                self.nodes.select(&name, ctx);
            }
        }
        if range {
            self.nodes.mark_range(ctx);
        } else {
            self.nodes.mark();
        }
    }

    /// What an action can be aimed at from here, the nearest first: the marked nodes or pools, what is selected, its pool.
    fn here(&self, ctx: &Ctx<'_>) -> Vec<Target> {
        let marks = self.nodes.marks(ctx.assessment);
        if let Some(pod) = self.pools.pod(ctx).filter(|_| self.pane() == Pane::Pools) {
            return vec![Target::Objects(vec![pod])];
        }
        match self.subject(ctx) {
            Some(Subject::Node(_)) if !marks.is_empty() => vec![Target::Nodes(marks)],
            Some(Subject::Node(name)) => {
                let pool = ctx.assessment.node(&name).and_then(|node| node.pool.clone());
                [Target::Nodes(vec![name])].into_iter().chain(pool.map(Target::pool)).collect()
            }
            Some(Subject::Pool(name)) => vec![Target::Pools(self.pools_meant(name, ctx))],
            Some(Subject::Operator(name)) => vec![Target::Objects(vec![Resource::operator(&name)])],
            Some(Subject::Object(resource)) => vec![Target::Objects(vec![resource])],
            Some(Subject::Version) => vec![Target::Cluster],
            Some(Subject::Link) | None => Vec::new(),
        }
    }

    /// What this action is aimed at from here; the cluster, where nothing that is near will do.
    pub(in crate::ui) fn aimed(&self, action: ActionId, ctx: &Ctx<'_>) -> Target {
        let entry = action.entry();
        self.here(ctx).into_iter().find(|target| entry.fits(target)).unwrap_or(Target::Cluster)
    }

    fn act(&mut self, action: ActionId, ctx: &Ctx<'_>) -> Vec<Request> {
        let ask = Ask::new(action, self.aimed(action, ctx));
        self.want(ask)
    }

    fn next_step(&mut self, ctx: &Ctx<'_>) -> Vec<Request> {
        match self.next.as_ref().map(|step| step.leads.clone()) {
            None => Vec::new(),
            Some(Leads::Plan(ask)) => self.want(ask),
            Some(Leads::Phases) => {
                self.report(About::Phases);
                Vec::new()
            }
            Some(Leads::Versions) => {
                self.offer(Offering::Versions);
                Vec::new()
            }
            // Both ways are on the pane already: what is left is to choose one.
            Some(Leads::Look(subject)) if subject == image_based::subject() && self.pane() == Pane::ImageBased => {
                self.popups.push(Popup::Menu(Menu::image_based()));
                Vec::new()
            }
            Some(Leads::Look(subject)) => self.go_to(&subject, ctx),
        }
    }

    /// What copying gives: a name, a finding, an `oc` line, the text of a popup.
    fn copied(&self, ctx: &Ctx<'_>) -> Request {
        let text = match self.popups.last() {
            Some(Popup::Plan(plan)) => Some(plan.oc_lines()),
            Some(Popup::Choices(choices)) => choices.copied(ctx),
            Some(Popup::Columns(columns)) => Some(columns.line()),
            Some(Popup::Menu(menu)) => menu.selected(ctx).map(|ask| format!("oc-cockpit do {}", ask.line())),
            Some(Popup::Form(form)) => form.ask().ok().map(|ask| format!("oc-cockpit do {}", ask.line())),
            Some(Popup::Waiting(ask)) => Some(format!("oc-cockpit do {}", ask.line())),
            Some(Popup::Log(_)) => ctx.log.back().map(|line| line.oc.clone()),
            Some(Popup::Finding(finding)) => Some(finding.copied(ctx)),
            Some(Popup::Logs(log)) => Some(log.text()),
            Some(Popup::Drain(drain)) => Some(drain.copied()),
            Some(_) => self.text_view().map(TextView::text),
            None if self.pane() == Pane::Findings => {
                self.findings.row(ctx.assessment).map(|finding| finding::plain(finding, ctx))
            }
            None if self.pane() == Pane::ImageBased => Some(ImageBasedPane::text(ctx)),
            None if self.pane() == Pane::Timeline => self.timeline.row(ctx.assessment).map(|entry| {
                format!("{} {} {}", crate::ui::words::stamp(entry.at), subject_words(&entry.subject), entry.text)
            }),
            None => self.subject(ctx).map(|subject| match subject {
                Subject::Operator(name) | Subject::Pool(name) | Subject::Node(name) => name,
                other => subject_words(&other),
            }),
        };
        text.map_or_else(|| Request::Say("nothing to copy".into()), Request::Copy)
    }

    /// The view as a file.
    fn saved(&mut self, ctx: &Ctx<'_>) -> Request {
        let plain = |name: String, text: String| Request::Save { name, extension: "txt", text };
        let table = |name: &str, text: String| Request::Save { name: name.to_owned(), extension: "tsv", text };
        match self.popups.last_mut() {
            Some(Popup::Object(object)) => {
                let name = object.title().replace([' ', '/'], "-");
                let extension = if object.yaml { "yaml" } else { "txt" };
                return Request::Save { name, extension, text: object.view.text() };
            }
            Some(Popup::Help { view, .. }) => return plain("help".into(), view.text()),
            Some(Popup::Log(view)) => return plain("command-log".into(), view.text()),
            Some(Popup::Message { view, .. }) => return plain("message".into(), view.text()),
            Some(Popup::Plan(plan)) => return plain("plan".into(), plan.text()),
            Some(Popup::Drain(drain)) => return plain("drain".into(), drain.view.text()),
            Some(Popup::Finding(finding)) => return plain("finding".into(), finding.text(ctx)),
            Some(Popup::Report(report)) => return plain(report.name().into(), report.view.text()),
            Some(Popup::Logs(log)) => {
                return Request::Save { name: "log".into(), extension: "log", text: log.text() };
            }
            Some(Popup::Choices(choices)) => return plain("choices".into(), Choices::text(choices, ctx)),
            Some(Popup::Columns(columns)) => return plain("columns".into(), columns.line() + "\n"),
            Some(Popup::Menu(menu)) => return plain("actions".into(), menu.text(ctx)),
            Some(Popup::Form(form)) => return plain(form.title(), form.text()),
            Some(Popup::Waiting(ask)) => return plain("waiting".into(), ask.line() + "\n"),
            None => {}
        }
        match self.pane() {
            Pane::Operators => table("operators", self.operators.tsv(ctx)),
            Pane::Map | Pane::Nodes => table("nodes", self.nodes.tsv(ctx)),
            Pane::Findings => table("findings", self.findings.tsv(ctx)),
            Pane::Timeline => table("timeline", self.timeline.tsv(ctx)),
            Pane::ImageBased => plain("image-based".into(), ImageBasedPane::text(ctx)),
            Pane::Pools => plain("pools".into(), self.pools.text(ctx)),
        }
    }
}

fn in_table<S: Sheet>(table: &mut Table<S>, command: Command, ctx: &Ctx<'_>) {
    match command {
        Command::Left => table.scroll(false),
        Command::Right => table.scroll(true),
        Command::Wide => table.toggle_wide(),
        Command::ColumnLeft => table.choose_column(false),
        Command::ColumnRight => table.choose_column(true),
        Command::Sort => table.sort_chosen(ctx),
        Command::SortName => table.sort_by(0, ctx),
        Command::SortAge => table.sort_by(S::AGE, ctx),
        Command::SortState => table.sort_by(S::STATE, ctx),
        other => {
            if let Some(motion) = Motion::of(other) {
                table.go(motion, ctx);
            }
        }
    }
}
