//! The life of a release on a real API server: from one export to the next, back, and away.

use std::collections::BTreeMap;

use serde_json::Value;

use super::shop::{Shop, manifests, push_images, status, version};
use crate::support::cluster::cluster;
use crate::support::helm::Helm;
use crate::support::images::Image;
use crate::support::objects::Namespace;
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;
use crate::support::registry::Registry;

/// The kinds of the example.
const KINDS: [(&str, &str); 12] = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("batch/v1", "CronJob"),
    ("networking.k8s.io/v1", "Ingress"),
    ("policy/v1", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
];

/// What the server writes into `metadata` at each change.
const VOLATILE: [&str; 4] = ["creationTimestamp", "managedFields", "resourceVersion", "uid"];

/// Everything in a namespace, by kind and name.
fn state(namespace: &Namespace<'_>) -> BTreeMap<String, Value> {
    let kinds = KINDS.iter().flat_map(|(api, kind)| {
        namespace.list(api, kind).into_iter().map(move |object| (*kind, object))
    });
    let cleaned = kinds.map(|(kind, mut object)| {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let metadata = object["metadata"].as_object_mut().unwrap();
        VOLATILE.iter().for_each(|field| _ = metadata.remove(*field));
        (format!("{kind} {name}"), object)
    });
    // What the cluster itself puts into every namespace is in none of the charts.
    cleaned.filter(|(id, _)| !id.ends_with(" kube-root-ca.crt")).collect()
}

/// The same without the count of changes.
fn content(namespace: &Namespace<'_>) -> BTreeMap<String, Value> {
    let mut objects = state(namespace);
    for object in objects.values_mut() {
        object["metadata"].as_object_mut().unwrap().remove("generation");
    }
    objects
}

/// The second version of the example: another image, variables and configuration, one object more
/// and one less.
fn change(shop: &Shop<'_>) {
    Image::new(9, 2, 40_000).push(&shop.sources.target(), "shop/web", "1.5.0");
    let changed = manifests(&shop.sources)
        .replace("shop/web:1.4.2", "shop/web:1.5.0")
        .replace("name: LOG_LEVEL", "name: LOG_FORMAT")
        .replace("CURRENCY: EUR", "CURRENCY: USD\n  NEW: 'yes'");
    shop.namespace.apply(&changed);
    shop.namespace.delete("policy/v1", "PodDisruptionBudget", "api");
    shop.namespace.apply(
        "{apiVersion: v1, kind: Service, metadata: {name: admin, labels: {app.kubernetes.io/name: \
         shop}}, spec: {selector: {app.kubernetes.io/name: shop}, ports: [{port: 9090}]}}",
    );
}

/// Exports the example twice and pulls both charts: their archives.
fn two_charts(shop: &Shop<'_>, helm: &Helm) -> [String; 2] {
    let first = shop.export(&[]).ok();
    change(shop);
    let second = shop.export(&[]).ok();
    [first, second].map(|report| {
        assert_eq!(status(&report), "exported");
        pulled(shop, helm, &report)
    })
}

/// The archive of the chart that a report is about, pulled by helm.
fn pulled(shop: &Shop<'_>, helm: &Helm, report: &Output) -> String {
    let chart = format!("oci://{}/{}", shop.destination.address(), shop.chart_repository());
    let (version, ca) = (version(report), shop.destination.ca_file().display().to_string());
    helm.run(&["pull", &chart, "--version", &version, "--ca-file", &ca]).ok();
    format!("{}-shop-chart-{version}.tgz", shop.namespace.name())
}

/// The helm, at the test's cluster and logged in to the example's destination.
fn at_work(helm: Helm, shop: &Shop<'_>) -> Helm {
    helm.kubeconfig(cluster().kubeconfig("admin"))
        .docker_config(&shop.destination.docker_config())
        .ca_file(shop.destination.ca_file())
}

/// A helm in a namespace.
struct Release<'h, 'c> {
    helm: &'h Helm,
    namespace: &'h Namespace<'c>,
}

impl Release<'_, '_> {
    fn run(&self, args: &[&str]) -> Output {
        self.helm.run(&[args, &["--namespace", self.namespace.name()]].concat())
    }
}

