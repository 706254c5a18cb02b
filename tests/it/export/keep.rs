//! Images that stay where they are, and images outside of containers, on real parts.

use serde_json::{Value, json};

use super::shop::{Shop, codes, push_images, status};
use crate::support::outhaul::Outhaul;
use crate::support::registry::Registry;

/// The image of the only planned or reported image with this key.
fn image<'a>(report: &'a Value, key: &str) -> &'a Value {
    report["images"].as_array().unwrap().iter().find(|image| image["key"] == key).unwrap()
}

#[test]
fn an_image_that_is_kept_is_pinned_and_not_copied() {
    let shop = Shop::start();
    let pattern = format!("{}/shop/db:*", shop.sources.address());
    let keep = ["--keep-image", pattern.as_str()];
    let plan = shop.export(&[&keep[..], &["--dry-run"]].concat()).ok().json();
    assert_eq!(
        (&image(&plan, "db")["kept"], &image(&plan, "web")["kept"]),
        (&json!(true), &Value::Null)
    );
    let (_, digest) = &shop.images[2];
    let report = shop.export(&keep).ok().json();
    let kept = image(&report, "db");
    let stays = format!("{}/shop/db", shop.sources.address());
    assert_eq!((&kept["kept"], &kept["digest"]), (&json!(true), &json!(digest)));
    assert_eq!((&kept["repository"], &kept["tags"]), (&json!(stays), &json!([])));
    let target = shop.destination.target();
    assert_eq!(target.manifest(&shop.image_repository(), digest), None);
    assert!(target.manifest(&shop.image_repository(), &shop.images[0].1).is_some());
    // The same again is nothing new; without the flag the image is copied, as a new version.
    assert_eq!(status(&shop.export(&keep).ok()), "unchanged");
    assert_eq!(status(&shop.export(&[]).ok()), "exported");
    assert!(target.manifest(&shop.image_repository(), digest).is_some());
    shop.export(&["--keep-image", "a["]).exits(2);
}

/// The registry of an image that stays need not be readable from here.
#[test]
fn an_image_that_is_kept_is_pinned_by_what_the_node_reports() {
    let shop = Shop::start();
    let (image_id, digest) = ("127.0.0.1:1/far", format!("sha256:{}", "d".repeat(64)));
    shop.namespace.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: far}
spec: {containers: [{name: far, image: '127.0.0.1:1/far:1'}]}
",
    );
    let running = json!({"phase": "Running", "containerStatuses": [{"name": "far",
        "image": "127.0.0.1:1/far:1", "imageID": format!("{image_id}@{digest}"), "ready": true,
        "restartCount": 0}]});
    shop.namespace.patch_status("v1", "Pod", "far", &running);
    let namespace = shop.namespace.name();
    let args = ["app", "export", "far", "-n", namespace, "-r", "team", "-o", "json"];
    shop.outhaul().run(&args).exits(9);
    let keep = [&args[..], &["--keep-image", "127.0.0.1:1/*"]].concat();
    let report = shop.outhaul().run(&keep).ok().json();
    assert_eq!(report["images"][0]["digest"], digest);
    assert_eq!(codes(&report), ["IMAGE_NOT_READ", "POD_SECURITY_BASELINE"]);
}

#[test]
fn a_volume_of_an_image_goes_along() {
    let shop = Shop::start();
    let reference = format!("{}/shop/db:15", shop.sources.address());
    let web = format!("{}/shop/web:1.4.2", shop.sources.address());
    shop.namespace.apply(&format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: model}}
spec:
  containers: [{{name: main, image: '{web}', volumeMounts: [{{name: model, mountPath: /m}}]}}]
  volumes: [{{name: model, image: {{reference: '{reference}'}}}}]
"
    ));
    let namespace = shop.namespace.name();
    let args = ["app", "export", "model", "-n", namespace, "-r", "team", "-o", "json"];
    let report = shop.outhaul().run(&args).ok().json();
    let (_, digest) = &shop.images[2];
    assert_eq!(image(&report, "db")["digest"], *digest);
    let repository = format!("backups/{namespace}-model-image");
    assert!(shop.destination.target().manifest(&repository, digest).is_some());
}

/// A resource of which a field names one image, and its operator knows another.
#[test]
fn images_of_an_operator_are_copied_pointed_to_and_verified() {
    let registry = Registry::plain().start();
    push_images(&registry);
    let outhaul = Outhaul::new();
    let at = registry.address();
    let owner =
        "{apiVersion: db.example.com/v1, kind: Database, name: main, uid: x, controller: true}";
    outhaul.write(
        "app.yaml",
        format!(
            "
apiVersion: db.example.com/v1
kind: Database
metadata: {{name: main}}
spec: {{imageName: '{at}/shop/db:15'}}
---
apiVersion: v1
kind: Pod
metadata: {{name: main-1, ownerReferences: [{owner}]}}
spec:
  containers:
  - {{name: db, image: '{at}/shop/db:15'}}
  - {{name: metrics, image: '{at}/shop/web:1.4.2'}}
status: {{phase: Running}}
"
        ),
    );
    let to = format!("{at}/backup");
    let args = ["app", "export", "main", "--all", "--from", "app.yaml", "-n", "shop", "-r", &to];
    let report = outhaul.run(&[&args[..], &["-o", "json"]].concat()).ok().json();
    assert_eq!(report["images"].as_array().unwrap().len(), 2, "{report:#}");
    let of_operator = report["findings"].as_array().unwrap().iter();
    let texts: Vec<_> = of_operator
        .filter(|finding| finding["code"] == "IMAGE_OF_OPERATOR")
        .map(|finding| finding["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts.len(), 1, "{report:#}");
    assert!(texts[0].starts_with("container `metrics` of Database main runs"), "{texts:?}");
    assert!(texts[0].contains(&format!("it is at {to}/shop-main-image@sha256:")), "{texts:?}");
    let chart = report["chart"]["repository"].as_str().unwrap();
    outhaul.run(&["verify", chart]).ok();
    let copied = format!("{at}/elsewhere");
    outhaul.run(&["app", "copy", chart, &copied]).ok();
    outhaul.run(&["verify", &format!("{copied}/shop-main-chart")]).ok();
}
