//! One attempt at an export, the same in the server's process and in the pod of a Job.

use std::sync::Arc;

use async_trait::async_trait;

use super::Failure;
use super::accept::{Permit, Refusal, permit};
use super::clock::Clock;
use super::ended::Ended;
use super::observe::{Held, Watch};
use super::place::{Place, Wanted};
use crate::app::Snapshot;
use crate::cluster::record::{
    Bytes, Export, ExportResult, Findings, Outcome, Planned, PlannedAction, ResultChart,
};
use crate::cluster::{self, Live, Scope, Source};
use crate::error::Error;
use crate::export::perform::{Outcome as Performed, perform};
use crate::export::run::{Deps, copier};
use crate::export::verify::verify;
use crate::export::{self, ChartReference, Request, record};
use crate::server::auth::{Authorizer, Marks};

/// Reason of an export that was done by an attempt whose leader died before it could say so.
pub(super) const FINISHED_BEFORE_CRASH: &str = "FinishedBeforeCrash";

/// What an attempt works with.
pub(super) struct Means {
    pub(super) live: Live,
    /// Namespace of the destinations.
    pub(super) system_namespace: String,
    pub(super) authorizer: Arc<dyn Authorizer>,
    pub(super) marks: Marks,
    /// Hosts of our own surroundings of which images are read all the same.
    pub(super) local_sources: Vec<String>,
    /// By which an application is read now.
    pub(super) clock: Clock,
}

/// The cluster, read by the server's clock: what is due by it is not to be older than that.
struct Timed {
    live: Live,
    clock: Clock,
}

/// `None`: the record is not ours any more, as somebody else goes on with it or nobody wants it.
/// Dropping the future ends the attempt and leaves the record as it is.
pub(super) async fn attempt(means: &Means, export: &Export, held: &Held) -> Option<Ended> {
    let Means { live, system_namespace, authorizer, marks, .. } = means;
    let permit = permit(export, system_namespace, authorizer.as_ref(), marks, live).await;
    let permit = match permit {
        Ok(permit) => permit,
        Err(Refusal::Denied(failure)) => return Some(Ended::Failed(failure)),
        Err(Refusal::Unavailable) => return Some(Ended::Failed(Failure::unavailable())),
    };
    let planned = export.status.as_ref().and_then(|status| status.planned.as_ref());
    let resumed = planned.filter(|planned| planned.action == PlannedAction::Push);
    let watch = Watch::new(held, live, &permit, authorizer.as_ref(), resumed);
    let done = tokio::select! {
        () = watch.follow() => return None,
        done = carry_out(means, export, &permit, resumed, &watch) => done,
    };
    Some(match done {
        Ok(ended) => ended,
        Err(error) => Ended::Failed(watch.refused().unwrap_or_else(|| Failure::of(&error))),
    })
}

async fn carry_out(
    means: &Means,
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
        pull_secrets: spec.options.use_pull_secrets,
        caller: permit.caller.as_ref(),
    };
    let Means { live, system_namespace, local_sources, authorizer, clock, .. } = means;
    let place =
        Place::read(live, system_namespace, local_sources, authorizer.as_ref(), wanted).await?;
    let copier = copier(&place.target, &request.platforms);
    let deps = Deps {
        target: &place.target,
        sources: &place.sources,
        platforms: &request.platforms,
        copier: &copier,
        progress: watch,
        attach_report: spec.options.attach_report,
        observer: None,
    };
    let source = Box::new(Timed { live: live.clone(), clock: clock.clone() });
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

#[async_trait]
impl Source for Timed {
    async fn snapshot(&self, scope: &Scope) -> Result<Snapshot, cluster::Error> {
        let taken_at = self.clock.now();
        let mut snapshot = self.live.snapshot(scope).await?;
        snapshot.taken_at = taken_at;
        Ok(snapshot)
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
