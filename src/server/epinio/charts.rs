//! `/appcharts`, one of them, and matches: the charts that Epinio deploys applications with.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::Uri;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::Asked;
use super::application::Meta;
use super::envelope::{Json, Refusal};
use super::paging::{Form, Listed, Matches, Wanted};
use crate::app::Object;
use crate::server::audit::{About, Event};
use crate::server::auth::epinio::Action;
use crate::server::auth::{Kind, Right, Via};

/// A chart. Its values are the operator's and not told, which Epinio does.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    meta: Meta,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    short_description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    helm_chart: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    helm_repo: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    settings: BTreeMap<String, Setting>,
}

/// What a user may set.
#[derive(Debug, Serialize)]
struct Setting {
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    minimum: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    maximum: String,
    #[serde(rename = "enum", skip_serializing_if = "Vec::is_empty")]
    choices: Vec<String>,
}

/// `GET /api/v1/appcharts`
pub(super) async fn list(asked: Asked, uri: Uri) -> Result<Json<Listed<Chart>>, Refusal> {
    let wanted = Wanted::of(&uri);
    let found = seen(&asked).await?;
    let charts = found.iter().filter(|chart| wanted.wants(chart.name())).map(Chart::new);
    Ok(Json(wanted.list(charts.collect(), Form::CUT)))
}

/// `GET /api/v1/appcharts/{name}`
pub(super) async fn one(asked: Asked, Path(name): Path<String>) -> Result<Json<Chart>, Refusal> {
    let found = match place(&asked).await? {
        Some(namespace) => asked.state.live.epinio_chart(&namespace, &name).await?,
        None => None,
    };
    let found = found.ok_or_else(|| Refusal::absent("application chart", &name))?;
    Ok(Json(Chart::new(&found)))
}

/// `GET /api/v1/appchartsmatch`
pub(super) async fn matches_all(asked: Asked) -> Result<Json<Matches>, Refusal> {
    matches(asked, Path(String::new())).await
}

/// `GET /api/v1/appchartsmatch/{prefix}`
pub(super) async fn matches(
    asked: Asked,
    Path(prefix): Path<String>,
) -> Result<Json<Matches>, Refusal> {
    let seen = seen(&asked).await?;
    Ok(Json(Matches::of(&prefix, seen.iter().map(Object::name))))
}

async fn seen(asked: &Asked) -> Result<Vec<Object>, Refusal> {
    match place(asked).await? {
        Some(namespace) => Ok(asked.state.live.epinio_charts(&namespace).await?),
        None => Ok(Vec::new()),
    }
}

/// Where charts are, if the caller may see them: who is none of Epinio's users sees what Kubernetes
/// would show.
async fn place(asked: &Asked) -> Result<Option<String>, Refusal> {
    asked.need(Action::ChartRead, Event::Read, About::default()).await?;
    let namespace = asked.system_namespace().await?;
    let kind = Kind {
        group: "application.epinio.io".to_owned(),
        plural: "appcharts".to_owned(),
        namespaced: true,
    };
    let right = Right::ReadKinds { namespace: namespace.clone(), kinds: vec![kind] };
    let sees = asked.sender.caller.via == Via::Epinio || asked.allows(&right).await?;
    Ok(sees.then_some(namespace))
}

impl Chart {
    fn new(chart: &Object) -> Self {
        let spec =
            |field: &str| chart.text(&format!("/spec/{field}")).unwrap_or_default().to_owned();
        let settings = chart.at("/spec/settings").and_then(Value::as_object).into_iter().flatten();
        Self {
            meta: Meta::of_all(chart),
            description: spec("description"),
            short_description: spec("shortDescription"),
            helm_chart: told(&spec("helmChart")),
            helm_repo: told(&spec("helmRepo")),
            settings: settings.map(|(name, value)| (name.clone(), Setting::new(value))).collect(),
        }
    }
}

impl Setting {
    fn new(value: &Value) -> Self {
        let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
        let choices = value["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Self {
            kind: text("type"),
            minimum: text("minimum"),
            maximum: text("maximum"),
            choices: choices.map(str::to_owned).collect(),
        }
    }
}

/// An address without credentials, or a name with a version; nothing of a path in the file system of
/// Epinio's server.
fn told(reference: &str) -> String {
    if !reference.contains("://") {
        let is_path = reference.contains(['/', '\\']) || reference.starts_with('.');
        return if is_path { String::new() } else { reference.to_owned() };
    }
    match Url::parse(reference) {
        Ok(url) if url.scheme() == "file" => String::new(),
        Ok(url) if url.username().is_empty() && url.password().is_none() => reference.to_owned(),
        Ok(mut url) => match (url.set_username(""), url.set_password(None)) {
            (Ok(()), Ok(())) => url.into(),
            _ => String::new(),
        },
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_chart_is_is_told_without_credentials_and_paths() {
        let whole = "https://github.com/epinio/helm-charts/releases/download/x/x-0.1.26.tgz";
        for same in [whole, "oci://registry.example.com/charts/web", "web:1.0.0", "web", ""] {
            assert_eq!(told(same), same);
        }
        assert_eq!(told("https://me:canary@charts.example.com/a"), "https://charts.example.com/a");
        for path in ["/assets/web.tgz", "./web", "../web.tgz", "charts/web", "file:///etc", "://x"]
        {
            assert_eq!(told(path), "");
        }
    }
}
