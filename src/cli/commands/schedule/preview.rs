//! `outhaul schedule preview`: the next runs, and which of their versions would stay.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::find;
use crate::cli::args::{Global, ScheduleOneArgs, SchedulePreviewArgs, WhenArgs};
use crate::cli::output::Printer;
use crate::cli::tables::table;
use crate::error::Error;
use crate::schedule::cron;
use crate::schedule::declared::{Invalid, zone};
use crate::schedule::preview::{Run, preview};
use crate::schedule::retention::Rules;
use crate::schedule::rules::Plan;

/// The next runs of a schedule.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Preview {
    schedule: String,
    time_zone: String,
    jitter_seconds: u32,
    runs: Vec<Run>,
}

pub(super) async fn run(
    args: &SchedulePreviewArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let preview = match &args.name {
        None => previewed(args)?,
        Some(name) => of_cluster(name, args, global).await?,
    };
    printer.data(&preview, shown)
}

/// What the arguments alone say.
fn previewed(args: &SchedulePreviewArgs) -> Result<Preview, Error> {
    let WhenArgs { schedule, time_zone, jitter } = &args.when;
    let schedule = schedule.clone().unwrap_or_default();
    let plan = Plan::at(cron::parse(&schedule).map_err(Invalid::from)?, zone(time_zone)?);
    let rules = args.keep.rules()?;
    let from = args.from.unwrap_or_else(Timestamp::now);
    Ok(Preview {
        schedule,
        time_zone: time_zone.clone(),
        jitter_seconds: *jitter,
        runs: preview(&plan, rules.as_ref(), from, from, usize::from(args.count)),
    })
}

/// What a schedule says; rules of the arguments are tried instead of its own.
async fn of_cluster(
    name: &str,
    args: &SchedulePreviewArgs,
    global: &Global,
) -> Result<Preview, Error> {
    let one = ScheduleOneArgs { name: name.to_owned(), namespace: args.namespace.clone() };
    let (_, schedule) = find(&one, global).await?;
    let plan = Plan::of(&schedule)?;
    let own = schedule.spec.retention.as_ref().map(Rules::of).transpose()?;
    let rules = args.keep.rules()?.or(own);
    let from = args.from.unwrap_or_else(Timestamp::now);
    let created = schedule.created().unwrap_or(from);
    Ok(Preview {
        runs: preview(&plan, rules.as_ref(), created, from, usize::from(args.count)),
        schedule: schedule.spec.schedule,
        time_zone: schedule.spec.time_zone,
        jitter_seconds: schedule.spec.jitter_seconds,
    })
}

fn shown(preview: &Preview) -> String {
    let Preview { time_zone, jitter_seconds, runs, .. } = preview;
    let keeps = runs.iter().any(|run| run.kept.is_some());
    let begins = runs.iter().any(|run| run.begins.is_some());
    let row = |run: &Run| {
        let kept = run.kept.as_ref().map(|reasons| match reasons.as_slice() {
            [] => "no".to_owned(),
            reasons => reasons.join("; "),
        });
        let later = begins.then(|| run.begins.unwrap_or(run.utc).to_string());
        [run.due.clone(), run.utc.to_string()].into_iter().chain(later).chain(kept).collect()
    };
    let local = format!("DUE ({time_zone})");
    let mut header = vec![local.as_str(), "UTC"];
    header.extend(begins.then_some("BEGINS"));
    header.extend(keeps.then_some("KEPT AFTER THE LAST"));
    let mut text = table(&header, runs.iter().map(row));
    if *jitter_seconds > 0 && !begins {
        let jitter = SignedDuration::from_secs(i64::from(*jitter_seconds));
        text.push_str(&format!("\neach begins up to {jitter:#} later\n"));
    }
    text
}
