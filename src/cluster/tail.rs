//! Logs of pods, line by line: followed in a task of its own, which waits for its reader and ends with it.

use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::list;
use super::request::{Requests, encode, escape};
use super::trouble::Failure;
use crate::api::Pod;
use crate::upgrade::link::Trouble;
use crate::upgrade::log_source::{LogSource, PodQuery};

/// Lines that wait for their reader; then the server waits.
const WAITING: usize = 256;
/// A line is cut after so many bytes.
const LONGEST: usize = 8 * 1024;
/// Pages of a list of pods.
const PAGES: usize = 40;
/// A container may be silent for long; every so often the connection is made anew, from the moment of the last line on.
const SILENCE: Duration = Duration::from_secs(600);

/// What a log brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logged {
    /// A line, without its end. Bytes that are no UTF-8 are replaced; control characters are left to whoever draws it.
    Line(String),
    /// Nothing more comes, and why, in words.
    Ended(String),
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
pub(super) fn tail(requests: Requests, source: LogSource) -> Tail {
    let (to, lines) = mpsc::channel(WAITING);
    let task = tokio::spawn(async move {
        let words = match read(&requests, &source, &to).await {
            Ok(words) => words,
            Err(failure) => failure.trouble.words,
        };
        // The reader may have gone.
        let _ = to.send(Logged::Ended(words)).await;
    });
    Tail { lines, _task: AbortOnDropHandle::new(task) }
}

/// Reads the log to its end, which it tells in words.
async fn read(requests: &Requests, source: &LogSource, to: &mpsc::Sender<Logged>) -> Result<String, Failure> {
    let subject = format!("the log of pod {}/{}", source.namespace, source.pod);
    let response = requests.open(&uri(source), "*/*", &subject, requests.limit()).await?;
    let mut body = response.into_body();
    let mut lines = Lines::default();
    while let Some(piece) = requests.piece(&mut body, &subject, SILENCE).await? {
        lines.add(&piece);
        while let Some(line) = lines.next() {
            if to.send(Logged::Line(line)).await.is_err() {
                return Ok(String::new());
            }
        }
    }
    if let Some(line) = lines.rest() {
        let _ = to.send(Logged::Line(line)).await;
    }
    Ok(match (source.previous, source.follow) {
        (true, _) => "this is all that the container said before it was started again".to_owned(),
        (false, true) => "the container ended, or its node is gone".to_owned(),
        (false, false) => "this is all so far".to_owned(),
    })
}

fn uri(source: &LogSource) -> String {
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
    if source.follow && !source.previous {
        add("follow", "true".to_owned());
    }
    if source.timestamps {
        add("timestamps", "true".to_owned());
    }
    if let Some(lines) = source.tail_lines {
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
