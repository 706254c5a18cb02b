//! A chart rendered in the process, as helm renders it: for the check that a chart gives back what
//! was exported, and for reading published charts where there is no helm.
//!
//! ```text
//!  Chart + Release + overrides ─ parts ─► engine ─ exec ─► texts ─ read ─► objects
//! ```
//!
//! It has what public charts use of Go's templates, Sprig and helm. What answers something else
//! each time (`now`, `randAlphaNum`, `genCA`) is refused. Clusters are not asked: `lookup` finds
//! nothing, as in `helm template`.

mod builtins;
mod capabilities;
mod engine;
mod exec;
mod files;
mod functions;
pub mod goyaml;
mod parts;
mod read;
mod value;
mod values;

use serde_json::Value;

use super::Chart;
use crate::app::Object;
use crate::app::stack::with_stack;

pub use values::{coalesce, stand_ins};

/// Stack for the parser and the engine, which recurse: [`exec`] and [`read`] bound how far. It is
/// taken as it is used.
const STACK: usize = 128 << 20;

/// What a chart is rendered as.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// Name of the release.
    pub name: &'a str,
    /// The namespace that it is installed in.
    pub namespace: &'a str,
}

/// An object and the template that gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Path of the template in the chart.
    pub path: String,
    /// The object.
    pub object: Object,
}

/// A chart that cannot be rendered.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RenderError {
    /// A file that cannot be read, or is missing.
    #[error("{path} of the chart cannot be read: {reason}")]
    File {
        /// Path in the chart.
        path: String,
        /// Why not.
        reason: String,
    },
    /// A template that fails. Values are not in the message.
    #[error("{path} of the chart does not render: {reason}")]
    Template {
        /// Path in the chart.
        path: String,
        /// What the engine said.
        reason: String,
    },
    /// A template that prints something that is no object.
    #[error("{path} of the chart renders no object: {reason}")]
    Manifest {
        /// Path in the chart.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The engine panicked.
    #[error("the chart cannot be rendered: the engine broke off")]
    Broken,
}

/// Renders a chart with its values, and `overrides` over them as `--values` puts them there. The
/// objects come in the order of the template files; hooks are among them, those of `crds/` come
/// first. `values.schema.json` is not looked at.
///
/// # Errors
/// When a file cannot be read, a template fails, or what it prints is no object.
pub fn render(
    chart: &Chart,
    release: Release<'_>,
    overrides: &Value,
) -> Result<Vec<Manifest>, RenderError> {
    on_large_stack(|| {
        let engine = engine::Engine::new(chart, release, overrides)?;
        let mut objects = Vec::new();
        for (path, bytes) in engine.definitions() {
            objects.extend(read::objects(path, read::text(path, bytes)?)?);
        }
        objects.extend(engine.manifests()?);
        Ok(objects)
    })
}

/// What helm prints after an install: `templates/NOTES.txt`, or nothing where there is none.
///
/// # Errors
/// When a file cannot be read or the notes fail.
pub fn notes(
    chart: &Chart,
    release: Release<'_>,
    overrides: &Value,
) -> Result<String, RenderError> {
    if !chart.files.contains_key(engine::NOTES) {
        return Ok(String::new());
    }
    on_large_stack(|| engine::Engine::new(chart, release, overrides)?.notes())
}

/// The objects of text that helm rendered.
///
/// # Errors
/// When it holds something that is no object.
pub fn objects(text: &str) -> Result<Vec<Object>, RenderError> {
    let read = on_large_stack(|| read::objects("manifest", text))?;
    Ok(read.into_iter().map(|manifest| manifest.object).collect())
}

/// The values of a chart, as `values.yaml` has them.
///
/// # Errors
/// When the file is no YAML, or no mapping.
pub fn values(chart: &Chart) -> Result<Value, RenderError> {
    on_large_stack(|| values::of(chart.files.get("values.yaml").map(Vec::as_slice)))
}

/// Runs `work` where recursion within our limits cannot end the process.
fn on_large_stack<T>(work: impl FnOnce() -> Result<T, RenderError>) -> Result<T, RenderError> {
    with_stack(STACK, work).unwrap_or(Err(RenderError::Broken))
}
