//! A person at the keyboard: the app, its screen, and the work that it asks for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use oc_cockpit::actions::Refusal;
use oc_cockpit::actions::outcome::Rehearsal;
use oc_cockpit::app::{App, Connected, Effect, Msg, Start, Switchable};
use oc_cockpit::cluster::tail::Logged;
use oc_cockpit::input::Key;
use oc_cockpit::runtime::stream;
use oc_cockpit::ui::{LogAsk, LogNews};
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::{Assessment, Subject};
use oc_cockpit::upgrade::facts::{Facts, Kind};
use oc_cockpit::upgrade::log_source::LogSource;
use oc_cockpit::upgrade::memory::Memory;
use oc_cockpit::upgrade::needs::Wanted;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::table::Press;
use super::world::World;
use crate::screens::dump;

const SIZE: (u16, u16) = (160, 48);
/// Rows that are walked through at most to find one, and pages of a text.
const ROWS: usize = 200;
const PAGES: usize = 12;
/// Only a defect makes a log wait so long for its first line.
const LOG: Duration = Duration::from_secs(30);

/// A person who looks at a world.
pub struct Person<'w> {
    world: &'w World,
    app: App,
    terminal: Terminal<TestBackend>,
    assessment: Arc<Assessment>,
    generation: u64,
    wanted: Wanted,
    /// The plan that the keys led to, and what the server said to it.
    pub plan: Option<Result<Rehearsal, Refusal>>,
    copied: String,
}

