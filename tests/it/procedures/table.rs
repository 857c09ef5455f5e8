//! The tables of docs/procedures.md: rows, and what is pressed in them.

use oc_cockpit::input::Key;

pub const PROCEDURES: &str = include_str!("../../../docs/procedures.md");
/// A cell of a step outside of the cluster.
pub const WAIT: &str = "wait";
/// A cell of a step inside the cluster that is refused on purpose.
pub const NEVER: &str = "[never](never.md)";

/// A row of a table.
#[derive(Debug)]
pub struct Row<'a> {
    pub heading: &'a str,
    pub cells: Vec<&'a str>,
}

/// The rows of all tables, without their heads.
pub fn rows(text: &str) -> Vec<Row<'_>> {
    let (mut heading, mut found) = ("", Vec::new());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            heading = title;
        }
        let Some(inner) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else { continue };
        let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
        let rule = |line: &str| line.starts_with('|') && line.chars().all(|c| matches!(c, '|' | '-'));
        let head = lines.peek().is_some_and(|next| rule(next)) || rule(line);
        if !head {
            found.push(Row { heading, cells });
        }
    }
    found
}

/// The texts between backticks.
pub fn codes(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// A step of a procedure.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// `P3`.
    pub procedure: &'static str,
    pub words: &'static str,
    pub keys: &'static str,
    pub line: &'static str,
}

/// All steps, in order.
pub fn steps() -> Vec<Step> {
    let steps = rows(PROCEDURES).into_iter().map(|row| {
        let [words, keys, line] = row.cells[..] else { panic!("{row:?}: a row has three cells") };
        Step { procedure: row.heading.split_whitespace().next().unwrap_or_default(), words, keys, line }
    });
    steps.collect()
}

impl Step {
    /// Is it outside of the cluster, or refused for good?
    pub fn waits(&self) -> bool {
        let idle = |cell: &str| cell == WAIT || cell == NEVER;
        assert_eq!(
            idle(self.keys),
            idle(self.line),
            "{}: {}: keys and line say different things",
            self.procedure,
            self.words
        );
        idle(self.keys)
    }

    /// The line, between its backticks.
    pub fn written_line(&self) -> &'static str {
        match codes(self.line)[..] {
            [line] if self.line.len() == line.len() + 2 => line,
            _ => panic!("{}: {}: one line between backticks, and nothing else", self.procedure, self.words),
        }
    }

    /// What is pressed, in order.
    pub fn presses(&self) -> Vec<Press> {
        presses(self.keys).unwrap_or_else(|why| panic!("{}: {}: {why}", self.procedure, self.words))
    }
}

/// Something that a person does at the keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Press {
    /// A key.
    Key(Key),
    /// A line behind `:`, with enter at its end.
    Line(String),
    /// To the row or entry with these words.
    To(String),
}

/// `` `4` **worker-3** `c` ``: a key, a row, a key.
fn presses(cell: &str) -> Result<Vec<Press>, String> {
    let (mut rest, mut found) = (cell.trim(), Vec::new());
    while !rest.is_empty() {
        if let Some((code, after)) = rest.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
            found.push(match code.strip_prefix(':').filter(|line| !line.is_empty()) {
                Some(line) => Press::Line(line.to_owned()),
                None => Press::Key(code.parse().map_err(|_| format!("{code} is no key"))?),
            });
            rest = after.trim_start();
        } else if let Some((words, after)) = rest.strip_prefix("**").and_then(|rest| rest.split_once("**")) {
            found.push(Press::To(words.to_owned()));
            rest = after.trim_start();
        } else {
            return Err(format!("neither a key nor a row: {rest}"));
        }
    }
    if found.is_empty() { Err("no key".to_owned()) } else { Ok(found) }
}
