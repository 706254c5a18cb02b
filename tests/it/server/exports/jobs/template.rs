//! The template of Jobs, where there is none or one that is of no use.

use serde_json::{Value, json};

use super::super::site::{SYSTEM, Site};

#[test]
fn without_a_template_nothing_runs_and_all_is_said() {
    let site = Site::start();
    let shop = site.shop();
    shop.grant_all(&site);
    let server = site.serve("only", &["--executor", "job", "--job-template", "ours"]);
    let mut number = 0;
    let mut failed = |template: Option<&str>, reason: &str, words: &[&str]| {
        if let Some(template) = template {
            let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ours"},
                "data": {"job.yaml": template}});
            site.system().apply(&map.to_string());
        }
        number += 1;
        let name = format!("export-{number}");
        shop.ask(&name, &json!({}));
        let status = shop.finished(&server, &name);
        assert_eq!((&status["phase"], &status["reason"]), (&json!("Failed"), &json!(reason)));
        let message = status["message"].as_str().unwrap();
        for words in words {
            assert!(message.contains(words), "{words}: {message}");
        }
        status
    };
    let invalid = "JobTemplateInvalid";
    let status = failed(None, invalid, &[&format!("ConfigMap {SYSTEM}/ours"), "there is none"]);
    assert!(status["hint"].as_str().unwrap().contains("charts/outhaul"), "{status:#}");
    failed(Some("kind: [Job"), invalid, &["key job.yaml:1"]);
    failed(Some("kind: Job\n---\nkind: Job"), invalid, &["one YAML document"]);
    failed(Some("apiVersion: v1\nkind: Pod"), invalid, &["no Job of batch/v1"]);
    let job = |containers: Value| {
        json!({"apiVersion": "batch/v1", "kind": "Job",
            "spec": {"template": {"spec": {"containers": containers}}}})
        .to_string()
    };
    failed(Some(&job(json!([{"name": "web"}]))), invalid, &["no container `outhaul`"]);
    failed(Some(&job(json!([{"name": "outhaul"}]))), invalid, &["has no image"]);
    let refused = json!([{"name": "outhaul", "image": "o", "imagePullPolicy": "Perhaps"}]);
    failed(Some(&job(refused)), "CLUSTER_FAILED", &["422", "imagePullPolicy"]);
    assert_eq!(site.system().list("batch/v1", "Job"), Vec::<Value>::new());
}
