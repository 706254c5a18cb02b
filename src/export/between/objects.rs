//! The objects of two versions, by what they are known by.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Version;
use crate::app::{Object, ObjectId};
use crate::chart::compare::{Change, changes_by_key};
use crate::export::diff::{ChangedField, ChangedObject, Credentials};

/// Labels by which charts say their own version (helm, "Labels and annotations").
const VERSION_LABELS: [&str; 2] = ["/labels/helm.sh~1chart", "/labels/chart"];

/// Objects that came, went and changed.
pub(super) fn compare(
    old: &Version<'_>,
    new: &Version<'_>,
    credentials: &Credentials,
) -> (Vec<ObjectId>, Vec<ObjectId>, Vec<ChangedObject>) {
    let by_id = |objects: &[Object]| -> BTreeMap<ObjectId, usize> {
        objects.iter().zip(0..).map(|(object, place)| (object.id(), place)).collect()
    };
    let (before, after) = (by_id(&old.rendered), by_id(&new.rendered));
    let only = |these: &BTreeMap<ObjectId, usize>, those: &BTreeMap<ObjectId, usize>| {
        these.keys().filter(|id| !those.contains_key(id)).cloned().collect()
    };
    let versions = [old, new].map(|version| version.published.chart.version.to_string());
    let both = before.iter().filter_map(|(id, was)| Some((id, *was, *after.get(id)?)));
    let changed = both.filter_map(|(id, was, is)| {
        let [was, is] = [&old.rendered[was], &new.rendered[is]];
        let mut found = changes_by_key(was.fields(), is.fields());
        found.retain(|change| !is_version_label(change, &versions));
        let field = |change: &Change<'_>| {
            let hidden = id.kind == "Secret" || credentials.touch(id, change);
            ChangedField::of(change, hidden)
        };
        let fields: Vec<ChangedField> = found.iter().map(field).collect();
        (!fields.is_empty()).then(|| ChangedObject { object: id.clone(), fields })
    });
    (only(&after, &before), only(&before, &after), changed.collect())
}

/// Whether a change is that of the chart's own version in a label.
fn is_version_label(change: &Change<'_>, [old, new]: &[String; 2]) -> bool {
    let label = |version: &str| version.replace('+', "_");
    let texts = change.before.and_then(Value::as_str).zip(change.after.and_then(Value::as_str));
    VERSION_LABELS.iter().any(|place| change.pointer.ends_with(place))
        && texts.is_some_and(|(before, after)| before.replace(&label(old), &label(new)) == after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_label_that_follows_the_version_is_no_change_and_any_other_is() {
        let versions = ["1.0.0", "1.1.0+b"].map(str::to_owned);
        let object = |label: &str, text: &str| json!({"metadata": {"labels": {label: text}}});
        let found = |label: &str, texts: [&str; 2]| {
            let [before, after] = texts.map(|text| object(label, text));
            let [before, after] = [&before, &after].map(|of| of.as_object().unwrap());
            let found = changes_by_key(before, after);
            found.iter().any(|change| !is_version_label(change, &versions))
        };
        assert!(!found("helm.sh/chart", ["web-1.0.0", "web-1.1.0_b"]));
        assert!(found("helm.sh/chart", ["web-1.0.0", "api-1.1.0_b"]));
        assert!(found("app.kubernetes.io/version", ["1.0.0", "1.1.0+b"]));
    }
}
