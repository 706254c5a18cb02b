//! What differs between two objects, field by field.

mod pairs;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

use crate::app::path::{self, Path, Step};
use pairs::{Pair, by_place, is_reordered, pairs};

/// A field that is not the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<'v> {
    /// JSON pointer to the field, in the object that has it; in the first if both have.
    pub pointer: String,
    /// The field for people: `spec.containers[0].image`, or `spec.containers[name=web].image` where
    /// items are compared by what they are known by.
    pub field: String,
    /// The field in each of the two objects, items by place.
    pub places: [String; 2],
    /// What it was; `None`: not there.
    pub before: Option<&'v Value>,
    /// What it is; `None`: not there.
    pub after: Option<&'v Value>,
}

/// Every difference, in the order of the fields' names. Items of lists are compared by place; a
/// mapping that is there on one side only is one difference.
pub fn changes<'v>(
    before: &'v Map<String, Value>,
    after: &'v Map<String, Value>,
) -> Vec<Change<'v>> {
    Walk { is_keyed: false, at: Vec::new(), found: Vec::new() }.all(before, after)
}

/// The same, with items of lists compared by their merge key where they have one (containers,
/// variables, ports, volumes): an item more is one difference, and so is another order. Of other
/// lists, what is the same at the beginning and at the end is passed over first.
pub fn changes_by_key<'v>(
    before: &'v Map<String, Value>,
    after: &'v Map<String, Value>,
) -> Vec<Change<'v>> {
    Walk { is_keyed: true, at: Vec::new(), found: Vec::new() }.all(before, after)
}

struct Walk<'v> {
    is_keyed: bool,
    at: Vec<At<'v>>,
    found: Vec<Change<'v>>,
}

/// One step down in both objects.
enum At<'v> {
    Key(&'v str),
    Item(Pair),
}

impl<'v> Walk<'v> {
    fn all(
        mut self,
        before: &'v Map<String, Value>,
        after: &'v Map<String, Value>,
    ) -> Vec<Change<'v>> {
        self.fields(before, after);
        self.found
    }

    fn fields(&mut self, before: &'v Map<String, Value>, after: &'v Map<String, Value>) {
        let keys: BTreeSet<&'v String> = before.keys().chain(after.keys()).collect();
        for key in keys {
            self.at.push(At::Key(key));
            self.value(before.get(key), after.get(key));
            self.at.pop();
        }
    }

    fn value(&mut self, before: Option<&'v Value>, after: Option<&'v Value>) {
        match (before, after) {
            (Some(Value::Object(a)), Some(Value::Object(b))) => self.fields(a, b),
            (Some(Value::Array(a)), Some(Value::Array(b))) => {
                let pairs = if self.is_keyed { pairs(self.list(), a, b) } else { by_place(a, b) };
                if is_reordered(&pairs, a.len(), b.len()) {
                    self.change(before, after);
                }
                for pair in pairs {
                    let [first, second] = pair.places;
                    self.at.push(At::Item(pair));
                    self.value(a.get(first), b.get(second));
                    self.at.pop();
                }
            }
            (Some(Value::Number(a)), Some(Value::Number(b))) if is_same(a, b) => {}
            (before, after) if before == after => {}
            (before, after) => self.change(before, after),
        }
    }

    /// Name of the list whose items are looked at.
    fn list(&self) -> &'v str {
        match self.at.last() {
            Some(At::Key(key)) => key,
            _ => "",
        }
    }

    fn change(&mut self, before: Option<&'v Value>, after: Option<&'v Value>) {
        let paths = [0, 1].map(|side| self.path(side));
        let side = usize::from(before.is_none());
        let (pointer, field) = (paths[side].pointer(), self.field(side));
        let places = paths.map(|path| path.to_string());
        self.found.push(Change { pointer, field, places, before, after });
    }

    fn path(&self, side: usize) -> Path {
        let step = |at: &At<'_>| match at {
            At::Key(key) => Step::Key((*key).to_owned()),
            At::Item(pair) => Step::Item(pair.places[side]),
        };
        Path(self.at.iter().map(step).collect())
    }

    fn field(&self, side: usize) -> String {
        let mut text = String::new();
        for (place, at) in self.at.iter().enumerate() {
            // A String takes everything.
            _ = match at {
                At::Key(key) => path::write_key(&mut text, place == 0, key),
                At::Item(Pair { key: Some(key), .. }) => write!(text, "[{key}]"),
                At::Item(Pair { places, .. }) => write!(text, "[{}]", places[side]),
            };
        }
        text
    }
}

/// Whether two numbers are one: `1` and `1.0` are, two large integers only if they are equal.
fn is_same(a: &Number, b: &Number) -> bool {
    a == b || (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64()
}

#[cfg(test)]
mod tests;
