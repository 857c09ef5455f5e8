//! What evicting and deleting a pod share: which pod, what it is, what protects it, which pods are never touched.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::departing::{self, Claim};
use super::words::count;
use super::{
    ActionId, Ask, Confirm, Danger, Effect, Entry, Material, Offered, Plan, Precondition, Read, Refusal, Session,
    Takes, Target, Write, gate,
};
use crate::api::Pod;
use crate::api::metadata::deleted;
use crate::upgrade::assessment::{Assessment, Blocker};
use crate::upgrade::blockers::{self, Evictions};

/// What the actions on one pod have in common.
pub(super) const ENTRY: Entry = Entry { takes: TAKES, ..Entry::blank(ActionId::EvictPod) };

/// A pod by `NAMESPACE/POD`.
const TAKES: Takes = Takes::Objects {
    resource: "pods",
    noun: "NAMESPACE/POD",
    namespaced: true,
    namespace: "",
    several: false,
    none: false,
};

/// Which pod.
pub(super) struct Which<'a> {
    /// Namespace.
    pub namespace: &'a str,
    /// Name.
    pub name: &'a str,
}

/// The pod that is meant; none when the target is something else.
fn which(target: &Target) -> Option<Which<'_>> {
    match target.objects() {
        [one] if one.resource == "pods" && !one.namespace.is_empty() => {
            Some(Which { namespace: &one.namespace, name: &one.name })
        }
        _ => None,
    }
}

impl Which<'_> {
    /// Its path.
    pub fn path(&self) -> String {
        format!("/api/v1/namespaces/{}/pods/{}", self.namespace, self.name)
    }

    /// `shop/cart-0`.
    pub fn words(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// `Evict pod shop/cart-0`.
fn title(entry: &Entry, which: &Which<'_>) -> String {
    let (first, rest) = entry.word.split_at(1);
    format!("{}{rest} pod {}", first.to_ascii_uppercase(), which.words())
}

/// The offer, when the target is a pod.
pub(super) fn offered(entry: &Entry, assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let which = which(target)?;
    Some(Offered {
        action: entry.id,
        title: title(entry, &which),
        danger: entry.dangers.first().copied().unwrap_or(Danger::M),
        refusal: available(entry, assessment, session, &which).err(),
    })
}

/// What is asked for: the pod as it was read, or the plan that waits for what `more` and the pod have to have read.
pub(super) enum Begun<'a> {
    /// Something has to be read first.
    Waits(Plan),
    /// All is there: the plan without its writes, its preconditions begun.
    Whole(Plan, Which<'a>, Box<Seen>),
}

/// Begins a plan for a pod: whether it may be done there, what the pod is. `more` is what else has to be read.
pub(super) fn begin<'a>(
    entry: &Entry,
    assessment: &Assessment,
    session: &Session,
    ask: &'a Ask,
    (material, more): (&Material, Option<Read>),
) -> Result<Begun<'a>, Refusal> {
    let Some(which) = which(&ask.target) else { return Err(Refusal("name one pod".to_owned())) };
    available(entry, assessment, session, &which)?;
    let draft = Plan::draft(entry, ask, title(entry, &which));
    let mut reads: Vec<Read> = more.into_iter().collect();
    let mut permitted = Vec::new();
    for permission in entry.permissions {
        let found = gate::permission_in(assessment, material, permission, which.namespace, &mut reads)?;
        permitted.push(found);
    }
    let seen = match gather(assessment, ask, material)? {
        Gathered::Whole(seen) if reads.is_empty() => seen,
        Gathered::Whole(_) => return Ok(Begun::Waits(reading(draft, reads))),
        Gathered::Reading(others) => {
            reads.extend(others);
            return Ok(Begun::Waits(reading(draft, reads)));
        }
    };
    let there = Precondition {
        words: format!("pod {} is there, and is not being deleted", which.words()),
        evidence: format!("metadata.uid = {}, {}", seen.uid, seen.place()),
    };
    let preconditions = [there].into_iter().chain(permitted).collect();
    Ok(Begun::Whole(Plan { preconditions, ..draft }, which, seen))
}

/// The plan with its write: what is dangerous most asks for the name of the pod.
pub(super) fn finish(plan: Plan, which: &Which<'_>, seen: &Seen, danger: Danger, write: Write) -> Plan {
    Plan {
        danger,
        effect: Effect::Leaving { object: write.object.clone(), path: which.path(), uid: seen.uid.clone() },
        confirm: if danger == Danger::H { Confirm::Type(which.name.to_owned()) } else { Confirm::Button },
        writes: vec![write],
        ..plan
    }
}

/// A plan that waits for what it rests on.
pub(super) fn reading(draft: Plan, reads: Vec<Read>) -> Plan {
    Plan {
        danger: draft.action.entry().dangers[0],
        preconditions: vec![Precondition {
            words: "the picture is live".to_owned(),
            evidence: "the link answers".to_owned(),
        }],
        consequences: vec!["what follows is told once it is read".to_owned()],
        reads,
        ..draft
    }
}

/// May such a pod be touched at all, as far as its name tells, and by this user?
fn available(entry: &Entry, assessment: &Assessment, session: &Session, which: &Which<'_>) -> Result<(), Refusal> {
    gate::session(assessment, session, &[])?;
    for permission in entry.permissions {
        gate::permitted_in(assessment, permission, which.namespace)?;
    }
    if which.namespace == "openshift-etcd" {
        return Err(Refusal(format!(
            "{} is of etcd: its pods are members of the quorum or guard it, and are never touched from here",
            which.words()
        )));
    }
    if blockers::of_platform(which.namespace) && which.name.contains("-guard-") {
        return Err(Refusal(format!("{} guards the quorum of the control plane: it is never touched", which.words())));
    }
    Ok(())
}

