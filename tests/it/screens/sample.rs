//! Assessments by hand, in the middle of an upgrade and elsewhere.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use oc_cockpit::actions::Session;
use oc_cockpit::input::Keymap;
use oc_cockpit::ui::{Connection, ContextLine, Ctx, Depth, Flash, Job, LogLine, SimInfo, Theme};
use oc_cockpit::upgrade::assessment::{
    Assessment, Capacity, Cordon, DrainTrouble, Evidence, Finding, Impact, Level, Node, NodePhase, Offer, OperatorRow,
    OperatorState, Operators, Payload, Pool, Source, Step, StepState, Subject, Topology, Update, Verdict, VerdictKind,
};
use oc_cockpit::upgrade::estimate::Estimates;
use oc_cockpit::upgrade::facts::{Facts, Kind, KindState, KindStatus};
use oc_cockpit::upgrade::link::{Link, LinkState, Trouble, TroubleKind};
use oc_cockpit::upgrade::timeline::{Entry, Origin, Timeline};

/// The moment of all samples.
pub fn now() -> DateTime<Utc> {
    "2026-03-07T03:12:44Z".parse().unwrap()
}

/// So many seconds before [`now`].
pub fn ago(seconds: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(seconds)
}

/// Everything a [`Ctx`] borrows.
#[derive(Debug)]
pub struct World {
    pub assessment: Assessment,
    pub session: Session,
    pub keymap: Keymap,
    pub theme: Theme,
    pub connection: Connection,
    pub flash: Option<Flash>,
    pub jobs: Vec<Job>,
    pub log: VecDeque<LogLine>,
    pub sim: Option<SimInfo>,
    pub contexts: Vec<ContextLine>,
    pub now: DateTime<Utc>,
}

impl World {
    pub fn of(assessment: Assessment) -> Self {
        let context = |name: &str, current| ContextLine {
            name: name.into(),
            cluster: format!("api-{name}:6443"),
            user: "admin".into(),
            current,
        };
        Self {
            assessment,
            session: Session { context: "prod-eu1".into(), ..Session::default() },
            keymap: Keymap::default(),
            theme: Theme::built_in("dark", Depth::True, false).unwrap(),
            connection: Connection {
                context: "prod-eu1".into(),
                cluster: "api-prod-eu1:6443".into(),
                server: "https://api.prod-eu1.example.com:6443".into(),
                user: "admin".into(),
                source: "/home/ops/.kube/config".into(),
                production: false,
            },
            flash: None,
            jobs: Vec::new(),
            log: VecDeque::new(),
            sim: None,
            contexts: vec![context("prod-eu1", true), context("test-eu1", false)],
            now: now(),
        }
    }

    pub fn ctx(&self) -> Ctx<'_> {
        Ctx {
            assessment: &self.assessment,
            session: &self.session,
            keymap: &self.keymap,
            theme: &self.theme,
            now: self.now,
            connection: &self.connection,
            flash: self.flash.as_ref(),
            jobs: &self.jobs,
            log: &self.log,
            sim: self.sim.as_ref(),
            contexts: &self.contexts,
            audit: None,
        }
    }
}

/// Facts in which every kind is live.
pub fn live_facts() -> Facts {
    let mut facts = Facts::nothing(now());
    facts.link = Link {
        state: LinkState::Live,
        heard: Some(now() - TimeDelta::milliseconds(400)),
        latency: Some(TimeDelta::milliseconds(12)),
        trouble: None,
        expected_outage: None,
        clock_ahead: TimeDelta::zero(),
    };
    let state = KindState { status: KindStatus::Live, heard: Some(ago(1)), unreadable: Vec::new() };
    facts.kinds = Kind::CORE.into_iter().map(|kind| (kind, state.clone())).collect::<BTreeMap<_, _>>();
    facts
}

fn operator(name: &str, level: u8, state: OperatorState, age: i64) -> OperatorRow {
    let updated = matches!(state, OperatorState::Updated | OperatorState::Degraded);
    OperatorRow {
        name: name.into(),
        level: Some(level),
        platform: true,
        state,
        updated,
        available: state != OperatorState::Unavailable,
        progressing: state == OperatorState::Updating,
        degraded: state == OperatorState::Degraded,
        not_upgradeable: None,
        version: Some(if updated { "4.19.3" } else { "4.18.22" }.into()),
        since: Some(ago(age)),
        reason: if state == OperatorState::Degraded { "UpdatingNodeExporterFailed".into() } else { String::new() },
        message: if state == OperatorState::Degraded {
            "2 pods of daemon set openshift-monitoring/node-exporter are not ready".into()
        } else {
            String::new()
        },
        expected: state == OperatorState::Degraded,
        working_since: None,
        deadline: None,
        sync_error: None,
    }
}

