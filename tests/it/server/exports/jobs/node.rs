//! What a node does with the pods of Jobs: their program runs here, as a process that has the token of
//! the workers' account, and its end goes into the pod's status as kubelet puts it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::site::{Shop, Site};
use crate::support::outhaul::{Outhaul, Running};
use crate::support::server::Server;

/// What takes seconds by itself takes longer beside other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the node does with the next pod that it gets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// Its program runs.
    Runs,
    /// No node has room for it.
    NoRoom,
    /// Its image cannot be pulled.
    NoImage,
    /// Its program ends so, without having done anything: exit code and last words.
    Ends(i64, &'static str),
}

/// A node for the exports of one application. It does something whenever the test waits for it.
pub(super) struct Node<'s> {
    site: &'s Site,
    server: &'s Server,
    shop: &'s Shop<'s>,
    /// Account of the system namespace that pods have.
    account: &'static str,
    ways: Vec<Way>,
    pods: BTreeMap<String, Option<Pod>>,
}

struct Pod {
    process: Running,
    last_words: std::path::PathBuf,
    /// Why its container ends, if not by itself.
    killed: Option<&'static str>,
}

impl<'s> Node<'s> {
    pub(super) fn new(site: &'s Site, server: &'s Server, shop: &'s Shop<'s>) -> Self {
        let (ways, pods) = (Vec::new(), BTreeMap::new());
        Self { site, server, shop, account: "outhaul-worker", ways, pods }
    }

    /// The same, with this account for its pods.
    pub(super) fn with_account(self, account: &'static str) -> Self {
        Self { account, ..self }
    }

    /// The same with another replica of the server to look at.
    pub(super) fn look_at(&mut self, server: &'s Server) {
        self.server = server;
    }

    /// What it does with the next pods; those after run.
    pub(super) fn next(mut self, ways: &[Way]) -> Self {
        self.ways.extend(ways.iter().rev());
        self
    }

    /// Pods that it has had, by name.
    pub(super) fn had(&self) -> Vec<&str> {
        self.pods.keys().map(String::as_str).collect()
    }

    /// The process of the pod that runs.
    pub(super) fn process(&self) -> &Running {
        let mut running = self.pods.values().flatten();
        &running.find(|pod| pod.process.exited().is_none()).expect("a pod that runs").process
    }

    /// Kills the program of the pod that runs, as the kernel does where memory is short.
    pub(super) fn out_of_memory(&mut self) {
        let mut running = self.pods.values_mut().flatten();
        let pod = running.find(|pod| pod.process.exited().is_none()).expect("a pod that runs");
        pod.killed = Some("OOMKilled");
        pod.process.kill();
    }

