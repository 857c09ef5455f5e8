//! `status`, `updates`, `preflight` and `open`: the flags of the commands that answer, and of recordings.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{ArgAction, Args};

use super::Connect;
use crate::report::Format;
use crate::report::status::Details;
use crate::upgrade::needs::Purpose;

/// What is looked at: a cluster, or a recording of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Recording")]
pub struct Source {
    /// Answer from a dump instead of a cluster: files of `oc get -o yaml` or `-o json`, folders or archives (.tar, .tar.gz)
    /// of `oc adm inspect` and must-gather
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub from: Vec<PathBuf>,
    /// Moment to judge the dump at, as 2026-03-01T11:20:00Z, in place of the newest time in it
    #[arg(long, value_name = "TIME", value_parser = moment, requires = "from")]
    pub now: Option<DateTime<Utc>>,
}

/// `oc-cockpit status`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct StatusArgs {
    /// Form of the answer: text, json or yaml
    #[arg(long, short, value_name = "FORM", default_value_t = Format::Text, value_parser = form)]
    pub output: Format,
    /// What the text tells at length: none, all, nodes, health, operators or image; json and yaml tell all of it anyway
    #[arg(long, value_name = "WHAT", default_value = "none", value_parser = details)]
    pub details: Details,
    /// Say by the exit code where the update stands: 0, 3, 4 or 5, see below
    #[arg(long)]
    pub exit_code: bool,
    /// Go on, and answer again whenever the answer changed; json is then one document a line
    #[arg(long, short, conflicts_with = "from")]
    pub watch: bool,
    /// Where it looks.
    #[command(flatten)]
    pub source: Source,
    /// How to reach the cluster.
    #[command(flatten)]
    pub connect: Connect,
}

impl StatusArgs {
    /// What is read for it. Only a cluster that is upgraded by images has more to read for the details.
    pub fn purpose(&self) -> Purpose {
        let all = self.details.image || self.output != Format::Text;
        if all { Purpose::ImageBased } else { Purpose::Watch }
    }
}

/// What `updates` and `preflight` share: the form of the answer, and what it is made from.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Answer {
    /// Form of the answer: text, json or yaml
    #[arg(long, short, value_name = "FORM", default_value_t = Format::Text, value_parser = form)]
    pub output: Format,
    /// Where it looks.
    #[command(flatten)]
    pub source: Source,
    /// How to reach the cluster.
    #[command(flatten)]
    pub connect: Connect,
}

/// `oc-cockpit updates`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct UpdatesArgs {
    /// Tell this version in detail
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// All versions, not only the two newest of each minor
    #[arg(long)]
    pub all: bool,
    /// Issues that are known and accepted, by name, separated by commas
    #[arg(long, value_name = "ISSUES", value_delimiter = ',', action = ArgAction::Append)]
    pub accept: Vec<String>,
    /// In which form, and from what.
    #[command(flatten)]
    pub answer: Answer,
}

/// `oc-cockpit preflight`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct PreflightArgs {
    /// The version that the cluster shall go to; without it, the newest that is recommended
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// In which form, and from what.
    #[command(flatten)]
    pub answer: Answer,
}

/// `oc-cockpit open`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct OpenArgs {
    /// Files of `oc get -o yaml` or `-o json`, folders or archives (.tar, .tar.gz) of `oc adm inspect` and must-gather
    #[arg(value_name = "PATH", required = true, num_args = 1..)]
    pub paths: Vec<PathBuf>,
    /// Moment to judge the dump at, as 2026-03-01T11:20:00Z, in place of the newest time in it
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub now: Option<DateTime<Utc>>,
}

fn form(text: &str) -> Result<Format, String> {
    text.parse()
}

fn details(text: &str) -> Result<Details, String> {
    text.parse()
}

/// A time as RFC 3339 writes it.
fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    let wrong = |error: chrono::ParseError| format!("`{text}` is no time such as 2026-03-01T11:20:00Z: {error}");
    DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).map_err(wrong)
}

/// After the help of `status`.
pub const AFTER_STATUS: &str = "Exit codes:
  0  the answer was given; with --exit-code: not updating, or completed
  1  could not tell: the cluster or the files cannot be read
  2  the command line is wrong
With --exit-code also:
  3  updating: requested, control plane, pools, configuration; on time or slow
  4  needs a person: a blocked drain, a paused pool, a refused request
  5  stalled or failing
With --watch and --exit-code it ends, with code 0, when the update is over; and with 4 or 5 when a
stage of an image-based upgrade is done or has failed, so that a person decides what follows.

JSON is versioned, and documented field by field in docs/status-json.md.

Examples:
  oc-cockpit status
  oc-cockpit status --details=all
  oc-cockpit status -o json | jq -r .update.verdict
  oc-cockpit status --watch --exit-code
  oc-cockpit status --from must-gather.tar.gz
  oc-cockpit status --from cv.yaml co.yaml mcp.yaml mc.yaml node.yaml";

/// After the help of `open`.
pub const AFTER_OPEN: &str =
    "Everything works as on a cluster, but for writing: every action says that this is a recording.

Examples:
  oc-cockpit open must-gather.local.123/
  oc-cockpit open must-gather.tar.gz
  oc get clusterversion,co,mcp,mc,node -o yaml > cluster.yaml; oc-cockpit open cluster.yaml";

/// After the help of `updates`.
pub const AFTER_UPDATES: &str = "Exit codes:
  0  the answer was given; with --version: no issue applies that --accept does not name
  1  could not tell; with --version: the version is not on offer
  2  the command line is wrong
  4  only with --version: issues apply that --accept does not name

Examples:
  oc-cockpit updates
  oc-cockpit updates --all
  oc-cockpit updates --version 4.19.3 --accept KubeletHealthState";

/// After the help of `preflight`.
pub const AFTER_PREFLIGHT: &str = "Exit codes:
  0  ready: every row passes or warns (rows that only a person can answer do not count)
  1  could not tell: the cluster or the files cannot be read, or a row could not be judged and none blocks
  2  the command line is wrong
  4  not ready: a row blocks

Examples:
  oc-cockpit preflight
  oc-cockpit preflight --to 4.19.3
  oc-cockpit preflight -o json | jq '.rows[] | select(.answer == \"block\")'";
