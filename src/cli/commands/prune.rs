//! `outhaul prune REF|NAME`: versions that no rule keeps go, after they were shown.

use jiff::Timestamp;
use semver::Version;
use serde_json::{Value, json};

use crate::cli::args::{Global, PruneArgs};
use crate::cli::output::{Printer, Question};
use crate::cli::published::charts;
use crate::cli::remote::{self, Server};
use crate::cli::tables;
use crate::destination::select::is_address;
use crate::error::Error;
use crate::export::prune::{self, Claim, GRACE, Plan, Pruned};
use crate::export::{self, Target, history};
use crate::schedule::declared::{self, Invalid};

pub(crate) async fn run(args: &PruneArgs, global: &Global, printer: &Printer) -> Result<(), Error> {
    args.making.check()?;
    if let Some(server) = server(args, global, printer).await? {
        return at_server(&server, args, global, printer).await;
    }
    let claim = claim(args)?;
    let found = charts(&args.charts, &args.access, global).await?;
    let target = Target::registry(&found.destination)?;
    let (charts, now) = (&found.chart.repository, Timestamp::now());
    let newest = history::newest(&target, charts).await?;
    let origin = newest.and_then(|newest| newest.origin);
    let origin = origin.ok_or_else(|| export::Error::ChartMissing(target.address(charts)))?;
    let plan = prune::plan(&target, charts, &origin, &[claim], now).await?;
    if args.dry_run {
        return printer.data(&Pruned { plan, outcome: None }, tables::pruned);
    }
    confirm(args, &plan, printer)?;
    let deleting = Target::deleting(&found.destination)?;
    let grace = args.grace.unwrap_or(GRACE);
    let place = prune::Place { target: &target, deleting: deleting.as_ref(), charts, grace };
    let outcome = prune::run(place, &plan, now).await?;
    print(&Pruned { plan, outcome: Some(outcome) }, printer)
}

/// Lets the server do it, which knows the schedules as well.
async fn at_server(
    server: &Server,
    args: &PruneArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let namespace = remote::namespace(args.charts.namespace.as_deref(), global).await?;
    let ask = async |body: Value| server.prune(&namespace, &args.charts.reference, &body).await;
    let planned = ask(body(args, None)?).await?;
    if args.dry_run {
        return printer.data(&planned, tables::pruned);
    }
    confirm(args, &planned.plan, printer)?;
    let shown: Vec<Version> = planned.plan.going().map(|of| of.version.clone()).collect();
    let pruned = ask(body(args, Some(&shown))?).await?;
    if pruned.outcome.is_none() {
        printer.say("nothing was deleted: a schedule of the application only plans (`dryRun`)");
    }
    print(&pruned, printer)
}

/// What the server is asked for: a plan, or that these versions go.
fn body(args: &PruneArgs, shown: Option<&[Version]>) -> Result<Value, Error> {
    let destination = args.charts.registry.as_deref().filter(|name| !is_address(name));
    let destination = destination.ok_or_else(|| Error::Arguments {
        text: "a server prunes an application at one of its destinations".to_owned(),
        hint: "name both: `outhaul prune NAME -n NAMESPACE -r DESTINATION`",
    })?;
    Ok(json!({
        "destination": destination,
        "chartName": args.charts.chart_name,
        "retention": args.keep.retention(),
        "timeZone": args.time_zone,
        "dryRun": shown.is_none(),
        "versions": shown,
    }))
}

fn print(pruned: &Pruned, printer: &Printer) -> Result<(), Error> {
    let whole = pruned.outcome.as_ref().map_or(Ok(()), prune::Outcome::require);
    printer.data(pruned, tables::pruned)?;
    Ok(whole?)
}

async fn server(
    args: &PruneArgs,
    global: &Global,
    printer: &Printer,
) -> Result<Option<Server>, Error> {
    args.at.refuse(&[
        (args.grace.is_some(), "--grace"),
        (global.destinations.is_some(), "--destinations"),
        (args.access.username.is_some(), "--username"),
        (args.access.plain_http, "--plain-http"),
    ])?;
    Server::named(&args.at, args.access.ca_file.as_deref(), global, printer).await
}

fn claim(args: &PruneArgs) -> Result<Claim, Error> {
    Ok(Claim {
        schedule: "the command line".to_owned(),
        rules: Some(args.keep.rules()?.ok_or(Invalid::NothingStays)?),
        zone: declared::zone(&args.time_zone)?,
        dry_run: args.dry_run,
    })
}

/// Shows what goes and waits for a yes, unless that was said before.
fn confirm(args: &PruneArgs, plan: &Plan, printer: &Printer) -> Result<(), Error> {
    let going = plan.going().count();
    if args.yes || going == 0 {
        return Ok(());
    }
    printer.confirm(&Question {
        text: &format!("{}\ndelete {going} versions?", tables::prune_plan(plan)),
        nobody: "versions are to be deleted, and nobody is there to ask",
        no: "nothing was deleted",
    })
}
