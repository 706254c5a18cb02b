//! Releases that helm 3 and 4 installed, by either driver: found by name, and nothing of their
//! values kept.

use outhaul::app::helm::Lookup;
use outhaul::app::{App, FoundBy, Options, Selection, Snapshot, assemble, list};
use outhaul::cluster::{Live, Manifests, Records, Scope, Source as _};
use outhaul::export::{self, Request};
use serde_json::{Value, json};

use super::live::options;
use crate::support::cluster::cluster;
use crate::support::helm::Helm;
use crate::support::objects::Namespace;

const TEMPLATES: [(&str, &str); 5] = [
    (
        "deployment",
        "apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'example.org/web:{{ .Values.tag }}'}]}
",
    ),
    (
        "settings",
        "apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {tag: '{{ .Values.tag }}'}
",
    ),
    (
        "keys",
        "apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {password: '{{ .Values.password }}'}
",
    ),
    (
        "before",
        "apiVersion: v1
kind: ConfigMap
metadata: {name: before, annotations: {helm.sh/hook: 'pre-install,pre-upgrade'}}
data: {}
",
    ),
    (
        "check",
        "apiVersion: batch/v1
kind: Job
metadata: {name: check, annotations: {helm.sh/hook: test}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}
",
    ),
];

/// Installs the chart as `shop`.
fn install(helm: &Helm, namespace: &str) {
    helm.write("shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.2.3\n");
    helm.write("shop/values.yaml", "tag: '1'\npassword: canary-default\n");
    for (name, text) in TEMPLATES {
        helm.write(&format!("shop/templates/{name}.yaml"), text);
    }
    helm.run(&["install", "shop", "shop", "-n", namespace, "--set", "password=canary-given"]).ok();
}

async fn read(user: &str, namespace: &str) -> Snapshot {
    read_scope(user, scope(namespace, "shop")).await
}

async fn read_all(user: &str, namespace: &str) -> Snapshot {
    read_scope(user, Scope { releases: Records::All, ..scope(namespace, "") }).await
}

async fn read_scope(user: &str, scope: Scope) -> Snapshot {
    let live = Live::connect(&options(cluster().kubeconfig(user))).await.unwrap();
    live.snapshot(&scope).await.unwrap()
}

fn scope(namespace: &str, release: &str) -> Scope {
    Scope { releases: Records::Of(release.to_owned()), ..Scope::new(Some(namespace.to_owned())) }
}

fn app(snapshot: &Snapshot) -> App {
    assemble(snapshot, &Selection::Name("shop".into()), &Options::default()).unwrap()
}

fn ids(app: &App) -> Vec<String> {
    app.objects.iter().map(|object| object.id().to_string()).collect()
}

fn codes(app: &App) -> Vec<String> {
    let found = app.findings.iter().filter(|finding| finding.code.as_str().starts_with("HELM"));
    found.map(|f| format!("{} {}", f.code, f.object.as_ref().map_or("", |id| &id.name))).collect()
}

const HOOKS: [&str; 2] = ["HELM_HOOK_SKIPPED before", "HELM_HOOK_SKIPPED check"];

#[tokio::test]
async fn a_release_is_found_with_its_secrets_and_hooks_by_either_helm_and_driver() {
    for driver in ["secret", "configmap"] {
        for helm in Helm::both() {
            let helm = helm.driver(driver).kubeconfig(cluster().kubeconfig("admin"));
            let namespace = cluster().namespace("release");
            install(&helm, namespace.name());
            let snapshot = read("admin", namespace.name()).await;
            let saved = String::from_utf8(snapshot.to_json().unwrap()).unwrap();
            assert!(!saved.contains("canary") && !format!("{snapshot:?}").contains("canary"));
            let Lookup::Found(release) = &snapshot.release else {
                panic!("{:?}", snapshot.release)
            };
            assert_eq!((release.revision, release.chart.as_str()), (1, "shop-1.2.3"));
            let app = app(&snapshot);
            assert_eq!(app.found_by, FoundBy::HelmRelease);
            assert_eq!(ids(&app), ["ConfigMap settings", "Deployment shop-web"]);
            assert_eq!(
                (app.secrets[0].name.as_str(), &app.secrets[0].keys[..]),
                ("keys", &["password".to_owned()][..])
            );
            assert_eq!(codes(&app), HOOKS);
            let all = Selection::All { name: "all".into() };
            let all = assemble(&snapshot, &all, &Options::default()).unwrap();
            assert_eq!(
                ids(&all),
                ["ConfigMap before", "ConfigMap settings", "Deployment shop-web"]
            );
        }
    }
}

