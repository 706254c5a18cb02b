//! Outhaul exports itself with itself: its chart, installed, by its own server and rights.

use std::path::Path;

use serde_json::{Value, json};

use super::site::{API, SYSTEM, Site, until};
use crate::export::shop::declare_as;
use crate::image::{BINARY, pushed};
use crate::support::helm::Helm;
use crate::support::objects::Namespace;
use crate::support::registry::Registry;

#[test]
fn outhaul_exports_itself_with_itself() {
    let (source, home) =
        (Registry::plain().start(), Registry::plain().tls().basic_auth("carol", "s3cret").start());
    let digest = pushed(&source, "tools/outhaul:1", Path::new(BINARY));
    let image =
        json!({"repository": format!("{}/tools/outhaul", source.address()), "digest": digest});
    let site = Site::deployed(&json!({"image": image}));
    declare_as(&site.system(), "home", &home);
    let server = site.serve("only", &[]);
    let admin = json!({"user": "admin", "groups": ["system:masters"], "via": "kubernetes"});
    let export = json!({
        "apiVersion": API, "kind": "Export", "metadata": {"name": "itself"},
        "spec": {"app": "outhaul", "destination": "home", "requestedBy": admin,
            "rewriteNamespace": true},
    });
    site.create("admin", SYSTEM, &export).unwrap();
    let status = server.running().wait_for("finished", |_, _| {
        let status = site.system().get(API, "Export", "itself").unwrap()["status"].clone();
        status["finishedAt"].is_string().then_some(status)
    });
    assert_eq!(status["phase"], "Succeeded", "{status:#}");
    let result = &status["result"];
    assert_eq!(result["images"][0]["digest"], digest.as_str(), "{result:#}");

    let version = result["chart"]["version"].as_str().unwrap();
    for (helm, name) in Helm::both().into_iter().zip(["copy-3", "copy-4"]) {
        let copy = site.cluster.named_namespace(name);
        let manifests = install(&helm_at(helm, &site, &home), &home, version, name);
        // They are the cluster's own, and every export of the cluster has them.
        for foreign in ["ValidatingAdmissionPolicy", "CustomResourceDefinition"] {
            assert!(!manifests.contains(foreign), "{manifests}");
        }
        assert_installed(&site, &copy, &format!("{}/backups/", home.address()), &digest);
    }
}

fn helm_at(helm: Helm, site: &Site, home: &Registry) -> Helm {
    helm.kubeconfig(site.cluster.kubeconfig("admin"))
        .docker_config(&home.docker_config())
        .ca_file(home.ca_file())
}

/// Installs the export into a namespace, with what it needs beyond; gives what helm has applied.
fn install(helm: &Helm, home: &Registry, version: &str, namespace: &str) -> String {
    let chart = format!("oci://{}/backups/{SYSTEM}-outhaul-chart", home.address());
    let ca = home.ca_file().display().to_string();
    helm.run(&["pull", &chart, "--version", version, "--ca-file", &ca]).ok();
    let archive = format!("{SYSTEM}-outhaul-chart-{version}.tgz");
    let suffix = format!("clusterScoped.nameSuffix=-{namespace}");
    let set = ["--set", "clusterScoped.create=true", "--set", &suffix];
    helm.run(&[&["install", "outhaul", &archive, "-n", namespace], &set[..]].concat()).ok();
    helm.run(&["get", "manifest", "outhaul", "-n", namespace]).ok().stdout
}

/// The server is there as it was, from its new home, and has rights of its own.
fn assert_installed(site: &Site, copy: &Namespace<'_>, home: &str, digest: &str) {
    let rbac = "rbac.authorization.k8s.io/v1";
    let deployment = copy.get("apps/v1", "Deployment", "outhaul").unwrap();
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let image = container["image"].as_str().unwrap();
    assert!(image.starts_with(home) && image.ends_with(digest), "{image}");
    let args = container["args"].to_string();
    assert!(args.contains(&format!("--tls-name=outhaul.{}.svc", copy.name())), "{args}");
    for (api, kind) in [
        ("v1", "Service"),
        ("v1", "ServiceAccount"),
        ("policy/v1", "PodDisruptionBudget"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
        (rbac, "Role"),
    ] {
        assert!(copy.get(api, kind, "outhaul").is_some(), "{kind}");
    }
    let account = json!([{"kind": "ServiceAccount", "name": "outhaul", "namespace": copy.name()}]);
    assert_eq!(copy.get(rbac, "RoleBinding", "outhaul").unwrap()["subjects"], account);
    let path = format!("/apis/{rbac}/clusterrolebindings/outhaul-{}", copy.name());
    let binding = site.send("admin", "GET", &path, &Value::Null).unwrap();
    assert_eq!(binding["subjects"], account);
    assert_eq!(binding["roleRef"]["name"], format!("outhaul-{}", copy.name()));
    let user = format!("system:serviceaccount:{}:outhaul", copy.name());
    let what = json!({"verb": "create", "group": "authentication.k8s.io",
        "resource": "tokenreviews"});
    until("its rights are seen", || site.allows(&user, &[], &what));
}
