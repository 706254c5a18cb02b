//! What other systems are told of an export, beside the push: real objects, real registries.

use std::path::Path;

use axum::Router;
use axum::http::{HeaderName, StatusCode};
use serde_json::Value;

use super::shop::{CANARIES, Shop, codes, version, versions};
use crate::support::block_on;
use crate::support::cluster::Cluster;
use crate::support::controller::{Controller, TOKEN};
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;

/// An export with `--emit SYSTEM out`.
fn emit(outhaul: &Outhaul, shop: &Shop<'_>, system: &str, further: &[&str]) -> Output {
    let mut args = vec!["app", "export", "shop", "-n", shop.namespace.name(), "-r", "team"];
    args.extend(["-o", "json", "--emit", system, "out/told"]);
    args.extend(further);
    outhaul.run(&args)
}

/// A file of it as text, without any secret in it.
fn text(outhaul: &Outhaul, path: &str) -> String {
    let path = outhaul.home().join("out/told").join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    assert!(CANARIES.iter().all(|canary| !text.contains(canary)), "{text}");
    text
}

/// The documents of a file.
fn documents(outhaul: &Outhaul, path: &str) -> Vec<Value> {
    let text = text(outhaul, path);
    text.split("---\n").map(|one| serde_saphyr::from_str(one).unwrap()).collect()
}

/// The names in a directory; nothing where it is not.
fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names
}

#[test]
fn control_tower_is_told_of_images_that_are_there() {
    let shop = Shop::start();
    let outhaul = shop.outhaul();
    let planned = emit(&outhaul, &shop, "avassa", &["--dry-run"]).ok();
    assert!(planned.stderr.contains("out/told: application.yaml, secrets.yaml"), "{planned:?}");
    assert!(!outhaul.home().join("out").exists());
    let exported = emit(&outhaul, &shop, "avassa", &[]).ok();
    assert_eq!(names(&outhaul.home().join("out")), ["told"]);
    let specification = documents(&outhaul, "application.yaml").remove(0);
    assert_eq!(specification["version"], version(&exported));
    let services = specification["services"].as_array().unwrap();
    let host = format!("{}/{}@", shop.destination.address(), shop.image_repository());
    for service in services {
        let image = service["containers"][0]["image"].as_str().unwrap();
        let digest = image.strip_prefix(&host).unwrap_or_else(|| panic!("{image}"));
        shop.destination.target().manifest(&shop.image_repository(), digest).unwrap();
    }
    assert_eq!(services.len(), 3);
    let secrets = documents(&outhaul, "secrets.yaml");
    let credentials = secrets.iter().find(|secret| secret["name"] == "shop-credentials").unwrap();
    assert_eq!(credentials["data"]["db-password"], "<db-password of shop-credentials>");
    let report = exported.json();
    assert!(codes(&report).contains(&"APPLICATION_FIELD_LOST"), "{report}");
    let again = emit(&outhaul, &shop, "avassa", &[]).exits(2);
    assert!(again.stderr.contains("exists and is never overwritten"), "{again:?}");
    assert!(again.stderr.contains("hint: "), "{again:?}");
}

#[test]
fn findings_about_other_systems_stop_an_export_where_that_is_asked() {
    let shop = Shop::start();
    let outhaul = shop.outhaul();
    let further = ["--fail-on", "APPLICATION_FIELD_LOST"];
    let refused = emit(&outhaul, &shop, "avassa", &further).exits(17);
    assert!(refused.stderr.contains("APPLICATION_FIELD_LOST"), "{refused:?}");
    assert_eq!(versions(&shop), Vec::<String>::new());
    assert!(names(&outhaul.home().join("out")).is_empty());
}

