//! What lies over the panes.

use std::sync::Arc;

use insta::assert_snapshot;
use oc_cockpit::actions::drain::{NodeProgress, NodeState, PodProgress, PodState, Progress};
use oc_cockpit::actions::{
    ActionId, Args, Ask, Confirm, Danger, Effect, PatchKind, Plan, Precondition, Question, Read, Target, Verb,
    WantedUpdate, Write,
};
use oc_cockpit::ui::{Job, JobState, LogLine, Rehearsed, Request, SimFault, SimInfo, SimRequest};
use oc_cockpit::upgrade::assessment::{Blocker, Budget, Cause, Remedy, Subject};
use serde_json::{Value, json};

use super::Stage;
use super::sample;

fn stage() -> Stage {
    Stage::new(sample::rolling(), 120, 40)
}

fn worker_3() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": "worker-3", "uid": "7f0c", "resourceVersion": "48113", "creationTimestamp": "2025-01-02T08:00:00Z",
            "labels": {"node-role.kubernetes.io/worker": "", "topology.kubernetes.io/zone": "eu-central-1a"},
            "annotations": {"machineconfiguration.openshift.io/state": "Working", "note": "evil \u{1b}[31m text"},
            "managedFields": [{"manager": "machine-config-controller"}]
        },
        "spec": {"unschedulable": true, "providerID": "aws:///eu-central-1a/i-0"},
        "status": {"conditions": [
            {"type": "MemoryPressure", "status": "False", "lastTransitionTime": "2026-03-07T01:00:00Z", "reason": "KubeletHasSufficientMemory", "message": "kubelet has sufficient memory available"},
            {"type": "Ready", "status": "False", "lastTransitionTime": "2026-03-07T03:10:00Z", "reason": "KubeletNotReady", "message": "container runtime is down"}
        ]}
    })
}

#[test]
fn describe_tells_the_phase_the_trouble_and_the_bad_conditions_first() {
    let mut stage = stage();
    stage.keys("4 d").shows("The object: reading ...");
    stage.view.show_object(&Subject::Node("worker-3".into()), Ok(worker_3()));
    assert_snapshot!("describe_node", stage.screen());
    let screen = stage.screen();
    assert!(screen.find("Ready ").unwrap() < screen.find("MemoryPressure").unwrap());
    assert!(!screen.contains('\u{1b}'));
}

#[test]
fn an_object_that_cannot_be_read_says_why_beside_what_is_known() {
    let mut stage = stage();
    stage.keys("4 d");
    stage.view.show_object(&Subject::Node("worker-3".into()), Err("user jane may not get nodes".into()));
    stage.shows("user jane may not get nodes");
    stage.shows("drain blocked");
}

#[test]
fn yaml_is_searched_without_managed_fields() {
    let mut stage = stage();
    stage.keys("4 y");
    stage.view.show_object(&Subject::Node("worker-3".into()), Ok(worker_3()));
    assert_snapshot!("yaml_node", stage.screen());
    stage.lacks("managedFields");
    stage.keys("/").types("ready").shows("/ready 1/");
    stage.keys("enter n").shows("/ready 2/");
    stage.keys("N").shows("/ready 1/");
    stage.keys("esc").lacks("/ready");
    stage.keys("m").shows("managedFields");
    stage.keys("ctrl-s");
    let [Request::Save { extension, .. }] = stage.requests.as_slice() else { panic!("{:?}", stage.requests) };
    assert_eq!(*extension, "yaml");
    stage.keys("esc").lacks("apiVersion");
}

#[test]
fn help_is_made_of_the_real_bindings_those_that_work_here_first() {
    let mut stage = Stage::new(sample::rolling(), 120, 60);
    stage.keys("4 ?");
    assert_snapshot!("help_nodes", stage.screen());
    stage.keys("/").types("half").shows("never deletes");
    stage.lacks("as YAML");
}

#[test]
fn the_action_menu_names_danger_and_refusals() {
    let mut stage = stage();
    stage.keys("3 x");
    assert_snapshot!("menu_pool", stage.screen());
    stage.keys("esc").lacks("actions for pool");
}

