//! Signals as news: end, stop, continue.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// HUP, INT, QUIT or TERM: end, giving the terminal back. Holds the number of the signal.
    End(i32),
    /// TSTP from outside (from the keyboard it is a key press, since the terminal is raw).
    Stop,
    /// CONT: the process was stopped by somebody and goes on; the terminal's modes may have been changed meanwhile.
    Continue,
}

/// The signals that the cockpit answers.
#[derive(Debug)]
pub struct Signals {
    hang_up: Signal,
    interrupt: Signal,
    quit: Signal,
    terminate: Signal,
    stop: Signal,
    cont: Signal,
}

impl Signals {
    /// Starts listening. Must be called within the runtime.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            stop: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            cont: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    /// The next news. Cancel safe.
    pub async fn next(&mut self) -> News {
        tokio::select! {
            biased;
            _ = self.hang_up.recv() => News::End(SignalKind::hangup().as_raw_value()),
            _ = self.terminate.recv() => News::End(SignalKind::terminate().as_raw_value()),
            _ = self.interrupt.recv() => News::End(SignalKind::interrupt().as_raw_value()),
            _ = self.quit.recv() => News::End(SignalKind::quit().as_raw_value()),
            _ = self.cont.recv() => News::Continue,
            _ = self.stop.recv() => News::Stop,
        }
    }

    /// Until HUP, INT, QUIT or TERM: what a server without a screen waits for. The number of the signal.
    pub async fn end(&mut self) -> i32 {
        loop {
            if let News::End(number) = self.next().await {
                return number;
            }
        }
    }

    /// Stops the own process group and waits until it goes on. The terminal must have been given back before.
    ///
    /// SIGTSTP does not stop an orphaned process group, and stopping only ourselves would leave a parent such as
    /// `cargo run` in the foreground: so SIGSTOP, to the group.
    pub async fn stop_group(&mut self) -> io::Result<()> {
        rustix::process::kill_current_process_group(rustix::process::Signal::STOP)?;
        // The stop may come a moment after the call returns; CONT tells that it is over. If the stop was not obeyed
        // there will be no CONT: then go on after a moment.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), self.cont.recv()).await;
        Ok(())
    }
}