    /// Works until `probe` gives something.
    pub(super) fn until<T>(&mut self, what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            self.step();
            if let Some(found) = probe() {
                return found;
            }
            if started.elapsed() > PATIENCE {
                let logs: Vec<String> = self.pods.values().flatten().map(Pod::log).collect();
                let server = self.server.running().stderr();
                panic!("not {what}\n{:#}\n{}\n{server}", self.shop.record("one"), logs.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Works until the export is finished, and gives its status.
    pub(super) fn finished(&mut self, name: &str) -> Value {
        let shop = self.shop;
        self.until("finished", || {
            let status = shop.record(name)["status"].clone();
            status["finishedAt"].is_string().then_some(status)
        })
    }

    /// What its pods have written to their logs.
    pub(super) fn logs(&self) -> String {
        self.pods.values().flatten().map(Pod::log).collect()
    }

    fn step(&mut self) {
        let pods = self.site.system().list("v1", "Pod");
        let ours = format!("--namespace={}", self.shop.namespace.name());
        let is_ours = |pod: &&Value| args(pod).contains(&ours);
        let there: Vec<&Value> = pods.iter().filter(is_ours).collect();
        for pod in &there {
            let name = pod["metadata"]["name"].as_str().unwrap();
            let is_going = pod["metadata"]["deletionTimestamp"].is_string();
            let is_new = !self.pods.contains_key(name) && pod["status"]["phase"] == "Pending";
            if is_new && !is_going {
                let started = self.start(name, pod);
                self.pods.insert(name.to_owned(), started);
            }
        }
        for (name, known) in &self.pods {
            let Some(pod) = known else { continue };
            let found = there.iter().find(|pod| pod["metadata"]["name"] == **name);
            let stays = found.is_some_and(|pod| !pod["metadata"]["deletionTimestamp"].is_string());
            match pod.process.exited() {
                None if !stays => pod.process.terminate(),
                Some(code)
                    if stays && found.is_some_and(|pod| pod["status"]["phase"] == "Running") =>
                {
                    let words = std::fs::read_to_string(&pod.last_words).unwrap();
                    let usual = if code == 0 { "Completed" } else { "Error" };
                    let reason = pod.killed.unwrap_or(usual);
                    self.end(name, code.into(), reason, &words);
                }
                _ => {}
            }
        }
    }

    fn start(&mut self, name: &str, pod: &Value) -> Option<Pod> {
        let container = |state: Value| {
            let image = &pod["spec"]["containers"][0]["image"];
            json!([{"name": "outhaul", "image": image, "imageID": "", "ready": false,
                "restartCount": 0, "state": state}])
        };
        match self.ways.pop().unwrap_or(Way::Runs) {
            Way::Runs => {
                let running = container(json!({"running": {"startedAt": "2026-11-26T00:00:00Z"}}));
                self.write(name, &json!({"phase": "Running", "containerStatuses": running}));
                Some(self.run(pod))
            }
            Way::NoRoom => {
                let none = json!([{"type": "PodScheduled", "status": "False",
                    "reason": "Unschedulable", "message": "0/3 nodes are available"}]);
                self.write(name, &json!({"phase": "Pending", "conditions": none}));
                None
            }
            Way::NoImage => {
                let waiting = json!({"reason": "ImagePullBackOff", "message": "no such image"});
                let waiting = container(json!({ "waiting": waiting }));
                self.write(name, &json!({"phase": "Pending", "containerStatuses": waiting}));
                None
            }
            Way::Ends(code, words) => {
                self.end(name, code, "Error", words);
                None
            }
        }
    }

    fn run(&self, pod: &Value) -> Pod {
        let token = self.site.system().token(self.account, None);
        let kubeconfig = self.site.cluster.kubeconfig_of(self.account, &token);
        let outhaul = Outhaul::new().kubeconfig(kubeconfig);
        let last_words = outhaul.write("termination-log", "");
        let outhaul = outhaul.env("OUTHAUL_TERMINATION_LOG", last_words.clone());
        Pod { process: outhaul.spawn(&args(pod)), last_words, killed: None }
    }

    fn end(&self, name: &str, code: i64, reason: &str, words: &str) {
        let phase = if code == 0 { "Succeeded" } else { "Failed" };
        let terminated = json!({"exitCode": code, "reason": reason, "message": words,
            "startedAt": "2026-11-26T00:00:00Z", "finishedAt": "2026-11-26T00:00:01Z"});
        let status = json!({"phase": phase, "containerStatuses": [{"name": "outhaul", "image": "",
            "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": terminated}}]});
        self.write(name, &status);
    }

    fn write(&self, name: &str, status: &Value) {
        self.site.system().patch_status("v1", "Pod", name, status);
    }
}

impl Pod {
    fn log(&self) -> String {
        self.process.stderr()
    }
}

/// Arguments of the pod's program.
fn args(pod: &Value) -> Vec<String> {
    let args = pod["spec"]["containers"][0]["args"].as_array().cloned().unwrap_or_default();
    args.iter().map(|arg| arg.as_str().unwrap().to_owned()).collect()
}