fn write() -> Write {
    Write {
        object: "mcp/worker".into(),
        path: "/apis/machineconfiguration.openshift.io/v1/machineconfigpools/worker".into(),
        object_path: None,
        verb: Verb::Patch(PatchKind::Merge),
        secret: false,
        body: json!({"metadata": {"uid": "u", "resourceVersion": "7"}, "spec": {"paused": true}}),
        uid: Some("u".into()),
        resource_version: Some("7".into()),
        oc: "oc --context prod-eu1 patch mcp worker --type merge -p '{\"spec\":{\"paused\":true}}'".into(),
        stored: vec![("/spec/paused".into(), json!(true))],
    }
}

pub fn pause() -> Plan {
    Plan {
        action: ActionId::PausePool,
        target: Target::pool("worker"),
        undo: Vec::new(),
        args: Args::default(),
        title: "Pause pool worker".into(),
        danger: Danger::L,
        preconditions: vec![Precondition {
            words: "pool worker is not paused".into(),
            evidence: "mcp/worker spec.paused = false".into(),
        }],
        consequences: vec!["worker-3 is finished, no further node is taken".into()],
        reads: Vec::new(),
        writes: vec![write()],
        drain: None,
        back: Vec::new(),
        questions: Vec::new(),
        confirm: Confirm::Button,
        effect: Effect::PoolPaused { pool: "worker".into(), paused: true },
        inverse: Some(ActionId::UnpausePool),
        keepsake: None,
        strict_lock: false,
    }
}

pub fn update() -> Plan {
    Plan {
        action: ActionId::StartUpdate,
        target: Target::Version("4.19.3".into()),
        title: "Start the update to 4.19.3".into(),
        danger: Danger::H,
        consequences: vec!["every node reboots".into()],
        reads: vec![Read::PodsOn("worker-5".into())],
        questions: vec![Question::open("etcd-backup", "Where is the etcd backup?")],
        confirm: Confirm::Type("4.19.3".into()),
        effect: Effect::UpdateRequested(WantedUpdate { version: "4.19.3".into(), ..WantedUpdate::default() }),
        inverse: None,
        keepsake: None,
        strict_lock: true,
        ..pause()
    }
}

pub fn passed() -> Rehearsed {
    Rehearsed::DryRun { write: 0, result: Ok("200".into()) }
}

#[test]
fn a_plan_is_read_before_it_runs_and_the_safe_button_has_the_focus() {
    let mut stage = stage();
    stage.view.show_plan(pause());
    stage.shows("[ leave it ]");
    stage.shows("the dry run has not come back yet");
    stage.view.show_rehearsal(&Ask::new(ActionId::PausePool, Target::pool("worker")), passed());
    assert_snapshot!("plan_pause", stage.screen());
    stage.keys("enter");
    assert!(stage.requests.is_empty(), "the safe button does nothing");
    stage.lacks("leave it");
}

#[test]
fn a_plan_is_confirmed_only_after_the_dry_run() {
    let mut stage = stage();
    stage.view.show_plan(pause());
    stage.keys("tab enter");
    assert_eq!(stage.requests, [Request::Say("the dry run has not come back yet".into())]);
    stage.view.show_rehearsal(&Ask::new(ActionId::PausePool, Target::pool("infra")), passed());
    stage.keys("enter");
    assert!(matches!(stage.requests.as_slice(), [Request::Say(_)]), "news of another plan do not count");
    stage.view.show_rehearsal(&Ask::new(ActionId::PausePool, Target::pool("worker")), passed());
    stage.keys("enter");
    assert_eq!(stage.requests, [Request::Confirm { plan: Box::new(pause()), answers: Vec::new() }]);
}

#[test]
fn marks_are_gone_once_their_action_is_confirmed() {
    let mut stage = stage();
    stage.keys("4 space").shows("1 marked");
    let target = Target::Nodes(vec!["worker-3".into()]);
    let plan = Plan { action: ActionId::CordonNodes, target: target.clone(), ..pause() };
    stage.view.show_plan(plan.clone());
    stage.view.show_rehearsal(&Ask::new(ActionId::CordonNodes, target.clone()), passed());
    stage.keys("enter").shows("1 marked");
    stage.view.show_plan(plan);
    stage.view.show_rehearsal(&Ask::new(ActionId::CordonNodes, target.clone()), passed());
    stage.keys("tab enter").lacks("marked");
}

