//! The panes at the sizes that terminals have.

use std::sync::Arc;

use insta::assert_snapshot;

use super::Stage;
use super::sample::{self, World};
use oc_cockpit::upgrade::assessment::NodePhase;

fn at(world: World, keys: &str, width: u16, height: u16) -> String {
    let mut stage = Stage::new(world, width, height);
    if !keys.is_empty() {
        stage.keys(keys);
    }
    stage.screen()
}

#[test]
fn the_overview_in_the_middle_of_an_upgrade() {
    assert_snapshot!("overview_80x24", at(sample::rolling(), "", 80, 24));
    assert_snapshot!("overview_120x40", at(sample::rolling(), "", 120, 40));
    assert_snapshot!("overview_200x60", at(sample::rolling(), "", 200, 60));
}

#[test]
fn the_overview_of_an_idle_cluster() {
    assert_snapshot!("idle_80x24", at(sample::idle(), "", 80, 24));
    assert_snapshot!("idle_120x40", at(sample::idle(), "", 120, 40));
}

#[test]
fn a_stale_picture_says_since_when_and_whether_that_is_expected() {
    let mut stage = Stage::new(sample::stale(), 120, 40);
    stage.shows("STALE 41s");
    stage.shows("stale since 03:12:03, 41s; expected: master-2 is rebooting; nobody listens at");
    stage.shows("as of 03:12:03");
    stage.lacks("live 0.4s");
    assert_snapshot!("stale_120x40", stage.screen());
    assert_snapshot!("stale_80x24", at(sample::stale(), "", 80, 24));
}

#[test]
fn before_anything_was_heard_each_pane_says_that_it_reads() {
    assert_snapshot!("nothing_80x24", at(sample::nothing(), "", 80, 24));
}

#[test]
fn each_tab() {
    for (digit, name) in [(2, "operators"), (3, "pools"), (4, "nodes"), (5, "findings"), (6, "timeline")] {
        let key = digit.to_string();
        assert_snapshot!(format!("{name}_80x24"), at(sample::rolling(), &key, 80, 24));
        assert_snapshot!(format!("{name}_120x40"), at(sample::rolling(), &key, 120, 40));
    }
}

#[test]
fn a_large_cluster_is_a_map_on_which_the_wave_is_seen() {
    assert_snapshot!("large_nodes_120x40", at(sample::large(600), "4", 120, 40));
    assert_snapshot!("large_overview_200x60", at(sample::large(600), "", 200, 60));
}

#[test]
fn hiding_the_header_keeps_the_verdict() {
    let mut stage = Stage::new(sample::rolling(), 80, 24);
    stage.keys("ctrl-e").shows("POOLS ROLLING");
    stage.shows("71%");
    stage.lacks("preflight");
}

/// What lies between the outer borders of a pane's rows.
fn inside(line: &str) -> Vec<&str> {
    line.split('│').filter(|part| !part.is_empty()).collect()
}

#[test]
fn no_pane_of_the_overview_is_blank_while_a_list_is_cut() {
    // `1-2 of 14`: the mark of a list that is cut.
    let cut = regex::Regex::new(r"\d+-\d+ of \d+").unwrap();
    for (width, height) in [(60, 15), (80, 24), (80, 33), (99, 30), (120, 40), (160, 45), (200, 60), (200, 20)] {
        for world in [sample::rolling(), sample::idle(), sample::large(600), super::rich::rich()] {
            let screen = at(world, "", width, height);
            // In two columns each has its own lists; a list that is cut stands in the column of its title.
            let columns = if width >= 100 { 2 } else { 1 };
            for column in 0..columns {
                let mut rows = screen.lines().skip(5).map(|line| {
                    let title = line.starts_with(['┌', '├']);
                    let parts: Vec<&str> = line.split(['┬', '┤', '├', '┌']).filter(|part| !part.is_empty()).collect();
                    (title, parts.get(column).copied().unwrap_or_default().to_owned(), line)
                });
                let lists_cut = rows.any(|(_, part, _)| cut.is_match(&part) && !part.contains("Timeline"));
                let upper = screen.lines().skip(6).take_while(|line| !line.contains("Timeline"));
                let blank = upper
                    .filter(|line| line.starts_with('│'))
                    .filter(|line| inside(line).get(column).is_some_and(|part| part.trim().is_empty()))
                    .count();
                assert!(!lists_cut || blank == 0, "{width}x{height}, column {column}:\n{screen}");
            }
        }
    }
}

#[test]
fn odd_sizes_say_what_matters() {
    assert_snapshot!("overview_40x12", at(sample::rolling(), "", 40, 12));
    assert_snapshot!("overview_60x15", at(sample::rolling(), "", 60, 15));
    assert_snapshot!("idle_200x60", at(sample::idle(), "", 200, 60));
}

#[test]
fn a_screen_that_is_too_small_still_says_the_verdict() {
    for (width, height) in [(59, 24), (80, 14), (40, 6), (20, 3)] {
        let screen = at(sample::rolling(), "", width, height);
        assert!(screen.contains("POOLS ROLLING"), "{width}x{height}:\n{screen}");
    }
    assert!(at(sample::rolling(), "", 40, 6).contains("too small: 40x6"));
}

#[test]
fn ages_follow_the_clock_without_a_new_assessment() {
    let mut stage = Stage::new(sample::rolling(), 120, 40);
    stage.shows("~3m12s");
    stage.world.now += chrono::TimeDelta::seconds(5);
    stage.shows("~3m17s");
}

