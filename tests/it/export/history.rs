//! The history of an application from the registry alone, and versions that are pinned.

use jiff::SignedDuration;
use outhaul::export::Status;
use outhaul::export::request::ScheduledRun;
use serde_json::Value;

use super::prune::fixture::{CHARTS, at, claim, day, last, request};
use crate::support::faulty::{Fault, Faulty, Trouble};
use crate::support::helm::Helm;
use crate::support::images::{Image, MANIFEST};
use crate::support::outhaul::Outhaul;
use crate::support::registry::Registry;

fn registry() -> Registry {
    let registry = Registry::plain().start();
    for tag in ["1", "2"] {
        Image::new(tag.parse().unwrap(), 1, 2000).push(&registry.target(), "src/web", tag);
    }
    registry
}

fn versions(history: &Value) -> Vec<&str> {
    let rows = history["versions"].as_array().unwrap();
    rows.iter().map(|row| row["version"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_registry_alone_says_what_there_is_and_who_made_it() {
    let registry = registry();
    let place = at(&registry.address());
    for number in 0..3 {
        place.export(if number < 2 { "1" } else { "2" }, number, day(number as i64)).await;
    }
    place.export_of(&request(None), "2", 3, day(3)).await;
    let target = registry.target();
    let manifest = target.manifest(CHARTS, "2025.103.120000").unwrap();
    let text = String::from_utf8(manifest.clone()).unwrap();
    let damaged = text.replace("2025-01-03T12:00:00Z", "yesterday").replace("@sha256:", "@none:");
    target.push_manifest(CHARTS, "2025.103.130000", MANIFEST, damaged.as_bytes()).await;
    let foreign = text.replace("dev.outhaul.", "com.example.");
    target.push_manifest(CHARTS, "0.1.0", MANIFEST, foreign.as_bytes()).await;
    target.push_manifest(CHARTS, "latest", MANIFEST, &manifest).await;
    let signature = format!("sha256-{}.sig", &crate::support::images::digest(&manifest)[7..]);
    target.push_manifest(CHARTS, &signature, MANIFEST, &manifest).await;

    let outhaul = Outhaul::new();
    let reference = format!("{}/{CHARTS}", registry.address());
    registry.clear_log();
    let history = outhaul.run(&["app", "history", &reference, "-o", "json"]).ok().json();
    // This registry has no list of referrers, which is found out by the first ones that are asked for.
    let asked =
        registry.requests(&["GET"]).iter().filter(|it| it.path.contains("/referrers/")).count();
    assert!((1..=6).contains(&asked), "{asked}");
    let newest_first = [
        "2025.104.120000",
        "2025.103.130000",
        "2025.103.120000",
        "2025.102.120000",
        "2025.101.120000",
        "0.1.0",
    ];
    assert_eq!(versions(&history), newest_first);
    let rows = &history["versions"];
    assert_eq!(
        (&rows[0]["schedule"], &rows[2]["schedule"]),
        (&Value::Null, &"manifests/shop/daily".into())
    );
    assert_eq!(rows[2]["origin"], "manifests/shop/web");
    assert_eq!((&rows[2]["signed"], &rows[3]["signed"]), (&true.into(), &false.into()));
    assert_eq!(
        (&rows[0]["fidelity"]["objects"], &rows[0]["fidelity"]["identical"]),
        (&2.into(), &2.into())
    );
    assert_eq!(rows[1]["oddities"].as_array().unwrap().len(), 2, "{history:#}");
    assert_eq!(rows[5]["oddities"][0], "not made by outhaul");
    // The two oldest share an image; what is their own are the charts.
    let bytes = |row: usize, which: &str| rows[row][which].as_u64().unwrap();
    assert!(bytes(4, "bytes") > 4000 && bytes(4, "ownBytes") < bytes(4, "bytes") - 4000);
    assert_eq!(
        history["others"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|of| of["what"] == "no version")
            .count(),
        1
    );

    let two =
        outhaul.run(&["app", "history", &reference, "--limit", "2", "-o", "json"]).ok().json();
    assert_eq!((versions(&two).len(), &two["more"]), (2, &4.into()));
    let by_name = ["app", "history", "web", "-n", "shop", "-r"];
    let to = format!("{}/team", registry.address());
    let table = outhaul.run(&[&by_name[..], &[&to, "--all"]].concat()).ok().stdout;
    assert!(
        table.contains("daily") && table.contains("hand") && table.contains("latest"),
        "{table}"
    );
    outhaul.run(&["app", "history", &format!("{}/none", registry.address())]).exits(15);
}

#[tokio::test]
async fn a_pinned_version_stays_and_is_no_version_of_its_own() {
    let registry = registry();
    let place = at(&registry.address());
    for number in 0..4 {
        place.export("1", number, day(number as i64)).await;
    }
    let (outhaul, target) = (Outhaul::new(), registry.target());
    let reference = format!("{}/{CHARTS}", registry.address());
    let pinned = format!("{reference}:2025.101.120000");
    outhaul.run(&["app", "pin", &pinned]).ok();
    outhaul.run(&["app", "pin", &format!("{reference}:9.9.9")]).exits(15);
    outhaul.run(&["app", "pin", &reference]).exits(2);
    assert!(target.tags(CHARTS).contains(&"pinned-2025.101.120000".to_owned()));
    let again = place.export("1", 3, day(4)).await;
    assert_eq!(again.status, Status::Unchanged);
    let helm = Helm::v4();
    helm.run(&["pull", &format!("oci://{reference}"), "--plain-http"]).ok();
    assert!(helm.folder().join("shop-web-chart-2025.104.120000.tgz").exists());

    // Whoever is asked nothing deletes nothing.
    let keep = ["prune", &reference, "--keep-last", "1"];
    outhaul.run(&keep).exits(2);
    outhaul.run(&["prune", &reference, "--yes"]).exits(2);
    let planned = outhaul.run(&[&keep[..], &["--dry-run", "-o", "json"]].concat()).ok().json();
    let goes = |plan: &Value| {
        plan["versions"].as_array().unwrap().iter().filter(|of| of["goes"] == true).count()
    };
    assert_eq!(
        (goes(&planned), planned["versions"][3]["reasons"][0].as_str()),
        (2, Some("pinned"))
    );
    let pruned = outhaul.run(&[&keep[..], &["--yes", "-o", "json"]].concat()).ok().json();
    assert_eq!(pruned["outcome"]["versions"].as_array().unwrap().len(), 2, "{pruned:#}");
    let history = outhaul.run(&["app", "history", &reference, "-o", "json"]).ok().json();
    assert_eq!(versions(&history), ["2025.104.120000", "2025.101.120000"]);
    assert_eq!(history["versions"][1]["pinned"], true);

    for _ in 0..2 {
        outhaul.run(&["app", "unpin", &pinned]).ok();
    }
    assert!(!target.tags(CHARTS).contains(&"pinned-2025.101.120000".to_owned()));
    outhaul.run(&["verify", &pinned]).ok();
    assert_eq!(place.prune(&[claim(last(1))], day(5)).await.versions, ["2025.101.120000"]);
}

#[tokio::test]
async fn a_run_that_makes_a_version_in_any_case_makes_one() {
    let registry = registry();
    let place = at(&registry.address());
    place.export("1", 1, day(0)).await;
    let run = |due| ScheduledRun {
        namespace: "shop".to_owned(),
        name: "daily".to_owned(),
        due,
        even_if_unchanged: true,
    };
    let asked = |due| outhaul::export::Request { scheduled: Some(run(due)), ..request(None) };
    let minute = SignedDuration::from_mins(1);
    let first = place.export_of(&asked(day(1)), "1", 1, day(1) + minute).await;
    assert_eq!(first.status, Status::Exported);
    // The same run once more, as after a leader that died.
    let again = place.export_of(&asked(day(1)), "1", 1, day(1) + minute * 2).await;
    assert_eq!((again.status, &again.chart.version), (Status::Unchanged, &first.chart.version));
    let next = place.export_of(&asked(day(2)), "1", 1, day(2) + minute).await;
    assert_eq!((next.status, &next.chart.content), (Status::Exported, &first.chart.content));
    let manual = place.export_of(&request(None), "1", 1, day(3)).await;
    assert_eq!(manual.status, Status::Unchanged);
}

/// Some registries keep tags and list none (the list is optional in the specification until 1.1).
#[tokio::test]
async fn a_registry_that_lists_no_tags_is_named_and_nothing_is_deleted() {
    let registry = Faulty::start();
    let image = Image::new(1, 1, 2000);
    image.push(&registry.target(), "src/web", "1");
    let place = at(registry.address());
    let version = place.export("1", 0, day(0)).await.chart.version;
    let reference = format!("{}/{CHARTS}", registry.address());
    let (one, latest) = (format!("{reference}:{version}"), format!("{reference}@latest"));
    let commands: [&[&str]; 5] = [
        &["app", "history", &reference],
        &["prune", &reference, "--keep-last", "1", "--yes"],
        &["app", "diff", &latest, &version],
        &["app", "diff", &one, "@before=2030-01-01"],
        &["app", "pin", &one],
    ];
    let outhaul = Outhaul::new();
    for status in [405, 501] {
        for command in &commands[..4] {
            registry.fault(Fault::on("GET", "/tags/list", Trouble::Status(status)));
            let said = outhaul.run(command).exits(9);
            assert!(said.stderr.contains("lists no tags"), "{command:?}: {said:?}");
            assert!(said.stderr.contains("hint: "), "{said:?}");
        }
    }
    outhaul.run(commands[4]).ok();
    registry.fault(Fault::on("GET", "/tags/list", Trouble::Page(200, "<html>".to_owned())));
    let page = outhaul.run(commands[0]).exits(9);
    assert!(page.stderr.contains("its list of tags is malformed"), "{page:?}");
    assert_eq!(registry.count("DELETE", ""), 0);
    // One version by name needs no list.
    outhaul.run(&["verify", &one]).ok();
    outhaul.run(&["app", "diff", &one, &version]).ok();
}
