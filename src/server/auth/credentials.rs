//! What a request says about who sends it.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use super::{AuthError, Caller, proxy};

/// What a request came with. Prints no secret.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A token (RFC 6750).
    Bearer(SecretString),
    /// A user with a password (RFC 7617).
    Basic {
        /// Name of the user.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// A front proxy vouches for the caller.
    Proxy(Caller),
}

/// Tokens of Kubernetes have some 1.5 kB, those of identity providers with many groups up to 8.
/// Each that is not known costs a review, and goes on to the API server.
const MAX_TOKEN: usize = 16 << 10;

impl Credentials {
    /// What they are, in a word, for metrics.
    pub(in crate::server) fn kind(&self) -> &'static str {
        match self {
            Self::Bearer(_) => "bearer",
            Self::Basic { .. } => "basic",
            Self::Proxy(_) => "proxy",
        }
    }

    /// Takes the headers of a front proxy out, whoever sent them, and reads the credentials.
    /// `vouched` says that the connection is one of the front proxy's
    /// ([`is_vouched_for`](super::is_vouched_for)); it alone makes those headers count, and they come
    /// before `Authorization`, as on a kube-apiserver.
    ///
    /// # Errors
    /// When there are none, or they cannot be read.
    pub fn take(headers: &mut HeaderMap, vouched: bool) -> Result<Self, AuthError> {
        match proxy::take(headers, vouched)? {
            Some(caller) => Ok(Self::Proxy(caller)),
            None => Self::authorization(headers),
        }
    }

    /// Reads the header `Authorization` alone, and leaves it.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub(in crate::server) fn authorization(headers: &HeaderMap) -> Result<Self, AuthError> {
        let mut sent = headers.get_all(header::AUTHORIZATION).iter();
        let value = sent.next().ok_or(AuthError::Missing)?;
        if sent.next().is_some() {
            return Err(AuthError::Malformed); // which one would be a matter of taste
        }
        let value = value.to_str().map_err(|_| AuthError::Malformed)?.trim();
        if value.is_empty() {
            return Err(AuthError::Missing);
        }
        let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
        let rest = rest.trim_start();
        if scheme.eq_ignore_ascii_case("bearer") {
            bearer(rest)
        } else if scheme.eq_ignore_ascii_case("basic") {
            basic(rest).ok_or(AuthError::Malformed)
        } else {
            Err(AuthError::Scheme)
        }
    }
}

fn bearer(token: &str) -> Result<Credentials, AuthError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || token.len() > MAX_TOKEN || !token.bytes().all(is_token) {
        return Err(AuthError::Malformed);
    }
    Ok(Credentials::Bearer(token.into()))
}

fn basic(encoded: &str) -> Option<Credentials> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Credentials::Basic { user: user.to_owned(), password: password.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use secrecy::ExposeSecret as _;

    fn read(values: &[&str]) -> Result<Credentials, AuthError> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(header::AUTHORIZATION, value);
        }
        Credentials::take(&mut headers, false)
    }

    #[test]
    fn both_schemes_are_read_in_any_case() {
        for value in ["Bearer abc.d-e_f~+/=", "bearer abc.d-e_f~+/=", " BEARER   abc.d-e_f~+/= "] {
            let Ok(Credentials::Bearer(token)) = read(&[value]) else { panic!("{value}") };
            assert_eq!(token.expose_secret(), "abc.d-e_f~+/=");
        }
        // `dev:pass:word`: the password may hold colons, the user none.
        let Ok(Credentials::Basic { user, password }) = read(&["Basic ZGV2OnBhc3M6d29yZA=="])
        else {
            panic!("not Basic");
        };
        assert_eq!((user.as_str(), password.expose_secret()), ("dev", "pass:word"));
    }

    #[test]
    fn nothing_that_was_sent_is_printed() {
        for value in ["Bearer canary", "Basic dXNlcjpjYW5hcnk="] {
            assert!(!format!("{:?}", read(&[value]).unwrap()).contains("canary"));
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_apart() {
        let long = format!("Bearer {}", "a".repeat(MAX_TOKEN + 1));
        for (values, error) in [
            (&[][..], AuthError::Missing),
            (&[""], AuthError::Missing),
            (&["Digest username=\"x\""], AuthError::Scheme),
            (&["abc"], AuthError::Scheme),
            (&["Bearer"], AuthError::Malformed),
            (&["Bearer a b"], AuthError::Malformed),
            (&["Bearer a,b"], AuthError::Malformed),
            (&["Bearer tök"], AuthError::Malformed),
            (&[&long], AuthError::Malformed),
            (&["Basic ?"], AuthError::Malformed),
            (&["Basic bm9jb2xvbg=="], AuthError::Malformed),
            (&["Basic //86//8="], AuthError::Malformed),
            (&["Bearer a", "Bearer b"], AuthError::Malformed),
        ] {
            assert_eq!(read(values).unwrap_err(), error, "{values:?}");
        }
    }
}
