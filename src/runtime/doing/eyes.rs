//! What a command sees of the cluster: the same watches and judgements as the cockpit, without its screen.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::task::AbortOnDropHandle;

use super::End;
use crate::actions::Effect;
use crate::cluster::execute::{self, Transport};
use crate::cluster::{self, Cluster, Connection, Requests};
use crate::report::plan::Ended;
use crate::runtime::cockpit::nothing;
use crate::runtime::perform::own;
use crate::runtime::think;
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::{Assessment, Topology};
use crate::upgrade::facts::Kind;
use crate::upgrade::link::{Trouble, TroubleKind};
use crate::upgrade::needs::Wanted;
use crate::upgrade::timeline::Entry;

/// A server that fails may be on its way back: control plane nodes reboot one after the other.
const BACK: Duration = Duration::from_secs(20);

/// How long the first picture may take altogether.
const FIRST: Duration = Duration::from_secs(60);

/// How long access reviews may take: without them the dry run asks the server all the same.
const REVIEWS: Duration = Duration::from_secs(5);

/// How long the kinds that a decision rests on may take.
const KINDS: Duration = Duration::from_secs(30);

/// A cluster that is watched.
pub struct Eyes {
    cluster: Cluster,
    assessed: watch::Receiver<Arc<Assessment>>,
    connection: watch::Receiver<Arc<Connection>>,
    wanted: watch::Sender<Wanted>,
    /// The other end would take the silence for an end.
    _notes: mpsc::UnboundedSender<Entry>,
    _thinking: AbortOnDropHandle<()>,
}

impl Eyes {
    /// Starts to watch.
    pub fn open(options: cluster::Options) -> Self {
        let cluster = Cluster::start(options);
        let (thoughts, assessed) = watch::channel(nothing());
        let (notes, noted) = mpsc::unbounded_channel();
        let wanted = watch::Sender::<Wanted>::default();
        let thinking = own(think::think(cluster.facts(), noted, thoughts, wanted.subscribe(), cluster.needing()));
        let connection = cluster.connection();
        Self { cluster, assessed, connection, wanted, _notes: notes, _thinking: thinking }
    }

    /// The newest assessment.
    pub fn newest(&self) -> Arc<Assessment> {
        Arc::clone(&self.assessed.borrow())
    }

    /// The newest assessment, for whoever decides later.
    pub fn assessed(&self) -> watch::Receiver<Arc<Assessment>> {
        self.assessed.clone()
    }

    /// The way to send requests to the cluster of that epoch.
    pub fn requests(&self, epoch: u64) -> Requests {
        self.cluster.requests().bound(epoch)
    }

    /// The context of the kubeconfig.
    pub fn context(&self) -> String {
        self.connection.borrow().context.clone()
    }

    /// Waits for the first picture that is live.
    ///
    /// # Errors
    /// What keeps us from it.
    pub async fn connected(&mut self) -> Result<(), End> {
        let live = |assessment: &Assessment| assessment.facts.complete() && assessment.facts.link.state.writable();
        let mut assessed = self.assessed.clone();
        let mut connection = self.connection.clone();
        let broken = tokio::time::sleep(BACK);
        let late = tokio::time::sleep(FIRST);
        tokio::pin!(broken, late);
        loop {
            let newest = Arc::clone(&assessed.borrow_and_update());
            if live(&newest) {
                return Ok(());
            }
            if let Some(words) = &connection.borrow_and_update().error {
                return Err(End::new(Ended::Failed, words.clone()));
            }
            let trouble = newest.facts.link.trouble.clone();
            if let Some(trouble) = trouble.filter(|trouble| lasting(trouble.kind) || broken.is_elapsed()) {
                return Err(failed(&trouble));
            }
            tokio::select! {
                Ok(()) = assessed.changed() => {}
                Ok(()) = connection.changed() => {}
                () = &mut broken, if !broken.is_elapsed() => {}
                () = &mut late => {
                    return Err(End::new(Ended::Failed, format!("the cluster gave no picture of itself within {FIRST:?}")));
                }
            }
        }
    }

    /// Waits until the user's permissions and these kinds are known, as far as they will be.
    ///
    /// # Errors
    /// What keeps us from the first picture.
    pub async fn ready(&mut self, permissions: &[Permission], kinds: &[Kind]) -> Result<(), End> {
        self.connected().await?;
        self.wanted.send_modify(|wanted| wanted.kinds.extend(kinds));
        let reviewed = |assessment: &Assessment| {
            let access = &assessment.facts.access;
            permissions.iter().all(|permission| access.answer(permission).is_some())
        };
        // A single node may be upgraded by an image, beside which nothing else is begun.
        let image = |assessment: &Assessment| {
            assessment.topology != Topology::SingleReplica || assessment.facts.settled(Kind::ImageBasedUpgrades)
        };
        let read =
            |assessment: &Assessment| image(assessment) && kinds.iter().all(|kind| assessment.facts.settled(*kind));
        let mut assessed = self.assessed.clone();
        // What is not known by then is told by whoever decides on it: the plan refuses, the dry run asks the server.
        let _ = tokio::time::timeout(REVIEWS, assessed.wait_for(|assessment| reviewed(assessment))).await;
        let _ = tokio::time::timeout(KINDS, assessed.wait_for(|assessment| read(assessment))).await;
        Ok(())
    }

    /// Waits until the cluster of that epoch shows the effect. False: another one is observed now.
    pub async fn see(&mut self, effect: &Effect, requests: &impl Transport, epoch: u64) -> bool {
        let mut assessed = self.assessed.clone();
        let watched = effect.watched();
        let in_watch = async {
            let Some(watched) = &watched else { return true };
            let shows = |now: &Arc<Assessment>| now.facts.epoch != epoch || watched.holds(now);
            assessed.wait_for(shows).await.is_ok_and(|now| now.facts.epoch == epoch)
        };
        let reread = effect.reread();
        let by_reading = async {
            // It gives up by itself; how long is waited is for the person to say.
            while !reread.is_empty() && !execute::shown(requests, &reread).await {}
        };
        let (seen, ()) = tokio::join!(in_watch, by_reading);
        seen
    }
}

/// Will it be the same in a moment?
fn lasting(kind: TroubleKind) -> bool {
    !matches!(
        kind,
        TroubleKind::Refused
            | TroubleKind::Timeout
            | TroubleKind::TooManyRequests
            | TroubleKind::Server
            | TroubleKind::Broken
            | TroubleKind::Gone
            | TroubleKind::Other
    )
}

fn failed(trouble: &Trouble) -> End {
    End { hint: trouble.hint.clone(), ..End::new(Ended::Failed, trouble.words.clone()) }
}
