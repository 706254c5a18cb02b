//! Texts.

use super::super::value::Fields;
use super::{Answer, Function, Go, at, int, items, lists, repeated, shown, texts, word};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("base", |args| Ok(Go::text(base(word(args, 0)?)))),
    ("camelcase", |args| Ok(Go::text(camel(word(args, 0)?)))),
    ("cat", |args| {
        let given = args.iter().filter(|arg| !matches!(arg, Go::Nil)).map(Go::to_string);
        Ok(Go::text(given.collect::<Vec<_>>().join(" ")))
    }),
    ("clean", |args| Ok(Go::text(clean(word(args, 0)?)))),
    ("contains", |args| Ok(Go::Bool(word(args, 1)?.contains(word(args, 0)?)))),
    ("dir", |args| {
        let path = word(args, 0)?;
        Ok(Go::text(clean(&path[..path.rfind('/').map_or(0, |at| at + 1)])))
    }),
    ("ext", |args| {
        let name = word(args, 0)?.rsplit('/').next().unwrap_or_default();
        Ok(Go::text(name.rfind('.').map_or("", |at| &name[at..])))
    }),
    ("hasPrefix", |args| Ok(Go::Bool(word(args, 1)?.starts_with(word(args, 0)?)))),
    ("hasSuffix", |args| Ok(Go::Bool(word(args, 1)?.ends_with(word(args, 0)?)))),
    ("indent", |args| Ok(Go::text(indented(args)?))),
    ("join", lists::join),
    ("kebabcase", |args| Ok(Go::text(parted(word(args, 0)?, '-')))),
    ("lower", |args| Ok(Go::text(word(args, 0)?.to_lowercase()))),
    ("nindent", |args| Ok(Go::text(format!("\n{}", indented(args)?)))),
    ("nospace", |args| Ok(Go::text(without_space(word(args, 0)?)))),
    ("plural", |args| Ok(at(args, usize::from(int(args, 2)? != 1))?.clone())),
    ("quote", |args| Ok(Go::text(quoted(args, go_quoted)))),
    ("repeat", |args| repeated(word(args, 1)?, int(args, 0)?).map(Go::text)),
    ("replace", |args| Ok(Go::text(word(args, 2)?.replace(word(args, 0)?, word(args, 1)?)))),
    ("snakecase", |args| Ok(Go::text(parted(word(args, 0)?, '_')))),
    ("split", |args| Ok(numbered(word(args, 1)?.split(word(args, 0)?)))),
    ("splitList", |args| Ok(texts(word(args, 1)?.split(word(args, 0)?).map(str::to_owned)))),
    ("splitn", |args| {
        let most = usize::try_from(int(args, 1)?).unwrap_or(usize::MAX);
        Ok(numbered(word(args, 2)?.splitn(most, word(args, 0)?)))
    }),
    ("squote", |args| Ok(Go::text(quoted(args, |text| format!("'{text}'"))))),
    ("substr", substring),
    ("title", |args| Ok(Go::text(titled(word(args, 0)?)))),
    ("toString", |args| Ok(Go::text(shown(args, 0)?))),
    ("toStrings", |args| Ok(texts(items(args, 0)?.iter().map(Go::to_string)))),
    ("trim", |args| Ok(Go::text(word(args, 0)?.trim()))),
    ("trimAll", |args| Ok(Go::text(word(args, 1)?.trim_matches(&*letters(args)?)))),
    ("trimPrefix", |args| {
        Ok(Go::text(without(word(args, 1)?.strip_prefix(word(args, 0)?), args)?))
    }),
    ("trimSuffix", |args| {
        Ok(Go::text(without(word(args, 1)?.strip_suffix(word(args, 0)?), args)?))
    }),
    ("trunc", truncated),
    ("untitle", |args| Ok(Go::text(untitled(word(args, 0)?)))),
    ("upper", |args| Ok(Go::text(word(args, 0)?.to_uppercase()))),
];

fn letters(args: &[Go]) -> Result<Vec<char>, String> {
    word(args, 0).map(|cut| cut.chars().collect())
}

fn without<'a>(rest: Option<&'a str>, args: &'a [Go]) -> Result<&'a str, String> {
    rest.map_or_else(|| word(args, 1), Ok)
}

fn indented(args: &[Go]) -> Result<String, String> {
    let (pad, text) = (repeated(" ", int(args, 0)?)?, word(args, 1)?);
    // Each line gets the pad.
    repeated(&pad, text.matches('\n').count().try_into().unwrap_or(i64::MAX))?;
    Ok(format!("{pad}{}", text.replace('\n', &format!("\n{pad}"))))
}

/// Sprig's goes byte by byte, and takes each for a character where it takes any out.
fn without_space(text: &str) -> String {
    let is_space = |byte: u8| char::from(byte).is_whitespace();
    if text.bytes().any(is_space) {
        text.bytes().filter(|byte| !is_space(*byte)).map(char::from).collect()
    } else {
        text.to_owned()
    }
}

