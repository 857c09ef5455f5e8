//! The mouse: a click selects a row, a pane or a tab, the wheel scrolls what it is over. In a popup a click on what is
//! selected already does what the key for it does: it takes a choice, or presses a button. What a plan sends is sent by the
//! keyboard alone: a click on that button gives it the focus, however often it is made. Beside a popup a click means nothing.

use ratatui::layout::{Position, Rect};

use super::{Popup, View};
use crate::actions::ActionId;
use crate::input::pointer::{Gesture, Pointer};
use crate::input::{Command, Pane, Tab};
use crate::ui::ctx::Ctx;
use crate::ui::popups::{confirm, form};
use crate::ui::request::Request;
use crate::ui::widgets::spots::Spots;

/// Lines that a turn of the wheel scrolls.
const LINES: usize = 3;

/// What stands where, as the last frame showed it.
#[derive(Debug, Default)]
pub(in crate::ui) struct Places {
    /// The titles of the tabs.
    pub tabs: Spots<Tab>,
    /// The panes, frames included. Neighbours share their borders: the one that was drawn last has them.
    pub panes: Spots<Pane>,
    /// The popup on top, frame included.
    pub popup: Rect,
}

impl View {
    /// What the mouse did.
    pub fn pointer(&mut self, pointer: Pointer, ctx: &Ctx<'_>) -> Vec<Request> {
        self.assessed(ctx);
        self.leaving = false;
        let at = Position { x: pointer.column, y: pointer.row };
        let step = match pointer.gesture {
            Gesture::Click if !self.popups.is_empty() => return self.click_popup(at, ctx),
            Gesture::Click => {
                self.click(at, ctx);
                return Vec::new();
            }
            Gesture::WheelUp => Command::Up,
            Gesture::WheelDown => Command::Down,
        };
        let pane = self.places.panes.at(at);
        let over = self.places.popup.contains(at);
        let mut requests = Vec::new();
        for _ in 0..LINES {
            if !self.popups.is_empty() {
                if over {
                    requests.extend(self.in_popup(step, ctx));
                }
            } else if let Some(pane) = pane {
                self.in_list_of(pane, step, ctx);
            }
        }
        requests
    }

    /// A click while a popup is open.
    fn click_popup(&mut self, at: Position, ctx: &Ctx<'_>) -> Vec<Request> {
        // While a line is typed the keyboard has it, and what it is about.
        if self.prompt.is_some() || !self.places.popup.contains(at) {
            return Vec::new();
        }
        let again = match self.popups.last_mut() {
            Some(Popup::Plan(plan)) => {
                return match plan.click(at, ctx) {
                    confirm::Outcome::Close => {
                        self.popups.pop();
                        Vec::new()
                    }
                    confirm::Outcome::Asked(request) => vec![request],
                    // Nothing that a click did may ever send.
                    _ => Vec::new(),
                };
            }
            Some(Popup::Form(form)) => {
                return match form.click(at, ctx) {
                    form::Outcome::Close => {
                        self.popups.pop();
                        Vec::new()
                    }
                    form::Outcome::Wanted(ask) => vec![Request::Plan(ask)],
                    form::Outcome::Stay => Vec::new(),
                };
            }
            Some(Popup::Choices(choices)) => choices.select_at(at, ctx).then_some(Command::Press),
            Some(Popup::Menu(menu)) => menu.select_at(at).then_some(Command::Press),
            Some(Popup::Columns(columns)) => columns.select_at(at).then_some(Command::Press),
            Some(Popup::Report(report)) => report.choose_at(at).then_some(Command::Act(ActionId::StartUpdate)),
            Some(Popup::Finding(finding)) => finding.choose_at(at).then_some(Command::DoRemedy),
            Some(Popup::Drain(drain)) => {
                drain.choose_at(at, ctx);
                None
            }
            _ => None,
        };
        again.map(|command| self.command(command, ctx)).unwrap_or_default()
    }

    fn click(&mut self, at: Position, ctx: &Ctx<'_>) {
        if self.prompt.is_some() {
            return;
        }
        if let Some(tab) = self.places.tabs.at(at) {
            self.command(Command::Go(tab), ctx);
            return;
        }
        let Some(pane) = self.places.panes.at(at) else { return };
        self.focus_on(pane);
        match pane {
            Pane::Operators => self.operators.select_at(at, ctx),
            Pane::Nodes => self.nodes.select_at(at, ctx),
            Pane::Findings => self.findings.select_at(at, ctx),
            Pane::Timeline => self.timeline.select_at(at, ctx),
            Pane::Pools => self.pools.select_at(at),
            Pane::Map | Pane::ImageBased => {}
        }
    }

    /// Gives the focus to a pane that is on the screen.
    fn focus_on(&mut self, pane: Pane) {
        match self.tab {
            Tab::Overview => self.overview = pane,
            Tab::Nodes => self.on_map = pane == Pane::Map,
            _ => {}
        }
    }
}
