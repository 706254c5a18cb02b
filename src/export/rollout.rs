//! Waits until an application is rolled out, before an export reads it.

use std::time::{Duration, Instant};

use crate::app::{self, rollout::Unsettled};
use crate::cluster::{Records, Scope, Source};

use super::{Error, Request};

/// How long an application is waited for if nothing is said: kubectl's rollouts fail after as long
/// without progress (`progressDeadlineSeconds`).
pub const DEFAULT_WAIT: Duration = Duration::from_secs(600);

/// Longest wait: who starts an export wants to see its end.
pub const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Least pause between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// A look at a large namespace takes seconds: at most a fifth of the time is spent with looking.
const PAUSES_PER_LOOK: u32 = 4;

/// Waits as the request says; not at all if it says nothing. `say` gets a line whenever something
/// changes.
///
/// # Errors
/// [`Error::NotRolledOut`] when the time is over or a controller has given up; else as reading.
pub async fn wait(
    request: &Request,
    source: &dyn Source,
    say: &(dyn Fn(&str) + Sync),
) -> Result<(), Error> {
    let Some(limit) = request.wait_rollout else { return Ok(()) };
    let started = Instant::now();
    let mut said = String::new();
    loop {
        let look = Instant::now();
        let waiting = unsettled(request, source).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        let stuck = waiting.iter().any(|workload| workload.stuck);
        let pause = PAUSE.max(look.elapsed() * PAUSES_PER_LOOK);
        let left = limit.saturating_sub(started.elapsed());
        if stuck || left.is_zero() {
            return Err(Error::NotRolledOut { waiting, limit });
        }
        let line = format!("waiting for {}", list(&waiting));
        if line != said {
            say(&line);
            said = line;
        }
        tokio::time::sleep(pause.min(left)).await;
    }
}

async fn unsettled(request: &Request, source: &dyn Source) -> Result<Vec<Unsettled>, Error> {
    let scope = Scope {
        releases: Records::from(&request.selection),
        definitions: request.options.include_crds,
        ..Scope::new(request.namespace.clone())
    };
    let snapshot = source.snapshot(&scope).await?;
    let app = app::assemble(&snapshot, &request.selection, &request.options)?;
    Ok(app::rollout::unsettled(&snapshot, &app))
}

/// The workloads and what each waits for.
pub(super) fn list(waiting: &[Unsettled]) -> String {
    let each = waiting.iter().map(|of| format!("{} ({})", of.object, of.reason));
    each.collect::<Vec<_>>().join(", ")
}
