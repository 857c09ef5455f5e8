//! `oc-cockpit do --list`: what can be done, for people and for programs.

use serde::Serialize;

use super::text::{Cell, Ink, Look, table};
use super::{API_VERSION, Report};
use crate::actions::{ActionId, ArgKind, Danger, Entry, FileKind, file_kinds};
use crate::upgrade::access::{Access, Answer};

/// The JSON: its fields in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// [`API_VERSION`].
    pub api_version: &'static str,
    /// `ActionList`.
    pub kind: &'static str,
    /// All of them, in the order of menu and help.
    pub actions: Vec<Row>,
    /// The kinds that `apply-file` and `delete-object` take.
    pub file_kinds: Vec<FileKind>,
}

/// An action.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// With what it takes: `pause-pool POOL...`.
    pub usage: String,
    /// What it does.
    pub summary: &'static str,
    /// How dangerous it can be, from the least to the most: `L`, `M`, `H`.
    pub dangers: &'static [Danger],
    /// The permissions that its requests need: `patch nodes`.
    pub permissions: Vec<String>,
    /// The values that it takes beside its target.
    pub args: Vec<Value>,
    /// The action that undoes it; null: none does.
    pub inverse: Option<&'static str>,
    /// May this user do it? Null: nobody asked (`--permitted` does), or the server did not say.
    pub permitted: Option<bool>,
    /// What is not permitted; empty otherwise.
    pub denied: Vec<String>,
}

/// A value that an action takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Value {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub words: &'static str,
    /// `text`, `number`, `flag` or `file`.
    pub kind: &'static str,
    /// It stands behind the target rather than behind `--name`.
    pub positional: bool,
    /// The action cannot be planned without it.
    pub required: bool,
    /// It may be given several times.
    pub several: bool,
}

/// The list; with `access`, what this user may do.
pub fn list(access: Option<&Access>) -> Document {
    Document {
        api_version: API_VERSION,
        kind: "ActionList",
        actions: ActionId::ALL.iter().map(|id| row(id.entry(), access)).collect(),
        file_kinds: file_kinds(),
    }
}

fn row(entry: &'static Entry, access: Option<&Access>) -> Row {
    let answers = |permission| access.and_then(|access| access.answer(permission));
    let denied = entry.permissions.iter().filter(|permission| matches!(answers(permission), Some(Answer::Denied(_))));
    let denied: Vec<String> = denied.map(super::super::upgrade::access::Permission::words).collect();
    let known = entry.permissions.iter().all(|permission| answers(permission).is_some());
    Row {
        name: entry.name,
        usage: entry.usage(),
        summary: entry.summary,
        dangers: entry.dangers,
        permissions: entry.permissions.iter().map(super::super::upgrade::access::Permission::words).collect(),
        args: entry
            .args
            .iter()
            .map(|arg| Value {
                name: arg.name,
                words: arg.words,
                kind: match arg.kind {
                    ArgKind::Text => "text",
                    ArgKind::Number => "number",
                    ArgKind::Flag => "flag",
                    ArgKind::File => "file",
                },
                positional: arg.positional,
                required: arg.required,
                several: arg.several,
            })
            .collect(),
        inverse: entry.inverse.map(ActionId::name),
        permitted: if denied.is_empty() { known.then_some(true) } else { Some(false) },
        denied,
    }
}

/// `L`, `L-H`.
pub fn dangers(dangers: &[Danger]) -> String {
    match dangers {
        [] => String::new(),
        [one] => format!("{one:?}"),
        [first, .., last] => format!("{first:?}-{last:?}"),
    }
}

impl Report for Document {
    fn text(&self, look: &Look) -> String {
        let asked = self.actions.iter().any(|row| row.permitted.is_some());
        let head: &[&str] =
            if asked { &["ACTION", "DANGER", "MAY", "WHAT IT DOES"] } else { &["ACTION", "DANGER", "WHAT IT DOES"] };
        let rows: Vec<Vec<Cell>> = self
            .actions
            .iter()
            .map(|row| {
                let mut cells = vec![Cell::from(row.name), Cell::from(dangers(row.dangers))];
                if asked {
                    cells.push(match row.permitted {
                        Some(true) => Cell::ink(Ink::Good, "yes"),
                        Some(false) => Cell::ink(Ink::Bad, "no"),
                        None => Cell::ink(Ink::Faint, "?"),
                    });
                }
                let permissions = match row.denied.as_slice() {
                    [] => format!("needs {}", row.permissions.join(", ")),
                    denied => format!("not permitted: {}", denied.join(", ")),
                };
                cells.push(Cell::from(format!("{}; {permissions}", row.summary)));
                cells
            })
            .collect();
        let kinds: Vec<Vec<Cell>> = self.file_kinds.iter().map(kind_cells).collect();
        let heads = ["APPLY-FILE TAKES", "DELETES", "WHICH"];
        format!("{}\n{}", table(look, head, &rows), table(look, &heads, &kinds))
    }
}

/// A kind that is applied from files; the longest words last, where they may wrap.
fn kind_cells(kind: &FileKind) -> Vec<Cell> {
    let mut which = kind.api_version.clone();
    if !kind.which.is_empty() {
        which = format!("{which} {}", kind.which);
    }
    let deletes = match kind.kept {
        None => Cell::from("yes"),
        Some(why) => {
            which = format!("{which}; never deleted: {why}");
            Cell::ink(Ink::Faint, "never")
        }
    };
    vec![Cell::from(kind.kind), deletes, Cell::from(which)]
}
