//! A year of a daily schedule on a real registry, pruned every day, and its garbage collector after it.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use outhaul::export::{ChartReference, verify};
use outhaul::schedule::retention::Rules;

use super::fixture::{CHARTS, IMAGES, at, claim, day, last};
use crate::support::helm::Helm;
use crate::support::images::Image;
use crate::support::registry::Registry;

/// Days between two changes of the configuration, and between two images.
const CHANGES: usize = 3;
const IMAGE: usize = 20;

const RULES: fn() -> Rules = || Rules { daily: 7, weekly: 5, monthly: 12, ..last(2) };

/// What rules of days, weeks, months and the newest keep, worked out in another way: from each day, back.
pub(crate) fn expected(
    made: &[(Timestamp, String)],
    rules: &Rules,
    now: Timestamp,
) -> BTreeSet<String> {
    let most = |count: u32| count as usize;
    let date = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let held = |until: jiff::civil::Date| {
        made.iter().rfind(|(at, _)| date(*at) <= until).map(|(_, version)| version.clone())
    };
    let mut ends = BTreeSet::new();
    let (mut days, mut weeks, mut months) = (0, BTreeSet::new(), BTreeSet::new());
    let mut at = date(now);
    while months.len() <= most(rules.monthly) {
        let week = at.iso_week_date();
        let is_first_of_week =
            weeks.insert((week.year(), week.week())) && weeks.len() <= most(rules.weekly);
        let is_first_of_month =
            months.insert((at.year(), at.month())) && months.len() <= most(rules.monthly);
        if days < most(rules.daily) || is_first_of_week || is_first_of_month {
            ends.insert(at);
        }
        days += 1;
        at = at.yesterday().unwrap();
    }
    let newest = made.iter().rev().take(most(rules.last)).map(|(_, version)| version.clone());
    ends.into_iter().filter_map(held).chain(newest).collect()
}

#[tokio::test]
async fn a_year_leaves_what_the_rules_name_and_frees_the_rest() {
    let registry = Registry::plain().start();
    for number in 0..=365 / IMAGE {
        let image = Image::new(100 + number as u64, 1, 20_000);
        image.push(&registry.target(), "src/web", &format!("v{number}"));
    }
    let place = at(&registry.address());
    let claims = [claim(RULES())];
    let mut made: Vec<(Timestamp, String)> = Vec::new();
    let mut images = BTreeSet::new();
    for number in 0..365 {
        let now = day(number as i64);
        let tag = format!("v{}", number / IMAGE);
        let report = place.export(&tag, number / CHANGES, now).await;
        if made.last().is_none_or(|(_, version)| *version != report.chart.version) {
            made.push((now, report.chart.version.clone()));
        }
        images.insert(report.images[0].digest.to_string());
        let outcome = place.prune(&claims, now).await;
        assert_eq!((&outcome.left, &outcome.missing), (&Vec::new(), &Vec::new()), "day {number}");
    }
    assert!(made.len() > 130, "{}", made.len());
    // At the end nobody exports any more, so images need not wait.
    let end = day(370);
    place.prune(&claims, end).await;
    let plan = place.prune_plan(&claims, end).await;
    let outcome = place.prune_by(&plan, SignedDuration::ZERO, end).await.unwrap();
    assert_eq!((outcome.waiting, outcome.versions.len()), (0, 0), "{outcome:?}");

    let target = registry.target();
    let versions = || -> BTreeSet<String> {
        let tags = target.tags(CHARTS).into_iter();
        tags.filter(|tag| tag.starts_with(|c: char| c.is_ascii_digit())).collect()
    };
    assert_eq!(versions(), expected(&made, &RULES(), end));
    let there = |digest: &&String| target.manifest(IMAGES, digest).is_some();
    let (kept, gone): (Vec<_>, Vec<_>) = images.iter().partition(there);
    assert!(kept.len() >= 12 && gone.len() >= 5, "{} kept, {} gone", kept.len(), gone.len());

    let before = registry.stored();
    // The source's images are the same blobs: without it nothing but the exports holds them.
    std::fs::remove_dir_all(registry.storage().join("repositories/src")).unwrap();
    registry.garbage_collect();
    assert!(registry.stored() < before);
    let helm = Helm::v4();
    for version in versions() {
        let chart: ChartReference =
            format!("{}/{CHARTS}:{version}", registry.address()).parse().unwrap();
        let found = verify::verify(&place.target, &chart, &place.sources, true).await.unwrap();
        found.require().unwrap();
        let reference = format!("oci://{}/{CHARTS}", registry.address());
        helm.run(&["pull", &reference, "--version", &version, "--plain-http"]).ok();
    }
    // Exactly the blobs of what is there are stored: each image has two layers and two configurations
    // of its own, and two manifests and an index.
    let blobs = registry.blobs();
    let layers = blobs.iter().filter(|size| **size == 20_000).count();
    assert_eq!(layers, 2 * kept.len());
}
