//! `outhaul schedule …`: schedules of the cluster, and what one would do.

mod create;
mod preview;
mod run;
mod show;
mod view;

use serde_json::json;

use crate::cli::args::{Global, ScheduleCommand, ScheduleListArgs, ScheduleOneArgs};
use crate::cli::output::Printer;
use crate::cli::{connect, remote};
use crate::cluster::record::schedule::ExportSchedule;
use crate::cluster::{self, Live};
use crate::error::{Error, Exit};
use view::View;

/// Most schedules that are listed.
const MOST: usize = 10_000;

pub(crate) async fn run(
    command: &ScheduleCommand,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    match command {
        ScheduleCommand::Create(args) => create::run(args, global, printer).await,
        ScheduleCommand::List(args) => list(args, global, printer).await,
        ScheduleCommand::Show(args) => {
            let (_, schedule) = find(args, global).await?;
            printer.data(&View::from(schedule), show::one)
        }
        ScheduleCommand::Run(args) => run::run(args, global, printer).await,
        ScheduleCommand::Suspend(args) => suspend(args, true, global, printer).await,
        ScheduleCommand::Resume(args) => suspend(args, false, global, printer).await,
        ScheduleCommand::Preview(args) => preview::run(args, global, printer).await,
        ScheduleCommand::Delete(args) => delete(args, global, printer).await,
    }
}

/// The names of a namespace, for completion.
pub(crate) async fn names(live: &Live, namespace: &str) -> Result<Vec<String>, Error> {
    let found = live.schedules(Some(namespace), MOST).await.map_err(not_served)?;
    Ok(found.into_iter().map(|schedule| schedule.name().to_owned()).collect())
}

async fn list(args: &ScheduleListArgs, global: &Global, printer: &Printer) -> Result<(), Error> {
    let namespace = match args.all_namespaces {
        true => None,
        false => Some(remote::namespace(args.namespace.as_deref(), global).await?),
    };
    let live = live(global).await?;
    let found = live.schedules(namespace.as_deref(), MOST).await.map_err(not_served)?;
    let found: Vec<View> = found.into_iter().map(View::from).collect();
    if found.is_empty() {
        let place = namespace.map(|namespace| format!(" in namespace `{namespace}`"));
        printer.say(format!("no schedules{}", place.unwrap_or_default()));
    }
    printer.data(&found, |found| show::list(found))
}

async fn suspend(
    args: &ScheduleOneArgs,
    suspended: bool,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let (live, schedule) = find(args, global).await?;
    let schedule = live.patch_schedule(&schedule, &json!({"suspend": suspended})).await?;
    printer.say(format!(
        "{} {}",
        schedule.title(),
        if suspended { "begins nothing; what runs goes on" } else { "goes on with its next time" }
    ));
    Ok(())
}

async fn delete(args: &ScheduleOneArgs, global: &Global, printer: &Printer) -> Result<(), Error> {
    let (live, schedule) = find(args, global).await?;
    live.delete_schedule(&schedule).await?;
    printer.say(format!(
        "{} is removed; its exports go on, and all versions stay until `outhaul prune`",
        schedule.title()
    ));
    Ok(())
}

/// The schedule that is named, and the cluster that it is in.
async fn find(args: &ScheduleOneArgs, global: &Global) -> Result<(Live, ExportSchedule), Error> {
    let namespace = remote::namespace(args.namespace.as_deref(), global).await?;
    let live = live(global).await?;
    let found = live.schedule(&namespace, &args.name).await?;
    let schedule = found.ok_or_else(|| unknown(&namespace, &args.name))?;
    Ok((live, schedule))
}

async fn live(global: &Global) -> Result<Live, Error> {
    Ok(Live::connect(&connect::client_options(global)).await?)
}

fn unknown(namespace: &str, name: &str) -> Error {
    Error::Server {
        text: format!("there is no schedule `{name}` in namespace `{namespace}`"),
        hint: Some("`outhaul schedule list` lists those of a namespace, `-A` all".to_owned()),
        exit: Exit::Failed,
    }
}

/// What it means that there are no schedules of this kind.
fn not_served(error: cluster::Error) -> Error {
    match error {
        cluster::Error::Api { status: 404, reason, .. } if !reason.starts_with("namespaces ") => {
            Error::Elsewhere {
                what: "exportschedules.outhaul.dev".to_owned(),
                reason: "the cluster does not know this resource".to_owned(),
                hint: Some("install the server and what is in deploy/crds there".to_owned()),
                exit: Exit::Cluster,
            }
        }
        error => error.into(),
    }
}
