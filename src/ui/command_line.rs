//! The command line: what can be written behind `:`, what it means, and how it is completed.

use crate::actions::{ActionId, Args, Ask, Entry, Refusal, Takes, split};
use crate::input::{Command, Pane, Tab};
use crate::ui::ctx::Ctx;
use crate::ui::popups::choices::Offering;
use crate::ui::popups::report::About;
use crate::ui::request::{Request, SimFault, SimRequest};
use crate::ui::theme::Theme;
use crate::upgrade::assessment::Subject;
use crate::upgrade::estimate::Part;

/// A word of the command line.
#[derive(Debug)]
pub struct Word {
    /// Names, the first is the one that is completed.
    pub names: &'static [&'static str],
    /// With its arguments.
    pub usage: &'static str,
    /// What it does.
    pub help: &'static str,
    /// Leads to a change of the cluster: does not exist while read-only.
    pub writes: bool,
    /// Exists only on a simulated cluster.
    pub sim: bool,
}

const fn word(names: &'static [&'static str], usage: &'static str, help: &'static str) -> Word {
    Word { names, usage, help, writes: false, sim: false }
}

const fn writes(names: &'static [&'static str], usage: &'static str, help: &'static str) -> Word {
    Word { writes: true, ..word(names, usage, help) }
}

const fn sim(names: &'static [&'static str], usage: &'static str, help: &'static str) -> Word {
    Word { sim: true, ..word(names, usage, help) }
}

/// Everything that the command line takes.
pub const WORDS: &[Word] = &[
    word(&["overview", "ov"], "overview", "tab 1"),
    word(
        &["operators", "co", "clusteroperators", "clusteroperator"],
        "co [NAME | /filter]",
        "operators, or one of them",
    ),
    word(&["pools", "mcp", "machineconfigpools", "machineconfigpool"], "mcp [NAME | /filter]", "pools, or one of them"),
    word(&["nodes", "no", "node", "mcn", "machineconfignodes"], "nodes [NAME | /filter]", "nodes, or one of them"),
    word(&["findings", "alerts"], "findings [/filter]", "findings"),
    word(&["timeline", "tl", "events", "ev"], "timeline [/filter]", "the timeline"),
    word(
        &["image-based", "ibu", "imagebasedupgrade", "imagebasedupgrades"],
        "ibu [/filter]",
        "the image-based upgrade",
    ),
    word(&["phases", "rail", "phase"], "phases", "the phases of the update, what they wait for, and the next step"),
    word(&["preflight", "ready"], "preflight [VERSION]", "is the cluster ready for an update?"),
    word(&["updates", "versions", "recommend"], "updates", "where the cluster could go, and what is in the way"),
    word(&["estimate", "eta"], "estimate [POOL]", "how long it still takes, with the working shown"),
    word(&["cv", "clusterversion", "version"], "cv", "describe the ClusterVersion"),
    word(&["link", "conn"], "link", "describe the connection, kind by kind"),
    word(&["ctx", "context", "contexts"], "ctx [NAME]", "contexts, or switch to one"),
    word(&["theme", "skin"], "theme NAME", "dark, light, high-contrast, no-colour"),
    word(&["save"], "save", "save this view to a file"),
    word(&["log", "commands"], "log", "the command log"),
    word(&["refresh"], "refresh", "ask the cluster again now"),
    word(&["header"], "header", "show or hide the header"),
    word(&["help", "h"], "help", "help"),
    word(&["quit", "q", "q!", "qa", "qa!", "wq", "exit", "x"], "quit", "leave"),
    writes(&["actions", "menu"], "actions", "the actions for what is selected"),
    sim(&["sim"], "sim", "the simulated cluster: kubeconfig, speed, time, faults"),
    sim(&["speed"], "speed N", "simulated seconds in a second"),
    sim(&["fault"], "fault KIND [N]", "watches, gone, 429, 500, latency, tokens, none"),
    sim(&["outage"], "outage SECONDS", "nobody listens for a while"),
    sim(&["pass"], "pass MINUTES", "let time pass at once"),
];

/// Shorter names of actions.
const SHORT: &[(&str, ActionId)] = &[
    ("pause", ActionId::PausePool),
    ("unpause", ActionId::UnpausePool),
    ("resume", ActionId::UnpausePool),
    ("update", ActionId::StartUpdate),
    ("upgrade", ActionId::StartUpdate),
];

/// Kinds that people will ask for and that are not looked at here.
const ELSEWHERE: &[&str] =
    &["pods", "pod", "po", "deploy", "deployments", "ns", "namespaces", "svc", "services", "secrets"];