#[test]
fn a_refused_dry_run_cannot_be_confirmed() {
    let mut stage = stage();
    stage.view.show_plan(pause());
    let refused = Rehearsed::DryRun { write: 0, result: Err("422: spec.paused must be a boolean".into()) };
    stage.view.show_rehearsal(&Ask::new(ActionId::PausePool, Target::pool("worker")), refused);
    stage.shows("422: spec.paused must be a boolean");
    stage.keys("tab enter");
    assert_eq!(stage.requests, [Request::Say("the server refused the dry run".into())]);
    // Why stands on top: the requests may be below the fold.
    stage.shows("✖ mcp/worker: 422: spec.paused must be a boolean");
}

#[test]
fn a_plan_is_paged_while_its_field_has_the_keyboard() {
    let mut stage = Stage::new(sample::rolling(), 80, 19);
    stage.view.show_plan(update());
    stage.shows("pgdn 1-");
    stage.shows("What follows");
    stage.keys("pgdn").lacks("What follows");
    stage.shows("danger H");
    stage.keys("pgup").shows("What follows");
}

#[test]
fn a_dangerous_plan_wants_answers_and_the_typed_version() {
    let target = Target::Version("4.19.3".into());
    let mut stage = stage();
    stage.view.show_plan(update());
    stage.view.show_rehearsal(&Ask::new(ActionId::StartUpdate, target.clone()), passed());
    stage.shows("pods on worker-5: reading");
    let pods = Rehearsed::Read { read: Read::PodsOn("worker-5".into()), result: Ok(vec!["shop/cart-1".into()]) };
    stage.view.show_rehearsal(&Ask::new(ActionId::StartUpdate, target.clone()), pods);
    stage.types("s3://backups/etcd").keys("enter").types("4.19");
    assert_snapshot!("plan_update", stage.screen());
    stage.keys("enter tab enter");
    assert_eq!(stage.requests, [Request::Say("type 4.19.3 to confirm".into())]);
    stage.keys("shift-tab shift-tab").types(".3").keys("tab tab enter");
    let answers = vec![("etcd-backup".to_owned(), "s3://backups/etcd".to_owned())];
    assert_eq!(stage.requests, [Request::Confirm { plan: Box::new(update()), answers }]);
}

#[test]
fn what_has_to_be_typed_cannot_be_pasted() {
    let mut stage = stage();
    stage.view.show_plan(Plan { questions: Vec::new(), ..update() });
    stage.view.paste("4.19.3", &stage.world.ctx());
    stage.shows("type 4.19.3 to confirm: ");
    stage.lacks("confirm: 4.19.3");
}

#[test]
fn nothing_is_confirmed_on_a_stale_picture() {
    let mut stage = Stage::new(sample::stale(), 120, 40);
    stage.view.show_plan(pause());
    stage.view.show_rehearsal(&Ask::new(ActionId::PausePool, Target::pool("worker")), passed());
    stage.keys("tab enter");
    assert_eq!(stage.requests, [Request::Say("the picture is not live: no write is sent on it".into())]);
}

#[test]
fn a_plan_that_changed_is_shown_anew_and_has_to_be_read_again() {
    let target = Target::pool("worker");
    let mut stage = stage();
    stage.view.show_plan(pause());
    stage.view.show_rehearsal(&Ask::new(ActionId::PausePool, target.clone()), passed());
    stage.keys("tab");
    let plan = Box::new(Plan { consequences: vec!["now 2 nodes are under way".into()], ..pause() });
    let changed = Rehearsed::Changed { plan, why: "mcp/worker changed".into() };
    stage.view.show_rehearsal(&Ask::new(ActionId::PausePool, target.clone()), changed);
    stage.shows("mcp/worker changed: this is the new plan, read it again");
    stage.shows("now 2 nodes are under way");
    stage.shows("[ leave it ]");
}

#[test]
fn a_refusal_says_why_and_which() {
    let mut stage = stage();
    let target = Target::pool("master");
    stage.view.show_refusal(
        &Ask::new(ActionId::PausePool, target.clone()),
        "the pool master is never paused: certificates would expire",
    );
    stage.shows("pause pool master: refused");
    stage.shows("certificates would expire");
    stage.keys("esc").lacks("refused");
}

