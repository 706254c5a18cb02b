//! `app export --in-cluster`: the command line as a client of the records.

use super::site::{API, SYSTEM, Site, held, in_the_middle, site};
use crate::export::shop::CANARIES;
use crate::support::cluster::Cluster;
use crate::support::outhaul::Outhaul;

/// What somebody needs to ask for exports, and no more.
const MAY_ASK: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: asks}
rules:
- {apiGroups: [outhaul.dev], resources: [exports], verbs: [create, get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: asks}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: asks}
subjects: [{kind: User, name: alice}]
";

fn outhaul(site: &Site, user: &str) -> Outhaul {
    let outhaul = Outhaul::new().kubeconfig(site.cluster.kubeconfig(user));
    outhaul.env("OUTHAUL_SYSTEM_NAMESPACE", SYSTEM)
}

fn args<'a>(namespace: &'a str, further: &[&'a str]) -> Vec<&'a str> {
    let args = ["app", "export", "shop", "-n", namespace, "-r", namespace, "--in-cluster"];
    [&args[..], further].concat()
}

#[test]
fn the_server_exports_and_the_command_reports_as_if_it_had() {
    let (site, _server) = site();
    let shop = site.shop();
    shop.grant_all(site);
    let account = ["--service-account", "exporter", "-o", "json"];
    let done = outhaul(site, "admin").run(&args(shop.namespace.name(), &account)).ok();
    let report = done.json();
    assert_eq!(report["status"], "exported");
    assert_eq!(report["chart"]["version"].as_str().unwrap(), shop.versions()[0]);
    assert!(report["fidelity"]["objects"].as_u64().unwrap() > 5, "the whole report: {report:#}");
    assert!(report["attached"].is_string());
    assert!(done.stderr.contains("is made\n"), "{}", done.stderr);
    let record = &shop.namespace.list(API, "Export")[0];
    assert_eq!(record["spec"]["requestedBy"]["user"], "admin");
    assert_eq!(record["spec"]["requestedBy"]["via"], "kubernetes");
    assert!(CANARIES.iter().all(|canary| !done.mentions(canary)));

    // Who may read neither destinations nor registries gets what the record says.
    shop.namespace.apply(MAY_ASK);
    let account = ["--service-account", "exporter"];
    let done = outhaul(site, "alice").run(&args(shop.namespace.name(), &account)).ok();
    let version = &shop.versions()[0];
    let chart = report["chart"]["repository"].as_str().unwrap();
    let app = format!("{}/shop", shop.namespace.name());
    let first = format!("unchanged: {chart}:{version} holds {app} as it is\n");
    assert!(done.stdout.starts_with(&first), "{}", done.stdout);
    assert!(done.stdout.contains("\nfindings: 0 errors, "), "{}", done.stdout);
}

#[test]
fn what_fails_on_the_server_fails_here_with_its_words_hint_and_code() {
    let (site, _server) = site();
    let shop = site.shop();
    let done = outhaul(site, "admin").run(&args(shop.namespace.name(), &[])).exits(4);
    assert!(done.stderr.contains("error: Export "), "{}", done.stderr);
    assert!(done.stderr.contains("name a service account"), "{}", done.stderr);
    shop.grant_all(site);
    let namespace = shop.namespace.name();
    let lost = ["app", "export", "shop", "-n", namespace, "-r", "lost", "--in-cluster"];
    let lost = [&lost[..], &["--service-account", "exporter"]].concat();
    let done = outhaul(site, "admin").run(&lost).exits(6);
    assert!(done.stderr.contains("there is no such destination"), "{}", done.stderr);
    assert_eq!(done.stdout, "");
}

#[test]
fn what_the_server_cannot_be_asked_for_is_refused_before_anything_is_made() {
    let (site, _server) = site();
    let namespace = site.cluster.namespace("asks");
    for further in [
        &["--dry-run"][..],
        &["--templates", "."],
        &["--to", "here"],
        &["--from", "-"],
        &["--secrets", "encrypt", "--age-recipient", "age1x"],
        &["--pull-address", "r.test"],
    ] {
        outhaul(site, "admin").run(&args(namespace.name(), further)).exits(2);
    }
    let address = ["app", "export", "a", "-n", namespace.name(), "-r", "r.test/x", "--in-cluster"];
    let done = outhaul(site, "admin").run(&address).exits(2);
    assert!(done.stderr.contains("is an address"), "{}", done.stderr);
    assert_eq!(namespace.list(API, "Export").len(), 0);
}

#[test]
fn a_cluster_without_the_resource_is_told() {
    let cluster = Cluster::start();
    let namespace = cluster.namespace("asks");
    let outhaul = Outhaul::new().kubeconfig(cluster.kubeconfig("admin"));
    let done = outhaul.run(&args(namespace.name(), &[])).exits(4);
    assert!(done.stderr.contains("does not know this resource"), "{}", done.stderr);
    assert!(done.stderr.contains("deploy/crds"), "{}", done.stderr);
}

#[test]
fn who_stops_waiting_stops_nothing() {
    let (site, server) = site();
    let shop = held(site, 1);
    shop.grant_all(site);
    let account = ["--service-account", "exporter"];
    let waits = outhaul(site, "admin").spawn(&args(shop.namespace.name(), &account));
    let name = waits.wait_for("the record", |_, _| {
        let made = shop.namespace.list(API, "Export");
        made.first().map(|of| of["metadata"]["name"].as_str().unwrap().to_owned())
    });
    in_the_middle(&shop, server, &name);
    waits.wait_for("that it is copied", |_, stderr| stderr.contains("copying").then_some(()));
    waits.interrupt();
    assert_eq!(waits.wait(), 130);
    assert_eq!(shop.record(&name)["status"]["phase"], "Running");
    let cancel = format!("outhaul export cancel {name} -n {}", shop.namespace.name());
    assert!(waits.stderr().contains(&format!("{cancel}\n")), "{}", waits.stderr());
    let cancel: Vec<&str> = cancel.split(' ').skip(1).collect();
    outhaul(site, "admin").run(&cancel).ok();
    assert_eq!(shop.finished(server, &name)["phase"], "Cancelled");
}
