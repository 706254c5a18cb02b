//! What Epinio's own server keeps and ours does not: services, their catalogue, access to Git, and
//! images that build. Without that server there are none, and clients that draw a page of everything
//! get empty lists.

use axum::extract::Path;
use axum::http::Uri;
use serde::Serialize;

use super::Asked;
use super::envelope::{Json, Refusal};
use super::paging::{Form, Listed, Wanted};
use crate::server::audit::{About, Event};
use crate::server::auth::epinio::Action;

/// One of those that there are none of.
#[derive(Serialize)]
pub(super) enum Nothing {}

/// `GET /api/v1/services`
pub(super) async fn services(asked: Asked, uri: Uri) -> Result<Json<Listed<Nothing>>, Refusal> {
    none(&asked, Action::ServiceRead, &uri, Form::READ).await
}

/// `GET /api/v1/namespaces/{ns}/services`
pub(super) async fn within(
    asked: Asked,
    Path(namespace): Path<String>,
    uri: Uri,
) -> Result<Json<Listed<Nothing>>, Refusal> {
    let about = About { namespace: Some(&namespace), ..About::default() };
    asked.need(Action::ServiceRead, Event::Read, about).await?;
    asked.namespace(&namespace).await?;
    Ok(Json(Wanted::of(&uri).list(Vec::new(), Form::CUT)))
}

/// `GET /api/v1/catalogservices`, which has no pages.
pub(super) async fn catalogue(asked: Asked) -> Result<Json<Listed<Nothing>>, Refusal> {
    none(&asked, Action::ServiceRead, &Uri::default(), Form::READ).await
}

/// `GET /api/v1/gitconfigs`
pub(super) async fn gitconfigs(asked: Asked, uri: Uri) -> Result<Json<Listed<Nothing>>, Refusal> {
    none(&asked, Action::GitconfigRead, &uri, Form::CUT).await
}

/// `GET /api/v1/builderimages`
pub(super) async fn builderimages(
    asked: Asked,
    uri: Uri,
) -> Result<Json<Listed<Nothing>>, Refusal> {
    none(&asked, Action::BuilderimageRead, &uri, Form::CUT).await
}

async fn none(
    asked: &Asked,
    action: Action,
    uri: &Uri,
    form: Form,
) -> Result<Json<Listed<Nothing>>, Refusal> {
    asked.need(action, Event::Read, About::default()).await?;
    Ok(Json(Wanted::of(uri).list(Vec::new(), form)))
}
