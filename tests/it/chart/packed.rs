//! The archive and what a registry stores beside it.

use std::io::Read as _;

use flate2::read::GzDecoder;
use outhaul::app::{SecretValues, SecretsPolicy};
use outhaul::chart::{Error, Input, Size, archive, build};
use serde_json::{Value, json};

use super::shop;

#[test]
fn entries_stand_in_helms_order_and_say_nothing_of_this_machine() {
    let chart = shop::chart();
    let tgz = archive(&chart).tgz;
    assert_eq!(tgz[..4], [0x1f, 0x8b, 8, 0]); // no name, no comment
    assert_eq!(tgz[4..8], [0; 4]); // no time
    assert_eq!(tgz[9], 255); // no system
    let mut tar = tar::Archive::new(GzDecoder::new(&*tgz));
    let mut paths = Vec::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header();
        let about = (header.mode(), header.uid(), header.gid(), header.mtime());
        let about = (about.0.unwrap(), about.1.unwrap(), about.2.unwrap(), about.3.unwrap());
        assert_eq!(about, (0o644, 0, 0, 315_532_800));
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let path = path.strip_prefix("shop-prod-shop-chart/").unwrap().to_owned();
        assert_eq!(chart.files[&path], bytes);
        paths.push(path);
    }
    assert_eq!(paths.len(), chart.files.len());
    assert_eq!(paths[..3], ["Chart.yaml", "values.yaml", "values.schema.json"]);
    let templates = paths.iter().filter(|path| path.starts_with("templates/")).count();
    assert!(paths[3..3 + templates].iter().all(|path| path.starts_with("templates/")));
    assert!(paths[3..3 + templates].is_sorted() && paths[3 + templates..].is_sorted());
}

#[test]
fn names_longer_than_a_tar_header_are_whole() {
    let name = "n".repeat(200);
    let app =
        shop::app_of(json!([{"apiVersion": "v1", "kind": "Thing", "metadata": {"name": name}}]));
    let tgz = archive(&shop::plain_chart_of(&app)).tgz;
    let mut tar = tar::Archive::new(GzDecoder::new(&*tgz));
    let mut paths = tar.entries().unwrap().map(|it| it.unwrap().path().unwrap().into_owned());
    assert!(paths.any(|path| path.ends_with(format!("templates/thing-{name}.yaml"))));
}

#[test]
fn the_manifest_names_config_and_archive() {
    let packed = archive(&shop::chart());
    let manifest: Value = serde_json::from_slice(&packed.manifest).unwrap();
    assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    let config = &manifest["config"];
    assert_eq!(config["mediaType"], "application/vnd.cncf.helm.config.v1+json");
    assert_eq!(config["size"], packed.config.len());
    let layer = &manifest["layers"][0];
    assert_eq!(layer["mediaType"], "application/vnd.cncf.helm.chart.content.v1.tar+gzip");
    assert_eq!(layer["size"], packed.tgz.len());
    let annotations = &manifest["annotations"];
    assert_eq!(annotations["org.opencontainers.image.title"], "shop-prod-shop-chart");
    assert_eq!(annotations["org.opencontainers.image.version"], "2026.105.5");
    assert_eq!(annotations["org.opencontainers.image.created"], "2026-01-05T00:00:05Z");
    assert_eq!(annotations["dev.outhaul.origin"], "manifests/shop-prod/shop");
    assert!(annotations["artifacthub.io/images"].as_str().unwrap().contains("- name: nginx"));
}

#[test]
fn the_config_is_chart_yaml_in_helms_order() {
    let chart = shop::chart();
    let config: Value = serde_json::from_slice(&chart.config).unwrap();
    let keys: Vec<&str> = config.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["name", "version", "description", "apiVersion", "annotations", "type"]);
    let yaml = std::str::from_utf8(&chart.files["Chart.yaml"]).unwrap();
    assert_eq!(serde_saphyr::from_str::<Value>(yaml).unwrap(), config);
}

#[test]
fn title_and_version_of_the_manifest_are_the_charts() {
    let app = shop::app();
    let mut input = input(&app);
    for key in ["title", "version", "description"] {
        input.annotations.insert(format!("org.opencontainers.image.{key}"), "mine".to_owned());
    }
    let annotations = build(&input).unwrap().annotations;
    assert_eq!(annotations["org.opencontainers.image.title"], "shop-prod-shop-chart");
    assert_eq!(annotations["org.opencontainers.image.version"], "2026.105.5");
    assert_eq!(annotations["org.opencontainers.image.description"], "mine");
}

#[test]
fn what_helm_does_not_load_is_known() {
    let data = json!({"large": "x".repeat(5 << 20)});
    let app = shop::app_of(json!([{"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "a"}, "binaryData": data}]));
    let size = build(&input(&app)).unwrap().size(&input(&app));
    let Size::File { path, bytes } = size else { panic!("{size:?}") };
    assert_eq!(path, "templates/configmap-a.yaml");
    assert!(bytes > 5 << 20);
    let app = shop::app();
    assert_eq!(build(&input(&app)).unwrap().size(&input(&app)), Size::Fits);
    let name = "Shop".to_owned();
    assert!(matches!(build(&Input { name, ..input(&app) }), Err(Error::Name(_))));
}

fn input(app: &outhaul::app::App) -> Input<'_> {
    static NONE: SecretValues = SecretValues(std::collections::BTreeMap::new());
    shop::input(app, SecretsPolicy::Reference, &NONE)
}
