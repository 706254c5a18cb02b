//! The functions that charts use besides Go's own: Helm's (helm, `pkg/engine/funcs.go`) and Sprig's
//! (<https://masterminds.github.io/sprig/>).

mod checks;
mod encode;
mod lists;
mod maps;
mod numbers;
mod patterns;
mod text;
mod versions;

use std::rc::Rc;

pub(super) use versions::satisfies;

use super::exec::{MAX_TEXT, Machine};
use super::value::{Answer, Go};

type Function = fn(&[Go]) -> Answer;

/// Functions by name.
const TABLES: [&[(&str, Function)]; 8] = [
    checks::FUNCTIONS,
    encode::FUNCTIONS,
    lists::FUNCTIONS,
    maps::FUNCTIONS,
    numbers::FUNCTIONS,
    patterns::FUNCTIONS,
    text::FUNCTIONS,
    versions::FUNCTIONS,
];

/// Functions that answer something else each time. What a chart makes with them is not in the chart.
const BY_CHANCE: [&str; 30] = [
    "ago",
    "bcrypt",
    "buildCustomCert",
    "date",
    "dateInZone",
    "dateModify",
    "date_in_zone",
    "date_modify",
    "derivePassword",
    "encryptAES",
    "genCA",
    "genCAWithKey",
    "genPrivateKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "getHostByName",
    "htmlDate",
    "htmlDateInZone",
    "htpasswd",
    "now",
    "randAlpha",
    "randAlphaNum",
    "randAscii",
    "randBytes",
    "randInt",
    "randNumeric",
    "shuffle",
    "uuidv4",
];

/// Functions that put values into others, whatever is in those.
const BUILDERS: [&str; 8] = ["append", "concat", "dict", "list", "prepend", "push", "set", "tuple"];

/// Functions that look at their arguments, and not at what is in those.
const SHALLOW: [&str; 10] = [
    "coalesce", "default", "empty", "first", "get", "hasKey", "kindIs", "last", "required",
    "ternary",
];

/// Calls the function `name`.
pub(super) fn call(machine: &Machine, name: &str, args: &[Go]) -> Answer {
    match name {
        "include" => return machine.include(word(args, 0)?, at(args, 1)?).map(Go::text),
        "tpl" => {
            let printed = machine.tpl(word(args, 0)?, at(args, 1)?)?;
            return Ok(Go::text(printed.replace(crate::chart::expr::NO_VALUE, "")));
        }
        // Nothing is in a cluster that is not there, as for `helm template`.
        "lookup" => return Ok(Go::map(super::value::Fields::new())),
        name if BY_CHANCE.contains(&name) => {
            return Err("it answers something else each time, or in each place".to_owned());
        }
        _ => {}
    }
    // `must…` are the same: they say what failed, where others panic.
    let plain = name.strip_prefix("must").filter(|rest| rest.starts_with(char::is_uppercase));
    let plain = plain.map(text::untitled).unwrap_or_else(|| name.to_owned());
    let find = |name: &str| {
        let mut all = TABLES.iter().copied().flatten();
        all.find(|(known, _)| *known == name).map(|(_, function)| *function)
    };
    let function = find(name).or_else(|| find(&plain)).ok_or("there is no such function here")?;
    if BUILDERS.contains(&name) {
        machine.count_value()?;
    } else if !SHALLOW.contains(&name) && !args.iter().all(Go::is_bounded) {
        return Err("an argument has no end, or hardly one".to_owned());
    }
    function(args)
}

fn at(args: &[Go], place: usize) -> Result<&Go, String> {
    args.get(place).ok_or_else(|| format!("argument {} is missing", place + 1))
}

fn wrong(place: usize, wanted: &str, value: &Go) -> String {
    format!("argument {} is a {}, not a {wanted}", place + 1, value.type_name())
}

/// An argument that must be a string.
fn word(args: &[Go], place: usize) -> Result<&str, String> {
    match at(args, place)? {
        Go::Text(text) => Ok(text),
        other => Err(wrong(place, "string", other)),
    }
}

/// An argument that must be an `int`.
fn int(args: &[Go], place: usize) -> Result<i64, String> {
    match at(args, place)? {
        Go::Int(number) => Ok(*number),
        other => Err(wrong(place, "int", other)),
    }
}

/// An argument that must be a mapping.
fn fields(args: &[Go], place: usize) -> Result<std::cell::Ref<'_, super::value::Fields>, String> {
    match at(args, place)? {
        Go::Map(fields) => Ok(fields.borrow()),
        other => Err(wrong(place, "map", other)),
    }
}

/// An argument that must be a list.
fn items(args: &[Go], place: usize) -> Result<&[Go], String> {
    match at(args, place)? {
        Go::List(items) => Ok(items),
        other => Err(wrong(place, "list", other)),
    }
}

/// An argument as text, as Sprig's `strval` makes it.
fn shown(args: &[Go], place: usize) -> Result<String, String> {
    at(args, place).map(Go::to_string)
}

/// `text` so many times, if that is no more than a template may print.
fn repeated(text: &str, times: i64) -> Result<String, String> {
    let times = usize::try_from(times).unwrap_or_default();
    match text.len().checked_mul(times) {
        Some(size) if size <= MAX_TEXT => Ok(text.repeat(times)),
        _ => Err("it is too long".to_owned()),
    }
}

fn texts(texts: impl IntoIterator<Item = String>) -> Go {
    Go::list(texts.into_iter().map(Go::text))
}

fn key(args: &[Go], place: usize) -> Result<Rc<str>, String> {
    word(args, place).map(Rc::from)
}

#[cfg(test)]
mod tests;
