//! What makes two exports the same: whose they are, and whether anything changed.

use serde_json::{Map, Value, json};

use crate::app::helm::Record;
use crate::app::{App, Origin, SecretsPolicy};
use crate::chart::{Templates, original};
use crate::registry::{Digest, Tag};

use super::images::ResolvedImage;

/// Annotation: whose chart it is, `<uid of kube-system>/<namespace>/<app>`.
pub const ORIGIN: &str = "dev.outhaul.origin";

/// Annotation: digest over everything that decides the content but for the addresses of images.
/// With them it gives the content digest, so that a copy knows what an export to its place has.
pub const APPLICATION_DIGEST: &str = "dev.outhaul.application-digest";

/// Annotation: digest over everything that decides the content.
pub const CONTENT_DIGEST: &str = "dev.outhaul.content-digest";

/// Annotation: digest of the chart that this one was rewritten from, for another place.
pub const DERIVED_FROM: &str = "dev.outhaul.derived-from";

/// Annotation: digest over uid and resourceVersion of the Secrets that are encrypted, and over the
/// recipients. Of the values it says nothing.
pub const SECRETS: &str = "dev.outhaul.secrets";

/// Annotation: which schedule made it, `<uid of kube-system>/<namespace>/<name>`; absent: somebody
/// did by hand.
pub const SCHEDULE: &str = "dev.outhaul.schedule";

/// Annotation of a report: how many objects the chart gives back as they were, of how many, `12/13`.
pub const FIDELITY: &str = "dev.outhaul.fidelity";

/// Annotation: when the application was read.
pub const TAKEN_AT: &str = "dev.outhaul.taken-at";

/// Bumped only when the meaning of charts changes, so that an upgrade of Outhaul alone does not
/// make new versions of every application.
pub const CHART_FORMAT: u32 = 1;

/// What an export is, as two digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// See [`APPLICATION_DIGEST`].
    pub application: Digest,
    /// See [`CONTENT_DIGEST`].
    pub digest: Digest,
}

/// What decides a chart's content besides objects, images and their addresses.
#[derive(Clone, Debug)]
pub struct ContentOptions<'a> {
    /// Name of the chart.
    pub chart: &'a str,
    /// A further tag that the images get.
    pub image_tag: Option<&'a Tag>,
    /// What happens to Secrets.
    pub secrets: SecretsPolicy,
    /// Digests of what of Secrets goes into the chart: of each value, by `name/key`, or of all that
    /// is encrypted.
    pub secret_digests: Vec<(String, Digest)>,
    /// Templates of the user's for the texts.
    pub templates: &'a Templates,
    /// The chart of a Helm release that is rebuilt.
    pub release: Option<&'a Record>,
}

/// Whose an export is.
pub fn origin(source: &Origin, app: &App) -> String {
    origin_of(source.id(), &app.namespace, &app.name)
}

/// The same by name: `cluster` is the uid of the cluster, or `manifests`.
pub fn origin_of(cluster: &str, namespace: &str, app: &str) -> String {
    format!("{cluster}/{namespace}/{app}")
}

/// What [`SCHEDULE`] says of the schedule `name` of `namespace`.
pub fn schedule_of(cluster: &str, namespace: &str, name: &str) -> String {
    format!("{cluster}/{namespace}/{name}")
}

impl Content {
    /// The content of an application whose images are at `addresses`, in the order of the images.
    pub fn new(application: Digest, addresses: &[String]) -> Self {
        let content = json!({"application": application, "imageAddresses": addresses});
        let digest = Digest::of(canonical(content).to_string().as_bytes());
        Self { application, digest }
    }
}

/// SHA-256 over the canonical application: normalised objects, image digests, options and format.
pub fn application_digest(
    app: &App,
    images: &[ResolvedImage],
    options: &ContentOptions<'_>,
) -> Digest {
    let objects: Vec<Value> = app.objects.iter().map(|object| object.clone().into()).collect();
    let images: Vec<Value> = images
        .iter()
        .map(|image| {
            let (key, written) = (&image.key, &image.written);
            let mut content = json!({"key": key, "source": written, "digest": image.digest});
            if image.kept {
                content["kept"] = true.into();
            }
            content
        })
        .collect();
    let secrets: Vec<Value> = options
        .secret_digests
        .iter()
        .map(|(name, digest)| json!({"name": name, "digest": digest}))
        .collect();
    let mut content = json!({
        "chartFormat": CHART_FORMAT,
        "chart": options.chart,
        "images": images,
        "imageTag": options.image_tag,
        "objects": objects,
        "requirements": app.requirements,
        "secretUses": app.secrets,
        "secretsPolicy": options.secrets,
        "secrets": secrets,
    });
    if *options.templates != Templates::default() {
        content["templates"] = json!(options.templates);
    }
    if let Some(record) = options.release {
        content["release"] = original::identity(record);
    }
    if !app.rewrites.is_empty() {
        content["rewriteNamespace"] = true.into();
    }
    if !app.definitions.is_empty() {
        content["definitions"] = app.definitions.iter().cloned().map(Value::from).collect();
    }
    Digest::of(canonical(content).to_string().as_bytes())
}

/// The same value with the keys of every object sorted.
fn canonical(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            let sorted: Map<_, _> = entries.into_iter().map(|(k, v)| (k, canonical(v))).collect();
            Value::Object(sorted)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(canonical).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter_and_the_order_of_lists_does() {
        let text = |value: Value| canonical(value).to_string();
        assert_eq!(
            text(json!({"b": {"d": 1, "c": 2}, "a": 0})),
            text(json!({"a": 0, "b": {"c": 2, "d": 1}}))
        );
        assert_ne!(text(json!([1, 2])), text(json!([2, 1])));
    }
}
