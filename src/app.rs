//! The state of the program: messages in, effects out.
//!
//! Belongs here: [`App`], which owns everything that can change while the program runs; what a message means; when a
//! write is refused; when a person is told. Does not: I/O, waiting, asking the time (it comes with each message).
//! May import: `upgrade`, `actions`, `input`, `ui`.

mod announce;
mod command_log;
mod connection;
mod effect;
mod flash;
mod jobs;
mod msg;
mod orders;
mod requests;

pub use announce::{News, Story};
pub use effect::Effect;
pub use msg::{Connected, Msg, Switchable};

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::Frame;

use crate::actions::{self, Session};
use crate::config::{Config, Meaning, Overrides, Places, Settings};
use crate::input::keymap::Override;
use crate::input::{Command, Key, Keymap, Tab};
use crate::ui::{Connection, ContextLine, Ctx, Depth, Flash, LogNews, SimInfo, Theme, View};
use crate::upgrade::assessment::Assessment;
use crate::upgrade::link::LinkState;
use crate::upgrade::needs::Wanted;

/// What the program starts with.
#[derive(Debug, Clone)]
pub struct Start {
    /// The configuration file.
    pub config: Config,
    /// The flags.
    pub overrides: Overrides,
    /// How many colours the terminal shows.
    pub depth: Depth,
    /// The name of the theme when neither flags nor file name one.
    pub theme: &'static str,
    /// Where the audit log is written.
    pub audit: Option<PathBuf>,
    /// The simulated cluster, if it is ours.
    pub sim: Option<SimInfo>,
    /// Things to say at the start: what was odd about the configuration.
    pub warnings: Vec<String>,
    /// Where the entries of the configuration file stand.
    pub places: Places,
}

/// Without a configuration, flags and an audit log: all colours, on a dark background.
impl Default for Start {
    fn default() -> Self {
        Self {
            config: Config::default(),
            overrides: Overrides::default(),
            depth: Depth::True,
            theme: "dark",
            audit: None,
            sim: None,
            warnings: Vec::new(),
            places: Places::default(),
        }
    }
}

/// What of a configuration is not understood, a line each with its place; the rest holds.
pub fn mistakes(config: &Config, places: &Places) -> Vec<String> {
    let (_, mut mistakes) = keymap(config, places);
    mistakes.extend(choose_columns(&mut View::new(), config, places));
    mistakes.extend(strange_names(config, places));
    mistakes
}

/// The keys with the changes of a configuration, and what of them was not understood.
fn keymap(config: &Config, places: &Places) -> (Keymap, Vec<String>) {
    let change = |(key, meaning): (&String, &Meaning)| Override {
        key: key.clone(),
        command: meaning.command().to_owned(),
        when: meaning.when().map(ToOwned::to_owned),
        place: places.at(&format!("keys.{key}")).to_owned(),
    };
    Keymap::with_overrides(&config.keys.iter().map(change).collect::<Vec<_>>())
}

/// Shows the columns of a configuration, and says which names were not understood.
fn choose_columns(view: &mut View, config: &Config, places: &Places) -> Vec<String> {
    let wrong =
        config.columns.iter().filter_map(|(table, names)| Some((table, view.choose_columns(table, names).err()?)));
    let told = |(table, (name, words)): (&String, (Option<usize>, String))| {
        let path = name.map_or_else(|| format!("columns.{table}"), |name| format!("columns.{table}.{name}"));
        places.told(&path, &format!("columns: {words}; ignored"))
    };
    wrong.map(told).collect()
}

/// The names of theme, tab and actions in a configuration that nobody has.
fn strange_names(config: &Config, places: &Places) -> Vec<String> {
    let theme = config.theme.as_deref().filter(|name| *name != "none");
    let theme = theme.and_then(|name| Theme::built_in(name, Depth::True, false).err());
    let stranger = config.tab.as_deref().filter(|name| tab(name).is_none());
    let theme = theme.map(|words| places.told("theme", &words));
    let stranger = stranger.map(|name| places.told("tab", &no_tab(name)));
    theme.into_iter().chain(stranger).chain(actions::strangers(config, places)).collect()
}

