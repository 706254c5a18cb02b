//! Objects as templates: each step takes what people change on another cluster out of the object,
//! puts it into the values with its comment and schema, and leaves an expression in its place.
//! Everything else stays as it ran.
//!
//! ```text
//!  Object ─► Draft { tree } ─ steps by kind ─► template file
//!                               └─► Values
//! ```

mod config;
mod generic;
mod images;
mod ingress;
mod job;
mod namespace;
mod rbac;
mod secret;
mod service;
mod storage;
mod workload;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::input::{Image, Input};
use super::keys::Keys;
use super::values::Values;
use super::yaml::{Node, Row, template};
use crate::app::{Object, ObjectId};

pub(super) use generic::counted;
pub(super) use images::reference;
pub(super) use namespace::replaced as with_namespace;
pub(super) use secret::{
    asked_for, example, is_asked_for, kind as secret_type, metadata as secret_metadata,
};

/// What the objects of an application became.
#[derive(Debug)]
pub struct Manifests {
    /// Templates by path in the chart.
    pub files: BTreeMap<String, String>,
    /// The values that they read.
    pub values: Values,
    /// Whether the standard labels include `app.kubernetes.io/instance`.
    pub instance_label: bool,
    /// Whether images stay where they are.
    pub keeps_images: bool,
}

/// Everything that the steps look things up in, and the values that they fill.
struct Builder<'a> {
    input: &'a Input<'a>,
    keys: Keys,
    /// Images by object, each with the JSON pointer to the container that uses it.
    images: HashMap<&'a ObjectId, Vec<(&'a str, &'a Image)>>,
    /// Names of the Secrets that the values name.
    secrets: BTreeSet<&'a str>,
    /// Names of the cluster roles in the chart.
    cluster_roles: BTreeSet<&'a str>,
    instance_label: bool,
    /// Whether the object at hand has placeholders for the release's namespace.
    has_placeholders: bool,
    values: Values,
}

/// A template while it is made.
struct Draft<'a> {
    object: &'a Object,
    /// Variables that it sets first.
    variables: Vec<String>,
    /// The condition under which there is an object at all.
    condition: Option<String>,
    body: Node,
}

/// Makes the templates and values of an application.
pub fn manifests(input: &Input<'_>) -> Manifests {
    match namespace::placeholders(input.app) {
        Some(app) => make(&Input { app: &app, ..input.clone() }),
        None => make(input),
    }
}

fn make(input: &Input<'_>) -> Manifests {
    let mut builder = Builder::new(input);
    images::values(&mut builder);
    let mut files = BTreeMap::new();
    for object in &input.app.objects {
        files.insert(builder.keys.file(object), builder.template(object));
    }
    for secret in &input.app.secrets {
        files
            .insert(builder.keys.secret_file(&secret.name), secret::template(&mut builder, secret));
    }
    let keeps_images = input.images.iter().any(|image| image.kept && image.has_place());
    Manifests {
        files,
        values: builder.values,
        instance_label: builder.instance_label,
        keeps_images,
    }
}

impl<'a> Builder<'a> {
    fn new(input: &'a Input<'a>) -> Self {
        let app = input.app;
        let mut images: HashMap<_, Vec<_>> = HashMap::new();
        for image in &input.images {
            for place in &image.uses {
                images.entry(&place.object).or_default().push((&*place.pointer, image));
            }
        }
        let cluster_roles = app.objects.iter().filter(|object| object.kind() == "ClusterRole");
        Self {
            input,
            keys: Keys::new(app),
            images,
            secrets: app.secrets.iter().map(|secret| &*secret.name).collect(),
            cluster_roles: cluster_roles.map(Object::name).collect(),
            instance_label: generic::instance_label_does_no_harm(app),
            has_placeholders: false,
            values: Values::default(),
        }
    }

    /// The template of one object.
    fn template(&mut self, object: &'a Object) -> String {
        let id = object.id();
        self.has_placeholders = self.input.app.rewrites.iter().any(|place| place.object == id);
        let mut draft = Draft::new(object);
        images::elsewhere(self, &mut draft);
        generic::labels(self, &mut draft);
        match (object.group(), object.kind()) {
            ("", "Service") => service::parameterise(self, &mut draft),
            ("", "ConfigMap") => config::parameterise(self, &mut draft),
            ("", "PersistentVolumeClaim") => storage::claim(self, &mut draft),
            ("", "ServiceAccount") => rbac::service_account(self, &mut draft),
            ("networking.k8s.io" | "extensions", "Ingress") => {
                ingress::parameterise(self, &mut draft);
            }
            ("rbac.authorization.k8s.io", _) => rbac::parameterise(self, &mut draft),
            ("batch", "Job") => job::parameterise(&mut draft),
            _ => {}
        }
        workload::parameterise(self, &mut draft);
        storage::claim_templates(self, &mut draft);
        if self.has_placeholders {
            namespace::expressions(&mut draft.body);
        }
        draft.finish()
    }

    fn chart(&self) -> &str {
        &self.input.name
    }
}

impl<'a> Draft<'a> {
    fn new(object: &'a Object) -> Self {
        let body = Node::map(object.fields().iter().map(|(key, value)| (key, Node::from(value))));
        Self { object, variables: Vec::new(), condition: None, body }
    }

    /// Sets a variable at the top of the template.
    fn variable(&mut self, name: &str, pipeline: &str) {
        self.variables.push(format!("${name} := {pipeline}"));
    }

    fn finish(self) -> String {
        let mut rows: Vec<Row<_>> = self.variables.into_iter().map(Row::Action).collect();
        let body = match self.body {
            Node::Map(rows) => rows,
            _ => Vec::new(),
        };
        match self.condition {
            Some(head) => rows.push(Row::When { head, rows: body }),
            None => rows.extend(body),
        }
        template(&Node::Map(rows))
    }
}
