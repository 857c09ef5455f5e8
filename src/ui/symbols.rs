//! The signs that say the same as the colours, in full and in ASCII.

use ratatui::symbols::border;

use crate::upgrade::assessment::{Level, NodePhase, OperatorState, StepState};

/// Every sign that the screen uses besides letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbols {
    /// Done, good.
    pub ok: &'static str,
    /// Failed, stuck.
    pub fail: &'static str,
    /// Something to look at.
    pub warn: &'static str,
    /// Good to know.
    pub info: &'static str,
    /// In progress.
    pub active: &'static str,
    /// Not begun.
    pub todo: &'static str,
    /// Paused.
    pub paused: &'static str,
    /// The link is up.
    pub live: &'static str,
    /// The link is down.
    pub dead: &'static str,
    /// A node that is done.
    pub cell_done: &'static str,
    /// A node that is worked on.
    pub cell_moving: &'static str,
    /// A node whose turn has not come.
    pub cell_waiting: &'static str,
    /// A node that no pool manages.
    pub cell_unmanaged: &'static str,
    /// Done part of a bar.
    pub bar_done: &'static str,
    /// Moving part of a bar.
    pub bar_moving: &'static str,
    /// Part of a bar that is left.
    pub bar_left: &'static str,
    /// From here to there.
    pub arrow: &'static str,
    /// Between words.
    pub dot: &'static str,
    /// Side by side.
    pub beside: &'static str,
    /// Between steps.
    pub rail: &'static str,
    /// Something was cut.
    pub ellipsis: &'static str,
    /// An open branch.
    pub open: &'static str,
    /// A closed branch.
    pub closed: &'static str,
    /// A marked row.
    pub mark: &'static str,
    /// The selected row of the focused pane.
    pub cursor: &'static str,
    /// Sorted upwards.
    pub ascending: &'static str,
    /// Sorted downwards.
    pub descending: &'static str,
    /// Borders.
    pub border: border::Set<'static>,
}

/// Signs of a terminal that shows Unicode.
pub const FULL: Symbols = Symbols {
    ok: "✔",
    fail: "✖",
    warn: "!",
    info: "i",
    active: "◐",
    todo: "○",
    paused: "‖",
    live: "●",
    dead: "▲",
    cell_done: "■",
    cell_moving: "▣",
    cell_waiting: "□",
    cell_unmanaged: "·",
    bar_done: "█",
    bar_moving: "▒",
    bar_left: "░",
    arrow: "→",
    dot: "·",
    beside: "∥",
    rail: "──",
    ellipsis: "…",
    open: "▾ ",
    closed: "▸ ",
    mark: "◆",
    cursor: "▌",
    ascending: "↑",
    descending: "↓",
    border: border::PLAIN,
};

/// Signs of a terminal that shows ASCII only.
pub const ASCII: Symbols = Symbols {
    ok: "+",
    fail: "X",
    warn: "!",
    info: "i",
    active: "*",
    todo: "o",
    paused: "=",
    live: "*",
    dead: "!",
    cell_done: "#",
    cell_moving: "@",
    cell_waiting: ".",
    cell_unmanaged: "-",
    bar_done: "#",
    bar_moving: "=",
    bar_left: ".",
    arrow: "->",
    dot: "-",
    beside: "||",
    rail: "--",
    ellipsis: "~",
    open: "v ",
    closed: "> ",
    mark: "*",
    cursor: ">",
    ascending: "^",
    descending: "v",
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
};

impl Symbols {
    /// Sign of a level.
    pub fn level(&self, level: Level) -> &'static str {
        match level {
            Level::Info => self.info,
            Level::Warning => self.warn,
            Level::Error | Level::Critical => self.fail,
        }
    }

    /// Sign of a step of the rail.
    pub fn step(&self, state: StepState) -> &'static str {
        match state {
            StepState::Todo => self.todo,
            StepState::Active => self.active,
            StepState::Trouble => self.fail,
            StepState::Done => self.ok,
        }
    }

    /// Sign of an operator's state.
    pub fn operator(&self, state: OperatorState) -> &'static str {
        match state {
            OperatorState::Unavailable => self.fail,
            OperatorState::Degraded => self.warn,
            OperatorState::Updating => self.active,
            OperatorState::Waiting => self.todo,
            OperatorState::Updated => self.ok,
        }
    }

    /// Sign of a node's phase in the map.
    pub fn cell(&self, phase: NodePhase, stuck: bool) -> &'static str {
        match phase {
            _ if stuck => self.fail,
            NodePhase::Degraded => self.fail,
            NodePhase::Done => self.cell_done,
            NodePhase::Waiting => self.cell_waiting,
            NodePhase::Paused => self.paused,
            NodePhase::Unmanaged => self.cell_unmanaged,
            _ => self.cell_moving,
        }
    }
}
