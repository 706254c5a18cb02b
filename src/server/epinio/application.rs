//! An application as Epinio's API shows it, made of what the cluster has. Pure.
//!
//! The order of fields is Epinio's, and so is what is left out when it is empty.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::app::Object;
use crate::cluster::{EpinioParts, SecretObject};

/// Label that says what a Secret of an application is for.
const AREA: &str = "epinio.io/area";

/// Label with the name of the application.
const NAME: &str = "app.kubernetes.io/name";

/// One application.
#[derive(Debug, Serialize)]
pub(super) struct Application {
    pub(super) meta: Meta,
    pub(super) configuration: Configuration,
    pub(super) origin: Origin,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deployment: Option<Deployment>,
    pub(super) staging: Staging,
    stagingstatus: &'static str,
    status: &'static str,
    statusmessage: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    stage_id: String,
    image_url: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    pub(super) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) namespace: String,
    created_at: String,
}

/// What it is to run like.
#[derive(Debug, Serialize)]
pub(super) struct Configuration {
    pub(super) instances: u32,
    pub(super) configurations: Vec<String>,
    pub(super) environment: Environment,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment_grouped: Option<Grouped>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) services: Vec<String>,
    pub(super) routes: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) appchart: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) settings: BTreeMap<String, String>,
}

/// Variables by who has set them. Epinio gives the values of bound Secrets for `service`, to all who
/// may see the application; we never do.
#[derive(Debug, Serialize)]
struct Grouped {
    user: Environment,
    service: BTreeMap<String, String>,
}

/// Whether values of variables are told, or names alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    Shown,
    Hidden,
}

/// Variables of an application, which often are secrets. Cannot be printed.
#[derive(Clone, Debug)]
pub(super) struct Environment {
    variables: BTreeMap<String, SecretString>,
    values: Values,
}

/// Where it comes from. The kind is a number: 0 nowhere, 1 a path, 2 Git, 3 an image.
#[derive(Debug, Default, Serialize)]
pub(super) struct Origin {
    #[serde(rename = "Kind")]
    kind: u8,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) container: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) git: Option<Git>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) path: String,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) archive: bool,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Git {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) revision: String,
    pub(super) repository: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) provider: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) branch: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) gitconfig: String,
}

/// What runs; there is none without pods.
#[derive(Debug, Serialize)]
pub(super) struct Deployment {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    active: bool,
    #[serde(rename = "createdAt")]
    created_at: String,
    desiredreplicas: u32,
    readyreplicas: u32,
    replicas: BTreeMap<String, Replica>,
    #[serde(skip_serializing_if = "String::is_empty")]
    username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) stage_id: String,
    status: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<String>,
}

/// A pod. We read no metrics.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Replica {
    name: String,
    metrics_ok: bool,
    memory_bytes: u64,
    #[serde(rename = "millicpus")]
    milli_cpus: u64,
    created_at: String,
    restarts: u64,
    ready: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Staging {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) builder: String,
}

impl Application {
    /// The application of this resource, with those of the `parts` that are its own.
    pub(super) fn new(app: &Object, parts: &EpinioParts, values: Values) -> Self {
        let name = app.name();
        let spec = |field: &str| text(app, &format!("/spec/{field}"));
        let own = |object: &&Object| object.label(NAME) == Some(name);
        let pods: Vec<&Object> = parts.pods.iter().filter(own).collect();
        let routes: Vec<String> = parts.ingresses.iter().filter(own).flat_map(routes).collect();
        let area = |wanted: &str| {
            let label = |of: &SecretObject, key: &str| of.labels.get(key).cloned();
            parts.secrets.iter().find(|secret| {
                label(secret, AREA).as_deref() == Some(wanted)
                    && label(secret, NAME).as_deref() == Some(name)
            })
        };
        let instances = instances(area("scaling"), &pods);
        let stagingstatus = staging(parts.jobs.iter().filter(own));
        let deployment = Deployment::new(&pods, instances, routes);
        let status = match (stagingstatus, &deployment) {
            ("active", _) => "staging",
            (_, None) => "created",
            (_, Some(_)) => "running",
        };
        Self {
            meta: Meta::of(app),
            configuration: Configuration {
                instances,
                configurations: keys(area("configuration")),
                environment: Environment::new(area("environment"), values),
                environment_grouped: None,
                services: keys(area("service")),
                routes: strings(app.at("/spec/routes")),
                appchart: spec("chartname"),
                settings: settings(app.at("/spec/settings")),
            },
            origin: Origin::new(app),
            deployment,
            staging: Staging { builder: spec("builderimage") },
            stagingstatus,
            status,
            statusmessage: "",
            stage_id: spec("stageid"),
            image_url: spec("imageurl"),
        }
    }

    /// With variables by who has set them, as the answer for one application has them.
    pub(super) fn grouped(mut self) -> Self {
        let user = self.configuration.environment.clone();
        self.configuration.environment_grouped = Some(Grouped { user, service: BTreeMap::new() });
        self
    }
}

impl Meta {
    /// Of whatever it is.
    pub(super) fn of(object: &Object) -> Self {
        Self {
            name: object.name().to_owned(),
            namespace: object.namespace().unwrap_or_default().to_owned(),
            created_at: created(object),
        }
    }

    /// Of what is in no namespace as far as users know.
    pub(super) fn of_all(object: &Object) -> Self {
        Self { namespace: String::new(), ..Self::of(object) }
    }
}

