//! Where an object names images: in the pods that it runs, or, in a custom resource, in everything
//! of the shape of a pod.

use serde_json::{Map, Value};

use crate::app::path::{self, Path, Step};
use crate::app::{ContainerRef, Object, kinds};

/// Lists of containers in a pod's spec that a chart brings back. Ephemeral containers are added to
/// pods that run, for a person to look around.
pub(super) const CONTAINERS: &str = "containers|initContainers";

/// Fields of a custom resource that its author does not write.
const NOT_WRITTEN: [&str; 2] = ["metadata", "status"];

/// An image that an object names.
pub(super) struct Place {
    /// The reference as it is written.
    pub(super) image: String,
    pub(super) at: ContainerRef,
    /// Whether it is a volume's: `container` is the name of the volume then.
    pub(super) is_volume: bool,
}

/// The images that an object names, in order.
pub(super) fn places(object: &Object) -> Vec<Place> {
    let mut found = Vec::new();
    if let Some(template) = kinds::pod_template(object) {
        let spec = kinds::below(template, "spec");
        for (at, spec) in path::find(object.fields(), &spec) {
            if let Value::Object(spec) = spec {
                of_pod(object, &at, spec, &mut found);
            }
        }
    } else if !kinds::is_builtin(object) {
        let written =
            object.fields().iter().filter(|(key, _)| !NOT_WRITTEN.contains(&key.as_str()));
        for (key, value) in written {
            by_shape(object, &Path::default().key(key), value, &mut found);
        }
    }
    found
}

/// Finds what looks like the spec of a pod.
fn by_shape(object: &Object, at: &Path, value: &Value, found: &mut Vec<Place>) {
    match value {
        Value::Object(map) => {
            let is_pod = looks_like_a_pod(map);
            if is_pod {
                of_pod(object, at, map, found);
            }
            let is_of_pod = |key: &str| is_pod && CONTAINERS.split('|').any(|list| list == key);
            for (key, value) in map.iter().filter(|(key, _)| !is_of_pod(key)) {
                by_shape(object, &at.key(key), value, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                by_shape(object, &at.then(Step::Item(index)), item, found);
            }
        }
        _ => {}
    }
}

/// Whether the mapping has a list `containers` as pods have it. Knative lets a single container go
/// without a name.
fn looks_like_a_pod(map: &Map<String, Value>) -> bool {
    let text = |item: &Value, key: &str| item.get(key).is_some_and(Value::is_string);
    let containers = map.get("containers").and_then(Value::as_array);
    containers.is_some_and(|all| {
        all.iter().all(|item| text(item, "name") || text(item, "image"))
            && all.iter().any(|item| text(item, "image"))
    })
}

fn of_pod(object: &Object, at: &Path, spec: &Map<String, Value>, found: &mut Vec<Place>) {
    let below = |rest: &Path| Path(at.0.iter().chain(&rest.0).cloned().collect()).pointer();
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
    for (rest, container) in path::find(spec, &format!("{CONTAINERS}[]")) {
        let name = text(container, "name").unwrap_or_default();
        add(object, below(&rest), name, text(container, "image"), false, found);
    }
    for (rest, volume) in path::find(spec, "volumes[]") {
        let image = volume.get("image").and_then(|image| text(image, "reference"));
        let name = text(volume, "name").unwrap_or_default();
        add(object, below(&rest.key("image").key("reference")), name, image, true, found);
    }
}

fn add(
    object: &Object,
    pointer: String,
    container: String,
    image: Option<String>,
    is_volume: bool,
    found: &mut Vec<Place>,
) {
    let at = ContainerRef { object: object.id(), pointer, container };
    let image = image.filter(|image| !image.is_empty());
    found.extend(image.map(|image| Place { image, at, is_volume }));
}

/// Fields of a custom resource with exactly this text, which are called something with `image`: an
/// operator that runs the image was told so there.
pub(super) fn fields(object: &Object, image: &str) -> Vec<ContainerRef> {
    let mut found = Vec::new();
    let written = object.fields().iter().filter(|(key, _)| !NOT_WRITTEN.contains(&key.as_str()));
    for (key, value) in written {
        with_text(&Path::default().key(key), key, value, image, &mut found);
    }
    let place = |at: Path| ContainerRef {
        object: object.id(),
        pointer: at.pointer(),
        container: at.to_string(),
    };
    found.into_iter().map(place).collect()
}

fn with_text(at: &Path, key: &str, value: &Value, image: &str, found: &mut Vec<Path>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                with_text(&at.key(key), key, value, image, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                with_text(&at.then(Step::Item(index)), key, item, image, found);
            }
        }
        Value::String(text) if text == image && key.to_lowercase().contains("image") => {
            found.push(at.clone());
        }
        _ => {}
    }
}
