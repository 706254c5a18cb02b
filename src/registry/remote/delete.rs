//! Deleting manifests and tags, which many registries do only in part or not at all.

use reqwest::Method;

use super::super::auth::Scopes;
use super::super::transport::body;
use super::super::{Deleted, Error, RepositoryName, Revision};
use super::Registry;
use super::call::{Call, To};

/// What says that the registry does not know this way of deleting, whatever the status: Distribution
/// with deleting off, or asked to delete by tag, ACR asked for a tag, registries that want a digest.
const NO_SUCH_WAY: [&str; 3] = ["UNSUPPORTED", "DIGEST_INVALID", "TAG_INVALID"];

impl Registry {
    pub(super) async fn delete_manifest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Deleted, Error> {
        let to = To::Path(format!("{repository}/manifests/{revision}"));
        let scopes = Scopes::delete(repository);
        let call = Call { scopes, ..Call::write(Method::DELETE, repository, to) };
        let answer = self.exchange(&call).await?;
        let status = answer.status().as_u16();
        if answer.is_success() {
            return Ok(Deleted::Done);
        }
        if !matches!(status, 400 | 404 | 405 | 409 | 412 | 501) {
            return Err(answer.error(self).await);
        }
        let bytes = body::read_error(answer.response).await;
        drop(answer.permit); // for the question below
        let reason = format!("it answered {status}: {}", body::reason(&bytes));
        if status != 404 {
            let is_way = status != 405 && status != 501 && !body::has_code(&bytes, &NO_SUCH_WAY);
            return Ok(if is_way {
                Deleted::Refused(reason)
            } else {
                Deleted::Unsupported(reason)
            });
        }
        // ECR and others answer so to every DELETE.
        Ok(match self.head_manifest(repository, revision).await? {
            None => Deleted::Absent,
            Some(_) => Deleted::Unsupported(format!("{reason}, and has it still")),
        })
    }
}
