//! The server as the one that does the work: asked over HTTP (`--server`), or for an export with a
//! record `Export` (`--in-cluster`). What it did is reported as our own.
//!
//! ```text
//!  arguments ─ request ─► ExportSpec ─┬ POST ───► follow ─┐
//!                                     └ create ─► Live ───┴─► end ─► outcome ─► report
//! ```

mod address;
mod answer;
mod apps;
mod ask;
mod follow;
mod http;
mod records;
mod result;
mod schedule_view;
mod schedules;
mod sse;
mod token;
mod view;
mod wait;

use futures_util::{Stream, StreamExt as _};
use serde::Deserialize as _;

use crate::cli::args::{AppExportArgs, Global};
use crate::cli::output::Printer;
use crate::cli::planned::Planned;
use crate::cli::{connect, interrupted};
use crate::cluster::record::{ExportResult, Seen};
use crate::cluster::{self, Live};
use crate::error::Error;
use wait::State;

pub(crate) use address::{is_loopback, place};
pub(crate) use answer::{Broken, body, media_type_of};
pub(crate) use http::Server;
pub(crate) use records::{Records, Wanted};
pub(crate) use schedule_view::ScheduleView;
pub(crate) use schedules::{Schedules, Started, Window};
pub(crate) use view::View;

/// Makes a record of an export of the application `name`, and waits until the server has carried it
/// out.
pub(crate) async fn export_in_cluster(
    name: &str,
    args: &AppExportArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let live = Live::connect(&connect::client_options(global)).await?;
    let spec = ask::spec(name, args, &live).await?;
    let export = ask::create(&live, args.source.namespace.as_deref(), spec).await?;
    printer.say(format!("{} is made", export.title()));
    let states = live.follow_export(&export).map(|seen| Ok(state(seen?)));
    let view = View::from(export);
    let done = end(states, &view, &records::flags_of(global), printer).await?;
    let report = result::attached(&done, args, global).await;
    result::print(&done, &view, report, printer)
}

/// Asks the server over HTTP to export the application `name`, and waits until it has.
pub(crate) async fn export_at(
    server: &Server,
    name: &str,
    args: &AppExportArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let namespace = namespace(args.source.namespace.as_deref(), global).await?;
    let (view, joined) = ask::submit(server, &namespace, name, args).await?;
    let what = if joined { "is under way already" } else { "is made" };
    printer.say(format!("{} {what}", view.title()));
    let states = follow::follow(server, &view.namespace, &view.name);
    let flags = format!(" --server {}", server.address());
    let done = end(states, &view, &flags, printer).await?;
    let report = result::told(&done, server, &view).await;
    result::print(&done, &view, report, printer)
}

/// Asks the server over HTTP what an export would do. Nothing is done.
pub(crate) async fn plan_at(
    server: &Server,
    name: &str,
    args: &AppExportArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let namespace = namespace(args.source.namespace.as_deref(), global).await?;
    let (plan, stopped) = server.plan(&namespace, name, &ask::body(name, args)?).await?;
    let shown =
        Planned::deserialize(&plan).map_err(|error| Error::Output { reason: error.to_string() })?;
    printer.data(&plan, |_| shown.whole())?;
    stopped.map_or(Ok(()), Err)
}

/// Waits until the export has ended well. `flags` are those by which it is found again.
async fn end(
    states: impl Stream<Item = Result<State, Error>>,
    view: &View,
    flags: &str,
    printer: &Printer,
) -> Result<ExportResult, Error> {
    let title = view.title();
    let again =
        |verb: &str| format!("outhaul export {verb} {} -n {}{flags}", view.name, view.namespace);
    tokio::select! {
        ended = wait::end(states, &title, printer) => match ended {
            Ok(ended) => wait::outcome(ended),
            Err(error @ Error::Elsewhere { .. }) => Err(error),
            Err(error) => {
                printer.say(format!("{title} goes on; to look at it: {}", again("show")));
                Err(error)
            }
        },
        () = interrupted() => {
            printer.say(format!("{title} goes on; to cancel it: {}", again("cancel")));
            Err(Error::Interrupted)
        }
    }
}

fn state(seen: Seen) -> State {
    match seen {
        Seen::Now(export) => State::Now(Box::new(View::from(*export))),
        Seen::Gone => State::Gone,
        Seen::Away(reason) => State::Away(format!("the cluster does not answer: {reason}")),
    }
}

/// The namespace that is asked about: the server knows of no kubeconfig.
///
/// # Errors
/// When nobody names one.
pub(crate) async fn namespace(named: Option<&str>, global: &Global) -> Result<String, Error> {
    if let Some(namespace) = named {
        return Ok(namespace.to_owned());
    }
    let found = cluster::default_namespace(&connect::client_options(global)).await;
    found.map_err(|error| match error {
        cluster::Error::NoConfig(_) => Error::Arguments {
            text: "no namespace is named, and there is no kubeconfig that names one".to_owned(),
            hint: "say which with `-n NAMESPACE`",
        },
        error => error.into(),
    })
}
