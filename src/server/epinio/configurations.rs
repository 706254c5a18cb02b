//! `/configurations` and those of a namespace: what there is and who uses it, never what is in it.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::Uri;
use futures_util::stream::{StreamExt as _, TryStreamExt as _, iter};
use serde::Serialize;

use super::Asked;
use super::application::Meta;
use super::envelope::{Json, Refusal};
use super::paging::{Form, Listed, Wanted};
use crate::app::Object;
use crate::cluster::SecretObject;
use crate::server::audit::{About, Event};
use crate::server::auth::epinio::Action;

/// Namespaces that are read at once.
const AT_ONCE: usize = 4;

/// A Secret that applications can be given.
#[derive(Debug, Serialize)]
pub(super) struct Configuration {
    meta: Meta,
    configuration: Shown,
}

/// Epinio tells keys and values besides, to all who may see the configuration.
#[derive(Debug, Serialize)]
struct Shown {
    /// Who has made it.
    user: String,
    boundapps: Vec<String>,
    /// `custom`, or `service` where it came with one.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    kind: String,
    /// The service that it came with.
    #[serde(skip_serializing_if = "String::is_empty")]
    origin: String,
    /// Others that came with the same service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    siblings: Vec<String>,
}

/// `GET /api/v1/configurations`
pub(super) async fn all(asked: Asked, uri: Uri) -> Result<Json<Listed<Configuration>>, Refusal> {
    asked.need(Action::ConfigurationRead, Event::Read, About::default()).await?;
    let namespaces = asked.namespaces().await?;
    let read = |namespace: Object| {
        let asked = &asked;
        async move { seen(asked, namespace.name()).await }
    };
    let found: Vec<_> = iter(namespaces).map(read).buffered(AT_ONCE).try_collect().await?;
    Ok(listed(&uri, found.into_iter().flatten().collect(), Form::READ))
}

/// `GET /api/v1/namespaces/{ns}/configurations`
pub(super) async fn list(
    asked: Asked,
    Path(namespace): Path<String>,
    uri: Uri,
) -> Result<Json<Listed<Configuration>>, Refusal> {
    let about = About { namespace: Some(&namespace), ..About::default() };
    asked.need(Action::ConfigurationRead, Event::Read, about).await?;
    asked.namespace(&namespace).await?;
    Ok(listed(&uri, seen(&asked, &namespace).await?, Form::CUT))
}

fn listed(uri: &Uri, mut all: Vec<Configuration>, form: Form) -> Json<Listed<Configuration>> {
    let wanted = Wanted::of(uri);
    all.retain(|configuration| wanted.wants(&configuration.meta.name));
    Json(wanted.list(all, form))
}

/// Those of a namespace; none for who may not know of its Secrets.
async fn seen(asked: &Asked, namespace: &str) -> Result<Vec<Configuration>, Refusal> {
    if !asked.sees_configurations(namespace).await? {
        return Ok(Vec::new());
    }
    let live = &asked.state.live;
    let (found, bindings) =
        tokio::try_join!(live.epinio_configurations(namespace), live.epinio_bindings(namespace))?;
    Ok(shown(&found, &bindings))
}

fn shown(found: &[Object], bindings: &[SecretObject]) -> Vec<Configuration> {
    let mut users: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for binding in bindings {
        let Some(app) = binding.labels.get("app.kubernetes.io/name") else { continue };
        for name in binding.data.keys() {
            users.entry(name).or_default().push(app.clone());
        }
    }
    let label = |of: &Object, key: &str| of.label(key).unwrap_or_default().to_owned();
    let origin = |of: &Object| label(of, "epinio.io/configuration-origin");
    let of = |own: &Object| {
        let is_sibling = |other: &&Object| {
            !origin(own).is_empty() && origin(other) == origin(own) && other.name() != own.name()
        };
        Configuration {
            meta: Meta::of(own),
            configuration: Shown {
                user: own.annotation("epinio.io/created-by").unwrap_or_default().to_owned(),
                boundapps: users.get(own.name()).cloned().unwrap_or_default(),
                kind: label(own, "epinio.io/configuration-type"),
                origin: origin(own),
                siblings: found
                    .iter()
                    .filter(is_sibling)
                    .map(|other| other.name().to_owned())
                    .collect(),
            },
        }
    };
    found.iter().map(of).collect()
}