/// What a line means.
#[derive(Debug, Clone, PartialEq)]
pub enum Intent {
    /// Nothing was written.
    Nothing,
    /// The same as a key.
    Give(Command),
    /// Something for the app.
    Ask(Request),
    /// Go to an object.
    Select(Subject),
    /// Go to a tab and filter it.
    Filter(Pane, String),
    /// Describe an object.
    Describe(Subject),
    /// Open an answer that fills the screen.
    Report(About),
    /// Open a popup.
    Offer(Offering),
    /// An action, with all that it needs.
    Want(Ask),
    /// An action in which something is missing: names of targets, values, and what is missing.
    Fill(ActionId, Vec<String>, Args, String),
    /// It cannot be understood: why.
    Wrong(String),
}

fn find(name: &str, ctx: &Ctx<'_>) -> Option<&'static Word> {
    let read_only = ctx.session.read_only.is_some();
    WORDS.iter().find(|word| word.names.contains(&name) && !(read_only && word.writes))
}

/// The action of a name, unless nothing may be written or the server does not let this user do it.
fn action(name: &str, ctx: &Ctx<'_>) -> Option<&'static Entry> {
    let short = || SHORT.iter().find(|(short, _)| *short == name).map(|(_, id)| *id);
    let entry = ActionId::named(name).or_else(short)?.entry();
    offered(entry, ctx).then_some(entry)
}

/// Are lines of this action understood?
fn offered(entry: &Entry, ctx: &Ctx<'_>) -> bool {
    let barred = ctx.session.forbidden.contains(&entry.id) || entry.barred(&ctx.assessment.facts.access).is_some();
    ctx.session.read_only.is_none() && !barred
}

/// The actions that the command line takes here.
pub fn actions(ctx: &Ctx<'_>) -> impl Iterator<Item = &'static Entry> {
    ActionId::ALL.iter().map(|id| id.entry()).filter(move |entry| offered(entry, ctx))
}

/// What `line` means.
pub fn parse(line: &str, ctx: &Ctx<'_>) -> Intent {
    let line = line.trim().trim_start_matches(':');
    let mut parts = line.split_whitespace();
    let Some(name) = parts.next().map(str::to_lowercase) else { return Intent::Nothing };
    let rest: Vec<&str> = parts.collect();
    if let Some(context) = name.strip_prefix('@').filter(|context| !context.is_empty()) {
        return Intent::Ask(Request::SwitchContext(context.to_owned()));
    }
    let filter = line.split_once(char::is_whitespace).map(|(_, rest)| rest.trim()).unwrap_or_default();
    let Some(word) = find(&name, ctx) else {
        return action(&name, ctx).map_or_else(|| unknown(&name, ctx), |entry| acting(entry, filter, ctx));
    };
    match word.names[0] {
        "overview" => Intent::Give(Command::Go(Tab::Overview)),
        "operators" => place(Tab::Operators, Pane::Operators, filter, |name| Subject::Operator(name.into()), ctx),
        "pools" => place(Tab::Pools, Pane::Pools, filter, |name| Subject::Pool(name.into()), ctx),
        "nodes" => place(Tab::Nodes, Pane::Nodes, filter, |name| Subject::Node(name.into()), ctx),
        "findings" => place_filtered(Tab::Findings, Pane::Findings, filter),
        "timeline" => place_filtered(Tab::Timeline, Pane::Timeline, filter),
        "image-based" => place_filtered(Tab::ImageBased, Pane::ImageBased, filter),
        "preflight" => Intent::Report(About::Preflight(rest.first().map(|version| (*version).to_owned()))),
        "updates" => Intent::Report(About::Updates),
        "phases" => Intent::Report(About::Phases),
        "estimate" => match rest.first() {
            None => Intent::Report(About::Estimates(Part::Whole)),
            Some(pool) if ctx.assessment.pool(pool).is_none() => Intent::Wrong(format!("there is no pool {pool}")),
            Some(pool) => Intent::Report(About::Estimates(Part::Pool((*pool).to_owned()))),
        },
        "cv" => Intent::Describe(Subject::Version),
        "link" => Intent::Describe(Subject::Link),
        "ctx" => match rest.first() {
            None => Intent::Offer(Offering::Contexts),
            Some(name) => Intent::Ask(Request::SwitchContext((*name).to_owned())),
        },
        "theme" => match rest.first() {
            Some(name) => Intent::Ask(Request::SetTheme((*name).to_owned())),
            None => Intent::Wrong(format!("which theme? {}", Theme::NAMES.join(", "))),
        },
        "save" => Intent::Give(Command::Save),
        "log" => Intent::Give(Command::CommandLog),
        "refresh" => Intent::Give(Command::Refresh),
        "header" => Intent::Give(Command::Header),
        "help" => Intent::Give(Command::Help),
        "quit" => Intent::Ask(Request::Quit),
        "actions" => Intent::Give(Command::Menu),
        _ => simulated(word.names[0], &rest, ctx),
    }
}

fn unknown(name: &str, ctx: &Ctx<'_>) -> Intent {
    if ELSEWHERE.contains(&name) {
        return Intent::Wrong(format!("{name} are not listed here: this is about the update; try :nodes, :co, :mcp"));
    }
    let known = || WORDS.iter().any(|word| word.names.contains(&name));
    let act = ActionId::named(name).or_else(|| SHORT.iter().find(|(short, _)| *short == name).map(|(_, id)| *id));
    if let Some(why) = ctx.session.read_only.as_ref().filter(|_| act.is_some() || known()) {
        return Intent::Wrong(format!("writes are off: {why}"));
    }
    if let Some(act) = act.filter(|act| ctx.session.forbidden.contains(act)) {
        return Intent::Wrong(format!("the configuration forbids {}", act.words()));
    }
    let access = &ctx.assessment.facts.access;
    if let Some(missing) = act.and_then(|act| act.entry().barred(access)) {
        let user = access.user.as_deref().unwrap_or("this user");
        return Intent::Wrong(format!("{user} may not {}", missing.words()));
    }
    Intent::Wrong(format!("{name:?} is not a command; tab completes, ? lists them"))
}

fn place_filtered(tab: Tab, pane: Pane, rest: &str) -> Intent {
    match rest.strip_prefix('/').unwrap_or(rest) {
        "" => Intent::Give(Command::Go(tab)),
        filter => Intent::Filter(pane, filter.to_owned()),
    }
}

fn place(tab: Tab, pane: Pane, rest: &str, subject: impl Fn(&str) -> Subject, ctx: &Ctx<'_>) -> Intent {
    if rest.is_empty() || rest.starts_with('/') || rest.starts_with('-') || rest.contains('=') {
        return place_filtered(tab, pane, rest).labelled(rest);
    }
    let wanted = subject(rest);
    let known = match &wanted {
        Subject::Operator(name) => ctx.assessment.operator(name).is_some(),
        Subject::Pool(name) => ctx.assessment.pool(name).is_some(),
        Subject::Node(name) => ctx.assessment.node(name).is_some(),
        _ => false,
    };
    if known { Intent::Select(wanted) } else { Intent::Filter(pane, rest.to_owned()) }
}

impl Intent {
    /// A bare `key=value` is a term, as other tools have it.
    fn labelled(self, rest: &str) -> Self {
        match self {
            Self::Filter(pane, text) if rest.contains('=') && !rest.starts_with(['/', '-']) => {
                Self::Filter(pane, format!("-l {text}"))
            }
            other => other,
        }
    }
}

/// An action with what stands behind its name. Alone it means what its key means; what is missing is asked for.
fn acting(entry: &'static Entry, rest: &str, ctx: &Ctx<'_>) -> Intent {
    let words = match split(rest) {
        Ok(words) if words.is_empty() => return Intent::Give(Command::Act(entry.id)),
        Ok(words) => words,
        Err(why) => return Intent::Wrong(why),
    };
    let parts = entry.read(&words).and_then(|(bare, values)| entry.parts(&bare, values));
    let (names, values) = match parts {
        Ok(parts) => parts,
        Err(Refusal(why)) => return Intent::Wrong(why),
    };
    if let Some(missing) = unknown_target(entry, &names, ctx) {
        return Intent::Wrong(missing);
    }
    match entry.wish(&names, values.clone()) {
        Ok(ask) => Intent::Want(ask),
        Err(Refusal(why)) => Intent::Fill(entry.id, names, values, why),
    }
}

/// Pools and nodes are all known: a name that is not among them is a mistake of the fingers.
fn unknown_target(entry: &Entry, names: &[String], ctx: &Ctx<'_>) -> Option<String> {
    let noun = match entry.takes {
        Takes::Pool | Takes::Pools => "pool",
        Takes::Nodes => "node",
        Takes::Cluster | Takes::Version | Takes::Objects { .. } | Takes::Listed => return None,
    };
    let known = entry.targets(ctx.assessment);
    names.iter().find(|name| !known.contains(name)).map(|name| format!("there is no {noun} {name}"))
}

fn simulated(name: &str, rest: &[&str], ctx: &Ctx<'_>) -> Intent {
    if ctx.sim.is_none() {
        return Intent::Wrong("this is not a simulated cluster".into());
    }
    let number = |at: usize| rest.get(at).map(|text| text.trim_end_matches(['s', 'x']).parse::<f64>());
    let ask = |request| Intent::Ask(Request::Sim(request));
    match name {
        "speed" => match number(0) {
            Some(Ok(speed)) if speed > 0.0 && speed <= 10_000.0 => ask(SimRequest::Speed(speed)),
            _ => Intent::Wrong("how fast? :speed 5".into()),
        },
        "pass" => match rest.first().map(|text| text.trim_end_matches('m').parse::<u64>()) {
            Some(Ok(minutes)) if (1..=120).contains(&minutes) => ask(SimRequest::Pass { minutes }),
            _ => Intent::Wrong("how many minutes, up to 120? :pass 10".into()),
        },
        "outage" => match number(0) {
            Some(Ok(seconds)) if seconds >= 1.0 => ask(SimRequest::Fault(SimFault::Outage { seconds: seconds as u64 })),
            _ => Intent::Wrong("for how long? :outage 30".into()),
        },
        "fault" => {
            let n = match number(1) {
                Some(Err(_)) => return Intent::Wrong(format!("{:?} is not a number", rest[1])),
                Some(Ok(n)) => Some(n.max(0.0) as u64),
                None => None,
            };
            let fault = match rest.first().copied() {
                Some("watches") => SimFault::CutWatches { every: n },
                Some("gone" | "410") => SimFault::Gone,
                Some("429") => SimFault::TooManyRequests { seconds: n.unwrap_or(20) },
                Some("500" | "5xx") => SimFault::ServerErrors { seconds: n.unwrap_or(20) },
                Some("latency") => SimFault::Latency { millis: n.unwrap_or(800) },
                Some("tokens" | "401") => SimFault::ExpireTokens,
                Some("outage") => SimFault::Outage { seconds: n.unwrap_or(20) },
                Some("none" | "clear") => return ask(SimRequest::ClearFaults),
                _ => {
                    return Intent::Wrong("which fault? watches, gone, 429, 500, latency, tokens, outage, none".into());
                }
            };
            ask(SimRequest::Fault(fault))
        }
        _ => Intent::Offer(Offering::Sim),
    }
}

/// The words that the last word of `line` may become.
pub fn complete(line: &str, ctx: &Ctx<'_>) -> Vec<String> {
    let Some((head, last)) = line.rsplit_once(' ') else { return names(line, ctx) };
    let mut given = head.split_whitespace().map(str::to_owned);
    let Some(name) = given.next() else { return Vec::new() };
    let given: Vec<String> = given.collect();
    let all = match (find(&name, ctx), action(&name, ctx)) {
        (Some(word), _) => values(word, ctx),
        (None, Some(entry)) => entry.completions(&given, last, ctx.assessment),
        (None, None) => Vec::new(),
    };
    let fits = |name: &String| name.starts_with(last) && !given.contains(name);
    all.into_iter().filter(fits).take(200).map(|name| format!("{head} {name}")).collect()
}

/// The names that begin with `start`: those of the program first, then actions.
fn names(start: &str, ctx: &Ctx<'_>) -> Vec<String> {
    let read_only = ctx.session.read_only.is_some();
    let usable = WORDS.iter().filter(|word| !(read_only && word.writes) && (!word.sim || ctx.sim.is_some()));
    let words = usable.filter_map(|word| word.names.iter().copied().find(|name| name.starts_with(start)));
    let actions = actions(ctx).map(|entry| entry.name).filter(|name| name.starts_with(start));
    words.chain(actions).map(str::to_owned).collect()
}

/// What may stand behind a word of the program.
fn values(word: &Word, ctx: &Ctx<'_>) -> Vec<String> {
    let a = ctx.assessment;
    let all: Vec<&str> = match word.names[0] {
        "operators" => a.operators.rows.iter().map(|row| row.name.as_str()).collect(),
        "pools" | "estimate" => a.pools.iter().map(|pool| pool.name.as_str()).collect(),
        "nodes" => a.nodes.iter().map(|node| node.name.as_str()).collect(),
        "preflight" => a.update.offers.iter().map(|offer| offer.version.as_str()).collect(),
        "ctx" => ctx.contexts.iter().map(|line| line.name.as_str()).collect(),
        "theme" => Theme::NAMES.to_vec(),
        "fault" => vec!["watches", "gone", "429", "500", "latency", "tokens", "outage", "none"],
        "speed" => vec!["1", "2", "5", "10", "20", "50", "100"],
        _ => Vec::new(),
    };
    all.into_iter().map(str::to_owned).collect()
}

/// The line that is suggested behind what was typed: from the history, else the first completion.
pub fn ghost(line: &str, history: &[String], ctx: &Ctx<'_>) -> Option<String> {
    if line.is_empty() {
        return None;
    }
    let remembered = history.iter().rev().find(|old| old.starts_with(line) && old.as_str() != line).cloned();
    remembered.or_else(|| complete(line, ctx).into_iter().find(|full| full != line))
}
