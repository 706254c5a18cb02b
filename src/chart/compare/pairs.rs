//! Which items of two lists are one.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::app::merge;

/// Items of two lists that are one.
pub(super) struct Pair {
    /// What both are known by, if not by place.
    pub(super) key: Option<String>,
    /// Where they are; beyond the end of a list that has none.
    pub(super) places: [usize; 2],
}

/// The items of two lists side by side, by place.
pub(super) fn by_place(before: &[Value], after: &[Value]) -> Vec<Pair> {
    let places = 0..before.len().max(after.len());
    places.map(|place| Pair { key: None, places: [place, place] }).collect()
}

/// The items of two lists side by side: by key, those that are new last; else by place.
pub(super) fn pairs(list: &str, before: &[Value], after: &[Value]) -> Vec<Pair> {
    let (Some(old), Some(new)) = (keys(list, before), keys(list, after)) else {
        return trimmed(before, after);
    };
    let place: HashMap<&String, usize> = new.iter().zip(0..).collect();
    let known: HashSet<&String> = old.iter().collect();
    let gone_or_there =
        old.iter().zip(0..).map(|(key, at)| [at, place.get(key).copied().unwrap_or(after.len())]);
    let added = (0..).zip(&new).filter(|(_, key)| !known.contains(key));
    let added = added.map(|(at, _)| [before.len(), at]);
    let key = |[first, second]: [usize; 2]| old.get(first).or_else(|| new.get(second)).cloned();
    gone_or_there.chain(added).map(|places| Pair { key: key(places), places }).collect()
}

/// What each item is known by; `None` if one is not, or two are by the same.
fn keys(list: &str, items: &[Value]) -> Option<Vec<String>> {
    let keys = items.iter().map(|item| merge::key(list, item)).collect::<Option<Vec<String>>>()?;
    (keys.iter().collect::<HashSet<_>>().len() == keys.len()).then_some(keys)
}

/// By place, without what is the same at both ends.
fn trimmed(before: &[Value], after: &[Value]) -> Vec<Pair> {
    let head = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (rest, new) = (&before[head..], &after[head..]);
    let tail = rest.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (rest.len() - tail, new.len() - tail);
    let place = |at: usize, count: usize, all: usize| if at < count { head + at } else { all };
    (0..old.max(new))
        .map(|at| [place(at, old, before.len()), place(at, new, after.len())])
        .map(|places| Pair { key: None, places })
        .collect()
}

/// Whether items that both lists have stand in another order.
pub(super) fn is_reordered(pairs: &[Pair], before: usize, after: usize) -> bool {
    let both = pairs.iter().map(|pair| pair.places);
    let both = both.filter(|[first, second]| *first < before && *second < after);
    !both.map(|[_, second]| second).is_sorted()
}
