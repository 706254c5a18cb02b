//! Texts for people: handlebars templates, where Helm's own braces stand in raw blocks.

mod render;

use handlebars::no_escape;
use serde_json::{Value, json};

use super::expr::{entry, include, literal};
use super::input::{Error, Input, Templates};
use super::keys::{Keys, Section, claim_templates, pod_spec};
use super::manifest::{Manifests, asked_for, reference, secret_type};
use super::meta::Meta;
use super::values::describe;
use super::yaml::inert;
use crate::app::{App, Code, Object, Requirement, SecretsPolicy};
use render::render;

pub use render::{LONGEST_TEMPLATE, NOTES, README};

/// The templates that a chart has if the user gives none.
const OWN_README: &str = include_str!("../assets/README.md.hbs");
const OWN_NOTES: &str = include_str!("../assets/NOTES.txt.hbs");

/// Helm's helpers. No handlebars: they are nothing but braces. `CHART` is the name of the chart,
/// which keeps charts with one parent apart.
const HELPERS: &str = include_str!("../assets/_helpers.tpl");

/// The line of the helpers that names the release.
const INSTANCE_LINE: &str = "app.kubernetes.io/instance:";

/// The line of the helpers about images that stay where they are.
const KEEP_LINE: &str = "{{- if $image.keep }}";

/// Most values that the README lists. Helm keeps it in the release, which has a limit of 1 MiB,
/// and beyond a few screens `values.yaml` is the better place to look.
const LONGEST_TABLE: usize = 300;

/// Everything that the texts may say.
pub struct Texts<'a> {
    chart: &'a str,
    templates: &'a Templates,
    data: Value,
}

impl<'a> Texts<'a> {
    /// Gathers what there is to say.
    pub fn new(input: &'a Input<'_>, meta: &Meta, manifests: &Manifests) -> Self {
        let app = input.app;
        let name = |object: &Object| json!({"kind": object.kind(), "name": object.name()});
        let workloads = app.objects.iter().filter(|object| pod_spec(object).is_some());
        let cluster_scoped =
            app.objects.iter().any(|o| matches!(o.kind(), "ClusterRole" | "ClusterRoleBinding"));
        let values = describe(&manifests.values);
        let too_many = values.len() > LONGEST_TABLE;
        let values = if too_many { Vec::new() } else { values };
        let data = json!({
            "chart": input.name,
            "version": input.version.to_string(),
            "app": app.name,
            "release": release(&app.name),
            "namespace": app.namespace,
            "description": meta.description(),
            "workloads": workloads.map(name).collect::<Vec<_>>(),
            "objects": app.objects.iter().map(name).collect::<Vec<_>>(),
            "images": images(input),
            "secrets": secrets(input),
            "asked": asked_for(app),
            "missing": missing(app),
            "reference": input.secrets == SecretsPolicy::Reference,
            "require": input.secrets == SecretsPolicy::Require,
            "encrypt": input.sealed.is_some(),
            "include": input.secrets == SecretsPolicy::Include,
            "requirements": requirements(input),
            "claims": claims(input),
            "recreate": recreate(app),
            "ingresses": app.objects.iter().any(|object| object.kind() == "Ingress"),
            "clusterScoped": cluster_scoped,
            "values": values,
            "tooManyValues": too_many,
        });
        Self { chart: &input.name, templates: &input.templates, data }
    }

    /// What opens `values.yaml`.
    pub fn introduction(&self) -> String {
        format!(
            "Values of {}: what differs from cluster to cluster. Everything else of the application \
             {} is in the templates as it ran.",
            self.chart,
            self.data["app"].as_str().unwrap_or_default()
        )
    }

    /// `README.md`.
    ///
    /// # Errors
    /// When the template does not render.
    pub fn readme(&self) -> Result<String, Error> {
        let template = self.templates.readme.as_deref().unwrap_or(OWN_README);
        render(README, template, &self.data, no_escape)
    }

    /// `NOTES.txt`, which Helm renders: braces of users are inert. Helm renders it whatever the
    /// values leave out, so it is here that values are refused.
    ///
    /// # Errors
    /// When the template does not render.
    pub fn notes(&self) -> Result<String, Error> {
        let template = self.templates.notes.as_deref().unwrap_or(OWN_NOTES);
        let notes = render(NOTES, template, &self.data, inert)?;
        let validate = include(self.chart, "validate", ".");
        Ok(format!("{}\n{{{{- {validate} }}}}\n", notes.trim_end()))
    }

