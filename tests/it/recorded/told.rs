//! What `oc adm upgrade status --details=all` printed, read back from its text. For every cluster, not for certain ones.

use std::collections::{BTreeMap, BTreeSet};

/// All of it, as far as it is compared.
#[derive(Debug, Default)]
pub struct Told {
    /// False: "The cluster is not updating."
    pub updating: bool,
    /// The control plane is done: its section is a single line.
    pub control_plane_done: bool,
    pub target: String,
    /// Where from; none: a new installation, or not told.
    pub from: Option<String>,
    pub from_incomplete: Option<bool>,
    pub multi_arch: bool,
    /// Updated, updating, waiting.
    pub operators: Option<[usize; 3]>,
    pub healthy: Option<usize>,
    pub unavailable: usize,
    pub degraded: usize,
    pub updating_operators: BTreeSet<String>,
    pub pools: BTreeMap<String, Pool>,
    pub nodes: BTreeMap<String, Node>,
    /// All control plane nodes run this version, and are not listed.
    pub masters_at: Option<String>,
    pub insights: Vec<Insight>,
}

/// A row of the table of worker pools.
#[derive(Debug, Default)]
pub struct Pool {
    pub assessment: String,
    /// Updated and total; none: an empty pool.
    pub completion: Option<(usize, usize)>,
    /// `3 Available, 0 Progressing ...`, by word.
    pub counts: BTreeMap<String, usize>,
}

/// A row of a table of nodes.
#[derive(Debug)]
pub struct Node {
    pub pool: String,
    pub assessment: String,
    pub phase: String,
    /// None: `?`.
    pub version: Option<String>,
}

/// Something under "Update Health".
#[derive(Debug, Default)]
pub struct Insight {
    pub message: String,
    /// Seconds; none: `-`.
    pub since: Option<i64>,
    pub level: String,
    pub impact: String,
    /// Resource and name.
    pub resources: Vec<(String, String)>,
}

/// Where the reader is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Table {
    None,
    Operators,
    Nodes(String),
    Pools,
    Insights,
}

/// Reads the text.
pub fn parse(text: &str) -> Told {
    let mut told = Told { updating: !text.starts_with("The cluster is not updating"), ..Told::default() };
    let (mut table, mut pool) = (Table::None, "master".to_owned());
    let mut health = false;
    for line in text.lines() {
        if health {
            insight(&mut told, &mut table, line);
        } else if line.starts_with("= Update Health") {
            (health, table) = (true, Table::None);
        } else if let Some((label, rest)) = labelled(line) {
            head(&mut told, label, rest.trim());
            if label == "Worker Pool Nodes" {
                rest.trim().clone_into(&mut pool);
            }
        } else if line.starts_with("NAME ") {
            table = if line.contains("ASSESSMENT") { Table::Nodes(pool.clone()) } else { Table::Operators };
        } else if line.starts_with("WORKER POOL ") {
            table = Table::Pools;
        } else if let Some(rest) = line.strip_prefix("Update to ") {
            completed(&mut told, rest);
        } else if let Some(version) = line.strip_prefix("All control plane nodes successfully updated to ") {
            told.masters_at = Some(version.trim().to_owned());
        } else if line.is_empty() || line.starts_with('=') || line.starts_with("Omitted ") {
            table = Table::None;
        } else {
            row(&mut told, &table, line);
        }
    }
    told
}

/// `Target Version:  4.14.1 (...)`: labels begin their line and hold no digits; messages of nodes do not look so.
fn labelled(line: &str) -> Option<(&str, &str)> {
    const LABELS: [&str; 7] =
        ["Assessment", "Target Version", "Updating", "Completion", "Duration", "Operator Health", "Worker Pool Nodes"];
    let (label, rest) = line.split_once(':')?;
    LABELS.contains(&label).then_some((label, rest))
}

fn head(told: &mut Told, label: &str, rest: &str) {
    match label {
        "Target Version" => target(told, rest),
        "Updating" => told.updating_operators.extend(rest.split(", ").map(str::to_owned)),
        "Completion" => {
            let (_, counts) = rest.split_once('(').expect("counts in brackets");
            told.operators = Some(numbers(counts).try_into().expect("updated, updating, waiting"));
        }
        "Operator Health" => {
            told.healthy = Some(0);
            for part in rest.split(',') {
                let number = numbers(part)[0];
                match part.trim().split_once(' ').expect("a number and a word").1 {
                    "Healthy" => told.healthy = Some(number),
                    "Unavailable" => told.unavailable = number,
                    "Available but degraded" => told.degraded = number,
                    other => panic!("unknown health {other:?}"),
                }
            }
        }
        _ => {}
    }
}

