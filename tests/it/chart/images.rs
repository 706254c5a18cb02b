//! Images outside of containers, images that stay where they are, and images that stand nowhere.

use outhaul::app::{App, ContainerRef, ImageUse, Object, SecretValues, SecretsPolicy};
use outhaul::chart::{Chart, build};
use serde_json::{Value, json};

use super::oracle::{differences, rendered};
use super::shop;
use crate::support::helm::Helm;

/// A pod with an image that stays and one in a volume, and a resource of an operator, which names
/// one image in a field and another nowhere.
fn app() -> App {
    let objects = json!([
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {
            "containers": [{"name": "main", "image": "quay.io/a/web:1"}],
            "volumes": [{"name": "model", "image": {"reference": "r.io/model:1", "pullPolicy": "Always"}}]}},
        {"apiVersion": "db.example.com/v1", "kind": "Database", "metadata": {"name": "db"},
            "spec": {"imageName": "r.io/db:1"}},
    ]);
    let mut app = shop::app_of(objects);
    let ids: Vec<_> = app.objects.iter().map(Object::id).collect();
    let image = |key: &str, image: &str, at: usize, pointer: &str, kept: bool| ImageUse {
        key: key.to_owned(),
        image: image.to_owned(),
        at: None,
        uses: vec![ContainerRef {
            object: ids[at].clone(),
            pointer: pointer.to_owned(),
            container: "main".to_owned(),
        }],
        running: Vec::new(),
        kept,
    };
    app.images = vec![
        image("web", "quay.io/a/web:1", 0, "/spec/containers/0", true),
        image("model", "r.io/model:1", 0, "/spec/volumes/0/image/reference", false),
        image("db", "r.io/db:1", 1, "/spec/imageName", false),
        image("backup", "r.io/backup:1", 1, "", false),
    ];
    app
}

fn chart() -> Chart {
    let (app, none) = (app(), SecretValues::default());
    let mut input = shop::input(&app, SecretsPolicy::Reference, &none);
    input.images[0].registry = "quay.io".to_owned();
    input.images[0].repository = "a/web".to_owned();
    build(&input).unwrap()
}

fn file(chart: &Chart, path: &str) -> String {
    String::from_utf8(chart.files[path].clone()).unwrap()
}

#[test]
fn every_image_has_its_digest_wherever_it_stands() {
    let chart = chart();
    for helm in Helm::both() {
        let objects = rendered(&helm, &chart, &[]);
        let at = |object: &str, pointer: &str| objects[object].pointer(pointer).unwrap().clone();
        let ours = |digit: &str| {
            let digest = digit.repeat(64);
            Value::from(format!("registry.example.com/team/shop-shop-image@sha256:{digest}"))
        };
        let kept = format!("quay.io/a/web@sha256:{}", "a".repeat(64));
        assert_eq!(at("Pod web", "/spec/containers/0/image"), kept);
        assert_eq!(at("Pod web", "/spec/volumes/0/image/reference"), ours("b"));
        assert_eq!(at("Pod web", "/spec/volumes/0/image/pullPolicy"), "Always");
        assert_eq!(at("Database db", "/spec/imageName"), ours("c"));
    }
}

#[test]
fn an_image_that_stays_is_relocated_only_when_told() {
    let chart = chart();
    for helm in Helm::both() {
        let before = rendered(&helm, &chart, &[]);
        let all = ["--set", "global.imageRegistry=mirror.test/x"];
        let changes = differences(&before, &rendered(&helm, &chart, &all));
        assert_eq!(changes.len(), 2, "{changes:#?}");
        assert!(changes.iter().all(|change| !change.contains("quay.io")), "{changes:#?}");
        let told = [&all[..], &["--set", "images.web.keep=false"]].concat();
        let changes = differences(&before, &rendered(&helm, &chart, &told));
        assert_eq!(changes.len(), 3, "{changes:#?}");
        assert!(changes.iter().any(|change| change.contains("\"mirror.test/x/a/web@sha256:")));
        helm.run(&["template", "x", "chart.tgz", "--set", "images.model.keep=true"]).exits(1);
    }
}

/// A value that changes nothing is no value.
#[test]
fn an_image_that_stands_nowhere_is_in_the_lock_and_is_no_value() {
    let chart = chart();
    let lock = file(&chart, "images.lock");
    assert!(lock.contains("key: backup") && lock.contains("source: r.io/backup:1"), "{lock}");
    assert_eq!(lock.matches("kept: true").count(), 1, "{lock}");
    assert!(!file(&chart, "values.yaml").contains("backup"));
    assert!(!file(&chart, "values.schema.json").contains("backup"));
}

#[test]
fn a_chart_that_keeps_no_image_does_not_speak_of_it() {
    for path in ["values.yaml", "templates/_helpers.tpl", "images.lock"] {
        let text = file(&shop::chart(), path);
        assert!(
            !text.contains("keep\"") && !text.contains(".keep") && !text.contains("kept:"),
            "{path}"
        );
    }
}
