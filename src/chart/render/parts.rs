//! A chart and the charts in it: which of them are wanted, under which names, and with which values
//! (helm, `pkg/chart/v2/util/dependencies.go` and `pkg/chart/common/util/coalesce.go`).

use std::collections::BTreeMap;

use semver::Version;
use serde_json::{Map, Value};

use super::functions::satisfies;
use super::{RenderError, coalesce, read, values};
use crate::chart::Chart;

/// Charts within each other.
const MAX_DEPTH: usize = 10;

/// Files by path, as they are in a chart's own folder.
type Files<'a> = BTreeMap<&'a str, &'a [u8]>;

/// A chart, or one in it.
#[derive(Clone)]
pub(super) struct Part<'a> {
    /// Its name, or the one that its parent gives it.
    pub(super) name: String,
    /// `Chart.yaml`.
    pub(super) metadata: Map<String, Value>,
    pub(super) files: Files<'a>,
    /// Its own values.
    pub(super) values: Value,
    pub(super) parts: Vec<Self>,
}

/// A chart with those of its charts that these values ask for, and all values in their places.
pub(super) fn load<'a>(chart: &'a Chart, overrides: &Value) -> Result<Part<'a>, RenderError> {
    let files = chart.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
    let metadata = serde_json::from_slice(&chart.config).map_err(|error| RenderError::File {
        path: "Chart.yaml".to_owned(),
        reason: error.to_string(),
    })?;
    let mut part = Part::new(&chart.name, metadata, files.collect(), MAX_DEPTH)?;
    if part.parts.is_empty() {
        coalesce(&mut part.values, overrides);
        return Ok(part);
    }
    part.name_dependencies();
    let wished = part.coalesced(overrides);
    part.drop_unwanted(&wished, "");
    part.import();
    part.values = part.coalesced(overrides);
    Ok(part)
}