fn operators() -> Operators {
    let names = [
        ("etcd", 20, 3_120),
        ("kube-apiserver", 20, 2_460),
        ("kube-controller-manager", 25, 2_200),
        ("kube-scheduler", 25, 2_100),
        ("authentication", 50, 1_800),
        ("console", 50, 1_700),
        ("image-registry", 50, 1_690),
        ("ingress", 50, 1_600),
        ("openshift-apiserver", 30, 1_900),
        ("storage", 50, 1_500),
        ("dns", 70, 1_200),
        ("network", 70, 1_100),
    ];
    let mut rows: Vec<OperatorRow> =
        names.iter().map(|(name, level, age)| operator(name, *level, OperatorState::Updated, *age)).collect();
    rows.push(operator("monitoring", 50, OperatorState::Degraded, 360));
    rows.push(operator("machine-config", 80, OperatorState::Updating, 900));
    rows.sort_by(|a, b| (a.level, &a.name).cmp(&(b.level, &b.name)));
    Operators { total: rows.len(), updated: 13, updating: 1, waiting: 0, unavailable: 0, degraded: 1, rows }
}

pub fn node(name: &str, pool: &str, zone: &str, phase: NodePhase, age: i64) -> Node {
    let done = phase == NodePhase::Done;
    let cordoned = matches!(
        phase,
        NodePhase::Cordoned | NodePhase::Draining | NodePhase::Applying | NodePhase::Rebooting | NodePhase::Back
    );
    Node {
        name: name.into(),
        pool: Some(pool.into()),
        zone: Some(format!("eu-central-1{zone}")),
        roles: vec![if pool == "infra" { "infra".into() } else { pool.to_owned() }],
        phase,
        since: Some(ago(age)),
        reached: None,
        phase_source: Source::MachineConfigNode,
        since_rebuilt: false,
        booted: None,
        ready: phase != NodePhase::Rebooting,
        cordon: cordoned.then(|| Cordon { by_mco: true, manager: None, since: Some(ago(age + 20)) }),
        version: Some(if done { "4.19.3" } else { "4.18.22" }.into()),
        kubelet: Some(if done { "v1.32.6" } else { "v1.31.10" }.into()),
        current_config: Some(format!("rendered-{pool}-{}", if done { "77b1" } else { "12af" })),
        desired_config: Some(format!("rendered-{pool}-77b1")),
        outside: None,
        unavailable: phase.moving(),
        message: String::new(),
        drain_trouble: None,
        next: None,
        blockers: Vec::new(),
        forecast: None,
    }
}

fn capacity(max: &str, free: usize, next: &[&str], why_none: &str) -> Capacity {
    Capacity {
        max_unavailable: 1,
        max_unavailable_spec: max.into(),
        unavailable: 1,
        failing: 0,
        free,
        next: next.iter().map(ToString::to_string).collect(),
        why_none: why_none.into(),
        busy: why_none.strip_prefix("at work on ").map(str::to_owned).into_iter().collect(),
        caveat: String::new(),
    }
}

pub fn pool(name: &str, nodes: &[Node]) -> Pool {
    let own = || nodes.iter().filter(|node| node.pool.as_deref() == Some(name));
    let count = |wanted: fn(&Node) -> bool| own().filter(|node| wanted(node)).count();
    Pool {
        name: name.into(),
        paused: false,
        paused_by: None,
        target: Some(format!("rendered-{name}-77b1")),
        target_version: Some("4.19.3".into()),
        total: own().count(),
        updated: count(|node| node.phase == NodePhase::Done),
        moving: count(|node| node.phase.moving()),
        draining: count(|node| node.phase == NodePhase::Draining),
        waiting: count(|node| matches!(node.phase, NodePhase::Waiting | NodePhase::Paused)),
        unavailable: count(|node| node.unavailable),
        degraded: count(|node| node.phase == NodePhase::Degraded),
        degraded_message: None,
        rolling_since: Some(ago(1_000)),
        changes_release: false,
        capacity: capacity("1", 0, &[], ""),
        layer: None,
        control_plane: name == "master",
    }
}

fn nodes() -> Vec<Node> {
    let mut nodes = vec![
        node("master-0", "master", "a", NodePhase::Done, 2_000),
        node("master-1", "master", "b", NodePhase::Done, 1_200),
        node("master-2", "master", "c", NodePhase::Rebooting, 192),
        node("worker-1", "worker", "a", NodePhase::Done, 2_400),
        node("worker-2", "worker", "b", NodePhase::Done, 1_900),
        node("worker-3", "worker", "a", NodePhase::Draining, 840),
        node("worker-4", "worker", "b", NodePhase::Done, 1_000),
        node("worker-5", "worker", "b", NodePhase::Waiting, 4_000),
        node("worker-6", "worker", "a", NodePhase::Done, 1_400),
        node("infra-0", "infra", "a", NodePhase::Paused, 4_000),
        node("infra-1", "infra", "b", NodePhase::Paused, 4_000),
        node("infra-2", "infra", "c", NodePhase::Paused, 4_000),
    ];
    nodes[5].drain_trouble = Some(DrainTrouble {
        since: Some(ago(840)),
        pods: vec!["shop/cart-0".into()],
        error: "Cannot evict pod as it would violate the pod's disruption budget: PDB shop/cart allows 0 of 1".into(),
    });
    nodes[7].next = Some(1);
    nodes[2].since_rebuilt = true;
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    nodes
}

