//! What pausing and resuming MachineHealthChecks share: finding them, who paused them, what they watch over, the patch.

use serde_json::{Value, json};

use super::raw::{self, Patch, annotated_by, annotation, labels, name, permission, text};
use super::reading::Reading;
use super::words::{list, shell};
use super::{
    ActionId, Ask, Danger, Effect, Entry, FIELD_MANAGER, Material, Offered, Plan, Precondition, Refusal, Session,
    Takes, Target, Write, gate,
};
use crate::api::PAUSED;
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::{Assessment, Node, Resource, Topology};
use crate::upgrade::facts::Kind;

/// The namespace of the machine API.
pub(super) const NAMESPACE: &str = "openshift-machine-api";
/// As `oc get` takes it.
const RESOURCE: &str = "machinehealthchecks.machine.openshift.io";
/// Where health checks are listed.
pub(super) const CHECKS: &str =
    "/apis/machine.openshift.io/v1beta1/namespaces/openshift-machine-api/machinehealthchecks";
/// Where Machines are listed.
pub(super) const MACHINES: &str = "/apis/machine.openshift.io/v1beta1/namespaces/openshift-machine-api/machines";

/// Pausing and resuming patch the health check.
pub(super) const PATCH: Permission = permission("patch", "machine.openshift.io", "machinehealthchecks", NAMESPACE);
/// They are listed anew for each plan.
pub(super) const LIST: Permission = permission("list", "machine.openshift.io", "machinehealthchecks", NAMESPACE);
/// What they watch over.
pub(super) const LIST_MACHINES: Permission = permission("list", "machine.openshift.io", "machines", NAMESPACE);

/// Health checks of the machine API by name, or those that fit when none is named.
pub(super) const TAKES: Takes = Takes::Objects {
    resource: RESOURCE,
    noun: "MHC",
    namespaced: true,
    namespace: NAMESPACE,
    several: true,
    none: true,
};

/// What pausing and resuming have in common.
pub(super) const ENTRY: Entry =
    Entry { takes: TAKES, permissions: &[PATCH, LIST, LIST_MACHINES], ..Entry::blank(ActionId::PauseMhc) };

/// The offer, where there are checks that it is for.
pub(super) fn offered(
    (entry, verb): (&Entry, &str),
    assessment: &Assessment,
    target: &Target,
    wanted: fn(&crate::api::MachineHealthCheck) -> bool,
    available: Result<(), Refusal>,
) -> Option<Offered> {
    if !sensible(assessment, target, wanted) {
        return None;
    }
    let names = names(target).unwrap_or_default();
    let danger = entry.dangers.first().copied().unwrap_or(Danger::L);
    Some(Offered { action: entry.id, title: title(verb, &names), danger, refusal: available.err() })
}

/// Before nodes reboot: the health checks that may take that for a failure, as far as they were read. On a single node
/// there is no other one that would take its place.
pub(super) fn not_paused(assessment: &Assessment) -> Option<String> {
    let checks = assessment.facts.around.machine_health_checks.iter();
    let names: Vec<&str> = checks.filter(|check| !check.is_paused()).map(|check| check.name()).collect();
    let several = assessment.topology != Topology::SingleReplica;
    (several && !names.is_empty()).then(|| {
        let (noun, are) = if names.len() == 1 { ("check", "is") } else { ("checks", "are") };
        format!(
            "health {noun} {} {are} not paused: where a node that is watched over takes long to reboot, its machine may be \
             deleted (pause-mhc pauses them)",
            list(names)
        )
    })
}

/// What was read: the checks that were named, all checks, all Machines.
pub(super) struct There<'a> {
    pub names: Vec<&'a str>,
    pub all: Vec<&'a Value>,
    pub machines: Vec<&'a Value>,
}

/// Reads them; an error of the inner kind is the plan that waits for them.
pub(super) fn read<'a>(
    (entry, verb): (&Entry, &str),
    ask: &'a Ask,
    material: &'a Material,
) -> Result<Result<There<'a>, Plan>, Refusal> {
    let names = names(&ask.target)?;
    let mut reading = Reading::of(material);
    let (Some(found), Some(machines)) = (reading.list(CHECKS)?, reading.list(MACHINES)?) else {
        return Ok(Err(reading.draft(entry, ask, title(verb, &names))));
    };
    let Some(all) = found else { return Err(Refusal("this API server serves no MachineHealthChecks".to_owned())) };
    Ok(Ok(There { names, all, machines: machines.unwrap_or_default() }))
}

/// The plan that pauses or resumes these checks, with what is told of it left to be filled.
pub(super) fn plan(
    (entry, verb): (&Entry, &str),
    session: &Session,
    ask: &Ask,
    chosen: &[Check],
    paused: bool,
) -> Result<Plan, Refusal> {
    let names: Vec<&str> = chosen.iter().map(|check| check.name()).collect();
    let value = if paused { json!("") } else { Value::Null };
    let stored = |check: &Check| Effect::Stored {
        object: format!("machinehealthcheck/{}", check.name()),
        path: format!("{CHECKS}/{}", check.name()),
        fields: vec![(field(), value.clone())],
    };
    let object = |name: &&str| Resource {
        resource: RESOURCE.to_owned(),
        namespace: NAMESPACE.to_owned(),
        name: (*name).to_owned(),
    };
    Ok(Plan {
        writes: chosen.iter().map(|check| check.write(session, paused)).collect::<Result<_, _>>()?,
        effect: Effect::All(chosen.iter().map(stored).collect()),
        ..Plan::draft(entry, ask, title(verb, &names))
    }
    .undone_on(Target::Objects(names.iter().map(object).collect())))
}

