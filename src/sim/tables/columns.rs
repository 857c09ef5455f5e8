//! The columns of each kind.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::sim::kinds::Res;
use crate::sim::tables::age;

/// One column.
pub struct Column {
    /// The heading.
    pub name: &'static str,
    /// The type of the cells: `string`, `integer`, `number`, `boolean`, `date`.
    pub kind: &'static str,
    /// `name` for the column that names the object.
    pub format: &'static str,
    /// 0 for the narrow table, above for `-o wide`.
    pub priority: u8,
    /// What the column tells.
    pub description: &'static str,
    /// The cell for an object.
    pub cell: Cell,
}

type Cell = Box<dyn Fn(&Value, DateTime<Utc>) -> Value>;

fn column(name: &'static str, kind: &'static str, cell: impl Fn(&Value, DateTime<Utc>) -> Value + 'static) -> Column {
    Column { name, kind, format: "", priority: 0, description: "", cell: Box::new(cell) }
}

fn name() -> Column {
    let cell = column("Name", "string", |object, _| object["metadata"]["name"].clone());
    Column { format: "name", description: "The object's name, unique for its kind and namespace.", ..cell }
}

fn created() -> Column {
    let cell = column("Age", "string", |object, now| age(object.pointer("/metadata/creationTimestamp"), now));
    Column { description: "How long ago the object was created.", ..cell }
}

/// The columns that `kubectl get` shows for a kind.
pub fn columns_of(res: Res) -> Vec<Column> {
    let _ = (res, json!(null));
    vec![name(), created()]
}
