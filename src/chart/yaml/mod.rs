//! YAML as trees: our own emitter, because no library writes Go expressions, comments and guards,
//! and most write strings that Helm's reader takes for booleans (`reference/rust-libs.md` §3).
//!
//! ```text
//!  Node ─ emit ─► text that YAML 1.1 and 1.2 readers understand alike
//! ```

mod edit;
mod emit;
mod scalar;
#[cfg(test)]
mod tests;

use serde_json::{Number, Value};

pub use emit::{document, template};
pub(crate) use scalar::inert;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A mapping, in this order.
    Map(Vec<Row<Field>>),
    /// A sequence.
    List(Vec<Row<Self>>),
    /// Text, quoted as needed.
    Str(String),
    /// A number.
    Num(Number),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// A Go pipeline that prints one scalar: `{{ … }}`.
    Expr(String),
    /// Text with pipelines in it, always in double quotes.
    Text(Vec<Part>),
    /// A Go pipeline that prints a whole mapping or sequence: `{{- … | nindent N }}`.
    Block(String),
}

/// What stands in a mapping or sequence.
#[derive(Clone, Debug, PartialEq)]
pub enum Row<T> {
    /// A field or an item.
    One(T),
    /// Rows that appear only if a Go condition holds: `{{- if … }}` or `{{- with … }}`.
    When {
        /// `if …` or `with …`.
        head: String,
        /// What it guards.
        rows: Vec<Self>,
    },
    /// A Go pipeline that prints rows: `{{- … | nindent N }}`.
    Rows(String),
    /// A Go action that prints nothing: `{{- … }}`.
    Action(String),
    /// A comment, wrapped.
    Comment(String),
    /// An empty line.
    Blank,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Node,
}

/// A piece of [`Node::Text`].
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Text as it is.
    Literal(String),
    /// A Go pipeline.
    Expr(String),
}

impl Node {
    /// Text.
    pub fn str(text: impl Into<String>) -> Self {
        Self::Str(text.into())
    }

    /// A Go pipeline that prints one scalar.
    pub fn expr(pipeline: impl Into<String>) -> Self {
        Self::Expr(pipeline.into())
    }

    /// A mapping of these fields.
    pub fn map<K: Into<String>>(fields: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(fields.into_iter().map(|(key, value)| Row::field(key, value)).collect())
    }

    /// A sequence of these items.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().map(Row::One).collect())
    }
}

impl Row<Field> {
    /// A field.
    pub fn field(key: impl Into<String>, value: Node) -> Self {
        Self::One(Field { key: key.into(), value })
    }
}

impl<T> Row<T> {
    /// One row that appears only if `head` holds.
    pub fn when(head: impl Into<String>, row: Self) -> Self {
        Self::When { head: head.into(), rows: vec![row] }
    }
}

impl From<&Value> for Node {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(bool) => Self::Bool(*bool),
            Value::Number(number) => Self::Num(number.clone()),
            Value::String(text) => Self::Str(text.clone()),
            Value::Array(items) => Self::list(items.iter().map(Self::from)),
            Value::Object(fields) => Self::map(fields.iter().map(|(k, v)| (k, Self::from(v)))),
        }
    }
}
