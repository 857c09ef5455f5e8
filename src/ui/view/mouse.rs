//! The mouse: a click selects a row, a pane or a tab; the wheel scrolls what it is over. It never opens, confirms or changes
//! anything.

use ratatui::layout::{Position, Rect};

use super::View;
use crate::input::pointer::{Gesture, Pointer};
use crate::input::{Command, Pane, Tab};
use crate::ui::ctx::Ctx;
use crate::ui::request::Request;

/// Lines that a turn of the wheel scrolls.
const LINES: usize = 3;

/// What stands where, as the last frame showed it.
#[derive(Debug, Default)]
pub(in crate::ui) struct Places {
    /// The titles of the tabs.
    pub tabs: Vec<(Rect, Tab)>,
    /// The panes, frames included.
    pub panes: Vec<(Rect, Pane)>,
}

impl Places {
    fn pane(&self, at: Position) -> Option<Pane> {
        // Neighbours share their borders: the one that was drawn last has them.
        self.panes.iter().rev().find(|(area, _)| area.contains(at)).map(|(_, pane)| *pane)
    }

    fn tab(&self, at: Position) -> Option<Tab> {
        self.tabs.iter().find(|(area, _)| area.contains(at)).map(|(_, tab)| *tab)
    }
}

impl View {
    /// What the mouse did.
    pub fn pointer(&mut self, pointer: Pointer, ctx: &Ctx<'_>) -> Vec<Request> {
        self.assessed(ctx);
        self.leaving = false;
        let at = Position { x: pointer.column, y: pointer.row };
        let step = match pointer.gesture {
            Gesture::Click => {
                self.click(at, ctx);
                return Vec::new();
            }
            Gesture::WheelUp => Command::Up,
            Gesture::WheelDown => Command::Down,
        };
        let pane = self.places.pane(at);
        let mut requests = Vec::new();
        for _ in 0..LINES {
            if !self.popups.is_empty() {
                requests.extend(self.in_popup(step, ctx));
            } else if let Some(pane) = pane {
                self.in_list_of(pane, step, ctx);
            }
        }
        requests
    }

    fn click(&mut self, at: Position, ctx: &Ctx<'_>) {
        // What lies over the panes is left by a key: a click beside it may be meant for the terminal.
        if !self.popups.is_empty() || self.prompt.is_some() {
            return;
        }
        if let Some(tab) = self.places.tab(at) {
            self.command(Command::Go(tab), ctx);
            return;
        }
        let Some(pane) = self.places.pane(at) else { return };
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