/// All state of the program.
#[derive(Debug)]
pub struct App {
    view: View,
    state: State,
    /// What a person has asked for and has not confirmed yet.
    orders: orders::Orders,
    announcer: announce::Announcer,
    /// The last key was ctrl-c: pressed again it leaves at once, whatever the first press met.
    leaving: bool,
    /// The person knows that an action is being sent.
    warned: bool,
    /// What is read beyond the core kinds, as it was said last.
    wanted: Wanted,
    /// The log that is read, by the ticket of its question.
    following: Option<u64>,
}

/// Everything that the screen may look at.
#[derive(Debug)]
struct State {
    config: Config,
    overrides: Overrides,
    settings: Settings,
    depth: Depth,
    assessment: Arc<Assessment>,
    session: Session,
    /// Why writes are off by flag or configuration.
    held: Option<String>,
    keymap: Keymap,
    theme: Theme,
    now: DateTime<Utc>,
    connection: Connection,
    /// Why there is no connection to speak of; it is on the screen.
    disconnected: Option<String>,
    contexts: Vec<ContextLine>,
    flash: flash::Flashes,
    jobs: jobs::Jobs,
    log: command_log::CommandLog,
    sim: Option<SimInfo>,
    audit: Option<PathBuf>,
}

impl State {
    fn ctx(&self) -> Ctx<'_> {
        Ctx {
            assessment: &self.assessment,
            session: &self.session,
            keymap: &self.keymap,
            theme: &self.theme,
            // A recording shows its own moment: nothing in it grows older.
            now: match self.assessment.facts.link.state {
                LinkState::Recording => self.assessment.now,
                _ => self.now,
            },
            connection: &self.connection,
            flash: self.flash.current(),
            jobs: self.jobs.shown(),
            log: self.log.lines(),
            sim: self.sim.as_ref(),
            contexts: &self.contexts,
            audit: self.audit.as_deref(),
        }
    }

    /// Time is told by another clock from now on, which is ahead by so much: what is measured goes on.
    fn set_clock(&mut self, ahead: TimeDelta) {
        if !ahead.is_zero() {
            self.now += ahead;
            self.flash.set_clock(ahead);
            self.jobs.set_clock(ahead);
        }
    }

    fn say(&mut self, flash: Flash) {
        self.flash.say(flash, self.now);
    }

    fn answer(&mut self, flash: Flash) {
        self.flash.answer(flash, self.now);
    }
}

impl App {
    /// The program before anything was observed. What cannot be understood (a theme, a key, a tab) is said on the
    /// screen and replaced by the default.
    pub fn new(start: Start, nothing: Arc<Assessment>, now: DateTime<Utc>) -> Self {
        let settings = start.config.settings(&start.overrides);
        let mut warnings = start.warnings.clone();
        let (keymap, troubles) = keymap(&start.config, &start.places);
        warnings.extend(troubles);
        let depth = if settings.no_color { Depth::None } else { start.depth };
        let theme = theme(&settings, &start, depth, &mut warnings);
        let tab = settings.tab.as_deref().and_then(tab);
        warnings.extend(start.overrides.tab.as_deref().filter(|_| tab.is_none()).map(no_tab));
        let mut view = View::new();
        warnings.extend(choose_columns(&mut view, &start.config, &start.places));
        warnings.extend(strange_names(&start.config, &start.places));
        let held = start.config.context("", &start.overrides);
        let state = State {
            config: start.config,
            overrides: start.overrides,
            settings,
            depth,
            assessment: nothing,
            session: Session::new("", &held),
            held: held.read_only,
            keymap,
            theme,
            now,
            connection: Connection::default(),
            disconnected: None,
            contexts: Vec::new(),
            flash: flash::Flashes::default(),
            jobs: jobs::Jobs::default(),
            log: command_log::CommandLog::default(),
            sim: start.sim,
            audit: start.audit,
        };
        let mut app = Self {
            view,
            state,
            orders: orders::Orders::default(),
            announcer: announce::Announcer::default(),
            leaving: false,
            warned: false,
            wanted: Wanted::default(),
            following: None,
        };
        if let Some(tab) = tab {
            let _ = app.view.command(Command::Go(tab), &app.state.ctx());
        }
        for warning in warnings {
            app.state.say(flash::warning(warning));
        }
        app
    }