/// The names that were given; none: those that fit.
pub(super) fn names(target: &Target) -> Result<Vec<&str>, Refusal> {
    let mut names: Vec<&str> = Vec::new();
    for object in target.objects() {
        if object.resource != RESOURCE || object.namespace != NAMESPACE {
            return Err(Refusal(format!("{} is no health check of {NAMESPACE}", object.short())));
        }
        if !names.contains(&object.name.as_str()) {
            names.push(&object.name);
        }
    }
    Ok(names)
}

/// Is it about health checks, and are there any, as far as is known? `wanted`: those that the action is for.
pub(super) fn sensible(
    assessment: &Assessment,
    target: &Target,
    wanted: fn(&crate::api::MachineHealthCheck) -> bool,
) -> bool {
    match target {
        Target::Cluster => {
            // As long as they were not read the plan reads them.
            !assessment.facts.known(Kind::MachineHealthChecks)
                || assessment.facts.around.machine_health_checks.iter().any(|check| wanted(check))
        }
        Target::Objects(objects) => objects.iter().all(|object| object.resource == RESOURCE) && !objects.is_empty(),
        _ => false,
    }
}

/// A health check as the server has it.
#[derive(Clone, Copy)]
pub(super) struct Check<'a>(pub &'a Value);

impl<'a> Check<'a> {
    /// Its name.
    pub(super) fn name(self) -> &'a str {
        name(self.0)
    }

    /// Is it paused?
    pub(super) fn is_paused(self) -> bool {
        annotation(self.0, PAUSED).is_some()
    }

    /// Was it paused by this program alone? The field manager is what the server remembers, for as long as the
    /// annotation lives: no record of ours can be lost, and no other annotation is left behind.
    pub(super) fn is_ours(self) -> bool {
        let managers = annotated_by(self.0, PAUSED);
        !managers.is_empty() && managers.iter().all(|writer| writer.manager == FIELD_MANAGER)
    }

    /// `paused by kubectl-annotate since 2026-11-20T02:58:12Z`.
    pub(super) fn whose_pause(self) -> String {
        match annotated_by(self.0, PAUSED).first() {
            Some(writer) if !writer.manager.is_empty() => {
                let since = if writer.at.is_empty() { String::new() } else { format!(" since {}", writer.at) };
                format!("paused by {}{since}", writer.manager)
            }
            _ => "paused by somebody (the API does not tell whom)".to_owned(),
        }
    }

    /// The Machines that it watches over.
    pub(super) fn selected<'m>(self, machines: &[&'m Value]) -> Vec<&'m Value> {
        let selector = raw::selector(self.0, "/spec/selector").unwrap_or_default();
        machines.iter().copied().filter(|machine| selector.matches(&labels(machine))).collect()
    }

    /// The patch that pauses or resumes it.
    pub(super) fn write(self, session: &Session, paused: bool) -> Result<Write, Refusal> {
        let (name, value) = (self.name(), if paused { json!("") } else { Value::Null });
        let sign = if paused { "=" } else { "-" };
        Patch {
            object: format!("machinehealthcheck/{name}"),
            path: format!("{CHECKS}/{name}"),
            seen: self.0,
            body: json!({ "metadata": { "annotations": { PAUSED: value } } }),
            oc: format!("annotate machinehealthcheck -n {NAMESPACE} {} {PAUSED}{sign}", shell(name)),
            stored: vec![(field(), value)],
        }
        .write(session)
    }

    /// `health check workers is (not) paused`, with its evidence.
    pub(super) fn found(self) -> Precondition {
        let (not, no) = if self.is_paused() { ("", "") } else { ("not ", "no ") };
        Precondition {
            words: format!("health check {} is {not}paused", self.name()),
            evidence: format!("machinehealthcheck/{} has {no}annotation {PAUSED}", self.name()),
        }
    }
}

/// Where the annotation is.
pub(super) fn field() -> String {
    raw::pointer(&["metadata", "annotations", PAUSED])
}

/// The node of a Machine; none: it has none, or it is not there.
pub(super) fn node<'a>(assessment: &'a Assessment, machine: &Value) -> Option<&'a Node> {
    assessment.node(text(machine, "/status/nodeRef/name"))
}

/// `Pause health check workers`, `Pause 2 health checks`, `Pause the health checks`.
pub(super) fn title(verb: &str, names: &[&str]) -> String {
    match names {
        [] => format!("{verb} the health checks of the machine API"),
        [name] => format!("{verb} health check {name}"),
        names => format!("{verb} {} health checks", names.len()),
    }
}

/// The checks of these names, or those that `fits` when none is named.
pub(super) fn chosen<'a>(
    checks: &[&'a Value],
    names: &[&str],
    fits: impl Fn(Check<'a>) -> bool,
) -> Result<Vec<Check<'a>>, Refusal> {
    if names.is_empty() {
        return Ok(checks.iter().copied().map(Check).filter(|check| fits(*check)).collect());
    }
    let found = |name: &&str| {
        let check = checks.iter().copied().map(Check).find(|check| check.name() == *name);
        check.ok_or_else(|| {
            let there: Vec<&str> = checks.iter().copied().map(raw::name).collect();
            let there =
                if there.is_empty() { "there is none".to_owned() } else { format!("there are {}", list(there)) };
            Refusal(format!("there is no health check {name} in {NAMESPACE}: {there}"))
        })
    };
    names.iter().map(found).collect()
}

/// What holds for both: a session that may write, a live picture of what it rests on, the permission.
pub(super) fn may(assessment: &Assessment, session: &Session) -> Result<(), Refusal> {
    gate::session(assessment, session, &[Kind::Nodes, Kind::MachineConfigPools])?;
    for permission in [&PATCH, &LIST, &LIST_MACHINES] {
        gate::permitted(assessment, permission)?;
    }
    Ok(())
}
