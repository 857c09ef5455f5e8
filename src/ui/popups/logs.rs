//! The logs that explain something: one at a time, the others a key away.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::input::Command;
use crate::ui::ctx::Ctx;
use crate::ui::panes::findings::subject_words;
use crate::ui::request::{LogAsk, LogNews, LogStream};
use crate::ui::theme::Tone;
use crate::ui::widgets::log_view::LogView;
use crate::ui::widgets::motion::Motion;
use crate::ui::widgets::pen::{Pen, write};
use crate::ui::words;
use crate::upgrade::assessment::Subject;
use crate::upgrade::log_source::Explaining;

/// The popup.
#[derive(Debug)]
pub struct LogPopup {
    subject: Subject,
    sources: Vec<Explaining>,
    source: usize,
    /// What can be read of the source, as far as that is known.
    streams: Vec<LogStream>,
    /// The one that is read, by the last news.
    chosen: usize,
    /// The person asked for this one.
    wanted: Option<LogStream>,
    /// After going back beyond the first stream: the last of the source is wanted.
    from_end: bool,
    previous: bool,
    /// Names the question: answers to an older one are ignored.
    ticket: u64,
    /// The lines.
    pub log: LogView,
}

impl LogPopup {
    /// A popup that asks for the first of `sources`, which must not be empty.
    pub fn new(subject: Subject, sources: Vec<Explaining>, ticket: u64) -> Self {
        Self {
            subject,
            sources,
            source: 0,
            streams: Vec::new(),
            chosen: 0,
            wanted: None,
            from_end: false,
            previous: false,
            ticket,
            log: LogView::default(),
        }
    }

    /// What has to be read, and the name of the question.
    pub fn asked(&self) -> Option<(u64, LogAsk)> {
        let of = self.sources.get(self.source)?.clone();
        Some((self.ticket, LogAsk { of, stream: self.wanted.clone(), previous: self.previous }))
    }

    /// Title.
    pub fn title(&self) -> String {
        let source = self.sources.get(self.source).map_or("", |source| source.title.as_str());
        let place = if self.sources.len() > 1 {
            format!(" ({} of {})", self.source + 1, self.sources.len())
        } else {
            String::new()
        };
        format!("log for {}: {source}{place}", subject_words(&self.subject))
    }

