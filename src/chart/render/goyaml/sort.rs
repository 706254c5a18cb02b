//! The order of keys (`goyaml.v2/sorter.go`): numbers in them by what they are worth.

use std::cmp::Ordering;

use serde_json::{Map, Value};

/// Fields in order.
pub(super) fn sorted(fields: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut fields: Vec<(&str, &Value)> =
        fields.iter().map(|(key, value)| (key.as_str(), value)).collect();
    fields.sort_by(|(a, _), (b, _)| order(a, b));
    fields
}

fn order(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) else { return a.len().cmp(&b.len()) };
    match (a[at].is_alphabetic(), b[at].is_alphabetic()) {
        (true, true) => a[at].cmp(&b[at]),
        // What is no letter comes first.
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => number(&a, at)
            .cmp(&number(&b, at))
            .then(digits(&a, at).cmp(&digits(&b, at)))
            .then(a[at].cmp(&b[at])),
    }
}

fn digits(text: &[char], at: usize) -> usize {
    text[at..].iter().take_while(|c| c.is_ascii_digit()).count()
}

/// The number that starts there, behind the same digits in both: a 1 for those, if they are worth
/// anything.
fn number(text: &[char], at: usize) -> u64 {
    let before = text[..at].iter().rev().take_while(|c| c.is_ascii_digit());
    let start = u64::from(before.into_iter().any(|c| *c != '0'));
    let digits = text[at..].iter().map_while(|c| c.to_digit(10));
    digits.fold(start, |number, digit| number.wrapping_mul(10).wrapping_add(digit.into()))
}
