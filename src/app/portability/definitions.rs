//! Definitions of custom resources: their names, and the versions that they serve.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::Portability;
use crate::app::kinds::{self, Kind};
use crate::app::view::View;
use crate::app::{Code, Finding, Object, ObjectId};

const DEFINITION: Kind = ("apiextensions.k8s.io", "CustomResourceDefinition");

/// Those that were read, by group and kind of what they define.
pub(super) struct Definitions<'a>(HashMap<(&'a str, &'a str), &'a Object>);

impl<'a> Definitions<'a> {
    pub(super) fn new(view: &View<'a>) -> Self {
        let all = view.of_kind(DEFINITION).filter_map(|(_, entry)| {
            let of: &'a Object = entry.object;
            Some(((of.text("/spec/group")?, of.text("/spec/names/kind")?), of))
        });
        Self(all.collect())
    }

    /// The definition of a custom resource, by its real name if it was read. Else nobody knows the
    /// plural of which the name is made, and what stands for the name says so.
    pub(super) fn of(&self, object: &Object) -> Option<ObjectId> {
        if kinds::is_builtin(object) {
            return None;
        }
        let read = self.0.get(&(object.group(), object.kind()));
        let name = read.map_or_else(
            || format!("for {} ({})", object.kind(), object.group()),
            |definition| definition.name().to_owned(),
        );
        let (group, kind) = DEFINITION;
        Some(ObjectId { group: group.to_owned(), kind: kind.to_owned(), namespace: None, name })
    }

    /// ` in version v1` for a definition; nothing for other kinds.
    pub(super) fn as_version(&self, needed: &ObjectId, users: &[&Object]) -> String {
        if needed.kind != DEFINITION.1 {
            return String::new();
        }
        let used: BTreeSet<&str> = users.iter().map(|user| version(user)).collect();
        let used = used.into_iter().collect::<Vec<_>>().join(", ");
        let read = users.first().and_then(|user| self.0.get(&(user.group(), user.kind())));
        let stored = read.and_then(|of| versions(of).find(|of| is(of, "storage")).and_then(name));
        match stored {
            Some(stored) if stored != used => format!(" in version {used} (stored as {stored})"),
            _ => format!(" in version {used}"),
        }
    }

    /// Whether the definition goes on serving the version of the object.
    pub(super) fn versions(&self, object: &Object, found: &mut Portability) {
        let Some(definition) = self.0.get(&(object.group(), object.kind())) else { return };
        let version = version(object);
        let code = match versions(definition).find(|of| name(of) == Some(version)) {
            Some(of) if is(of, "deprecated") => Code::ApiDeprecated,
            Some(of) if is(of, "served") => return,
            _ => Code::ApiRemoved,
        };
        let (id, definition) = (object.id(), definition.name());
        let what = match code {
            Code::ApiDeprecated => "calls deprecated",
            _ => "does not serve",
        };
        let text = format!(
            "{id} is {}, which CustomResourceDefinition {definition} {what}",
            object.api_version()
        );
        let remedy = "Write it in a version that is served at the source.";
        found.findings.push(Finding::new(code, text).on(id).field("apiVersion").remedy(remedy));
    }
}

fn version(object: &Object) -> &str {
    object.api_version().rsplit('/').next().unwrap_or_default()
}

fn versions(definition: &Object) -> impl Iterator<Item = &Value> {
    definition.at("/spec/versions").and_then(Value::as_array).into_iter().flatten()
}

fn name(version: &Value) -> Option<&str> {
    version.get("name")?.as_str()
}

fn is(version: &Value, field: &str) -> bool {
    version.get(field) == Some(&Value::Bool(true))
}
