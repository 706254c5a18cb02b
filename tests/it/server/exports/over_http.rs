//! `--server URL`: the command line as a client of the server's API.

use super::http::{ALL, Door};
use super::site::{API, SYSTEM, held, in_the_middle, site};
use crate::export::shop::CANARIES;
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;
use crate::support::proxy::Proxy;

impl Door<'_> {
    /// The token alone.
    pub(in crate::server) fn token(&self) -> &str {
        self.exporter.strip_prefix("Bearer ").unwrap()
    }

    /// The command line of somebody who has a token, and no kubeconfig.
    pub(in crate::server) fn client(&self, url: &str) -> Outhaul {
        Outhaul::new().env("OUTHAUL_SERVER", url).env("OUTHAUL_TOKEN", self.token())
    }

    /// Arguments that export the application.
    pub(super) fn export<'a>(&'a self, further: &[&'a str]) -> Vec<&'a str> {
        let namespace = self.shop.namespace.name();
        [&["app", "export", "shop", "-n", namespace, "-r", namespace], further].concat()
    }

    /// The same as somebody whose kubeconfig it is.
    pub(in crate::server) fn with_kubeconfig(&self) -> Outhaul {
        let outhaul = Outhaul::new().kubeconfig(site().0.cluster.kubeconfig("admin"));
        outhaul.env("OUTHAUL_SYSTEM_NAMESPACE", SYSTEM)
    }
}

/// What was printed, without what is another at each time.
fn comparable(output: &Output, version: &str) -> String {
    let timed = |line: &&str| {
        let line = line.trim().trim_start_matches('"');
        ["elapsedMs", "takenAt", "bytes "].iter().any(|word| line.starts_with(word))
    };
    let digest = |line: &str| match line.split_once("sha256:") {
        Some((before, after)) if !before.contains("-image") => {
            let after = after.trim_start_matches(|c: char| c.is_ascii_hexdigit());
            format!("{before}DIGEST{after}")
        }
        _ => line.to_owned(),
    };
    let lines = output.stdout.lines().filter(|line| !timed(line)).map(digest);
    lines.collect::<Vec<_>>().join("\n").replace(version, "VERSION")
}

#[test]
fn one_export_is_reported_alike_wherever_it_is_carried_out() {
    let door = Door::open(&ALL);
    let client = door.client(door.server.url());
    let done = client.run(&door.export(&["-vv"])).ok();
    let version = &door.shop.versions()[0];
    assert!(done.stdout.contains(&format!("-chart:{version}\n")), "{done:?}");
    assert!(done.stderr.contains(" is made\n"), "{done:?}");
    assert!(CANARIES.iter().all(|canary| !done.mentions(canary)));
    assert!(!done.mentions(door.token()) && !door.server.running().stderr().contains(door.token()));

    let with = door.with_kubeconfig();
    let account = ["--in-cluster", "--service-account", "exporter"];
    for (format, major) in [("table", "9999"), ("json", "99999")] {
        let run = |outhaul: &Outhaul, minor: u8, further: &[&str]| {
            let version = format!("{major}.0.{minor}");
            let named = [&["-o", format, "--chart-version", &version], further].concat();
            comparable(&outhaul.run(&door.export(&named)).ok(), &version)
        };
        let here = run(&with, 0, &[]);
        assert!(here.contains(" objects, ") || here.contains("\"objects\": "), "all: {here}");
        assert_eq!(run(&client, 1, &[]), here);
        assert_eq!(run(&with, 2, &account), here);
    }
    // Of an unchanged export nobody keeps a report: the record has it in short.
    let short = |output: Output| output.stdout.split("\n\n").next().unwrap().to_owned();
    let there = short(client.run(&door.export(&[])).ok());
    let wanted = format!("holds {}/shop as it is", door.shop.namespace.name());
    assert!(there.starts_with("unchanged: ") && there.contains(&wanted), "{there}");
    assert_eq!(short(with.run(&door.export(&account)).ok()), there);
}

