//! Logs of pods, line by line: followed in a task of its own, which waits for its reader and ends with it.

use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use chrono::{DateTime, SecondsFormat, Utc};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::list;
use super::request::{Requests, encode, escape};
use super::trouble::Failure;
use crate::api::Pod;
use crate::clock;
use crate::upgrade::link::{Trouble, TroubleKind};
use crate::upgrade::log_source::{LogSource, PodQuery};

/// Lines that wait for their reader; then the server waits.
const WAITING: usize = 256;
/// A line is cut after so many bytes.
const LONGEST: usize = 8 * 1024;
/// Pages of a list of pods.
const PAGES: usize = 40;
/// A container may be silent for long: then the connection is made anew.
const SILENCE: Duration = Duration::from_secs(600);
/// An answer that ends sooner than this without a line is an end.
const MOMENT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_secs(1);
/// A log that is followed survives an API server that restarts: so often it is tried again, for about five minutes.
const TRIES: u32 = 60;

/// What a log brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logged {
    /// A line, without its end. Bytes that are no UTF-8 are replaced; control characters are left to whoever draws it.
    Line(String),
    /// The connection broke, in words; it goes on by itself with the line after the last one.
    Gap(String),
    /// Nothing more comes, and why, in words.
    Ended(String),
    /// It cannot be read, or not any further, and why, in words.
    Failed(String),
}

/// A log that is being read. Dropping it ends the reading.
#[derive(Debug)]
pub struct Tail {
    lines: mpsc::Receiver<Logged>,
    _task: AbortOnDropHandle<()>,
}

impl Tail {
    /// The next line, or the end in words; none after that. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Logged> {
        self.lines.recv().await
    }
}

/// A pod that was asked for, as far as the choice of a log depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundPod {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The node that it runs on; empty while unscheduled.
    pub node: String,
    /// `status.phase`.
    pub phase: String,
    /// Containers, as the kubelet tells them; none before it has.
    pub containers: Vec<String>,
    /// How often its containers were started again: then there is a log of before.
    pub restarts: i64,
}

/// Begins to read.
pub(super) fn tail(requests: &Requests, source: LogSource) -> Tail {
    let (to, lines) = mpsc::channel(WAITING);
    // Another cluster may have a pod of that name: its log is not a continuation of this one.
    let requests = requests.bound_to_this_cluster();
    let mut reader = Reader { requests, source, to, last: None, told: false };
    let task = tokio::spawn(async move {
        let end = reader.read().await;
        // The reader may have gone.
        let _ = reader.to.send(end).await;
    });
    Tail { lines, _task: AbortOnDropHandle::new(task) }
}

struct Reader {
    requests: Requests,
    source: LogSource,
    to: mpsc::Sender<Logged>,
    /// The time of the last line, and how many lines have it: where a broken connection goes on.
    last: Option<(DateTime<Utc>, usize)>,
    /// It was told that the connection broke.
    told: bool,
}

/// How an answer ended.
enum Answer {
    /// The server had no more to say; so many lines came.
    Over(usize),
    /// Nobody reads any more.
    Unread,
}

impl Reader {
    /// Reads to the end, which it gives back.
    async fn read(&mut self) -> Logged {
        let follows = self.source.follow && !self.source.previous;
        let mut pauses = 0_u32;
        loop {
            let began = clock::runtime_instant();
            match self.answer(follows).await {
                Ok(Answer::Unread) => return Logged::Ended(String::new()),
                Ok(Answer::Over(_)) if !follows => return Logged::Ended(self.all_of_it()),
                // A connection that is older than a moment may have been ended by a server that goes down.
                Ok(Answer::Over(0)) if began.elapsed() < MOMENT => {
                    return Logged::Ended("the container has ended, or says nothing more".to_owned());
                }
                Ok(Answer::Over(_)) => pauses = 0,
                Err(failure) if !follows || final_word(failure.kind()) => return self.last_word(failure.trouble.words),
                // A log that is silent: nothing is wrong.
                Err(failure) if failure.kind() == TroubleKind::Timeout && began.elapsed() > MOMENT => pauses = 0,
                Err(failure) => {
                    pauses = pauses.saturating_add(1);
                    if pauses > TRIES {
                        return Logged::Failed(failure.trouble.words);
                    }
                    if !std::mem::replace(&mut self.told, true) {
                        let words = format!("{}; it is tried again", failure.trouble.words);
                        if self.to.send(Logged::Gap(words)).await.is_err() {
                            return Logged::Ended(String::new());
                        }
                    }
                }
            }
            tokio::time::sleep(PAUSE * pauses.clamp(1, 5)).await;
        }
    }

