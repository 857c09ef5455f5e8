//! Nodes as a table: a phase strip per node, what matters first.

use std::borrow::Cow;
use std::cmp::Ordering;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::blockers::several;
use super::freshness;
use crate::ui::ctx::Ctx;
use crate::ui::theme::Tone;
use crate::ui::widgets::pen::write;
use crate::ui::widgets::strip::{rank, strip, stuck};
use crate::ui::widgets::table::{Cell, Column, Sheet, Table, Width};
use crate::ui::words;
use crate::upgrade::assessment::{Assessment, Forecast, Node, NodePhase};
use crate::upgrade::facts::{Kind, KindStatus};

/// The kinds that the pane rests on.
pub const KINDS: &[Kind] = &[Kind::Nodes, Kind::MachineConfigNodes];

/// The table of nodes.
#[derive(Debug)]
pub struct NodeSheet;

/// What a node has to say, in one line: trouble first.
pub fn says(node: &Node) -> String {
    if !node.blockers.is_empty() {
        return several(&node.blockers);
    }
    if let Some(trouble) = &node.drain_trouble {
        let pods = match trouble.pods.as_slice() {
            [] => String::new(),
            [pod] => format!("pod {pod}: "),
            [pod, rest @ ..] => format!("pod {pod} and {} more: ", rest.len()),
        };
        return format!("drain blocked: {pods}{}", trouble.error);
    }
    if !node.message.is_empty() {
        return node.message.lines().collect::<Vec<_>>().join("; ");
    }
    let foreign = node.cordon.as_ref().filter(|cordon| !cordon.by_mco);
    if let Some(cordon) = foreign {
        let by = cordon.manager.as_ref().map(|who| format!(" by {who}")).unwrap_or_default();
        return format!("cordoned{by}");
    }
    let place = match (node.phase, node.next) {
        // Of several masters the one that runs the operator's own pod comes last (`DeferringOperatorNodeUpdate` in the
        // machine-config controller): which of the first two is next is not certain.
        (NodePhase::Waiting, Some(1 | 2)) if node.pool.as_deref() == Some("master") => "among the next".into(),
        (NodePhase::Waiting, Some(1)) => "next".into(),
        (NodePhase::Waiting, Some(place)) => format!("no. {place} in the queue"),
        _ => String::new(),
    };
    match held_up(node) {
        Some(forecast) => {
            let gap = if place.is_empty() { "" } else { "; " };
            format!("{place}{gap}its drain would wait for {}", several(&forecast.blockers))
        }
        None => place,
    }
}

/// The forecast of a node whose drain would be held up.
pub fn held_up(node: &Node) -> Option<&Forecast> {
    node.forecast.as_deref().filter(|forecast| !forecast.blockers.is_empty() && !node.phase.moving())
}

/// The state of the kubelet and of scheduling, in letters as `oc get nodes` has them.
fn status(node: &Node) -> (Tone, &'static str) {
    match (node.ready, node.cordon.is_some()) {
        (true, false) => (Tone::Dim, "Ready"),
        (true, true) => (Tone::Warning, "Ready,Cordoned"),
        (false, false) => (Tone::Danger, "NotReady"),
        (false, true) => (Tone::Danger, "NotReady,Cordoned"),
    }
}

/// Meaning of a node's phase.
pub fn tone(node: &Node) -> Tone {
    if stuck(node) { Tone::Danger } else { node.phase.into() }
}

