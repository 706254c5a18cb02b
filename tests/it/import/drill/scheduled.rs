//! `deploy/drill.yaml`: the account of its CronJob can drill, and nothing else.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Ground, PATIENCE, Says, cluster, scratch_namespaces};
use crate::support::block_on;
use crate::support::cluster::Cluster;
use crate::support::objects::get;

const MANIFESTS: &str = include_str!("../../../../deploy/drill.yaml");

/// Longest until a policy of admission is in force, which the API server compiles first.
const IN_FORCE: Duration = Duration::from_secs(60);

#[test]
fn the_account_of_the_cron_job_can_drill_and_nothing_else() {
    let ground = Ground::new(Says::Enforces);
    cluster().apply(MANIFESTS);
    let job = get(cluster(), Some("outhaul-drills"), "batch/v1", "CronJob", "outhaul-drill-shop");
    let job = job.unwrap();
    let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    assert_eq!(pod["serviceAccountName"], "outhaul-drill");
    let token = cluster().named_namespace("outhaul-drills").token("outhaul-drill", None);
    let kubeconfig = cluster().kubeconfig_of("drill", &token);
    let bind = |namespace: &str| block_on(made(cluster(), &kubeconfig, namespace));
    let waiting = Instant::now();
    let said = loop {
        match bind("default") {
            Err(said) if said.contains("drills change nothing but") => break said,
            other => assert!(waiting.elapsed() < IN_FORCE, "the policy does not hold: {other:?}"),
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    assert!(said.contains("outhaul-drill-*"), "{said}");

    // What the container is started with, beside what is ours: chart and how credentials are found.
    let args = pod["containers"][0]["args"].as_array().unwrap().iter();
    let args: Vec<&str> = args.map(|of| of.as_str().unwrap()).collect();
    assert_eq!(args[..2], ["drill", "oci://registry.example.com/backups/shop-shop-chart"]);
    let set = "secrets.shop-credentials.create=true,secrets.shop-credentials.data.db-password=a,\
               secrets.shop-credentials.data.session-key=b";
    let ours = ["drill", &ground.site.chart, "--set", set, "-o", "json"];
    let outhaul = ground.outhaul().kubeconfig(&kubeconfig);
    let run = [&ours[..], &args[2..], &["--timeout", PATIENCE]].concat();
    let repeated: Vec<&str> = run.into_iter().filter(|of| *of != "--timeout=30m").collect();
    let drilled = outhaul.run(&repeated).ok().json();
    assert_eq!((&drilled["ready"], &drilled["removed"]), (&true.into(), &true.into()));
    assert_eq!(scratch_namespaces(), [""; 0]);

    let without: Vec<&str> = repeated.into_iter().filter(|of| *of != "--grant=admin").collect();
    let refused = outhaul.run(&without).exits(18);
    assert!(refused.stderr.contains("cannot patch resource"), "{}", refused.stderr);
    assert_eq!(scratch_namespaces(), [""; 0]);
}

/// Tries to bind `admin` as the account of the kubeconfig.
async fn made(
    cluster: &Cluster,
    kubeconfig: &std::path::Path,
    namespace: &str,
) -> Result<(), String> {
    let group = "rbac.authorization.k8s.io";
    let binding = json!({"apiVersion": format!("{group}/v1"), "kind": "RoleBinding",
        "metadata": {"generateName": "escalated-"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "admin"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "somebody"}]});
    let config = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
    let options = kube::config::KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(config, &options).await.unwrap();
    assert!(config.cluster_url.to_string().starts_with(cluster.url()));
    let client = kube::Client::try_from(config).unwrap();
    let path = format!("/apis/{group}/v1/namespaces/{namespace}/rolebindings");
    let request = hyper::http::Request::post(path)
        .header("content-type", "application/json")
        .body(binding.to_string().into_bytes())
        .unwrap();
    client.request::<Value>(request).await.map(drop).map_err(|error| error.to_string())
}
