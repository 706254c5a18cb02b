//! Exports to registries that other systems describe.

use serde_json::{Value, json};

use crate::export::shop::{manifests, push_images};
use crate::support::cluster::Cluster;
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;
use crate::support::registry::Registry;

const EDA: &str = "appstore.eda.nokia.com/v1";
/// Lets alice read the Secrets of a namespace.
const READER: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [''], resources: [secrets], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: alice}]
";

const CHART: &str = "team/shop-shop-chart";

/// The shop as manifests, with its images at a registry.
struct Case {
    _sources: Registry,
    outhaul: Outhaul,
}

impl Case {
    fn new(outhaul: Outhaul) -> Self {
        let sources = Registry::plain().start();
        push_images(&sources);
        outhaul.write("shop.yaml", manifests(&sources));
        Self { _sources: sources, outhaul }
    }

    /// A case whose destinations are in a file.
    fn described(documents: &str) -> Self {
        let case = Self::new(Outhaul::new());
        case.outhaul.write("destinations.yaml", documents);
        case
    }

    fn export(&self, to: &str, further: &[&str]) -> Output {
        let args = ["app", "export", "shop", "-n", "shop", "--from", "shop.yaml", "-o", "json"];
        self.outhaul.run(&[&args[..], &["-r", to], further].concat())
    }

    fn export_to(&self, to: &str) -> Output {
        self.export(to, &["--destinations", "destinations.yaml"])
    }

    fn destinations(&self, further: &[&str]) -> Output {
        let args = ["export-registries", "--destinations", "destinations.yaml"];
        self.outhaul.run(&[&args[..], further].concat())
    }
}

