//! `.Files`: what is in the chart beside its templates (helm, `pkg/engine/files.go`).

use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glob::{MatchOptions, Pattern};
use serde_json::{Map, Value};

use super::goyaml;
use super::value::{Answer, Fields, Go, Object};

/// Files by path.
pub(super) struct Files(pub(super) BTreeMap<String, Rc<[u8]>>);

/// What helm keeps of a chart under names of their own.
const OTHERS: [&str; 7] = [
    "Chart.yaml",
    "Chart.lock",
    "values.yaml",
    "values.schema.json",
    "requirements.yaml",
    "requirements.lock",
    ".helmignore",
];

impl Files {
    /// Those of a chart, of all that is in its folder.
    pub(super) fn new<'a>(all: impl Iterator<Item = (&'a str, &'a [u8])>) -> Self {
        let is_other = |path: &str| {
            OTHERS.contains(&path) || path.starts_with("templates/") || path.starts_with("charts/")
        };
        let own = all.filter(|(path, _)| !is_other(path));
        Self(own.map(|(path, bytes)| (path.to_owned(), bytes.into())).collect())
    }

    fn text(&self, path: &Go) -> Result<String, String> {
        let bytes = self.0.get(&path.to_string()).map_or(&[][..], |bytes| bytes);
        readable(bytes)
    }

    fn glob(&self, pattern: &Go) -> Answer {
        let pattern = Pattern::new(&pattern.to_string()).map_err(|error| error.to_string())?;
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::default() };
        let matching = self.0.iter().filter(|(path, _)| pattern.matches_with(path, options));
        let matching = matching.map(|(path, bytes)| (path.clone(), Rc::clone(bytes)));
        Ok(Go::Object(Rc::new(Self(matching.collect()))))
    }

    fn lines(&self, path: &Go) -> Answer {
        let text = self.text(path)?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let lines = if text.is_empty() { Vec::new() } else { text.split('\n').collect() };
        Ok(Go::list(lines.into_iter().map(Go::text)))
    }

    /// The files as data of a ConfigMap or Secret, under their names without folders.
    fn data(&self, value: impl Fn(&[u8]) -> Result<String, String>) -> Answer {
        let mut data = Map::new();
        for (path, bytes) in &self.0 {
            let name = path.rsplit('/').next().unwrap_or_default();
            data.insert(name.to_owned(), value(bytes)?.into());
        }
        if data.is_empty() {
            return Ok(Go::text(""));
        }
        Ok(Go::text(goyaml::text(&Value::Object(data))))
    }
}

fn readable(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "the file is no text".to_owned())
}

impl Object for Files {
    fn type_name(&self) -> &'static str {
        "engine.files"
    }

    fn member(&self, name: &str, args: &[Go]) -> Option<Answer> {
        Some(match (name, args) {
            ("Get" | "GetBytes", [path]) => self.text(path).map(Go::text),
            ("Glob", [pattern]) => self.glob(pattern),
            ("Lines", [path]) => self.lines(path),
            ("AsConfig", []) => self.data(readable),
            ("AsSecrets", []) => self.data(|bytes| Ok(STANDARD.encode(bytes))),
            _ => return None,
        })
    }

    /// Files that are no text are not among them.
    fn fields(&self) -> Fields {
        let texts = self.0.iter().filter_map(|(path, bytes)| {
            Some((Rc::from(path.as_str()), Go::text(std::str::from_utf8(bytes).ok()?)))
        });
        texts.collect()
    }
}
