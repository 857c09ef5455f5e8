//! The terminal guard: takes the screen over and gives it back on every road out.
//!
//! Restored by `Drop`, by the panic hook of the UI thread (see [`super::crash`]) and before the process is stopped.
//! Nothing here prints through `std::io::stdout`, which panics or blocks on a terminal that has hung up: bytes go to an
//! own handle of the same file, in one large buffer, and what cannot be written is dropped. The position of the cursor
//! is never asked for: with an event stream alive the answer would be swallowed and the question would wait 2 s.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use ratatui::crossterm::{cursor, queue, style};
use ratatui::layout::{Rect, Size};

/// Holds more than a full redraw of 300x100 cells with a colour change each, so that a frame is one write.
const BUFFER: usize = 1 << 20;

/// Has the terminal hung up? Then nobody is left to be told.
pub fn hung_up(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// Is the terminal ours at present? Process-wide, because there is one terminal and because a panic hook sees nothing
/// else.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// What frames are drawn on.
pub type Backend = CrosstermBackend<BufWriter<Tty>>;

/// The terminal's file while it is ours; a place where bytes vanish afterwards. ratatui's `Terminal` shows the cursor
/// when it is dropped and prints to standard error when that fails, which panics on a terminal that has hung up.
#[derive(Debug)]
pub struct Tty(File);

impl Write for Tty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if TAKEN.load(Ordering::SeqCst) { self.0.write(bytes) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if TAKEN.load(Ordering::SeqCst) { self.0.flush() } else { Ok(()) }
    }
}

/// Asks the terminal to tell of presses and of the wheel, and not of every movement (DECSET 1000), with coordinates that fit
/// any size (1006). With shift a terminal selects text all the same.
const LISTEN: &[u8] = b"\x1b[?1000h\x1b[?1006h";
/// The mouse is the terminal's again.
const LET_GO: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// The screen while it is ours.
pub struct Screen {
    terminal: Terminal<Backend>,
    /// Listen to the mouse.
    mouse: bool,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen").finish_non_exhaustive()
    }
}

/// Is there a terminal that can be drawn on? If not, says why and what to do.
pub fn usable(term: Option<&str>) -> Result<(), String> {
    if !io::stdout().is_terminal() {
        return Err(
            "standard output is not a terminal: the cockpit draws on one, so run it without a pipe or redirection"
                .to_owned(),
        );
    }
    match term {
        Some("dumb") => Err("TERM=dumb names a terminal that cannot move the cursor: set TERM to what your terminal is, such as xterm-256color".to_owned()),
        None | Some("") => Err("TERM is not set: set it to what your terminal is, such as xterm-256color".to_owned()),
        Some(_) => Ok(()),
    }
}

impl Screen {
    /// Takes the terminal over: raw mode, alternate screen, bracketed paste, and the mouse where it is wanted.
    pub fn take(mouse: bool) -> io::Result<Self> {
        let out = BufWriter::with_capacity(BUFFER, Tty(own_stdout()?));
        let terminal = Terminal::new(CrosstermBackend::new(out))?;
        let mut screen = Self { terminal, mouse };
        screen.enter()?;
        Ok(screen)
    }

    /// Draws one frame within a synchronized update, so that a terminal that knows these shows it whole or not at all.
    pub fn draw(&mut self, render: impl FnOnce(&mut ratatui::Frame)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(render)?;
        queue!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        Write::flush(self.terminal.backend_mut())
    }

    /// Writes an escape sequence that changes no cell: a bell, a notification, a copy.
    pub fn send(&mut self, sequence: &str) -> io::Result<()> {
        self.terminal.backend_mut().write_all(sequence.as_bytes())?;
        Write::flush(self.terminal.backend_mut())
    }

    /// The size in cells.
    pub fn size(&self) -> io::Result<Size> {
        self.terminal.size()
    }

    /// Makes the next frame draw every cell.
    pub fn redraw(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::new(0, 0, size.width, size.height))
    }

    /// Gives the terminal back for a while: before the process stops itself.
    pub fn leave(&mut self) {
        give_back();
    }

    /// Takes the terminal again, whatever somebody made of its modes meanwhile.
    pub fn enter(&mut self) -> io::Result<()> {
        // crossterm takes "raw mode is on" from its memory; after a stop a shell may have set the modes back.
        let _ = disable_raw_mode();
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        let out = self.terminal.backend_mut();
        queue!(out, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        if self.mouse {
            out.write_all(LISTEN)?;
        }
        Write::flush(out)?;
        self.redraw()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // What is still buffered belongs to the alternate screen: dropped by writing it before leaving that screen.
        let _ = Write::flush(self.terminal.backend_mut());
        give_back();
    }
}

/// Gives the terminal back if it is ours. Safe to call at any time and more than once; never fails, never prints.
pub fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    // Whether it was listened to or not: a terminal that was left without saying so must not be.
    let mut bytes = LET_GO.to_vec();
    let _ = queue!(
        bytes,
        EndSynchronizedUpdate,
        DisableBracketedPaste,
        style::ResetColor,
        LeaveAlternateScreen,
        cursor::Show
    );
    if let Ok(mut out) = own_stdout() {
        let _ = out.write_all(&bytes);
    }
    let _ = disable_raw_mode();
}

/// An own handle of standard output, without the lock and the line buffer of `std::io::stdout`.
fn own_stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn giving_back_what_was_never_taken_does_nothing() {
        give_back();
        assert!(!TAKEN.load(Ordering::SeqCst));
    }
}
