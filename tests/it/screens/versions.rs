//! The versions on offer as a text that can be chosen from, readiness row by row, and plans with more to answer than fits.

use std::sync::Arc;

use insta::assert_snapshot;
use oc_cockpit::actions::{
    self, ActionId, Ask, Confirm, Danger, Effect, Found, Material, Plan, Question, Read, Target, WantedUpdate,
};
use oc_cockpit::ui::{Rehearsed, Request};
use oc_cockpit::upgrade::assemble;
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::link::{Link, LinkState};
use oc_cockpit::upgrade::memory::Memory;
use serde_json::{Value, json};

use super::Stage;
use super::sample::{World, ago, now};

const URL: &str =
    "https://access.redhat.com/solutions/7008678-with-a-path-that-is-longer-than-a-line-of-a-small-terminal";

fn risk(name: &str) -> Value {
    json!({"name": name, "message": format!("{name} may keep nodes from coming back after their reboot."), "url": URL,
           "matchingRules": [{"type": "Always"}]})
}

fn release(version: &str) -> Value {
    json!({"version": version, "image": format!("quay.io/openshift-release-dev/ocp-release@sha256:{version:0>64}"),
           "channels": ["stable-4.18", "fast-4.18"], "url": format!("https://access.redhat.com/errata/{version}")})
}

fn condition(kind: &str, status: &str, reason: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": "", "lastTransitionTime": "2026-03-07T01:00:00Z"})
}

/// A cluster at rest: two versions that are recommended, and one with so many risks.
pub fn world(risks: usize) -> World {
    let names: Vec<String> = (1..=risks).map(|n| format!("RiskWithALongNameThatSaysWhatItIsAbout{n:02}")).collect();
    let conditional = json!({
        "release": release("4.18.24"), "risks": names.iter().map(|name| risk(name)).collect::<Vec<_>>(),
        "conditions": [condition("Recommended", "False", "MultipleReasons")],
    });
    resting(&at_rest("stable-4.18", &["4.18.25", "4.18.23"], &conditional))
}

/// A ClusterVersion at rest, with these versions on offer.
fn at_rest(channel: &str, available: &[&str], conditional: &Value) -> Value {
    json!({"apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion",
        "metadata": {"name": "version", "uid": "v1", "resourceVersion": "7", "generation": 1},
        "spec": {"clusterID": "0c1d", "channel": channel},
        "status": {"observedGeneration": 1, "desired": release("4.18.22"),
            "history": [{"state": "Completed", "version": "4.18.22", "startedTime": "2026-03-01T01:00:00Z",
                         "completionTime": "2026-03-01T02:00:00Z", "image": release("4.18.22")["image"]}],
            "availableUpdates": available.iter().map(|version| release(version)).collect::<Vec<_>>(),
            "conditionalUpdates": [conditional],
            "conditions": [condition("Available", "True", ""), condition("Failing", "False", ""),
                           condition("Progressing", "False", ""), condition("RetrievedUpdates", "True", "")]}})
}

/// The cluster of that ClusterVersion, live.
fn resting(version: &Value) -> World {
    let mut facts = assemble::from_values([version], now());
    facts.link = Link { state: LinkState::Live, heard: Some(ago(0)), ..Link::recording() };
    World::of(assess(Arc::new(facts), &Memory::default(), now()))
}

pub fn updates(risks: usize, width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(world(risks), width, height);
    stage.keys(":").types("updates").keys("enter");
    stage
}

pub fn asked(version: &str) -> [Request; 1] {
    [Request::Plan(Ask::new(ActionId::StartUpdate, Target::Version(version.into())))]
}

#[test]
fn updates_and_preflight_at_two_sizes() {
    for (size, width, height) in [("80x24", 80, 24), ("160x45", 160, 45)] {
        assert_snapshot!(format!("updates_{size}"), updates(3, width, height).screen());
        let mut stage = Stage::new(world(3), width, height);
        stage.keys(":").types("preflight 4.18.24").keys("enter");
        assert_snapshot!(format!("preflight_{size}"), stage.screen());
    }
}

