//! Epinio's own client against ours: the scripted one of `support::epinio`, and the real one where the
//! variable `EPINIO` names it. The acceptance cases of `docs/SERVER.md` §13.11 that are about the client
//! have their numbers.

use regex::Regex;
use reqwest::Method;

use super::export::Place;
use super::{Site, get, refused, site};
use crate::support::certs::Authority;
use crate::support::epinio::{Client, Epinio, clients};
use crate::support::outhaul::Outhaul;
use crate::support::server::Server;

const CLI: &str = include_str!("../../../fixtures/epinio/cli.txt");
const SHOP: &str = include_str!("../../../fixtures/epinio/shop.yaml");

/// What the server says that it is, and so the client.
const VERSION: &str = "v1.14.0";

/// Where the recorded server was.
const RECORDED_AT: &str = "127.0.0.1:18030";

/// Commands of the recording that are not held here: one makes a file, whose bar depends on a clock, and
/// of one the recorded server had nowhere to write.
const NOT_HELD: [&str; 2] = ["app manifest shop /tmp/m.yaml", "app export shop -r good"];

pub(super) fn by_tls(args: &[&str]) -> Server {
    site().0.serve(&[&["--tls-self-signed", "--tls-name", "epinio.example.com"], args].concat())
}

/// The clients, logged in as `user` and in `namespace`.
pub(super) fn logged_in(server: &Server, user: &str, namespace: &str) -> Vec<Box<dyn Client>> {
    let mut clients = clients(VERSION);
    for client in &mut clients {
        client.run(&["login", server.url(), "-u", user, "-p", "pw", "--trust-ca"]).ok();
        client.run(&["target", namespace]).ok();
    }
    clients
}

/// Times are those of another day, versions those of another cluster.
fn timeless(text: &str) -> String {
    let times = Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC").unwrap();
    let text = times.replace_all(text, "2026-11-22 00:00:00 +0000 UTC");
    let versions = Regex::new(r"Kubernetes Version: v\d+\.\d+\.\d+").unwrap();
    versions.replace_all(&text, "Kubernetes Version: v1").into_owned()
}

#[test]
fn the_client_prints_what_was_recorded() {
    let site = Site::start();
    site.namespace("workspace").apply(SHOP);
    let server = site.serve(&["--epinio-version", "v0.0.0-dev"]);
    server.wait_for_status("/ready", 200);
    let mut client = Epinio::new("v0.0.0-dev").settings(server.url(), "admin", "pw");
    let mut held = 0;
    for block in CLI.split("$ epinio ").skip(1) {
        let (command, recorded) = block.split_once('\n').unwrap();
        if NOT_HELD.contains(&command) {
            continue;
        }
        held += 1;
        let recorded = recorded.replace(RECORDED_AT, server.address());
        let command = command.replace(RECORDED_AT, server.address()).replace(" ''", " ");
        let mut args: Vec<&str> = command.split(' ').collect();
        if args[0] == "login" {
            args.push("--trust-ca"); // which it does not come to
        }
        let printed = client.run(&args);
        let all = format!("{}{}", printed.stdout, printed.stderr);
        match recorded.split_once("=== RAW ERROR RESPONSE ===") {
            None => assert_eq!(timeless(&all), timeless(&recorded), "{command}"),
            // The same title with another status, and without a stack trace.
            Some((before, after)) => {
                assert!(all.starts_with(before.trim_end()), "{command}: {all}");
                let error = after.trim_end().rsplit_once("❌  ").unwrap().1;
                assert!(printed.fails(error).stderr.contains("=== RAW ERROR RESPONSE ==="));
            }
        }
    }
    assert_eq!(held, 10, "commands of the recording");
}

