//! Each thing that can be missing, missing once.

use super::site::{NEEDS, Site, missing};
use crate::support::images::digest;
use crate::support::outhaul::Outhaul;
use crate::support::tools;

/// Replaces a namespace-wide right of a user.
fn grant(site: &Site<'_>, user: &str, rules: &str) {
    let name = site.namespace.name();
    site.namespace.apply(&format!(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: {user}}}
rules: {rules}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: {user}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {user}}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {user}, namespace: {name}}}]
"
    ));
}

#[test]
fn what_the_chart_needs_and_does_not_bring() {
    let site = Site::new();
    let refused = site.import(&[]).exits(18);
    let needed = missing(&refused.json(), "needed");
    assert_eq!(needed.len(), 1, "{needed:?}");
    assert!(needed[0].starts_with("Secret shop-credentials: it does not exist; "), "{needed:?}");
    assert!(refused.stderr.contains("--skip-checks"), "{refused:?}");
    assert!(site.namespace.get("apps/v1", "Deployment", "web").is_none());
    site.namespace.apply(NEEDS);
    let class = site.import(&["--dry-run", "--set", "ingresses.web.className=other"]).exits(18);
    assert!(missing(&class.json(), "needed")[0].starts_with("IngressClass"), "{class:?}");
    site.import(&["--dry-run"]).ok();
}

#[test]
fn what_is_another_s_already() {
    let site = Site::new();
    site.namespace.apply(NEEDS);
    site.namespace
        .apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: shop-config}, data: {a: b}}");
    let refused = site.import(&[]).exits(18);
    let conflicts = missing(&refused.json(), "conflict");
    assert_eq!(conflicts, ["ConfigMap shop-config: it exists, and is not helm's"]);
    site.import(&["--take-ownership"]).ok();
    let taken = site.namespace.get("v1", "ConfigMap", "shop-config").unwrap();
    assert_eq!(taken["metadata"]["annotations"]["meta.helm.sh/release-name"], "shop");
}

#[test]
fn what_the_user_may_not_do() {
    let site = Site::new();
    site.namespace.apply(NEEDS);
    let all = "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]";
    grant(&site, "alice", all);
    let some = "[{apiGroups: ['*'], resources: ['*'], verbs: [get, list]}]";
    grant(&site, "bob", some);
    let bob = site.import_by(&site.outhaul("bob"), &["--dry-run"]).exits(18).json();
    let rights = missing(&bob, "right");
    assert!(
        rights.contains(&"deployments.apps: you may not create, delete, patch".to_owned()),
        "{rights:?}"
    );
    let alice = site.import_by(&site.outhaul("alice"), &["--dry-run"]).ok().json();
    assert_eq!(missing(&alice, "right"), Vec::<String>::new());
}

#[test]
fn what_the_cluster_would_not_take() {
    let site = Site::new();
    site.namespace.apply(NEEDS);
    site.namespace.apply(
        "
apiVersion: v1
kind: LimitRange
metadata: {name: small}
spec: {limits: [{type: PersistentVolumeClaim, max: {storage: 1Mi}}]}
",
    );
    let refused = site.import(&["--dry-run"]).exits(18).json();
    let objects = missing(&refused, "object");
    assert!(
        objects[0].starts_with("PersistentVolumeClaim dumps: ") && objects[0].contains("1Mi"),
        "{objects:?}"
    );
    let broken = site.import(&["--dry-run", "--set", "workloads.web.replicas=many"]).exits(18);
    assert_eq!(missing(&broken.json(), "rendering").len(), 1, "{broken:?}");
}

#[test]
fn what_cannot_be_pulled() {
    let site = Site::new();
    site.namespace.apply(NEEDS);
    let target = site.registry.target();
    let image = target.manifest("team/shop-shop-image", &target.tags("team/shop-shop-image")[0]);
    target.delete_manifest("team/shop-shop-image", &digest(&image.unwrap()));
    let refused = site.import(&["--dry-run"]).exits(18).json();
    let images = missing(&refused, "image");
    assert_eq!(images.len(), 1);
    assert!(images[0].ends_with("it is not at that address"), "{images:?}");
    site.import(&["--skip-checks"]).ok();
}

#[test]
fn a_kind_that_is_not_served() {
    let site = Site::new();
    site.namespace.apply(NEEDS);
    let outhaul = Outhaul::new().docker_config(&site.registry.docker_config());
    let extra = "
---
apiVersion: example.org/v1
kind: Widget
metadata: {name: w, namespace: shop, labels: {app.kubernetes.io/name: shop}}
spec: {size: 1}
";
    outhaul.write("shop.yaml", crate::export::shop::manifests(&site.registry) + extra);
    let to = format!("{}/widgets", site.registry.address());
    let args = ["app", "export", "shop", "-n", "shop", "--from", "shop.yaml", "-r", &to];
    outhaul.run(&args).ok();
    let chart = format!("{to}/shop-shop-chart");
    let args = ["app", "import", &chart, "-n", site.namespace.name(), "--dry-run", "-o", "json"];
    let refused = site.outhaul("admin").run(&args).exits(18).json();
    let kinds = missing(&refused, "api");
    assert_eq!(kinds, ["example.org/v1 Widget: the cluster does not serve the kind"]);
}

#[test]
fn a_helm_that_is_missing_or_none_and_a_chart_that_is_not_there() {
    let site = Site::new();
    let outhaul = site.outhaul("admin");
    let none = site.import(&["--helm", "/nowhere/helm"]).exits(18);
    assert!(none.stderr.contains("cannot run /nowhere/helm"), "{none:?}");
    let other = tools::registry().to_str().unwrap();
    let none = site.import(&["--helm", other]).exits(18);
    assert!(none.stderr.contains("is not helm 3.8 or later"), "{none:?}");
    let chart = site.chart.clone() + "s";
    let args = ["app", "import", &chart, "-n", site.namespace.name()];
    outhaul.run(&args).exits(15);
}
