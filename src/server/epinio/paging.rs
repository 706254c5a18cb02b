//! Lists as Epinio gives them: whole, or a page of them with numbers, by name.

use axum::http::Uri;
use serde::Serialize;
use url::form_urlencoded;

/// How one of Epinio's lists is paged: each has its own ways, which are those of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// Items of a page where only its number is said.
    size: usize,
    /// Whether a page beyond the last is the last; else it is empty.
    ends: bool,
    /// Whether a search alone makes an object of the list.
    searched: bool,
}

/// What a query says of a list. What is no number is the default, as with Epinio.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Number and size, if it is to be a page.
    page: Option<(usize, Option<usize>)>,
    search: String,
}

/// One page, and how many there are.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    items: Vec<T>,
    page: usize,
    page_size: usize,
    total_items: usize,
    total_pages: usize,
}

/// The whole list, or a page of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Listed<T> {
    All(Vec<T>),
    Page(Page<T>),
}

/// Names that begin as was asked for; without any, Epinio's answer has no field.
#[derive(Debug, Serialize)]
pub(super) struct Matches {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
}

impl Form {
    /// Most lists that are cut after they are made.
    pub(super) const CUT: Self = Self { size: 25, ends: true, searched: false };
    /// Lists of which a page is read alone.
    pub(super) const READ: Self = Self { size: 25, ends: false, searched: false };
    /// Applications of one namespace.
    pub(super) const SEARCHED: Self = Self { size: 25, ends: false, searched: true };
    /// Applications by namespace.
    pub(super) const GROUPED: Self = Self { size: 10, ends: false, searched: false };
}

impl Wanted {
    pub(super) fn of(uri: &Uri) -> Self {
        let mut wanted = Self::default();
        let (mut page, mut size) = (String::new(), String::new());
        for (key, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            // The first of several counts, as with Go's `Query().Get`.
            let into = match &*key {
                "page" => &mut page,
                "pageSize" => &mut size,
                "search" => &mut wanted.search,
                _ => continue,
            };
            if into.is_empty() {
                *into = value.into_owned();
            }
        }
        wanted.search = wanted.search.to_lowercase();
        if !page.is_empty() || !size.is_empty() {
            let number = |text: &str| text.parse().ok().filter(|n| *n > 0);
            wanted.page = Some((number(&page).unwrap_or(1), number(&size)));
        }
        wanted
    }

    /// Whether the name is one of those looked for.
    pub(super) fn wants(&self, name: &str) -> bool {
        name.to_lowercase().contains(&self.search)
    }

    /// The page that is asked for; without one all, and an object only where a search makes one.
    pub(super) fn list<T>(&self, items: Vec<T>, form: Form) -> Listed<T> {
        match self.page {
            None if !form.searched || self.search.is_empty() => Listed::All(items),
            _ => Listed::Page(self.page(items, form)),
        }
    }

    /// The page that is asked for; without one all, with its numbers 0.
    pub(super) fn page<T>(&self, mut items: Vec<T>, form: Form) -> Page<T> {
        let total_items = items.len();
        let Some((page, size)) = self.page else {
            return Page { items, page: 0, page_size: 0, total_items, total_pages: 1 };
        };
        let page_size = size.unwrap_or(form.size);
        let total_pages = total_items.div_ceil(page_size).max(1);
        let page = if form.ends { page.min(total_pages) } else { page };
        let start = (page - 1).saturating_mul(page_size).min(total_items);
        items.drain(..start);
        items.truncate(page_size);
        Page { items, page, page_size, total_items, total_pages }
    }
}

impl Matches {
    pub(super) fn of<'n>(prefix: &str, names: impl Iterator<Item = &'n str>) -> Self {
        let names = names.filter(|name| name.starts_with(prefix)).map(str::to_owned);
        Self { names: names.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Wanted {
        Wanted::of(&format!("/x?{query}").parse().unwrap())
    }

    fn json(wanted: &Wanted, form: Form) -> String {
        serde_json::to_string(&wanted.list(vec!["a", "b", "c"], form)).unwrap()
    }

    #[test]
    fn pages_are_as_epinio_counts_them() {
        assert_eq!(json(&of(""), Form::SEARCHED), r#"["a","b","c"]"#);
        let second = r#"{"items":["c"],"page":2,"pageSize":2,"totalItems":3,"totalPages":2}"#;
        assert_eq!(json(&of("page=2&pageSize=2"), Form::READ), second);
        let beyond = r#"{"items":[],"page":9,"pageSize":25,"totalItems":3,"totalPages":1}"#;
        assert_eq!(json(&of("page=9"), Form::READ), beyond);
        let last = r#"{"items":["c"],"page":2,"pageSize":2,"totalItems":3,"totalPages":2}"#;
        assert_eq!(json(&of("page=9&pageSize=2"), Form::CUT), last);
        let bad = r#"{"items":["a","b","c"],"page":1,"pageSize":25,"totalItems":3,"totalPages":1}"#;
        assert_eq!(json(&of("page=-3&pageSize=x"), Form::READ), bad);
        let few = r#"{"items":["a","b","c"],"page":1,"pageSize":10,"totalItems":3,"totalPages":1}"#;
        assert_eq!(json(&of("page=1"), Form::GROUPED), few);
        let far = of(&format!("page={}&pageSize={}", usize::MAX, usize::MAX));
        assert!(json(&far, Form::READ).starts_with(r#"{"items":[],"#));
        assert!(json(&far, Form::CUT).starts_with(r#"{"items":["a","b","c"],"page":1,"#));
    }

    #[test]
    fn a_search_makes_an_object_of_some_lists_only() {
        let wanted = of("search=FO&search=x");
        assert!(wanted.wants("a-fox") && !wanted.wants("shop"));
        assert_eq!(json(&wanted, Form::CUT), r#"["a","b","c"]"#);
        let all = r#"{"items":["a","b","c"],"page":0,"pageSize":0,"totalItems":3,"totalPages":1}"#;
        assert_eq!(json(&wanted, Form::SEARCHED), all);
    }

    #[test]
    fn no_match_is_an_empty_object() {
        let of = |prefix| serde_json::to_string(&Matches::of(prefix, ["a", "ab"].into_iter()));
        assert_eq!(of("a").unwrap(), r#"{"names":["a","ab"]}"#);
        assert_eq!(of("z").unwrap(), "{}");
    }
}
