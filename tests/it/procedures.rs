//! What the documents of procedures say is true: lines parse, keys exist, tests are there, and no action is left out.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use oc_cockpit::actions::{ActionId, split};
use oc_cockpit::cli;
use oc_cockpit::input::{Key, defaults};

const PROCEDURES: &str = include_str!("../../docs/procedures.md");
const NEVER: &str = include_str!("../../docs/never.md");
const WAIT: &str = "wait";

/// A row of a table.
#[derive(Debug)]
struct Row<'a> {
    heading: &'a str,
    cells: Vec<&'a str>,
}

/// The rows of all tables, without their heads.
fn rows(text: &str) -> Vec<Row<'_>> {
    let (mut heading, mut found) = ("", Vec::new());
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            heading = title;
        }
        let Some(inner) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else { continue };
        let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
        let head = cells.contains(&"Test") || cells.iter().all(|cell| cell.chars().all(|c| c == '-'));
        if !head {
            found.push(Row { heading, cells });
        }
    }
    found
}

/// The texts between backticks.
fn codes(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn steps() -> Vec<Row<'static>> {
    let steps = rows(PROCEDURES);
    assert!(steps.iter().all(|row| row.cells.len() == 4), "a row has four cells");
    steps
}

/// The names of all tests of this project.
fn tests() -> BTreeSet<String> {
    fn read(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, names);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let mut marked = false;
                for line in text.lines().map(str::trim) {
                    if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                        marked = true;
                    } else if let Some((before, rest)) = line.split_once("fn ")
                        && std::mem::take(&mut marked)
                        && (before.is_empty() || before == "async ")
                    {
                        names.extend(rest.split('(').next().map(str::to_owned));
                    }
                }
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    read(&root.join("src"), &mut names);
    read(&root.join("tests"), &mut names);
    names
}

#[test]
fn all_procedures_are_there() {
    let headings: BTreeSet<&str> =
        steps().iter().map(|row| row.heading.split_whitespace().next().unwrap_or_default()).collect();
    let wanted: Vec<String> = (1..=15).map(|number| format!("P{number}")).collect();
    let missing: Vec<&String> = wanted.iter().filter(|name| !headings.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_line_is_taken_by_the_command_line() {
    for row in steps() {
        let lines = codes(row.cells[2]);
        assert!(!lines.is_empty() || row.cells[2] == WAIT, "{row:?}: neither a line nor a wait");
        for line in lines {
            let words = split(line).unwrap();
            assert_eq!(words[0], "oc-cockpit", "{line}");
            if let Err(error) = cli::parse(words.iter().map(OsString::from)) {
                panic!("{line}: {error}");
            }
        }
    }
}

#[test]
fn every_key_and_every_command_exists() {
    let rules = defaults::rules();
    let words = include_str!("../../src/ui/command_line.rs");
    for row in steps() {
        let keys = codes(row.cells[1]);
        assert!(!keys.is_empty() || row.cells[1] == WAIT, "{row:?}: neither a key nor a wait");
        for key in keys {
            let Some(line) = key.strip_prefix(':') else {
                let key: Key = key.parse().unwrap_or_else(|_| panic!("{key} is no key"));
                assert!(rules.iter().any(|rule| rule.key == key), "{key} means nothing");
                continue;
            };
            let line = split(line).unwrap();
            match ActionId::named(&line[0]) {
                Some(action) => {
                    let entry = action.entry();
                    let (bare, values) =
                        entry.read(&line[1..]).unwrap_or_else(|refusal| panic!("{line:?}: {}", refusal.0));
                    if let Err(refusal) = entry.parts(&bare, values) {
                        panic!("{line:?}: {}", refusal.0);
                    }
                }
                None => assert!(words.contains(&format!("\"{}\"", line[0])), "`:{}` means nothing", line[0]),
            }
        }
    }
}

#[test]
fn every_test_that_is_named_exists_and_every_step_in_the_cluster_has_one() {
    let tests = tests();
    let mut checked = 0;
    for (row, test) in steps().iter().map(|row| (row, row.cells[3])) {
        let inside = !codes(row.cells[2]).is_empty();
        assert!(!inside || !codes(test).is_empty(), "{row:?}: no test goes through it");
    }
    for row in steps().iter().chain(&rows(NEVER)) {
        for name in codes(row.cells.last().unwrap()) {
            assert!(tests.contains(name), "{}: there is no test {name}", row.cells[0]);
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked}");
    assert!(rows(NEVER).iter().all(|row| row.cells.len() == 3 && codes(row.cells[2]).len() == 1));
}

#[test]
fn every_action_has_its_place_in_a_procedure() {
    let lines: Vec<&str> = steps().iter().flat_map(|row| codes(row.cells[2])).collect();
    let missing: Vec<&str> = ActionId::ALL
        .iter()
        .map(|id| id.name())
        .filter(|name| !lines.iter().any(|line| line.split_whitespace().nth(2) == Some(name)))
        .collect();
    assert!(missing.is_empty(), "no procedure uses {missing:?}");
}
