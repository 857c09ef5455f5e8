//! Screens, by snapshot: text as a person sees it; what colour says is asserted apart.

mod sample;

use oc_cockpit::input::Key;
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

/// A view on a world, driven by keys.
struct Stage {
    world: World,
    view: View,
    terminal: Terminal<TestBackend>,
    requests: Vec<Request>,
}

impl Stage {
    fn new(world: World, width: u16, height: u16) -> Self {
        let terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let mut stage = Self { world, view: View::new(), terminal, requests: Vec::new() };
        stage.draw();
        stage
    }

    fn draw(&mut self) -> String {
        let ctx = self.world.ctx();
        self.terminal.draw(|frame| self.view.draw(frame, &ctx)).unwrap();
        dump(self.terminal.backend().buffer())
    }

    /// Presses keys, drawing after each as the program does.
    fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ') {
            self.requests = self.view.key(key.parse::<Key>().unwrap(), &self.world.ctx());
            self.draw();
        }
        self
    }

    /// Types a text.
    fn types(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.requests = self.view.key(Key::char(c), &self.world.ctx());
        }
        self.draw();
        self
    }

    fn screen(&mut self) -> String {
        self.draw()
    }
}

#[test]
fn look() {
    for (w, h) in [(80, 24), (120, 40), (200, 60)] {
        println!("{}", Stage::new(sample::rolling(), w, h).screen());
    }
}
