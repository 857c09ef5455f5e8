//! The whole screen: which rectangle goes where at which size.
//!
//! ```text
//! header    3 lines (1 when hidden): where, verdict, worst finding
//! rail      1 line: where in the procedure
//! tabs      1 line
//! body      the panes of the tab
//! messages  0 to 5 lines: actions under way, the flash
//! footer    1 line: keys that work here, or the line that is typed
//! ```

mod overview;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::widgets::{Clear, Widget};

use super::ctx::Ctx;
use super::footer;
use super::header;
use super::panes::{findings, freshness, image_based, nodes, operators, pools, timeline};
use super::popups::choices::{danger_tone, widest};
use super::popups::menu::reading;
use super::popups::{command_log, help};
use super::theme::Tone;
use super::view::{Popup, View};
use super::widgets::panel::{centred, draw_mark, focus, panel, title};
use super::widgets::pen::{Pen, write};
use super::widgets::spots::Spots;
use super::widgets::text_view::TextView;
use super::words;
use crate::actions::Danger;
use crate::input::{Pane, Tab};
use crate::upgrade::facts::Kind;

/// Below this nothing can be laid out: the verdict is still said.
const LEAST: (u16, u16) = (60, 15);

/// Draws everything.
pub fn draw(view: &mut View, frame: &mut Frame<'_>, ctx: &Ctx<'_>) {
    let area = frame.area();
    let mut cursor = None;
    let buffer = frame.buffer_mut();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        too_small(buffer, area, ctx);
        return;
    }
    let mut rest = area;
    let mut take = |rows: u16| {
        let taken = Rect { height: rows.min(rest.height), ..rest };
        rest.y += taken.height;
        rest.height -= taken.height;
        taken
    };
    if view.header {
        let next = view.next.as_ref().filter(|_| ctx.session.read_only.is_none());
        header::draw(buffer, take(3), ctx, next);
        header::draw_rail(buffer, take(1), ctx);
    } else {
        header::draw_short(buffer, take(1), ctx);
    }
    view.places.tabs = draw_tabs(buffer, take(1), ctx, view.tab);
    let messages = footer::messages(ctx, usize::from(area.width));
    let below = 1 + messages.len() as u16;
    let above = if view.header { 5 } else { 2 };
    let body = take(area.height.saturating_sub(above + below));
    draw_body(view, buffer, body, ctx);
    if !view.popups.is_empty() {
        // What lies below can still be recognised, and does not ask to be read.
        buffer.set_style(body, ctx.theme.style(Tone::Dim));
        let whole = Rect { height: body.bottom() - area.y, ..area };
        let room = if view.fullscreen { whole } else { body };
        cursor = draw_popups(view, buffer, room, ctx).or(cursor);
    }
    for pen in &messages {
        let line = take(1);
        Clear.render(line, buffer);
        pen.draw(buffer, line);
    }
    let line = take(1);
    cursor = footer::draw(view, buffer, line, ctx).or(cursor);
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

/// What can still be said: verdict, versions, worst finding, and what else there is room for.
fn too_small(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
    let more = format!("too small: {}x{}, {}x{} needed", area.width, area.height, LEAST.0, LEAST.1);
    let said = header::essentials(ctx).into_iter().chain([(Tone::Dim, more)]);
    let signs = ctx.theme.symbols();
    // What there is room for below: the other findings, and how far the pools are.
    let others = header::others(ctx).map(|finding| {
        let tone: Tone = finding.level.into();
        (tone, format!("{} {}", signs.level(finding.level), finding.title))
    });
    let pools = ctx.assessment.pools.iter().map(|pool| {
        let paused = if pool.paused { ", paused" } else { "" };
        (Tone::Text, format!("{} {}/{}{paused}", pool.name, pool.updated, pool.total))
    });
    let mut y = area.y;
    for (tone, text) in said.chain(others).chain(pools) {
        for line in words::wrap(&text, area.width.into(), 2) {
            if y < area.bottom() {
                write(buffer, (area.x, y), area.width, ctx.theme, tone, &line);
                y += 1;
            }
        }
    }
}

