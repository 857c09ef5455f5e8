//! The cockpit: the one select loop, on the main thread.

use std::future;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures::StreamExt;
use tokio::sync::{mpsc, watch};

use super::copy::{self, Between};
use super::pace::Pace;
use super::perform::{Own, Performer};
use super::signals::{News, Signals};
use super::simulator::Simulator;
use super::terminal::{self, Screen};
use super::think;
use crate::app::{App, Connected, Msg, Switchable};
use crate::clock;
use crate::cluster::{self, Cluster};
use crate::input::Key;
use crate::input::pointer::Pointer;
use crate::recorder;
use crate::snapshot::Recording;
use crate::ui::{Flash, FlashLevel};
use crate::upgrade::assess::assess;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::facts::Facts;
use crate::upgrade::memory::Memory;
use crate::upgrade::timeline::Entry;
use crate::upgrade::words;

/// Messages that are handled before the screen is looked at again: a flood of answers does not stop the drawing.
const AT_ONCE: usize = 256;

/// How long the end may take: for the audit log to reach the disk. A second ctrl-c does not wait.
const FAREWELL: Duration = Duration::from_secs(2);

/// Number of SIGHUP: the terminal has gone.
const HANG_UP: i32 = 1;

/// How the cockpit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The person left.
    Left,
    /// A signal, by number.
    Signal(i32),
}

/// What is looked at.
#[derive(Debug)]
pub enum Place {
    /// A cluster, and its simulator if it is ours.
    Cluster(Box<cluster::Options>, Option<Simulator>),
    /// A dump: nothing moves, nothing can be written.
    Recording(Arc<Recording>),
}

/// The way to the place: known at once, or when the demo's simulator listens.
pub type Search = futures::future::BoxFuture<'static, Result<Place, String>>;

/// What the loop needs beside the app.
#[expect(missing_debug_implementations, reason = "holds a future")]
pub struct Parts {
    /// Where the cluster is.
    pub place: Search,
    /// Where views are saved.
    pub views: PathBuf,
    /// The audit log.
    pub audit: Option<PathBuf>,
    /// Listen to the mouse.
    pub mouse: bool,
    /// Panic on this key press: for the test that the terminal survives a defect.
    pub panic_on: Option<char>,
    /// What sits between this program and the terminal.
    pub between: Between,
    /// Messages from outside the loop: the panics of workers.
    pub messages: (mpsc::UnboundedSender<Msg>, mpsc::UnboundedReceiver<Msg>),
}

/// The assessment of nothing: what is shown before anything was heard.
pub fn nothing() -> Arc<Assessment> {
    let now = clock::now();
    Arc::new(assess(Arc::new(Facts::nothing(now)), &Memory::default(), now))
}

/// Runs until the person leaves or a signal ends it. The terminal is given back when this returns.
pub async fn run(mut app: App, parts: Parts) -> io::Result<Ended> {
    // Before the terminal is taken: from then on no signal may end the program without giving it back.
    let signals = Signals::listen()?;
    let mut screen = Screen::take(parts.mouse)?;
    // The first frame comes before anything else is started: whatever the server does, there is a picture.
    screen.draw(|frame| app.draw(frame))?;
    let (thoughts, assessed) = watch::channel(nothing());
    let (notes, noted) = mpsc::unbounded_channel();
    let (recorder, recording) = recorder::Recorder::start(parts.audit);
    let (messages, inbox) = parts.messages;
    let mut table = Loop {
        performer: Performer::new(recorder.clone(), assessed.clone(), messages, notes, parts.views),
        screen,
        app,
        pace: Pace::default(),
        signals,
        between: parts.between,
        panic_on: parts.panic_on,
        assessed,
        thoughts: Some((noted, thoughts)),
        connection: None,
    };
    let ended = table.turn(inbox, parts.place).await;
    let Loop { screen, app, mut signals, performer, .. } = table;
    drop(screen);
    for line in app.parting() {
        // Nobody may read it any more.
        let _ = writeln!(io::stderr(), "{line}");
    }
    drop(performer);
    tokio::select! {
        () = recording.close(&recorder) => {}
        () = tokio::time::sleep(FAREWELL) => tracing::warn!("the audit log did not reach the disk in time"),
        _ = signals.next() => {}
    }
    match ended {
        Err(error) if terminal::hung_up(&error) => Ok(Ended::Signal(HANG_UP)),
        ended => ended,
    }
}

