//! Versions against constraints, as github.com/Masterminds/semver reads them: `>=1.19-0`, `^1.2`,
//! `~1.2.3`, `1.x`, `1.2 - 1.4`, `>1 <3 || 5`.

use super::super::value::Fields;
use super::{Answer, Function, Go, word};
use semver::{BuildMetadata, Prerelease, Version};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("semver", parsed),
    ("semverCompare", |args| {
        let version = version(word(args, 1)?).ok_or("it is no version")?.version;
        satisfies(word(args, 0)?, &version)
            .map(Go::Bool)
            .ok_or_else(|| "it is no constraint".into())
    }),
];

/// A version of which parts may be missing, or `x`.
struct Partial {
    version: Version,
    /// How many of major, minor and patch are there.
    parts: usize,
}

fn version(text: &str) -> Option<Partial> {
    let text = text.trim();
    let text = text.strip_prefix('v').unwrap_or(text);
    let (text, build) = text.split_once('+').unwrap_or((text, ""));
    let (text, pre) = text.split_once('-').unwrap_or((text, ""));
    let mut numbers = [0; 3];
    let mut parts = 0;
    for (at, part) in text.split('.').enumerate() {
        if matches!(part, "x" | "X" | "*") {
            break;
        }
        *numbers.get_mut(at)? = part.parse().ok()?;
        parts = at + 1;
    }
    let [major, minor, patch] = numbers;
    let mut version = Version::new(major, minor, patch);
    version.pre = Prerelease::new(pre).ok()?;
    version.build = BuildMetadata::new(build).unwrap_or(BuildMetadata::EMPTY);
    Some(Partial { version, parts })
}

fn parsed(args: &[Go]) -> Answer {
    let version = version(word(args, 0)?).ok_or("it is no version")?.version;
    let number = |number: u64| Go::Int64(number.try_into().unwrap_or(i64::MAX));
    let fields: [(&str, Go); 6] = [
        ("Major", number(version.major)),
        ("Minor", number(version.minor)),
        ("Patch", number(version.patch)),
        ("Prerelease", Go::text(version.pre.as_str())),
        ("Metadata", Go::text(version.build.as_str())),
        ("Original", Go::text(word(args, 0)?)),
    ];
    Ok(Go::map(fields.into_iter().map(|(key, value)| (key.into(), value)).collect::<Fields>()))
}

/// Whether one of the alternatives holds; nothing if it is no constraint.
pub(in super::super) fn satisfies(constraint: &str, version: &Version) -> Option<bool> {
    let mut any = false;
    for alternative in constraint.split("||") {
        any |= all(alternative, version)?;
    }
    Some(any)
}

fn all(alternative: &str, version: &Version) -> Option<bool> {
    if let Some((low, high)) = alternative.split_once(" - ") {
        return Some(one(">=", low, version)? && one("<=", high, version)?);
    }
    let mut all = true;
    let mut rest = alternative.trim();
    while !rest.is_empty() {
        let operator: &str = &rest[..rest.find(|c| !"<>=!~^".contains(c)).unwrap_or(rest.len())];
        let after = rest[operator.len()..].trim_start();
        let end = after.find([' ', ',']).unwrap_or(after.len());
        all &= one(operator, &after[..end], version)?;
        rest = after[end..].trim_start_matches([' ', ',']);
    }
    Some(all)
}

fn one(operator: &str, wanted: &str, version: &Version) -> Option<bool> {
    let Partial { version: low, parts } = self::version(wanted)?;
    if !version.pre.is_empty() && low.pre.is_empty() {
        return Some(false);
    }
    // The first version above all that the parts which are there stand for.
    let above = |kept: usize| match kept {
        0 => Version::new(u64::MAX, 0, 0),
        1 => Version::new(low.major + 1, 0, 0),
        2 => Version::new(low.major, low.minor + 1, 0),
        _ => Version::new(low.major, low.minor, low.patch + 1),
    };
    let is_below = |kept: usize| version.cmp_precedence(&above(kept)).is_lt();
    let order = version.cmp_precedence(&low);
    let is_exact = parts == 3;
    Some(match operator {
        "" | "=" if is_exact => order.is_eq(),
        "" | "=" => order.is_ge() && is_below(parts),
        "!=" if is_exact => order.is_ne(),
        "!=" => !(order.is_ge() && is_below(parts)),
        ">" if is_exact => order.is_gt(),
        ">" => !is_below(parts),
        ">=" | "=>" => order.is_ge(),
        "<" => order.is_lt(),
        "<=" | "=<" if is_exact => order.is_le(),
        "<=" | "=<" => is_below(parts),
        "~" | "~>" => order.is_ge() && is_below(parts.min(2)),
        "^" => order.is_ge() && is_below(caret(&low, parts)),
        _ => return None,
    })
}

/// The part that `^` lets grow is behind the first that is not 0.
fn caret(low: &Version, parts: usize) -> usize {
    match (low.major, low.minor) {
        (1.., _) => 1.min(parts),
        (0, 1..) => 2,
        (0, 0) => parts,
    }
}
