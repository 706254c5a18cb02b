//! What runs in the pod of a Job: one attempt at one export, with the rights of the pod's account.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::name;
use super::note::Note;
use crate::cluster::record::{Export, Phase};
use crate::cluster::{ClientOptions, Live};
use crate::destination::select;
use crate::error::{Error, Exit};
use crate::server::auth::epinio::{Mode, Users};
use crate::server::auth::{Authorizer, Chain, Clock, Kubernetes, Marks, Served};
use crate::server::telemetry::events::{News, tell};
use crate::server::work::attempt::{Means, attempt};
use crate::server::work::ended::Ended;
use crate::server::work::observe::Held;
use crate::server::work::{self, Failure, conditions};

/// Which attempt at which export.
#[derive(Clone, Debug)]
pub struct Order {
    /// Namespace of the record.
    pub namespace: String,
    /// Name of the record.
    pub name: String,
    /// What tells the record from a later one of its name.
    pub uid: String,
    /// The number of the attempt.
    pub attempt: u32,
    /// Namespace of the destinations; `None`: where they usually are.
    pub system_namespace: Option<String>,
    /// Hosts of our own surroundings of which images are read all the same.
    pub local_sources: Vec<String>,
    /// Where Kubernetes reads our last words.
    pub termination_log: PathBuf,
}

/// Carries out the attempt, if the record says that it is this one's turn. Writes into the record what
/// is planned, how far it is, and what it did; how it ended is for the server to write.
///
/// # Errors
/// When it is not this one's turn, or not any more; else what the export failed with.
pub async fn run_export(cluster: &ClientOptions, order: &Order) -> Result<(), Error> {
    let what = format!("Export {}/{}", order.namespace, order.name);
    let ended = carry_out(cluster, order, &what).await;
    let (note, result) = match ended {
        Ok(Some(Ended::Done(_, reason))) => (reason.map(Note::done), Ok(())),
        Ok(Some(Ended::Failed(failure))) => {
            let note = Note::of(&failure);
            let Failure { message: reason, hint, exit, .. } = failure;
            (Some(note), Err(Error::Elsewhere { what, reason, hint, exit }))
        }
        Ok(Some(Ended::Cancelled) | None) => {
            let reason = "it is not this attempt's any more".to_owned();
            let exit = Exit::Interrupted;
            (None, Err(Error::Elsewhere { what, reason, hint: None, exit }))
        }
        Err(error) => (Some(Note::of(&Failure::of(&error))), Err(error)),
    };
    if let Some(note) = note {
        note.leave(&order.termination_log);
    }
    result
}

/// `None`: the record is another's now.
async fn carry_out(
    cluster: &ClientOptions,
    order: &Order,
    what: &str,
) -> Result<Option<Ended>, Error> {
    let live = Live::connect(cluster).await?;
    let export = live.export(&order.namespace, &order.name).await?;
    let refused = |reason: &str| Error::Arguments {
        text: format!("{what}: {reason}"),
        hint: "`run-export` is for the Jobs that the server makes; nothing was done",
    };
    let export = export.ok_or_else(|| refused("there is none"))?;
    ours(&export, order).map_err(|reason| refused(&reason))?;
    if let Some(result) = export.status.as_ref().and_then(|status| status.result.clone()) {
        return Ok(Some(Ended::Done(Box::new(result), None)));
    }
    let means = means(live.clone(), order).await?;
    let held = Held::of_worker(live, export.clone());
    let ended = attempt(&means, &export, &held).await;
    if let Some(Ended::Done(result, _)) = &ended {
        let written = held.write(|status| {
            status.step = None;
            status.result = Some((**result).clone());
        });
        written.await?;
    }
    if let (Some(root), Some(ended)) = (held.root(), &ended) {
        let me = name(&order.uid, order.attempt);
        let news = match ended {
            Ended::Done(result, _) => News::Done(result),
            Ended::Failed(Failure { reason, message, .. }) => News::Failed { reason, message },
            Ended::Cancelled => News::Cancelled,
        };
        tell(&means.live, &me, &[root], &news).await;
    }
    Ok(ended)
}

/// Whether the record is at the attempt of `order`, and accepted.
///
/// # Errors
/// Why not.
fn ours(export: &Export, order: &Order) -> Result<(), String> {
    if export.uid() != order.uid {
        return Err(format!("it is another one of that name, with uid {}", export.uid()));
    }
    let status = export.status.clone().unwrap_or_default();
    let phase = status.phase.filter(|phase| *phase == Phase::Running);
    if phase.is_none() || conditions::accepted(export).is_none() {
        return Err("it is not running".to_owned());
    }
    let holder = status.holder.map(|holder| holder.identity).unwrap_or_default();
    if status.attempts != order.attempt || holder != name(&order.uid, order.attempt) {
        return Err(format!(
            "it is at attempt {}, held by `{holder}`, and not at attempt {}",
            status.attempts, order.attempt
        ));
    }
    Ok(())
}

/// With the same reviews and the same narrow choice of destinations as in the server.
async fn means(live: Live, order: &Order) -> Result<Means, Error> {
    let wanted = order.system_namespace.as_deref();
    let system_namespace = select::system_namespace(&live, wanted).await?;
    let broken = |source| Error::Runtime { source };
    let clock: Clock = Arc::new(Instant::now);
    // Nobody logs in here: audiences and passwords are not looked at.
    let kubernetes =
        Kubernetes::new(live.clone(), Vec::new(), Arc::clone(&clock)).map_err(broken)?;
    let namespace = Some(system_namespace.clone());
    let users = Users::new(live.clone(), namespace.clone(), Mode::Off, clock).map_err(broken)?;
    // Which namespaces are served the server has looked at, before it made the Job.
    let chain = Chain::new(Arc::new(kubernetes), Arc::new(users), Served::default());
    let authorizer: Arc<dyn Authorizer> = Arc::new(chain);
    Ok(Means {
        marks: Marks::new(live.clone(), namespace),
        live,
        system_namespace,
        authorizer,
        local_sources: order.local_sources.clone(),
        clock: work::Clock::default(),
    })
}
