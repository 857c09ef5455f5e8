//! Reads the log that is on the screen: finds the pods, reads one, goes on when its container or pod is replaced.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use tokio::sync::mpsc;

use crate::app::Msg;
use crate::cluster::Requests;
use crate::cluster::tail::{FoundPod, Logged};
use crate::ui::{LogAsk, LogNews, LogStream};
use crate::upgrade::log_source::LogSource;

/// Lines of before that are read at first.
const LINES: u32 = 1_000;
/// Lines in one message: the loop draws between messages.
const AT_ONCE: usize = 500;
/// Time between messages, so that a container that talks without end does not fill the memory faster than it is drawn.
const REST: Duration = Duration::from_millis(20);
/// After an end or an error it is looked again; twice as long each time, up to the longest.
const AGAIN: Duration = Duration::from_secs(2);
/// See `AGAIN`.
const LONGEST: Duration = Duration::from_secs(30);

/// Reads what `ask` asks for until it is dropped.
pub async fn follow(requests: Requests, ask: LogAsk, ticket: u64, messages: mpsc::UnboundedSender<Msg>) {
    let tell = |news: Vec<LogNews>| messages.send(Msg::Logged { ticket, news }).is_ok();
    let told = |text: String| tell(vec![LogNews::Told(text)]);
    let mut wait = AGAIN;
    let mut last: Option<(LogStream, Option<DateTime<Utc>>)> = None;
    let mut said = String::new();
    loop {
        let streams = match requests.pods_of(&ask.of.query).await {
            Ok(pods) => streams(pods, ask.of.container.as_deref()),
            Err(trouble) => {
                // The same trouble is told once.
                if said != trouble.words && !told(trouble.words.clone()) {
                    return;
                }
                said = trouble.words;
                rest(&mut wait).await;
                continue;
            }
        };
        let wanted = ask.stream.as_ref().or(last.as_ref().map(|(stream, _)| stream));
        let Some(chosen) = choose(&streams, wanted) else {
            let words = "none of its pods exists now: waiting for one".to_owned();
            if said != words && !told(words.clone()) {
                return;
            }
            said = words;
            rest(&mut wait).await;
            continue;
        };
        let stream = streams[chosen].clone();
        let again = last.as_ref().is_some_and(|(before, _)| before.same(&stream));
        if let (Some((before, _)), false) = (&last, again)
            && !told(format!("{} has gone: going on with {}", before.pod, stream.pod))
        {
            return;
        }
        if !again && !tell(vec![LogNews::Reading { streams, chosen }]) {
            return;
        }
        let since = last.as_ref().filter(|_| again).and_then(|(_, at)| *at);
        let mut read = Read { since, newest: since, told: 0 };
        let ended = read.through(&requests, &stream, ask.previous, &tell).await;
        let Some(words) = ended else { return };
        if read.told > 0 {
            wait = AGAIN;
            said.clear();
        }
        if !words.is_empty() && said != words && !told(words.clone()) {
            return;
        }
        said = words;
        last = Some((stream, read.newest));
        if ask.previous {
            return;
        }
        rest(&mut wait).await;
    }
}

async fn rest(wait: &mut Duration) {
    tokio::time::sleep(*wait).await;
    *wait = (*wait * 2).min(LONGEST);
}

/// One connection.
struct Read {
    /// Lines up to this moment were shown before.
    since: Option<DateTime<Utc>>,
    /// Time of the newest line.
    newest: Option<DateTime<Utc>>,
    told: usize,
}

impl Read {
    /// Reads to the end, which it gives back in words; none: nobody listens any more.
    async fn through(
        &mut self,
        requests: &Requests,
        stream: &LogStream,
        previous: bool,
        tell: &impl Fn(Vec<LogNews>) -> bool,
    ) -> Option<String> {
        let mut tail = requests.tail(LogSource {
            namespace: stream.namespace.clone(),
            pod: stream.pod.clone(),
            container: (!stream.container.is_empty()).then(|| stream.container.clone()),
            previous,
            follow: !previous,
            tail_lines: Some(LINES),
            timestamps: true,
        });
        let mut next = tail.next().await;
        loop {
            let mut news = Vec::new();
            let mut end = None;
            while let Some(logged) = next.take() {
                match logged {
                    Logged::Line(line) => news.extend(self.line(&line)),
                    Logged::Gap(words) => news.push(LogNews::Told(words)),
                    Logged::Ended(words) | Logged::Failed(words) => {
                        end = Some(words);
                        break;
                    }
                }
                if news.len() >= AT_ONCE {
                    break;
                }
                next = tail.next().now_or_never().flatten();
            }
            self.told += news.len();
            if !news.is_empty() && !tell(news) {
                return None;
            }
            if end.is_some() {
                return end;
            }
            tokio::time::sleep(REST).await;
            next = tail.next().await;
            if next.is_none() {
                return Some(String::new());
            }
        }
    }

