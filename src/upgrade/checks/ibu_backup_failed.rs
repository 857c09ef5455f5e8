//! `ibu-backup-failed`: a backup or restore of an image-based upgrade failed.

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding};
use crate::upgrade::facts::Kind;
use crate::upgrade::image_based::oadp::{OadpRow, OadpState};

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some(image) = super::ibu::seen(look).filter(|image| image.under_way()) else { return };
    found.extend(image.oadp.iter().filter(|row| row.state == OadpState::Failed).map(failed));
}

fn failed(row: &OadpRow) -> Finding {
    let (kind, what) = if row.restore { (Kind::Restores, "restore") } else { (Kind::Backups, "backup") };
    let object = Resource::namespaced(&kind.resource(), &row.namespace, &row.name);
    let trouble = if row.trouble.is_empty() { "it gives no reason".to_owned() } else { row.trouble.clone() };
    let next = if row.restore {
        "The agent counts that as a failed upgrade: unless that is switched off the node goes back by itself."
    } else {
        "The agent counts that as a failed upgrade, before the reboot: nothing was interrupted."
    };
    Finding {
        impact: if row.restore { Impact::DataLoss } else { Impact::UpdateStalled },
        meaning: format!("{trouble}\n{next}"),
        remedies: vec![
            Remedy::look(format!("Look at the {what} and at its log."))
                .oc(format!("oc describe {what} -n {} {}", row.namespace, row.name)),
        ],
        since: row.started,
        evidence: vec![evidence(format!("{what}/{}", row.name), "status.phase", row.phase.clone(), row.started)],
        ..finding(
            "ibu-backup-failed",
            Level::Error,
            Subject::Object(object),
            format!("{what} {} is {}: {trouble}", row.name, row.phase),
        )
    }
}
