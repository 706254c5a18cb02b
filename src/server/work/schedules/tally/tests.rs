use proptest::prelude::*;

use super::*;
use crate::cluster::record::schedule::Runs;
use crate::cluster::record::{
    CANCEL, ExportResult, ExportSpec, ExportStatus, Findings, ResultChart, Scheduled,
};

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
}

fn record(app: &str, due: i64, phase: Option<Phase>) -> Arc<Export> {
    let scheduled = Scheduled { name: "s".into(), due: at(due), even_if_unchanged: false };
    let spec = ExportSpec { scheduled: Some(scheduled), ..ExportSpec::new(app, "team") };
    let mut export = Export::draft("shop", &format!("s-{due:06}-{app}"), spec);
    let chart = ResultChart {
        repository: "r".into(),
        version: "2026.1.1".into(),
        digest: String::new(),
        content: String::new(),
    };
    let result = ExportResult {
        status: Outcome::Unchanged,
        chart,
        images: Vec::new(),
        more_images: 0,
        bytes: Default::default(),
        elapsed_ms: 0,
        findings: Findings::default(),
        install: None,
        report: None,
    };
    export.status = Some(ExportStatus {
        phase,
        result: (phase == Some(Phase::Succeeded)).then_some(result),
        reason: (phase == Some(Phase::Failed)).then(|| "Foreign".to_owned()),
        finished_at: Some(at(due)),
        ..ExportStatus::default()
    });
    Arc::new(export)
}

fn count(status: &mut ExportScheduleStatus, records: &[Arc<Export>], now: i64) -> usize {
    tally(status, records, SecretsPolicy::Reference, (true, false), at(now)).len()
}

fn total(runs: Runs) -> u64 {
    runs.succeeded + runs.unchanged + runs.failed + runs.skipped
}

#[test]
fn a_month_of_an_idle_application_is_720_runs_whatever_records_stay() {
    let mut status = ExportScheduleStatus::default();
    let mut records = Vec::new();
    for hour in 0..720 {
        records.push(record("web", hour * 60, Some(Phase::Succeeded)));
        if records.len() > 10 {
            records.remove(0);
        }
        count(&mut status, &records, hour * 60 + 1);
        count(&mut status, &records, hour * 60 + 2);
    }
    assert_eq!(status.runs.unchanged, 720);
    assert_eq!(status.apps.len(), 1);
    assert!(records.iter().all(|record| is_counted(&status, record, at(720 * 60))));
}

#[test]
fn of_what_is_cancelled_it_is_told_who_did_it() {
    let mut gave_way = Export::clone(&record("web", 1, Some(Phase::Cancelled)));
    gave_way = gave_way.with_annotation(CANCEL, "Superseded");
    let records = [
        Arc::new(gave_way),
        record("web", 2, Some(Phase::Cancelled)),
        record("web", 3, Some(Phase::Failed)),
        record("web", 4, Some(Phase::Running)),
        record("web", 5, Some(Phase::Succeeded)),
    ];
    let mut status = ExportScheduleStatus::default();
    assert_eq!(count(&mut status, &records, 9), 3);
    assert_eq!((status.runs.skipped, status.runs.failed), (1, 2));
    let app = &status.apps[0];
    // What came after the one that runs has to wait for it.
    assert_eq!((app.failures, app.counted, app.waits_until), (1, Some(at(3)), Some(at(5))));
    assert_eq!(status.last_attempt.unwrap().reason.as_deref(), Some("Foreign"));
}

#[test]
fn an_application_is_left_out_for_less_than_a_day() {
    assert_eq!([1, 2, 6].map(|n| wait(n).as_mins()), [2, 4, 64]);
    assert!([11, 40, 64, u32::MAX].iter().all(|n| wait(*n) == LONGEST_WAIT));
}

proptest! {
    /// Whatever ends when, however often it is looked at, whichever counted records have gone, and
    /// however many applications there are: each end is counted once.
    #[test]
    fn each_end_is_counted_once(
        apps in 1usize..90,
        runs in 1i64..5,
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..200),
        settle in prop::collection::vec(any::<bool>(), 16),
    ) {
        let mut records: Vec<Arc<Export>> = (0..runs)
            .flat_map(|run| (0..apps).map(move |app| (run, app)))
            .map(|(run, app)| record(&format!("a{app}"), run * 60, None))
            .collect();
        let (all, mut counted) = (records.len(), 0);
        let mut status = ExportScheduleStatus::default();
        let mut look = |status: &mut ExportScheduleStatus, records: &mut Vec<Arc<Export>>, number: usize, now: i64| {
            let settle = settle[number % settle.len()];
            let ends = tally(status, records, SecretsPolicy::Reference, (true, settle), at(now));
            counted += ends.len();
            assert!(status.apps.len() <= MAX_APPS);
            if number.is_multiple_of(3) {
                let gone = |record: &Arc<Export>| record.is_terminal() && is_counted(status, record, at(now));
                records.retain(|record| !gone(record));
            }
        };
        for (number, index) in order.iter().enumerate() {
            let open: Vec<usize> =
                (0..records.len()).filter(|at| !records[*at].is_terminal()).collect();
            if open.is_empty() {
                break;
            }
            let which = open[index.index(open.len())];
            let due = records[which].spec.scheduled.as_ref().unwrap().due;
            let minutes = (due.as_second() - at(0).as_second()) / 60;
            let phase = if number.is_multiple_of(4) { Phase::Failed } else { Phase::Succeeded };
            records[which] = record(&records[which].spec.app.clone(), minutes, Some(phase));
            look(&mut status, &mut records, number, runs * 60 + 10);
        }
        for open in records.iter_mut().filter(|of| !of.is_terminal()) {
            let due = open.spec.scheduled.as_ref().unwrap().due;
            let minutes = (due.as_second() - at(0).as_second()) / 60;
            *open = record(&open.spec.app.clone(), minutes, Some(Phase::Succeeded));
        }
        for number in 1..4 {
            look(&mut status, &mut records, number, runs * 60 + 20);
        }
        prop_assert_eq!(counted, all);
        prop_assert_eq!(total(status.runs), all as u64);
    }
}
