//! Fetching a token (distribution, "Token authentication specification" and its OAuth2 variant).

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::header::{self, HeaderValue};
use reqwest::{Method, Request, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::Serializer;

use super::super::transport::{Failure, REQUEST_TIMEOUT, Transport, body};
use super::super::{Credential, Error, retry};
use super::challenge::Bearer;
use super::scope::Scopes;

/// A token and when it is to be renewed.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) secret: SecretString,
    pub(super) renew_at: Instant,
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<f64>,
}

/// Largest answer of a token service (oras-go, `auth.maxResponseBytes`). Tokens of registries
/// that list every repository in them grow to tens of KiB.
const MAX_ANSWER: usize = 128 << 10;

/// Life of a token whose answer names none (the token specification's `expires_in`).
const DEFAULT_LIFE: Duration = Duration::from_secs(60);

/// Longest life believed, so that a wrong number cannot overflow a clock.
const MAX_LIFE: Duration = Duration::from_secs(24 * 3600);

/// A token is renewed after this part of its life, so that it does not end while a long upload
/// waits for its turn.
const RENEW_AFTER: f64 = 0.8;

/// What services log us as (`client_id`).
const CLIENT_ID: &str = env!("CARGO_PKG_NAME");

/// Asks the token service, again where that may help.
pub(super) async fn fetch(
    transport: &Transport,
    bearer: &Bearer,
    scopes: &Scopes,
    credential: &Credential,
) -> Result<Token, Error> {
    let started = Instant::now();
    let mut attempt = 0;
    loop {
        let outcome = once(transport, bearer, scopes, credential).await;
        let failure = match outcome {
            Ok(token) => return Ok(token),
            Err(failure) => failure,
        };
        let fault = retry::fault(failure.cause, &failure.error);
        match fault.and_then(|fault| retry::next(attempt, fault, None, started.elapsed())) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Err(failure.error),
        }
        attempt += 1;
    }
}

async fn once(
    transport: &Transport,
    bearer: &Bearer,
    scopes: &Scopes,
    credential: &Credential,
) -> Result<Token, Failure> {
    let realm = transport.realm(&bearer.realm).await?;
    let host = realm.host_str().unwrap_or_default().to_owned();
    let path = realm.path().to_owned();
    let request = match credential {
        Credential::IdentityToken(refresh) => post(realm, bearer, scopes, refresh),
        _ => get(realm, bearer, scopes, credential),
    };
    let asked = Instant::now();
    let method = request.method().to_string();
    let answer = transport.send(request).await?;
    let status = answer.status();
    let bytes = body::read(&host, "the answer of the token service", answer, MAX_ANSWER).await?;
    if status.is_success() {
        return Ok(parse(&host, &bytes, asked)?);
    }
    let reason = body::reason(&bytes);
    // RFC 6749 §5.2: a refresh token that is no longer good is a bad request.
    let expired =
        matches!(credential, Credential::IdentityToken(_)) && status == StatusCode::BAD_REQUEST;
    let registry = || transport.name().to_owned();
    Err(Failure::from(match status {
        _ if expired || status == StatusCode::UNAUTHORIZED => {
            Error::Unauthorized { host: registry(), user: credential.user().map(str::to_owned) }
        }
        StatusCode::FORBIDDEN => {
            Error::Forbidden { host: registry(), repository: scopes.to_string(), reason }
        }
        other => Error::Status { host, status: other.as_u16(), method, path, reason },
    }))
}

fn get(mut realm: Url, bearer: &Bearer, scopes: &Scopes, credential: &Credential) -> Request {
    {
        let mut query = realm.query_pairs_mut();
        if let Some(service) = &bearer.service {
            query.append_pair("service", service);
        }
        for scope in scopes.each() {
            query.append_pair("scope", &scope);
        }
        query.append_pair("client_id", CLIENT_ID);
    }
    let mut request = Request::new(Method::GET, realm);
    if let Some(basic) = basic(credential) {
        request.headers_mut().insert(header::AUTHORIZATION, basic);
    }
    *request.timeout_mut() = Some(REQUEST_TIMEOUT);
    request
}

