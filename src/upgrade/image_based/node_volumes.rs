//! The volumes of the node before it is upgraded by an image: which lie on its own disks, and what becomes of them.
//!
//! The records of all volumes go with the old etcd. Those of the logical volume manager come back with their contents only
//! when a Backup holds the LogicalVolumes and a Restore brings their status back (see `oadp_content`); and a volume with
//! reclaim policy `Delete` is deleted together with its claim (Kubernetes, `PersistentVolumeReclaimPolicy`).

use crate::api::{LogicalVolume, PersistentVolume};
use crate::upgrade::facts::{Facts, Kind, KindStatus};
use crate::upgrade::words;

/// The driver of the logical volume manager storage, and its former name (TopoLVM, `PluginName`).
const DRIVERS: [&str; 2] = ["topolvm.io", "topolvm.cybozu.com"];

/// Where the data of a volume lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backing {
    /// In a logical volume of the node's disks.
    Logical,
    /// In a folder or on a disk of the node.
    Local,
}

/// A volume on the node's own disks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeVolume {
    /// Name of the PersistentVolume; of a logical volume without one, its own.
    pub name: String,
    /// Where its data lies.
    pub backing: Backing,
    /// `namespace/name` of its claim.
    pub claim: Option<String>,
    /// `spec.persistentVolumeReclaimPolicy`; empty: its PersistentVolume was not read, or there is none.
    pub policy: String,
    /// Capacity as the API says it, or empty.
    pub size: String,
    /// What is known of it, field by field.
    pub evidence: String,
}

/// The volumes of the node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeVolumes {
    /// Those on its own disks: first what is deleted with its claim.
    pub rows: Vec<NodeVolume>,
    /// How many lie elsewhere.
    pub elsewhere: usize,
    /// What could not be read, and why, a line each.
    pub unread: Vec<String>,
}

impl NodeVolume {
    /// Is it deleted together with its claim?
    pub fn goes_with_claim(&self) -> bool {
        self.policy == "Delete"
    }

    /// `claim shop/data-0, 5Gi, reclaim policy Delete`.
    pub fn words(&self) -> String {
        let claim = self.claim.as_ref().map_or_else(|| "no claim".to_owned(), |claim| format!("claim {claim}"));
        let size = if self.size.is_empty() { String::new() } else { format!(", {}", self.size) };
        format!("{claim}{size}, {}", self.policy_words())
    }

    /// `reclaim policy Delete`.
    pub fn policy_words(&self) -> String {
        match self.policy.as_str() {
            "" => "reclaim policy not known".to_owned(),
            policy => format!("reclaim policy {policy}"),
        }
    }
}

/// The volumes as far as they were read.
pub fn volumes(facts: &Facts) -> NodeVolumes {
    let around = &facts.around;
    let logical = |name: &str| around.logical_volumes.iter().find(|one| behind(one) == name);
    let mut all = NodeVolumes {
        unread: [Kind::PersistentVolumes, Kind::LogicalVolumes]
            .iter()
            .filter_map(|kind| unread(facts, *kind))
            .collect(),
        ..NodeVolumes::default()
    };
    for volume in around.persistent_volumes.iter() {
        match row(volume, logical(volume.name()).map(AsRef::as_ref)) {
            Some(row) => all.rows.push(row),
            None => all.elsewhere += 1,
        }
    }
    let orphans = around.logical_volumes.iter().filter(|one| all.rows.iter().all(|row| row.name != behind(one)));
    let orphans: Vec<NodeVolume> = orphans.map(|one| orphan(one, facts.known(Kind::PersistentVolumes))).collect();
    all.rows.extend(orphans);
    all.rows
        .sort_by(|a, b| (!a.goes_with_claim(), a.backing, &a.name).cmp(&(!b.goes_with_claim(), b.backing, &b.name)));
    all
}

/// The PersistentVolume that a logical volume stands behind.
fn behind(volume: &LogicalVolume) -> &str {
    if volume.spec.volume.is_empty() { volume.name() } else { &volume.spec.volume }
}

