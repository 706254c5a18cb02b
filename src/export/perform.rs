//! One export from the first look to the last check: the same steps for every door.

use async_trait::async_trait;

use crate::cluster::Source;

use super::run::Deps;
use super::{Error, Plan, Report, Request, Resolution, estimate, plan, resolve, rollout, run};

/// Who is told how far an export is. Bytes are told to [`Deps::progress`].
#[async_trait]
pub trait Observer: Send + Sync {
    /// The export has come to `step`. Must not block.
    fn step(&self, _step: Step) {}

    /// What a rollout waits for, whenever that changes. Must not block.
    fn waiting(&self, line: &str);

    /// The plan is final and nothing is pushed yet.
    ///
    /// # Errors
    /// An error ends the export; nothing is pushed then.
    async fn planned(&self, _plan: &Plan) -> Result<(), Error> {
        Ok(())
    }
}

/// How far an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It waits until the application is rolled out.
    Waiting,
    /// Cluster, sources and destination are read.
    Reading,
    /// The chart is built and checked.
    Planning,
    /// Images and chart are pushed.
    Pushing,
    /// Whether what was pushed is whole is looked at.
    Checking,
}

/// What became of an export.
#[derive(Debug)]
pub enum Outcome {
    /// A plan: that was asked for, or findings stop it.
    Planned(Box<Plan>),
    /// It is done.
    Done(Box<Report>),
}

/// Reads, plans and, unless `dry_run`, carries out what `request` asks for. Dropping the future ends
/// the export, as with [`run()`].
///
/// # Errors
/// As [`rollout::wait`], [`resolve()`], [`plan()`] and [`run()`].
pub async fn perform(
    request: &Request,
    source: Box<dyn Source>,
    deps: Deps<'_>,
    dry_run: bool,
    observer: &dyn Observer,
) -> Result<Outcome, Error> {
    if request.wait_rollout.is_some() {
        observer.step(Step::Waiting);
        rollout::wait(request, source.as_ref(), &|line| observer.waiting(line)).await?;
    }
    observer.step(Step::Reading);
    let resolution = resolve(request, source.as_ref(), deps.target, deps.sources).await?;
    drop(source); // what it holds of manifests is not needed twice while the chart is built
    conclude(request, resolution, deps, dry_run, observer).await
}

/// The same for an application that was read before.
///
/// # Errors
/// As [`plan()`] and [`run()`].
pub async fn conclude(
    request: &Request,
    resolution: Resolution,
    deps: Deps<'_>,
    dry_run: bool,
    observer: &dyn Observer,
) -> Result<Outcome, Error> {
    observer.step(Step::Planning);
    let mut plan = plan(request, deps.target, resolution)?;
    if dry_run || !plan.stopped_by.is_empty() {
        estimate(&mut plan, deps.target, deps.sources).await?;
        return Ok(Outcome::Planned(Box::new(plan)));
    }
    observer.planned(&plan).await?;
    observer.step(Step::Pushing);
    let deps = Deps { observer: Some(observer), ..deps };
    Ok(Outcome::Done(Box::new(run(&plan, deps).await?)))
}
