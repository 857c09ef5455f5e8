//! `cvo-failing-early`: the cluster-version operator calls a degraded operator failing before the 40 minutes are over
//! that it usually bears it. It may pass by itself.

use super::cvo_failing::{Shade, failing, finding_of};
use super::release::said;
use super::{Finding, Look, operator_degraded};
use crate::upgrade::assessment::{OperatorState, Remedy, age};
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let Some((failing, Shade::Early)) = failing(look) else { return };
    let mut finding = finding_of(look, "cvo-failing-early", failing);
    let started = look.now.update.started;
    let degraded = look.now.operators.rows.iter().filter(|row| row.platform && row.state == OperatorState::Degraded);
    let clocks = degraded.filter_map(|row| {
        let since = row.since.max(started)?;
        let left = operator_degraded::ERROR - age(since, look.now.now);
        Some(format!("{} has {} of its 40 minutes left", row.name, words::span(left)))
    });
    finding.meaning = format!(
        "{}\nLow confidence: {}. When errors of different kinds meet, the operator says Failing at once, without waiting; it \
         may take that back.",
        said(failing),
        clocks.collect::<Vec<_>>().join(", ")
    );
    finding.remedies.insert(0, Remedy::look("Wait until the 40 minutes are over before anybody is called."));
    found.push(finding);
}
