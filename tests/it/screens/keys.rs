//! What keys do.

use std::sync::Arc;

use oc_cockpit::actions::{self, ActionId, Ask, Target};
use oc_cockpit::input::Tab;
use oc_cockpit::input::pointer::Gesture;
use oc_cockpit::ui::{Request, SimFault, SimInfo, SimRequest};
use oc_cockpit::upgrade::access::Answer;
use oc_cockpit::upgrade::assessment::Subject;

use super::{Stage, click, gesture, sample};

fn stage() -> Stage {
    Stage::new(sample::rolling(), 120, 40)
}

#[test]
fn esc_goes_one_step_up_and_never_out() {
    let mut stage = stage();
    stage.keys("4 / w enter space d");
    stage.keys("esc").shows("1 marked");
    stage.shows("/w ");
    stage.keys("esc").lacks("/w ");
    stage.shows("1 marked");
    stage.keys("esc").lacks("marked");
    assert_eq!(stage.view.tab(), Tab::Nodes);
    stage.keys("esc");
    assert_eq!(stage.view.tab(), Tab::Overview);
    stage.keys("esc esc esc esc");
    assert!(stage.requests.is_empty());
}

#[test]
fn q_is_back_and_twice_at_the_root_out() {
    let mut stage = stage();
    stage.keys("2 q");
    assert_eq!(stage.view.tab(), Tab::Overview);
    stage.keys("q");
    assert!(matches!(stage.requests.as_slice(), [Request::Say(_)]), "{:?}", stage.requests);
    stage.keys("j q");
    assert!(matches!(stage.requests.as_slice(), [Request::Say(_)]), "another key in between starts over");
    stage.keys("q");
    assert_eq!(stage.requests, [Request::Quit]);
}

#[test]
fn q_goes_the_same_step_up_as_esc_before_it_leads_out() {
    let mut stage = Stage::new(sample::rolling(), 160, 40);
    stage.shows("q quit");
    stage.lacks("esc back");
    stage.keys("/").types("w").keys("enter").lacks("q quit");
    stage.shows("esc back");
    stage.keys("q").lacks("/w ");
    assert!(stage.requests.is_empty(), "the filter was the step");
    stage.keys("space").shows("1 marked");
    stage.keys("q").lacks("marked");
    stage.keys("d").lacks("q quit");
    stage.keys("q").shows("q quit");
    stage.keys("q");
    assert!(matches!(stage.requests.as_slice(), [Request::Say(_)]), "{:?}", stage.requests);
    stage.keys(":").types("q").keys("enter");
    assert_eq!(stage.requests, [Request::Quit], ":q needs no second time");
}

#[test]
fn ctrl_c_quits_from_everywhere() {
    for keys in ["ctrl-c", "/ ctrl-c", ": ctrl-c", "? ctrl-c", "x ctrl-c", "d / ctrl-c"] {
        let mut stage = stage();
        stage.keys(keys);
        assert_eq!(stage.requests, [Request::Quit], "{keys}");
    }
}

#[test]
fn p_asks_for_the_plan_of_the_selected_pool() {
    let mut stage = stage();
    stage.keys("3 p");
    let plan = |action, pool: &str| Request::Plan(Ask::new(action, Target::pool(pool)));
    assert_eq!(stage.requests, [plan(ActionId::PausePool, "worker")]);
    stage.keys("G p");
    assert_eq!(stage.requests, [plan(ActionId::UnpausePool, "infra")]);
}

#[test]
fn marked_pools_are_acted_upon_together() {
    let mut stage = stage();
    // worker is selected at first; infra, the last one, is paused.
    stage.keys("3 space G").shows("1 marked");
    stage.keys("space").shows("2 marked");
    let plan = |action, pools: &[&str]| {
        let names = pools.iter().map(|name| (*name).to_owned()).collect();
        Request::Plan(Ask::new(action, Target::Pools(names)))
    };
    stage.keys("p");
    assert_eq!(
        stage.requests,
        [plan(ActionId::PausePool, &["worker", "infra"])],
        "one is not paused: pausing is meant"
    );
    stage.keys("g g j").keys("p");
    assert_eq!(stage.requests, [plan(ActionId::PausePool, &["worker", "infra"])], "the marks, not what is selected");
    stage.keys("esc").lacks("marked");
    stage.keys("G space p");
    assert_eq!(stage.requests, [plan(ActionId::UnpausePool, &["infra"])]);
    stage.keys("x").shows("actions for pool infra");
}

#[test]
fn the_next_node_stands_behind_the_one_that_it_follows() {
    let mut stage = stage();
    stage.keys("3").shows("after worker-3: worker-5, then worker-6");
    stage.lacks("next: worker-5");
    stage.lacks("no capacity");
}

