//! What the API server fills in, as data (kubernetes, `pkg/apis/*/v1/defaults.go`). A field goes if
//! it equals its default and no person wrote it.
//!
//! The rows are those of every version that Kubernetes 1.27 and later serves, up to 1.35. Where the
//! versions of a kind differ, so do the paths: one list of rows holds all of them.

mod objects;
mod pod;

use std::borrow::Cow;

use serde_json::Value;

use super::claims::Claims;
use crate::app::Object;
use crate::app::kinds;
use crate::app::path;
use objects::OBJECTS;
use pod::{BARE_POD, POD};

/// A field, and its default as JSON. Whole mappings stand before their parts, so that a strategy
/// nobody touched goes as one, and of a half-written one only what the server added.
type Row = (&'static str, &'static str);

/// Removes the defaults of an object.
pub(super) fn remove(object: &mut Object, claims: &Claims) {
    if claims.live() {
        rows(object).iter().for_each(|(at, default)| remove_one(object, claims, at, default));
    }
}

/// The rows that are about an object, with whole paths.
pub(super) fn rows(object: &Object) -> Vec<(Cow<'static, str>, &'static str)> {
    let mut rows: Vec<(Cow<'static, str>, &'static str)> = Vec::new();
    if let Some(template) = kinds::pod_template(object) {
        let spec = kinds::below(template, "spec");
        let bare: &[Row] = if template.is_empty() { BARE_POD } else { &[] };
        let of_pod = POD.iter().chain(bare);
        rows.extend(of_pod.map(|(at, default)| (format!("{spec}.{at}").into(), *default)));
    }
    let own = OBJECTS.iter().filter(|(kind, _)| kinds::is(object, *kind));
    rows.extend(own.flat_map(|(_, rows)| *rows).map(|(at, default)| ((*at).into(), *default)));
    rows
}

/// Every kind that there are rows for.
#[cfg(test)]
pub(super) fn kinds() -> std::collections::BTreeSet<kinds::Kind> {
    let workloads = kinds::WORKLOADS.iter().map(|(kind, _)| *kind);
    OBJECTS.iter().map(|(kind, _)| *kind).chain(workloads).collect()
}

fn remove_one(object: &mut Object, claims: &Claims, at: &str, default: &str) {
    path::remove_if(object.fields_mut(), at, |root, path, value| {
        equals(value, default) && !claims.wrote(root, path)
    });
}

/// Whether a value is the default, without parsing where the kinds of value differ already.
fn equals(value: &Value, default: &str) -> bool {
    match value {
        Value::String(text) => {
            default.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) == Some(text)
        }
        Value::Bool(flag) => default == if *flag { "true" } else { "false" },
        value => serde_json::from_str::<Value>(default).is_ok_and(|default| default == *value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_json_and_no_text_needs_escapes() {
        let rows = OBJECTS.iter().flat_map(|(_, rows)| rows.iter());
        for (at, default) in POD.iter().chain(BARE_POD).chain(rows) {
            let parsed: Value =
                serde_json::from_str(default).unwrap_or_else(|e| panic!("{at}: {e}"));
            assert!(equals(&parsed, default), "{at}");
        }
    }
}
