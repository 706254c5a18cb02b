//! Who is let in: nobody asks, a password with each request, or tokens for scopes.

use std::collections::BTreeSet;

use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::state::{Reply, State};

/// How the registry asks who is there.
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    /// Not at all.
    Open,
    /// `Basic`: user and password with each request.
    Basic(&'static str, &'static str),
    /// `Bearer`: tokens from `/token` for this user and password. Without a login a token pulls only.
    Token(&'static str, &'static str),
    /// As `Token`, and nobody gets a token without a login.
    PrivateToken(&'static str, &'static str),
}

/// The scope that a request needs: none for `/v2/` itself.
fn needed(method: &str, repository: Option<&str>) -> Option<String> {
    let action = match method {
        "GET" | "HEAD" => "pull",
        "DELETE" => "delete",
        _ => "push",
    };
    repository.map(|name| format!("repository:{name}:{action}"))
}

/// Lets a request in, or says how to ask.
pub(super) fn admit(state: &State, parts: &Parts, repository: Option<&str>) -> Result<(), Reply> {
    let given = authorization(parts);
    let needed = needed(parts.method.as_str(), repository);
    let welcome = match state.options.auth {
        Auth::Open => true,
        Auth::Basic(user, password) => given == Some(&basic(user, password)),
        Auth::Token(..) | Auth::PrivateToken(..) => given
            .and_then(|header| header.strip_prefix("Bearer "))
            .and_then(|token| state.tokens.get(token))
            .is_some_and(|scopes| needed.as_ref().is_none_or(|scope| scopes.contains(scope))),
    };
    if welcome { Ok(()) } else { Err(challenge(state, parts, repository)) }
}

/// Whether a token of this request covers one more scope, as a mount needs for its source.
pub(super) fn covers(state: &State, parts: &Parts, scope: &str) -> bool {
    let token = authorization(parts).and_then(|header| header.strip_prefix("Bearer "));
    match state.options.auth {
        Auth::Open | Auth::Basic(..) => true,
        Auth::Token(..) | Auth::PrivateToken(..) => {
            token.and_then(|token| state.tokens.get(token)).is_some_and(|all| all.contains(scope))
        }
    }
}

/// 401, with what to do about it.
pub(super) fn challenge(state: &State, parts: &Parts, repository: Option<&str>) -> Reply {
    let reply = Reply::error(401, "UNAUTHORIZED");
    match state.options.auth {
        Auth::Open => reply,
        Auth::Basic(..) => reply.header("www-authenticate", "Basic realm=\"faulty\""),
        Auth::Token(..) | Auth::PrivateToken(..) => {
            let host = parts.headers["host"].to_str().unwrap_or_default();
            let mut header = format!("Bearer realm=\"http://{host}/token\",service=\"faulty\"");
            if let Some(name) = repository {
                let actions = match parts.method.as_str() {
                    "GET" | "HEAD" => "pull",
                    "DELETE" => "delete",
                    _ => "pull,push",
                };
                header += &format!(",scope=\"repository:{name}:{actions}\"");
            }
            reply.header("www-authenticate", header)
        }
    }
}

/// The token endpoint: GET with `Basic`, or POST with a password or a refresh token in a form.
///
/// The refresh token of a user is their password: what an `identitytoken` in a Docker config holds.
pub(super) fn token(state: &mut State, parts: &Parts, body: &[u8]) -> Reply {
    let (user, password, private) = match state.options.auth {
        Auth::Token(user, password) => (user, password, false),
        Auth::PrivateToken(user, password) => (user, password, true),
        Auth::Open | Auth::Basic(..) => return Reply::error(404, "NOT_FOUND"),
    };
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let form = if parts.method == "POST" { body } else { query };
    let form: Vec<_> = url::form_urlencoded::parse(form).into_owned().collect();
    let value = |key: &str| form.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str());
    if value("service") != Some("faulty") {
        return Reply::error(400, "SERVICE_UNKNOWN");
    }
    let known = match (authorization(parts), value("grant_type")) {
        (Some(header), _) => Some(header == basic(user, password)),
        (None, Some("refresh_token")) => Some(value("refresh_token") == Some(password)),
        (None, Some("password")) => {
            Some(value("username") == Some(user) && value("password") == Some(password))
        }
        (None, _) => None,
    };
    if known == Some(false) || (known.is_none() && private) {
        return Reply::error(401, "UNAUTHORIZED");
    }
    let asked =
        form.iter().filter(|(key, _)| key == "scope").flat_map(|(_, scope)| scope.split(' '));
    let Some(mut scopes) = asked.map(each_action).collect::<Option<Vec<_>>>() else {
        return Reply::error(400, "SCOPE_INVALID");
    };
    if known.is_none() {
        scopes.iter_mut().for_each(|scopes| scopes.retain(|scope| scope.ends_with(":pull")));
    }
    let token = state.name("token");
    state.tokens.insert(token.clone(), scopes.into_iter().flatten().collect());
    Reply::json(200, &json!({ "token": token, "access_token": token, "expires_in": 300 }))
}

/// `repository:a/b:pull,push` as one scope for each action; none when it is malformed.
fn each_action(scope: &str) -> Option<BTreeSet<String>> {
    let (resource, actions) = scope.rsplit_once(':')?;
    let name = resource.strip_prefix("repository:").filter(|name| !name.is_empty())?;
    Some(actions.split(',').map(|action| format!("repository:{name}:{action}")).collect())
}

fn authorization(parts: &Parts) -> Option<&str> {
    parts.headers.get("authorization")?.to_str().ok()
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
