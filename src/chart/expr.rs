//! Pieces of Go templates.

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
