//! The measured processes: the cockpit in a pseudo-terminal, the simulated cluster beside it, and what the kernel says
//! of them.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use oc_cockpit::clock::instant;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// What only a defect reaches.
const LIMIT: Duration = Duration::from_secs(120);

/// The release binary beside this example.
pub fn binary() -> PathBuf {
    let example = std::env::current_exe().unwrap();
    let binary = example.ancestors().nth(2).unwrap().join("oc-cockpit");
    assert!(binary.exists(), "{} is missing: run `cargo build --release` first", binary.display());
    binary
}

/// What the cockpit wrote so far.
struct Heard {
    parser: vt100::Parser,
    bytes: usize,
    first: Option<Instant>,
}

/// The cockpit in a pseudo-terminal of 200x60.
pub struct Cockpit {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    heard: Arc<(Mutex<Heard>, Condvar)>,
    pub started: Instant,
}

impl Cockpit {
    pub fn open(home: &Path, args: &[&str]) -> Self {
        let size = PtySize { rows: 60, cols: 200, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(binary());
        command.args(args);
        command.env("XDG_CONFIG_HOME", home.join("config"));
        command.env("XDG_STATE_HOME", home.join("state"));
        command.env("TERM", "xterm-256color");
        let (rows, columns) = (60.try_into().unwrap(), 200.try_into().unwrap());
        let heard = Heard { parser: vt100::Parser::new(rows, columns, 0), bytes: 0, first: None };
        let heard = Arc::new((Mutex::new(heard), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let started = instant();
        let child = pair.slave.spawn_command(command).unwrap();
        let shared = Arc::clone(&heard);
        std::thread::spawn(move || {
            let _master = pair.master;
            let mut bytes = vec![0; 1 << 18];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let mut heard = shared.0.lock().unwrap();
                heard.bytes += count;
                heard.parser.process(&bytes[..count]);
                if heard.first.is_none() && heard.parser.screen().contents().trim().len() > 20 {
                    heard.first = Some(instant());
                }
                shared.1.notify_all();
            }
        });
        Self { child, writer, heard, started }
    }

    pub fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// When the first frame was on the screen.
    pub fn first_frame(&self) -> Instant {
        self.heard.0.lock().unwrap().first.expect("a first frame")
    }

    /// Waits until the screen fulfils `fact`; when it did.
    pub fn until(&self, what: &str, fact: impl Fn(&str) -> bool) -> Instant {
        let end = instant() + LIMIT;
        let mut heard = self.heard.0.lock().unwrap();
        while !fact(&heard.parser.screen().contents()) {
            let left = end.saturating_duration_since(instant());
            assert!(!left.is_zero(), "waiting for {what}; the screen:\n{}", heard.parser.screen().contents());
            heard = self.heard.1.wait_timeout(heard, left).unwrap().0;
        }
        instant()
    }

    /// Bytes written to the terminal so far.
    pub fn bytes(&self) -> usize {
        self.heard.0.lock().unwrap().bytes
    }

    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }
}

impl Drop for Cockpit {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `oc-cockpit sim` as a process of its own.
pub struct Sim {
    child: Child,
    pub kubeconfig: PathBuf,
}

impl Sim {
    pub fn start(home: &Path, args: &[&str]) -> Self {
        let kubeconfig = home.join("kubeconfig");
        let mut command = Command::new(binary());
        command.arg("sim").args(args).arg("--kubeconfig-out").arg(&kubeconfig).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("https://")), "the simulated cluster did not start");
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, kubeconfig }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `oc-cockpit status`: how long it took from start to end, and the most memory that it was seen with, in KiB.
pub fn status(home: &Path, kubeconfig: &Path) -> (Duration, f64) {
    let mut command = Command::new(binary());
    command.args(["status", "--context", "admin", "--kubeconfig"]).arg(kubeconfig).stdout(Stdio::piped());
    command.env("XDG_CONFIG_HOME", home.join("config")).env("XDG_STATE_HOME", home.join("state"));
    let began = instant();
    let mut child = command.spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let pid = child.id();
    // The high-water mark only grows: the last one seen is the peak. What has ended has none.
    let peak = std::thread::spawn(move || {
        let mark = || memory_of(pid, "VmHWM");
        std::iter::from_fn(|| {
            std::thread::sleep(Duration::from_millis(2));
            mark()
        })
        .last()
    });
    let mut text = String::new();
    output.read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success() && !text.is_empty(), "status failed: {text}");
    let took = instant() - began;
    (took, peak.join().unwrap().unwrap_or_default())
}

/// A line of `/proc/PID/status` in KiB: `VmRSS`, `VmHWM`.
pub fn memory(pid: u32, line: &str) -> f64 {
    memory_of(pid, line).unwrap()
}

/// None: the process has ended.
fn memory_of(pid: u32, line: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find(|text| text.starts_with(line))?.split_whitespace().nth(1)?.parse().ok()
}

/// CPU seconds that a process used so far.
pub fn cpu(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / rustix::param::clock_ticks_per_second() as f64
}
