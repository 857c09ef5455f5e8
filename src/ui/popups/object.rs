//! An object: described in good order, or as YAML.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::ui::ctx::Ctx;
use crate::ui::neutral::neutral_lines;
use crate::ui::panes::blockers::{self, short};
use crate::ui::panes::findings::{evidence_lines, level_word, subject_words};
use crate::ui::panes::nodes::says;
use crate::ui::panes::operators;
use crate::ui::panes::pools::capacity_words;
use crate::ui::popups::estimates::{basis_words, left, range};
use crate::ui::request::Fetched;
use crate::ui::theme::Tone;
use crate::ui::widgets::text_view::{TextLine, TextView};
use crate::ui::words;
use crate::upgrade::assessment::{Blocker, Node, Pool, Subject};
use crate::upgrade::estimate::Part;

/// The popup.
#[derive(Debug)]
pub struct ObjectPopup {
    /// The object.
    pub subject: Subject,
    /// As YAML.
    pub yaml: bool,
    /// `managedFields` are shown.
    pub managed: bool,
    /// As the server has it; none while it is being read.
    pub fetched: Option<Fetched>,
    /// Its text.
    pub view: TextView,
    made_for: Option<(u64, i64, bool)>,
}

impl ObjectPopup {
    /// A popup that waits for its object.
    pub fn new(subject: Subject, yaml: bool) -> Self {
        Self { subject, yaml, managed: false, fetched: None, view: TextView::default(), made_for: None }
    }

    /// The object came, or could not be read.
    pub fn show(&mut self, fetched: Fetched) {
        self.fetched = Some(fetched);
        self.made_for = None;
    }

    /// Shows or hides `managedFields`.
    pub fn toggle_managed(&mut self) {
        self.managed = !self.managed;
        self.made_for = None;
    }

    /// Title.
    pub fn title(&self) -> String {
        format!("{} {}", if self.yaml { "yaml" } else { "describe" }, object_words(&self.subject))
    }

    /// Makes the text again when something that it shows has changed: the assessment, the second, the object.
    pub fn refresh(&mut self, ctx: &Ctx<'_>) {
        let second = if self.yaml { 0 } else { ctx.now.timestamp() };
        let made_for = Some((ctx.assessment.generation, second, self.managed));
        if self.made_for != made_for {
            self.made_for = made_for;
            let lines = if self.yaml { self.yaml_lines() } else { describe(&self.subject, self.fetched.as_ref(), ctx) };
            self.view.set(lines);
        }
    }

    fn yaml_lines(&self) -> Vec<TextLine> {
        match &self.fetched {
            None => vec![TextLine::new(Tone::Dim, "reading ...")],
            Some(Err(why)) => vec![TextLine::new(Tone::Danger, why)],
            Some(Ok(value)) => yaml(value, self.managed).lines().map(yaml_line).collect(),
        }
    }
}

/// `node/worker-3`, as `oc` takes it.
pub fn object_words(subject: &Subject) -> String {
    match subject {
        Subject::Version => "clusterversion/version".into(),
        Subject::Node(name) => format!("node/{name}"),
        Subject::Object(object) => super::finding::resource_words(object),
        other => subject_words(other),
    }
}

/// YAML of an object, without `managedFields` unless asked for.
pub fn yaml(value: &Value, managed: bool) -> String {
    let mut value = value.clone();
    if !managed && let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    serde_saphyr::to_string(&value).unwrap_or_else(|error| format!("# cannot be shown as YAML: {error}"))
}

/// A line of YAML: key and value apart.
fn yaml_line(line: &str) -> TextLine {
    let start = line.len() - line.trim_start_matches([' ', '-']).len();
    let (lead, rest) = line.split_at(start);
    match rest
        .split_once(':')
        .filter(|(key, after)| !key.contains([' ', '"']) && (after.is_empty() || after.starts_with(' ')))
    {
        Some((key, after)) => {
            TextLine::new(Tone::Dim, lead).and(Tone::Info, key).and(Tone::Dim, ":").and(Tone::Text, after)
        }
        None => TextLine::new(Tone::Dim, lead).and(Tone::Text, rest),
    }
    .hanging(start + 2)
}

/// `key   value` with the key in a column.
fn field(key: &str, value: impl AsRef<str>) -> TextLine {
    TextLine::new(Tone::Dim, format!("  {key:<20} ")).and(Tone::Text, value).hanging(23)
}

fn heading(text: &str) -> [TextLine; 2] {
    [TextLine::default(), TextLine::new(Tone::Heading, text)]
}

