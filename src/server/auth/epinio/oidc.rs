//! Tokens of dex: OpenID Connect's ID tokens (JWS, RFC 7515, with claims of RFC 7519).

use std::collections::{BTreeMap, HashSet};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, dangerous, decode, decode_header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::PREFIX;
use super::dex::Dex;
use super::keys::{Key, Keys};
use crate::server::auth::{AuthError, Caller, Via};

/// For whom dex makes tokens that are for Epinio's server.
const AUDIENCE: &str = "epinio-api";

/// How much the clocks of dex and of this machine may differ, in seconds.
const LEEWAY: u64 = 60;

/// Longest name of a user, and of a connector: a record has room for 256 bytes, and both are prefixed.
const MAX_NAME: usize = 240;

/// What a token says that is verified.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    email: String,
    email_verified: Option<bool>,
    groups: Option<Vec<String>>,
    federated_claims: Option<Federated>,
}

#[derive(Default, Deserialize)]
struct Federated {
    #[serde(default)]
    connector_id: String,
}

/// Who a token says that it was made by. Nothing of it is verified; it only tells who is to be asked.
pub(super) fn issuer(token: &SecretString) -> Option<String> {
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }
    let claims = dangerous::insecure_decode_claims::<Issuer>(token.expose_secret());
    claims.ok().map(|claims| claims.iss)
}

/// Whom dex has logged in.
///
/// # Errors
/// When the token is not of dex for us and now, or its keys cannot be read.
pub(super) async fn verify(
    token: &SecretString,
    dex: &Dex,
    keys: &Keys,
) -> Result<Caller, AuthError> {
    let token = token.expose_secret();
    let header = decode_header(token).map_err(|_| AuthError::Token)?;
    // What we do not understand we may not pass over (RFC 7515 §4.1.11).
    let id = header.kid.filter(|_| header.crit.is_none()).ok_or(AuthError::Token)?;
    let key = keys.find(&dex.keys, &id).await?.ok_or(AuthError::Token)?;
    caller(claims(token, &key, &dex.issuer)?, dex).ok_or(AuthError::Token)
}

/// What the token says. That it has expired is told, as its owner can help it, and only of a token
/// that dex has signed.
fn claims(token: &str, key: &Key, issuer: &str) -> Result<Claims, AuthError> {
    let mut rules = Validation::new(key.algorithm); // and no other, whatever the token says
    rules.leeway = LEEWAY;
    rules.validate_nbf = true;
    rules.required_spec_claims = HashSet::from(["exp", "aud", "iss"].map(str::to_owned));
    rules.set_audience(&[AUDIENCE]);
    rules.set_issuer(&[issuer]);
    match decode::<Claims>(token, &key.key, &rules) {
        // The library takes a list of issuers as well.
        Ok(token) if token.claims.iss == issuer => Ok(token.claims),
        Err(error) if *error.kind() == ErrorKind::ExpiredSignature => Err(AuthError::Expired),
        _ => Err(AuthError::Token),
    }
}

/// The caller, if it has a name that is its own.
fn caller(claims: Claims, dex: &Dex) -> Option<Caller> {
    let Federated { connector_id } = claims.federated_claims.unwrap_or_default();
    let is_name = |text: &str| text.len() <= MAX_NAME && !text.contains(char::is_control);
    let is_own = !claims.email.is_empty() && claims.email_verified != Some(false);
    let is_known = is_own && is_name(&claims.email) && is_name(&connector_id);
    is_known.then(|| Caller {
        user: format!("{PREFIX}{}", claims.email),
        uid: String::new(),
        groups: dex.groups(&connector_id, &claims.groups.unwrap_or_default()),
        extra: BTreeMap::new(),
        via: Via::Epinio,
    })
}
