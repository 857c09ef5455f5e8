//! The risks of a release, and how a person accepts them: one by one, or all of them unnamed.

use serde_json::{Value, json};

use super::cluster_version::found;
use super::update_target::Release;
use super::words::list;
use super::{Ask, Material, Precondition, Question, Read, Refusal};
use crate::api;
use crate::upgrade::updates::{Risk, UPGRADEABLE_FALSE};

/// The option that passes over the risks of a release without naming them (`oc adm upgrade --allow-not-recommended`).
pub(super) const ALLOW_NOT_RECOMMENDED: &str = "allow-not-recommended";

/// The option that accepts a risk by its name.
pub(super) const ACCEPT_RISK: &str = "accept-risk";

/// Where the schema of the ClusterVersion stands.
const SCHEMA: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/clusterversions.config.openshift.io";

/// Can the ClusterVersion hold the names of accepted risks (`spec.desiredUpdate.acceptRisks`, feature gate
/// ClusterUpdateAcceptRisks)?
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// It can.
    There,
    /// It cannot: the server would drop them and say nothing.
    Missing,
    /// Not known before its schema is read.
    Unread(Read),
    /// Its schema could not be read: why.
    Unknown(String),
}

/// Whether the field is there: told by what the operator and others have written, else by the schema.
pub(super) fn field(seen: &api::ClusterVersion, material: &Material) -> Field {
    let status = &seen.status;
    // All three are behind the same gate (openshift/api, config/v1/types_cluster_version.go).
    let used = seen.spec.desired_update.as_ref().is_some_and(|wanted| !wanted.accept_risks.is_empty())
        || !status.conditional_update_risks.is_empty()
        || status.conditional_updates.iter().any(|update| !update.risk_names.is_empty());
    if used {
        return Field::There;
    }
    match material.object(SCHEMA) {
        None => Field::Unread(Read::Object(SCHEMA.to_owned())),
        Some(Err(words)) => Field::Unknown(words.to_owned()),
        Some(Ok(None)) => Field::Unknown("the server does not show its schema".to_owned()),
        Some(Ok(Some(schema))) if in_schema(schema) => Field::There,
        Some(Ok(Some(_))) => Field::Missing,
    }
}

fn in_schema(definition: &Value) -> bool {
    const FIELD: &str = "/schema/openAPIV3Schema/properties/spec/properties/desiredUpdate/properties/acceptRisks";
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array);
    versions.into_iter().flatten().any(|version| version["name"] == "v1" && version.pointer(FIELD).is_some())
}

/// The names that are accepted already.
pub(super) fn accepted(seen: &api::ClusterVersion) -> Vec<String> {
    let wanted = seen.spec.desired_update.as_ref();
    wanted.into_iter().flat_map(|wanted| &wanted.accept_risks).map(|risk| risk.name.clone()).collect()
}

/// As the ClusterVersion holds them.
pub(super) fn as_list(names: &[String]) -> Value {
    names.iter().map(|name| json!({ "name": name })).collect()
}

/// What is asked of the person for the risks of a release, and what is written of it.
#[derive(Debug, Default)]
pub(super) struct Acceptance {
    /// Questions, one a risk.
    pub questions: Vec<Question>,
    /// What they are about.
    pub consequences: Vec<String>,
    /// What is known of the recommendation.
    pub preconditions: Vec<Precondition>,
    /// All names that the ClusterVersion is to hold; none: they are left as they are.
    pub names: Option<Vec<String>>,
    /// What has to be read first.
    pub reads: Vec<Read>,
    /// Is the release not recommended for this cluster?
    pub not_recommended: bool,
}

