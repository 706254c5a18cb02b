//! The harness itself: what the other tests stand on starts, works, and tells the truth.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview};
use kube::api::{Api, PostParams};
use serde_json::json;

use crate::support::block_on;
use crate::support::child::{Child, Folder};
use crate::support::cluster::{Cluster, cluster, cluster_with_controllers};
use crate::support::helm::Helm;
use crate::support::images::{Image, Target};
use crate::support::objects;
use crate::support::outhaul::Outhaul;
use crate::support::registry::{AccessLine, Registry};

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'example.org/web:1'}]}
";

#[test]
fn a_namespace_keeps_what_is_applied_and_shows_it_to_those_who_may_read() {
    let namespace = cluster().namespace("smoke");
    namespace.apply(DEPLOYMENT);
    namespace.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: web-0}
spec: {containers: [{name: web, image: 'example.org/web:1'}]}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {key: value}
",
    );
    let image_id = format!("example.org/web@sha256:{}", "0".repeat(64));
    let running = json!({ "containerStatuses": [{
        "name": "web", "image": "example.org/web:1", "imageID": image_id,
        "ready": true, "restartCount": 0,
    }]});
    namespace.patch_status("v1", "Pod", "web-0", &running);
    let pod = namespace.get("v1", "Pod", "web-0").unwrap();
    assert_eq!(pod["status"]["containerStatuses"][0]["imageID"], image_id);
    assert_eq!(namespace.list("apps/v1", "Deployment").len(), 1);

    namespace.delete("v1", "Pod", "web-0");
    for (user, resource, allowed) in
        [("viewer", "pods", true), ("viewer", "secrets", false), ("nobody", "pods", false)]
    {
        let answer = block_on(may_list(namespace.cluster(), user, resource));
        assert_eq!(answer, allowed, "{user} lists {resource}");
    }
}

#[test]
fn controllers_make_pods_and_a_second_cluster_knows_nothing_of_the_first() {
    let namespace = cluster_with_controllers().namespace("smoke");
    namespace.apply(DEPLOYMENT);
    await_that(|| !namespace.list("v1", "Pod").is_empty());
    let pods = namespace.list("v1", "Pod");
    assert_eq!(pods[0]["metadata"]["ownerReferences"][0]["kind"], "ReplicaSet");

    let other = Cluster::start();
    other.named_namespace("shop").apply(DEPLOYMENT);
    let uid = |cluster| objects::get(cluster, None, "v1", "Namespace", "kube-system").unwrap();
    let uids = [&other, namespace.cluster()].map(|cluster| uid(cluster)["metadata"]["uid"].clone());
    assert_ne!(uids[0], uids[1]);
}

#[test]
fn a_registry_asks_who_is_there_and_logs_what_they_did() {
    let registry = Registry::plain().tls().basic_auth("carol", "s3cret").start();
    let image = Image::new(1, 2, 1000);
    let digest = image.push(&registry.target(), "demo/web", "1");
    assert_eq!(registry.target().tags("demo/web"), ["1"]);
    assert_eq!(registry.target().manifest("demo/web", &digest), Some(image.index.clone()));
    let manifests = registry.requests(&["PUT"]);
    let manifests =
        manifests.iter().filter(|line| line.path.starts_with("/v2/demo/web/manifests/"));
    assert!(manifests.clone().all(|line| line.status == 201));
    assert_eq!(manifests.count(), 3);

    registry.clear_log();
    assert_eq!(registry.log(), []);
    let stranger = Target { login: None, ..registry.target() };
    assert_eq!(block_on(stranger.get("/v2/")).status(), 401);
    let expected = AccessLine { method: "GET".into(), path: "/v2/".into(), status: 401 };
    assert_eq!(registry.log(), [expected]);

    registry.kill();
    assert!(std::net::TcpStream::connect(registry.address()).is_err());
    registry.restart();
    assert_eq!(registry.target().blob("demo/web", &digest), None, "a manifest is no blob");
    registry.target().delete_manifest("demo/web", &digest);
    assert_eq!(registry.target().manifest("demo/web", "1"), None);
}

#[test]
fn helm_talks_to_the_cluster_and_outhaul_runs() {
    for helm in Helm::both() {
        let version = helm.run(&["version", "--short"]).ok();
        assert!(version.stdout.starts_with('v'), "{version:?}");
        let helm = helm.kubeconfig(cluster().kubeconfig("admin"));
        helm.run(&["list", "--all-namespaces"]).ok();
    }
    Outhaul::new().run(&["--help"]).ok();
}

/// Runs itself once more, lets that one start something, and kills it as a CI system's time-out would.
#[test]
fn a_killed_test_run_leaves_nothing_behind() {
    const NAME: &str = "support_smoke::a_killed_test_run_leaves_nothing_behind";
    const ROLE: &str = "OUTHAUL_TEST_TO_BE_KILLED";
    if std::env::var_os(ROLE).is_some() {
        let folder = Folder::new("victim");
        let stubborn = ["-c", "trap '' HUP INT TERM; exec sleep 600"];
        let child = Child::start(folder.path(), "sleeper", Path::new("sh"), &stubborn, &[]);
        println!("started {} {}", child.pid(), folder.path().display());
        child.wait(Duration::from_secs(600));
    }
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(ROLE, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.starts_with("started ")).unwrap();
    let words: Vec<_> = line.split(' ').collect();
    let (process, folder) = (format!("/proc/{}", words[1]), words[2]);
    assert!(Path::new(&process).exists() && Path::new(folder).exists());

    victim.kill().unwrap();
    victim.wait().unwrap();
    await_that(|| !Path::new(&process).exists() && !Path::new(folder).exists());
}

async fn may_list(cluster: &Cluster, user: &str, resource: &str) -> bool {
    let client = cluster.client(user).await;
    let mut review = SelfSubjectAccessReview::default();
    review.spec.resource_attributes = Some(ResourceAttributes {
        verb: Some("list".into()),
        resource: Some(resource.into()),
        namespace: Some("default".into()),
        ..ResourceAttributes::default()
    });
    let answer = Api::all(client).create(&PostParams::default(), &review).await.unwrap();
    answer.status.unwrap().allowed
}

fn await_that(mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(60), "it did not come true");
        std::thread::sleep(Duration::from_millis(20));
    }
}
