//! The versions on offer: recommended ones and conditional ones, with what speaks against each.

use std::cmp::Reverse;

use semver::Version;

use super::{Choice, Risk, UPGRADEABLE_FALSE};
use crate::api::{ClusterVersion, Condition, ConditionalUpdate, ConditionalUpdateRisk, Conditions as _, Release, Tri};
use crate::upgrade::version::{leaves_minor, newer_first};
use crate::upgrade::words;

/// All of them: major.minor descending, then newest first; what is no version comes last.
pub fn choices(version: &ClusterVersion) -> Vec<Choice> {
    fitting(version, |_| true)
}

/// Those whose release fits, in the same order.
pub fn fitting(version: &ClusterVersion, fits: impl Fn(&Release) -> bool) -> Vec<Choice> {
    let status = &version.status;
    let current = status.desired.version.as_str();
    let conditional_updates = status.conditional_updates.iter().filter(|update| fits(&update.release));
    let mut choices: Vec<Choice> = conditional_updates.map(|update| conditional(version, update, current)).collect();
    for release in status.available_updates.iter().filter(|release| fits(release)) {
        // The cluster-version operator copies conditional updates that are recommended into the plain list.
        let known = |choice: &Choice| choice.image == release.image && choice.version == release.version;
        if !choices.iter().any(known) {
            choices.push(plain(release, current));
        }
    }
    let gate = status.conditions.condition("Upgradeable").filter(|gate| gate.status == Tri::False);
    if let Some(gate) = gate {
        for choice in choices.iter_mut().filter(|choice| choice.minor) {
            inject_gate(choice, gate, current);
        }
    }
    choices.sort_by(|a, b| {
        by_minor(&a.version).cmp(&by_minor(&b.version)).then_with(|| newer_first(&a.version, &b.version))
    });
    choices
}

/// Newest minor first; what is no version last.
fn by_minor(version: &str) -> Reverse<Option<(u64, u64)>> {
    Reverse(Version::parse(version).ok().map(|version| (version.major, version.minor)))
}

fn plain(release: &Release, current: &str) -> Choice {
    Choice {
        version: release.version.clone(),
        image: release.image.clone(),
        recommended: true,
        unknown: false,
        reason: String::new(),
        message: String::new(),
        risks: Vec::new(),
        url: release.url.clone().filter(|url| !url.is_empty()),
        channels: release.channels.clone(),
        minor: leaves_minor(current, &release.version),
    }
}

/// A conditional update. Without risks it is fine; with risks that nobody judged it is unknown (oc:
/// pkg/cli/admin/upgrade/recommend/recommend.go, `notRecommendedCondition`).
fn conditional(version: &ClusterVersion, update: &ConditionalUpdate, current: &str) -> Choice {
    let mut choice = plain(&update.release, current);
    let told = update.conditions.condition("Recommended");
    choice.risks = risks(version, update, told);
    match told {
        Some(told) if told.status == Tri::True => {}
        Some(told) => {
            choice.recommended = false;
            choice.unknown = told.status == Tri::Unknown;
            choice.reason.clone_from(&told.reason);
            choice.message.clone_from(&told.message);
        }
        None if choice.risks.is_empty() => {}
        None => {
            let names: Vec<&str> = choice.risks.iter().map(|risk| risk.name.as_str()).collect();
            choice.recommended = false;
            choice.unknown = true;
            "NoConditions".clone_into(&mut choice.reason);
            choice.message = format!(
                "it carries risks, and whether they apply to this cluster has not been judged: {}",
                words::some_of(names.into_iter(), 10)
            );
        }
    }
    choice
}

/// The risks of an update: those that it spells out, and those that it only names (they stand in
/// `status.conditionalUpdateRisks` then).
fn risks(version: &ClusterVersion, update: &ConditionalUpdate, told: Option<&Condition>) -> Vec<Risk> {
    let shared = &version.status.conditional_update_risks;
    let accepted =
        version.spec.desired_update.as_ref().map(|wanted| wanted.accept_risks.as_slice()).unwrap_or_default();
    let spelled = update.risks.iter().map(|risk| risk.name.as_str());
    let named =
        update.risk_names.iter().map(String::as_str).filter(|name| update.risks.iter().all(|risk| risk.name != *name));
    let all = spelled.chain(named).map(|name| {
        let own = update.risks.iter().find(|risk| risk.name == name);
        let common = shared.iter().find(|risk| risk.name == name);
        let text = own.or(common);
        Risk {
            name: name.to_owned(),
            applies: applies(own, common, told),
            message: text.map(|risk| risk.message.clone()).unwrap_or_default(),
            url: text.map(|risk| risk.url.clone()).unwrap_or_default(),
            accepted: accepted.iter().any(|risk| risk.name == name),
        }
    });
    all.collect()
}

/// Does a risk apply? Newer operators say so for each risk; of older ones only the message of `Recommended` tells: it
/// holds the message of each risk that matched, and a sentence for each that could not be evaluated
/// (cluster-version-operator, pkg/cvo/availableupdates.go).
fn applies(
    own: Option<&ConditionalUpdateRisk>,
    common: Option<&ConditionalUpdateRisk>,
    told: Option<&Condition>,
) -> Option<bool> {
    let judged = [own, common].into_iter().flatten().find_map(|risk| risk.conditions.condition("Applies"));
    if let Some(judged) = judged {
        return match judged.status {
            Tri::True => Some(true),
            Tri::False => Some(false),
            Tri::Unknown => None,
        };
    }
    let risk = own.or(common)?;
    if !risk.rules.is_empty() && risk.rules.iter().all(|rule| rule.kind == "Always") {
        return Some(true);
    }
    let told = told?;
    if told.message.contains(&format!("Exposure to {} is unknown", risk.name)) {
        return None;
    }
    match told.status {
        Tri::True => (told.reason != "AllExposedRisksAccepted").then_some(false),
        Tri::False | Tri::Unknown if told.reason == risk.name => Some(true),
        Tri::False | Tri::Unknown => Some(!risk.message.is_empty() && told.message.contains(&risk.message)),
    }
}

/// `Upgradeable=False` as a risk of a later minor, unless a risk says the same already (oc:
/// pkg/cli/admin/upgrade/recommend/recommend.go).
fn inject_gate(choice: &mut Choice, gate: &Condition, current: &str) {
    let said = |risk: &Risk| !gate.message.is_empty() && risk.message.contains(&gate.message);
    if choice.risks.iter().any(said) {
        return;
    }
    choice.risks.push(Risk {
        name: UPGRADEABLE_FALSE.to_owned(),
        applies: Some(true),
        message: gate.message.clone(),
        url: about_upgradeable(current),
        accepted: false,
    });
    if choice.recommended {
        choice.reason.clone_from(&gate.reason);
        choice.message.clone_from(&gate.message);
    } else {
        "MultipleReasons".clone_into(&mut choice.reason);
        choice.message = format!("{}\n\n{}", gate.message, choice.message);
    }
    choice.recommended = false;
    choice.unknown = false;
}

/// Where the product's documentation explains `Upgradeable`; the page moved after 4.13.
fn about_upgradeable(current: &str) -> String {
    let (major, minor) = Version::parse(current).map_or((4, 19), |version| (version.major, version.minor));
    let page = if (major, minor) <= (4, 13) {
        "updating/index.html#understanding_clusteroperator_conditiontypes_updating-clusters-overview"
    } else {
        "updating/preparing_for_updates/updating-cluster-prepare.html#cluster-upgradeable_updating-cluster-prepare"
    };
    format!("https://docs.openshift.com/container-platform/{major}.{minor}/{page}")
}
