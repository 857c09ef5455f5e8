//! The state of what is looked at.

use ratatui::Frame;

use super::ctx::Ctx;
use super::request::{Fetched, Rehearsed, Request};
use crate::actions::{ActionId, Plan, Target};
use crate::input::{Command, Key, Snapshot};
use crate::upgrade::assessment::Subject;

/// All view state: tab, focus, per pane selection, scroll, filter, sort, marks; popups; the line at the bottom.
#[derive(Debug, Default)]
pub struct View {}

impl View {
    /// A view that shows the overview.
    pub fn new() -> Self {
        Self::default()
    }

    /// Draws everything.
    pub fn draw(&mut self, frame: &mut Frame<'_>, ctx: &Ctx<'_>) {
        let _ = (frame, ctx);
    }

    /// What the conditions of the keymap look at.
    pub fn snapshot(&self, ctx: &Ctx<'_>) -> Snapshot {
        Snapshot { read_only: ctx.session.read_only.is_some(), ..Snapshot::default() }
    }

    /// A key: resolved by the keymap and carried out, or typed into the text field that has the keyboard.
    pub fn key(&mut self, key: Key, ctx: &Ctx<'_>) -> Vec<Request> {
        let _ = (key, ctx);
        Vec::new()
    }

    /// A paste from the terminal: goes to the text field that has the keyboard, and is ignored elsewhere.
    pub fn paste(&mut self, text: &str, ctx: &Ctx<'_>) {
        let _ = (text, ctx);
    }

    /// Carries a command out.
    pub fn command(&mut self, command: Command, ctx: &Ctx<'_>) -> Vec<Request> {
        let _ = (command, ctx);
        Vec::new()
    }

    /// A new assessment: rows are rebuilt (only when its generation is new), selections follow their objects.
    pub fn assessed(&mut self, ctx: &Ctx<'_>) {
        let _ = ctx;
    }

    /// The answer to [`Request::Fetch`].
    pub fn show_object(&mut self, subject: &Subject, fetched: Fetched) {
        let _ = (subject, fetched);
    }

    /// The answer to [`Request::Plan`]: shown for confirmation. The dry run and the reads follow by
    /// [`View::show_rehearsal`].
    pub fn show_plan(&mut self, plan: Plan) {
        let _ = plan;
    }

    /// News about the plan that is on the screen; ignored when another one is.
    pub fn show_rehearsal(&mut self, action: ActionId, target: &Target, news: Rehearsed) {
        let _ = (action, target, news);
    }

    /// The answer to [`Request::Plan`] when it cannot be done, or a refusal after the fact: the reason.
    pub fn show_refusal(&mut self, action: ActionId, target: &Target, why: &str) {
        let _ = (action, target, why);
    }

    /// Another cluster answers: selections, marks, filters and popups of the old one go.
    pub fn forget_cluster(&mut self) {
        *self = Self::default();
    }
}
