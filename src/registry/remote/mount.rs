//! Opening an upload, and the mount that may make it needless.

use reqwest::{Method, StatusCode};
use url::Url;
use url::form_urlencoded::byte_serialize;

use super::super::auth::Scopes;
use super::super::transport::{body, stay};
use super::super::{Descriptor, Error, RepositoryName};
use super::Registry;
use super::call::{Answer, Call, To};
use super::session::Session;

/// Header with the name of an upload session, for registries that forget `Location`.
const UPLOAD_ID: &str = "docker-upload-uuid";

/// What came of the request to begin.
pub(super) enum Begun {
    /// The registry took the blob from the other repository.
    Mounted,
    /// It waits for the bytes.
    Session(Session),
}

impl Registry {
    /// Asks for a mount if there is a repository to mount from, and for an upload otherwise or if
    /// mounting fails: registries refuse it in many ways (Docker Hub with 401 for a foreign
    /// repository, go-containerregistry#1741), and none of them is a reason not to upload.
    pub(super) async fn begin(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
        mount_from: Option<&RepositoryName>,
    ) -> Result<Begun, Error> {
        if let Some(from) = mount_from {
            match self.mount(repository, blob, from).await {
                Ok(begun) => return Ok(begun),
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    tracing::debug!(%repository, %from, %error, "no mount, uploading instead");
                }
            }
        }
        self.open_session(repository).await.map(Begun::Session)
    }

    /// Opens an upload session.
    pub(super) async fn open_session(&self, repository: &RepositoryName) -> Result<Session, Error> {
        let to = To::Path(format!("{repository}/blobs/uploads/"));
        let answer = self.exchange(&Call::write(Method::POST, repository, to)).await?;
        match answer.status() {
            StatusCode::ACCEPTED => self.session(repository, &answer),
            StatusCode::NOT_FOUND => Err(self.no_repository(repository, answer).await),
            _ => Err(answer.error(self).await),
        }
    }

    async fn mount(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
        from: &RepositoryName,
    ) -> Result<Begun, Error> {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let (digest, source) = (encoded(blob.digest.as_str()), encoded(from.as_str()));
        let to = format!("{repository}/blobs/uploads/?mount={digest}&from={source}");
        let call = Call {
            scopes: Scopes::push(repository).and(from, &["pull"]),
            ..Call::write(Method::POST, repository, To::Path(to))
        };
        let answer = self.exchange(&call).await?;
        match answer.status() {
            StatusCode::CREATED => Ok(Begun::Mounted),
            // Not mounted, and the upload that it opened instead is as good as another.
            StatusCode::ACCEPTED => self.session(repository, &answer).map(Begun::Session),
            _ => Err(answer.error(self).await),
        }
    }

    fn session(&self, repository: &RepositoryName, answer: &Answer) -> Result<Session, Error> {
        let from = answer.response.url();
        let location = match (answer.header(reqwest::header::LOCATION), answer.header(UPLOAD_ID)) {
            (Some(location), _) => location.to_owned(),
            (None, Some(id)) => format!("/v2/{repository}/blobs/uploads/{id}"),
            (None, None) => return Err(self.protocol("its upload session has no `Location`")),
        };
        let location: Url = stay(self.host().as_str(), from, &location, "an upload")?;
        Ok(Session::new(self.clone(), repository.clone(), location))
    }

    async fn no_repository(&self, repository: &RepositoryName, answer: Answer) -> Error {
        let bytes = body::read_error(answer.response).await;
        Error::RepositoryMissing {
            host: self.host().clone(),
            repository: repository.clone(),
            reason: body::reason(&bytes),
        }
    }
}
