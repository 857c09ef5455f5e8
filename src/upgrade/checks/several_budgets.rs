//! `several-budgets`: two budgets select one pod; the eviction API refuses it with an error (500) whatever they allow
//! (Kubernetes, pkg/registry/core/pod/storage/eviction.go).

use super::{Finding, Level, Look, Resource, blocked_pods};
use crate::upgrade::assessment::Cause;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    for (node, blocker) in blocked_pods::with(look, |cause| matches!(cause, Cause::SeveralBudgets { .. })) {
        let Cause::SeveralBudgets { names } = &blocker.cause else { continue };
        let title = format!("{}/{} is selected by PDBs {}", blocker.namespace, blocker.pod, names.join(" and "));
        let mut about = blocked_pods::about(look, "several-budgets", Level::Error, node, blocker, title);
        about.resources.extend(names.iter().map(|name| Resource::budget(&blocker.namespace, name)));
        found.push(Finding {
            meaning: format!(
                "A pod that more than one PodDisruptionBudget selects cannot be evicted at all, however many disruptions they \
                 allow: the drain of {} never ends by itself.",
                node.name
            ),
            ..about
        });
    }
}
