//! One attempt at an export, in this process.

use jiff::Timestamp;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::accept::{Permit, Refusal, permit};
use super::ended::Ended;
use super::observe::{Held, Watch};
use super::place::{Place, Wanted};
use super::queue::Key;
use super::reconcile::{Action, World, next};
use super::{Desk, Failure};
use crate::cluster::events::About;
use crate::cluster::record::{
    Bytes, Export, ExportResult, Findings, Holder, Outcome, Phase, Planned, PlannedAction,
    ResultChart,
};
use crate::error::Error;
use crate::export::perform::{Outcome as Performed, perform};
use crate::export::run::{Deps, copier};
use crate::export::verify::verify;
use crate::export::{self, ChartReference, Request, record};
use crate::server::telemetry::events::{News, tell};

/// Reason of an export that was done by an attempt whose leader died before it could say so.
const FINISHED_BEFORE_CRASH: &str = "FinishedBeforeCrash";

/// Begins the export of this record if it is to be begun, and carries it out. Dropping the future
/// leaves the record as it is, for the next leader.
pub(super) async fn run(desk: &Desk, key: &Key, cancel: &CancellationToken) {
    let begun = match begin(desk, key).await {
        Ok(Some(begun)) => begun,
        Ok(None) => return, // whatever has changed, the next look at all records sees it
        Err(error) => return tracing::warn!("{key} is not begun: {error}"),
    };
    let attempt = begun.status.as_ref().map_or(0, |status| status.attempts);
    let requester = begun.spec.requested_by.as_ref();
    let span = tracing::info_span!(
        "export",
        id = begun.uid(),
        namespace = begun.namespace(),
        name = begun.name(),
        app = begun.spec.app,
        destination = begun.spec.destination,
        attempt,
        request = requester.and_then(|by| by.request_id.as_deref()),
    );
    carry_on(desk, &begun, attempt, cancel).instrument(span).await;
}

/// Carries out an export that is begun, to its end.
async fn carry_on(desk: &Desk, begun: &Export, number: u32, cancel: &CancellationToken) {
    tracing::info!("begun");
    let record = About::export(begun);
    tell(&desk.live, &desk.me, &[&record], &News::Started(number)).await;
    let held = Held::new(desk.live.clone(), begun.clone());
    let ended = tokio::select! {
        biased;
        () = cancel.cancelled() => Some(Ended::Cancelled),
        ended = attempt(desk, begun, &held) => ended,
    };
    let Some(ended) = ended else { return tracing::info!("not ours any more") };
    let is_told = desk.courier.is_wanted(&begun.spec.destination).await;
    match held.write(|status| ended.conclude(status, is_told, Timestamp::now())).await {
        Ok(()) => {
            tracing::info!("finished");
            desk.ended(begun, held.root(), &ended).await;
        }
        Err(error) => tracing::warn!("its end is not written: {error}"),
    }
}

/// Writes into the record that it runs here; `None` where it is not to be begun any more.
async fn begin(desk: &Desk, key: &Key) -> Result<Option<Export>, crate::cluster::Error> {
    let found = desk.live.export(&key.namespace, &key.name).await?;
    let world = World { me: &desk.me, working: false };
    let wanted = |export: &Export| matches!(next(export, world), Action::Start | Action::TakeOver);
    let Some(export) = found.filter(wanted) else { return Ok(None) };
    let mut status = export.status.clone().unwrap_or_default();
    let now = Timestamp::now();
    status.phase = Some(Phase::Running);
    status.step = None;
    status.attempts += 1;
    status.holder = Some(Holder { identity: desk.me.clone(), since: now });
    status.started_at.get_or_insert(now);
    status.count(now);
    desk.live.patch_status(&export, &status).await.map(Some)
}