/// Draws the titles of the tabs; gives back where each stands.
fn draw_tabs(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, current: Tab) -> Spots<Tab> {
    let a = ctx.assessment;
    let mut places = Spots::default();
    let mut pen = Pen::new(ctx.theme);
    let shown = Tab::ALL.into_iter().filter(|tab| *tab != Tab::ImageBased || image_based::served(a));
    for tab in shown {
        let count = match tab {
            Tab::Operators if a.operators.total > 0 => format!(" {}/{}", a.operators.updated, a.operators.total),
            Tab::Nodes if !a.nodes.is_empty() => format!(" {}", a.nodes.len()),
            Tab::Findings if !a.findings.is_empty() => format!(" {}", a.findings.len()),
            _ => String::new(),
        };
        let roomy = area.width >= 90;
        // Where there is little room its title is shorter.
        let title = if tab == Tab::ImageBased && !roomy { "Image" } else { tab.title() };
        let text = format!("{} {title}{}", tab.digit(), if roomy { count } else { String::new() });
        let place = Rect { x: area.x + pen.width() as u16, width: words::width(&text) as u16 + 2, height: 1, ..area };
        places.put(place.intersection(area), tab);
        if tab == current {
            pen.put(Tone::Tab, format!("[{text}]"));
        } else {
            pen.put(Tone::Title, format!(" {text} "));
        }
    }
    pen.draw(buffer, area);
    places
}

/// Places panes and remembers where the focused one is.
struct Stage<'v, 'c> {
    view: &'v mut View,
    ctx: &'c Ctx<'c>,
    focused: Option<Rect>,
    /// On the overview there is room for the selected finding in full.
    told: bool,
}

fn draw_body(view: &mut View, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
    view.visible.clear();
    view.places.panes.clear();
    let tab = view.tab;
    let mut stage = Stage { view, ctx, focused: None, told: false };
    match tab {
        Tab::Overview if area.width >= 100 => stage.overview_wide(buffer, area),
        Tab::Overview => stage.overview_narrow(buffer, area),
        Tab::Operators => stage.place(buffer, area, Pane::Operators, false),
        Tab::Pools => stage.place(buffer, area, Pane::Pools, false),
        Tab::Nodes => stage.node_tab(buffer, area),
        Tab::Findings => stage.place(buffer, area, Pane::Findings, false),
        Tab::Timeline => stage.place(buffer, area, Pane::Timeline, false),
        Tab::ImageBased => stage.place(buffer, area, Pane::ImageBased, false),
    }
    if let Some(focused) = stage.focused {
        focus(buffer, focused, ctx.theme);
    }
}

/// The upper part of `area` and the rest; they share a border line.
fn cut(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.clamp(2, area.height.saturating_sub(1).max(2)).min(area.height);
    let upper = Rect { height, ..area };
    let top = upper.bottom().saturating_sub(1);
    (upper, Rect { y: top, height: area.bottom().saturating_sub(top), ..area })
}

impl Stage<'_, '_> {
    /// The map above, the table below; small clusters need the table only.
    fn node_tab(&mut self, buffer: &mut Buffer, area: Rect) {
        let wanted = self.view.map.height(self.ctx.assessment, area.width.saturating_sub(3)) + 3;
        // A message at the bottom must not take the map away.
        if area.height < 15 || self.ctx.assessment.nodes.is_empty() {
            self.place(buffer, area, Pane::Nodes, false);
            return;
        }
        let (map, table) = cut(area, wanted.clamp(4, area.height / 2));
        self.place(buffer, map, Pane::Map, false);
        self.place(buffer, table, Pane::Nodes, false);
    }

