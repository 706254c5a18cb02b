//! An export of the example in a registry with a password, and an empty namespace of a cluster.

use std::path::Path;

use serde_json::Value;

use crate::export::shop::{manifests, push_images};
use crate::support::cluster::{Cluster, cluster};
use crate::support::objects::Namespace;
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;
use crate::support::registry::Registry;
use crate::support::tools;

/// What the example needs and its chart does not bring.
pub(super) const NEEDS: &str = "
apiVersion: v1
kind: Secret
metadata: {name: shop-credentials}
stringData: {db-password: some, session-key: other}
---
apiVersion: v1
kind: Secret
metadata: {name: shop-tls}
stringData: {tls.crt: some, tls.key: other}
";

pub(super) const CLASS: &str = "
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: example.org/nginx}
";

/// The site that an export comes to.
pub(super) struct Site<'c> {
    pub(super) registry: Registry,
    pub(super) namespace: Namespace<'c>,
    pub(super) chart: String,
    helm: &'static Path,
}

impl Site<'static> {
    /// On the shared cluster, which has the ingress class.
    pub(super) fn new() -> Self {
        Self::on(cluster())
    }
}

impl<'c> Site<'c> {
    pub(super) fn on(cluster: &'c Cluster) -> Self {
        let registry = Registry::plain().basic_auth("carol", "s3cret").start();
        push_images(&registry);
        cluster.apply(CLASS);
        let namespace = cluster.namespace("site");
        let outhaul = Outhaul::new().docker_config(&registry.docker_config());
        outhaul.write("shop.yaml", manifests(&registry));
        let to = format!("{}/team", registry.address());
        let args = ["app", "export", "shop", "-n", "shop", "--from", "shop.yaml", "-r", &to];
        outhaul.run(&args).ok();
        let chart = format!("oci://{}/team/shop-shop-chart", registry.address());
        Self { registry, namespace, chart, helm: tools::helm4() }
    }

    /// Uses this helm.
    #[must_use]
    pub(super) fn helm(mut self, helm: &'static Path) -> Self {
        self.helm = helm;
        self
    }

    /// `outhaul` of a user of the cluster who is logged in to the registry.
    pub(super) fn outhaul(&self, user: &str) -> Outhaul {
        Outhaul::new()
            .kubeconfig(self.namespace.cluster().kubeconfig(user))
            .env("HELM", self.helm)
            .docker_config(&self.registry.docker_config())
    }

    /// `outhaul app import CHART -n NAMESPACE -o json FURTHER…` as admin.
    pub(super) fn import(&self, further: &[&str]) -> Output {
        self.import_by(&self.outhaul("admin"), further)
    }

    /// Exports these objects of application `shop` beside the example's, and gives the chart.
    pub(super) fn export_with(&self, extra: &str, further: &[&str]) -> String {
        let outhaul = Outhaul::new().docker_config(&self.registry.docker_config());
        outhaul.write("shop.yaml", manifests(&self.registry) + extra);
        let to = format!("{}/extra", self.registry.address());
        let args = ["app", "export", "shop", "-n", "shop", "--from", "shop.yaml", "-r", &to];
        outhaul.run(&[&args[..], further].concat()).ok();
        format!("{to}/shop-shop-chart")
    }

    /// What `import --dry-run` of another chart says.
    pub(super) fn look(&self, chart: &str) -> Output {
        let args = ["app", "import", chart, "-n", self.namespace.name(), "--dry-run", "-o", "json"];
        self.outhaul("admin").run(&args)
    }

    pub(super) fn import_by(&self, outhaul: &Outhaul, further: &[&str]) -> Output {
        let args = ["app", "import", &self.chart, "-n", self.namespace.name(), "-o", "json"];
        outhaul.run(&[&args[..], further].concat())
    }
}

/// `subject: text` of what a plan says is missing, by kind of check.
pub(super) fn missing(plan: &Value, what: &str) -> Vec<String> {
    let all = plan["checks"].as_array().unwrap().iter();
    let of = all.filter(|check| check["what"] == what && check["state"] == "missing");
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    of.map(|check| format!("{}: {}", text(check, "subject"), text(check, "text"))).collect()
}
