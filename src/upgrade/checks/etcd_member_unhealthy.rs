//! `etcd-member-unhealthy`: a member of etcd is down. With one of three gone nothing more may go: the next one takes the
//! API with it.

use super::release::{ETCD_MEMBERS, operator_evidence};
use super::{Finding, Impact, Level, Look, Subject, finding};
use crate::api::{Condition, Tri};
use crate::upgrade::assessment::Remedy;
use crate::upgrade::danger::Danger;
use crate::upgrade::words;

const ETCD: &str = "etcd";

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let conditions = ["Degraded", "Available"].map(|kind| (kind, look.operator_says(ETCD, kind)));
    let unhealthy = conditions.iter().find_map(|(kind, condition)| {
        let condition = condition.filter(|condition| (*kind == "Degraded") == (condition.status == Tri::True))?;
        names_members(condition).then_some(condition)
    });
    let Some(unhealthy) = unhealthy else { return };
    let members = members(&unhealthy.message);
    // While its control plane node reboots a member is gone by design; the quorum holds, and nothing may be added to that.
    let quorum_holds = members.is_none_or(|(healthy, all)| healthy > all / 2);
    let expected = quorum_holds && look.now.operator(ETCD).is_some_and(|row| row.expected);
    let sentence = sentence(&unhealthy.message);
    found.push(Finding {
        impact: if quorum_holds { Impact::ApiAvailability } else { Impact::ApplicationOutage },
        meaning: format!(
            "{sentence}\n{}",
            if expected {
                "A control plane node is out of service, and its member with it; it is back when the node is. No second \
                 control plane node may go down meanwhile."
            } else if quorum_holds {
                "The quorum holds, with nothing to spare: when one more goes, the API is gone. No control plane node may be \
                 drained, rebooted or updated before this member is back."
            } else {
                "The quorum is lost or as good as lost: the API answers no writes."
            }
        ),
        remedies: remedies(expected),
        link: Some(ETCD_MEMBERS.to_owned()),
        since: unhealthy.since,
        expected,
        evidence: vec![operator_evidence(ETCD, unhealthy)],
        ..finding(
            "etcd-member-unhealthy",
            if expected { Level::Warning } else { Level::Critical },
            Subject::Operator(ETCD.to_owned()),
            match members {
                Some((healthy, all)) => format!("etcd has {healthy} of {all} members"),
                None => "etcd has an unhealthy member".to_owned(),
            },
        )
    });
}

/// Reasons of the etcd operator (cluster-etcd-operator, pkg/operator/etcdmemberscontroller).
fn names_members(condition: &Condition) -> bool {
    condition.reason.contains("EtcdMembers") || condition.message.contains("EtcdMembersDegraded:")
}

/// The part of the message that speaks of members.
fn sentence(message: &str) -> &str {
    let line = message.lines().find(|line| line.contains("members are available"));
    let line = line.or_else(|| message.lines().find(|line| line.contains("EtcdMembers"))).unwrap_or(message);
    words::first_line(
        line.trim().trim_start_matches("EtcdMembersDegraded:").trim_start_matches("EtcdMembersAvailable:"),
    )
}

/// `2 of 3 members are available, ...`
fn members(message: &str) -> Option<(u32, u32)> {
    let (before, _) = message.split_once(" members are available")?;
    let mut words = before.split_whitespace().rev();
    let (all, of, healthy) = (words.next()?, words.next()?, words.next()?);
    (of == "of").then_some((healthy.parse().ok()?, all.parse().ok()?))
}

fn remedies(expected: bool) -> Vec<Remedy> {
    let look = Remedy::look("Look which member it is and whether its node runs.")
        .oc("oc get pods -n openshift-etcd -l app=etcd -o wide");
    if expected {
        return vec![look];
    }
    vec![
        look,
        Remedy::look("Ask a healthy member for the state of all.").oc(
            "oc rsh -n openshift-etcd -c etcdctl $(oc get pods -n openshift-etcd -l app=etcd -o name | head -1) etcdctl \
             endpoint health --cluster",
        ),
        Remedy::change(
            Danger::H,
            "Bring the member's node back, or replace the member by the product's procedure; never delete guard pods or their \
             budgets, and never take a second control plane node down.",
        ),
    ]
}