    fn place(&mut self, buffer: &mut Buffer, area: Rect, pane: Pane, compact: bool) {
        let ctx = self.ctx;
        let told = self.told;
        let view = &mut *self.view;
        let focused = view.pane() == pane;
        view.visible.push(pane);
        view.places.panes.put(area, pane);
        let (name, kinds): (String, &[Kind]) = match pane {
            Pane::Operators => (operators::title(ctx.assessment), operators::KINDS),
            Pane::Pools => ("Pools".into(), pools::KINDS),
            Pane::Map => ("Nodes, one cell each".into(), &[Kind::Nodes]),
            Pane::Nodes => ("Nodes".into(), nodes::KINDS),
            Pane::Findings => (findings::title(ctx), &[]),
            Pane::Timeline => (timeline::title(ctx.assessment), &[]),
            Pane::ImageBased => ("Image-based upgrade".into(), image_based::KINDS),
        };
        let inner = area.inner(Margin::new(1, 1));
        match pane {
            Pane::Operators => operators::draw(buffer, inner, ctx, &mut view.operators, focused, compact),
            Pane::Pools => view.pools.draw(buffer, inner, ctx, focused, compact),
            Pane::Map => {
                let selected = view.nodes.selected().map(str::to_owned);
                view.map.draw(buffer, inner, ctx, selected.as_deref(), focused);
            }
            Pane::Nodes => nodes::draw(buffer, inner, ctx, &mut view.nodes, focused),
            Pane::Findings => {
                let with_detail = !compact || told;
                findings::draw(buffer, inner, ctx, &mut view.findings, focused, with_detail);
            }
            Pane::Timeline if compact => timeline::draw_short(buffer, inner, ctx, &mut view.timeline, focused),
            Pane::Timeline => timeline::draw(buffer, inner, ctx, &mut view.timeline, focused),
            Pane::ImageBased => view.image_based.draw(buffer, inner, ctx),
        }
        freshness::shade(buffer, inner, ctx, kinds);
        // The frame comes last: what its title says of scrolling is known only now.
        let extra = match pane {
            Pane::Operators => view.operators.words(ctx.assessment),
            Pane::Pools => view.pools.words(ctx),
            Pane::Map => view.nodes.marks_words(ctx.assessment),
            Pane::Nodes => view.nodes.words(ctx.assessment),
            Pane::Findings => view.findings.words(ctx.assessment),
            Pane::Timeline if compact && !focused => String::new(),
            Pane::Timeline => view.timeline.words(ctx.assessment),
            Pane::ImageBased => view.image_based.words(),
        };
        let mut heading = title(ctx.theme, &name, focused);
        if !extra.is_empty() {
            heading.put(Tone::Key, format!(" {extra} "));
        }
        let mut mark = freshness::mark(ctx, kinds);
        if pane == Pane::Nodes && mark.width() == 0 {
            let room = usize::from(area.width).saturating_sub(heading.width() + 5);
            let source = nodes::source_words(ctx).into_iter().find(|source| words::width(source) <= room);
            if let Some(source) = source.filter(|source| !source.is_empty()) {
                mark.put(Tone::Dim, format!(" {source} "));
            }
        }
        panel(buffer, area, ctx.theme, &heading, &mark);
        if focused {
            self.focused = Some(area);
        }
    }
}

/// Draws popups bottom to top; gives back where the cursor stands.
fn draw_popups(view: &mut View, buffer: &mut Buffer, body: Rect, ctx: &Ctx<'_>) -> Option<(u16, u16)> {
    let mut cursor = None;
    let last = view.popups.len().saturating_sub(1);
    for (index, popup) in view.popups.iter_mut().enumerate() {
        cursor = None;
        // Only the one on top is whole on the screen; those below would be drawn for nothing.
        if index == last {
            (view.places.popup, cursor) = draw_popup(popup, buffer, body, ctx);
        }
    }
    cursor
}