impl<'a> Part<'a> {
    fn new(
        name: &str,
        metadata: Map<String, Value>,
        files: Files<'a>,
        left: usize,
    ) -> Result<Self, RenderError> {
        let broken = |path: &str, reason: &str| RenderError::File {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        let mut inner: BTreeMap<&str, Files<'a>> = BTreeMap::new();
        for (path, bytes) in &files {
            let Some(path) = path.strip_prefix("charts/") else { continue };
            match path.split_once('/') {
                Some((folder, _)) if folder.starts_with(['_', '.']) => {}
                Some((folder, path)) => _ = inner.entry(folder).or_default().insert(path, bytes),
                None if path.ends_with(".tgz") => {
                    return Err(broken(path, "packed charts in charts are not read here"));
                }
                None => {}
            }
        }
        let mut parts = Vec::new();
        for (folder, files) in inner {
            let path = format!("charts/{folder}/Chart.yaml");
            let left = left.checked_sub(1).ok_or_else(|| broken(&path, "it is too deep"))?;
            let metadata = files.get("Chart.yaml").ok_or_else(|| broken(&path, "it is missing"))?;
            let Value::Object(metadata) = read::value(&path, read::text(&path, metadata)?)? else {
                return Err(broken(&path, "it is no mapping"));
            };
            let name = text(&metadata, "name").to_owned();
            parts.push(Self::new(&name, metadata, files, left)?);
        }
        let values = values::of(files.get("values.yaml").copied())?;
        Ok(Self { name: name.to_owned(), metadata, files, values, parts })
    }

    fn dependencies(&self) -> &[Value] {
        self.metadata.get("dependencies").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Gives the charts in it the names that it calls them by. One may be there under several.
    fn name_dependencies(&mut self) {
        let wanted: Vec<(String, String, String)> = self
            .dependencies()
            .iter()
            .map(|of| {
                let text = |key: &str| of[key].as_str().unwrap_or_default().to_owned();
                (text("name"), text("version"), text("alias"))
            })
            .collect();
        let is_wanted = |part: &Self, (name, version, _): &(String, String, String)| {
            part.name == *name && part.is_version(version)
        };
        let mut named: Vec<Self> = Vec::new();
        named.extend(
            self.parts.iter().filter(|part| !wanted.iter().any(|it| is_wanted(part, it))).cloned(),
        );
        for dependency in &wanted {
            let Some(part) = self.parts.iter().find(|part| is_wanted(part, dependency)) else {
                continue;
            };
            let mut part = part.clone();
            if !dependency.2.is_empty() {
                part.name.clone_from(&dependency.2);
                part.metadata.insert("name".to_owned(), dependency.2.as_str().into());
            }
            named.push(part);
        }
        named.iter_mut().for_each(Self::name_dependencies);
        self.parts = named;
    }

    fn is_version(&self, constraint: &str) -> bool {
        let version = text(&self.metadata, "version").parse::<Version>();
        version.is_ok_and(|version| satisfies(constraint, &version) == Some(true))
    }

    /// The values of the chart under `over`, and under each chart's name in it that chart's.
    fn coalesced(&self, over: &Value) -> Value {
        let mut values = self.values.clone();
        coalesce(&mut values, over);
        for part in &self.parts {
            let globals = values.get("global").cloned();
            let Some(values) = values.as_object_mut() else { break };
            let mut own = match values.get(&part.name) {
                Some(own @ Value::Object(_)) => own.clone(),
                _ => Value::Object(Map::new()),
            };
            if let Some(globals) = globals.filter(Value::is_object) {
                let mut own_globals = part.values.get("global").cloned();
                let own_globals = own_globals.get_or_insert_with(|| Value::Object(Map::new()));
                coalesce(own_globals, own.get("global").unwrap_or(&Value::Null));
                coalesce(own_globals, &globals);
                own["global"] = own_globals.take();
            }
            values.insert(part.name.clone(), part.coalesced(&own));
        }
        values
    }

    /// Takes out the charts that tags and conditions in `values` say no to.
    fn drop_unwanted(&mut self, values: &Value, path: &str) {
        let dependencies = self.dependencies().to_vec();
        let is_unwanted = |part: &Self| {
            let called = |of: &&Value| {
                let name = of["alias"].as_str().filter(|alias| !alias.is_empty());
                name.or(of["name"].as_str()) == Some(&part.name)
            };
            dependencies.iter().find(called).is_some_and(|of| !is_enabled(of, values, path))
        };
        self.parts.retain(|part| !is_unwanted(part));
        for part in &mut self.parts {
            let path = format!("{path}{}.", part.name);
            part.drop_unwanted(values, &path);
        }
    }

    /// Puts values of the charts in it under its own, where `import-values` says so.
    fn import(&mut self) {
        self.parts.iter_mut().for_each(Self::import);
        let values = self.coalesced(&Value::Null);
        let mut imported = Value::Object(Map::new());
        for dependency in self.dependencies() {
            let name = dependency["alias"].as_str().filter(|alias| !alias.is_empty());
            let name = name.or(dependency["name"].as_str()).unwrap_or_default();
            for import in dependency["import-values"].as_array().into_iter().flatten() {
                let (child, parent) = match import {
                    Value::String(name) => (format!("exports.{name}"), ""),
                    import => (
                        import["child"].as_str().unwrap_or_default().to_owned(),
                        import["parent"].as_str().unwrap_or_default(),
                    ),
                };
                let Some(found) = at(&values[name], &child).filter(|it| it.is_object()) else {
                    continue;
                };
                let mut under = placed(parent, found.clone());
                coalesce(&mut under, &imported);
                imported = under;
            }
        }
        coalesce(&mut imported, &self.values);
        self.values = imported;
    }
}

fn text<'m>(metadata: &'m Map<String, Value>, key: &str) -> &'m str {
    metadata.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The value at a path with dots.
fn at<'v>(values: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(values, |value, key| value.get(key))
}

/// A mapping with a value at a path with dots; `.` and nothing are the mapping itself.
fn placed(path: &str, value: Value) -> Value {
    let keys = path.split('.').filter(|key| !key.is_empty()).rev();
    keys.fold(value, |value, key| Value::Object(Map::from_iter([(key.to_owned(), value)])))
}

fn is_enabled(dependency: &Value, values: &Value, path: &str) -> bool {
    let conditions = dependency["condition"].as_str().unwrap_or_default().split(',');
    let mut decided = conditions
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .filter_map(|condition| at(values, &format!("{path}{condition}")).and_then(Value::as_bool));
    let tags = dependency["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let tags: Vec<bool> = tags.filter_map(|tag| values["tags"][tag].as_bool()).collect();
    decided.next().unwrap_or_else(|| tags.is_empty() || tags.contains(&true))
}
