//! What is told of a prune: in the status, as an Event, in metrics. Pure.

use jiff::Timestamp;

use super::App;
use crate::cluster::record::MAX_MESSAGE;
use crate::cluster::record::schedule::Pruned;
use crate::error::Error;
use crate::export::prune::{self, Outcome};
use crate::server::telemetry::metrics::{Metrics, Prune};
use crate::server::work::shrink::shortened;

/// Versions that an Event names; of the others there is their number.
const NAMED: usize = 5;

/// A prune that has ended, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server::work::schedules) struct Done {
    /// What the status says.
    pub(in crate::server::work::schedules) said: Pruned,
    /// What an Event says where something has gone.
    gone: Option<String>,
    /// Versions that were to go and stay.
    left: u64,
}

/// An Event of a prune.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server::work::schedules) struct News {
    pub(in crate::server::work::schedules) reason: &'static str,
    pub(in crate::server::work::schedules) note: String,
    pub(in crate::server::work::schedules) is_warning: bool,
}

impl Done {
    /// Of one that came to its end.
    pub(super) fn of(app: &App, did: prune::Pruned, at: Timestamp) -> Self {
        let prune::Pruned { plan, outcome } = did;
        let outcome = outcome.unwrap_or_default();
        let goes = if plan.dry_run { plan.going().count() } else { outcome.versions.len() };
        let said = Pruned {
            at,
            app: title(app),
            kept: number(plan.versions.len() - goes),
            removed: number(goes),
            images: number(outcome.images.len()),
            dry_run: plan.dry_run,
            error: error(&outcome).map(|text| shortened(&text, MAX_MESSAGE)),
        };
        let gone = gone(&outcome).map(|gone| format!("{gone} of {} at {}", said.app, plan.chart));
        Self { said, gone, left: outcome.left.len() as u64 }
    }

    /// Of one that did not.
    pub(super) fn failed(app: &App, reason: &str, at: Timestamp) -> Self {
        let said = Pruned {
            at,
            app: title(app),
            kept: 0,
            removed: 0,
            images: 0,
            dry_run: false,
            error: Some(shortened(reason, MAX_MESSAGE)),
        };
        Self { said, gone: None, left: 0 }
    }

    /// Counts it.
    pub(super) fn count(&self, metrics: &Metrics) {
        let Pruned { removed, dry_run, error, .. } = &self.said;
        let result = match error {
            Some(_) => Prune::Failed,
            None if *dry_run => Prune::Planned,
            None => Prune::Done,
        };
        let removed = if *dry_run { 0 } else { u64::from(*removed) };
        metrics.pruned(result, removed, self.left);
    }

    /// What is told as Events; `before` is what the status said until now: what is wrong for long is told
    /// once.
    pub(in crate::server::work::schedules) fn news(&self, before: Option<&Pruned>) -> Vec<News> {
        let gone = self.gone.clone();
        let gone = gone.map(|note| News { reason: "VersionsPruned", note, is_warning: false });
        let is_known = before.is_some_and(|before| before.error == self.said.error);
        let wrong = self.said.error.as_ref().filter(|_| !is_known);
        let note = |error: &String| format!("{}: {error}", self.said.app);
        let wrong =
            wrong.map(|of| News { reason: "PruneFailed", note: note(of), is_warning: true });
        gone.into_iter().chain(wrong).collect()
    }
}

/// What has gone, in words.
fn gone(outcome: &Outcome) -> Option<String> {
    let Outcome { versions, images, .. } = outcome;
    if versions.is_empty() && images.is_empty() {
        return None;
    }
    let named = versions.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = versions.len().saturating_sub(NAMED);
    let named = match (versions.len(), more) {
        (0, _) => String::new(),
        (_, 0) => format!(" ({named})"),
        _ => format!(" ({named} and {more} more)"),
    };
    Some(format!("gone are {} versions{named} and {} images", versions.len(), images.len()))
}

/// What went wrong in a prune that came to its end.
fn error(outcome: &Outcome) -> Option<String> {
    if let Err(lost) = outcome.require() {
        return Some(Error::from(lost).to_string());
    }
    let first = outcome.left.first()?;
    let others = match outcome.left.len() {
        1 => String::new(),
        all => format!(" (and {} more)", all - 1),
    };
    Some(format!("{} was to go and stays{others}: {}", first.what, first.reason))
}

fn title(app: &App) -> String {
    format!("{}/{}", app.namespace, app.name)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
