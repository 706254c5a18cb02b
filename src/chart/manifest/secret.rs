//! Secrets: names by which pods refer to them, and templates for those that the chart makes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

use super::{Builder, generic};
use crate::app::{App, Object, SecretUse, SecretsPolicy};
use crate::chart::expr::{self, include, literal};
use crate::chart::input::Input;
use crate::chart::values::{self, Setting};
use crate::chart::yaml::{Field, Node, Row, document, template as emit};

/// Fields that hold a reference to a Secret, and the name in it.
const REFERENCES: [(&str, &str); 6] = [
    ("secretKeyRef", "name"),
    ("secretRef", "name"),
    ("nodePublishSecretRef", "name"),
    ("secret", "secretName"), // a volume
    ("secret", "name"),       // a projected volume
    ("azureFile", "secretName"),
];

/// Type of a Secret of which nothing else is known.
const OPAQUE: &str = "Opaque";

/// Text and binary values of a Secret, under their keys.
#[derive(Default)]
struct Data {
    text: Map<String, Value>,
    binary: Map<String, Value>,
    /// Whether these are values and not just keys.
    filled: bool,
}

/// Makes every reference to a Secret of the values follow its name there.
pub(super) fn references(builder: &Builder<'_>, node: &mut Node) {
    for (field, name) in REFERENCES {
        if let Some(place) = node.get_mut(field).and_then(|reference| reference.get_mut(name))
            && let Some(live) = place.as_str()
            && builder.secrets.contains(live)
        {
            *place = Node::Expr(format!("({}).name | quote", expr::entry("secrets", live)));
        }
    }
    match node {
        Node::Map(rows) => each(builder, rows, |field| &mut field.value),
        Node::List(rows) => each(builder, rows, |item| item),
        _ => {}
    }
}

fn each<T>(builder: &Builder<'_>, rows: &mut [Row<T>], node: fn(&mut T) -> &mut Node) {
    for row in rows {
        match row {
            Row::One(one) => references(builder, node(one)),
            Row::When { rows, .. } => each(builder, rows, node),
            _ => {}
        }
    }
}

/// The template that makes a Secret if the values say so, and its values.
pub(super) fn template(builder: &mut Builder<'_>, secret: &SecretUse) -> String {
    let data = Data::new(builder, secret);
    let mut metadata = Node::map([("name", Node::expr("$secret.name | quote"))]);
    let mut labels = texts(&secret.labels);
    generic::standard_labels(builder, &mut labels, |key| secret.labels.contains_key(key));
    metadata.set("labels", Node::Map(labels));
    if !secret.annotations.is_empty() {
        metadata.set("annotations", Node::Map(texts(&secret.annotations)));
    }
    let mut body = Node::map([
        ("apiVersion", Node::str("v1")),
        ("kind", Node::str("Secret")),
        ("metadata", metadata),
        ("type", Node::str(kind(builder.input.app, secret))),
    ]);
    // A value that was empty where it ran may be empty here; one that was never known may not.
    let arguments = format!(
        "(dict \"key\" {} \"secret\" $secret \"required\" {})",
        literal(&secret.name),
        !data.filled
    );
    body.set("data", Node::Block(include(builder.chart(), "secretData", &arguments)));
    if secret.immutable {
        body.set("immutable", Node::Bool(true));
    }
    let rows = match body {
        Node::Map(rows) => rows,
        _ => Vec::new(),
    };
    let variable = format!("$secret := {}", expr::entry("secrets", &secret.name));
    builder.values.entry("secrets", &secret.name, setting(builder.input, secret, data));
    emit(&Node::Map(vec![
        Row::Action(variable),
        Row::When { head: "if $secret.create".to_owned(), rows },
    ]))
}

impl Data {
    fn new(builder: &Builder<'_>, secret: &SecretUse) -> Self {
        let values = match builder.input.secrets {
            SecretsPolicy::Include => builder.input.secret_values.0.get(&secret.name),
            SecretsPolicy::Reference | SecretsPolicy::Require | SecretsPolicy::Encrypt => None,
        };
        let values = values.filter(|_| !secret.is_filled());
        let filled = values.is_some() || secret.is_filled();
        let mut data = Self { filled, ..Self::default() };
        let Some(values) = values else {
            data.text = secret.keys.iter().map(|key| (key.clone(), "".into())).collect();
            return data;
        };
        for (key, value) in values {
            let bytes = value.expose_secret();
            match std::str::from_utf8(bytes) {
                Ok(text) => data.text.insert(key.clone(), text.into()),
                Err(_) => data.binary.insert(key.clone(), STANDARD.encode(bytes).into()),
            };
        }
        data
    }
}