    fn all_of_it(&self) -> String {
        if self.source.previous {
            "this is all that the container said before it was started again".to_owned()
        } else {
            "this is all so far".to_owned()
        }
    }

    /// What the kubelet says of a container that has run once only (`previous terminated container "..." in pod "..." not
    /// found`) is no failure.
    fn last_word(&self, words: String) -> Logged {
        if self.source.previous && words.contains("previous terminated container") {
            let words = "this container was never started again: there is no log of a previous run";
            return Logged::Ended(words.to_owned());
        }
        Logged::Failed(words)
    }

    /// One request, from the line on that came last.
    async fn answer(&mut self, follows: bool) -> Result<Answer, Failure> {
        let subject = format!("the log of pod {}/{}", self.source.namespace, self.source.pod);
        let uri = uri(&self.source, follows, self.last.map(|(at, _)| at));
        let response = self.requests.open(&uri, "*/*", &subject, self.requests.limit()).await?;
        let mut body = response.into_body();
        let mut lines = Lines::default();
        let mut known = self.last;
        let mut came = 0;
        while let Some(piece) = self.requests.piece(&mut body, &subject, SILENCE).await? {
            lines.add(&piece);
            while let Some(line) = lines.next() {
                let Some(line) = self.fresh(line, follows, &mut known) else { continue };
                came += 1;
                self.told = false;
                if self.to.send(Logged::Line(line)).await.is_err() {
                    return Ok(Answer::Unread);
                }
            }
        }
        // A line without its end: of a log that is followed it may be cut, and will come again.
        if let Some(line) = lines.rest().filter(|_| !follows) {
            let _ = self.to.send(Logged::Line(line)).await;
        }
        Ok(Answer::Over(came))
    }

    /// The line without its time; none for one that came before the connection broke. Times of a log do not go back.
    fn fresh(&mut self, line: String, follows: bool, known: &mut Option<(DateTime<Utc>, usize)>) -> Option<String> {
        if !follows {
            return Some(line);
        }
        let Some((at, text)) = line.split_once(' ').and_then(|(at, text)| Some((at.parse().ok()?, text))) else {
            return Some(line);
        };
        let text = if self.source.timestamps { line.as_str() } else { text };
        if let Some((seen, count)) = known {
            if at < *seen {
                return None;
            }
            if at == *seen && *count > 0 {
                *count -= 1;
                return None;
            }
            if at > *seen {
                *known = None;
            }
        }
        self.last = match self.last {
            Some((before, count)) if before == at => Some((at, count + 1)),
            _ => Some((at, 1)),
        };
        Some(text.to_owned())
    }
}

/// What will not be another answer when it is asked again.
fn final_word(kind: TroubleKind) -> bool {
    matches!(
        kind,
        TroubleKind::AbsentKind
            | TroubleKind::Forbidden
            | TroubleKind::Unauthorized
            | TroubleKind::Credentials
            | TroubleKind::Other
    )
}

/// `sinceTime` has whole seconds; what is said twice by that is passed over.
fn uri(source: &LogSource, follows: bool, since: Option<DateTime<Utc>>) -> String {
    let mut path = "/api/v1/namespaces/".to_owned();
    escape(&source.namespace, &mut path);
    path.push_str("/pods/");
    escape(&source.pod, &mut path);
    path.push_str("/log");
    let mut query = Vec::new();
    let mut add = |name: &str, value: String| query.push((name.to_owned(), value));
    if let Some(container) = &source.container {
        add("container", container.clone());
    }
    if source.previous {
        add("previous", "true".to_owned());
    }
    if follows {
        add("follow", "true".to_owned());
    }
    if follows || source.timestamps {
        add("timestamps", "true".to_owned());
    }
    if let Some(since) = since {
        add("sinceTime", since.to_rfc3339_opts(SecondsFormat::Secs, true));
    } else if let Some(lines) = source.tail_lines {
        add("tailLines", lines.to_string());
    }
    path + &encode(&query)
}

/// Pieces of a body, cut into lines of bounded length.
#[derive(Debug, Default)]
struct Lines {
    buffer: BytesMut,
    /// The rest of a line that was cut is passed over.
    cut: bool,
}

