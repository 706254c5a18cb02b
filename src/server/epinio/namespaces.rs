//! `/namespaces` and its matches.

use axum::extract::Path;
use axum::http::Uri;
use futures_util::stream::{StreamExt as _, TryStreamExt as _, iter};
use serde::Serialize;

use super::Asked;
use super::envelope::{Json, Refusal};
use super::paging::{Form, Listed, Matches, Wanted};
use crate::app::Object;
use crate::server::audit::{About, Event};
use crate::server::auth::epinio::Action;

/// Namespaces that are looked into at once.
const AT_ONCE: usize = 8;

#[derive(Serialize)]
pub(super) struct Namespace {
    meta: Meta,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    apps: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    configurations: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    name: String,
    created_at: String,
}

/// `GET /api/v1/namespaces`
pub(super) async fn list(asked: Asked, uri: Uri) -> Result<Json<Listed<Namespace>>, Refusal> {
    asked.need(Action::Default, Event::Read, About::default()).await?;
    let wanted = Wanted::of(&uri);
    let mut seen = asked.namespaces().await?;
    seen.retain(|namespace| wanted.wants(namespace.name()));
    let filled = iter(seen).map(|namespace| filled(&asked, namespace)).buffered(AT_ONCE);
    Ok(Json(wanted.list(filled.try_collect().await?, Form::READ)))
}

/// `GET /api/v1/namespaces/{ns}`
pub(super) async fn one(
    asked: Asked,
    Path(name): Path<String>,
) -> Result<Json<Namespace>, Refusal> {
    let about = About { namespace: Some(&name), ..About::default() };
    asked.need(Action::Default, Event::Read, about).await?;
    let found = asked.namespace(&name).await?;
    Ok(Json(filled(&asked, found).await?))
}

/// `GET /api/v1/namespacematches`
pub(super) async fn matches_all(asked: Asked) -> Result<Json<Matches>, Refusal> {
    matches(asked, Path(String::new())).await
}

/// `GET /api/v1/namespacematches/{prefix}`
pub(super) async fn matches(
    asked: Asked,
    Path(prefix): Path<String>,
) -> Result<Json<Matches>, Refusal> {
    asked.need(Action::Default, Event::Read, About::default()).await?;
    let seen = asked.namespaces().await?;
    Ok(Json(Matches::of(&prefix, seen.iter().map(Object::name))))
}

/// A namespace with the names of what is in it.
async fn filled(asked: &Asked, namespace: Object) -> Result<Namespace, Refusal> {
    let (live, name) = (&asked.state.live, namespace.name());
    let configurations = async {
        let shown = asked.sees_configurations(name).await?;
        if shown { Ok(live.epinio_configurations(name).await?) } else { Ok(Vec::new()) }
    };
    let apps = async { Ok::<_, Refusal>(asked.app_names(name).await?) };
    let (apps, configurations) = tokio::try_join!(apps, configurations)?;
    let created = namespace.text("/metadata/creationTimestamp").unwrap_or_default();
    Ok(Namespace {
        meta: Meta { name: name.to_owned(), created_at: created.to_owned() },
        apps,
        configurations: names(&configurations),
    })
}

fn names(objects: &[Object]) -> Vec<String> {
    objects.iter().map(|object| object.name().to_owned()).collect()
}
