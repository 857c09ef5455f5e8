//! The image-based upgrade: where its stage machine stands, what may be asked for next, what happens by itself, and what
//! the agent waits for.

mod outage_lines;
mod stage_lines;
mod wait_lines;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub use outage_lines::outage_words;

use crate::input::Command;
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::filter::{Filter, Filtered};
use crate::ui::widgets::motion::Motion;
use crate::ui::widgets::pen::write;
use crate::ui::widgets::text_view::{TextLine, TextView};
use crate::upgrade::assessment::{Assessment, Resource, Subject};
use crate::upgrade::facts::Kind;
use crate::upgrade::image_based::NAME;

/// The kinds that the pane shows.
pub const KINDS: &[Kind] = &[Kind::ImageBasedUpgrades];

/// From this width on there are two columns.
const TWO_COLUMNS: u16 = 110;

/// Is there anything to show: does the cluster have the kind?
pub fn served(assessment: &Assessment) -> bool {
    assessment.image_based.is_some()
}

/// The object behind the pane.
pub fn subject() -> Subject {
    Subject::Object(Resource::cluster(&Kind::ImageBasedUpgrades.resource(), NAME))
}

/// The state of the pane: where it is scrolled to, and which lines are shown.
#[derive(Debug, Default)]
pub struct ImageBasedPane {
    /// What is filtered out.
    pub filter: Filter,
    stages: TextView,
    waits: TextView,
    counts: (usize, usize),
}

/// A line, as a filter sees it.
struct Row<'a>(&'a TextLine);

impl Filtered for Row<'_> {
    fn text(&self) -> String {
        self.0.text()
    }

    fn name(&self) -> String {
        self.0.text()
    }

    fn field(&self, _: &str) -> Option<String> {
        None
    }
}

impl ImageBasedPane {
    /// Draws it.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
        let Some(image) = ctx.assessment.image_based.as_deref() else {
            let text = "this cluster has no image-based upgrades";
            write(buffer, (area.x + 1, area.y), area.width.saturating_sub(1), ctx.theme, Tone::Dim, text);
            return;
        };
        let (stages, waits) = (stage_lines::lines(image, ctx), wait_lines::lines(image, ctx));
        let all = stages.len() + waits.len();
        let passes = |line: &TextLine| !self.filter.active() || self.filter.passes(&Row(line));
        let stages: Vec<TextLine> = stages.into_iter().filter(passes).collect();
        let waits: Vec<TextLine> = waits.into_iter().filter(passes).collect();
        self.counts = (stages.len() + waits.len(), all);
        let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
        if area.width < TWO_COLUMNS {
            let both = stages.into_iter().chain([TextLine::default()]).chain(waits);
            self.stages.set(both.collect());
            self.waits.set(Vec::new());
            self.stages.draw(buffer, inner, ctx.theme);
            return;
        }
        let left = Rect { width: inner.width / 2 - 1, ..inner };
        let right = Rect { x: left.right() + 2, width: inner.width - left.width - 2, ..inner };
        self.stages.set(stages);
        self.waits.set(waits);
        self.stages.draw(buffer, left, ctx.theme);
        self.waits.draw(buffer, right, ctx.theme);
    }

    /// Scrolls.
    pub fn command(&mut self, command: Command) {
        if let Some(motion) = Motion::of(command) {
            self.stages.go(motion);
            self.waits.go(motion);
        }
    }

    /// Lines shown and all.
    pub fn counts(&self) -> (usize, usize) {
        self.counts
    }

    /// What the frame says of filter and place.
    pub fn words(&self) -> String {
        if self.filter.active() {
            return format!("/{} {}/{}", self.filter.text(), self.counts.0, self.counts.1);
        }
        self.stages.place().trim().to_owned()
    }

    /// The whole text, for saving and copying.
    pub fn text(ctx: &Ctx<'_>) -> String {
        let Some(image) = ctx.assessment.image_based.as_deref() else { return String::new() };
        let lines = stage_lines::lines(image, ctx).into_iter().chain([TextLine::default()]);
        lines.chain(wait_lines::lines(image, ctx)).map(|line| line.text() + "\n").collect()
    }
}

/// A heading.
fn heading(text: &str) -> TextLine {
    TextLine::new(Tone::Heading, text)
}

/// `label   text`, indented.
fn labelled(label: &str, tone: Tone, text: impl AsRef<str>) -> TextLine {
    TextLine::new(Tone::Dim, format!("  {label:<14}")).and(tone, text).hanging(16)
}
