//! `--chart-from release`, of what the real helm installed from a chart that it made itself.

use super::shop::{Shop, codes, status, version};
use crate::support::cluster::cluster;
use crate::support::helm::Helm;
use crate::support::images::Image;
use crate::support::output::Output;

/// A helm with the chart `web` of `helm create`, its image at the shop's sources, installed as
/// `shop-web` beside the shop.
fn installed(shop: &Shop<'_>, change: impl Fn(&Helm)) -> Helm {
    let helm = Helm::v4()
        .kubeconfig(cluster().kubeconfig("admin"))
        .docker_config(&shop.destination.docker_config())
        .ca_file(shop.destination.ca_file());
    Image::new(7, 2, 40_000).push(&shop.sources.target(), "site/web", "2.0");
    helm.run(&["create", "web"]).ok();
    change(&helm);
    let repository = format!("image.repository={}/site/web", shop.sources.address());
    let install = ["install", "site", "web", "-n", shop.namespace.name(), "--set", &repository];
    helm.run(&[&install[..], &["--set", "image.tag=2.0,replicaCount=2"]].concat()).ok();
    helm
}

fn export(shop: &Shop<'_>, further: &[&str]) -> Output {
    let args = ["app", "export", "site", "-n", shop.namespace.name(), "-r", "team", "-o", "json"];
    let from = ["--chart-from", "release"];
    shop.outhaul().run(&[&args[..], &from, further].concat())
}

#[test]
fn the_chart_of_a_release_comes_back_with_its_images_pinned() {
    let shop = Shop::start();
    let helm = installed(&shop, |_| ());
    let report = export(&shop, &[]).ok();
    let json = report.json();
    assert!(!codes(&json).contains(&"RELEASE_CHART_UNUSABLE"), "{json:#}");
    assert_eq!(status(&report), "exported");
    assert_eq!(status(&export(&shop, &[]).ok()), "unchanged");

    let (version, ca) = (version(&report), shop.destination.ca_file().display().to_string());
    let chart = format!("oci://{}/backups/web", shop.destination.address());
    helm.run(&["pull", &chart, "--version", &version, "--ca-file", &ca]).ok();
    let file = format!("web-{version}.tgz");
    let place = ["-n", shop.namespace.name()];
    let rendered =
        helm.run(&[&["template", "site", &file, "--no-hooks"][..], &place].concat()).ok();
    let manifest = helm.run(&[&["get", "manifest", "site"][..], &place].concat()).ok();
    let image = format!("{}/site/web:2.0", shop.sources.address());
    assert!(manifest.stdout.contains(&image), "{}", manifest.stdout);
    let line = rendered.stdout.lines().find(|line| line.contains("image: ")).unwrap();
    let pinned = line.trim().trim_start_matches("image: ").trim_matches('"');
    let repository =
        format!("{}/backups/{}-site-image", shop.destination.address(), shop.namespace.name());
    assert!(pinned.starts_with(&repository) && pinned.contains("@sha256:"), "{pinned}");
    let expected =
        manifest.stdout.replace(&image, pinned).replace("web-0.1.0", &format!("web-{version}"));
    assert_eq!(rendered.stdout.trim(), expected.trim());

    let target = cluster().namespace("target");
    helm.run(&["lint", "--strict", &file]).ok();
    helm.run(&["install", "site", &file, "-n", target.name()]).ok();
    let deployment = target.get("apps/v1", "Deployment", "site-web").unwrap();
    assert_eq!(deployment["spec"]["replicas"], 2);
    helm.run(&[&["upgrade", "site", &file][..], &place].concat()).ok();
}

#[test]
fn a_chart_that_leaves_something_to_chance_is_made_of_what_runs() {
    let shop = Shop::start();
    installed(&shop, |helm| {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: chance}\n\
                    data: {a: '{{ randAlphaNum 8 }}'}\n";
        helm.write("web/templates/chance.yaml", text);
    });
    let json = export(&shop, &[]).ok().json();
    let findings = json["findings"].as_array().unwrap();
    let found = findings.iter().find(|of| of["code"] == "RELEASE_CHART_UNUSABLE").unwrap();
    let text = found["text"].as_str().unwrap();
    assert!(text.contains("randAlphaNum"), "{text}");
    let chart = json["chart"].to_string();
    assert!(chart.contains(&format!("{}-site-chart", shop.namespace.name())), "{chart}");
}
