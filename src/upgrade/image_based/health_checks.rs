//! What the agent waits for before Prep, before the reboot, after it and before it finalizes, checked by ourselves
//! (lifecycle-agent: internal/healthcheck/healthcheck.go). What was not read is unknown, and never fine.

use crate::api::{ClusterOperator, Conditions as _, Node, Tri};
use crate::upgrade::facts::{Facts, Kind, KindStatus};
use crate::upgrade::words;

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// As it has to be.
    Well,
    /// Nothing of it is there, so nothing has to be.
    NotThere,
    /// It could not be checked.
    Unknown,
    /// The agent waits for it.
    Waits,
}

impl Health {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Well => "Well",
            Self::NotThere => "NotThere",
            Self::Unknown => "Unknown",
            Self::Waits => "Waits",
        }
    }
}

/// A check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthRow {
    /// What is checked.
    pub name: &'static str,
    /// What it came to.
    pub health: Health,
    /// In words.
    pub words: String,
}

/// The name of the check of backups and where they are stored.
pub const OADP: &str = "OADP and backup locations";

/// Names that are told of many.
const NAMED: usize = 3;

/// The checks. `with_oadp`: application data is to be backed up, so OADP has to be there.
pub fn rows(facts: &Facts, with_oadp: bool) -> Vec<HealthRow> {
    let checks: [(&'static str, Told); 7] = [
        ("cluster operators", operators(facts)),
        ("machine config pools", pools(facts)),
        ("node", node(facts)),
        ("operators by OLM", subscriptions(facts)),
        ("certificate requests", requests(facts)),
        (OADP, oadp(facts, with_oadp)),
        ("SR-IOV", sriov(facts)),
    ];
    checks.into_iter().map(|(name, (health, words))| HealthRow { name, health, words }).collect()
}

type Told = (Health, String);

/// The objects of a kind, or what there is to say without them.
fn listed<'a, T>(facts: &Facts, kind: Kind, objects: &'a [T]) -> Result<&'a [T], Told> {
    match facts.status(kind) {
        KindStatus::Absent => Err((Health::NotThere, "not installed".to_owned())),
        KindStatus::Forbidden(_) => Err((Health::Unknown, format!("no permission to list {}", kind.plural()))),
        KindStatus::NotAsked | KindStatus::Waiting => {
            Err((Health::Unknown, format!("{} were not read", kind.plural())))
        }
        KindStatus::Failing(_) if !facts.known(kind) => {
            Err((Health::Unknown, format!("{} could not be read", kind.plural())))
        }
        KindStatus::Live | KindStatus::Failing(_) => Ok(objects),
    }
}

/// Well when nothing is wrong; otherwise what is.
fn judged(count: usize, what: &str, wrong: &[String]) -> Told {
    if wrong.is_empty() {
        return (Health::Well, words::count(count, what));
    }
    let told = wrong.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    let more = if wrong.len() > NAMED { format!("; and {} more", wrong.len() - NAMED) } else { String::new() };
    (Health::Waits, format!("{told}{more}"))
}

fn operators(facts: &Facts) -> Told {
    let rows = match listed(facts, Kind::ClusterOperators, &facts.operators) {
        Ok([]) => return (Health::Unknown, "there are none".to_owned()),
        Ok(rows) => rows,
        Err(told) => return told,
    };
    let wrong = |operator: &ClusterOperator| {
        let conditions = &operator.status.conditions;
        let says = |kind: &str, well: Tri| conditions.condition(kind).is_some_and(|one| one.status == well);
        let what = [
            (!says("Available", Tri::True), "not available"),
            (!says("Progressing", Tri::False), "progressing"),
            (!says("Degraded", Tri::False), "degraded"),
        ];
        let what: Vec<&str> = what.into_iter().filter(|(wrong, _)| *wrong).map(|(_, words)| words).collect();
        (!what.is_empty()).then(|| format!("{} {}", operator.name(), what.join(" and ")))
    };
    let wrong: Vec<String> = rows.iter().filter_map(|operator| wrong(operator)).collect();
    judged(rows.len(), "operator", &wrong)
}

fn pools(facts: &Facts) -> Told {
    let rows = match listed(facts, Kind::MachineConfigPools, &facts.pools) {
        Ok([]) => return (Health::Unknown, "there are none".to_owned()),
        Ok(rows) => rows,
        Err(told) => return told,
    };
    let wrong: Vec<String> = rows
        .iter()
        .filter(|pool| pool.status.machine_count != pool.status.ready_machine_count)
        .map(|pool| {
            format!("{}: {} of {} ready", pool.name(), pool.status.ready_machine_count, pool.status.machine_count)
        })
        .collect();
    judged(rows.len(), "pool", &wrong)
}

