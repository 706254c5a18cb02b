//! Bad input and broken parts: one clear error with a hint, its exit code, and no chart.

use serde_json::json;

use super::shop::{Shop, codes, status, versions};
use crate::support::cluster::cluster;
use crate::support::faulty::{Fault, Faulty, Trouble};
use crate::support::images::Image;
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;
use crate::support::registry::Registry;

/// Checks exit code, text and hint of a failure.
fn fails(output: Output, code: i32, text: &str, hint: &str) {
    let output = output.exits(code);
    assert!(output.stderr.starts_with("error: "), "{output:?}");
    assert!(output.stderr.contains(text), "`{text}` in {}", output.stderr);
    let hints = output.stderr.lines().find_map(|line| line.strip_prefix("hint: "));
    assert!(hints.is_some_and(|line| line.contains(hint)), "`{hint}` in {}", output.stderr);
}

#[test]
fn the_destination_dies_after_the_first_blob_and_the_next_run_finishes() {
    let shop = Shop::start();
    let big = Image::new(9, 12, 3 << 20);
    let digest = big.push(&shop.sources.target(), "shop/web", "1.4.2");
    let args = ["app", "export", "shop", "-n", shop.namespace.name(), "-r", "team"];
    let running = shop.outhaul().spawn(&args);
    running.wait_for("the first blob", |_, _| {
        let puts = shop.destination.requests(&["PUT"]);
        puts.iter()
            .any(|line| line.path.contains("/blobs/uploads/") && line.status == 201)
            .then_some(())
    });
    shop.destination.kill();
    assert_eq!(running.wait(), 9, "{}", running.stderr());
    assert!(running.stderr().contains(&shop.destination.address()), "{}", running.stderr());
    assert!(running.stderr().contains("hint: "));
    shop.destination.restart();
    assert_eq!(versions(&shop), Vec::<String>::new(), "no chart without its images");
    assert_eq!(status(&shop.export(&[]).ok()), "exported");
    assert!(shop.destination.target().manifest(&shop.image_repository(), &digest).is_some());
}

#[test]
fn ctrl_c_ends_an_export_cleanly() {
    let shop = Shop::start();
    Image::new(9, 12, 3 << 20).push(&shop.sources.target(), "shop/web", "1.4.2");
    let args = ["app", "export", "shop", "-n", shop.namespace.name(), "-r", "team"];
    let running = shop.outhaul().spawn(&args);
    running.wait_for("an upload", |_, _| {
        (!shop.destination.requests(&["POST"]).is_empty()).then_some(())
    });
    running.interrupt();
    assert_eq!(running.wait(), 130, "{}", running.stderr());
    assert_eq!(versions(&shop), Vec::<String>::new());
    assert_eq!(status(&shop.export(&[]).ok()), "exported");
}

#[test]
fn neither_or_both_destinations_are_epinios_two_sentences() {
    let outhaul = Outhaul::new();
    let neither = outhaul.run(&["app", "export", "shop"]);
    fails(neither, 2, "Neither directory nor registry destination found", "--to");
    let both = outhaul.run(&["app", "export", "shop", "dir", "-r", "team"]);
    fails(both, 2, "Conflict, both directory and registry destinations found", "not both");
    assert!(!outhaul.home().join("dir").exists());
}

#[test]
fn an_unknown_or_ambiguous_application_is_named() {
    let shop = Shop::start();
    let namespace = shop.namespace.name();
    let run = |name| shop.outhaul().run(&["app", "export", name, "-n", namespace, "-r", "team"]);
    fails(run("shoop"), 3, "application `shoop` was not found", "shop");
    for kind in ["Deployment", "StatefulSet"] {
        shop.namespace.apply(
            &format!(
                "
apiVersion: apps/v1
kind: {kind}
metadata: {{name: twin}}
spec:
  serviceName: twin
  selector: {{matchLabels: {{of: {kind}}}}}
  template:
    metadata: {{labels: {{of: {kind}}}}}
    spec: {{containers: [{{name: twin, image: 'example.org/twin:1'}}]}}
"
            )
            .replace(
                "  serviceName: twin\n",
                if kind == "StatefulSet" { "  serviceName: twin\n" } else { "" },
            ),
        );
    }
    fails(run("twin"), 3, "ambiguous", "-l");
    assert_eq!(versions(&shop), Vec::<String>::new());
}

