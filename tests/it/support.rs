//! Helpers of the journeys: an own home, the real binary in a pseudo-terminal, a simulated cluster beside it.
//!
//! Everything waits for facts (a text on the screen, the end of a process), with a limit that only a defect reaches.

pub mod bench;
pub mod door;
pub mod facts;
pub mod hands;
pub mod lived;
pub mod sim;

use std::io::{BufRead, BufReader, Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use oc_cockpit::clock::instant;
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal};

/// What only a defect reaches; machines that build for others are slow.
pub const LIMIT: Duration = Duration::from_secs(90);

/// The binary.
pub const COCKPIT: &str = env!("CARGO_BIN_EXE_oc-cockpit");

/// Every field that occurs, as `pools[].capacity.free`; what these fields hold is left out.
pub fn fields(value: &serde_json::Value, at: &str, closed: &[&str], into: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(_) if closed.contains(&at) => {}
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                if !into.contains(&path) {
                    into.push(path.clone());
                }
                fields(value, &path, closed, into);
            }
        }
        serde_json::Value::Array(items) => {
            for item in items {
                fields(item, &format!("{at}[]"), closed, into);
            }
        }
        _ => {}
    }
}

/// A home of its own, removed at the end.
#[derive(Debug)]
pub struct Home(PathBuf);

impl Home {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("home-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("config/oc-cockpit")).unwrap();
        std::fs::create_dir_all(path.join("state")).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes the configuration file.
    pub fn configure(&self, text: &str) {
        std::fs::write(self.0.join("config/oc-cockpit/config.yaml"), text).unwrap();
    }

    /// A file in the state directory of the program.
    pub fn state(&self, name: &str) -> PathBuf {
        self.0.join("state/oc-cockpit").join(name)
    }

    /// The actions of the audit log in their order; each was answered, and seen in the watch.
    pub fn done(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.state("audit.jsonl")).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |kind: &str| lines.iter().filter(|line| line["line"] == kind).collect::<Vec<_>>();
        let (attempts, outcomes) = (of("attempt"), of("outcome"));
        assert_eq!(attempts.len(), outcomes.len(), "{text}");
        assert!(outcomes.iter().all(|line| line["effect"] == "seen"), "{text}");
        attempts.iter().map(|line| line["action"].as_str().unwrap().to_owned()).collect()
    }

    /// The environment of a program that lives here: nothing of the person who runs the tests.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.0.join(name).display().to_string();
        vec![
            ("HOME", path("")),
            ("XDG_CONFIG_HOME", path("config")),
            ("XDG_STATE_HOME", path("state")),
            ("TMPDIR", path("")),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("TERM", "xterm-256color".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("RUST_BACKTRACE", "0".to_owned()),
        ]
    }