/// A volume on the node's own disks; none: it lies elsewhere.
fn row(volume: &PersistentVolume, logical: Option<&LogicalVolume>) -> Option<NodeVolume> {
    let spec = &volume.spec;
    let driver = spec.csi.as_ref().map(|csi| csi.driver.as_str()).unwrap_or_default();
    let place = spec.local.as_ref().or(spec.host_path.as_ref());
    let backing = match () {
        () if logical.is_some() || DRIVERS.contains(&driver) => Backing::Logical,
        () if place.is_some() => Backing::Local,
        () => return None,
    };
    let claim = spec.claim.as_ref().map(|claim| format!("{}/{}", claim.namespace, claim.name));
    let mut evidence =
        vec![format!("pv/{} spec.persistentVolumeReclaimPolicy = {}", volume.name(), spec.reclaim_policy)];
    let mut told = |field: &str, value: &str| {
        if !value.is_empty() {
            evidence.push(format!("{field} = {value}"));
        }
    };
    told("spec.csi.driver", driver);
    told("path", place.map(|place| place.path.as_str()).unwrap_or_default());
    told("spec.storageClassName", &spec.class);
    told("status.phase", &volume.status.phase);
    if let Some(logical) = logical {
        evidence.push(format!("logicalvolume/{}", logical.name()));
    }
    Some(NodeVolume {
        name: volume.name().to_owned(),
        backing,
        claim,
        policy: spec.reclaim_policy.clone(),
        size: spec.capacity.storage.clone(),
        evidence: evidence.join(", "),
    })
}

/// A logical volume whose PersistentVolume is not among those that were read.
fn orphan(volume: &LogicalVolume, read: bool) -> NodeVolume {
    let missing = if read { "there is no PersistentVolume of its name" } else { "its PersistentVolume was not read" };
    NodeVolume {
        name: behind(volume).to_owned(),
        backing: Backing::Logical,
        claim: None,
        policy: String::new(),
        size: String::new(),
        evidence: format!("logicalvolume/{}, {missing}", volume.name()),
    }
}

/// Why nothing, or not everything, of a kind is known.
fn unread(facts: &Facts, kind: Kind) -> Option<String> {
    let name = kind.plural();
    Some(match facts.status(kind) {
        KindStatus::Live | KindStatus::Absent => return None,
        KindStatus::NotAsked | KindStatus::Waiting => format!("{name} were not read yet"),
        KindStatus::Forbidden(trouble) => format!("{name} may not be read: {}", trouble.words),
        KindStatus::Failing(trouble) => format!("{name} cannot be read now: {}", trouble.words),
    })
}

impl NodeVolumes {
    /// `2 volumes, 1 of them deleted with its claim`.
    pub fn summary(&self) -> String {
        let going = self.rows.iter().filter(|row| row.goes_with_claim()).count();
        let all = words::count(self.rows.len(), "volume");
        if going == 0 { all } else { format!("{all}, {going} with reclaim policy Delete") }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::upgrade::assemble::Objects;

    fn facts() -> Facts {
        let volume = |name: &str, policy: &str, more: (&str, serde_json::Value)| {
            let mut object = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": {
                "persistentVolumeReclaimPolicy": policy, "capacity": {"storage": "5Gi"},
                "claimRef": {"namespace": "shop", "name": format!("data-{name}")}}, "status": {"phase": "Bound"}});
            object["spec"][more.0] = more.1;
            object
        };
        let logical = |name: &str| json!({"apiVersion": "topolvm.io/v1", "kind": "LogicalVolume", "metadata": {"name": name}, "spec": {"name": name}});
        let objects = [
            volume("kept", "Retain", ("csi", json!({"driver": "topolvm.io"}))),
            volume("going", "Delete", ("csi", json!({"driver": "topolvm.io"}))),
            volume("folder", "Retain", ("hostPath", json!({"path": "/var/data"}))),
            volume("cloud", "Delete", ("csi", json!({"driver": "ebs.csi.aws.com"}))),
            logical("going"),
            logical("alone"),
        ];
        Objects::from_values(&objects).into_recording("2026-03-07T03:12:44Z".parse().unwrap())
    }

    #[test]
    fn what_lies_on_the_nodes_disks_is_told_with_its_reclaim_policy_what_is_deleted_first() {
        let all = volumes(&facts());
        let told: Vec<(&str, &str)> = all.rows.iter().map(|row| (row.name.as_str(), row.policy.as_str())).collect();
        assert_eq!(told, [("going", "Delete"), ("alone", ""), ("kept", "Retain"), ("folder", "Retain")]);
        assert_eq!(all.elsewhere, 1, "a cloud's disk does not go with the node");
        assert_eq!(all.summary(), "4 volumes, 1 with reclaim policy Delete");
        assert_eq!(all.rows[0].words(), "claim shop/data-going, 5Gi, reclaim policy Delete");
        assert!(all.rows[0].evidence.contains("logicalvolume/going"), "{}", all.rows[0].evidence);
        assert!(all.rows[1].evidence.contains("no PersistentVolume"), "{}", all.rows[1].evidence);
        assert_eq!(all.unread, Vec::<String>::new());
    }

    #[test]
    fn what_may_not_be_read_is_told_and_is_not_none() {
        let mut facts = facts();
        facts.kinds.remove(&Kind::PersistentVolumes);
        assert_eq!(volumes(&facts).unread, ["persistentvolumes were not read yet"]);
    }
}
