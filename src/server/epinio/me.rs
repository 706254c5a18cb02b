//! Who asks: `/me`, and a token for websockets.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use sha2::Sha256;

use super::Asked;
use super::envelope::{Json, Refusal};
use crate::server::auth::epinio::Role;

/// How long a token lasts, in seconds: Epinio's default.
const LIFE: i64 = 30;

#[derive(Serialize)]
pub(super) struct Me {
    user: String,
    roles: Vec<Shown>,
    namespaces: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gitconfigs: Vec<String>,
}

/// A role as its user sees it.
#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    namespace: String,
    default: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<&'static str>,
}

#[derive(Serialize)]
pub(super) struct Token {
    token: String,
}

/// `GET /api/v1/me`. Callers of Kubernetes have no roles here, but namespaces.
pub(super) async fn me(asked: Asked) -> Result<Json<Me>, Refusal> {
    if let Some(user) = asked.user().await? {
        return Ok(Json(Me {
            user: user.name.clone(),
            roles: user.roles.iter().map(Shown::from).collect(),
            namespaces: user.namespaces.clone(),
            gitconfigs: user.gitconfigs.clone(),
        }));
    }
    let namespaces = asked.namespaces().await?;
    Ok(Json(Me {
        user: asked.sender.caller.user.clone(),
        roles: Vec::new(),
        namespaces: namespaces.iter().map(|namespace| namespace.name().to_owned()).collect(),
        gitconfigs: Vec::new(),
    }))
}

/// `GET /api/v1/authtoken`. A JWT (RFC 7519) of the form that clients expect. It is for Epinio's
/// websockets, and we have none: nothing takes it, and its key is thrown away.
pub(super) async fn token(asked: Asked) -> Json<Token> {
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(&json!({"alg": "HS256", "typ": "JWT"}));
    let expires = Timestamp::now().as_second() + LIFE;
    let text =
        format!("{header}.{}", part(&json!({"sub": asked.sender.caller.user, "exp": expires})));
    let key: [u8; 64] = std::array::from_fn(|_| fastrand::u8(..));
    let signature = Hmac::<Sha256>::new(&key.into()).chain_update(&text).finalize().into_bytes();
    Json(Token { token: format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)) })
}

impl From<&Role> for Shown {
    fn from(role: &Role) -> Self {
        Self {
            id: role.id.clone(),
            name: role.name.clone(),
            namespace: role.namespace.clone(),
            default: role.default,
            actions: role.actions.clone(),
        }
    }
}
