//! Defaults, kinds and giving up.

use super::{Answer, Function, Go, at, fields, shown, word};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("all", |args| Ok(Go::Bool(args.iter().all(Go::is_true)))),
    ("any", |args| Ok(Go::Bool(args.iter().any(Go::is_true)))),
    ("coalesce", |args| Ok(args.iter().find(|arg| arg.is_true()).cloned().unwrap_or(Go::Nil))),
    ("deepEqual", |args| Ok(Go::Bool(at(args, 0)?.is_equal(at(args, 1)?)))),
    ("default", default),
    ("dig", dig),
    ("empty", |args| Ok(Go::Bool(!at(args, 0)?.is_true()))),
    ("fail", |args| Err(word(args, 0)?.to_owned())),
    ("kindIs", |args| Ok(Go::Bool(word(args, 0)? == at(args, 1)?.kind()))),
    ("kindOf", |args| Ok(Go::text(at(args, 0)?.kind()))),
    ("required", required),
    ("ternary", ternary),
    ("typeIs", |args| Ok(Go::Bool(word(args, 0)? == at(args, 1)?.type_name()))),
    ("typeIsLike", |args| {
        Ok(Go::Bool(word(args, 0)?.trim_start_matches('*') == at(args, 1)?.type_name()))
    }),
    ("typeOf", |args| Ok(Go::text(at(args, 0)?.type_name()))),
];

fn default(args: &[Go]) -> Answer {
    let given = args.get(1).filter(|given| given.is_true());
    Ok(given.unwrap_or(at(args, 0)?).clone())
}

fn ternary(args: &[Go]) -> Answer {
    match at(args, 2)? {
        Go::Bool(flag) => Ok(at(args, usize::from(!flag))?.clone()),
        other => Err(super::wrong(2, "bool", other)),
    }
}

fn required(args: &[Go]) -> Answer {
    match at(args, 1)? {
        Go::Nil => Err(shown(args, 0)?),
        Go::Text(value) if value.is_empty() => Err(shown(args, 0)?),
        value => Ok(value.clone()),
    }
}

/// The value under keys one in another, or the one before the mapping.
fn dig(args: &[Go]) -> Answer {
    let end = args.len().checked_sub(2).filter(|end| *end > 0).ok_or("arguments are missing")?;
    fields(args, end + 1)?;
    let mut value = args[end + 1].clone();
    for place in 0..end {
        let inner = match &value {
            Go::Map(fields) => fields.borrow().get(word(args, place)?).cloned(),
            other => return Err(super::wrong(place, "map", other)),
        };
        match inner {
            Some(inner) => value = inner,
            None => return Ok(args[end].clone()),
        }
    }
    Ok(value)
}
