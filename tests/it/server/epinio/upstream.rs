//! Beside Epinio's own server: what is not ours goes there, as it came.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Method;
use sha2::{Digest as _, Sha256};
use tokio_tungstenite::tungstenite::{self, Message};

use super::{basic, get, refused, site};
use crate::support::block_on;
use crate::support::certs::Authority;
use crate::support::cluster::cluster;
use crate::support::outhaul::Outhaul;
use crate::support::server::Server;
use crate::support::upstream::{INFO, REFUSAL, Seen, Upstream, VERSION};

/// Routes of Epinio's own, as its router has them, that are none of ours; with escapes and queries, which
/// have to stay as they are.
const OTHERS: &[(&str, &str)] = &[
    ("GET", "/api/swagger.json"),
    ("GET", "/api/v1/authtoken"),
    ("GET", "/api/v1/report/nodes"),
    ("GET", "/api/v1/support-bundle?tail=100"),
    ("POST", "/api/v1/namespaces"),
    ("DELETE", "/api/v1/namespaces?namespaces%5B%5D=a&namespaces[]=b"),
    ("DELETE", "/api/v1/namespaces/workspace"),
    ("POST", "/api/v1/namespaces/workspace/applications"),
    ("DELETE", "/api/v1/namespaces/workspace/applications?applications[]=a"),
    ("PATCH", "/api/v1/namespaces/workspace/applications/fox"),
    ("DELETE", "/api/v1/namespaces/workspace/applications/fox"),
    ("POST", "/api/v1/namespaces/workspace/applications/fox/deploy"),
    ("POST", "/api/v1/namespaces/workspace/applications/fox/deployments"),
    ("GET", "/api/v1/namespaces/workspace/applications/fox/deployments/1"),
    ("POST", "/api/v1/namespaces/workspace/applications/fox/import-git"),
    ("POST", "/api/v1/namespaces/workspace/applications/fox/restart"),
    ("GET", "/api/v1/namespaces/workspace/applications/fox/running"),
    ("POST", "/api/v1/namespaces/workspace/applications/fox/stage"),
    ("PATCH", "/api/v1/namespaces/workspace/applications/fox/source"),
    ("GET", "/api/v1/namespaces/workspace/applications/fox/source"),
    ("POST", "/api/v1/namespaces/workspace/applications/fox/sync"),
    ("POST", "/api/v1/namespaces/workspace/applications/fox/store"),
    ("GET", "/api/v1/namespaces/workspace/applications/fox/validate-cv"),
    ("GET", "/api/v1/namespaces/workspace/applications/fox/environment"),
    ("GET", "/api/v1/namespaces/workspace/applications/fox/environmentmatch/"),
    ("POST", "/api/v1/namespaces/workspace/applications/fox/environment"),
    ("GET", "/api/v1/namespaces/workspace/applications/fox/environment/A%2FB%20c"),
    ("DELETE", "/api/v1/namespaces/workspace/applications/fox/environment/A"),
    ("POST", "/api/v1/namespaces/workspace/applications/fox/configurationbindings"),
    ("DELETE", "/api/v1/namespaces/workspace/applications/fox/configurationbindings/c"),
    ("POST", "/api/v1/namespaces/workspace/applications/fox/servicebindings"),
    ("GET", "/api/v1/namespaces/workspace/staging/1642fcf755ab41e8/complete"),
    ("POST", "/api/v1/namespaces/workspace/configurations"),
    ("PUT", "/api/v1/namespaces/workspace/configurations/c"),
    ("GET", "/api/v1/namespaces/workspace/configurationsmatches/"),
    ("GET", "/api/v1/services"),
    ("GET", "/api/v1/namespaces/workspace/services"),
    ("GET", "/api/v1/namespaces/workspace/services/s"),
    ("POST", "/api/v1/namespaces/workspace/services/s/bind"),
    ("GET", "/api/v1/catalogservices"),
    ("GET", "/api/v1/catalogservicesmatches/p"),
    ("POST", "/api/v1/appcharts"),
    ("GET", "/api/v1/appchartsmatch/st"),
    ("GET", "/api/v1/builderimages"),
    ("GET", "/api/v1/gitconfigs"),
    ("DELETE", "/api/v1/gitconfigs/g"),
    ("POST", "/api/v1/gitproxy"),
    ("GET", "/wapi/v1/namespaces/workspace/staging/1/complete?authtoken=ey.J.x"),
];

