//! `v1 Event`: what a component said once.

use chrono::{DateTime, Utc};

use super::lens::{kind, part};
use super::metadata::{Keeps, created};

kind! {
    /// An Event.
    pub struct Event in "" / "v1" as "events", NamespaceResourceScope {
        metadata: Keeps::NOTHING,
        /// What it is about.
        "involvedObject" => pub involved_object: InvolvedObject,
        /// A word for machines.
        "reason" => pub reason: String,
        /// A sentence for people.
        "message" => pub message: String,
        /// `Normal` or `Warning`.
        "type" => pub event_type: String,
        /// How often.
        "count" => pub count: i64,
        /// First time.
        "firstTimestamp" => pub first: Option<DateTime<Utc>>,
        /// Last time.
        "lastTimestamp" => pub last: Option<DateTime<Utc>>,
        /// Time, in the newer form.
        "eventTime" => pub event_time: Option<DateTime<Utc>>,
        /// Repetitions, in the newer form.
        "series" => pub series: Option<EventSeries>,
        /// Who said it.
        "source" => pub source: EventSource,
        /// Who said it, in the newer form.
        "reportingComponent" => pub reporting_component: String,
    }
}

part! {
    /// What an Event is about.
    pub struct InvolvedObject {
        /// Kind.
        "kind" => pub kind: String,
        /// Namespace; empty for cluster-scoped objects.
        "namespace" => pub namespace: String,
        /// Name.
        "name" => pub name: String,
    }
}

part! {
    /// Repetitions of an Event.
    pub struct EventSeries {
        /// How often.
        "count" => pub count: i64,
        /// Last time.
        "lastObservedTime" => pub last: Option<DateTime<Utc>>,
    }
}

part! {
    /// Who said an Event.
    pub struct EventSource {
        /// Component.
        "component" => pub component: String,
        /// Host.
        "host" => pub host: String,
    }
}

impl Event {
    /// When it was last said.
    pub fn last_at(&self) -> Option<DateTime<Utc>> {
        self.series
            .as_ref()
            .and_then(|series| series.last)
            .or(self.last)
            .or(self.event_time)
            .or(self.first)
            .or_else(|| created(&self.metadata))
    }

    /// When it was first said.
    pub fn first_at(&self) -> Option<DateTime<Utc>> {
        self.first.or(self.event_time).or(self.last).or_else(|| created(&self.metadata))
    }

    /// Who said it.
    pub fn component(&self) -> &str {
        if self.source.component.is_empty() { &self.reporting_component } else { &self.source.component }
    }

    /// How often it was said.
    pub fn times(&self) -> i64 {
        self.series.as_ref().map_or(self.count, |series| series.count).max(1)
    }
}
