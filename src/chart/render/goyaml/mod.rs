//! YAML as helm's `toYaml` writes it (sigs.k8s.io/yaml, `goyaml.v2/emitterc.go`), byte by byte:
//! charts print digests of what they render.

mod scalar;
mod sort;

use serde_json::{Map, Value};

use scalar::Style;

/// Spaces for each level.
const STEP: usize = 2;

/// Where lines are folded at the next space.
const WIDTH: usize = 80;

/// Longest key that is written as `key:`.
const LONGEST_SIMPLE_KEY: usize = 128;

/// The order in which fields are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// By key, as of Go's maps.
    Sorted,
    /// As they are, as of Go's structs.
    Given,
}

/// A value, without the line feed at its end.
pub(in crate::chart) fn text(value: &Value) -> String {
    write(value, Order::Sorted)
}

/// The same with fields in the order that they have.
pub fn text_in_order(value: &Value) -> String {
    write(value, Order::Given)
}

fn write(value: &Value, order: Order) -> String {
    let mut writer = Writer { out: String::new(), order };
    match value {
        Value::Object(fields) if !fields.is_empty() => writer.mapping(fields, 0),
        Value::Array(items) if !items.is_empty() => writer.sequence(items, 0),
        scalar => writer.scalar(scalar, STEP, false),
    }
    let text = writer.out;
    text.strip_suffix('\n').map(str::to_owned).unwrap_or(text)
}

struct Writer {
    out: String,
    order: Order,
}

impl Writer {
    fn pad(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    fn column(&self) -> usize {
        let line = self.out.rfind('\n').map_or(0, |at| at + 1);
        self.out[line..].chars().count()
    }

    /// Fields at `indent`; the first stands where the line is.
    fn mapping(&mut self, fields: &Map<String, Value>, indent: usize) {
        let fields = match self.order {
            Order::Sorted => sort::sorted(fields),
            Order::Given => fields.iter().map(|(key, value)| (key.as_str(), value)).collect(),
        };
        for (at, (key, value)) in fields.into_iter().enumerate() {
            if at > 0 {
                self.pad(indent);
            }
            if key.len() <= LONGEST_SIMPLE_KEY && !key.contains('\n') {
                self.scalar(&Value::from(key), indent + STEP, true);
                self.out.push(':');
                self.field(value, indent);
            } else {
                self.out.push('?');
                self.item(&Value::from(key), indent);
                self.pad(indent);
                self.out.push(':');
                self.item(value, indent);
            }
        }
    }

    fn field(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                self.out.push('\n');
                self.pad(indent + STEP);
                self.mapping(fields, indent + STEP);
            }
            // Lists stand below their key.
            Value::Array(items) if !items.is_empty() => {
                self.out.push('\n');
                self.pad(indent);
                self.sequence(items, indent);
            }
            scalar => self.line(scalar, indent + STEP),
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.pad(indent);
            }
            self.out.push('-');
            self.item(item, indent);
        }
    }

    /// A value that starts behind `-`, `?` or `:` on the same line.
    fn item(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                self.out.push(' ');
                self.mapping(fields, indent + STEP);
            }
            Value::Array(items) if !items.is_empty() => {
                self.out.push(' ');
                self.sequence(items, indent + STEP);
            }
            scalar => self.line(scalar, indent + STEP),
        }
    }

    fn line(&mut self, scalar: &Value, indent: usize) {
        self.out.push(' ');
        self.scalar(scalar, indent, false);
        if !self.out.ends_with('\n') || !scalar.is_string() {
            self.out.push('\n');
        }
    }

    fn scalar(&mut self, value: &Value, indent: usize, is_key: bool) {
        match value {
            Value::String(text) => match scalar::style(text, is_key) {
                Style::Plain => self.folded(text, indent, is_key, false),
                Style::Single => self.single(text, indent, is_key),
                Style::Double => self.double(text, indent, is_key),
                Style::Literal => self.literal(text, indent),
            },
            Value::Number(number) => self.out.push_str(&scalar::number(number)),
            Value::Object(_) => self.out.push_str("{}"),
            Value::Array(_) => self.out.push_str("[]"),
            other => self.out.push_str(&other.to_string()),
        }
    }

    fn fold(&mut self, indent: usize) {
        self.out.push('\n');
        self.pad(indent);
    }

    /// Text that is cut at single spaces once the line is long.
    fn folded(&mut self, text: &str, indent: usize, is_key: bool, is_quoted: bool) {
        let letters: Vec<char> = text.chars().collect();
        let mut spaces = false;
        for (at, c) in letters.iter().copied().enumerate() {
            if c == ' ' {
                let is_inside = !is_quoted || (at > 0 && at + 1 < letters.len());
                let is_single = letters.get(at + 1) != Some(&' ');
                if !is_key && !spaces && is_inside && is_single && self.column() > WIDTH {
                    self.fold(indent);
                } else {
                    self.out.push(c);
                }
                spaces = true;
                continue;
            }
            spaces = false;
            if is_quoted && c == '\'' {
                self.out.push(c);
            }
            self.out.push(c);
        }
    }

    fn single(&mut self, text: &str, indent: usize, is_key: bool) {
        self.out.push('\'');
        self.folded(text, indent, is_key, true);
        self.out.push('\'');
    }

    fn double(&mut self, text: &str, indent: usize, is_key: bool) {
        let letters: Vec<char> = text.chars().collect();
        let mut spaces = false;
        self.out.push('"');
        for (at, c) in letters.iter().copied().enumerate() {
            if c != ' ' {
                spaces = false;
                scalar::escape(&mut self.out, c);
                continue;
            }
            let is_inside = at > 0 && at + 1 < letters.len();
            if !is_key && !spaces && is_inside && self.column() > WIDTH {
                self.fold(indent);
                if letters[at + 1] == ' ' {
                    self.out.push('\\');
                }
            } else {
                self.out.push(c);
            }
            spaces = true;
        }
        self.out.push('"');
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.out.push_str(scalar::literal_header(text));
        self.out.push('\n');
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            if !line.is_empty() {
                self.pad(indent);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests;
