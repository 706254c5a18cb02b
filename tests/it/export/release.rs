//! `--chart-from release`, of what the real helm installed from a chart that it made itself.

use super::shop::{Shop, codes, status, version};
use crate::support::cluster::cluster;
use crate::support::helm::Helm;
use crate::support::images::Image;
use crate::support::output::Output;

/// A helm with the chart `web` of `helm create`, its image at the shop's sources, installed as
/// `shop-web` beside the shop.
fn installed(shop: &Shop<'_>, helm: Helm, change: impl Fn(&Helm)) -> Helm {
    let helm = helm
        .kubeconfig(cluster().kubeconfig("admin"))
        .docker_config(&shop.destination.docker_config())
        .ca_file(shop.destination.ca_file());
    Image::new(7, 2, 40_000).push(&shop.sources.target(), "site/web", "2.0");
    helm.run(&["create", "web"]).ok();
    change(&helm);
    let repository = format!("image.repository={}/site/web", shop.sources.address());
    let install = ["install", "site", "web", "-n", shop.namespace.name(), "--set", &repository];
    helm.run(&[&install[..], &["--set", "image.tag=2.0,replicaCount=2", "--no-hooks"]].concat())
        .ok();
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
    let helm = installed(&shop, Helm::v4(), |_| ());
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
    installed(&shop, Helm::v4(), |helm| {
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

/// A Deployment with images in two other forms, a digest of what is rendered beside it and text that
/// is a template; a hook with an image that runs as well.
const MORE: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "web.fullname" . }}-more
spec:
  selector: {matchLabels: {more: "1"}}
  template:
    metadata:
      labels: {more: "1"}
      annotations:
        checksum/service: {{ include (print $.Template.BasePath "/service.yaml") . | sha256sum }}
        note: {{ tpl .Values.note . | quote }}
    spec:
      initContainers: [{name: wait, image: {{ .Values.sidecar | quote }}}]
      containers:
        - name: job
          image: "{{ .Values.job.registry }}/{{ .Values.job.repository }}:{{ .Values.job.tag }}"
          resources: {limits: {cpu: 1000m, memory: 1Gi}}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  annotations: {helm.sh/hook: "pre-install,pre-upgrade"}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: migrate, image: {{ .Values.sidecar | quote }}}]
"#;

/// Adds them to the chart that helm made, with a schema that says what their values are.
fn with_more(helm: &Helm, registry: &str) {
    let values = std::fs::read_to_string(helm.folder().join("web/values.yaml")).unwrap();
    let more = format!(
        "note: 'for {{{{ .Release.Name }}}}'\nsidecar: {registry}/shop/db:15\n\
         job: {{registry: '{registry}', repository: shop/web, tag: 1.4.2}}\n"
    );
    helm.write("web/values.yaml", &format!("{values}{more}"));
    helm.write("web/templates/more.yaml", MORE);
    let text = r#"{"type": "string", "minLength": 1}"#;
    let schema = format!(
        r#"{{"type": "object", "required": ["sidecar", "job"], "properties": {{"note": {text},
        "sidecar": {{"type": "string"}}, "job": {{"type": "object", "additionalProperties": false,
        "properties": {{"registry": {{"type": "string"}}, "repository": {{"type": "string"}},
        "tag": {{"type": "string"}}}}}}}}}}"#
    );
    helm.write("web/values.schema.json", &schema);
}

/// The images of a release's chart, as helm renders it.
fn images(helm: &Helm, shop: &Shop<'_>, report: &Output) -> Vec<String> {
    let (version, ca) = (version(report), shop.destination.ca_file().display().to_string());
    let chart = format!("oci://{}/backups/web", shop.destination.address());
    helm.run(&["pull", &chart, "--version", &version, "--ca-file", &ca]).ok();
    let file = format!("web-{version}.tgz");
    let rendered = helm.run(&["template", "site", &file, "-n", shop.namespace.name()]).ok().stdout;
    let images = rendered.lines().filter_map(|line| line.split_once("image: "));
    images.map(|(_, image)| image.trim_matches(['"', ' ', '}', ']']).to_owned()).collect()
}

#[test]
fn releases_of_both_helms_with_images_of_many_forms_come_back() {
    for helm in Helm::both() {
        let shop = Shop::start();
        let registry = shop.sources.address();
        let helm = installed(&shop, helm, |helm| with_more(helm, &registry));
        let report = export(&shop, &[]).ok();
        let found = codes(&report.json()).iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let is_found = |code: &str| found.iter().any(|it| it == code);
        assert!(!is_found("RELEASE_CHART_UNUSABLE"), "{:#}", report.json()["findings"]);
        assert!(!is_found("RELEASE_DRIFT"), "{:#}", report.json()["findings"]);
        let all = images(&helm, &shop, &report);
        let backups = format!("{}/backups/", shop.destination.address());
        let moved = all.iter().filter(|it| it.starts_with(&backups) && it.contains("@sha256:"));
        // That of helm's own test is not exported.
        assert_eq!((moved.count(), all.len()), (4, 5), "{all:?}");

        let pattern = format!("{registry}/shop/db:*");
        let kept = export(&shop, &["--keep-image", &pattern]).ok();
        assert_eq!(status(&kept), "exported");
        let all = images(&helm, &shop, &kept);
        let stays = format!("{registry}/shop/db");
        let stay = all.iter().filter(|it| it.starts_with(&stays) && it.contains("@sha256:"));
        assert_eq!(stay.count(), 2, "{all:?}");
    }
}

#[test]
fn the_chart_of_a_release_is_verified_and_what_was_changed_behind_it_is_found() {
    let shop = Shop::start();
    installed(&shop, Helm::v4(), |_| ());
    let report = export(&shop, &[]).ok();
    let chart = format!("{}/backups/web:{}", shop.destination.address(), version(&report));
    shop.outhaul().run(&["verify", &chart, "--deep"]).ok();
    let namespace = shop.namespace.name();
    let diff = ["app", "diff", "site", &chart, "-n", namespace];
    shop.outhaul().run(&diff).ok();

    shop.namespace.apply(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: site-web}\nspec: {replicas: 5}\n",
    );
    let json = export(&shop, &[]).ok().json();
    let findings = json["findings"].as_array().unwrap();
    let drift: Vec<_> = findings.iter().filter(|of| of["code"] == "RELEASE_DRIFT").collect();
    assert_eq!(drift.len(), 1, "{drift:#?}");
    assert_eq!(drift[0]["field"], "spec.replicas");
    assert_eq!(drift[0]["object"]["name"], "site-web");
    shop.outhaul().run(&diff).exits(16);
}
