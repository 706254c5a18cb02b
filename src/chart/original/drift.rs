//! What was changed in the cluster behind the release's back: its chart does not bring that back.

use serde_json::Value;

use super::Original;
use super::proof::{id, is_checksum, is_pinned};
use crate::app::{App, Object, ObjectId};
use crate::chart::compare::{Change, changes};
use crate::chart::input::Image;

/// Groups of Kubernetes's own kinds end so, or have no dot. Others may have defaults that nobody
/// here knows.
const OWN_GROUPS: &str = ".k8s.io";

/// The label that names the chart and its version, at the end of a pointer.
const CHART_LABEL: &str = "/labels/helm.sh~1chart";

impl Original {
    /// Fields of the application's objects, by their names for people, that are not as the release
    /// has them. `live` are the objects as they were read.
    ///
    /// What the server or a controller added, or writes in a way of its own, is none.
    pub fn drift(&self, app: &App, live: &[Object]) -> Vec<(ObjectId, String)> {
        let mut found = Vec::new();
        for object in &app.objects {
            let is_it = |other: &&Object| id(&self.record, other) == object.id();
            let (Some(recorded), Some(live)) =
                (self.objects.iter().find(is_it), live.iter().find(is_it))
            else {
                continue;
            };
            let fields = changes(recorded.fields(), object.fields());
            let changed = fields.into_iter().filter(|it| is_changed(it, object, live, &[]));
            found.extend(changed.map(|change| (object.id(), change.field)));
        }
        found
    }
}

/// Whether someone changed the field, from a rebuilt chart's to what runs. `object` is without what
/// the server and controllers added, `live` is with it; `images` are where the chart has them.
pub fn is_changed(change: &Change<'_>, object: &Object, live: &Object, images: &[Image]) -> bool {
    match (change.before, change.after) {
        (Some(Value::String(before)), Some(Value::String(after)))
            if images.iter().any(|it| it.source == *after && is_pinned(before, it)) =>
        {
            false
        }
        // A rebuilt chart has a version of its own.
        (Some(_), Some(_)) if is_checksum(change) || change.pointer.ends_with(CHART_LABEL) => false,
        (Some(before), Some(after)) => !is_same(before, after),
        // Normalising took it out, or it is gone.
        (Some(before), None) => !is_empty(before) && live.at(&change.pointer).is_none(),
        // One is the default, which exports say.
        (None, Some(count)) if change.pointer == "/spec/replicas" => *count != 1,
        (None, Some(_)) => is_own_kind(object),
        (None, None) => false,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_empty),
        Value::Object(fields) => fields.values().all(is_empty),
    }
}

fn is_own_kind(object: &Object) -> bool {
    let group = object.group();
    !group.contains('.') || group.ends_with(OWN_GROUPS)
}

/// Whether the server makes one of the other: quantities have many ways to be written.
fn is_same(one: &Value, other: &Value) -> bool {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (one, other) = (text(one), text(other));
    one == other || matches!((quantity(&one), quantity(&other)), (Some(a), Some(b)) if a == b)
}

/// Thousandths of what a quantity says (Kubernetes, `apimachinery/pkg/api/resource/quantity.go`).
fn quantity(text: &str) -> Option<u128> {
    const UNITS: [(&str, u128); 13] = [
        ("Ki", 1000 << 10),
        ("Mi", 1000 << 20),
        ("Gi", 1000 << 30),
        ("Ti", 1000 << 40),
        ("Pi", 1000 << 50),
        ("m", 1),
        ("k", 1_000_000),
        ("M", 1_000_000_000),
        ("G", 1_000_000_000_000),
        ("T", 1_000_000_000_000_000),
        ("P", 1_000_000_000_000_000_000),
        ("E", 1_000_000_000_000_000_000_000),
        ("", 1000),
    ];
    let (digits, unit) =
        UNITS.iter().find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all: u128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = 10u128.checked_pow(fraction.len().try_into().ok()?)?;
    all.checked_mul(*unit).map(|all| all / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_compared_by_what_they_are_worth() {
        for (one, other) in [("1000m", "1"), ("0.5", "500m"), ("1Gi", "1024Mi"), ("1.5k", "1500")] {
            assert!(is_same(&one.into(), &other.into()), "{one} {other}");
        }
        assert!(is_same(&Value::from(1), &"1".into()));
        for (one, other) in [("1", "2"), ("1G", "1Gi"), ("web", "db"), ("100m", "100M")] {
            assert!(!is_same(&one.into(), &other.into()), "{one} {other}");
        }
    }
}