    /// What is remarkable about the log, for the frame.
    pub fn mark<'t>(&self, ctx: &Ctx<'t>) -> Pen<'t> {
        let mut pen = Pen::new(ctx.theme);
        let (shown, all) = self.log.counts();
        if self.log.filter.active() {
            pen.put(Tone::Key, format!(" /{} {shown}/{all} ", self.log.filter.text()));
        }
        if self.log.dropped() > 0 {
            pen.put(Tone::Dim, format!(" the oldest {} dropped ", self.log.dropped()));
        }
        if self.previous {
            // It is over: there is nothing to follow.
            pen.put(Tone::Warning, " previous run ");
            return pen;
        }
        let (tone, word) = if self.log.following { (Tone::Ok, " following ") } else { (Tone::Warning, " held ") };
        pen.put(tone, word);
        pen
    }

    /// News of the question `ticket`.
    pub fn news(&mut self, ticket: u64, news: Vec<LogNews>) {
        if ticket != self.ticket {
            return;
        }
        for news in news {
            match news {
                LogNews::Reading { streams, chosen } => {
                    self.chosen = chosen.min(streams.len().saturating_sub(1));
                    self.streams = streams;
                    if std::mem::take(&mut self.from_end) && self.chosen + 1 < self.streams.len() {
                        // The app sees the new wish and asks again.
                        self.ask(self.streams.last().cloned());
                        self.chosen = self.streams.len() - 1;
                        return;
                    }
                }
                LogNews::Line { at, text } => self.log.say(at, &text),
                LogNews::Told(text) => self.log.tell(&text),
            }
        }
    }

    /// Another question: what came for the old one goes. Its ticket differs in the upper half, which the view leaves free.
    fn ask(&mut self, wanted: Option<LogStream>) {
        self.wanted = wanted;
        self.ticket += 1 << 32;
        self.log.clear();
    }

    /// Carries a command out that is about the log.
    pub fn command(&mut self, command: Command) {
        match command {
            Command::PreviousLog => {
                self.previous = !self.previous;
                let shown = self.streams.get(self.chosen).cloned().or_else(|| self.wanted.take());
                self.ask(shown);
            }
            Command::Follow => self.log.toggle_follow(),
            Command::Timestamps => self.log.times = !self.log.times,
            Command::Wrap => self.log.toggle_wrap(),
            Command::Left => self.log.scroll(false),
            Command::Right => self.log.scroll(true),
            Command::NextChoice => self.next(true),
            Command::PreviousChoice => self.next(false),
            other => {
                if let Some(motion) = Motion::of(other) {
                    self.log.go(motion);
                }
            }
        }
    }

    /// The next container of the source, then the next source.
    fn next(&mut self, forward: bool) {
        let within = if forward { Some(self.chosen + 1) } else { self.chosen.checked_sub(1) };
        if let Some(stream) = within.and_then(|at| self.streams.get(at)).cloned() {
            self.chosen = within.unwrap_or(0);
            self.ask(Some(stream));
            return;
        }
        let n = self.sources.len();
        self.source = if forward { self.source + 1 } else { self.source + n - 1 } % n.max(1);
        self.streams.clear();
        self.chosen = 0;
        self.previous = false;
        self.from_end = !forward;
        self.ask(None);
    }

    /// The stream that is read.
    pub fn reading(&self) -> Option<&LogStream> {
        self.streams.get(self.chosen)
    }

    /// Has its container run before, as far as that is known?
    pub fn restarted(&self) -> bool {
        self.previous || self.reading().is_none_or(|stream| stream.restarts > 0)
    }

    /// What saving gives: where it came from, and the lines.
    pub fn text(&self) -> String {
        let from = self.reading().map_or_else(String::new, |stream| format!("# {}\n", stream.words()));
        format!("# {}\n{from}{}", self.title(), self.log.text())
    }

    /// Draws the line that says what is read, and the log.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
        let mut pen = Pen::new(ctx.theme);
        let mut y = area.y;
        match self.reading() {
            Some(stream) => {
                let place = format!("{} of {}  ", self.chosen + 1, self.streams.len());
                let place = if self.streams.len() > 1 { place } else { String::new() };
                let mut lines = words::wrap(&format!("{place}{}", stream.words()), area.width.into(), 2);
                // What is remarkable of it stands behind the last line.
                pen.put(Tone::Text, lines.pop().unwrap_or_default());
                for (line, at) in lines.iter().zip(area.y..area.bottom()) {
                    write(buffer, (area.x, at), area.width, ctx.theme, Tone::Text, line);
                    y = at + 1;
                }
                if stream.restarts > 0 {
                    let restarts = words::count(usize::try_from(stream.restarts).unwrap_or(0), "restart", "restarts");
                    pen.put(Tone::Warning, format!("  {restarts}"));
                }
                if !stream.phase.is_empty() && stream.phase != "Running" {
                    pen.put(Tone::Warning, format!("  {}", stream.phase));
                }
            }
            None => {
                pen.put(Tone::Dim, "looking for its pods ...");
            }
        }
        pen.draw(buffer, Rect { y, height: 1, ..area }.intersection(area));
        let area = Rect { y, height: area.bottom().saturating_sub(y), ..area };
        let note = self.sources.get(self.source).map(|source| source.note.as_str()).filter(|note| !note.is_empty());
        let note = note.map_or_else(Vec::new, |note| words::wrap(note, area.width.into(), 2));
        let head = (1 + note.len() as u16).min(area.height);
        for (line, y) in note.iter().zip(area.y + 1..area.y + head) {
            write(buffer, (area.x, y), area.width, ctx.theme, Tone::Dim, line);
        }
        let below = Rect { y: area.y + head, height: area.height - head, ..area };
        if self.log.is_empty() && below.height > 0 && self.reading().is_some() {
            let mut pen = Pen::new(ctx.theme);
            pen.put(Tone::Dim, "nothing said so far");
            pen.draw(buffer, Rect { height: 1, ..below });
        }
        self.log.draw(buffer, below, ctx.theme);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(pod: &str) -> LogStream {
        LogStream { namespace: "ns".into(), pod: pod.into(), ..LogStream::default() }
    }

    fn popup() -> LogPopup {
        let source = |title: &str| Explaining { title: title.into(), ..Explaining::default() };
        let mut popup = LogPopup::new(Subject::Node("worker-3".into()), vec![source("one"), source("two")], 1);
        popup.news(1, vec![LogNews::Reading { streams: vec![stream("a"), stream("b")], chosen: 0 }]);
        popup
    }

    fn asked(popup: &LogPopup) -> (String, Option<String>) {
        let (_, ask) = popup.asked().unwrap();
        (ask.of.title, ask.stream.map(|stream| stream.pod))
    }

    #[test]
    fn going_on_leads_through_the_pods_and_then_to_the_next_source() {
        let mut popup = popup();
        assert_eq!(asked(&popup), ("one".into(), None));
        popup.command(Command::NextChoice);
        assert_eq!(asked(&popup), ("one".into(), Some("b".into())));
        popup.command(Command::NextChoice);
        assert_eq!(asked(&popup), ("two".into(), None));
        popup.command(Command::NextChoice);
        assert_eq!(asked(&popup), ("one".into(), None), "around the end");
    }

    #[test]
    fn going_back_leads_to_the_last_pod_of_the_source_before() {
        let mut popup = popup();
        popup.command(Command::PreviousChoice);
        assert_eq!(asked(&popup), ("two".into(), None));
        let ticket = popup.asked().unwrap().0;
        popup.news(ticket, vec![LogNews::Reading { streams: vec![stream("c"), stream("d")], chosen: 0 }]);
        assert_eq!(asked(&popup), ("two".into(), Some("d".into())));
    }

    #[test]
    fn answers_to_an_older_question_are_ignored() {
        let mut popup = popup();
        popup.news(1, vec![LogNews::Line { at: None, text: "old".into() }]);
        popup.command(Command::PreviousLog);
        assert!(popup.log.is_empty(), "the log of another run begins empty");
        popup.news(1, vec![LogNews::Line { at: None, text: "late".into() }]);
        assert!(popup.log.is_empty());
        let (ticket, ask) = popup.asked().unwrap();
        assert!(ask.previous && ask.stream.is_some_and(|stream| stream.pod == "a"), "of the same pod");
        popup.news(ticket, vec![LogNews::Line { at: None, text: "new".into() }]);
        assert_eq!(popup.log.counts(), (1, 1));
    }
}
