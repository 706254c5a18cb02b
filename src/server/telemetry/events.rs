//! Events of an export, on its record and on the application's root. What cannot be told is logged:
//! no export fails by that.

use std::time::Duration;

use tokio::time::timeout;

use crate::cluster::Live;
use crate::cluster::events::{About, Event};
use crate::cluster::record::{ExportResult, Outcome};

/// An Event takes milliseconds; an export does not wait longer to be told of.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is told of an export.
#[derive(Clone, Debug)]
pub enum News<'a> {
    /// It is begun, for the n-th time.
    Started(u32),
    /// It is done.
    Done(&'a ExportResult),
    /// It failed, for this reason.
    Failed {
        /// In a word.
        reason: &'a str,
        /// In a sentence.
        message: &'a str,
    },
    /// Somebody has cancelled it.
    Cancelled,
    /// Something of a schedule.
    OfSchedule {
        /// In a word, of a closed set.
        reason: &'static str,
        /// In a sentence.
        note: &'a str,
        /// Whether somebody should look at it.
        is_warning: bool,
    },
}

/// Tells it at each of the objects.
pub async fn tell(live: &Live, instance: &str, about: &[&About], news: &News<'_>) {
    let note = news.note();
    let (reason, is_warning) = (news.reason(), news.is_warning());
    for about in about {
        let told = live.tell(about, Event { reason, note: &note, is_warning, instance });
        match timeout(PATIENCE, told).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("an Event is not told: {error}"),
            Err(_) => tracing::warn!("an Event is not told within {} s", PATIENCE.as_secs()),
        }
    }
}

impl News<'_> {
    fn is_warning(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::OfSchedule { is_warning: true, .. })
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Started(_) => "ExportStarted",
            Self::Done(result) if result.status == Outcome::Unchanged => "ExportUnchanged",
            Self::Done(_) => "ExportSucceeded",
            Self::Failed { .. } => "ExportFailed",
            Self::Cancelled => "ExportCancelled",
            Self::OfSchedule { reason, .. } => reason,
        }
    }

    fn note(&self) -> String {
        match self {
            Self::Started(1) => "the export is begun".to_owned(),
            Self::Started(attempt) => format!("the export is begun, attempt {attempt}"),
            Self::Done(result) => {
                let chart = &result.chart;
                let place = format!("oci://{}, version {}", chart.repository, chart.version);
                match result.status {
                    Outcome::Exported => format!("exported as {place}"),
                    Outcome::Unchanged => format!("nothing has changed since {place}"),
                    Outcome::Restored => format!("missing images are again with {place}"),
                }
            }
            Self::Failed { reason, message } => format!("{reason}: {message}"),
            Self::Cancelled => "the export was cancelled".to_owned(),
            Self::OfSchedule { note, .. } => (*note).to_owned(),
        }
    }
}
