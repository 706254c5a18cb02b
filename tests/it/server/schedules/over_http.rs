//! `outhaul schedule … --server URL`: the same as with a kubeconfig, and with a token alone.

use serde_json::json;

use super::schedule;
use crate::server::exports::http::{ALL, Door};
use crate::server::exports::site::{API, MAY_SCHEDULE, site};
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;

fn open() -> Door<'static> {
    let door = Door::open(&ALL);
    door.shop.grant(&site().0, &[MAY_SCHEDULE]);
    door
}

fn run(outhaul: &Outhaul, door: &Door<'_>, verb: &str, args: &[&str]) -> Output {
    let place = ["schedule", verb, "-n", door.shop.namespace.name()];
    outhaul.run(&[&place[..], args].concat())
}

#[test]
fn schedules_are_seen_and_changed_alike_with_and_without_the_server() {
    let door = open();
    let (client, with) = (door.client(door.server.url()), door.with_kubeconfig());
    let namespace = door.shop.namespace.name();
    let args = [
        "nightly",
        "--app",
        "shop",
        "-r",
        namespace,
        "--secrets",
        "reference",
        "--schedule",
        "30 2 * * *",
        "--time-zone",
        "Europe/Berlin",
        "--keep-last",
        "3",
    ];
    let made = run(&client, &door, "create", &args).ok();
    assert!(made.stderr.contains("/nightly is made; it is due at 20"), "{made:?}");
    schedule(&door.shop, "by-kubectl", &json!({"suspend": true}));
    super::until_schedule(&door.shop, "by-kubectl", "seen", |of| of["status"]["since"].is_string());
    super::until_schedule(&door.shop, "nightly", "seen", |of| of["status"]["since"].is_string());
    let again = run(&client, &door, "create", &[&args[..], &["--suspended"]].concat()).exits(4);
    assert!(again.stderr.contains("there is a schedule `nightly` already"), "{again:?}");

    for (verb, args) in [
        ("list", &[][..]),
        ("list", &["-o", "json"]),
        ("show", &["nightly"]),
        ("show", &["nightly", "-o", "yaml"]),
        ("show", &["by-kubectl", "-o", "json"]),
        ("preview", &["nightly", "--count", "4"]),
        ("preview", &["nightly", "--keep-daily", "2", "-o", "json"]),
    ] {
        let (there, here) =
            (run(&client, &door, verb, args).ok(), run(&with, &door, verb, args).ok());
        assert_eq!(there.stdout, here.stdout, "{verb} {args:?}");
        assert!(
            there.stdout.contains("30 2 * * *")
                || verb == "preview"
                || args.contains(&"by-kubectl")
        );
    }
    let shown = run(&client, &door, "show", &["nightly"]).ok();
    assert!(shown.stdout.contains(":exporter\n"), "in whose name it runs: {shown:?}");

    for (verb, suspended) in [("suspend", true), ("resume", false)] {
        run(&client, &door, verb, &["nightly"]).ok();
        assert_eq!(super::get(&door.shop, "nightly")["spec"]["suspend"], suspended);
    }
    run(&client, &door, "run", &["by-kubectl"]).exits(2);
    for verb in ["show", "run", "suspend", "delete"] {
        for outhaul in [&client, &with] {
            let refused = run(outhaul, &door, verb, &["none"]).exits(1);
            assert!(refused.stderr.contains("there is no schedule `none`"), "{verb}: {refused:?}");
        }
    }
    let removed = run(&client, &door, "delete", &["nightly"]).ok();
    assert!(removed.stderr.contains("all versions stay"), "{removed:?}");
    assert_eq!(door.shop.namespace.list(API, "ExportSchedule").len(), 1);
    assert!(!removed.mentions(door.token()));
}

#[test]
fn a_run_is_followed_to_the_ends_of_its_exports() {
    let door = open();
    let client = door.client(door.server.url());
    let namespace = door.shop.namespace.name();
    for (name, app, code, says) in
        [("shop", "shop", 0, "Succeeded"), ("none", "none", 3, "`none` was not found")]
    {
        let args = [
            name,
            "--app",
            app,
            "-r",
            namespace,
            "--secrets",
            "reference",
            "--schedule",
            "@daily",
            "--adopt",
            "--successful-history-limit",
            "3",
        ];
        run(&client, &door, "create", &args).ok();
        let spec = &super::get(&door.shop, name)["spec"];
        assert_eq!(
            (&spec["historyLimits"]["successful"], &spec["template"]["adopt"]),
            (&json!(3), &json!(true))
        );
        let ended = run(&client, &door, "run", &[name]).exits(code);
        assert!(ended.mentions(says) && ended.stdout.contains(&format!("/{app}")), "{ended:?}");
    }
    let listed = run(&client, &door, "run", &["shop", "-o", "json"]).ok().json();
    assert_eq!(listed[0]["result"]["status"], "unchanged", "{listed:#}");
    assert_eq!(listed.as_array().unwrap().len(), 1);
}

#[test]
fn what_the_server_refuses_is_said_with_its_hint_and_code() {
    let door = open();
    let client = door.client(door.server.url());
    let namespace = door.shop.namespace.name();
    let base = ["--secrets", "reference", "--schedule", "@daily", "--app", "shop"];
    let create =
        |further: &[&str]| run(&client, &door, "create", &[&["a"], &base[..], further].concat());
    let lost = create(&["-r", "lost"]).exits(6);
    assert!(lost.stderr.contains("bad export destination `lost`"), "{lost:?}");
    let elsewhere = create(&["-r", namespace, "--app-namespace", "default"]).exits(4);
    assert!(elsewhere.stderr.contains("you may not"), "{elsewhere:?}");
    let account = create(&["-r", namespace, "--service-account", "exporter"]).exits(2);
    assert!(account.stderr.contains("does not go with `--server`"), "{account:?}");
    let bob = Outhaul::new()
        .env("OUTHAUL_SERVER", door.server.url())
        .env("OUTHAUL_TOKEN", door.bob.strip_prefix("Bearer ").unwrap());
    let refused = run(&bob, &door, "list", &[]).exits(4);
    assert!(refused.stderr.contains("forbidden"), "{refused:?}");
    // What needs nobody asks nobody.
    let nowhere = Outhaul::new().env("OUTHAUL_SERVER", "http://127.0.0.1:9");
    nowhere.run(&["schedule", "preview", "--schedule", "@daily"]).ok();
    let printed = [&["schedule", "create", "a", "-r", "b", "--dry-run"], &base[..]].concat();
    nowhere.run(&printed).ok();
    assert!(door.shop.namespace.list(API, "ExportSchedule").is_empty());
}
