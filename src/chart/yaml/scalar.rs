//! Scalars: which style keeps a text what it is for every reader that a chart meets (Helm's
//! goyaml, kubectl, YAML 1.2 parsers).

use std::fmt::Write as _;

use serde_json::Number;

use crate::chart::expr::{NO_VALUE, NO_VALUE_ESCAPED};

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As it is.
    Plain,
    /// In double quotes with escapes.
    Double,
    /// As a literal block.
    Literal,
}

/// Words that some reader takes for a boolean, null, merge or default value (YAML 1.1 types).
const WORDS: [&str; 12] =
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "<<", "="];

/// Characters that open something else than a plain scalar. `-` is dealt with apart.
const INDICATORS: &[char] = &[
    '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', '<',
    '=', '~',
];

/// The style for `text`, in a file that Helm renders or in one that it only reads.
pub(super) fn style(text: &str, rendered: bool) -> Style {
    if rendered && text.contains(NO_VALUE) {
        Style::Double
    } else if fits_literal(text) && (!rendered || survives_trimming(text)) {
        Style::Literal
    } else if is_plain(text) {
        Style::Plain
    } else {
        Style::Double
    }
}

/// Whether `text` means itself without quotes. Doubt is answered with quotes.
pub(super) fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    text.chars().all(|c| c == ' ' || c.is_ascii_graphic())
        && text.trim() == text
        && !INDICATORS.contains(&first)
        && !text.starts_with("- ")
        && !["---", "..."].iter().any(|marker| text.starts_with(marker))
        && text != "-"
        && !text.contains(": ")
        && !text.ends_with(':')
        && !text.contains(" #")
        && !text.contains("{{")
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
        && !looks_numeric(text)
}

/// Whether some reader may take `text` for a number or a date: `0777`, `0o17`, `0x1F`, `1_000`,
/// `0b101`, `1e3`, `12:30`, `2001-01-01T00:00:00Z`, `1.20`, `.5`, `-.inf`, `.NaN`.
fn looks_numeric(text: &str) -> bool {
    let unsigned = text.trim_start_matches(['+', '-']);
    let body = unsigned.trim_start_matches('.');
    if body.eq_ignore_ascii_case("inf") || body.eq_ignore_ascii_case("nan") {
        return true;
    }
    body.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_hexdigit() || "xXoO_.,:+-tTzZ ".contains(c))
}

/// Whether `text` has several lines and comes back from a literal block as it went in.
fn fits_literal(text: &str) -> bool {
    let body = text.trim_end_matches('\n');
    let first = body.trim_start_matches('\n');
    let last = body.rsplit('\n').next().unwrap_or_default();
    text.contains('\n')
        && !last.trim().is_empty()
        && !first.lines().next().unwrap_or_default().trim().is_empty()
        && !first.starts_with('\t') // libyaml finds no indentation there
        && text.chars().all(|c| c == '\n' || c == '\t' || is_printable(c))
}

/// Whether a literal block of `text` stays what it is where a template action trims the white
/// space before it, and at the end of a document, which Helm trims.
fn survives_trimming(text: &str) -> bool {
    !text.ends_with("\n\n") && text.split('\n').all(|line| !line.ends_with([' ', '\t']))
}

/// Whether a reader sees the character, and YAML takes it as it is. The standard library knows
/// which characters are printed as escapes: controls, line separators, formats, private use.
fn is_printable(c: char) -> bool {
    c == '\'' || c == '"' || c == '\\' || c.escape_debug().len() == 1
}

/// `text` as it stands between double quotes, in a file that Helm renders or in one that it only
/// reads.
pub(super) fn escape(text: &str, rendered: bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            // Writing to a String cannot fail.
            c if u32::from(c) < 0x100 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if u32::from(c) < 0x1_0000 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    if rendered { out.replace(NO_VALUE, NO_VALUE_ESCAPED) } else { out }
}

/// The header of a literal block: an indentation indicator if the text starts with a space, `-`
/// if it ends without a line feed, `+` if with several.
pub(super) fn literal_header(text: &str) -> String {
    let first = text.lines().find(|line| !line.is_empty()).unwrap_or_default();
    let indent = if first.starts_with(' ') { "2" } else { "" };
    let chomp = match text.strip_suffix('\n') {
        None => "-",
        Some(rest) if rest.ends_with('\n') => "+",
        Some(_) => "",
    };
    format!("|{indent}{chomp}")
}

/// A number as YAML 1.1 and 1.2 both read it: floats with a point and a signed exponent, without
/// which YAML 1.1 sees text.
pub(super) fn number(number: &Number) -> String {
    let text = number.to_string();
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return text };
    let mantissa =
        if mantissa.contains('.') { mantissa.to_owned() } else { format!("{mantissa}.0") };
    let exponent =
        if exponent.starts_with(['+', '-']) { exponent.to_owned() } else { format!("+{exponent}") };
    format!("{mantissa}e{exponent}")
}

/// `text` as Go's template engine prints it unchanged: what opens an action becomes an action
/// that prints it. `}}` outside of an action is text to Go.
pub(crate) fn inert(text: &str) -> String {
    text.replace("{{", r#"{{ "{{" }}"#)
}
