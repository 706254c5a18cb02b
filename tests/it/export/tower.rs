//! Images to Avassa Control Tower's own registry, the chart to another.

use serde_json::Value;

use super::shop::{Shop, status, version, versions};
use crate::support::images::{Target, digest};
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;
use crate::support::tower::{TOKEN, Tower};

/// Methods of requests that change something.
const WRITES: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];

/// The shop, and a Control Tower for its images.
struct Case {
    shop: Shop<'static>,
    tower: Tower,
}

impl Case {
    fn start() -> Self {
        Self { shop: Shop::start(), tower: Tower::start() }
    }

    /// `outhaul app export shop -r TOWER/edge --registry-kind avassa -o json FURTHER…`
    fn export_by(&self, outhaul: &Outhaul, further: &[&str]) -> Output {
        let to = format!("{}/edge", self.tower.address());
        let shop = ["app", "export", "shop", "-n", self.shop.namespace.name()];
        let place = ["-r", &to, "--registry-kind", "avassa", "-o", "json"];
        outhaul.run(&[&shop[..], &place, further].concat())
    }

    /// The same with the chart at the destination `team`, after a login with this token.
    fn export(&self, token: &str, further: &[&str]) -> Output {
        let outhaul = self.shop.outhaul().docker_config(&self.tower.docker_config(token));
        self.export_by(&outhaul, &[&["--chart-registry", "team"], further].concat())
    }

    /// Repository of the images.
    fn images(&self) -> String {
        format!("edge/{}-shop-image", self.shop.namespace.name())
    }
}

/// That a refusal has this exit code and names these things in its hint.
fn refused(output: Output, code: i32, text: &str, hints: &[&str]) {
    let output = output.exits(code);
    assert!(output.stderr.contains(text), "{output:?}");
    assert!(!output.mentions(TOKEN), "{output:?}");
    let hint = output.stderr.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap();
    assert!(hints.iter().all(|word| hint.contains(word)), "{hint}");
}

/// That an index, its manifests and all of their blobs are there.
fn is_whole(target: &Target, repository: &str, index: &str) -> bool {
    let read = |digest: &str| -> Option<Value> {
        let bytes = target.manifest(repository, digest)?;
        assert_eq!(crate::support::images::digest(&bytes), digest);
        serde_json::from_slice(&bytes).ok()
    };
    let digest_of = |descriptor: &Value| descriptor["digest"].as_str().unwrap().to_owned();
    let Some(index) = read(index) else { return false };
    index["manifests"].as_array().unwrap().iter().all(|child| {
        let Some(manifest) = read(&digest_of(child)) else { return false };
        let layers = manifest["layers"].as_array().unwrap();
        layers.iter().chain([&manifest["config"]]).all(|blob| {
            let blob = digest_of(blob);
            target.blob(repository, &blob).is_some_and(|bytes| digest(&bytes) == blob)
        })
    })
}

#[test]
fn images_go_to_control_tower_and_the_chart_that_refers_to_them_elsewhere() {
    let case = Case::start();
    let plan = case.export(TOKEN, &["--dry-run"]).ok().json();
    let report = case.export(TOKEN, &[]).ok();
    let (version, report) = (version(&report), report.json());
    let charts = format!("{}/{}", case.shop.destination.address(), case.shop.chart_repository());
    let images = format!("{}/{}", case.tower.address(), case.images());
    assert_eq!(
        (&plan["chart"], &report["chart"]["repository"]),
        (&charts.as_str().into(), &charts.as_str().into())
    );
    assert!(report["install"].as_str().unwrap().contains(&charts));
    for (planned, image) in
        plan["images"].as_array().unwrap().iter().zip(report["images"].as_array().unwrap())
    {
        assert_eq!(
            (&planned["destination"], &image["repository"]),
            (&images.as_str().into(), &images.as_str().into())
        );
    }
    let there = case.tower.registry.target();
    for (_, index) in &case.shop.images {
        assert!(is_whole(&there, &case.images(), index), "{index}");
    }
    let tags = there.tags(&case.images());
    assert_eq!(tags.len(), case.shop.images.len(), "images alone: {tags:?}");
    assert_eq!(case.shop.destination.target().tags(&case.shop.image_repository()), [""; 0]);
    let chart = case.shop.published(&version);
    for (_, index) in &case.shop.images {
        let listed = &chart.annotations["images"];
        assert!(listed.contains(&format!("{images}:")) && listed.contains(index), "{listed}");
    }

    let outhaul = case.shop.outhaul().docker_config(&case.tower.docker_config(TOKEN));
    let name = case.shop.chart_repository().replace("backups/", "team/");
    outhaul.run(&["verify", &name, "--deep"]).ok();

    case.tower.registry.clear_log();
    case.shop.destination.clear_log();
    assert_eq!(status(&case.export(TOKEN, &[]).ok()), "unchanged");
    assert_eq!(case.tower.registry.requests(&WRITES), []);
    assert_eq!(case.shop.destination.requests(&WRITES), []);
    there.delete_manifest(&case.images(), &case.shop.images[0].1);
    assert_eq!(status(&case.export(TOKEN, &[]).ok()), "restored");
    assert!(is_whole(&there, &case.images(), &case.shop.images[0].1));
}