#[test]
fn what_may_not_be_read_is_said_and_left_out_only_when_told() {
    let shop = Shop::start();
    let viewer = || Outhaul::new().kubeconfig(shop.namespace.cluster().kubeconfig("viewer"));
    let to = shop.sources.address() + "/backup";
    let args =
        ["app", "export", "shop", "-n", shop.namespace.name(), "-r", &to, "--secrets", "require"];
    fails(viewer().run(&args), 4, "secrets", "--skip-unreadable");
    let told = [&args[..], &["--skip-unreadable", "-o", "json"]].concat();
    let report = viewer().run(&told).ok().json();
    assert!(codes(&report).contains(&"CANNOT_READ"), "{report}");
    let nobody = Outhaul::new().kubeconfig(cluster().kubeconfig("nobody"));
    nobody.run(&["app", "list", "-n", shop.namespace.name()]).exits(4);
}

#[test]
fn a_destination_that_is_unknown_or_unusable_is_a_bad_export_destination() {
    let shop = Shop::start();
    let run = |registry| {
        let namespace = shop.namespace.name();
        shop.outhaul().run(&["app", "export", "shop", "-n", namespace, "-r", registry])
    };
    fails(run("nowhere"), 6, "bad export destination", "team");
    shop.system.apply(
        "
apiVersion: v1
kind: Secret
metadata:
  name: broken
  labels: {epinio.io/api-export-registry: 'true'}
  annotations: {epinio.io/registry-namespace: x}
stringData: {.dockerconfigjson: '{'}
",
    );
    fails(run("broken"), 6, "bad export destination", "");
    let list = shop.outhaul().run(&["export-registries", "-o", "json"]).ok().json();
    assert_eq!(list[0]["name"], "broken");
    assert!(list[0]["problems"][0]["text"].as_str().unwrap().contains(".dockerconfigjson"));
    assert_eq!(list[1]["name"], "team");
}

#[test]
fn a_wrong_password_an_untrusted_certificate_and_a_dead_registry_are_told_apart() {
    let shop = Shop::start();
    let secret = |name: &str, password: &str, certs: &str| {
        let auths = json!({"auths": {shop.destination.address(): {"username": "carol", "password": password}}});
        shop.system.apply(&format!(
            "
apiVersion: v1
kind: Secret
metadata:
  name: {name}
  labels: {{epinio.io/api-export-registry: 'true'}}
  annotations: {{epinio.io/registry-namespace: x}}
stringData: {{{certs} .dockerconfigjson: '{auths}'}}
"
        ));
    };
    secret("wrong", "guess", "certs: team-ca,");
    secret("untrusted", "s3cret", "");
    let run = |registry| {
        let namespace = shop.namespace.name();
        shop.outhaul().run(&["app", "export", "shop", "-n", namespace, "-r", registry])
    };
    let wrong = run("wrong");
    assert!(!wrong.mentions("guess"));
    fails(wrong, 7, "refused the credentials", "password");
    fails(run("untrusted"), 9, "not trusted", "tls.crt");
    shop.destination.kill();
    fails(run("team"), 9, "cannot reach", "network");
}

#[test]
fn a_missing_right_is_told_apart_from_a_wrong_password() {
    let sources = Registry::plain().start();
    super::shop::push_images(&sources);
    let destination = Faulty::start();
    destination.fault(Fault::on("POST", "/blobs/uploads/", Trouble::Status(403)).times(1));
    let outhaul = Outhaul::new();
    outhaul.write("shop.yaml", super::shop::manifests(&sources));
    let to = format!("{}/team", destination.address());
    let output = outhaul.run(&["app", "export", "shop", "--from", "shop.yaml", "-r", &to]);
    fails(output, 8, "denied access to team/", "right to");
    assert_eq!(destination.count("PUT", "/manifests/"), 0);
    destination.forget_uploads();
}

/// The destination that comes first by name gave its credentials to all others on its host.
#[test]
fn another_destination_on_the_same_host_does_not_break_an_export() {
    let shop = Shop::start();
    let image = Image::new(8, 1, 700);
    image.push(&shop.destination.target(), "own/app", "1");
    let wrong =
        json!({"auths": {shop.destination.address(): {"username": "carol", "password": "no"}}});
    shop.system.apply(&format!(
        "
apiVersion: v1
kind: Secret
metadata:
  name: another
  labels: {{epinio.io/api-export-registry: 'true'}}
  annotations: {{epinio.io/registry-namespace: x}}
stringData: {{.dockerconfigjson: '{wrong}'}}
---
apiVersion: v1
kind: Secret
metadata:
  name: payroll-only
  labels: {{epinio.io/api-export-registry: 'true'}}
  annotations: {{epinio.io/registry-namespace: x, outhaul.dev/allowed-namespaces: payroll}}
stringData: {{certs: team-ca, .dockerconfigjson: '{}'}}
",
        shop.destination.docker_config()
    ));
    shop.namespace.apply(&format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: own}}