#[test]
fn who_logs_in_looks_around_and_exports_to_a_registry() {
    let place = Place::new("client");
    let authority = Authority::new("operator").loopback();
    let files = Outhaul::new();
    let file = |name: &str, pem: &str| files.write(name, pem).to_str().unwrap().to_owned();
    let (cert, key) = (file("tls.crt", &authority.certificate), file("tls.key", &authority.key));
    let signed = site().0.serve(&["--tls-cert", &cert, "--tls-key", &key]);
    for server in [by_tls(&[]), signed] {
        for mut client in logged_in(&server, "admin", "client") {
            let mut run = |args: &[&str]| client.run(args).ok();
            let info = run(&["info"]);
            assert!(info.contains("Epinio Server Version: v1.14.0\n"), "{info}");
            assert!(!info.contains('⚠'), "the versions are the same: {info}");
            let namespaces = run(&["namespace", "list"]);
            assert!(namespaces.contains("\n| client "), "{namespaces}");
            for args in [&["app", "list"][..], &["app", "list", "--all"]] {
                let apps = run(args);
                assert!(apps.contains("| sample "), "{apps}");
            }
            let app = run(&["app", "show", "sample"]);
            assert!(app.contains("| Running StageId "), "{app}");
            assert!(run(&["export-registries"]).contains("| client "));
            let done = run(&["app", "export", "sample", "-r", "client"]);
            let all = ["Export application to registry", "Target Registry: client", "Ok"];
            assert!(all.iter().all(|text| done.contains(text)), "{done}");
            let named = ["--chart-version", "1.2.3", "--image-tag", "mine"];
            run(&[&["app", "export", "sample", "-r", "client"], &named[..]].concat());
        }
    }
    assert!(place.versions().contains(&"1.2.3".to_owned()), "{:?}", place.versions());
}

#[test]
fn who_may_not_log_in_is_told_why() {
    let server = by_tls(&[]);
    for mut client in clients(VERSION) {
        let wrong = client.run(&["login", server.url(), "-u", "dev", "-p", "no", "--trust-ca"]);
        wrong.fails(
            "error verifying credentials: error while connecting to the Epinio server: wrong user \
             or password",
        );
    }
    // A namespace that is not the user's is no longer the target.
    site().0.user("visitor", "", "");
    site().0.namespace("workspace");
    let server = by_tls(&[]);
    for mut client in clients(VERSION) {
        let done = client.run(&["login", server.url(), "-u", "visitor", "-p", "pw", "--trust-ca"]);
        let done = done.ok();
        assert!(done.contains("Login successful"), "{done}");
        assert!(done.contains("Current namespace 'workspace' not found"), "{done}");
    }
}

#[test]
fn another_version_than_the_clients_is_a_warning() {
    let server = by_tls(&["--epinio-version", "v1.12.0"]);
    let mut client = Epinio::new(VERSION);
    client.run(&["login", server.url(), "-u", "admin", "-p", "pw", "--trust-ca"]).ok();
    let warned = client.run(&["namespace", "list"]).ok();
    let warning = "server version (v1.12.0) doesn't match the client version (v1.14.0)";
    assert!(warned.contains(warning), "{warned}");
}

#[test]
fn case_5_an_export_has_one_destination_which_is_there() {
    let place = Place::new("case-five");
    let server = by_tls(&[]);
    for mut client in logged_in(&server, "admin", place.namespace.name()) {
        let mut export = |args: &[&str]| client.run(&[&["app", "export"], args].concat());
        let conflict = "Conflict, both directory and registry destinations found";
        export(&["sample", "/tmp/none", "-r", "case-five"]).fails(conflict);
        export(&["sample"]).fails("Neither directory nor registry destination found");
        let bogus = export(&["sample", "-r", "__bogus__"]);
        bogus.fails("error exporting app: bad export destination: secrets \"__bogus__\" not found");
        let unknown = export(&["nope", "-r", "case-five"]);
        unknown.fails("error exporting app: application 'nope' does not exist");
    }
    assert_eq!(place.versions(), [""; 0]);
}

