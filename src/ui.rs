//! Drawing, and the state of what is looked at.
//!
//! Belongs here: everything between an assessment and the cells of the terminal: panes, popups, widgets, themes, and
//! the view state (tab, selection, scroll, filters, sorts, marks, open popups). [`View::draw`] draws, [`View::key`] and
//! [`View::command`] answer what the person does with [`Request`]s that the app fulfils; answers come back through
//! setters such as [`View::show_plan`].
//! Does not: judge (that is `upgrade`), plan or send a change, ask the time, do I/O. A pane sees a [`Ctx`] only, so that
//! three lines draw it in a test. No text of the server reaches a cell without [`neutral::neutral`].
//! May import: `upgrade`, `actions`, `input`.

pub mod command_line;
pub mod ctx;
pub mod footer;
pub mod header;
pub mod neutral;
pub mod panes;
pub mod popups;
pub mod request;
pub mod screen;
pub mod symbols;
pub mod theme;
pub mod view;
pub mod widgets;
pub mod words;

pub use ctx::{Connection, ContextLine, Ctx, Flash, FlashLevel, Job, JobState, LogLine, SimInfo};
pub use request::{LogAsk, LogNews, LogStream, Rehearsed, Request, SimFault, SimRequest};
pub use theme::{Depth, Theme};
pub use view::View;
