//! Tables: what `kubectl get` prints, made by the server.
//!
//! Belongs here: the shape of `meta.k8s.io/v1 Table`, ages, cells. The columns of each kind are in [`columns`].

pub mod columns;
mod nodes;
mod pods;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::sim::present::{Presentation, RowObject, partial};
use columns::{Column, columns_of};

/// A table of objects.
pub fn table<'v>(presentation: &Presentation, objects: impl Iterator<Item = &'v Value>, metadata: &Value) -> Value {
    let columns = columns_of(presentation.info.res());
    let definitions: Vec<Value> = columns.iter().map(definition).collect();
    let rows: Vec<Value> = objects.map(|object| row(presentation, &columns, object)).collect();
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    })
}

fn definition(column: &Column) -> Value {
    json!({
        "name": column.name,
        "type": column.kind,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    })
}

fn row(presentation: &Presentation, columns: &[Column], object: &Value) -> Value {
    let cells: Vec<Value> = columns.iter().map(|column| (column.cell)(object, presentation.now)).collect();
    match presentation.rows {
        RowObject::None => json!({"cells": cells}),
        RowObject::Metadata => json!({"cells": cells, "object": partial(object)}),
        RowObject::Object => json!({"cells": cells, "object": object}),
    }
}

/// How long ago something was, as `duration.HumanDuration` of apimachinery says it.
pub fn age(at: Option<&Value>, now: DateTime<Utc>) -> Value {
    let Some(text) = at.and_then(Value::as_str) else { return json!("<unknown>") };
    let Ok(at) = DateTime::parse_from_rfc3339(text) else { return json!("<invalid>") };
    json!(human_duration((now - at.with_timezone(&Utc)).num_seconds()))
}

/// A duration in two units at most, coarser the longer it is.
pub fn human_duration(seconds: i64) -> String {
    if seconds < -1 {
        return "<invalid>".to_owned();
    }
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let pair = |large: i64, unit: char, small: i64, small_unit: char| {
        if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{small}{small_unit}") }
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => pair(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => pair(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, 'd', hours % 24, 'h'),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => pair(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_get_coarser_as_they_grow() {
        let told: Vec<String> =
            [0, 119, 120, 599, 600, 10_799, 10_800, 12_060, 28_800, 172_800, 176_400, 691_200, 63_072_000]
                .into_iter()
                .map(human_duration)
                .collect();
        let expected = ["0s", "119s", "2m", "9m59s", "10m", "179m", "3h", "3h21m", "8h", "2d", "2d1h", "8d", "2y"];
        assert_eq!(told, expected);
        assert_eq!(human_duration(-5), "<invalid>");
    }
}
