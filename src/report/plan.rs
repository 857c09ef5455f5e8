//! `oc-cockpit do`: the plan of an action, and what came of it, for people and for programs.

use serde::Serialize;
use serde_json::Value;

use super::text::{Ink, Look, command, paragraph};
use super::{API_VERSION, Report};
use crate::actions::audit::Given;
use crate::actions::outcome::{Rehearsal, Step};
use crate::actions::{Args, Ask, Confirm, Danger, PatchKind, Plan, SET, Target, Verb, Write};

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Everything was accepted, and the watch showed the effect.
    Done,
    /// Nothing was to be sent, and the server would accept it (`--dry-run`).
    Rehearsed,
    /// Nothing was sent: not possible, not permitted, not confirmed.
    Refused,
    /// Sent, and the effect was not seen in time.
    NotSeen,
    /// A write was refused after others were accepted, or the cluster cannot be reached.
    Failed,
    /// A signal ended it before its end.
    Interrupted,
}

impl Ended {
    /// The exit code; an interruption has that of its signal instead.
    pub fn code(self) -> u8 {
        match self {
            Self::Done | Self::Rehearsed => 0,
            Self::Failed | Self::Interrupted => 1,
            Self::Refused => 3,
            Self::NotSeen => 4,
        }
    }
}

/// What became of one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It was not sent.
    #[default]
    NotSent,
    /// It was sent, and no answer has come.
    Sent,
    /// The server accepted and stored it.
    Accepted,
    /// The server refused it, or did not store what was asked for.
    Refused,
    /// No answer that can be read: it may or may not have been applied.
    Unknown,
}

/// What became of the write of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The object: `node/worker-1`.
    pub object: String,
    /// What became of it.
    pub fate: Fate,
    /// In words.
    pub words: String,
}

/// The JSON: its fields in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// [`API_VERSION`].
    pub api_version: &'static str,
    /// `Action`.
    pub kind: &'static str,
    /// Name of the action: `pause-pool`.
    pub action: &'static str,
    /// What it is aimed at.
    pub target: Aim,
    /// The values that were given, by name.
    pub args: Args,
    /// The context of the kubeconfig; empty: it is not known.
    pub context: String,
    /// Nothing was to be sent.
    pub dry_run: bool,
    /// How it ended.
    pub result: Ended,
    /// The exit code of the program.
    pub exit_code: u8,
    /// In one sentence.
    pub words: String,
    /// The plan as it was rehearsed, or as it was made; null: none could be made.
    pub plan: Option<Outline>,
    /// The file of the audit log; null: nothing was attempted.
    pub audit: Option<String>,
}

/// What an action is aimed at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Aim {
    /// `pools`, `nodes`, `version`, `objects` or `cluster`.
    pub kind: &'static str,
    /// Plural and group of the objects, as `oc get` takes it; empty for the others.
    pub resource: String,
    /// Their names as they are written on the command line; none for the cluster.
    pub names: Vec<String>,
}

impl Aim {
    fn of(wish: &Ask) -> Self {
        let target = &wish.target;
        let kind = match target {
            Target::Pools(_) => "pools",
            Target::Nodes(_) => "nodes",
            Target::Version(_) => "version",
            Target::Objects(_) => "objects",
            Target::Cluster => "cluster",
        };
        let resource = target.objects().first().map(|object| object.resource.clone()).unwrap_or_default();
        Self { kind, resource, names: wish.action.entry().written(target) }
    }
}

/// The plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outline {
    /// `Pause pool worker`.
    pub title: String,
    /// `L`, `M` or `H`.
    pub danger: Danger,
    /// What was checked.
    pub preconditions: Vec<crate::actions::Precondition>,
    /// What will follow, a line each.
    pub consequences: Vec<String>,
    /// The requests, in their order.
    pub writes: Vec<Request>,
    /// The drain that follows the requests; null: none does.
    pub drain: Option<Evictions>,
    /// What is asked before it is confirmed.
    pub questions: Vec<Asked>,
    /// The text that confirms it (`--yes=TEXT`); null: `--yes` alone does.
    pub typed: Option<String>,
    /// What the watch has to show before it counts as done.
    pub effect: String,
    /// The action that undoes it; null: none does.
    pub inverse: Option<&'static str>,
    /// The ways back, all of them together; empty: there is none.
    pub undo: Vec<WayBack>,
}

/// A way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WayBack {
    /// In words: `uncordon worker-1`.
    pub words: String,
    /// The line that does it here; null: an action does, but with a value that only a person knows, or none does.
    #[serde(rename = "do")]
    pub line: Option<String>,
    /// The `oc` line, made of what was there before; null: there is none, or it would hold a secret.
    pub oc: Option<String>,
}

