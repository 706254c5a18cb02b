//! Values as Go's templates see them: mappings are shared and change in place (`set`), numbers of
//! values and of JSON are floats, and some things have methods.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use gotmpl::Value as Plain;
use serde_json::{Map, Number, Value};

/// Fields of a mapping.
pub(super) type Fields = BTreeMap<Rc<str>, Go>;

/// What a function or method gives.
pub(super) type Answer = Result<Go, String>;

/// Floats that JSON and YAML write without an exponent are below it (Go, `encoding/json`).
const MOST_WITHOUT_EXPONENT: f64 = 1e21;

/// Exponents between which floats are written without one.
const LEAST_EXPONENT: i32 = -4;
const MOST_EXPONENT: i32 = 5;

/// Mappings and lists in each other: more, and one of them is taken to hold itself.
const MAX_DEPTH: usize = 128;

/// Values in a value. One that is there many times counts each time.
const MAX_PARTS: usize = 1 << 20;

/// A value.
#[derive(Clone)]
pub(super) enum Go {
    /// `nil`.
    Nil,
    /// `bool`.
    Bool(bool),
    /// `int`, as constants are.
    Int(i64),
    /// `int64`, as sums are.
    Int64(i64),
    /// `float64`, as numbers of values are.
    Float(f64),
    /// `string`.
    Text(Rc<str>),
    /// A list.
    List(Rc<[Self]>),
    /// A mapping. Copies of it are the same mapping.
    Map(Rc<RefCell<Fields>>),
    /// Something with methods.
    Object(Rc<dyn Object>),
}

/// Something with methods or fields of its own, such as `.Files`.
pub(super) trait Object {
    /// Go's name of its type.
    fn type_name(&self) -> &'static str;

    /// The field, or what the method answers; nothing if it has none of that name.
    fn member(&self, name: &str, args: &[Go]) -> Option<Answer>;

    /// What `range` goes over.
    fn fields(&self) -> Fields {
        Fields::new()
    }

    /// What is printed.
    fn text(&self) -> String {
        self.type_name().to_owned()
    }
}

impl Go {
    pub(super) fn text(text: impl AsRef<str>) -> Self {
        Self::Text(text.as_ref().into())
    }

    pub(super) fn map(fields: Fields) -> Self {
        Self::Map(Rc::new(RefCell::new(fields)))
    }

    pub(super) fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// Whether conditions hold for it.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(flag) => *flag,
            Self::Int(number) | Self::Int64(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(fields) => !fields.borrow().is_empty(),
            Self::Object(_) => true,
        }
    }

    /// Go's word for its kind.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Object(_) => "struct",
        }
    }

    /// Go's name of its type, as `%T` prints it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
            Self::Object(object) => object.type_name(),
            other => other.kind(),
        }
    }

    /// What gotmpl formats. It writes floats within others in a way of its own, so that they are
    /// text there.
    pub(super) fn plain(&self) -> Plain {
        let inner = |value: &Self| match value {
            Self::Float(number) => Plain::String(float(*number).into()),
            other => other.plain(),
        };
        match self {
            Self::Nil => Plain::Nil,
            Self::Bool(flag) => Plain::Bool(*flag),
            Self::Int(number) | Self::Int64(number) => Plain::Int(*number),
            Self::Float(number) => Plain::Float(*number),
            Self::Text(text) => Plain::String((&**text).into()),
            Self::List(items) => Plain::List(items.iter().map(inner).collect()),
            Self::Map(fields) => {
                let fields = fields.borrow();
                let fields = fields.iter().map(|(key, value)| ((&**key).into(), inner(value)));
                Plain::Map(std::sync::Arc::new(fields.collect()))
            }
            Self::Object(object) => Plain::String(object.text().into()),
        }
    }

    /// Go's `reflect.DeepEqual`.
    pub(super) fn is_equal(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) | (Self::Int64(a), Self::Int64(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.is_equal(b))
            }
            (Self::Map(a), Self::Map(b)) => {
                let (a, b) = (a.borrow(), b.borrow());
                let is_in = |key: &Rc<str>, it: &Self| b.get(key).is_some_and(|b| it.is_equal(b));
                a.len() == b.len() && a.iter().all(|(key, it)| is_in(key, it))
            }
            _ => false,
        }
    }

    /// The same in mappings and lists of its own.
    pub(super) fn deep_copy(&self) -> Self {
        match self {
            Self::List(items) => Self::list(items.iter().map(Self::deep_copy)),
            Self::Map(fields) => {
                let fields = fields.borrow();
                let copy = fields.iter().map(|(key, it)| (Rc::clone(key), it.deep_copy()));
                Self::map(copy.collect())
            }
            other => other.clone(),
        }
    }

    /// Whether all that is in it can be looked at: `set` can put a mapping into itself, and one
    /// that is twice in another, which is twice in another, has no end either.
    pub(super) fn is_bounded(&self) -> bool {
        fn within(value: &Go, depth: usize, parts: &mut usize) -> bool {
            if depth == 0 || *parts == 0 {
                return false;
            }
            *parts -= 1;
            match value {
                Go::List(items) => items.iter().all(|it| within(it, depth - 1, parts)),
                Go::Map(fields) => fields.borrow().values().all(|it| within(it, depth - 1, parts)),
                _ => true,
            }
        }
        within(self, MAX_DEPTH, &mut MAX_PARTS.clone())
    }

    /// The value as JSON, as Go writes it.
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Nil => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Int(number) | Self::Int64(number) => Value::from(*number),
            Self::Float(number) => json_number(*number),
            Self::Text(text) => Value::from(&**text),
            Self::List(items) => items.iter().map(Self::json).collect(),
            Self::Map(fields) => {
                let fields = fields.borrow();
                let fields: Map<String, Value> =
                    fields.iter().map(|(key, it)| (key.to_string(), it.json())).collect();
                Value::Object(fields)
            }
            Self::Object(object) => Value::Object(
                object.fields().iter().map(|(key, it)| (key.to_string(), it.json())).collect(),
            ),
        }
    }
}

/// A float as `%v` and YAML write it (Go, `strconv.FormatFloat` with `g` and as few digits as can be).
pub(super) fn float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return if number.is_nan() {
            "NaN".to_owned()
        } else {
            format!("{number:+}").replace("inf", "Inf")
        };
    };
    match exponent.parse::<i32>() {
        Ok(LEAST_EXPONENT..=MOST_EXPONENT) => number.to_string(),
        Ok(exponent) => {
            format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
        }
        Err(_) => scientific,
    }
}

/// A float without its point where it is whole.
fn json_number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < MOST_WITHOUT_EXPONENT {
        // It has no fraction, and its digits are within those that an i128 has.
        #[expect(clippy::cast_possible_truncation)]
        let whole = number as i128;
        let small = i64::try_from(whole).map(Number::from);
        let large = u64::try_from(whole).map(Number::from);
        if let Ok(whole) = small.or(large) {
            return Value::Number(whole);
        }
    }
    Value::from(number)
}

impl From<&Value> for Go {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nil,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => Self::Float(number.as_f64().unwrap_or_default()),
            Value::String(text) => Self::text(text),
            Value::Array(items) => Self::list(items.iter().map(Self::from)),
            Value::Object(fields) => {
                Self::map(fields.iter().map(|(key, it)| (key.as_str().into(), it.into())).collect())
            }
        }
    }
}

/// As `%v` prints it.
impl fmt::Display for Go {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Object(object) => f.write_str(&object.text()),
            other if !other.is_bounded() => f.write_str("…"),
            Self::Float(number) => f.write_str(&float(*number)),
            other => write!(f, "{}", other.plain()),
        }
    }
}
