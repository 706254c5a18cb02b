//! A chart for images that have moved: its addresses are exchanged in the text, and every other byte
//! stays, so that what a person reads of it stays as well.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::input::{Chart, Image};
use super::manifest::reference;
use super::original;
use super::values::{default_cell, path};
use super::yaml::{Node, document};

/// Texts that may name images in full.
const TEXTS: [&str; 4] = ["Chart.yaml", "images.lock", "README.md", "templates/NOTES.txt"];

/// A chart whose images cannot be read or exchanged.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RelocateError {
    /// A file that every chart of ours has.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// A file that does not parse.
    #[error("its {file} does not parse: {reason}")]
    Malformed {
        /// Which.
        file: &'static str,
        /// What the parser said.
        reason: String,
    },
    /// A chart of a Helm release, whose images are pinned by values of its own.
    #[error("it was exported with `--chart-from release`, and its values are its own")]
    Original,
    /// A text that is not where this release writes it.
    #[error("its {file} has no line `{line}`")]
    Line {
        /// Which file.
        file: &'static str,
        /// What was sought.
        line: String,
    },
}

/// `images.lock`, as far as it is read.
#[derive(Deserialize)]
struct Lock {
    images: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    key: String,
    source: String,
    reference: String,
    digest: String,
    platforms: Vec<String>,
    #[serde(default)]
    kept: bool,
}

/// `values.yaml`, as far as it is read.
#[derive(Default, Deserialize)]
struct Values {
    #[serde(default)]
    images: BTreeMap<String, Place>,
}

#[derive(Clone, Deserialize)]
struct Place {
    registry: String,
    repository: String,
    tag: String,
}

/// The images of a chart, in its order, without the containers that use them.
///
/// # Errors
/// When the chart is none of ours.
pub fn images(chart: &Chart) -> Result<Vec<Image>, RelocateError> {
    let lock: Lock = parse(chart, "images.lock")?;
    let values =
        if original::is_original(chart) { Values::default() } else { parse(chart, "values.yaml")? };
    let image = |locked: Locked| {
        let Place { registry, repository, tag } = match values.images.get(&locked.key) {
            Some(place) => place.clone(),
            None => values.place(&locked.reference),
        };
        let Locked { key, source, digest, platforms, kept, .. } = locked;
        let uses = Vec::new();
        Image { key, registry, repository, tag, digest, source, platforms, uses, kept }
    };
    Ok(lock.images.into_iter().map(image).collect())
}

impl Values {
    /// The place of an image that is in the lock alone, as an operator runs it. It is where the
    /// others are; where there is no other, what stands before the first slash is the registry.
    fn place(&self, reference: &str) -> Place {
        let name = reference.split('@').next().unwrap_or_default();
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (name, ""),
        };
        let mut others = self.images.values();
        let other = others.find(|other| format!("{}/{}", other.registry, other.repository) == name);
        let (registry, repository) = match other {
            Some(other) => (other.registry.as_str(), other.repository.as_str()),
            None => name.split_once('/').unwrap_or(("", name)),
        };
        Place { registry: registry.into(), repository: repository.into(), tag: tag.into() }
    }
}

/// The chart with the images `to` in place of `from`, pair by pair, and with these annotations set.
/// Digests are never exchanged.
///
/// # Errors
/// When an address is not where this release writes it.
pub fn relocate(
    chart: &Chart,
    from: &[Image],
    to: &[Image],
    annotations: &BTreeMap<String, String>,
) -> Result<Chart, RelocateError> {
    if original::is_original(chart) {
        return Err(RelocateError::Original);
    }
    let mut moved = chart.clone();
    let values: Values = parse(chart, "values.yaml")?;
    let pairs: Vec<(&Image, &Image)> = from.iter().zip(to).filter(|(a, b)| a != b).collect();
    let references: Vec<(String, String)> =
        pairs.iter().map(|(from, to)| (reference(from), reference(to))).collect();
    for file in TEXTS {
        edit(&mut moved, file, |text| Ok(exchange(text, &references)))?;
    }
    for (from, to) in pairs.iter().filter(|(from, _)| values.images.contains_key(&from.key)) {
        edit(&mut moved, "values.yaml", |text| set_image(&text, from, to))?;
        edit(&mut moved, "README.md", |text| Ok(set_rows(text, from, to)))?;
    }
    for (key, value) in annotations {
        edit(&mut moved, "Chart.yaml", |text| set_annotation(&text, key, value))?;
    }
    moved.config = config(&chart.config, &references, annotations)?;
    for value in moved.annotations.values_mut() {
        *value = exchange(std::mem::take(value), &references);
    }
    moved.annotations.extend(annotations.clone());
    Ok(moved)
}

