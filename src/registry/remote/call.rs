//! One request of ours and everything that may come between it and its answer.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Response, StatusCode};
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use super::super::auth::{Scopes, challenge};
use super::super::quirks::ARTIFACTORY_HEADERS;
use super::super::transport::{Failure, IDLE_TIMEOUT, Permit, REQUEST_TIMEOUT, body, same_origin};
use super::super::{Error, RepositoryName, retry};
use super::Registry;

/// A request that is safe to send more than once.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) to: To,
    pub(super) repository: Option<&'a RepositoryName>,
    pub(super) scopes: Scopes,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// What it counts as at this host, for as long as its answer lives.
    pub(super) permit: Permit,
    /// Whether a redirect is followed; only reads may.
    pub(super) follow: bool,
    /// For request and whole answer; `None`: only silence is limited, until the answer begins.
    pub(super) timeout: Option<Duration>,
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub(super) enum To {
    /// A path (with its query) below the registry's `/v2/`.
    Path(String),
    /// An address that the registry gave.
    Url(Url),
}

/// An answer, and the permit under which it was had.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) permit: OwnedSemaphorePermit,
    method: Method,
    repository: Option<RepositoryName>,
    /// Whether the registry itself answered, not a place that it redirected to.
    pub(super) ours: bool,
}

impl<'a> Call<'a> {
    /// A read of `/v2/` itself.
    pub(super) fn root() -> Self {
        Self {
            method: Method::GET,
            to: To::Path(String::new()),
            repository: None,
            scopes: Scopes::default(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            permit: Permit::Request,
            follow: false,
            timeout: Some(REQUEST_TIMEOUT),
        }
    }

    /// A read of something in a repository.
    pub(super) fn read(method: Method, repository: &'a RepositoryName, rest: &str) -> Self {
        Self {
            method,
            to: To::Path(format!("{repository}/{rest}")),
            repository: Some(repository),
            scopes: Scopes::pull(repository),
            follow: true,
            ..Self::root()
        }
    }

    /// A write to a repository, without a body yet.
    pub(super) fn write(method: Method, repository: &'a RepositoryName, to: To) -> Self {
        let scopes = Scopes::push(repository);
        Self { method, to, repository: Some(repository), scopes, ..Self::root() }
    }

    /// With one more header; a value that is none is left out.
    #[must_use]
    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

impl Registry {
    /// Sends a request, again where a fault may pass. Any answer comes back but for 401, which
    /// no credential of ours could mend, and 429, which did not pass in time.
    pub(super) async fn exchange(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let started = Instant::now();
        let mut attempt = 0;
        loop {
            let outcome = self.attempt(call).await;
            let (fault, asked) = match &outcome {
                Ok(answer) => (retry::of_status(answer.status().as_u16()), answer.retry_after()),
                Err(failure) => (retry::fault(failure.cause, &failure.error), None),
            };
            let wait =
                fault.and_then(|fault| retry::next(attempt, fault, asked, started.elapsed()));
            let Some(wait) = wait else {
                return match outcome {
                    Ok(answer) if answer.status() == StatusCode::TOO_MANY_REQUESTS => {
                        let seconds = started.elapsed().as_secs();
                        Err(Error::RateLimited { host: self.host().to_string(), seconds })
                    }
                    Ok(answer) => Ok(answer),
                    Err(failure) => Err(failure.error),
                };
            };
            drop(outcome); // and its permit, while we wait
            let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(host = %self.host(), ?fault, wait_ms = ms, "trying again");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// Sends a request with what authorises it; once more, or twice, when the registry asks for
    /// more than was known.
    pub(super) async fn attempt(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let (transport, auth) = (&self.inner.transport, &self.inner.auth);
        transport.base().await?;
        let mut authorization = auth.authorize(transport, call.repository, &call.scopes).await?;
        // Nothing known, a token kept that has become worthless, a new one.
        for _ in 0..3 {
            let header = authorization.as_ref().map(|it| it.header.clone());
            let answer = self.once(call, header).await?;
            self.recognise(&answer);
            if answer.status() != StatusCode::UNAUTHORIZED || !answer.ours {
                return Ok(answer);
            }
            let challenges = challenge::of(answer.response.headers());
            let refusal = (challenges.clone(), body::read_error(answer.response).await);
            drop(answer.permit); // the token service is another host
            let newer = auth.renew(
                transport,
                call.repository,
                &call.scopes,
                &challenges,
                authorization.as_ref(),
            );
            match newer.await? {
                Some(newer) => authorization = Some(newer),
                None => {
                    return Err(self.denied(call.repository, &refusal.0, &refusal.1).await.into());
                }
            }
        }
        Err(self.denied(call.repository, &[], &[]).await.into())
    }

    /// Artifactory says its version in each answer.
    fn recognise(&self, answer: &Answer) {
        if answer.ours && ARTIFACTORY_HEADERS.iter().any(|name| answer.header(*name).is_some()) {
            self.inner.is_artifactory.store(true, Ordering::Relaxed);
        }
    }

    async fn once(
        &self,
        call: &Call<'_>,
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, Failure> {
        let transport = &self.inner.transport;
        let base = transport.base().await?;
        let mut request = Request::new(call.method.clone(), self.address(&call.to).await?);
        *request.headers_mut() = call.headers.clone();
        if let Some(authorization) = authorization {
            request.headers_mut().insert(header::AUTHORIZATION, authorization);
        }
        if !matches!(call.method, Method::GET | Method::HEAD | Method::DELETE) {
            let length = HeaderValue::from(call.body.len());
            request.headers_mut().insert(header::CONTENT_LENGTH, length);
            *request.body_mut() = Some(call.body.clone().into());
        }
        *request.timeout_mut() = call.timeout;
        let permit = transport.permit(call.permit).await?;
        let sent = async {
            if call.follow { transport.read(request).await } else { transport.send(request).await }
        };
        let limit = call.timeout.unwrap_or(IDLE_TIMEOUT);
        let response = match tokio::time::timeout(limit, sent).await {
            Ok(response) => response?,
            Err(_) => return Err(self.silent()),
        };
        let ours = same_origin(response.url(), base);
        let (method, repository) = (call.method.clone(), call.repository.cloned());
        Ok(Answer { response, permit, method, repository, ours })
    }

    /// The full address of a call.
    pub(super) async fn address(&self, to: &To) -> Result<Url, Failure> {
        match to {
            To::Url(url) => Ok(url.clone()),
            To::Path(path) => {
                let base = self.inner.transport.base().await?;
                let url = base.join(&format!("/v2/{path}"));
                Ok(url.map_err(|error| self.protocol(format!("no address for {path}: {error}")))?)
            }
        }
    }
}

impl Answer {
    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(super) fn is_success(&self) -> bool {
        self.status().is_success()
    }

    pub(super) fn is_not_found(&self) -> bool {
        self.status() == StatusCode::NOT_FOUND
    }

    /// A header as text.
    pub(super) fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Reads the body of a success; `what` is what a message about its size calls it.
    pub(super) async fn body(self, host: &str, what: &str, limit: usize) -> Result<Bytes, Error> {
        body::read(host, what, self.response, limit).await.map_err(|failure| failure.error)
    }

    /// The error that an answer other than success stands for.
    pub(super) async fn error(self, registry: &Registry) -> Error {
        registry.refusal(self.response, &self.method, self.repository.as_ref()).await
    }

    fn retry_after(&self) -> Option<Duration> {
        retry::retry_after(self.header(header::RETRY_AFTER)?, Timestamp::now())
    }
}
