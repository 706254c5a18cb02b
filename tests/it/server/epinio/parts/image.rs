//! `image`: what runs, as a file that docker and podman load.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use reqwest::Method;
use serde_json::json;

use super::super::{basic, refused, site};
use super::{Sample, config};
use crate::support::images::{Image, digest};
use crate::support::registry::Registry;

const TAR: &str = "application/x-tar";

#[test]
fn the_archive_holds_what_runs_on_the_pods_node() {
    let sample = Sample::new("runs");
    let [amd64, arm64] = [0, 1].map(|at| &sample.image.manifests[at]);
    // Nobody knows the node of a pod that is not placed.
    assert_eq!(config(&sample.part("image", TAR), amd64)["architecture"], "amd64");

    site().0.cluster().apply(
        "apiVersion: v1
kind: Node
metadata: {name: arm, labels: {kubernetes.io/os: linux, kubernetes.io/arch: arm64}}
",
    );
    sample.namespace.delete("v1", "Pod", "sample-1");
    let reference = format!("{}/demo/web:1", sample.images.address());
    sample.pod("sample-2", Some("arm"), &reference);
    let first = sample.part("image", TAR);
    assert_eq!(config(&first, arm64)["architecture"], "arm64");

    // The tag moves on; the node says what it has.
    let id = format!("{}/demo/web@{}", sample.images.address(), sample.image.digest());
    let status = json!({"containerStatuses": [{
        "name": "web", "image": reference, "imageID": id, "ready": true, "restartCount": 0,
        "state": {"running": {"startedAt": "2026-11-22T16:34:44Z"}},
    }]});
    sample.namespace.patch_status("v1", "Pod", "sample-2", &status);
    Image::new(12, 1, 500).push(&sample.target(), "demo/web", "1");
    assert!(sample.part("image", TAR) == first, "the same image is the same file");
}

#[test]
fn an_image_without_an_index_is_taken_whatever_its_platform() {
    let sample = Sample::new("alone");
    let arm64 = &sample.image.manifests[1];
    let reference = format!("{}/demo/web@{}", sample.images.address(), digest(arm64));
    sample.namespace.delete("v1", "Pod", "sample-1");
    sample.pod("sample-2", None, &reference);
    assert_eq!(config(&sample.part("image", TAR), arm64)["architecture"], "arm64");
}

/// The length was promised, and so nobody takes what came for the whole.
#[test]
fn bytes_that_are_not_what_the_digest_says_cut_the_connection() {
    let sample = Sample::new("damaged");
    let manifest: serde_json::Value = serde_json::from_slice(&sample.image.manifests[0]).unwrap();
    let layer = manifest["layers"][1]["digest"].as_str().unwrap();
    let hex = layer.strip_prefix("sha256:").unwrap();
    let path = format!("blobs/sha256/{}/{hex}/data", &hex[..2]);
    let path = sample.images.storage().join(path);
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();

    let (_, server) = site();
    for part in ["image", "archive"] {
        let path = format!("/api/v1{}", sample.path(part));
        let headers = [("Authorization", basic("admin", "pw"))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let cut = server.try_send(Method::GET, &path, &headers, "").unwrap_err();
        assert!(cut.is_body() || cut.is_decode(), "{cut:?}");
        let head = server.send(Method::HEAD, &path, &headers, "");
        assert_eq!(head.status, 200, "{head:?}");
    }
    server.running().wait_for("why it ended", |_, stderr| {
        stderr.contains("a download ends early: 127.0.0.1").then_some(())
    });
}

#[test]
fn what_cannot_be_read_is_said_before_the_answer_begins() {
    let sample = Sample::new("unread");
    let gone = |reference: &str, status| {
        sample.namespace.delete("v1", "Pod", "sample-1");
        sample.pod("sample-1", None, reference);
        let title = refused(&sample.get("image"), status);
        title.as_str().unwrap().to_owned()
    };
    let at = sample.images.address();
    let title = gone(&format!("{at}/demo/none:1"), 422);
    assert!(title.contains("does not exist"), "{title}");
    let title = gone("not an image!", 422);
    assert!(title.contains("not an image!"), "{title}");
    let closed = Registry::plain().basic_auth("u", "p").start();
    Image::new(13, 1, 500).push(&closed.target(), "demo/web", "1");
    let title = gone(&format!("{}/demo/web:1", closed.address()), 502);
    assert!(title.contains("needs credentials"), "{title}");
}

#[test]
fn no_address_of_the_servers_own_surroundings_is_read() {
    let sample = Sample::new("local");
    let strict = site().0.serve_strict();
    for part in ["image", "archive"] {
        let answer = super::super::get(&strict, "admin", &sample.path(part));
        let title = refused(&answer, 422);
        assert!(title.as_str().unwrap().contains("surroundings"), "{title}");
    }
}

/// The credentials of Epinio's registry are for the application's own image: anybody can write the name
/// of another one into a pod.
#[test]
fn epinios_credentials_are_for_the_applications_own_image() {
    let registry = Registry::plain().basic_auth("epinio", "canary-registry").start();
    let sample = Sample::with("staged", registry, "apps/staged-sample");
    let config_json = sample.images.docker_config();
    site().0.system().apply_as(
        "operator",
        &format!(
            "apiVersion: v1
kind: Secret
metadata: {{name: registry-creds}}
stringData: {{.dockerconfigjson: '{config_json}'}}
"
        ),
    );
    assert_eq!(config(&sample.part("image", TAR), &sample.image.manifests[0])["os"], "linux");
    Image::new(14, 1, 500).push(&sample.target(), "apps/staged-other", "1");
    sample.namespace.delete("v1", "Pod", "sample-1");
    sample.pod("sample-2", None, &format!("{}/apps/staged-other:1", sample.images.address()));
    let answer = sample.get("image");
    let title = refused(&answer, 502);
    assert!(title.as_str().unwrap().contains("needs credentials"), "{title}");
    assert!(!answer.text.contains("canary"));
}

#[test]
fn one_user_has_no_more_than_four_downloads_open() {
    let sample = Sample::new("many");
    // More than the buffers on the way take, so that they stay open.
    Image::new(15, 1, 24 << 20).push(&sample.target(), "demo/web", "1");
    let (site, _) = site();
    let server = site.serve(&[]);
    let head = format!(
        "GET /api/v1{} HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\n\r\n",
        sample.path("image"),
        basic("admin", "pw")
    );
    let open = || {
        let mut client = TcpStream::connect(server.address()).unwrap();
        client.write_all(head.as_bytes()).unwrap();
        let mut status = [0; 12];
        client.read_exact(&mut status).unwrap();
        (client, String::from_utf8_lossy(&status[9..]).into_owned())
    };
    let mut clients: Vec<_> = (0..4).map(|_| open()).collect();
    assert!(clients.iter().all(|(_, status)| status == "200"));
    assert_eq!(open().1, "429");
    clients.pop();
    server.running().wait_for("room", |_, _| (open().1 == "200").then_some(()));
}