fn findings() -> Vec<Finding> {
    let finding = |id, level, subject, title: &str, meaning: &str, age| Finding {
        id,
        level,
        impact: Impact::UpdateStalled,
        subject,
        resources: Vec::new(),
        title: title.into(),
        meaning: meaning.into(),
        remedies: Vec::new(),
        link: None,
        since: Some(ago(age)),
        first_seen: None,
        because: None,
        expected: false,
        evidence: vec![Evidence {
            object: "node/worker-3".into(),
            field: "Drained".into(),
            value: "Unknown".into(),
            at: Some(ago(age)),
        }],
    };
    let mut all = vec![
        finding(
            "drain-blocked",
            Level::Error,
            Subject::Node("worker-3".into()),
            "worker-3 drain blocked: pod shop/cart-0, PDB shop/cart allows 0 of 1",
            "The pool worker does not go on until this node is drained.\nScale shop/cart up, or make its pods healthy.",
            840,
        ),
        finding(
            "operator-degraded",
            Level::Warning,
            Subject::Operator("monitoring".into()),
            "monitoring is degraded: UpdatingNodeExporterFailed",
            "Daemon sets are never complete while nodes reboot.",
            360,
        ),
        finding(
            "pool-paused",
            Level::Warning,
            Subject::Pool("infra".into()),
            "pool infra is paused, 3 nodes are held back",
            "Unpause it when the window allows: 3 reboots.",
            180_000,
        ),
    ];
    all[1].expected = true;
    all
}

fn timeline() -> Timeline {
    let entry = |age, level, subject: &str, text: &str, origin| Entry {
        at: ago(age),
        level,
        subject: Subject::Node(subject.into()),
        text: text.into(),
        origin,
    };
    Timeline {
        entries: vec![
            Entry {
                subject: Subject::Version,
                ..entry(4_320, Level::Info, "", "update to 4.19.3 accepted", Origin::Rebuilt)
            },
            entry(2_000, Level::Info, "master-0", "done", Origin::Rebuilt),
            entry(872, Level::Info, "worker-3", "cordoned", Origin::Seen),
            entry(840, Level::Info, "worker-3", "drain started", Origin::Seen),
            entry(264, Level::Warning, "worker-3", "drain has failed for 10 min", Origin::Seen),
            entry(192, Level::Info, "master-2", "rebooting", Origin::Seen),
            Entry {
                subject: Subject::Pool("infra".into()),
                ..entry(60, Level::Info, "", "describe by admin", Origin::Action)
            },
        ],
        dropped: 0,
    }
}

fn rail() -> Vec<Step> {
    let step = |name, state, detail: &str, beside| Step { detail: detail.into(), beside, ..Step::new(name, state) };
    vec![
        step("preflight", StepState::Done, "", false),
        step("requested", StepState::Done, "", false),
        step("accepted", StepState::Done, "", false),
        step("operators", StepState::Done, "13/14", false),
        step("masters", StepState::Active, "2/3", false),
        Step {
            since: Some(ago(840)),
            waits: vec![
                "worker-3: 1 pod does not go: shop/cart-0".into(),
                "pool infra is paused: 3 nodes stay behind".into(),
            ],
            evidence: vec![Evidence {
                object: "mcp/worker".into(),
                field: "updated nodes".into(),
                value: "4 of 6".into(),
                at: None,
            }],
            ..step("pools", StepState::Trouble, "4/9", true)
        },
        step("verify", StepState::Todo, "", false),
    ]
}

fn assessment(nodes: Vec<Node>, pools: Vec<Pool>) -> Assessment {
    Assessment {
        now: now(),
        facts: Arc::new(live_facts()),
        generation: 1,
        openshift: Some(true),
        cluster_id: Some("0c1d".into()),
        image_based: None,
        verdict: Verdict {
            kind: VerdictKind::UpdatingPools,
            why: "the control plane operators are done, nodes of 2 pools roll".into(),
            since: Some(ago(1_000)),
            evidence: vec![Evidence {
                object: "clusterversion/version".into(),
                field: "Progressing".into(),
                value: "True".into(),
                at: Some(ago(4_320)),
            }],
        },
        update: Update {
            from: Some("4.18.22".into()),
            to: Some("4.19.3".into()),
            in_progress: true,
            started: Some(ago(4_320)),
            channel: Some("stable-4.19".into()),
            payload: Some(Payload::new(780, 912)),
            waiting_on: vec!["machine-config".into()],
            ..Update::default()
        },
        progress: Some(71),
        operators: operators(),
        pools,
        nodes: nodes.into(),
        topology: Topology::HighlyAvailable,
        compact: false,
        cycles: Arc::default(),
        rail: rail(),
        estimates: Estimates::default(),
        findings: findings(),
        timeline: Arc::new(timeline()),
    }
}

