//! Whether a published export is whole, wherever its images are, and what is said if it is not.

use std::fs;

use outhaul::chart::{Chart, ChartArchive, archive, unpack};
use serde_json::Value;

use super::published::{CHART, Case};
use super::shop::push_images;
use crate::support::helm::Helm;
use crate::support::images::{INDEX, MANIFEST, digest};
use crate::support::output::Output;
use crate::support::registry::Registry;

#[test]
fn a_whole_export_passes_and_what_is_gone_or_wrong_is_named() {
    let case = Case::new();
    let report = case.export(&[]).ok().json();
    for further in [&[][..], &["--deep"]] {
        let found = case.verify(further).ok().json();
        let checks = found["checks"].as_array().unwrap();
        assert_eq!(checks.len(), 4 + 3, "{found:#}");
        assert!(checks.iter().all(|check| check["state"] == "ok"), "{found:#}");
        assert_eq!(checks.last().unwrap()["detail"], "application/vnd.outhaul.report.v1+json");
    }
    let index = &report["images"][0]["digest"];
    let repository = "team/shop-shop-image";
    let child = case.json(repository, index)["manifests"][1]["digest"].clone();
    let layer = case.json(repository, &child)["layers"][0]["digest"].as_str().unwrap().to_owned();
    let file = case.blob(&layer);
    let bytes = fs::read(&file).unwrap();
    let mut wrong = bytes.clone();
    wrong[0] ^= 1;
    fs::write(&file, wrong).unwrap();
    case.verify(&[]).ok();
    let found = case.verify(&["--deep"]).exits(14);
    assert!(found.stdout.contains(&format!("{layer} has other bytes")), "{}", found.stdout);
    fs::write(&file, bytes).unwrap();

    case.registry.target().delete_manifest(repository, child.as_str().unwrap());
    let found = case.verify(&[]).exits(19);
    let missing = format!("{} is missing", child.as_str().unwrap());
    assert!(found.stdout.contains(&missing), "{}", found.stdout);
    case.registry.target().delete_manifest(repository, index.as_str().unwrap());
    assert!(case.verify(&[]).exits(19).stdout.contains("is nowhere"));
}

#[test]
fn what_is_no_export_of_ours_is_told_apart() {
    let case = Case::new();
    let images = format!("{}/shop/web:1.4.2", case.registry.address());
    case.run(&["verify", &images], &[]).exits(15);
    case.run(&["verify", &format!("{}/none/none", case.registry.address())], &[]).exits(15);
}

#[test]
fn an_export_in_a_layout_can_be_verified() {
    let case = Case::new();
    let args = ["app", "export", "shop", "-n", "shop", "--from", "shop.yaml", "--to", "bundle"];
    case.run(&args, &["--pull-address", "mirror.example.org/team"]).ok();
    let verify = ["verify", "shop-shop-chart", "--from", "bundle", "--deep"];
    let found = case.run(&verify, &[]);
    assert!(!found.stdout.contains("missing"), "{}", found.stdout);
}

/// What was found under a name.
fn check<'a>(found: &'a Value, name: &str) -> &'a Value {
    let mut checks = found["checks"].as_array().unwrap().iter();
    checks.find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name} in {found:#}"))
}

/// An export of which one image stayed in a third registry.
fn with_third(third: Registry, credentials: &str) -> (Case, Registry) {
    let case = Case::new();
    push_images(&third);
    case.outhaul.write(".docker/config.json", credentials);
    let image = |registry: &Registry| format!("{}/shop/db:15", registry.address());
    case.change(&image(&case.registry), &image(&third));
    case.export(&["--keep-image", "*/shop/db:*"]).ok();
    case.verify(&["--deep"]).ok();
    (case, third)
}

/// The image could not be looked at: host, image and what to do are named.
fn is_unknown(output: Output, third: &Registry, reason: &str) {
    let output = output.exits(19);
    let found = output.json();
    let (image, at) = (check(&found, "image db"), format!("{}/shop/db: ", third.address()));
    assert_eq!(image["state"], "unknown", "{found:#}");
    let detail = image["detail"].as_str().unwrap();
    assert!(detail.starts_with(&at) && detail.contains(reason), "{detail}");
    assert_eq!(check(&found, "image web")["state"], "ok");
    let error = format!("did not pass: image db is unknown: {at}");
    assert!(output.stderr.contains(&error), "{}", output.stderr);
    assert!(output.stderr.contains("hint: check the network and the credentials"));
}

