//! Where the chart is read: at a destination of the cluster, or in a layout.

use super::site::{NEEDS, Site, missing};
use crate::support::outhaul::Outhaul;
use crate::support::registry::Registry;

/// `outhaul` of the cluster's admin, whose only credentials are in the Secret of destination `team`.
fn unknown_to_docker(site: &Site<'_>) -> Outhaul {
    let cluster = site.namespace.cluster();
    let system = cluster.namespace("system");
    system.apply(&format!(
        "
apiVersion: v1
kind: Secret
metadata:
  name: team
  labels: {{outhaul.dev/destination: 'true'}}
  annotations: {{outhaul.dev/registry-namespace: team}}
stringData:
  .dockerconfigjson: '{}'
",
        site.registry.docker_config()
    ));
    Outhaul::new()
        .kubeconfig(cluster.kubeconfig("admin"))
        .env("HELM", crate::support::tools::helm4())
        .env("OUTHAUL_SYSTEM_NAMESPACE", system.name())
}

#[test]
fn a_destination_of_the_cluster_has_the_credentials() {
    let site = Site::new();
    site.namespace.apply(NEEDS);
    let outhaul = unknown_to_docker(&site);
    let import = |reference: &str, further: &[&str]| {
        let args = ["app", "import", reference, "-n", site.namespace.name(), "-o", "json"];
        outhaul.run(&[&args[..], further].concat())
    };
    let address = format!("{}/team/shop-shop-chart", site.registry.address());
    let by_address = import(&address, &["--dry-run"]).ok().json();
    let by_name = import("team/shop-shop-chart", &["--dry-run"]).ok().json();
    assert_eq!((&by_name["digest"], &by_name["chart"]), (&by_address["digest"], &address.into()));
    import("team/shop-shop-chart", &["--pull-secret", "pull"]).ok();
    assert!(site.namespace.get("v1", "Secret", "pull").is_some());

    // Its path is not the whole registry, and whoever names a user is that one.
    let outside = format!("{}/team2/shop-shop-chart", site.registry.address());
    let refused = import(&outside, &["--dry-run"]);
    assert!(refused.stderr.contains("needs credentials and none were found"), "{refused:?}");
    let args = ["app", "import", "team/shop-shop-chart", "--username", "eve", "--password-stdin"];
    assert_ne!(outhaul.run_with(&args, b"wrong").code, 0);

    let mirror = Registry::plain().start();
    outhaul.run(&["app", "copy", "team/shop-shop-chart", &mirror.address()]).ok();
    let mut images = mirror.target().tags("shop-shop-image");
    images.retain(|tag| !tag.starts_with("outhaul-owner-"));
    assert_eq!(images.len(), 3);
    outhaul.run(&["verify", "team/shop-shop-chart"]).ok();
}

/// Nodes do not pull from a directory: where the images are to be must be certain.
#[test]
fn a_layout_is_copied_to_a_registry_first() {
    let site = Site::new();
    site.namespace.apply(NEEDS);
    let outhaul = site.outhaul("admin");
    let bundle = ["--to", "bundle", "--pull-address", "127.0.0.1:9/apps"];
    outhaul.run(&[&["app", "copy", &site.chart][..], &bundle].concat()).ok();
    let import = |args: &[&str]| {
        let all = [&["app", "import"][..], args, &["-n", site.namespace.name(), "-o", "json"]];
        outhaul.run(&all.concat())
    };
    let refused = import(&["shop-shop-chart", "--from", "bundle"]).exits(18);
    let images = missing(&refused.json(), "image");
    assert_eq!(images.len(), 3, "{images:?}");
    assert!(images[0].contains("cannot reach 127.0.0.1:9"), "{images:?}");
    assert!(refused.stdout.contains("outhaul app copy NAME --from bundle"), "{refused:?}");

    let to = format!("{}/carried", site.registry.address());
    outhaul.run(&["app", "copy", "shop-shop-chart", "--from", "bundle", &to]).ok();
    import(&[&format!("{to}/shop-shop-chart")]).ok();
    let web = site.namespace.get("apps/v1", "Deployment", "web").unwrap();
    let image = web["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap();
    assert!(image.starts_with(&format!("{to}/shop-shop-image@")), "{image}");
}
