//! The ends that a leader tells at the same time.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::{Id, JoinSet};
use tracing::Instrument as _;

use super::{Courier, is_owed};
use crate::cluster::record::Export;

/// Ends that are told at once. A receiver that is away holds each for minutes, most of them asleep;
/// more wait for their turn.
const AT_ONCE: usize = 64;

/// What is under way. Dropping it leaves the rest to the next leader.
pub(in crate::server) struct Outbox {
    courier: Courier,
    tasks: JoinSet<()>,
    /// Uids of the records.
    under_way: HashMap<Id, String>,
}

impl Outbox {
    /// An empty one.
    pub(in crate::server) fn new(courier: Courier) -> Self {
        Self { courier, tasks: JoinSet::new(), under_way: HashMap::new() }
    }

    /// Begins to tell what is to be told and is not under way.
    pub(in crate::server) fn look(&mut self, exports: &[Arc<Export>]) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            let id = match ended {
                Ok((id, ())) => id,
                Err(error) => {
                    tracing::error!("an end was not told: {error}");
                    error.id()
                }
            };
            self.under_way.remove(&id);
        }
        for export in exports.iter().filter(|export| is_owed(export)) {
            let is_new = self.under_way.values().all(|uid| uid != export.uid());
            if is_new && self.under_way.len() < AT_ONCE {
                self.begin(Arc::clone(export));
            }
        }
    }

    fn begin(&mut self, export: Arc<Export>) {
        let span = tracing::info_span!(
            "webhook",
            id = export.uid(),
            namespace = export.namespace(),
            name = export.name(),
            destination = export.spec.destination,
        );
        let (courier, uid) = (self.courier.clone(), export.uid().to_owned());
        let task = self.tasks.spawn(async move { courier.tell(&export).await }.instrument(span));
        self.under_way.insert(task.id(), uid);
    }
}