struct Loop {
    screen: Screen,
    app: App,
    performer: Performer,
    pace: Pace,
    signals: Signals,
    between: Between,
    panic_on: Option<char>,
    assessed: watch::Receiver<Arc<Assessment>>,
    /// Goes to the thinking task once there is a cluster.
    thoughts: Option<(mpsc::UnboundedReceiver<Entry>, watch::Sender<Arc<Assessment>>)>,
    connection: Option<watch::Receiver<Arc<cluster::Connection>>>,
}

impl Loop {
    async fn turn(&mut self, mut inbox: mpsc::UnboundedReceiver<Msg>, place: Search) -> io::Result<Ended> {
        let mut events = EventStream::new();
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut place = Some(place);
        loop {
            let due = self.pace.due(clock::instant());
            let ended = tokio::select! {
                biased;
                news = self.signals.next() => self.signal(news).await?,
                () = at(due) => self.draw()?,
                event = events.next() => self.event(event).await?,
                Some(msg) = inbox.recv() => self.messages(msg, &mut inbox).await?,
                found = find(&mut place) => self.found(found),
                Ok(()) = self.assessed.changed() => {
                    let newest = Arc::clone(&self.assessed.borrow_and_update());
                    self.hear(Msg::Assessed(newest)).await?
                }
                connected = connection(&mut self.connection) => self.hear(connected).await?,
                _ = tick.tick() => self.hear(Msg::Tick).await?,
            };
            if let Some(ended) = ended {
                return Ok(ended);
            }
        }
    }

    fn draw(&mut self) -> io::Result<Option<Ended>> {
        self.screen.draw(|frame| self.app.draw(frame))?;
        self.pace.drawn(clock::instant());
        Ok(None)
    }

    async fn signal(&mut self, news: News) -> io::Result<Option<Ended>> {
        match news {
            News::End(number) => return Ok(Some(Ended::Signal(number))),
            News::Stop => self.suspend().await?,
            News::Continue => {
                self.screen.enter()?;
                self.pace.mark();
            }
        }
        Ok(None)
    }

    async fn event(&mut self, event: Option<io::Result<Event>>) -> io::Result<Option<Ended>> {
        match event {
            // The terminal is gone: as if it had hung up.
            None | Some(Err(_)) => Ok(Some(Ended::Signal(HANG_UP))),
            Some(Ok(Event::Key(key))) => {
                let Some(key) = Key::from_event(&key) else { return Ok(None) };
                if let Some(wanted) = self.panic_on
                    && key.typed() == Some(wanted)
                {
                    panic!("asked for by --panic-on {wanted}");
                }
                self.hear(Msg::Key(key)).await
            }
            Some(Ok(Event::Mouse(event))) => match Pointer::from_event(&event) {
                Some(pointer) => self.hear(Msg::Pointer(pointer)).await,
                None => Ok(None),
            },
            Some(Ok(Event::Paste(text))) => self.hear(Msg::Paste(text)).await,
            Some(Ok(Event::Resize(..))) => self.hear(Msg::Resize).await,
            Some(Ok(_)) => Ok(None),
        }
    }

    /// A message and those that wait behind it.
    async fn messages(&mut self, first: Msg, inbox: &mut mpsc::UnboundedReceiver<Msg>) -> io::Result<Option<Ended>> {
        let mut next = Some(first);
        for _ in 0..AT_ONCE {
            let Some(msg) = next else { break };
            if let Some(ended) = self.hear(msg).await? {
                return Ok(Some(ended));
            }
            next = inbox.try_recv().ok();
        }
        if let Some(msg) = next {
            return self.hear(msg).await;
        }
        Ok(None)
    }

