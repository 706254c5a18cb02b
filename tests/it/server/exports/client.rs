//! `--server URL`: what is looked at over HTTP, and servers that are none.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use super::http::{ALL, Door};
use super::site::site;
use crate::support::certs::Authority;
use crate::support::outhaul::Outhaul;
use crate::support::server::Server;

/// A server on this machine that gives these answers, one for each connection, and no others.
fn canned(answers: &'static [&'static str]) -> Outhaul {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    Outhaul::new().env("OUTHAUL_SERVER", url).env("OUTHAUL_TOKEN", "t0ken")
}

#[test]
fn applications_plans_and_changes_are_shown_alike() {
    let door = Door::open(&ALL);
    let (client, with) = (door.client(door.server.url()), door.with_kubeconfig());
    let namespace = door.shop.namespace.name();
    let alike = |args: &[&str], code: i32| {
        let (there, here) = (client.run(args).exits(code), with.run(args).exits(code));
        assert_eq!(there.stdout, here.stdout, "{args:?}");
        there.stdout
    };
    for format in ["table", "json"] {
        for args in [&["app", "list"][..], &["app", "show", "shop"]] {
            let args = [args, &["-n", namespace, "-o", format]].concat();
            assert!(alike(&args, 0).contains("shop"), "{args:?}");
        }
    }
    let plan = door.export(&["--dry-run", "--chart-version", "9.9.9"]);
    assert!(alike(&plan, 0).contains("-chart:9.9.9\n"));
    let stopped = [&plan[..], &["--fail-on", "VOLUME_DATA_NOT_EXPORTED"]].concat();
    assert!(alike(&stopped, 17).contains("-chart:9.9.9\n"));

    let diff = ["app", "diff", "shop", "-n", namespace, "-r", namespace];
    alike(&diff, 15);
    client.run(&door.export(&["--chart-version", "1.0.0"])).ok();
    assert!(alike(&diff, 0).ends_with("no difference\n"));
    door.shop.namespace.apply(
        "
apiVersion: v1
kind: ConfigMap
metadata: {name: shop-config, labels: {app.kubernetes.io/name: shop}}
data: {CURRENCY: CHF}
",
    );
    let chart = format!("{namespace}/{namespace}-shop-chart:1.0.0");
    assert!(alike(&diff, 16).contains("CHF"));
    assert!(alike(&["app", "diff", "shop", &chart, "-n", namespace], 16).contains("CHF"));
}

#[test]
fn a_destination_is_shown_to_who_may_use_it_and_its_name_to_others() {
    let door = Door::open(&ALL);
    let (client, with) = (door.client(door.server.url()), door.with_kubeconfig());
    let namespace = door.shop.namespace.name();
    // Other tests make destinations meanwhile.
    let line = |outhaul: &Outhaul, args: &[&str]| {
        let output = outhaul.run(&[&["export-registries"], args].concat()).ok();
        let mine = |line: &&str| line.trim_start().starts_with(&format!("{namespace} "));
        let line = output.stdout.lines().find(mine);
        line.expect(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line(&client, &["-n", namespace]), line(&with, &[]));
    let hidden = line(&client, &[]);
    assert!(hidden.starts_with(&format!("{namespace} - not yours to see")), "{hidden}");
    let unchecked = line(&client, &["-n", namespace, "--check"]);
    assert!(unchecked.contains(" - - - - - - "), "{unchecked}");
}

#[test]
fn what_a_server_cannot_be_asked_for_is_refused_before_it_is_asked() {
    let outhaul = canned(&[]);
    for args in [
        &["app", "list", "--from", "x"][..],
        &["app", "show", "a", "--all"],
        &["app", "show", "a", "--save-snapshot", "x"],
        &["app", "diff", "a", "-r", "t", "--platform", "linux/amd64"],
        &["app", "diff", "a", "r.test/x/a-chart"],
        &["app", "export", "a", "-r", "r.test/x", "-n", "b"],
        &["app", "export", "a", "-r", "t", "--templates", "."],
        &["app", "export", "a", "-r", "t", "--pull-address", "r.test"],
        &["app", "export", "a", "-r", "t", "--destinations", "x"],
        &["app", "export", "a", "--to", "x"],
        &["app", "export", "a", "-r", "t", "--in-cluster"],
        &["app", "list"],
    ] {
        let refused = outhaul.run(args).exits(2);
        assert!(refused.stderr.starts_with("error: "), "{refused:?}");
    }
    let plain = Outhaul::new().env("OUTHAUL_TOKEN", "t0ken");
    let args = ["app", "list", "-n", "a", "--server", "http://outhaul.example.com"];
    let refused = plain.run(&args).exits(2);
    assert!(refused.stderr.contains("the token would be sent in clear"), "{refused:?}");
}

#[test]
fn what_is_no_server_of_ours_is_told_and_a_busy_one_is_waited_for() {
    const LIST: [&str; 4] = ["app", "list", "-n", "shop"];
    let html = canned(&["HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>log in</html>"]);
    let refused = html.run(&LIST).exits(4);
    assert!(refused.stderr.contains("answered HTTP 200 with text/html\nhint: "), "{refused:?}");
    let moved = canned(&["HTTP/1.1 302 Found\r\nlocation: http://elsewhere.test/\r\n\r\n"]);
    let refused = moved.run(&LIST).exits(4);
    let words = "sends elsewhere (HTTP 302): http://elsewhere.test/";
    assert!(refused.stderr.contains(words), "{refused:?}");
    let odd = canned(&["HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"a\": 1}"]);
    assert!(odd.run(&LIST).exits(4).stderr.contains("cannot be read"));
    let busy = canned(&[
        "HTTP/1.1 429 x\r\nretry-after: 2\r\ncontent-type: application/problem+json\r\n\r\n\
         {\"code\":\"RATE_LIMITED\",\"detail\":\"slowly\"}",
        "HTTP/1.1 502 x\r\ncontent-type: text/html\r\n\r\n<html>",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"items\":[]}",
    ]);
    let waited = busy.run(&LIST).ok();
    assert!(waited.stderr.contains("slowly; asked again in 2 s\n"), "{waited:?}");
    let busy = canned(&["HTTP/1.1 503 x\r\nretry-after: 3600\r\n\r\n"]);
    assert!(busy.run(&LIST).exits(4).stderr.contains("HTTP 503"));
    let down = Outhaul::new().env("OUTHAUL_SERVER", "http://127.0.0.1:1").env("OUTHAUL_TOKEN", "t");
    assert!(down.run(&LIST).exits(4).stderr.contains("cannot reach 127.0.0.1:1"));
}

#[test]
fn a_private_authority_has_to_be_named() {
    let door = Door::open(&ALL);
    let authority = Authority::new("private");
    let outhaul = site().0.outhaul("tls");
    let identity = authority.loopback();
    outhaul.write("tls.crt", &identity.certificate);
    outhaul.write("tls.key", &identity.key);
    let server = Server::start(outhaul, &["--tls-cert", "tls.crt", "--tls-key", "tls.key"]);
    server.wait_for_status("/readyz", 200);
    let client = door.client(server.url());
    client.write("ca.pem", &authority.pem);
    let list = ["export", "list", "-n", door.shop.namespace.name()];
    let refused = client.run(&list).exits(4);
    assert!(refused.stderr.contains("certificate that is not trusted"), "{refused:?}");
    assert!(refused.stderr.contains("hint: ") && refused.stderr.contains("`--ca-file`"));
    client.run(&[&list[..], &["--ca-file", "ca.pem"]].concat()).ok();
}
