//! Pods and pod templates.

use serde_json::{Map, Value};

use super::admission;
use super::claims::Claims;
use crate::app::images::reference;
use crate::app::kinds;
use crate::app::path::{self, Path, Step};
use crate::app::{Code, Finding, Object, ObjectId};

pub(super) fn normalise(
    object: &mut Object,
    template: &str,
    claims: &Claims,
    findings: &mut Vec<Finding>,
) {
    let spec = kinds::below(template, "spec");
    let fields = object.fields_mut();
    account_twin(fields, &spec);
    path::remove(fields, &format!("{spec}.ephemeralContainers"));
    pull_policies(fields, &spec, claims);
    if template.is_empty() && claims.live() {
        admission::undo(object, claims, findings);
    }
}

/// `serviceAccount` is the old name of `serviceAccountName`; servers write both.
fn account_twin(fields: &mut Map<String, Value>, spec: &str) {
    let found = path::find(fields, spec).into_iter().next().map(|(path, _)| path);
    let Some(Value::Object(spec)) = found.and_then(|path| path.get_mut(fields)) else { return };
    if let Some(old) = spec.shift_remove("serviceAccount") {
        // The default account may just have been removed as one.
        if old != "default" {
            spec.entry("serviceAccountName").or_insert(old);
        }
    }
}

/// `IfNotPresent` is the default of pinned images, which all images of a chart are. `Always` for
/// an image without a tag stays, as it would not come back with a digest.
fn pull_policies(fields: &mut Map<String, Value>, spec: &str, claims: &Claims) {
    if !claims.live() {
        return;
    }
    for (policy, image) in [
        ("containers|initContainers[].imagePullPolicy", "image"),
        ("volumes[].image.pullPolicy", "reference"),
    ] {
        path::remove_if(fields, &format!("{spec}.{policy}"), |root, path, policy| {
            let image = beside(root, path, image);
            let pinned = image.is_some_and(|image| !reference::is_latest(image));
            policy == "IfNotPresent" && pinned && !claims.wrote(root, path)
        });
    }
}

/// The text field next to the one at `path`.
fn beside<'a>(root: &'a Map<String, Value>, path: &Path, field: &str) -> Option<&'a str> {
    let (_, above) = path.0.split_last()?;
    let (Step::Key(first), rest) = above.split_first()? else { return None };
    let above = rest.iter().try_fold(root.get(first)?, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Item(index) => value.get(index),
    })?;
    above.get(field)?.as_str()
}

/// The pull secrets of pods and service accounts. They belong to the old registry, and are dropped
/// unless images stay there.
pub(super) fn pull_secrets(object: &mut Object, keep: bool) -> Vec<String> {
    let at = match kinds::pod_template(object) {
        Some(template) => kinds::below(template, "spec.imagePullSecrets"),
        None if kinds::is(object, kinds::SERVICE_ACCOUNT) => "imagePullSecrets".to_owned(),
        None => return Vec::new(),
    };
    let found = path::find(object.fields(), &format!("{at}[].name"));
    let names = found.into_iter().filter_map(|(_, name)| name.as_str().map(str::to_owned));
    let names = names.collect();
    if !keep {
        path::remove(object.fields_mut(), &at);
    }
    names
}

/// The finding about it.
pub(in crate::app) fn pull_secrets_dropped(id: &ObjectId, names: &[String]) -> Finding {
    let text = format!("{id} pulled images with {}; it is dropped", names.join(", "));
    Finding::new(Code::PullSecretDropped, text)
        .remedy("Give pull secrets for the new registry in `imagePullSecrets`.")
}
