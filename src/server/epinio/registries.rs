//! `/exportregistries` and its matches: the destinations that Epinio would list.

use axum::extract::Path;
use serde::Serialize;

use super::Asked;
use super::envelope::{Json, Refusal};
use super::paging::Matches;
use crate::cluster::SecretReader as _;
use crate::destination::epinio::{LABEL, url};
use crate::server::audit::{About, Event};
use crate::server::auth::epinio::Action;
use crate::server::auth::{Right, Via};

#[derive(Serialize)]
pub(super) struct Registry {
    name: String,
    url: String,
}

/// `GET /api/v1/exportregistries`
pub(super) async fn list(asked: Asked) -> Result<Json<Vec<Registry>>, Refusal> {
    Ok(Json(seen(&asked).await?))
}

/// `GET /api/v1/exportregistrymatches`
pub(super) async fn matches_all(asked: Asked) -> Result<Json<Matches>, Refusal> {
    matches(asked, Path(String::new())).await
}

/// `GET /api/v1/exportregistrymatches/{prefix}`
pub(super) async fn matches(
    asked: Asked,
    Path(prefix): Path<String>,
) -> Result<Json<Matches>, Refusal> {
    let seen = seen(&asked).await?;
    Ok(Json(Matches::of(&prefix, seen.iter().map(|registry| registry.name.as_str()))))
}

/// Read anew at each request. Users of Epinio see all of them or none; others those that they may
/// `get` or `use`.
async fn seen(asked: &Asked) -> Result<Vec<Registry>, Refusal> {
    asked.need(Action::ExportRegistriesRead, Event::Read, About::default()).await?;
    let namespace = asked.system_namespace().await?;
    let secrets = asked.state.live.labelled_secrets(&namespace, LABEL).await?;
    let mut registries = Vec::new();
    for secret in secrets {
        let Ok(url) = url(&secret) else { continue };
        let right = Right::SeeDestination { name: secret.name.clone() };
        if asked.sender.caller.via == Via::Epinio || asked.allows(&right).await? {
            registries.push(Registry { name: secret.name, url });
        }
    }
    Ok(registries)
}
