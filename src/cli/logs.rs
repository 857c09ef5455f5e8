//! `logs`: which log, and how much of it.

use clap::Args;

use super::Connect;
use crate::upgrade::assessment::{Resource, Subject};
use crate::upgrade::facts::Kind;
use crate::upgrade::image_based::NAME;

/// `oc-cockpit logs`.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct LogsArgs {
    /// What the log shall explain: operator/NAME, pool/NAME, node/NAME, version, or ibu (the image-based upgrade)
    #[arg(value_name = "WHAT", value_parser = what)]
    pub what: Subject,
    /// What the container said before it was started again
    #[arg(long, short)]
    pub previous: bool,
    /// Only so many of the last lines of a log; without it all that is kept
    #[arg(long, value_name = "LINES")]
    pub tail: Option<u32>,
    /// Go on with what will be said
    #[arg(long, short, conflicts_with_all = ["previous", "all", "list"])]
    pub follow: bool,
    /// Begin each line with its time
    #[arg(long)]
    pub timestamps: bool,
    /// All logs that explain it, one after another, each below a line that names it
    #[arg(long)]
    pub all: bool,
    /// Only name the logs that explain it
    #[arg(long, conflicts_with = "all")]
    pub list: bool,
    /// The log of this pod, in place of the first that runs
    #[arg(long, value_name = "NAME")]
    pub pod: Option<String>,
    /// The log of this container
    #[arg(long, short, value_name = "NAME")]
    pub container: Option<String>,
    /// How to reach the cluster.
    #[command(flatten)]
    pub connect: Connect,
}

/// What a log explains, as people write it.
fn what(text: &str) -> Result<Subject, String> {
    let (kind, name) = text.split_once('/').unwrap_or((text, ""));
    let subject = match (kind.to_ascii_lowercase().as_str(), name) {
        ("operator" | "operators" | "co" | "clusteroperator" | "clusteroperators", name) if !name.is_empty() => {
            Subject::Operator(name.to_owned())
        }
        ("pool" | "pools" | "mcp" | "machineconfigpool" | "machineconfigpools", name) if !name.is_empty() => {
            Subject::Pool(name.to_owned())
        }
        ("node" | "nodes" | "no", name) if !name.is_empty() => Subject::Node(name.to_owned()),
        ("version" | "clusterversion" | "cv", "" | "version") => Subject::Version,
        ("ibu" | "imagebasedupgrade", "" | NAME) => {
            Subject::Object(Resource::cluster(&Kind::ImageBasedUpgrades.resource(), NAME))
        }
        _ => return Err("name operator/NAME, pool/NAME, node/NAME, version or ibu".to_owned()),
    };
    Ok(subject)
}

/// After the help of `logs`.
pub const AFTER_LOGS: &str = "It is the log that `l` shows in the cockpit: of an operator its pods, of a node its \
machine-config-daemon, of a pool the machine-config-controller and the daemons of nodes that move or are in trouble, of the \
image-based upgrade the job that works and the lifecycle agent. Lines go to stdout, what is to be said about them (which pod, \
what else there is, why it ends, what the API does not show) to stderr.

Exit codes:
  0  the log was printed, or there is none of a previous run
  1  it could not be read, or what it shall explain is not there
  2  the command line is wrong

Examples:
  oc-cockpit logs operator/monitoring --tail 200
  oc-cockpit logs node/worker-3 --follow
  oc-cockpit logs pool/worker --list
  oc-cockpit logs ibu --all --timestamps > ibu.log";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_written_as_oc_takes_it_or_in_words() {
        for text in ["operator/etcd", "co/etcd", "ClusterOperator/etcd"] {
            assert_eq!(what(text), Ok(Subject::Operator("etcd".into())), "{text}");
        }
        assert_eq!(what("mcp/worker"), Ok(Subject::Pool("worker".into())));
        assert_eq!(what("node/worker-3"), Ok(Subject::Node("worker-3".into())));
        assert_eq!(what("version"), Ok(Subject::Version));
        assert_eq!(what("ibu"), what("ibu/upgrade"));
        for text in ["", "etcd", "operator/", "operator", "pod/x", "ibu/other", "version/4.19"] {
            assert!(what(text).is_err(), "{text}");
        }
    }
}
