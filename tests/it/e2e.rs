//! The promise, on real nodes: what ran in one cluster runs in another that knows only the registry. Asked for by
//! `make e2e`, where root, containerd and kubelet are there.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::cluster::Cluster;
use crate::support::helm::Helm;
use crate::support::images::Image;
use crate::support::node::Node;
use crate::support::objects::{Namespace, get};
use crate::support::outhaul::Outhaul;
use crate::support::registry::Registry;

/// Two Deployments, a StatefulSet with a volume, a Service in front of each. `IMAGES` is where the images are.
const APPLICATION: &str = include_str!("../fixtures/e2e/application.yaml");

/// What the nodes bring along: the volume for the claim of the StatefulSet. `FOLDER` is where it is.
const VOLUME: &str = include_str!("../fixtures/e2e/volume.yaml");

/// Workloads by kind and the field of their status that counts ready pods.
const WORKLOADS: [(&str, &str, u64); 3] =
    [("Deployment", "web", 2), ("Deployment", "api", 1), ("StatefulSet", "db", 1)];

#[test]
#[ignore = "needs a node: `make e2e` runs it where root, containerd and kubelet are there"]
fn what_ran_in_one_cluster_runs_in_another_that_knows_only_the_registry() {
    let destination = Registry::plain().start();
    let (exported, install) = run_and_export(&destination);
    let cluster = Cluster::with_controllers();
    let node = Node::start(&cluster);
    cluster.apply(&VOLUME.replace("FOLDER", &node.volumes().display().to_string()));
    let helm = Helm::v4().kubeconfig(cluster.kubeconfig("admin"));
    let arguments: Vec<&str> = install.split_whitespace().skip(1).collect();
    helm.run(&arguments).ok();
    let namespace = cluster.named_namespace("shop");
    await_ready(&node, &namespace);
    let running = running(&namespace);
    assert_eq!(running.len(), 3, "{running:?}");
    for (container, image_id) in running {
        let (repository, digest) = image_id.split_once('@').expect("a digest");
        assert!(repository.starts_with(&destination.address()), "{container} runs {image_id}");
        assert_eq!(exported[&container], digest, "{container} runs {image_id}");
    }
    let page = page(&namespace);
    assert!(page.contains("the page of web"), "{page}");
    drill(&cluster, &node, &format!("{}/backups/shop-shop-chart", destination.address()));
}

/// The same once more, in a namespace that is gone afterwards. The node's network enforces no policy.
fn drill(cluster: &Cluster, node: &Node, chart: &str) {
    let volume = VOLUME.replace("FOLDER", &node.volumes().display().to_string());
    cluster.apply(&volume.replace("name: e2e", "name: drill").replace("/e2e", "/drill"));
    let outhaul = Outhaul::new()
        .kubeconfig(cluster.kubeconfig("admin"))
        .env("HELM", crate::support::tools::helm4());
    let arguments = ["drill", chart, "--yes", "-o", "json"];
    let refused = outhaul.run(&arguments).exits(18);
    assert!(refused.stderr.contains("nothing shows that"), "{}", refused.stderr);

    let done = outhaul.run(&[&arguments[..], &["--allow-egress"]].concat()).ok().json();
    assert_eq!((&done["ready"], &done["removed"]), (&true.into(), &true.into()), "{done}");
    let objects = done["objects"].as_array().unwrap();
    let names: Vec<_> = objects.iter().map(|of| of["object"].as_str().unwrap()).collect();
    assert_eq!(names, ["Deployment api", "Deployment web", "StatefulSet db"]);
    let namespace = done["namespace"].as_str().unwrap();
    assert!(get(cluster, None, "v1", "Namespace", namespace).is_none());
}

/// Runs the application in a first cluster and exports it; gives the digest of each container's image, and the
/// command that the report says installs the chart. Cluster, node and the images' registry are gone then.
fn run_and_export(destination: &Registry) -> (BTreeMap<String, String>, String) {
    let sources = Registry::plain().start();
    let digests = push_images(&sources);
    let cluster = Cluster::with_controllers();
    let node = Node::start(&cluster);
    cluster.apply(&VOLUME.replace("FOLDER", &node.volumes().display().to_string()));
    let namespace = cluster.named_namespace("shop");
    namespace.apply(&APPLICATION.replace("IMAGES", &sources.address()));
    await_ready(&node, &namespace);
    let to = format!("{}/backups", destination.address());
    let outhaul = Outhaul::new().kubeconfig(cluster.kubeconfig("admin"));
    let export = ["app", "export", "shop", "-n", "shop", "-r", &to, "-o", "json"];
    let report = outhaul.run(&export).ok().json();
    let images = report["images"].as_array().unwrap();
    for image in images {
        let key = image["key"].as_str().unwrap();
        assert_eq!(image["digest"].as_str(), Some(&*digests[key]), "{key} arrived as it was");
    }
    (digests, report["install"].as_str().unwrap().to_owned())
}

/// Pushes the image of each container, under the container's name, and gives their digests.
fn push_images(registry: &Registry) -> BTreeMap<String, String> {
    let serve = ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"];
    let images = ["web", "api", "db"].map(|name| {
        let image = Image::runnable(&serve, &format!("the page of {name}\n"));
        (name.to_owned(), image.push(&registry.target(), &format!("shop/{name}"), "1"))
    });
    images.into()
}

fn await_ready(node: &Node, namespace: &Namespace<'_>) {
    for (kind, name, replicas) in WORKLOADS {
        node.wait_for(&format!("running {kind} {name}"), || {
            let status = namespace.get("apps/v1", kind, name)?["status"].take();
            (status["readyReplicas"] == replicas).then_some(())
        });
    }
}

/// What each container of the namespace's pods runs, by its name, as the node says.
fn running(namespace: &Namespace<'_>) -> BTreeMap<String, String> {
    let pods = namespace.list("v1", "Pod");
    let statuses = pods.iter().filter_map(|pod| pod["status"]["containerStatuses"].as_array());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    statuses.flatten().map(|status| (text(&status["name"]), text(&status["imageID"]))).collect()
}

/// What a pod of `web` answers.
fn page(namespace: &Namespace<'_>) -> String {
    let pods = namespace.list("v1", "Pod");
    let of_web = |pod: &&Value| pod["metadata"]["labels"]["tier"] == "web";
    let pod = pods.iter().find(of_web).expect("a pod of web");
    let address = format!("http://{}:8080/", pod["status"]["podIP"].as_str().unwrap());
    crate::support::block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(address).send().await.unwrap().text().await.unwrap()
    })
}