/// The description of a subject.
fn describe(subject: &Subject, fetched: Option<&Fetched>, ctx: &Ctx<'_>) -> Vec<TextLine> {
    let mut lines = vec![TextLine::new(Tone::Strong, object_words(subject))];
    match subject {
        Subject::Version => about_version(&mut lines, ctx),
        Subject::Operator(name) => about_operator(&mut lines, name, ctx),
        Subject::Pool(name) => match ctx.assessment.pool(name) {
            Some(pool) => about_pool(&mut lines, pool, ctx),
            None => lines.push(TextLine::new(Tone::Warning, "it is not there any more")),
        },
        Subject::Node(name) => match ctx.assessment.node(name) {
            Some(node) => about_node(&mut lines, node, ctx),
            None => lines.push(TextLine::new(Tone::Warning, "it is not there any more")),
        },
        Subject::Link => about_link(&mut lines, ctx),
        Subject::Object(_) => {}
    }
    findings_about(&mut lines, subject, ctx);
    match fetched {
        None if *subject != Subject::Link => lines.extend(heading("The object: reading ...")),
        None => {}
        Some(Err(why)) => {
            lines.extend(heading("The object could not be read"));
            lines.push(TextLine::new(Tone::Danger, why).hanging(2));
        }
        Some(Ok(value)) => about_object(&mut lines, value, ctx),
    }
    lines
}

fn dated(at: Option<DateTime<Utc>>, rebuilt: bool, ctx: &Ctx<'_>) -> String {
    at.map_or_else(
        || "unknown".into(),
        |at| format!("{} ({} ago)", words::stamp(at), words::since(Some(at), ctx.now, rebuilt)),
    )
}

fn about_version(lines: &mut Vec<TextLine>, ctx: &Ctx<'_>) {
    let assessment = ctx.assessment;
    let update = &assessment.update;
    lines.push(TextLine::new(assessment.verdict.kind.into(), assessment.headline()));
    lines.push(TextLine::new(Tone::Text, &assessment.verdict.why));
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".into());
    lines.push(field("from", or(&update.from)));
    lines.push(field("to", or(&update.to)));
    lines.push(field("channel", or(&update.channel)));
    lines.push(field("started", dated(update.started, false, ctx)));
    if let Some(completed) = update.completed {
        lines.push(field("completed", dated(Some(completed), false, ctx)));
    }
    if let Some(payload) = update.payload {
        lines.push(field("manifests", format!("{} of {}", payload.done, payload.total)));
        if payload.attempt > 1 {
            let words =
                format!("{} (the count begins anew each time; {} were reached)", payload.attempt, payload.highest);
            lines.push(field("runs through them", words));
        }
    }
    lines.push(field("control plane", assessment.topology.words()));
    if !update.waiting_on.is_empty() {
        lines.push(field("waits for", update.waiting_on.join(", ")));
    }
    if let Some(requested) = &update.requested {
        let state = if requested.refused { "refused at" } else { "at" };
        lines.push(field(
            "requested",
            format!("{}: {state} {}: {}", requested.target, requested.step, requested.message),
        ));
    }
    if !assessment.verdict.evidence.is_empty() {
        lines.extend(heading("The verdict rests on"));
        lines.extend(evidence_lines(&assessment.verdict.evidence, ctx));
    }
    if !update.offers.is_empty() {
        lines.extend(heading("On offer"));
        for offer in &update.offers {
            let risk = offer.risk.as_ref().map_or_else(|| "recommended".to_owned(), |risk| format!("risk: {risk}"));
            let tone = if offer.risk.is_some() { Tone::Warning } else { Tone::Ok };
            lines.push(TextLine::new(Tone::Text, format!("  {:<12} ", offer.version)).and(tone, risk).hanging(15));
        }
    }
}