    /// It is known where the cluster is.
    fn found(&mut self, found: Result<Place, String>) -> Option<Ended> {
        self.pace.mark();
        match found {
            Ok(Place::Cluster(options, simulator)) => {
                let cluster = Arc::new(Cluster::start(*options));
                if let Some((notes, thoughts)) = self.thoughts.take() {
                    let looked_at = self.performer.wanted();
                    tokio::spawn(think::think(cluster.facts(), notes, thoughts, looked_at, cluster.needing()));
                }
                let mut connection = cluster.connection();
                connection.mark_changed();
                self.connection = Some(connection);
                self.performer.cluster = Some(cluster);
                if let Some(simulator) = simulator {
                    self.app.update(Msg::Sim(simulator.info()), clock::now());
                    self.performer.simulator = Some(simulator);
                }
            }
            Ok(Place::Recording(recording)) => self.play(recording),
            Err(text) => {
                self.app.update(Msg::Say(Flash { level: FlashLevel::Error, text }), clock::now());
            }
        }
        None
    }

    /// A recording is judged once, at its own moment.
    fn play(&mut self, recording: Arc<Recording>) {
        if let Some((_, thoughts)) = self.thoughts.take() {
            let recording = Arc::clone(&recording);
            tokio::task::spawn_blocking(move || {
                let assessment = assess(Arc::clone(&recording.facts), &Memory::default(), recording.now);
                // Another generation than that of nothing: views rebuild their rows when it moves.
                thoughts.send_replace(Arc::new(Assessment { generation: 1, ..assessment }));
            });
        }
        let connected =
            Connected { context: recording.name.clone(), files: recording.paths.clone(), ..Connected::default() };
        self.app.update(Msg::Connected(connected), clock::now());
        if let Some(first) = recording.broken.first() {
            let others = words::count(recording.broken.len(), "file");
            let text = format!("{others} could not be read, such as {}: {}", first.path.display(), first.why);
            self.app.update(Msg::Say(Flash { level: FlashLevel::Warning, text }), clock::now());
        }
        self.performer.recording = Some(recording);
    }

    async fn hear(&mut self, msg: Msg) -> io::Result<Option<Ended>> {
        if self.app.draws(&msg) {
            self.pace.mark();
        }
        for effect in self.app.update(msg, clock::now()) {
            match self.performer.perform(effect, self.app.session(), self.app.epoch()) {
                None => {}
                Some(Own::Quit) => return Ok(Some(Ended::Left)),
                Some(Own::Suspend) => self.suspend().await?,
                Some(Own::Bell) => self.screen.send("\x07")?,
                Some(Own::Copy(text)) => self.screen.send(&copy::clipboard(&text, self.between))?,
                Some(Own::Notify(text)) => self.screen.send(&copy::notification(&text, self.between))?,
            }
        }
        Ok(None)
    }

    async fn suspend(&mut self) -> io::Result<()> {
        self.screen.leave();
        self.signals.stop_group().await?;
        self.screen.enter()?;
        self.pace.mark();
        Ok(())
    }
}

/// Waits until `due`; for ever when nothing is due.
async fn at(due: Option<std::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => future::pending().await,
    }
}

/// Waits until it is known where the cluster is, once.
async fn find(place: &mut Option<Search>) -> Result<Place, String> {
    let Some(waiting) = place else { return future::pending().await };
    let found = waiting.await;
    *place = None;
    found
}

/// Waits until the connection is another.
async fn connection(receiver: &mut Option<watch::Receiver<Arc<cluster::Connection>>>) -> Msg {
    let Some(watched) = receiver else { return future::pending().await };
    if watched.changed().await.is_err() {
        *receiver = None;
        return future::pending().await;
    }
    let newest = Arc::clone(&watched.borrow_and_update());
    Msg::Connected(connected(&newest))
}

pub(super) fn connected(connection: &cluster::Connection) -> Connected {
    let switchable = |context: &cluster::Context| Switchable {
        name: context.name.clone(),
        cluster: context.cluster.clone(),
        user: context.user.clone(),
    };
    Connected {
        context: connection.context.clone(),
        cluster: connection.cluster.clone(),
        server: connection.server.clone(),
        user: connection.user.clone(),
        contexts: connection.contexts.iter().map(switchable).collect(),
        files: connection.files.clone(),
        error: connection.error.clone(),
    }
}
