//! Every action is reached by menu, form and command line, and none where nothing may be written.

use std::collections::BTreeSet;
use std::sync::Arc;

use insta::assert_snapshot;
use oc_cockpit::actions::{ActionId, ArgKind, Ask, Danger, Entry, Takes, Target};
use oc_cockpit::input::{Command, Key};
use oc_cockpit::ui::{Request, View};
use oc_cockpit::upgrade::access::{Access, Answer};

use super::{Stage, sample};

fn stage(width: u16, height: u16) -> Stage {
    Stage::new(sample::rolling(), width, height)
}

fn asked(stage: &Stage) -> Ask {
    match stage.requests.as_slice() {
        [Request::Plan(ask)] => ask.clone(),
        other => panic!("no plan is asked for: {other:?}"),
    }
}

/// A user whom the server lets do nothing, or only what `may` says.
fn viewer(stage: &mut Stage, may: impl Fn(ActionId) -> bool) {
    let mut answers = std::collections::BTreeMap::new();
    for id in ActionId::ALL {
        for permission in id.entry().permissions {
            let answer = if may(*id) { Answer::Allowed } else { Answer::Denied("by RBAC".into()) };
            answers.insert(permission.clone(), answer);
        }
    }
    let mut facts = (*stage.world.assessment.facts).clone();
    facts.access = Arc::new(Access { user: Some("viewer".into()), answers, ..Access::default() });
    stage.world.assessment.facts = Arc::new(facts);
}

#[test]
fn the_menu_is_grouped_by_what_an_action_is_aimed_at() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut stage = stage(width, height);
        stage.keys("4 x");
        assert_snapshot!(format!("menu_node_{width}x{height}"), stage.screen());
        stage.keys("tab");
        assert_snapshot!(format!("menu_cluster_{width}x{height}"), stage.screen());
        stage.keys("tab").shows("Node ");
    }
}

#[test]
fn the_form_of_every_action_opens_takes_a_paste_and_is_left() {
    let mut stage = stage(80, 24);
    let mut opened = BTreeSet::new();
    stage.keys("X");
    for _ in ActionId::ALL {
        stage.keys("e");
        let screen = stage.screen();
        let id = ActionId::ALL.iter().find(|id| screen.contains(&format!("[{}]", id.name())));
        let entry = id.unwrap_or_else(|| panic!("no form:\n{screen}")).entry();
        opened.insert(entry.name);
        if let Some(first) = entry.args.iter().find(|arg| arg.required) {
            stage.shows(first.name);
        }
        let text = entry.nouns().is_some() || entry.args.iter().any(|arg| arg.kind != ArgKind::Flag);
        if text {
            let ctx = stage.world.ctx();
            View::paste(&mut stage.view, "pas\nted", &ctx);
            stage.shows("pasted");
        }
        stage.keys("esc").lacks(&format!("[{}]", entry.name));
        stage.keys("j");
    }
    let all: BTreeSet<&str> = ActionId::ALL.iter().map(|id| id.name()).collect();
    assert_eq!(opened, all, "every action is in the menu of the cluster, and has a form");
}

/// A line with everything that the action needs, of things that exist.
fn line(entry: &Entry) -> Option<String> {
    let target = match entry.takes {
        Takes::Cluster | Takes::Objects { none: true, .. } => String::new(),
        Takes::Version => "4.19.9".into(),
        Takes::Pool | Takes::Pools => "worker".into(),
        Takes::Nodes => "worker-5".into(),
        Takes::Objects { namespaced: true, namespace: "", .. } => "shop/one".into(),
        Takes::Objects { .. } => "one".into(),
        Takes::Listed => "machineconfigs/one".into(),
    };
    let values = entry.args.iter().filter(|arg| arg.required).map(|arg| {
        let value = if arg.kind == ArgKind::Number { "2" } else { "some" };
        if arg.positional { value.to_owned() } else { format!("--{} {value}", arg.name) }
    });
    let rest = [target].into_iter().chain(values).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    (!rest.is_empty()).then(|| format!("{} {rest}", entry.name))
}

#[test]
fn every_action_is_planned_from_the_command_line_and_means_the_same_as_behind_do() {
    for id in ActionId::ALL {
        let entry = id.entry();
        let Some(line) = line(entry) else { continue };
        let mut stage = stage(120, 40);
        stage.keys(":").types(&line);
        stage.keys("enter");
        let words: Vec<String> = line.split_whitespace().skip(1).map(str::to_owned).collect();
        assert_eq!(asked(&stage), entry.parse(&words).unwrap(), ":{line}");
    }
}

#[test]
fn what_is_missing_in_a_line_is_asked_for_in_a_form_that_keeps_what_was_said() {
    let mut stage = stage(80, 24);
    let Some(id) = ActionId::ALL.iter().find(|id| {
        let entry = id.entry();
        matches!(entry.takes, Takes::Pool) && entry.args.iter().any(|arg| arg.required && arg.positional)
    }) else {
        return;
    };
    let entry = id.entry();
    stage.keys(":").types(&format!("{} worker", entry.name));
    stage.keys("enter").shows(&format!("[{}]", entry.name));
    stage.shows("> worker");
    stage.shows("needs");
    stage.types("2").keys("enter");
}

