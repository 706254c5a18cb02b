//! An upload that the registry waits for, and its end.

use std::time::Duration;

use reqwest::Method;
use url::Url;

use super::super::auth::Scopes;
use super::super::{Digest, RepositoryName};
use super::Registry;
use super::call::{Call, To};

/// An open upload session. Cancelled when dropped, so that an interrupted export leaves nothing
/// behind for the registry's own clean-up (which by default takes a week at Distribution).
#[derive(Debug)]
pub(super) struct Session {
    registry: Registry,
    repository: RepositoryName,
    location: Url,
    open: bool,
}

/// A cancellation is a courtesy that must not hold up the error to be reported.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(3);

impl Session {
    pub(super) fn new(registry: Registry, repository: RepositoryName, location: Url) -> Self {
        Self { registry, repository, location, open: true }
    }

    /// Where the last (or only) bytes go, with the digest that they have. The registry's own
    /// query stays as it is: it holds the session's state.
    pub(super) fn target(&self, digest: &Digest) -> Url {
        let mut target = self.location.clone();
        target.query_pairs_mut().append_pair("digest", digest.as_str());
        target
    }

    /// The upload is whole.
    pub(super) fn done(mut self) {
        self.open = false;
    }

    /// Tells the registry to forget it, as far as that works.
    pub(super) async fn cancel(mut self) {
        self.open = false;
        cancel(&self.registry, &self.repository, self.location.clone()).await;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let (true, Ok(runtime)) = (self.open, tokio::runtime::Handle::try_current()) {
            let (registry, repository) = (self.registry.clone(), self.repository.clone());
            let location = self.location.clone();
            runtime.spawn(async move { cancel(&registry, &repository, location).await });
        }
    }
}

async fn cancel(registry: &Registry, repository: &RepositoryName, location: Url) {
    let call = Call {
        // Distribution asks for `delete` to cancel (`appendAccessRecords`).
        scopes: Scopes::push(repository).and(repository, &["delete"]),
        timeout: Some(CANCEL_TIMEOUT),
        ..Call::write(Method::DELETE, repository, To::Url(location))
    };
    match tokio::time::timeout(CANCEL_TIMEOUT, registry.attempt(&call)).await {
        Ok(Ok(answer)) => {
            let status = answer.status().as_u16();
            tracing::debug!(%repository, status, "upload cancelled");
        }
        Ok(Err(failure)) => {
            tracing::debug!(%repository, error = %failure.error, "upload not cancelled");
        }
        Err(_) => tracing::debug!(%repository, "upload not cancelled in time"),
    }
}
