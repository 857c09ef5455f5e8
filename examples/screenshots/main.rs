//! Makes the pictures of `screenshots/` from the simulated cluster: `screenshots/make`.
//!
//! The real program (app, client, work) is driven without a terminal, waits for what the screen shows, and is drawn as
//! SVG. No picture is made by hand.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)] // a tool for developers: it fails by panicking

mod svg;

use std::path::{Path, PathBuf};
use std::time::Duration;

use oc_cockpit::app::Start;
use oc_cockpit::cli::ServeArgs;
use oc_cockpit::cluster::Options;
use oc_cockpit::runtime::headless::Headless;
use oc_cockpit::runtime::simulator::Simulator;
use svg::Paper;

const LIMIT: Duration = Duration::from_secs(300);
const DARK: Paper = Paper { foreground: "#d5dae3", background: "#14181f" };
const LIGHT: Paper = Paper { foreground: "#24292f", background: "#ffffff" };

/// One picture: where it is taken and of what.
struct Shot {
    file: &'static str,
    title: &'static str,
    scenario: &'static str,
    size: (u16, u16),
    theme: &'static str,
    /// The screen has to show all of these before the keys are pressed.
    before: &'static [&'static str],
    keys: &'static [&'static str],
    /// And all of these after them.
    after: &'static [&'static str],
}

const WIDE: (u16, u16) = (140, 44);

const SHOTS: &[Shot] = &[
    Shot {
        file: "overview",
        title: "Overview: control plane and workers roll, one drain is blocked by a PodDisruptionBudget",
        scenario: "tour",
        size: WIDE,
        theme: "dark",
        before: &["drain blocked by shop/cart-0"],
        keys: &[],
        after: &[],
    },
    Shot {
        file: "overview-80x24",
        title: "The same at 80x24",
        scenario: "stuck-drain",
        size: (80, 24),
        theme: "dark",
        before: &["live", "cart-0"],
        keys: &[],
        after: &[],
    },
    Shot {
        file: "operators",
        title: "Operators by run level",
        scenario: "degraded-operator",
        size: WIDE,
        theme: "dark",
        before: &["live", "egraded"],
        keys: &["2"],
        after: &["etcd"],
    },
    Shot {
        file: "pools",
        title: "Pools: why a node waits, and which is next",
        scenario: "stuck-drain",
        size: WIDE,
        theme: "dark",
        before: &["live", "cart-0"],
        keys: &["3"],
        after: &["master"],
    },
    Shot {
        file: "nodes",
        title: "Nodes: the phases of each",
        scenario: "stuck-drain",
        size: WIDE,
        theme: "light",
        before: &["live", "cart-0"],
        keys: &["4"],
        after: &["master-0"],
    },
    Shot {
        file: "timeline",
        title: "Timeline: rebuilt from what the API remembers, then seen",
        scenario: "stuck-drain",
        size: WIDE,
        theme: "dark",
        before: &["live", "cart-0"],
        keys: &["6"],
        after: &["rebuilt at start", "cordoned"],
    },
    Shot {
        file: "plan",
        title: "A plan, before anything is sent",
        scenario: "stuck-drain",
        size: WIDE,
        theme: "dark",
        before: &["6 kinds", "cart-0"],
        keys: &["4", "/", "w", "o", "r", "k", "e", "r", "-", "4", "enter", "c"],
        after: &["dry run: the server takes it", "adm cordon worker-4"],
    },
    Shot {
        file: "finding",
        title: "A finding: what it means, what to do and how dangerous that is, what it rests on",
        scenario: "stuck-drain",
        size: WIDE,
        theme: "dark",
        before: &["live", "cart-0", "PDB"],
        keys: &["5", "enter"],
        after: &["What to do", "It rests on"],
    },
    Shot {
        file: "estimate",
        title: "How long it still takes, with the working",
        scenario: "tour",
        size: WIDE,
        theme: "dark",
        before: &["live", "left"],
        keys: &["e"],
        after: &["median"],
    },
    Shot {
        file: "preflight",
        title: "Is the cluster ready? The list, with why and what to do",
        scenario: "gate",
        size: WIDE,
        theme: "dark",
        before: &["live", "34/34"],
        keys: &[":", "p", "r", "e", "f", "l", "i", "g", "h", "t", "enter"],
        after: &["eady for"],
    },
    Shot {
        file: "help",
        title: "Help, from the real bindings",
        scenario: "minor",
        size: WIDE,
        theme: "high-contrast",
        before: &["live", "34/34", "4.18.22"],
        keys: &["?"],
        after: &["help"],
    },
];

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "screenshots".to_owned()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let only = std::env::args().nth(2);
    for shot in SHOTS.iter().filter(|shot| only.as_deref().is_none_or(|only| only == shot.file)) {
        match runtime.block_on(take(shot, &folder)) {
            Ok(path) => println!("{}", path.display()),
            Err(words) => {
                eprintln!("{}: {words}", shot.file);
                std::process::exit(1);
            }
        }
    }
}

async fn take(shot: &Shot, folder: &Path) -> Result<PathBuf, String> {
    let args = ServeArgs {
        scenario: Some(shot.scenario.to_owned()),
        speed: None,
        seed: Some(1),
        nodes: None,
        from: Vec::new(),
        fault: Vec::new(),
    };
    let (messages, _inbox) = tokio::sync::mpsc::unbounded_channel();
    let simulator = Simulator::start(args, messages).await?;
    let options = Options {
        kubeconfig: Some(simulator.kubeconfig().to_path_buf()),
        context: Some(simulator.context(false)),
        ..Options::default()
    };
    let home = simulator.kubeconfig().with_file_name("views");
    let start = Start {
        theme: shot.theme,
        audit: Some(home.join("audit.jsonl")),
        sim: Some(simulator.info()),
        ..Start::default()
    };
    let mut cockpit = Headless::open(options, start, home, shot.size);
    let shows = |parts: &'static [&'static str]| move |text: &str| parts.iter().all(|part| text.contains(part));
    cockpit.until(LIMIT, shows(shot.before)).await?;
    cockpit.press(shot.keys)?;
    cockpit.until(LIMIT, shows(shot.after)).await?;
    let paper = if shot.theme == "light" { &LIGHT } else { &DARK };
    let picture = svg::render(cockpit.buffer(), paper, shot.title);
    cockpit.close().await;
    let path = folder.join(shot.file).with_extension("svg");
    std::fs::write(&path, picture).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}
