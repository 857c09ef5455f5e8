//! What is on offer, what it is called, and what speaks against it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::upgrade::alert::of_answer;
use crate::upgrade::assess::assess;
use crate::upgrade::facts::{Facts, KindState};
use crate::upgrade::link::LinkState;
use crate::upgrade::memory::Memory;
use crate::upgrade::specimen::{Specimen, at, condition};

fn with(cluster: &Specimen, change: impl FnOnce(&mut Facts)) -> Updates {
    let mut facts = cluster.facts(0);
    change(&mut facts);
    updates(&assess(Arc::new(facts), &Memory::default(), at(0)))
}

fn told(cluster: &Specimen) -> Updates {
    with(cluster, |_| {})
}

fn live(facts: &mut Facts, kind: Kind) {
    facts.kinds.insert(kind, KindState { status: KindStatus::Live, ..KindState::default() });
}

fn release(version: &str) -> Value {
    json!({"version": version, "image": format!("quay.io/release@sha256:{version}"), "channels": ["stable-4.19"]})
}

fn conditional(version: &str, risks: &[(&str, &str)], recommended: Option<Value>) -> Value {
    let risks: Vec<Value> =
        risks.iter().map(|(name, message)| json!({"name": name, "message": message, "url": "u"})).collect();
    json!({"release": release(version), "risks": risks, "conditions": recommended.into_iter().collect::<Vec<_>>()})
}

fn offering(available: &[&str], conditional: &[Value]) -> Specimen {
    let mut cluster = Specimen::idle();
    cluster.version["status"]["availableUpdates"] = available.iter().map(|version| release(version)).collect();
    cluster.version["status"]["conditionalUpdates"] = conditional.to_vec().into();
    cluster
}

fn names<'a>(choices: impl IntoIterator<Item = &'a Choice>) -> Vec<&'a str> {
    choices.into_iter().map(|choice| choice.version.as_str()).collect()
}

fn issues(updates: &Updates) -> Vec<&str> {
    updates.issues.iter().map(|issue| issue.name.as_str()).collect()
}

