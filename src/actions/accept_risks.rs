//! Accept risks of updates by name, or take acceptances back: the cluster-version operator then recommends what carries
//! none but accepted risks.
//!
//! What `oc adm upgrade accept` does (oc: pkg/cli/admin/upgrade/accept/accept.go), which does not notice when the server
//! drops the field.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cluster_version::{self, PATCH, found, patch_line, writable};
use super::update_request::open_risks;
use super::update_risks::{self, Field, field};
use super::words::list;
use super::{
    ActionId, Arg, ArgKind, Ask, Danger, Effect, Entry, Material, Offered, Plan, Precondition, Refusal, Session, Takes,
    Target, gate,
};
use crate::api;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::updates::{Risk, updates};

const DANGER: Danger = Danger::M;

/// Accept risks.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::AcceptRisks,
    name: "accept-risks",
    word: "accept",
    summary: "accept risks of updates by name, so that versions that carry no others are recommended",
    gerund: "accepting risks",
    dangers: &[DANGER],
    takes: Takes::Cluster,
    args: &[
        Arg {
            required: false,
            several: true,
            choices: Some(open_risks),
            ..Arg::word("risk", ArgKind::Text, "the name of a risk of a version on offer")
        },
        Arg {
            several: true,
            choices: Some(accepted),
            ..Arg::option("withdraw", ArgKind::Text, "an accepted risk that is no longer accepted")
        },
        Arg::option("replace", ArgKind::Flag, "accept these and no others"),
        Arg::option("clear", ArgKind::Flag, "accept none any more"),
    ],
    permissions: &[PATCH],
    needs: &[],
    inverse: Some(ActionId::AcceptRisks),
    offered,
    plan: make,
};

fn accepted(assessment: &Assessment) -> Vec<String> {
    assessment.facts.cluster_version.as_deref().map(update_risks::accepted).unwrap_or_default()
}

/// Every risk that is told of, by name.
fn told(assessment: &Assessment) -> BTreeMap<String, Risk> {
    let updates = updates(assessment);
    let of_versions = updates.choices.into_iter().flat_map(|choice| choice.risks);
    let mut all: BTreeMap<String, Risk> = of_versions
        .filter(|risk| risk.name != crate::upgrade::updates::UPGRADEABLE_FALSE)
        .map(|risk| (risk.name.clone(), risk))
        .collect();
    let seen = assessment.facts.cluster_version.as_deref();
    for risk in seen.into_iter().flat_map(|seen| &seen.status.conditional_update_risks) {
        all.entry(risk.name.clone()).or_insert_with(|| Risk {
            name: risk.name.clone(),
            applies: None,
            message: risk.message.clone(),
            url: risk.url.clone(),
            accepted: false,
        });
    }
    all
}

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    if *target != Target::Cluster || (open_risks(assessment).is_empty() && accepted(assessment).is_empty()) {
        return None;
    }
    let refusal = writable(assessment, session).err();
    let title = "Accept risks of updates".to_owned();
    Some(Offered { action: ActionId::AcceptRisks, title, danger: DANGER, refusal })
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let seen = writable(assessment, session)?;
    let before = update_risks::accepted(seen);
    let risks = told(assessment);
    let after = names(&before, &risks, ask)?;
    let new: Vec<&String> = after.iter().filter(|name| !before.contains(name)).collect();
    let gone: Vec<&String> = before.iter().filter(|name| !after.contains(name)).collect();
    let back = Ask::new(ActionId::AcceptRisks, Target::Cluster);
    let back = new.iter().fold(back, |back, name| back.with("withdraw", name.as_str()));
    let back = gone.iter().fold(back, |back, name| back.with("risk", name.as_str()));
    let draft = Plan {
        danger: if new.is_empty() { Danger::L } else { DANGER },
        preconditions: vec![
            found("risks that are accepted now", "spec.desiredUpdate.acceptRisks", &before.join(", ")),
            gate::permission_found(assessment, &PATCH),
        ],
        effect: Effect::RisksAccepted { names: after.clone() },
        strict_lock: true,
        back: vec![back],
        ..Plan::draft(&ENTRY, ask, title(&new, &gone))
    };
    let known = match field(seen, material) {
        Field::Unread(read) => {
            let consequences = vec!["reading whether this release can remember accepted risks".to_owned()];
            return Ok(Plan { reads: vec![read], consequences, ..draft });
        }
        Field::Missing => {
            return Err(Refusal(
                "this release cannot remember accepted risks: its ClusterVersion has no acceptRisks (feature gate \
                 ClusterUpdateAcceptRisks); accept them when the update is started"
                    .to_owned(),
            ));
        }
        Field::There => Precondition {
            words: "this release remembers accepted risks".to_owned(),
            evidence: "clusterversions.config.openshift.io spec.desiredUpdate.acceptRisks is in the schema".to_owned(),
        },
        Field::Unknown(why) => Precondition {
            words: "the dry run tells whether this release remembers accepted risks".to_owned(),
            evidence: format!("its schema is not known: {why}"),
        },
    };
    Ok(Plan {
        preconditions: draft.preconditions.iter().cloned().chain([known]).collect(),
        consequences: consequences(&risks, &new, &gone, &after),
        writes: vec![write(session, seen, &after)?],
        ..draft
    })
}