/// Our own, none of which Epinio's server may see.
const OURS: &[(&str, &str)] = &[
    ("GET", "/ready"),
    ("GET", "/api/v1/info"),
    ("GET", "/api/v1/me"),
    ("GET", "/api/v1/namespaces"),
    ("GET", "/api/v1/namespaces?page=1"),
    ("GET", "/api/v1/namespaces/"),
    ("GET", "/api/v1/namespaces/workspace"),
    ("GET", "/api/v1/namespacematches/w"),
    ("GET", "/api/v1/applications"),
    ("GET", "/api/v1/applications/grouped"),
    ("GET", "/api/v1/namespaces/workspace/applications"),
    ("GET", "/api/v1/namespaces/workspace/applications/fox"),
    ("GET", "/api/v1/namespaces/workspace/appsmatches/"),
    ("POST", "/api/v1/namespaces/workspace/applications/fox/export"),
    ("GET", "/api/v1/exportregistries"),
    ("GET", "/api/v1/exportregistrymatches/"),
    ("GET", "/v1/destinations"),
    ("POST", "/v1/namespaces/workspace/exports"),
    ("GET", "/readyz"),
    ("GET", "/api/v2/namespaces"),
];

/// A server beside `upstream`, that has heard from it.
fn beside(upstream: &Upstream, args: &[&str]) -> Server {
    let server = site().0.serve(&[&["--epinio-upstream", upstream.url()], args].concat());
    server.running().wait_for("who the upstream is", |_, _| {
        (server.get("/api/v1/info").text == INFO).then_some(())
    });
    server
}