impl Sheet for NodeSheet {
    type Row = Node;
    const NAME: &'static str = "nodes";
    const STATE: usize = 2;
    const AGE: usize = 3;
    const COLUMNS: &'static [Column] = &[
        Column { title: "NODE", width: Width::Name(8, 44), extra: 0 },
        Column { title: "POOL", width: Width::Fixed(8), extra: 0 },
        Column { title: "PHASE", width: Width::Fixed(19), extra: 0 },
        Column { title: "AGE", width: Width::Fixed(6), extra: 0 },
        Column { title: "STATUS", width: Width::Fixed(17), extra: 1 },
        Column { title: "ZONE", width: Width::Fixed(13), extra: 4 },
        Column { title: "VERSION", width: Width::Fixed(9), extra: 3 },
        Column { title: "KUBELET", width: Width::Fixed(9), extra: 5 },
        Column { title: "MESSAGE", width: Width::Rest(30), extra: 2 },
        Column { title: "ROLES", width: Width::Fixed(16), extra: 6 },
        Column { title: "CURRENT", width: Width::Fixed(30), extra: 20 },
        Column { title: "DESIRED", width: Width::Fixed(30), extra: 21 },
    ];

    fn rows(assessment: &Assessment) -> &[Node] {
        &assessment.nodes
    }

    fn id(row: &Node) -> Cow<'_, str> {
        Cow::Borrowed(&row.name)
    }

    fn cell<'a>(row: &'a Node, column: usize, ctx: &Ctx<'_>) -> Cell<'a> {
        fn or<'a>(text: Option<&'a String>, none: &'a str) -> Cell<'a> {
            Cell::new(Tone::Dim, text.map_or(none, String::as_str))
        }
        match column {
            0 => Cell::new(if stuck(row) { Tone::Danger } else { Tone::Text }, &row.name),
            1 => or(row.pool.as_ref(), "-"),
            2 => {
                let signs = ctx.theme.symbols();
                let mark = if held_up(row).is_some() { format!(" {}", signs.warn) } else { String::new() };
                Cell::new(tone(row), format!("{} {}{mark}", strip(row, signs), row.phase.word()))
            }
            3 => Cell::new(Tone::Dim, words::since(row.since, ctx.now, row.since_rebuilt)),
            4 => {
                let (tone, text) = status(row);
                Cell::new(tone, text)
            }
            5 => {
                Cell::new(Tone::Dim, words::tail(row.zone.as_deref().unwrap_or("-"), 13, ctx.theme.symbols().ellipsis))
            }
            6 => or(row.version.as_ref(), "?"),
            7 => or(row.kubelet.as_ref(), "?"),
            8 if stuck(row) => Cell::new(Tone::Danger, says(row)),
            8 if held_up(row).is_some() => {
                Cell::new(Tone::Warning, format!("{} {}", ctx.theme.symbols().warn, says(row)))
            }
            8 => Cell::new(Tone::Dim, says(row)),
            9 => Cell::new(Tone::Dim, row.roles.join(",")),
            10 => or(row.current_config.as_ref(), "-"),
            _ => or(row.desired_config.as_ref(), "-"),
        }
    }

    fn by_column(a: &Node, b: &Node, column: usize) -> Ordering {
        match column {
            0 => words::natural(&a.name, &b.name),
            1 => a.pool.cmp(&b.pool),
            2 => a.phase.cmp(&b.phase),
            3 => a.since.cmp(&b.since).reverse(),
            4 => (a.ready, a.cordon.is_none()).cmp(&(b.ready, b.cordon.is_none())),
            5 => a.zone.cmp(&b.zone),
            6 => a.version.cmp(&b.version),
            7 => a.kubelet.cmp(&b.kubelet),
            8 => says(a).cmp(&says(b)),
            9 => a.roles.cmp(&b.roles),
            10 => a.current_config.cmp(&b.current_config),
            _ => a.desired_config.cmp(&b.desired_config),
        }
    }

    fn natural(a: &Node, b: &Node) -> Ordering {
        rank(a).cmp(&rank(b)).then_with(|| words::natural(&a.name, &b.name))
    }

    fn field(row: &Node, key: &str) -> Option<String> {
        match key {
            "name" => Some(row.name.clone()),
            "phase" | "state" => Some(row.phase.word().into()),
            "role" | "roles" => Some(row.roles.join(",")),
            "ready" => Some(row.ready.to_string()),
            "cordoned" => Some(row.cordon.is_some().to_string()),
            "stuck" => Some(stuck(row).to_string()),
            "forecast" => Some(if held_up(row).is_some() { "held" } else { "free" }.into()),
            _ => label(row, key),
        }
    }
}

/// What `-l` finds by the labels that kubectl would be asked for: role and zone.
pub fn label(node: &Node, key: &str) -> Option<String> {
    match key.strip_prefix("node-role.kubernetes.io/") {
        Some(role) => node.roles.iter().any(|own| own.eq_ignore_ascii_case(role)).then(|| "true".to_owned()),
        None if key == "topology.kubernetes.io/zone" => node.zone.clone(),
        None => None,
    }
}

/// Where the phases come from, when not from MachineConfigNodes; at length and in short.
pub fn source_words(ctx: &Ctx<'_>) -> [&'static str; 2] {
    match ctx.assessment.facts.status(Kind::MachineConfigNodes) {
        KindStatus::Absent => ["phases from annotations (no MachineConfigNodes here)", "phases from annotations"],
        KindStatus::Forbidden(_) => {
            ["phases from annotations (MachineConfigNodes may not be read)", "phases from annotations"]
        }
        _ => [""; 2],
    }
}

/// The table.
pub fn draw(buffer: &mut Buffer, area: Rect, ctx: &Ctx<'_>, table: &mut Table<NodeSheet>, focused: bool) {
    let area = freshness::footnotes(buffer, area, ctx, &[Kind::Nodes]);
    table.draw(buffer, area, ctx, focused, true);
    let (shown, all) = table.counts(ctx.assessment);
    if shown == 0 && area.height > 1 {
        let text = freshness::nothing(ctx, Kind::Nodes, all > 0);
        write(buffer, (area.x + 1, area.y + 1), area.width.saturating_sub(1), ctx.theme, Tone::Dim, &text);
    }
}
