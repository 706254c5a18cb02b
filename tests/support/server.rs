//! `outhaul serve` as a process, and requests to it without any code of ours.

use std::fmt;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Method};
use serde_json::Value;

use super::block_on;
use super::certs::Identity;
use super::outhaul::{Outhaul, Running};

/// A server on a port of its own. Dropping it kills it.
pub(crate) struct Server {
    running: Running,
    url: String,
}

/// One answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    /// The body.
    pub(crate) bytes: Vec<u8>,
    /// The same as text, as far as it is text.
    pub(crate) text: String,
}

impl Server {
    /// Runs `outhaul serve ARGS…` on a free loopback port, and waits until it listens. The images of
    /// the tests are on this machine, too.
    pub(crate) fn start(outhaul: Outhaul, args: &[&str]) -> Self {
        Self::start_strict(outhaul.env("OUTHAUL_LOCAL_SOURCE", "127.0.0.1"), args)
    }

    /// The same without a word on where images may be.
    pub(crate) fn start_strict(outhaul: Outhaul, args: &[&str]) -> Self {
        let args = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        let running = outhaul.spawn(&args);
        let url = running.wait_for("listening", |_, stderr| {
            let (_, rest) = stderr.split_once("listening on ")?;
            let (url, _) = rest.split_once(['\n', ',', '"'])?;
            Some(url.to_owned())
        });
        Self { running, url }
    }

    /// `http://` or `https://`, host and port.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    /// The process.
    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    /// What its own listener for metrics tells.
    pub(crate) fn metrics(&self) -> Answer {
        let url = self.running.wait_for("metrics", |_, stderr| {
            let (_, rest) = stderr.split_once("metrics on ")?;
            let (url, _) = rest.split_once(['\n', '"'])?;
            Some(url.to_owned())
        });
        block_on(read(builder().build().unwrap().get(url))).unwrap()
    }

    /// `GET path`, whoever the server is by its certificate.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "")
    }

    /// Any request.
    pub(crate) fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.try_send(method, path, headers, body).unwrap()
    }

    /// The same where no whole answer may come.
    pub(crate) fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, reqwest::Error> {
        let client = builder().tls_danger_accept_invalid_certs(true).build().unwrap();
        let mut request = client.request(method, format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        block_on(read(request.body(body.to_owned())))
    }

    /// `GET path`, if the server shows a certificate that one of these signed (PEM).
    pub(crate) fn get_trusting(&self, roots: &str, path: &str) -> Result<Answer, reqwest::Error> {
        let root = Certificate::from_pem(roots.as_bytes())?;
        let client = builder().tls_certs_only([root]).build()?;
        block_on(read(client.get(format!("{}{path}", self.url))))
    }

    /// `GET path` of a client that shows a certificate, if the server lets it connect.
    pub(crate) fn get_showing(
        &self,
        identity: &Identity,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Answer, reqwest::Error> {
        let pem = format!("{}{}", identity.certificate, identity.key);
        let client = builder().tls_danger_accept_invalid_certs(true);
        let client = client.identity(reqwest::Identity::from_pem(pem.as_bytes())?).build()?;
        let mut request = client.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        block_on(read(request))
    }

    /// Waits until `GET path` gives `status`.
    pub(crate) fn wait_for_status(&self, path: &str, status: u16) -> Answer {
        self.running.wait_for(&format!("{path} gives {status}"), |_, _| {
            Some(self.get(path)).filter(|answer| answer.status == status)
        })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, headers, text, .. } = self;
        let answer = &mut f.debug_struct("Answer");
        answer.field("status", status).field("headers", headers).field("text", text).finish()
    }
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header, empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The problem that it is, of this status and code.
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{self:?}");
        assert_eq!(problem["status"], status, "{self:?}");
        assert_eq!(problem["requestId"], self.header("x-request-id"), "{self:?}");
        problem
    }
}

fn builder() -> ClientBuilder {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(Duration::from_secs(120))
        .pool_max_idle_per_host(0)
}

async fn read(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await?.to_vec();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Answer { status, headers, bytes, text })
}
