//! Long lists, a page at a time: `?limit=`, `?cursor=`, and the `next` of an answer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::Serialize;

use super::problem::Problem;
use crate::error::Code;

/// Items of a page, if nobody says how many.
const USUAL: usize = 100;

/// Most items of a page.
pub(super) const MOST: usize = 500;

/// Which page is asked for.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) limit: Option<usize>,
    pub(super) cursor: Option<String>,
}

/// One page of a list.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub(super) struct Items<T> {
    /// What is on it.
    items: Vec<T>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Page {
    /// This page of `all`, which has to be in order of the unique `key`. A page begins after the last
    /// key of the one before, so that what comes and goes meanwhile moves nothing else.
    ///
    /// # Errors
    /// When limit or cursor is none of ours.
    pub(super) fn of<T>(&self, all: Vec<T>, key: impl Fn(&T) -> &str) -> Result<Items<T>, Problem> {
        self.cut(all, &key, |item, last| Some(key(item) <= last))
    }

    /// The same for any order. `is_past` says whether an item stands before one of this key, or is it;
    /// `None`: that is no key.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(super) fn cut<T>(
        &self,
        all: Vec<T>,
        key: impl Fn(&T) -> &str,
        is_past: impl Fn(&T, &str) -> Option<bool>,
    ) -> Result<Items<T>, Problem> {
        let refused = |what: &str| Problem::new(Code::RequestInvalid, what);
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(refused(&format!("`limit` is between 1 and {MOST}")));
        }
        let decode = |cursor: &String| String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok();
        let after = match &self.cursor {
            Some(cursor) => {
                Some(decode(cursor).ok_or_else(|| refused("`cursor` is not one of ours"))?)
            }
            None => None,
        };
        let mut items = Vec::new();
        for item in all {
            let past = after.as_ref().map_or(Some(false), |last| is_past(&item, last));
            if !past.ok_or_else(|| refused("`cursor` is not one of ours"))? {
                items.push(item);
            }
            if items.len() > limit {
                break;
            }
        }
        let is_cut = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| is_cut);
        let next = last.map(|item| URL_SAFE_NO_PAD.encode(key(item)));
        Ok(Items { items, next })
    }
}

impl<T> Items<T> {
    /// The same page of what `of` makes of its items.
    pub(super) fn each<'a, U>(&'a self, of: impl Fn(&'a T) -> U) -> Items<U> {
        Items { items: self.items.iter().map(of).collect(), next: self.next.clone() }
    }

    /// What is on it.
    pub(super) fn items(&self) -> &[T] {
        &self.items
    }

    /// A page with the same end and other items.
    pub(super) fn with<U>(self, items: Vec<U>) -> Items<U> {
        Items { items, next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(limit: usize, cursor: Option<String>, all: &[&'static str]) -> Items<&'static str> {
        let page = Page { limit: Some(limit), cursor };
        page.of(all.to_vec(), |item| item).unwrap()
    }

    #[test]
    fn pages_go_on_after_what_was_seen_whatever_comes_and_goes() {
        let first = page(2, None, &["a", "b", "c", "d"]);
        assert_eq!(first.items, ["a", "b"]);
        let second = page(2, first.next, &["a", "aa", "c", "d"]);
        assert_eq!((second.items, second.next), (vec!["c", "d"], None));
    }

    #[test]
    fn any_order_has_pages() {
        let page = |cursor| {
            let page = Page { limit: Some(2), cursor };
            page.cut(vec!["3", "2", "1"], |item| item, |item, last| Some(*item >= last)).unwrap()
        };
        let first = page(None);
        assert_eq!(first.items, ["3", "2"]);
        assert_eq!(page(first.next), Items { items: vec!["1"], next: None });
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for (limit, cursor) in [(Some(0), None), (Some(501), None), (None, Some("?".to_owned()))] {
            assert!(Page { limit, cursor }.of(vec!["a"], |item| item).is_err());
        }
    }
}
