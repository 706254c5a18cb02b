//! What is around every route: ids, problems, limits, the log.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Method;

use super::serve;

#[test]
fn an_unknown_route_and_a_wrong_method_are_problems() {
    let server = serve("nobody", &[]);
    let unknown = server.get("/v2/nothing?token=hidden").problem(404, "ROUTE_UNKNOWN");
    assert_eq!(unknown["type"], "https://outhaul.dev/problems/route-unknown");
    assert_eq!(unknown["title"], "There is no such route");
    assert_eq!(unknown["instance"], "/v2/nothing");

    let wrong = server.send(Method::POST, "/healthz", &[], "");
    wrong.problem(405, "METHOD_NOT_ALLOWED");
    assert_eq!(wrong.header("allow"), "GET,HEAD");
    let head = server.send(Method::HEAD, "/nothing", &[], "");
    assert_eq!((head.status, head.text.as_str()), (404, ""));
    assert!(!server.running().stderr().contains("hidden"));
}

#[test]
fn a_caller_finds_its_request_in_the_log() {
    let server = serve("nobody", &["--log", "json"]);
    let answer = server.send(Method::GET, "/nothing", &[("X-Request-Id", "ticket-17.a")], "");
    assert_eq!(answer.problem(404, "ROUTE_UNKNOWN")["requestId"], "ticket-17.a");
    let line = server.running().wait_for("logged", |_, stderr| {
        stderr.lines().find(|line| line.contains("ticket-17.a")).map(str::to_owned)
    });
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["target"], "access");
    assert_eq!(line["fields"]["path"], "/nothing");
    assert_eq!(line["fields"]["status"], 404);
    assert_eq!(line["span"]["id"], "ticket-17.a");

    let forged = server.send(Method::GET, "/nothing", &[("X-Request-Id", "a b")], "");
    assert_eq!(forged.header("x-request-id").len(), 16);
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back() {
    let server = serve("nobody", &["--rate", "1"]);
    let refused = server.running().wait_for("too much", |_, _| {
        Some(server.get("/nothing")).filter(|answer| answer.status != 404)
    });
    refused.problem(429, "RATE_LIMITED");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(server.get("/healthz").status, 200);
}

/// Slow-loris: a connection for each of a few thousand headers that never end.
#[test]
fn who_dribbles_is_cut_off() {
    let server = serve("nobody", &["--tls-self-signed"]);
    let plain = serve("nobody", &[]);
    let begin = |address: &str, first: &[u8]| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(first).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    };
    let mut silent = begin(server.address(), b"");
    let mut half = begin(plain.address(), b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ");
    let mut second = begin(plain.address(), b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /");
    for stream in [&mut silent, &mut half, &mut second] {
        let mut rest = Vec::new();
        // The end of the stream, or a reset; a timeout of ours would be `WouldBlock`.
        if let Err(error) = stream.read_to_end(&mut rest) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
        }
    }
    assert_eq!(plain.get("/healthz").status, 200);
}

/// Its connections know none of the listener's limits.
#[test]
fn nobody_is_served_http2() {
    let server = serve("nobody", &[]);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let settings = b"\0\0\0\x04\0\0\0\0\0";
    stream.write_all(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &settings[..]].concat()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer); // cut off, be it by a reset
    assert_eq!(answer, b"");
}
