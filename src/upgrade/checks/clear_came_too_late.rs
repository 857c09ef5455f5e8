//! `clear-came-too-late`: the request was withdrawn after the update had begun. It goes on.

use super::release::field;
use super::{Finding, Impact, Level, Look, Subject, finding};
use crate::upgrade::assessment::Remedy;
use crate::upgrade::danger::Danger;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let update = &look.now.update;
    let Some(version) = look.version().filter(|_| update.in_progress && !update.installing) else { return };
    let wanted = version.spec.desired_update.as_ref();
    if wanted
        .is_some_and(|wanted| !wanted.version.is_empty() || !wanted.image.is_empty() || !wanted.architecture.is_empty())
    {
        return;
    }
    let to = update.to.as_deref().unwrap_or("the new release");
    found.push(Finding {
        impact: Impact::None,
        meaning: format!(
            "Nothing is requested any more, and the cluster-version operator goes on to {to} all the same: withdrawing only \
             works until a release is accepted. There is no way back but forward."
        ),
        remedies: vec![
            Remedy::look("Let it end."),
            Remedy::change(
                Danger::L,
                "Pause worker pools to keep workloads from being drained now; unpausing them later drains and reboots.",
            )
            .oc("oc patch machineconfigpool worker --type=merge --patch '{\"spec\":{\"paused\":true}}'"),
        ],
        since: update.started,
        evidence: vec![
            field("spec.desiredUpdate", "none", None),
            field("status.desired", to.to_owned(), update.started),
        ],
        ..finding(
            "clear-came-too-late",
            Level::Info,
            Subject::Version,
            format!("nothing is requested, and the update to {to} goes on"),
        )
    });
}
