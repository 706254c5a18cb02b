//! `…/apps/{app}/prune` and `outhaul prune --server`: versions go by hand, and what schedules keep stays.

use reqwest::Method;
use serde_json::{Value, json};

use super::{change, schedule, until};
use crate::server::exports::http::{ALL, Door, location};
use crate::server::exports::site::{API, MAY_SCHEDULE, held, site};
use crate::support::server::Answer;

/// An application of which there are so many versions, asked for by who may also make schedules.
fn exported(versions: usize) -> Door<'static> {
    let (site, server) = site();
    let door = Door::to(site, server, held(site, 0), &[&ALL[..], &[MAY_SCHEDULE]].concat());
    for number in 0..versions {
        change(&door.shop, "shop", &number.to_string());
        let made = door.finished(&location(&door.ask(&door.exporter, &[], &json!({}))));
        assert_eq!(made["result"]["status"], "exported", "{made:#}");
    }
    door
}

fn prune(door: &Door<'_>, who: &str, further: &Value) -> Answer {
    let name = door.shop.namespace.name();
    let path = format!("/v1/namespaces/{name}/apps/shop/prune");
    let mut body = json!({"destination": name});
    super::merge(&mut body, further);
    door.send(who, Method::POST, &path, &[], &body.to_string())
}

/// The versions that are there, the newest first, without what else has a tag.
fn versions(door: &Door<'_>) -> Vec<String> {
    let is_version = |tag: &String| tag.starts_with(|c: char| c.is_ascii_digit());
    let mut all: Vec<String> = door.shop.versions().into_iter().filter(is_version).collect();
    all.sort_by_key(|version| std::cmp::Reverse(version.parse::<semver::Version>().unwrap()));
    all
}

fn going(answer: &Value) -> Vec<&str> {
    let of = answer["versions"].as_array().unwrap().iter().filter(|of| of["goes"] == true);
    of.map(|of| of["version"].as_str().unwrap()).collect()
}

#[test]
fn versions_are_shown_and_then_deleted_by_who_may_say_what_stays() {
    let door = exported(4);
    let all = versions(&door);
    let keep = json!({"retention": {"keepLast": 2, "includeManual": true}});
    let shown = prune(&door, &door.exporter, &keep).json();
    assert_eq!(going(&shown), all[2..], "{shown:#}");
    assert_eq!((&shown["dryRun"], &shown["outcome"]), (&json!(true), &Value::Null));
    assert_eq!(versions(&door), all, "only shown");

    let named = json!({"dryRun": false, "versions": [&all[0], &all[3]]});
    let mut one = keep.clone();
    super::merge(&mut one, &named);
    let done = prune(&door, &door.exporter, &one).json();
    assert_eq!(
        done["outcome"]["versions"],
        json!([&all[3]]),
        "what was named and may go: {done:#}"
    );
    assert_eq!(versions(&door), all[..3]);
    let [line] = &door.audit("prune")[..] else { panic!("one line") };
    assert_eq!((&line["decision"], &line["app"]), (&json!("allow"), &json!("shop")));

    let rest = json!({"dryRun": false, "retention": {"keepLast": 2, "includeManual": true}});
    let done = prune(&door, &door.exporter, &rest).json();
    assert_eq!(done["outcome"]["versions"], json!([&all[2]]), "{done:#}");
    assert_eq!(versions(&door), all[..2]);
}

#[test]
fn what_a_schedule_keeps_stays_whoever_asks() {
    let door = exported(3);
    let all = versions(&door);
    let keep = json!({"retention": {"keepLast": 1, "includeManual": true}});
    let asked = || prune(&door, &door.exporter, &keep).json();
    schedule(&door.shop, "keeps-all", &json!({"suspend": true}));
    let kept = until("the server knows of it", asked, |answer| going(answer).is_empty());
    assert!(kept.to_string().contains("/keeps-all: its schedule keeps all"), "{kept:#}");

    door.shop.namespace.delete(API, "ExportSchedule", "keeps-all");
    let plans = json!({"suspend": true, "retention": {"keepLast": 2, "includeManual": true, "dryRun": true}});
    schedule(&door.shop, "plans", &plans);
    let kept = until("of the other one", asked, |answer| going(answer) == all[2..]);
    assert!(kept.to_string().contains("/plans: "), "{kept:#}");
    let done = prune(&door, &door.exporter, &json!({"dryRun": false})).json();
    assert_eq!((going(&done), &done["outcome"]), (vec![all[2].as_str()], &Value::Null), "{done:#}");

    schedule(
        &door.shop,
        "plans",
        &json!({"suspend": true, "retention": {"keepLast": 2, "includeManual": true}}),
    );
    let asked = || prune(&door, &door.exporter, &json!({"dryRun": false})).json();
    let done = until("it does not only plan", asked, |answer| answer["outcome"].is_object());
    assert_eq!(
        done["outcome"]["versions"],
        json!([&all[2]]),
        "what schedules say is enough: {done:#}"
    );
    assert_eq!(versions(&door), all[..2]);
}