/// The middle of an upgrade: masters and workers roll, a drain is blocked, a pool is paused.
pub fn rolling() -> World {
    let nodes = nodes();
    let mut pools = vec![pool("master", &nodes), pool("worker", &nodes), pool("infra", &nodes)];
    pools[1].capacity = capacity("1", 0, &["worker-5", "worker-6"], "at work on worker-3");
    pools[2].paused = true;
    pools[2].paused_by = Some(("oc patch".into(), Some(ago(180_000))));
    pools[2].capacity = capacity("1", 1, &[], "the pool is paused");
    World::of(assessment(nodes, pools))
}

/// An idle cluster with updates on offer.
pub fn idle() -> World {
    let mut nodes = nodes();
    for node in &mut nodes {
        *node = super::sample::node(&node.name, node.pool.as_deref().unwrap(), "a", NodePhase::Done, 90_000);
    }
    let pools = vec![pool("master", &nodes), pool("worker", &nodes), pool("infra", &nodes)];
    let mut idle = assessment(nodes, pools);
    idle.verdict = Verdict {
        kind: VerdictKind::NotUpdating,
        why: "nothing rolls and nothing was asked for".into(),
        since: None,
        evidence: Vec::new(),
    };
    idle.update = Update {
        to: Some("4.18.22".into()),
        completed: Some(ago(864_000)),
        channel: Some("stable-4.19".into()),
        offers: vec![
            Offer { version: "4.19.3".into(), image: "quay.io/x@sha256:1".into(), risk: None, url: None },
            Offer {
                version: "4.18.25".into(),
                image: "quay.io/x@sha256:2".into(),
                risk: Some("SomeBug: nodes with that card lose the network".into()),
                url: None,
            },
        ],
        ..Update::default()
    };
    idle.progress = None;
    idle.rail = Vec::new();
    idle.findings = Vec::new();
    idle.timeline = Arc::default();
    for row in &mut idle.operators.rows {
        *row = operator(&row.name, row.level.unwrap(), OperatorState::Updated, 864_000);
    }
    idle.operators.updated = 14;
    idle.operators.degraded = 0;
    World::of(idle)
}

/// The API went away 41 s ago, because a master reboots.
pub fn stale() -> World {
    let mut world = rolling();
    let mut facts = live_facts();
    facts.link = Link {
        state: LinkState::Reconnecting { since: ago(41), attempts: 4 },
        heard: Some(ago(41)),
        latency: None,
        trouble: Some(Trouble {
            kind: TroubleKind::Refused,
            words: "nobody listens at api.prod-eu1.example.com:6443".into(),
            hint: String::new(),
            since: ago(38),
        }),
        expected_outage: Some("master-2 is rebooting".into()),
        clock_ahead: TimeDelta::zero(),
    };
    world.assessment.facts = Arc::new(facts);
    world
}

/// Nothing was heard yet.
pub fn nothing() -> World {
    let mut empty = assessment(Vec::new(), Vec::new());
    empty.facts = Arc::new(Facts::nothing(ago(2)));
    empty.verdict = Verdict { kind: VerdictKind::Unknown, why: String::new(), since: None, evidence: Vec::new() };
    empty.update = Update::default();
    empty.operators = Operators::default();
    empty.progress = None;
    empty.rail = Vec::new();
    empty.findings = Vec::new();
    empty.timeline = Arc::default();
    World::of(empty)
}

/// `n` worker nodes in three zones, a wave in the middle.
pub fn large(n: usize) -> World {
    let mut nodes: Vec<Node> = (0..n)
        .map(|at| {
            let phase = match at * 10 / n {
                0..=3 => NodePhase::Done,
                4 if at % 3 == 0 => NodePhase::Draining,
                4 if at % 3 == 1 => NodePhase::Rebooting,
                4 => NodePhase::Applying,
                _ => NodePhase::Waiting,
            };
            node(&format!("worker-{at:05}"), "worker", ["a", "b", "c"][at % 3], phase, at as i64)
        })
        .chain(nodes())
        .collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    let pools = vec![pool("master", &nodes), pool("worker", &nodes), pool("infra", &nodes)];
    World::of(assessment(nodes, pools))
}
