//! Helm releases and Epinio applications by name, from what a snapshot says of them.

use outhaul::app::helm::{Hook, Lookup, Newer, Release, Rendered, SecretShape};
use outhaul::app::{
    App, FoundBy, ObjectId, Options, Origin, Selection, Snapshot, assemble, assemble_all, list,
};

use super::{cluster, codes, kinds, named, snapshot, yaml};

const ANNOTATIONS: &str =
    "annotations: {meta.helm.sh/release-name: shop, meta.helm.sh/release-namespace: shop}";

fn object(kind: &str, name: &str, metadata: &str) -> String {
    let (api, spec) = match kind {
        "Deployment" => {
            ("apps/v1", "spec: {template: {spec: {containers: [{name: a, image: a}]}}}")
        }
        _ => ("v1", "data: {}"),
    };
    format!(
        "{{apiVersion: {api}, kind: {kind}, metadata: {{name: {name}, {metadata}}}, {spec}}}\n---\n"
    )
}

fn id(group: &str, kind: &str, namespace: Option<&str>, name: &str) -> ObjectId {
    ObjectId {
        group: group.into(),
        kind: kind.into(),
        namespace: namespace.map(str::to_owned),
        name: name.into(),
    }
}

fn rendered(object: ObjectId) -> Rendered {
    Rendered { object, source: "shop/templates/a.yaml".into(), secret: None }
}

fn release(objects: Vec<Rendered>) -> Release {
    Release {
        name: "shop".into(),
        namespace: "shop".into(),
        revision: 3,
        status: "deployed".into(),
        chart: "shop-1.0.0".into(),
        objects,
        hooks: Vec::new(),
        broken_documents: 0,
        newer: Vec::new(),
        exported: None,
        record: None,
    }
}

fn live(text: &str, release: Release) -> Snapshot {
    let mut snapshot = snapshot(cluster(), yaml(text));
    snapshot.release = Lookup::Found(Box::new(release));
    snapshot
}

fn select(text: &str) -> App {
    named(&snapshot(Origin::Manifests, yaml(text)), "shop")
}

#[test]
fn a_release_goes_before_labels() {
    let text = object("Deployment", "web", ANNOTATIONS)
        + &object("ConfigMap", "loose", ANNOTATIONS)
        + &object("Deployment", "other", "labels: {app.kubernetes.io/instance: shop}");
    let app = select(&text);
    assert_eq!(kinds(&app), ["ConfigMap loose", "Deployment web"]);
    assert_eq!(app.found_by, FoundBy::HelmRelease);
    let snapshot = snapshot(Origin::Manifests, yaml(&text));
    let listed: Vec<_> = list(&snapshot).into_iter().map(|of| (of.name, of.found_by)).collect();
    let other = FoundBy::Workload(id("apps", "Deployment", None, "other"));
    assert_eq!(listed, [("other".to_owned(), other), ("shop".to_owned(), FoundBy::HelmRelease)]);
}

#[test]
fn a_release_of_another_namespace_has_no_say_here() {
    let foreign = ANNOTATIONS.replace("release-namespace: shop", "release-namespace: other");
    let text = object("Deployment", "web", &foreign) + &object("Deployment", "shop", "");
    assert_eq!(kinds(&select(&text)), ["Deployment shop"]);
}

#[test]
fn the_record_knows_objects_that_lost_their_annotation_and_says_what_is_gone() {
    let mut of = release(vec![
        rendered(id("extensions", "Deployment", None, "web")),
        rendered(id("", "ConfigMap", None, "gone")),
        rendered(id("", "ConfigMap", Some("far"), "away")),
        rendered(id("apiextensions.k8s.io", "CustomResourceDefinition", None, "a.example.com")),
        rendered(id("coordination.k8s.io", "Lease", None, "unseen")),
    ]);
    of.newer = vec![Newer { revision: 4, status: "failed".into() }];
    of.hooks = ["migrate", "used"]
        .map(|name| Hook {
            object: id("", "ConfigMap", None, name),
            events: vec!["pre-install".into()],
        })
        .into();
    let text = object("Deployment", "web", "")
        .replace("image: a", "image: a, envFrom: [{configMapRef: {name: used}}]")
        + &object("ConfigMap", "kept", ANNOTATIONS)
        + &object("ConfigMap", "used", "")
        + &object("ConfigMap", "migrate", "");
    let app = named(&live(&text, of), "shop");
    assert_eq!(kinds(&app), ["ConfigMap kept", "ConfigMap used", "Deployment web"]);
    assert_eq!(
        codes(&app),
        [
            "CLUSTER_SCOPED_REQUIRED CustomResourceDefinition a.example.com",
            "HELM_HOOK_SKIPPED ConfigMap migrate",
            "HELM_RELEASE_DIFFERS ConfigMap gone",
            "HELM_RELEASE_DIFFERS ConfigMap kept",
            "HELM_RELEASE_UNFINISHED",
            "NOT_EXPORTED ConfigMap far/away",
        ]
    );
    assert_eq!(app.requirements[0].reason, "the chart shop-1.0.0 has it");
}

