//! An export in the pod of a Job, on a real node, from our own image: `make e2e` asks for it.

use std::path::Path;

use serde_json::{Value, json};

use super::super::site::{Site, until};
use crate::image;
use crate::support::cluster::Cluster;
use crate::support::node::Node;
use crate::support::registry::Registry;

/// What the chart is installed with. The API server and the registries are on the machine's loopback, so
/// the pods have its network.
fn values(site: &Cluster, repository: &str) -> Value {
    let port = site.url().rsplit(':').next().unwrap().to_owned();
    json!({
        "replicas": 0, "networkPolicy": {"enabled": false},
        "image": {"repository": repository, "tag": "1"},
        "server": {"executor": "job", "extraEnv": [
            {"name": "KUBERNETES_SERVICE_HOST", "value": "127.0.0.1"},
            {"name": "KUBERNETES_SERVICE_PORT", "value": port},
        ]},
    })
}

#[test]
#[ignore = "needs a node: `make e2e` runs it where root, containerd and kubelet are there"]
fn an_export_runs_in_the_pod_of_a_job() {
    let registry = Registry::plain().start();
    image::pushed(&registry, "tools/outhaul:1", Path::new(env!("CARGO_BIN_EXE_outhaul")));
    let cluster = Cluster::with_service_accounts().add_controllers();
    let values = values(&cluster, &format!("{}/tools/outhaul", registry.address()));
    let site = Site::on(cluster, &values);
    let map = site.system().get("v1", "ConfigMap", "outhaul-job").unwrap();
    let job = map["data"]["job.yaml"].as_str().unwrap();
    let job = job
        .replace("      serviceAccountName:", "      hostNetwork: true\n      serviceAccountName:");
    site.system().apply(
        &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "outhaul-job"},
            "data": {"job.yaml": job}})
        .to_string(),
    );
    let node = Node::start(&site.cluster);
    let server = site.serve("only", &["--executor", "job"]);
    let shop = site.shop();
    shop.grant_all(&site);
    shop.ask("one", &json!({}));
    let ended = |name: &str| {
        node.wait_for(&format!("finished {name}: {}", server.running().stderr()), || {
            let status = shop.record(name)["status"].clone();
            status["finishedAt"].is_string().then_some(status)
        })
    };
    let status = ended("one");
    assert_eq!(
        (&status["phase"], &status["attempts"]),
        (&json!("Succeeded"), &json!(1)),
        "{status:#}"
    );
    assert_eq!(shop.versions(), [status["result"]["chart"]["version"].as_str().unwrap()]);
    let pods = || {
        let mut pods = site.system().list("v1", "Pod");
        pods.retain(|pod| pod["spec"]["containers"][0]["args"][0] == "run-export");
        pods
    };
    let pod = pods().remove(0);
    let container = &pod["status"]["containerStatuses"][0];
    assert_eq!(container["state"]["terminated"]["exitCode"], 0, "{container:#}");
    assert_eq!(pod["spec"]["serviceAccountName"], "outhaul-worker");

    // Its last words are a file of kubelet's.
    shop.ask("lost", &json!({"destination": "nowhere"}));
    let status = ended("lost");
    assert_eq!(
        (&status["reason"], &status["exitCode"]),
        (&json!("DESTINATION_UNKNOWN"), &json!(6))
    );
    assert!(status["hint"].is_string(), "{status:#}");

    // What cannot be pulled is said, and what is cancelled goes.
    let unknown = job.replace("/tools/outhaul:1", "/tools/nothing:1");
    site.system().apply(
        &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "outhaul-job"},
            "data": {"job.yaml": unknown}})
        .to_string(),
    );
    shop.ask("stuck", &json!({}));
    node.wait_for("told", || {
        let record = shop.record("stuck");
        let message = record["status"]["message"].as_str().unwrap_or_default();
        (message.contains("ErrImagePull") || message.contains("ImagePullBackOff")).then_some(())
    });
    shop.cancel("stuck");
    assert_eq!(ended("stuck")["phase"], "Cancelled");
    until("the pod is gone", || pods().iter().all(|pod| pod["status"]["phase"] != "Pending"));
}
