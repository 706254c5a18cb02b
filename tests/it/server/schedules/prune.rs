//! The leader prunes after runs, by the rules of every schedule of the application.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use outhaul::schedule::retention::Rules;
use serde_json::{Value, json};

use super::replica::Replica;
use super::{change, done, get, schedule, until, until_schedule};
use crate::export::prune::fixture::last;
use crate::export::prune::year::expected;
use crate::server::exports::site::{API, Shop, Site, held};
use crate::support::images::Image;
use crate::support::proxy::Proxy;
use crate::support::registry::Registry;

/// What a registry is asked that removes nothing: whether it deletes at all.
const PROBES: usize = 1;

/// One more run of `hourly`, after a change if there is one; waits until it is counted.
fn run(shop: &Shop<'_>, replica: &Replica, setting: Option<&str>) -> Timestamp {
    if let Some(setting) = setting {
        change(shop, "shop", setting);
    }
    let before = done(&get(shop, "hourly"));
    let due = replica.next_hour();
    until_schedule(shop, "hourly", "the run is counted", |it| done(it) > before);
    due
}

/// Waits until a prune is told that began at this time or later.
fn pruned(shop: &Shop<'_>, since: Timestamp) -> Value {
    let is_told = |it: &Value| {
        let at = it["status"]["pruned"]["at"].as_str().unwrap_or_default();
        at.parse::<Timestamp>().is_ok_and(|at| at >= since)
    };
    until_schedule(shop, "hourly", "pruned", is_told)["status"]["pruned"].clone()
}

/// The versions of the shop, without what else has a tag.
fn versions(shop: &Shop<'_>) -> BTreeSet<String> {
    let is_version = |tag: &String| tag.starts_with(|c: char| c.is_ascii_digit());
    shop.versions().into_iter().filter(is_version).collect()
}

/// Asserts that each version has the image that it names, with all that this consists of.
fn assert_each_whole(shop: &Shop<'_>, when: &str) {
    let (target, name) = (shop.destination.target(), shop.namespace.name());
    let (charts, images) =
        (format!("backups/{name}-shop-chart"), format!("backups/{name}-shop-image"));
    for version in versions(shop) {
        let chart = target.manifest(&charts, &version).expect("a version that is listed");
        let chart: Value = serde_json::from_slice(&chart).unwrap();
        let list = chart["annotations"]["images"].as_str().unwrap();
        let digests: Vec<&str> = { list.lines() }
            .filter_map(|line| Some(line.rsplit_once('@')?.1.trim().trim_matches('"')))
            .collect();
        assert!(!digests.is_empty(), "{list}");
        for digest in digests {
            let index = target.manifest(&images, digest);
            let index = index.unwrap_or_else(|| panic!("{when}: {version} lacks {digest}"));
            let index: Value = serde_json::from_slice(&index).unwrap();
            for child in index["manifests"].as_array().unwrap() {
                let child = child["digest"].as_str().unwrap();
                assert!(target.manifest(&images, child).is_some(), "{when}: {version}: {child}");
            }
        }
    }
}

