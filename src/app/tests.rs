//! The app as a specification: messages in, effects out. No I/O, no waiting, time by hand.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{App, Connected, Effect, Msg, News, Start, Switchable, flash, mistakes};
use crate::actions::audit::{AuditId, Proof};
use crate::actions::outcome::{Outcome, Rehearsal, Step, Written};
use crate::actions::{ActionId, Ask, Material, Plan, Refusal, Session, Target};
use crate::config::{Loaded, Overrides, parse};
use crate::input::Key;
use crate::ui::{Depth, FlashLevel, JobState, LogNews, LogStream, Request};
use crate::upgrade::access::Answer;
use crate::upgrade::assemble;
use crate::upgrade::assess::assess;
use crate::upgrade::assessment::{Assessment, Subject, VerdictKind};
use crate::upgrade::facts::Facts;
use crate::upgrade::link::{Link, LinkState};
use crate::upgrade::memory::Memory;
use crate::upgrade::needs::Purpose;

fn at(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_795_000_000_000 + millis).unwrap()
}

fn node(name: &str, cordoned: bool) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name, "uid": format!("uid-{name}"), "resourceVersion": "7",
            "labels": {"node-role.kubernetes.io/worker": ""},
            "annotations": {
                "machineconfiguration.openshift.io/currentConfig": "rendered-worker-a",
                "machineconfiguration.openshift.io/desiredConfig": "rendered-worker-a",
                "machineconfiguration.openshift.io/state": "Done",
            },
        },
        "spec": {"unschedulable": cordoned},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    })
}

fn pool(paused: bool) -> Value {
    json!({
        "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfigPool",
        "metadata": {"name": "worker", "uid": "uid-pool", "resourceVersion": "9"},
        "spec": {
            "paused": paused, "configuration": {"name": "rendered-worker-a"},
            "nodeSelector": {"matchLabels": {"node-role.kubernetes.io/worker": ""}},
        },
        "status": {"configuration": {"name": "rendered-worker-a"}, "machineCount": 3},
    })
}

fn version() -> Value {
    json!({
        "apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion",
        "metadata": {"name": "version", "uid": "uid-version", "resourceVersion": "3"},
        "spec": {"clusterID": "11111111-2222-4333-8444-555555555555", "channel": "stable-4.18"},
        "status": {
            "desired": {"version": "4.18.22", "image": "quay.io/ocp@sha256:aa"},
            "history": [{"state": "Completed", "version": "4.18.22", "startedTime": "2026-10-20T10:00:00Z",
                         "completionTime": "2026-10-20T11:00:00Z"}],
            "conditions": [],
        },
    })
}

/// A picture of a small cluster in which everything may be done.
fn picture(paused: bool, link: LinkState, epoch: u64) -> Arc<Assessment> {
    let objects = [version(), pool(paused), node("worker-0", false), node("worker-1", false), node("worker-2", true)];
    let mut facts = assemble::from_values(&objects, at(0));
    facts.link = Link { state: link, heard: Some(at(0)), ..Link::recording() };
    facts.epoch = epoch;
    let mut access = (*facts.access).clone();
    access.user = Some("kube:admin".to_owned());
    access.answers = crate::actions::permissions().into_iter().map(|it| (it, Answer::Allowed)).collect();
    facts.access = Arc::new(access);
    Arc::new(assess(Arc::new(facts), &Memory::default(), at(0)))
}

fn live(paused: bool) -> Arc<Assessment> {
    picture(paused, LinkState::Live, 1)
}

fn start(config: &str, overrides: Overrides) -> App {
    let Loaded { config, warnings, places } = parse(config, "c.yaml").unwrap();
    let start = Start { config, overrides, depth: Depth::None, warnings, places, ..Start::default() };
    let mut nothing = Facts::nothing(at(0));
    nothing.epoch = 1;
    let nothing = Arc::new(assess(Arc::new(nothing), &Memory::default(), at(0)));
    let mut app = App::new(start, nothing, at(0));
    let context = |name: &str| Switchable { name: name.into(), cluster: "c".into(), user: "u".into() };
    let connected =
        Connected { context: "lab".into(), contexts: vec![context("lab"), context("prod")], ..Connected::default() };
    app.update(Msg::Connected(connected), at(0));
    app
}

