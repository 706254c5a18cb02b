//! `Link: <…>; rel="next"`: where the next page of a list is (RFC 8288).

use reqwest::header::{self, HeaderMap};

/// The target of the first link to a next page.
pub(super) fn next(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::LINK).iter();
    values.filter_map(|value| value.to_str().ok()).find_map(parse)
}

fn parse(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        let end = after.find('<').unwrap_or(after.len());
        if after[..end].split([';', ',']).any(is_next) {
            return Some(target.to_owned());
        }
        rest = &after[end..];
    }
    None
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let relations = value.trim().trim_matches('"');
    name.trim().eq_ignore_ascii_case("rel")
        && relations.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_next_page_is_followed() {
        for (header, target) in [
            (r#"</v2/a/tags/list?last=x&n=2>; rel="next""#, Some("/v2/a/tags/list?last=x&n=2")),
            ("<https://r/v2/?n=1>;REL=next", Some("https://r/v2/?n=1")),
            (r#"<a>; rel="prev", <b>; title="t"; rel="last next""#, Some("b")),
            (r#"<a>; rel="prev""#, None),
            ("<a>", None),
            ("<a; rel=next", None),
            ("", None),
        ] {
            assert_eq!(parse(header).as_deref(), target, "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_the_parser_panic(header in ".{0,80}") {
            let _ = parse(&header);
        }
    }
}