/// Install, upgrade, roll back, uninstall, install again over what stayed.
fn a_life(helm: Helm) {
    let shop = Shop::start();
    let helm = at_work(helm, &shop);
    let [first, second] = two_charts(&shop, &helm);
    let namespace = cluster().namespace("target");
    let release = Release { helm: &helm, namespace: &namespace };

    let notes = release.run(&["install", "shop", &first]).ok().stdout;
    assert!(notes.contains("shop-credentials (db-password, session-key)"), "{notes}");
    let installed = content(&namespace);
    assert_eq!(installed["ConfigMap shop-config"]["data"]["CURRENCY"], "EUR");

    let before = state(&namespace);
    release.run(&["upgrade", "shop", &first]).ok();
    assert_eq!(state(&namespace), before, "the same chart again changes nothing");

    release.run(&["upgrade", "shop", &second]).ok();
    let upgraded = content(&namespace);
    assert_eq!(upgraded["ConfigMap shop-config"]["data"]["CURRENCY"], "USD");
    assert_eq!(upgraded["ConfigMap shop-config"]["data"]["NEW"], "yes");
    let env = upgraded["Deployment web"].pointer("/spec/template/spec/containers/0/env").unwrap();
    assert_eq!(env[0]["name"], "LOG_FORMAT");
    assert_eq!(env.as_array().unwrap().len(), 3, "{env}");
    let image = |objects: &BTreeMap<String, Value>| {
        objects["Deployment web"].pointer("/spec/template/spec/containers/0/image").cloned()
    };
    assert_ne!(image(&upgraded), image(&installed));
    assert!(upgraded.contains_key("Service admin"));
    assert!(!upgraded.contains_key("PodDisruptionBudget api"));
    assert_eq!(upgraded["Deployment api"]["spec"], installed["Deployment api"]["spec"]);

    release.run(&["rollback", "shop", "1"]).ok();
    assert_eq!(without_versions(content(&namespace)), without_versions(installed));

    release.run(&["uninstall", "shop"]).ok();
    let kept: Vec<String> = state(&namespace).into_keys().collect();
    assert_eq!(kept, ["PersistentVolumeClaim dumps"]);

    release.run(&["install", "shop", &second]).ok();
    assert_eq!(without_versions(content(&namespace)), without_versions(upgraded));
    release.run(&["uninstall", "shop"]).ok();
    let refused = release.run(&["install", "other", &second]);
    assert!(refused.code != 0 && refused.mentions("invalid ownership metadata"));
    release.run(&["install", "other", &second, "--take-ownership"]).ok();
}

/// The objects without the names of charts and releases in their labels, and without the addresses
/// that a Service gets.
fn without_versions(mut objects: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    for object in objects.values_mut() {
        let labels = object.pointer_mut("/metadata/labels").and_then(Value::as_object_mut);
        labels.and_then(|labels| labels.remove("helm.sh/chart"));
        let spec = object.get_mut("spec").and_then(Value::as_object_mut);
        spec.map(|spec| ["clusterIP", "clusterIPs"].map(|field| spec.remove(field)));
    }
    objects
}

#[test]
fn a_release_of_helm_3_lives() {
    a_life(Helm::v3());
}

#[test]
fn a_release_of_helm_4_lives() {
    a_life(Helm::v4());
}

