//! `outhaul schedule preview`: the next runs, and which of their versions would stay.

use jiff::{SignedDuration, Timestamp};

use crate::cli::args::{Global, SchedulePreviewArgs, WhenArgs};
use crate::cli::output::Printer;
use crate::cli::remote::{self, Schedules, Window};
use crate::cli::tables::table;
use crate::error::Error;
use crate::schedule::preview::{Preview, Run};

pub(super) async fn run(
    args: &SchedulePreviewArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let preview = match &args.name {
        None => of_arguments(args)?,
        Some(name) => {
            let namespace = remote::namespace(args.namespace.as_deref(), global).await?;
            let schedules = Schedules::at(&args.remote, global, printer).await?;
            let retention = args.keep.retention();
            let window = Window { retention, from: args.from, count: args.count };
            schedules.preview(&namespace, name, &window).await?
        }
    };
    printer.data(&preview, shown)
}

/// What the arguments alone say: nobody has to be asked.
fn of_arguments(args: &SchedulePreviewArgs) -> Result<Preview, Error> {
    let WhenArgs { schedule, time_zone, jitter } = &args.when;
    let schedule = schedule.as_deref().unwrap_or_default();
    let rules = args.keep.rules()?;
    let window = (args.from.unwrap_or_else(Timestamp::now), usize::from(args.count));
    Ok(Preview::declared(schedule, time_zone, *jitter, rules.as_ref(), window)?)
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
