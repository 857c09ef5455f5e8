//! Where answers go: stdout and stderr, which may be a terminal, a pipe, or gone.

use std::env;
use std::io::{self, ErrorKind, IsTerminal, Write};

use crossterm::terminal;

use crate::report::Look;
use crate::report::text::{WIDTH, wrapped};
use crate::upgrade::neutral::neutral;

/// Wider lines are hard to read.
const WIDEST: usize = 160;

/// Narrower terminals break lines themselves.
const NARROWEST: usize = 60;

/// How texts look on this stdout. `no_color` is `--no-color`.
pub fn look(no_color: bool) -> Look {
    let on_terminal = io::stdout().is_terminal();
    let unwanted = no_color || env::var("NO_COLOR").is_ok_and(|value| !value.is_empty());
    let dumb = env::var("TERM").is_ok_and(|term| term == "dumb");
    let width = if on_terminal { terminal::size().map_or(WIDTH, |(columns, _)| usize::from(columns)) } else { WIDTH };
    Look { colour: on_terminal && !unwanted && !dumb, width: width.clamp(NARROWEST, WIDEST) }
}

/// Writes `text` to stdout. Whoever read it may have left: that is no error.
pub fn print(text: &str) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

/// Says on stderr what went wrong and what to try next.
pub fn complain(words: &str, hint: &str) {
    let mut out = io::stderr().lock();
    let hint = if hint.is_empty() { String::new() } else { format!("\n{hint}") };
    let text = wrapped(&format!("oc-cockpit: {words}{hint}"), usize::MAX).join("\n");
    // Nobody is left to tell.
    let _ = writeln!(out, "{text}");
}

/// A line of a server for stdout: harmless on a terminal, as it is for whoever keeps it.
pub fn shown(line: &str) -> std::borrow::Cow<'_, str> {
    if io::stdout().is_terminal() { neutral(line) } else { line.into() }
}

/// Waits until nobody reads stdout any more, where that can be known (a pipe). Never ends otherwise.
pub async fn abandoned() {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut tick = tokio::time::interval(std::time::Duration::from_secs(1));
    loop {
        tick.tick().await;
        let stdout = io::stdout();
        let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let gone = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
        if poll(&mut asked, Some(&at_once)).is_ok_and(|told| told > 0) && asked[0].revents().intersects(gone) {
            return;
        }
    }
}