#[test]
fn the_command_log_tells_what_was_sent_and_what_became_of_it() {
    let mut world = sample::rolling();
    world.log.push_back(LogLine {
        at: sample::ago(20),
        write: false,
        oc: "oc get nodes -w".into(),
        outcome: "200".into(),
    });
    world.log.push_back(LogLine { at: sample::ago(5), write: true, oc: write().oc, outcome: "409 conflict".into() });
    world.jobs.push(Job {
        id: 1,
        title: "Pause pool worker".into(),
        state: JobState::Done,
        words: "seen in the watch after 0.3 s".into(),
        since: sample::ago(60),
        ended: Some(sample::ago(59)),
        drain: None,
    });
    let mut stage = Stage::new(world, 120, 40);
    stage.lacks("seen in the watch");
    stage.keys("@");
    assert_snapshot!("command_log", stage.screen());
}

#[test]
fn an_action_under_way_is_on_the_screen_and_can_be_stopped() {
    let mut world = sample::rolling();
    world.jobs.push(Job {
        id: 7,
        title: "Pause pool worker".into(),
        state: JobState::Running,
        words: "sent, waiting for the watch".into(),
        since: sample::ago(2),
        ended: None,
        drain: None,
    });
    let mut stage = Stage::new(world, 80, 24);
    stage.shows("◐ Pause pool worker: sent, waiting for the watch (2s)");
    stage.keys("ctrl-k");
    assert_eq!(stage.requests, [Request::CancelJob(7)]);
}

/// A drain of two nodes: a pod is refused by its budget, one is ending, one has to go yet.
fn drain(silent: bool) -> Progress {
    let pod = |name: &str, owner: Option<&str>, state: PodState, tries: u32| PodProgress {
        namespace: "shop".into(),
        name: name.into(),
        owner: owner.map(str::to_owned),
        state,
        tries,
        blocker: None,
    };
    let budget = Budget { name: "cart".into(), allowed: 0, healthy: 1, desired: 1, expected: 1, impossible: true };
    let mut cart = pod(
        "cart-0",
        Some("statefulset/cart"),
        PodState::Refused {
            words: "The disruption budget cart needs 1 healthy pods and has 1 currently".into(),
            since: sample::ago(95),
            next: sample::ago(-12),
        },
        6,
    );
    cart.blocker = Some(Blocker {
        namespace: "shop".into(),
        pod: "cart-0".into(),
        cause: Cause::Budget(budget),
        owner: Some("statefulset/cart".into()),
        since: None,
        frees: vec![
            Remedy::change(Danger::H, "Delete cart-0 although its budget forbids it.")
                .oc("oc delete pod -n shop cart-0"),
        ],
    });
    let ending = PodState::Ending { until: sample::ago(-34), finalizers: Vec::new() };
    let node =
        |name: &str, state, gone, pods| NodeProgress { name: name.into(), state, gone, pods, stays: [7, 2, 1, 0] };
    Progress {
        nodes: vec![
            node("worker-1", NodeState::Drained { at: sample::ago(130) }, 9, Vec::new()),
            node(
                "worker-4",
                NodeState::Draining { since: sample::ago(130) },
                5,
                vec![cart, pod("web-1", Some("deployment/web"), ending, 1), pod("seed", None, PodState::Waiting, 0)],
            ),
            node("worker-5", NodeState::Waiting, 0, Vec::new()),
        ],
        silent: silent.then(|| (sample::ago(20), "connection refused".to_owned())),
        deadline: Some(sample::ago(-400)),
        stopping: false,
    }
}

pub fn draining(silent: bool) -> sample::World {
    let mut world = sample::rolling();
    let progress = drain(silent);
    world.jobs.push(Job {
        id: 3,
        title: "Drain 3 nodes".into(),
        state: JobState::Running,
        words: progress.headline(),
        since: sample::ago(210),
        ended: None,
        drain: Some(Arc::new(progress)),
    });
    world
}

