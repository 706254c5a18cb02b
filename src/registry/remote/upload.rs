//! Blobs on their way out: one streamed request of known length.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{self, HeaderValue};
use reqwest::{Body, Method, Request, Response, StatusCode};

use super::super::auth::{Authorization, Scopes, challenge};
use super::super::transport::{COMMIT_TIMEOUT, Failure, IDLE_TIMEOUT, Permit, body};
use super::super::{BlobSource, Descriptor, Digest, Error, Pushed, RepositoryName};
use super::Registry;
use super::manifests::CONTENT_DIGEST;
use super::mount::Begun;
use super::outgoing::{Outgoing, Watch};
use super::session::Session;

/// How often a transfer is looked at for standing still.
const WATCH_EVERY: Duration = Duration::from_secs(1);

impl Registry {
    pub(super) async fn store_blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
        mount_from: Option<&RepositoryName>,
        source: &dyn BlobSource,
    ) -> Result<Pushed, Error> {
        let session = match self.begin(repository, blob, mount_from).await? {
            Begun::Mounted => return Ok(Pushed::Mounted),
            Begun::Session(session) => session,
        };
        match self.fill(&session, repository, blob, source).await {
            Ok(()) => {
                session.done();
                Ok(Pushed::Written)
            }
            Err(error) => {
                session.cancel().await;
                Err(error)
            }
        }
    }

    /// Sends the bytes; once more from the beginning if only the token had ended meanwhile.
    async fn fill(
        &self,
        session: &Session,
        repository: &RepositoryName,
        blob: &Descriptor,
        source: &dyn BlobSource,
    ) -> Result<(), Error> {
        let (transport, auth) = (&self.inner.transport, &self.inner.auth);
        let scopes = Scopes::push(repository);
        let mut authorization = auth.authorize(transport, Some(repository), &scopes).await?;
        for last in [false, true] {
            let answer = self.put(session, blob, source, authorization.as_ref()).await?;
            if answer.status() != StatusCode::UNAUTHORIZED {
                return self.judge(answer, repository, blob).await;
            }
            let challenges = challenge::of(answer.headers());
            let refusal = body::read_error(answer).await;
            let refused = authorization.as_ref();
            let repository = Some(repository);
            authorization = match last {
                true => None,
                false => auth.renew(transport, repository, &scopes, &challenges, refused).await?,
            };
            if authorization.is_none() {
                return Err(self.denied(repository, &challenges, &refusal).await);
            }
        }
        Ok(()) // not reached: the last turn returns
    }

    /// The source is opened before the permit to upload is waited for: see [`Permit`].
    async fn put(
        &self,
        session: &Session,
        blob: &Descriptor,
        source: &dyn BlobSource,
        authorization: Option<&Authorization>,
    ) -> Result<Response, Error> {
        let stream = source.open().await?;
        let transport = &self.inner.transport;
        let _permit = transport.permit(Permit::Upload).await?;
        let watch = Arc::new(Watch::default());
        let mut request = Request::new(Method::PUT, session.target(&blob.digest));
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(blob.size));
        if let Some(authorization) = authorization {
            headers.insert(header::AUTHORIZATION, authorization.header.clone());
        }
        let body = Outgoing::new(stream, blob, Arc::clone(&watch));
        *request.body_mut() = Some(Body::wrap_stream(body));
        let sent = transport.send(request);
        tokio::pin!(sent);
        let outcome = loop {
            tokio::select! {
                outcome = &mut sent => break outcome,
                () = tokio::time::sleep(WATCH_EVERY) => {
                    if watch.stands_still(IDLE_TIMEOUT, COMMIT_TIMEOUT) {
                        break Err(self.silent());
                    }
                }
            }
        };
        match watch.failure() {
            Some(source) => Err(source), // why the request broke, or was answered with a refusal
            None => outcome.map_err(|Failure { error, .. }| error),
        }
    }

    async fn judge(
        &self,
        answer: Response,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<(), Error> {
        // 201 by the specification; 200 and 204 have been seen (containerd, `docker/pusher.go`).
        if matches!(answer.status().as_u16(), 200 | 201 | 204) {
            let stated = answer.headers().get(CONTENT_DIGEST).and_then(|it| it.to_str().ok());
            return match stated.and_then(|text| text.parse::<Digest>().ok()) {
                Some(actual) if actual != blob.digest => Err(Error::DigestMismatch {
                    host: self.host().to_string(),
                    expected: blob.digest.clone(),
                    actual,
                }),
                _ => Ok(()), // many registries send none
            };
        }
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            return Err(Error::RateLimited { host: self.host().to_string(), seconds: 0 });
        }
        Err(self.refusal(answer, &Method::PUT, Some(repository)).await)
    }
}