fn parse<T: serde::de::DeserializeOwned>(
    chart: &Chart,
    file: &'static str,
) -> Result<T, RelocateError> {
    let bytes = chart.files.get(file).ok_or(RelocateError::Missing(file))?;
    let malformed = |reason: String| RelocateError::Malformed { file, reason };
    // Not the parser's own words: they may quote values.
    serde_saphyr::from_slice(bytes).map_err(|error| {
        malformed(error.location().map_or_else(
            || "it is not YAML of that form".to_owned(),
            |at| format!("it is not YAML of that form, line {}", at.line()),
        ))
    })
}

/// Changes a file, if the chart has it and it is text.
fn edit(
    chart: &mut Chart,
    file: &str,
    change: impl FnOnce(String) -> Result<String, RelocateError>,
) -> Result<(), RelocateError> {
    let Some(bytes) = chart.files.get_mut(file) else { return Ok(()) };
    if let Ok(text) = String::from_utf8(bytes.clone()) {
        *bytes = change(text)?.into_bytes();
    }
    Ok(())
}

/// Exchanges whole references. Each ends in its digest, so that none is the beginning of another.
fn exchange(text: String, references: &[(String, String)]) -> String {
    references.iter().fold(text, |text, (from, to)| text.replace(from, to))
}

/// Sets registry, repository and tag of an image in `values.yaml`.
fn set_image(text: &str, from: &Image, to: &Image) -> Result<String, RelocateError> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let group = indented(2, &format!("{}:", yaml_key(&from.key)));
    let images = position(&lines, 0, "images:")?;
    let start = position(&lines, images, &group)? + 1;
    let deeper = |line: &&String| line.is_empty() || line.starts_with("    ");
    let end = start + lines[start..].iter().take_while(deeper).count();
    for (field, old, new) in fields(from, to) {
        let old = indented(4, &yaml_field(field, old));
        let at = position(&lines[..end], start, &old)?;
        lines[at] = indented(4, &yaml_field(field, new));
    }
    Ok(lines.join("\n") + "\n")
}

/// Sets the defaults of an image in the table of values of `README.md`, if it is there.
fn set_rows(text: String, from: &Image, to: &Image) -> String {
    fields(from, to).into_iter().fold(text, |text, (field, old, new)| {
        let value = path(&path("images", &from.key), field);
        let cell = |default: &str| format!("\n| `{value}` | `{}` |", default_cell(&default.into()));
        text.replacen(&cell(old), &cell(new), 1)
    })
}

fn fields<'a>(from: &'a Image, to: &'a Image) -> [(&'static str, &'a str, &'a str); 3] {
    [
        ("registry", &from.registry, &to.registry),
        ("repository", &from.repository, &to.repository),
        ("tag", &from.tag, &to.tag),
    ]
}

/// Sets an annotation in `Chart.yaml`, whose annotations are in order of key and each begins a line.
fn set_annotation(text: &str, key: &str, value: &str) -> Result<String, RelocateError> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let file = "Chart.yaml";
    let heading = || line(file, "annotations:".to_owned());
    let start = lines.iter().position(|line| line == "annotations:").ok_or_else(heading)? + 1;
    let end = start + lines[start..].iter().take_while(|line| line.starts_with("  ")).count();
    let new = indented(2, &yaml_field(key, value));
    let key_of = |line: &str| Some(line.strip_prefix("  ")?.split_once(':')?.0.to_owned());
    let is_entry = |line: &str| !line[2..].starts_with([' ', '-', '#']);
    let mut entries = (start..end).filter(|at| is_entry(&lines[*at]));
    match entries.find(|at| key_of(&lines[*at]).is_some_and(|found| found.as_str() >= key)) {
        Some(at) if key_of(&lines[at]).as_deref() == Some(key) => lines[at] = new,
        at => lines.insert(at.unwrap_or(end), new),
    }
    Ok(lines.join("\n") + "\n")
}