#[test]
fn what_cannot_be_pruned_is_refused_before_anything_goes() {
    let door = exported(1);
    let delete = |who: &str, further: &Value| {
        let mut body = json!({"dryRun": false});
        super::merge(&mut body, further);
        prune(&door, who, &body)
    };
    let keep = json!({"retention": {"keepLast": 1}});
    for (retention, field) in [
        (json!({}), "retention"),
        (json!({"retention": {"includeManual": true}}), "retention"),
        (json!({"retention": {"keepLast": "canary"}}), "retention.keepLast"),
        (json!({"retention": {"maxAge": "ninety"}}), "retention.maxAge"),
        (json!({"retention": {"keepLast": 1}, "timeZone": "Nowhere/Else"}), "timeZone"),
    ] {
        let problem = delete(&door.exporter, &retention).problem(422, "SCHEDULE_INVALID");
        assert_eq!(problem["field"], field, "{problem:#}");
    }
    let elsewhere = json!({"destination": "none", "retention": {"keepLast": 1}});
    delete(&door.exporter, &elsewhere).problem(404, "DESTINATION_UNKNOWN");
    delete(&door.bob, &keep).problem(403, "FORBIDDEN");
    assert_eq!(door.audit("prune").last().unwrap()["decision"], "deny");
    let who_only_exports = Door::open(&ALL);
    let refused = prune(&who_only_exports, &who_only_exports.exporter, &keep);
    refused.problem(403, "FORBIDDEN");
    assert_eq!(versions(&door).len(), 1);
}

#[test]
fn prune_asks_the_server_and_deletes_what_it_has_shown() {
    let door = exported(3);
    let all = versions(&door);
    let (client, name) = (door.client(door.server.url()), door.shop.namespace.name());
    let prune = |further: &[&str]| {
        client.run(
            &[&["prune", "shop", "-n", name, "-r", name, "--include-manual"], further].concat(),
        )
    };
    let shown = prune(&["--keep-last", "2", "--dry-run"]).ok();
    assert!(
        shown.stdout.contains(&all[2]) && shown.stdout.contains("no rule keeps it"),
        "{shown:?}"
    );
    let nobody = prune(&["--keep-last", "2"]).exits(2);
    assert!(nobody.stderr.contains("nobody is there to ask"), "{nobody:?}");
    assert_eq!(versions(&door), all);
    let done = prune(&["--keep-last", "2", "--yes", "-o", "json"]).ok().json();
    assert_eq!(done["outcome"]["versions"], json!([&all[2]]), "{done:#}");
    assert_eq!(versions(&door), all[..2]);
    // The same with a kubeconfig, and by name.
    let with = door.with_kubeconfig();
    let base = ["prune", "shop", "-n", name, "-r", name, "--keep-last", "1", "--include-manual"];
    let done = with.run(&[&base[..], &["--yes"]].concat()).ok();
    assert!(done.stdout.contains("deleted 1 versions"), "{done:?}");
    let refused = prune(&["--keep-last", "1", "--grace", "1h"]).exits(2);
    assert!(refused.stderr.contains("`--grace` does not go with `--server`"), "{refused:?}");
    let nothing = prune(&["--yes"]).exits(2);
    assert!(nothing.stderr.contains("no rule says what stays"), "{nothing:?}");
    let none = client.run(&["prune", "shop", "-n", name, "-r", name]).exits(2);
    assert!(none.stderr.contains("no schedule says what stays"), "{none:?}");
    let address =
        ["prune", "shop", "-n", name, "-r", "oci://registry.example.com/team", "--keep-last", "1"];
    let refused = client.run(&address).exits(2);
    assert!(refused.stderr.contains("at one of its destinations"), "{refused:?}");
}
