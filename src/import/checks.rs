//! What the target has and would say, object by object.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};

use super::plan::{Check, Request, State, What};
use super::rendered::Rendered;
use super::{Error, pods, rights};
use crate::app::helm::{RELEASE_NAME, RELEASE_NAMESPACE};
use crate::app::{Object, ObjectId};
use crate::cluster::target::{ApiKind, ApiKinds};
use crate::cluster::{self, Live};
use crate::export::PublishedChart;

/// Questions to the API server at once: its own fairness lets one client have more.
pub(super) const MAX_AT_ONCE: usize = 8;

/// Where objects are tried as long as their own namespace is not there: every cluster has it.
const STAND_IN: &str = "default";

/// The namespace of the release.
pub(super) struct Place {
    pub(super) check: Check,
    /// Whether it is there.
    pub(super) exists: bool,
}

/// Whether the namespace is there, or may be made.
pub(super) async fn namespace(request: &Request, live: &Live) -> Place {
    let name = &request.namespace;
    let (check, exists) = match live.namespace_exists(name).await {
        Ok(true) => (Check::ok(What::Namespace, name), true),
        Ok(false) if request.create_namespace => {
            let text = "it does not exist yet: what its Pod Security level, quotas, limits and \
                        webhooks will say is not known before it is made; objects were tried in \
                        namespace `default`";
            (Check::unknown(What::Namespace, name, text), false)
        }
        Ok(false) => {
            let remedy = "Make it, or add `--create-namespace`.";
            (Check::missing(What::Namespace, name, "the namespace does not exist", remedy), false)
        }
        // Who may not see namespaces may well use one; what follows tells.
        Err(error) => (Check::unknown(What::Namespace, name, error.to_string()), true),
    };
    Place { check, exists }
}

/// All checks of rendered objects against the cluster.
pub(super) async fn all(
    request: &Request,
    rendered: &Rendered,
    chart: &PublishedChart,
    kinds: &ApiKinds,
    live: &Live,
    place: &Place,
) -> Result<Vec<Check>, Error> {
    let mut checks = Vec::new();
    let mut served: Vec<(&Object, &ApiKind)> = Vec::new();
    let mut seen = BTreeSet::new();
    for object in &rendered.objects {
        let first = seen.insert((object.api_version(), object.kind()));
        match kinds.exactly(object.api_version(), object.kind()) {
            Some(kind) => {
                served.push((object, kind));
                if first {
                    checks.push(Check::ok(What::Api, subject(object)));
                }
            }
            None if first => checks.push(not_served(object, chart, kinds)),
            None => {}
        }
    }
    checks.extend(rights::all(request, &served, live).await?);
    checks.extend(needed(request, rendered, kinds, live, place).await);
    if place.exists {
        checks.extend(pods::all(request, &served, kinds, live).await);
    }
    let each = served.into_iter().map(|(object, kind)| tried(request, object, kind, live, place));
    let tried: Vec<_> = stream::iter(each).buffered(MAX_AT_ONCE).collect().await;
    checks.extend(tried.into_iter().flatten());
    Ok(checks)
}

fn subject(object: &Object) -> String {
    format!("{} {}", object.api_version(), object.kind())
}

/// A kind that the cluster does not serve in this version.
fn not_served(object: &Object, chart: &PublishedChart, kinds: &ApiKinds) -> Check {
    let (group, kind) = (object.group(), object.kind());
    if brings(chart, group, kind) {
        return Check::ok(What::Api, subject(object));
    }
    match kinds.any(group, kind) {
        Some(other) => Check::missing(
            What::Api,
            subject(object),
            format!("the cluster serves it as {} only", other.api_version()),
            "Upgrade what serves it in the cluster, or export from a cluster that has that version.",
        ),
        None => Check::missing(
            What::Api,
            subject(object),
            "the cluster does not serve the kind",
            "Install the operator, or the CustomResourceDefinitions, that it belongs to.",
        ),
    }
}

/// Whether a definition among the chart's own has the kind.
fn brings(chart: &PublishedChart, group: &str, kind: &str) -> bool {
    let definitions = chart.chart.files.iter().filter(|(path, _)| path.starts_with("crds/"));
    let mut texts = definitions.map(|(_, bytes)| String::from_utf8_lossy(bytes));
    texts.any(|text| {
        let has = |key: &str, value: &str| {
            let line = format!("{key}: {value}");
            text.lines().any(|found| found.trim() == line)
        };
        has("group", group) && has("kind", kind)
    })
}

