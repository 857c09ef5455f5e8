//! What the mouse does: pressed, or its wheel turned. Moving it means nothing.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gesture {
    /// The left button was pressed.
    Click,
    /// The wheel was turned towards the beginning.
    WheelUp,
    /// The wheel was turned towards the end.
    WheelDown,
}

/// A gesture, and where it was made: column and row of the screen, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointer {
    /// What was done.
    pub gesture: Gesture,
    /// Column.
    pub column: u16,
    /// Row.
    pub row: u16,
}

impl Pointer {
    /// What the terminal says; none: it means nothing here.
    pub fn from_event(event: &MouseEvent) -> Option<Self> {
        let gesture = match event.kind {
            MouseEventKind::Down(MouseButton::Left) => Gesture::Click,
            MouseEventKind::ScrollUp => Gesture::WheelUp,
            MouseEventKind::ScrollDown => Gesture::WheelDown,
            _ => return None,
        };
        Some(Self { gesture, column: event.column, row: event.row })
    }
}