/// An app that looks at the small cluster.
fn looking() -> App {
    let mut app = start("notify: {bell: false}", Overrides::default());
    app.update(Msg::Assessed(live(false)), at(0));
    app
}

fn pause() -> Request {
    Request::Plan(Ask::new(ActionId::PausePool, Target::pool("worker")))
}

fn rehearsal(plan: &Plan) -> Rehearsal {
    let step = |object: &str| Step { object: object.to_owned(), words: "would be accepted".into(), ok: true };
    Rehearsal {
        plan: plan.clone(),
        changed: false,
        steps: plan.writes.iter().map(|write| step(&write.object)).collect(),
        material: Material::default(),
    }
}

fn written(plan: &Plan) -> Vec<Written> {
    let write = |object: &String| Written {
        object: object.clone(),
        audit: AuditId(format!("audit-{object}")),
        words: "200".into(),
    };
    plan.writes.iter().map(|it| write(&it.object)).collect()
}

/// Asks for the plan; its ticket and the plan, with nothing of what it reads to be had.
fn ask(app: &mut App, wish: Request) -> (u64, Plan) {
    match app.fulfil(vec![wish]).as_slice() {
        [Effect::Rehearse { ticket, plan }] => {
            let (mut plan, mut material) = ((**plan).clone(), Material::default());
            while plan.reads.iter().any(|read| material.answer(read).is_none()) {
                material.answers.extend(plan.reads.drain(..).map(|read| (read, Err("not to be had".to_owned()))));
                plan = crate::actions::plan(&app.state.assessment, &app.state.session, &plan.ask(), &material).unwrap();
            }
            (*ticket, crate::actions::complete(plan, &material))
        }
        other => panic!("a plan leads to a rehearsal, not to {other:?}"),
    }
}

fn confirm(app: &mut App, plan: &Plan) -> Vec<Effect> {
    app.fulfil(vec![Request::Confirm { plan: Box::new(plan.clone()), answers: Vec::new() }])
}

/// Plans, rehearses and confirms; the number of the job and the plan.
fn send(app: &mut App, wish: Request) -> (u64, Plan) {
    let (ticket, plan) = ask(app, wish);
    app.update(Msg::Rehearsed { ticket, rehearsed: Box::new(Ok(rehearsal(&plan))) }, at(100));
    match confirm(app, &plan).as_slice() {
        [Effect::Execute { id, .. }] => (*id, plan),
        other => panic!("a confirmation leads to an execution, not to {other:?}"),
    }
}

fn state(app: &App, id: u64) -> JobState {
    app.state.jobs.shown().iter().find(|job| job.id == id).unwrap().state
}

fn said(app: &App) -> &str {
    app.state.flash.current().map_or("", |flash| flash.text.as_str())
}

#[test]
fn an_action_is_done_when_the_watch_shows_it_and_not_before() {
    let mut app = looking();
    let (id, plan) = send(&mut app, pause());
    let accepted = Outcome::Accepted { done: written(&plan) };
    let effects = app.update(Msg::JobDone { id, outcome: accepted }, at(200));
    assert!(matches!(effects.as_slice(), [Effect::Note(_)]), "the reply proves nothing: {effects:?}");
    assert_eq!(state(&app, id), JobState::Running);

    assert_eq!(app.update(Msg::Assessed(live(false)), at(300)), [], "nothing is seen yet");
    let effects = app.update(Msg::Assessed(live(true)), at(700));
    let proof = Proof::Seen { at: at(700) };
    assert_eq!(effects, [Effect::Prove { ids: vec![AuditId("audit-mcp/worker".into())], proof }]);
    assert_eq!(state(&app, id), JobState::Done);
    assert_eq!(app.state.jobs.shown()[0].words, "seen in the watch after 0.6 s");
}

