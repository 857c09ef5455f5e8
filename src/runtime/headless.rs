//! The cockpit without a terminal: the same app, client and work, drawn into memory.
//!
//! For screenshots and for tests that look at a whole screen. It waits for what the screen shows, never for time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use tokio::sync::{mpsc, watch};

use super::cockpit::{connected, nothing};
use super::perform::Performer;
use super::think;
use crate::app::{self, App, Msg};
use crate::clock;
use crate::cluster::{self, Cluster};
use crate::input::Key;
use crate::recorder::{self, Recorder};
use crate::upgrade::assessment::Assessment;

/// A cockpit that draws into memory.
#[expect(missing_debug_implementations, reason = "holds channels and a screen")]
pub struct Headless {
    app: App,
    terminal: Terminal<TestBackend>,
    performer: Performer,
    assessed: watch::Receiver<Arc<Assessment>>,
    connection: watch::Receiver<Arc<cluster::Connection>>,
    inbox: mpsc::UnboundedReceiver<Msg>,
    recording: recorder::Task,
    recorder: Recorder,
}

impl Headless {
    /// Opens a cockpit of `width` x `height` cells on the cluster of `options`. Has to be called in a tokio runtime.
    pub fn open(options: cluster::Options, start: app::Start, views: PathBuf, (width, height): (u16, u16)) -> Self {
        let (recorder, recording) = Recorder::start(start.audit.clone());
        let (messages, inbox) = mpsc::unbounded_channel();
        let (thoughts, assessed) = watch::channel(nothing());
        let (notes, noted) = mpsc::unbounded_channel();
        let cluster = Arc::new(Cluster::start(options));
        let mut performer = Performer::new(recorder.clone(), assessed.clone(), messages, notes, views);
        tokio::spawn(think::think(cluster.facts(), noted, thoughts, performer.wanted(), cluster.needing()));
        performer.cluster = Some(Arc::clone(&cluster));
        let mut connection = cluster.connection();
        connection.mark_changed();
        let terminal = match Terminal::new(TestBackend::new(width, height)) {
            Ok(terminal) => terminal,
            Err(never) => match never {},
        };
        let app = App::new(start, nothing(), clock::now());
        Self { app, terminal, performer, assessed, connection, inbox, recording, recorder }
    }

    /// Presses keys, one after the other, as the keymap writes them: `3`, `j`, `enter`, `ctrl-d`.
    ///
    /// # Errors
    /// A word that is no key.
    pub fn press(&mut self, keys: &[&str]) -> Result<(), String> {
        for key in keys {
            let key: Key = key.parse().map_err(|error| format!("{error}"))?;
            self.hear(Msg::Key(key));
        }
        Ok(())
    }

    /// Hears and draws until `wanted` is true of the screen's text.
    ///
    /// # Errors
    /// The screen as it was when `limit` had passed.
    pub async fn until(&mut self, limit: Duration, wanted: impl Fn(&str) -> bool) -> Result<(), String> {
        let waiting = async {
            loop {
                let text = self.draw();
                if wanted(&text) {
                    return;
                }
                self.next().await;
            }
        };
        let waited = tokio::time::timeout(limit, waiting).await;
        waited.map_err(|_| format!("not seen within {limit:?}; the screen shows:\n{}", self.draw()))
    }

    /// The screen as it was drawn last.
    pub fn buffer(&self) -> &Buffer {
        self.terminal.backend().buffer()
    }

    /// The newest assessment that was heard.
    pub fn assessment(&self) -> Arc<Assessment> {
        Arc::clone(&self.assessed.borrow())
    }

    /// Ends the work and lets the audit log reach the disk.
    pub async fn close(self) {
        let Self { performer, recording, recorder, .. } = self;
        drop(performer);
        recording.close(&recorder).await;
    }

    /// Draws, and gives the text of the screen, a line each.
    pub fn draw(&mut self) -> String {
        let app = &mut self.app;
        match self.terminal.draw(|frame| app.draw(frame)) {
            Ok(_) => {}
            Err(never) => match never {},
        }
        let buffer = self.terminal.backend().buffer();
        let width = usize::from(buffer.area.width).max(1);
        let lines = buffer.content.chunks(width).map(|row| row.iter().map(Cell::symbol).collect::<String>());
        lines.collect::<Vec<_>>().join("\n")
    }

    async fn next(&mut self) {
        let msg = tokio::select! {
            Some(msg) = self.inbox.recv() => msg,
            Ok(()) = self.assessed.changed() => Msg::Assessed(Arc::clone(&self.assessed.borrow_and_update())),
            Ok(()) = self.connection.changed() => Msg::Connected(connected(&self.connection.borrow_and_update())),
            () = tokio::time::sleep(Duration::from_secs(1)) => Msg::Tick,
        };
        self.hear(msg);
    }

    /// What concerns a terminal (bell, copy, suspend, quit) has no meaning here.
    fn hear(&mut self, msg: Msg) {
        for effect in self.app.update(msg, clock::now()) {
            let _ = self.performer.perform(effect, self.app.session(), self.app.epoch());
        }
    }
}