#[test]
fn secrets_of_the_record_are_known_without_being_read() {
    let secret = |name: &str, secret_type: &str| Rendered {
        secret: Some(SecretShape {
            secret_type: Some(secret_type.into()),
            keys: vec!["a".into(), "b".into()],
        }),
        ..rendered(id("", "Secret", None, name))
    };
    let of = release(vec![
        secret("whole", "example.com/login"),
        secret("loose", "Opaque"),
        secret("pull", "kubernetes.io/dockerconfigjson"),
    ]);
    let text = object("Deployment", "web", ANNOTATIONS)
        .replace("image: a", "image: a, envFrom: [{secretRef: {name: whole}}]");
    let app = named(&live(&text, of.clone()), "shop");
    let found: Vec<_> =
        app.secrets.iter().map(|s| (s.name.as_str(), s.complete, s.keys.len())).collect();
    assert_eq!(found, [("loose", true, 2), ("whole", true, 2)]);
    assert_eq!(app.secrets[1].secret_type.as_deref(), Some("example.com/login"));
    let options =
        Options { exclude: vec![("Secret".into(), "loose".into())], ..Options::default() };
    let app = assemble(&live(&text, of), &Selection::Name("shop".into()), &options).unwrap();
    assert_eq!(app.secrets.len(), 1);
}

#[test]
fn a_record_alone_is_no_application() {
    let of = release(vec![rendered(id("apps", "Deployment", None, "web"))]);
    let text = object("Deployment", "shop", "");
    let app = named(&live(&text, of), "shop");
    assert_eq!(app.found_by, FoundBy::Workload(id("apps", "Deployment", None, "shop")));
}

#[test]
fn what_a_record_says_survives_a_saved_snapshot() {
    let of = release(vec![rendered(id("", "ConfigMap", None, "gone"))]);
    let before = live(&object("Deployment", "web", ANNOTATIONS), of);
    let after = Snapshot::from_json(&before.to_json().unwrap()).unwrap();
    assert_eq!(after.release, before.release);
    assert_eq!(codes(&named(&after, "shop")), codes(&named(&before, "shop")));
}

#[test]
fn a_record_that_is_damaged_or_may_not_be_read_is_a_finding() {
    let text = object("Deployment", "web", ANNOTATIONS);
    for (lookup, code) in [
        (Lookup::Forbidden { reason: "no".into() }, "HELM_RECORD_NOT_READ"),
        (Lookup::Broken { record: "r".into(), reason: "cut".into() }, "HELM_RECORD_BROKEN"),
    ] {
        let mut snapshot = snapshot(cluster(), yaml(&text));
        snapshot.release = lookup;
        assert_eq!(codes(&named(&snapshot, "shop")), [code]);
        let all = Selection::All { name: "shop".into() };
        let of_all = codes(&assemble(&snapshot, &all, &Options::default()).unwrap());
        assert_eq!(of_all.contains(&code.to_owned()), code == "HELM_RECORD_NOT_READ", "{of_all:?}");
    }
}

const EPINIO: &str = "{apiVersion: application.epinio.io/v1, kind: App, metadata: {name: shop}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: r-shop, annotations: {meta.helm.sh/release-name: shop-0123, meta.helm.sh/release-namespace: shop}}
spec:
  template:
    metadata: {labels: {app.kubernetes.io/name: shop, app.kubernetes.io/part-of: shop, app.kubernetes.io/component: application}}
    spec:
      containers: [{name: a, image: a}]
      volumes: [{name: c, secret: {secretName: bound}}]
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: by-another-chart, annotations: {meta.helm.sh/release-name: shop-0123, meta.helm.sh/release-namespace: shop}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: others, labels: {app: shop}}}
---
{apiVersion: v1, kind: Secret, metadata: {name: bound, ownerReferences: [{apiVersion: application.epinio.io/v1, kind: App, name: shop}]}}
";

#[test]
fn an_epinio_application_goes_before_all_and_comes_without_epinio() {
    let app = select(EPINIO);
    assert_eq!(app.found_by, FoundBy::EpinioApp);
    assert_eq!(kinds(&app), ["ConfigMap by-another-chart", "Deployment r-shop"]);
    assert_eq!(app.secrets[0].name, "bound");
    assert_eq!(codes(&app), ["EPINIO_SKIPPED App shop"]);
    let listed = list(&snapshot(Origin::Manifests, yaml(EPINIO)));
    assert_eq!((listed[0].name.as_str(), &listed[0].found_by), ("shop", &FoundBy::EpinioApp));
    assert_eq!(listed.len(), 1);
}

/// Annotations may be gone, and a release may have no workload.
#[test]
fn every_release_with_a_record_is_an_application() {
    let text = object("Deployment", "web", "labels: {app: x}")
        + &object("ConfigMap", "settings", "labels: {}")
        + &object("ConfigMap", "lonely", "labels: {}");
    let mut snapshot = snapshot(cluster(), yaml(&text));
    for (name, object) in [
        ("one", id("apps", "Deployment", None, "web")),
        ("two", id("", "ConfigMap", None, "settings")),
        ("gone", id("", "ConfigMap", None, "absent")),
    ] {
        let release = Release { name: name.into(), ..release(vec![rendered(object)]) };
        snapshot.releases.add(name.to_owned(), Lookup::Found(Box::new(release)));
    }
    let found = list(&snapshot).into_iter().map(|of| (of.name, of.found_by, of.workloads.len()));
    let release = |name: &str, workloads| (name.to_owned(), FoundBy::HelmRelease, workloads);
    assert_eq!(found.collect::<Vec<_>>(), [release("one", 1), release("two", 0)]);
    let all = assemble_all(&snapshot, &Options::default(), &[]).unwrap();
    assert_eq!(kinds(all.apps["two"].as_ref().unwrap()), ["ConfigMap settings"]);
    assert_eq!(all.left_over, [id("", "ConfigMap", None, "lonely")]);
}