impl Lines {
    fn add(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    fn next(&mut self) -> Option<String> {
        loop {
            let end = self.buffer.iter().take(LONGEST + 1).position(|byte| *byte == b'\n');
            match end {
                Some(end) => {
                    let line = self.buffer.split_to(end);
                    self.buffer.advance(1);
                    if !std::mem::take(&mut self.cut) {
                        return Some(words(&line, false));
                    }
                }
                None if self.cut => {
                    let passed = self.buffer.len().min(LONGEST + 1);
                    self.buffer.advance(passed);
                    if self.buffer.is_empty() {
                        return None;
                    }
                }
                None if self.buffer.len() > LONGEST => {
                    self.cut = true;
                    let line = self.buffer.split_to(LONGEST);
                    return Some(words(&line, true));
                }
                None => return None,
            }
        }
    }

    /// What follows the last newline.
    fn rest(&mut self) -> Option<String> {
        let line = self.buffer.split();
        (!line.is_empty() && !self.cut).then(|| words(&line, false))
    }
}

fn words(line: &[u8], cut: bool) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut text = String::from_utf8_lossy(line).into_owned();
    if cut {
        text.push_str(" … (cut)");
    }
    text
}

/// The pods that `query` asks for.
pub(super) async fn pods(requests: &Requests, query: &PodQuery) -> Result<Vec<FoundPod>, Trouble> {
    let mut path = "/api/v1".to_owned();
    if !query.namespace.is_empty() {
        path.push_str("/namespaces/");
        escape(&query.namespace, &mut path);
    }
    path.push_str("/pods");
    let node = query.node.as_ref().map(|node| format!("spec.nodeName={node}"));
    let mut selectors = Vec::new();
    if !query.labels.is_empty() {
        selectors.push(("labelSelector", query.labels.as_str()));
    }
    if let Some(node) = &node {
        selectors.push(("fieldSelector", node.as_str()));
    }
    let read = list::all::<Pod>(requests, &path, &selectors, "pods", PAGES).await;
    let mut pods: Vec<FoundPod> = read.map_err(|failure| failure.trouble)?.into_iter().map(FoundPod::from).collect();
    pods.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    Ok(pods)
}

impl From<Pod> for FoundPod {
    fn from(pod: Pod) -> Self {
        let status = pod.status;
        Self {
            namespace: pod.metadata.namespace.unwrap_or_default(),
            name: pod.metadata.name.unwrap_or_default(),
            node: pod.spec.node_name,
            phase: status.phase,
            restarts: status.containers.iter().map(|container| container.restarts).max().unwrap_or_default(),
            containers: status.containers.into_iter().map(|container| container.name).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(lines: &mut Lines) -> Vec<String> {
        std::iter::from_fn(|| lines.next()).collect()
    }

    #[test]
    fn long_lines_are_cut_and_the_next_one_is_whole() {
        for size in [1, 7, 4_096, 100_000] {
            let text = format!("short\r\n{}\nnext\n{}", "x".repeat(3 * LONGEST), "rest");
            let mut lines = Lines::default();
            let mut found = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                lines.add(piece);
                found.extend(all(&mut lines));
                assert!(lines.buffer.len() <= LONGEST + size, "bounded");
            }
            assert_eq!(found.len(), 3, "in pieces of {size}");
            assert_eq!((found[0].as_str(), found[2].as_str()), ("short", "next"));
            assert!(found[1].len() < LONGEST + 20 && found[1].ends_with("(cut)"));
            assert_eq!(lines.rest().as_deref(), Some("rest"));
        }
    }

    #[test]
    fn a_log_is_asked_for_from_its_last_line_on() {
        let source = LogSource {
            namespace: "n s".to_owned(),
            pod: "p".to_owned(),
            container: Some("c".to_owned()),
            follow: true,
            tail_lines: Some(50),
            ..LogSource::default()
        };
        assert_eq!(
            uri(&source, true, None),
            "/api/v1/namespaces/n%20s/pods/p/log?container=c&follow=true&timestamps=true&tailLines=50"
        );
        let since = DateTime::from_timestamp(1_700_000_000, 999).unwrap();
        assert!(uri(&source, true, Some(since)).ends_with("&sinceTime=2023-11-14T22%3A13%3A20Z"));
        let previous = LogSource { previous: true, ..source };
        assert_eq!(
            uri(&previous, false, None),
            "/api/v1/namespaces/n%20s/pods/p/log?container=c&previous=true&tailLines=50"
        );
    }
}