/// A drain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evictions {
    /// The nodes, in their order.
    pub nodes: Vec<String>,
    /// How many pods are evicted, as it is now.
    pub evictions: usize,
    /// Seconds after which it gives up; null: it goes on until it is done or stopped.
    pub timeout_seconds: Option<u64>,
    /// The `oc` line that does the same.
    pub oc: String,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The object: `node/worker-1`.
    pub object: String,
    /// HTTP method.
    pub method: &'static str,
    /// Path.
    pub path: String,
    /// `Content-Type` of the body.
    pub content_type: &'static str,
    /// The body; values of secrets are digests.
    pub body: Value,
    /// The `oc` line that does the same.
    pub oc: String,
    /// What the server said to the dry run; null: it was not asked.
    pub rehearsal: Option<Said>,
    /// What became of it: `not-sent`, `sent` (no answer), `accepted`, `refused`, `unknown`.
    pub fate: Fate,
    /// That in words; empty where nothing was sent.
    pub words: String,
}

/// What the server said to a dry run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// Would it be accepted?
    pub ok: bool,
    /// In words.
    pub words: String,
}

/// A question of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The name that `--answer NAME=TEXT` takes.
    pub name: String,
    /// The question.
    pub words: String,
    /// The only answer with which it goes on; null: any text.
    pub exactly: Option<String>,
    /// The answer; null: none was given.
    pub answer: Option<String>,
}

/// What came of an order, to be told.
#[derive(Debug, Clone, Copy)]
pub struct Story<'a> {
    /// What was wanted.
    pub ask: &'a Ask,
    /// Context of the kubeconfig.
    pub context: &'a str,
    /// Nothing was to be sent.
    pub dry_run: bool,
    /// How it ended.
    pub result: Ended,
    /// The exit code.
    pub exit_code: u8,
    /// In one sentence.
    pub words: &'a str,
    /// The plan.
    pub plan: Option<&'a Plan>,
    /// What the server said to the dry runs, in the order of the writes; empty: it was not asked.
    pub steps: &'a [Step],
    /// What became of the writes that were sent.
    pub told: &'a [Told],
    /// The answers that were given.
    pub answers: &'a [Given],
    /// The audit log.
    pub audit: Option<&'a str>,
}

/// For programs.
pub fn json(story: &Story<'_>) -> Document {
    Document {
        api_version: API_VERSION,
        kind: "Action",
        action: story.ask.action.name(),
        target: Aim::of(story.ask),
        args: story.ask.args.clone(),
        context: story.context.to_owned(),
        dry_run: story.dry_run,
        result: story.result,
        exit_code: story.exit_code,
        words: story.words.to_owned(),
        plan: story.plan.map(|plan| outline(plan, story)),
        audit: story.audit.map(ToOwned::to_owned),
    }
}

fn outline(plan: &Plan, story: &Story<'_>) -> Outline {
    let answer = |name: &str| story.answers.iter().find(|given| given.name == name).map(|given| given.answer.clone());
    Outline {
        title: plan.title.clone(),
        danger: plan.danger,
        preconditions: plan.preconditions.clone(),
        consequences: plan.consequences.clone(),
        writes: plan
            .writes
            .iter()
            .enumerate()
            .map(|(at, write)| request(write, story.steps.get(at), story.told))
            .collect(),
        drain: plan.drain.as_ref().map(|drain| Evictions {
            nodes: drain.nodes.iter().map(|node| node.name.clone()).collect(),
            evictions: drain.nodes.iter().map(|node| node.pods.len()).sum(),
            timeout_seconds: drain.timeout,
            oc: drain.oc.clone(),
        }),
        questions: plan
            .questions
            .iter()
            .map(|asked| Asked {
                name: asked.name.clone(),
                words: asked.words.clone(),
                exactly: asked.exactly.clone(),
                answer: answer(&asked.name),
            })
            .collect(),
        typed: match &plan.confirm {
            Confirm::Button => None,
            Confirm::Type(text) => Some(text.clone()),
        },
        effect: plan.effect.words(),
        inverse: plan.inverse.map(crate::actions::ActionId::name),
        undo: ways_back(plan),
    }
}

/// The ways back: by actions, and for single writes by `oc`.
fn ways_back(plan: &Plan) -> Vec<WayBack> {
    let by_action = |wish: &Ask| {
        let entry = wish.action.entry();
        let values = wish.args.names().flat_map(|name| wish.args.all(name).iter().map(move |value| (name, value)));
        let values = values.map(|(name, value)| if value == SET { name.to_owned() } else { value.clone() });
        let words = [entry.word.to_owned()].into_iter().chain(entry.written(&wish.target)).chain(values);
        let words = words.collect::<Vec<_>>().join(" ");
        WayBack { words, line: Some(done_by(wish)), oc: None }
    };
    let mut all: Vec<WayBack> = plan.back.iter().map(by_action).collect();
    if let Some(inverse) = plan.inverse.filter(|_| plan.back.is_empty()) {
        all.push(WayBack { words: inverse.entry().summary.to_owned(), line: None, oc: None });
    }
    all.extend(plan.undo.iter().map(|undo| WayBack { words: undo.told(), line: None, oc: undo.oc.clone() }));
    all
}

