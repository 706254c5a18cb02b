//! A node as the API server sees it: pods get the status that a test wants.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use kube::Client;
use serde_json::{Value, json};

use crate::support::cluster::Cluster;

/// What the node says of pods in namespaces of drills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// The probe gets out until there is a policy; the application runs.
    Enforces,
    /// The probe gets out whatever there is.
    Open,
    /// Nothing is reached, as where the API server has no address for pods.
    Unreachable,
    /// Images have no shell.
    NoShell,
    /// As [`Self::Enforces`], and images of the application cannot be pulled.
    PullsNothing,
}

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(100);

/// A node at work. Dropping it ends it.
pub(super) struct Node {
    over: Arc<AtomicBool>,
    /// Every pod that it has seen.
    seen: Arc<Mutex<BTreeSet<String>>>,
    at_work: Option<JoinHandle<()>>,
}

impl Node {
    pub(super) fn start(cluster: &'static Cluster, says: Says) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let (is_over, noted) = (Arc::clone(&over), Arc::clone(&seen));
        let work = async move {
            let client = cluster.client("admin").await;
            while !is_over.load(Ordering::Relaxed) {
                look(&client, says, &noted).await;
                tokio::time::sleep(PAUSE).await;
            }
        };
        let at_work = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(work);
        });
        Self { over, seen, at_work: Some(at_work) }
    }

    /// Names of the pods of drills that there have been, without those that probed.
    pub(super) fn applications_pods(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|name| !is_probe(name)).cloned().collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // One that panicked has failed what its test waited for.
        let _ = self.at_work.take().map(JoinHandle::join);
    }
}

fn is_probe(name: &str) -> bool {
    name.starts_with("outhaul-probe-")
}

async fn look(client: &Client, says: Says, seen: &Mutex<BTreeSet<String>>) {
    let request = hyper::http::Request::get("/api/v1/pods").body(Vec::new()).unwrap();
    let pods: Value = client.request(request).await.unwrap();
    for pod in pods["items"].as_array().unwrap() {
        let text = |key: &str| pod["metadata"][key].as_str().unwrap_or_default();
        let (namespace, name) = (text("namespace"), text("name"));
        if !namespace.starts_with("outhaul-drill-") || pod["status"]["message"] == "seen" {
            continue;
        }
        seen.lock().unwrap().insert(name.to_owned());
        let body = json!({"status": status(pod, says)}).to_string().into_bytes();
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/status");
        let request = hyper::http::Request::patch(path)
            .header("content-type", "application/merge-patch+json")
            .body(body)
            .unwrap();
        // It may be gone by now.
        let _ = client.request::<Value>(request).await;
    }
}

fn status(pod: &Value, says: Says) -> Value {
    let name = pod["metadata"]["name"].as_str().unwrap();
    let states = |state: &dyn Fn(usize) -> Value, ready: bool| -> Vec<Value> {
        let containers = pod["spec"]["containers"].as_array().unwrap().iter().enumerate();
        let of = |(at, container): (usize, &Value)| {
            json!({"name": container["name"], "image": container["image"], "imageID": "",
                "restartCount": 0, "ready": ready, "state": state(at)})
        };
        containers.map(of).collect()
    };
    if is_probe(name) {
        let code = match (says, name) {
            (Says::NoShell, _) => 128,
            (Says::Unreachable, _) => 10,
            (Says::Open, _) | (_, "outhaul-probe-0") => 0,
            _ => 10,
        };
        // The second shell of each image is not there.
        let state = |at: usize| json!({"terminated": {"exitCode": if at == 0 { code } else { 128 }, "reason": "Error"}});
        return json!({"phase": "Failed", "message": "seen",
            "containerStatuses": states(&state, false)});
    }
    if says == Says::PullsNothing {
        let state = |_| json!({"waiting": {"reason": "ImagePullBackOff"}});
        return json!({"phase": "Pending", "message": "seen",
            "containerStatuses": states(&state, false)});
    }
    let state = |_| json!({"running": {"startedAt": "2026-11-26T12:00:00Z"}});
    json!({"phase": "Running", "message": "seen",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": states(&state, true)})
}
