//! Waiting for the end of an export that a server carries out.

use std::pin::pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};

use super::view::View;
use crate::cli::output::Printer;
use crate::cluster::record::{ExportResult, Phase};
use crate::error::{Error, Exit};

/// What is heard of an export.
pub(super) enum State {
    /// This is how it is now.
    Now(Box<View>),
    /// It is gone, or a later one of its name is there.
    Gone,
    /// Nobody says, for this reason; it is asked again.
    Away(String),
}

/// After this time without a word of a server somebody should look whether there is one: a leader takes
/// a record up at once, and another one within the 15 s of the lease.
const UNSEEN: Duration = Duration::from_secs(20);

/// Waits until the export is finished, and says how far it is.
///
/// # Errors
/// When it cannot be followed any more. That it failed is none.
pub(super) async fn end(
    states: impl Stream<Item = Result<State, Error>>,
    title: &str,
    printer: &Printer,
) -> Result<View, Error> {
    let bars = printer.progress();
    let mut states = pin!(states);
    let (mut unseen, mut said) = (true, String::new());
    loop {
        let state = tokio::select! {
            state = states.next() => state,
            () = tokio::time::sleep(UNSEEN), if unseen => {
                unseen = false;
                printer.say("no server has taken it up yet: is `outhaul serve` running there?");
                continue;
            }
        };
        let line = match state.transpose()? {
            Some(State::Now(view)) if view.phase.is_terminal() => return Ok(*view),
            Some(State::Now(view)) => {
                unseen &= !view.is_taken_up();
                if let Some(progress) = &view.progress {
                    bars.set(progress.bytes_done, progress.bytes_total);
                }
                line(&view)
            }
            Some(State::Away(reason)) => reason,
            Some(State::Gone) | None => return Err(gone(title)),
        };
        if !line.is_empty() && line != said {
            printer.say(&line);
            said = line;
        }
    }
}

/// What it did, if it is well.
///
/// # Errors
/// Why it is not, with the hint and exit code that it would have had here.
pub(super) fn outcome(view: View) -> Result<ExportResult, Error> {
    match (view.phase, view.result) {
        (Phase::Succeeded, Some(result)) => Ok(result),
        _ => Err(Error::Elsewhere {
            what: format!("Export {}/{}", view.namespace, view.name),
            reason: view.message.filter(|text| !text.is_empty()).or(view.code).unwrap_or_default(),
            hint: view.hint,
            exit: view.exit_code.and_then(Exit::of).unwrap_or(Exit::Failed),
        }),
    }
}

/// How far it is, in a word or two.
fn line(view: &View) -> String {
    let step = view.step.map(|step| format!("{step:?}").to_lowercase()).unwrap_or_default();
    match (&view.message, view.queue_position) {
        (Some(message), _) if !message.is_empty() => format!("{step}: {message}"),
        (_, Some(place)) => format!("{step}: number {place} of those that wait"),
        _ => step,
    }
}

fn gone(title: &str) -> Error {
    Error::Elsewhere {
        what: title.to_owned(),
        reason: "the record was removed, which cancels the export".to_owned(),
        hint: None,
        exit: Exit::Failed,
    }
}
