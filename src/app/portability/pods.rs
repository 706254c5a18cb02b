//! Walking through pods, wherever they stand in an object.

use serde_json::{Map, Value};

use crate::app::path::{self, Path};
use crate::app::{Object, kinds};

/// The containers of a pod, init containers included.
pub(super) const CONTAINERS: &str = "containers|initContainers[]";

/// The pod of an object that runs pods.
#[derive(Clone, Copy)]
pub(super) struct Pod<'a> {
    pub(super) object: &'a Object,
    /// Where its template is.
    at: &'static str,
}

impl<'a> Pod<'a> {
    pub(super) fn of(object: &'a Object) -> Option<Self> {
        kinds::pod_template(object).map(|at| Self { object, at })
    }

    /// Every field below the pod's `spec` that matches the pattern, with its place in the object.
    pub(super) fn find(&self, pattern: &str) -> Vec<(Path, &'a Value)> {
        path::find(self.object.fields(), &kinds::below(self.at, &format!("spec.{pattern}")))
    }

    /// The first of them.
    pub(super) fn first(&self, pattern: &str) -> Option<(Path, &'a Value)> {
        self.find(pattern).into_iter().next()
    }

    /// Where something in its metadata is, and what it is.
    pub(super) fn metadata(&self, field: &str) -> Option<(Path, &'a Map<String, Value>)> {
        let at = kinds::below(self.at, &format!("metadata.{field}"));
        let (path, value) = path::find(self.object.fields(), &at).into_iter().next()?;
        Some((path, value.as_object()?))
    }
}

/// The text items of a list.
pub(super) fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