/// The roles that the one node has to have.
const ROLES: [&str; 3] = ["control-plane", "master", "worker"];

fn node(facts: &Facts) -> Told {
    let rows = match listed(facts, Kind::Nodes, &facts.nodes) {
        Ok([]) => return (Health::Unknown, "there is none".to_owned()),
        Ok(rows) => rows,
        Err(told) => return told,
    };
    let wrong = |node: &Node| {
        let conditions = &node.status.conditions;
        let mut what = Vec::new();
        if !conditions.is_true("Ready") {
            what.push("not ready".to_owned());
        }
        if conditions.is_true("NetworkUnavailable") {
            what.push("without network".to_owned());
        }
        let lacks = ROLES.iter().filter(|role| node.label(&format!("node-role.kubernetes.io/{role}")).is_none());
        what.extend(lacks.map(|role| format!("without the role {role}")));
        (!what.is_empty()).then(|| format!("{} {}", node.name(), what.join(", ")))
    };
    let wrong: Vec<String> = rows.iter().filter_map(|node| wrong(node)).collect();
    judged(rows.len(), "node", &wrong)
}

/// The agent leaves itself out.
const AGENT: &str = "lifecycle-agent";

fn subscriptions(facts: &Facts) -> Told {
    let rows = match listed(facts, Kind::ClusterServiceVersions, &facts.around.cluster_service_versions) {
        Ok(rows) => rows,
        Err(told) => return told,
    };
    let others = || rows.iter().filter(|one| !one.name().contains(AGENT));
    let wrong: Vec<String> = others()
        .filter(|one| one.status.phase != "Succeeded")
        .map(|one| {
            let phase = if one.status.phase.is_empty() { "not begun" } else { &one.status.phase };
            format!("{} {phase}", one.name())
        })
        .collect();
    judged(others().count(), "ClusterServiceVersion", &wrong)
}

/// Each has to be approved: a pending one, and even a denied one, holds everything up.
fn requests(facts: &Facts) -> Told {
    let rows = match listed(facts, Kind::CertificateSigningRequests, &facts.around.certificate_signing_requests) {
        Ok(rows) => rows,
        Err(told) => return told,
    };
    let wrong: Vec<String> = rows
        .iter()
        .filter(|request| !request.status.conditions.is_true("Approved"))
        .map(|request| {
            let denied = request.status.conditions.condition("Denied").is_some();
            format!("{} {}", request.name(), if denied { "denied (delete it)" } else { "pending" })
        })
        .collect();
    judged(rows.len(), "request", &wrong)
}

fn oadp(facts: &Facts, with_oadp: bool) -> Told {
    let around = &facts.around;
    let applications = match listed(facts, Kind::DataProtectionApplications, &around.data_protection_applications) {
        Ok([]) | Err((Health::NotThere, _)) => {
            return if with_oadp {
                (Health::Waits, "there is no DataProtectionApplication, and oadpContent is set".to_owned())
            } else {
                (Health::NotThere, "no DataProtectionApplication".to_owned())
            };
        }
        Ok(rows) => rows,
        Err(told) => return told,
    };
    let mut wrong: Vec<String> = applications
        .iter()
        .filter(|one| !one.status.conditions.is_true("Reconciled"))
        .map(|one| format!("DataProtectionApplication {} is not reconciled", one.name()))
        .collect();
    let locations = match listed(facts, Kind::BackupStorageLocations, &around.backup_storage_locations) {
        Ok(rows) => rows,
        Err((_, words)) => return (Health::Unknown, words),
    };
    wrong.extend(locations.iter().filter(|one| one.status.phase != "Available").map(|one| {
        let phase = if one.status.phase.is_empty() { "not tried yet" } else { &one.status.phase };
        let why = if one.status.message.is_empty() { String::new() } else { format!(" ({})", one.status.message) };
        format!("location {} {phase}{why}", one.name())
    }));
    if locations.is_empty() {
        wrong.push("there is no BackupStorageLocation".to_owned());
    }
    judged(locations.len(), "location", &wrong)
}

fn sriov(facts: &Facts) -> Told {
    let rows = match listed(facts, Kind::SriovNodeStates, &facts.around.sriov_node_states) {
        Ok(rows) => rows,
        Err(told) => return told,
    };
    let wrong: Vec<String> = rows
        .iter()
        .filter(|one| one.status.sync != "Succeeded")
        .map(|one| {
            format!("{} {}", one.name(), if one.status.sync.is_empty() { "not synced" } else { &one.status.sync })
        })
        .collect();
    judged(rows.len(), "node state", &wrong)
}
