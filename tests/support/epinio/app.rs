//! An application as the client decodes it, and its rows in tables. What the client dereferences without
//! a look has no default here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::model::{Meta, age, sorted, time};

#[derive(Debug, Deserialize)]
pub(super) struct App {
    meta: Meta,
    configuration: Configuration,
    #[serde(default)]
    origin: Origin,
    deployment: Option<Deployment>,
    #[serde(default)]
    staging: Staging,
    #[serde(default)]
    stagingstatus: String,
    #[serde(default)]
    statusmessage: String,
    #[serde(default)]
    stage_id: String,
}

#[derive(Debug, Deserialize)]
struct Configuration {
    instances: i32,
    #[serde(default)]
    configurations: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    routes: Vec<String>,
    #[serde(default)]
    appchart: String,
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Origin {
    #[serde(rename = "Kind")]
    kind: i32,
    container: String,
    git: Git,
    path: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Git {
    repository: String,
    revision: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Staging {
    builder: String,
}

#[derive(Debug, Deserialize)]
struct Deployment {
    #[serde(default)]
    name: String,
    #[serde(rename = "createdAt")]
    created_at: Timestamp,
    #[serde(default)]
    replicas: BTreeMap<String, Replica>,
    #[serde(default)]
    username: String,
    #[serde(default)]
    stage_id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    routes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Replica {
    name: String,
    #[serde(default)]
    metrics_ok: bool,
    created_at: Timestamp,
    restarts: i32,
    ready: bool,
}

impl Origin {
    fn text(&self) -> String {
        match self.kind {
            1 => self.path.clone(),
            2 if self.git.revision.is_empty() => self.git.repository.clone(),
            2 => format!("{} @ {}", self.git.repository, self.git.revision),
            3 => self.container.clone(),
            _ => "<<undefined>>".to_owned(),
        }
    }
}

impl App {
    pub(super) fn key(&self) -> (&str, &str) {
        (&self.meta.namespace, &self.meta.name)
    }

    /// Its row in a list, beginning with its namespace.
    pub(super) fn row(&self) -> Vec<String> {
        let (status, routes, details) = match &self.deployment {
            None => self.at_rest(),
            Some(deployment) => {
                let metrics = deployment.replicas.values().all(|replica| replica.metrics_ok);
                let missing = (!metrics).then_some("metrics not available");
                let message = Some(self.statusmessage.as_str()).filter(|text| !text.is_empty());
                let details: Vec<_> = message.into_iter().chain(missing).collect();
                let routes = match deployment.routes.is_empty() {
                    true => "<<none>>".to_owned(),
                    false => sorted(&deployment.routes),
                };
                (deployment.status.clone(), routes, details.join(", "))
            }
        };
        let (meta, configurations) = (&self.meta, sorted(&self.configuration.configurations));
        let named = [meta.namespace.clone(), meta.name.clone(), time(meta.created_at)];
        named.into_iter().chain([status, routes, configurations, details]).collect()
    }

    fn at_rest(&self) -> (String, String, String) {
        let none = || "n/a".to_owned();
        match self.stagingstatus.as_str() {
            "active" => (none(), none(), "staging".to_owned()),
            "done" if self.configuration.instances == 0 => {
                ("0/0".to_owned(), none(), String::new())
            }
            "done" => (none(), none(), "deployment failed".to_owned()),
            "failed" => (none(), none(), "staging failed".to_owned()),
            _ => (none(), none(), String::new()),
        }
    }

    /// The rows of `app show`.
    pub(super) fn details(&self) -> Vec<Vec<String>> {
        let mut rows = Rows(Vec::new());
        rows.add("Origin", self.origin.text());
        rows.add("Created", time(self.meta.created_at));
        match &self.deployment {
            Some(deployment) => self.running(deployment, &mut rows),
            None => self.resting(&mut rows),
        }
        let configuration = &self.configuration;
        rows.add("App Chart", configuration.appchart.clone());
        rows.add("Builder Image", self.staging.builder.clone());
        rows.add("Desired Instances", configuration.instances.to_string());
        rows.add("Bound Configurations", configuration.configurations.join(", "));
        rows.add("User Environment", String::new());
        rows.pairs(&configuration.environment, true);
        if !configuration.configurations.is_empty() {
            rows.add("Service-provided Variables", String::new());
            rows.add(" - ", "See bound configurations above".to_owned());
            // In two lines, as the second word is longer than a line.
            rows.add(" - ", "Accessible at:".to_owned());
            rows.add("", "/configurations/<config-name>/<key>".to_owned());
        }
        rows.add("Chart Values", String::new());
        rows.pairs(&configuration.settings, false);
        rows.0
    }

    fn running(&self, deployment: &Deployment, rows: &mut Rows) {
        rows.add("Status", deployment.status.clone());
        rows.add("Username", deployment.username.clone());
        rows.add("Running StageId", deployment.stage_id.clone());
        rows.add("Last StageId", self.stage_id.clone());
        rows.add("Age", age(deployment.created_at));
        let (name, namespace) = (&deployment.name, &self.meta.namespace);
        rows.add("Internal Route", format!("{name}.{namespace}.svc.cluster.local:8080"));
        rows.add("Active Routes", String::new());
        for route in &deployment.routes {
            rows.add("", route.clone());
        }
    }

    fn resting(&self, rows: &mut Rows) {
        let status = match (self.stage_id.is_empty(), self.stagingstatus.as_str()) {
            (true, _) => "not deployed",
            (_, "active") => "not deployed, staging active",
            (_, "done") if self.configuration.instances == 0 => "deployed, scaled to zero",
            (_, "done") => "staging ok, deployment failed",
            _ => "not deployed, staging failed",
        };
        rows.add("Status", status.to_owned());
        if !self.stage_id.is_empty() {
            rows.add("Last StageId", self.stage_id.clone());
        }
        if self.configuration.routes.is_empty() {
            rows.add("Desired Routes", "<<none>>".to_owned());
            return;
        }
        rows.add("Desired Routes", String::new());
        for route in &self.configuration.routes {
            rows.add("", route.clone());
        }
    }

    /// The rows of its pods.
    pub(super) fn instances(&self) -> Vec<Vec<String>> {
        let replicas = self.deployment.iter().flat_map(|deployment| deployment.replicas.values());
        let none = || "not available".to_owned();
        let rows = replicas.map(|replica| {
            let (ready, restarts) = (replica.ready.to_string(), replica.restarts.to_string());
            vec![replica.name.clone(), ready, none(), none(), restarts, age(replica.created_at)]
        });
        rows.collect()
    }
}

struct Rows(Vec<Vec<String>>);

impl Rows {
    fn add(&mut self, key: &str, value: String) {
        self.0.push(vec![key.to_owned(), value]);
    }

    fn pairs(&mut self, pairs: &BTreeMap<String, String>, says_none: bool) {
        for (name, value) in pairs {
            self.add(&format!(" - {name}"), value.clone());
        }
        if pairs.is_empty() && says_none {
            self.add(" - ", "<<none>>".to_owned());
        }
    }
}
