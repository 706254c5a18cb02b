//! `…/part/{part}`: what users take an application away by, to install it elsewhere by hand.
//!
//! ```text
//!  App, Secrets ─► manifest
//!  helm's record ─► values, chart ─┐
//!  registry ─────► image ──────────┴─► archive, a zip of the three
//! ```

mod archive;
mod chart;
mod docker;
mod download;
mod image;
mod manifest;
mod release;
mod values;
mod zip;

use axum::body::Body;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::Asked;
use super::apps;
use super::envelope::Refusal;
use crate::cluster::EpinioParts;
use crate::server::audit::{About, Decision, Event};
use crate::server::auth::epinio::Action;
use crate::server::auth::{Right, Via};

/// What there is of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// How it was asked for.
    Manifest,
    /// The values that its chart was installed with.
    Values,
    /// Its chart.
    Chart,
    /// What runs, for `docker load`.
    Image,
    /// The last three in one file.
    Archive,
}

/// An application whose parts are asked for, and what is there of it.
struct App {
    asked: Asked,
    namespace: String,
    name: String,
    /// Epinio's own namespace.
    system: String,
    parts: EpinioParts,
}

impl Part {
    /// The part of exactly this name.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "manifest" => Self::Manifest,
            "values" => Self::Values,
            "chart" => Self::Chart,
            "image" => Self::Image,
            "archive" => Self::Archive,
            _ => return None,
        })
    }

    /// Whether it is made of helm's record, which is a Secret.
    fn is_of_record(self) -> bool {
        matches!(self, Self::Values | Self::Chart | Self::Archive)
    }

    /// Whether it has the values of variables, and is nothing without them.
    fn has_values(self) -> bool {
        matches!(self, Self::Values | Self::Archive)
    }
}

/// `GET /api/v1/namespaces/{ns}/applications/{app}/part/{part}`
pub(super) async fn part(
    asked: Asked,
    Path((namespace, name, part)): Path<(String, String, String)>,
) -> Result<Response, Refusal> {
    let about = About { namespace: Some(&namespace), app: Some(&name), ..About::default() };
    asked.need(Action::AppExport, Event::Read, about).await?;
    asked.namespace(&namespace).await?;
    let Some(part) = Part::named(&part) else {
        let title =
            format!("unknown '{part}' part, expected chart, manifest, image, values, or archive");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, title));
    };
    allowed(&asked, part, about).await?;
    let stored = apps::find(&asked, &namespace, &name).await?;
    let system = asked.system_namespace().await?;
    let parts = asked.state.live.epinio_parts(&namespace, &system, Some(&name)).await?;
    if part == Part::Manifest {
        let values = apps::values(&asked, &namespace).await?;
        return Ok(manifest::answer(&stored, &parts, values));
    }
    if parts.pods.is_empty() {
        let title = "no chart available for application without workload";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, title));
    }
    let app = App { asked, namespace, name, system, parts };
    if part == Part::Image {
        return image::answer(&app).await;
    }
    let record = release::record(&app).await?;
    match part {
        Part::Values => Ok(values::answer(&record)),
        Part::Chart => chart::answer(&record),
        _ => archive::answer(&app, &record).await,
    }
}

/// Refuses what is made of Secrets to those of Kubernetes' callers who may not read them. Of Epinio's
/// users the action alone decides: the environment is what they set themselves.
async fn allowed(asked: &Asked, part: Part, about: About<'_>) -> Result<(), Refusal> {
    if part.has_values() && !asked.state.epinio.shows_environment {
        let title = "the values of applications' environments are not told by this server";
        return Err(Refusal::new(StatusCode::FORBIDDEN, title));
    }
    if !part.is_of_record() || asked.sender.caller.via == Via::Epinio {
        return Ok(());
    }
    let namespace = about.namespace.unwrap_or_default();
    if asked.allows(&Right::ReadSecrets(namespace.to_owned())).await? {
        return Ok(());
    }
    let refused = format!("user unauthorized for the Secrets of namespace {namespace}");
    asked.sender.audit(Event::Read, about, Decision::Deny, Some(&refused));
    Err(Refusal::new(StatusCode::FORBIDDEN, refused))
}

/// A body of a known length. What is of one caller belongs into nobody's cache.
fn file(kind: &'static str, length: u64, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, body).into_response()
}

/// The same of bytes that are there.
fn bytes(kind: &'static str, bytes: Vec<u8>) -> Response {
    file(kind, bytes.len() as u64, bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_exactly_five_names() {
        for name in ["manifest", "values", "chart", "image", "archive"] {
            assert!(Part::named(name).is_some(), "{name}");
            let (first, rest) = name.split_at(1);
            let mut wrong = vec![format!("{name} "), format!(" {name}"), format!("{name}\n")];
            wrong.extend([format!("{name}s"), format!("{name}/"), name.to_uppercase()]);
            wrong.extend([rest.to_owned(), format!("{}{rest}", first.to_uppercase())]);
            for wrong in wrong {
                assert_eq!(Part::named(&wrong), None, "{wrong:?}");
            }
        }
        assert_eq!(Part::named(""), None);
    }
}
