//! `charts/outhaul`, by both helms and on a real API server.

use serde_json::{Value, json};

use super::{rendered, the_chart};
use crate::chart::oracle::packed;
use crate::chart::render::assert_same;
use crate::support::block_on;
use crate::support::cluster::cluster;
use crate::support::helm::Helm;

/// Values that use everything that the templates have.
fn every_value() -> Vec<Value> {
    vec![
        json!({}),
        json!({
            "replicas": 1, "nameOverride": "ship", "namespaces": ["shop", "blog"], "systemNamespace": "epinio",
            "image": {"repository": "registry.example.com/outhaul", "digest": format!("sha256:{}", "0".repeat(64))},
            "imagePullSecrets": [{"name": "pull"}], "tls": {"secretName": "outhaul-tls"},
            "frontProxy": {"caSecretName": "front-proxies"},
            "server": {"tokenAudiences": ["a", "b"], "extraArgs": ["--tls-name=x"],
                "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}]},
            "epinio": {"upstream": "https://epinio-server.epinio.svc", "upstreamCaSecretName": "epinio-ca",
                "allowOrigin": "https://epinio.example.com"},
            "service": {"type": "LoadBalancer", "port": 8443, "annotations": {"a": "b"}},
            "ingress": {"enabled": true, "className": "nginx", "host": "outhaul.example.com",
                "tlsSecretName": "ingress-tls", "annotations": {"c": "d"}},
            "serviceAccount": {"create": false, "name": "mine"},
            "rbac": {"readGroups": ["cert-manager.io"], "readNodes": true},
            "secrets": {"namespaces": ["shop", "bank"]},
            "metrics": {"port": 9999, "apps": 0, "serviceMonitor": {"enabled": true, "labels": {"m": "n"}},
                "prometheusRule": {"enabled": true, "labels": {"o": "p"}}},
            "networkPolicy": {"from": [{"namespaceSelector": {}}], "metricsFrom": [{"podSelector": {}}],
                "egress": [{"ports": [{"port": 443}]}]},
            "podAnnotations": {"e": "f"}, "podLabels": {"g": "h"}, "nodeSelector": {"i": "j"},
            "tolerations": [{"operator": "Exists"}], "affinity": {"nodeAffinity": {}},
            "topologySpreadConstraints": [{"maxSkew": 2}], "priorityClassName": "high",
        }),
        json!({
            "fullnameOverride": "ours", "rbac": {"create": false, "userRoles": false},
            "policy": {"enabled": false}, "metrics": {"enabled": false}, "podDisruptionBudget": {"enabled": false},
            "networkPolicy": {"enabled": false}, "serviceAccount": {"annotations": {"k": "l"}},
        }),
        json!({
            "systemNamespace": "epinio", "imagePullSecrets": [{"name": "pull"}],
            "server": {"executor": "job", "log": "text",
                "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}]},
            "rbac": {"readGroups": ["cert-manager.io"], "readNodes": true},
            "secrets": {"namespaces": ["shop"]},
            "networkPolicy": {"egress": [{"ports": [{"port": 443}]}]},
            "job": {"image": "registry.example.com/outhaul:1", "queue": "exports", "deadline": 600, "ttl": 60,
                "serviceAccount": {"annotations": {"a": "b"}}, "resources": {}, "tmpSize": "2Gi",
                "podAnnotations": {"c": "d"}, "podLabels": {"e": "f"}, "nodeSelector": {"g": "h"},
                "tolerations": [{"operator": "Exists"}], "affinity": {"nodeAffinity": {}},
                "priorityClassName": "low"},
        }),
        json!({
            "server": {"executor": "job"}, "rbac": {"create": false}, "policy": {"enabled": false},
            "networkPolicy": {"enabled": false},
            "job": {"serviceAccount": {"create": false, "name": "mine"}},
        }),
    ]
}

#[test]
fn both_helms_find_nothing_to_complain_of() {
    for helm in Helm::both() {
        let archive = packed(&helm, &the_chart());
        for (at, values) in every_value().iter().enumerate() {
            let file = helm.write(&format!("values-{at}.json"), &values.to_string());
            helm.run(&["lint", "--strict", &archive, "--values", file.to_str().unwrap()]).ok();
        }
    }
}

#[test]
fn both_helms_render_what_our_renderer_does() {
    let mut chart = the_chart();
    chart.files.retain(|path, _| !path.starts_with("crds/")); // helm renders none
    assert_same(&chart, &every_value());
}

#[test]
fn what_is_no_value_is_refused() {
    let wrong = [
        ("replica=3", "replica"),
        ("server.workers=0", "/server/workers"),
        ("image.digest=latest", "/image/digest"),
        ("server.log=xml", "/server/log"),
        ("server.executor=pod", "/server/executor"),
        ("job.deadline=1", "/job/deadline"),
        ("job.queue=Exports", "/job/queue"),
        (
            "server.executor=job,job.serviceAccount.create=false",
            "job.serviceAccount.name is needed",
        ),
        ("rbac.readGroups={*}", "/rbac/readGroups/0"),
        ("secrets.namespaces={Shop}", "/secrets/namespaces/0"),
        ("namespaces={Shop}", "/namespaces/0"),
        ("epinio.upstream=https://a/b", "/epinio/upstream"),
        ("ingress.enabled=true", "ingress.host is needed"),
        ("serviceAccount.create=false", "serviceAccount.name is needed"),
    ];
    for helm in Helm::both() {
        let archive = packed(&helm, &the_chart());
        for (set, words) in wrong {
            let output = helm.run(&["template", "outhaul", &archive, "--set", set]);
            assert!(output.code != 0 && output.stderr.contains(words), "{set}: {output:?}");
        }
    }
}

/// By the admission of a real API server, in a namespace that enforces it.
#[test]
fn the_pods_are_as_restricted_as_pods_can_be() {
    let namespace = cluster().namespace("restricted");
    namespace.apply(&format!(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {}\n  labels: \
         {{pod-security.kubernetes.io/enforce: restricted}}\n",
        namespace.name()
    ));
    let path = format!("/api/v1/namespaces/{}/pods?dryRun=All", namespace.name());
    for values in every_value() {
        let all = rendered(&values).into_iter().map(|manifest| Value::from(manifest.object));
        let all: Vec<Value> = all.collect();
        let of_kind = |kind: &str| all.iter().find(|object| object["kind"] == kind).cloned();
        let job = of_kind("ConfigMap").map(|map| {
            let job = map["data"]["job.yaml"].as_str().unwrap().to_owned();
            serde_saphyr::from_str::<Value>(&job).unwrap()
        });
        let send = |pod: &Value| {
            let request = hyper::http::Request::post(&path);
            let request = request.header("content-type", "application/json");
            let request = request.body(pod.to_string().into_bytes()).unwrap();
            block_on(async { cluster().client("admin").await.request::<Value>(request).await })
        };
        for owner in of_kind("Deployment").into_iter().chain(job) {
            let mut pod = owner["spec"]["template"].clone();
            pod["metadata"]["name"] = "outhaul".into();
            let spec = pod["spec"].as_object_mut().unwrap();
            spec.shift_remove("priorityClassName"); // it has to exist
            spec.shift_remove("topologySpreadConstraints");
            send(&pod).unwrap();
            pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] =
                true.into();
            assert!(send(&pod).unwrap_err().to_string().contains("PodSecurity"), "not enforced");
        }
    }
}