fn about_operator(lines: &mut Vec<TextLine>, name: &str, ctx: &Ctx<'_>) {
    let Some(row) = ctx.assessment.operator(name) else { return };
    lines.push(
        TextLine::new(Tone::Dim, format!("  {:<20} ", "state")).and(row.state.into(), operators::word(row.state)),
    );
    lines.push(field("since", dated(row.since, false, ctx)));
    lines.push(field("version", row.version.as_deref().unwrap_or("none reported")));
    if row.working_since.is_some() {
        lines.push(field("works on it since", dated(row.working_since, false, ctx)));
    }
    if let (Some(deadline), Some((tone, text))) = (&row.deadline, operators::countdown(row, ctx)) {
        let limit = words::duration(deadline.limit.span());
        let words = format!("  (limit {limit}: then {})", deadline.limit.then());
        lines.push(
            TextLine::new(Tone::Dim, format!("  {:<20} ", "limit")).and(tone, text).and(Tone::Dim, words).hanging(23),
        );
    }
    if let Some(error) = &row.sync_error {
        lines.push(
            TextLine::new(Tone::Dim, format!("  {:<20} ", "last sync error")).and(Tone::Warning, error).hanging(23),
        );
    }
    lines.push(field("run level", row.level.map_or_else(|| "unknown".into(), |level| format!("{level:02}"))));
    if !row.message.is_empty() || !row.reason.is_empty() {
        lines.push(field("in short", format!("{} {}", row.reason, row.message)));
    }
    if row.expected {
        lines.push(field("expected", "yes, while nodes reboot"));
    }
    if let Some(why) = &row.not_upgradeable {
        lines.push(field("not upgradeable", why));
    }
}

fn about_pool(lines: &mut Vec<TextLine>, pool: &Pool, ctx: &Ctx<'_>) {
    lines.push(field("updated", format!("{} of {}", pool.updated, pool.total)));
    let counts = format!(
        "{} moving ({} draining), {} waiting, {} unavailable, {} degraded",
        pool.moving, pool.draining, pool.waiting, pool.unavailable, pool.degraded
    );
    lines.push(field("nodes", counts));
    if pool.paused {
        let by = pool
            .paused_by
            .as_ref()
            .map_or_else(String::new, |(who, at)| format!(" by {who}, since {}", dated(*at, false, ctx)));
        lines.push(TextLine::new(Tone::Dim, format!("  {:<20} ", "paused")).and(Tone::Paused, format!("yes{by}")));
    }
    let target = pool.target.as_deref().unwrap_or("unknown");
    let version = pool.target_version.as_ref().map(|version| format!(" ({version})")).unwrap_or_default();
    lines.push(field("target", format!("{target}{version}")));
    if pool.rolling_since.is_some() {
        lines.push(field("rolling since", dated(pool.rolling_since, false, ctx)));
    }
    let capacity = &pool.capacity;
    lines.push(field("capacity", capacity_words(pool, ctx)));
    if !capacity.next.is_empty() {
        let names = capacity.next.join(", ");
        lines.push(match capacity.busy.as_slice() {
            [] if capacity.free == 0 && !capacity.why_none.is_empty() => {
                field("in line", format!("{names} ({})", capacity.why_none))
            }
            [] => field("next", names),
            busy => field("next", format!("{names}, after {}", busy.join(", "))),
        });
    } else if !capacity.why_none.is_empty() {
        lines.push(field("next", format!("none: {}", capacity.why_none)));
    }
    let part = Part::Pool(pool.name.clone());
    if let Some(estimate) = ctx.assessment.estimates.parts.iter().find(|estimate| estimate.part == part) {
        let words = if ctx.assessment.estimates.before { range(&estimate.remaining) } else { left(estimate) };
        lines.push(field("how long", format!("{words} ({})", basis_words(estimate.basis))));
    }
    if let Some(message) = &pool.degraded_message {
        lines.push(TextLine::new(Tone::Danger, format!("  degraded: {message}")).hanging(4));
    }
}

