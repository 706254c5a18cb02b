//! Patterns over JSON, so that rules about fields are tables and not code.
//!
//! `spec.containers|initContainers[].ports[].protocol` reads: below `spec`, in each item of either
//! list, in each port, the protocol. Keys of patterns hold no dots, bars or brackets.

use std::fmt;

use serde_json::{Map, Value};

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Into the field of this name.
    Key(String),
    /// Into the item at this place.
    Item(usize),
}

/// The way from an object to one of its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path(pub(crate) Vec<Step>);

/// Every field that matches, in order.
pub(super) fn find<'a>(root: &'a Map<String, Value>, pattern: &str) -> Vec<(Path, &'a Value)> {
    let mut found = Vec::new();
    let mut steps = pattern.split('.');
    let Some(first) = steps.next() else { return found };
    let rest: Vec<&str> = steps.collect();
    into_map(root, &Path::default(), first, &rest, &mut found);
    found
}

fn into_map<'a>(
    map: &'a Map<String, Value>,
    at: &Path,
    step: &str,
    rest: &[&str],
    found: &mut Vec<(Path, &'a Value)>,
) {
    let (names, each) = step.strip_suffix("[]").map_or((step, false), |names| (names, true));
    for name in names.split('|') {
        let Some(value) = map.get(name) else { continue };
        let at = at.then(Step::Key(name.to_owned()));
        match value {
            Value::Array(items) if each => {
                for (index, item) in items.iter().enumerate() {
                    onwards(item, at.then(Step::Item(index)), rest, found);
                }
            }
            _ if each => {}
            value => onwards(value, at, rest, found),
        }
    }
}

fn onwards<'a>(value: &'a Value, at: Path, rest: &[&str], found: &mut Vec<(Path, &'a Value)>) {
    match (rest, value) {
        ([], value) => found.push((at, value)),
        ([step, rest @ ..], Value::Object(map)) => into_map(map, &at, step, rest, found),
        _ => {}
    }
}

/// Removes every field that matches and for which `which` says so.
pub(super) fn remove_if(
    root: &mut Map<String, Value>,
    pattern: &str,
    which: impl Fn(&Map<String, Value>, &Path, &Value) -> bool,
) {
    let mut doomed: Vec<Path> = find(root, pattern)
        .into_iter()
        .filter(|(path, value)| which(root, path, value))
        .map(|(path, _)| path)
        .collect();
    // From the end, so that places in lists stay true.
    doomed.reverse();
    for path in doomed {
        path.remove(root);
    }
}

/// Removes every field that matches.
pub(super) fn remove(root: &mut Map<String, Value>, pattern: &str) {
    remove_if(root, pattern, |_, _, _| true);
}

impl Path {
    /// One step further.
    pub(crate) fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Down into a field.
    pub(crate) fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    /// Name of the field, if it is one.
    pub(super) fn last_key(&self) -> Option<&str> {
        match self.0.last()? {
            Step::Key(key) => Some(key),
            Step::Item(_) => None,
        }
    }

    /// As a JSON pointer.
    pub(crate) fn pointer(&self) -> String {
        let part = |step: &Step| match step {
            Step::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Step::Item(index) => format!("/{index}"),
        };
        self.0.iter().map(part).collect()
    }

    /// The value there.
    pub(super) fn get_mut<'a>(&self, root: &'a mut Map<String, Value>) -> Option<&'a mut Value> {
        let (Step::Key(first), rest) = self.0.split_first()? else { return None };
        rest.iter().try_fold(root.get_mut(first)?, |value, step| match step {
            Step::Key(key) => value.get_mut(key),
            Step::Item(index) => value.get_mut(index),
        })
    }

    /// Takes the value out. Later items of a list move up.
    pub(super) fn remove(&self, root: &mut Map<String, Value>) -> Option<Value> {
        let (last, above) = self.0.split_last()?;
        if above.is_empty() {
            let Step::Key(key) = last else { return None };
            return root.shift_remove(key);
        }
        match (Self(above.to_vec()).get_mut(root)?, last) {
            (Value::Object(map), Step::Key(key)) => map.shift_remove(key),
            (Value::Array(items), Step::Item(index)) if *index < items.len() => {
                Some(items.remove(*index))
            }
            _ => None,
        }
    }
}

/// Dotted, for people: `spec.containers[0].image`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) => write_key(f, place == 0, key)?,
                Step::Item(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Writes the name of a field, the first or a further one, for people.
pub(crate) fn write_key(to: &mut impl fmt::Write, is_first: bool, key: &str) -> fmt::Result {
    match key {
        key if is_first => to.write_str(key),
        key if key.contains(['.', '[']) => write!(to, "[{key:?}]"),
        key => write!(to, ".{key}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn alternatives_and_items_are_followed_in_order() {
        let root = map(&json!({"a": [{"x": 1}, {"y": 2}, {"x": 3}], "b": {"x": 4}}));
        let found: Vec<_> =
            find(&root, "a[].x").iter().map(|(p, v)| (p.to_string(), (*v).clone())).collect();
        assert_eq!(found, [("a[0].x".into(), json!(1)), ("a[2].x".into(), json!(3))]);
        assert_eq!(find(&root, "b|c.x").len(), 1);
        assert!(find(&root, "a.x").is_empty() && find(&root, "b[].x").is_empty());
    }

    #[test]
    fn removing_items_of_a_list_does_not_lose_count() {
        let mut root = map(&json!({"a": [1, 2, 3, 4]}));
        remove_if(&mut root, "a[]", |_, _, value| value.as_u64().unwrap() % 2 == 1);
        assert_eq!(Value::Object(root), json!({"a": [2, 4]}));
    }

    #[test]
    fn keys_with_dots_are_quoted_for_people_and_escaped_in_pointers() {
        let path = Path::default().key("metadata").key("annotations").key("a.b/c~d");
        assert_eq!(path.to_string(), r#"metadata.annotations["a.b/c~d"]"#);
        assert_eq!(path.pointer(), "/metadata/annotations/a.b~1c~0d");
    }
}
