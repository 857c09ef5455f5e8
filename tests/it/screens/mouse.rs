//! What the mouse does in popups: it chooses, and never sends.

use oc_cockpit::actions::{ActionId, Ask, Plan, Read, Target};
use oc_cockpit::input::pointer::Gesture;
use oc_cockpit::ui::Request;

use super::popups::{draining, passed, pause, update};
use super::versions::{asked, updates, world};
use super::{Stage, click, gesture, sample};

fn rehearsed(plan: Plan, width: u16, height: u16) -> Stage {
    let ask = plan.ask();
    let mut stage = Stage::new(sample::rolling(), width, height);
    stage.view.show_plan(plan);
    stage.view.show_rehearsal(&ask, passed());
    stage.draw();
    stage
}

#[test]
fn a_click_on_the_button_that_sends_only_gives_it_the_focus() {
    for (width, height) in [(80, 24), (160, 45)] {
        let mut stage = rehearsed(pause(), width, height);
        for _ in 0..3 {
            assert_eq!(click(&mut stage, "Pause pool worker  "), [], "however often it is clicked on");
            stage.shows("[ Pause pool worker ]");
            let (column, row) = stage.find("[ Pause pool worker ]");
            assert_eq!(gesture(&mut stage, Gesture::Click, column + 3, row), []);
            stage.shows("[ Pause pool worker ]");
            stage.keys("tab").shows("[ leave it ]");
        }
        stage.keys("tab enter");
        assert!(matches!(stage.requests.as_slice(), [Request::Confirm { .. }]), "{:?}", stage.requests);
    }
}

#[test]
fn a_click_on_the_safe_button_leaves_the_plan() {
    let mut stage = rehearsed(pause(), 80, 24);
    assert_eq!(click(&mut stage, "[ leave it ]"), []);
    stage.lacks("leave it");
    // Where another field has the focus the first click gives it to the button.
    let mut stage = rehearsed(update(), 120, 40);
    click(&mut stage, "  leave it");
    stage.shows("[ leave it ]");
    click(&mut stage, "type 4.19.3 to confirm");
    stage.types("4.19.3").shows("confirm: 4.19.3");
    click(&mut stage, "> ");
    stage.types("s3://backups").shows("> s3://backups");
}

#[test]
fn a_click_on_a_flag_of_a_plan_asks_for_it_anew() {
    let target = Target::Nodes(vec!["worker-3".into()]);
    let plan = Plan { action: ActionId::DrainNodes, target: target.clone(), ..pause() };
    let mut stage = Stage::new(sample::rolling(), 120, 40);
    stage.view.show_plan(Plan { reads: vec![Read::Object("/api/v1".into())], writes: Vec::new(), ..plan });
    stage.draw();
    assert_eq!(click(&mut stage, "[ ] --force"), [], "the first click gives it the focus");
    let wanted = Request::Plan(Ask::new(ActionId::DrainNodes, target).with("force", "true"));
    assert_eq!(click(&mut stage, "[ ] --force"), [wanted]);
}

#[test]
fn beside_a_popup_a_click_means_nothing() {
    let mut stage = rehearsed(pause(), 120, 40);
    for (column, row) in [(0, 0), (4, 4), (119, 39), (1, 6), (60, 4)] {
        assert_eq!(gesture(&mut stage, Gesture::Click, column, row), []);
        stage.shows("[ leave it ]");
    }
}

#[test]
fn rows_of_lists_are_selected_and_taken_by_a_second_click() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut stage = Stage::new(sample::rolling(), width, height);
        stage.keys(":").types("ctx").keys("enter");
        assert_eq!(click(&mut stage, "test-eu1"), []);
        assert_eq!(click(&mut stage, "test-eu1"), [Request::SwitchContext("test-eu1".into())]);
        let mut stage = Stage::new(sample::rolling(), width, height);
        stage.keys("3 x");
        assert_eq!(click(&mut stage, "Pool worker"), [], "a heading is nothing to take");
        click(&mut stage, "Set maxUnavailable");
        stage.shows("▌ Set maxUnavailable");
        assert!(matches!(click(&mut stage, "Set maxUnavailable").as_slice(), [Request::Say(_)]), "why it is refused");
        stage.keys("e").shows("[set-max-unavailable]");
        // The same in its form: a click leads to the field, and the button leads to the plan, which sends nothing either.
        click(&mut stage, "leave it");
        stage.shows("[ leave it ]");
        click(&mut stage, "leave it");
        stage.lacks("leave it");
    }
    let mut stage = Stage::new(sample::rolling(), 120, 40);
    stage.keys("4 C");
    click(&mut stage, "[x] zone");
    click(&mut stage, "[x] zone");
    stage.shows("[ ] zone");
}

#[test]
fn versions_are_chosen_by_clicks_and_lead_to_their_plans() {
    let mut stage = updates(2, 120, 40);
    assert_eq!(click(&mut stage, "4.18.23"), []);
    stage.shows("▌ ✔ 4.18.23");
    assert_eq!(click(&mut stage, "✔ 4.18.23"), asked("4.18.23"));
    let mut stage = Stage::new(world(2), 80, 24);
    stage.keys("U");
    click(&mut stage, "4.18.24");
    assert_eq!(click(&mut stage, "4.18.24"), asked("4.18.24"));
}

#[test]
fn remedies_and_pods_are_chosen_by_clicks() {
    let mut stage = Stage::new(draining(false), 120, 40);
    stage.keys("D");
    click(&mut stage, "shop/web-1 ");
    stage.keys("x").shows("actions for pods shop/web-1");
}

#[test]
fn the_wheel_scrolls_in_popups() {
    let mut stage = rehearsed(update(), 80, 19);
    let (column, row) = stage.find("What follows");
    gesture(&mut stage, Gesture::WheelDown, column, row);
    stage.lacks("What follows");
    gesture(&mut stage, Gesture::WheelUp, column, row);
    stage.shows("What follows");
    stage.keys("esc x");
    let before = stage.screen();
    let (column, row) = stage.find("▌ ");
    gesture(&mut stage, Gesture::WheelDown, column, row);
    assert_ne!(stage.screen(), before);
}