#[test]
fn versions_come_by_minor_and_newest_first_and_two_of_each_are_shown() {
    let cluster = offering(
        &["4.18.23", "4.19.9", "4.18.30", "4.19.10", "4.19.0-rc.2", "odd"],
        &[conditional("4.18.24", &[("A", "a")], None), conditional("4.19.1", &[], None)],
    );
    let told = told(&cluster);
    let all = ["4.19.10", "4.19.9", "4.19.1", "4.19.0-rc.2", "4.18.30", "4.18.24", "4.18.23", "odd"];
    assert_eq!(names(&told.choices), all);
    let shown: Vec<_> =
        newest_two(&told).into_iter().map(|minor| (minor.name.clone(), names(minor.choices), minor.older)).collect();
    let expected = [
        ("4.19".to_owned(), vec!["4.19.10", "4.19.9"], 2),
        ("4.18".to_owned(), vec!["4.18.30", "4.18.24"], 1),
        ("other".to_owned(), vec!["odd"], 0),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn a_conditional_update_is_what_its_condition_says() {
    let said = |status, reason, message| Some(condition("Recommended", status, reason, message, -60));
    let risk: &[(&str, &str)] = &[("BadDisk", "disks may break")];
    // Condition; recommended, unknown, reason; does the risk apply.
    let table = [
        (said("True", "NotExposedToRisks", "fine"), (true, false, ""), Some(false)),
        (said("True", "AllExposedRisksAccepted", "accepted"), (true, false, ""), None),
        (said("False", "BadDisk", "disks may break u"), (false, false, "BadDisk"), Some(true)),
        (said("False", "Other", "something else"), (false, false, "Other"), Some(false)),
        (
            said(
                "Unknown",
                "EvaluationFailed",
                "Exposure to BadDisk is unknown due to an evaluation failure: x\ndisks may break u",
            ),
            (false, true, "EvaluationFailed"),
            None,
        ),
        (None, (false, true, "NoConditions"), None),
    ];
    for (condition, expected, applies) in table {
        let shown = format!("{condition:?}");
        let told = told(&offering(&[], &[conditional("4.18.30", risk, condition)]));
        let choice = &told.choices[0];
        assert_eq!((choice.recommended, choice.unknown, choice.reason.as_str()), expected, "{shown}");
        assert_eq!(choice.risks[0].applies, applies, "{shown}");
    }
    let harmless = told(&offering(&[], &[conditional("4.18.30", &[], None)]));
    assert!(harmless.choices[0].recommended, "no risks, nothing to judge");
}

#[test]
fn newer_operators_judge_each_risk_and_name_what_was_accepted() {
    let mut update =
        conditional("4.18.30", &[("A", "a")], Some(condition("Recommended", "False", "ExposedToRisks", "x", 0)));
    update["riskNames"] = json!(["A", "B"]);
    let mut cluster = offering(&[], &[update]);
    let judged = |name: &str, status: &str| {
        json!({"name": name, "message": format!("message of {name}"), "url": "u",
        "conditions": [condition("Applies", status, "Match", "", 0)]})
    };
    cluster.version["status"]["conditionalUpdateRisks"] = json!([judged("A", "True"), judged("B", "Unknown")]);
    cluster.version["spec"]["desiredUpdate"] = json!({"acceptRisks": [{"name": "B"}]});
    let told = told(&cluster);
    let risks: Vec<_> = told.choices[0]
        .risks
        .iter()
        .map(|risk| (risk.name.as_str(), risk.applies, risk.message.as_str(), risk.accepted))
        .collect();
    assert_eq!(risks, [("A", Some(true), "a", false), ("B", None, "message of B", true)]);
    assert_eq!(told.accepted_risks, ["B"]);
}

#[test]
fn a_recommended_conditional_update_is_listed_once() {
    let fine = condition("Recommended", "True", "NotExposedToRisks", "", 0);
    let told = told(&offering(&["4.18.30", "4.18.29"], &[conditional("4.18.30", &[("A", "a")], Some(fine))]));
    assert_eq!(names(&told.choices), ["4.18.30", "4.18.29"]);
    assert_eq!(told.choices[0].risks.len(), 1, "with its risks");
}

#[test]
fn upgradeable_false_is_a_risk_of_later_minors_and_of_nothing_else() {
    let bad = condition("Recommended", "False", "BadDisk", "disks may break", 0);
    let same = conditional("4.19.3", &[("Gate", "see: read this first, please")], None);
    let mut cluster =
        offering(&["4.18.30", "4.19.1"], &[conditional("4.19.2", &[("BadDisk", "disks may break")], Some(bad)), same]);
    cluster.says("Upgradeable", "False", "AdminAckRequired", "read this first", -60);
    let told = told(&cluster);
    let all: Vec<_> = told
        .choices
        .iter()
        .map(|choice| (choice.version.as_str(), choice.recommended, choice.reason.as_str()))
        .collect();
    let expected = [
        ("4.19.3", false, "NoConditions"),
        ("4.19.2", false, "MultipleReasons"),
        ("4.19.1", false, "AdminAckRequired"),
        ("4.18.30", true, ""),
    ];
    assert_eq!(all, expected);
    assert_eq!(told.choices[1].message, "read this first\n\ndisks may break", "the gate first");
    assert_eq!(told.choices[0].risks.len(), 1, "not said twice");
    let risk = told.choices[2].risks.last().unwrap();
    assert_eq!((risk.name.as_str(), risk.applies), (UPGRADEABLE_FALSE, Some(true)));
    assert!(risk.url.contains("/4.18/updating/preparing_for_updates/"), "{}", risk.url);
    assert_eq!(told.not_upgradeable, Some(("AdminAckRequired".to_owned(), "read this first".to_owned())));
}

#[test]
fn issues_have_the_names_that_oc_gives_them() {
    let mut cluster = Specimen::idle();
    let quiet = |cluster: &Specimen| with(cluster, |facts| live(facts, Kind::Alerts));
    cluster.says("RetrievedUpdates", "True", "", "", -60);
    assert_eq!(issues(&quiet(&cluster)), Vec::<&str>::new());
    assert_eq!(issues(&told(&cluster)), ["FailedToCompletePrecheck"], "alerts that were not read are not silent");
    cluster.says("Failing", "Unknown", "SlowClusterOperator", "", 0);
    cluster.says("Progressing", "True", "", "Working towards", 0);
    cluster.says("RetrievedUpdates", "False", "NoChannel", "", 0);
    assert_eq!(issues(&quiet(&cluster)), ["Failing", "Progressing", "CannotRetrieveUpdates"]);
    let conditions = cluster.version["status"]["conditions"].as_array_mut().unwrap();
    conditions.retain(|condition| condition["type"] != "Failing");
    assert_eq!(issues(&quiet(&cluster))[0], "Failing", "what is not said is not fine");

    let bad = condition("Recommended", "False", "BadDisk", "disks may break", 0);
    let told = quiet(&offering(&["4.18.30"], &[conditional("4.18.31", &[("BadDisk", "b")], Some(bad))]));
    let of = |version: &str| told.issue_names(told.choice(version)).into_iter().collect::<Vec<_>>();
    assert_eq!(of("4.18.31"), ["CannotRetrieveUpdates", "ConditionalUpdateRisk"]);
    assert_eq!(of("4.18.30"), ["CannotRetrieveUpdates"]);
}

#[test]
fn only_alerts_that_bear_on_an_update_are_issues() {
    let alert = |name: &str, severity: &str, state: &str, more: Value| {
        let mut labels = json!({"alertname": name, "severity": severity, "namespace": "shop"});
        labels.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"labels": labels, "state": state, "annotations": {"summary": format!("summary of {name}"), "runbook_url": "r"}})
    };
    let answer = json!({"data": {"alerts": [
        alert("AnyThing", "critical", "firing", json!({})),
        alert("AnyThing", "warning", "firing", json!({})),
        alert("PodDisruptionBudgetAtLimit", "warning", "firing", json!({"poddisruptionbudget": "cart"})),
        alert("KubeContainerWaiting", "warning", "firing", json!({})),
        alert("KubeNodeNotReady", "warning", "pending", json!({})),
        alert("KubeNodeUnreachable", "warning", "firing", json!({})),
        alert("Mine", "info", "firing", json!({"openShiftUpdatePrecheck": "true"})),
        alert("VMCannotBeEvicted", "warning", "firing", json!({})),
        alert("TargetDown", "warning", "firing", json!({})),
    ]}});
    let mut cluster = Specimen::idle();
    cluster.says("RetrievedUpdates", "True", "", "", -60);
    let told = with(&cluster, |facts| {
        live(facts, Kind::Alerts);
        Arc::make_mut(&mut facts.around).alerts = Arc::new(of_answer(&answer).unwrap());
    });
    let expected = [
        "AnyThing",
        "PodDisruptionBudgetAtLimit",
        "KubeContainerWaiting",
        "KubeNodeUnreachable",
        "Mine",
        "VMCannotBeEvicted",
    ];
    assert_eq!(issues(&told), expected);
    assert!(told.issues[1].message.contains("PodDisruptionBudget shop/cart"), "{}", told.issues[1].message);
    assert_eq!(told.issues[1].reason, "Alert:firing");
}

