//! The templates of a chart, ready to run.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use gotmpl::parse::Parser;
use gotmpl::{MissingKey, Template, TemplateError, Value as Go, tmap};
use serde_json::Value;

use super::values::to_go;
use super::{Release, RenderError, functions, read, values};
use crate::chart::Chart;

/// The notes of a chart.
pub(super) const NOTES: &str = "templates/NOTES.txt";

/// The Kubernetes that templates are told of. Helm without a cluster names that of its own
/// libraries, another one with each release.
const KUBE_VERSION: (&str, &str) = ("1", "33");

/// Most bytes of what one template prints: over twice what helm loads as a file.
const MAX_TEXT: usize = 12 << 20;

/// Rounds of loops in one template, with which a few bytes could ask for hours.
const MAX_ROUNDS: u64 = 1_000_000;

/// What Go prints for a value that is not there, and helm takes out of everything that it renders
/// (helm, `pkg/engine/engine.go`).
const NO_VALUE: &str = "<no value>";

/// The template set, which its own function `include` runs.
pub(super) type Itself = Arc<OnceLock<Weak<Template>>>;

/// A chart that can be rendered.
pub(super) struct Engine<'a> {
    chart: &'a Chart,
    template: Arc<Template>,
    data: Go,
}

impl<'a> Engine<'a> {
    pub(super) fn new(
        chart: &'a Chart,
        release: Release<'_>,
        overrides: &Value,
    ) -> Result<Self, RenderError> {
        if let Some(path) = chart.files.keys().find(|path| path.starts_with("charts/")) {
            let reason = "subcharts are not rendered here".to_owned();
            return Err(RenderError::File { path: path.clone(), reason });
        }
        let mut values = values::of(chart)?;
        values::coalesce(&mut values, overrides);
        Ok(Self { chart, template: templates(chart)?, data: data(chart, release, &values)? })
    }

    /// Paths of the templates that print objects.
    pub(super) fn manifests(&self) -> impl Iterator<Item = &'a str> {
        self.chart.files.keys().map(String::as_str).filter(|path| {
            let name = path.rsplit('/').next().unwrap_or_default();
            is_template(path) && !name.starts_with('_') && !path.ends_with("NOTES.txt")
        })
    }

    /// What a template prints.
    pub(super) fn text(&self, path: &str) -> Result<String, RenderError> {
        let name = full_name(self.chart, path);
        let mut data = self.data.clone();
        if let Go::Map(fields) = &mut data {
            let base = full_name(self.chart, "templates");
            let own = tmap! { "Name" => name.as_str(), "BasePath" => base.as_str() };
            Arc::make_mut(fields).insert("Template".into(), own);
        }
        let mut text = Bounded(String::new());
        match self.template.execute_template_fmt(&mut text, &name, &data) {
            Ok(()) if text.0.contains(NO_VALUE) => Ok(text.0.replace(NO_VALUE, "")),
            Ok(()) => Ok(text.0),
            Err(error) => Err(failed(path, &error)),
        }
    }
}

fn failed(path: &str, error: &TemplateError) -> RenderError {
    let reason = match error {
        TemplateError::Write => format!("it prints more than {} MiB", MAX_TEXT >> 20),
        error => error.to_string(),
    };
    RenderError::Template { path: path.to_owned(), reason }
}

/// Text that does not grow for ever.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > MAX_TEXT {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

fn is_template(path: &str) -> bool {
    path.starts_with("templates/")
}

/// The name that helm knows a template by.
fn full_name(chart: &Chart, path: &str) -> String {
    format!("{}/{path}", chart.name)
}

fn templates(chart: &Chart) -> Result<Arc<Template>, RenderError> {
    let itself = Itself::default();
    let mut template = Template::new("")
        .missing_key(MissingKey::ZeroValue)
        .max_range_iters(MAX_ROUNDS)
        .funcs(functions::all(&itself));
    for (path, bytes) in chart.files.iter().filter(|(path, _)| is_template(path)) {
        let text = read::text(path, bytes)?;
        let parsed = Parser::with_name(None, text, "{{", "}}").and_then(Parser::parse);
        let (body, defined) = parsed.map_err(|error| failed(path, &error))?;
        template = template.add_parse_tree(&full_name(chart, path), body);
        for define in defined {
            template = template.add_parse_tree(&define.name, define.body);
        }
    }
    let template = Arc::new(template);
    // The cell is new: nobody else sets it.
    let _ = itself.set(Arc::downgrade(&template));
    Ok(template)
}

/// What templates see as `.`.
fn data(chart: &Chart, release: Release<'_>, values: &Value) -> Result<Go, RenderError> {
    let (major, minor) = KUBE_VERSION;
    let version = format!("v{major}.{minor}.0");
    let kubernetes = tmap! { "Version" => version.as_str(), "Major" => major, "Minor" => minor };
    Ok(tmap! {
        "Values" => to_go(values),
        "Chart" => metadata(chart)?,
        "Capabilities" => tmap! { "KubeVersion" => kubernetes },
        "Release" => tmap! {
            "Name" => release.name,
            "Namespace" => release.namespace,
            "Service" => "Helm",
            "Revision" => 1i64,
            "IsInstall" => true,
            "IsUpgrade" => false,
        },
    })
}

/// `Chart.yaml` under the names of Go's fields.
fn metadata(chart: &Chart) -> Result<Go, RenderError> {
    let broken = |error: serde_json::Error| RenderError::File {
        path: "Chart.yaml".to_owned(),
        reason: error.to_string(),
    };
    let fields: serde_json::Map<String, Value> =
        serde_json::from_slice(&chart.config).map_err(broken)?;
    let fields = fields.iter().map(|(key, value)| (go_name(key).into(), to_go(value)));
    Ok(Go::Map(Arc::new(fields.chain([("IsRoot".into(), Go::Bool(true))]).collect())))
}

fn go_name(key: &str) -> String {
    let mut letters = key.chars();
    match (key.strip_prefix("api"), letters.next()) {
        (Some(rest), _) => format!("API{rest}"),
        (None, Some(first)) => format!("{}{}", first.to_uppercase(), letters.as_str()),
        (None, None) => String::new(),
    }
}
