//! What differs, after an import, from what was exported.

use serde::Serialize;

use crate::app::Selection;
use crate::cluster::Live;
use crate::export::diff::{Diff, diff};
use crate::export::{ChartReference, Request, Sources, Target};

/// How the release stands to the export.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Compared {
    /// What differs: the values that were given, and what the cluster made of objects.
    Differences(Box<Diff>),
    /// It could not be found out, which is no failure of the import.
    NotCompared(String),
}

/// Compares a release with the chart that it was installed of, with the values of the export.
pub async fn compared(
    (release, namespace): (&str, &str),
    (target, chart): (&Target, &ChartReference),
    live: &Live,
    sources: &Sources,
) -> Compared {
    let selection = Selection::Name(release.to_owned());
    let request =
        Request { skip_unreadable: true, ..Request::named(selection, Some(namespace.to_owned())) };
    match diff(&request, live, target, sources, Some(chart)).await {
        Ok(diff) => Compared::Differences(Box::new(diff)),
        Err(error) => Compared::NotCompared(error.to_string()),
    }
}