#[test]
fn enter_on_a_finding_leads_to_why() {
    let mut stage = stage();
    stage.keys("5 enter").shows("[error: drain-blocked]");
    stage.keys("enter");
    assert_eq!(stage.view.tab(), Tab::Pools);
    assert_eq!(stage.view.subject(&stage.world.ctx()), Some(Subject::Node("worker-3".into())));
    stage.shows("pod shop/cart-0");
    stage.keys("-");
    assert_eq!(stage.view.tab(), Tab::Findings);
}

#[test]
fn n_takes_the_next_step_that_the_header_names() {
    let mut stage = stage();
    stage.shows("n look at worker-3");
    stage.keys("n");
    assert_eq!(stage.view.subject(&stage.world.ctx()), Some(Subject::Node("worker-3".into())));
}

#[test]
fn describe_asks_for_the_object_once() {
    let mut stage = stage();
    stage.keys("4 d");
    assert_eq!(stage.requests, [Request::Fetch(Subject::Node("worker-3".into()))]);
    stage.keys("ctrl-r");
    assert_eq!(stage.requests, [Request::Fetch(Subject::Node("worker-3".into()))]);
}

#[test]
fn read_only_takes_the_writes_away_and_says_so() {
    let mut stage = stage();
    stage.world.session.read_only = Some("--read-only".into());
    stage.keys("4");
    stage.shows("RO");
    stage.lacks("cordon");
    stage.lacks("actions");
    stage.keys("c");
    assert_eq!(stage.requests, [Request::Say("c does nothing here, writes are off: --read-only".into())]);
    stage.keys("?").lacks("uncordon the node");
    stage.lacks("Change the cluster");
    stage.keys("q :").types("pause worker").keys("enter");
    assert_eq!(stage.requests, [Request::Say("writes are off: --read-only".into())]);
}

#[test]
fn the_command_line_knows_the_words_of_other_tools() {
    let run = |line: &str| {
        let mut stage = stage();
        stage.world.sim = Some(SimInfo { speed: 1.0, ..SimInfo::default() });
        stage.keys(":").types(line).keys("enter");
        let subject = stage.view.subject(&stage.world.ctx());
        (stage.requests.clone(), stage.view.tab(), subject)
    };
    for line in ["q", "q!", "qa", "quit", "exit"] {
        assert_eq!(run(line).0, [Request::Quit], "{line}");
    }
    assert_eq!(run("ctx test-eu1").0, [Request::SwitchContext("test-eu1".into())]);
    assert_eq!(run("@test-eu1").0, [Request::SwitchContext("test-eu1".into())]);
    assert_eq!(run("theme light").0, [Request::SetTheme("light".into())]);
    assert_eq!(run("cv").0, [Request::Fetch(Subject::Version)]);
    assert_eq!(run("speed 5").0, [Request::Sim(SimRequest::Speed(5.0))]);
    assert_eq!(run("outage 30").0, [Request::Sim(SimRequest::Fault(SimFault::Outage { seconds: 30 }))]);
    assert_eq!(run("fault none").0, [Request::Sim(SimRequest::ClearFaults)]);
    let cordon =
        Request::Plan(Ask::new(ActionId::CordonNodes, Target::Nodes(vec!["worker-1".into(), "worker-2".into()])));
    assert_eq!(run("cordon worker-1 worker-2").0, [cordon]);
    let update = Request::Plan(Ask::new(ActionId::StartUpdate, Target::Version("4.19.4".into())));
    assert_eq!(run("update 4.19.4").0, [update]);
    assert_eq!(run("no").1, Tab::Nodes);
    assert_eq!(run("co monitoring").2, Some(Subject::Operator("monitoring".into())));
    assert_eq!(run("mcp infra").2, Some(Subject::Pool("infra".into())));
    for (line, words) in [
        ("pods", "not listed here"),
        ("cordon worker-99", "there is no node worker-99"),
        ("pause worker-99", "there is no pool worker-99"),
        ("frobnicate", "is not a command"),
        ("speed fast", "how fast"),
    ] {
        let said = format!("{:?}", run(line).0);
        assert!(said.contains(words), "{line}: {said}");
    }
}

#[test]
fn the_command_line_filters_with_a_slash_or_a_term() {
    let mut stage = stage();
    stage.keys(":").types("nodes /worker-1").keys("enter").shows("/worker-1 1/12");
    stage.keys("esc :").types("nodes pool=infra").keys("enter").shows("3/12");
}

