//! Who starts `run-export` without being asked to, or as somebody who may not.

use serde_json::{Value, json};

use super::super::site::{API, SYSTEM, Shop, Site, until};
use super::node::{Node, Way};
use super::{job_name, jobs};
use crate::deploy::{as_yaml, rendered};
use crate::support::outhaul::Outhaul;

/// The token of an account of the system namespace, as a kubeconfig has it.
fn worker(site: &Site) -> Outhaul {
    let token = site.system().token("outhaul-worker", None);
    Outhaul::new().kubeconfig(site.cluster.kubeconfig_of("outhaul-worker", &token))
}

/// An export whose Job was made and whose pod no node has.
fn waiting(node: &mut Node<'_>, shop: &Shop<'_>) -> Value {
    shop.ask("one", &json!({}));
    node.until("made", || {
        let record = shop.record("one");
        let message = record["status"]["message"].as_str().unwrap_or_default().to_owned();
        message.contains("0/3 nodes").then_some(record)
    })
}

#[test]
fn a_forged_order_writes_nothing() {
    let (site, server) = jobs();
    let shop = site.shop();
    shop.grant_all(site);
    let mut node = Node::new(site, server, &shop).next(&[Way::NoRoom]);
    let record = waiting(&mut node, &shop);
    let uid = record["metadata"]["uid"].as_str().unwrap();
    let other = "00000000-0000-4000-8000-000000000000";
    for (name, uid, attempt, words) in [
        ("one", other, "1", "another one of that name"),
        ("one", uid, "2", "it is at attempt 1"),
        ("two", uid, "1", "there is none"),
    ] {
        let output = worker(site)
            .run(&[
                "run-export",
                "--namespace",
                shop.namespace.name(),
                "--name",
                name,
                "--uid",
                uid,
                "--attempt",
                attempt,
                "--system-namespace",
                SYSTEM,
            ])
            .exits(2);
        assert!(output.stderr.contains(words), "{}", output.stderr);
        assert!(output.stderr.contains("hint: `run-export` is for the Jobs"), "{}", output.stderr);
    }
    assert_eq!(
        shop.record("one")["metadata"]["resourceVersion"],
        record["metadata"]["resourceVersion"]
    );
    assert_eq!(shop.versions(), Vec::<String>::new());
    shop.cancel("one");
    assert_eq!(node.finished("one")["phase"], "Cancelled");
}

#[test]
fn of_a_status_the_worker_writes_its_own_fields_alone() {
    let (site, server) = jobs();
    let shop = site.shop();
    shop.grant_all(site);
    let mut node = Node::new(site, server, &shop).next(&[Way::NoRoom]);
    waiting(&mut node, &shop);
    let write = |status: Value| {
        let path = format!("/apis/{API}/namespaces/{}/exports/one/status", shop.namespace.name());
        send_as_worker(site, &path, &json!({ "status": status }))
    };
    // What the policy lets by, all of the definition's fields but these, is a list in the chart.
    let definition = outhaul::cluster::record::crd_yaml().unwrap();
    let definition: Value = serde_saphyr::from_str(&definition).unwrap();
    let fields =
        definition.pointer("/spec/versions/0/schema/openAPIV3Schema/properties/status/properties");
    let policy = rendered(&json!({"server": {"executor": "job"}})).into_iter().find(|manifest| {
        manifest.object.kind() == "ValidatingAdmissionPolicy"
            && manifest.object.name() == "outhaul-worker"
    });
    let policy = Value::from(policy.unwrap().object);
    let kept = policy["spec"]["validations"][1]["expression"].as_str().unwrap();
    for field in fields.unwrap().as_object().unwrap().keys() {
        let own = ["planned", "progress", "step", "result"].contains(&field.as_str());
        let is_kept =
            kept.contains(&format!("object.?status.?{field} == oldObject.?status.?{field}"));
        assert_eq!(own, !is_kept, "{field}");
    }
    for (field, value) in [
        ("phase", json!("Succeeded")),
        ("attempts", json!(0)),
        ("message", json!("all is well")),
        ("holder", json!({"identity": "me", "since": "2026-11-26T00:00:00Z"})),
        ("conditions", json!([])),
    ] {
        let refused = write(json!({field: value})).unwrap_err();
        assert!(refused.contains("planned, progress, step and result only"), "{field}: {refused}");
    }
    write(json!({"step": "Reading"})).unwrap();
    shop.cancel("one");
    assert_eq!(node.finished("one")["phase"], "Cancelled");
    let refused = write(json!({"step": "Copying"})).unwrap_err();
    assert!(refused.contains("exports that run only"), "{refused}");
}

/// The worker's account without the right to write statuses: what is planned cannot be kept, so
/// nothing is pushed.
#[test]
fn a_worker_that_may_not_write_pushes_nothing() {
    let (site, server) = jobs();
    let shop = site.shop();
    shop.grant_all(site);
    let mut rights = rendered(&json!({"server": {"executor": "job"}, "fullnameOverride": "mute",
        "rbac": {"userRoles": false}}));
    rights.retain(|manifest| {
        let of_worker = manifest.path.ends_with("worker-rbac.yaml");
        of_worker
            || manifest.object.name() == "mute-worker" && manifest.object.kind() == "ServiceAccount"
    });
    let rights = as_yaml("", rights);
    assert!(rights.contains("exports/status"));
    site.cluster.apply(&rights.replace("exports/status", "exports/nothing"));
    let what = json!({"verb": "list", "group": "", "resource": "pods"});
    let user = format!("system:serviceaccount:{SYSTEM}:mute-worker");
    until("the rights are seen", || site.allows(&user, &[], &what));
    let mut node = Node::new(site, server, &shop).with_account("mute-worker");
    shop.ask("one", &json!({}));
    let status = node.finished("one");
    assert_eq!(
        (&status["phase"], &status["reason"], &status["exitCode"]),
        (&json!("Failed"), &json!("SERVER_LACKS_RIGHT"), &json!(4)),
        "{status:#}"
    );
    assert!(status["message"].as_str().unwrap().contains("exports/status"), "{status:#}");
    assert_eq!((&status["planned"], shop.versions()), (&Value::Null, Vec::new()));
    assert_eq!(status["holder"]["identity"], *job_name(&shop, 1));
}

fn send_as_worker(site: &Site, path: &str, body: &Value) -> Result<Value, String> {
    let token = site.system().token("outhaul-worker", None);
    let ca = std::fs::read(site.cluster.ca_file()).unwrap();
    crate::support::block_on(async {
        let ca = reqwest::Certificate::from_pem(&ca).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
        let request = client.patch(format!("{}{path}", site.cluster.url())).bearer_auth(token);
        let request = request.header("content-type", "application/merge-patch+json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let is_done = answer.status().is_success();
        let text = answer.text().await.unwrap();
        if is_done { Ok(serde_json::from_str(&text).unwrap()) } else { Err(text) }
    })
}