/// `T (from P)`, `T (from incomplete P)`, `T (a new install)`, `T to Multi-Architecture ...`.
fn target(told: &mut Told, text: &str) {
    let (target, from) = match text.split_once('(') {
        Some((target, from)) => (target.trim(), Some(from.trim_end_matches(')').trim())),
        None => (text, None),
    };
    told.multi_arch = target.contains(" to Multi-Arch");
    target.split(" to Multi-Arch").next().unwrap().trim().clone_into(&mut told.target);
    if let Some(from) = from.and_then(|from| from.strip_prefix("from ")) {
        told.from_incomplete = Some(from.starts_with("incomplete "));
        told.from = Some(from.trim_start_matches("incomplete ").to_owned());
    }
}

/// `4.14.1 successfully completed at 2024-02-07T16:45:07Z (duration: 44m)`.
fn completed(told: &mut Told, rest: &str) {
    if let Some((version, _)) = rest.split_once(" successfully completed at ") {
        told.control_plane_done = true;
        version.clone_into(&mut told.target);
    }
}

fn row(told: &mut Told, table: &Table, line: &str) {
    // Messages of several lines go on indented, or begin as no row does.
    if line.starts_with(' ') {
        return;
    }
    let cells = cells(line);
    match table {
        Table::Operators if cells.len() >= 2 => {
            told.updating_operators.insert(cells[0].to_owned());
        }
        Table::Pools => {
            let mut pool = Pool { assessment: cells[1].to_owned(), ..Pool::default() };
            if let Some((_, counts)) = cells[2].split_once('(') {
                let (updated, total) = counts.trim_end_matches(')').split_once('/').expect("updated/total");
                pool.completion = Some((updated.parse().unwrap(), total.parse().unwrap()));
                for part in cells[3].split(", ") {
                    let (number, word) = part.split_once(' ').expect("a number and a word");
                    pool.counts.insert(word.to_owned(), number.parse().unwrap());
                }
            }
            told.pools.insert(cells[0].to_owned(), pool);
        }
        Table::Nodes(pool) => {
            let known = ["Outdated", "Progressing", "Completed", "Excluded", "Degraded", "Unavailable"];
            if cells.len() >= 4 && known.contains(&cells[1]) {
                let node = Node {
                    pool: pool.clone(),
                    assessment: cells[1].to_owned(),
                    phase: cells[2].to_owned(),
                    version: Some(cells[3].to_owned()).filter(|version| version != "?"),
                };
                told.nodes.insert(cells[0].to_owned(), node);
            }
        }
        _ => {}
    }
}

/// A line of the health section: blocks that begin with `Message:`, or a table when there is little to say.
fn insight(told: &mut Told, table: &mut Table, line: &str) {
    if line.starts_with("SINCE ") {
        *table = Table::Insights;
    } else if *table == Table::Insights {
        let cells = cells(line);
        if let [since, level, impact, message] = cells[..] {
            told.insights.push(Insight {
                message: message.to_owned(),
                since: duration(since),
                level: level.to_owned(),
                impact: impact.to_owned(),
                resources: Vec::new(),
            });
        }
    } else if let Some(message) = line.strip_prefix("Message: ") {
        told.insights.push(Insight { message: message.to_owned(), ..Insight::default() });
    } else if let Some(insight) = told.insights.last_mut() {
        if let Some(rest) = line.strip_prefix("    ").filter(|rest| !rest.starts_with(' ')) {
            if let Some((resource, names)) = rest.split_once(": ") {
                insight.resources.extend(names.split(", ").map(|name| (resource.to_owned(), name.to_owned())));
            }
        } else if let Some((label, rest)) = line.trim_start().split_once(':') {
            match label {
                "Since" => insight.since = duration(rest.trim()),
                "Level" => rest.trim().clone_into(&mut insight.level),
                "Impact" => rest.trim().clone_into(&mut insight.impact),
                _ => {}
            }
        }
    }
}

/// Cells stand three blanks apart.
fn cells(line: &str) -> Vec<&str> {
    line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

/// Numbers in a text, in order; percentages go before the bracket, and are not among them.
fn numbers(text: &str) -> Vec<usize> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().unwrap())
        .collect()
}

