//! The connections to one registry, and to where it sends us.

use std::sync::Arc;
use std::time::Instant;

use reqwest::header;
use reqwest::{Client, Method, Request, Response, redirect};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use url::{Position, Url};

use super::super::{Error, Host, Surroundings};
use super::{
    CONNECT_TIMEOUT, Cause, Endpoint, Failure, IDLE_CONNECTIONS, MAX_REDIRECTS, PERMITS,
    PROBE_TIMEOUT, location, tls, translate,
};

/// Sends requests to one registry.
#[derive(Debug)]
pub(in crate::registry) struct Transport {
    host: Host,
    /// Speaks to the registry.
    registry: Client,
    /// Speaks to token services and object stores.
    elsewhere: Client,
    /// Where neither is sent.
    surroundings: Option<Surroundings>,
    plain_http: bool,
    /// Whether the host may turn out to speak plain HTTP. Further roots do not speak against it:
    /// they may be meant for another registry, and one that speaks TLS is never spoken to without.
    may_be_plain: bool,
    /// `scheme://host:port/`, known after the first request.
    base: OnceCell<Url>,
    requests: Arc<Semaphore>,
    downloads: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
}

/// What a permit is for. Three kinds, so that an upload that waits for its own source (a
/// download, maybe from the same host) cannot block it: whoever needs both takes the download
/// first, and nothing waits while it holds an upload or a request.
#[derive(Clone, Copy, Debug)]
pub(in crate::registry) enum Permit {
    /// A small request.
    Request,
    /// The bytes of a blob coming in.
    Download,
    /// The bytes of a blob going out.
    Upload,
}

impl Transport {
    pub(in crate::registry) fn new(endpoint: &Endpoint) -> Result<Self, Error> {
        let Endpoint { host, plain_http, tls: trust, surroundings } = endpoint;
        let tls = tls::config(trust)?;
        let loopback = host.is_loopback();
        let elsewhere = client(&tls, false, surroundings.as_ref())?;
        // A proxy cannot reach our loopback; Go's programs leave it out too.
        let registry = match loopback {
            true => client(&tls, true, surroundings.as_ref())?,
            false => elsewhere.clone(),
        };
        Ok(Self {
            host: host.clone(),
            registry,
            elsewhere,
            surroundings: surroundings.clone(),
            plain_http: *plain_http,
            may_be_plain: loopback && !trust.skip_verify,
            base: OnceCell::new(),
            requests: Arc::new(Semaphore::new(PERMITS)),
            downloads: Arc::new(Semaphore::new(PERMITS)),
            uploads: Arc::new(Semaphore::new(PERMITS)),
        })
    }

    /// The registry's canonical host.
    pub(in crate::registry) fn host(&self) -> &Host {
        &self.host
    }

    /// What messages call the registry.
    pub(in crate::registry) fn name(&self) -> &str {
        self.host.as_str()
    }

    /// Waits until another exchange of this kind may begin; it lasts until the permit is dropped.
    pub(in crate::registry) async fn permit(
        &self,
        kind: Permit,
    ) -> Result<OwnedSemaphorePermit, Error> {
        let pool = match kind {
            Permit::Request => &self.requests,
            Permit::Download => &self.downloads,
            Permit::Upload => &self.uploads,
        };
        let permit = Arc::clone(pool).acquire_owned().await;
        permit.map_err(|_| Error::Unreachable {
            host: self.name().to_owned(),
            reason: "the client is shut down".to_owned(),
        })
    }

    /// Scheme, host and port of the registry. Asks a loopback host once which scheme it speaks.
    pub(in crate::registry) async fn base(&self) -> Result<&Url, Failure> {
        let find = async {
            let plain = self.plain_http || (self.may_be_plain && self.speaks_plain_http().await?);
            self.url(if plain { "http" } else { "https" }).map_err(Failure::from)
        };
        self.base.get_or_try_init(|| find).await
    }

    /// Whether it is known to be spoken to without TLS: by the endpoint, or since the first request.
    pub(in crate::registry) fn is_plain(&self) -> bool {
        self.plain_http || self.base.get().is_some_and(|base| base.scheme() == "http")
    }

    /// Sends one request to wherever its URL says. Redirects come back as answers.
    pub(in crate::registry) async fn send(&self, request: Request) -> Result<Response, Failure> {
        let (method, url, started) =
            (request.method().clone(), request.url().clone(), Instant::now());
        let host = place(&url);
        self.stays_outside(host)?;
        let ours = self.base.get().is_some_and(|base| base.host() == url.host());
        let client = if ours { &self.registry } else { &self.elsewhere };
        let outcome = client.execute(request).await;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let path = url.path();
        match outcome {
            Ok(answer) => {
                let status = answer.status().as_u16();
                tracing::debug!(%method, host, path, status, ms, "request answered");
                Ok(answer)
            }
            Err(error) => {
                let name = if ours { self.name() } else { host };
                let failure = translate(name, &error);
                tracing::debug!(%method, host, path, ms, cause = ?failure.cause, "request failed");
                Err(failure)
            }
        }
    }