#[test]
fn an_effect_that_is_not_seen_in_time_is_said_so_and_still_counts_when_it_comes() {
    let mut app = looking();
    let (id, plan) = send(&mut app, pause());
    app.update(Msg::JobDone { id, outcome: Outcome::Accepted { done: written(&plan) } }, at(200));
    assert_eq!(app.update(Msg::Tick, at(60_100)), [], "the wait begins with the answer");
    let effects = app.update(Msg::Tick, at(60_200));
    assert!(matches!(effects.as_slice(), [Effect::Prove { proof: Proof::NotSeen { .. }, .. }]), "{effects:?}");
    assert_eq!(state(&app, id), JobState::Unproven);
    assert!(said(&app).contains("sent, not seen"), "{}", said(&app));
    assert_eq!(app.update(Msg::Tick, at(62_000)), [], "it is said once");

    assert_eq!(app.update(Msg::Assessed(live(true)), at(90_000)), [], "the audit entry has ended");
    assert_eq!(state(&app, id), JobState::Done);
}

#[test]
fn a_plan_is_not_sent_before_the_server_rehearsed_it() {
    let mut app = looking();
    let (_, plan) = ask(&mut app, pause());
    assert_eq!(confirm(&mut app, &plan), []);
    assert!(said(&app).contains("dry run"), "{}", said(&app));
}

#[test]
fn a_plan_that_the_server_would_refuse_is_not_sent() {
    let mut app = looking();
    let (ticket, plan) = ask(&mut app, pause());
    let mut refused = rehearsal(&plan);
    refused.steps[0].ok = false;
    app.update(Msg::Rehearsed { ticket, rehearsed: Box::new(Ok(refused)) }, at(100));
    assert_eq!(confirm(&mut app, &plan), []);
}

#[test]
fn the_answer_to_an_older_question_is_ignored() {
    let mut app = looking();
    let (old, plan) = ask(&mut app, pause());
    let (new, _) = ask(&mut app, pause());
    assert_ne!(old, new);
    app.update(Msg::Rehearsed { ticket: old, rehearsed: Box::new(Ok(rehearsal(&plan))) }, at(100));
    assert_eq!(confirm(&mut app, &plan), [], "only the newest rehearsal counts");
    app.update(Msg::Rehearsed { ticket: new, rehearsed: Box::new(Ok(rehearsal(&plan))) }, at(100));
    assert!(matches!(confirm(&mut app, &plan).as_slice(), [Effect::Execute { .. }]));
    assert_eq!(confirm(&mut app, &plan), [], "a confirmation is good for one execution");
}

#[test]
fn what_is_copied_brings_no_control_characters() {
    let mut app = looking();
    let effects = app.fulfil(vec![Request::Copy("worker-0\u{1b}[201~ x\r\nsecond\u{7}".into())]);
    assert_eq!(effects, [Effect::Copy("worker-0\u{fffd}[201~ x\nsecond\u{fffd}".into())]);
}

#[test]
fn a_rehearsal_on_another_cluster_is_none() {
    let mut app = looking();
    let (old, elsewhere) = ask(&mut app, pause());
    app.update(Msg::Assessed(picture(false, LinkState::Live, 2)), at(50));
    let (new, plan) = ask(&mut app, pause());
    assert_ne!(old, new);
    app.update(Msg::Rehearsed { ticket: old, rehearsed: Box::new(Ok(rehearsal(&elsewhere))) }, at(100));
    assert_eq!(confirm(&mut app, &plan), []);
}

#[test]
fn what_another_cluster_shows_proves_nothing() {
    let mut app = looking();
    let (id, plan) = send(&mut app, pause());
    app.update(Msg::Assessed(picture(true, LinkState::Live, 2)), at(150));
    let accepted = Outcome::Accepted { done: written(&plan) };
    let effects = app.update(Msg::JobDone { id, outcome: accepted }, at(200));
    let proof = Proof::NotSeen { until: at(200) };
    assert_eq!(effects, [Effect::Prove { ids: vec![AuditId("audit-mcp/worker".into())], proof }]);
    assert_eq!(state(&app, id), JobState::Unproven);
    assert_eq!(app.update(Msg::Assessed(picture(true, LinkState::Live, 2)), at(300)), []);
    assert_eq!(state(&app, id), JobState::Unproven);
}

