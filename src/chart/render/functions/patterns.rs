//! Regular expressions. Go's and ours mean the same in all that charts use of them.

use regex::{NoExpand, Regex};

use super::{Answer, Function, Go, int, texts, word};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("regexFind", |args| {
        let found = pattern(args)?.find(word(args, 1)?);
        Ok(Go::text(found.map_or("", |found| found.as_str())))
    }),
    ("regexFindAll", find_all),
    ("regexMatch", |args| Ok(Go::Bool(pattern(args)?.is_match(word(args, 1)?)))),
    ("regexQuoteMeta", |args| Ok(Go::text(regex::escape(word(args, 0)?)))),
    ("regexReplaceAll", |args| {
        Ok(Go::text(pattern(args)?.replace_all(word(args, 1)?, word(args, 2)?)))
    }),
    ("regexReplaceAllLiteral", |args| {
        Ok(Go::text(pattern(args)?.replace_all(word(args, 1)?, NoExpand(word(args, 2)?))))
    }),
    ("regexSplit", split),
];

fn pattern(args: &[Go]) -> Result<Regex, String> {
    Regex::new(word(args, 0)?).map_err(|_| "the pattern is not understood here".to_owned())
}

fn most(args: &[Go], place: usize) -> Result<usize, String> {
    Ok(usize::try_from(int(args, place)?).unwrap_or(usize::MAX))
}

fn find_all(args: &[Go]) -> Answer {
    let pattern = pattern(args)?;
    let found = pattern.find_iter(word(args, 1)?).take(most(args, 2)?);
    Ok(texts(found.map(|found| found.as_str().to_owned())))
}

fn split(args: &[Go]) -> Answer {
    let pattern = pattern(args)?;
    let parts = pattern.splitn(word(args, 1)?, most(args, 2)?);
    Ok(texts(parts.map(str::to_owned)))
}
