//! `outhaul schedule run`: asks for a run now, and waits for the ends of its exports.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::time::sleep;

use super::find;
use crate::cli::args::{Global, ScheduleRunArgs};
use crate::cli::output::Printer;
use crate::cli::remote::View;
use crate::cli::tables::table;
use crate::cluster::Live;
use crate::cluster::record::schedule::{ExportSchedule, RUN};
use crate::cluster::record::{ConditionStatus, Export, Phase};
use crate::error::{Error, Exit};
use crate::schedule::run::requested_name;

/// Between two looks. An export takes seconds to minutes.
const PAUSE: Duration = Duration::from_millis(500);

/// After this time without a record somebody should look whether there is a server: a leader begins at
/// once, and another one within the 15 s of the lease.
const UNSEEN: Duration = Duration::from_secs(20);

/// Most records of a namespace that are looked at.
const MOST: usize = 10_000;

pub(super) async fn run(
    args: &ScheduleRunArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let (live, schedule) = find(&args.one, global).await?;
    if schedule.spec.suspend {
        return Err(Error::Arguments {
            text: format!("{} is suspended, and begins nothing", schedule.title()),
            hint: "let it go on with `outhaul schedule resume`, then run it",
        });
    }
    // Any value will do that was not there before.
    let request = format!("{}-{:08x}", Timestamp::now(), fastrand::u32(..));
    let schedule = live.annotate_schedule(&schedule, &[(RUN, &request)]).await?;
    printer.say(format!("a run of {} is asked for", schedule.title()));
    if args.no_wait {
        return Ok(());
    }
    begun(&live, &schedule, &request, printer).await?;
    let ended = ended(&live, &schedule, &request, printer).await?;
    printer.data(&ended, |ended| shown(ended))?;
    outcome(&schedule, &ended)
}

/// Waits until all exports of the run are made.
async fn begun(
    live: &Live,
    schedule: &ExportSchedule,
    request: &str,
    printer: &Printer,
) -> Result<(), Error> {
    let (started, mut said) = (Instant::now(), false);
    loop {
        let now = live.schedule(schedule.namespace(), schedule.name()).await?;
        let Some(now) = now.filter(|now| now.uid() == schedule.uid()) else {
            return Err(failed(schedule, "it was removed".to_owned(), None));
        };
        let status = now.status.unwrap_or_default();
        if status.last_run.as_deref() == Some(request) {
            return Ok(());
        }
        let invalid = |of: &&_| is_invalid(of);
        if let Some(condition) = status.conditions.iter().find(invalid) {
            return Err(failed(schedule, condition.message.clone(), None));
        }
        if !said && started.elapsed() > UNSEEN {
            said = true;
            printer.say("no server has taken it up yet: is `outhaul serve` running there?");
        }
        sleep(PAUSE).await;
    }
}

fn is_invalid(condition: &crate::cluster::record::Condition) -> bool {
    condition.kind == "Valid" && condition.status == ConditionStatus::False
}

/// Waits until all of them are at their end, and says which are.
async fn ended(
    live: &Live,
    schedule: &ExportSchedule,
    request: &str,
    printer: &Printer,
) -> Result<Vec<View>, Error> {
    let mut waiting = usize::MAX;
    loop {
        let records = live.exports(Some(schedule.namespace()), MOST).await?;
        let records = records.into_iter().filter(|export| is_of(export, schedule, request));
        let records: Vec<Export> = records.collect();
        let open = records.iter().filter(|export| !export.is_terminal()).count();
        if open == 0 {
            return Ok(records.into_iter().map(View::from).collect());
        }
        if open != waiting {
            printer.say(format!("{open} of {} exports are under way", records.len()));
            waiting = open;
        }
        sleep(PAUSE).await;
    }
}

/// Whether it is an export of this run, by its name.
fn is_of(export: &Export, schedule: &ExportSchedule, request: &str) -> bool {
    let app = &export.spec.app;
    export.name() == requested_name(schedule.name(), schedule.uid(), request, export.target(), app)
}

/// How the run ended: well, or as the first export that did not.
fn outcome(schedule: &ExportSchedule, ended: &[View]) -> Result<(), Error> {
    if ended.is_empty() {
        let hint = "look at `outhaul schedule show` and `outhaul app list`".to_owned();
        let reason = "it has selected no application".to_owned();
        return Err(failed(schedule, reason, Some(hint)));
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

fn failed(schedule: &ExportSchedule, reason: String, hint: Option<String>) -> Error {
    Error::Elsewhere { what: schedule.title(), reason, hint, exit: Exit::Failed }
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
