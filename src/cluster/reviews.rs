//! What the API server says about others: whose a token is, and what somebody may.
//!
//! Each review is sent once, as somebody waits for it who can ask again.

use std::collections::BTreeMap;

use hyper::http::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client::JSON;
use super::discover::segment;
use super::{Error, Live};

/// Somebody, as Kubernetes knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default)]
pub struct Subject {
    /// Name of the user.
    #[serde(alias = "username")]
    pub user: String,
    /// What tells users of one name apart; may be empty.
    pub uid: String,
    /// Groups of the user.
    pub groups: Vec<String>,
    /// What else is known.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// A token's owner, and for whom it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewed {
    /// The owner.
    pub subject: Subject,
    /// Those of the audiences asked for that the token has; empty from who does not look at them.
    pub audiences: Vec<String>,
}

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Attributes {
    /// Something done with objects.
    Resource {
        /// `get`, `list`, `use`, …
        verb: &'static str,
        /// API group; empty for the core.
        group: String,
        /// Plural of the kind.
        resource: String,
        /// Where; empty for everywhere, and for what is in no namespace.
        namespace: String,
        /// Of which object; empty for all.
        name: String,
    },
    /// Something done with a path of a server.
    Path {
        /// `get`, …
        verb: &'static str,
        /// The path.
        path: &'static str,
    },
}

#[derive(Deserialize)]
struct Answer<T> {
    status: T,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenStatus {
    authenticated: bool,
    user: Subject,
    audiences: Vec<String>,
}

#[derive(Deserialize)]
struct AccessStatus {
    #[serde(default)]
    allowed: bool,
    #[serde(default)]
    denied: bool,
}

/// How long a token that we ask for is good: as the API server does it if nobody says.
const TOKEN_SECONDS: u64 = 3600;

#[derive(Deserialize)]
struct MadeToken {
    token: String,
}

#[derive(Deserialize)]
struct SelfStatus {
    #[serde(rename = "userInfo")]
    user_info: Subject,
}

impl Live {
    /// Whose the token is, if it is somebody's and good for one of the audiences (TokenReview).
    ///
    /// # Errors
    /// When the cluster does not answer, or we may not ask. Never holds the token.
    pub async fn token_review(
        &self,
        token: &SecretString,
        audiences: &[String],
    ) -> Result<Option<Reviewed>, Error> {
        let review = json!({"spec": {"token": token.expose_secret(), "audiences": audiences}});
        let sent = self.review("authentication", "TokenReview", review).await;
        let status: TokenStatus = sent.map_err(without_words)?;
        let known = status.authenticated && !status.user.user.is_empty();
        Ok(known.then_some(Reviewed { subject: status.user, audiences: status.audiences }))
    }

    /// Whether somebody has a right (SubjectAccessReview).
    ///
    /// # Errors
    /// When the cluster does not answer, or we may not ask.
    pub async fn access_review(&self, subject: &Subject, what: &Attributes) -> Result<bool, Error> {
        let mut spec = json!(subject);
        let (key, value) = what.field();
        spec[key] = value;
        let review = json!({"spec": spec});
        let status: AccessStatus =
            self.review("authorization", "SubjectAccessReview", review).await?;
        Ok(status.allowed && !status.denied)
    }

    /// Who we are (SelfSubjectReview).
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn who_am_i(&self) -> Result<Subject, Error> {
        let status: SelfStatus =
            self.review("authentication", "SelfSubjectReview", json!({})).await?;
        Ok(status.user_info)
    }

    /// A token of a service account for one audience, good for an hour (TokenRequest).
    ///
    /// # Errors
    /// When the cluster does not answer, or we may not have one.
    pub async fn request_token(
        &self,
        namespace: &str,
        account: &str,
        audience: &str,
    ) -> Result<SecretString, Error> {
        let path = format!(
            "/api/v1/namespaces/{}/serviceaccounts/{}/token",
            segment(namespace),
            segment(account)
        );
        let request = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"audiences": [audience], "expirationSeconds": TOKEN_SECONDS},
        });
        let answer: Answer<MadeToken> =
            self.api.send_once(Method::POST, &path, JSON, &request).await?;
        Ok(answer.status.token.into())
    }

    /// Sends a review of `<group>.k8s.io/v1`, and gives its status.
    async fn review<T: DeserializeOwned>(
        &self,
        group: &str,
        kind: &str,
        mut review: Value,
    ) -> Result<T, Error> {
        let version = format!("{group}.k8s.io/v1");
        let path = format!("/apis/{version}/{}s", kind.to_lowercase());
        review["apiVersion"] = version.into();
        review["kind"] = kind.into();
        let answer: Answer<T> = self.api.send_once(Method::POST, &path, JSON, &review).await?;
        Ok(answer.status)
    }
}

impl Attributes {
    /// As a review's `spec` has them.
    fn field(&self) -> (&'static str, Value) {
        match self {
            Self::Resource { verb, group, resource, namespace, name } => (
                "resourceAttributes",
                json!({"verb": verb, "group": group, "resource": resource,
                    "namespace": namespace, "name": name}),
            ),
            Self::Path { verb, path } => {
                ("nonResourceAttributes", json!({"verb": verb, "path": path}))
            }
        }
    }
}

/// A failure without the API server's words about what was sent, which may quote the token.
fn without_words(mut error: Error) -> Error {
    if let Error::Api { reason, .. } = &mut error {
        "its reason is not repeated, as it may quote the token".clone_into(reason);
    }
    error
}