fn about_node(lines: &mut Vec<TextLine>, node: &Node, ctx: &Ctx<'_>) {
    let tone = crate::ui::panes::nodes::tone(node);
    let age = words::since(node.since, ctx.now, node.since_rebuilt);
    lines.push(
        TextLine::new(Tone::Dim, format!("  {:<20} ", "phase")).and(tone, format!("{} {age}", node.phase.word())),
    );
    let source = match node.phase_source {
        crate::upgrade::assessment::Source::MachineConfigNode => "the MachineConfigNode",
        crate::upgrade::assessment::Source::Annotations => "annotations and node state",
        crate::upgrade::assessment::Source::Seen => "what was seen",
    };
    let mark = if node.since_rebuilt { " (~: rebuilt at start)" } else { "" };
    lines.push(field("phase known by", format!("{source}{mark}")));
    lines.push(field(
        "pool, zone",
        format!("{}, {}", node.pool.as_deref().unwrap_or("-"), node.zone.as_deref().unwrap_or("-")),
    ));
    lines.push(field("roles", node.roles.join(", ")));
    lines.push(field("ready", if node.ready { "yes" } else { "no" }));
    if let Some(cordon) = &node.cordon {
        let whose = if cordon.by_mco {
            "by the machine-config operator".to_owned()
        } else {
            format!("by {}", cordon.manager.as_deref().unwrap_or("an unknown manager"))
        };
        lines.push(field("cordoned", format!("{whose}, since {}", dated(cordon.since, false, ctx))));
    }
    lines.push(field("version", node.version.as_deref().unwrap_or("unknown")));
    lines.push(field("kubelet", node.kubelet.as_deref().unwrap_or("unknown")));
    lines.push(field("current config", node.current_config.as_deref().unwrap_or("-")));
    lines.push(field("desired config", node.desired_config.as_deref().unwrap_or("-")));
    let text = says(node);
    if !text.is_empty() {
        let tone = if crate::ui::widgets::strip::stuck(node) { Tone::Danger } else { Tone::Text };
        lines.push(TextLine::new(Tone::Dim, format!("  {:<20} ", "in short")).and(tone, text).hanging(23));
    }
    if let Some(trouble) = &node.drain_trouble {
        lines.push(field("drain since", dated(trouble.since, false, ctx)));
        for pod in trouble.pods.iter().filter(|_| node.blockers.is_empty()) {
            lines.push(field("pod in the way", pod));
        }
    }
    let blocked = |lines: &mut Vec<TextLine>, blockers: &[Blocker], tone: Tone| {
        for blocker in blockers {
            lines.push(TextLine::new(tone, format!("  {}", short(blocker))).hanging(4));
            let below = blockers::lines(blocker, ctx).into_iter();
            lines.extend(below.map(|(tone, text)| TextLine::new(tone, format!("    {text}")).hanging(6)));
        }
    };
    if !node.blockers.is_empty() {
        lines.extend(heading("What holds its drain up"));
        blocked(lines, &node.blockers, Tone::Danger);
    }
    if let Some(forecast) = &node.forecast {
        lines.extend(heading("Its drain, as things stand"));
        lines.push(field("evicts", words::count(forecast.evicted, "pod", "pods")));
        let more = blockers::forecast_words(forecast).into_iter().skip(1);
        lines.extend(more.map(|text| TextLine::new(Tone::Text, format!("  {text}")).hanging(4)));
        if forecast.blockers.is_empty() {
            lines.push(TextLine::new(Tone::Ok, "  nothing would hold it up"));
        }
        blocked(lines, &forecast.blockers, Tone::Warning);
    }
}

fn about_link(lines: &mut Vec<TextLine>, ctx: &Ctx<'_>) {
    let link = &ctx.assessment.facts.link;
    lines.push(field("server", &ctx.connection.server));
    lines.push(field("context", &ctx.connection.context));
    lines.push(field("user", &ctx.connection.user));
    lines.push(field("configuration", &ctx.connection.source));
    lines.push(field("heard", dated(link.heard, false, ctx)));
    if let Some(clock) = link.clock_words() {
        lines.push(field("clock", clock));
    }
    if let Some(trouble) = &link.trouble {
        lines.push(TextLine::new(Tone::Danger, format!("  {}", trouble.words)).hanging(4));
        if !trouble.hint.is_empty() {
            lines.push(TextLine::new(Tone::Text, format!("  {}", trouble.hint)).hanging(4));
        }
    }
    lines.extend(heading("Kinds"));
    for (kind, state) in &ctx.assessment.facts.kinds {
        let (tone, text) = kind_words(&state.status);
        let heard = words::since(state.heard, ctx.now, false);
        let heard = if heard.is_empty() { String::new() } else { format!(" (heard {heard} ago)") };
        lines.push(
            TextLine::new(Tone::Dim, format!("  {:<20} ", kind.plural()))
                .and(tone, text)
                .and(Tone::Dim, heard)
                .hanging(23),
        );
        for (name, why) in &state.unreadable {
            lines.push(TextLine::new(Tone::Warning, format!("    {name} could not be read: {why}")).hanging(6));
        }
    }
}

fn kind_words(status: &crate::upgrade::facts::KindStatus) -> (Tone, String) {
    use crate::upgrade::facts::KindStatus;
    match status {
        KindStatus::NotAsked => (Tone::Dim, "not needed so far".into()),
        KindStatus::Waiting => (Tone::Dim, "reading".into()),
        KindStatus::Live => (Tone::Ok, "live".into()),
        KindStatus::Failing(trouble) => (Tone::Warning, format!("stale: {}", trouble.words)),
        KindStatus::Absent => (Tone::Dim, "not served here".into()),
        KindStatus::Forbidden(trouble) => (Tone::Warning, trouble.words.clone()),
    }
}

