//! `app export --all-apps`: every application of a namespace, each under its own name.

use serde_json::Value;

use super::shop::{Shop, versions_in};
use crate::support::output::Output;

/// Two small applications that share an image and a ConfigMap, and what belongs to nobody.
fn add(shop: &Shop<'_>) {
    let image = format!("{}/shop/web:1.4.2", shop.sources.address());
    for name in ["one", "two"] {
        shop.namespace.apply(&format!(
            "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, labels: {{app.kubernetes.io/name: {name}}}}}
spec:
  selector: {{matchLabels: {{app.kubernetes.io/name: {name}}}}}
  template:
    metadata: {{labels: {{app.kubernetes.io/name: {name}}}}}
    spec:
      containers:
        - name: main
          image: '{image}'
          envFrom: [{{configMapRef: {{name: common}}}}, {{secretRef: {{name: of-{name}}}}}]
"
        ));
    }
    shop.namespace.apply(
        "
apiVersion: v1
kind: ConfigMap
metadata: {name: common}
data: {a: b}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: lonely}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: a, image: 'example.org/a:1'}]}
",
    );
}

fn export_all(shop: &Shop<'_>, further: &[&str]) -> Output {
    let args = ["app", "export", "--all-apps", "-n", shop.namespace.name(), "-r", "team"];
    shop.outhaul().run(&[&args[..], further].concat())
}

/// The applications of a summary, in its order.
fn apps(summary: &Value) -> Vec<&str> {
    let all = summary["apps"].as_array().unwrap().iter();
    all.map(|outcome| {
        // A report has the namespace in front.
        let report = outcome["report"]["app"].as_str().and_then(|title| title.rsplit('/').next());
        report.or(outcome["failure"]["app"].as_str()).unwrap()
    })
    .collect()
}

fn names(list: &Value) -> Vec<String> {
    let text = |object: &Value| {
        let of = |key: &str| object[key].as_str().unwrap().to_owned();
        format!("{} {}", of("kind"), of("name"))
    };
    list.as_array().unwrap().iter().map(text).collect()
}

#[test]
fn every_application_is_exported_once_and_the_rest_is_named() {
    let shop = Shop::start();
    add(&shop);
    let summary = export_all(&shop, &["-o", "json"]).ok().json();
    assert_eq!(apps(&summary), ["one", "shop", "two"]);
    for app in ["one", "shop", "two"] {
        let chart = format!("backups/{}-{app}-chart", shop.namespace.name());
        assert_eq!(versions_in(&shop, &chart).len(), 1, "{app}");
    }
    let bytes = |at: usize| &summary["apps"][at]["report"]["bytes"];
    assert!(bytes(0)["copied"].as_u64().unwrap() > 0);
    assert_eq!(bytes(2)["copied"], 0, "its image came with the first application");
    assert_eq!(bytes(2)["mounted"], bytes(0)["copied"]);
    assert_eq!(summary["shared"].as_array().unwrap().len(), 1);
    let shared = &summary["shared"][0];
    assert_eq!(
        (&shared["object"]["name"], &shared["apps"]),
        (&"common".into(), &serde_json::json!(["one", "two"]))
    );
    assert_eq!(names(&summary["leftOver"]), ["ConfigMap lonely", "Job once"]);

    shop.destination.clear_log();
    let again = export_all(&shop, &[]).ok();
    assert_eq!(shop.destination.requests(&["POST", "PUT", "PATCH"]), []);
    assert!(again.stdout.contains(&format!("3 of 3 applications of {}", shop.namespace.name())));
    assert_eq!(
        again.stdout.matches("ConfigMap common, by one, two").count(),
        1,
        "{}",
        again.stdout
    );
    assert!(
        again.stdout.contains("no application uses it\n  ConfigMap lonely\n  Job "),
        "{}",
        again.stdout
    );
}

#[test]
fn applications_and_objects_are_left_out_by_name() {
    let shop = Shop::start();
    add(&shop);
    // No Secret is read: that there is one is known from the application that refers to it.
    let args = ["--exclude-app", "shop", "--exclude", "Secret/of-one", "--exclude", "cm/common"];
    let summary = export_all(&shop, &[&args[..], &["-o", "json"]].concat()).ok().json();
    assert_eq!(apps(&summary), ["one", "two"]);
    assert_eq!(summary["excludedApps"], serde_json::json!(["shop"]));
    assert_eq!(summary["shared"], serde_json::json!([]));
    assert!(names(&summary["leftOver"]).contains(&"Deployment web".to_owned()), "{summary}");

    let unknown = export_all(&shop, &["--exclude-app", "shoop"]).exits(3);
    assert!(unknown.stderr.contains("known applications: one, shop, two"), "{unknown:?}");
    let nothing = export_all(&shop, &["--exclude", "Secret/of-three"]).exits(2);
    assert!(nothing.stderr.contains("Secret/of-three"), "{nothing:?}");
    export_all(&shop, &["--chart-name", "same"]).exits(2);
    let empty = shop.namespace.cluster().namespace("empty");
    let args = ["app", "export", "--all-apps", "-n", empty.name(), "-r", "team"];
    shop.outhaul().run(&args).exits(3);
}

#[test]
fn one_that_fails_does_not_stop_the_others() {
    let shop = Shop::start();
    add(&shop);
    let (sources, name) = (&shop.sources, shop.namespace.name());
    sources.target().delete_manifest("shop/api", &shop.images[1].1);
    let output = export_all(&shop, &["-o", "json"]).exits(10);
    let summary = output.json();
    assert_eq!(apps(&summary), ["one", "shop", "two"]);
    assert_eq!(summary["apps"][1]["failure"]["exit"], 10);
    assert!(output.stderr.contains("error: 1 of 3 applications were not exported: shop"));
    let tags = |app: &str| versions_in(&shop, &format!("backups/{name}-{app}-chart"));
    assert_eq!((tags("one").len(), tags("shop").len(), tags("two").len()), (1, 0, 1));

    let args = ["app", "export", "--all-apps", "-n", name, "-o", "json"];
    let bundle = shop.outhaul();
    let written = bundle.run(&[&args[..], &["--to", "all.tar"]].concat()).exits(10);
    assert_eq!(apps(&written.json()), ["one", "shop", "two"]);
    assert!(bundle.home().join("all.tar").exists());
    let alone = ["--to", "none.tar", "--exclude-app", "one", "--exclude-app", "two"];
    bundle.run(&[&args[..], &alone].concat()).exits(10);
    assert!(!bundle.home().join("none.tar").exists(), "nothing was exported");
}

#[test]
fn a_dry_run_shows_every_plan() {
    let shop = Shop::start();
    add(&shop);
    let plans = export_all(&shop, &["--dry-run", "-o", "json"]).ok().json();
    let of = |app: &Value| app["plan"]["app"].as_str().unwrap().to_owned();
    let names: Vec<String> = plans["apps"].as_array().unwrap().iter().map(of).collect();
    assert_eq!(names, ["one", "shop", "two"]);
    assert_eq!(shop.destination.requests(&["POST", "PUT", "PATCH"]), []);
}