spec: {{containers: [{{name: own, image: '{}/own/app:1'}}]}}
",
        shop.destination.address()
    ));
    let run = |registry: &str| {
        let namespace = shop.namespace.name();
        shop.outhaul().run(&["app", "export", "own", "-n", namespace, "-r", registry])
    };
    run("team").ok();
    fails(run("payroll-only"), 6, "it is not for applications of namespace", "allowed-namespaces");
}

#[test]
fn a_repository_that_must_be_created_first_is_said_so() {
    let sources = Registry::plain().start();
    super::shop::push_images(&sources);
    let destination = Faulty::start();
    destination.fault(Fault::on("POST", "/blobs/uploads/", Trouble::Status(404)).times(1));
    let outhaul = Outhaul::new();
    outhaul.write("shop.yaml", super::shop::manifests(&sources));
    let to = format!("{}/team", destination.address());
    let output = outhaul.run(&["app", "export", "shop", "--from", "shop.yaml", "-r", &to]);
    fails(output, 9, "a push does not create it", "create it first");
    destination.forget_uploads();
}

#[test]
fn names_and_versions_are_checked_before_anything_is_read() {
    let shop = Shop::start();
    let cases = [
        (["--chart-name", "Shop_Chart"], "not a valid chart name", "lower-case"),
        (["--chart-version", "1.0"], "not a valid chart version", "SemVer"),
    ];
    for (flags, text, hint) in cases {
        fails(shop.export(&flags), 2, text, hint);
    }
    assert_eq!(versions(&shop), Vec::<String>::new());
}

#[test]
fn an_image_that_exists_on_nodes_only_is_not_exported() {
    let shop = Shop::start();
    let image = format!("{}/shop/lost:1", shop.sources.address());
    shop.namespace.apply(&format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: lost, labels: {{app: lost}}}}
spec: {{containers: [{{name: lost, image: '{image}'}}]}}
"
    ));
    let run = || {
        shop.outhaul().run(&["app", "export", "lost", "-n", shop.namespace.name(), "-r", "team"])
    };
    fails(run(), 10, "does not exist", "push it");
    let running = json!({"phase": "Running", "containerStatuses": [{
        "name": "lost", "image": image, "imageID": format!("sha256:{}", "a".repeat(64)),
        "ready": true, "restartCount": 0}]});
    shop.namespace.patch_status("v1", "Pod", "lost", &running);
    fails(run(), 10, "on the nodes only", "push the image");
    assert_eq!(shop.destination.requests(&["POST", "PUT"]), []);
}

#[test]
fn manifests_that_do_not_parse_name_file_and_line() {
    let outhaul = Outhaul::new();
    outhaul.write("app/good.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    outhaul.write("app/bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [b\n");
    let output = outhaul.run(&["app", "export", "a", "--from", "app", "--to", "out"]);
    fails(output, 5, "bad.yaml:4:9", "correct that place");
    let missing = outhaul.run(&["app", "export", "a", "--from", "nowhere", "--to", "out"]);
    fails(missing, 5, "nowhere", "check the path");
    assert!(!outhaul.home().join("out").exists(), "nothing half-written");
}

#[test]
fn a_full_disk_leaves_no_archive_behind() {
    let registry = Registry::plain().start();
    super::shop::push_images(&registry);
    let outhaul = Outhaul::new();
    outhaul.write("shop.yaml", super::shop::manifests(&registry));
    // A limit on the size of files stands in for a full disk: both fail a write midway.
    let limited = "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"";
    let output = std::process::Command::new("sh")
        .args(["-c", limited, env!("CARGO_BIN_EXE_outhaul")])
        .args(["app", "export", "shop", "--from", "shop.yaml", "--to", "shop.tar"])
        .current_dir(outhaul.home())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(13), "{stderr}");
    assert!(stderr.contains("hint: "), "{stderr}");
    let left: Vec<_> =
        std::fs::read_dir(outhaul.home()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["shop.yaml"], "nothing half-written");
}

#[test]
fn a_destination_by_address_takes_its_credentials_from_flags_or_docker() {
    let shop = Shop::start();
    let to = format!("{}/direct", shop.destination.address());
    let ca = shop.destination.ca_file().to_str().unwrap().to_owned();
    let args = ["app", "export", "shop", "-n", shop.namespace.name(), "-r", &to, "--ca-file", &ca];
    fails(shop.outhaul().run(&args), 7, "needs credentials and none were found", "password");
    let flags = [&args[..], &["--username", "carol", "--password-stdin"]].concat();
    shop.outhaul().run_with(&flags, b"s3cret\n").ok();
    let docker = shop.outhaul().docker_config(&shop.destination.docker_config());
    docker.run(&args).ok();
}