#[test]
fn the_command_line_completes_suggests_and_remembers() {
    let mut stage = stage();
    stage.keys(":").types("cor").shows(":cordon");
    stage.keys("tab").types(" worker-").keys("tab").shows(":cordon worker-1");
    stage.keys("tab").shows(":cordon worker-2");
    stage.keys("enter :").types("the").keys("tab").types(" li").keys("tab enter");
    assert_eq!(stage.requests, [Request::SetTheme("light".into())]);
    stage.keys(": up").shows(":theme light");
    stage.keys("up").shows(":cordon worker-2");
    stage.keys("down down");
    stage.types("co").shows(":cordon worker-2");
}

#[test]
fn tab_goes_through_the_panes_of_the_overview() {
    let mut stage = stage();
    stage.shows("[Pools]");
    stage.keys("tab").shows("[Findings");
    stage.keys("tab").shows("[Timeline]");
    stage.keys("shift-tab shift-tab").shows("[Pools]");
}

#[test]
fn the_map_is_walked_cell_by_cell_and_leads_to_the_table() {
    let mut stage = stage();
    stage.keys("tab tab tab tab").shows("[Nodes, one cell each]");
    stage.keys("g");
    assert_eq!(stage.view.subject(&stage.world.ctx()), Some(Subject::Node("master-0".into())));
    stage.keys("j l l");
    assert_eq!(stage.view.subject(&stage.world.ctx()), Some(Subject::Node("worker-6".into())));
    stage.keys("enter");
    assert_eq!(stage.view.tab(), Tab::Nodes);
    assert_eq!(stage.view.subject(&stage.world.ctx()), Some(Subject::Node("worker-6".into())));
}

#[test]
fn copying_gives_the_name_and_the_finding() {
    let mut stage = stage();
    stage.keys("4 Y");
    assert_eq!(stage.requests, [Request::Copy("worker-3".into())]);
    stage.keys("5 Y");
    let [Request::Copy(text)] = stage.requests.as_slice() else { panic!("{:?}", stage.requests) };
    assert!(text.contains("drain blocked") && text.contains("Scale shop/cart up"), "{text}");
}

#[test]
fn saving_gives_every_row_with_every_column() {
    let mut stage = stage();
    stage.keys("4 ctrl-s");
    let [Request::Save { name, extension, text }] = stage.requests.as_slice() else { panic!("{:?}", stage.requests) };
    assert_eq!((name.as_str(), *extension), ("nodes", "tsv"));
    assert_eq!(text.lines().count(), 13);
    assert!(text.lines().next().unwrap().starts_with("NODE\tPOOL\tPHASE"));
    assert!(text.contains("rendered-worker-77b1"));
    stage.keys("3 ctrl-s");
    let [Request::Save { text, .. }] = stage.requests.as_slice() else { panic!("{:?}", stage.requests) };
    assert!(text.contains("worker-3") && text.contains("pod shop/cart-0"), "{text}");
}

#[test]
fn the_selection_stays_on_the_worst_until_the_person_moves() {
    let mut stage = stage();
    stage.keys("4");
    assert_eq!(stage.view.subject(&stage.world.ctx()), Some(Subject::Node("worker-3".into())));
    stage.changes(|world| {
        for node in Arc::make_mut(&mut world.assessment.nodes) {
            node.drain_trouble = None;
        }
    });
    let first = stage.view.subject(&stage.world.ctx());
    assert_eq!(first, Some(Subject::Node("master-2".into())), "the first of those that move");
}

#[test]
fn nodes_are_filtered_by_the_labels_that_kubectl_knows() {
    let mut stage = Stage::new(sample::rolling(), 120, 40);
    stage.keys("4 /").types("-l node-role.kubernetes.io/infra").shows("3/12");
    stage
        .keys("ctrl-u")
        .types("-l node-role.kubernetes.io/infra=,topology.kubernetes.io/zone=eu-central-1a")
        .shows("1/12");
}

#[test]
fn a_dead_key_says_why() {
    let mut stage = Stage::new(sample::rolling(), 120, 40);
    let said = |stage: &Stage| match stage.requests.as_slice() {
        [Request::Say(text)] => text.clone(),
        other => panic!("{other:?}"),
    };
    stage.keys("4 p");
    assert_eq!(said(&stage), "p (pause) does nothing here: select a pool that is not paused");
    stage.keys("3 g c");
    assert_eq!(said(&stage), "c (cordon) does nothing here: select a node");
    stage.keys("z");
    assert_eq!(said(&stage), "z does nothing here; ? lists the keys");
    stage.keys("y p");
    assert!(said(&stage).starts_with("p (previous run) does nothing here"), "in a popup too");
}