    /// Addresses that are written as numbers are looked up by nobody.
    fn stays_outside(&self, place: &str) -> Result<(), Error> {
        let Some(around) = &self.surroundings else { return Ok(()) };
        match place.parse::<Host>() {
            Ok(host) if !around.hold(&host) => Ok(()),
            _ => Err(Error::Surroundings { host: place.to_owned() }),
        }
    }

    /// Sends a GET or HEAD and follows where it leads, without credentials to another origin.
    pub(in crate::registry) async fn read(&self, request: Request) -> Result<Response, Failure> {
        let (method, timeout) = (request.method().clone(), request.timeout().copied());
        let mut headers = request.headers().clone();
        let mut from = request.url().clone();
        let mut next = request;
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.send(next).await?;
            let Some(to) = redirected(&answer) else { return Ok(answer) };
            let to = location::redirect(self.name(), &from, to)?;
            if !location::same_origin(&to, &from) {
                headers.remove(header::AUTHORIZATION); // and not again, wherever it leads
            }
            next = Request::new(method.clone(), to.clone());
            *next.timeout_mut() = timeout;
            *next.headers_mut() = headers.clone();
            from = to;
        }
        let reason = format!("more than {MAX_REDIRECTS} redirects in a row");
        Err(Error::Protocol { host: self.name().to_owned(), reason }.into())
    }

    /// The URL at which tokens for this registry are fetched.
    pub(in crate::registry) async fn realm(&self, realm: &str) -> Result<Url, Failure> {
        let base = self.base().await?;
        Ok(location::realm(self.name(), base, realm)?)
    }

    fn url(&self, scheme: &str) -> Result<Url, Error> {
        let url = format!("{scheme}://{}/", self.host.api_host()).parse();
        url.map_err(|error: url::ParseError| Error::Configuration {
            what: format!("the registry address `{}`", self.host),
            reason: error.to_string(),
        })
    }

    /// Asks a loopback host, without credentials, whether it speaks plain HTTP. A server of TLS
    /// answers 400 (Go, nginx), sends elsewhere or hangs up; nobody listening is an error that is
    /// not remembered. Asking for TLS first would cost the 25 ms that aws-lc takes to gather
    /// entropy for its first handshake.
    async fn speaks_plain_http(&self) -> Result<bool, Failure> {
        let url = self.url("http")?.join("v2/").map_err(|error| Error::Protocol {
            host: self.name().to_owned(),
            reason: error.to_string(),
        })?;
        let mut probe = Request::new(Method::GET, url);
        *probe.timeout_mut() = Some(PROBE_TIMEOUT);
        match self.registry.execute(probe).await {
            Ok(answer) => Ok(answer.status() != 400 && !answer.status().is_redirection()),
            Err(error) => match translate(self.name(), &error) {
                failure if failure.cause == Some(Cause::Refused) && self.has_port() => Err(failure),
                _ => Ok(false),
            },
        }
    }

    /// Without a port the two schemes are two ports.
    fn has_port(&self) -> bool {
        self.host.name() != self.host.as_str()
    }
}

/// A client for a server that is no registry. It judges certificates as registries' are judged,
/// follows no redirect and speaks HTTP/1.1. `direct` passes over proxies.
///
/// # Errors
/// [`Error::Configuration`] when the roots or the settings of a proxy cannot be used.
pub fn http_client(tls: &super::Tls, direct: bool) -> Result<Client, Error> {
    client(&tls::config(tls)?, direct, None)
}

fn client(
    tls: &rustls::ClientConfig,
    direct: bool,
    surroundings: Option<&Surroundings>,
) -> Result<Client, Error> {
    let builder = Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .http1_only();
    let builder = if direct { builder.no_proxy() } else { builder };
    let builder = match surroundings {
        Some(around) => builder.dns_resolver(around.clone()),
        None => builder,
    };
    builder.build().map_err(|error| Error::Configuration {
        what: "the HTTP client (TLS or proxy settings)".to_owned(),
        reason: error.to_string(),
    })
}

/// Host and port of a URL, as far as it says them.
fn place(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

/// Where a redirect leads, if the answer is one.
fn redirected(answer: &Response) -> Option<&str> {
    matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308)
        .then(|| answer.headers().get(header::LOCATION)?.to_str().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_tell_the_port() {
        for (url, expected) in [
            ("http://127.0.0.1:5000/v2/", "127.0.0.1:5000"),
            ("https://u:p@reg.example/v2/", "reg.example"),
            ("https://[::1]:5000/", "[::1]:5000"),
        ] {
            assert_eq!(place(&url.parse().unwrap()), expected);
        }
    }
}
