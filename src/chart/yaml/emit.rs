//! From trees to text.

use super::scalar::{self, Style};
use super::{Field, Node, Part, Row};

/// Spaces for each level, in mappings and in sequences.
const STEP: usize = 2;

/// Width that comments are wrapped to.
const WIDTH: usize = 96;

/// Longest key that is written as `key:`. libyaml gives up looking for the colon after 1024 bytes.
const LONGEST_SIMPLE_KEY: usize = 512;

struct Emitter {
    out: String,
    /// Whether Helm renders the text, so that braces of users must be made inert.
    rendered: bool,
}

/// What can stand in a row.
trait Emit {
    /// Writes it at `indent`, from the beginning of a line.
    fn emit(&self, emitter: &mut Emitter, indent: usize);
}

/// A file that nobody renders: `values.yaml`, `Chart.yaml`, `images.lock`.
pub fn document(node: &Node) -> String {
    emit(node, false)
}

/// A file that Helm renders: braces in text are inert.
pub fn template(node: &Node) -> String {
    emit(node, true)
}

fn emit(node: &Node, rendered: bool) -> String {
    let mut emitter = Emitter { out: String::new(), rendered };
    match node {
        Node::Map(rows) if !rows.is_empty() => emitter.rows(rows, 0),
        Node::List(rows) if !rows.is_empty() => emitter.rows(rows, 0),
        other => {
            emitter.value(other, 0);
            emitter.out = emitter.out.trim_start_matches(' ').to_owned();
        }
    }
    emitter.out
}

impl Emit for Field {
    fn emit(&self, emitter: &mut Emitter, indent: usize) {
        emitter.pad(indent);
        emitter.field(self, indent);
    }
}

impl Emit for Node {
    fn emit(&self, emitter: &mut Emitter, indent: usize) {
        emitter.pad(indent);
        emitter.out.push('-');
        match self {
            // `- key: value`, the other fields below the first.
            Self::Map(rows) => match rows.split_first() {
                Some((Row::One(first), rest)) => {
                    emitter.out.push(' ');
                    emitter.field(first, indent + STEP);
                    emitter.rows(rest, indent + STEP);
                }
                _ => emitter.value(self, indent),
            },
            _ => emitter.value(self, indent),
        }
    }
}

impl Emitter {
    fn pad(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    fn line(&mut self, indent: usize, text: &str) {
        self.pad(indent);
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// User text, made inert where Helm renders.
    fn text(&mut self, text: &str) {
        if self.rendered {
            self.out.push_str(&scalar::inert(text));
        } else {
            self.out.push_str(text);
        }
    }

    /// User text between double quotes.
    fn double(&mut self, text: &str) {
        let escaped = scalar::escape(text, self.rendered);
        self.text(&format!("\"{escaped}\""));
    }

    fn rows<T: Emit>(&mut self, rows: &[Row<T>], indent: usize) {
        for row in rows {
            match row {
                Row::One(one) => one.emit(self, indent),
                Row::When { head, rows } => {
                    self.line(indent, &trimming(head));
                    self.rows(rows, indent);
                    self.line(indent, "{{- end }}");
                }
                Row::Rows(pipeline) => self.block(pipeline, indent),
                Row::Action(action) => self.line(indent, &trimming(action)),
                Row::Comment(comment) => self.comment(comment, indent),
                // After a block that keeps its empty lines this one would be its text.
                Row::Blank if self.out.ends_with("\n\n") => {}
                Row::Blank => self.out.push('\n'),
            }
        }
    }

    fn block(&mut self, pipeline: &str, indent: usize) {
        self.line(indent, &trimming(&format!("{pipeline} | nindent {indent}")));
    }

    fn comment(&mut self, comment: &str, indent: usize) {
        for paragraph in comment.lines() {
            for line in wrap(paragraph, WIDTH.saturating_sub(indent + 2)) {
                self.pad(indent);
                self.out.push('#');
                if !line.is_empty() {
                    self.out.push(' ');
                    self.text(&line);
                }
                self.out.push('\n');
            }
        }
    }

    /// A field whose indentation is already written.
    fn field(&mut self, field: &Field, indent: usize) {
        let start = self.out.len();
        match scalar::style(&field.key, self.rendered) {
            Style::Plain => self.text(&field.key),
            Style::Double | Style::Literal => self.double(&field.key),
        }
        if self.out.len() - start > LONGEST_SIMPLE_KEY {
            self.out.insert_str(start, "? ");
            self.out.push('\n');
            self.pad(indent);
        }
        self.out.push(':');
        self.value(&field.value, indent);
    }

    /// A value after `key:` or `-` at `indent`, to the end of its last line.
    fn value(&mut self, node: &Node, indent: usize) {
        match node {
            Node::Map(rows) if rows.is_empty() => self.out.push_str(" {}\n"),
            Node::List(rows) if rows.is_empty() => self.out.push_str(" []\n"),
            Node::Map(rows) => {
                self.out.push('\n');
                self.rows(rows, indent + STEP);
            }
            Node::List(rows) => {
                self.out.push('\n');
                self.rows(rows, indent + STEP);
            }
            Node::Block(pipeline) => {
                self.out.push('\n');
                self.block(pipeline, indent + STEP);
            }
            Node::Str(text) if scalar::style(text, self.rendered) == Style::Literal => {
                self.literal(text, indent);
            }
            scalar => {
                self.out.push(' ');
                self.inline(scalar);
                self.out.push('\n');
            }
        }
    }

    /// A scalar that stays on its line.
    fn inline(&mut self, node: &Node) {
        match node {
            Node::Str(text) if scalar::style(text, self.rendered) == Style::Plain => {
                self.text(text);
            }
            Node::Str(text) => self.double(text),
            Node::Num(number) => self.out.push_str(&scalar::number(number)),
            Node::Bool(bool) => self.out.push_str(if *bool { "true" } else { "false" }),
            Node::Expr(pipeline) => self.out.push_str(&action(pipeline)),
            Node::Text(parts) => self.parts(parts),
            Node::Null | Node::Map(_) | Node::List(_) | Node::Block(_) => self.out.push_str("null"),
        }
    }

    fn parts(&mut self, parts: &[Part]) {
        self.out.push('"');
        for part in parts {
            match part {
                Part::Literal(text) => self.text(&scalar::escape(text, self.rendered)),
                Part::Expr(pipeline) => {
                    // `{` before `{{` would make Go see `{{` one character early.
                    if self.out.ends_with('{') {
                        self.out.pop();
                        self.out.push_str(r#"{{ "{" }}"#);
                    }
                    self.out.push_str(&action(pipeline));
                }
            }
        }
        self.out.push('"');
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.out.push(' ');
        self.out.push_str(&scalar::literal_header(text));
        self.out.push('\n');
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            if !line.is_empty() {
                self.pad(indent + STEP);
                self.text(line);
            }
            self.out.push('\n');
        }
    }
}

/// An action that prints where it stands.
fn action(pipeline: &str) -> String {
    format!("{{{{ {pipeline} }}}}")
}

/// An action on a line of its own, without that line.
fn trimming(action: &str) -> String {
    format!("{{{{- {action} }}}}")
}

/// `text` in lines of at most `width` characters, cut between words.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        let length = line.chars().count();
        if length > 0 && length + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
            continue;
        }
        if length > 0 {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}