    /// The binary without a terminal, run to its end.
    pub fn run(&self, args: &[&str]) -> std::process::Output {
        Command::new(COCKPIT).args(args).env_clear().envs(self.environment()).stdin(Stdio::null()).output().unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the home of the failed test stays: {}", self.0.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// A program in a pseudo-terminal.
pub struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    /// None: the terminal has hung up.
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    heard: Arc<(Mutex<Heard>, Condvar)>,
}

fn cells(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

/// What the program wrote so far.
struct Heard {
    parser: vt100::Parser,
    raw: Vec<u8>,
    ended: bool,
    /// Stop listening at the next word.
    release: bool,
}

impl Terminal {
    /// The cockpit on `sim`, as the user of `context`.
    pub fn on(home: &Home, sim: &Sim, context: &str, args: &[&str], size: (u16, u16)) -> Self {
        let mut all = sim.flags(context);
        all.extend(args.iter().map(ToString::to_string));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        Self::cockpit(home, &all, size)
    }

    /// The cockpit with `args` in a terminal of `columns` by `rows`.
    pub fn cockpit(home: &Home, args: &[&str], (columns, rows): (u16, u16)) -> Self {
        Self::cockpit_with(home, args, (columns, rows), &[])
    }

    /// The same with further environment variables.
    pub fn cockpit_with(home: &Home, args: &[&str], (columns, rows): (u16, u16), more: &[(&str, &str)]) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(COCKPIT);
        command.args(args);
        command.env_clear();
        for (name, value) in home.environment() {
            command.env(name, value);
        }
        for (name, value) in more {
            command.env(name, value);
        }
        command.cwd(home.path());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let heard = Heard {
            parser: vt100::Parser::new(cells(rows), cells(columns), 0),
            raw: Vec::new(),
            ended: false,
            release: false,
        };
        let heard = Arc::new((Mutex::new(heard), Condvar::new()));
        let shared = Arc::clone(&heard);
        std::thread::spawn(move || {
            let mut bytes = vec![0; 64 * 1024];
            loop {
                let count = reader.read(&mut bytes).unwrap_or(0);
                let mut heard = shared.0.lock().unwrap();
                if count == 0 || heard.release {
                    heard.ended = true;
                } else {
                    heard.parser.process(&bytes[..count]);
                    heard.raw.extend_from_slice(&bytes[..count]);
                }
                let ended = heard.ended;
                drop(heard);
                if ended {
                    // Closed before anybody hears of it.
                    drop(reader);
                    shared.1.notify_all();
                    return;
                }
                shared.1.notify_all();
            }
        });
        Self { child, master: Some(pair.master), writer: Some(writer), heard }
    }

    /// Types `text`; escape sequences for special keys.
    pub fn press(&mut self, text: &str) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Waits until `fact` holds of the screen, not for long: what has to be tried again when it does not come.
    pub fn soon(&self, fact: impl Fn(&vt100::Screen) -> bool) -> bool {
        let heard = self.heard.0.lock().unwrap();
        let patience = Duration::from_secs(4);
        let waited = self.heard.1.wait_timeout_while(heard, patience, |heard| !fact(heard.parser.screen())).unwrap();
        !waited.1.timed_out()
    }

    /// Waits until `fact` holds of the screen; fails with the screen when it does not.
    #[track_caller]
    pub fn wait(&self, what: &str, fact: impl Fn(&vt100::Screen) -> bool) {
        let end = instant() + LIMIT;
        let mut heard = self.heard.0.lock().unwrap();
        while !fact(heard.parser.screen()) {
            let left = end.saturating_duration_since(instant());
            if left.is_zero() || heard.ended {
                let text = heard.parser.screen().contents();
                let why = if heard.ended { "the program ended" } else { "nothing like that came" };
                drop(heard);
                panic!("waiting for {what}: {why}. The screen:\n{text}");
            }
            heard = self.heard.1.wait_timeout(heard, left).unwrap().0;
        }
    }

    /// Waits until the screen shows `text`.
    #[track_caller]
    pub fn wait_text(&self, text: &str) {
        self.wait(&format!("{text:?}"), |screen| screen.contents().contains(text));
    }

    /// Waits until the screen no longer shows `text`.
    #[track_caller]
    pub fn wait_gone(&self, text: &str) {
        self.wait(&format!("the end of {text:?}"), |screen| !screen.contents().contains(text));
    }

    /// Waits until some line of the screen contains all of `parts`.
    #[track_caller]
    pub fn wait_line(&self, parts: &[&str]) {
        self.wait(&format!("a line with {parts:?}"), |screen| {
            screen.contents().lines().any(|line| parts.iter().all(|part| line.contains(part)))
        });
    }

    /// Is that so of the screen now?
    pub fn see(&self, fact: impl Fn(&vt100::Screen) -> bool) -> bool {
        fact(self.heard.0.lock().unwrap().parser.screen())
    }

    /// What the screen shows now.
    pub fn text(&self) -> String {
        self.heard.0.lock().unwrap().parser.screen().contents()
    }

    /// Every byte that was written so far, as text.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.heard.0.lock().unwrap().raw).into_owned()
    }

