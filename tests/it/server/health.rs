//! Whether it lives, whether it is ready, and how it ends.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use super::{nowhere, serve};
use crate::support::cluster::cluster;

#[test]
fn it_is_ready_when_the_cluster_answers() {
    cluster().apply(&outhaul::cluster::record::crd_yaml().unwrap());
    let server = serve("admin", &[]);
    assert_eq!(server.get("/healthz").text, "ok\n");
    let ready = server.wait_for_status("/readyz", 200);
    let checks =
        ["cluster", "serving", "exports", "apps"].map(|name| json!({"name": name, "ok": true}));
    assert_eq!(ready.json(), json!({"ready": true, "leads": false, "checks": checks}));
}

#[test]
fn without_a_cluster_it_lives_and_is_not_ready() {
    let server = nowhere(&[]);
    assert_eq!(server.get("/healthz").status, 200);
    let answer = server.get("/readyz");
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["checks"][0]["reason"], "the cluster has not answered yet");
}

/// Kubernetes takes a pod out of its Services while it ends: requests that still come are served.
#[test]
fn a_stop_is_announced_and_waits_for_nobody_who_is_idle() {
    cluster().apply(&outhaul::cluster::record::crd_yaml().unwrap());
    let server = serve("admin", &["--drain", "20s"]);
    let mut idle = TcpStream::connect(server.address()).unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    idle.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    server.wait_for_status("/readyz", 200);

    server.running().terminate();
    let stopping = server.wait_for_status("/readyz", 503).json();
    assert_eq!(stopping["checks"][1]["reason"], "the server is stopping");
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.running().wait(), 0, "{}", server.running().stderr());
    assert!(TcpStream::connect(server.address()).is_err());
}