    /// Draws the newest state.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        self.view.draw(frame, &self.state.ctx());
    }

    /// What `msg`, heard at `now`, changes, and what has to be done because of it.
    pub fn update(&mut self, msg: Msg, now: DateTime<Utc>) -> Vec<Effect> {
        self.state.now = now + self.state.assessment.facts.link.clock_ahead;
        let mut effects = self.hear(msg);
        effects.extend(self.attend());
        effects
    }

    /// What is read follows what is looked at: nothing is read for a popup that was closed, however it was.
    fn attend(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut wanted = self.view.wanted();
        // The watch has to show what was done.
        wanted.kinds.extend(self.state.jobs.needs());
        if self.wanted != wanted {
            self.wanted.clone_from(&wanted);
            effects.push(Effect::Want(wanted));
        }
        let wanted = self.view.log_wanted();
        let ticket = wanted.as_ref().map(|(ticket, _)| *ticket);
        if std::mem::replace(&mut self.following, ticket) != ticket {
            effects.push(match wanted {
                Some((ticket, ask)) => Effect::Follow { ticket, ask: Box::new(ask) },
                None => Effect::Unfollow,
            });
        }
        effects
    }

    /// News of a log: the command log tells what is read.
    fn logged(&mut self, ticket: u64, news: Vec<LogNews>) {
        for news in &news {
            if let LogNews::Reading { streams, chosen } = news
                && let Some(stream) = streams.get(*chosen)
                && let Some((_, ask)) = self.view.log_wanted().filter(|(wanted, _)| *wanted == ticket)
            {
                let container =
                    if stream.container.is_empty() { String::new() } else { format!(" -c {}", stream.container) };
                let which = if ask.previous { "--previous" } else { "--follow" };
                let line = format!("logs -n {} {}{container} {which}", stream.namespace, stream.pod);
                let line = self.state.log.begin(self.state.now, false, actions::oc(&self.state.session, &line));
                self.state.log.end(line, "200");
            }
        }
        self.view.show_log(ticket, news);
    }

    fn hear(&mut self, msg: Msg) -> Vec<Effect> {
        match msg {
            Msg::Key(key) => {
                let leaves = key == Key::ctrl('c');
                if std::mem::replace(&mut self.leaving, leaves) && leaves {
                    return vec![Effect::Quit];
                }
                let wishes = self.view.key(key, &self.state.ctx());
                self.fulfil(wishes)
            }
            Msg::Pointer(pointer) => {
                let requests = self.view.pointer(pointer, &self.state.ctx());
                self.fulfil(requests)
            }
            Msg::Paste(text) => {
                self.view.paste(&text, &self.state.ctx());
                Vec::new()
            }
            Msg::Resize => Vec::new(),
            Msg::Tick => self.tick(),
            Msg::Assessed(assessment) => self.assessed(assessment),
            Msg::Connected(connected) => self.connected(connected),
            Msg::Fetched { subject, fetched } => {
                self.state.log.end_read(&self.state.session, &subject, fetched.as_ref().err().map(String::as_str));
                self.view.show_object(&subject, fetched);
                Vec::new()
            }
            Msg::Logged { ticket, news } => {
                self.logged(ticket, news);
                Vec::new()
            }
            Msg::Rehearsed { ticket, rehearsed } => self.rehearsed(ticket, *rehearsed),
            Msg::JobDone { id, outcome } => self.job_done(id, &outcome),
            Msg::Draining { id, progress } => {
                self.state.jobs.draining(id, progress);
                Vec::new()
            }
            Msg::Reread { id, seen } => self.reread(id, seen),
            Msg::Sim(info) => {
                self.state.sim = Some(info);
                Vec::new()
            }
            Msg::Say(flash) => {
                self.state.say(flash);
                Vec::new()
            }
        }
    }

    /// Does `msg` change what is on the screen? Ages alone wait for the next tick: they are shown in seconds.
    pub fn draws(&self, msg: &Msg) -> bool {
        !matches!(msg, Msg::Assessed(assessment) if self.merely_fresher(assessment))
    }

    /// Does the assessment say what the present one says, heard later?
    fn merely_fresher(&self, assessment: &Assessment) -> bool {
        let present = &self.state.assessment;
        present.generation == assessment.generation && Arc::ptr_eq(&present.nodes, &assessment.nodes)
    }

    /// What somebody who leaves now does not see the end of, a line each.
    pub fn parting(&self) -> Vec<String> {
        self.state.jobs.parting()
    }

    /// The circumstances under which actions are planned now.
    pub fn session(&self) -> &Session {
        &self.state.session
    }

    /// The epoch of the facts on which everything is decided now.
    pub fn epoch(&self) -> u64 {
        self.state.assessment.facts.epoch
    }

    fn tick(&mut self) -> Vec<Effect> {
        self.state.flash.expire(self.state.now);
        let (ended, effects) = self.state.jobs.tick(self.state.now);
        for words in ended {
            self.state.say(flash::warning(words));
        }
        effects
    }

    fn assessed(&mut self, assessment: Arc<Assessment>) -> Vec<Effect> {
        let other = self.state.assessment.facts.epoch != assessment.facts.epoch;
        let fresher = self.merely_fresher(&assessment);
        let before = std::mem::replace(&mut self.state.assessment, assessment);
        let mut effects = Vec::new();
        self.state.set_clock(self.state.assessment.facts.link.clock_ahead - before.facts.link.clock_ahead);
        if fresher {
            return effects;
        }
        if other {
            self.view.forget_cluster();
            self.orders.forget();
            self.announcer = announce::Announcer::default();
            effects.extend(self.state.jobs.forget(self.state.now));
        }
        self.state.log.note_kinds(&self.state.session, &before, &self.state.assessment, self.state.now);
        self.identify();
        self.view.assessed(&self.state.ctx());
        effects.extend(self.state.jobs.watch(&self.state.assessment, self.state.now));
        effects.extend(self.reconsider());
        effects.extend(self.announce());
        effects
    }

    fn announce(&mut self) -> Vec<Effect> {
        let Some(story) = self.announcer.hear(&self.state.assessment, &self.state.session.context) else {
            return Vec::new();
        };
        let settings = &self.state.settings;
        let mut effects = Vec::new();
        if settings.bell {
            effects.push(Effect::Bell);
        }
        if settings.osc9 {
            effects.push(Effect::Notify(story.line()));
        }
        if let Some(command) = &settings.hook {
            effects.push(Effect::Hook { command: command.clone(), story });
        }
        effects
    }
}

/// A theme by name, or the dark one with a warning.
fn theme(settings: &Settings, start: &Start, depth: Depth, warnings: &mut Vec<String>) -> Theme {
    let name = settings.theme.as_deref().unwrap_or(start.theme);
    let name = if depth == Depth::None || name == "none" { "no-colour" } else { name };
    Theme::built_in(name, depth, settings.ascii)
        .or_else(|trouble| {
            // What is wrong with that of the file is told with its place.
            warnings.extend(start.overrides.theme.is_some().then_some(trouble));
            Theme::built_in("dark", depth, settings.ascii)
        })
        .unwrap_or_else(|trouble| unreachable!("the dark theme is built in: {trouble}"))
}

fn no_tab(name: &str) -> String {
    format!("`{name}` is no tab")
}

/// A tab by its digit, or by its title in any case.
fn tab(name: &str) -> Option<Tab> {
    Tab::ALL.into_iter().find(|tab| name == tab.digit().to_string() || tab.title().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests;
