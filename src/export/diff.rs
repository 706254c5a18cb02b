//! `app diff`: a published chart against what runs now. The chart is rendered with its defaults; what
//! every chart changes on purpose is no difference.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::scan::scan;
use crate::app::{self, App, Code, Finding, Object, ObjectId, SecretValues, SecretsPolicy};
use crate::chart::check;
use crate::chart::compare::Change;
use crate::chart::original;
use crate::chart::render::{Manifest, Release};
use crate::chart::{self, Input};
use crate::cluster::Source;
use crate::registry::Digest;

use super::images::{ResolvedImage, resolve_images};
use super::resolve::{read, whole};
use super::upgrade::{RELEASE, rendered};
use super::{ChartReference, Error, PublishedChart, Request, Sources, Target, fetch};

/// What has changed since a chart was published.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diff {
    /// `namespace/name` of the application.
    pub app: String,
    /// The chart, with its version.
    pub chart: String,
    /// Digest of its manifest.
    pub digest: Digest,
    /// Objects that run and are not in the chart.
    pub added: Vec<ObjectId>,
    /// Objects of the chart that are not there any more.
    pub removed: Vec<ObjectId>,
    /// Objects that are not as they were.
    pub changed: Vec<ChangedObject>,
}

/// An object that is not as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedObject {
    /// The object.
    pub object: ObjectId,
    /// Its fields that differ.
    pub fields: Vec<ChangedField>,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedField {
    /// The field, dotted; items of lists by what they are known by:
    /// `spec.template.spec.containers[name=web].env[name=LEVEL].value`.
    pub field: String,
    /// In the chart; absent where it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// Now; absent where it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Whether the values are kept back because they look like credentials.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// Credentials in plain text, in each of two things that are compared.
pub(super) struct Credentials([Vec<Finding>; 2]);

/// Compares what runs with `chart`, or with the newest version of the application's own chart at
/// `target`. Values of Secrets are neither read nor compared.
///
/// # Errors
/// When the application or its images cannot be read, or there is no chart that renders.
pub async fn diff(
    request: &Request,
    source: &dyn Source,
    target: &Target,
    sources: &Sources,
    chart: Option<&ChartReference>,
) -> Result<Diff, Error> {
    let snapshot = read(request, source).await?;
    let app = app::assemble(&snapshot, &request.selection, &request.options)?;
    whole(request, &snapshot, &app)?;
    let reference = match chart {
        Some(chart) => chart.clone(),
        None => ChartReference::own(target, &app.namespace, &app.name, &request.names)?,
    };
    let published = fetch(target, &reference).await?;
    super::learn::learn(sources, (&app).into()).await?;
    let (images, _) = resolve_images(&app, sources, &request.platforms).await?;
    let repository = target.address(&reference.repository);
    compare(&app, &snapshot.objects, &images, &published, &repository)
}

fn compare(
    app: &App,
    live: &[Object],
    images: &[ResolvedImage],
    published: &PublishedChart,
    repository: &str,
) -> Result<Diff, Error> {
    let chart = &published.chart;
    let is_original = original::is_original(chart);
    let own = Release { name: &app.name, namespace: &app.namespace };
    let release = if is_original { own } else { RELEASE };
    // Hooks and definitions of a release's chart are no part of the release.
    let is_part = |it: &Manifest| {
        let beside = it.object.annotation("helm.sh/hook").is_some() || it.path.starts_with("crds/");
        !(is_original && beside)
    };
    let rendered = rendered(chart, release)?.into_iter().filter(is_part);
    let rendered: Vec<Object> = rendered.map(|manifest| manifest.object).collect();
    let plaintext = app.findings.iter().filter(|it| it.code == Code::PlaintextSecret).cloned();
    let credentials = Credentials([plaintext.collect(), scan(&rendered)]);
    let mut before: HashMap<ObjectId, Object> =
        rendered.into_iter().map(|object| (id_within(app, &object), object)).collect();
    let secret_values = SecretValues::default();
    let input = input(app, images, published, &secret_values);
    let comparison = check::Comparison::new(&input, release);
    let (mut added, mut changed) = (Vec::new(), Vec::new());
    for object in app.objects.iter().chain(&app.definitions) {
        let id = object.id();
        let Some(was) = before.remove(&id) else {
            added.push(id);
            continue;
        };
        let mut found = comparison.differences(object, &was);
        if is_original {
            let live = live.iter().find(|live| id_within(app, live) == id).unwrap_or(object);
            found.retain(|change| {
                let Change { before, after, .. } = *change;
                let since = Change { before: after, after: before, ..change.clone() };
                original::is_changed(&since, object, live, &input.images)
            });
        }
        let fields: Vec<ChangedField> =
            found.iter().map(|change| field(&id, change, &input, &credentials)).collect();
        if !fields.is_empty() {
            changed.push(ChangedObject { object: id, fields });
        }
    }
    let is_known =
        |id: &ObjectId| id.kind == "Secret" && app.secrets.iter().any(|s| s.name == id.name);
    let mut removed: Vec<ObjectId> = before.into_keys().filter(|id| !is_known(id)).collect();
    removed.sort();
    Ok(Diff {
        app: format!("{}/{}", app.namespace, app.name),
        chart: format!("{repository}:{}", chart.version),
        digest: published.digest.clone(),
        added,
        removed,
        changed,
    })
}

/// The object as the application names it: without the application's own namespace.
fn id_within(app: &App, object: &Object) -> ObjectId {
    let mut id = object.id();
    id.namespace = id.namespace.filter(|namespace| *namespace != app.namespace);
    id
}

/// The application as if its chart were made now, with its images where the published chart has
/// them: so that only another digest makes an image another.
fn input<'a>(
    app: &'a App,
    images: &[ResolvedImage],
    published: &PublishedChart,
    secret_values: &'a SecretValues,
) -> Input<'a> {
    let known = chart::images(&published.chart).unwrap_or_default();
    let images = images.iter().map(|image| {
        let place = known.iter().find(|known| known.key == image.key);
        let (registry, repository) = match place {
            Some(place) => (place.registry.clone(), place.repository.clone()),
            None => (image.source.host.to_string(), image.source.repository.to_string()),
        };
        chart::Image {
            key: image.key.clone(),
            registry,
            repository,
            tag: String::new(),
            digest: image.digest.to_string(),
            source: image.written.clone(),
            platforms: Vec::new(),
            uses: image.uses.clone(),
            kept: image.kept,
        }
    });
    Input {
        app,
        name: published.chart.name.clone(),
        version: published.chart.version.clone(),
        images: images.collect(),
        secrets: SecretsPolicy::Reference,
        secret_values,
        sealed: None,
        templates: chart::Templates::default(),
        annotations: std::collections::BTreeMap::new(),
        created: String::new(),
    }
}