#[test]
fn without_a_place_for_the_chart_nothing_is_pushed_unless_that_place_is_named() {
    let case = Case::start();
    let outhaul = case.shop.outhaul().docker_config(&case.tower.docker_config(TOKEN));
    let refusal = case.export_by(&outhaul, &[]);
    refused(refusal, 6, "takes Helm charts is not documented", &["--chart-registry"]);
    assert_eq!(case.tower.registry.requests(&WRITES), []);

    let same = format!("{}/edge", case.tower.address());
    let login = ["--username", "any", "--password-stdin", "--chart-registry", &same];
    let shop = ["app", "export", "shop", "-n", case.shop.namespace.name(), "-r", &same];
    let args = [&shop[..], &["--registry-kind", "avassa"], &login].concat();
    case.shop.outhaul().run_with(&args, TOKEN.as_bytes()).ok();
    let charts = format!("edge/{}-shop-chart", case.shop.namespace.name());
    assert!(!case.tower.registry.target().tags(&charts).is_empty());
}

#[test]
fn a_copy_goes_there_as_an_export_does() {
    let case = Case::start();
    let version = version(&case.shop.export(&[]).ok());
    let outhaul = case.shop.outhaul().docker_config(&case.tower.docker_config(TOKEN));
    let from = case.shop.chart_repository().replace("backups/", "team/");
    let to = format!("{}/edge", case.tower.address());
    let args = ["app", "copy", &from, &to, "--registry-kind", "avassa"];
    refused(outhaul.run(&args), 6, "takes Helm charts is not documented", &["--chart-registry"]);
    assert_eq!(case.tower.registry.requests(&WRITES), []);

    let elsewhere = format!("{}/charts", case.shop.sources.address());
    outhaul.run(&[&args[..], &["--chart-registry", &elsewhere]].concat()).ok();
    let charts = format!("charts/{}-shop-chart", case.shop.namespace.name());
    assert!(case.shop.sources.target().manifest(&charts, &version).is_some());
    for (_, index) in &case.shop.images {
        assert!(is_whole(&case.tower.registry.target(), &case.images(), index));
    }
}

#[test]
fn every_refusal_of_control_tower_says_what_to_do() {
    let case = Case::start();
    let token = "supctl do strongbox token create-token --policies registry-push --ttl 4h";
    let nobody = case.export_by(&case.shop.outhaul(), &["--chart-registry", "team"]);
    refused(nobody, 7, "needs credentials", &["docker login -u any", token]);
    refused(case.export("expired", &[]), 7, "refused the credentials", &["expired", token]);
    case.tower.deny_push(true);
    refused(case.export(TOKEN, &[]), 8, "denied access", &["Registry-Push", token]);
    case.tower.seal(true);
    refused(case.export(TOKEN, &[]), 9, "503", &["sealed", "unseal"]);
    assert_eq!(versions(&case.shop), Vec::<String>::new());
    case.tower.seal(false);
    case.tower.deny_push(false);
    assert_eq!(status(&case.export(TOKEN, &[]).ok()), "exported");
}

#[test]
fn a_token_that_ends_midway_leaves_no_chart_and_the_next_one_finishes() {
    let case = Case::start();
    // A manifest follows its blobs, so that something is there then, whatever goes on beside it.
    case.tower.end_at_manifest();
    let ended = case.export(TOKEN, &[]);
    refused(ended, 7, "refused the credentials", &["no uses left", "nothing twice"]);
    let pushed = case.tower.registry.requests(&["PUT"]);
    let has_manifest = pushed.iter().any(|line| line.path.contains("/manifests/"));
    assert!(!pushed.is_empty() && !has_manifest, "{pushed:?}");
    assert_eq!(versions(&case.shop), Vec::<String>::new());
    case.tower.renew();
    assert_eq!(status(&case.export(TOKEN, &[]).ok()), "exported");
}