#[test]
fn without_a_target_a_line_means_what_is_selected_and_a_form_where_that_will_not_do() {
    let mut stage = stage(80, 24);
    stage.keys("4 : c o r d o n enter");
    assert!(matches!(asked(&stage).target, Target::Nodes(names) if names.len() == 1));
    stage.keys("2 : c o r d o n enter").shows("[cordon]");
    assert_snapshot!("form_cordon_80x24", stage.screen());
    stage.keys("down").types(" ");
    stage.keys("down enter enter");
    let Target::Nodes(names) = asked(&stage).target else { panic!() };
    assert_eq!(names.len(), 2, "{names:?}");
    let mut stage = self::stage(120, 40);
    stage.keys("2 : c o r d o n enter");
    assert_snapshot!("form_cordon_120x40", stage.screen());
}

#[test]
fn a_refusal_stays_in_the_form_with_what_was_typed() {
    let mut stage = stage(80, 24);
    stage.keys("2 : c o r d o n enter").types("worker-5");
    stage.keys("enter enter");
    let ask = asked(&stage);
    stage.view.show_refusal(&ask, "the moon is full");
    stage.shows("the moon is full");
    stage.shows("> worker-5");
    stage.keys("esc").lacks("[cordon]");
}

#[test]
fn a_message_closes_on_enter_and_on_esc() {
    for key in ["enter", "esc"] {
        let mut stage = stage(80, 24);
        stage.view.show_refusal(&Ask::new(ActionId::PausePool, Target::pool("worker")), "the moon is full");
        stage.shows("the moon is full");
        stage.keys(key).lacks("the moon is full");
    }
}

#[test]
fn the_command_line_completes_actions_targets_and_options() {
    let mut stage = stage(80, 24);
    stage.keys(":").types("unp").keys("tab").shows(":unpause-pool");
    stage.types(" inf").keys("tab").shows(":unpause-pool infra");
    stage.keys("ctrl-u").types("cordon worker-5 worker-6 worker-").keys("tab");
    let screen = stage.screen();
    let typed = screen.lines().last().unwrap().to_owned();
    assert!(!typed.trim_end().ends_with("worker-5") && !typed.trim_end().ends_with("worker-6"), "{typed}");
    stage.keys("ctrl-u").types("start-update 4.19.3 --ima").keys("tab").shows("--image");
    assert_snapshot!("palette_80x24", stage.screen());
    stage.keys("esc :").types("no-such-thing").keys("enter");
    assert!(matches!(stage.requests.as_slice(), [Request::Say(why)] if why.contains("is not a command")));
}

#[test]
fn read_only_offers_no_action_anywhere() {
    for id in ActionId::ALL {
        let mut stage = stage(120, 60);
        stage.world.session.read_only = Some("--read-only".into());
        stage.keys(":").types(id.name()).keys("enter");
        assert!(
            matches!(stage.requests.as_slice(), [Request::Say(why)] if why.contains("writes are off")),
            "{}: {:?}",
            id.name(),
            stage.requests
        );
    }
    let mut stage = stage(120, 200);
    stage.world.session.read_only = Some("--read-only".into());
    stage.keys("x X");
    stage.lacks("actions for");
    stage.keys("?");
    let help = stage.screen();
    for id in ActionId::ALL {
        assert!(!help.contains(&format!(":{}", id.name())), "{} is in help", id.name());
    }
}

#[test]
fn what_the_server_does_not_permit_is_offered_nowhere() {
    let mut stage = stage(120, 200);
    viewer(&mut stage, |_| false);
    let barred = |screen: &str| ActionId::ALL.iter().all(|id| !screen.contains(&format!(":{}", id.name())));
    stage.keys("4");
    let footer = stage.screen().lines().last().unwrap().to_owned();
    for word in ["cordon", "pause", "update", "drain"] {
        assert!(!footer.contains(word), "{footer}");
    }
    stage.keys("?");
    assert!(barred(&stage.screen()));
    stage.keys("esc X").shows("no action is permitted");
    stage.keys("esc :").types("cord").keys("tab");
    let typed = stage.screen().lines().last().unwrap().to_owned();
    assert!(!typed.contains("cordon"), "{typed}");
    stage.keys("ctrl-u").types("cordon worker-5").keys("enter");
    assert!(matches!(stage.requests.as_slice(), [Request::Say(why)] if why.contains("viewer may not")));

    let mut stage = self::stage(160, 60);
    viewer(&mut stage, |id| id == ActionId::CordonNodes || id == ActionId::UncordonNodes);
    stage.keys("4 x").shows("Cordon");
    stage.lacks("Pause pool");
}

#[test]
fn the_footer_names_only_what_would_do_something() {
    // While an update is in progress no other one can be started by its key.
    let mut stage = stage(160, 40);
    stage.keys("3");
    let key = stage.world.keymap.keys(Command::Act(ActionId::StartUpdate), false)[0];
    assert_eq!(key, Key::char('U'));
    let footer = stage.screen().lines().last().unwrap().to_owned();
    assert!(!footer.contains("U update"), "{footer}");
}

#[test]
fn dangers_are_told_by_letters() {
    let letters: Vec<String> =
        ActionId::ALL.iter().flat_map(|id| id.entry().dangers).map(|d| format!("{d:?}")).collect();
    assert!(letters.iter().all(|letter| ["L", "M", "H"].contains(&letter.as_str())));
    assert!(ActionId::ALL.iter().any(|id| id.entry().dangers.contains(&Danger::H)));
}