#[test]
fn a_plan_that_cannot_be_made_any_more_is_taken_away() {
    let mut app = looking();
    let (ticket, plan) = ask(&mut app, pause());
    let rehearsed = Box::new(Err(Refusal("the pool is gone".into())));
    app.update(Msg::Rehearsed { ticket, rehearsed }, at(100));
    assert_eq!(confirm(&mut app, &plan), []);
    assert_eq!(app.state.log.lines().back().unwrap().outcome, "the pool is gone");
}

#[test]
fn nothing_is_written_on_a_stale_picture() {
    let stale = LinkState::Stale { since: at(-5_000) };
    let mut app = looking();
    app.update(Msg::Assessed(picture(false, stale, 1)), at(0));
    assert_eq!(app.fulfil(vec![pause()]), [], "no plan is made");

    let mut app = looking();
    let (ticket, plan) = ask(&mut app, pause());
    app.update(Msg::Rehearsed { ticket, rehearsed: Box::new(Ok(rehearsal(&plan))) }, at(100));
    app.update(Msg::Assessed(picture(false, stale, 1)), at(200));
    assert_eq!(confirm(&mut app, &plan), [], "the picture went stale while the plan was on the screen");
}

#[test]
fn read_only_by_flag_by_file_and_by_context() {
    let flag = Overrides { read_only: Some(true), ..Overrides::default() };
    let write = Overrides { read_only: Some(false), ..Overrides::default() };
    let by_context = "contexts: {'prod*': {read-only: true, label: production}}";
    for (config, overrides, context, closed) in [
        ("", flag.clone(), "lab", true),
        ("read-only: true", Overrides::default(), "lab", true),
        ("read-only: true", write, "lab", false),
        (by_context, Overrides::default(), "lab", false),
        (by_context, Overrides::default(), "prod-eu1", true),
    ] {
        let mut app = start(config, overrides);
        app.update(Msg::Connected(Connected { context: context.into(), ..Connected::default() }), at(0));
        app.update(Msg::Assessed(live(false)), at(0));
        assert_eq!(app.fulfil(vec![pause()]).is_empty(), closed, "{config} {context}");
        assert_eq!(app.session().read_only.is_some(), closed, "{config} {context}");
        assert_eq!(app.state.connection.production, context == "prod-eu1");
    }
}

#[test]
fn recorded_objects_cannot_be_written() {
    let mut app = start("", Overrides::default());
    app.update(Msg::Assessed(picture(false, LinkState::Recording, 1)), at(0));
    assert_eq!(app.session().read_only.as_deref(), Some("this is a recording"));
}

#[test]
fn a_refused_write_fails_the_job_and_leaves_nothing_to_wait_for() {
    let mut app = looking();
    let (id, _) = send(&mut app, pause());
    let outcome = Outcome::Failed {
        done: Vec::new(),
        object: "mcp/worker".into(),
        words: "403: not allowed".into(),
        left: Vec::new(),
    };
    assert_eq!(app.update(Msg::JobDone { id, outcome }, at(200)), []);
    assert_eq!(state(&app, id), JobState::Failed);
    assert_eq!(app.state.log.lines().back().unwrap().outcome, "403: not allowed");
    assert_eq!(app.update(Msg::Tick, at(120_000)), []);
}