/// The line that carries a wish out: `oc-cockpit do uncordon worker-1`. What only a person can name stands there as the
/// usage of the action has it: `oc-cockpit do apply-signature FILE`.
pub(super) fn done_by(wish: &Ask) -> String {
    let open = wish.action.entry().args.iter().filter(|arg| arg.required && wish.args.get(arg.name).is_none());
    let open: String = open.map(|arg| format!(" {}", arg.usage())).collect();
    format!("oc-cockpit do {}{open}", wish.line())
}

fn request(write: &Write, step: Option<&Step>, told: &[Told]) -> Request {
    // After a conflict the same write is sent again: the newest word is the one that counts.
    let told = told.iter().rev().find(|told| told.object == write.object);
    Request {
        object: write.object.clone(),
        method: write.method(),
        path: write.path.clone(),
        content_type: write.content_type(),
        body: write.shown(),
        oc: write.oc.clone(),
        rehearsal: step.map(|step| Said { ok: step.ok, words: step.words.clone() }),
        fate: told.map_or(Fate::NotSent, |told| told.fate),
        words: told.map(|told| told.words.clone()).unwrap_or_default(),
    }
}

/// What a danger means.
pub fn danger_words(danger: Danger) -> &'static str {
    match danger {
        Danger::L => "reversible",
        Danger::M => "may disrupt workloads or reboot nodes",
        Danger::H => "cannot be undone, or can lose quorum, data or support",
    }
}

/// A rehearsed plan for people: what it is, what follows, what was checked, what would be sent and what the server said to
/// it, how it is confirmed and undone.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Page<'a>(pub &'a Rehearsal);

impl Report for Page<'_> {
    fn text(&self, look: &Look) -> String {
        let Rehearsal { plan, steps, .. } = self.0;
        let mut out = look.heading(&plan.title) + "\n";
        let ink = match plan.danger {
            Danger::L => Ink::Good,
            Danger::M => Ink::Warn,
            Danger::H => Ink::Bad,
        };
        let danger = format!("danger {:?}", plan.danger);
        out += &format!("{}: {}\n", look.ink(ink, &danger), danger_words(plan.danger));
        section(&mut out, look, "What follows", plan.consequences.iter().map(|line| ("- ", line.clone())));
        let checked = |check: &crate::actions::Precondition| ("+ ", format!("{} ({})", check.words, check.evidence));
        section(&mut out, look, "What was checked on the live objects", plan.preconditions.iter().map(checked));
        out += &format!("\n{}\n", look.heading("What is sent"));
        for (at, write) in plan.writes.iter().enumerate() {
            out += &sent(write, steps.get(at), look);
        }
        if let Some(drain) = &plan.drain {
            out += &command(look, 2, &drain.oc);
            let pods: usize = drain.nodes.iter().map(|node| node.pods.len()).sum();
            let nodes: Vec<&str> = drain.nodes.iter().map(|node| node.name.as_str()).collect();
            let whose = if pods == 1 { "its one pod".to_owned() } else { format!("each of {pods} pods") };
            let words = format!("one eviction for {whose}, node by node: {}", nodes.join(", "));
            out += &paragraph(look, "    ", &words);
        } else if plan.writes.is_empty() {
            out += "  nothing\n";
        }
        out += "\n";
        for question in &plan.questions {
            out += &paragraph(
                look,
                "asked: ",
                &format!(
                    "{} (--answer {}={})",
                    question.words,
                    question.name,
                    question.exactly.as_deref().unwrap_or("TEXT")
                ),
            );
        }
        let confirmed = match &plan.confirm {
            Confirm::Button => "--yes".to_owned(),
            Confirm::Type(text) => format!("--yes={text}"),
        };
        out += &format!("confirmed by: {confirmed}\n");
        for wish in &plan.back {
            out += &format!("undone by:\n{}", command(look, 2, &done_by(wish)));
        }
        if let Some(inverse) = plan.inverse.filter(|_| plan.back.is_empty()) {
            out += &format!("undone by: {}\n", inverse.name());
        }
        out
    }
}

fn section(out: &mut String, look: &Look, title: &str, lines: impl Iterator<Item = (&'static str, String)>) {
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() {
        return;
    }
    *out += &format!("\n{}\n", look.heading(title));
    for (sign, line) in lines {
        *out += &paragraph(look, &format!("  {sign}"), &line);
    }
}

fn sent(write: &Write, step: Option<&Step>, look: &Look) -> String {
    let kind = match write.verb {
        Verb::Patch(PatchKind::Merge) => "merge patch",
        Verb::Patch(PatchKind::Strategic) => "strategic merge patch",
        Verb::Patch(PatchKind::Json) => "JSON patch",
        Verb::Create => "create",
        Verb::Replace => "replace",
        Verb::Delete => "delete",
        Verb::Evict => "evict",
    };
    let mut out = command(look, 2, &write.oc);
    out += &paragraph(look, "    ", &format!("{} {} ({kind})", write.method(), write.path));
    out += &paragraph(look, "    ", &write.shown().to_string());
    if let Some(step) = step {
        let ink = if step.ok { Ink::Good } else { Ink::Bad };
        for line in paragraph(look, "    ", &step.words).lines() {
            out += &format!("    {}\n", look.ink(ink, line.trim_start()));
        }
    }
    out
}
