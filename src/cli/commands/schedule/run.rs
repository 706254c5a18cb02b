//! `outhaul schedule run`: asks for a run now, and waits for the ends of its exports.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::place;
use crate::cli::args::{Global, ScheduleRunArgs};
use crate::cli::output::Printer;
use crate::cli::remote::{ScheduleView, Schedules, Started, View};
use crate::cli::tables::table;
use crate::cluster::record::{Condition, ConditionStatus, Phase};
use crate::error::{Error, Exit};

/// Between two looks. An export takes seconds to minutes.
const PAUSE: Duration = Duration::from_millis(500);

/// After this time without a record somebody should look whether there is a server: a leader begins at
/// once, and another one within the 15 s of the lease.
const UNSEEN: Duration = Duration::from_secs(20);

pub(super) async fn run(
    args: &ScheduleRunArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let (schedules, namespace) = place(&args.one, global, printer).await?;
    let started = schedules.start(&namespace, &args.one.name).await?;
    printer.say(format!("a run of {} is asked for", title(&started)));
    if args.no_wait {
        return Ok(());
    }
    begun(&schedules, &started, printer).await?;
    let ended = ended(&schedules, &started, printer).await?;
    printer.data(&ended, |ended| shown(ended))?;
    outcome(&started, &ended)
}

/// Waits until all exports of the run are made.
async fn begun(schedules: &Schedules, started: &Started, printer: &Printer) -> Result<(), Error> {
    let (since, mut said) = (Instant::now(), false);
    loop {
        let Some(ScheduleView { status, .. }) = schedules.of_run(started).await? else {
            return Err(failed(started, "it was removed".to_owned(), None));
        };
        let status = status.unwrap_or_default();
        if status.last_run.as_ref() == Some(&started.request) {
            return Ok(());
        }
        if let Some(condition) = status.conditions.iter().find(|of| is_invalid(of)) {
            return Err(failed(started, condition.message.clone(), None));
        }
        if !said && since.elapsed() > UNSEEN {
            said = true;
            printer.say("no server has taken it up yet: is `outhaul serve` running there?");
        }
        sleep(PAUSE).await;
    }
}

fn is_invalid(condition: &Condition) -> bool {
    condition.kind == "Valid" && condition.status == ConditionStatus::False
}

/// Waits until all of them are at their end, and says which are.
async fn ended(
    schedules: &Schedules,
    started: &Started,
    printer: &Printer,
) -> Result<Vec<View>, Error> {
    let mut waiting = usize::MAX;
    loop {
        let exports = schedules.exports(started).await?;
        let open = exports.iter().filter(|export| !export.phase.is_terminal()).count();
        if open == 0 {
            return Ok(exports);
        }
        if open != waiting {
            printer.say(format!("{open} of {} exports are under way", exports.len()));
            waiting = open;
        }
        sleep(PAUSE).await;
    }
}

/// How the run ended: well, or as the first export that did not.
fn outcome(started: &Started, ended: &[View]) -> Result<(), Error> {
    if ended.is_empty() {
        let hint = "look at `outhaul schedule show` and `outhaul app list`".to_owned();
        let reason = "it has selected no application".to_owned();
        return Err(failed(started, reason, Some(hint)));
    }
    let bad: Vec<&View> = ended.iter().filter(|view| view.phase != Phase::Succeeded).collect();
    let Some(first) = bad.first() else { return Ok(()) };
    let failure = Error::Elsewhere {
        what: first.title(),
        reason: first.message.clone().or_else(|| first.code.clone()).unwrap_or_default(),
        hint: first.hint.clone(),
        exit: first.exit_code.and_then(Exit::of).unwrap_or(Exit::Failed),
    };
    match ended.len() {
        1 => Err(failure),
        of => Err(Error::PartlyExported {
            failed: bad.iter().map(|view| view.app()).collect(),
            of,
            first: Box::new(failure),
        }),
    }
}

fn title(started: &Started) -> String {
    format!("ExportSchedule {}/{}", started.namespace, started.name)
}

fn failed(started: &Started, reason: String, hint: Option<String>) -> Error {
    Error::Elsewhere { what: title(started), reason, hint, exit: Exit::Failed }
}

fn shown(ended: &[View]) -> String {
    let header = ["APP", "EXPORT", "PHASE", "RESULT", "VERSION", "REASON"];
    let row = |view: &View| {
        let result = view.result.as_ref();
        let result_word = result.map(|it| format!("{:?}", it.status).to_lowercase());
        vec![
            view.app(),
            view.name.clone(),
            format!("{:?}", view.phase),
            result_word.unwrap_or_else(|| "-".to_owned()),
            result.map_or("-", |it| &it.chart.version).to_owned(),
            view.code.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    };
    table(&header, ended.iter().map(row))
}
