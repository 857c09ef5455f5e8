//! What we are connected to, and what holds there.

use super::{App, Effect, Msg, flash};
use crate::app::msg::Connected;
use crate::ui::{Connection, ContextLine};
use crate::upgrade::link::LinkState;

impl App {
    /// The connection changed: the header, the contexts, and what the configuration says of this context.
    pub(super) fn connected(&mut self, connected: Connected) -> Vec<Effect> {
        let state = &mut self.state;
        if let Some(trouble) = &connected.error {
            state.flash.say(flash::error(trouble.clone()), state.now);
        }
        let held = state.config.context(&connected.context, &state.overrides);
        let source = if state.sim.is_some() {
            "simulated".to_owned()
        } else {
            connected.files.first().map_or_else(|| "in-cluster".to_owned(), |file| file.display().to_string())
        };
        state.session.context.clone_from(&connected.context);
        state.session.read_only = held.read_only;
        state.contexts = connected
            .contexts
            .into_iter()
            .map(|context| ContextLine {
                current: context.name == connected.context,
                name: context.name,
                cluster: context.cluster,
                user: context.user,
            })
            .collect();
        state.connection = Connection {
            context: connected.context,
            cluster: connected.cluster,
            server: connected.server,
            user: connected.user,
            source,
            production: held.label.is_some_and(|label| label.to_lowercase().starts_with("prod")),
        };
        self.identify();
        Vec::new()
    }

    /// Who the server takes us for, and whether anything can be written at all.
    pub(super) fn identify(&mut self) {
        let state = &mut self.state;
        if let Some(user) = &state.assessment.facts.access.user {
            state.connection.user.clone_from(user);
        }
        if state.assessment.facts.link.state == LinkState::Recording && state.session.read_only.is_none() {
            state.session.read_only = Some("these objects come from files".to_owned());
        }
    }
}

/// The message of a connection, for whoever knows it from elsewhere.
impl From<Connected> for Msg {
    fn from(connected: Connected) -> Self {
        Self::Connected(connected)
    }
}
