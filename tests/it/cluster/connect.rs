//! Which cluster, as whom: kubeconfigs good and bad.

use std::path::PathBuf;

use outhaul::cluster::{ClientOptions, Error, Live, SecretRead};
use tempfile::TempDir;

use super::live::{options, read};
use super::proxy::{Proxy, Verdict};
use crate::support::cluster::cluster;
use crate::support::free_port;

fn file(content: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

#[tokio::test]
async fn the_namespace_of_the_context_is_the_default() {
    let proxy = Proxy::start(cluster(), |_| Verdict::Pass).await;
    let live = Live::connect(&options(proxy.kubeconfig("admin"))).await.unwrap();
    assert_eq!(live.default_namespace(), "chosen");
    assert_eq!(live.server(), proxy.url());
    assert!(!format!("{live:?}").contains("token"));
    let error = read(proxy.kubeconfig("admin"), "chosen", SecretRead::Nothing).await.unwrap_err();
    assert!(error.to_string().starts_with("namespace `chosen` does not exist in the cluster at"));
}

#[tokio::test]
async fn a_kubeconfig_that_cannot_be_used_says_why_and_quotes_nothing() {
    let (_missing, absent) = file("");
    let absent = absent.with_file_name("absent");
    let (_a, no_yaml) = file("users:\n- name: a\n  user: {token: canary\n  x\n");
    let (_b, wrong) = file("users: canary\n");
    let (_c, empty) = file("apiVersion: v1\nkind: Config\n");
    for (path, expected) in [
        (absent, "No such file"),
        (no_yaml, "line "),
        (wrong, "not YAML of that form"),
        (empty, "current context"),
    ] {
        let error = Live::connect(&options(path)).await.unwrap_err();
        assert!(matches!(error, Error::BadConfig { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(expected) && !text.contains("canary"), "{text}");
        assert!(!text.contains('\n') && !format!("{error:?}").contains("canary"), "{error:?}");
    }
    let unknown = ClientOptions {
        kubeconfig: Some(cluster().kubeconfig("admin")),
        context: Some("x".into()),
    };
    let text = Live::connect(&unknown).await.unwrap_err().to_string();
    assert!(text.starts_with("context `x` of kubeconfig "), "{text}");
}

#[tokio::test]
async fn a_cluster_that_is_away_or_refuses_is_told_apart() {
    let of = |server: &str, token: &str| {
        file(&format!(
            "apiVersion: v1
kind: Config
current-context: test
clusters: [{{name: test, cluster: {{server: '{server}'}}}}]
contexts: [{{name: test, context: {{cluster: test, user: u}}}}]
users: [{{name: u, user: {{token: {token}}}}}]
"
        ))
    };
    let (_a, away) = of(&format!("https://127.0.0.1:{}", free_port()), "x");
    let error = read(away, "default", SecretRead::Nothing).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    // No CA in the kubeconfig, so the certificate is signed by nobody that we know.
    let (_b, untrusted) = of(cluster().url(), "admin-token");
    let error = read(untrusted, "default", SecretRead::Nothing).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    let proxy = Proxy::start(cluster(), |_| Verdict::Pass).await;
    let (_c, stranger) = of(proxy.url(), "canary-token");
    let error = read(stranger, "default", SecretRead::Nothing).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    assert!(!format!("{error:?}").contains("canary"));
}