#[expect(clippy::too_many_lines, reason = "one arm a popup")]
fn draw_popup(popup: &mut Popup, buffer: &mut Buffer, body: Rect, ctx: &Ctx<'_>) -> (Rect, Option<(u16, u16)>) {
    let mut tone = Tone::TitleFocused;
    let (area, name) = match popup {
        Popup::Object(object) => (body, object.title()),
        Popup::Finding(finding) => {
            finding.refresh(ctx);
            (body, finding.title())
        }
        Popup::Report(report) => {
            report.refresh(ctx);
            (body, report.title())
        }
        Popup::Logs(log) => (body, log.title()),
        Popup::Drain(drain) => {
            drain.refresh(ctx);
            (body, drain.title(ctx))
        }
        Popup::Help { filter, .. } if filter.is_empty() => (body, "help".to_owned()),
        Popup::Help { filter, .. } => (body, format!("help /{filter}")),
        Popup::Log(_) => (body, "command log".to_owned()),
        Popup::Message { title, view } => {
            let lines = view.text();
            let long = lines.lines().map(|line| words::width(line) / 66 + 1).sum::<usize>() as u16;
            (centred(body, 70, long + 4), title.clone())
        }
        Popup::Choices(choices) => {
            let width = (widest(choices, ctx) + 4).min(body.width);
            (centred(body, width, choices.height(width.saturating_sub(4), ctx) + 2), choices.title())
        }
        Popup::Columns(columns) => (centred(body, 60, columns.height() + 2), columns.title()),
        Popup::Menu(menu) => (centred(body, 104, menu.height(ctx) + 2), menu.title()),
        Popup::Form(form) => {
            tone = danger_tone(form.action().entry().dangers.last().copied().unwrap_or(Danger::L));
            (centred(body, 92, form.height() + 2), form.title())
        }
        Popup::Waiting(ask) => (centred(body, 70, 5), ask.action.name().to_owned()),
        Popup::Plan(plan) => {
            tone = danger_tone(plan.danger());
            let columns = body.width.min(104).saturating_sub(4);
            (centred(body, 104, plan.height(columns, ctx) + 2), plan.title().to_owned())
        }
    };
    Clear.render(area, buffer);
    let mut heading = Pen::new(ctx.theme);
    heading.put(tone, format!("[{name}]"));
    if let Popup::Object(object) = popup {
        object.refresh(ctx);
    }
    let inner = panel(buffer, area, ctx.theme, &heading, &Pen::new(ctx.theme));
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let cursor = match popup {
        Popup::Object(object) => {
            object.view.draw(buffer, inner, ctx.theme);
            None
        }
        Popup::Finding(finding) => {
            finding.view.draw(buffer, inner, ctx.theme);
            None
        }
        Popup::Report(report) => {
            report.view.draw(buffer, inner, ctx.theme);
            None
        }
        Popup::Logs(log) => {
            log.draw(buffer, inner, ctx);
            None
        }
        Popup::Drain(drain) => {
            drain.view.draw(buffer, inner, ctx.theme);
            None
        }
        Popup::Help { view, at, filter } => {
            view.set(help::lines(ctx, at, filter));
            view.draw(buffer, inner, ctx.theme);
            None
        }
        Popup::Log(view) => {
            view.set(command_log::lines(ctx));
            view.draw(buffer, inner, ctx.theme);
            None
        }
        Popup::Message { view, .. } => {
            view.draw(buffer, inner, ctx.theme);
            None
        }
        Popup::Choices(choices) => {
            choices.draw(buffer, inner, ctx);
            None
        }
        Popup::Columns(columns) => {
            columns.draw(buffer, inner, ctx);
            None
        }
        Popup::Menu(menu) => {
            menu.draw(buffer, inner, ctx);
            None
        }
        Popup::Form(form) => form.draw(buffer, inner, ctx),
        Popup::Waiting(ask) => {
            let kinds = reading(ask.action.entry(), ctx).unwrap_or_default();
            let text = format!("reading {kinds} before it can be planned ...");
            for (line, y) in words::wrap(&text, inner.width.into(), 2).iter().zip(inner.y..inner.bottom()) {
                write(buffer, (inner.x, y), inner.width, ctx.theme, Tone::Text, line);
            }
            None
        }
        Popup::Plan(plan) => plan.draw(buffer, inner, ctx),
    };
    // What is visible is known only now.
    draw_mark(buffer, area, ctx.theme, &popup_mark(popup, ctx));
    focus(buffer, area, ctx.theme);
    (area, cursor)
}

/// What the frame of a popup says of search, filter and place.
fn popup_mark<'t>(popup: &Popup, ctx: &Ctx<'t>) -> Pen<'t> {
    let mut mark = Pen::new(ctx.theme);
    let mut text = |view: &TextView| {
        mark.put(Tone::Key, spaced(&view.search_words())).put(Tone::Dim, view.place());
    };
    match popup {
        Popup::Object(object) => text(&object.view),
        Popup::Finding(finding) => text(&finding.view),
        Popup::Drain(drain) => text(&drain.view),
        Popup::Help { view, .. } | Popup::Log(view) | Popup::Message { view, .. } => text(view),
        Popup::Report(report) => {
            mark.put(Tone::Key, spaced(&report.filter_words())).put(Tone::Dim, report.view.place());
        }
        Popup::Logs(log) => {
            mark.append(log.mark(ctx));
        }
        Popup::Menu(menu) => {
            mark.put(Tone::Dim, menu.place());
        }
        Popup::Choices(_) | Popup::Columns(_) | Popup::Form(_) | Popup::Waiting(_) | Popup::Plan(_) => {}
    }
    mark
}

fn spaced(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" {text} ") }
}