/// The config of the artefact with references exchanged in its annotations, and some set.
fn config(
    bytes: &[u8],
    references: &[(String, String)],
    annotations: &BTreeMap<String, String>,
) -> Result<Vec<u8>, RelocateError> {
    let malformed = |reason: serde_json::Error| RelocateError::Malformed {
        file: "configuration",
        reason: format!("line {}, column {}", reason.line(), reason.column()),
    };
    let mut config: Map<String, Value> = serde_json::from_slice(bytes).map_err(malformed)?;
    let mut all: BTreeMap<String, String> = match config.get("annotations") {
        Some(found) => serde_json::from_value(found.clone()).map_err(malformed)?,
        None => BTreeMap::new(),
    };
    for value in all.values_mut() {
        *value = exchange(std::mem::take(value), references);
    }
    all.extend(annotations.clone());
    config.insert("annotations".to_owned(), Value::from_iter(all));
    Ok(Value::Object(config).to_string().into_bytes())
}

/// The first line at or after `start` that is exactly this.
fn position(lines: &[String], start: usize, wanted: &str) -> Result<usize, RelocateError> {
    let found = lines[start..].iter().position(|line| line == wanted).map(|at| start + at);
    found.ok_or_else(|| line("values.yaml", wanted.trim().to_owned()))
}

fn line(file: &'static str, line: String) -> RelocateError {
    RelocateError::Line { file, line }
}

fn indented(spaces: usize, text: &str) -> String {
    format!("{:spaces$}{text}", "")
}

/// A key as the emitter writes it.
fn yaml_key(key: &str) -> String {
    yaml_field(key, "x").trim_end_matches(": x").to_owned()
}

/// A line of a mapping as the emitter writes it.
fn yaml_field(key: &str, value: &str) -> String {
    document(&Node::map([(key, Node::str(value))])).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_is_put_into_its_place_or_replaced() {
        let text = "name: x\nannotations:\n  a: 1\n  images: |\n    - name: b\n  z.y/x: 2\nb: c\n";
        let set = |key| set_annotation(text, key, "new").unwrap();
        assert!(set("b").contains("  a: 1\n  b: new\n  images: |\n    - name: b\n  z.y/x: 2\n"));
        assert!(set("z.y/x").contains("    - name: b\n  z.y/x: new\nb: c\n"));
        assert!(set("zz").ends_with("  z.y/x: 2\n  zz: new\nb: c\n"));
        assert!(set_annotation("name: x\n", "a", "b").is_err());
    }

    #[test]
    fn a_value_is_only_changed_where_it_belongs_to_the_image() {
        let image = |key: &str, registry: &str| Image {
            key: key.into(),
            registry: registry.into(),
            repository: "r".into(),
            tag: "1".into(),
            digest: String::new(),
            source: String::new(),
            platforms: Vec::new(),
            uses: Vec::new(),
            kept: false,
        };
        let text = "global:\n  imageRegistry: \"\"\nimages:\n  web:\n    # Host.\n    registry: a.b\n    \
                    repository: r\n    tag: \"1\"\n\n  db:\n    registry: a.b\n    repository: r\n    \
                    tag: \"1\"\nother:\n  db:\n    registry: a.b\n";
        let moved = set_image(text, &image("db", "a.b"), &image("db", "c.d/e")).unwrap();
        assert_eq!(moved.matches("a.b").count(), 2);
        assert!(moved.contains("  db:\n    registry: c.d/e\n    repository: r\n"), "{moved}");
        let missing = set_image(text, &image("api", "a.b"), &image("api", "c.d"));
        assert_eq!(missing, Err(line("values.yaml", "api:".into())));
    }
}