/// `1h4m41s` in seconds; `now` is 0, `-` is not told.
fn duration(text: &str) -> Option<i64> {
    if text == "now" {
        return Some(0);
    }
    let (mut total, mut number) = (0, None);
    for c in text.chars() {
        match (c, number) {
            (digit, _) if digit.is_ascii_digit() => {
                number = Some(number.unwrap_or(0) * 10 + i64::from(digit.to_digit(10)?));
            }
            ('h', Some(hours)) => (total, number) = (total + hours * 3600, None),
            ('m', Some(minutes)) => (total, number) = (total + minutes * 60, None),
            ('s', Some(seconds)) => (total, number) = (total + seconds, None),
            ('d', Some(days)) => (total, number) = (total + days * 86_400, None),
            _ => return None,
        }
    }
    Some(total)
}

/// The reader reads what it should; the texts are made up.
#[test]
fn the_answer_of_oc_is_read_whole() {
    let text = "\
= Control Plane =
Assessment:      Progressing
Target Version:  4.19.3 (from incomplete 4.18.22)
Updating:        dns, network
Completion:      50% (2 operators updated, 2 updating, 0 waiting)
Duration:        1h2m (Est. Time Remaining: <10m)
Operator Health: 2 Healthy, 1 Unavailable, 1 Available but degraded

Control Plane Nodes
NAME       ASSESSMENT   PHASE     VERSION   EST   MESSAGE
master-0   Degraded     Pending   ?         ?     first line
second line: with a colon

= Worker Upgrade =

WORKER POOL   ASSESSMENT    COMPLETION   STATUS
worker        Progressing   50% (1/2)    1 Available, 1 Progressing, 1 Draining, 1 Degraded
empty         Empty                      0 Total

Worker Pool Nodes: worker
NAME       ASSESSMENT    PHASE      VERSION   EST    MESSAGE
worker-0   Progressing   Draining   4.18.22   +10m   \n
= Update Health =
Message: Cluster Operator dns is unavailable (Gone)
  Since:       1m5s
  Level:       Warning
  Impact:      API Availability
  Reference:   https://example.com/a
  Resources:
    clusteroperators.config.openshift.io: dns
  Description: Level: not this one
";
    let told = parse(text);
    assert_eq!(
        (told.target.as_str(), told.from.as_deref(), told.from_incomplete),
        ("4.19.3", Some("4.18.22"), Some(true))
    );
    assert_eq!((told.operators, told.healthy, told.unavailable, told.degraded), (Some([2, 2, 0]), Some(2), 1, 1));
    assert_eq!(told.updating_operators.len(), 2);
    let master = &told.nodes["master-0"];
    assert_eq!((master.pool.as_str(), master.phase.as_str(), &master.version), ("master", "Pending", &None));
    assert_eq!(told.nodes["worker-0"].pool, "worker");
    let worker = &told.pools["worker"];
    assert_eq!((worker.completion, worker.counts["Degraded"]), (Some((1, 2)), 1));
    assert_eq!((told.pools["empty"].assessment.as_str(), told.pools["empty"].completion), ("Empty", None));
    let [insight] = &told.insights[..] else { panic!("{:?}", told.insights) };
    assert_eq!(
        (insight.since, insight.level.as_str(), insight.impact.as_str()),
        (Some(65), "Warning", "API Availability")
    );
    assert_eq!(insight.resources, [("clusteroperators.config.openshift.io".to_owned(), "dns".to_owned())]);

    let done = "= Control Plane =\nUpdate to 4.19.3 successfully completed at 2026-03-01T11:20:00Z (duration: 44m)\n\n\
                All control plane nodes successfully updated to 4.19.3\n\n= Update Health =\n\
                SINCE   LEVEL   IMPACT   MESSAGE\n14m4s   Info    None     Update is proceeding well\n";
    let told = parse(done);
    assert!(told.control_plane_done && told.operators.is_none());
    assert_eq!((told.target.as_str(), told.masters_at.as_deref()), ("4.19.3", Some("4.19.3")));
    assert_eq!((told.insights[0].since, told.insights[0].message.as_str()), (Some(844), "Update is proceeding well"));
    assert!(!parse("The cluster is not updating.\n").updating);
    assert!(parse("Target Version:  4.19.3 (a new install)\n").from.is_none());
    assert!(parse("Target Version:  4.19.3 to Multi-Architecture (from 4.19.3)\n").multi_arch);
}
