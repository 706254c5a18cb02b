//! Questions about the registry itself, for the check of a destination.

use reqwest::Method;

use super::super::auth::Scopes;
use super::super::transport::body;
use super::super::{Digest, Error, RepositoryName};
use super::Registry;
use super::call::{Call, To};

impl Registry {
    /// Whether there is a registry that takes our credentials (`GET /v2/`). A registry that lets
    /// anybody in does not look at them here.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::UntrustedCertificate`], [`Error::Unauthorized`], or
    /// [`Error::Protocol`] when something else than a registry answers.
    pub async fn ping(&self) -> Result<(), Error> {
        let answer = self.exchange(&Call::root()).await?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            300..=399 | 404 => Err(self.protocol("nothing at /v2/: this is no OCI registry")),
            _ => Err(answer.error(self).await),
        }
    }

    /// Whether we may push to the repository: opens an upload and cancels it. Nothing is stored,
    /// though a registry that makes repositories on demand may make this one.
    ///
    /// # Errors
    /// [`Error::Unauthorized`], [`Error::Forbidden`], or [`Error::RepositoryMissing`] where
    /// it must be created first.
    pub async fn can_push(&self, repository: &RepositoryName) -> Result<(), Error> {
        self.open_session(repository).await?.cancel().await;
        Ok(())
    }

    /// Whether manifests may be deleted, asked by deleting one that does not exist; `None` when
    /// the answer does not tell.
    ///
    /// # Errors
    /// When the registry cannot be reached or refuses the credentials.
    pub async fn can_delete(&self, repository: &RepositoryName) -> Result<Option<bool>, Error> {
        let nothing = Digest::of(&fastrand::u128(..).to_be_bytes());
        let to = To::Path(format!("{repository}/manifests/{nothing}"));
        let scopes = Scopes::delete(repository);
        let call = Call { scopes, ..Call::write(Method::DELETE, repository, to) };
        let answer = match self.exchange(&call).await {
            Err(Error::Forbidden { .. }) => return Ok(Some(false)),
            answer => answer?,
        };
        let status = answer.status().as_u16();
        let bytes = body::read_error(answer.response).await;
        Ok(match status {
            405 | 403 => Some(false), // Distribution without `storage.delete.enabled`, Docker Hub
            _ if body::has_code(&bytes, &["UNSUPPORTED", "DENIED"]) => Some(false),
            200..=299 => Some(true),
            404 if body::has_code(&bytes, &["MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND"]) => {
                Some(true)
            }
            _ => None,
        })
    }

    /// Whether the registry has the referrers API: the specification wants an empty list for a
    /// manifest that does not exist.
    ///
    /// # Errors
    /// When the registry cannot be reached or refuses the credentials.
    pub async fn has_referrers_api(&self, repository: &RepositoryName) -> Result<bool, Error> {
        let nothing = Digest::of(&fastrand::u128(..).to_be_bytes());
        Ok(self.ask_for_referrers(repository, &nothing).await?.is_some())
    }
}
