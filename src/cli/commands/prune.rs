//! `outhaul prune REF`: versions that no rule keeps go, after they were shown.

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::args::{Global, PruneArgs};
use crate::cli::output::{Printer, Question};
use crate::cli::published::published;
use crate::cli::tables;
use crate::error::Error;
use crate::export::prune::{self, Claim, Outcome, Plan};
use crate::export::{self, Target, history};
use crate::schedule::declared;
use crate::schedule::retention::Rules;

/// What a prune prints: what goes and stays, and what became of that.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pruned {
    #[serde(flatten)]
    pub(crate) plan: Plan,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<Outcome>,
}

pub(crate) async fn run(args: &PruneArgs, global: &Global, printer: &Printer) -> Result<(), Error> {
    let claim = claim(args)?;
    let found = published(&args.reference, &args.access, global).await?;
    let target = Target::registry(&found.destination)?;
    let (repository, now) = (&found.chart.repository, Timestamp::now());
    let newest = history::newest(&target, repository).await?;
    let origin = newest.and_then(|newest| newest.origin);
    let origin = origin.ok_or_else(|| export::Error::ChartMissing(target.address(repository)))?;
    let plan = prune::plan(&target, repository, &origin, &[claim], now).await?;
    let plan = Plan { grace: args.grace, ..plan };
    if args.dry_run {
        return printer.data(&Pruned { plan, outcome: None }, tables::pruned);
    }
    confirm(args, &plan, printer)?;
    let deleting = Target::deleting(&found.destination)?;
    let outcome = prune::run(&target, deleting.as_ref(), &plan, now).await?;
    let whole = outcome.require();
    printer.data(&Pruned { plan, outcome: Some(outcome) }, tables::pruned)?;
    Ok(whole?)
}

fn claim(args: &PruneArgs) -> Result<Claim, Error> {
    let invalid = |text: String| Error::Arguments {
        text,
        hint: "say what stays: `--keep-last 7`, `--keep-daily 14`, `--max-age 90d`",
    };
    let rules = args.keep.rules()?.filter(says_what_stays);
    let zone = declared::zone(&args.time_zone);
    Ok(Claim {
        schedule: "the command line".to_owned(),
        rules: Some(rules.ok_or_else(|| invalid("nothing is said of what stays".to_owned()))?),
        zone: zone.map_err(|error| invalid(format!("--time-zone: {error}")))?,
        dry_run: args.dry_run,
    })
}

/// That versions made by hand may go says nothing of those that stay.
fn says_what_stays(rules: &Rules) -> bool {
    let Rules { last, hourly, daily, weekly, monthly, yearly, .. } = *rules;
    let counts = [last, hourly, daily, weekly, monthly, yearly];
    rules.max_age.is_some() || rules.min_successful.get() > 1 || counts.iter().any(|of| *of > 0)
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