/// Every place where the exported chart says that its images are.
fn images(report: &Output) -> Vec<String> {
    let report = report.json();
    let images = report["images"].as_array().unwrap().clone();
    images.iter().map(|image| image["repository"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_registry_of_eda_with_a_mirror_is_pushed_to_and_referred_to_by_its_own_host() {
    let cluster = Cluster::start();
    cluster.apply(include_str!("../../fixtures/systems/eda/registry-crd.yaml"));
    cluster.await_served(EDA, "registries");
    let (eda, system) = (cluster.namespace("eda"), cluster.namespace("system"));
    let registry = Registry::plain().basic_auth("carol", "s3cret").start();
    let address = registry.address();
    eda.apply(&format!(
        "
apiVersion: v1
kind: Secret
metadata: {{name: hub-auth, labels: {{eda.nokia.com/backup: 'true'}}}}
stringData: {{username: carol, password: s3cret}}
---
apiVersion: {EDA}
kind: Registry
metadata: {{name: hub}}
spec: {{remoteURL: 'http://{address}', authSecretRef: hub-auth, mirror: mirror.example.com}}
---
apiVersion: {EDA}
kind: Registry
metadata: {{name: torn}}
spec: {{remoteURL: r.example, authSecretRef: gone}}
"
    ));
    eda.patch_status(EDA, "Registry", "hub", &json!({"reachable": false, "error": "no route"}));
    let as_user = |user: &str| {
        let outhaul = Outhaul::new().kubeconfig(cluster.kubeconfig(user));
        let outhaul = outhaul.env("OUTHAUL_EDA_NAMESPACE", eda.name());
        Case::new(outhaul.env("OUTHAUL_SYSTEM_NAMESPACE", system.name()))
    };
    let case = as_user("admin");
    let report = case.export("hub/team", &[]).ok();
    let at = format!("{address}/team/shop-shop-image");
    assert!(images(&report).iter().all(|image| *image == at), "{report:?}");
    assert!(!report.mentions("mirror.example.com") && !report.mentions("s3cret"), "{report:?}");
    let chart = case.outhaul.run(&["verify", &format!("hub/{CHART}")]).ok();
    assert!(!chart.mentions("mirror.example.com"), "{chart:?}");
    assert!(!registry.target().tags(CHART).is_empty());

    let listed = case.outhaul.run(&["export-registries", "--check", "-o", "json"]).ok().json();
    let hub = listed.as_array().unwrap().iter().find(|entry| entry["name"] == "hub").unwrap();
    assert_eq!(hub["mirror"], "mirror.example.com");
    assert_eq!(hub["reported"], json!({"reachable": false, "error": "no route"}));
    assert_eq!(hub["check"]["canPush"], true);
    let table = case.outhaul.run(&["export-registries"]).ok();
    let shown = table.stdout.lines().find(|line| line.trim_start().starts_with("hub ")).unwrap();
    assert!(shown.contains("mirror.example.com") && shown.contains("no route"), "{table:?}");
    let torn = case.export("torn", &[]).exits(6);
    assert!(torn.stderr.contains("`torn`: its credentials `gone` are not there"), "{torn:?}");

    // Who may not read them is told so, not that there is none.
    system.apply(READER);
    let refused = as_user("alice").export("hub", &[]).exits(4);
    assert!(
        refused.stderr.contains(&format!("/apis/{EDA}/namespaces/{}/registries", eda.name())),
        "{refused:?}"
    );
    // What she may read is listed, and what she may not is said.
    system.apply(
        "
apiVersion: v1
kind: Secret
metadata: {name: own, labels: {outhaul.dev/destination: 'true'}}
stringData: {.dockerconfigjson: '{\"auths\": {\"own.example\": {}}}'}
",
    );
    let listed = as_user("alice").outhaul.run(&["registry", "list", "-t"]).ok();
    assert!(listed.stdout.contains("own") && !listed.stdout.contains("hub"), "{listed:?}");
    assert!(
        listed
            .stderr
            .contains(&format!("cannot read the destinations in namespace `{}`", eda.name()))
    );
    // A labelled Secret of the same name wins.
    system.apply(
        "{apiVersion: v1, kind: Secret, metadata: {name: hub, labels: {outhaul.dev/destination: 'true'}}}",
    );
    let wins = case.export("hub", &[]).exits(6);
    assert!(wins.stderr.contains(".dockerconfigjson"), "{wins:?}");
}

#[test]
fn rows_of_iofog_are_pushed_to_by_id_and_the_cache_is_not() {
    let registry = Registry::plain().basic_auth("carol", "s3cret").start();
    let row = |id: u32, public: bool| {
        json!({"id": id, "url": registry.address(), "isPublic": public, "username": "carol",
            "password": "s3cret", "email": "carol@example.com"})
    };
    let case = Case::described(&json!([row(3, false), row(4, true)]).to_string());
    case.export_to("3/team").ok();
    assert!(!registry.target().tags(CHART).is_empty());
    for cache in ["local", "2"] {
        let refused = case.export_to(cache).exits(6);
        let reason = format!("bad export destination `{cache}`: it is the cache of ioFog's nodes");
        assert!(refused.stderr.contains(&reason), "{refused:?}");
        assert!(refused.stderr.contains("hint: "), "{refused:?}");
    }
    // What a public row has is not sent.
    case.export_to("4/team").exits(7);
    let unknown = case.export_to("5").exits(6);
    assert!(unknown.stderr.contains("known: 3, 4, 1, 2"), "{unknown:?}");
    let table = case.destinations(&[]).ok();
    for shown in ["1 (remote)", "2 (local)", "iofog"] {
        assert!(table.stdout.contains(shown), "{shown}: {table:?}");
    }
    assert!(!table.mentions("s3cret"), "{table:?}");
}

#[test]
fn credentials_of_avassa_are_those_of_the_repository_s_prefix() {
    let registry = Registry::plain().tls().basic_auth("carol", "s3cret").start();
    let address = registry.address();
    let ca = registry.ca_pem().replace('\n', "\n  ");
    let documents = format!(
        "
address: {address}
ca-cert: |
  {ca}
override-address: mirror.example.com
credentials:
  - {{repository: '*', vault: v, secret: others}}
  - {{repository: team, vault: v, secret: team}}
---
name: v
secrets:
  - {{name: others, data: {{username: mallory, password: guess}}}}
  - {{name: team, data: {{username: carol, password: s3cret}}}}
---
what: nobody knows
"
    );
    let case = Case::described(&documents);
    let report = case.export_to(&format!("{address}/team")).ok();
    let at = format!("{address}/team/shop-shop-image");
    assert!(images(&report).iter().all(|image| *image == at), "{report:?}");
    let refused = case.export_to(&format!("{address}/teams")).exits(7);
    assert!(refused.stderr.contains("mallory"), "{refused:?}");
    case.export_to(&address).exits(7);
    let listed = case.destinations(&["-o", "json"]).ok();
    let known: Value = listed.json();
    assert_eq!(known[0]["name"], json!(address));
    assert_eq!(known[0]["mirror"], "mirror.example.com");
    assert!(listed.stderr.contains("destinations.yaml:"), "{listed:?}");
    assert!(listed.stderr.contains("describes no registry"), "{listed:?}");
    // Without the documents nothing is known of it.
    case.export(&format!("{address}/team"), &[]).exits(9);
}
