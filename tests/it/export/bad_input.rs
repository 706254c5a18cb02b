//! Namespaces and objects that no careful person makes, on a real API server.

use std::time::Instant;

use futures_util::StreamExt as _;
use kube::Api;
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams,
};
use serde_json::{Value, json};

use super::shop::{Shop, codes, versions};
use crate::support::block_on;
use crate::support::cluster::cluster;
use crate::support::helm::Helm;
use crate::support::objects::Namespace;
use crate::support::outhaul::Outhaul;

fn kind(group: &str, version: &str, kind: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

fn admin() -> Outhaul {
    Outhaul::new().kubeconfig(cluster().kubeconfig("admin"))
}

/// Creates objects as they are, many at once.
fn create(namespace: &Namespace<'_>, resource: &ApiResource, objects: Vec<Value>) {
    block_on(async {
        let client = namespace.cluster().client("admin").await;
        let api: Api<DynamicObject> = Api::namespaced_with(client, namespace.name(), resource);
        let params = PostParams::default();
        let created = futures_util::stream::iter(objects).map(|object| {
            let object: DynamicObject = serde_json::from_value(object).unwrap();
            let (api, params) = (api.clone(), params.clone());
            async move { api.create(&params, &object).await.map(drop) }
        });
        let results: Vec<_> = created.buffer_unordered(32).collect().await;
        results.into_iter().for_each(|result| result.unwrap());
    });
}

fn delete_namespace(namespace: &Namespace<'_>) {
    block_on(async {
        let client = namespace.cluster().client("admin").await;
        let api: Api<DynamicObject> = Api::all_with(client, &kind("", "v1", "Namespace"));
        api.delete(namespace.name(), &DeleteParams::default()).await.unwrap();
    });
}

#[test]
fn a_namespace_that_is_being_deleted_is_not_exported_by_mistake() {
    let shop = Shop::start();
    delete_namespace(&shop.namespace);
    let refused = shop.export(&[]).exits(4);
    let text = format!("error: namespace `{}` is being deleted", shop.namespace.name());
    assert!(refused.stderr.starts_with(&text), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint: ") && refused.stderr.contains("--allow-terminating"));
    assert_eq!(versions(&shop), Vec::<String>::new());
    let told = shop.export(&["--allow-terminating"]).ok().json();
    assert!(codes(&told).contains(&"NAMESPACE_TERMINATING"), "{told}");
    let shown = shop.outhaul().run(&["app", "show", "shop", "-n", shop.namespace.name()]).ok();
    assert!(shown.mentions("NAMESPACE_TERMINATING"));
}

#[test]
fn an_object_that_is_being_deleted_is_exported_and_said() {
    let namespace = cluster().namespace("leaving");
    namespace.apply(
        "
apiVersion: v1
kind: ConfigMap
metadata: {name: held, finalizers: [example.org/hold]}
data: {a: b}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: stays}
",
    );
    namespace.delete("v1", "ConfigMap", "held");
    let args = ["app", "show", "x", "--all", "-n", namespace.name(), "-o", "json"];
    let app = admin().run(&args).ok().json();
    let said: Vec<_> = app["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["code"] == "BEING_DELETED")
        .map(|finding| finding["object"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(said, ["held"]);
    assert_eq!(app["objects"].as_array().unwrap().len(), 2);
}

/// Names of 253 characters, keys as long, labels of 63, an annotation of 200 KiB.
#[test]
fn the_longest_names_that_kubernetes_takes_are_what_helm_takes_back() {
    let namespace = cluster().namespace("long");
    let name = |tail: &str| format!("{}.{tail}", "a".repeat(251));
    let objects: Vec<Value> = ["a", "b"].iter().map(|tail| json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name(tail),
            "labels": {format!("example.org/{}", "l".repeat(63)): "v".repeat(63)},
            "annotations": {format!("{}/{}", "d".repeat(63), "n".repeat(63)): "x".repeat(200 << 10)}},
        "data": {"k".repeat(253): "{{ .Values }}"}})).collect();
    create(&namespace, &kind("", "v1", "ConfigMap"), objects);
    let outhaul = admin();
    let args = ["app", "export", "x", "--all", "-n", namespace.name(), "--to", "out.tar"];
    outhaul.run(&[&args[..], &["--dry-run"]].concat()).ok();
    let registry = crate::support::registry::Registry::plain().start();
    let to = format!("{}/long", registry.address());
    let report = outhaul
        .run(&["app", "export", "x", "--all", "-n", namespace.name(), "-r", &to, "-o", "json"])
        .ok()
        .json();
    let reference = format!("oci://{}", report["chart"]["repository"].as_str().unwrap());
    let version = report["chart"]["version"].as_str().unwrap();
    let target = cluster().namespace("longer");
    for helm in Helm::both() {
        let helm = helm.kubeconfig(cluster().kubeconfig("admin"));
        let out = ["pull", &reference, "--version", version, "--plain-http", "--untar"];
        helm.run(&out).ok();
        let chart = reference.rsplit('/').next().unwrap();
        helm.run(&["lint", "--strict", chart]).ok();
        helm.run(&["install", "long", chart, "-n", target.name(), "--dry-run=server"]).ok();
    }
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!("deep"), |inner, _| json!({"a": inner}))
}