#[test]
fn what_fails_there_fails_here_with_its_words_hint_and_code() {
    let door = Door::open(&ALL);
    let (client, with) = (door.client(door.server.url()), door.with_kubeconfig());
    let namespace = door.shop.namespace.name();
    let errors = |output: &Output| {
        let lines = output.stderr.lines().skip_while(|line| !line.starts_with("error: "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let lost = ["app", "export", "shop", "-n", namespace, "-r", "lost"];
    let (there, here) = (client.run(&lost).exits(6), with.run(&lost).exits(6));
    let words = "error: bad export destination `lost`: there is no such destination; known: ";
    for output in [&there, &here] {
        assert!(errors(output)[0].starts_with(words), "{output:?}");
    }
    assert_eq!(errors(&there).last(), errors(&here).last());
    let none = ["app", "export", "none", "-n", namespace, "-r", namespace];
    let (there, here) = (client.run(&none).exits(3), with.run(&none).exits(3));
    assert!(errors(&there)[0].contains("application `none` was not found"), "{there:?}");
    assert_eq!(errors(&there)[1..], errors(&here)[1..]);
    let bob = Outhaul::new()
        .env("OUTHAUL_SERVER", door.server.url())
        .env("OUTHAUL_TOKEN", door.bob.strip_prefix("Bearer ").unwrap());
    let refused = bob.run(&door.export(&[])).exits(4);
    assert!(refused.stderr.contains("you may not read the applications"), "{refused:?}");
    assert_eq!(door.records().len(), 1, "of `none` alone");
}

#[test]
fn a_token_comes_from_a_file_or_is_made_for_a_service_account_and_is_never_told() {
    let door = Door::open(&ALL);
    let (url, namespace) = (door.server.url(), door.shop.namespace.name());
    let list = ["export", "list", "-n", namespace, "--server", url];
    let outhaul = Outhaul::new();
    outhaul.write("token", format!("{}\n", door.token()));
    let listed = outhaul.run(&[&list[..], &["--token-file", "token", "-vv"]].concat()).ok();
    assert!(!listed.mentions(door.token()), "{listed:?}");

    for (token, words) in [("wr0ng-t0ken", "not good there"), ("wr0ng\nt0ken", "characters")] {
        let client = Outhaul::new().env("OUTHAUL_TOKEN", token);
        let refused = client.run(&[&list[..], &["-vv"]].concat());
        assert!([2, 4].contains(&refused.code) && refused.stderr.contains(words), "{refused:?}");
        assert!(refused.stderr.contains("kubectl create token NAME --audience outhaul.dev"));
        assert!(!refused.mentions("t0ken"), "{refused:?}");
    }

    let none = Outhaul::new().run(&list).exits(2);
    assert!(none.stderr.contains("there is no token for the server"), "{none:?}");
    let admin = door.with_kubeconfig().run(&list).exits(2);
    assert!(admin.stderr.contains("`admin` of the kubeconfig is no service account"), "{admin:?}");
    let cluster = &site().0.cluster;
    let token = door.shop.namespace.token("exporter", None);
    let config = cluster.kubeconfig_of(&format!("exporter-of-{namespace}"), &token);
    let account = Outhaul::new().kubeconfig(config);
    let refused = account.run(&list).exits(2);
    assert!(refused.stderr.contains("no token for the server can be made"), "{refused:?}");
    door.shop.namespace.apply(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: makes-tokens}
rules:
- {apiGroups: [''], resources: [serviceaccounts/token], resourceNames: [exporter], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: makes-tokens}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: makes-tokens}
subjects: [{kind: ServiceAccount, name: exporter}]
",
    );
    super::site::until("a token is made", || account.run(&list).code == 0);
}

#[test]
fn a_lost_answer_makes_no_second_export() {
    let door = Door::open(&ALL);
    let proxy = Proxy::to(door.server.address());
    proxy.lose_answers(1);
    let done = door.client(&proxy.url()).run(&door.export(&["-o", "json"])).ok();
    assert_eq!(proxy.left_to_lose(), 0);
    assert_eq!(done.json()["status"], "exported", "{done:?}");
    assert_eq!(door.records().len(), 1);
}

#[test]
fn a_server_that_was_away_is_heard_again() {
    let (site, server) = site();
    let door = Door::to(site, server, held(site, 1), &ALL);
    let proxy = Proxy::to(server.address());
    let waits = door.client(&proxy.url()).spawn(&door.export(&[]));
    let name = waits.wait_for("the record", |_, _| {
        let made = door.records();
        made.first().map(|of| of["metadata"]["name"].as_str().unwrap().to_owned())
    });
    in_the_middle(&door.shop, server, &name);
    waits.wait_for("that it is copied", |_, stderr| stderr.contains("copying").then_some(()));
    proxy.cut();
    proxy.shut();
    let away = "the server does not answer";
    waits.wait_for("that the server is away", |_, stderr| stderr.contains(away).then_some(()));
    door.shop.cancel(&name);
    let status = door.shop.finished(server, &name);
    assert_eq!(status["phase"], "Cancelled", "{:#}", door.shop.record(&name));
    proxy.let_through();
    assert_eq!(waits.wait(), 130, "{}", waits.stderr());
    assert!(
        waits.stderr().contains(&format!("error: Export {}/{name}: ", door.shop.namespace.name()))
    );
}

#[test]
fn who_stops_waiting_is_told_how_to_cancel_and_can() {
    let (site, server) = site();
    let door = Door::to(site, server, held(site, 1), &ALL);
    let waits = door.client(server.url()).spawn(&door.export(&[]));
    let name = waits.wait_for("the record", |_, _| {
        let made = door.records();
        made.first().map(|of| of["metadata"]["name"].as_str().unwrap().to_owned())
    });
    in_the_middle(&door.shop, server, &name);
    waits.wait_for("that it is copied", |_, stderr| stderr.contains("copying").then_some(()));
    waits.interrupt();
    assert_eq!(waits.wait(), 130);
    assert_eq!(door.shop.record(&name)["status"]["phase"], "Running");
    let stderr = waits.stderr();
    let command = stderr.lines().find_map(|line| line.split_once("to cancel it: outhaul "));
    let command: Vec<&str> = command.expect(&stderr).1.split(' ').collect();
    let client = Outhaul::new().env("OUTHAUL_TOKEN", door.token());
    let shown = [&["export", "show"], &command[2..]].concat();
    assert!(client.run(&shown).ok().stdout.contains("  phase     Running\n"));
    client.run(&command).ok();
    assert_eq!(door.shop.finished(server, &name)["phase"], "Cancelled");
    let again = client.run(&command).exits(1);
    assert!(again.stderr.contains("finished already"), "{again:?}");
}

/// The records and what the server tells of them are two ways to the same.
#[test]
fn exports_are_listed_shown_and_cancelled_alike_with_and_without_the_server() {
    let door = Door::open(&ALL);
    let client = door.client(door.server.url());
    client.run(&door.export(&[])).ok();
    door.shop.ask("by-kubectl", &serde_json::json!({"destination": "nowhere"}));
    door.shop.finished(door.server, "by-kubectl");
    let (with, namespace) = (door.with_kubeconfig(), door.shop.namespace.name());
    for args in [
        &["export", "list", "-n", namespace][..],
        &["export", "list", "-n", namespace, "-o", "json"],
        &[
            "exports", "list", "-n", namespace, "--phase", "failed", "--app", "shop", "-r",
            "nowhere",
        ],
        &["export", "show", "by-kubectl", "-n", namespace],
        &["export", "show", "by-kubectl", "-n", namespace, "-o", "yaml"],
    ] {
        let (there, here) = (client.run(args).ok(), with.run(args).ok());
        assert_eq!(there.stdout, here.stdout);
        assert!(there.stdout.contains("nowhere"), "{there:?}");
    }
    for (args, words) in [
        (&["export", "show", "none", "-n", namespace], "there is no export `none`"),
        (&["export", "cancel", "none", "-n", namespace], "there is no export `none`"),
        (&["export", "cancel", "by-kubectl", "-n", namespace], "the export is finished already"),
    ] {
        for outhaul in [&client, &with] {
            let refused = outhaul.run(args).exits(1);
            assert!(refused.stderr.contains(words), "{refused:?}");
        }
    }
    let refused = with.run(&["export", "list", "--in-cluster"]).exits(2);
    assert!(refused.stderr.contains("leave it out"), "{refused:?}");
    assert_eq!(door.shop.namespace.list(API, "Export").len(), 2);
}