impl<'w> Person<'w> {
    /// Opens the cockpit.
    pub async fn at(world: &'w World) -> Self {
        let nothing = Arc::new(assess(Arc::new(Facts::nothing(world.now)), &Memory::default(), world.now));
        let mut person = Self {
            world,
            app: App::new(Start::default(), Arc::clone(&nothing), world.now),
            terminal: Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).unwrap(),
            assessment: nothing,
            generation: 0,
            wanted: Wanted::default(),
            plan: None,
            copied: String::new(),
        };
        let context = Switchable { name: "lab".into(), cluster: "lab".into(), user: "kim".into() };
        let connected = Connected { context: "lab".into(), contexts: vec![context], ..Connected::default() };
        person.hear(Msg::Connected(connected)).await;
        let news = person.look().await;
        person.hear(news).await;
        person
    }

    /// What is seen of what is wanted now.
    async fn look(&mut self) -> Msg {
        self.generation += 1;
        let seen = self.world.look(&self.wanted).await;
        self.assessment = Arc::new(Assessment { generation: self.generation, ..(*seen).clone() });
        Msg::Assessed(Arc::clone(&self.assessment))
    }

    /// Hears a message, does what the app asks for because of it, and draws.
    async fn hear(&mut self, msg: Msg) {
        let mut inbox = VecDeque::from([msg]);
        while let Some(msg) = inbox.pop_front() {
            for effect in self.app.update(msg, self.world.now) {
                inbox.extend(self.perform(effect).await);
            }
        }
        self.draw();
    }

    async fn perform(&mut self, effect: Effect) -> Option<Msg> {
        match effect {
            Effect::Rehearse { ticket, plan } => {
                let session = self.app.session().clone();
                let rehearsed = self.world.rehearse(&self.assessment, &session, *plan).await;
                self.plan = Some(rehearsed.clone());
                Some(Msg::Rehearsed { ticket, rehearsed: Box::new(rehearsed) })
            }
            Effect::Want(wanted) if wanted != self.wanted => {
                self.wanted = wanted;
                Some(self.look().await)
            }
            Effect::Fetch(subject) => {
                let requests = &self.world.desk().requests;
                let fetched = match &subject {
                    Subject::Version => requests.fetch(Kind::ClusterVersions, "version").await,
                    Subject::Operator(name) => requests.fetch(Kind::ClusterOperators, name).await,
                    Subject::Pool(name) => requests.fetch(Kind::MachineConfigPools, name).await,
                    Subject::Node(name) => requests.fetch(Kind::Nodes, name).await,
                    Subject::Object(object) => requests.fetch_object(object).await,
                    Subject::Link => return None,
                };
                Some(Msg::Fetched { subject, fetched: fetched.map_err(|trouble| trouble.words) })
            }
            Effect::Follow { ticket, ask } => Some(Msg::Logged { ticket, news: self.follow(&ask).await }),
            Effect::Copy(text) => {
                self.copied = text;
                None
            }
            Effect::Execute { .. } | Effect::Prove { .. } => panic!("nothing is sent by looking"),
            _ => None,
        }
    }

    /// The first lines of a log.
    async fn follow(&self, ask: &LogAsk) -> Vec<LogNews> {
        let requests = &self.world.desk().requests;
        let pods = requests.pods_of(&ask.of.query).await.unwrap();
        let Some(pod) = pods.first() else { return vec![LogNews::Told("no pod".into())] };
        let container = ask.of.container.clone().or_else(|| pod.containers.first().cloned()).unwrap_or_default();
        let source = LogSource {
            namespace: pod.namespace.clone(),
            pod: pod.name.clone(),
            container: Some(container.clone()).filter(|name| !name.is_empty()),
            previous: false,
            follow: false,
            tail_lines: Some(20),
            timestamps: false,
        };
        let mut news = vec![LogNews::Reading { streams: vec![stream(pod, container)], chosen: 0 }];
        let mut tail = requests.tail(source);
        let read = async {
            while let Some(Logged::Line(text)) = tail.next().await {
                news.push(LogNews::Line { at: None, text });
            }
        };
        tokio::time::timeout(LOG, read).await.expect("a log that is not followed ends");
        news
    }

    fn draw(&mut self) -> String {
        let app = &mut self.app;
        self.terminal.draw(|frame| app.draw(frame)).unwrap();
        dump(self.terminal.backend().buffer())
    }

    async fn key(&mut self, key: Key) {
        self.hear(Msg::Key(key)).await;
    }

    async fn named(&mut self, key: &str) {
        self.key(key.parse().unwrap()).await;
    }

    /// Does what is written.
    pub async fn press(&mut self, press: &Press) -> Result<(), String> {
        match press {
            Press::Key(key) => self.key(*key).await,
            Press::Line(line) => {
                self.named(":").await;
                self.hear(Msg::Paste(line.clone())).await;
                self.named("enter").await;
            }
            Press::To(words) => return self.to(words).await,
        }
        Ok(())
    }

    /// The rows that a cursor stands on: of the pane with the focus, and of what lies over it.
    fn cursors(&mut self) -> Vec<String> {
        let rows = |line: &str| line.split('▌').skip(1).map(str::to_owned).collect::<Vec<_>>();
        self.draw().lines().flat_map(rows).collect()
    }

    /// Down to the row that has `words`, from the top unless the cursor is on it already.
    async fn to(&mut self, words: &str) -> Result<(), String> {
        let found = |cursors: &[String]| cursors.iter().any(|row| row.contains(words));
        if found(&self.cursors()) {
            return Ok(());
        }
        self.named("g").await;
        let mut before = Vec::new();
        for _ in 0..ROWS {
            let cursors = self.cursors();
            if found(&cursors) {
                return Ok(());
            }
            if cursors == before {
                break;
            }
            before = cursors;
            self.named("j").await;
        }
        Err(format!("no row has {words:?}"))
    }

    /// The screen.
    pub fn screen(&mut self) -> String {
        self.draw()
    }

    /// Is it on the screen, or further down in the text that is on it?
    pub async fn sees(&mut self, fact: &str) -> bool {
        let mut before = String::new();
        for _ in 0..PAGES {
            let screen = self.draw();
            if flat(&screen).contains(fact) {
                return true;
            }
            if screen == before {
                return false;
            }
            before = screen;
            self.named("pgdn").await;
        }
        false
    }

    /// What copying gives of what is on top: a message as it was told.
    pub async fn copied(&mut self) -> String {
        self.named("Y").await;
        std::mem::take(&mut self.copied)
    }
}

/// One blank between words, however a text is wrapped.
pub fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