#[test]
fn who_may_only_look_is_called_so() {
    let mut stage = Stage::new(sample::rolling(), 120, 40);
    stage.shows(" RW ");
    stage.changes(|world| {
        let mut facts = (*world.assessment.facts).clone();
        let access = Arc::make_mut(&mut facts.access);
        access.answers = actions::permissions().into_iter().map(|it| (it, Answer::Denied(String::new()))).collect();
        world.assessment.facts = Arc::new(facts);
    });
    stage.shows(" RO ");
}

#[test]
fn keys_that_come_faster_than_frames_do_not_end_in_a_closed_branch() {
    let mut stage = Stage::new(sample::rolling(), 120, 40);
    stage.keys("3 g");
    // Between these two nothing is drawn: a paste, or a slow terminal.
    for key in ["h", "j"] {
        let _ = stage.view.key(key.parse().unwrap(), &stage.world.ctx());
    }
    stage.screen();
    stage.keys("p");
    let target = Target::pool("worker");
    assert_eq!(stage.requests, [Request::Plan(Ask::new(ActionId::PausePool, target))]);
}

#[test]
fn a_click_selects_a_tab_a_pane_and_a_row_and_does_nothing_else() {
    for (width, height) in [(80, 24), (160, 45)] {
        let mut stage = Stage::new(sample::rolling(), width, height);
        assert_eq!(click(&mut stage, "2 Operators"), []);
        assert_eq!(stage.view.tab(), Tab::Operators);
        click(&mut stage, "4 Nodes");
        assert_eq!(stage.view.tab(), Tab::Nodes);
        click(&mut stage, "worker-5");
        assert_eq!(stage.view.subject(&stage.world.ctx()), Some(Subject::Node("worker-5".into())));
        stage.shows("▌worker-5");
        click(&mut stage, "3 Pools");
        click(&mut stage, "▾ master");
        assert_eq!(stage.view.subject(&stage.world.ctx()), Some(Subject::Pool("master".into())));
        // What is open is not closed by a second click, and nothing is asked for.
        assert_eq!(click(&mut stage, "▾ master"), []);
        click(&mut stage, "1 Overview");
        click(&mut stage, "├ Findings");
        stage.shows("[Findings");
        stage.keys("d");
        assert_eq!(click(&mut stage, "3 Pools"), [], "what lies over the panes keeps the keyboard");
        assert_eq!(stage.view.tab(), Tab::Overview);
    }
}

#[test]
fn the_wheel_scrolls_what_it_is_over() {
    let mut stage = Stage::new(sample::rolling(), 80, 24);
    stage.keys("4");
    let (column, row) = stage.find("▌");
    gesture(&mut stage, Gesture::WheelDown, column, row);
    let after = stage.view.subject(&stage.world.ctx());
    gesture(&mut stage, Gesture::WheelUp, column, row);
    assert_ne!(stage.view.subject(&stage.world.ctx()), after);
    stage.keys("?").shows("Change the cluster");
    for _ in 0..4 {
        gesture(&mut stage, Gesture::WheelDown, 20, 12);
    }
    stage.lacks("Change the cluster");
    let scrolled = stage.screen();
    assert_eq!(gesture(&mut stage, Gesture::WheelUp, 0, 0), []);
    assert_eq!(stage.screen(), scrolled, "beside a popup the wheel is over nothing");
}

#[test]
fn columns_are_hidden_shown_and_ordered_and_the_choice_can_be_kept() {
    for (width, height) in [(80, 24), (160, 45)] {
        let mut stage = Stage::new(sample::rolling(), width, height);
        stage.keys("4").shows("POOL ");
        stage.keys("C").shows("columns of nodes");
        // The name stays; the pool goes, the zone comes to its place.
        stage.keys("space j space").shows("[ ] pool");
        stage.keys("j j j j").shows("▌ [x] zone");
        stage.keys("K K K K").shows("always the first");
        let line = "columns: {nodes: [node, zone, phase, age, status, version, kubelet, message, roles]}";
        stage.keys("Y");
        assert_eq!(stage.requests, [Request::Copy(line.into())]);
        stage.keys("esc").lacks("POOL ");
        stage.shows("NODE      ZONE ");
        stage.keys("ctrl-w").shows("POOL ");
        let mut again = Stage::new(sample::rolling(), width, height);
        let names: Vec<String> = ["zone", "node", "kubelet"].map(Into::into).into();
        again.view.choose_columns("nodes", &names).unwrap();
        again.keys("4").shows("NODE      ZONE           KUBELET");
        again.lacks("PHASE");
        let wrong = again.view.choose_columns("nodes", &["node".into(), "zon".into()]).unwrap_err();
        assert_eq!(wrong.0, Some(1));
        assert!(wrong.1.starts_with("`zon` is not a column, expected some of node, pool, phase"), "{wrong:?}");
        assert!(again.view.choose_columns("pools", &names).unwrap_err().1.contains("expected one of operators"));
    }
}
