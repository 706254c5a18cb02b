//! Exports that the server in the cluster carries out: asked for with a record `Export`, watched until
//! they end, and reported as our own.
//!
//! ```text
//!  arguments ─ request ─► ExportSpec ─ create ─► Export ─ follow ─► result ─► report
//! ```

mod ask;
mod result;

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;

use crate::cli::args::{AppExportArgs, Global};
use crate::cli::output::Printer;
use crate::cli::{connect, interrupted};
use crate::cluster::Live;
use crate::cluster::record::{CANCEL, Export, ExportStatus, Phase, Seen};
use crate::error::{Error, Exit};

/// After this time without a word of a server somebody should look whether there is one: a leader takes
/// a record up at once, and another one within the 15 s of the lease.
const UNSEEN: Duration = Duration::from_secs(20);

/// Asks the server to export the application `name`, and waits until that is done.
pub(crate) async fn export(
    name: &str,
    args: &AppExportArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let live = Live::connect(&connect::client_options(global)).await?;
    let spec = ask::spec(name, args, &live).await?;
    let export = ask::create(&live, args.source.namespace.as_deref(), spec).await?;
    printer.say(format!("{} is made", export.title()));
    let ended = tokio::select! {
        ended = end(&live, &export, printer) => ended?,
        () = interrupted() => {
            printer.say(format!("{} goes on; to cancel it: {}", export.title(), cancel(&export)));
            return Err(Error::Interrupted);
        }
    };
    let status = ended.status.clone().unwrap_or_default();
    match (status.phase, &status.result) {
        (Some(Phase::Succeeded), Some(result)) => result::show(result, args, global, printer).await,
        _ => Err(failure(&ended, &status)),
    }
}

/// Waits until the export is finished.
async fn end(live: &Live, export: &Export, printer: &Printer) -> Result<Export, Error> {
    let bars = printer.progress();
    let mut states = pin!(live.follow_export(export));
    let (mut unseen, mut said) = (true, String::new());
    loop {
        let seen = tokio::select! {
            seen = states.next() => seen,
            () = tokio::time::sleep(UNSEEN), if unseen => {
                unseen = false;
                printer.say("no server has taken it up yet: is `outhaul serve` running there?");
                continue;
            }
        };
        let line = match seen.transpose()? {
            Some(Seen::Now(export)) if export.is_terminal() => return Ok(*export),
            Some(Seen::Now(export)) => {
                unseen &= export.phase().is_none();
                let status = export.status.unwrap_or_default();
                if let Some(progress) = &status.progress {
                    bars.set(progress.bytes_done, progress.bytes_total);
                }
                line(&status)
            }
            Some(Seen::Away(reason)) => format!("the cluster does not answer: {reason}"),
            Some(Seen::Gone) | None => return Err(gone(export)),
        };
        if !line.is_empty() && line != said {
            printer.say(&line);
            said = line;
        }
    }
}

/// How far it is, in a word or two.
fn line(status: &ExportStatus) -> String {
    let step = status.step.map(|step| format!("{step:?}").to_lowercase()).unwrap_or_default();
    match &status.message {
        Some(message) if !message.is_empty() => format!("{step}: {message}"),
        _ => step,
    }
}

fn failure(export: &Export, status: &ExportStatus) -> Error {
    let reason = status.reason.clone().unwrap_or_default();
    Error::Elsewhere {
        what: export.title(),
        reason: status.message.clone().filter(|text| !text.is_empty()).unwrap_or(reason),
        hint: status.hint.clone(),
        exit: status.exit_code.and_then(Exit::of).unwrap_or(Exit::Failed),
    }
}

fn gone(export: &Export) -> Error {
    Error::Elsewhere {
        what: export.title(),
        reason: "the record was removed, which cancels the export".to_owned(),
        hint: None,
        exit: Exit::Failed,
    }
}

fn cancel(export: &Export) -> String {
    format!("kubectl -n {} annotate export {} {CANCEL}=yes", export.namespace(), export.name())
}
