//! The line at the bottom: filter, search, command.

use super::{Popup, View};
use crate::actions::{Ask, Target};
use crate::input::{Command, Pane};
use crate::ui::command_line::{self, Intent};
use crate::ui::ctx::Ctx;
use crate::ui::popups::choices::{Choices, Offering};
use crate::ui::popups::report::{About, Report};
use crate::ui::request::Request;
use crate::ui::widgets::filter::Filter;
use crate::ui::widgets::line_edit::LineEdit;

/// How many lines the history keeps.
const REMEMBERED: usize = 50;

/// What the line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The filter of a pane.
    Filter(Pane),
    /// A search in the text popup, or the filter of help.
    Search,
    /// A command.
    Command,
}

/// The line while it has the keyboard.
#[derive(Debug)]
pub struct Prompt {
    /// What for.
    pub purpose: Purpose,
    /// Its text.
    pub edit: LineEdit,
    /// Where in the history, from the newest; none: not in it.
    older: Option<usize>,
    /// What was typed before going through the history.
    draft: String,
    /// Completions that `tab` goes through, and where it is.
    completing: Option<(Vec<String>, usize)>,
}

impl Prompt {
    fn new(purpose: Purpose, text: &str) -> Self {
        Self { purpose, edit: LineEdit::with(text), older: None, draft: String::new(), completing: None }
    }
}

impl View {
    /// The filter of a pane.
    pub(in crate::ui) fn filter_of(&self, pane: Pane) -> &Filter {
        match pane {
            Pane::Operators => &self.operators.filter,
            Pane::Pools => &self.pools.filter,
            Pane::Map | Pane::Nodes => &self.nodes.filter,
            Pane::Findings => &self.findings.filter,
            Pane::Timeline => &self.timeline.filter,
            Pane::ImageBased => &self.image_based.filter,
        }
    }

    fn filter_mut(&mut self, pane: Pane) -> &mut Filter {
        match pane {
            Pane::Operators => &mut self.operators.filter,
            Pane::Pools => &mut self.pools.filter,
            Pane::Map | Pane::Nodes => &mut self.nodes.filter,
            Pane::Findings => &mut self.findings.filter,
            Pane::Timeline => &mut self.timeline.filter,
            Pane::ImageBased => &mut self.image_based.filter,
        }
    }

    /// Gives a pane a filter.
    pub(super) fn set_filter(&mut self, pane: Pane, text: &str, ctx: &Ctx<'_>) {
        self.filter_mut(pane).set(text);
        match pane {
            Pane::Operators => self.operators.rebuild(ctx),
            Pane::Pools => self.pools.rebuild(ctx),
            Pane::Map | Pane::Nodes => self.nodes.rebuild(ctx),
            Pane::Findings => self.findings.rebuild(ctx),
            Pane::Timeline => self.timeline.rebuild(ctx),
            Pane::ImageBased => {}
        }
    }

    /// Shown and all rows of a pane.
    pub(in crate::ui) fn counts(&self, pane: Pane, ctx: &Ctx<'_>) -> (usize, usize) {
        let a = ctx.assessment;
        match pane {
            Pane::Operators => self.operators.counts(a),
            Pane::Pools => self.pools.counts(ctx),
            Pane::Map | Pane::Nodes => self.nodes.counts(a),
            Pane::Findings => self.findings.counts(a),
            Pane::Timeline => self.timeline.counts(a),
            Pane::ImageBased => self.image_based.counts(),
        }
    }

    /// Opens the filter of the focused pane, or the search of the text popup.
    pub(super) fn open_filter(&mut self) {
        match self.popups.last() {
            None => {
                let pane = self.pane();
                let text = self.filter_of(pane).text().to_owned();
                self.prompt = Some(Prompt::new(Purpose::Filter(pane), &text));
            }
            Some(Popup::Help { filter, .. }) => self.prompt = Some(Prompt::new(Purpose::Search, filter)),
            Some(Popup::Report(report)) => self.prompt = Some(Prompt::new(Purpose::Search, report.filter.text())),
            Some(Popup::Logs(log)) => self.prompt = Some(Prompt::new(Purpose::Search, log.log.filter.text())),
            Some(
                Popup::Choices(_)
                | Popup::Columns(_)
                | Popup::Menu(_)
                | Popup::Form(_)
                | Popup::Waiting(_)
                | Popup::Plan(_),
            ) => {}
            Some(_) => self.prompt = Some(Prompt::new(Purpose::Search, "")),
        }
    }