fn findings_about(lines: &mut Vec<TextLine>, subject: &Subject, ctx: &Ctx<'_>) {
    let about: Vec<_> = ctx.assessment.findings.iter().filter(|finding| finding.subject == *subject).collect();
    if about.is_empty() {
        return;
    }
    lines.extend(heading("Findings"));
    for finding in about {
        let sign = ctx.theme.symbols().level(finding.level);
        let title = format!("  {sign} {} ({})", finding.title, level_word(finding.level));
        lines.push(TextLine::new(finding.level.into(), title).hanging(4));
        lines.extend(
            neutral_lines(&finding.meaning)
                .iter()
                .map(|line| TextLine::new(Tone::Text, format!("    {line}")).hanging(4)),
        );
        lines.extend(evidence_lines(&finding.evidence, ctx));
    }
}

/// What is in the object itself: metadata, key fields, conditions.
fn about_object(lines: &mut Vec<TextLine>, value: &Value, ctx: &Ctx<'_>) {
    conditions(lines, value, ctx);
    lines.extend(heading("Metadata"));
    let text = |path: &str| value.pointer(path).and_then(Value::as_str).map(str::to_owned);
    for (key, path) in [("uid", "/metadata/uid"), ("resourceVersion", "/metadata/resourceVersion")] {
        if let Some(found) = text(path) {
            lines.push(field(key, found));
        }
    }
    if let Some(created) = text("/metadata/creationTimestamp") {
        lines.push(field("created", dated(created.parse().ok(), false, ctx)));
    }
    for (title, path) in [("Labels", "/metadata/labels"), ("Annotations", "/metadata/annotations")] {
        let Some(map) = value.pointer(path).and_then(Value::as_object).filter(|map| !map.is_empty()) else { continue };
        lines.extend(heading(title));
        for (key, value) in map {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let (shown, cut) =
                value.char_indices().nth(400).map_or((value.as_str(), ""), |(at, _)| (&value[..at], " ..."));
            lines.push(
                TextLine::new(Tone::Dim, format!("  {key} ")).and(Tone::Text, format!("{shown}{cut}")).hanging(4),
            );
        }
    }
    for (title, path) in [("Spec", "/spec"), ("Status", "/status")] {
        let Some(map) = value.pointer(path).and_then(Value::as_object) else { continue };
        let scalars: Vec<_> = map.iter().filter(|(_, value)| !value.is_object() && !value.is_array()).collect();
        if !scalars.is_empty() {
            lines.extend(heading(title));
            for (key, value) in scalars {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                lines.push(field(key, value));
            }
        }
    }
}

/// Conditions, those that say that something is wrong first.
fn conditions(lines: &mut Vec<TextLine>, value: &Value, ctx: &Ctx<'_>) {
    let Some(conditions) = value.pointer("/status/conditions").and_then(Value::as_array).filter(|all| !all.is_empty())
    else {
        return;
    };
    lines.extend(heading("Conditions"));
    let text = |condition: &Value, key: &str| condition.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let mut rows: Vec<_> = conditions.iter().map(|condition| (bad(condition), condition)).collect();
    rows.sort_by_key(|(bad, _)| !bad);
    for (bad, condition) in rows {
        let at: Option<DateTime<Utc>> = text(condition, "lastTransitionTime").parse().ok();
        let tone = if bad { Tone::Danger } else { Tone::Text };
        let sign = if bad { ctx.theme.symbols().fail } else { " " };
        let age = words::since(at, ctx.now, false);
        let line =
            TextLine::new(tone, format!("  {sign} {:<26} {:<8}", text(condition, "type"), text(condition, "status")))
                .and(Tone::Dim, format!("{age:>7}  "))
                .and(Tone::Info, text(condition, "reason"));
        lines.push(line.hanging(6));
        let message = text(condition, "message");
        lines.extend(
            neutral_lines(&message).iter().map(|line| TextLine::new(Tone::Text, format!("      {line}")).hanging(6)),
        );
    }
}

/// Does a condition say that something is wrong? By its name: some are good when True, some when False.
fn bad(condition: &Value) -> bool {
    let is = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or("");
    let (name, status) = (is("type"), is("status"));
    let good_when_true = matches!(name, "Available" | "Ready" | "Upgradeable" | "ReleaseAccepted" | "RetrievedUpdates");
    let bad_when_true =
        ["Degraded", "Failing", "Pressure", "Unavailable", "Invalid"].iter().any(|word| name.contains(word));
    (good_when_true && status != "True") || (bad_when_true && status != "False")
}
