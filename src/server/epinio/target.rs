//! Whether a destination can be exported to, said in Epinio's words as far as it has any.

use axum::http::StatusCode;
use secrecy::ExposeSecret as _;

use super::Asked;
use super::envelope::Refusal;
use crate::cluster::{SecretObject, SecretReader as _};
use crate::destination::epinio::{Fault, url};
use crate::destination::select;
use crate::error::Error;
use crate::server::audit::{About, Decision, Event};
use crate::server::auth::Right;

/// What all of them begin with: users and Epinio's own tests look for it.
pub(super) const BAD: &str = "bad export destination";

/// Refuses a destination that there is not, that has a fault, or that is not for the caller or the
/// namespace. The right is asked for before anything of it is read.
pub(super) async fn check(
    asked: &Asked,
    system: &str,
    namespace: &str,
    app: &str,
    name: &str,
) -> Result<(), Refusal> {
    let right = Right::UseDestination { name: name.to_owned(), namespace: namespace.to_owned() };
    if !asked.allows(&right).await? {
        let refused = "user unauthorized";
        let about = About {
            namespace: Some(namespace),
            app: Some(app),
            destination: Some(name),
            ..About::default()
        };
        asked.sender.audit(Event::ExportCreate, about, Decision::Deny, Some(refused));
        return Err(Refusal::new(StatusCode::FORBIDDEN, refused));
    }
    let live = &asked.state.live;
    let known = select::list(live, system).await.map_err(Error::from)?;
    let Some(found) = known.iter().find(|known| known.name == name) else {
        return Err(match live.secret(system, name).await? {
            Some(secret) => bad(StatusCode::BAD_REQUEST, &fault(&secret)),
            None => bad(StatusCode::BAD_REQUEST, &absent(name)),
        });
    };
    if let Some(problem) = found.fatal() {
        let secret = live.secret(system, name).await?;
        let words = match secret.as_ref().map(url) {
            Some(Err(fault)) => fault.to_string(),
            _ => match &found.ca_secret {
                Some(roots) => roots_fault(live.secret(system, roots).await?.as_ref(), roots)
                    .unwrap_or_else(|| format!("bad url: {}", problem.text)),
                None => format!("bad url: {}", problem.text),
            },
        };
        return Err(bad(StatusCode::UNPROCESSABLE_ENTITY, &words));
    }
    select::allow(found, namespace).map_err(|error| Error::from(error).into())
}

/// What is wrong with a Secret that is none of the destinations.
fn fault(secret: &SecretObject) -> String {
    url(secret).err().unwrap_or(Fault::LabelMissing).to_string()
}

/// What is wrong with the Secret of further roots.
fn roots_fault(secret: Option<&SecretObject>, name: &str) -> Option<String> {
    let Some(secret) = secret else { return Some(absent(name)) };
    let has_key = secret.data.get("tls.crt").is_some_and(|pem| !pem.expose_secret().is_empty());
    (!has_key).then(|| format!("cert secret {name} not suitable, no key 'tls.crt'"))
}

fn absent(name: &str) -> String {
    format!("secrets \"{name}\" not found")
}

fn bad(status: StatusCode, words: &str) -> Refusal {
    Refusal::new(status, format!("{BAD}: {words}"))
}