#[test]
fn enter_on_a_version_asks_for_the_plan_of_its_update() {
    let mut stage = updates(2, 120, 40);
    stage.shows("▌ ✔ 4.18.25");
    stage.shows("enter update");
    stage.keys("enter");
    assert_eq!(stage.requests, asked("4.18.25"));
    stage.keys("j enter");
    assert_eq!(stage.requests, asked("4.18.24"), "one that has risks is planned too: its plan asks for them");
    stage.keys("j U");
    assert_eq!(stage.requests, asked("4.18.23"), "by the key that starts an update everywhere");
    stage.keys("g enter");
    assert_eq!(stage.requests, asked("4.18.25"));
}

#[test]
fn what_cannot_be_asked_for_says_why_and_leads_back_to_the_versions() {
    let mut stage = updates(2, 80, 24);
    let ask = Ask::new(ActionId::StartUpdate, Target::Version("4.18.25".into()));
    stage.view.show_refusal(&ask, "an update is in progress");
    stage.shows("an update is in progress");
    stage.keys("esc").shows("[updates]");
}

#[test]
fn without_writes_the_versions_are_only_read() {
    let mut world = world(2);
    world.session.read_only = Some("started with --read-only".into());
    let mut stage = Stage::new(world, 120, 40);
    stage.keys(":").types("updates").keys("enter").lacks("enter update");
    stage.keys("enter");
    assert!(
        matches!(stage.requests.as_slice(), [Request::Say(why)] if why.contains("--read-only")),
        "{:?}",
        stage.requests
    );
}

#[test]
fn the_choice_goes_through_a_version_that_is_longer_than_the_screen() {
    let mut stage = updates(14, 80, 24);
    stage.keys("j").shows("▌ ! 4.18.24");
    let mut steps = 0;
    while stage.view.key("enter".parse().unwrap(), &stage.world.ctx()) == asked("4.18.24") {
        stage.keys("j");
        steps += 1;
        assert!(steps < 200, "the last version is never reached");
    }
    assert!(steps > 14, "its risks were gone through line by line: {steps}");
    stage.shows("▌ ✔ 4.18.23");
    stage.keys("k");
    stage.shows("RiskWithALongNameThatSaysWhatItIsAbout14");
    stage.keys("enter");
    assert_eq!(stage.requests, asked("4.18.24"));
    stage.keys("G enter");
    assert_eq!(stage.requests, asked("4.18.23"));
}

#[test]
fn a_filter_hides_versions_and_what_is_chosen_is_always_seen() {
    let mut stage = updates(2, 120, 40);
    stage.keys("/").types("4.18.23").keys("enter").lacks("4.18.24 ");
    stage.keys("enter");
    assert_eq!(stage.requests, asked("4.18.23"));
}

/// The plan of the version with risks, as the screen gets it.
fn risky(world: &World) -> Plan {
    let ask = Ask::new(ActionId::StartUpdate, Target::Version("4.18.24".into()));
    let draft = actions::plan(&world.assessment, &world.session, &ask, &Material::default()).unwrap();
    let none = |read: &Read| if matches!(read, Read::List(_)) { Found::List(None) } else { Found::Object(None) };
    let answers = draft.reads.iter().map(|read| (read.clone(), Ok(none(read)))).collect();
    let material = Material { answers, ..Material::default() };
    actions::plan(&world.assessment, &world.session, &ask, &material).unwrap()
}

#[test]
fn a_plan_with_fourteen_risks_loses_no_field_and_is_confirmed_where_it_began() {
    for (size, width, height) in [("80x24", 80, 24), ("160x45", 160, 45)] {
        let mut stage = Stage::new(world(14), width, height);
        let plan = risky(&stage.world);
        let asks = plan.questions.len();
        assert!(asks >= 14, "{asks} questions");
        let ask = plan.ask();
        stage.view.show_plan(plan.clone());
        for write in 0..plan.writes.len() {
            stage.view.show_rehearsal(&ask, Rehearsed::DryRun { write, result: Ok("200".into()) });
        }
        assert_snapshot!(format!("plan_risks_{size}"), stage.screen());
        for question in &plan.questions {
            // Whatever was scrolled away is back, and what confirms and how dangerous it is stays in view.
            let words: String = question.words.chars().take(width as usize - 10).collect();
            stage.shows(&words);
            stage.shows("danger H");
            stage.shows("type 4.18.24 to confirm");
            let answer = question.exactly.clone().unwrap_or_else(|| "s3://backups/etcd".into());
            stage.types(&answer).shows(&format!("> {answer}"));
            stage.keys("tab");
        }
        assert_snapshot!(format!("plan_risks_answered_{size}"), stage.screen());
        stage.types("4.18.24").keys("tab tab enter");
        let [Request::Confirm { answers, .. }] = stage.requests.as_slice() else { panic!("{:?}", stage.requests) };
        assert_eq!(answers.len(), asks);
    }
}

