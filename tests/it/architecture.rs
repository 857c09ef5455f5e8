//! The import table of the house is true.
//!
//! Rooms may only name the rooms that the table below allows, the client library is used in one room, and the files
//! keep the few rules by which a newcomer finds things.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Room -> rooms it may import. `config` and `logging` are leaves that all may import.
const TABLE: &[(&str, &[&str])] = &[
    ("api", &[]),
    ("upgrade", &["api"]),
    ("actions", &["api", "upgrade"]),
    ("input", &["actions"]),
    ("ui", &["upgrade", "actions", "input"]),
    ("app", &["upgrade", "actions", "input", "ui"]),
    ("cluster", &["api", "upgrade", "actions", "clock"]),
    ("recorder", &["upgrade", "actions", "clock"]),
    ("snapshot", &["upgrade"]),
    ("report", &["upgrade", "actions"]),
    ("sim", &["clock"]),
    ("clock", &[]),
    ("config", &[]),
    ("logging", &[]),
    ("cli", &EVERY_ROOM),
    ("runtime", &EVERY_ROOM),
    ("main", &EVERY_ROOM),
    ("lib", &EVERY_ROOM),
];

const EVERY_ROOM: [&str; 16] = [
    "actions", "api", "app", "cli", "clock", "cluster", "config", "input", "logging", "recorder", "report", "runtime",
    "sim", "snapshot", "ui", "upgrade",
];

/// What only one room may use, and why.
const RESERVED: &[(&str, &[&str], &str)] = &[
    ("kube::Client", &["cluster"], "one room talks to an API server"),
    ("kube::Api", &["cluster"], "one room talks to an API server"),
    ("kube::client", &["cluster"], "one room talks to an API server"),
    ("kube::config", &["cluster"], "one room talks to an API server"),
    ("kube::runtime", &["cluster"], "one room talks to an API server"),
    ("crossterm::terminal", &["runtime"], "one room owns the terminal"),
    ("axum::", &["sim"], "one room serves"),
];

/// Rooms that never touch an async runtime: they are values and functions.
const PURE: &[&str] = &["api", "upgrade", "actions", "input", "ui", "app"];

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.sort();
    assert!(found.len() > 20, "the sources were not found");
    found
}

/// The room of a file: the first component of its path below `src`, without extension.
fn room(path: &Path) -> String {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Code without comments, so that a doc link is no import, and without the tests at the end of a file, which may build
/// what they need from other rooms.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = body.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// Rooms named by `crate::room` and by `use crate::{room, ...}`.
fn imports(code: &str) -> BTreeSet<String> {
    let ident = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let (mut depth, mut start) = (0, true);
            for (index, character) in group.char_indices() {
                match character {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    c if start && depth == 0 && c.is_alphabetic() => {
                        found.insert(ident(&group[index..]));
                        start = false;
                    }
                    _ => {}
                }
            }
        } else {
            found.insert(ident(rest));
        }
    }
    found
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let table: BTreeMap<_, _> = TABLE.iter().copied().collect();
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let room = room(&path);
        let allowed = table.get(room.as_str()).unwrap_or_else(|| panic!("no row for room {room}"));
        for import in imports(&code(&text)) {
            let leaf = import == "config" || import == "logging";
            let is_room = EVERY_ROOM.contains(&import.as_str());
            if is_room && import != room && !leaf && !allowed.contains(&import.as_str()) {
                broken.push(format!("{} imports {import}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_import_reader_sees_what_it_should() {
    let seen = imports("use crate::{ui, app::{self, Msg}, upgrade::facts::Facts}; let x = crate::clock::now();");
    let expected = ["app", "clock", "ui", "upgrade"].map(str::to_owned);
    assert_eq!(seen, BTreeSet::from(expected));
    assert!(imports(&code("// crate::ui\n")).is_empty());
}

#[test]
fn reserved_parts_stay_in_their_room() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let (room, code) = (room(&path), code(&text));
        for (part, rooms, why) in RESERVED {
            if code.contains(part) && !rooms.contains(&room.as_str()) {
                broken.push(format!("{} uses {part}: {why}", path.display()));
            }
        }
        if PURE.contains(&room.as_str()) && code.contains("tokio::") {
            broken.push(format!("{} uses tokio: {room} is pure", path.display()));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn files_keep_the_rules_of_the_house() {
    let mut stems: BTreeMap<(String, String), Vec<PathBuf>> = BTreeMap::new();
    for (path, text) in sources() {
        assert!(!path.ends_with("mod.rs"), "{}: `foo.rs` + `foo/`, no `mod.rs`", path.display());
        assert!(text.starts_with("//!"), "{}: a file starts by saying what it is", path.display());
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        stems.entry((room(&path), stem)).or_default().push(path);
    }
    for ((room, stem), paths) in stems {
        assert!(paths.len() == 1, "{stem} exists {} times in {room}: {paths:?}", paths.len());
    }
}

#[test]
fn every_room_is_in_the_table_and_exists() {
    let rooms: BTreeSet<String> = sources().iter().map(|(path, _)| room(path)).collect();
    let rows: BTreeSet<String> = TABLE.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(rooms, rows);
}
