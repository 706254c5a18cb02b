//! A Job as it is, what its end means for the record, and how it is ended.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::fate::Fate;
use super::{CONTAINER, EXPORT, Seen, job_of};
use crate::cluster;
use crate::cluster::jobs::{Job, JobPod};
use crate::cluster::record::Export;
use crate::server::work::attempt::FINISHED_BEFORE_CRASH;
use crate::server::work::ended::Ended;
use crate::server::work::{Desk, Failure};

/// Between two looks at a Job that was told to go.
const GOING: Duration = Duration::from_millis(500);

/// How long a Job that was told to go is waited for: pods have 30 s to end, unless their template says
/// otherwise, and Kubernetes needs a moment to see it.
const GONE: Duration = Duration::from_secs(60);

/// The Job of the attempt as it is, and its pods.
pub(super) async fn look(
    desk: &Desk,
    export: &Export,
) -> Result<(Option<Job>, Vec<JobPod>), cluster::Error> {
    let (live, namespace) = (&desk.means.live, &desk.means.system_namespace);
    let job = live.job(namespace, &job_of(export), EXPORT).await?;
    // Eight digits of a uid are not all of it.
    let job = job.filter(|job| job.label.as_deref() == Some(export.uid()));
    let pods = match &job {
        Some(_) => live.job_pods(namespace, &job_of(export), CONTAINER).await?,
        None => Vec::new(),
    };
    Ok((job, pods))
}

/// What an ended Job means for the record. What its worker has written there counts, whatever became
/// of the Job since.
pub(super) async fn outcome(
    desk: &Desk,
    export: &Export,
    fate: Fate,
) -> Result<Seen, cluster::Error> {
    let now = desk.means.live.export(export.namespace(), export.name()).await?;
    let attempts = |export: &Export| export.status.as_ref().map(|status| status.attempts);
    let ours = |now: &Export| {
        now.uid() == export.uid() && !now.is_terminal() && attempts(now) == attempts(export)
    };
    let Some(now) = now.filter(ours) else { return Ok(Seen::NotOurs) };
    let result = now.status.and_then(|status| status.result);
    Ok(match (result, fate) {
        (Some(result), fate) => {
            let before = matches!(fate, Fate::Done { before: true });
            let reason = before.then_some(FINISHED_BEFORE_CRASH);
            Seen::Ended(Ended::Done(Box::new(result), reason))
        }
        (None, Fate::Done { .. }) => Seen::Ended(Ended::Failed(Failure::no_result())),
        (None, Fate::Failed(failure)) => Seen::Ended(Ended::Failed(failure)),
        (None, Fate::Lost(why)) => Seen::Lost(why),
        (None, Fate::Runs(_)) => Seen::Lost("its Job runs and has ended".to_owned()),
    })
}

/// Ends a Job, and waits until its pod has ended as well: what is cancelled pushes nothing any more.
pub(super) async fn remove(desk: &Desk, job: &str) {
    let (live, namespace) = (&desk.means.live, &desk.means.system_namespace);
    let removed = async {
        loop {
            live.delete_job(namespace, job).await?;
            if live.job(namespace, job, EXPORT).await?.is_none() {
                return Ok::<(), cluster::Error>(());
            }
            sleep(GOING).await;
        }
    };
    match timeout(GONE, removed).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(job, "the Job is not removed: {error}"),
        Err(_) => tracing::warn!(job, "the Job has not gone within {} s", GONE.as_secs()),
    }
}