    /// Another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.heard.0.lock().unwrap().parser.screen_mut().set_size(cells(rows), cells(columns));
        self.master.as_ref().unwrap().resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// The process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap()).unwrap()
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    /// Waits until the kernel says that the process is in one of these states (`T`: stopped, `S`: sleeping).
    #[track_caller]
    pub fn wait_state(&self, states: &str) {
        let path = format!("/proc/{}/stat", self.pid().as_raw_nonzero());
        let end = instant() + LIMIT;
        loop {
            let stat = std::fs::read_to_string(&path).unwrap_or_default();
            let state = stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next());
            if state.is_some_and(|state| states.contains(state)) {
                return;
            }
            assert!(instant() < end, "the process is {state:?}, not one of {states}");
            std::thread::yield_now();
        }
    }

    /// Closes the terminal under the program, as a terminal emulator that dies does; the exit code.
    #[track_caller]
    pub fn hang_up(&mut self) -> u32 {
        self.heard.0.lock().unwrap().release = true;
        // Makes the program say something, so that the listener wakes and lets go.
        self.resize(100, 30);
        let mut heard = self.heard.0.lock().unwrap();
        while !heard.ended {
            let (next, waited) = self.heard.1.wait_timeout(heard, LIMIT).unwrap();
            assert!(!waited.timed_out(), "the program says nothing at another size");
            heard = next;
        }
        drop(heard);
        self.master = None;
        self.writer = None;
        self.child.wait().unwrap().exit_code()
    }

    /// Waits for the end; the exit code.
    #[track_caller]
    pub fn end(&mut self) -> u32 {
        let end = instant() + LIMIT;
        let mut heard = self.heard.0.lock().unwrap();
        while !heard.ended {
            let left = end.saturating_duration_since(instant());
            if left.is_zero() {
                let text = heard.parser.screen().contents();
                drop(heard);
                panic!("the program did not end. The screen:\n{text}");
            }
            heard = self.heard.1.wait_timeout(heard, left).unwrap().0;
        }
        drop(heard);
        self.child.wait().unwrap().exit_code()
    }

    /// Is the terminal as a shell expects it: main screen, cursor shown, no paste or mouse mode, lines and echo?
    #[track_caller]
    pub fn assert_intact(&self) {
        {
            let heard = self.heard.0.lock().unwrap();
            let screen = heard.parser.screen();
            assert!(!screen.alternate_screen(), "still on the alternate screen");
            assert!(!screen.hide_cursor(), "the cursor is hidden");
            assert!(!screen.bracketed_paste(), "bracketed paste is on");
            assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        }
        assert_eq!(self.cooked(), Some(true), "the terminal is still raw");
    }

    /// Are lines and echo on? None: the terminal is gone.
    pub fn cooked(&self) -> Option<bool> {
        use rustix::termios::LocalModes;
        let wanted = (LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG).bits();
        self.master.as_ref()?.get_termios().map(|modes| modes.local_flags.bits() & wanted == wanted)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // A stopped process does not die of a mere signal until it goes on; KILL does not ask.
            let _ = rustix::process::kill_process(self.pid(), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// `oc-cockpit sim` as a process of its own.
#[derive(Debug)]
pub struct Sim {
    child: Child,
    pub kubeconfig: PathBuf,
}

impl Sim {
    /// Starts one and waits until it listens. Its kubeconfig lies in `home`.
    pub fn start(home: &Home, args: &[&str]) -> Self {
        let kubeconfig = home.path().join("sim-kubeconfig");
        let mut command = Command::new(COCKPIT);
        command.arg("sim").args(args).arg("--kubeconfig-out").arg(&kubeconfig);
        command.env_clear().envs(home.environment()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).find(|line| line.contains("https://"));
        assert!(ready.is_some(), "the simulated cluster did not say where it listens");
        // Whoever reads no more would make it fail at its next line.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, kubeconfig }
    }

    /// The flags by which the cockpit reaches it.
    pub fn flags(&self, context: &str) -> Vec<String> {
        let kubeconfig = self.kubeconfig.display().to_string();
        vec!["--kubeconfig".to_owned(), kubeconfig, "--context".to_owned(), context.to_owned()]
    }

    /// Sends a request to it, past the cockpit: by another client, as the admin of its kubeconfig.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> serde_json::Value {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let kubeconfig = kube::config::Kubeconfig::read_from(&self.kubeconfig).unwrap();
            let options = kube::config::KubeConfigOptions { context: Some("admin".into()), ..Default::default() };
            let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
            let client = kube::Client::try_from(config).unwrap();
            let request = http::Request::builder().method(method).uri(path);
            let request = request.header("content-type", "application/merge-patch+json");
            let text = client.request_text(request.body(body.as_bytes().to_vec()).unwrap()).await.unwrap();
            serde_json::from_str(&text).unwrap()
        })
    }

    /// A pool, as the server has it.
    pub fn pool(&self, name: &str) -> serde_json::Value {
        self.ask("GET", &format!("/apis/machineconfiguration.openshift.io/v1/machineconfigpools/{name}"), "")
    }

    /// A node, as the server has it.
    pub fn node(&self, name: &str) -> serde_json::Value {
        self.ask("GET", &format!("/api/v1/nodes/{name}"), "")
    }

    /// Throws a fault.
    pub fn throw(&self, fault: &str) {
        self.ask("POST", "/sim/faults", fault);
    }

    /// Waits until an object of it is as it should be, asking as another client; gives it back.
    #[track_caller]
    pub fn until(&self, path: &str, what: &str, truth: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let end = instant() + LIMIT;
        loop {
            let object = self.ask("GET", path, "");
            if truth(&object) {
                return object;
            }
            assert!(instant() < end, "{path}: not {what}: {object:#}");
            // Asking is all that can be done: a pause, so that others get on.
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Lets time pass in it at once, such as `6m`.
    pub fn pass(&self, span: &str) {
        self.ask("POST", "/sim/time", span);
    }

    /// Asks it to end, and waits.
    pub fn stop(&mut self) -> Option<i32> {
        let pid = Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, Signal::TERM);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
