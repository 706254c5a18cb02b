//! From exported objects to the model.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Application, Exported, Lost, Workload, pod, services};
use crate::app::{App, Object};

/// Kinds that run containers for as long as the application does, and where their pod is.
const RUNNING: [(&str, &str); 5] = [
    ("Deployment", "/spec/template"),
    ("StatefulSet", "/spec/template"),
    ("DaemonSet", "/spec/template"),
    ("ReplicaSet", "/spec/template"),
    ("Pod", ""),
];

/// Kinds that are told elsewhere: what they say stands with the containers that use them.
const TOLD: [&str; 4] = ["ConfigMap", "PersistentVolumeClaim", "Service", "ServiceAccount"];

/// ConfigMaps and claims, by name.
pub(super) struct Context<'a> {
    /// The application.
    pub(super) app: &'a App,
    /// What it is exported as.
    pub(super) exported: Exported<'a>,
    /// Its ConfigMaps.
    pub(super) configs: BTreeMap<&'a str, &'a Object>,
    /// Its claims.
    pub(super) claims: BTreeMap<&'a str, &'a Object>,
}

/// The application as far as it is containers. Secrets come by name and key, with the values that are to be written.
pub fn application(exported: Exported<'_>) -> Application {
    let app = exported.app;
    let named = |kind: &str| {
        let of_kind = app.objects.iter().filter(|object| object.kind() == kind);
        of_kind.map(|object| (object.name(), object)).collect::<BTreeMap<_, _>>()
    };
    let (configs, claims) = (named("ConfigMap"), named("PersistentVolumeClaim"));
    let context = Context { app, exported, configs, claims };
    let mut found = Application {
        name: app.name.clone(),
        version: exported.version.to_string(),
        secrets: app.secrets.iter().map(|of| (of.name.clone(), of.keys.clone())).collect(),
        values: exported.secrets.clone(),
        ..Application::default()
    };
    for object in &app.objects {
        let at = RUNNING.iter().find(|(kind, _)| *kind == object.kind());
        match at {
            Some((_, template)) => {
                found.workloads.push(workload(&context, object, template, &mut found.lost));
            }
            None if TOLD.contains(&object.kind()) => {}
            None => found.lost.push(Lost::whole(object)),
        }
    }
    services::tell(&context, &mut found);
    found
}

fn workload(
    context: &Context<'_>,
    object: &Object,
    template: &str,
    lost: &mut Vec<Lost>,
) -> Workload {
    let mut workload = Workload {
        object: object.id(),
        replicas: object.at("/spec/replicas").and_then(Value::as_u64).unwrap_or(1),
        on_each_node: object.kind() == "DaemonSet",
        host_network: false,
        containers: Vec::new(),
        volumes: Vec::new(),
        exposed: Vec::new(),
    };
    let at = format!("{template}/spec");
    match object.at(&at).and_then(Value::as_object) {
        Some(spec) => pod::read(context, object, &at, spec, &mut workload, lost),
        None => lost.push(Lost::whole(object)),
    }
    workload
}

impl Lost {
    /// All of an object.
    pub(super) fn whole(object: &Object) -> Self {
        Self { object: object.id(), field: None, reason: String::new() }
    }

    /// A field at a JSON pointer of an object.
    pub(super) fn at(object: &Object, pointer: &str) -> Self {
        let field = pointer.trim_start_matches('/').replace('/', ".");
        Self { object: object.id(), field: Some(field), reason: String::new() }
    }

    /// The same for a reason.
    #[must_use]
    pub(super) fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }
}
