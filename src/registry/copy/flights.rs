//! Who is busy with which digest, and which repositories of the destination have it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::registry::{Digest, RepositoryName};

/// Repositories of the destination that are known to have a digest.
pub(super) type Holders = Vec<RepositoryName>;

/// One lock for each digest. Whoever holds it is the only one to move that digest; those who
/// waited find its repository among the holders, or mount from one.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<Digest, Arc<tokio::sync::Mutex<Holders>>>>);

impl Flights {
    /// Waits until nobody else is busy with `digest`. Dropping the guard lets the next one go.
    pub(super) async fn board(&self, digest: &Digest) -> OwnedMutexGuard<Holders> {
        let lock = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(digest.clone()).or_default())
        };
        lock.lock_owned().await
    }
}
