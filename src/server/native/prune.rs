//! `…/apps/{app}/prune`: versions of an application at a destination that no rule keeps are shown, or
//! deleted.

use axum::extract::Path;
use jiff::Timestamp;
use schemars::JsonSchema;
use semver::Version;
use serde::Deserialize;
use serde_json::Value;

use super::Asked;
use super::plan::{about, apart};
use super::schedules::{RequestedRetention, invalid, rules, unfit};
use crate::cluster::record::{ExportSpec, Health};
use crate::destination::select;
use crate::error::{Code, Error};
use crate::export::prune::{Claim, Pruned};
use crate::export::request::ChosenNames;
use crate::schedule::declared::zone;
use crate::server::audit::{Decision, Event};
use crate::server::auth::{Right, Verb};
use crate::server::json::{Body, Json};
use crate::server::problem::Problem;
use crate::server::work::accept::needed;
use crate::server::work::schedules::{App, Charts};

/// Which versions are to go.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "PruneRequest")]
pub(super) struct Wanted {
    /// Name of the destination.
    destination: String,
    /// Name of the chart, if it is not the usual.
    chart_name: Option<String>,
    /// Which versions stay, besides those that schedules of the application keep; absent: those alone.
    #[schemars(with = "Option<RequestedRetention>")]
    retention: Option<Value>,
    /// Whose hours, days, weeks, months and years count, as an IANA name; absent: UTC.
    time_zone: Option<String>,
    /// Whether what would go is only shown.
    #[serde(default = "yes")]
    dry_run: bool,
    /// Of the versions that no rule keeps, only these go: those that were shown; absent: all.
    #[schemars(with = "Option<Vec<String>>")]
    versions: Option<Vec<Version>>,
}

/// What is deleted is deleted by who says so.
const fn yes() -> bool {
    true
}

/// `POST /v1/namespaces/{ns}/apps/{app}/prune`. Whoever may say in a schedule what stays may say it
/// here. What was begun when the caller goes, or the time is over, is whole, and the next one goes on.
pub(super) async fn prune(
    asked: Asked,
    Path((namespace, name)): Path<(String, String)>,
    wanted: Body<Wanted>,
) -> Result<Json<Pruned>, Problem> {
    let wanted = wanted.0;
    let spec = ExportSpec::new(name.clone(), wanted.destination.clone());
    let event = if wanted.dry_run { Event::Read } else { Event::Prune };
    let says = Right::Schedules { verb: Verb::Update, namespace: Some(namespace.clone()) };
    for right in needed(&spec, &namespace).into_iter().map(|(right, _)| right).chain([says]) {
        asked.need(&right, event, about(&spec, &namespace)).await?;
    }
    if !wanted.dry_run {
        asked.sender.audit(event, about(&spec, &namespace), Decision::Allow, None);
    }
    let app = App { namespace, name };
    apart(asked, move |asked| async move { pruned(&asked, app, wanted).await }).await.map(Json)
}

async fn pruned(asked: &Asked, app: App, wanted: Wanted) -> Result<Pruned, Problem> {
    let (state, now) = (&asked.state, Timestamp::now());
    let own = claim(&wanted)?;
    let system = select::system_namespace(&state.live, state.system_namespace.as_deref()).await;
    let system = system.map_err(Error::from)?;
    let names = ChosenNames { chart_name: wanted.chart_name, ..ChosenNames::default() };
    let charts = Charts::read(&state.live, &system, app, &wanted.destination, &names).await?;
    let mut claims = scheduled(asked, &charts).await?;
    claims.extend(own);
    if claims.is_empty() {
        let detail = "no schedule says what stays, and `retention` neither";
        return Err(invalid("retention", detail));
    }
    let mut plan = charts.plan(&claims, now).await?;
    plan.dry_run |= wanted.dry_run;
    if let Some(shown) = &wanted.versions {
        plan.confine(shown);
    }
    Ok(charts.carry_out(plan, now).await?)
}

/// What the caller says of what stays.
fn claim(wanted: &Wanted) -> Result<Option<Claim>, Problem> {
    let zone = zone(wanted.time_zone.as_deref().unwrap_or("UTC")).map_err(unfit)?;
    let rules = rules(wanted.retention.as_ref())?;
    Ok(rules.map(|rules| Claim {
        schedule: "the request".to_owned(),
        rules: Some(rules),
        zone,
        dry_run: false,
    }))
}

/// What the schedules of the cluster say of it. Where there can be none, that is nothing.
async fn scheduled(asked: &Asked, charts: &Charts) -> Result<Vec<Claim>, Problem> {
    let state = &asked.state;
    let unknown = |detail: String| Problem::new(Code::ClusterUnreachable, detail);
    match state.schedules.health() {
        Health::NotServed => return Ok(Vec::new()),
        Health::Synced => {}
        Health::Full | Health::Starting | Health::Away(_) => {
            return Err(unknown("which schedules there are is not known now".to_owned()));
        }
    }
    let claims = charts.claims(&state.schedules.list(), &state.index, &state.live).await;
    claims.map_err(|error| unknown(error.to_string()))
}