#[test]
fn a_registry_of_images_that_does_not_answer_is_named() {
    let (case, third) = with_third(Registry::plain().start(), "{}");
    third.kill();
    is_unknown(case.verify(&[]), &third, "cannot reach");
}

#[test]
fn images_that_were_kept_are_read_with_the_credentials_for_their_registry() {
    let third = Registry::plain().basic_auth("carol", "geheim").start();
    let credentials = third.docker_config();
    let (case, third) = with_third(third, &credentials);
    case.outhaul.write(".docker/config.json", "{}");
    is_unknown(case.verify(&[]), &third, "credentials");
    let wrong = serde_json::json!({"auths": {third.address(): {"auth": "Y2Fyb2w6d3Jvbmc="}}});
    case.outhaul.write(".docker/config.json", wrong.to_string());
    is_unknown(case.verify(&["--deep"]), &third, "carol");
}

#[test]
fn a_copy_is_verified_where_it_is() {
    let (case, mirror) = (Case::new(), Registry::plain().start());
    case.export(&[]).ok();
    let to = format!("{}/mirror", mirror.address());
    case.run(&["app", "copy", &case.reference(), &to], &[]).ok();
    case.registry.kill();
    assert!(case.verify(&[]).exits(9).stderr.contains(&case.registry.address()));
    let found = case.run(&["verify", &format!("{to}/shop-shop-chart"), "--deep"], &[]).ok().json();
    let image = check(&found, "image db")["detail"].as_str().unwrap();
    assert!(image.starts_with(&format!("{to}/shop-shop-image: ")), "{found:#}");
}

/// Publishes the chart of an export anew after a change, as somebody else might; its reference.
fn republished(case: &Case, change: impl FnOnce(&mut Chart)) -> String {
    let target = case.registry.target();
    let report = case.export(&[]).ok().json();
    let manifest = case.json(CHART, &report["chart"]["digest"]);
    let blob = |part: &Value| target.blob(CHART, part["digest"].as_str().unwrap()).unwrap();
    let (config, tgz) = (blob(&manifest["config"]), blob(&manifest["layers"][0]));
    let manifest = manifest.to_string().into_bytes();
    let mut chart = unpack(&ChartArchive { tgz, config, manifest }).unwrap();
    change(&mut chart);
    let made = archive(&chart);
    crate::support::block_on(async {
        target.push_blob(CHART, &made.config).await;
        target.push_blob(CHART, &made.tgz).await;
        target.push_manifest(CHART, "9.9.9", MANIFEST, &made.manifest).await;
    });
    format!("{}:9.9.9", case.reference())
}

/// What somebody does to a chart.
type Change = Box<dyn FnOnce(&mut Chart)>;

fn replace(chart: &mut Chart, path: &str, from: &str, to: &str) {
    let text = String::from_utf8(chart.files[path].clone()).unwrap();
    assert!(text.contains(from), "{from} in {path}:\n{text}");
    chart.files.insert(path.to_owned(), text.replace(from, to).into_bytes());
}

#[test]
fn a_chart_whose_parts_do_not_go_together_is_inconsistent() {
    let case = Case::new();
    let report = case.export(&[]).ok().json();
    let images = report["images"].as_array().unwrap();
    let web = images.iter().find(|image| image["key"] == "web").unwrap();
    let web = web["digest"].as_str().unwrap().to_owned();
    let other = format!("sha256:{}", "e".repeat(64));
    let deployment = "templates/deployment-web.yaml";
    let cases: [(&str, &str, Change); 4] = [
        ("lock", "is rendered and not in the lock", {
            let (web, other) = (web.clone(), other.clone());
            Box::new(move |chart| replace(chart, "values.yaml", &web, &other))
        }),
        ("lock", "is rendered and not in the lock", {
            let pod = format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: more}}\nspec: \
                {{containers: [{{name: a, image: 'example.org/a@{other}'}}]}}\n"
            );
            Box::new(move |chart| _ = chart.files.insert("templates/a.yaml".into(), pod.into()))
        }),
        ("lock", "web is in the lock and not rendered", {
            Box::new(move |chart| _ = chart.files.remove(deployment))
        }),
        ("rendering", "templates/deployment-web.yaml", {
            Box::new(move |chart| _ = chart.files.insert(deployment.into(), "{{ .x".into()))
        }),
    ];
    for (name, detail, change) in cases {
        let reference = republished(&case, change);
        let output = case.run(&["verify", &reference], &[]).exits(16);
        let check = check(&output.json(), name).clone();
        assert_eq!(check["state"], "differs", "{check}");
        assert!(check["detail"].as_str().unwrap().contains(detail), "{check}");
        assert!(output.stderr.contains("hint: someone has changed the chart since"), "{output:?}");
    }
}