/// Sends a request as bytes, and gives all that comes back.
fn raw(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn only(seen: Vec<Seen>) -> Seen {
    assert_eq!(seen.len(), 1, "{seen:#?}");
    seen.into_iter().next().unwrap()
}

#[test]
fn upstream_sees_exactly_the_other_routes() {
    site().0.namespace("workspace");
    let upstream = Upstream::start();
    let server = beside(&upstream, &[]);
    let authorization = basic("admin", "pw");
    let send = |method: &str, path: &str| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        server.send(method, path, &[("Authorization", &authorization)], "")
    };
    for (method, path) in OURS {
        let answer = send(method, path);
        assert!(answer.status != 201 && answer.status != 502, "{method} {path}: {answer:?}");
        assert_eq!(upstream.take_seen(), [], "{method} {path}");
    }
    for (method, path) in OTHERS {
        let answer = send(method, path);
        assert_eq!(answer.status, 201, "{method} {path}: {answer:?}");
        assert_eq!(answer.text, r#"{"passed":"<yes>"}"#);
        for (name, value) in
            [("epinio-version", VERSION), ("x-request-id", "theirs"), ("x-more", "a")]
        {
            assert_eq!(answer.header(name), value, "{answer:?}");
        }
        let seen = only(upstream.take_seen());
        assert_eq!((seen.method.as_str(), seen.target.as_str()), (*method, *path));
        assert_eq!(seen.header("authorization"), authorization);
    }
    // Credentials are not ours to verify there.
    assert_eq!(get(&server, "nobody", "/services").status, 201);
    assert_eq!(get(&server, "admin", "/me").header("epinio-version"), VERSION);
    assert_eq!(refused(&server.get("/api/v1/me"), 401), "missing credentials");
}

/// All users of a UI come from one address.
#[test]
fn what_passes_has_no_rate() {
    let upstream = Upstream::start();
    let server = site().0.serve_at("1", &["--epinio-upstream", upstream.url()]);
    for _ in 0..10 {
        assert_eq!(get(&server, "admin", "/services").status, 201);
    }
    let statuses: Vec<u16> = (0..5).map(|_| server.get("/api/v1/me").status).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[test]
fn headers_and_bodies_pass_untouched_in_both_directions() {
    let upstream = Upstream::start();
    let server = beside(&upstream, &["--epinio-allow-origin", "https://ui.example.com/"]);
    let body = "{\"name\": \"näh\"}\r\n\0";
    let sent = [
        ("accept-encoding", "gzip"),
        ("authorization", "Digest x"),
        ("content-length", &body.len().to_string()),
        ("content-type", "multipart/form-data; boundary=x"),
        ("cookie", "a=b; c=d"),
        ("file-size", "3"),
        ("forwarded", "for=192.0.2.1"),
        ("host", "epinio.example.com"),
        ("user-agent", "Go-http-client/1.1"),
        ("x-api-csrf", "t"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-remote-user", "admin"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let lines: String = sent.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let path = "/api/v1/namespaces/a%2Fb/applications/c/store?x=%20&&y=/?";
    let request = format!("POST {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n{body}");
    let answer = raw(&server, &request);
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    let seen = only(upstream.take_seen());
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", path));
    assert_eq!(seen.headers, sent);
    assert_eq!((seen.length, seen.digest), (body.len(), hex(&Sha256::digest(body))));

    // Epinio says of some of its refusals that they are text.
    let refusal = server.get("/api/v1/text");
    assert_eq!((refusal.status, refusal.text.as_str()), (400, REFUSAL));
    assert_eq!(refusal.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(refusal.header("access-control-allow-origin"), "https://ui.example.com");
}

#[test]
fn websockets_go_through_and_refused_ones_are_answers() {
    let upstream = Upstream::start();
    let server = beside(&upstream, &["--drain", "1s"]);
    let url = server.url().replace("http://", "ws://");
    let path =
        "/wapi/v1/namespaces/workspace/applications/fox/exec?authtoken=ey.J.x&instance=a%20b";
    block_on(async {
        let (mut socket, answer) =
            tokio_tungstenite::connect_async(format!("{url}{path}")).await.unwrap();
        assert_eq!(answer.status(), 101);
        let large = vec![7; 1_000_000];
        for message in [Message::text("hello"), Message::binary(large), Message::Ping("p".into())] {
            socket.send(message.clone()).await.unwrap();
            let back = socket.next().await.unwrap().unwrap();
            let is_pong = matches!(&message, Message::Ping(_)) && back.is_pong();
            assert!(back == message || is_pong, "{}", back.len());
        }
        // Either end may close it.
        socket.close(None).await.unwrap();
        while let Some(Ok(_)) = socket.next().await {}

        let refused = tokio_tungstenite::connect_async(format!("{url}/wapi/v1/refused")).await;
        let Err(tungstenite::Error::Http(answer)) = refused else { panic!("{refused:?}") };
        assert_eq!(answer.status(), 403);

        // One that is open does not hold up a stop.
        let (mut open, _) = tokio_tungstenite::connect_async(format!("{url}{path}")).await.unwrap();
        server.running().terminate();
        assert!(!matches!(open.next().await, Some(Ok(message)) if !message.is_close()));
        assert_eq!(server.running().wait(), 0);
    });
    let seen = upstream.take_seen();
    assert_eq!(seen[0].target, path);
    assert_eq!(seen[0].header("upgrade"), "websocket");
    assert_eq!(seen[1].target, "/wapi/v1/refused");
}

/// The rest of an application's sources is on the way while their beginning is with Epinio already.
#[test]
fn an_upload_is_not_held_in_memory() {
    const PIECE: usize = 1 << 20;
    const PIECES: usize = 100;
    let upstream = Upstream::start();
    let server = beside(&upstream, &[]);
    let before = server.running().peak_memory();
    let mut hash = Sha256::new();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = format!(
        "POST /api/v1/namespaces/a/applications/b/store HTTP/1.1\r\nHost: a\r\n\
         Authorization: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        basic("admin", "pw"),
        PIECE * PIECES
    );
    stream.write_all(head.as_bytes()).unwrap();
    for number in 0..PIECES {
        let piece = vec![u8::try_from(number).unwrap(); PIECE];
        hash.update(&piece);
        stream.write_all(&piece).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let seen = only(upstream.take_seen());
    assert_eq!((seen.length, seen.digest), (PIECE * PIECES, hex(&hash.finalize())));
    let grown = server.running().peak_memory().saturating_sub(before);
    assert!(grown < 20 << 20, "grown by {grown} bytes");
}

#[test]
fn an_upstream_that_is_away_is_told_in_the_envelope() {
    let (site, _) = site();
    let upstream = Upstream::start();
    let url = upstream.url().to_owned();
    drop(upstream);
    let server = site.serve(&["--epinio-upstream", &url, "--epinio-version", "v1.2.3"]);
    let away = refused(&get(&server, "admin", "/services"), 502);
    assert_eq!(away, "Epinio's own server cannot be reached");
    let socket = server.get("/wapi/v1/namespaces/a/applications/b/logs");
    assert_eq!(refused(&socket, 502), away);
    // What is ours works on.
    let me = get(&server, "admin", "/me");
    assert_eq!((me.status, me.header("epinio-version")), (200, "v1.2.3"));
    assert!(server.get("/api/v1/info").text.starts_with(r#"{"version":"v1.2.3","kube_version":"#));
    let port = url.rsplit_once(':').unwrap().1;
    let log = server.running().wait_for("the log", |_, stderr| {
        stderr.contains("Epinio's server is away").then(|| stderr.to_owned())
    });
    assert!(log.contains(port), "{log}");
    assert!(!away.to_string().contains(port), "addresses are for the log");
}

#[test]
fn who_guesses_by_way_of_us_has_to_wait() {
    let upstream = Upstream::start();
    let server = beside(&upstream, &[]);
    let guess = |user: &str| get(&server, user, "/secret").status;
    let statuses: Vec<u16> = (0..7).map(|_| guess("dev")).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    assert_eq!(upstream.take_seen().len(), 5);
    assert_eq!(guess("somebody-else"), 401);
    assert_eq!(refused(&get(&server, "dev", "/services"), 429).as_str().unwrap(), TOO_OFTEN);
}

const TOO_OFTEN: &str = "you send more requests than are taken from one caller";

#[test]
fn an_upstream_with_tls_has_to_be_signed_by_the_authority_given() {
    let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));
    let upstream = Upstream::start_tls(&right.loopback());
    let files = Outhaul::new();
    let ca = |name: &str, pem: &str| files.write(name, pem).to_str().unwrap().to_owned();
    let (right, wrong) = (ca("right.pem", &right.pem), ca("wrong.pem", &wrong.pem));
    let server = beside(&upstream, &["--epinio-upstream-ca", &right]);
    assert_eq!(get(&server, "admin", "/services").status, 201);
    for args in [&["--epinio-upstream-ca", wrong.as_str()][..], &[]] {
        let args = [&["--epinio-upstream", upstream.url()], args].concat();
        let server = site().0.serve(&args);
        upstream.take_seen();
        refused(&get(&server, "admin", "/services"), 502);
        assert_eq!(upstream.take_seen(), []);
    }
}

#[test]
fn what_cannot_be_an_upstream_is_refused_at_the_start() {
    let outhaul = Outhaul::new().kubeconfig(cluster().kubeconfig("nobody"));
    outhaul.write("empty.pem", "nothing");
    outhaul.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let serve = |args: &[&str], exit, words: &str| {
        let args = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        let refused = outhaul.run(&args).exits(exit);
        assert!(refused.stderr.contains(words), "{refused:?}");
    };
    let form = "it must be like https://epinio.example.com";
    for url in ["epinio.example.com", "ftp://a", "https://a/b", "https://user:word@a", ""] {
        serve(&["--epinio-upstream", url], 2, form);
        serve(&["--epinio-allow-origin", url], 2, form);
    }
    serve(&["--epinio-upstream-ca", "empty.pem"], 2, "--epinio-upstream <URL>");
    let with = |ca: &str, exit, words: &str| {
        serve(
            &["--epinio-upstream", "https://127.0.0.1:1", "--epinio-upstream-ca", ca],
            exit,
            words,
        );
    };
    with("nothing.pem", 13, "hint: ");
    with("empty.pem", 13, "it holds no certificate");
    with("broken.pem", 13, "hint: give PEM files");
    let in_clear = ["--epinio-upstream", "http://a", "--epinio-upstream-ca", "empty.pem"];
    serve(&in_clear, 2, "hint: leave out `--epinio-upstream-ca`");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
