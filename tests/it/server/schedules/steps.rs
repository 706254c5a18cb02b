//! Of two replicas the leader dies at each step of a run that is due.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::replica::Replica;
use super::{change, done, get, phases, records, schedule, until, until_schedule};
use crate::server::exports::site::{Shop, Site, held};

/// Applications of a run.
const APPS: [&str; 4] = ["one", "two", "three", "four"];

/// Up to which the leader lives.
type Step = fn(&[Value], usize) -> bool;

/// The steps of a run, as its records and the number of those that there were before tell.
const STEPS: [(&str, Step); 8] = [
    ("it is due", |_, _| true),
    ("the first record is made", |all, before| all.len() > before),
    ("all records are made", |all, before| all.len() == before + APPS.len()),
    ("the first is accepted", |all, before| count(all, before, "Pending") > 0),
    ("the first runs", |all, before| count(all, before, "Running") > 0),
    ("the first is planned", |all, before| {
        all.len() > before && latest(all).any(|of| of["status"]["planned"].is_object())
    }),
    ("the first is done", |all, before| count(all, before, "Succeeded") > 0),
    ("all are done", |all, before| count(all, before, "Succeeded") == APPS.len()),
];

/// The records of the latest run.
fn latest(all: &[Value]) -> impl Iterator<Item = &Value> {
    let due = |of: &Value| of["spec"]["scheduled"]["due"].as_str().unwrap().to_owned();
    let last = all.iter().map(due).max();
    all.iter().filter(move |of| Some(due(of)) == last)
}

fn count(all: &[Value], before: usize, phase: &str) -> usize {
    if all.len() == before {
        return 0;
    }
    let latest: Vec<Value> = latest(all).cloned().collect();
    phases(&latest).into_iter().filter(|of| *of == phase).count()
}

fn more_apps(shop: &Shop<'_>) {
    let shop_itself = shop.namespace.get("apps/v1", "Deployment", "shop").unwrap();
    let image = &shop_itself["spec"]["template"]["spec"]["containers"][0]["image"];
    for name in APPS {
        let labels = json!({"app.kubernetes.io/name": name, "backup": "yes"});
        let app = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "labels": labels},
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
                "spec": {"containers": [{"name": "web", "image": image}]}}}});
        shop.namespace.apply(&app.to_string());
    }
}

#[test]
fn each_due_run_happens_once_at_whichever_step_the_leader_dies() {
    let site = Site::start();
    let shop = held(&site, 0);
    shop.grant_all(&site);
    more_apps(&shop);
    let mut leader = Replica::start(&site);
    until("it leads", || site.leader(), |leader| leader.as_deref() == Some("r0"));
    let mut next = leader.beside(&site, "r1");
    let template = json!({"app": null, "appSelector": "backup=yes"});
    let limits = json!({"successful": 100, "failed": 100});
    schedule(
        &shop,
        "all",
        &json!({"template": template, "historyLimits": limits, "startingDeadlineSeconds": 600}),
    );
    until_schedule(&shop, "all", "seen", |it| it["status"]["observedGeneration"] == 1);
    let mut random = fastrand::Rng::with_seed(612);
    for (number, (step, is_there)) in STEPS.iter().enumerate() {
        let round = number + 1;
        for app in APPS {
            change(&shop, app, &format!("round {round}"));
        }
        let before = number * APPS.len();
        leader.next_hour();
        until(step, || records(&shop, "all"), |all| is_there(all, before));
        // Anywhere in the step, not only at its beginning.
        std::thread::sleep(Duration::from_millis(random.u64(0..150)));
        assert_eq!(site.leader().as_deref(), Some(leader.name()), "round {round}");
        let fresh = leader.beside(&site, &format!("r{}", round + 1));
        std::mem::replace(&mut leader, next).kill(&site);
        next = fresh;
        let name = leader.name().to_owned();
        // Whichever of the two it is that leads now is the next to die.
        let leads = until("another leads", || site.leader(), Option::is_some).unwrap();
        if leads != name {
            std::mem::swap(&mut leader, &mut next);
        }
        let all = (round * APPS.len()) as u64;
        let ended = until_schedule(&shop, "all", "all are counted", |it| done(it) == all);
        let runs =
            json!({"succeeded": all, "unchanged": 0, "failed": 0, "missed": 0, "skipped": 0});
        assert_eq!(ended["status"]["runs"], runs, "killed when {step}: {:#}", ended["status"]);
        let mut each: BTreeMap<(String, String), usize> = BTreeMap::new();
        for record in records(&shop, "all") {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let of = (text(&record["spec"]["scheduled"]["due"]), text(&record["spec"]["app"]));
            *each.entry(of).or_default() += 1;
        }
        assert_eq!(each.len() as u64, all, "killed when {step}");
        assert!(each.values().all(|count| *count == 1), "killed when {step}: {each:?}");
        for app in APPS {
            let charts = format!("backups/{}-{app}-chart", shop.namespace.name());
            let mut tags = shop.destination.target().tags(&charts);
            tags.retain(|tag| tag.starts_with(|c: char| c.is_ascii_digit()));
            assert_eq!(tags.len(), round, "killed when {step}: versions of {app}: {tags:?}");
        }
    }
    let status = get(&shop, "all");
    assert_eq!(status["status"]["lastSkipped"], Value::Null, "{:#}", status["status"]);
}
