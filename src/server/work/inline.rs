//! One attempt at an export, in this process.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::accept::{Permit, Refusal, permit};
use super::observe::{Held, Watch};
use super::place::Place;
use super::queue::Key;
use super::reconcile::{Action, World, next};
use super::{Desk, Failure, conditions};
use crate::cluster::record::{
    Bytes, Export, ExportResult, ExportStatus, Findings, Holder, Outcome, Phase, Planned,
    PlannedAction, ResultChart,
};
use crate::error::Error;
use crate::export::perform::{Outcome as Performed, perform};
use crate::export::run::{Deps, copier};
use crate::export::verify::verify;
use crate::export::{self, ChartReference, Request, record};

/// Reason of an export that was done by an attempt whose leader died before it could say so.
const FINISHED_BEFORE_CRASH: &str = "FinishedBeforeCrash";

/// How an attempt ended.
enum Ended {
    /// It is done; with a reason if it was not this attempt that did it.
    Done(Box<ExportResult>, Option<&'static str>),
    Failed(Failure),
    Cancelled,
    /// The record is not ours any more: somebody else goes on with it, or nobody wants it.
    Lost,
}

/// Begins the export of this record if it is to be begun, and carries it out. Dropping the future
/// leaves the record as it is, for the next leader.
pub(super) async fn run(desk: &Desk, key: &Key, cancel: &CancellationToken) {
    let begun = match begin(desk, key).await {
        Ok(Some(begun)) => begun,
        Ok(None) => return, // whatever has changed, the next look at all records sees it
        Err(error) => return tracing::warn!("{key} is not begun: {error}"),
    };
    tracing::info!("{key} is begun");
    let held = Held::new(desk.live.clone(), begun.clone());
    let ended = tokio::select! {
        biased;
        () = cancel.cancelled() => Ended::Cancelled,
        ended = attempt(desk, &begun, &held) => ended,
    };
    if matches!(ended, Ended::Lost) {
        return tracing::info!("{key} is not ours any more");
    }
    match held.write(|status| conclude(status, &ended, Timestamp::now())).await {
        Ok(()) => tracing::info!("{key} is finished"),
        Err(error) => tracing::warn!("the end of {key} is not written: {error}"),
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

async fn attempt(desk: &Desk, export: &Export, held: &Held) -> Ended {
    let Desk { live, system_namespace, authorizer, marks, .. } = desk;
    let permit = permit(export, system_namespace, authorizer.as_ref(), marks, live).await;
    let permit = match permit {
        Ok(permit) => permit,
        Err(Refusal::Denied(failure)) => return Ended::Failed(failure),
        Err(Refusal::Unavailable) => return Ended::Failed(Failure::unavailable()),
    };
    let planned = export.status.as_ref().and_then(|status| status.planned.as_ref());
    let resumed = planned.filter(|planned| planned.action == PlannedAction::Push);
    let watch = Watch::new(held, &desk.live, &permit, desk.authorizer.as_ref(), resumed);
    let done = tokio::select! {
        () = watch.follow() => return Ended::Lost,
        done = carry_out(desk, export, &permit, resumed, &watch) => done,
    };
    match done {
        Ok(ended) => ended,
        Err(error) => Ended::Failed(watch.refused().unwrap_or_else(|| error.into())),
    }
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
    let name = &spec.destination;
    let place =
        Place::read(&desk.live, &desk.system_namespace, name, namespace, spec.use_pull_secrets);
    let place = place.await?;
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

/// Makes the status that of an export that has `ended`.
fn conclude(status: &mut ExportStatus, ended: &Ended, now: Timestamp) {
    match ended {
        Ended::Done(result, reason) => {
            let reason = reason.unwrap_or("Done");
            end(status, Phase::Succeeded, reason, None, now);
            status.exit_code = Some(0);
            status.result = Some((**result).clone());
        }
        Ended::Failed(failure) => fail(status, failure, now),
        Ended::Cancelled | Ended::Lost => cancel(status, now),
    }
}

/// Makes the status that of an export that failed.
pub(super) fn fail(status: &mut ExportStatus, failure: &Failure, now: Timestamp) {
    end(status, Phase::Failed, failure.reason, Some(&failure.message), now);
    status.hint.clone_from(&failure.hint);
    status.exit_code = Some(failure.exit as u8);
}

/// Makes the status that of an export that was cancelled.
pub(super) fn cancel(status: &mut ExportStatus, now: Timestamp) {
    end(status, Phase::Cancelled, "Cancelled", None, now);
    status.exit_code = Some(crate::error::Exit::Interrupted as u8);
}

fn end(
    status: &mut ExportStatus,
    phase: Phase,
    reason: &str,
    message: Option<&str>,
    now: Timestamp,
) {
    status.phase = Some(phase);
    status.step = None;
    status.reason = Some(reason.to_owned());
    status.message = message.map(str::to_owned);
    status.finished_at = Some(now);
    let complete = phase == Phase::Succeeded;
    conditions::set(status, conditions::COMPLETE, complete, reason, message.unwrap_or(""), now);
}
