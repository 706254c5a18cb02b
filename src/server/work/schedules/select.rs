//! Which applications a schedule is about.

use std::collections::BTreeSet;

use super::App;
use crate::app::Candidate;
use crate::cluster::record::schedule::ExportSchedule;
use crate::cluster::{AppIndex, Error, Live};

/// Why they are not known.
#[derive(Debug, thiserror::Error)]
pub(in crate::server) enum Unknown {
    /// What there is has not been read yet, or cannot be read now.
    #[error("{0}")]
    Unread(String),
    /// The cluster does not say.
    #[error(transparent)]
    Cluster(#[from] Error),
}

/// The applications that the schedule is about now, in order.
///
/// # Errors
/// When they cannot be known now.
pub(super) async fn select(
    schedule: &ExportSchedule,
    index: &AppIndex,
    live: &Live,
) -> Result<BTreeSet<App>, Unknown> {
    let (template, target) = (&schedule.spec.template, schedule.target());
    if let Some(app) = &template.app {
        return Ok(BTreeSet::from([App { namespace: target.to_owned(), name: app.clone() }]));
    }
    if let Some(reason) = index.unread() {
        return Err(Unknown::Unread(reason));
    }
    let app = |of: Candidate| App { namespace: of.namespace, name: of.name };
    if let Some(labels) = &template.app_selector {
        let labelled = live.workloads_with(target, labels).await?;
        let apps = index.apps(target).into_iter().filter(|candidate| has(candidate, &labelled));
        return Ok(apps.map(app).collect());
    }
    let labels = template.namespace_selector.as_deref().unwrap_or_default();
    let namespaces = live.namespaces_with(labels).await?;
    Ok(namespaces.iter().flat_map(|namespace| index.apps(namespace)).map(app).collect())
}

/// Whether one of these is a workload of the application, or Epinio's resource of it.
fn has(candidate: &Candidate, labelled: &[(&str, String)]) -> bool {
    labelled.iter().any(|(kind, name)| {
        let is_it =
            |workload: &crate::app::ObjectId| workload.kind == *kind && workload.name == *name;
        candidate.workloads.iter().any(is_it) || (*kind == "App" && candidate.name == *name)
    })
}