    /// `_helpers.tpl`, with the helpers that the templates use.
    pub fn helpers(&self, manifests: &Manifests) -> String {
        let text = HELPERS.replace("CHART", self.chart);
        let used = |helper: &str| {
            let name = helper.split('"').nth(1).unwrap_or_default();
            let call = format!("include \"{name}\"");
            // NOTES.txt calls this one.
            name.ends_with(".validate")
                || text.contains(&call)
                || manifests.files.values().any(|file| file.contains(&call))
        };
        let helpers = text.trim_end().split("\n\n").filter(|helper| used(helper));
        let kept = |line: &&str| {
            (manifests.instance_label || !line.starts_with(INSTANCE_LINE))
                && (manifests.keeps_images || !line.starts_with(KEEP_LINE))
        };
        let helpers: Vec<String> = helpers
            .map(|helper| helper.lines().filter(kept).collect::<Vec<_>>().join("\n"))
            .collect();
        format!("{}\n", helpers.join("\n\n"))
    }
}

/// A name for the release in examples: that of the application, if Helm takes it.
fn release(app: &str) -> &str {
    if is_release_name(app) { app } else { "RELEASE" }
}

/// Whether helm takes the name for a release.
pub fn is_release_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= super::build::LONGEST_NAME
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

fn images(input: &Input<'_>) -> Vec<Value> {
    let image = |image: &super::Image| {
        json!({
            "key": image.key,
            "source": image.source,
            "reference": reference(image),
            "digest": image.digest,
            "platforms": image.platforms.join(", "),
        })
    };
    input.images.iter().map(image).collect()
}

fn secrets(input: &Input<'_>) -> Vec<Value> {
    let (keys, ingresses) = (Keys::new(input.app), ingresses(input.app));
    let secret = |secret: &crate::app::SecretUse| {
        let users: Vec<String> =
            secret.used_by.iter().map(|id| format!("{} {}", id.kind, id.name)).collect();
        let only_ingresses = secret.used_by.iter().all(|id| id.kind == "Ingress");
        json!({
            "name": secret.name,
            "literal": literal(&secret.name),
            "type": secret_type(input.app, secret),
            "keys": secret.keys.join(", "),
            "complete": secret.complete,
            "optional": secret.optional,
            "guard": guard(&keys, &ingresses, |ingress| {
                let id = ingress.id();
                only_ingresses && secret.used_by.contains(&id)
            }),
            "usedBy": users.join(", "),
        })
    };
    input.app.secrets.iter().map(secret).collect()
}

fn requirements(input: &Input<'_>) -> Vec<Value> {
    let (keys, ingresses) = (Keys::new(input.app), ingresses(input.app));
    let requirement = |it: &Requirement| {
        let class = |ingress: &Object| {
            it.object.kind == "IngressClass"
                && ingress.text("/spec/ingressClassName") == Some(&it.object.name)
        };
        json!({
            "object": it.object.to_string(),
            "reason": it.reason,
            "literal": literal(&format!("{}: {}", it.object, it.reason)),
            "guard": guard(&keys, &ingresses, class),
        })
    };
    input.app.requirements.iter().map(requirement).collect()
}

/// What did not exist where the application ran. Of Secrets there is a list of its own.
fn missing(app: &App) -> Vec<&str> {
    let texts = app.findings.iter().filter(|finding| finding.code == Code::ReferenceMissing);
    let of_secret = |text: &str| {
        app.secrets
            .iter()
            .any(|secret| text.contains(&format!(" refers to Secret {},", secret.name)))
    };
    texts.map(|finding| finding.text.as_str()).filter(|text| !of_secret(text)).collect()
}

/// What stands between the version before and an upgrade to this one.
fn recreate(app: &App) -> Vec<String> {
    let steps = app.findings.iter().filter(|it| it.code == Code::UpgradeNeedsRecreate);
    steps.map(|finding| format!("{}. {}", finding.text, finding.remedy)).collect()
}

fn ingresses(app: &App) -> Vec<&Object> {
    app.objects.iter().filter(|object| object.kind() == "Ingress").collect()
}

/// The condition that one of the Ingresses that `uses` holds for is wanted; empty if there is none.
fn guard(keys: &Keys, ingresses: &[&Object], uses: impl Fn(&Object) -> bool) -> String {
    let ingresses = ingresses.iter().filter(|ingress| uses(ingress));
    let enabled: Vec<String> = ingresses
        .map(|it| format!("({}).enabled", entry("ingresses", &keys.key(Section::Ingresses, it))))
        .collect();
    match enabled.as_slice() {
        [] => String::new(),
        enabled => format!("if or {}", enabled.join(" ")),
    }
}

/// Volume claims by name.
fn claims(input: &Input<'_>) -> Vec<String> {
    let mut claims = Vec::new();
    for object in &input.app.objects {
        if object.kind() == "PersistentVolumeClaim" {
            claims.push(object.name().to_owned());
        }
        claims.extend(claim_templates(object).map(|claim| format!("{claim}-{}-N", object.name())));
    }
    claims
}

/// Everything that the texts of a chart may say, for those who write templates of their own.
pub fn data(input: &Input<'_>) -> Value {
    let manifests = super::manifest::manifests(input);
    Texts::new(input, &Meta::new(input), &manifests).data
}
