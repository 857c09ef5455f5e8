//! What the assessment of a whole upgrade says on the screen: findings, blockers, limits, estimates, logs.

use chrono::TimeDelta;
use insta::assert_snapshot;
use oc_cockpit::actions::{ActionId, Ask, Target};
use oc_cockpit::input::Tab;
use oc_cockpit::ui::{Depth, LogNews, LogStream, Request, Theme};
use oc_cockpit::upgrade::assessment::{Resource, Subject};
use oc_cockpit::upgrade::estimate::Spread;
use oc_cockpit::upgrade::link::LinkState;
use oc_cockpit::upgrade::needs::Purpose;
use serde_json::json;

use super::Stage;
use super::rich::rich;
use super::sample;

fn stage() -> Stage {
    Stage::new(rich(), 120, 40)
}

fn at(keys: &str, width: u16, height: u16) -> String {
    let mut stage = Stage::new(rich(), width, height);
    if !keys.is_empty() {
        stage.keys(keys);
    }
    stage.screen()
}

#[test]
fn the_overview_says_why_how_long_and_what_comes_next() {
    for (width, height) in [(80, 24), (120, 40), (160, 45), (200, 60)] {
        assert_snapshot!(format!("rich_overview_{width}x{height}"), at("", width, height));
    }
    let mut stage = stage();
    stage.shows("38-55m left + blocked");
    stage.shows("slow in 30m");
    stage.shows("Failing in 3m10s");
    stage.shows("✖ PDB shop/cart allows 0");
    stage.shows("worker-5 !, then worker-6");
}

#[test]
fn each_tab_tells_the_whole() {
    for (digit, name) in [(2, "operators"), (3, "pools"), (4, "nodes"), (5, "findings")] {
        let key = digit.to_string();
        assert_snapshot!(format!("rich_{name}_80x24"), at(&key, 80, 24));
        assert_snapshot!(format!("rich_{name}_160x45"), at(&key, 160, 45));
    }
}

#[test]
fn blockers_are_branches_below_their_node() {
    let mut stage = stage();
    stage.keys("3").shows("pod shop/cart-0: PDB shop/cart allows 0 of 1");
    stage.shows("owner: deployment/cart");
    stage.shows("frees it: L scale deployment/cart up");
    stage.shows("maxUnavailable 10% = 1, less 2 unavailable, less 1 failing: 0 free");
    stage.shows("worker-6 counts twice");
    stage.lacks("owner: deployment/till");
    // From the pool down: capacity, worker-3, its first blocker with five lines, its second.
    stage.keys("j j j j j j j j j j j").shows("▌");
    stage.keys("/").types("worker-5").keys("enter g j j right").shows("would evict 14 pods");
    stage.shows("nothing brings back: shop/debug");
    stage.shows("PDB shop/stock can never allow a disruption");
}

#[test]
fn a_limit_that_was_passed_is_told_as_such_and_time_alone_counts_it_down() {
    let mut stage = stage();
    stage.keys("2").shows("slow for 3m00s");
    stage.world.now += TimeDelta::seconds(60);
    stage.shows("Failing in 2m10s");
    stage.shows("slow for 4m00s");
    stage.world.now += TimeDelta::seconds(140);
    stage.shows("Failing for 10s");
}

#[test]
fn a_count_of_manifests_that_began_anew_is_told_as_such() {
    let mut stage = stage();
    stage.keys("2").shows("run 2 through them, 780 were reached before");
    stage.shows("sync error: pool worker has");
}

#[test]
fn a_finding_opens_with_its_evidence_and_remedies() {
    assert_snapshot!("finding_80x24", at("5 enter", 80, 24));
    assert_snapshot!("finding_120x40", at("5 enter", 120, 40));
    let mut world = rich();
    world.theme = Theme::built_in("dark", Depth::None, true).unwrap();
    let mut stage = Stage::new(world, 120, 40);
    stage.keys("5 enter");
    assert_snapshot!("finding_ascii_120x40", stage.screen());
}

#[test]
fn a_remedy_is_chosen_copied_and_done() {
    let mut stage = stage();
    stage.keys("5 enter Y");
    assert_eq!(stage.requests, [Request::Copy("oc scale deployment/cart -n shop --replicas=2".into())]);
    stage.keys("x");
    assert!(matches!(stage.requests.as_slice(), [Request::Say(why)] if why.contains("no action of this program")));
    stage.keys("tab").shows("p on pool worker does it");
    stage.keys("x");
    let plan = Request::Plan(Ask::new(ActionId::PausePool, Target::pool("worker")));
    assert_eq!(stage.requests, [plan]);
    stage.keys("shift-tab shift-tab Y");
    assert_eq!(stage.requests, [Request::Copy("oc describe pdb cart -n shop".into())]);
}

