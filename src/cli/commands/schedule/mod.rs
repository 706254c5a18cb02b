//! `outhaul schedule …`: schedules of the cluster, and what one would do.

mod create;
mod preview;
mod run;
mod show;

use crate::cli::args::{Global, ScheduleCommand, ScheduleListArgs, ScheduleOneArgs};
use crate::cli::output::Printer;
use crate::cli::remote::{self, Schedules};
use crate::error::Error;

pub(crate) async fn run(
    command: &ScheduleCommand,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    match command {
        ScheduleCommand::Create(args) => create::run(args, global, printer).await,
        ScheduleCommand::List(args) => list(args, global, printer).await,
        ScheduleCommand::Show(args) => {
            let (schedules, namespace) = place(args, global, printer).await?;
            printer.data(&schedules.one(&namespace, &args.name).await?, show::one)
        }
        ScheduleCommand::Run(args) => run::run(args, global, printer).await,
        ScheduleCommand::Suspend(args) => suspend(args, true, global, printer).await,
        ScheduleCommand::Resume(args) => suspend(args, false, global, printer).await,
        ScheduleCommand::Preview(args) => preview::run(args, global, printer).await,
        ScheduleCommand::Delete(args) => delete(args, global, printer).await,
    }
}

async fn list(args: &ScheduleListArgs, global: &Global, printer: &Printer) -> Result<(), Error> {
    let namespace = match args.all_namespaces {
        true => None,
        false => Some(remote::namespace(args.namespace.as_deref(), global).await?),
    };
    let schedules = Schedules::at(&args.remote, global, printer).await?;
    let found = schedules.list(namespace.as_deref()).await?;
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
    let (schedules, namespace) = place(args, global, printer).await?;
    let schedule = schedules.suspend(&namespace, &args.name, suspended).await?;
    printer.say(format!(
        "{} {}",
        schedule.title(),
        if suspended { "begins nothing; what runs goes on" } else { "goes on with its next time" }
    ));
    Ok(())
}

async fn delete(args: &ScheduleOneArgs, global: &Global, printer: &Printer) -> Result<(), Error> {
    let (schedules, namespace) = place(args, global, printer).await?;
    let schedule = schedules.delete(&namespace, &args.name).await?;
    printer.say(format!(
        "{} is removed; its exports go on, and all versions stay until `outhaul prune`",
        schedule.title()
    ));
    Ok(())
}

/// Where the schedule is looked up, and the namespace that it is in.
async fn place(
    args: &ScheduleOneArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(Schedules, String), Error> {
    let namespace = remote::namespace(args.namespace.as_deref(), global).await?;
    Ok((Schedules::at(&args.remote, global, printer).await?, namespace))
}