impl Environment {
    fn new(secret: Option<&SecretObject>, values: Values) -> Self {
        let data = secret.iter().flat_map(|secret| &secret.data);
        let variables = data.map(|(name, value)| {
            let value = String::from_utf8_lossy(value.expose_secret()).into_owned();
            (name.clone(), SecretString::from(value))
        });
        Self { variables: variables.collect(), values }
    }
}

impl Serialize for Environment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.variables.iter().map(|(name, value)| match self.values {
            Values::Shown => (name, value.expose_secret()),
            Values::Hidden => (name, ""),
        }))
    }
}

impl Origin {
    fn new(app: &Object) -> Self {
        let spec = |field: &str| text(app, &format!("/spec/origin/{field}"));
        let (path, container, repository) =
            (spec("path"), spec("container"), spec("git/repository"));
        if !path.is_empty() {
            let archive = app.at("/spec/origin/archive").and_then(Value::as_bool);
            return Self { kind: 1, path, archive: archive.unwrap_or_default(), ..Self::default() };
        }
        if !container.is_empty() {
            return Self { kind: 3, container, ..Self::default() };
        }
        if repository.is_empty() {
            return Self::default();
        }
        let git = Git {
            revision: spec("git/revision"),
            repository,
            provider: spec("git/provider"),
            branch: spec("git/branch"),
            gitconfig: spec("git/gitconfig"),
        };
        Self { kind: 2, git: Some(git), ..Self::default() }
    }
}

impl Deployment {
    fn new(pods: &[&Object], desired: u32, routes: Vec<String>) -> Option<Self> {
        let first = pods.first()?;
        let label = |key: &str| first.label(key).unwrap_or_default().to_owned();
        let name = label("epinio.io/app-container");
        let replicas: BTreeMap<String, Replica> =
            pods.iter().map(|pod| (pod.name().to_owned(), Replica::new(pod, &name))).collect();
        let ready = replicas.values().filter(|replica| replica.ready).count();
        let ready = u32::try_from(ready).unwrap_or(u32::MAX);
        Some(Self {
            active: true,
            // Times of one form and zone are in the order of their texts.
            created_at: pods.iter().map(|pod| created(pod)).min().unwrap_or_default(),
            desiredreplicas: desired,
            readyreplicas: ready,
            replicas,
            username: first.annotation("epinio.io/created-by").unwrap_or_default().to_owned(),
            stage_id: label("epinio.io/stage-id"),
            status: format!("{ready}/{desired}"),
            routes,
            name,
        })
    }
}

impl Replica {
    fn new(pod: &Object, container: &str) -> Self {
        let statuses = pod.at("/status/containerStatuses").and_then(Value::as_array);
        let own = statuses.into_iter().flatten().filter(|status| status["name"] == container);
        let conditions = pod.at("/status/conditions").and_then(Value::as_array);
        let is_ready = |of: &Value| of["type"] == "Ready" && of["status"] == "True";
        Self {
            name: pod.name().to_owned(),
            metrics_ok: false,
            memory_bytes: 0,
            milli_cpus: 0,
            created_at: created(pod),
            restarts: own.filter_map(|status| status["restartCount"].as_u64()).sum(),
            ready: conditions.into_iter().flatten().any(is_ready),
        }
    }
}

/// How many it is to have: clients want a number always.
fn instances(scale: Option<&SecretObject>, pods: &[&Object]) -> u32 {
    let desired = scale.and_then(|secret| secret.data.get("desired"));
    let desired = desired.and_then(|value| std::str::from_utf8(value.expose_secret()).ok());
    let there = || u32::try_from(pods.len()).unwrap_or(u32::MAX).max(1);
    desired.and_then(|text| text.trim().parse().ok()).unwrap_or_else(there)
}

/// What the newest job that stages says.
fn staging<'o>(jobs: impl Iterator<Item = &'o Object>) -> &'static str {
    let Some(newest) = jobs.max_by_key(|job| created(job)) else { return "" };
    let conditions = newest.at("/status/conditions").and_then(Value::as_array);
    let holds = |kind: &str| {
        let is = |of: &Value| of["type"] == kind && of["status"] == "True";
        conditions.into_iter().flatten().any(is)
    };
    match (holds("Failed"), holds("Complete")) {
        (true, _) => "failed",
        (false, true) => "done",
        (false, false) => "active",
    }
}

/// `host/path` of each rule, without a slash at the end.
fn routes(ingress: &Object) -> Vec<String> {
    let rules = ingress.at("/spec/rules").and_then(Value::as_array).into_iter().flatten();
    let of = |rule: &Value| {
        let host = rule["host"].as_str().unwrap_or_default().to_owned();
        let paths = rule["http"]["paths"].as_array().cloned().unwrap_or_default();
        let whole = move |path: Value| {
            let route = format!("{host}{}", path["path"].as_str().unwrap_or_default());
            route.strip_suffix('/').map_or(route.clone(), str::to_owned)
        };
        paths.into_iter().map(whole).collect::<Vec<_>>()
    };
    rules.flat_map(of).collect()
}

fn created(object: &Object) -> String {
    text(object, "/metadata/creationTimestamp")
}

fn text(object: &Object, pointer: &str) -> String {
    object.text(pointer).unwrap_or_default().to_owned()
}

fn keys(secret: Option<&SecretObject>) -> Vec<String> {
    secret.into_iter().flat_map(|secret| secret.data.keys().cloned()).collect()
}

fn strings(list: Option<&Value>) -> Vec<String> {
    let texts = list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

fn settings(map: Option<&Value>) -> BTreeMap<String, String> {
    let fields = map.and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_false(value: &bool) -> bool {
    !*value
}
