//! `outhaul drill`, on a real API server with its controllers. A node is simulated: it says of pods
//! what a test wants nodes to say, of those of the probe as well.

mod ends;
mod node;
mod refused;
mod restored;
mod scheduled;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;

use super::site::{NEEDS, Site};
use crate::support::block_on;
use crate::support::cluster::Cluster;
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;
use node::{Node, Says};

/// Longest that a pod of these tests takes to be ready, and much more.
const PATIENCE: &str = "60s";

/// The cluster of these tests.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::with_controllers)
}

/// An export, a node, and the cluster for itself: drills see the namespaces of each other.
struct Ground {
    site: Site<'static>,
    node: Node,
    _alone: MutexGuard<'static, ()>,
}

impl Ground {
    fn new(says: Says) -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        // A test that failed has left nothing that the next one stumbles over.
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let site = Site::on(cluster());
        site.namespace.apply(NEEDS);
        Self { site, node: Node::start(cluster(), says), _alone: alone }
    }

    /// Arguments of a drill that is let do what it does, with the Secrets of the site.
    fn arguments<'a>(&'a self, further: &[&'a str]) -> Vec<&'a str> {
        let namespace = self.site.namespace.name();
        let all = ["drill", &self.site.chart, "-n", namespace, "--with-secrets", "--yes"];
        let patience = ["--timeout", PATIENCE];
        let patience = if further.contains(&"--timeout") { &[][..] } else { &patience };
        [&all[..], &["-o", "json"], patience, further].concat()
    }

    fn outhaul(&self) -> Outhaul {
        self.site.outhaul("admin")
    }

    fn drill(&self, further: &[&str]) -> Output {
        self.outhaul().run(&self.arguments(further))
    }
}

/// Namespaces of drills that are there and not going.
fn scratch_namespaces() -> Vec<String> {
    let found = block_on(get("/api/v1/namespaces?labelSelector=outhaul.dev/drill"));
    let items = found["items"].as_array().unwrap();
    let there = items.iter().filter(|it| it["metadata"].get("deletionTimestamp").is_none());
    there.map(|it| it["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

/// An answer of the cluster.
async fn get(path: &str) -> Value {
    let client = cluster().client("admin").await;
    let request = hyper::http::Request::get(path).body(Vec::new()).unwrap();
    client.request(request).await.unwrap()
}

/// `object: text` of notes of a plan.
fn notes(drilled: &Value, which: &str) -> Vec<String> {
    let all = drilled[which].as_array().unwrap().iter();
    all.map(|of| format!("{}: {}", of["object"].as_str().unwrap(), of["text"].as_str().unwrap()))
        .collect()
}