    /// A line without its time; none when it was shown before.
    fn line(&mut self, line: &str) -> Option<LogNews> {
        let (at, text) = split(line);
        if let (Some(at), Some(since)) = (at, self.since)
            && at <= since
        {
            return None;
        }
        self.newest = at.max(self.newest);
        Some(LogNews::Line { at, text: text.to_owned() })
    }
}

/// The time at the beginning of a line, and the rest.
fn split(line: &str) -> (Option<DateTime<Utc>>, &str) {
    let (stamp, rest) = line.split_once(' ').unwrap_or((line, ""));
    match DateTime::parse_from_rfc3339(stamp) {
        Ok(at) => (Some(at.to_utc()), rest),
        Err(_) => (None, line),
    }
}

/// The log of a container of a pod, as the screen names it.
pub fn stream(pod: &FoundPod, container: String) -> LogStream {
    LogStream {
        namespace: pod.namespace.clone(),
        pod: pod.name.clone(),
        container,
        node: pod.node.clone(),
        phase: pod.phase.clone(),
        restarts: pod.restarts,
    }
}

/// The containers of pods, those that run first; of one name alone where one is given.
pub(super) fn streams(pods: Vec<FoundPod>, container: Option<&str>) -> Vec<LogStream> {
    let mut streams: Vec<LogStream> = Vec::new();
    for pod in pods {
        let containers = match container {
            Some(name) => vec![name.to_owned()],
            None if pod.containers.is_empty() => vec![String::new()],
            None => pod.containers.clone(),
        };
        streams.extend(containers.into_iter().map(|container| stream(&pod, container)));
    }
    streams.sort_by_key(|stream| stream.phase != "Running");
    streams
}

/// The stream that was asked for; else, where that has gone, another of the same container; else the first.
fn choose(streams: &[LogStream], wanted: Option<&LogStream>) -> Option<usize> {
    let same = wanted.and_then(|wanted| streams.iter().position(|stream| stream.same(wanted)));
    let like = || {
        let wanted = wanted?;
        streams.iter().position(|stream| stream.container == wanted.container && stream.node == wanted.node)
    };
    same.or_else(like).or_else(|| (!streams.is_empty()).then_some(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, phase: &str, containers: &[&str]) -> FoundPod {
        FoundPod {
            name: name.into(),
            phase: phase.into(),
            containers: containers.iter().map(ToString::to_string).collect(),
            ..FoundPod::default()
        }
    }

    #[test]
    fn running_pods_come_first_each_container_apart() {
        let all = streams(vec![pod("old", "Succeeded", &["a"]), pod("new", "Running", &["a", "b"])], None);
        let names: Vec<String> = all.iter().map(|stream| format!("{} {}", stream.pod, stream.container)).collect();
        assert_eq!(names, ["new a", "new b", "old a"]);
        assert_eq!(choose(&all, Some(&all[2])), Some(2));
        let gone = LogStream { pod: "gone".into(), container: "b".into(), ..LogStream::default() };
        assert_eq!(choose(&all, Some(&gone)), Some(1), "the same container of the pod that took its place");
        assert_eq!(choose(&[], None), None);
    }

    #[test]
    fn lines_that_were_shown_before_a_reconnect_are_not_shown_again() {
        let mut read = Read { since: None, newest: None, told: 0 };
        let first = read.line("2026-03-07T03:12:44.5Z hello there");
        assert!(matches!(first, Some(LogNews::Line { text, .. }) if text == "hello there"));
        let mut again = Read { since: read.newest, newest: read.newest, told: 0 };
        assert_eq!(again.line("2026-03-07T03:12:44.500000000Z hello there"), None);
        assert!(again.line("2026-03-07T03:12:44.6Z more").is_some());
        assert!(again.line("no time at all").is_some());
    }
}
