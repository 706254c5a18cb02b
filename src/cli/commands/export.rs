//! `outhaul export list|show|cancel`: exports that a server carries out.

use crate::cli::args::{ExportCommand, ExportListArgs, ExportOneArgs, Global};
use crate::cli::output::Printer;
use crate::cli::remote::{self, Records, View, Wanted};
use crate::cli::tables::table;
use crate::error::Error;

pub(crate) async fn run(
    command: &ExportCommand,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    match command {
        ExportCommand::List(args) => list(args, global, printer).await,
        ExportCommand::Show(args) => {
            let (records, namespace) = place(args, global, printer).await?;
            printer.data(&records.one(&namespace, &args.name).await?, shown)
        }
        ExportCommand::Cancel(args) => {
            let (records, namespace) = place(args, global, printer).await?;
            let view = records.cancel(&namespace, &args.name).await?;
            printer.say(format!("{} is being cancelled", view.title()));
            Ok(())
        }
    }
}

async fn list(args: &ExportListArgs, global: &Global, printer: &Printer) -> Result<(), Error> {
    let namespace = match args.all_namespaces {
        true => None,
        false => Some(remote::namespace(args.namespace.as_deref(), global).await?),
    };
    let records = Records::at(&args.remote, global, printer).await?;
    let wanted = Wanted {
        namespace,
        app: args.app.clone(),
        destination: args.registry.clone(),
        phase: args.phase.map(Into::into),
    };
    let found = records.list(&wanted).await?;
    if found.is_empty() {
        let place = wanted.namespace.map(|namespace| format!(" in namespace `{namespace}`"));
        printer.say(format!("no exports{}", place.unwrap_or_default()));
    }
    printer.data(&found, |found| listed(found))
}

async fn place(
    args: &ExportOneArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(Records, String), Error> {
    let namespace = remote::namespace(args.namespace.as_deref(), global).await?;
    Ok((Records::at(&args.remote, global, printer).await?, namespace))
}

fn listed(found: &[View]) -> String {
    let header = ["NAMESPACE", "NAME", "APP", "DESTINATION", "PHASE", "VERSION", "BY", "CREATED"];
    let row = |view: &View| {
        vec![
            view.namespace.clone(),
            view.name.clone(),
            view.request.app.clone(),
            view.request.destination.clone(),
            format!("{:?}", view.phase),
            view.planned.as_ref().map_or("-", |planned| &planned.version).to_owned(),
            view.requested_by.user.clone(),
            view.created_at.map_or_else(|| "-".to_owned(), |at| at.to_string()),
        ]
    };
    table(&header, found.iter().map(row))
}

fn shown(view: &View) -> String {
    let time = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string());
    let result = view.result.as_ref();
    let bytes = view.progress.as_ref().filter(|progress| progress.bytes_total > 0);
    let lines = [
        ("app", Some(view.app())),
        ("to", Some(view.request.destination.clone())),
        ("by", Some(view.requested_by.user.clone())),
        ("phase", Some(format!("{:?}", view.phase))),
        ("step", view.step.filter(|_| !view.phase.is_terminal()).map(|step| format!("{step:?}"))),
        ("place", view.queue_position.map(|place| format!("{place} of those that wait"))),
        ("reason", view.code.clone()),
        ("message", view.message.clone().filter(|text| !text.is_empty())),
        ("hint", view.hint.clone()),
        ("bytes", bytes.map(|it| format!("{} of {}", it.bytes_done, it.bytes_total))),
        ("created", time(view.created_at)),
        ("started", time(view.started_at)),
        ("finished", time(view.finished_at)),
        ("chart", result.map(|it| format!("{}:{}", it.chart.repository, it.chart.version))),
        ("digest", result.map(|it| it.chart.digest.clone())),
        ("install", result.and_then(|it| it.install.clone())),
    ];
    let lines = lines.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let text = lines
        .map(|(name, value)| format!("  {name:<9} {}\n", value.replace('\n', "\n            ")));
    format!("{}\n{}", view.title(), text.collect::<String>())
}
