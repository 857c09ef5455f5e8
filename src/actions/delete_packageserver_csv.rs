//! Delete the ClusterServiceVersion `packageserver` of the platform when its installation is stuck: the release puts it
//! back. This one only: deleting any other uninstalls its operator.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::raw::{lock, permission, text};
use super::reading::Reading;
use super::words::when;
use super::{
    ActionId, Ask, Danger, Effect, Entry, Material, Offered, Plan, Precondition, Refusal, Session, Takes, Target,
    Write, gate,
};
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::{Assessment, OperatorState, age};
use crate::upgrade::facts::Kind;

/// The namespace of the operator lifecycle manager.
const NAMESPACE: &str = "openshift-operator-lifecycle-manager";
/// The only ClusterServiceVersion that is ever deleted.
const PATH: &str = "/apis/operators.coreos.com/v1alpha1/namespaces/openshift-operator-lifecycle-manager/clusterserviceversions/packageserver";
/// What speaks for it.
const OPERATOR: &str = "operator-lifecycle-manager-packageserver";
/// An installation takes a minute or two; the check `packageserver-stuck` waits as long.
const LONG: TimeDelta = TimeDelta::minutes(20);

const DELETE: Permission =
    permission("delete", "operators.coreos.com", "clusterserviceversions", NAMESPACE).named("packageserver");
const GET: Permission =
    permission("get", "operators.coreos.com", "clusterserviceversions", NAMESPACE).named("packageserver");

/// The API of PackageManifests is away until it is back.
const DANGER: Danger = Danger::M;
const TITLE: &str = "Delete the stuck ClusterServiceVersion packageserver";

/// Delete it.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::DeletePackageserverCsv,
    name: "delete-packageserver-csv",
    word: "delete packageserver",
    summary: "delete the stuck ClusterServiceVersion packageserver of the platform: the release puts it back",
    gerund: "deleting the packageserver",
    dangers: &[DANGER],
    takes: Takes::Cluster,
    args: &[],
    permissions: &[GET, DELETE],
    needs: &[],
    inverse: None,
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    // Only where there is something to delete: it is no everyday action.
    let csvs = &assessment.facts.around.cluster_service_versions;
    let seen = csvs.iter().any(|csv| {
        csv.metadata.namespace.as_deref() == Some(NAMESPACE)
            && csv.name() == "packageserver"
            && csv.status.phase != "Succeeded"
    });
    if *target != Target::Cluster || !seen {
        return None;
    }
    let refusal = available(assessment, session).err();
    Some(Offered { action: ActionId::DeletePackageserverCsv, title: TITLE.to_owned(), danger: DANGER, refusal })
}

fn available(assessment: &Assessment, session: &Session) -> Result<(), Refusal> {
    gate::session(assessment, session, &[Kind::ClusterOperators])?;
    let Some(row) = assessment.operator(OPERATOR) else {
        return Err(Refusal(format!("there is no operator {OPERATOR}: nothing waits for the packageserver")));
    };
    if row.updated && row.state == OperatorState::Updated {
        return Err(Refusal(format!("{OPERATOR} is well: the packageserver is not stuck")));
    }
    gate::permitted(assessment, &GET)?;
    gate::permitted(assessment, &DELETE)
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    available(assessment, session)?;
    let mut reading = Reading::of(material);
    let Some(found) = reading.object(PATH)? else { return Ok(reading.draft(&ENTRY, ask, TITLE.to_owned())) };
    let Some(csv) = found else {
        return Err(Refusal(format!(
            "there is no ClusterServiceVersion packageserver in {NAMESPACE}: the release puts it back"
        )));
    };
    let since = stuck(csv, assessment.now)?;
    let (uid, version) = lock(csv, "csv/packageserver")?;
    let object = "csv/packageserver".to_owned();
    let arguments = format!("delete clusterserviceversion packageserver -n {NAMESPACE}");
    let write = Write::delete(session, object.clone(), PATH, uid, &arguments).unless_modified(version);
    let reason = assessment.operator(OPERATOR).map(|row| row.reason.clone()).unwrap_or_default();
    Ok(Plan {
        danger: DANGER,
        preconditions: vec![
            Precondition {
                words: "it is the packageserver of the platform, which is part of the release".to_owned(),
                evidence: format!("clusterserviceversion/packageserver in {NAMESPACE}"),
            },
            Precondition {
                words: "its installation is stuck".to_owned(),
                evidence: format!("status.phase = {} since {}: {}", text(csv, "/status/phase"), when(since), text(csv, "/status/message")),
            },
            Precondition {
                words: "the update waits for it".to_owned(),
                evidence: format!("clusteroperator/{OPERATOR}: {reason}"),
            },
            gate::permission_found(assessment, &DELETE),
        ],
        consequences: vec![
            "the cluster-version operator puts it back within minutes, and it is installed anew".to_owned(),
            "its deployment goes with it: until it is back the web console and oc list no packages to install; operators \
             that are installed go on"
                .to_owned(),
            "true of this one only: deleting any other ClusterServiceVersion uninstalls its operator".to_owned(),
        ],
        writes: vec![write],
        effect: Effect::Gone { object, path: PATH.to_owned(), uid: uid.to_owned() },
        ..Plan::draft(&ENTRY, ask, TITLE.to_owned())
    })
}

/// Since when it is stuck.
fn stuck(csv: &Value, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refusal> {
    let phase = text(csv, "/status/phase");
    if phase == "Succeeded" {
        return Err(Refusal("the packageserver is installed (Succeeded): it is not stuck".to_owned()));
    }
    if !text(csv, "/metadata/deletionTimestamp").is_empty() {
        return Err(Refusal("the packageserver is being deleted already".to_owned()));
    }
    let since = text(csv, "/status/lastTransitionTime").parse::<DateTime<Utc>>();
    let Ok(since) = since else {
        return Err(Refusal(format!("the packageserver is {phase}, and does not say since when: it may only be slow")));
    };
    if age(since, now) < LONG {
        return Err(Refusal(format!(
            "the packageserver is {phase} since {} only: before {} it counts as slow, not as stuck",
            when(since),
            when(since + LONG)
        )));
    }
    Ok(since)
}
