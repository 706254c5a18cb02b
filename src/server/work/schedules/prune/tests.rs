use super::outcome::Done;
use super::*;
use crate::cluster::record::ExportSpec;
use crate::cluster::record::schedule::Pruned;
use crate::export::prune::{self, Left, Outcome, Plan, PlannedVersion};

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
}

fn app() -> App {
    App { namespace: "shop".into(), name: "web".into() }
}

fn owed(app: &str) -> Owed {
    let template = crate::cluster::record::schedule::Template::new(app, "team");
    let spec = crate::cluster::record::schedule::ExportScheduleSpec::new("@daily", template);
    let schedule = ExportSchedule::new("nightly", spec);
    Owed::after(&schedule, &Export::draft("shop", "a", ExportSpec::new(app, "team")))
}

fn did(going: usize, staying: usize, outcome: Outcome, dry_run: bool) -> prune::Pruned {
    let versions = (0..going + staying).map(|number| PlannedVersion {
        version: semver::Version::new(2026, 1, number as u64),
        digest: None,
        taken_at: None,
        schedule: None,
        goes: number < going,
        reasons: Vec::new(),
    });
    let plan = Plan {
        chart: "registry.example.com/shop-web-chart".into(),
        origin: String::new(),
        dry_run,
        versions: versions.collect(),
        others: Vec::new(),
    };
    prune::Pruned { plan, outcome: Some(outcome) }
}

#[test]
fn what_is_new_brings_a_prune_and_what_is_not_once_a_day() {
    let mut pruner = Pruner::default();
    let mut owe = |is_new, hour| {
        pruner.waiting.clear();
        pruner.owe(owed("web"), is_new, at(hour));
        pruner.owe(owed("web"), is_new, at(hour));
        let count = pruner.waiting.len();
        for owed in &pruner.waiting {
            pruner.last.insert((owed.key.clone(), owed.app.clone()), at(hour));
        }
        count
    };
    let days = |every: i64| (0..72).step_by(every as usize);
    let hourly: usize = days(1).map(|hour| owe(false, hour)).sum();
    assert_eq!(hourly, 4, "of an idle application of every hour: at 0, 20, 40 and 60");
    assert_eq!(days(24).map(|hour| owe(false, 100 + hour)).sum::<usize>(), 3, "of every day: each");
    assert_eq!(days(1).map(|hour| owe(true, 200 + hour)).sum::<usize>(), 72, "what is new: each");
}

#[test]
fn a_prune_is_told_by_numbers_and_what_is_wrong_for_long_once() {
    let outcome = Outcome {
        versions: (0..7).map(|number| format!("2026.1.{number}")).collect(),
        images: vec!["i@sha256:1".into()],
        ..Outcome::default()
    };
    let done = Done::of(&app(), did(7, 3, outcome.clone(), false), at(0));
    let Pruned { kept, removed, images, error, .. } = done.said.clone();
    assert_eq!((kept, removed, images, error), (3, 7, 1, None));
    let [news] = &done.news(None)[..] else { panic!("one Event") };
    assert_eq!((news.reason, news.is_warning), ("VersionsPruned", false));
    assert!(news.note.contains("7 versions (2026.1.0, "), "{}", news.note);
    assert!(news.note.contains("and 2 more) and 1 images of shop/web at reg"), "{}", news.note);
    // A registry that does not delete.
    let left = Left { what: "2026.1.0".into(), reason: "405".into() };
    let refused = Outcome { left: vec![left.clone(), left], ..Outcome::default() };
    let done = Done::of(&app(), did(2, 1, refused, false), at(1));
    assert_eq!((done.said.kept, done.said.removed), (3, 0));
    let [news] = &done.news(None)[..] else { panic!("one Event") };
    assert_eq!((news.reason, news.is_warning), ("PruneFailed", true));
    assert!(news.note.contains("2026.1.0 was to go and stays (and 1 more): 405"), "{}", news.note);
    assert_eq!(done.news(Some(&done.said)), []);
    // Only planned.
    let planned = Done::of(&app(), did(2, 1, Outcome::default(), true), at(1));
    assert_eq!(
        (planned.said.removed, planned.said.dry_run, planned.news(None).len()),
        (2, true, 0)
    );
}

#[test]
fn an_image_that_is_gone_and_needed_is_the_error_that_is_said() {
    let outcome = Outcome { missing: vec!["i@sha256:1".into()], ..Outcome::default() };
    let done = Done::of(&app(), did(0, 1, outcome, false), at(0));
    assert!(done.said.error.as_ref().unwrap().contains("i@sha256:1"), "{done:?}");
}
