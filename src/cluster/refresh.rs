//! Keeps a kind fresh by reading it again and again: those that are too heavy to be watched, and those that cannot be.
//! The same rules as for watches hold: nothing while the gate is closed, absence and refusal are looked at again after a
//! minute, a failure leaves the last good content.

use std::sync::Arc;
use std::time::Duration;

use super::picture::Seat;
use super::reads::{self, Put};
use super::session::Session;
use super::trouble::Failure;
use crate::upgrade::facts::{Kind, KindStatus};
use crate::upgrade::link::{LinkState, TroubleKind};

/// How often absent and forbidden kinds are looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often a kind is read again; none: it is watched.
pub(super) fn period(kind: Kind) -> Option<Duration> {
    match kind {
        Kind::Alerts => Some(Duration::from_secs(30)),
        Kind::Pods => Some(Duration::from_secs(60)),
        // The first two are heavy and change with every request or node; Secrets are read by name, so that nothing but
        // these is read, and change when a person changes them.
        Kind::ApiRequestCounts | Kind::ControllerConfigs | Kind::Secrets => Some(Duration::from_secs(300)),
        _ => None,
    }
}

/// Keeps `kind` fresh for as long as it is polled.
pub(super) async fn keep(session: Arc<Session>, seat: Seat, period: Duration) {
    let mut gate = session.picture.gate();
    let mut restarts = session.restarts();
    let mut again = session.again();
    let mut failures = 0_u32;
    loop {
        // The gate's other end lives as long as the session.
        let _ = gate.wait_for(|open| *open).await;
        restarts.mark_unchanged();
        again.mark_unchanged();
        let read = tokio::select! {
            read = reads::kind(&session.requests, seat.kind) => read,
            Ok(()) = restarts.changed() => continue,
        };
        let mut look_for = false;
        let pause = match &read {
            Ok(_) => {
                failures = 0;
                period
            }
            Err(failure) => {
                failures = failures.saturating_add(1);
                look_for = matches!(failure.kind(), TroubleKind::Forbidden | TroubleKind::AbsentKind);
                if failure.kind() == TroubleKind::Unauthorized {
                    session.unauthorized();
                }
                let doubled = FIRST_PAUSE.saturating_mul(1 << failures.min(8)).min(LONGEST_PAUSE);
                if look_for { LOOK_AGAIN } else { failure.retry_after.unwrap_or(doubled).min(LOOK_AGAIN) }
            }
        };
        tell(&session, seat, read, failures);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            Ok(()) = restarts.changed() => {}
            Ok(()) = again.changed(), if look_for => {}
        }
    }
}

/// Puts what was read into the picture. While the link is down it is the link that is in trouble, not the kind.
fn tell(session: &Session, seat: Seat, read: Result<Put, Failure>, failures: u32) {
    match read {
        Ok(put) => session.picture.place(seat, |facts, state| reads::settle(facts, state, Ok(put))),
        Err(failure) => {
            let up = session.picture.look(|facts| facts.link.state == LinkState::Live);
            let waits = session.picture.seat(seat).status == KindStatus::Waiting;
            let status = reads::status(failure);
            match status {
                KindStatus::Failing(_) if waits && (!up || failures < 2) => {}
                KindStatus::Absent => session.picture.place(seat, |facts, state| {
                    reads::clear(facts, state, seat.kind);
                    state.status = KindStatus::Absent;
                }),
                status => session.picture.status(seat, status),
            }
        }
    }
}
