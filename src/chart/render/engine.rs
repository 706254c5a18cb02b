//! The templates of a chart, ready to run.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use super::capabilities::capabilities;
use super::exec::{self, Machine, Trees};
use super::files::Files;
use super::parts::{self, Part};
use super::value::{Fields, Go};
use super::{Manifest, Release, RenderError, read};
use crate::chart::Chart;
use crate::chart::expr::NO_VALUE;

/// The notes of a chart.
pub(super) const NOTES: &str = "templates/NOTES.txt";

/// A chart that can be rendered.
pub(super) struct Engine {
    /// The chart's name, which all names of templates start with.
    name: String,
    machine: Machine,
    /// Template files in helm's order, each with what it sees as `.`: templates of one chart see
    /// the same, and what one sets the next ones see.
    templates: Vec<(String, Go)>,
    /// Files of `crds`, by path.
    definitions: BTreeMap<String, Vec<u8>>,
}

impl Engine {
    pub(super) fn new(
        chart: &Chart,
        release: Release<'_>,
        overrides: &Value,
    ) -> Result<Self, RenderError> {
        let mut part = parts::load(chart, overrides)?;
        let values = Go::from(&std::mem::take(&mut part.values));
        let mut loading = Loading {
            release: self::release(release),
            capabilities: capabilities(),
            files: BTreeMap::new(),
            definitions: BTreeMap::new(),
        };
        loading.add(&part, "", values);
        // The last definition of a name counts: helm reads the deepest files first, and of those
        // of one depth the last one.
        let mut files: Vec<_> = loading.files.into_iter().collect();
        files.sort_by_key(|(path, _)| Reverse((path.matches('/').count(), path.clone())));
        let mut trees = Trees::new();
        for (path, file) in &files {
            let text = read::text(path, file.bytes)?;
            let name = format!("{}/{path}", chart.name);
            exec::add(&mut trees, &name, text).map_err(|reason| failed(path, reason))?;
        }
        let templates = files.into_iter().map(|(path, file)| (path, file.data)).collect();
        let (name, machine) = (chart.name.clone(), Machine::new(trees));
        Ok(Self { name, machine, templates, definitions: loading.definitions })
    }

    /// Files of `crds`, which nobody renders.
    pub(super) fn definitions(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.definitions
    }

    /// The objects that the templates print, in the order of their paths.
    pub(super) fn manifests(&self) -> Result<Vec<Manifest>, RenderError> {
        let printing = self.templates.iter().filter(|(path, _)| {
            let name = path.rsplit('/').next().unwrap_or_default();
            !name.starts_with('_') && !path.ends_with("NOTES.txt")
        });
        let printed = printing.map(|(path, data)| {
            let objects = read::objects(path, &self.print(path, data)?)?;
            Ok((path.as_str(), objects))
        });
        let printed: BTreeMap<&str, Vec<Manifest>> = printed.collect::<Result<_, RenderError>>()?;
        Ok(printed.into_values().flatten().collect())
    }

    /// What the notes print.
    pub(super) fn notes(&self) -> Result<String, RenderError> {
        let notes = self.templates.iter().find(|(path, _)| path == NOTES);
        notes.map_or_else(|| Ok(String::new()), |(path, data)| self.print(path, data))
    }

    fn print(&self, path: &str, data: &Go) -> Result<String, RenderError> {
        let name = format!("{}/{path}", self.name);
        if let Go::Map(data) = data {
            let own = [("Name", Go::text(&name)), ("BasePath", Go::text(base_path(&name)))];
            data.borrow_mut().insert("Template".into(), go_map(own));
        }
        match self.machine.text(&name, data) {
            Ok(text) if text.contains(NO_VALUE) => Ok(text.replace(NO_VALUE, "")),
            Ok(text) => Ok(text),
            Err(reason) => Err(failed(path, reason)),
        }
    }
}

/// The folder `templates` of the chart that has the template. Charts in it are in `charts/NAME`.
fn base_path(name: &str) -> &str {
    let mut start = name.find('/').map_or(0, |at| at + 1);
    while let Some(inner) = name[start..].strip_prefix("charts/") {
        start = name.len() - inner.split_once('/').map_or("", |(_, rest)| rest).len();
    }
    let end = name[start..].find('/').map_or(name.len(), |at| start + at);
    &name[..end]
}

fn failed(path: &str, reason: String) -> RenderError {
    RenderError::Template { path: path.to_owned(), reason }
}

/// A template file before all are known.
struct File<'a> {
    bytes: &'a [u8],
    data: Go,
}

/// The templates of a chart and of the charts in it, while they are collected.
struct Loading<'a> {
    release: Go,
    capabilities: Go,
    files: BTreeMap<String, File<'a>>,
    definitions: BTreeMap<String, Vec<u8>>,
}

impl<'a> Loading<'a> {
    /// Adds a chart that is in `folder`, and gives what its templates see.
    fn add(&mut self, part: &Part<'a>, folder: &str, values: Go) -> Go {
        let mut subcharts = Fields::new();
        for inner in &part.parts {
            let own = match &values {
                Go::Map(fields) => fields.borrow().get(&*inner.name).cloned(),
                _ => None,
            };
            let folder = format!("{folder}charts/{}/", inner.name);
            let own = own.unwrap_or_else(|| Go::map(Fields::new()));
            let data = self.add(inner, &folder, own);
            subcharts.insert(inner.name.as_str().into(), data);
        }
        let files = part.files.iter().map(|(path, bytes)| (*path, *bytes));
        let data = go_map([
            ("Capabilities", self.capabilities.clone()),
            ("Chart", metadata(part, folder.is_empty())),
            ("Files", Go::Object(Rc::new(Files::new(files)))),
            ("Release", self.release.clone()),
            ("Subcharts", Go::map(subcharts)),
            ("Values", values),
        ]);
        let is_library = part.metadata.get("type").is_some_and(|of| of == "library");
        for (path, bytes) in &part.files {
            let name = path.rsplit('/').next().unwrap_or_default();
            if path.starts_with("templates/") && (!is_library || name.starts_with('_')) {
                let file = File { bytes, data: data.clone() };
                self.files.insert(format!("{folder}{path}"), file);
            } else if path.starts_with("crds/") {
                self.definitions.insert(format!("{folder}{path}"), bytes.to_vec());
            }
        }
        data
    }
}

fn go_map<const N: usize>(fields: [(&str, Go); N]) -> Go {
    Go::map(fields.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

fn release(release: Release<'_>) -> Go {
    go_map([
        ("Name", Go::text(release.name)),
        ("Namespace", Go::text(release.namespace)),
        ("Service", Go::text("Helm")),
        ("Revision", Go::Int(1)),
        ("IsInstall", Go::Bool(true)),
        ("IsUpgrade", Go::Bool(false)),
    ])
}

/// `Chart.yaml` under the names of Go's fields.
fn metadata(part: &Part<'_>, is_root: bool) -> Go {
    let fields = part.metadata.iter().map(|(key, value)| (go_name(key).into(), Go::from(value)));
    Go::map(fields.chain([("IsRoot".into(), Go::Bool(is_root))]).collect())
}

fn go_name(key: &str) -> String {
    let mut letters = key.chars();
    match (key.strip_prefix("api"), letters.next()) {
        (Some(rest), _) => format!("API{rest}"),
        (None, Some(first)) => format!("{}{}", first.to_uppercase(), letters.as_str()),
        (None, None) => String::new(),
    }
}
