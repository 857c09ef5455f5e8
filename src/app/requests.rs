//! The wishes of the screen, fulfilled.

use super::{App, Effect, flash};
use crate::ui::neutral::neutral_lines;
use crate::ui::{Request, Theme};

impl App {
    /// What has to be done for these wishes.
    pub(super) fn fulfil(&mut self, wishes: Vec<Request>) -> Vec<Effect> {
        wishes.into_iter().flat_map(|wish| self.fulfil_one(wish)).collect()
    }

    fn fulfil_one(&mut self, wish: Request) -> Vec<Effect> {
        match wish {
            Request::Plan(ask) => self.plan(&ask),
            Request::Confirm { plan, answers } => self.confirm(&plan, answers),
            Request::Quit if self.state.jobs.sending() && !self.warned => {
                self.warned = true;
                self.state.answer(flash::warning("an action is being sent: quit again to leave without its answer"));
                Vec::new()
            }
            Request::Quit => vec![Effect::Quit],
            Request::Suspend => vec![Effect::Suspend],
            Request::Copy(text) => {
                // What is pasted into a shell must not bring control characters that some object held.
                let text = neutral_lines(&text).join("\n");
                let what: String = text.lines().next().unwrap_or_default().chars().take(60).collect();
                let more = if text.lines().count() > 1 { " ..." } else { "" };
                self.state.answer(flash::info(format!("copied: {what}{more}")));
                vec![Effect::Copy(text)]
            }
            Request::Save { name, extension, text } => vec![Effect::Save { name, extension, text }],
            Request::Fetch(subject) => {
                self.state.log.begin_read(&self.state.session, self.state.now, &subject);
                vec![Effect::Fetch(subject)]
            }
            Request::SwitchContext(context) => self.switch(context),
            Request::Sim(request) => {
                if self.state.sim.is_some() {
                    self.state.answer(flash::info(format!("the simulated cluster: {}", request.words())));
                }
                vec![Effect::Sim(request)]
            }
            Request::CancelJob(id) => {
                let now = self.state.now;
                self.state.jobs.cancel(id, now).unwrap_or_default()
            }
            Request::Refresh => {
                self.state.answer(flash::info("asking the cluster again"));
                vec![Effect::Refresh]
            }
            Request::SetTheme(name) => {
                match Theme::built_in(&name, self.state.depth, self.state.settings.ascii) {
                    Ok(theme) => self.state.theme = theme,
                    Err(trouble) => self.state.answer(flash::warning(trouble)),
                }
                Vec::new()
            }
            Request::Say(text) => {
                self.state.answer(flash::warning(text));
                Vec::new()
            }
        }
    }

    fn switch(&mut self, context: String) -> Vec<Effect> {
        if self.state.jobs.sending() {
            self.state.answer(flash::warning("an action is being sent: switch when it is answered"));
            return Vec::new();
        }
        if !self.state.contexts.iter().any(|known| known.name == context) {
            self.state.answer(flash::warning(format!("there is no context `{context}` in the kubeconfig")));
            return Vec::new();
        }
        // Should it fail again for the same reason, that is told again.
        self.untold();
        self.state.answer(flash::info(format!("switching to {context}")));
        vec![Effect::SwitchContext(context)]
    }
}
