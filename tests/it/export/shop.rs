//! The example application where the tests need it: its images in a source registry, its objects
//! in a namespace, its destination in a Secret.

use std::path::Path;

use outhaul::chart::{Chart, ChartArchive, unpack};
use serde_json::Value;

use crate::support::cluster::{Cluster, cluster};
use crate::support::images::Image;
use crate::support::objects::Namespace;
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;
use crate::support::registry::Registry;

/// The values of the example's Secret, which must never be seen.
pub(crate) const CANARIES: [&str; 2] = ["example-only-db-password", "example-only-session-key"];

/// Host of the example's images, which the tests replace by a real registry.
const HOST: &str = "registry.example.com";

/// The example application at work.
pub(crate) struct Shop<'c> {
    pub(crate) sources: Registry,
    pub(crate) destination: Registry,
    pub(crate) namespace: Namespace<'c>,
    /// Namespace with the destination's Secrets.
    pub(crate) system: Namespace<'c>,
    /// Image repository at the source and digest of its index.
    pub(crate) images: Vec<(&'static str, String)>,
}

impl Shop<'static> {
    /// In a namespace of its own on the shared cluster.
    pub(crate) fn start() -> Self {
        Self::deploy(cluster(), cluster().namespace("shop"))
    }

    /// In the namespace `shop`, as the README has it.
    pub(crate) fn named() -> Self {
        Self::deploy(cluster(), cluster().named_namespace("shop"))
    }
}

impl<'c> Shop<'c> {
    /// In this namespace.
    pub(crate) fn deploy(cluster: &'c Cluster, namespace: Namespace<'c>) -> Self {
        let sources = Registry::plain().start();
        let images = push_images(&sources);
        let destination = Registry::plain().tls().basic_auth("carol", "s3cret").start();
        let system = cluster.namespace("system");
        declare(&system, &destination);
        namespace.apply(&manifests(&sources));
        Self { sources, destination, namespace, system, images }
    }

    /// `outhaul` as the cluster's admin, looking for destinations in the test's system namespace.
    pub(crate) fn outhaul(&self) -> Outhaul {
        Outhaul::new()
            .kubeconfig(self.namespace.cluster().kubeconfig("admin"))
            .env("OUTHAUL_SYSTEM_NAMESPACE", self.system.name())
    }

    /// `outhaul app export shop -n NAMESPACE -r team -o json FURTHER…`
    pub(crate) fn export(&self, further: &[&str]) -> Output {
        let mut args = vec!["app", "export", "shop", "-n", self.namespace.name(), "-r", "team"];
        args.extend(["-o", "json"]);
        args.extend(further);
        self.outhaul().run(&args)
    }

    /// Repository of the chart at the destination.
    pub(crate) fn chart_repository(&self) -> String {
        format!("backups/{}-shop-chart", self.namespace.name())
    }

    /// Repository of the images at the destination.
    pub(crate) fn image_repository(&self) -> String {
        format!("backups/{}-shop-image", self.namespace.name())
    }

    /// The chart of this version, as it is at the destination.
    pub(crate) fn published(&self, version: &str) -> Chart {
        let (target, repository) = (self.destination.target(), self.chart_repository());
        let manifest = target.manifest(&repository, version).unwrap();
        let parsed: Value = serde_json::from_slice(&manifest).unwrap();
        let blob = |pointer: &str| {
            let digest = parsed.pointer(pointer).and_then(Value::as_str);
            target.blob(&repository, digest.unwrap()).unwrap()
        };
        let (config, tgz) = (blob("/config/digest"), blob("/layers/0/digest"));
        unpack(&ChartArchive { tgz, config, manifest }).unwrap()
    }

    /// Changes a value of the example's ConfigMap.
    pub(crate) fn set_currency(&self, currency: &str) {
        self.namespace.apply(&config(currency));
    }
}

/// Pushes the example's images and gives repository and digest of each.
pub(crate) fn push_images(registry: &Registry) -> Vec<(&'static str, String)> {
    [("shop/web", "1.4.2", 1), ("shop/api", "2.0.0", 2), ("shop/db", "15", 3)]
        .map(|(repository, tag, seed)| {
            let image = Image::new(seed, 2, 40_000);
            (repository, image.push(&registry.target(), repository, tag))
        })
        .to_vec()
}

/// The example's manifests, with its images at `registry`.
pub(crate) fn manifests(registry: &Registry) -> String {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/shop");
    let files = ["api.yaml", "config.yaml", "db.yaml", "web.yaml"];
    let texts = files.map(|file| std::fs::read_to_string(examples.join(file)).unwrap());
    texts.join("\n---\n").replace(HOST, &registry.address())
}

/// Makes `registry` the destination `team`, by labelled Secrets as Epinio has them.
pub(crate) fn declare(system: &Namespace<'_>, registry: &Registry) {
    declare_as(system, "team", registry);
}

/// Makes `registry` a destination of this name.
pub(crate) fn declare_as(system: &Namespace<'_>, name: &str, registry: &Registry) {
    let auths = registry.docker_config();
    let indented = registry.ca_pem().replace('\n', "\n    ");
    system.apply(&format!(
        "
apiVersion: v1
kind: Secret
metadata:
  name: {name}
  labels: {{epinio.io/api-export-registry: 'true'}}
  annotations: {{epinio.io/registry-namespace: backups}}
stringData:
  certs: {name}-ca
  .dockerconfigjson: '{auths}'
---
apiVersion: v1
kind: Secret
metadata: {{name: {name}-ca}}
stringData:
  tls.crt: |
    {indented}
"
    ));
}

/// The versions in a chart repository: its tags, without those that list what is attached.
pub(crate) fn versions(shop: &Shop<'_>) -> Vec<String> {
    versions_in(shop, &shop.chart_repository())
}

/// The tags of a repository, without those that stand for the referrers API.
pub(crate) fn versions_in(shop: &Shop<'_>, repository: &str) -> Vec<String> {
    let mut tags = shop.destination.target().tags(repository);
    tags.retain(|tag| !tag.starts_with("sha256-"));
    tags
}

/// The field `status` of a report.
pub(crate) fn status(report: &Output) -> String {
    report.json()["status"].as_str().unwrap().to_owned()
}

/// The version that a report names.
pub(crate) fn version(report: &Output) -> String {
    report.json()["chart"]["version"].as_str().unwrap().to_owned()
}

/// The codes of a report's findings.
pub(crate) fn codes(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect()
}

fn config(currency: &str) -> String {
    format!(
        "
apiVersion: v1
kind: ConfigMap
metadata: {{name: shop-config, labels: {{app.kubernetes.io/name: shop}}}}
data: {{CURRENCY: {currency}}}
"
    )
}