/// A change of the check, which looks from the application at the chart, seen from the chart.
fn field(
    object: &ObjectId,
    change: &Change<'_>,
    input: &Input<'_>,
    credentials: &Credentials,
) -> ChangedField {
    let hidden = object.kind == "Secret" || credentials.touch(object, change);
    let shown = |value: Option<&Value>| if hidden { None } else { value.cloned() };
    let mut after = shown(change.before);
    let image = input.images.iter().find(|image| {
        let mut places = image.uses.iter().filter(|place| place.object == *object);
        places.any(|place| change.pointer == format!("{}/image", place.pointer))
    });
    if let (Some(image), false) = (image, hidden) {
        // What is written may be a tag; what runs is this.
        let written = image.source.split('@').next().unwrap_or_default();
        after = Some(format!("{written}@{}", image.digest).into());
    }
    ChangedField { field: change.field.clone(), before: shown(change.after), after, hidden }
}

impl Credentials {
    /// Those in the objects of both sides.
    pub(super) fn of(sides: [&[Object]; 2]) -> Self {
        Self(sides.map(scan))
    }

    /// Whether a change from the first to the second is of a credential, or of something that one is
    /// in.
    pub(super) fn touch(&self, object: &ObjectId, change: &Change<'_>) -> bool {
        let sides = self.0.iter().zip(&change.places);
        let mut all = sides.flat_map(|(found, place)| found.iter().map(move |of| (of, place)));
        all.any(|(credential, place)| {
            let field = credential.field.as_deref().unwrap_or_default();
            credential.object.as_ref() == Some(object)
                && (is_within(field, place) || is_within(place, field))
        })
    }
}

fn is_within(inner: &str, outer: &str) -> bool {
    let rest = inner.strip_prefix(outer);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

impl ChangedField {
    /// A change with its values, unless they are to be hidden.
    pub(super) fn of(change: &Change<'_>, hidden: bool) -> Self {
        let shown = |value: Option<&Value>| value.filter(|_| !hidden).cloned();
        let (before, after) = (shown(change.before), shown(change.after));
        Self { field: change.field.clone(), before, after, hidden }
    }
}

impl Diff {
    /// How many objects differ, came or went.
    pub fn count(&self) -> usize {
        self.added.len() + self.removed.len() + self.changed.len()
    }
}