#[test]
fn the_consequences_are_read_whatever_has_the_focus() {
    let mut stage = Stage::new(world(14), 80, 24);
    let plan = risky(&stage.world);
    let last = plan.consequences.iter().rfind(|line| line.starts_with("risk ")).unwrap().clone();
    stage.view.show_plan(plan);
    let head: String = last.chars().take(50).collect();
    stage.lacks(&head);
    for _ in 0..60 {
        if stage.screen().contains(&head) {
            break;
        }
        stage.keys("pgdn");
    }
    stage.shows(&head);
    stage.shows("danger H");
}

#[test]
fn a_long_text_that_is_typed_is_seen_at_its_end() {
    let mut stage = Stage::new(world(1), 80, 24);
    let plan = Plan {
        questions: vec![Question::open("etcd-backup", "Where is the etcd backup?")],
        ..Plan {
            title: "Start update to 4.18.24".into(),
            danger: Danger::H,
            confirm: Confirm::Type("n".repeat(120)),
            effect: Effect::UpdateRequested(WantedUpdate::default()),
            ..risky(&stage.world)
        }
    };
    stage.view.show_plan(plan);
    stage.types(&format!("{}-the-end", "x".repeat(120))).shows("x-the-end");
    stage.shows(&"n".repeat(60));
}

#[test]
fn what_is_marked_is_named_in_title_and_plan() {
    let mut stage = Stage::new(super::sample::rolling(), 80, 24);
    stage.keys("4 space j space j space");
    stage.shows("3 marked: ");
    let names: Vec<String> = (0..16).map(|n| format!("worker-with-a-long-name-{n}")).collect();
    let target = Target::Nodes(names);
    let world = world(1);
    let plan = Plan {
        action: ActionId::CordonNodes,
        target,
        title: "Cordon 16 nodes".into(),
        confirm: Confirm::Button,
        questions: Vec::new(),
        ..risky(&world)
    };
    stage.view.show_plan(plan);
    stage.shows("16 nodes: worker-with-a-long-name-0, worker-with-a-long-name-1 +14");
    stage.shows("All 16 nodes");
    stage.keys("G").shows("16 nodes: worker-with-a-long-name-0");
    assert_snapshot!("plan_marks_80x24", stage.keys("g").screen());
}

/// The cluster at rest, with a minor on offer that is held up by an operator.
fn held_up() -> World {
    let conditional = json!({
        "release": release("4.18.24"), "risks": [risk("SomeRisk")],
        "conditions": [condition("Recommended", "False", "SomeRisk")],
    });
    let mut version = at_rest("stable-4.19", &["4.19.3", "4.18.23"], &conditional);
    let upgradeable = json!({"type": "Upgradeable", "status": "False", "reason": "AdminAckRequired",
        "message": "Somebody has to say that it is fine.", "lastTransitionTime": "2026-03-07T01:00:00Z"});
    version["status"]["conditions"].as_array_mut().unwrap().push(upgradeable);
    resting(&version)
}

#[test]
fn the_newest_version_that_may_be_started_is_selected_and_refused_ones_say_why() {
    for (size, width, height) in [("80x24", 80, 24), ("160x45", 160, 45)] {
        let mut stage = Stage::new(held_up(), width, height);
        stage.keys("U").shows("no: ");
        assert_snapshot!(format!("versions_held_up_{size}"), stage.screen());
        stage.keys("enter");
        assert_eq!(stage.requests, asked("4.18.23"), "not the highest, which is refused, nor one with risks");
        let mut stage = Stage::new(held_up(), width, height);
        stage.keys(":").types("updates").keys("enter enter");
        if height < 40 {
            assert_eq!(stage.requests, [Request::Say("4.18.23 is chosen".into())], "it stands below the fold");
            stage.shows("▌ ✔ 4.18.23");
            stage.keys("enter");
        }
        assert_eq!(stage.requests, asked("4.18.23"));
        stage.shows("cannot be started: ");
    }
}