fn map(namespace: &str, name: &str, data: &Value) -> Arc<ConfigMap> {
    let map = json!({"metadata": {"namespace": namespace, "name": name}, "data": data});
    Arc::new(serde_json::from_value(map).unwrap())
}

#[test]
fn gates_of_the_present_minor_apply_until_they_are_acknowledged() {
    let gates = json!({
        "ack-4.18-kube-1.32-api-removals-in-4.19": "Kubernetes 1.32 removes APIs",
        "ack-4.18-boot": "look at boot images",
        "ack-4.17-old": "long ago",
        "ack-4.18-empty": " ",
        "ack4.18": "no name",
    });
    let acks =
        json!({"ack-4.18-boot": "true", "ack-4.18-kube-1.32-api-removals-in-4.19": "yes", "ack-4.18-empty": "true"});
    let told = with(&Specimen::idle(), |facts| {
        live(facts, Kind::ConfigMaps);
        let maps =
            vec![map("openshift-config-managed", "admin-gates", &gates), map("openshift-config", "admin-acks", &acks)];
        Arc::make_mut(&mut facts.around).config_maps = Arc::new(maps);
    });
    let gates: Vec<_> =
        told.gates.as_ref().unwrap().iter().map(|gate| (gate.key.as_str(), gate.acknowledged)).collect();
    let expected = [
        ("ack-4.18-boot", Some(true)),
        ("ack-4.18-empty", Some(false)),
        ("ack-4.18-kube-1.32-api-removals-in-4.19", Some(false)),
        ("ack4.18", Some(false)),
    ];
    assert_eq!(gates, expected);
    assert_eq!(updates(&Specimen::idle().assess(0)).gates, None, "not read is not without gates");
    let recorded = with(&Specimen::idle(), |facts| live(facts, Kind::ConfigMaps));
    assert_eq!(recorded.gates, None, "a recording may only not hold them");
    let without = with(&Specimen::idle(), |facts| {
        live(facts, Kind::ConfigMaps);
        facts.link.state = LinkState::Live;
    });
    assert_eq!(without.gates, Some(Vec::new()));
}

#[test]
fn without_a_cluster_version_nothing_is_known() {
    let mut facts = Specimen::idle().facts(0);
    facts.cluster_version = None;
    let told = updates(&assess(Arc::new(facts), &Memory::default(), at(0)));
    assert_eq!(told, Updates::default());
    assert!(!told.known);
}