#[test]
fn a_drain_is_shown_as_it_goes_and_leads_to_what_frees_it() {
    let mut stage = Stage::new(draining(false), 120, 40);
    stage.shows("Drain 3 nodes: node 2 of 3, worker-4: 5 of 8 gone, 1 ending, refused: shop/cart-0 (3m30s)");
    stage.keys("D");
    assert_snapshot!("drain", stage.screen());
    stage.keys("x").shows("actions for pods shop/cart-0");
    stage.shows("Delete pod shop/cart-0");
    // What a pod means to its workload is only read for the plan.
    assert!(stage.screen().lines().any(|line| line.contains("Evict pod shop/cart-0") && line.contains("L-H")));
    stage.keys("esc tab x").shows("actions for pods shop/web-1");
    stage.keys("esc ctrl-k");
    assert_eq!(stage.requests, [Request::CancelJob(3)]);
    stage.keys("esc").lacks("draining for");
}

#[test]
fn a_drain_fits_a_small_terminal_and_tells_an_outage() {
    let mut stage = Stage::new(draining(true), 80, 24);
    stage.keys("D");
    assert_snapshot!("drain_small", stage.screen());
}

#[test]
fn what_is_in_the_way_of_a_plan_can_be_accepted_where_it_is_told() {
    let target = Target::Nodes(vec!["worker-3".into()]);
    let ask = Ask::new(ActionId::DrainNodes, target.clone());
    let plan = Plan { action: ActionId::DrainNodes, target, title: "Drain node worker-3".into(), ..pause() };
    let mut stage = stage();
    stage.view.show_plan(Plan { reads: vec![Read::Object("/api/v1".into())], writes: Vec::new(), ..plan });
    stage.shows("[ ] --force");
    stage.shows("[ leave it ]");
    stage.view.show_refusal(&ask, "nothing brings back shop/scratch (--force evicts them all the same)");
    assert_snapshot!("plan_drain_refused", stage.screen());
    stage.keys("tab enter");
    assert_eq!(stage.requests, [Request::Plan(ask.with("force", "true"))]);
}

#[test]
fn the_simulated_cluster_is_driven_from_its_popup() {
    let mut world = sample::rolling();
    world.sim = Some(SimInfo {
        kubeconfig: "/tmp/sim/kubeconfig".into(),
        url: "https://127.0.0.1:40123".into(),
        scenario: "tour".into(),
        seed: 7,
        speed: 5.0,
        faults: Vec::new(),
    });
    let mut stage = Stage::new(world, 120, 40);
    stage.keys(":").types("sim").keys("enter");
    assert_snapshot!("sim", stage.screen());
    stage.keys("Y");
    assert_eq!(stage.requests, [Request::Copy("export KUBECONFIG=/tmp/sim/kubeconfig".into())]);
    stage.keys("+");
    assert_eq!(stage.requests, [Request::Sim(SimRequest::Speed(10.0))]);
    stage.keys("enter");
    assert_eq!(stage.requests, [Request::Sim(SimRequest::Fault(SimFault::Outage { seconds: 20 }))]);
    stage.shows("scenario tour");
}

#[test]
fn contexts_are_chosen_from_a_list() {
    let mut stage = stage();
    stage.keys(":").types("ctx").keys("enter").shows("● prod-eu1");
    stage.keys("j enter");
    assert_eq!(stage.requests, [Request::SwitchContext("test-eu1".into())]);
}

#[test]
fn versions_are_chosen_with_their_risks_in_view() {
    let mut stage = Stage::new(sample::idle(), 120, 40);
    stage.keys("U").shows("4.18.25");
    assert_snapshot!("versions", stage.screen());
    stage.keys("enter");
    let wanted = Request::Plan(Ask::new(ActionId::StartUpdate, Target::Version("4.19.3".into())));
    assert_eq!(stage.requests, [wanted]);
}

#[test]
fn a_plan_can_be_confirmed_on_the_smallest_screen() {
    for (width, height) in [(60, 15), (80, 24)] {
        let mut stage = Stage::new(sample::rolling(), width, height);
        stage.view.show_plan(update());
        stage.shows("Where is the etcd backup?");
        stage.shows("type 4.19.3 to confirm");
        stage.shows("leave it");
        stage.keys("tab tab").shows("[ leave it ]");
        stage.keys("G").shows("dry run: waiting");
    }
}
