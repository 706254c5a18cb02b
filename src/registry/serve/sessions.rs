//! Uploads that have begun and not ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;

use super::refusal::Refusal;
use crate::registry::RepositoryName;
use crate::registry::layout::BlobWriter;

/// Uploads open at once. Each has an open file; clients have few at a time (docker 5, containerd
/// 10), and processes are commonly limited to 1,024 files.
const MAX_SESSIONS: usize = 256;

/// How long an upload may lie idle. Clients that resume do so within minutes; Distribution waits
/// a week, with a disk to match.
const MAX_IDLE: Duration = Duration::from_secs(60 * 60);

/// The uploads that have begun and not ended, by their ids.
#[derive(Debug, Default)]
pub(super) struct Uploads(Mutex<HashMap<String, Arc<Session>>>);

/// One upload. One request works on it at a time.
#[derive(Debug)]
pub(super) struct Session {
    repository: RepositoryName,
    /// Gone when the upload ended.
    pub(super) writer: tokio::sync::Mutex<Option<BlobWriter>>,
    used: Mutex<Instant>,
}

impl Uploads {
    /// Removes uploads that nobody works on any more.
    pub(super) fn sweep(&self) {
        self.lock()
            .retain(|_, session| session.writer.try_lock().is_err() || session.idle() < MAX_IDLE);
    }

    /// Removes all.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    pub(super) fn begin(
        &self,
        repository: &RepositoryName,
        writer: BlobWriter,
    ) -> Result<String, Refusal> {
        self.sweep();
        let mut sessions = self.lock();
        if sessions.len() >= MAX_SESSIONS {
            let message = format!("{MAX_SESSIONS} uploads are open; end or cancel one");
            return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", message));
        }
        let id = format!("{:032x}", fastrand::u128(..));
        let session = Session {
            repository: repository.clone(),
            writer: tokio::sync::Mutex::new(Some(writer)),
            used: Mutex::new(Instant::now()),
        };
        sessions.insert(id.clone(), Arc::new(session));
        Ok(id)
    }

    pub(super) fn find(
        &self,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Arc<Session>, Refusal> {
        let sessions = self.lock();
        let session = sessions.get(id).filter(|session| session.repository == *repository);
        session.cloned().ok_or_else(|| unknown(id))
    }

    pub(super) fn end(&self, id: &str) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn idle(&self) -> Duration {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    pub(super) fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

pub(super) fn unknown(id: &str) -> Refusal {
    Refusal::not_found("BLOB_UPLOAD_UNKNOWN", format!("upload {id}"))
}