#[test]
fn what_no_schedule_keeps_goes_after_a_run_and_nothing_else_does() {
    let site = Site::start();
    let shop = held(&site, 0);
    shop.grant_all(&site);
    let replica = Replica::start(&site);
    // Made by hand, so no rule is about it.
    shop.ask("by-hand", &json!({}));
    let by_hand = until("by hand", || versions(&shop), |all| all.len() == 1);
    schedule(&shop, "hourly", &json!({"retention": {"keepLast": 2, "dryRun": true}}));
    until_schedule(&shop, "hourly", "seen", |it| it["status"]["observedGeneration"] == 1);
    for setting in ["1", "2", "3", "4"] {
        run(&shop, &replica, Some(setting));
    }
    let planned = pruned(&shop, replica.now());
    let numbers = |it: &Value| ["kept", "removed", "dryRun"].map(|key| it[key].clone());
    assert_eq!(numbers(&planned), [json!(3), json!(2), json!(true)], "{planned:#}");
    assert_eq!(planned["app"], format!("{}/shop", shop.namespace.name()));
    assert_eq!(versions(&shop).len(), 5, "only planned");

    // Another one of the same application says nothing of what stays, so all does.
    schedule(&shop, "other", &json!({"suspend": true}));
    schedule(&shop, "hourly", &json!({"retention": {"keepLast": 2}}));
    until_schedule(&shop, "other", "seen", |it| it["status"]["observedGeneration"] == 1);
    run(&shop, &replica, Some("5"));
    let kept = pruned(&shop, replica.now());
    assert_eq!(numbers(&kept), [json!(6), json!(0), json!(false)], "{kept:#}");
    assert_eq!(versions(&shop).len(), 6);

    // Without credentials for deleting that can be used, nothing is deleted with others.
    shop.namespace.delete(API, "ExportSchedule", "other");
    let annotate = |secret: Value| {
        let name = shop.namespace.name();
        let metadata = json!({"name": name, "annotations": {"outhaul.dev/delete-secret": secret}});
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata});
        site.system().apply_as("operator", &secret.to_string());
    };
    annotate(json!("not-there"));
    run(&shop, &replica, Some("6"));
    let refused = pruned(&shop, replica.now());
    assert!(refused["error"].is_string(), "{refused:#}");
    assert_eq!(versions(&shop).len(), 7, "{refused:#}");
    assert_eq!(replica.metric(r#"outhaul_prunes_total{result="failed"}"#), 1);
    let deploys = json!({"name": "deleting"});
    let deleting = json!({"apiVersion": "v1", "kind": "Secret", "metadata": deploys,
        "stringData": {".dockerconfigjson": shop.destination.docker_config()}});
    site.system().apply(&deleting.to_string());
    annotate(json!("deleting"));

    // What failed is tried again with the next run, though that has found nothing new.
    run(&shop, &replica, None);
    let gone = pruned(&shop, replica.now());
    assert_eq!(numbers(&gone), [json!(3), json!(4), json!(false)], "{gone:#}");
    assert_eq!(gone["error"], Value::Null);
    let left = versions(&shop);
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left.is_superset(&by_hand), "{left:?} without {by_hand:?}");
    assert_eq!(replica.metric(r#"outhaul_pruned_versions_total{result="removed"}"#), 4);
    let told = |reason: &str| {
        let events = shop.namespace.list("events.k8s.io/v1", "Event");
        events.into_iter().filter(|event| event["reason"] == reason).count()
    };
    until("Events", || told("VersionsPruned"), |count| *count == 1);
    assert_eq!(told("PruneFailed"), 1);
    assert_each_whole(&shop, "at the end");
    // A run that finds nothing new brings none on the same day.
    shop.destination.clear_log();
    run(&shop, &replica, None);
    run(&shop, &replica, None);
    assert_eq!(get(&shop, "hourly")["status"]["pruned"]["at"], gone["at"]);
    assert_eq!(shop.destination.requests(&["DELETE"]), []);
}

/// As long as CI has time for: ten weeks, which have ends of days, weeks and months in them.
#[test]
fn weeks_of_a_daily_schedule_leave_exactly_what_the_rules_name() {
    daily_for(70);
}

#[test]
#[ignore = "takes minutes; run it with `--ignored`"]
fn a_year_of_a_daily_schedule_leaves_exactly_what_the_rules_name() {
    daily_for(365);
}

fn daily_for(days: u64) {
    let site = Site::start();
    let shop = held(&site, 0);
    shop.grant_all(&site);
    let replica = Replica::start(&site);
    let rules = Rules { daily: 5, weekly: 4, monthly: 2, ..last(2) };
    let retention = json!({"keepLast": 2, "keepDaily": 5, "keepWeekly": 4, "keepMonthly": 2});
    schedule(&shop, "hourly", &json!({"schedule": "0 12 * * *", "retention": retention}));
    until_schedule(&shop, "hourly", "seen", |it| it["status"]["observedGeneration"] == 1);
    let today = replica.now().to_zoned(TimeZone::UTC).date();
    let noon = today.at(12, 1, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
    let day = SignedDuration::from_hours(24);
    let first = if noon > replica.now() { noon } else { noon + day };
    let mut made: Vec<(Timestamp, String)> = Vec::new();
    for number in 0..days {
        if number.is_multiple_of(3) {
            change(&shop, "shop", &format!("day {number}"));
        }
        replica.go_to(first + day * i32::try_from(number).unwrap());
        let status =
            until_schedule(&shop, "hourly", "the run is counted", |it| done(it) == number + 1);
        let version = status["status"]["apps"][0]["version"].as_str().unwrap().to_owned();
        if made.last().is_none_or(|(_, last)| *last != version) {
            made.push((replica.now(), version));
        }
    }
    assert_eq!(made.len() as u64, days.div_ceil(3));
    let pruned = pruned(&shop, replica.now());
    assert_eq!(pruned["error"], Value::Null, "{pruned:#}");
    assert_eq!(versions(&shop), expected(&made, &rules, replica.now()));
    assert_each_whole(&shop, "after all days");
    let removed = replica.metric(r#"outhaul_pruned_versions_total{result="removed"}"#);
    assert_eq!(removed as usize, made.len() - versions(&shop).len());
}

#[test]
fn a_leader_that_dies_in_a_prune_leaves_what_stays_whole_and_the_next_goes_on() {
    let site = Site::start();
    let mut shop = held(&site, 0);
    let gate = behind_a_gate(&site, &mut shop);
    shop.grant_all(&site);
    let mut replica = Replica::start(&site);
    schedule(&shop, "hourly", &json!({}));
    until_schedule(&shop, "hourly", "seen", |it| it["status"]["observedGeneration"] == 1);
    // Six versions of three images, of which the last one is to stay.
    for number in 0_u64..6 {
        let image = Image::new(50 + number / 2, 2, 2_000);
        let address = shop.faulty().address();
        image.push(&shop.faulty().target(), "shop/web", &format!("v{}", number / 2));
        let web = json!({"name": "web", "image": format!("{address}/shop/web:v{}", number / 2)});
        let spec = json!({"template": {"spec": {"containers": [web]}}});
        let app = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "shop"}, "spec": spec});
        shop.namespace.apply(&deployment(&app));
        run(&shop, &replica, Some(&number.to_string()));
    }
    assert_eq!(versions(&shop).len(), 6);
    schedule(&shop, "hourly", &json!({"retention": {"keepLast": 1}}));
    until_schedule(&shop, "hourly", "seen", |it| it["status"]["observedGeneration"] == 2);
    // A day lies between two rounds, so images go as well.
    let (mut random, mut deaths) = (fastrand::Rng::with_seed(6), 0);
    gate.hold_deletes_after(PROBES);
    for round in 0..12 {
        replica.go_on_by(SignedDuration::from_hours(25));
        let due = replica.now() - SignedDuration::from_hours(1);
        let is_told = || {
            let pruned = get(&shop, "hourly")["status"]["pruned"]["at"].clone();
            pruned.as_str().is_some_and(|at| at.parse::<Timestamp>().unwrap() >= due)
        };
        let is_held = until(
            "it waits in the middle, or all is told",
            || (gate.is_holding(), is_told()),
            |(is_held, is_told)| *is_held || *is_told,
        );
        if is_held.0 {
            deaths += 1;
            let next = replica.beside(&site, &format!("r{round}"));
            let mut dead = std::mem::replace(&mut replica, next);
            dead.end();
            // At the end somebody gets through.
            let most = if round < 8 { PROBES + random.usize(0..5) } else { usize::MAX };
            gate.hold_deletes_after(most);
            dead.kill(&site);
        }
        assert_each_whole(&shop, &format!("after round {round}, killed: {is_held:?}"));
    }
    assert!(deaths >= 4, "the leader died {deaths} times in a prune");
    assert_eq!(versions(&shop).len(), 1);
    assert_eq!(get(&shop, "hourly")["status"]["pruned"]["error"], Value::Null);
    assert_eq!(shop.versions().len(), 1, "nothing waits any more: {:?}", shop.versions());
    // What is left of images is what the version has: its image, under one tag.
    let images = format!("backups/{}-shop-image", shop.namespace.name());
    let mut tags = shop.destination.target().tags(&images);
    tags.retain(|tag| !tag.starts_with("outhaul-owner-") && !tag.starts_with("sha256-"));
    assert_eq!(tags.len(), 1, "{tags:?}");
}

/// Gives the shop a destination on plain HTTP, to which only this way leads.
fn behind_a_gate(site: &Site, shop: &mut Shop<'_>) -> Proxy {
    shop.destination = Registry::plain().basic_auth("carol", "s3cret").start();
    let gate = Proxy::to(&shop.destination.address());
    let auths = shop.destination.docker_config();
    let auths = auths.replace(&shop.destination.address(), gate.address());
    let name = shop.namespace.name();
    site.system().delete("v1", "Secret", name);
    let annotations =
        json!({"epinio.io/registry-namespace": "backups", "outhaul.dev/plain-http": "true"});
    let labels = json!({"epinio.io/api-export-registry": "true"});
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "stringData": {".dockerconfigjson": auths},
        "metadata": {"name": name, "labels": labels, "annotations": annotations},
    });
    site.system().apply(&secret.to_string());
    gate
}

/// The Deployment as its owner applies it: with its labels, which else would go.
fn deployment(changed: &Value) -> String {
    let mut whole = changed.clone();
    let labels = json!({"app.kubernetes.io/name": "shop"});
    whole["metadata"]["labels"] = labels.clone();
    whole["spec"]["selector"] = json!({"matchLabels": labels});
    whole["spec"]["template"]["metadata"] = json!({"labels": labels});
    whole.to_string()
}
