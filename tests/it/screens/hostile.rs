//! Nothing that a server says, and no size and no key, breaks the screen.

use std::sync::Arc;

use oc_cockpit::actions::{ActionId, Ask, Target};
use oc_cockpit::input::Key;
use oc_cockpit::ui::{Depth, LogNews, LogStream, Theme};
use oc_cockpit::upgrade::assessment::{Level, NodePhase, OperatorState, Remedy, Resource, Subject, VerdictKind};
use oc_cockpit::upgrade::facts::{Kind, KindState, KindStatus};
use oc_cockpit::upgrade::link::{LinkState, Trouble, TroubleKind};
use proptest::prelude::*;
use serde_json::json;

use super::rich::{blocker, rich};
use super::sample::{self, World};
use super::{Stage, dump};

/// What somebody could write into an object.
const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}retsam\u{200b}\r\nnext\tline";

/// Wide characters.
const WIDE: &str = "節點尚未就緒";

fn poisoned() -> World {
    let mut world = sample::rolling();
    let a = &mut world.assessment;
    for node in Arc::make_mut(&mut a.nodes) {
        node.message = EVIL.into();
        node.zone = Some(EVIL.into());
        if let Some(trouble) = &mut node.drain_trouble {
            trouble.error = EVIL.into();
            let mut blocker = blocker(EVIL, EVIL, false);
            (blocker.namespace, blocker.owner) = (EVIL.into(), Some(EVIL.into()));
            node.blockers = vec![blocker];
            trouble.pods = vec![EVIL.into()];
        }
    }
    for row in &mut a.operators.rows {
        row.message = EVIL.into();
        row.sync_error = Some(EVIL.into());
        row.version = Some(EVIL.into());
    }
    for finding in &mut a.findings {
        finding.title = EVIL.into();
        finding.meaning = EVIL.into();
        finding.evidence[0].value = EVIL.into();
        finding.remedies = vec![Remedy::look(EVIL).oc(EVIL)];
        finding.resources = vec![Resource::pod(EVIL, EVIL), Resource::pod(EVIL, EVIL)];
        finding.link = Some(EVIL.into());
    }
    let mut timeline = (*a.timeline).clone();
    timeline.entries.iter_mut().for_each(|entry| entry.text = EVIL.into());
    a.timeline = Arc::new(timeline);
    a.estimates = rich().assessment.estimates;
    let whole = a.estimates.whole.as_mut().unwrap();
    (whole.working, whole.left_out) = (EVIL.into(), vec![EVIL.into()]);
    whole.inputs[0].value = EVIL.into();
    a.update.to = Some(EVIL.into());
    a.update.channel = Some(EVIL.into());
    a.verdict.why = EVIL.into();
    a.pools[2].paused_by = Some((EVIL.into(), None));
    world.connection.user = EVIL.into();
    world.session.read_only = None;
    world
}

#[test]
fn escape_sequences_and_reordering_never_reach_a_cell() {
    let places =
        ["1", "2", "3 right right", "4", "5", "6", "4 d", "4 y", "x", "?", "@", ": c v enter", "5 enter", "e", "4 l"];
    for keys in places {
        let mut stage = Stage::new(poisoned(), 120, 40);
        stage.keys(keys);
        for subject in [Subject::Node("worker-3".into()), Subject::Version] {
            stage.view.show_object(
                &subject,
                Ok(json!({"metadata": {"name": EVIL, "labels": {EVIL: EVIL}}, "spec": {"x": EVIL}})),
            );
        }
        if let Some((ticket, _)) = stage.view.log_wanted() {
            let stream = LogStream { pod: EVIL.into(), namespace: EVIL.into(), ..LogStream::default() };
            let line = LogNews::Line { at: None, text: EVIL.into() };
            let news = vec![LogNews::Reading { streams: vec![stream], chosen: 0 }, line, LogNews::Told(EVIL.into())];
            stage.view.show_log(ticket, news);
            stage.screen();
        }
        let shown = stage.screen();
        assert!(!shown.chars().any(|c| c == '\u{1b}' || c == '\u{202e}'), "{keys}: {shown}");
        stage.view.show_refusal(&Ask::new(ActionId::PausePool, Target::pool("x")), EVIL);
        stage.screen();
        for cell in stage.buffer().content() {
            let bad = cell.symbol().chars().find(|c| c.is_control() || "\u{200b}\u{202e}".contains(*c));
            assert_eq!(bad, None, "{keys}: {:?}", cell.symbol());
        }
        stage.lacks("\u{1b}");
    }
}

#[test]
fn wide_characters_align() {
    let mut world = sample::rolling();
    for row in &mut world.assessment.operators.rows {
        row.message = WIDE.into();
    }
    let mut stage = Stage::new(world, 120, 40);
    let screen = stage.keys("2").screen();
    for line in screen.lines().filter(|line| line.starts_with('│')) {
        assert_eq!(unicode_width::UnicodeWidthStr::width(line), 120, "{line}");
    }
    assert!(screen.contains(WIDE), "{screen}");
}

fn link() -> impl Strategy<Value = LinkState> {
    let at = sample::ago(77);
    prop_oneof![
        Just(LinkState::Live),
        Just(LinkState::Recording),
        Just(LinkState::Connecting { since: at }),
        Just(LinkState::Stale { since: at }),
        any::<u32>().prop_map(move |attempts| LinkState::Reconnecting { since: at, attempts }),
        Just(LinkState::Verifying { since: at }),
    ]
}