fn setting(input: &Input<'_>, secret: &SecretUse, data: Data) -> Setting {
    let asks = input.secrets == SecretsPolicy::Require && is_asked_for(secret);
    let create =
        Setting::value("Whether the chart makes it.", data.filled || asks, values::boolean());
    let name = Setting::value("Name of the Secret.", &*secret.name, values::name()).needed();
    let schema = if secret.complete {
        values::data_of(data.text.keys().map(String::as_str))
    } else {
        values::data()
    };
    let mut comment = "Values by key, as text; read only with `create: true`.".to_owned();
    if !secret.complete {
        comment.push_str(" Other keys were not known and may be added.");
    }
    let mut settings = vec![
        ("create", create),
        ("name", name),
        ("data", Setting::value(comment, data.text, schema).needed()),
    ];
    if !data.binary.is_empty() {
        let schema = values::data_of(data.binary.keys().map(String::as_str));
        let comment = "Values that are no text, in base64.";
        settings.push(("binaryData", Setting::value(comment, data.binary, schema)));
    }
    Setting::group(describe(input.app, secret), settings)
}

/// Whether `require` asks for the values: without a key there is nothing to ask for, and what is
/// optional may be missing.
pub(in crate::chart) fn is_asked_for(secret: &SecretUse) -> bool {
    !secret.keys.is_empty() && !secret.optional
}

/// The type of a Secret. The API server refuses to change it later.
pub(in crate::chart) fn kind<'a>(app: &App, secret: &'a SecretUse) -> &'a str {
    known_kind(app, secret).unwrap_or(OPAQUE)
}

/// The type as it was read, or as its use tells: certificates of Ingresses.
fn known_kind<'a>(app: &App, secret: &'a SecretUse) -> Option<&'a str> {
    // Few Secrets are an Ingress's, and an application may have thousands of either.
    let is_of_ingress = || secret.used_by.iter().any(|user| user.kind == "Ingress");
    let is_certificate = |object: &Object| {
        let entries = object.at("/spec/tls").and_then(Value::as_array);
        object.kind() == "Ingress"
            && entries.into_iter().flatten().any(|entry| entry["secretName"] == *secret.name)
    };
    let certificate = || {
        (is_of_ingress() && app.objects.iter().any(is_certificate)).then_some("kubernetes.io/tls")
    };
    secret.secret_type.as_deref().or_else(certificate)
}

/// What the Secret is and who uses it.
fn describe(app: &App, secret: &SecretUse) -> String {
    let kind = known_kind(app, secret).map(|kind| format!(" ({kind})")).unwrap_or_default();
    let users: Vec<String> =
        secret.used_by.iter().map(|id| format!("{} {}", id.kind, id.name)).collect();
    let users = match users.as_slice() {
        [] => String::new(),
        users => format!(", used by {}", users.join(", ")),
    };
    let made = secret.made_by.as_ref().map(|made| format!(" {made}.")).unwrap_or_default();
    let optional = if secret.optional { " It may be missing." } else { "" };
    format!("Secret {}{kind}{users}.{made}{optional}", secret.name)
}

/// Name, labels and annotations, as a person wrote them.
pub(in crate::chart) fn metadata(secret: &SecretUse) -> Node {
    let mut rows = vec![Row::field("name", Node::str(&*secret.name))];
    for (field, map) in [("labels", &secret.labels), ("annotations", &secret.annotations)] {
        if !map.is_empty() {
            rows.push(Row::field(field, Node::Map(texts(map))));
        }
    }
    Node::Map(rows)
}

fn texts(map: &BTreeMap<String, String>) -> Vec<Row<Field>> {
    map.iter().map(|(key, value)| Row::field(key, Node::str(value))).collect()
}

/// `secrets.example.yaml`: the Secrets to make before the chart is installed.
pub(in crate::chart) fn example(app: &App) -> String {
    let mut text = String::from(INTRODUCTION);
    for secret in app.secrets.iter().filter(|secret| !secret.is_filled()) {
        let mut rows = vec![Row::Comment(describe(app, secret))];
        if !secret.complete {
            let comment = "It may need more keys: only those that the application names are known.";
            rows.push(Row::Comment(comment.to_owned()));
        }
        let data = secret.keys.iter().map(|key| (key.clone(), Node::str("")));
        rows.extend([
            Row::field("apiVersion", Node::str("v1")),
            Row::field("kind", Node::str("Secret")),
            Row::field("metadata", metadata(secret)),
            Row::field("type", Node::str(kind(app, secret))),
            Row::field("stringData", Node::map(data)),
        ]);
        text.push_str("---\n");
        text.push_str(&document(&Node::Map(rows)));
    }
    text
}

/// The values that `require` asks for, as a file to fill in; nothing where there are none.
pub(in crate::chart) fn asked_for(app: &App) -> String {
    let entry = |secret: &SecretUse| {
        let data = secret.keys.iter().map(|key| (key.as_str(), Node::str("")));
        (secret.name.clone(), Node::map([("data", Node::map(data))]))
    };
    let secrets: Vec<_> = app.secrets.iter().filter(|it| is_asked_for(it)).map(entry).collect();
    if secrets.is_empty() {
        return String::new();
    }
    document(&Node::map([("secrets", Node::map(secrets))]))
}

const INTRODUCTION: &str = "\
# The Secrets that must exist in the release's namespace before this chart is installed, but for
# those that may be missing.
# Fill in the values and apply the file; keep it out of version control.
#
#   kubectl apply --namespace NAMESPACE --filename secrets.example.yaml
";