#[test]
fn what_was_written_before_a_failure_is_proved_all_the_same() {
    let mut app = looking();
    let nodes = Target::Nodes(vec!["worker-0".into(), "worker-1".into()]);
    let (ticket, waits) = ask(&mut app, Request::Plan(Ask::new(ActionId::CordonNodes, nodes)));
    // What several nodes reach was read meanwhile.
    let names = ["worker-0", "worker-1"].map(str::to_owned);
    let single = |name: &String| {
        let wish = Ask::new(ActionId::CordonNodes, Target::Nodes(vec![name.clone()]));
        let material = Material::default();
        crate::actions::plan(&live(false), &Session::default(), &wish, &material).unwrap().writes
    };
    let plan = Plan {
        writes: names.iter().flat_map(single).collect(),
        effect: crate::actions::Effect::NodesUnschedulable { nodes: names.to_vec(), unschedulable: true },
        reads: Vec::new(),
        ..waits
    };
    app.update(Msg::Rehearsed { ticket, rehearsed: Box::new(Ok(rehearsal(&plan))) }, at(100));
    let confirmed = confirm(&mut app, &plan);
    let [Effect::Execute { id, .. }] = confirmed.as_slice() else { panic!("it is not confirmed: {confirmed:?}") };
    let id = *id;
    let outcome = Outcome::Failed {
        done: written(&plan)[..1].to_vec(),
        object: "node/worker-1".into(),
        words: "409: conflict".into(),
        left: Vec::new(),
    };
    app.update(Msg::JobDone { id, outcome }, at(200));
    let objects = [version(), pool(false), node("worker-0", true), node("worker-1", false), node("worker-2", true)];
    let mut facts = assemble::from_values(&objects, at(0));
    facts.link.state = LinkState::Live;
    facts.epoch = 1;
    let seen = Arc::new(assess(Arc::new(facts), &Memory::default(), at(0)));
    let effects = app.update(Msg::Assessed(seen), at(300));
    assert!(matches!(effects.as_slice(), [Effect::Prove { ids, proof: Proof::Seen { .. } }] if ids.len() == 1));
    assert_eq!(state(&app, id), JobState::Failed, "the action as a whole did not come through");
}