#[test]
fn no_key_of_a_remedy_is_named_while_writes_are_off() {
    let mut stage = stage();
    stage.world.session.read_only = Some("--read-only".into());
    stage.keys("5 enter tab").lacks("does it");
    stage.keys("x");
    assert!(matches!(stage.requests.as_slice(), [Request::Say(why)] if why.contains("writes are off")));
}

#[test]
fn from_a_finding_to_what_it_is_about() {
    let mut stage = stage();
    stage.keys("5 enter enter");
    assert_eq!(stage.view.tab(), Tab::Pools);
    assert_eq!(stage.view.subject(&stage.world.ctx()), Some(Subject::Node("worker-3".into())));
    stage.keys("- j j enter enter").shows("describe poddisruptionbudgets.policy shop/till");
    let till = Subject::Object(Resource::budget("shop", "till"));
    assert_eq!(stage.requests, [Request::Fetch(till.clone())]);
    stage.view.show_object(&till, Ok(json!({"metadata": {"name": "till"}, "spec": {"maxUnavailable": 0}})));
    stage.shows("maxUnavailable");
    stage.keys("esc").shows("[warning: budget-impossible]");
    stage.keys("esc").lacks("[warning: budget-impossible]");
}

#[test]
fn consequences_stand_below_their_cause_and_name_it() {
    let mut stage = stage();
    stage.keys("5").shows("  ! pool worker does not go on");
    stage.keys("j enter").shows("Because of ✖ worker-3 drain blocked");
    stage.keys("esc k enter").shows("Because of it");
}

#[test]
fn a_finding_that_is_over_says_so() {
    let mut stage = stage();
    stage.keys("5 enter").lacks("It is over");
    stage.changes(|world| drop(world.assessment.findings.remove(0)));
    stage.shows("It is over: this is how it was last seen.");
    stage.keys("tab x");
    assert!(matches!(stage.requests.as_slice(), [Request::Say(_)]), "what is over is not put right");
}

#[test]
fn phases_say_what_they_wait_for_and_the_next_step() {
    assert_snapshot!("phases_80x24", at("P", 80, 24));
    assert_snapshot!("phases_120x40", at("P", 120, 40));
}

#[test]
fn estimates_show_their_working() {
    assert_snapshot!("estimates_80x24", at("e", 80, 24));
    assert_snapshot!("estimates_120x40", at("e", 120, 40));
    let mut stage = stage();
    stage.keys("3 g j e");
    stage.keys("esc :").types("estimate worker").keys("enter").shows("how long: pool worker");
    stage.shows("12-21m left");
    stage.shows("not counted: worker-3: its drain is blocked");
    stage.lacks("38-55m left, median");
    let mut stage = Stage::new(sample::rolling(), 80, 24);
    stage.keys("e").shows("There is no estimate");
    let mut world = rich();
    let whole = world.assessment.estimates.whole.as_mut().unwrap();
    whole.remaining = Spread { p10: TimeDelta::zero(), p50: TimeDelta::zero(), p90: TimeDelta::zero() };
    let mut stage = Stage::new(world, 120, 40);
    stage.shows("1h12m, at rest, blocked");
    stage.keys("e").shows("at rest: nothing of what is left goes on by itself");
}

#[test]
fn looking_at_preflight_or_updates_asks_for_what_they_need() {
    let mut stage = stage();
    assert_eq!(stage.view.wanted().purpose, Purpose::Watch);
    stage.keys(":").types("preflight 4.19.3").keys("enter").shows("preflight for 4.19.3");
    assert_eq!(stage.view.wanted().purpose, Purpose::Preflight);
    stage.keys("?");
    assert_eq!(stage.view.wanted().purpose, Purpose::Preflight, "it is still open below help");
    stage.keys("esc :").types("updates").keys("enter").shows("[updates]");
    assert_eq!(stage.view.wanted().purpose, Purpose::Updates);
    stage.keys("esc");
    assert_eq!(stage.view.wanted().purpose, Purpose::Watch);
    stage.keys("U d").shows("[updates]");
}