fn post(realm: Url, bearer: &Bearer, scopes: &Scopes, refresh: &SecretString) -> Request {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token")
        .append_pair("service", bearer.service.as_deref().unwrap_or_default())
        .append_pair("client_id", CLIENT_ID)
        .append_pair("scope", &scopes.to_string())
        .append_pair("refresh_token", refresh.expose_secret());
    let mut request = Request::new(Method::POST, realm);
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    *request.body_mut() = Some(form.finish().into());
    *request.timeout_mut() = Some(REQUEST_TIMEOUT);
    request
}

/// The `Authorization` header of user name and password.
pub(super) fn basic(credential: &Credential) -> Option<HeaderValue> {
    let Credential::Basic { username, password } = credential else { return None };
    let plain = format!("{username}:{}", password.expose_secret());
    sensitive(&format!("Basic {}", STANDARD.encode(plain)))
}

/// The `Authorization` header of a token.
pub(super) fn bearer(token: &SecretString) -> Option<HeaderValue> {
    sensitive(&format!("Bearer {}", token.expose_secret()))
}

fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn parse(host: &str, bytes: &Bytes, asked: Instant) -> Result<Token, Error> {
    // The parser's own message may repeat a value, which is the token.
    let protocol =
        |reason: &str| Error::Protocol { host: host.to_owned(), reason: reason.to_owned() };
    let answer: Answer = serde_json::from_slice(bytes)
        .map_err(|_| protocol("the token service's answer is not the expected JSON"))?;
    let some = |token: &String| !token.is_empty();
    let secret = answer.token.filter(some).or(answer.access_token.filter(some));
    let secret = secret.ok_or_else(|| protocol("the token service's answer has no token"))?;
    let secret = SecretString::from(secret);
    if bearer(&secret).is_none() {
        return Err(protocol("the token service's token does not fit in a header"));
    }
    let life = answer.expires_in.filter(|seconds| *seconds > 0.0);
    let life = life
        .map_or(DEFAULT_LIFE, |s| Duration::try_from_secs_f64(s).unwrap_or(MAX_LIFE).min(MAX_LIFE));
    Ok(Token { secret, renew_at: asked + life.mul_f64(RENEW_AFTER) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(json: &str) -> Result<Token, Error> {
        parse("auth", &Bytes::copy_from_slice(json.as_bytes()), Instant::now())
    }

    #[test]
    fn both_names_of_the_token_and_its_life_are_read() {
        for json in [r#"{"token":"t"}"#, r#"{"access_token":"t","token":""}"#] {
            assert_eq!(parsed(json).unwrap().secret.expose_secret(), "t");
        }
        let life = |json: &str| parsed(json).unwrap().renew_at - Instant::now();
        assert!(life(r#"{"token":"t"}"#) <= Duration::from_secs(48));
        assert!(life(r#"{"token":"t","expires_in":300}"#) > Duration::from_secs(230));
        assert!(life(r#"{"token":"t","expires_in":0}"#) > Duration::from_secs(40));
        assert!(life(r#"{"token":"t","expires_in":1e300}"#) <= MAX_LIFE);
    }

    #[test]
    fn an_answer_without_a_token_is_an_error_that_shows_nothing() {
        for json in ["{}", "hunter2", r#"{"token":1,"x":"hunter2"}"#, r#"{"token":"a\nhunter2"}"#] {
            let error = parsed(json).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        assert!(!format!("{:?}", parsed(r#"{"token":"hunter2"}"#).unwrap()).contains("hunter2"));
    }

    #[test]
    fn headers_do_not_print_themselves() {
        let header = basic(&Credential::basic("u", "hunter2")).unwrap();
        assert_eq!(header.to_str().unwrap(), "Basic dTpodW50ZXIy");
        assert!(!format!("{header:?}").contains("dTpodW50ZXIy"));
    }
}
