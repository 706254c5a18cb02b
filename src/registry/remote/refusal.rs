//! What a registry's answer means when it is no success.

use reqwest::{Method, Response, StatusCode, header};

use super::super::auth::Challenge;
use super::super::transport::{Cause, Failure, body, same_origin};
use super::super::{Error, RepositoryName};
use super::Registry;

impl Registry {
    /// A 401 that stays: the credentials, or only what they allow?
    pub(super) async fn denied(
        &self,
        repository: Option<&RepositoryName>,
        challenges: &[Challenge],
        body: &[u8],
    ) -> Error {
        let sent = self.inner.auth.sent(&self.inner.transport, repository).await;
        let insufficient = challenges.iter().any(|challenge| match challenge {
            Challenge::Bearer(bearer) => bearer.error.as_deref() == Some("insufficient_scope"),
            Challenge::Basic => false,
        });
        let host = self.host().to_string();
        if !sent.is_anonymous() && (insufficient || body::has_code(body, &["DENIED"])) {
            let repository = repository.map_or("this registry", RepositoryName::as_str);
            let reason = body::reason(body);
            return Error::Forbidden { host, repository: repository.to_owned(), reason };
        }
        Error::Unauthorized { host, user: sent.user().map(str::to_owned) }
    }

    /// The error that an answer other than success stands for.
    pub(super) async fn refusal(
        &self,
        answer: Response,
        method: &Method,
        repository: Option<&RepositoryName>,
    ) -> Error {
        let (status, url, host) = (answer.status(), answer.url().clone(), self.host().to_string());
        let base = self.inner.transport.base().await;
        if !base.is_ok_and(|base| same_origin(base, &url)) {
            let host = url.host_str().unwrap_or_default().to_owned();
            let reason = body::reason(&body::read_error(answer).await);
            let (method, path) = (method.to_string(), url.path().to_owned());
            return Error::Status { host, status: status.as_u16(), method, path, reason };
        }
        let target = answer.headers().get(header::LOCATION).and_then(|it| it.to_str().ok());
        if let (true, Some(target)) = (status.is_redirection(), target) {
            // Only reads are followed, so this is what a proxy or a moved registry answers.
            let target = target.split('?').next().unwrap_or_default().to_owned();
            return Error::RedirectRefused {
                host,
                what: format!("{method} {}", url.path()),
                target,
            };
        }
        let reason = body::reason(&body::read_error(answer).await);
        if status == StatusCode::FORBIDDEN {
            let repository = repository.map_or("this registry", RepositoryName::as_str).to_owned();
            return Error::Forbidden { host, repository, reason };
        }
        let (status, method) = (status.as_u16(), method.to_string());
        Error::Status { host, status, method, path: url.path().to_owned(), reason }
    }

    /// An answer that breaks the specification.
    pub(super) fn protocol(&self, reason: impl Into<String>) -> Error {
        Error::Protocol { host: self.host().to_string(), reason: reason.into() }
    }

    /// Nothing came for too long.
    pub(super) fn silent(&self) -> Failure {
        let (host, reason) = (self.host().to_string(), "no answer in time".to_owned());
        Failure { error: Error::Unreachable { host, reason }, cause: Some(Cause::Broken) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::super::auth::challenge;
    use super::super::super::{Credential, Endpoint, Keychain};
    use super::*;

    fn registry(keychain: Keychain) -> Arc<Registry> {
        Registry::connect(&Endpoint::new("reg.example".parse().unwrap()), keychain).unwrap()
    }

    fn insufficient() -> Vec<Challenge> {
        let header = r#"Bearer realm="https://reg.example/token",error="insufficient_scope""#;
        let headers = [(header::WWW_AUTHENTICATE, header.parse().unwrap())];
        challenge::of(&headers.into_iter().collect())
    }

    #[tokio::test]
    async fn credentials_that_are_right_and_not_enough_are_a_missing_permission() {
        let name = "a/b".parse().unwrap();
        let known = registry(Keychain::new().with("reg.example", Credential::basic("u", "p")));
        let denied = br#"{"errors":[{"code":"DENIED","message":"not yours"}]}"#;
        for (challenges, body) in [(insufficient(), &b""[..]), (Vec::new(), denied)] {
            let error = known.denied(Some(&name), &challenges, body).await;
            assert!(matches!(error, Error::Forbidden { .. }), "{error}");
        }
        let error = known.denied(Some(&name), &[Challenge::Basic], b"").await;
        assert!(matches!(error, Error::Unauthorized { user: Some(_), .. }), "{error}");
        let error = registry(Keychain::new()).denied(Some(&name), &insufficient(), denied).await;
        assert!(matches!(error, Error::Unauthorized { user: None, .. }), "{error}");
    }
}
