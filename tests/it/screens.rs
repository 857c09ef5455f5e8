//! Screens, by snapshot: text as a person sees it; what colour says is asserted apart.

mod acting;
mod explained;
mod hostile;
mod image_based;
mod keys;
mod mouse;
mod panes;
mod popups;
mod rich;
mod sample;
mod story;
mod styles;
mod versions;

use oc_cockpit::input::Key;
use oc_cockpit::input::pointer::{Gesture, Pointer};
use oc_cockpit::ui::{Request, View};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use sample::World;

/// The text of a buffer: what is on the screen, wide characters once, no blanks at the ends.
pub fn dump(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut line = String::new();
        let mut skip = 0;
        for x in buffer.area.left()..buffer.area.right() {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Clicks on a text of the screen, and gives back what that asked for.
pub fn click(stage: &mut Stage, text: &str) -> Vec<Request> {
    let (column, row) = stage.find(text);
    gesture(stage, Gesture::Click, column + 1, row)
}

/// Does something with the mouse at a place.
pub fn gesture(stage: &mut Stage, gesture: Gesture, column: u16, row: u16) -> Vec<Request> {
    let requests = stage.view.pointer(Pointer { gesture, column, row }, &stage.world.ctx());
    stage.draw();
    requests
}

/// A view on a world, driven by keys.
pub struct Stage {
    pub world: World,
    pub view: View,
    terminal: Terminal<TestBackend>,
    /// What the last key asked for.
    pub requests: Vec<Request>,
}

impl Stage {
    pub fn new(world: World, width: u16, height: u16) -> Self {
        let terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let mut stage = Self { world, view: View::new(), terminal, requests: Vec::new() };
        stage.draw();
        stage
    }

    pub fn draw(&mut self) -> String {
        let ctx = self.world.ctx();
        self.terminal.draw(|frame| self.view.draw(frame, &ctx)).unwrap();
        dump(self.terminal.backend().buffer())
    }

    /// Presses keys, drawing after each as the program does.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ') {
            self.requests = self.view.key(key.parse::<Key>().unwrap(), &self.world.ctx());
            self.draw();
        }
        self
    }

    /// Types a text.
    pub fn types(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.requests = self.view.key(Key::char(c), &self.world.ctx());
        }
        self.draw();
        self
    }

    pub fn screen(&mut self) -> String {
        self.draw()
    }

    /// A new assessment arrives.
    pub fn changes(&mut self, change: impl FnOnce(&mut World)) -> &mut Self {
        change(&mut self.world);
        self.world.assessment.generation += 1;
        self.view.assessed(&self.world.ctx());
        self.draw();
        self
    }

    pub fn buffer(&self) -> &Buffer {
        self.terminal.backend().buffer()
    }

    /// Where a text stands on the screen.
    pub fn find(&self, text: &str) -> (u16, u16) {
        let screen = dump(self.buffer());
        let (row, line) = screen.lines().enumerate().find(|(_, line)| line.contains(text)).unwrap_or_else(|| {
            panic!("{text:?} is not on the screen:\n{screen}");
        });
        let column = unicode_width::UnicodeWidthStr::width(&line[..line.find(text).unwrap()]);
        (column as u16, row as u16)
    }

    pub fn shows(&mut self, text: &str) {
        let screen = self.draw();
        assert!(screen.contains(text), "{text:?} is not on the screen:\n{screen}");
    }

    pub fn lacks(&mut self, text: &str) {
        let screen = self.draw();
        assert!(!screen.contains(text), "{text:?} is on the screen:\n{screen}");
    }
}
