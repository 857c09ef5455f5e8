//! `capabilities-implicit`: an update switched optional parts of the platform on, because they were there before they
//! became optional.

use super::release::{field, said};
use super::{Finding, Impact, Level, Look, Subject, finding};
use crate::upgrade::assessment::Remedy;
use crate::upgrade::verdict::version_evidence;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let (Some(version), Some(implicit)) = (look.version(), look.says_true("ImplicitlyEnabledCapabilities")) else {
        return;
    };
    let wanted = &version.spec.capabilities;
    let asked = match (wanted.baseline.as_str(), wanted.additional.len()) {
        ("", 0) => "nothing was asked for".to_owned(),
        (set, _) => format!("{set} {}", wanted.additional.join(" ")).trim().to_owned(),
    };
    found.push(Finding {
        impact: Impact::None,
        meaning: format!(
            "{}\nA part of the platform is never switched off again, so that workloads that use it go on working.",
            said(implicit)
        ),
        remedies: vec![
            Remedy::look("Name them in spec.capabilities if they are meant to stay; nothing has to be done.")
                .oc("oc get clusterversion version -o jsonpath='{.spec.capabilities}{\"\\n\"}{.status.capabilities}'"),
        ],
        since: implicit.since,
        evidence: vec![version_evidence(implicit), field("spec.capabilities", asked, None)],
        ..finding(
            "capabilities-implicit",
            Level::Info,
            Subject::Version,
            "optional parts of the platform were switched on by an update".to_owned(),
        )
    });
}
