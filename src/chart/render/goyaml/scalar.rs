//! How scalars are written (`goyaml.v2/encode.go`, `resolve.go` and `emitterc.go`).

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Number;

use super::super::value::float;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// Words of YAML 1.1 that are no text.
const WORDS: [&str; 21] = [
    "y", "yes", "on", "true", "n", "no", "off", "false", "null", "~", "", ".nan", ".inf", "+.inf",
    "-.inf", "Y", "N", ".NaN", ".NAN", ".Inf", ".INF",
];

/// Numbers, dates and times of day (base 60). `1e400` is text to Go, as it has no number that large,
/// and a number to others: it is quoted here.
static NUMERIC: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let numbers = [
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?",
        r"[-+]?0[xX][0-9a-fA-F]+",
        r"[-+]?0[oO]?[0-7]+",
        r"[-+]?0[bB][01]+",
        r"[-+]?\.(inf|Inf|INF)",
    ];
    Regex::new(&format!("^(?:{})$", numbers.join("|"))).ok()
});
static TIMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let times = [
        r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?",
        r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
        r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})?",
    ];
    Regex::new(&format!("^(?:{})$", times.join("|"))).ok()
});

/// The style of a text.
pub(super) fn style(text: &str, is_key: bool) -> Style {
    let analysis = Analysis::new(text);
    if text.contains('\n') {
        return if analysis.block && !is_key { Style::Literal } else { Style::Double };
    }
    match () {
        () if is_something_else(text) => Style::Double,
        () if analysis.plain => Style::Plain,
        () if analysis.single => Style::Single,
        () => Style::Double,
    }
}

/// Whether a reader takes the text for something else when it is not quoted.
fn is_something_else(text: &str) -> bool {
    let is = |pattern: &LazyLock<Option<Regex>>, text: &str| {
        pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
    };
    let first = text.chars().next();
    let is_word = |word: &str| {
        let title = |word: &str| {
            let (first, rest) = word.split_at(word.len().min(1));
            format!("{}{rest}", first.to_uppercase())
        };
        word == text || word.to_uppercase() == text || title(word) == text
    };
    WORDS.iter().any(|word| is_word(word))
        || (first.is_some_and(|c| c.is_ascii_digit() || "+-.".contains(c))
            && (is(&NUMERIC, &text.replace('_', "")) || (is(&TIMES, text) && is_possible(text))))
}

/// Whether a date is one of the calendar; times of day always are.
fn is_possible(text: &str) -> bool {
    let mut parts = text.split(['-', 'T', 't', ' ']).map(str::parse::<i16>);
    match (text.find('-'), parts.next(), parts.next(), parts.next()) {
        (Some(4), Some(Ok(year)), Some(Ok(month)), Some(Ok(day))) => {
            let (month, day) = (i8::try_from(month), i8::try_from(day));
            month.is_ok_and(|month| {
                day.is_ok_and(|day| jiff::civil::Date::new(year, month, day).is_ok())
            })
        }
        _ => true,
    }
}

/// What a text can be written as.
struct Analysis {
    plain: bool,
    single: bool,
    block: bool,
}

impl Analysis {
    fn new(text: &str) -> Self {
        let is_break = |c: char| matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}');
        let letters: Vec<char> = text.chars().collect();
        let (first, last) = (letters.first().copied(), letters.last().copied());
        let special = letters.iter().any(|c| !is_printable(*c));
        let pair =
            |wanted: fn(char, char) -> bool| letters.windows(2).any(|it| wanted(it[0], it[1]));
        let is_end = |c: Option<char>| c.is_some_and(|c| c == ' ' || is_break(c));
        let lines = letters.iter().any(|c| is_break(*c));
        let break_space = letters.windows(2).any(|it| is_break(it[0]) && it[1] == ' ');
        let space_break = letters.windows(2).any(|it| it[0] == ' ' && is_break(it[1]));
        let followed = |at: usize| letters.get(at + 1).is_none_or(|c| matches!(c, ' ' | '\t'));
        let starts = match first {
            Some('-' | '?' | ':') => followed(0),
            Some(c) => "#,[]{}&*!|>'\"%@`".contains(c),
            None => false,
        };
        let colon = (1..letters.len()).any(|at| letters[at] == ':' && followed(at));
        let comment = pair(|a, b| matches!(a, ' ' | '\t' | '\r' | '\n') && b == '#');
        let marked = text.starts_with("---") || text.starts_with("...");
        let outer = is_end(first) || is_end(last);
        let spoilt = space_break || special;
        Self {
            plain: !(outer
                || break_space
                || spoilt
                || lines
                || starts
                || colon
                || comment
                || marked),
            single: !(break_space || spoilt),
            block: !(last == Some(' ') || spoilt),
        }
    }
}

/// Characters that are written as they are.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && c != '\u{feff}'
}

/// A character between double quotes.
pub(super) fn escape(out: &mut String, c: char) {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' | '\\' => c,
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c if is_printable(c) => return out.push(c),
        c => {
            // Writing to a String cannot fail.
            let _ = match u32::from(c) {
                code @ ..=0xff => write!(out, "\\x{code:02X}"),
                code @ ..=0xffff => write!(out, "\\u{code:04X}"),
                code => write!(out, "\\U{code:08X}"),
            };
            return;
        }
    };
    out.push('\\');
    out.push(short);
}

/// `|` with what the reader must be told.
pub(super) fn literal_header(text: &str) -> &'static str {
    let indent = text.starts_with([' ', '\n', '\u{85}', '\u{2028}', '\u{2029}']);
    let keep = text.ends_with("\n\n") || text == "\n";
    match (indent, text.ends_with('\n'), keep) {
        (false, false, _) => "|-",
        (false, true, false) => "|",
        (false, true, true) => "|+",
        (true, false, _) => "|2-",
        (true, true, false) => "|2",
        (true, true, true) => "|2+",
    }
}

/// A number as Go writes it.
pub(super) fn number(number: &Number) -> String {
    match number.as_f64().filter(|_| number.is_f64()) {
        Some(number) => float(number),
        None => number.to_string(),
    }
}
