//! Changing trees in place: reaching a field, and putting something else where it stands.

use super::{Field, Node, Row};

impl Node {
    /// The value of a field of a mapping.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Self::Map(rows) = self else { return None };
        rows.iter_mut().find_map(|row| match row {
            Row::One(field) if field.key == key => Some(&mut field.value),
            _ => None,
        })
    }

    /// The value at a path of keys.
    pub fn at_mut(&mut self, path: &[&str]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, key| node.get_mut(key))
    }

    /// The value at a JSON pointer, as long as no row was put among the items on the way.
    pub fn pointer_mut(&mut self, pointer: &str) -> Option<&mut Self> {
        pointer.split('/').skip(1).try_fold(self, |node, step| match node {
            Self::Map(_) => node.get_mut(&step.replace("~1", "/").replace("~0", "~")),
            Self::List(_) => node.items_mut().nth(step.parse().ok()?),
            _ => None,
        })
    }

    /// The items of a sequence; none for everything else.
    pub fn items_mut(&mut self) -> impl Iterator<Item = &mut Self> {
        let rows = match self {
            Self::List(rows) => rows.as_mut_slice(),
            _ => &mut [],
        };
        rows.iter_mut().filter_map(|row| match row {
            Row::One(item) => Some(item),
            _ => None,
        })
    }

    /// The rows of a mapping.
    pub fn rows_mut(&mut self) -> Option<&mut Vec<Row<Field>>> {
        match self {
            Self::Map(rows) => Some(rows),
            _ => None,
        }
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Puts `row` where the field `key` stands, or at the end of the mapping.
    pub fn put(&mut self, key: &str, row: Row<Field>) {
        let Self::Map(rows) = self else { return };
        match rows.iter_mut().find(|row| row.is(key)) {
            Some(place) => *place = row,
            None => rows.push(row),
        }
    }

    /// As [`Node::put`], but a new row comes before the field `next`.
    pub fn put_before(&mut self, key: &str, next: &str, row: Row<Field>) {
        let Self::Map(rows) = self else { return };
        if rows.iter().any(|row| row.is(key)) {
            return self.put(key, row);
        }
        let place = rows.iter().position(|row| row.is(next)).unwrap_or(rows.len());
        rows.insert(place, row);
    }

    /// Sets the field `key`, where it stands or at the end.
    pub fn set(&mut self, key: &str, value: Self) {
        self.put(key, Row::field(key, value));
    }

    /// As [`Node::put`], but a new row comes after the field `previous`, or first.
    pub fn put_after(&mut self, key: &str, previous: &str, row: Row<Field>) {
        let Self::Map(rows) = self else { return };
        if rows.iter().any(|row| row.is(key)) {
            return self.put(key, row);
        }
        let place = rows.iter().position(|row| row.is(previous)).map_or(0, |at| at + 1);
        rows.insert(place, row);
    }
}

impl Row<Field> {
    /// Whether this is the field `key`.
    fn is(&self, key: &str) -> bool {
        matches!(self, Self::One(field) if field.key == key)
    }
}
