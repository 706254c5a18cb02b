//! What belongs to an application, what only it needs, and what is shared.

mod custom;
mod left_out;
mod rights;
mod secrets;
mod shared;
mod traffic;

use outhaul::app::{App, Origin};

use super::{kinds, named, snapshot, yaml};

/// Gives the first object of the text the application's label.
pub(super) fn label(text: &str) -> String {
    text.replacen("metadata: {", "metadata: {labels: {app: web}, ", 1)
}

/// A Deployment of this name; its pods have the label `app: NAME` and this spec.
pub(super) fn deployment(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{template: {{\
         metadata: {{labels: {{app: {name}}}}}, spec: {{{spec}}}}}}}\n---\n"
    )
}

/// A Deployment whose only container has this in it.
pub(super) fn container(name: &str, container: &str) -> String {
    deployment(name, &format!("containers: [{{name: main, image: a, {container}}}]"))
}

pub(super) fn object(api_version: &str, kind: &str, name: &str, rest: &str) -> String {
    format!("{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: {name}}}{rest}}}\n---\n")
}

pub(super) fn web(text: &str) -> App {
    named(&snapshot(Origin::Manifests, yaml(text)), "web")
}

/// Everything but the Deployment itself.
pub(super) fn others(app: &App) -> Vec<String> {
    kinds(app).into_iter().filter(|id| id != "Deployment web").collect()
}

pub(super) fn requirements(app: &App) -> Vec<String> {
    app.requirements.iter().map(|of| format!("{}: {}", of.object, of.reason)).collect()
}

pub(super) const ENV_FROM: &str = "envFrom: [{configMapRef: {name: settings}}]";
