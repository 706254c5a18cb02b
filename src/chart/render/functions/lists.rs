//! Lists. They do not change: each function gives a new one.

use super::{Answer, Function, Go, at, int, items, numbers, word};

/// Most numbers that `until` and its like count to.
const MOST: usize = 100_000;

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("append", append),
    ("chunk", chunk),
    ("compact", |args| Ok(kept(items(args, 0)?, Go::is_true))),
    ("concat", concat),
    ("first", |args| Ok(items(args, 0)?.first().cloned().unwrap_or(Go::Nil))),
    ("has", has),
    ("initial", |args| Ok(Go::list(before_last(items(args, 0)?).iter().cloned()))),
    ("last", |args| Ok(items(args, 0)?.last().cloned().unwrap_or(Go::Nil))),
    ("list", |args| Ok(Go::list(args.iter().cloned()))),
    ("prepend", |args| {
        Ok(Go::list(std::iter::once(at(args, 1)?.clone()).chain(items(args, 0)?.iter().cloned())))
    }),
    ("push", append),
    ("rest", |args| Ok(Go::list(items(args, 0)?.iter().skip(1).cloned()))),
    ("reverse", |args| Ok(Go::list(items(args, 0)?.iter().rev().cloned()))),
    ("seq", seq),
    ("slice", slice),
    ("sortAlpha", sort),
    ("tuple", |args| Ok(Go::list(args.iter().cloned()))),
    ("uniq", uniq),
    ("until", |args| count(0, int(args, 0)?, if int(args, 0)? < 0 { -1 } else { 1 })),
    ("untilStep", |args| count(int(args, 0)?, int(args, 1)?, int(args, 2)?)),
    ("without", |args| {
        let others = &args[1.min(args.len())..];
        Ok(kept(items(args, 0)?, |item| !others.iter().any(|other| other.is_equal(item))))
    }),
];

fn kept(items: &[Go], is_kept: impl Fn(&Go) -> bool) -> Go {
    Go::list(items.iter().filter(|item| is_kept(item)).cloned())
}

fn before_last(items: &[Go]) -> &[Go] {
    items.split_last().map_or(&[], |(_, before)| before)
}

fn append(args: &[Go]) -> Answer {
    Ok(Go::list(items(args, 0)?.iter().chain([at(args, 1)?]).cloned()))
}

fn concat(args: &[Go]) -> Answer {
    let lists: Result<Vec<&[Go]>, String> = (0..args.len()).map(|at| items(args, at)).collect();
    Ok(Go::list(lists?.concat()))
}

fn has(args: &[Go]) -> Answer {
    let list = match at(args, 1)? {
        Go::Nil => return Ok(Go::Bool(false)),
        _ => items(args, 1)?,
    };
    let wanted = at(args, 0)?;
    Ok(Go::Bool(list.iter().any(|item| item.is_equal(wanted))))
}

fn uniq(args: &[Go]) -> Answer {
    let mut kept: Vec<Go> = Vec::new();
    for item in items(args, 0)? {
        if !kept.iter().any(|known| known.is_equal(item)) {
            kept.push(item.clone());
        }
    }
    Ok(Go::list(kept))
}

fn sort(args: &[Go]) -> Answer {
    let mut texts: Vec<String> = items(args, 0)?.iter().map(Go::to_string).collect();
    texts.sort();
    Ok(super::texts(texts))
}

fn chunk(args: &[Go]) -> Answer {
    let size = usize::try_from(int(args, 0)?).ok().filter(|size| *size > 0);
    let size = size.ok_or("the size is no number above 0")?;
    Ok(Go::list(items(args, 1)?.chunks(size).map(|part| Go::list(part.iter().cloned()))))
}

/// Sprig's, which takes the place of Go's: of lists alone.
fn slice(args: &[Go]) -> Answer {
    let list = items(args, 0)?;
    let place = |at: usize, otherwise: usize| match args.get(at) {
        Some(place) => usize::try_from(numbers::whole(place)).unwrap_or(usize::MAX),
        None => otherwise,
    };
    let part = list.get(place(1, 0)..place(2, list.len()));
    Ok(Go::list(part.ok_or("index out of range")?.iter().cloned()))
}

fn counted(start: i64, step: i64, goes_on: impl Fn(i64) -> bool) -> Result<Vec<i64>, String> {
    let mut numbers = Vec::new();
    let mut next = Some(start);
    while let Some(number) = next.filter(|number| goes_on(*number)) {
        if numbers.len() == MOST {
            return Err("it is too long".to_owned());
        }
        numbers.push(number);
        next = number.checked_add(step);
    }
    Ok(numbers)
}

/// From `start` to before `stop`.
fn count(start: i64, stop: i64, step: i64) -> Answer {
    if step == 0 || (stop < start) != (step < 0) {
        return Ok(Go::list([]));
    }
    let goes_on = |number| if step < 0 { number > stop } else { number < stop };
    Ok(Go::list(counted(start, step, goes_on)?.into_iter().map(Go::Int)))
}

/// The numbers from the first to the last argument, as text.
fn seq(args: &[Go]) -> Answer {
    let numbers: Result<Vec<i64>, String> = (0..args.len()).map(|at| int(args, at)).collect();
    let (start, step, stop) = match numbers?[..] {
        [stop] => (1, if stop < 1 { -1 } else { 1 }, stop),
        [start, stop] => (start, if stop < start { -1 } else { 1 }, stop),
        [start, step, stop] if step != 0 => (start, step, stop),
        _ => return Ok(Go::text("")),
    };
    let numbers =
        counted(start, step, |number| if step < 0 { number >= stop } else { number <= stop })?;
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    Ok(Go::text(texts.join(" ")))
}

/// A list joined; what is no list is one item.
pub(super) fn join(args: &[Go]) -> Answer {
    let texts: Vec<String> = match at(args, 1)? {
        Go::List(items) => {
            items.iter().filter(|it| !matches!(it, Go::Nil)).map(Go::to_string).collect()
        }
        Go::Nil => Vec::new(),
        other => vec![other.to_string()],
    };
    Ok(Go::text(texts.join(word(args, 0)?)))
}