fn phase() -> impl Strategy<Value = NodePhase> {
    prop::sample::select(vec![
        NodePhase::Degraded,
        NodePhase::Draining,
        NodePhase::Cordoned,
        NodePhase::Preparing,
        NodePhase::Applying,
        NodePhase::Rebooting,
        NodePhase::Back,
        NodePhase::Uncordoning,
        NodePhase::Waiting,
        NodePhase::Paused,
        NodePhase::Done,
        NodePhase::Unmanaged,
    ])
}

fn verdict() -> impl Strategy<Value = VerdictKind> {
    prop::sample::select(vec![
        VerdictKind::Unknown,
        VerdictKind::NotUpdating,
        VerdictKind::Requested,
        VerdictKind::UpdatingControlPlane,
        VerdictKind::NeedsPerson,
        VerdictKind::Slow,
        VerdictKind::Failing,
        VerdictKind::Completed,
    ])
}

prop_compose! {
    /// A world that makes no sense: names, counts and states at random.
    fn world()(
        nodes in prop::collection::vec(("[a-zé節\\-0-9]{0,60}", phase(), prop::option::of("[a-z節]{0,30}"), any::<i32>()), 0..60),
        texts in prop::collection::vec("\\PC{0,90}", 6),
        kind in verdict(),
        progress in prop::option::of(any::<u8>()),
        counts in prop::collection::vec(0_usize..9_000, 6),
        link in link(),
        state in 0..5_usize,
    ) -> World {
        let mut world = sample::rolling();
        let a = &mut world.assessment;
        a.nodes = nodes.into_iter().map(|(name, phase, zone, age)| {
            let mut node = sample::node(&name, ["master", "worker", "gone"][age.unsigned_abs() as usize % 3], "a", phase, i64::from(age));
            node.zone = zone;
            node.message.clone_from(&texts[0]);
            node
        }).collect::<Vec<_>>().into();
        Arc::make_mut(&mut a.nodes).sort_by(|x, y| x.name.cmp(&y.name));
        Arc::make_mut(&mut a.nodes).dedup_by(|x, y| x.name == y.name);
        for pool in &mut a.pools {
            (pool.total, pool.updated, pool.moving, pool.draining) = (counts[0], counts[1], counts[2], counts[3]);
            pool.capacity.why_none.clone_from(&texts[1]);
        }
        a.verdict.kind = kind;
        a.verdict.why.clone_from(&texts[2]);
        a.progress = progress;
        a.findings[0].title.clone_from(&texts[3]);
        a.findings[0].level = Level::Critical;
        a.operators.rows[0].message.clone_from(&texts[4]);
        a.operators.rows[0].state = OperatorState::Unavailable;
        a.operators.rows[0].level = None;
        let trouble = Trouble { kind: TroubleKind::Other, words: texts[5].clone(), hint: texts[0].clone(), since: sample::ago(9) };
        let status = [
            KindStatus::Waiting, KindStatus::Live, KindStatus::Absent,
            KindStatus::Failing(trouble.clone()), KindStatus::Forbidden(trouble.clone()),
        ][state].clone();
        let mut facts = sample::live_facts();
        facts.link.state = link;
        facts.link.trouble = Some(trouble);
        facts.kinds.insert(Kind::Nodes, KindState { status, heard: None, unreadable: vec![(texts[1].clone(), texts[2].clone())] });
        a.facts = Arc::new(facts);
        world
    }
}

fn key() -> impl Strategy<Value = Key> {
    let named = prop::sample::select(vec![
        "j",
        "k",
        "h",
        "l",
        "g",
        "G",
        "ctrl-d",
        "ctrl-u",
        "ctrl-f",
        "ctrl-b",
        "tab",
        "shift-tab",
        "enter",
        "esc",
        "q",
        "/",
        ":",
        "?",
        "@",
        "x",
        "d",
        "y",
        "n",
        "N",
        "A",
        "S",
        "O",
        "space",
        "v",
        "ctrl-w",
        "ctrl-e",
        "shift-right",
        "shift-left",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "-",
        "U",
        "p",
        "c",
        "u",
        "Y",
        "ctrl-s",
        "w",
        "f",
        "m",
        "up",
        "down",
        "left",
        "right",
        "backspace",
        "!",
        "(",
        "a",
        "節",
        "ctrl-r",
        "e",
        "L",
        "s",
        "t",
        "home",
        "end",
        "+",
        "=",
    ]);
    named.prop_map(|name| name.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn no_world_no_size_and_no_key_makes_it_panic(
        first in world(),
        second in world(),
        keys in prop::collection::vec(key(), 0..40),
        width in 0_u16..220,
        height in 0_u16..70,
        ascii in any::<bool>(),
    ) {
        let mut first = first;
        first.theme = Theme::built_in("dark", Depth::Ansi256, ascii).unwrap();
        let mut stage = Stage::new(first, width.max(1), height.max(1));
        for (at, key) in keys.iter().enumerate() {
            stage.requests = stage.view.key(*key, &stage.world.ctx());
            if at == 20 {
                let assessment = second.assessment.clone();
                stage.changes(|world| world.assessment = assessment);
            }
            stage.screen();
        }
        let screen = dump(stage.buffer());
        prop_assert_eq!(screen.lines().count(), usize::from(height.max(1)));
    }
}
