//! Requests to the server, with bounds on time, size and tries.

use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Request, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::address::{address, is_loopback, place};
use super::answer::{Broken, Refused, body, check};
use super::token::Token;
use crate::cli::args::{Global, RemoteArgs, ServerArgs};
use crate::cli::output::Printer;
use crate::error::{Error, Exit};
use crate::registry;
use crate::registry::retry::{self, Fault};
use crate::registry::transport::{Tls, http_client, unanswered};

/// A server of Outhaul, and who we are to it.
pub(crate) struct Server {
    base: Url,
    client: Client,
    token: Token,
    talk: Printer,
}

/// One request.
#[derive(Default)]
pub(crate) struct Ask<'a> {
    /// Segments of the path, as they are.
    pub(crate) path: &'a [&'a str],
    /// What stands after `?`.
    pub(crate) query: &'a [(&'a str, &'a str)],
    /// What is sent; nothing is asked with `GET`.
    pub(crate) body: Option<&'a Value>,
    /// What makes a request that comes twice one.
    pub(crate) key: Option<&'a str>,
}

/// An answer.
pub(crate) struct Answer<T> {
    /// What it says.
    pub(crate) body: T,
    /// And besides.
    pub(crate) headers: HeaderMap,
}

/// A page of a list.
#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    #[serde(default)]
    next: Option<String>,
}

/// Most items of a list: of exports, finished ones go after a week.
const MOST: usize = 10_000;

/// The server reads an application and plans for at most 120 s, and may wait for its turn before.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(180);

/// Largest answer: an application of thousands of objects has some MiB.
const MAX_ANSWER: usize = 64 << 20;

/// A wait that the user should know of.
const LONG: Duration = Duration::from_secs(2);

const JSON: &str = "application/json";
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const LAST: HeaderName = HeaderName::from_static("last-event-id");

impl Server {
    /// The server that the arguments name, if they name one. `ca_file` are further roots for it.
    ///
    /// # Errors
    /// When address, roots or token cannot be used. Nothing is asked of the server yet.
    pub(crate) async fn named(
        args: &ServerArgs,
        ca_file: Option<&Path>,
        global: &Global,
        printer: &Printer,
    ) -> Result<Option<Self>, Error> {
        let Some(text) = args.named() else { return Ok(None) };
        let base = address(text)?;
        let extra_roots = match ca_file {
            Some(path) => std::fs::read(path)
                .map_err(|source| Error::File { path: path.to_owned(), source })?,
            None => Vec::new(),
        };
        let tls = Tls { extra_roots, skip_verify: false };
        // A proxy cannot reach our loopback.
        let client = http_client(&tls, is_loopback(&base))?;
        let token = Token::find(args, global).await?;
        Ok(Some(Self { base, client, token, talk: *printer }))
    }

    /// The same for commands that speak to no registry.
    ///
    /// # Errors
    /// As [`Self::named`].
    pub(crate) async fn of(
        args: &RemoteArgs,
        global: &Global,
        printer: &Printer,
    ) -> Result<Option<Self>, Error> {
        args.making.check()?;
        Self::named(&args.at, args.ca_file.as_deref(), global, printer).await
    }

    /// Its address.
    pub(crate) fn address(&self) -> &str {
        self.base.as_str()
    }

