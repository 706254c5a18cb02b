//! Pieces of Go templates.

/// What Go prints for a value that is not there. Helm takes it out of everything that it renders,
/// whoever wrote it (helm, `pkg/engine/engine.go`).
pub(super) const NO_VALUE: &str = "<no value>";

/// The same to YAML between double quotes, where Helm does not see it.
pub(super) const NO_VALUE_ESCAPED: &str = r"\x3cno value>";

/// `pipeline`, which prints texts in double quotes, so that Helm leaves them what they are.
pub(super) fn keeping_no_value(pipeline: &str) -> String {
    format!("{pipeline} | replace {} {}", literal(NO_VALUE), literal(NO_VALUE_ESCAPED))
}

/// `text` as a Go string literal.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The field `key` of `base`: `base.key` where Go can read that, else `index base "key"`.
pub(super) fn field(base: &str, key: &str) -> String {
    if is_identifier(key) {
        format!("{base}.{key}")
    } else {
        format!("index {base} {}", literal(key))
    }
}

/// `pipeline` as an argument of a function.
pub(super) fn argument(pipeline: &str) -> String {
    if pipeline.contains(' ') { format!("({pipeline})") } else { pipeline.to_owned() }
}

/// Whether `key` may follow a dot.
fn is_identifier(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The entry `key` of a section of the values. Always by `index`: the keys are object names.
pub(super) fn entry(section: &str, key: &str) -> String {
    format!("index .Values.{section} {}", literal(key))
}

/// The condition that a value was not set to null.
pub(super) fn is_set(value: &str) -> String {
    format!("if not (kindIs \"invalid\" {value})")
}

/// A call of one of the chart's own helpers.
pub(super) fn include(chart: &str, helper: &str, argument: &str) -> String {
    format!("include {} {argument}", literal(&format!("{chart}.{helper}")))
}
