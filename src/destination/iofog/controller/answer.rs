//! What an answer means.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::{Call, ControllerError};
use crate::destination::iofog::read;
use crate::destination::systems::Read;

/// An answer as it came.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// HTTP status.
    pub status: u16,
    /// Media type without parameters.
    pub media_type: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// Longest of the Controller's words that are repeated.
const MAX_TEXT: usize = 500;

/// Name of the error by which its database says that a row is referred to (recorded).
const IN_USE: &str = "SequelizeForeignKeyConstraintError";

impl Answer<'_> {
    /// The rows that an answer to [`Call::List`] has.
    ///
    /// # Errors
    /// When it is another answer; `place` is who gave it.
    pub fn rows(&self, place: &str) -> Result<Read, ControllerError> {
        let value = self.value(&Call::List, place)?;
        read(vec![value]).map_err(|_| self.strange(place))
    }

    /// The id that an answer to [`Call::Create`] has.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn id(&self, call: &Call, place: &str) -> Result<u32, ControllerError> {
        let value = self.value(call, place)?;
        let id = value["id"].as_u64().and_then(|id| u32::try_from(id).ok());
        id.ok_or_else(|| self.strange(place))
    }

    /// The token that an answer to [`Call::Login`] has.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn token(&self, call: &Call, place: &str) -> Result<SecretString, ControllerError> {
        let value = self.value(call, place)?;
        let token = value["accessToken"].as_str().filter(|token| !token.is_empty());
        token.map(SecretString::from).ok_or_else(|| self.strange(place))
    }

    /// Nothing, which is the answer to [`Call::Update`] and [`Call::Delete`].
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn done(&self, call: &Call, place: &str) -> Result<(), ControllerError> {
        if self.status == 204 { Ok(()) } else { self.value(call, place).map(drop) }
    }

    fn value(&self, call: &Call, place: &str) -> Result<Value, ControllerError> {
        let place = || place.to_owned();
        let value: Option<Value> = match self.media_type {
            "application/json" => serde_json::from_slice(self.body).ok(),
            _ => None,
        };
        let text = |field: &str| value.as_ref()?.get(field)?.as_str().map(str::to_owned);
        let message = || said(&text("message").unwrap_or_default(), call.body());
        let id = call.id();
        Err(match (self.status, id) {
            (200..=299, _) => return value.ok_or_else(|| self.strange(&place())),
            (401, _) => {
                let is_login = matches!(call, Call::Login(_));
                ControllerError::Unauthorized { place: place(), is_login, message: message() }
            }
            (403, _) => ControllerError::Forbidden { place: place(), message: message() },
            // Without an error of its own it is another server's: a wrong address, or a proxy.
            (404, Some(id)) if value.is_some() => ControllerError::NotFound { place: place(), id },
            (409, _) => ControllerError::Conflict { place: place(), message: message() },
            (500, Some(id)) if text("name").as_deref() == Some(IN_USE) => {
                ControllerError::InUse { place: place(), id }
            }
            (502..=504, _) => ControllerError::Unavailable { place: place(), status: self.status },
            (400, _) if value.is_some() => {
                ControllerError::Invalid { place: place(), message: message() }
            }
            (500, _) if value.is_some() => {
                ControllerError::Failed { place: place(), message: message() }
            }
            _ => self.strange(&place()),
        })
    }

    fn strange(&self, place: &str) -> ControllerError {
        let what = match self.media_type {
            "" => "nothing that is named",
            "application/json" => "other JSON than a Controller's",
            other => other,
        };
        let (place, what) = (place.to_owned(), plain(what));
        ControllerError::Strange { place, status: self.status, what }
    }
}

/// The Controller's words, unless they repeat a value that was sent and is secret: the text of a
/// failed check may be the whole request (`handleValidationError` in its `src/schemas/index.js`).
fn said(text: &str, sent: Option<&SecretString>) -> String {
    let sent = sent.and_then(|sent| serde_json::from_str::<Value>(sent.expose_secret()).ok());
    let password = sent.as_ref().and_then(|sent| sent["password"].as_str()).unwrap_or_default();
    let escaped = Value::from(password).to_string();
    let quoted = |secret: &str| !secret.is_empty() && text.contains(secret);
    if quoted(password) || quoted(escaped.trim_matches('"')) {
        return "its words are not repeated, as they quote the password".to_owned();
    }
    plain(text)
}

/// Somebody else's words as a terminal may have them, in a line.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}
