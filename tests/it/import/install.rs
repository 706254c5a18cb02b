//! The whole way: exported, imported, there; and again as an upgrade.

use super::site::{NEEDS, Site};
use crate::support::cluster::Cluster;
use crate::support::tools;

#[test]
fn an_export_comes_up_in_a_cluster_that_never_saw_it() {
    let fresh = Cluster::start();
    for helm in [tools::helm3(), tools::helm4()] {
        let site = Site::on(&fresh).helm(helm);
        site.namespace.apply(NEEDS);
        let plan = site.import(&["--dry-run"]).ok().json();
        assert_eq!((&plan["action"], &plan["release"]), (&"install".into(), &"shop".into()));
        assert!(site.namespace.get("apps/v1", "Deployment", "web").is_none(), "nothing is made");
        let done = site.import(&["--set", "workloads.api.replicas=3"]).ok();
        assert_eq!(done.json()["action"], "install");
        assert!(done.stderr.contains("STATUS: deployed"), "helm is heard: {}", done.stderr);
        let api = site.namespace.get("apps/v1", "Deployment", "api").unwrap();
        assert_eq!(api["spec"]["replicas"], 3);
        let web = site.namespace.get("apps/v1", "Deployment", "web").unwrap();
        let image = &web["spec"]["template"]["spec"]["containers"][0]["image"];
        let image = image.as_str().unwrap();
        assert!(image.starts_with(&format!("{}/team/shop-shop-image@", site.registry.address())));
        assert_eq!(web["metadata"]["annotations"]["meta.helm.sh/release-name"], "shop");

        let again = site.import(&["--release", "shop"]).ok().json();
        assert_eq!(again["action"], "upgrade");
        let other = site.import(&["--release", "other"]).exits(18);
        assert!(other.stderr.contains("belongs to release shop"), "{other:?}");
    }
}

#[test]
fn namespace_and_pull_secret_are_made_when_asked_for() {
    let site = Site::new();
    let name = format!("{}-new", site.namespace.name());
    let outhaul = site.outhaul("admin");
    let set = [
        "secrets.shop-credentials.create=true",
        "secrets.shop-credentials.data.db-password=some",
        "secrets.shop-credentials.data.session-key=other",
    ];
    let set = set.join(",");
    let args = ["app", "import", &site.chart, "-n", &name, "--set", &set, "-o", "json"];
    let refused = outhaul.run(&args).exits(18);
    assert!(refused.stderr.contains("the namespace does not exist"), "{refused:?}");
    assert!(
        crate::support::objects::get(site.namespace.cluster(), None, "v1", "Namespace", &name)
            .is_none()
    );

    let asked = ["--create-namespace", "--pull-secret", "team", "-vv"];
    let done = outhaul.run(&[&args[..], &asked].concat()).ok();
    let encoded =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, "carol:s3cret");
    assert!(!done.mentions("s3cret") && !done.mentions(&encoded), "{done:?}");
    let get = |kind: &str, name_of: &str| {
        crate::support::objects::get(
            site.namespace.cluster(),
            Some(&name),
            if kind == "Secret" { "v1" } else { "apps/v1" },
            kind,
            name_of,
        )
    };
    let secret = get("Secret", "team").unwrap();
    assert_eq!(secret["type"], "kubernetes.io/dockerconfigjson");
    let web = get("Deployment", "web").unwrap();
    assert_eq!(web["spec"]["template"]["spec"]["imagePullSecrets"][0]["name"], "team");
    // The nodes' kubelet would read this; so can we.
    let data = secret["data"][".dockerconfigjson"].as_str().unwrap();
    let config = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data).unwrap();
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&site.registry.docker_config()).unwrap();
    assert_eq!(config, expected);
}
