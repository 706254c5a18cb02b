//! `--jobs hook`: Jobs that run again where the chart is installed.

use std::time::Duration;

use serde_json::{Value, json};

use super::shop::{Shop, codes, version};
use crate::support::helm::Helm;
use crate::support::objects::Namespace;

/// A Job as someone ran it once, and as its controller marked it.
pub(crate) fn migrate(shop: &Shop<'_>) {
    shop.namespace.apply(&format!(
        "
apiVersion: batch/v1
kind: Job
metadata: {{name: migrate, labels: {{app.kubernetes.io/name: shop}}}}
spec:
  backoffLimit: 2
  template:
    metadata: {{labels: {{app.kubernetes.io/name: shop}}}}
    spec:
      restartPolicy: Never
      containers:
      - name: migrate
        image: '{}/shop/api:2.0.0'
        args: [migrate]
        envFrom: [{{configMapRef: {{name: shop-config}}}}]
",
        shop.sources.address()
    ));
    finish(&shop.namespace);
}

/// Says that the Job has succeeded, as its controller would. False where it is not there yet.
pub(crate) fn finish(namespace: &Namespace<'_>) -> bool {
    let Some(job) = namespace.get("batch/v1", "Job", "migrate") else { return false };
    if job.pointer("/status/completionTime").is_some() {
        return true;
    }
    let now = job["metadata"]["creationTimestamp"].clone();
    let condition = |kind: &str| {
        json!({"type": kind, "status": "True", "lastProbeTime": now,
        "lastTransitionTime": now})
    };
    let status = json!({"startTime": now, "completionTime": now, "active": 0, "succeeded": 1,
        "uncountedTerminatedPods": {}, "conditions": [condition("SuccessCriteriaMet"), condition("Complete")]});
    namespace.patch_status("batch/v1", "Job", "migrate", &status);
    true
}

fn uid(namespace: &Namespace<'_>) -> Value {
    namespace.get("batch/v1", "Job", "migrate").unwrap()["metadata"]["uid"].clone()
}

#[test]
fn a_job_is_skipped_unless_it_becomes_a_hook() {
    let shop = Shop::start();
    migrate(&shop);
    let skipped = shop.export(&[]).ok().json();
    assert!(codes(&skipped).contains(&"JOB_SKIPPED"));
    let report = shop.export(&["--jobs", "hook"]).ok();
    assert_eq!(report.json()["status"], "exported", "its content is another one");
    assert!(!codes(&report.json()).contains(&"JOB_SKIPPED"));

    let chart = format!("oci://{}/{}", shop.destination.address(), shop.chart_repository());
    let ca = shop.destination.ca_file().to_str().unwrap().to_owned();
    for helm in Helm::both() {
        let helm = helm
            .kubeconfig(shop.namespace.cluster().kubeconfig("admin"))
            .docker_config(&shop.destination.docker_config())
            .ca_file(shop.destination.ca_file());
        let version = version(&report);
        helm.run(&["pull", &chart, "--version", &version, "--ca-file", &ca]).ok();
        let archive =
            format!("{}-{version}.tgz", shop.chart_repository().rsplit('/').next().unwrap());
        helm.run(&["lint", "--strict", &archive]).ok();
        let target = shop.namespace.cluster().namespace("hooked");
        install(&helm, &archive, &target, "install");
        let job = target.get("batch/v1", "Job", "migrate").unwrap();
        let annotation = |key: &str| job["metadata"]["annotations"][key].as_str();
        assert_eq!(annotation("helm.sh/hook"), Some("post-install,post-upgrade"));
        assert_eq!(annotation("helm.sh/hook-delete-policy"), Some("before-hook-creation"));
        let old = shop.namespace.get("batch/v1", "Job", "migrate").unwrap();
        assert_ne!(job["spec"]["selector"], old["spec"]["selector"], "the server gave a new one");
        let container = |job: &Value| job["spec"]["template"]["spec"]["containers"][0].clone();
        assert_eq!(container(&job)["args"], container(&old)["args"]);
        assert_eq!(job["spec"]["backoffLimit"], 2);
        let before = uid(&target);
        install(&helm, &archive, &target, "upgrade");
        assert_ne!(uid(&target), before, "it ran again");
    }
}

/// Runs helm, which waits for its hooks, and finishes the Job meanwhile.
fn install(helm: &Helm, archive: &str, target: &Namespace<'_>, verb: &str) {
    let before = target.get("batch/v1", "Job", "migrate").map(|job| job["metadata"]["uid"].clone());
    std::thread::scope(|scope| {
        let ran = scope
            .spawn(|| helm.run(&[verb, "back", archive, "-n", target.name(), "--timeout", "60s"]));
        while !ran.is_finished() {
            let now = target.get("batch/v1", "Job", "migrate");
            if now.is_some_and(|job| Some(&job["metadata"]["uid"]) != before.as_ref()) {
                finish(target);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        ran.join().unwrap().ok();
    });
}