#[test]
fn an_object_that_changed_in_between_is_shown_again_and_asked_about() {
    let mut app = looking();
    let (id, plan) = send(&mut app, pause());
    let outcome = Outcome::Changed {
        done: Vec::new(),
        plan: Box::new(plan.clone()),
        words: "worker-2 was cordoned".into(),
        left: Vec::new(),
    };
    let effects = app.update(Msg::JobDone { id, outcome }, at(200));
    let [Effect::Rehearse { ticket, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(state(&app, id), JobState::Failed);
    app.update(Msg::Rehearsed { ticket: *ticket, rehearsed: Box::new(Ok(rehearsal(&plan))) }, at(300));
    assert!(matches!(confirm(&mut app, &plan).as_slice(), [Effect::Execute { .. }]));
}

#[test]
fn a_job_can_be_stopped() {
    let mut app = looking();
    let (id, _) = send(&mut app, pause());
    assert_eq!(app.fulfil(vec![Request::CancelJob(id)]), [Effect::CancelJob(id)]);
    assert_eq!(state(&app, id), JobState::Cancelled);
    assert_eq!(app.fulfil(vec![Request::CancelJob(id)]), []);
}

#[test]
fn leaving_while_a_write_is_under_way_asks_once() {
    let mut app = looking();
    send(&mut app, pause());
    assert_eq!(app.fulfil(vec![Request::Quit]), []);
    assert!(said(&app).contains("quit again"), "{}", said(&app));
    assert_eq!(app.parting().len(), 1);
    assert!(app.parting()[0].contains("whether it was applied is not known"), "{:?}", app.parting());
    assert_eq!(app.fulfil(vec![Request::Quit]), [Effect::Quit]);
}

#[test]
fn a_second_ctrl_c_leaves_whatever_the_first_met() {
    let mut app = looking();
    send(&mut app, pause());
    app.update(Msg::Key(Key::ctrl('c')), at(300));
    assert_eq!(app.update(Msg::Key(Key::ctrl('c')), at(301)), [Effect::Quit]);
}

#[test]
fn another_cluster_ends_what_was_waited_for_in_the_old_one() {
    let mut app = looking();
    let (id, plan) = send(&mut app, pause());
    app.update(Msg::JobDone { id, outcome: Outcome::Accepted { done: written(&plan) } }, at(200));
    let effects = app.update(Msg::Assessed(picture(true, LinkState::Live, 2)), at(300));
    assert!(matches!(effects.as_slice(), [Effect::Prove { proof: Proof::NotSeen { .. }, .. }]), "{effects:?}");
    assert_eq!(state(&app, id), JobState::Cancelled);
}

#[test]
fn asking_again_keeps_what_is_known() {
    let mut app = looking();
    let (id, plan) = send(&mut app, pause());
    app.update(Msg::JobDone { id, outcome: Outcome::Accepted { done: written(&plan) } }, at(200));
    assert_eq!(app.fulfil(vec![Request::Refresh]), [Effect::Refresh]);
    let effects = app.update(Msg::Assessed(picture(true, LinkState::Live, 1)), at(300));
    assert!(matches!(effects.as_slice(), [Effect::Prove { proof: Proof::Seen { .. }, .. }]), "{effects:?}");
    assert_eq!(state(&app, id), JobState::Done);
}

#[test]
fn a_context_is_switched_when_it_exists_and_nothing_is_being_sent() {
    let mut app = looking();
    assert_eq!(app.fulfil(vec![Request::SwitchContext("moon".into())]), []);
    assert_eq!(app.fulfil(vec![Request::SwitchContext("prod".into())]), [Effect::SwitchContext("prod".into())]);
    send(&mut app, pause());
    assert_eq!(app.fulfil(vec![Request::SwitchContext("prod".into())]), []);
}

#[test]
fn reads_and_writes_are_in_the_command_log_as_oc_lines() {
    let mut app = looking();
    app.fulfil(vec![Request::Fetch(Subject::Node("worker-0".into()))]);
    app.update(Msg::Fetched { subject: Subject::Node("worker-0".into()), fetched: Ok(json!({})) }, at(50));
    let (id, plan) = send(&mut app, pause());
    app.update(Msg::JobDone { id, outcome: Outcome::Accepted { done: written(&plan) } }, at(200));
    let lines: Vec<(bool, &str, &str)> =
        app.state.log.lines().iter().map(|line| (line.write, line.oc.as_str(), line.outcome.as_str())).collect();
    let oc = plan.writes[0].oc.as_str();
    let dry = format!("{oc} --dry-run=server");
    assert!(lines.contains(&(false, "oc --context=lab get node worker-0 -o yaml", "200")), "{lines:?}");
    assert!(lines.contains(&(false, dry.as_str(), "would be accepted")), "{lines:?}");
    assert!(lines.contains(&(true, oc, "200")), "{lines:?}");
    assert!(lines.contains(&(false, "oc --context=lab get nodes --watch", "listed, watching")), "{lines:?}");
}

/// The small cluster with another verdict.
fn judged(kind: VerdictKind, rolling: bool) -> Arc<Assessment> {
    let mut assessment = (*live(false)).clone();
    assessment.verdict.kind = kind;
    assessment.verdict.why = "because".into();
    assessment.progress = rolling.then_some(50);
    Arc::new(assessment)
}

#[test]
fn a_person_is_told_when_it_gets_worse_when_needed_and_when_done() {
    use VerdictKind::{Completed, Failing, NeedsPerson, Slow, UpdatingPools};
    let story = |effects: &[Effect]| match effects {
        [] => None,
        [Effect::Bell, Effect::Notify(line), Effect::Hook { command, story }] => {
            assert_eq!(command, "page me");
            assert!(line.starts_with("lab: "), "{line}");
            Some(story.news)
        }
        other => panic!("{other:?}"),
    };
    let mut app = start("notify: {osc9: true, hook: page me}", Overrides::default());
    for (kind, rolling, expected) in [
        (UpdatingPools, true, None),
        (Slow, true, Some(News::Worse)),
        (Slow, true, None),
        (UpdatingPools, true, None),
        (NeedsPerson, true, Some(News::NeedsPerson)),
        (Failing, true, Some(News::Worse)),
        (NeedsPerson, true, Some(News::NeedsPerson)),
        (UpdatingPools, true, None),
        (Completed, false, Some(News::Done)),
        (Completed, false, None),
    ] {
        let effects = app.update(Msg::Assessed(judged(kind, rolling)), at(0));
        assert_eq!(story(&effects), expected, "{kind:?}");
    }
}

#[test]
fn the_first_picture_rings_no_bell() {
    let mut app = start("", Overrides::default());
    assert_eq!(app.update(Msg::Assessed(judged(VerdictKind::Failing, true)), at(0)), []);
}

#[test]
fn mistakes_of_the_configuration_are_said_and_do_not_stop_the_start() {
    let app = start("theme: mauve\ntab: cellar\nkeys: {hyper-x: quit}", Overrides::default());
    let first = app.state.flash.current().unwrap();
    assert_eq!(first.level, FlashLevel::Warning);
    assert!(first.text.contains("hyper-x"), "{}", first.text);
}

#[test]
fn each_mistake_of_the_configuration_is_told_with_its_place() {
    let told = |text: &str| {
        let loaded = parse(text, "c.yaml").unwrap();
        mistakes(&loaded.config, &loaded.places)
    };
    assert_eq!(told("theme: none\ntab: nodes\nkeys: {d: none}\ncolumns: {nodes: [node, zone]}"), Vec::<String>::new());
    let text = "theme: mauve\ntab: cellar\nkeys: {hyper-x: quit}\ncolumns:\n  nodes:\n  - node\n  - zon\n  pools: [pool]\n\
                actions: {forbid: [fly]}\ncontexts: {prod: {actions: {forbid: [swim]}}}\n";
    let told = told(text);
    for (line, start) in [
        "c.yaml:3:8: keys: ",
        "c.yaml:7:5: columns: `zon` is not a column, expected some of node, ",
        "c.yaml:8:3: columns: `pools` is not a table, expected one of operators, ",
        "c.yaml:1:1: no theme \"mauve\"; there are: ",
        "c.yaml:2:1: `cellar` is no tab",
        "c.yaml:9:11: actions.forbid: `fly` is no action; ",
        "c.yaml:10:29: contexts.prod.actions.forbid: `swim` is no action; ",
    ]
    .into_iter()
    .enumerate()
    {
        assert!(told[line].starts_with(start), "{told:#?}");
    }
    assert_eq!(told.len(), 7, "{told:#?}");
}

#[test]
fn a_message_goes_with_the_ticks() {
    let mut app = looking();
    app.update(Msg::Say(flash::info("saved")), at(0));
    app.update(Msg::Tick, at(4_000));
    assert_eq!(said(&app), "saved");
    app.update(Msg::Tick, at(6_000));
    assert_eq!(said(&app), "");
}

#[test]
fn the_header_names_the_user_that_the_server_names() {
    let app = looking();
    assert_eq!(app.state.connection.user, "kube:admin");
    assert_eq!(*app.session(), Session { context: "lab".into(), ..Session::default() });
}

/// Presses keys, as the keymap writes them.
fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    let key = |key: &str| key.parse::<Key>().unwrap();
    keys.split(' ').flat_map(|text| app.update(Msg::Key(key(text)), at(400))).collect()
}

#[test]
fn what_a_popup_needs_is_read_as_long_as_it_is_open() {
    let mut app = looking();
    let effects = press(&mut app, ": p r e f l i g h t enter");
    assert_eq!(effects, [Effect::Want(Purpose::Preflight.into())]);
    assert_eq!(app.update(Msg::Tick, at(500)), [], "it is said once");
    assert_eq!(press(&mut app, "esc"), [Effect::Want(Purpose::Watch.into())]);
    press(&mut app, ": u p d a t e s enter");
    let effects = app.update(Msg::Assessed(picture(false, LinkState::Live, 2)), at(600));
    assert!(effects.contains(&Effect::Want(Purpose::Watch.into())), "another cluster closes it: {effects:?}");
}

#[test]
fn a_log_is_read_as_long_as_it_is_open_and_the_command_log_tells_it() {
    let mut app = looking();
    let effects = press(&mut app, "4 l");
    let [Effect::Follow { ticket, ask }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(ask.of.query.node.as_deref(), Some("worker-0"));
    let stream =
        LogStream { namespace: "ns".into(), pod: "mcd-x".into(), container: "mcd".into(), ..LogStream::default() };
    let news = vec![LogNews::Reading { streams: vec![stream], chosen: 0 }];
    assert_eq!(app.update(Msg::Logged { ticket: *ticket, news: news.clone() }, at(500)), []);
    assert_eq!(app.state.log.lines().back().unwrap().oc, "oc --context=lab logs -n ns mcd-x -c mcd --follow");
    let effects = press(&mut app, "p");
    let [Effect::Follow { ticket: second, ask }] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(ask.previous && second != ticket);
    let lines = app.state.log.lines().len();
    app.update(Msg::Logged { ticket: *ticket, news }, at(600));
    assert_eq!(app.state.log.lines().len(), lines, "what came for another question is not told");
    assert_eq!(press(&mut app, "esc"), [Effect::Unfollow]);
}

#[test]
fn a_plan_that_means_something_else_by_now_is_marked_and_rehearsed_again() {
    let mut app = looking();
    let (ticket, plan) = ask(&mut app, pause());
    app.update(Msg::Rehearsed { ticket, rehearsed: Box::new(Ok(rehearsal(&plan))) }, at(100));
    let rehearses = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::Rehearse { .. }));
    // Somebody else has paused the pool meanwhile.
    assert!(!rehearses(&app.update(Msg::Assessed(live(true)), at(200))), "it is not possible any more");
    assert!(rehearses(&app.update(Msg::Assessed(live(false)), at(300))), "it is possible again, and asked about anew");
    assert!(confirm(&mut app, &plan).is_empty(), "not before the server has answered to it");
}