#[test]
fn what_cannot_be_told_is_refused_before_anything_is_read() {
    let outhaul = Outhaul::new();
    let run = |args: &[&str]| outhaul.run(&[&["app", "export", "shop"], args].concat()).exits(2);
    let unknown = run(&["-r", "r.example", "--emit", "epinio", "out"]);
    assert!(unknown.stderr.contains("names no system"), "{unknown:?}");
    let nowhere = run(&["--to", "bundle.tar", "--emit", "avassa", "out"]);
    assert!(nowhere.stderr.contains("--pull-address"), "{nowhere:?}");
    let local = run(&["-r", "r.example", "--emit", "iofog", "out", "--registry-id", "local"]);
    assert!(local.stderr.contains("not pulled"), "{local:?}");
    outhaul.write("out/mine", "kept");
    let full = run(&["-r", "r.example", "--emit", "avassa", "out"]);
    assert!(full.stderr.contains("never overwritten"), "{full:?}");
    for args in [
        ["-r", "r.example", "--emit", "eda", "new", "--emit", "avassa", "./new"].as_slice(),
        &["-r", "r.example", "--emit", "eda", "new", "--emit", "avassa", "out/../new/a"],
        &["--to", "new", "--pull-address", "r.example", "--emit", "avassa", "new/a"],
        &["new", "--pull-address", "r.example", "--emit", "avassa", "new"],
    ] {
        let together = run(args);
        assert!(together.stderr.contains("are not apart"), "{together:?}");
        assert!(!outhaul.home().join("new").exists());
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
#[test]
fn values_of_secrets_are_their_owner_s_alone() {
    let shop = Shop::start();
    let outhaul = shop.outhaul();
    let further = ["--with-secrets", "--secrets", "include", "--emit", "eda", "out/second"];
    let exported =
        emit(&outhaul, &shop, "avassa", &[&further[..], &["--emit-store"]].concat()).ok();
    assert!(CANARIES.iter().all(|canary| !exported.mentions(canary)), "{exported:?}");
    for (path, said) in [
        ("told/secrets.yaml", &CANARIES[..]),
        ("second/secrets.yaml", &CANARIES[..]),
        ("second/store.yaml", &["s3cret"][..]),
    ] {
        let path = outhaul.home().join("out").join(path);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(said.iter().all(|value| text.contains(value)), "{path:?}");
        assert_eq!(mode(&path), 0o600, "{path:?}");
        assert_eq!(mode(path.parent().unwrap()), 0o700, "{path:?}");
    }
    assert_eq!(mode(&outhaul.home().join("out/second/crs")), 0o700);
    // Nobody knows who we are at another address.
    let elsewhere = ["--with-secrets", "--emit-store", "--pull-address", "mirror.example/team"];
    let args = ["app", "export", "shop", "-n", shop.namespace.name(), "-r", "team"];
    let args = [&args[..], &["--emit", "eda", "out/third"], &elsewhere].concat();
    outhaul.run(&args).ok();
    let store = std::fs::read_to_string(outhaul.home().join("out/third/store.yaml")).unwrap();
    assert!(store.contains("mirror.example") && !store.contains("s3cret"), "{store}");
}

/// A dry run to the destination's registry with these documents in `--destinations`.
fn described(shop: &Shop<'_>, system: &str, registry: &str, documents: &str) -> Output {
    let outhaul = shop.outhaul().docker_config(&shop.destination.docker_config());
    outhaul.write("known.yaml", documents);
    let ca = shop.destination.ca_file().display().to_string();
    let args = ["app", "export", "shop", "-n", shop.namespace.name(), "-r", registry];
    let further = ["--destinations", "known.yaml", "--ca-file", &ca, "--emit", system, "out"];
    outhaul.run(&[&args[..], &further, &["--dry-run", "-o", "json"]].concat()).ok()
}

#[test]
fn control_tower_s_own_documents_say_whether_it_knows_the_address() {
    let shop = Shop::start();
    let address = shop.destination.address();
    let unresolved = |host: &str| {
        let known = format!("address: {host}\ncredentials: []\n");
        let report = described(&shop, "avassa", &format!("{address}/backups"), &known).json();
        codes(&report).contains(&"AVASSA_IMAGE_UNRESOLVED")
    };
    assert!(unresolved("registry.example.com:6000"));
    assert!(!unresolved(&address));
}

#[test]
fn the_row_that_describes_the_destination_is_the_row_of_its_images() {
    let shop = Shop::start();
    let row = format!(
        "apiVersion: iofog.org/v3
kind: Registry
spec: {{id: 7, url: 'https://{}', private: true, username: carol, password: s3cret, email: a@b.example}}
",
        shop.destination.address()
    );
    let told = |system: &str| described(&shop, system, "7/backups", &row).json();
    let report = told("iofog");
    assert!(!codes(&report).contains(&"IOFOG_REGISTRY_ID_OPEN"), "{report}");
    assert!(codes(&report).contains(&"IOFOG_CERTIFICATE_UNUSED"), "{report}");
    // edgelet's rows are others.
    assert!(codes(&told("edgelet")).contains(&"IOFOG_REGISTRY_ID_OPEN"));
}

#[test]
fn artifactory_is_known_by_its_answers() {
    let shop = Shop::start();
    let found = |header: &'static str| {
        let (_runtime, place) = empty(header);
        let args = ["app", "export", "shop", "-n", shop.namespace.name(), "-r", &place];
        let further = ["--plain-http", "--emit", "eda", "out", "--dry-run", "-o", "json"];
        let report = shop.outhaul().run(&[&args[..], &further].concat()).ok().json();
        codes(&report).contains(&"EDA_ARTIFACTORY")
    };
    assert!(found("x-jfrog-version"));
    assert!(!found("x-other"));
}

/// A place in a registry that has nothing and sends a header with each answer, for as long as the
/// runtime is there.
fn empty(header: &'static str) -> (tokio::runtime::Runtime, String) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
    let answer = move || async move {
        (StatusCode::NOT_FOUND, [(HeaderName::from_static(header), "7.90.1")], "")
    };
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let place = format!("{}/team", listener.local_addr().unwrap());
    runtime.spawn(async move {
        axum::serve(listener, Router::new().fallback(answer)).await.unwrap();
    });
    (runtime, place)
}

/// Gives a Controller an application, as iofogctl does.
fn post(controller: &Controller, yaml: &str) -> (u16, Value) {
    let part = "Content-Disposition: form-data; name=\"application\"; filename=\"a.yaml\"";
    let body = format!("--b\r\n{part}\r\n\r\n{yaml}\r\n--b--\r\n");
    block_on(async {
        let url = format!("{}/api/v3/application/yaml", controller.url());
        let request = reqwest::Client::new().post(url).header("Authorization", TOKEN);
        let request = request.header("Content-Type", "multipart/form-data; boundary=b");
        let answer = request.body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
    })
}

#[test]
fn a_controller_takes_the_application_that_is_written() {
    let shop = Shop::start();
    let outhaul = shop.outhaul().env("OUTHAUL_CONTROLLER_TOKEN", TOKEN);
    let (controller, address) = (Controller::start(), shop.destination.address());
    controller.add_foreign(&address, true);
    let known = ["--agent", "edge1", "--controller", controller.url()];
    // A public row is not pulled with a login, and the destination has one.
    let open = emit(&outhaul, &shop, "iofog", &[&known[..], &["--dry-run"]].concat()).ok().json();
    assert!(codes(&open).contains(&"IOFOG_REGISTRY_ID_OPEN"), "{open}");
    let create = ["registry", "create", "--apply", "controller", "--url", &address, "-j"];
    let login = ["--username", "ann", "--password", "p", "--email", "ann@example.com"];
    let row = outhaul.run(&[&create[..], &login, &known[2..]].concat()).ok().json();
    let id = row["id"].to_string();
    let report = emit(&outhaul, &shop, "iofog", &known).ok().json();
    // The registry of the test has a port, and Java agents take it for a tag.
    assert!(codes(&report).contains(&"IOFOG_IMAGE_UNPULLABLE"), "{report}");
    assert!(!codes(&report).contains(&"IOFOG_REGISTRY_ID_OPEN"), "{report}");
    let text = text(&outhaul, "application.yaml");
    let (status, answer) = post(&controller, &text);
    assert_eq!((status, &answer["name"]), (201, &"shop".into()), "{answer}\n{text}");
    let image = format!("x86: {}/{}:", shop.destination.address(), shop.image_repository());
    assert!(text.contains(&image), "{text}");
    // Without the number, what is written is refused and not pulled with another row.
    let text = text.replace(&format!("registry: {id}"), "registry: <id of the registry>");
    assert_eq!(post(&controller, &text).0, 400);
}

#[test]
fn an_api_server_takes_manifest_components_and_store_of_nokia_eda() {
    let cluster = Cluster::start();
    for (file, api, plural) in [
        ("registry-crd", "appstore.eda.nokia.com/v1", "registries"),
        ("store-crds", "appstore.eda.nokia.com/v1", "appinstallers"),
        ("manifest-crd", "core.eda.nokia.com/v1", "manifests"),
    ] {
        let path = format!("tests/fixtures/systems/eda/{file}.yaml");
        cluster.apply(&std::fs::read_to_string(path).unwrap());
        cluster.await_served(api, plural);
    }
    let shop = Shop::deploy(&cluster, cluster.namespace("shop"));
    let outhaul = shop.outhaul();
    let further =
        ["--eda-group", "shop.example.com", "--eda-core", "v5.0", "--emit-store", "--emit-air-gap"];
    let exported = emit(&outhaul, &shop, "eda", &further).ok();
    let report = exported.json();
    assert!(codes(&report).contains(&"EDA_APP_IMAGE"), "{report}");
    assert!(!codes(&report).contains(&"EDA_ARTIFACTORY"), "{report}");
    let eda = cluster.named_namespace("eda-system");
    for file in ["manifest.yaml", "secrets.yaml", "store.yaml", "install.yaml"] {
        eda.apply(&text(&outhaul, file));
    }
    let manifest = eda.get("core.eda.nokia.com/v1", "Manifest", "shop").unwrap();
    let spec = &manifest["spec"];
    assert_eq!(spec["group"], "shop.example.com");
    assert_eq!(spec["version"], format!("v{}", version(&exported)));
    let host = shop.destination.address();
    assert_eq!(spec["image"], format!("{host}/backups/shop:v{}", version(&exported)));
    let installed = cluster.namespace("installed");
    let components: Vec<&str> = spec["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|component| component["cr"]["path"].as_str().unwrap())
        .collect();
    for path in &components {
        installed.apply(&text(&outhaul, path));
    }
    let kinds = components.iter().map(|path| path.split('-').nth(1).unwrap());
    let first: Vec<&str> = kinds.take(6).collect();
    let expected =
        ["serviceaccount", "role", "rolebinding", "persistentvolumeclaim", "service", "service"];
    assert_eq!(first, expected, "{components:?}");
    // Each image that runs is a dependency, by the tag that the registry has.
    let web = installed.get("apps/v1", "Deployment", "web").unwrap();
    let image = web.pointer("/spec/template/spec/containers/0/image").unwrap().as_str().unwrap();
    let (tagged, digest) = image.split_once('@').unwrap();
    let mut dependencies = spec["dependencies"].as_array().unwrap().iter();
    assert!(dependencies.any(|of| of["container"]["image"] == tagged), "{image} {spec:#}");
    let tag = tagged.rsplit_once(':').unwrap().1;
    let target = shop.destination.target();
    assert_eq!(
        target.manifest(&shop.image_repository(), tag).unwrap(),
        target.manifest(&shop.image_repository(), digest).unwrap()
    );
    assert!(text(&outhaul, components[components.len() - 1]).contains("kind: "));
    assert!(text(&outhaul, "bundle.yaml").contains("format: oci"));
}

#[test]
fn artifactory_is_known_by_the_flag() {
    let shop = Shop::start();
    let outhaul = shop.outhaul();
    let told = emit(&outhaul, &shop, "eda", &["--dry-run", "--registry-kind", "artifactory"]).ok();
    assert!(codes(&told.json()).contains(&"EDA_ARTIFACTORY"), "{told:?}");
    let plain = emit(&outhaul, &shop, "eda", &["--dry-run"]).ok();
    assert!(!codes(&plain.json()).contains(&"EDA_ARTIFACTORY"), "{plain:?}");
}