fn title(new: &[&String], gone: &[&String]) -> String {
    let names = |names: &[&String]| list(names.iter().map(|name| name.as_str()));
    match (new, gone) {
        (new, []) => format!("Accept {}", names(new)),
        ([], gone) => format!("No longer accept {}", names(gone)),
        (new, gone) => format!("Accept {} and no longer {}", names(new), names(gone)),
    }
}

/// The names that are to be accepted.
fn names(before: &[String], risks: &BTreeMap<String, Risk>, ask: &Ask) -> Result<Vec<String>, Refusal> {
    let (wanted, withdrawn) = (ask.args.all("risk"), ask.args.all("withdraw"));
    let (replace, clear) = (ask.args.flag("replace"), ask.args.flag("clear"));
    if clear && (replace || !wanted.is_empty() || !withdrawn.is_empty()) {
        return Err(Refusal("clear takes all acceptances back: name no risk beside it".to_owned()));
    }
    if replace && (wanted.is_empty() || !withdrawn.is_empty()) {
        return Err(Refusal("replace needs the risks that are to be accepted, and withdraws all others".to_owned()));
    }
    if wanted.is_empty() && withdrawn.is_empty() && !clear {
        let known = list(risks.keys().map(String::as_str));
        let known =
            if known.is_empty() { "; no version on offer carries one".to_owned() } else { format!(": {known}") };
        return Err(Refusal(format!("name the risks to accept{known}")));
    }
    if let Some(unknown) = wanted.iter().find(|name| !risks.contains_key(*name) && !before.contains(name)) {
        let known = list(risks.keys().map(String::as_str));
        let known = if known.is_empty() { "none".to_owned() } else { known };
        return Err(Refusal(format!("no version on offer carries the risk {unknown}; known risks: {known}")));
    }
    if let Some(unknown) = withdrawn.iter().find(|name| !before.contains(name)) {
        return Err(Refusal(format!("{unknown} is not accepted, so it cannot be withdrawn")));
    }
    let kept = if replace || clear { &[][..] } else { before };
    let mut after: Vec<String> = kept.iter().filter(|name| !withdrawn.contains(name)).cloned().collect();
    for name in wanted {
        if !after.contains(name) {
            after.push(name.clone());
        }
    }
    if after == before {
        return Err(Refusal(match before {
            [] => "no risk is accepted".to_owned(),
            before => format!("accepted already: {}", list(before.iter().map(String::as_str))),
        }));
    }
    Ok(after)
}

fn write(session: &Session, seen: &api::ClusterVersion, after: &[String]) -> Result<super::Write, Refusal> {
    let value = if after.is_empty() { Value::Null } else { update_risks::as_list(after) };
    let spec = json!({ "desiredUpdate": { "acceptRisks": value } });
    let oc = patch_line(&spec);
    cluster_version::write(session, seen, spec, oc, vec![("desiredUpdate/acceptRisks", value)])
}

fn consequences(risks: &BTreeMap<String, Risk>, new: &[&String], gone: &[&String], after: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = new
        .iter()
        .map(|name| match risks.get(*name) {
            Some(risk) => update_risks::words(risk),
            None => format!("risk {name}: no version on offer carries it"),
        })
        .collect();
    if !new.is_empty() {
        lines.push(
            "versions that carry no other risks count as recommended from then on, for everybody who starts updates; \
             nothing is started by that"
                .to_owned(),
        );
    }
    for name in gone {
        lines.push(format!("versions that carry {name} are no longer recommended"));
    }
    lines.push(match after {
        [] => "no risk is accepted afterwards".to_owned(),
        after => format!("accepted afterwards: {}", list(after.iter().map(String::as_str))),
    });
    lines
}