/// `None`: the record is not ours any more, as somebody else goes on with it or nobody wants it.
async fn attempt(desk: &Desk, export: &Export, held: &Held) -> Option<Ended> {
    let Desk { live, system_namespace, authorizer, marks, .. } = desk;
    let permit = permit(export, system_namespace, authorizer.as_ref(), marks, live).await;
    let permit = match permit {
        Ok(permit) => permit,
        Err(Refusal::Denied(failure)) => return Some(Ended::Failed(failure)),
        Err(Refusal::Unavailable) => return Some(Ended::Failed(Failure::unavailable())),
    };
    let planned = export.status.as_ref().and_then(|status| status.planned.as_ref());
    let resumed = planned.filter(|planned| planned.action == PlannedAction::Push);
    let watch = Watch::new(held, &desk.live, &permit, desk.authorizer.as_ref(), resumed);
    let waits = record::request(&export.spec, export.namespace()).ok();
    let waits = waits.and_then(|request| request.wait_rollout).unwrap_or_default();
    let done = tokio::select! {
        () = watch.follow() => return None,
        () = sleep(desk.longest + waits) => {
            return Some(Ended::Failed(Failure::too_long(desk.longest)));
        }
        done = carry_out(desk, export, &permit, resumed, &watch) => done,
    };
    Some(match done {
        Ok(ended) => ended,
        Err(error) => Ended::Failed(watch.refused().unwrap_or_else(|| error.into())),
    })
}

async fn carry_out(
    desk: &Desk,
    export: &Export,
    permit: &Permit,
    resumed: Option<&Planned>,
    watch: &Watch<'_>,
) -> Result<Ended, Error> {
    let (spec, namespace) = (&export.spec, export.target());
    let mut request =
        Request { release_record: permit.secrets, ..record::request(spec, export.namespace())? };
    if let Some(planned) = resumed {
        request.names.chart_version = Some(planned.version.clone());
    }
    let wanted = Wanted {
        destination: &spec.destination,
        namespace,
        pull_secrets: spec.use_pull_secrets,
        caller: permit.caller.as_ref(),
    };
    let Desk { live, system_namespace, local_sources, authorizer, .. } = desk;
    let place =
        Place::read(live, system_namespace, local_sources, authorizer.as_ref(), wanted).await?;
    let copier = copier(&place.target, &request.platforms);
    let deps = Deps {
        target: &place.target,
        sources: &place.sources,
        platforms: &request.platforms,
        copier: &copier,
        progress: watch,
        attach_report: spec.attach_report,
    };
    let source = Box::new(desk.live.clone());
    match (perform(&request, source, deps, false, watch).await, resumed) {
        (Ok(Performed::Done(report)), _) => {
            let mut result = record::result(&report);
            if resumed.is_some_and(|planned| planned.digest == result.chart.digest) {
                result.status = Outcome::Exported; // by an earlier attempt at the same export
            }
            Ok(Ended::Done(Box::new(result), None))
        }
        (Ok(Performed::Planned(plan)), _) => Err(export::Error::Stopped(plan.stopped_by).into()),
        (Err(export::Error::VersionTaken { repository, version }), Some(planned)) => {
            finished_before(&place, planned, repository, version).await
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// Of an export that finds its own version taken: the application has changed since, and what is
/// there is what an earlier attempt has pushed, if it has the digest that was planned.
async fn finished_before(
    place: &Place,
    planned: &Planned,
    repository: String,
    version: String,
) -> Result<Ended, Error> {
    let reference: ChartReference = format!("{repository}:{version}").parse()?;
    let found = verify(&place.target, &reference, &place.sources, false).await?;
    if found.digest.to_string() != planned.digest {
        return Err(export::Error::VersionTaken { repository, version }.into());
    }
    found.require()?;
    let result = ExportResult {
        status: Outcome::Exported,
        chart: ResultChart {
            repository,
            version,
            digest: planned.digest.clone(),
            content: planned.content.clone(),
        },
        images: Vec::new(),
        more_images: 0,
        bytes: Bytes::default(),
        elapsed_ms: 0,
        findings: Findings::default(),
        install: None,
        report: None,
    };
    Ok(Ended::Done(Box::new(result), Some(FINISHED_BEFORE_CRASH)))
}
