//! The rules for everything but images and workloads.

use outhaul::app::Object;
use serde_json::{Map, Value, json};

use super::cases::{Case, Cases, field};

impl Cases<'_> {
    pub(super) fn cron_jobs(&mut self) {
        for (key, _) in self.entries("cronJobs") {
            let object = self.object(key, &["CronJob"]);
            let live = object.at("/spec/suspend") == Some(&json!(true));
            self.add(&["cronJobs", key, "suspend"], json!(!live), [field(object, "/spec/suspend")]);
        }
    }

    pub(super) fn services(&mut self) {
        for (key, entry) in self.entries("services") {
            let object = self.object(key, &["Service"]);
            let is_balancer = object.text("/spec/type") == Some("LoadBalancer");
            for (part, live) in entry {
                let path = ["services", key, part.as_str()];
                let below = [field(object, &format!("/spec/{part}"))];
                match part.as_str() {
                    "type" => self.service_types(key, object),
                    "annotations" => self.annotation(&path, object),
                    "loadBalancerClass" | "loadBalancerIP" if is_balancer => {
                        self.add(&path, json!("10.0.0.9"), below.clone());
                        self.add(&path, json!(""), below.into_iter().filter(|_| *live != ""));
                    }
                    "loadBalancerSourceRanges" if is_balancer => {
                        self.add(&path, json!(["10.9.0.0/16"]), below);
                    }
                    "nodePorts" => {
                        for port in live.as_object().unwrap().keys() {
                            let path = [&path[..], &[port.as_str()]].concat();
                            self.add(&path, json!(31_999), [field(object, "/spec/ports/")]);
                            self.add(&path, Value::Null, [field(object, "/spec/ports/")]);
                        }
                    }
                    "externalIPs" => self.add(&path, json!([]), below),
                    "externalName" => self.add(&path, json!("db.other.test"), below),
                    other => panic!("no rule for services.*.{other}"),
                }
            }
        }
    }

    fn service_types(&mut self, key: &str, object: &Object) {
        let live = object.text("/spec/type").unwrap_or("ClusterIP");
        let typed = [
            "externalTrafficPolicy",
            "healthCheckNodePort",
            "loadBalancerIP",
            "loadBalancerClass",
            "loadBalancerSourceRanges",
            "allocateLoadBalancerNodePorts",
            "ports/",
        ];
        for other in ["ClusterIP", "NodePort", "LoadBalancer"].iter().filter(|it| **it != live) {
            let path = ["services", key, "type"];
            let may = typed.map(|part| field(object, &format!("/spec/{part}")));
            let case = Case::new(&path, json!(other), [field(object, "/spec/type")]).may(may);
            self.cases.push(case);
        }
    }

    pub(super) fn annotations(&mut self, section: &str, kinds: &[&str]) {
        for (key, entry) in self.entries(section) {
            assert_eq!(entry.keys().collect::<Vec<_>>(), ["annotations"]);
            let object = self.object(key, kinds);
            self.annotation(&[section, key, "annotations"], object);
        }
    }

    /// One annotation more, and every one less.
    fn annotation(&mut self, path: &[&str], object: &Object) {
        let at = field(object, "/metadata/annotations");
        self.add(path, json!({"note": "x"}), [at.clone()]);
        let live = object.at("/metadata/annotations").and_then(Value::as_object);
        for name in live.into_iter().flat_map(Map::keys) {
            self.add(&[path, &[name]].concat(), Value::Null, [at.clone()]);
        }
    }

    pub(super) fn ingresses(&mut self) {
        for (key, entry) in self.entries("ingresses") {
            let object = self.object(key, &["Ingress"]);
            for (part, live) in entry {
                let path = ["ingresses", key, part.as_str()];
                let names = live.as_object().into_iter().flat_map(Map::keys);
                match part.as_str() {
                    "enabled" => self.add(&path, json!(false), [field(object, ": ")]),
                    "className" => {
                        let at = [field(object, "/spec/ingressClassName")];
                        self.add(&path, json!("other"), at.clone());
                        self.add(&path, json!(""), at.into_iter().filter(|_| *live != ""));
                    }
                    "hosts" => {
                        for host in names {
                            let path = [&path[..], &[host]].concat();
                            let may = [field(object, "/spec/tls/")];
                            let must = [field(object, "/spec/rules/")];
                            let case = Case::new(&path, json!("other.test"), must);
                            self.cases.push(case.may(may));
                        }
                    }
                    "tls" => {
                        for secret in names {
                            let path = [&path[..], &[secret]].concat();
                            self.add(&path, json!("other"), [field(object, "/spec/tls/")]);
                        }
                    }
                    "annotations" => self.annotation(&path, object),
                    other => panic!("no rule for ingresses.*.{other}"),
                }
            }
        }
    }

    pub(super) fn configs(&mut self) {
        for (key, entry) in self.entries("configs") {
            let object = self.object(key, &["ConfigMap"]);
            assert_eq!(entry.keys().collect::<Vec<_>>(), ["data"]);
            for name in entry["data"].as_object().unwrap().keys() {
                let path = ["configs", key, "data", name];
                let at = [field(object, &format!("/data/{name}"))];
                self.add(&path, json!("other: \"{{ text }}\"\n"), at.clone());
                self.add(&path, Value::Null, at);
            }
            let path = ["configs", key, "data", "added"];
            self.add(&path, json!("x"), [field(object, "/data/added")]);
        }
    }

    pub(super) fn storage(&mut self) {
        for (key, entry) in self.entries("storage") {
            let claims = self.app.objects.iter().flat_map(|object| claims(object, key));
            let claims: Vec<String> = claims.collect();
            assert_eq!(claims.len(), 1, "{key}");
            for part in entry.keys() {
                let path = ["storage", key, part.as_str()];
                match part.as_str() {
                    "storageClassName" => {
                        let at = format!("{}/storageClassName", claims[0]);
                        self.add(&path, json!("other"), [at.clone()]);
                        self.add(&path, json!(""), [at]);
                    }
                    "size" => {
                        let at = format!("{}/resources/requests/storage", claims[0]);
                        self.add(&path, json!("77Gi"), [at]);
                    }
                    other => panic!("no rule for storage.*.{other}"),
                }
            }
        }
    }

    pub(super) fn secrets(&mut self) {
        for (key, entry) in self.entries("secrets") {
            let users = &self.app.secrets.iter().find(|it| it.name == key).unwrap().used_by;
            let users = users.iter().map(|id| format!("{} {}/", id.kind, id.name));
            for part in entry.keys() {
                let path = ["secrets", key, part.as_str()];
                match part.as_str() {
                    "create" => {
                        let data = entry["data"].as_object().unwrap().keys();
                        let data: Map<_, _> = data.map(|key| (key.clone(), json!("x"))).collect();
                        let made = json!({"create": true, "data": data});
                        self.add(&["secrets", key], made, [format!("Secret {key}: ")]);
                    }
                    "name" => self.add(&path, json!("other"), users.clone()),
                    // Read only where the chart makes the Secret.
                    "data" | "binaryData" => {
                        for name in entry[part].as_object().unwrap().keys() {
                            self.add(&[&path[..], &[name]].concat(), json!("x"), []);
                        }
                    }
                    other => panic!("no rule for secrets.*.{other}"),
                }
            }
        }
    }

    pub(super) fn cluster_scoped(&mut self) {
        let is_cluster_scoped =
            |object: &&Object| matches!(object.kind(), "ClusterRole" | "ClusterRoleBinding");
        let objects: Vec<_> = self.app.objects.iter().filter(is_cluster_scoped).collect();
        let gone = objects.iter().map(|object| field(object, ": "));
        let path = ["clusterScoped", "create"];
        self.cases.push(Case::new(&path, json!(false), gone.clone()));
        let renamed = objects.iter().map(|object| field(object, "-two: "));
        let path = ["clusterScoped", "nameSuffix"];
        let references = self.app.objects.iter().map(|object| field(object, "/roleRef/name"));
        let case = Case::new(&path, json!("-two"), gone.chain(renamed));
        self.cases.push(case.may(references));
    }
}

/// The specs of the claims of a key.
fn claims(object: &Object, key: &str) -> Vec<String> {
    if object.kind() == "PersistentVolumeClaim" && object.name() == key {
        return vec![field(object, "/spec")];
    }
    let templates = object.at("/spec/volumeClaimTemplates").and_then(Value::as_array);
    let templates = templates.into_iter().flatten().enumerate();
    let of_key = templates.filter(|(_, claim)| {
        let name = claim["metadata"]["name"].as_str().unwrap();
        format!("{name}-{}", object.name()) == key
    });
    of_key.map(|(at, _)| field(object, &format!("/spec/volumeClaimTemplates/{at}/spec"))).collect()
}