/// A pod as it was read for a plan.
pub(super) struct Seen {
    /// The pod.
    pub pod: Pod,
    /// UID.
    pub uid: String,
    /// The workload that it belongs to.
    pub owner: Option<String>,
    /// The budgets that select it, or why that is not known.
    pub budgets: Result<Vec<String>, String>,
    /// What would keep it from being evicted now.
    pub blocker: Option<Blocker>,
    /// Its claims that only one node may mount.
    pub claims: Vec<Claim>,
}

/// What a plan is made of.
enum Gathered {
    /// This has to be read first.
    Reading(Vec<Read>),
    /// All of it.
    Whole(Box<Seen>),
}

/// Looks at what was read for the pod.
fn gather(assessment: &Assessment, ask: &Ask, material: &Material) -> Result<Gathered, Refusal> {
    let Some(which) = which(&ask.target) else { return Err(Refusal("name one pod".to_owned())) };
    let mut reads = Vec::new();
    let budgets = departing::budgets(material, Some(which.namespace)).map_err(|read| reads.push(read)).ok();
    let path = which.path();
    let pod = match material.object(&path) {
        None => {
            reads.insert(0, Read::Object(path));
            return Ok(Gathered::Reading(reads));
        }
        Some(Err(words)) => return Err(Refusal(format!("pod {} could not be read: {words}", which.words()))),
        Some(Ok(None)) => return Err(Refusal(format!("there is no pod {}", which.words()))),
        Some(Ok(Some(object))) => Pod::deserialize(object)
            .map_err(|error| Refusal(format!("pod {} cannot be understood: {error}", which.words())))?,
    };
    touchable(&which, &pod)?;
    let mut wanted = BTreeSet::new();
    let claims = departing::claims(material, &pod, &mut wanted);
    reads.extend(wanted.into_iter().map(Read::Object));
    let (true, Some(budgets)) = (reads.is_empty(), budgets) else { return Ok(Gathered::Reading(reads)) };
    let Some(uid) = pod.metadata.uid.clone() else {
        return Err(Refusal(format!("pod {} was read without uid: it cannot be locked", which.words())));
    };
    let facts = departing::facts(assessment, &BTreeMap::new(), &budgets);
    let evictions = Evictions::new(&facts, assessment.now);
    let known = budgets.list.as_ref().map(|_| evictions.budgets_of(&pod)).map_err(Clone::clone);
    let blocker = evictions.holds(&pod);
    Ok(Gathered::Whole(Box::new(Seen { uid, owner: blockers::workload(&pod), budgets: known, blocker, claims, pod })))
}

/// Pods that are never touched, and one that goes already.
fn touchable(which: &Which<'_>, pod: &Pod) -> Result<(), Refusal> {
    let refuse = |words: String| Err(Refusal(words));
    let name = which.words();
    if pod.is_mirror() {
        return refuse(format!(
            "{name} is the image of a static pod: its kubelet runs it from a file, and what is done to it in the API does nothing"
        ));
    }
    if blockers::guards(pod) {
        return refuse(format!("{name} guards the quorum of the control plane: it is never touched"));
    }
    if deleted(&pod.metadata).is_some() {
        let held = match pod.metadata.finalizers.as_deref() {
            None | Some([]) => String::new(),
            Some(finalizers) => format!(", and held by finalizer {}", finalizers.join(", ")),
        };
        return refuse(format!("{name} is being deleted already{held}: asking again changes nothing"));
    }
    Ok(())
}

impl Seen {
    /// Would a second one beside it endanger data: a StatefulSet's, or one with a volume that one node alone may mount?
    pub fn holds_data(&self) -> bool {
        self.of("statefulset/") || !self.claims.is_empty()
    }

    /// Is it of such an owner?
    pub fn of(&self, kind: &str) -> bool {
        self.owner.as_deref().is_some_and(|owner| owner.starts_with(kind))
    }

    /// Who puts it back.
    pub fn recreated(&self) -> String {
        let name = self.pod.name();
        match self.owner.as_deref() {
            None => format!("nothing brings {name} back"),
            Some(owner) if owner.starts_with("statefulset/") => {
                format!("{owner} starts {name} again, but not before the old one is gone")
            }
            Some(owner) if owner.starts_with("daemonset/") => format!("{owner} starts another one on the same node"),
            Some(owner) if owner.starts_with("virtualmachineinstance/") => {
                format!("{owner} is the virtual machine that runs in it")
            }
            Some(owner) if owner.starts_with("job/") => format!("{owner} begins its work anew, if it may try again"),
            Some(owner) => format!("{owner} starts another one, where there is room for it"),
        }
    }

    /// What goes with the pod and how long that may take.
    pub fn loses(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.pod.has_empty_dir() {
            lines.push("the content of its emptyDir volumes is lost".to_owned());
        }
        let claims: Vec<String> = self.claims.iter().map(Claim::words).collect();
        if !claims.is_empty() {
            lines.push(format!("its volumes have to follow it: {}", claims.join(", ")));
        }
        if let Some(grace) = self.pod.spec.grace_seconds.filter(|grace| *grace > 0) {
            let seconds = count(usize::try_from(grace).unwrap_or_default(), "second");
            lines.push(format!("it is given {seconds} to end"));
        }
        lines
    }

    /// Where it runs.
    pub fn place(&self) -> String {
        match self.pod.spec.node_name.as_str() {
            "" => "it runs nowhere yet".to_owned(),
            node => format!("it runs on {node}"),
        }
    }
}