/// The acceptance of the risks of `release`.
pub(super) fn acceptance(
    seen: &api::ClusterVersion,
    release: &Release,
    ask: &Ask,
    material: &Material,
) -> Result<Acceptance, Refusal> {
    let named = ask.args.all(ACCEPT_RISK);
    let exposed: Vec<&Risk> = release.choice().map(exposed).unwrap_or_default();
    if let Some(name) = named.iter().find(|name| exposed.iter().all(|risk| risk.name != **name)) {
        let known = list(exposed.iter().map(|risk| risk.name.as_str()));
        let known = if known.is_empty() { "none".to_owned() } else { known };
        return Err(Refusal(format!("{name} is no open risk of {}; its open risks: {known}", release.name())));
    }
    let Some(choice) = release.choice() else { return Ok(Acceptance::default()) };
    let mut told = Acceptance { preconditions: vec![recommendation(release)], ..Acceptance::default() };
    // `Upgradeable=False` is no risk to be accepted: the operator refuses the release.
    let only_gate = exposed.is_empty() && choice.risks.iter().any(|risk| risk.name == UPGRADEABLE_FALSE);
    if choice.recommended || only_gate {
        return Ok(told);
    }
    told.not_recommended = true;
    told.consequences.extend(exposed.iter().map(|risk| words(risk)));
    if ask.args.flag(ALLOW_NOT_RECOMMENDED) {
        told.consequences.push(
            "these risks are passed over without being named: the history will say that the release was not recommended"
                .to_owned(),
        );
        return Ok(told);
    }
    if exposed.is_empty() {
        told.consequences.push(format!(
            "{} is not recommended for this cluster ({}): {}",
            choice.version, choice.reason, choice.message
        ));
        let words = format!("Go on although {} is not recommended: type its version", choice.version);
        told.questions.push(Question::agreed_by(&choice.version, "not-recommended", words));
        return Ok(told);
    }
    told.questions = exposed
        .iter()
        .filter(|risk| !named.contains(&risk.name))
        .map(|risk| {
            let words = format!("Accept the risk {}: type its name", risk.name);
            Question::agreed_by(&risk.name, format!("accept-risk-{}", risk.name), words)
        })
        .collect();
    record(seen, &exposed, material, &mut told);
    Ok(told)
}

/// The risks that apply, or may, and that nobody has accepted.
fn exposed(choice: &crate::upgrade::updates::Choice) -> Vec<&Risk> {
    let open = |risk: &&Risk| risk.applies != Some(false) && !risk.accepted && risk.name != UPGRADEABLE_FALSE;
    choice.risks.iter().filter(open).collect()
}

/// Where the accepted names are written down.
fn record(seen: &api::ClusterVersion, exposed: &[&Risk], material: &Material, told: &mut Acceptance) {
    match field(seen, material) {
        Field::There => {
            let mut names = accepted(seen);
            names.extend(exposed.iter().map(|risk| risk.name.clone()));
            told.consequences.push(format!("the ClusterVersion remembers the accepted risks: {}", names.join(", ")));
            told.names = Some(names);
        }
        Field::Missing => told.consequences.push(
            "this release cannot remember accepted risks: they stand in the audit log of the cockpit only".to_owned(),
        ),
        Field::Unknown(why) => told.consequences.push(format!(
            "whether this release can remember accepted risks is not known ({why}): they stand in the audit log of the \
             cockpit only"
        )),
        Field::Unread(read) => told.reads.push(read),
    }
}

/// A risk in a line.
pub(super) fn words(risk: &Risk) -> String {
    let applies = match risk.applies {
        Some(true) => "applies here",
        Some(false) => "does not apply here",
        None => "not known whether it applies here",
    };
    let more = if risk.url.is_empty() { String::new() } else { format!(" ({})", risk.url) };
    format!("risk {}, {applies}: {}{more}", risk.name, risk.message.trim())
}

fn recommendation(release: &Release) -> Precondition {
    let Some(choice) = release.choice() else { return found("it is on offer", "status.availableUpdates", "") };
    // `Upgradeable=False` alone: the operator recommends it, and would not take it.
    let gate = choice.risks.iter().any(|risk| risk.name == UPGRADEABLE_FALSE) && choice.risks.len() == 1;
    if gate {
        return found(
            format!("{} is on offer, and held up", choice.version),
            "Upgradeable",
            &format!("False ({})", choice.reason),
        );
    }
    match (choice.recommended, choice.unknown) {
        (true, _) => found(
            format!("{} is recommended for this cluster", choice.version),
            "status.availableUpdates",
            &choice.image,
        ),
        (false, true) => found(
            format!("{} is on offer, and whether it is recommended is not known", choice.version),
            "status.conditionalUpdates[].Recommended",
            &format!("Unknown ({})", choice.reason),
        ),
        (false, false) => found(
            format!("{} is on offer, and not recommended for this cluster", choice.version),
            "status.conditionalUpdates[].Recommended",
            &format!("False ({})", choice.reason),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_tells_whether_the_field_is_there() {
        let with = |properties: Value| {
            json!({ "spec": { "versions": [{ "name": "v1", "schema": { "openAPIV3Schema": { "properties": {
                "spec": { "properties": { "desiredUpdate": { "properties": properties } } },
            } } } }] } })
        };
        assert!(in_schema(&with(json!({ "acceptRisks": { "type": "array" } }))));
        assert!(!in_schema(&with(json!({ "version": { "type": "string" } }))));
        assert!(!in_schema(&json!({})));
    }
}
