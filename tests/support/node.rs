//! A node on which pods really run: containerd, kubelet and kube-scheduler, for tests that are asked for by
//! `make e2e`. Linux and root only.
//!
//! containerd and kubelet run in a process and a mount namespace of their own: when the first process of it is
//! killed, so are all containers, and their mounts are gone. The network is the machine's, because the API server
//! and the registries listen on its loopback; of it a bridge is used, which goes last.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::child::{Child, Folder};
use super::cluster::Cluster;
use super::images::Image;
use super::objects;
use super::registry::Registry;
use super::{free_port, tools};

/// Ready takes 3 s on two idle cores; the rest is for machines that do much else.
const START: Duration = Duration::from_secs(120);

/// Name of the bridge that pods hang on, and their network: one node at a time.
const BRIDGE: &str = "outhaul-e2e";
const SUBNET: &str = "10.254.77.0/24";

/// A private `/run`, so that shims, runc and network namespaces leave nothing behind; then both programs.
const START_NODE: &str = r#"
set -e
mount -t tmpfs tmpfs /run
containerd --config "$1/containerd.toml" >>"$1/containerd.log" 2>&1 &
until [ -S "$1/containerd.sock" ]; do sleep 0.05; done
shift
exec "$@"
"#;

/// A running node. Dropping it ends its pods.
pub(crate) struct Node {
    _scheduler: Child,
    kubelet: Child,
    /// Holds the image of the pods' sandboxes.
    _registry: Registry,
    folder: Folder, // last: the programs above write into it
}

impl Node {
    /// Starts a node of `cluster`, which runs with controllers, and waits until it is ready.
    pub(crate) fn start(cluster: &Cluster) -> Self {
        let folder = Folder::new("node");
        let registry = Registry::plain().start();
        Image::runnable(&["/bin/busybox", "sleep", "2147483647"], "").push(
            &registry.target(),
            "pause",
            "1",
        );
        let path = folder.path().display().to_string();
        folder.write("containerd.toml", containerd(&path, &registry.address()));
        folder.write("cni/10-bridge.conflist", network(&path));
        folder.write("kubelet.yaml", kubelet(&path));
        let kubeconfig = cluster.kubeconfig("admin").display().to_string();
        let scheduler = Child::start(
            folder.path(),
            "kube-scheduler",
            tools::kube_scheduler(),
            &[
                format!("--kubeconfig={kubeconfig}"),
                "--leader-elect=false".to_owned(),
                "--secure-port=0".to_owned(),
            ],
            &[] as &[(_, &OsStr)],
        );
        let kubelet = start_kubelet(&folder, &kubeconfig);
        let node = Self { _scheduler: scheduler, kubelet, _registry: registry, folder };
        node.kubelet.wait_for("ready", START, || is_ready(cluster).then_some(()));
        node
    }

    /// A folder for the volumes of its pods.
    pub(crate) fn volumes(&self) -> PathBuf {
        self.folder.path().join("volumes")
    }

    /// Waits until `probe` gives something, and shows the kubelet's log if it never does.
    pub(crate) fn wait_for<T>(&self, what: &str, probe: impl FnMut() -> Option<T>) -> T {
        self.kubelet.wait_for(what, START, probe)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kubelet.kill();
        // What the namespaces do not take along: a link, and control groups once their processes are gone.
        let _ = Command::new("ip").args(["link", "delete", BRIDGE]).output();
        let gone = Instant::now();
        while !remove_control_groups() && gone.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Removes the control groups of the pods, and says whether all are gone.
fn remove_control_groups() -> bool {
    let controllers = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
    let of_pods: Vec<PathBuf> = controllers.map(|it| it.path().join("k8s.io")).collect();
    for pods in &of_pods {
        for group in fs::read_dir(pods).into_iter().flatten().flatten() {
            let _ = fs::remove_dir(group.path());
        }
        let _ = fs::remove_dir(pods);
    }
    !of_pods.iter().any(|pods| pods.exists())
}

fn start_kubelet(folder: &Folder, kubeconfig: &str) -> Child {
    let file = |name: &str| folder.path().join(name).display().to_string();
    let args = [
        "--pid",
        "--mount",
        "--fork",
        "--kill-child=KILL",
        "--mount-proc",
        "sh",
        "-c",
        START_NODE,
        "node",
    ];
    let mut args: Vec<String> = args.map(str::to_owned).to_vec();
    args.extend([
        folder.path().display().to_string(),
        tools::kubelet().display().to_string(),
        format!("--config={}", file("kubelet.yaml")),
        format!("--kubeconfig={kubeconfig}"),
        format!("--root-dir={}", file("kubelet")),
        format!("--cert-dir={}", file("certificates")),
        "--hostname-override=node".to_owned(),
        "--node-ip=127.0.0.1".to_owned(),
    ]);
    Child::start(folder.path(), "kubelet", Path::new("unshare"), &args, &[] as &[(_, &OsStr)])
}

fn is_ready(cluster: &Cluster) -> bool {
    let Some(node) = objects::get(cluster, None, "v1", "Node", "node") else { return false };
    let conditions = node["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.iter().any(|it| it["type"] == "Ready" && it["status"] == "True")
}

/// Registries on loopback are spoken to in plain HTTP.
fn containerd(path: &str, registry: &str) -> String {
    format!(
        r#"version = 2
root = "{path}/containerd"
state = "{path}/containerd-state"
[grpc]
address = "{path}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{registry}/pause:1"
restrict_oom_score_adj = true # root in a container may not lower it
[plugins."io.containerd.grpc.v1.cri".containerd]
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{}"
conf_dir = "{path}/cni"
"#,
        tools::cni_plugins().display()
    )
}

fn network(path: &str) -> String {
    serde_json::json!({
        "cniVersion": "0.4.0",
        "name": "outhaul",
        "plugins": [{
            "type": "bridge", "bridge": BRIDGE, "isGateway": true, "ipMasq": false,
            "ipam": {
                "type": "host-local", "dataDir": format!("{path}/addresses"),
                "ranges": [[{ "subnet": SUBNET }]], "routes": [{ "dst": "0.0.0.0/0" }],
            },
        }],
    })
    .to_string()
}

/// Without control groups of its own and without fear for the disk: it shares the machine.
fn kubelet(path: &str) -> String {
    format!(
        "apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://{path}/containerd.sock
podLogsDir: {path}/logs
address: 127.0.0.1
port: {}
healthzPort: {}
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
makeIPTablesUtilChains: false
imageGCHighThresholdPercent: 100
evictionHard: {{memory.available: 1Mi, nodefs.available: 1%, imagefs.available: 1%}}
",
        free_port(),
        free_port()
    )
}