/// Whether what the objects refer to is there. Nothing is in a namespace that is new.
async fn needed(
    request: &Request,
    rendered: &Rendered,
    kinds: &ApiKinds,
    live: &Live,
    place: &Place,
) -> Vec<Check> {
    let each = rendered.needs().into_iter().map(|(object, users)| async move {
        if is_made(request, &object) {
            return Check::ok(What::Needed, object.to_string());
        }
        let Some(kind) = kinds.any(&object.group, &object.kind) else {
            return absent(&object, &users, "the cluster does not even serve its kind");
        };
        if kind.namespaced && !place.exists {
            return absent(&object, &users, "it does not exist, as its namespace does not");
        }
        match live.metadata(kind, &request.namespace, &object.name).await {
            Ok(Some(_)) => Check::ok(What::Needed, object.to_string()),
            Ok(None) => absent(&object, &users, "it does not exist"),
            Err(error) => Check::unknown(What::Needed, object.to_string(), error.to_string()),
        }
    });
    stream::iter(each).buffered(MAX_AT_ONCE).collect().await
}

/// Whether the import itself makes the object.
fn is_made(request: &Request, object: &ObjectId) -> bool {
    let mut sealed = request.secrets.iter().flatten();
    object.group.is_empty()
        && object.kind == "Secret"
        && (request.pull_secret.as_ref() == Some(&object.name)
            || sealed.any(|secret| secret.name == object.name))
}

fn absent(object: &ObjectId, users: &[ObjectId], text: &str) -> Check {
    let users: Vec<String> = users.iter().map(ToString::to_string).collect();
    let remedy = match &*object.kind {
        "Secret" => "Create it first; the chart's `secrets.example.yaml` is a start.",
        "ConfigMap" | "PersistentVolumeClaim" => "Create it first.",
        _ => "Install it in the cluster, or choose another by a value of the chart.",
    };
    let text = format!("{text}; {} needs it", users.join(", "));
    Check::missing(What::Needed, object.to_string(), text, remedy)
}

/// Whether the object may be made, or is another's, and what the cluster says to it.
async fn tried(
    request: &Request,
    object: &Object,
    kind: &ApiKind,
    live: &Live,
    place: &Place,
) -> Vec<Check> {
    let title = ObjectId { namespace: None, ..object.id() }.to_string();
    // Values of Secrets are not here, so there is nothing to try.
    let is_secret = object.group().is_empty() && object.kind() == "Secret";
    if !place.exists && kind.namespaced {
        if is_secret || place.check.state == State::Missing {
            return Vec::new();
        }
        return vec![match live.try_create(kind, STAND_IN, object).await {
            // What that namespace forbids, its own may allow.
            Err(cluster::Error::Forbidden { reason, .. }) => {
                let text = format!("tried in namespace {STAND_IN}: {reason}");
                Check::unknown(What::Object, title, text)
            }
            answer => taken(title, answer),
        }];
    }
    let namespace = request.namespace.as_str();
    match live.metadata(kind, namespace, object.name()).await {
        Ok(None) if is_secret => Vec::new(),
        Ok(None) => vec![taken(title, live.try_create(kind, namespace, object).await)],
        Ok(Some(there)) => {
            let conflict = conflict(request, &title, &there);
            if conflict.state == State::Missing || is_secret {
                return vec![conflict];
            }
            vec![conflict, taken(title, live.try_apply(kind, namespace, object).await)]
        }
        Err(error) => vec![Check::unknown(What::Object, title, error.to_string())],
    }
}

/// Whether the object that is there may become the release's.
fn conflict(request: &Request, title: &str, there: &Object) -> Check {
    let owner = |key| there.annotation(key).unwrap_or_default();
    let (name, namespace) = (owner(RELEASE_NAME), owner(RELEASE_NAMESPACE));
    let ours = name == request.release && namespace == request.namespace;
    if ours || request.take_ownership {
        return Check::ok(What::Conflict, title);
    }
    let text = match name {
        "" => "it exists, and is not helm's".to_owned(),
        name => format!("it belongs to release {name} in namespace {namespace}"),
    };
    let remedy =
        "Add `--take-ownership` if this release shall have it, or choose another namespace.";
    Check::missing(What::Conflict, title, text, remedy)
}

fn taken(title: String, answer: Result<(), cluster::Error>) -> Check {
    match answer {
        Ok(()) => Check::ok(What::Object, title),
        // The rights are checked by themselves.
        Err(cluster::Error::Forbidden { reason, .. }) if reason.contains("cannot") => {
            Check::unknown(What::Object, title, reason)
        }
        // A binding is refused where its role is not there yet, which comes first.
        Err(cluster::Error::Api { status: 404, reason, .. }) => {
            Check::unknown(What::Object, title, reason)
        }
        Err(cluster::Error::Forbidden { reason, .. } | cluster::Error::Api { reason, .. }) => {
            Check::missing(What::Object, title, reason, "Change the chart's values accordingly.")
        }
        Err(error) => Check::unknown(What::Object, title, error.to_string()),
    }
}
