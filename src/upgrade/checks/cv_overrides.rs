//! `cv-overrides`: components that were taken out of the cluster-version operator's hands.

use super::release::field;
use super::{Finding, Look, Subject, finding};
use crate::api::ComponentOverride;
use crate::upgrade::assessment::Remedy;
use crate::upgrade::danger::Danger;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(version) = look.version() else { return };
    let taken: Vec<String> = version.spec.overrides.iter().filter(|one| one.unmanaged).map(name).collect();
    if taken.is_empty() {
        return;
    }
    let (level, impact) = look.minor_hindrance();
    found.push(Finding {
        impact,
        meaning: "The update leaves them as they are: they may end at another version than everything around them. They hold \
                  up minor updates, and up to 4.20 patch updates too; such a cluster is not supported."
            .to_owned(),
        remedies: vec![
            Remedy::look("Find out who took them out, and what for.")
                .oc("oc get clusterversion version -o jsonpath='{.spec.overrides}'"),
            Remedy::change(Danger::M, "Give them back: the operator puts them back to what the release says.").oc(
                "oc patch clusterversion version --type=json --patch '[{\"op\":\"remove\",\"path\":\"/spec/overrides\"}]'",
            ),
        ],
        evidence: taken.iter().map(|name| field("spec.overrides", format!("{name} unmanaged"), None)).collect(),
        ..finding(
            "cv-overrides",
            level,
            Subject::Version,
            format!(
                "{} out of the cluster-version operator's hands: {}",
                words::count(taken.len(), "component"),
                words::some_of(taken.iter().map(String::as_str), 3)
            ),
        )
    });
}

pub(in crate::upgrade) fn name(component: &ComponentOverride) -> String {
    match component.namespace.as_str() {
        "" => format!("{}/{}", component.kind, component.name),
        namespace => format!("{} {namespace}/{}", component.kind, component.name),
    }
}
