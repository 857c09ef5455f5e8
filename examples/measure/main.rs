//! Measures the budgets that criterion cannot: percentiles of frames; start, memory, idle cost, cost and latency under
//! load, and `status`, against a simulated cluster in a process of its own.
//!
//! `cargo build --release && cargo run --release --example measure` prints a table for 60, 2,000 and 5,000 nodes (or for
//! the numbers that it is given). Every start is compared with raw GETs of the same lists, from the same server, in the
//! same run.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)] // a tool for developers: it fails by panicking

mod frames;
mod picture;
mod process;
mod raw;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use oc_cockpit::clock::instant;
use process::{Cockpit, Sim, cpu, memory, status};

const STARTS: usize = 5;
const IDLE: Duration = Duration::from_secs(20);
const CHANGES: usize = 100;

fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![60, 2000, 5000] } else { sizes };
    let binary = std::fs::metadata(process::binary()).unwrap().len();
    println!("release binary: {:.1} MB (budget 15)", binary as f64 / 1e6);
    println!("\n== in this process");
    frames::judging(2000);
    frames::drawing(5000);
    for nodes in sizes {
        measure(nodes);
    }
}

fn measure(nodes: usize) {
    let home = Home::new(nodes);
    let count = nodes.to_string();
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/measure/quiet.yaml");
    let scenario = scenario.display().to_string();
    println!("\n== {nodes} workers, a MachineConfigNode each");
    {
        let sim = Sim::start(&home.0, &["--scenario", &scenario, "--nodes", &count]);
        starts(&home.0, &sim, nodes);
        once(&home.0, &sim);
        raw::dump(&sim.kubeconfig, &home.0.join("dump"));
    }
    {
        // The same objects with the controllers off: bookmarks and probes are all there is.
        let dump = home.0.join("dump").display().to_string();
        let sim = Sim::start(&home.0, &["--from", &dump]);
        idle(&home.0, &sim, nodes);
    }
    let sim = Sim::start(&home.0, &["--scenario", &scenario, "--nodes", &count, "--fault", "churn=1000"]);
    load(&home.0, &sim, nodes);
}

/// Start to first frame and to the first complete picture, against raw GETs of the same lists.
fn starts(home: &Path, sim: &Sim, nodes: usize) {
    let mut frames = Vec::new();
    let mut pictures = Vec::new();
    let mut raws = Vec::new();
    for _ in 0..STARTS {
        raws.push(raw::lists(&sim.kubeconfig));
        let cockpit = open(home, sim);
        let complete = complete(&cockpit, nodes);
        frames.push(cockpit.first_frame() - cockpit.started);
        pictures.push(complete - cockpit.started);
    }
    let (raw, picture) = (median(&mut raws), median(&mut pictures));
    println!("first frame               {:>8.1} ms  (budget 50)", millis(median(&mut frames)));
    println!("raw GETs of the lists     {:>8.1} ms", millis(raw));
    println!(
        "first complete picture    {:>8.1} ms  (budget raw + 150: {:+.1}; ratio {:.2})",
        millis(picture),
        millis(picture) - millis(raw),
        picture.as_secs_f64() / raw.as_secs_f64()
    );
}

/// `status` in one shot, against raw GETs of the lists of which each verdict is made (it reads what is around an update
/// too).
fn once(home: &Path, sim: &Sim) {
    let (mut raws, mut times) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        raws.push(raw::lists(&sim.kubeconfig));
        times.push(status(home, &sim.kubeconfig).0);
    }
    let (raw, time) = (median(&mut raws), median(&mut times));
    let peak = status(home, &sim.kubeconfig).1 / 1024.0;
    println!(
        "status                    {:>8.1} ms  (raw {:.1} ms, ratio {:.2}, budget 1.3 at 2,000), peak {peak:.1} MiB",
        millis(time),
        millis(raw),
        time.as_secs_f64() / raw.as_secs_f64()
    );
}

/// Memory, and what nothing costs.
fn idle(home: &Path, sim: &Sim, nodes: usize) {
    let cockpit = open(home, sim);
    complete(&cockpit, nodes);
    std::thread::sleep(Duration::from_secs(3));
    let (before, bytes) = (cpu(cockpit.pid()), cockpit.bytes());
    std::thread::sleep(IDLE);
    let seconds = IDLE.as_secs_f64();
    println!(
        "resident memory           {:>8.1} MiB (budget 64; peak {:.1})",
        mib(&cockpit, "VmRSS"),
        mib(&cockpit, "VmHWM")
    );
    println!("idle CPU                  {:>8.2} %   (budget 0.5)", (cpu(cockpit.pid()) - before) / seconds * 100.0);
    println!("idle bytes to the screen  {:>8.2} KiB/s (budget 2)", (cockpit.bytes() - bytes) as f64 / 1024.0 / seconds);
}

/// 1,000 changed objects a second: the cost, and how long a change takes to the screen.
fn load(home: &Path, sim: &Sim, nodes: usize) {
    let mut cockpit = open(home, sim);
    complete(&cockpit, nodes);
    cockpit.press("4");
    cockpit.until("the nodes", |screen| screen.contains("master-0"));
    let admin = raw::Admin::new(&sim.kubeconfig);
    let (before, began) = (cpu(cockpit.pid()), instant());
    let mut latencies = Vec::new();
    for turn in 0..CHANGES {
        let mark = format!("v9.{turn}.0");
        // From before the request is sent: the answer of the server is part of what a person waits for.
        let sent = instant();
        admin.set_kubelet_version("master-0", &mark);
        latencies.push(cockpit.until(&mark, |screen| screen.contains(&mark)) - sent);
    }
    let used = (cpu(cockpit.pid()) - before) / (instant() - began).as_secs_f64() * 100.0;
    let median = median(&mut latencies);
    println!("CPU at 1,000 changes/s    {used:>8.1} %   (budget 30)");
    println!(
        "change to screen          {:>8.1} ms p50, {:.1} ms p99 (budget 50), sent by a request of {:.1} ms",
        millis(median),
        millis(p99(&latencies)),
        millis(admin.median_request())
    );
}

fn open(home: &Path, sim: &Sim) -> Cockpit {
    let kubeconfig = sim.kubeconfig.display().to_string();
    Cockpit::open(home, &["--kubeconfig", &kubeconfig, "--context", "admin"])
}

/// Waits until header and panes show every kind: no pane waits, and the last node is counted.
fn complete(cockpit: &Cockpit, nodes: usize) -> Instant {
    let workers = format!("{nodes}/{nodes}");
    cockpit.until("the complete picture", |screen| screen.contains(&workers) && !screen.contains("waiting for"))
}

fn mib(cockpit: &Cockpit, line: &str) -> f64 {
    memory(cockpit.pid(), line) / 1024.0
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Brings them in their order.
fn median(durations: &mut [Duration]) -> Duration {
    durations.sort_unstable();
    durations[durations.len() / 2]
}

/// Of durations in their order.
fn p99(durations: &[Duration]) -> Duration {
    durations[durations.len() * 99 / 100 - 1]
}

/// A folder for one run, removed at its end.
struct Home(PathBuf);

impl Home {
    fn new(nodes: usize) -> Self {
        let path = std::env::temp_dir().join(format!("oc-cockpit-measure-{}-{nodes}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