fn stream(pod: &str, restarts: i64) -> LogStream {
    LogStream {
        namespace: "openshift-machine-config-operator".into(),
        pod: pod.into(),
        container: "machine-config-daemon".into(),
        node: "worker-3".into(),
        phase: "Running".into(),
        restarts,
    }
}

fn line(seconds: i64, text: &str) -> LogNews {
    LogNews::Line { at: Some(sample::ago(seconds)), text: text.into() }
}

fn following() -> Stage {
    let mut stage = stage();
    stage.keys("4 l").shows("looking for its pods");
    let (ticket, ask) = stage.view.log_wanted().unwrap();
    assert_eq!(ask.of.query.node.as_deref(), Some("worker-3"));
    assert_eq!(ask.of.query.labels, "k8s-app=machine-config-daemon");
    let news = vec![
        LogNews::Reading { streams: vec![stream("machine-config-daemon-x2x1z", 2)], chosen: 0 },
        line(60, "I0307 03:11:44.120000    2114 drain.go:21] Initiating drain"),
        line(
            30,
            "E0307 03:12:14.120000    2114 drain.go:44] error when evicting pods/\"cart-0\" -n \"shop\" (will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget.",
        ),
        line(2, "W0307 03:12:42.120000    2114 \u{1b}[31mdrain.go:44] still waiting 節點"),
        LogNews::Told("the connection was cut: reading on".into()),
    ];
    stage.view.show_log(ticket, news);
    stage
}

#[test]
fn l_follows_the_log_that_explains_a_node() {
    let mut stage = following();
    assert_snapshot!("logs_120x40", stage.screen());
    stage.lacks("\u{1b}");
    stage.keys("t").shows("03:12:42.000 W0307");
    stage.keys("/").types("evicting").shows("2/4");
    stage.keys("enter").lacks("Initiating");
    stage.shows("the connection was cut");
    stage.keys("esc").shows("Initiating");
    stage.keys("k").shows("held");
    stage.keys("G").shows("following");
    stage.keys("ctrl-s");
    let [Request::Save { extension: "log", text, .. }] = stage.requests.as_slice() else {
        panic!("{:?}", stage.requests)
    };
    assert!(text.contains("Initiating drain") && text.contains("# the connection was cut"), "{text}");
    stage.keys("esc").lacks("machine-config-daemon-x2x1z");
    assert_eq!(stage.view.log_wanted(), None, "the stream ends with the popup");
}

#[test]
fn the_previous_run_and_the_other_logs_are_a_key_away() {
    let mut stage = following();
    let (first, _) = stage.view.log_wanted().unwrap();
    stage.keys("p").shows("previous run");
    let (second, ask) = stage.view.log_wanted().unwrap();
    assert!(ask.previous && second != first);
    stage.view.show_log(first, vec![line(1, "late news of the other run")]);
    stage.lacks("late news");
    stage.keys("tab").shows("machine-config-controller (2 of 2)");
    stage.keys("?").shows("the log of the container's previous run");
    assert!(stage.view.log_wanted().is_some(), "it goes on below help");
}

#[test]
fn logs_fit_the_smallest_screen() {
    let mut stage = Stage::new(rich(), 80, 24);
    stage.keys("2 l");
    let (ticket, ask) = stage.view.log_wanted().unwrap();
    assert_eq!(ask.of.title, "cluster-version-operator", "an operator of which no namespace is known");
    let told = (0..100).map(|at| line(100 - at, &format!("line {at}"))).collect();
    stage.view.show_log(ticket, vec![LogNews::Reading { streams: vec![stream("a", 0), stream("b", 0)], chosen: 1 }]);
    stage.view.show_log(ticket, told);
    assert_snapshot!("logs_80x24", stage.screen());
}

#[test]
fn a_recording_has_no_logs_and_the_map_keeps_its_keys() {
    let mut stage = stage();
    stage.keys("tab tab tab tab g l");
    assert_eq!(stage.view.log_wanted(), None);
    stage.keys("L");
    assert!(stage.view.log_wanted().is_some());
    let mut stage = stage_of_recording();
    stage.keys("4 l");
    assert_eq!(stage.requests, [Request::Say("this is a recording: logs are not in it".into())]);
}

fn stage_of_recording() -> Stage {
    let mut world = rich();
    let mut facts = sample::live_facts();
    facts.link.state = LinkState::Recording;
    world.assessment.facts = std::sync::Arc::new(facts);
    Stage::new(world, 120, 40)
}
