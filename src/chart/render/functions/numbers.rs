//! Numbers. Whatever stands for one is taken as one, as github.com/spf13/cast does.

use std::num::{IntErrorKind, ParseIntError};

use super::{Answer, Function, Go, at, int, word};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("add", |args| folded(args, i64::checked_add)),
    ("add1", |args| Ok(Go::Int64(whole(at(args, 0)?).saturating_add(1)))),
    ("addf", |args| floats(args, |a, b| a + b)),
    ("atoi", |args| Ok(Go::Int(parsed(word(args, 0)?)))),
    ("biggest", |args| folded(args, |a, b| Some(a.max(b)))),
    ("ceil", |args| Ok(Go::Float(float(at(args, 0)?).ceil()))),
    ("div", |args| folded(args, i64::checked_div)),
    ("divf", |args| floats(args, |a, b| a / b)),
    ("float64", |args| Ok(Go::Float(float(at(args, 0)?)))),
    ("floor", |args| Ok(Go::Float(float(at(args, 0)?).floor()))),
    ("int", |args| Ok(Go::Int(whole(at(args, 0)?)))),
    ("int64", |args| Ok(Go::Int64(whole(at(args, 0)?)))),
    ("max", |args| folded(args, |a, b| Some(a.max(b)))),
    ("maxf", |args| floats(args, f64::max)),
    ("min", |args| folded(args, |a, b| Some(a.min(b)))),
    ("minf", |args| floats(args, f64::min)),
    ("mod", |args| folded(args, i64::checked_rem)),
    ("mul", |args| folded(args, i64::checked_mul)),
    ("mulf", |args| floats(args, |a, b| a * b)),
    ("round", round),
    ("sub", |args| folded(args, i64::checked_sub)),
    ("subf", |args| floats(args, |a, b| a - b)),
    ("toDecimal", |args| {
        Ok(Go::Int64(i64::from_str_radix(&super::shown(args, 0)?, 8).unwrap_or(0)))
    }),
];

/// The number that a text is: the nearest one if it is out of bounds, and 0 if it is none.
fn parsed(text: &str) -> i64 {
    text.parse().unwrap_or_else(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => i64::MAX,
        IntErrorKind::NegOverflow => i64::MIN,
        _ => 0,
    })
}

/// The whole number that a value stands for, or 0.
pub(super) fn whole(value: &Go) -> i64 {
    match value {
        Go::Int(number) | Go::Int64(number) => *number,
        // As Go converts; what is out of bounds is not the same on all machines.
        #[expect(clippy::cast_possible_truncation)]
        Go::Float(number) => *number as i64,
        Go::Bool(flag) => i64::from(*flag),
        Go::Text(text) => whole_text(text),
        _ => 0,
    }
}

/// A number as Go writes one: `0x1f`, `0o17`, `017`, `12`, `12.0`.
fn whole_text(text: &str) -> i64 {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = match digits.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
            whole
        }
        _ => digits,
    };
    let lower = digits.to_ascii_lowercase();
    let prefixes = [("0x", 16), ("0b", 2), ("0o", 8)];
    let found =
        prefixes.iter().find_map(|(prefix, radix)| Some((lower.strip_prefix(prefix)?, *radix)));
    let octal = || lower.strip_prefix('0').filter(|rest| !rest.is_empty()).map(|rest| (rest, 8));
    let (digits, radix) = found.or_else(octal).unwrap_or((&lower, 10));
    i64::from_str_radix(digits, radix).map_or(0, |number| sign * number)
}

fn float(value: &Go) -> f64 {
    match value {
        Go::Float(number) => *number,
        Go::Text(text) => text.parse().unwrap_or(0.0),
        // Above 2^53 it is the nearest one, as in Go.
        #[expect(clippy::cast_precision_loss)]
        other => whole(other) as f64,
    }
}

fn folded(args: &[Go], step: fn(i64, i64) -> Option<i64>) -> Answer {
    let mut result = whole(at(args, 0)?);
    for arg in &args[1..] {
        result = step(result, whole(arg)).ok_or("the result is no number")?;
    }
    Ok(Go::Int64(result))
}

fn floats(args: &[Go], step: fn(f64, f64) -> f64) -> Answer {
    let first = float(at(args, 0)?);
    Ok(Go::Float(args[1..].iter().map(float).fold(first, step)))
}

/// To so many digits; halves go up.
fn round(args: &[Go]) -> Answer {
    let (value, digits) = (float(at(args, 0)?), int(args, 1)?);
    let power = 10f64.powi(i32::try_from(digits).map_err(|_| "too many digits")?);
    let (scaled, up) = (value * power, 0.5);
    let rounded = if scaled.fract() >= up { scaled.ceil() } else { scaled.floor() };
    Ok(Go::Float(rounded / power))
}
