//! What we are connected to, and what holds there.

use super::{App, Effect, Msg};
use crate::actions;
use crate::app::msg::Connected;
use crate::ui::{Connection, ContextLine};
use crate::upgrade::access::Access;
use crate::upgrade::link::LinkState;

/// Title of the message that says why there is no connection.
const NO_CONNECTION: &str = "no connection";
/// The same while the present cluster stays: another context could not be had, or the kubeconfig cannot be read any more.
const STAYS: &str = "the present connection stays";

impl App {
    /// The connection changed: the header, the contexts, and what the configuration says of this context.
    pub(super) fn connected(&mut self, connected: Connected) -> Vec<Effect> {
        self.tell(connected.error.as_deref());
        let state = &mut self.state;
        let held = state.config.context(&connected.context, &state.overrides);
        let source = match connected.files.first() {
            _ if state.sim.is_some() => "simulated".to_owned(),
            Some(file) => file.display().to_string(),
            None if connected.context.is_empty() => String::new(),
            None => "in-cluster".to_owned(),
        };
        state.session = actions::Session::new(&connected.context, &held);
        state.held = held.read_only;
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

    /// Why there is no connection to speak of, until there is one.
    fn tell(&mut self, error: Option<&str>) {
        if self.state.disconnected.as_deref() == error {
            return;
        }
        self.view.end_message(NO_CONNECTION);
        self.view.end_message(STAYS);
        if let Some(words) = error {
            let stays = self.state.assessment.facts.link.state == LinkState::Live;
            self.view.show_message(if stays { STAYS } else { NO_CONNECTION }, words);
        }
        self.state.disconnected = error.map(ToOwned::to_owned);
    }

    /// What was told of the connection is told anew when it is heard again.
    pub(super) fn untold(&mut self) {
        self.view.end_message(STAYS);
        self.state.disconnected = None;
    }

    /// Who the server takes us for, and whether anything can be written at all.
    pub(super) fn identify(&mut self) {
        let state = &mut self.state;
        if let Some(user) = &state.assessment.facts.access.user {
            state.connection.user.clone_from(user);
        }
        state.session.read_only = state
            .held
            .clone()
            .or_else(|| {
                (state.assessment.facts.link.state == LinkState::Recording).then(|| "this is a recording".to_owned())
            })
            .or_else(|| may_write_nothing(&state.assessment.facts.access));
    }
}

/// Why there is nothing that this user could write, when the server has refused every permission that an action needs.
fn may_write_nothing(access: &Access) -> Option<String> {
    let permissions = actions::permissions();
    if !access.refuses_all(permissions.iter().filter(|permission| permission.writes())) {
        return None;
    }
    let user = access.user.as_deref().unwrap_or("this user");
    Some(format!("{user} may look and not write: the server refuses every permission that an action needs"))
}

/// The message of a connection, for whoever knows it from elsewhere.
impl From<Connected> for Msg {
    fn from(connected: Connected) -> Self {
        Self::Connected(connected)
    }
}