    /// `GET`, and what it gives.
    ///
    /// # Errors
    /// What the server says against it, or that it does not answer.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Refused> {
        let ask = Ask { path, query, ..Ask::default() };
        Ok(self.ask(Method::GET, &ask).await?.body)
    }

    /// All pages of a list, up to [`MOST`] items.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(super) async fn pages<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, Error> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        while all.len() < MOST {
            let next = cursor.as_deref().map(|cursor| ("cursor", cursor));
            let query: Vec<_> =
                query.iter().copied().chain([("limit", "500")]).chain(next).collect();
            let page: Page<T> = self.get(path, &query).await?;
            all.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(all)
    }

    /// `DELETE`, and what it gives.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(super) async fn delete<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Refused> {
        let ask = Ask { path, ..Ask::default() };
        Ok(self.ask(Method::DELETE, &ask).await?.body)
    }

    /// `POST`. What is asked for must be such that it may arrive twice.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        ask: &Ask<'_>,
    ) -> Result<Answer<T>, Refused> {
        self.ask(Method::POST, ask).await
    }

    /// Opens a stream of events (`text/event-stream`), from behind the event `last`. Asked once.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(super) async fn events(
        &self,
        path: &[&str],
        last: Option<&str>,
    ) -> Result<Response, Refused> {
        const EVENTS: &str = "text/event-stream";
        let ask = Ask { path, ..Ask::default() };
        let mut request = self.request(Method::GET, &ask, EVENTS).await?;
        *request.timeout_mut() = None;
        if let Some(last) = last.and_then(|last| HeaderValue::try_from(last).ok()) {
            request.headers_mut().insert(LAST, last);
        }
        let opened = tokio::time::timeout(ANSWER_TIMEOUT, self.client.execute(request)).await;
        let answer = match opened {
            Ok(answer) => answer.map_err(|error| self.unanswered(&error))?,
            Err(_) => return Err(self.silent()),
        };
        check(answer, &place(&self.base), EVENTS).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        ask: &Ask<'_>,
    ) -> Result<Answer<T>, Refused> {
        let (started, mut attempt) = (Instant::now(), 0);
        loop {
            let request = self.request(method.clone(), ask, JSON).await?;
            let refused = match self.once(request).await {
                Ok(answer) => return Ok(answer),
                Err(refused) => refused,
            };
            let again = |fault| retry::next(attempt, fault, refused.wait, started.elapsed());
            let Some(wait) = refused.fault.and_then(again) else { return Err(refused) };
            if wait >= LONG {
                let Refused { error, .. } = &refused;
                self.talk.say(format!("{error}; asked again in {} s", wait.as_secs()));
            }
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn once<T: DeserializeOwned>(&self, request: Request) -> Result<Answer<T>, Refused> {
        let answer = self.client.execute(request).await;
        let answer = answer.map_err(|error| self.unanswered(&error))?;
        let answer = check(answer, &place(&self.base), JSON).await?;
        let headers = answer.headers().clone();
        let bytes = body(answer, MAX_ANSWER).await.map_err(|broken| match broken {
            Broken::Connection(error) => self.unanswered(&error),
            Broken::TooLong => self.odd(&format!("it has over {} MiB", MAX_ANSWER >> 20)),
        })?;
        // The place, not the parser's words, which may quote what is there.
        let parsed = serde_json::from_slice(&bytes).map_err(|error| {
            self.odd(&format!(
                "line {}, column {} is not of this form",
                error.line(),
                error.column()
            ))
        });
        Ok(Answer { body: parsed?, headers })
    }

    async fn request(
        &self,
        method: Method,
        ask: &Ask<'_>,
        accept: &'static str,
    ) -> Result<Request, Refused> {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(ask.path);
        }
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(ask.query);
        }
        let mut request = Request::new(method, url);
        *request.timeout_mut() = Some(ANSWER_TIMEOUT);
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.token.header().await?);
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if let Some(key) = ask.key.and_then(|key| HeaderValue::try_from(key).ok()) {
            headers.insert(KEY, key);
        }
        if let Some(body) = ask.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
            *request.body_mut() = Some(body.to_string().into());
        }
        Ok(request)
    }

    /// What it means that there is no answer.
    fn unanswered(&self, error: &reqwest::Error) -> Refused {
        let (error, fault) = unanswered(&place(&self.base), error);
        let hint = match error {
            registry::Error::UntrustedCertificate { .. } => {
                "give the authority that signed it with `--ca-file`".to_owned()
            }
            _ => format!("check the address {}, the network and the proxy", self.base),
        };
        failed(error.to_string(), hint, fault)
    }

    fn silent(&self) -> Refused {
        let text = format!("cannot reach {}: no answer in time", place(&self.base));
        let hint = format!("check the address {}, the network and the proxy", self.base);
        failed(text, hint, Some(Fault::Broken))
    }

    /// An answer that cannot be read.
    fn odd(&self, reason: &str) -> Refused {
        let text = format!("the answer of {} cannot be read: {reason}", place(&self.base));
        failed(text, "is the server of another version of Outhaul?".to_owned(), None)
    }
}

fn failed(text: String, hint: String, fault: Option<Fault>) -> Refused {
    let error = Error::Server { text, hint: Some(hint), exit: Exit::Cluster };
    Refused { fault, ..Refused::from(error) }
}
