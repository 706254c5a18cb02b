//! Mappings: `set`, `unset` and `merge` change the one that they are given, for everyone who has it.

use std::cell::RefCell;
use std::rc::Rc;

use super::super::value::Fields;
use super::{Answer, Function, Go, at, fields, items, key, shown, word};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("deepCopy", |args| Ok(at(args, 0)?.deep_copy())),
    ("dict", dict),
    ("get", |args| Ok(fields(args, 0)?.get(word(args, 1)?).cloned().unwrap_or(Go::text("")))),
    ("hasKey", |args| Ok(Go::Bool(fields(args, 0)?.contains_key(word(args, 1)?)))),
    ("keys", keys),
    ("merge", |args| merge(args, false)),
    ("mergeOverwrite", |args| merge(args, true)),
    ("omit", |args| chosen(args, false)),
    ("pick", |args| chosen(args, true)),
    ("pluck", pluck),
    ("set", set),
    ("unset", unset),
    ("values", |args| Ok(Go::list(fields(args, 0)?.values().cloned()))),
];

fn shared(args: &[Go], place: usize) -> Result<&Rc<RefCell<Fields>>, String> {
    match at(args, place)? {
        Go::Map(fields) => Ok(fields),
        other => Err(super::wrong(place, "map", other)),
    }
}

fn dict(args: &[Go]) -> Answer {
    let pair = |pair: &[Go]| {
        Ok((shown(pair, 0)?.into(), pair.get(1).cloned().unwrap_or_else(|| Go::text(""))))
    };
    let fields: Result<Fields, String> = args.chunks(2).map(pair).collect();
    fields.map(Go::map)
}

fn set(args: &[Go]) -> Answer {
    let value = at(args, 2)?.clone();
    shared(args, 0)?.borrow_mut().insert(key(args, 1)?, value);
    Ok(args[0].clone())
}

fn unset(args: &[Go]) -> Answer {
    shared(args, 0)?.borrow_mut().remove(word(args, 1)?);
    Ok(args[0].clone())
}

/// Keys of all mappings. Go has them in no order; charts that mind sort them.
fn keys(args: &[Go]) -> Answer {
    let mut keys = Vec::new();
    for place in 0..args.len() {
        keys.extend(fields(args, place)?.keys().cloned().map(Go::Text));
    }
    Ok(Go::list(keys))
}

fn pluck(args: &[Go]) -> Answer {
    let wanted = word(args, 0)?;
    let mut found = Vec::new();
    for place in 1..args.len() {
        found.extend(fields(args, place)?.get(wanted).cloned());
    }
    Ok(Go::list(found))
}

/// The fields that are named, or all others.
fn chosen(args: &[Go], wanted: bool) -> Answer {
    let names: Vec<String> = match args.get(1) {
        Some(Go::List(_)) => items(args, 1)?.iter().map(Go::to_string).collect(),
        _ => (1..args.len()).map(|place| shown(args, place)).collect::<Result<_, _>>()?,
    };
    let fields = fields(args, 0)?;
    let kept = fields.iter().filter(|(key, _)| names.iter().any(|name| **name == ***key) == wanted);
    Ok(Go::map(kept.map(|(key, value)| (Rc::clone(key), value.clone())).collect()))
}

/// Puts the fields of the others into the first mapping, and into those within it. Where both have
/// one, the first wins if it is not empty, or the last does (dario.cat/mergo).
fn merge(args: &[Go], overwrites: bool) -> Answer {
    let into = shared(args, 0)?;
    for place in 1..args.len() {
        let from = at(args, place)?.deep_copy();
        let from = match &from {
            Go::Map(fields) => fields,
            other => return Err(super::wrong(place, "map", other)),
        };
        fill(into, &from.borrow(), overwrites);
    }
    Ok(args[0].clone())
}

fn fill(into: &Rc<RefCell<Fields>>, from: &Fields, overwrites: bool) {
    for (key, value) in from {
        let known = into.borrow().get(key).cloned();
        match (known, value) {
            (Some(Go::Map(into)), Go::Map(from)) => fill(&into, &from.borrow(), overwrites),
            (Some(known), _) if known.is_true() && !overwrites => {}
            (_, Go::Nil) if !overwrites => {}
            _ => _ = into.borrow_mut().insert(Rc::clone(key), value.clone()),
        }
    }
}