#[test]
fn kinds_that_fail_are_marked_where_they_are_shown_and_nowhere_else() {
    use oc_cockpit::upgrade::facts::{Kind, KindState, KindStatus};
    use oc_cockpit::upgrade::link::{Trouble, TroubleKind};
    let mut world = sample::rolling();
    let mut facts = sample::live_facts();
    let trouble = |words: &str| Trouble {
        kind: TroubleKind::Forbidden,
        words: words.into(),
        hint: "ask for the viewer role".into(),
        since: sample::ago(60),
    };
    let failing = KindStatus::Failing(trouble("the watch is answered with 500"));
    facts.kinds.insert(
        Kind::ClusterOperators,
        KindState { status: failing, heard: Some(sample::ago(60)), unreadable: vec![] },
    );
    let forbidden = KindStatus::Forbidden(trouble("user jane may not list machineconfigpools"));
    facts.kinds.insert(Kind::MachineConfigPools, KindState { status: forbidden, heard: None, unreadable: vec![] });
    world.assessment.facts = Arc::new(facts);
    let mut stage = Stage::new(world, 160, 40);
    stage.shows("stale since 03:11:44 ");
    stage.shows("no permission: machineconfigpools");
    stage.shows("user jane may not list machineconfigpools; ask for the viewer role");
    stage.shows("live 0.4s · 4 of 6 kinds");
}

#[test]
fn filtering_is_live_counts_and_keeps_the_last_good_filter() {
    let mut stage = Stage::new(sample::rolling(), 120, 40);
    stage.keys("4 /").types("worker-[12]");
    stage.shows("/worker-[12]");
    stage.shows("2/12");
    stage.lacks("infra-0  ");
    stage.types("(");
    stage.shows("unclosed group");
    stage.shows("2/12");
    stage.keys("enter");
    assert!(format!("{:?}", stage.requests).contains("the last good one stays"));
    stage.shows("/worker-[12] 2/12");
    stage.keys("esc");
    stage.shows("infra-0");
}

#[test]
fn the_tree_is_filtered_by_node_and_keeps_their_pools() {
    let mut stage = Stage::new(sample::rolling(), 120, 40);
    stage.keys("3 /").types("-l phase=draining").keys("enter");
    stage.shows("/-l phase=draining 1/12");
    stage.shows("worker-3");
    stage.lacks("master-2");
}

#[test]
fn sorting_shows_its_arrow_and_the_selection_follows_the_object() {
    let mut stage = Stage::new(sample::rolling(), 120, 40);
    stage.keys("4 G");
    let selected = stage.view.subject(&stage.world.ctx());
    stage.keys("N");
    stage.shows("NODE↑");
    assert_eq!(stage.view.subject(&stage.world.ctx()), selected);
    stage.keys("N").shows("NODE↓");
    assert_eq!(stage.view.subject(&stage.world.ctx()), selected);
    stage.changes(|world| {
        Arc::make_mut(&mut world.assessment.nodes).remove(0);
    });
    assert_eq!(stage.view.subject(&stage.world.ctx()), selected);
}

#[test]
fn marks_survive_a_refresh_and_hidden_ones_are_counted() {
    let mut stage = Stage::new(sample::rolling(), 120, 40);
    stage.keys("4 N g space j space j v");
    stage.shows("3 marked");
    stage.changes(|_| {}).shows("3 marked");
    stage.keys("/").types("!infra-0").keys("enter");
    stage.shows("3 marked, 1 hidden");
    stage.keys("c");
    let asked = format!("{:?}", stage.requests);
    assert!(asked.contains(r#"Nodes(["infra-0", "infra-1", "infra-2"])"#), "{asked}");
    stage.keys("esc esc").lacks("marked");
}

#[test]
fn a_small_cluster_is_open_at_first_sight_of_the_pools() {
    let mut stage = Stage::new(sample::rolling(), 120, 40);
    stage.lacks("infra-0");
    stage.keys("3").shows("infra-0");
    // Closing one by hand is respected.
    stage.keys("G left left").lacks("infra-0");
    stage.keys("1 3").lacks("infra-0");
}

#[test]
fn a_degraded_node_shows_how_far_it_came() {
    let mut stage = Stage::new(sample::rolling(), 120, 40);
    stage.keys("4").changes(|world| {
        let node = Arc::make_mut(&mut world.assessment.nodes).iter_mut().find(|node| node.name == "master-2").unwrap();
        node.phase = NodePhase::Degraded;
        node.reached = Some(NodePhase::Applying);
    });
    stage.shows("■■■✖□□□ Degraded");
}

#[test]
fn the_version_that_the_update_goes_to_is_never_cut_for_less() {
    let mut world = sample::rolling();
    world.assessment.update.completed = Some(sample::ago(1_260));
    world.assessment.update.in_progress = false;
    let mut stage = Stage::new(world, 80, 24);
    stage.shows("4.18.22 → 4.19.3");
    stage.shows("done 21m ago");
}

#[test]
fn long_names_of_nightly_builds_are_told_before_the_bar_is_long() {
    let mut world = sample::rolling();
    world.assessment.update.from = Some("4.20.0-0.nightly-2025-08-12-153542".into());
    world.assessment.update.to = Some("4.20.0-0.nightly-2025-08-19-180353".into());
    let mut stage = Stage::new(world, 120, 40);
    stage.shows("4.20.0-0.nightly-2025-08-12-153542 → 4.20.0-0.nightly-2025-08-19-180353");
    stage.shows("71%");
}