    /// Opens the command line.
    pub(super) fn open_command_line(&mut self) {
        self.prompt = Some(Prompt::new(Purpose::Command, ""));
    }

    /// The text of the line changed: filters and searches are live.
    pub(super) fn typed(&mut self, ctx: &Ctx<'_>) {
        let Some(prompt) = &mut self.prompt else { return };
        prompt.older = None;
        prompt.completing = None;
        let text = prompt.edit.text().to_owned();
        match prompt.purpose {
            Purpose::Filter(pane) => self.set_filter(pane, &text, ctx),
            Purpose::Search => self.search(&text),
            Purpose::Command => {}
        }
    }

    fn search(&mut self, text: &str) {
        match self.popups.last_mut() {
            Some(Popup::Help { filter, .. }) => text.clone_into(filter),
            Some(Popup::Report(report)) => report.narrow(text),
            Some(Popup::Logs(log)) => log.log.filter(text),
            _ => {
                if let Some(view) = self.text_view_mut() {
                    view.search(text);
                }
            }
        }
    }

    /// A command for the line.
    pub(super) fn line_command(&mut self, command: Command, ctx: &Ctx<'_>) -> Vec<Request> {
        let Some(prompt) = &mut self.prompt else { return Vec::new() };
        match command {
            Command::Cancel | Command::Back | Command::Leave => self.cancel_line(ctx),
            Command::Accept | Command::Enter | Command::Press => return self.accept_line(ctx),
            Command::EraseWord => {
                prompt.edit.erase_word();
                self.typed(ctx);
            }
            Command::EraseLine => {
                prompt.edit.erase();
                self.typed(ctx);
            }
            Command::Complete if prompt.purpose == Purpose::Command => self.complete(ctx),
            Command::Older | Command::Newer if prompt.purpose == Purpose::Command => {
                self.through_history(command == Command::Older);
            }
            _ => {}
        }
        Vec::new()
    }

    fn cancel_line(&mut self, ctx: &Ctx<'_>) {
        match self.prompt.take().map(|prompt| prompt.purpose) {
            Some(Purpose::Filter(pane)) => self.set_filter(pane, "", ctx),
            Some(Purpose::Search) => self.search(""),
            _ => {}
        }
    }

    fn accept_line(&mut self, ctx: &Ctx<'_>) -> Vec<Request> {
        let Some(prompt) = self.prompt.take() else { return Vec::new() };
        match prompt.purpose {
            Purpose::Filter(pane) => {
                // What is invalid was never in force: it goes, the last good one stays.
                let why = self.filter_mut(pane).settle();
                why.map(|why| Request::Say(format!("not a filter, the last good one stays: {why}")))
                    .into_iter()
                    .collect()
            }
            Purpose::Search => {
                let filter = match self.popups.last_mut() {
                    Some(Popup::Report(report)) => Some(&mut report.filter),
                    Some(Popup::Logs(log)) => Some(&mut log.log.filter),
                    _ => None,
                };
                let why = filter.and_then(Filter::settle);
                why.map(|why| Request::Say(format!("not a filter, the last good one stays: {why}")))
                    .into_iter()
                    .collect()
            }
            Purpose::Command => {
                let line = prompt.edit.text().trim().to_owned();
                if !line.is_empty() {
                    self.history.retain(|old| *old != line);
                    self.history.push(line.clone());
                    let surplus = self.history.len().saturating_sub(REMEMBERED);
                    self.history.drain(..surplus);
                }
                self.run(command_line::parse(&line, ctx), ctx)
            }
        }
    }

