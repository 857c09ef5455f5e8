//! Pods that an action makes leave, as they were read for its plan: what protects them, and what goes with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{Material, Read, Refusal};
use crate::api::{Pod, PodDisruptionBudget};
use crate::upgrade::assessment::{Assessment, Cause};
use crate::upgrade::blockers;
use crate::upgrade::facts::{Facts, Kind, KindState, KindStatus};

/// The claims of so many pods are looked at; of more it is only said that there are some.
const CLAIMS: usize = 40;

/// Where the pods of a node are listed.
pub(super) fn pods_on(node: &str) -> Read {
    Read::List(format!("/api/v1/pods?fieldSelector=spec.nodeName={node}"))
}

/// The pods on a node by namespace and name; none: they were not read yet.
pub(super) fn pods(material: &Material, node: &str) -> Option<Result<Vec<Arc<Pod>>, Refusal>> {
    let Read::List(path) = pods_on(node) else { return None };
    Some(match material.list(&path)? {
        Err(words) => Err(Refusal(format!("the pods on {node} could not be read: {words}"))),
        Ok(found) => {
            let mut pods: Vec<Arc<Pod>> = parsed(found.unwrap_or_default());
            pods.sort_by(|a, b| (a.namespace(), a.name()).cmp(&(b.namespace(), b.name())));
            Ok(pods)
        }
    })
}

/// Objects as the lens sees them; what cannot be understood at all is left out.
fn parsed<'de, T: Deserialize<'de>>(objects: &'de [Value]) -> Vec<Arc<T>> {
    objects.iter().filter_map(|object| T::deserialize(object).ok()).map(Arc::new).collect()
}

/// The budgets of the cluster, or of a namespace.
pub(super) struct Budgets {
    /// Group and version in which they are served.
    pub group_version: String,
    /// The budgets, or why they could not be read.
    pub list: Result<Vec<Arc<PodDisruptionBudget>>, String>,
}

/// `policy/v1` came with Kubernetes 1.21 (OpenShift 4.8), `v1beta1` went with 1.25.
const VERSIONS: [&str; 2] = ["policy/v1", "policy/v1beta1"];

/// The budgets, or what has to be read for them.
pub(super) fn budgets(material: &Material, namespace: Option<&str>) -> Result<Budgets, Read> {
    let place = namespace.map(|namespace| format!("/namespaces/{namespace}")).unwrap_or_default();
    let path = |version: &str| format!("/apis/{version}{place}/poddisruptionbudgets");
    for version in VERSIONS {
        let group_version = version.to_owned();
        match material.list(&path(version)) {
            None => return Err(Read::List(path(version))),
            Some(Err(words)) => return Ok(Budgets { group_version, list: Err(words.to_owned()) }),
            Some(Ok(Some(found))) => return Ok(Budgets { group_version, list: Ok(parsed(found)) }),
            Some(Ok(None)) => {}
        }
    }
    // Neither is served: there are none.
    Ok(Budgets { group_version: VERSIONS[0].to_owned(), list: Ok(Vec::new()) })
}

/// The facts with these pods and budgets in place of what was watched, so that the domain judges them.
pub(super) fn facts(assessment: &Assessment, pods: &BTreeMap<String, Vec<Arc<Pod>>>, budgets: &Budgets) -> Facts {
    let mut facts = (*assessment.facts).clone();
    let around = Arc::make_mut(&mut facts.around);
    let known: &mut BTreeMap<_, _> = Arc::make_mut(&mut around.pods);
    known.extend(pods.iter().map(|(node, pods)| (node.clone(), Arc::new(pods.clone()))));
    around.pod_disruption_budgets = Arc::new(budgets.list.clone().unwrap_or_default());
    let status = if budgets.list.is_ok() { KindStatus::Live } else { KindStatus::NotAsked };
    let state = KindState { status, ..KindState::default() };
    facts.kinds.insert(Kind::PodDisruptionBudgets, state);
    facts
}

/// A claim of a pod that only one node may mount, or of which that is not known.
pub(super) struct Claim {
    /// The claim.
    pub name: String,
    /// Its access modes; none: they could not be read.
    pub modes: Option<Vec<String>>,
}

impl Claim {
    /// May other nodes mount it at the same time?
    pub fn shared(&self) -> bool {
        self.modes.as_ref().is_some_and(|modes| modes.iter().any(|mode| mode.ends_with("Many")))
    }

    /// `data-cart-0 (ReadWriteOnce)`.
    pub fn words(&self) -> String {
        match &self.modes {
            Some(modes) => format!("{} ({})", self.name, modes.join(", ")),
            None => format!("{} (access mode unknown)", self.name),
        }
    }
}

/// The claims of `pod` that are not shared. What has to be read for it goes into `reads`.
pub(super) fn claims(material: &Material, pod: &Pod, reads: &mut BTreeSet<String>) -> Vec<Claim> {
    let names = pod.spec.volumes.iter().filter_map(|volume| volume.claim.as_ref()).map(|claim| claim.name.as_str());
    let mut claims = Vec::new();
    for name in names {
        let path = format!("/api/v1/namespaces/{}/persistentvolumeclaims/{name}", pod.namespace());
        let modes = if let Some(found) = material.object(&path) {
            found.ok().flatten().map(modes)
        } else {
            if reads.len() < CLAIMS {
                reads.insert(path);
            }
            None
        };
        let claim = Claim { name: name.to_owned(), modes };
        if !claim.shared() {
            claims.push(claim);
        }
    }
    claims
}

fn modes(claim: &Value) -> Vec<String> {
    let modes = claim.pointer("/spec/accessModes").and_then(Value::as_array);
    modes.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Why a pod would not leave, without ages: a plan is compared with itself made again.
pub(super) fn held(cause: &Cause, assessment: &Assessment) -> String {
    match cause {
        Cause::Terminating { finalizers, .. } if finalizers.is_empty() => {
            "it is being deleted and does not end".to_owned()
        }
        Cause::Terminating { finalizers, .. } => {
            format!("it is being deleted, and held by finalizer {}", finalizers.join(", "))
        }
        other => blockers::words(other, assessment.now),
    }
}