fn nesting_kind(plural: &str) -> ApiResource {
    cluster().apply(&format!(
        "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {plural}.deep.example.org}}
spec:
  group: deep.example.org
  scope: Namespaced
  names: {{plural: {plural}, singular: {plural}one, kind: {plural}kind}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"
    ));
    let mut resource = kind("deep.example.org", "v1", &format!("{plural}kind"));
    resource.plural = plural.to_owned();
    block_on(async {
        let client = cluster().client("admin").await;
        let api: Api<DynamicObject> = Api::namespaced_with(client, "default", &resource);
        // The API takes a moment to serve a new kind.
        for _ in 0..100 {
            if api.list(&Default::default()).await.is_ok() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{plural} is never served");
    });
    resource
}

/// Creates one as text: what is made of values has limits of its own.
fn create_nested(namespace: &Namespace<'_>, resource: &ApiResource, levels: usize) {
    let spec = format!("{}\"deep\"{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    let body = format!(
        r#"{{"apiVersion":"deep.example.org/v1","kind":"{}","metadata":{{"name":"deep"}},"spec":{spec}}}"#,
        resource.kind
    );
    let path =
        format!("/apis/deep.example.org/v1/namespaces/{}/{}", namespace.name(), resource.plural);
    block_on(async {
        let client = namespace.cluster().client("admin").await;
        let request = hyper::http::Request::post(path)
            .header("Content-Type", "application/json")
            .body(body.into_bytes())
            .unwrap();
        client.request_text(request).await.unwrap();
    });
}

#[test]
fn nesting_is_bounded_and_told_and_never_ends_the_program() {
    let namespace = cluster().namespace("deep");
    let (fine, absurd) = (nesting_kind("fines"), nesting_kind("absurds"));
    create_nested(&namespace, &fine, 100);
    create_nested(&namespace, &absurd, 1000);
    let args = ["app", "show", "x", "--all", "-n", namespace.name(), "-o", "json"];
    let refused = admin().run(&args).exits(4);
    let text = "absurds.deep.example.org (an object of it nests deeper than";
    assert!(refused.stderr.contains(text), "{}", refused.stderr);
    assert!(refused.stderr.contains("--skip-unreadable"));
    let app = admin().run(&[&args[..], &["--skip-unreadable"]].concat()).ok().json();
    assert_eq!(app["objects"][0]["spec"], nested(100));
    let to = [
        "app",
        "export",
        "x",
        "--all",
        "-n",
        namespace.name(),
        "--skip-unreadable",
        "--to",
        "deep.tar",
    ];
    admin().run(&to).ok();
}

#[test]
fn five_thousand_objects_are_read_and_assembled_in_seconds() {
    const COUNT: usize = 5_000;
    let namespace = cluster().namespace("crowd");
    let objects = (0..COUNT).map(|n| json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": format!("c-{n}"), "labels": {"app": "crowd"}}, "data": {"n": n.to_string()}}));
    create(&namespace, &kind("", "v1", "ConfigMap"), objects.collect());
    let started = Instant::now();
    let args = ["app", "show", "x", "--all", "-n", namespace.name(), "-o", "json"];
    let app = admin().run(&args).ok().json();
    let took = started.elapsed();
    assert_eq!(app["objects"].as_array().unwrap().len(), COUNT);
    assert!(took.as_secs() < 30, "{took:?}");
}

/// The finding is about exactly the characters that the API server refuses.
#[test]
fn control_characters_that_server_side_apply_refuses_are_said() {
    let place = cluster().namespace("control");
    let config_maps = kind("", "v1", "ConfigMap");
    let characters =
        "\u{1}\t\r\u{7f}\u{80}\u{84}\u{85}\u{86}\u{9f}\u{a0}\u{2028}\u{feff}\u{fffe}\u{ffff}";
    let object = |of: char| {
        let name = format!("u-{:04x}", u32::from(of));
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
            "data": {"text": format!("a{of}b")}})
    };
    let objects: Vec<Value> = characters.chars().map(object).collect();
    let refused: Vec<String> = block_on(async {
        let client = place.cluster().client("admin").await;
        let api: Api<DynamicObject> = Api::namespaced_with(client, place.name(), &config_maps);
        let params = PatchParams::apply("helm").dry_run();
        let mut refused = Vec::new();
        for object in &objects {
            let name = object["metadata"]["name"].as_str().unwrap();
            if api.patch(name, &params, &Patch::Apply(object)).await.is_err() {
                refused.push(name.to_owned());
            }
        }
        refused
    });
    create(&place, &config_maps, objects);
    let args = ["app", "show", "all", "-n", place.name(), "--all", "-o", "json"];
    let app = admin().run(&args).ok().json();
    let findings = app["findings"].as_array().unwrap().iter();
    let found = findings.filter(|finding| finding["code"] == "CONTROL_CHARACTER");
    let mut found: Vec<&str> = found.map(|of| of["object"]["name"].as_str().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, refused);
    assert!(found.contains(&"u-007f") && !found.contains(&"u-0001"), "{found:?}");
}