fn numbered<'a>(parts: impl Iterator<Item = &'a str>) -> Go {
    let parts = parts.enumerate().map(|(at, part)| (format!("_{at}").into(), Go::text(part)));
    Go::map(parts.collect::<Fields>())
}

/// The first bytes, or with a number below 0 the last ones.
fn truncated(args: &[Go]) -> Answer {
    let (most, text) = (int(args, 0)?, word(args, 1)?);
    let size = usize::try_from(most.unsigned_abs()).unwrap_or(usize::MAX);
    if size >= text.len() {
        return Ok(Go::text(text));
    }
    let part = if most < 0 { text.get(text.len() - size..) } else { text.get(..size) };
    part.map(Go::text).ok_or_else(|| "it cuts a character".to_owned())
}

fn substring(args: &[Go]) -> Answer {
    let text = word(args, 2)?;
    let (start, end) = (usize::try_from(int(args, 0)?), usize::try_from(int(args, 1)?));
    let end = end.unwrap_or(text.len()).min(text.len());
    text.get(start.unwrap_or(0)..end).map(Go::text).ok_or_else(|| "it is out of range".to_owned())
}

fn quoted(args: &[Go], quote: fn(&str) -> String) -> String {
    let given = args.iter().filter(|arg| !matches!(arg, Go::Nil));
    given.map(|arg| quote(&arg.to_string())).collect::<Vec<_>>().join(" ")
}

/// The last part of a path (Go, `path`).
fn base(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit('/').next() {
        Some("") | None if path.starts_with('/') => "/",
        Some("") | None => ".",
        Some(name) => name,
    }
}

/// The shortest way to write a path (Go, `path`).
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", Some(last)) if *last != ".." => _ = parts.pop(),
            ("..", None) if path.starts_with('/') => {}
            (part, _) => parts.push(part),
        }
    }
    match (path.starts_with('/'), parts.join("/")) {
        (true, path) => format!("/{path}"),
        (false, path) if path.is_empty() => ".".to_owned(),
        (false, path) => path,
    }
}

fn titled(text: &str) -> String {
    let mut before = ' ';
    let mut titled = String::with_capacity(text.len());
    for c in text.chars() {
        let is_start = !(before.is_alphanumeric() || before == '_' || before == '\'');
        match is_start {
            true => titled.extend(c.to_uppercase()),
            false => titled.push(c),
        }
        before = c;
    }
    titled
}

/// The first letter of each word small (goutils, `Uncapitalize`).
pub(super) fn untitled(text: &str) -> String {
    let mut is_start = true;
    let mut untitled = String::with_capacity(text.len());
    for c in text.chars() {
        match is_start {
            true => untitled.extend(c.to_lowercase()),
            false => untitled.push(c),
        }
        is_start = c.is_whitespace();
    }
    untitled
}

/// Words apart from each other and small: where a capital follows a small letter or a digit, or
/// ends a row of capitals.
fn parted(text: &str, separator: char) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut parted = String::new();
    for (at, c) in letters.iter().copied().enumerate() {
        if c.is_whitespace() || matches!(c, '-' | '_' | '.') {
            parted.push(separator);
            continue;
        }
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(at + 1);
        let is_end = after.is_some_and(|after| after.is_lowercase());
        let follows = before.is_some_and(|it| it.is_lowercase() || it.is_ascii_digit());
        let ends_row = before.is_some_and(char::is_uppercase) && is_end;
        if c.is_uppercase() && (follows || ends_row) {
            parted.push(separator);
        }
        parted.extend(c.to_lowercase());
    }
    parted
}

fn camel(text: &str) -> String {
    let words = text.split(['-', '_', ' ']).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|first| first.to_uppercase().to_string());
            first.unwrap_or_default() + letters.as_str()
        })
        .collect()
}

/// Go's `%q`. Escapes that only differ from Go's in where they are used mean the same to YAML.
fn go_quoted(text: &str) -> String {
    use std::fmt::Write as _;
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        // Writing to a String cannot fail.
        let _ = match (c, u32::from(c)) {
            ('"' | '\\', _) => write!(quoted, "\\{c}"),
            ('\n', _) => quoted.write_str("\\n"),
            ('\r', _) => quoted.write_str("\\r"),
            ('\t', _) => quoted.write_str("\\t"),
            ('\'', _) => quoted.write_char(c),
            (c, _) if c.escape_debug().len() == 1 => quoted.write_char(c),
            (_, code @ ..0x80) => write!(quoted, "\\x{code:02x}"),
            (_, code @ ..0x1_0000) => write!(quoted, "\\u{code:04x}"),
            (_, code) => write!(quoted, "\\U{code:08x}"),
        };
    }
    quoted.push('"');
    quoted
}