    /// Does what a line of the command line means.
    fn run(&mut self, intent: Intent, ctx: &Ctx<'_>) -> Vec<Request> {
        match intent {
            Intent::Nothing => Vec::new(),
            Intent::Give(command) => {
                // A tab is gone to and an action aimed at what is selected there, whatever lies over it.
                if matches!(command, Command::Go(_) | Command::Act(_)) {
                    self.popups.clear();
                }
                self.command(command, ctx)
            }
            Intent::Ask(request) => vec![request],
            Intent::Select(subject) => {
                self.popups.clear();
                self.go_to(&subject, ctx)
            }
            Intent::Filter(pane, text) => {
                self.popups.clear();
                self.show_pane(pane);
                self.set_filter(pane, &text, ctx);
                Vec::new()
            }
            Intent::Describe(subject) => self.open_object(subject, false),
            Intent::Report(about) => {
                self.report(about);
                Vec::new()
            }
            Intent::Offer(offering) => {
                self.offer(offering);
                Vec::new()
            }
            Intent::Want(ask) => self.want(ask),
            Intent::Fill(action, names, values, why) => {
                // A line that names no target means what is selected, as the key of the action does.
                let target = if names.is_empty() { self.aimed(action, ctx) } else { Target::Cluster };
                let aimed = Ask { action, target, args: values.clone() };
                if aimed.target != Target::Cluster && action.entry().accepts(&aimed).is_ok() {
                    self.popups.clear();
                    return vec![Request::Plan(aimed)];
                }
                self.fill(action, &names, &values, Some(&why));
                Vec::new()
            }
            Intent::Wrong(why) => vec![Request::Say(why)],
        }
    }

    /// Opens a popup that offers a choice.
    pub(super) fn offer(&mut self, offering: Offering) {
        self.popups.retain(|popup| !matches!(popup, Popup::Choices(_)));
        self.popups.push(Popup::Choices(Choices::new(offering)));
    }

    /// Opens an answer that fills the screen; one of its kind is enough.
    pub(super) fn report(&mut self, about: About) {
        self.popups.retain(|popup| !matches!(popup, Popup::Choices(_) | Popup::Report(_)));
        self.fullscreen = false;
        self.popups.push(Popup::Report(Box::new(Report::new(about))));
    }

    /// What is suggested behind the typed text.
    pub(in crate::ui) fn ghost(&self, ctx: &Ctx<'_>) -> Option<String> {
        let prompt =
            self.prompt.as_ref().filter(|prompt| prompt.purpose == Purpose::Command && prompt.edit.at_end())?;
        command_line::ghost(prompt.edit.text(), &self.history, ctx)
    }

    /// Takes the next completion; a single one is taken whole.
    fn complete(&mut self, ctx: &Ctx<'_>) {
        let ghost = self.ghost(ctx);
        let Some(prompt) = &mut self.prompt else { return };
        let (all, at) = if let Some((all, at)) = prompt.completing.take() {
            let next = (at + 1) % all.len().max(1);
            (all, next)
        } else {
            let mut all = command_line::complete(prompt.edit.text(), ctx);
            if all.is_empty() {
                all.extend(ghost);
            }
            (all, 0)
        };
        if let Some(line) = all.get(at) {
            prompt.edit.set(line);
            prompt.completing = (all.len() > 1).then_some((all, at));
        }
    }

    fn through_history(&mut self, older: bool) {
        let Some(prompt) = &mut self.prompt else { return };
        let n = self.history.len();
        let next = match (prompt.older, older) {
            (None, true) if n > 0 => Some(0),
            (None, _) | (Some(0), false) => None,
            (Some(at), true) => Some((at + 1).min(n - 1)),
            (Some(at), false) => Some(at - 1),
        };
        if prompt.older.is_none() && next.is_some() {
            prompt.edit.text().clone_into(&mut prompt.draft);
        }
        match next {
            Some(at) => prompt.edit.set(&self.history[n - 1 - at]),
            None if prompt.older.is_some() => prompt.edit.set(&prompt.draft.clone()),
            None => {}
        }
        prompt.older = next;
    }
}