#[tokio::test]
async fn every_release_of_a_namespace_is_found_by_its_record() {
    for (driver, helm) in ["secret", "configmap"].into_iter().zip(Helm::both()) {
        let helm = helm.driver(driver).kubeconfig(cluster().kubeconfig("admin"));
        let namespace = cluster().namespace("release");
        install(&helm, namespace.name());
        helm.write("more/Chart.yaml", "apiVersion: v2\nname: more\nversion: 1.0.0\n");
        helm.write(
            "more/templates/more.yaml",
            &TEMPLATES[1].1.replace("name: settings", "name: more"),
        );
        helm.run(&["install", "more", "more", "-n", namespace.name()]).ok();
        let snapshot = read_all("admin", namespace.name()).await;
        let saved = snapshot.to_json().unwrap();
        assert!(!String::from_utf8_lossy(&saved).contains("canary"));
        for snapshot in [snapshot, Snapshot::from_json(&saved).unwrap()] {
            let found =
                list(&snapshot).into_iter().map(|of| (of.name, of.found_by, of.workloads.len()));
            let release =
                |name: &str, workloads| (name.to_owned(), FoundBy::HelmRelease, workloads);
            assert_eq!(found.collect::<Vec<_>>(), [release("more", 0), release("shop", 1)]);
            assert_eq!(ids(&app(&snapshot)), ["ConfigMap settings", "Deployment shop-web"]);
            assert_eq!(codes(&app(&snapshot)), HOOKS);
        }
        let snapshot = read_all("viewer", namespace.name()).await;
        let forbidden = matches!(snapshot.release, Lookup::Forbidden { .. });
        assert!(forbidden, "{:?}", snapshot.release);
        assert_eq!(list(&snapshot).len(), 2, "annotations are enough");
    }
}

#[tokio::test]
async fn the_newest_deployed_revision_counts_and_a_failed_one_is_told() {
    let helm = Helm::v3().kubeconfig(cluster().kubeconfig("admin"));
    let namespace = cluster().namespace("release");
    let name = namespace.name();
    install(&helm, name);
    helm.run(&["upgrade", "shop", "shop", "-n", name, "--set", "tag=2"]).ok();
    // The selector cannot be changed.
    let broken = TEMPLATES[0].1.replace("app: web", "app: changed");
    helm.write("shop/templates/deployment.yaml", &broken);
    helm.run(&["upgrade", "shop", "shop", "-n", name]).exits(1);
    namespace.delete("v1", "ConfigMap", "settings");
    let app = app(&read("admin", name).await);
    assert_eq!(
        codes(&app),
        [&HOOKS[..], &["HELM_RELEASE_DIFFERS settings", "HELM_RELEASE_UNFINISHED "]].concat()
    );
    let unfinished =
        &app.findings.iter().find(|f| f.code.as_str().ends_with("UNFINISHED")).unwrap();
    assert!(
        unfinished.text.starts_with("revision 3 of the release is failed, and revision 2 counts")
    );
}

#[tokio::test]
async fn without_a_right_to_secrets_the_annotations_are_enough() {
    let helm = Helm::v4().kubeconfig(cluster().kubeconfig("admin"));
    let namespace = cluster().namespace("release");
    install(&helm, namespace.name());
    let app = app(&read("viewer", namespace.name()).await);
    assert_eq!(app.found_by, FoundBy::HelmRelease);
    assert_eq!(ids(&app), ["ConfigMap settings", "Deployment shop-web"]);
    assert_eq!(codes(&app), ["HELM_RECORD_NOT_READ "]);
}

/// A server may read more than who asks it.
#[tokio::test]
async fn a_record_that_is_left_unread_is_said_to_be() {
    let helm = Helm::v4().kubeconfig(cluster().kubeconfig("admin"));
    let namespace = cluster().namespace("release");
    let name = namespace.name();
    install(&helm, name);
    let live = Live::connect(&options(cluster().kubeconfig("admin"))).await.unwrap();
    let selection = Selection::Name("shop".into());
    let request = Request::named(selection, Some(name.to_owned()));
    let request = Request { release_record: false, ..request };
    let app = app(&export::resolve::read(&request, &live).await.unwrap());
    assert_eq!(ids(&app), ["ConfigMap settings", "Deployment shop-web"]);
    assert_eq!(codes(&app), ["HELM_RECORD_NOT_READ "]);
}

#[tokio::test]
async fn files_hold_records_as_well() {
    let helm = Helm::v3().kubeconfig(cluster().kubeconfig("admin"));
    let namespace = cluster().namespace("release");
    install(&helm, namespace.name());
    let whole = app(&from_files(&namespace, |_| ()).await);
    assert_eq!(whole.found_by, FoundBy::HelmRelease);
    assert_eq!(ids(&whole), ["ConfigMap settings", "Deployment shop-web"]);
    assert_eq!(codes(&whole), HOOKS);
    let broken = app(&from_files(&namespace, |data| *data = json!("bm8gYmFzZTY0IQ==")).await);
    assert_eq!(ids(&broken), ids(&whole));
    assert_eq!(codes(&broken), ["HELM_RECORD_BROKEN "]);
}

/// The objects of the namespace as a file, with the payload of helm's record changed.
async fn from_files(namespace: &Namespace<'_>, change: impl Fn(&mut Value)) -> Snapshot {
    let kinds = [("apps/v1", "Deployment"), ("v1", "ConfigMap"), ("v1", "Secret")];
    let mut items: Vec<Value> = Vec::new();
    for (api, kind) in kinds {
        items.extend(namespace.list(api, kind).into_iter().map(|mut item| {
            (item["apiVersion"], item["kind"]) = (api.into(), kind.into());
            item
        }));
    }
    for item in &mut items {
        if let Some(data) = item.pointer_mut("/data/release") {
            change(data);
        }
    }
    let file = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    let manifests =
        Manifests::from_reader(file.as_bytes(), "all.json", jiff::Timestamp::UNIX_EPOCH);
    manifests.unwrap().snapshot(&scope(namespace.name(), "shop")).await.unwrap()
}