#[test]
fn case_8_names_are_completed_before_the_first_and_never_after() {
    let place = Place::new("case-eight");
    let server = by_tls(&[]);
    for mut client in logged_in(&server, "admin", place.namespace.name()) {
        let mut complete = |args: &[&str]| client.run(&[&["__complete"], args].concat()).ok();
        assert_eq!(complete(&["app", "export", ""]), "sample\n:4\n");
        assert_eq!(complete(&["app", "export", "sa"]), "sample\n:4\n");
        assert_eq!(complete(&["app", "export", "bogus"]), ":4\n");
        assert_eq!(complete(&["app", "export", "sample", ""]), ":4\n");
        assert_eq!(complete(&["app", "export", "--registry", "case-e"]), "case-eight\n:4\n");
        assert_eq!(complete(&["target", "case-eig"]), "case-eight\n:4\n");
    }
}

#[test]
fn case_9_matches_are_by_prefix_and_for_those_who_are_known() {
    let (site, server) = site();
    site.namespace("case-nine");
    for (path, name) in [
        ("/namespacematches", "case-nine"),
        ("/exportregistrymatches", "good-two"),
        ("/namespaces/case-nine/appsmatches", ""),
    ] {
        let names = |of: &str| {
            let answer = get(server, "admin", &format!("{path}{of}"));
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.json()["names"].as_array().cloned().unwrap_or_default()
        };
        assert!(names("").iter().any(|found| found == name) || name.is_empty(), "{path}");
        assert_eq!(get(server, "admin", &format!("{path}/no-such-prefix")).text, "{}");
        if !name.is_empty() {
            assert_eq!(names(&format!("/{name}")), [name]);
        }
        for path in [format!("/api/v1{path}"), format!("/api/v1{path}/x")] {
            assert_eq!(refused(&server.get(&path), 401), "missing credentials");
            let posted = server.send(Method::POST, &path, &[], "");
            assert_eq!(refused(&posted, 405), "Method not allowed");
        }
    }
}

#[test]
fn case_10_lists_are_tables_with_the_columns_that_scripts_look_for() {
    let place = Place::new("case-ten");
    let server = by_tls(&[]);
    let columns = |table: &str| -> Vec<String> {
        let header = table.lines().find(|line| line.starts_with('|')).unwrap();
        header.trim_matches('|').split('|').map(|title| title.trim().to_owned()).collect()
    };
    for mut client in logged_in(&server, "admin", place.namespace.name()) {
        let mut run = |args: &[&str]| client.run(args).ok();
        let list = ["NAME", "CREATED", "STATUS", "ROUTES", "CONFIGURATIONS", "STATUS DETAILS"];
        assert_eq!(columns(&run(&["app", "list"])), list);
        let all = run(&["app", "list", "--all"]);
        assert_eq!(columns(&all)[0], "NAMESPACE");
        assert_eq!(columns(&all)[1..], list);
        let show = run(&["app", "show", "sample"]);
        assert_eq!(columns(&show), ["KEY", "VALUE"]);
        for row in ["Origin", "Created", "Status", "Desired Instances", "User Environment"] {
            assert!(show.contains(&format!("\n| {row} ")), "{show}");
        }
        let namespaces = columns(&run(&["namespace", "list"]));
        assert_eq!(namespaces, ["NAME", "CREATED", "APPLICATIONS", "CONFIGURATIONS"]);
        assert_eq!(columns(&run(&["export-registries"])), ["NAME", "URL"]);
    }
}

#[test]
fn case_11_the_version_is_on_answers_to_those_who_are_known() {
    let (_, server) = site();
    let version = Regex::new(r"^v\d+\.\d+\.\d+.*$").unwrap();
    for path in ["/me", "/namespaces", "/applications", "/exportregistries", "/namespaces/none"] {
        let answer = get(server, "admin", path);
        assert!(version.is_match(answer.header("epinio-version")), "{answer:?}");
        let nobody = server.get(&format!("/api/v1{path}"));
        assert_eq!(refused(&nobody, 401), "missing credentials");
        assert_eq!(nobody.header("epinio-version"), "");
    }
    let ready = server.wait_for_status("/ready", 200);
    assert_eq!(ready.header("epinio-version"), "");
}
