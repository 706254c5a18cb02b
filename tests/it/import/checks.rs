//! Each thing that can be missing, missing once.

use serde_json::{Value, json};

use super::site::{NEEDS, Site, missing};
use crate::export::shop::manifests;
use crate::support::faulty::{Fault, Faulty, Trouble};
use crate::support::images::{Image, digest};
use crate::support::outhaul::Outhaul;
use crate::support::registry::Registry;
use crate::support::tools;

/// Replaces a namespace-wide right of a user.
pub(super) fn grant(site: &Site<'_>, user: &str, rules: &str) {
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
fn a_kind_that_is_not_served_or_in_another_version_alone() {
    let site = Site::new();
    site.namespace.apply(NEEDS);
    let widget = "
---
apiVersion: import.example.org/v1
kind: Widget
metadata: {name: w, namespace: shop, labels: {app.kubernetes.io/name: shop}}
spec: {size: 1}
";
    let chart = site.export_with(widget, &[]);
    let kinds = missing(&site.look(&chart).exits(18).json(), "api");
    assert_eq!(kinds, ["import.example.org/v1 Widget: the cluster does not serve the kind"]);

    site.namespace.cluster().apply(
        "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.import.example.org}
spec:
  group: import.example.org
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - name: v2
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
",
    );
    // A new kind is in discovery a moment later: each look is one.
    let text = "import.example.org/v1 Widget: the cluster serves it as import.example.org/v2 only";
    let seen = (0..60).any(|_| missing(&site.look(&chart).json(), "api") == [text]);
    assert!(seen, "{:?}", site.look(&chart));
}

#[test]
fn classes_and_issuers_that_the_target_lacks() {
    let site = Site::new();
    site.namespace.apply(NEEDS);
    let worker = "
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker, namespace: shop, labels: {app.kubernetes.io/name: shop}}
spec:
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec:
      priorityClassName: import-urgent
      runtimeClassName: import-gvisor
      containers: [{name: worker, image: HOST/shop/web:1.4.2}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: fast, namespace: shop, labels: {app.kubernetes.io/name: shop}}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: import-fast
  resources: {requests: {storage: 1Gi}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: inner
  namespace: shop
  labels: {app.kubernetes.io/name: shop}
  annotations: {cert-manager.io/cluster-issuer: import-letters}
spec: {ingressClassName: import-inner, defaultBackend: {service: {name: web, port: {number: 80}}}}
";
    let chart = site.export_with(&worker.replace("HOST", &site.registry.address()), &[]);
    let needed = missing(&site.look(&chart).exits(18).json(), "needed");
    for expected in [
        "ClusterIssuer import-letters: the cluster does not even serve its kind; Ingress inner",
        "IngressClass import-inner: it does not exist; Ingress inner needs it",
        "PriorityClass import-urgent: it does not exist; Deployment worker needs it",
        "RuntimeClass import-gvisor: it does not exist; Deployment worker needs it",
        "StorageClass import-fast: it does not exist; PersistentVolumeClaim fast needs it",
    ] {
        assert!(needed.iter().any(|line| line.starts_with(expected)), "{expected}: {needed:?}");
    }
    assert_eq!(needed.len(), 5, "{needed:?}");
}

/// Images that stay at a registry which wants credentials, and at one which has them and says no.
#[test]
fn an_image_that_its_registry_does_not_give() {
    let site = Site::new();
    site.namespace.apply(NEEDS);
    let (closed, strict) = (Registry::plain().basic_auth("dave", "x").start(), Faulty::start());
    Image::new(7, 1, 100).push(&closed.target(), "kept/one", "1");
    Image::new(8, 1, 100).push(&strict.target(), "kept/two", "1");
    let pods = format!(
        "
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: worker, namespace: shop, labels: {{app.kubernetes.io/name: shop}}}}
spec:
  selector: {{matchLabels: {{app: worker}}}}
  template:
    metadata: {{labels: {{app: worker}}}}
    spec:
      containers:
      - {{name: one, image: '{}/kept/one:1'}}
      - {{name: two, image: '{}/kept/two:1'}}
",
        closed.address(),
        strict.address(),
    );
    let outhaul = Outhaul::new().docker_config(&all_of(&[&site.registry, &closed]));
    outhaul.write("shop.yaml", manifests(&site.registry) + &pods);
    let to = format!("{}/extra", site.registry.address());
    let args = ["app", "export", "shop", "-n", "shop", "--from", "shop.yaml", "-r", &to];
    outhaul.run(&[&args[..], &["--keep-image", "*/kept/*"]].concat()).ok();

    for method in ["HEAD", "GET"] {
        strict.fault(Fault::on(method, "/v2/kept/two/manifests/", Trouble::Status(403)));
    }
    let refused = site.look(&format!("{to}/shop-shop-chart")).exits(18);
    let images = missing(&refused.json(), "image");
    let [one, two] = &images[..] else { panic!("{images:?}") };
    let (closed, strict) = (closed.address(), strict.address());
    assert!(one.starts_with(&format!("{closed}/kept/one@sha256:")), "{one}");
    assert!(one.ends_with(&format!("{closed} needs credentials and none were found")), "{one}");
    assert!(two.starts_with(&format!("{strict}/kept/two@sha256:")), "{two}");
    assert!(two.contains(&format!("{strict} accepted the credentials but denied access")), "{two}");
    for remedy in [format!("docker login {closed}"), format!("who runs {strict}")] {
        assert!(refused.stdout.contains(&remedy), "{remedy}: {refused:?}");
    }
}

/// A Docker configuration for several registries.
fn all_of(registries: &[&Registry]) -> String {
    let configs = registries.iter().map(|registry| registry.docker_config());
    let parsed = configs.map(|text| serde_json::from_str::<Value>(&text).unwrap());
    let auths = parsed.flat_map(|config| config["auths"].as_object().unwrap().clone());
    json!({"auths": auths.collect::<serde_json::Map<_, _>>()}).to_string()
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
