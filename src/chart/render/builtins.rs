//! Go's own functions (`text/template/funcs.go`). What `printf` prints comes from gotmpl.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use gotmpl::{Template, Value as Plain, html_escape, js_escape, url_encode};

use super::value::{Answer, Go, float};

/// The answer of one of Go's functions; nothing if there is none of that name.
pub(super) fn call(name: &str, args: &[Go]) -> Option<Answer> {
    Some(match name {
        "eq" => equal(args).map(Go::Bool),
        "ne" => equal(args).map(|it| Go::Bool(!it)),
        "lt" => order(args).map(|it| Go::Bool(it == Ordering::Less)),
        "le" => order(args).map(|it| Go::Bool(it != Ordering::Greater)),
        "gt" => order(args).map(|it| Go::Bool(it == Ordering::Greater)),
        "ge" => order(args).map(|it| Go::Bool(it != Ordering::Less)),
        "not" => first(args).map(|it| Go::Bool(!it.is_true())),
        "len" => length(args),
        "index" => index(args),
        "print" => Ok(Go::text(printed(args))),
        "println" => Ok(Go::text(spaced(args, |_, _| true) + "\n")),
        "printf" => formatted(args),
        "html" => Ok(Go::text(html_escape(&printed(args)))),
        "js" => Ok(Go::text(js_escape(&printed(args)))),
        "urlquery" => Ok(Go::text(url_encode(&printed(args)))),
        _ => return None,
    })
}

fn first(args: &[Go]) -> Result<&Go, String> {
    args.first().ok_or_else(|| "an argument is missing".to_owned())
}

/// Whether the first is one of the others.
fn equal(args: &[Go]) -> Result<bool, String> {
    let (wanted, others) = match args {
        [wanted, others @ ..] if !others.is_empty() => (wanted, others),
        _ => return Err("missing argument for comparison".to_owned()),
    };
    for other in others {
        let is_same = match (wanted, other) {
            (Go::Nil, Go::Nil) => true,
            (Go::Nil, _) | (_, Go::Nil) => false,
            (Go::Int(a) | Go::Int64(a), Go::Int(b) | Go::Int64(b)) => a == b,
            (Go::Bool(_), Go::Bool(_))
            | (Go::Float(_), Go::Float(_))
            | (Go::Text(_), Go::Text(_)) => wanted.is_equal(other),
            _ => return Err("incompatible types for comparison".to_owned()),
        };
        if is_same {
            return Ok(true);
        }
    }
    Ok(false)
}

fn order(args: &[Go]) -> Result<Ordering, String> {
    match args {
        [Go::Int(a) | Go::Int64(a), Go::Int(b) | Go::Int64(b)] => Ok(a.cmp(b)),
        [Go::Float(a), Go::Float(b)] => {
            a.partial_cmp(b).ok_or_else(|| "invalid type for comparison".to_owned())
        }
        [Go::Text(a), Go::Text(b)] => Ok(a.cmp(b)),
        _ => Err("incompatible types for comparison".to_owned()),
    }
}

fn length(args: &[Go]) -> Answer {
    let count = match first(args)? {
        Go::Text(text) => text.len(),
        Go::List(items) => items.len(),
        Go::Map(fields) => fields.borrow().len(),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Go::Int(count.try_into().unwrap_or(i64::MAX)))
}

fn index(args: &[Go]) -> Answer {
    let mut value = first(args)?.clone();
    for key in &args[1..] {
        value = match (&value, key) {
            (Go::Map(fields), Go::Text(key)) => {
                fields.borrow().get(key).cloned().unwrap_or(Go::Nil)
            }
            (Go::List(items), Go::Int(at) | Go::Int64(at)) => {
                let item = usize::try_from(*at).ok().and_then(|at| items.get(at));
                item.cloned().ok_or_else(|| format!("index out of range: {at}"))?
            }
            (value, _) => return Err(format!("can't index item of type {}", value.type_name())),
        };
    }
    Ok(value)
}

/// Arguments in a row, with a space between two that ask for one.
fn spaced(args: &[Go], is_apart: fn(&Go, &Go) -> bool) -> String {
    let mut text = String::new();
    for (at, arg) in args.iter().enumerate() {
        if at > 0 && is_apart(&args[at - 1], arg) {
            text.push(' ');
        }
        text.push_str(&arg.to_string());
    }
    text
}

fn printed(args: &[Go]) -> String {
    spaced(args, |one, other| !matches!((one, other), (Go::Text(_), _) | (_, Go::Text(_))))
}

/// Arguments of `printf` with text for the floats that `%v` prints: gotmpl writes those in a way of
/// its own.
fn with_float_texts(args: &[Go]) -> Vec<Go> {
    let mut args = args.to_vec();
    let Some(Go::Text(format)) = args.first().cloned() else { return args };
    let mut verbs = format.split('%').skip(1);
    let mut at = 0;
    while let Some(rest) = verbs.next() {
        let verb = rest.find(|c: char| !"+-# 0123456789.".contains(c)).map(|end| &rest[end..]);
        match verb.and_then(|verb| verb.chars().next()) {
            // `%%` is no verb, and what follows it is no other one's.
            None => _ = verbs.next(),
            Some(verb) => {
                at += 1;
                if let (true, Some(Go::Float(number))) = (verb == 'v', args.get(at)) {
                    args[at] = Go::text(float(*number));
                }
            }
        }
    }
    args
}

/// Formats as Go's `fmt` does, by a template of gotmpl's.
fn formatted(args: &[Go]) -> Answer {
    let args = with_float_texts(args);
    let mut source = "{{ printf".to_owned();
    let mut data = BTreeMap::new();
    for (at, arg) in args.iter().enumerate() {
        if !arg.is_bounded() {
            return Err("it has no end".to_owned());
        }
        // Writing to a String cannot fail.
        let _ = write!(source, " .a{at}");
        data.insert(format!("a{at}").into(), arg.plain());
    }
    source.push_str(" }}");
    let template = Template::new("").parse(&source);
    let data = Plain::Map(Arc::new(data));
    let text = template.and_then(|template| template.execute_to_string(&data));
    text.map(Go::text).map_err(|error| error.to_string())
}