/// No export has as many; a chart that somebody edited may refer to one.
#[test]
fn an_image_that_is_too_large_to_look_at_is_not_said_to_be_whole() {
    const MANIFESTS: usize = 1_024;
    let case = Case::new();
    let (target, repository) = (case.registry.target(), "team/shop-shop-image");
    let report = case.export(&[]).ok().json();
    let images = report["images"].as_array().unwrap();
    let web = images.iter().find(|image| image["key"] == "web").unwrap();
    let mut index = case.json(repository, &web["digest"]);
    let mut child = case.json(repository, &index["manifests"][0]["digest"]);
    let children = index["manifests"].as_array_mut().unwrap();
    crate::support::block_on(async {
        while children.len() < MANIFESTS {
            child["annotations"] = serde_json::json!({"number": children.len().to_string()});
            let bytes = child.to_string().into_bytes();
            let digest = digest(&bytes);
            target.push_manifest(repository, &digest, MANIFEST, &bytes).await;
            let descriptor = serde_json::json!({"mediaType": MANIFEST, "digest": digest,
                "size": bytes.len()});
            children.push(descriptor);
        }
    });
    let bytes = index.to_string().into_bytes();
    crate::support::block_on(target.push_manifest(repository, "large", INDEX, &bytes));
    let (from, to) = (web["digest"].as_str().unwrap(), digest(&bytes));
    let reference = republished(&case, |chart| {
        for file in ["values.yaml", "images.lock"] {
            replace(chart, file, from, &to);
        }
    });
    let found = case.run(&["verify", &reference], &[]).exits(19).json();
    let image = check(&found, "image web");
    assert_eq!(image["state"], "unknown", "{image}");
    assert!(image["detail"].as_str().unwrap().contains("more than 1024 manifests"), "{image}");
}

#[test]
fn a_chart_of_somebody_else_is_told_apart_with_the_reason() {
    let case = Case::new();
    let helm = Helm::v4();
    helm.write("plain/Chart.yaml", "apiVersion: v2\nname: plain\nversion: 1.0.0\n");
    helm.write("plain/templates/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    helm.run(&["package", "plain"]).ok();
    let to = format!("oci://{}/team", case.registry.address());
    helm.run(&["push", "plain-1.0.0.tgz", &to, "--plain-http"]).ok();
    let output = case.run(&["verify", &format!("{to}/plain")], &[]).exits(15);
    let reason = "plain is not an export of outhaul's that this release can read: it has no \
                  annotation dev.outhaul.origin";
    assert!(output.stderr.contains(reason), "{output:?}");
    assert!(output.stderr.contains("hint: only what `outhaul app export`"), "{output:?}");
}

/// Whatever became of the bytes in the registry's storage, `--deep` sees it.
#[test]
fn damaged_blobs_are_wrong() {
    let case = Case::new();
    let report = case.export(&[]).ok().json();
    let image = &report["images"][0]["digest"];
    let child = case.json("team/shop-shop-image", image)["manifests"][0]["digest"].clone();
    let child = case.json("team/shop-shop-image", &child);
    let (config, layer) = (&child["config"]["digest"], &child["layers"][1]["digest"]);
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();
    let longer = |bytes: &[u8]| [bytes, b"x"].concat();
    let other = |bytes: &[u8]| vec![b'x'; bytes.len()];
    for digest in [config, layer] {
        let file = case.blob(digest.as_str().unwrap());
        let whole = fs::read(&file).unwrap();
        for damaged in [cut(&whole), longer(&whole), other(&whole), Vec::new()] {
            fs::write(&file, damaged).unwrap();
            let output = case.verify(&["--deep"]).exits(14);
            let text = format!("{} has other bytes", digest.as_str().unwrap());
            assert!(output.stdout.contains(&text), "{output:?}");
        }
        fs::write(&file, whole).unwrap();
    }
    case.verify(&["--deep"]).ok();
    // The chart itself is always read whole.
    let chart = case.json(CHART, &report["chart"]["digest"]);
    let archive = chart["layers"][0]["digest"].as_str().unwrap();
    let file = case.blob(archive);
    fs::write(&file, other(&fs::read(&file).unwrap())).unwrap();
    let output = case.verify(&[]).exits(14);
    assert!(output.stderr.contains(archive), "{output:?}");
}
