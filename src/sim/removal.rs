//! Removing: deletion with grace, finalizers and preconditions; eviction under disruption budgets.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::sim::kinds::{KindInfo, Res};
use crate::sim::request::{Params, Target};
use crate::sim::selector::{Selector, label_selector_matches};
use crate::sim::status::Refusal;
use crate::sim::store::{Store, timestamp};

/// How many pods a budget remembers as being disrupted: kube-apiserver, MaxDisruptedPodSize.
const MAX_DISRUPTED: usize = 2000;

/// How a removal is to be done.
#[derive(Clone, Copy)]
pub struct Broom<'a> {
    /// The objects.
    pub store: &'a Store,
    /// When.
    pub now: DateTime<Utc>,
    /// Whether somebody plays the kubelets: then a running pod is only marked, and leaves when its kubelet says so.
    pub kubelets: bool,
    /// How much faster than reality kubelets live: a grace ends so much sooner on the wall.
    pub speed: f64,
}

/// What a client asks of a removal: `metav1.DeleteOptions`, from the body and the query.
#[derive(Debug, Clone, Default)]
pub struct DeleteOptions {
    grace: Option<i64>,
    uid: Option<String>,
    version: Option<String>,
    dry_run: bool,
}

impl DeleteOptions {
    /// Reads the options. The body wins over the query.
    pub fn parse(body: &Value, params: &Params) -> Result<Self, Refusal> {
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let in_body = body["dryRun"].as_array().is_some_and(|modes| modes.iter().any(|mode| mode == "All"));
        let grace = body["gracePeriodSeconds"].as_i64();
        let grace =
            if grace.is_some() { grace } else { params.number("gracePeriodSeconds")?.map(|grace| grace as i64) };
        Ok(Self {
            grace,
            uid: text("/preconditions/uid"),
            version: text("/preconditions/resourceVersion"),
            dry_run: in_body || params.dry_run()?,
        })
    }
}

/// What became of a removal.
#[derive(Debug, Clone)]
pub enum Removed {
    /// The object is gone.
    Gone(Arc<Value>),
    /// The object is marked and leaves later.
    Marked(Arc<Value>),
}

impl Removed {
    /// The object in its last or its marked state.
    pub fn object(&self) -> &Value {
        match self {
            Self::Gone(object) | Self::Marked(object) => object,
        }
    }
}

impl Broom<'_> {
    /// Deletes one object.
    pub fn delete(
        &self,
        info: &KindInfo,
        namespace: Option<&str>,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Removed, Refusal> {
        let res = info.res();
        let object = self.store.get(res, namespace, name).ok_or_else(|| Refusal::not_found(info, name))?;
        require(info, name, &object, options)?;
        let grace = if res == Res::PODS { self.grace(&object, options) } else { 0 };
        let held =
            object.pointer("/metadata/finalizers").and_then(Value::as_array).is_some_and(|held| !held.is_empty());
        if grace > 0 || held {
            return Ok(Removed::Marked(self.mark(res, namespace, name, &object, grace, options.dry_run)));
        }
        if options.dry_run {
            return Ok(Removed::Gone(object));
        }
        if res == Res::NAMESPACES {
            self.empty(name);
        }
        let last = self.store.delete(res, namespace, name);
        last.map(Removed::Gone).ok_or_else(|| Refusal::not_found(info, name))
    }

    /// How many seconds a pod gets. One that never ran, is over, or has no kubelet to say goodbye gets none:
    /// kube-apiserver, podStrategy.CheckGracefulDelete.
    fn grace(&self, pod: &Value, options: &DeleteOptions) -> i64 {
        let is_bound = pod.pointer("/spec/nodeName").and_then(Value::as_str).is_some_and(|node| !node.is_empty());
        let is_over = matches!(pod.pointer("/status/phase").and_then(Value::as_str), Some("Succeeded" | "Failed"));
        if !self.kubelets || !is_bound || is_over {
            return 0;
        }
        let own = pod.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_i64);
        options.grace.or(own).unwrap_or(30).max(0)
    }

    fn mark(
        &self,
        res: Res,
        namespace: Option<&str>,
        name: &str,
        object: &Arc<Value>,
        grace: i64,
        dry_run: bool,
    ) -> Arc<Value> {
        let wall = grace as f64 / self.speed.max(f64::MIN_POSITIVE);
        let until = timestamp(self.now + TimeDelta::milliseconds((wall * 1_000.0) as i64));
        let change = |object: &Value| {
            let mut next = object.clone();
            let metadata = &mut next["metadata"];
            // A second deletion can only shorten the grace.
            let left = metadata["deletionGracePeriodSeconds"].as_i64();
            if metadata.get("deletionTimestamp").is_none() || left.is_some_and(|left| grace < left) {
                metadata["deletionTimestamp"] = json!(until);
                metadata["deletionGracePeriodSeconds"] = json!(grace);
            }
            Ok::<_, Refusal>(next)
        };
        let marked = if dry_run {
            self.store.rehearse(res, namespace, name, change)
        } else {
            self.store.transact(res, namespace, name, change).map(|written| written.map(super::store::Written::object))
        };
        match marked {
            Some(Ok(marked)) => marked,
            _ => Arc::clone(object),
        }
    }

    /// A namespace takes everything in it along.
    fn empty(&self, namespace: &str) {
        for info in self.store.kinds().iter().filter(|info| info.namespaced) {
            for object in self.store.list(info.res()) {
                if object["metadata"]["namespace"] == namespace
                    && let Some(name) = object["metadata"]["name"].as_str()
                {
                    self.store.delete(info.res(), Some(namespace), name);
                }
            }
        }
    }

    /// Deletes all selected objects of a collection and returns them.
    pub fn delete_collection(
        &self,
        target: &Target,
        params: &Params,
        options: &DeleteOptions,
    ) -> Result<Vec<Arc<Value>>, Refusal> {
        let namespace = target.namespace.as_deref();
        let selector = Selector::parse(namespace, params.text("labelSelector"), params.text("fieldSelector"))?;
        let mut removed = Vec::new();
        for object in self.store.list(target.info.res()).into_iter().filter(|object| selector.matches(object)) {
            let text = |field: &str| object["metadata"][field].as_str();
            // Somebody else may have been faster; that one is gone as asked.
            if self.delete(&target.info, text("namespace"), text("name").unwrap_or_default(), options).is_ok() {
                removed.push(Arc::clone(&object));
            }
        }
        Ok(removed)
    }

    /// Evicts a pod: a deletion that its disruption budget has to allow. Follows kube-apiserver's
    /// registry/core/pod/storage/eviction.go.
    pub fn evict(&self, pods: &KindInfo, namespace: &str, name: &str, options: &DeleteOptions) -> Result<(), Refusal> {
        let pod = self.store.get(Res::PODS, Some(namespace), name).ok_or_else(|| Refusal::not_found(pods, name))?;
        require(pods, name, &pod, options)?;
        if !ignores_budgets(&pod) {
            self.spend_budget(namespace, name, &pod, options.dry_run)?;
        }
        self.delete(pods, Some(namespace), name, options).map(drop)
    }

    fn spend_budget(&self, namespace: &str, name: &str, pod: &Value, dry_run: bool) -> Result<(), Refusal> {
        let budgets = self.store.list(Res::PDBS);
        let protects = |budget: &&Arc<Value>| {
            budget["metadata"]["namespace"] == namespace
                && label_selector_matches(&budget["spec"]["selector"], &pod["metadata"]["labels"])
        };
        let found: Vec<&Arc<Value>> = budgets.iter().filter(protects).collect();
        let budget = match found.as_slice() {
            [] => return Ok(()),
            [budget] => budget,
            _ => {
                return Err(Refusal::internal(
                    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
                ));
            }
        };
        if !is_ready(pod) && spares_unready(budget) {
            return Ok(());
        }
        let budget_name = budget["metadata"]["name"].as_str().unwrap_or_default();
        let now = timestamp(self.now);
        let spend = |budget: &Value| {
            allows_disruption(budget, budget_name)?;
            let mut next = budget.clone();
            let allowed = budget["status"]["disruptionsAllowed"].as_i64().unwrap_or(0);
            next["status"]["disruptionsAllowed"] = json!(allowed - 1);
            next["status"]["disruptedPods"][name] = json!(now);
            Ok(next)
        };
        let spent = if dry_run {
            self.store.rehearse(Res::PDBS, Some(namespace), budget_name, spend).map(|spent| spent.map(drop))
        } else {
            self.store.transact(Res::PDBS, Some(namespace), budget_name, spend).map(|spent| spent.map(drop))
        };
        spent.unwrap_or(Ok(()))
    }
}