/// The screen as text.
fn drawn(app: &mut App) -> String {
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(240, 50)).unwrap();
    terminal.draw(|frame| app.draw(frame)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn a_plan_that_is_possible_again_does_not_say_that_it_is_not() {
    let mut app = looking();
    let (ticket, plan) = ask(&mut app, pause());
    app.update(Msg::Rehearsed { ticket, rehearsed: Box::new(Ok(rehearsal(&plan))) }, at(100));
    app.update(Msg::Assessed(live(true)), at(200));
    assert!(drawn(&mut app).contains("not possible any more: pool worker is paused already"));
    app.update(Msg::Assessed(live(false)), at(300));
    let screen = drawn(&mut app);
    assert!(screen.contains("possible again, after it was refused for a while"), "{screen}");
    assert!(!screen.contains("not possible any more"), "{screen}");
}

#[test]
fn what_an_action_is_decided_on_is_read_before_it_is_planned() {
    let wish = |id: ActionId| Ask::new(id, Target::Cluster);
    let waits = |id: &ActionId| !id.entry().needs.is_empty() && id.entry().accepts(&wish(*id)).is_ok();
    let Some(id) = ActionId::ALL.iter().copied().find(waits) else { return };
    let mut app = looking();
    assert!(app.fulfil(vec![Request::Plan(wish(id))]).is_empty());
    let kinds = id.entry().needs.iter().copied().collect();
    let wanted = crate::upgrade::needs::Wanted { purpose: Purpose::Watch, kinds };
    assert_eq!(app.update(Msg::Tick, at(10)), [Effect::Want(wanted)]);
    assert_eq!(press(&mut app, "esc"), [Effect::Want(Purpose::Watch.into())], "whoever waits no longer needs nothing");
}

#[test]
fn what_the_configuration_forbids_is_not_planned() {
    let mut app = start("{notify: {bell: false}, actions: {forbid: [pause-pool]}}", Overrides::default());
    app.update(Msg::Assessed(live(false)), at(0));
    assert!(app.fulfil(vec![pause()]).is_empty());
}