/// Two releases of one application in one namespace: refused before anything is made.
#[test]
fn a_second_release_in_the_namespace_is_refused_with_a_reason() {
    let shop = Shop::start();
    for helm in Helm::both() {
        let helm = at_work(helm, &shop);
        let [chart, _] = two_charts(&shop, &helm);
        let namespace = cluster().namespace("target");
        let release = Release { helm: &helm, namespace: &namespace };
        release.run(&["install", "one", &chart]).ok();
        let before = state(&namespace);
        let refused = release.run(&["install", "two", &chart]);
        assert!(refused.code != 0 && refused.mentions("invalid ownership metadata"));
        assert!(refused.mentions(r#"current value is "one""#), "{}", refused.stderr);
        for name in ["nameOverride", "fullnameOverride"] {
            let set = format!("{name}=two");
            let refused = release.run(&["install", "two", &chart, "--set", &set]);
            let reason = format!("{name} cannot be set: the objects keep the names");
            assert!(refused.code != 0 && refused.mentions(&reason), "{}", refused.stderr);
        }
        assert_eq!(state(&namespace), before);
        shop.namespace.apply(&manifests(&shop.sources));
    }
}

/// An application whose images were pinned already is taken over without a restart.
#[test]
fn a_live_application_is_taken_over_without_a_restart() {
    let sources = Registry::plain().start();
    let images = push_images(&sources);
    let mut manifests = manifests(&sources);
    for ((repository, digest), tag) in images.iter().zip(["1.4.2", "2.0.0", "15"]) {
        manifests =
            manifests.replace(&format!("{repository}:{tag}"), &format!("{repository}@{digest}"));
    }
    for (helm, flags) in each_with_flags() {
        let namespace = cluster().namespace("live");
        namespace.apply(&manifests);
        let outhaul = Outhaul::new().kubeconfig(cluster().kubeconfig("admin"));
        outhaul.run(&["app", "export", "shop", "-n", namespace.name(), "--to", "layout"]).ok();
        let chart = chart_in(&outhaul.home().join("layout"));
        let helm = helm.kubeconfig(cluster().kubeconfig("admin"));
        std::fs::write(helm.folder().join("chart.tgz"), chart).unwrap();
        let before = state(&namespace);
        let release = Release { helm: &helm, namespace: &namespace };
        let refused = release.run(&["install", "shop", "chart.tgz"]);
        assert!(refused.code != 0 && refused.mentions("invalid ownership metadata"));
        let install = ["install", "shop", "chart.tgz", "--take-ownership"];
        release.run(&[&install, flags].concat()).ok();
        let after = state(&namespace);
        assert_eq!(after.len(), before.len());
        for (id, object) in &before {
            assert_eq!(after[id]["spec"], object["spec"], "{id}");
        }
    }
}

/// Helm 4 applies on the server, where who made the objects owns their fields.
fn each_with_flags() -> [(Helm, &'static [&'static str]); 2] {
    [(Helm::v3(), &[]), (Helm::v4(), &["--force-conflicts"])]
}

/// An application that moves to the images of an export restarts for that, and for nothing else.
#[test]
fn a_live_application_is_taken_over_with_its_images_elsewhere() {
    for (helm, flags) in each_with_flags() {
        let shop = Shop::start();
        let helm = at_work(helm, &shop);
        let chart = pulled(&shop, &helm, &shop.export(&[]).ok());
        let before = state(&shop.namespace);
        let release = Release { helm: &helm, namespace: &shop.namespace };
        let install = ["install", "shop", &chart, "--take-ownership"];
        release.run(&[&install, flags].concat()).ok();
        for (id, object) in state(&shop.namespace) {
            let text = object["spec"].to_string();
            let (sources, destination) = (shop.sources.address(), shop.destination.address());
            assert!(!text.contains(&sources), "{id}: {text}");
            assert_eq!(
                text.contains(&destination),
                before[&id]["spec"].to_string().contains(&sources)
            );
            assert_eq!(
                without_images(object["spec"].clone()),
                without_images(before[&id]["spec"].clone()),
                "{id}"
            );
        }
    }
}

/// The same without the images of containers, at any depth.
fn without_images(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.remove("image");
            fields.values_mut().for_each(|field| *field = without_images(field.take()));
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|item| *item = without_images(item.take()));
        }
        _ => {}
    }
    value
}

/// The archive of the chart in a layout: the one blob that is a chart.
fn chart_in(layout: &std::path::Path) -> Vec<u8> {
    let read =
        |digest: &str| std::fs::read(layout.join("blobs").join(digest.replace(':', "/"))).unwrap();
    let index: Value =
        serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    let manifests = index["manifests"].as_array().unwrap().iter();
    let mut charts = manifests.filter_map(|descriptor| {
        let manifest: Value =
            serde_json::from_slice(&read(descriptor["digest"].as_str().unwrap())).unwrap();
        let layer = manifest["layers"].as_array()?.first()?.clone();
        let of_chart = layer["mediaType"].as_str()?.contains("helm.chart.content");
        of_chart.then(|| read(layer["digest"].as_str().unwrap()))
    });
    charts.next().expect("a chart in the layout")
}
