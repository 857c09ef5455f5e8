//! `updates-not-retrieved`: the cluster does not learn which updates there are.

use super::release::field;
use super::{Finding, Impact, Level, Look, Subject, finding};
use crate::upgrade::assessment::Remedy;
use crate::upgrade::danger::Danger;
use crate::upgrade::verdict::version_evidence;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let (Some(version), Some(retrieved)) = (look.version(), look.says_false("RetrievedUpdates")) else { return };
    let (meaning, remedies) = advice(&retrieved.reason);
    // Nobody needs the list while an update runs, and a cluster without channel is kept that way on purpose.
    let quiet = look.now.update.in_progress || retrieved.reason == "NoChannel";
    let mut evidence = vec![version_evidence(retrieved)];
    evidence.push(field("spec.channel", version.spec.channel.clone().unwrap_or_default(), None));
    evidence.extend(version.spec.upstream.as_ref().map(|upstream| field("spec.upstream", upstream.clone(), None)));
    let title = match retrieved.reason.as_str() {
        "NoChannel" => "no channel is set, so no updates are on offer".to_owned(),
        "VersionNotFound" => format!(
            "the update service does not know {} in channel {}",
            look.now.update.to.as_deref().unwrap_or("the present version"),
            look.now.update.channel.as_deref().unwrap_or("(none)")
        ),
        reason => format!("available updates cannot be retrieved ({reason})"),
    };
    found.push(Finding {
        impact: Impact::None,
        meaning: format!("{}\n{meaning}", super::release::said(retrieved)),
        remedies,
        since: retrieved.since,
        evidence,
        ..finding("updates-not-retrieved", if quiet { Level::Info } else { Level::Warning }, Subject::Version, title)
    });
}

/// By the reason (cluster-version-operator, pkg/cvo/availableupdates.go and pkg/cincinnati).
pub(in crate::upgrade) fn advice(reason: &str) -> (&'static str, Vec<Remedy>) {
    let channel = || {
        Remedy::change(Danger::L, "Set the channel of the minor that is wanted.")
            .oc("oc adm upgrade channel stable-4.y")
    };
    let service = || {
        Remedy::look("Look at the update service that is asked.")
            .oc("oc get clusterversion version -o jsonpath='{.spec.upstream}'")
    };
    match reason {
        "NoChannel" => {
            ("Without a channel nothing is asked for. Updates by digest are possible all the same.", vec![channel()])
        }
        "VersionNotFound" => (
            "The channel does not hold the present version: a wrong channel, a nightly build, or a local update service whose \
             data are old.",
            vec![channel(), service()],
        ),
        "NoUpstream" | "InvalidURI" | "InvalidRequest" => {
            ("The address of the update service is not usable.", vec![service()])
        }
        _ => (
            "The update service does not answer. Without a connection to the internet a local update service is needed, or \
             updates go by digest.",
            vec![
                service(),
                Remedy::look("Look at the cluster-wide proxy and its trusted certificates.")
                    .oc("oc get proxy cluster -o yaml"),
            ],
        ),
    }
}
