//! `outhaul schedule …`.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::cli::args::{ScheduleCommand, SchedulePreviewArgs};
use crate::cli::output::Printer;
use crate::cli::tables::table;
use crate::error::Error;
use crate::schedule::cron;
use crate::schedule::declared::{Invalid, zone};
use crate::schedule::preview::{Run, preview};
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

pub(crate) fn run(command: &ScheduleCommand, printer: &Printer) -> Result<(), Error> {
    match command {
        ScheduleCommand::Preview(args) => printer.data(&previewed(args)?, shown),
    }
}

/// What the arguments alone say.
fn previewed(args: &SchedulePreviewArgs) -> Result<Preview, Error> {
    let when = &args.when;
    let schedule = cron::parse(&when.schedule).map_err(Invalid::from)?;
    let plan = Plan::at(schedule, zone(&when.time_zone)?);
    let rules = args.keep.rules()?;
    let from = args.from.unwrap_or_else(Timestamp::now);
    Ok(Preview {
        schedule: when.schedule.clone(),
        time_zone: when.time_zone.clone(),
        jitter_seconds: when.jitter,
        runs: preview(&plan, rules.as_ref(), from, from, usize::from(args.count)),
    })
}

fn shown(preview: &Preview) -> String {
    let Preview { time_zone, jitter_seconds, runs, .. } = preview;
    let keeps = runs.iter().any(|run| run.kept.is_some());
    let row = |run: &Run| {
        let kept = run.kept.as_ref().map(|reasons| match reasons.as_slice() {
            [] => "no".to_owned(),
            reasons => reasons.join("; "),
        });
        [run.due.clone(), run.utc.to_string()].into_iter().chain(kept).collect()
    };
    let local = format!("DUE ({time_zone})");
    let mut header = vec![local.as_str(), "UTC"];
    header.extend(keeps.then_some("KEPT AFTER THE LAST"));
    let mut text = table(&header, runs.iter().map(row));
    if *jitter_seconds > 0 {
        let jitter = SignedDuration::from_secs(i64::from(*jitter_seconds));
        text.push_str(&format!("\neach begins up to {jitter:#} later\n"));
    }
    text
}
