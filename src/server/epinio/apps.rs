//! `/applications`, those of a namespace, one of them, and matches.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::Uri;
use futures_util::stream::{StreamExt as _, TryStreamExt as _, iter};
use serde::Serialize;

use super::Asked;
use super::application::{Application, Values};
use super::envelope::{Json, Refusal};
use super::paging::{Form, Listed, Matches, Page, Wanted};
use crate::app::Object;
use crate::server::audit::{About, Event};
use crate::server::auth::epinio::Action;
use crate::server::auth::{Right, Via};

/// Namespaces that are read at once.
const AT_ONCE: usize = 4;

/// Pages by namespace.
#[derive(Serialize)]
pub(super) struct Grouped(BTreeMap<String, Page<Application>>);

/// `GET /api/v1/applications`
pub(super) async fn all(asked: Asked, uri: Uri) -> Result<Json<Listed<Application>>, Refusal> {
    let wanted = Wanted::of(&uri);
    let apps = everywhere(&asked, &wanted).await?;
    let apps = apps.into_iter().flat_map(|(_, apps)| apps).collect();
    Ok(Json(wanted.list(apps, Form::CUT)))
}

/// `GET /api/v1/applications/grouped`
pub(super) async fn grouped(asked: Asked, uri: Uri) -> Result<Json<Grouped>, Refusal> {
    let wanted = Wanted::of(&uri);
    let apps = everywhere(&asked, &wanted).await?.into_iter().filter(|(_, apps)| !apps.is_empty());
    let pages = apps.map(|(name, apps)| (name, wanted.page(apps, Form::GROUPED)));
    Ok(Json(Grouped(pages.collect())))
}

/// `GET /api/v1/namespaces/{ns}/applications`
pub(super) async fn list(
    asked: Asked,
    Path(namespace): Path<String>,
    uri: Uri,
) -> Result<Json<Listed<Application>>, Refusal> {
    see(&asked, &namespace, None).await?;
    let wanted = Wanted::of(&uri);
    let apps = within(&asked, &namespace, &wanted).await?;
    Ok(Json(wanted.list(apps, Form::SEARCHED)))
}

/// `GET /api/v1/namespaces/{ns}/applications/{app}`
pub(super) async fn one(
    asked: Asked,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Json<Application>, Refusal> {
    let app = find(&asked, &namespace, &name).await?;
    let values = values(&asked, &namespace).await?;
    let system = asked.system_namespace().await?;
    let parts = asked.state.live.epinio_parts(&namespace, &system, Some(&name)).await?;
    Ok(Json(Application::new(&app, &parts, values).grouped()))
}

/// `GET /api/v1/namespaces/{ns}/appsmatches`
pub(super) async fn matches_all(
    asked: Asked,
    Path(namespace): Path<String>,
) -> Result<Json<Matches>, Refusal> {
    matches(asked, Path((namespace, String::new()))).await
}

/// `GET /api/v1/namespaces/{ns}/appsmatches/{prefix}`
pub(super) async fn matches(
    asked: Asked,
    Path((namespace, prefix)): Path<(String, String)>,
) -> Result<Json<Matches>, Refusal> {
    see(&asked, &namespace, None).await?;
    let names = asked.app_names(&namespace).await?;
    Ok(Json(Matches::of(&prefix, names.iter().map(String::as_str))))
}

/// Refuses who may not see the applications of the namespace, and then one that is not there.
async fn see(asked: &Asked, namespace: &str, app: Option<&str>) -> Result<(), Refusal> {
    let about = About { namespace: Some(namespace), app, ..About::default() };
    asked.need(Action::AppRead, Event::Read, about).await?;
    asked.namespace(namespace).await.map(drop)
}

/// The application as it is stored.
pub(super) async fn find(asked: &Asked, namespace: &str, name: &str) -> Result<Object, Refusal> {
    see(asked, namespace, Some(name)).await?;
    let found = asked.state.live.epinio_app(namespace, name).await?;
    found.ok_or_else(|| Refusal::absent("application", name))
}

/// Whether the values of the environment are told: to users of Epinio, whose roles mean that, and to
/// those who may read the Secrets that they are in. Lists never have them.
pub(super) async fn values(asked: &Asked, namespace: &str) -> Result<Values, Refusal> {
    let right = Right::ReadSecrets(namespace.to_owned());
    let shown = asked.state.epinio.shows_environment
        && (asked.sender.caller.via == Via::Epinio || asked.allows(&right).await?);
    Ok(if shown { Values::Shown } else { Values::Hidden })
}

/// The applications of all namespaces that the caller sees, as far as they are looked for.
async fn everywhere(
    asked: &Asked,
    wanted: &Wanted,
) -> Result<Vec<(String, Vec<Application>)>, Refusal> {
    asked.need(Action::AppRead, Event::Read, About::default()).await?;
    let namespaces = asked.namespaces().await?;
    let read = |namespace: Object| async move {
        let name = namespace.name().to_owned();
        let apps = within(asked, &name, wanted).await?;
        Ok((name, apps))
    };
    iter(namespaces).map(read).buffered(AT_ONCE).try_collect().await
}

/// The applications of a namespace, as far as they are looked for.
async fn within(
    asked: &Asked,
    namespace: &str,
    wanted: &Wanted,
) -> Result<Vec<Application>, Refusal> {
    let (live, index) = (&asked.state.live, &asked.state.index);
    if index
        .epinio_apps(namespace)
        .is_some_and(|names| !names.iter().any(|name| wanted.wants(name)))
    {
        return Ok(Vec::new());
    }
    let mut apps = live.epinio_apps(namespace).await?;
    apps.retain(|app| wanted.wants(app.name()));
    if apps.is_empty() {
        return Ok(Vec::new());
    }
    let _turn = asked.state.limits.reads.acquire().await;
    let system = asked.system_namespace().await?;
    let parts = live.epinio_parts(namespace, &system, None).await?;
    Ok(apps.iter().map(|app| Application::new(app, &parts, Values::Hidden)).collect())
}