fn require(info: &KindInfo, name: &str, object: &Value, options: &DeleteOptions) -> Result<(), Refusal> {
    let metadata = &object["metadata"];
    for (asked, field, label) in
        [(&options.uid, "uid", "UID"), (&options.version, "resourceVersion", "ResourceVersion")]
    {
        let found = metadata[field].as_str().unwrap_or_default();
        if let Some(asked) = asked.as_deref().filter(|asked| *asked != found) {
            let why =
                format!("the {label} in the precondition ({asked}) does not match the {label} in record ({found})");
            let why = format!("{why}. The object might have been deleted and then recreated");
            return Err(Refusal::conflict(info, name, &why));
        }
    }
    Ok(())
}

/// Pods that have nothing left to disrupt.
fn ignores_budgets(pod: &Value) -> bool {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str);
    let is_leaving = pod.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null());
    is_leaving || matches!(phase, Some("Succeeded" | "Failed" | "Pending"))
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    conditions.is_some_and(|conditions| {
        conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    })
}

/// Whether an unready pod may go without spending the budget: `unhealthyPodEvictionPolicy`.
fn spares_unready(budget: &Value) -> bool {
    let number = |field: &str| budget["status"][field].as_i64().unwrap_or(0);
    budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        || (number("desiredHealthy") > 0 && number("currentHealthy") >= number("desiredHealthy"))
}

fn allows_disruption(budget: &Value, name: &str) -> Result<(), Refusal> {
    let status = &budget["status"];
    let number = |field: &str| status[field].as_i64().unwrap_or(0);
    if number("observedGeneration") < budget["metadata"]["generation"].as_i64().unwrap_or(0) {
        let cause = format!("The disruption budget {name} is still being processed by the server.");
        return Err(Refusal::disruption_budget(cause, Some(10)));
    }
    if number("disruptionsAllowed") < 0 {
        return Err(Refusal::forbidden("policy", "poddisruptionbudgets", name, "pdb disruptions allowed is negative"));
    }
    if status["disruptedPods"].as_object().is_some_and(|pods| pods.len() > MAX_DISRUPTED) {
        let message = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
        return Err(Refusal::forbidden("policy", "poddisruptionbudgets", name, message));
    }
    if number("disruptionsAllowed") == 0 {
        let cause = format!(
            "The disruption budget {name} needs {} healthy pods and has {} currently",
            number("desiredHealthy"),
            number("currentHealthy")
        );
        return Err(Refusal::disruption_budget(cause, None));
    }
    Ok(())
}
