//! `…/apps/{app}/plan` and `…/apps/{app}/diff`: what an export would do, and what has changed since
//! one. Nothing is pushed.

use std::time::Duration;

use axum::extract::Path;
use schemars::JsonSchema;
use semver::Version;
use serde::Deserialize;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Asked;
use super::apps::{kinds, own_kinds};
use super::model::ExportRequest;
use crate::app::ObjectId;
use crate::cluster::record::ExportSpec;
use crate::error::{Code, Error};
use crate::export::diff::{self, Diff};
use crate::export::perform::{Observer, Outcome, perform};
use crate::export::request::ChosenNames;
use crate::export::run::{Deps, copier};
use crate::export::{self, ChartReference, Plan, Request, record};
use crate::registry::progress::Quiet;
use crate::server::audit::{About, Event};
use crate::server::auth::Right;
use crate::server::json::{Body, Json};
use crate::server::problem::Problem;
use crate::server::work::accept::needed;

/// A namespace is read in seconds, and so are the manifests of its images. Proxies before a server
/// wait one or two minutes for an answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// What an application is compared with.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DiffRequest")]
pub(super) struct Compared {
    /// Name of the destination.
    destination: String,
    /// Version of the chart; absent: the newest.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    version: Option<Version>,
    /// Name of the chart, if it is not the usual.
    #[serde(default)]
    chart_name: Option<String>,
}

/// Nobody waits for lines about an answer.
struct Unseen;

impl Observer for Unseen {
    fn waiting(&self, _: &str) {}
}

/// `POST /v1/namespaces/{ns}/apps/{app}/plan`
pub(super) async fn plan(
    asked: Asked,
    Path((namespace, app)): Path<(String, String)>,
    body: Body<ExportRequest>,
) -> Result<Json<Plan>, Problem> {
    let spec = ExportSpec::from(body.0);
    if spec.app != app {
        let detail = format!("`app` is `{}`, and the path says `{app}`", spec.app);
        return Err(Problem::new(Code::ArgumentInvalid, detail));
    }
    may(&asked, &spec, &namespace).await?;
    let plan = apart(asked, move |asked| async move { planned(&asked, &spec, &namespace).await });
    let plan = plan.await?;
    if plan.stopped_by.is_empty() {
        return Ok(Json(plan));
    }
    let stopped = Error::from(export::Error::Stopped(plan.stopped_by.clone()));
    Err(Problem::from(stopped).with_plan(json!(plan)))
}

/// `POST /v1/namespaces/{ns}/apps/{app}/diff`
pub(super) async fn diff(
    asked: Asked,
    Path((namespace, app)): Path<(String, String)>,
    body: Body<Compared>,
) -> Result<Json<Diff>, Problem> {
    let Compared { destination, version, chart_name } = body.0;
    let spec = ExportSpec::new(app, destination);
    may(&asked, &spec, &namespace).await?;
    let names = ChosenNames { chart_name, ..ChosenNames::default() };
    let diff = apart(asked, move |asked| async move {
        compared(&asked, &spec, &namespace, names, version).await
    });
    Ok(Json(diff.await?))
}

/// The rights of an export: whoever may not make one need not know what it would do.
async fn may(asked: &Asked, spec: &ExportSpec, namespace: &str) -> Result<(), Problem> {
    for (right, _) in needed(spec, namespace) {
        asked.need(&right, Event::Read, about(spec, namespace)).await?;
    }
    Ok(())
}

pub(super) fn about<'a>(spec: &'a ExportSpec, namespace: &'a str) -> About<'a> {
    let (app, destination) = (Some(spec.app.as_str()), Some(spec.destination.as_str()));
    About { namespace: Some(namespace), app, destination, ..About::default() }
}

async fn planned(asked: &Asked, spec: &ExportSpec, namespace: &str) -> Result<Plan, Problem> {
    let request = Request { wait_rollout: None, ..request(asked, spec, namespace).await? };
    let place = asked.place(&spec.destination, namespace, spec.options.use_pull_secrets).await?;
    let copier = copier(&place.target, &request.platforms);
    let deps = Deps {
        target: &place.target,
        sources: &place.sources,
        platforms: &request.platforms,
        copier: &copier,
        progress: &Quiet,
        attach_report: false,
        observer: None,
    };
    let source = Box::new(asked.state.live.clone());
    match perform(&request, source, deps, true, &Unseen).await.map_err(Error::from)? {
        Outcome::Planned(plan) => {
            are_readable(asked, &plan.objects, spec, namespace).await?;
            Ok(*plan)
        }
        Outcome::Done(_) => Err(Problem::new(Code::Internal, Code::Internal.title())),
    }
}

async fn compared(
    asked: &Asked,
    spec: &ExportSpec,
    namespace: &str,
    names: ChosenNames,
    version: Option<Version>,
) -> Result<Diff, Problem> {
    let request = Request { names, ..request(asked, spec, namespace).await? };
    let place = asked.place(&spec.destination, namespace, false).await?;
    let chart = ChartReference::own(&place.target, namespace, &spec.app, &request.names);
    let mut chart = chart.map_err(Error::from)?;
    if let Some(version) = version {
        chart.tag = Some(export::names::version_tag(&version).map_err(Error::from)?);
    }
    let live = &asked.state.live;
    let diff = diff::diff(&request, live, &place.target, &place.sources, Some(&chart)).await;
    let diff = diff.map_err(Error::from)?;
    let changed = diff.changed.iter().map(|changed| &changed.object);
    let told: Vec<ObjectId> = changed.chain(&diff.added).chain(&diff.removed).cloned().collect();
    are_readable(asked, &told, spec, namespace).await?;
    Ok(diff)
}

/// What is asked for, with helm's record of the release only for who may read Secrets.
async fn request(asked: &Asked, spec: &ExportSpec, namespace: &str) -> Result<Request, Problem> {
    let release_record = asked.may(&Right::ReadSecrets(namespace.to_owned())).await?;
    let request = record::request(spec, namespace).map_err(Error::from)?;
    Ok(Request { release_record, ..request })
}

/// Whether the caller may see the kinds of these objects, before anything of them is told.
async fn are_readable(
    asked: &Asked,
    objects: &[ObjectId],
    spec: &ExportSpec,
    namespace: &str,
) -> Result<(), Problem> {
    kinds(asked, namespace, own_kinds(objects.iter().cloned()), about(spec, namespace)).await
}

/// Works on a thread of its own: a chart is rendered and compared for seconds, and what else is served
/// should not wait for that. Ends when the caller goes.
pub(super) async fn apart<T, F>(
    asked: Asked,
    work: impl FnOnce(Asked) -> F + Send + 'static,
) -> Result<T, Problem>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Problem>>,
{
    let busy = || Problem::overloaded("as many applications are read as are at once");
    let late = || Problem::overloaded(format!("it takes over {} s", PATIENCE.as_secs()));
    let reads = std::sync::Arc::clone(&asked.state.limits.reads);
    let turn = timeout(PATIENCE, reads.acquire_owned()).await;
    let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
    let (threads, gone) = (Handle::current(), CancellationToken::new());
    let _guard = gone.clone().drop_guard();
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        threads.block_on(gone.run_until_cancelled(timeout(PATIENCE, work(asked))))
    });
    match done.await {
        Ok(Some(Ok(done))) => done,
        Ok(_) => Err(late()),
        Err(error) => {
            tracing::error!("a request failed: {error}");
            Err(Problem::new(Code::Internal, Code::Internal.title()))
        }
    }
}
