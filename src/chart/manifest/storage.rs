//! Volume claims, those of StatefulSets included: class and size.

use super::generic::title;
use super::{Builder, Draft};
use crate::chart::expr::{self, is_set};
use crate::chart::keys::{Section, claim_templates as names};
use crate::chart::values::{self, Setting};
use crate::chart::yaml::{Node, Row};

/// Helm leaves objects with this annotation where they are when a release goes (and their data).
const POLICY: &str = "helm.sh/resource-policy";

/// What the size of a claim template is.
const OF_TEMPLATE: &str = "Size of each pod's volume. Set it before the install: a StatefulSet's \
                           claim templates cannot be changed, not even to grow.";

/// A claim of its own. It outlives the release.
pub(super) fn claim(builder: &mut Builder<'_>, draft: &mut Draft<'_>) {
    let key = builder.keys.key(Section::Storage, draft.object);
    draft.variable("storage", &expr::entry("storage", &key));
    if draft.object.annotation(POLICY).is_none()
        && let Some(metadata) = draft.body.get_mut("metadata")
    {
        match metadata.get_mut("annotations") {
            Some(annotations) => annotations.set(POLICY, Node::str("keep")),
            None => {
                let annotations = Node::map([(POLICY, Node::str("keep"))]);
                metadata.put_after("annotations", "labels", Row::field("annotations", annotations));
            }
        }
    }
    if let Some(settings) =
        draft.body.get_mut("spec").map(|spec| parameterise(spec, "Size of the volume."))
    {
        let entry = Setting::group(format!("{}.", title(draft.object)), settings);
        builder.values.entry(Section::Storage.name(), key, entry);
    }
}

/// The claims that a StatefulSet makes for its pods.
pub(super) fn claim_templates(builder: &mut Builder<'_>, draft: &mut Draft<'_>) {
    let (object, mut live) = (draft.object, names(draft.object));
    let Some(Node::List(rows)) = draft.body.at_mut(&["spec", "volumeClaimTemplates"]) else {
        return;
    };
    let mut parameterised = Vec::new();
    for mut row in std::mem::take(rows) {
        if let (Row::One(claim), Some(name)) = (&mut row, live.next())
            && let Some(spec) = claim.get_mut("spec")
        {
            let key = builder.keys.claim(object, name);
            let entry = expr::entry("storage", &key);
            parameterised.push(Row::Action(format!("$storage := {entry}")));
            let comment = format!("Claim {name} of each pod of {}.", title(object));
            let entry = Setting::group(comment, parameterise(spec, OF_TEMPLATE));
            builder.values.entry(Section::Storage.name(), key, entry);
        }
        parameterised.push(row);
    }
    *rows = parameterised;
}

/// Class and size of the spec of a claim.
fn parameterise(spec: &mut Node, comment: &str) -> Vec<(&'static str, Setting)> {
    let mut settings = vec![("storageClassName", class(spec))];
    if let Some(size) = spec.at_mut(&["resources", "requests", "storage"])
        && let Some(live) = size.as_str().map(str::to_owned)
    {
        *size = Node::expr("$storage.size | quote");
        settings.push(("size", Setting::value(comment, live, values::quantity()).needed()));
    }
    settings
}

fn class(spec: &mut Node) -> Setting {
    let value = "$storage.storageClassName";
    let live = spec.get_mut("storageClassName").and_then(|class| class.as_str().map(str::to_owned));
    let class = Row::field("storageClassName", Node::Expr(format!("{value} | quote")));
    spec.put("storageClassName", Row::when(is_set(value), class));
    let comment = "Storage class; null for the cluster's default.";
    Setting::value(comment, live, values::storage_class())
}
