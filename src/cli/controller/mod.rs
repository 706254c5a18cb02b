//! ioFog's Controller over HTTP. What is asked and what answers mean is `destination::iofog`'s.

mod address;
mod token;

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method, Request};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use url::Url;

use address::address;
use token::{bare, secret, token};

use super::args::ControllerArgs;
use super::remote::{Broken, body, is_loopback, media_type_of, place};
use crate::destination::iofog::{Answer, Call, ControllerError, NewRow, RowChange};
use crate::destination::systems::{Read, Row};
use crate::error::Error;
use crate::registry::transport::{Tls, http_client, unanswered};

/// A Controller, and who we are to it.
pub(crate) struct Controller {
    base: Url,
    client: Client,
    login: Option<Call>,
    /// The access token, renewed by the login if there is one.
    token: Mutex<Option<SecretString>>,
}

/// Status, media type and body of an answer.
struct Came {
    status: u16,
    media_type: String,
    body: Vec<u8>,
}

/// How long an answer may take: it is a query of a small table.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Largest answer: a row has some hundred bytes, and a few KiB with its certificates.
const MAX_ANSWER: usize = 16 << 20;

const JSON: &str = "application/json";

impl Controller {
    /// The Controller that the arguments name, if they name one. Nothing is asked of it yet.
    ///
    /// # Errors
    /// When address, roots, or token or password cannot be used.
    pub(crate) fn named(args: &ControllerArgs) -> Result<Option<Self>, Error> {
        args.check()?;
        let Some(text) = args.named() else { return Ok(None) };
        let base = address(text, args.plain_http)?;
        let extra_roots = match &args.ca_file {
            Some(path) => {
                std::fs::read(path).map_err(|source| Error::File { path: path.clone(), source })?
            }
            None => Vec::new(),
        };
        // A proxy cannot reach our loopback.
        let tls = Tls { extra_roots, skip_verify: false };
        let client = http_client(&tls, is_loopback(&base))?;
        let (login, token) = match (&args.controller_email, &args.controller_password_file) {
            (Some(email), Some(path)) => (Some(Call::login(email, &secret(path)?)), None),
            _ => (None, Some(token(args.controller_token_file.as_deref())?)),
        };
        Ok(Some(Self { base, client, login, token: Mutex::new(token) }))
    }

    /// Host and port, for messages.
    pub(crate) fn place(&self) -> String {
        place(&self.base)
    }

    /// The user's own rows, and all public ones.
    ///
    /// # Errors
    /// What the Controller says against it, or that it does not answer.
    pub(crate) async fn list(&self) -> Result<Read, Error> {
        let came = self.ask(&Call::List).await?;
        Ok(came.answer().rows(&self.place())?)
    }

    /// The row of this id.
    ///
    /// # Errors
    /// As [`Self::list`]; when there is none that the user may see.
    pub(crate) async fn row(&self, id: u32) -> Result<Row, Error> {
        let found = self.list().await?.registries.rows.into_iter().find(|row| row.id == Some(id));
        Ok(found.ok_or_else(|| ControllerError::NotFound { place: self.place(), id })?)
    }

    /// Makes a row, and gives its id. Sent once: who gets no answer looks before sending it again.
    ///
    /// # Errors
    /// As [`Self::list`]; before anything is sent, at what the Controller would refuse.
    pub(crate) async fn create(&self, row: &NewRow) -> Result<u32, Error> {
        let call = Call::create(row)?;
        let came = self.ask(&call).await?;
        Ok(came.answer().id(&call, &self.place())?)
    }

    /// Changes a row, and gives it as it is then.
    ///
    /// # Errors
    /// As [`Self::create`]; when the Controller said yes and the row is as it was.
    pub(crate) async fn update(&self, id: u32, change: &RowChange) -> Result<Row, Error> {
        let call = Call::update(id, change)?;
        self.row(id).await?;
        let came = self.ask(&call).await?;
        came.answer().done(&call, &self.place())?;
        let row = self.row(id).await?;
        let missing = change.missing_in(&row);
        if missing.is_empty() {
            return Ok(row);
        }
        let fields = missing.join(", ");
        Err(ControllerError::Unchanged { place: self.place(), id, fields }.into())
    }

    /// Removes a row, and gives what it was.
    ///
    /// # Errors
    /// As [`Self::create`]; when an application uses it.
    pub(crate) async fn delete(&self, id: u32) -> Result<Row, Error> {
        let call = Call::delete(id)?;
        let row = self.row(id).await?;
        let came = self.ask(&call).await?;
        came.answer().done(&call, &self.place())?;
        Ok(row)
    }

    /// Sends a request; with a login, once more after a new one if the token has expired: a request
    /// that is answered with 401 has done nothing.
    async fn ask(&self, call: &Call) -> Result<Came, Error> {
        let first = self.once(call, self.token().await?).await?;
        if first.status != 401 || self.login.is_none() {
            return Ok(first);
        }
        *self.token.lock().await = None;
        self.once(call, self.token().await?).await
    }

    async fn token(&self) -> Result<Option<SecretString>, Error> {
        let mut token = self.token.lock().await;
        if let (None, Some(login)) = (token.as_ref(), &self.login) {
            let came = self.once(login, None).await?;
            *token = Some(came.answer().token(login, &self.place())?);
        }
        Ok(token.clone())
    }

    async fn once(&self, call: &Call, token: Option<SecretString>) -> Result<Came, Error> {
        let answer = self.client.execute(self.request(call, token)?).await;
        let answer = answer.map_err(|error| self.unanswered(&error))?;
        let (status, media_type) = (answer.status().as_u16(), media_type_of(&answer));
        let body = match body(answer, MAX_ANSWER).await {
            Ok(body) => body,
            Err(Broken::Connection(error)) => return Err(self.unanswered(&error).into()),
            Err(Broken::TooLong) => {
                let (place, what) = (self.place(), format!("over {} MiB", MAX_ANSWER >> 20));
                return Err(ControllerError::Strange { place, status, what }.into());
            }
        };
        Ok(Came { status, media_type, body })
    }

    fn request(&self, call: &Call, token: Option<SecretString>) -> Result<Request, Error> {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(call.path());
        }
        let method = Method::from_bytes(call.method().as_bytes()).unwrap_or_default();
        let mut request = Request::new(method, url);
        *request.timeout_mut() = Some(ANSWER_TIMEOUT);
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static(JSON));
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, bare(&token)?);
        }
        if let Some(sent) = call.body() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
            *request.body_mut() = Some(sent.expose_secret().to_owned().into());
        }
        Ok(request)
    }

    fn unanswered(&self, error: &reqwest::Error) -> ControllerError {
        ControllerError::Unanswered(unanswered(&self.place(), error).0)
    }
}

impl Came {
    fn answer(&self) -> Answer<'_> {
        let Self { status, media_type, body } = self;
        Answer { status: *status, media_type, body }
    }
}
