//! `WWW-Authenticate` (RFC 9110 §11.6.1, and distribution's token specification), as servers
//! write it: several challenges in one header or in several, quoted strings, odd spacing.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// What a registry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::registry) enum Challenge {
    /// User name and password with every request.
    Basic,
    /// A token from `realm`.
    Bearer(Bearer),
}

/// Where a token comes from and what it must allow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::registry) struct Bearer {
    /// URL of the token service.
    pub(in crate::registry) realm: String,
    /// Name of the registry at the token service.
    pub(in crate::registry) service: Option<String>,
    /// Scopes, separated by spaces.
    pub(in crate::registry) scope: String,
    /// Why the last token was refused, such as `insufficient_scope`.
    pub(in crate::registry) error: Option<String>,
}

/// A scheme with its parameters, names in lower case.
type Raw<'a> = (&'a str, Vec<(String, String)>);

/// The challenges of an answer that this client understands, in their order.
pub(in crate::registry) fn of(headers: &HeaderMap) -> Vec<Challenge> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(parse).collect()
}

fn parse(header: &str) -> Vec<Challenge> {
    raw(header).into_iter().filter_map(understood).collect()
}

fn understood((scheme, parameters): Raw<'_>) -> Option<Challenge> {
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let mut bearer = Bearer::default();
    for (name, value) in parameters {
        match name.as_str() {
            "realm" => bearer.realm = value,
            "service" => bearer.service = Some(value),
            "scope" if bearer.scope.is_empty() => bearer.scope = value,
            "scope" => bearer.scope = format!("{} {value}", bearer.scope),
            "error" => bearer.error = Some(value),
            _ => {}
        }
    }
    (!bearer.realm.is_empty()).then_some(Challenge::Bearer(bearer))
}

/// Splits a header into schemes and parameters: a word followed by `=` is a parameter of the
/// scheme before it, any other word begins the next scheme.
fn raw(header: &str) -> Vec<Raw<'_>> {
    let mut challenges: Vec<Raw<'_>> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=', '"']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let gap = after.trim_start_matches([' ', '\t']);
        if let Some(value) = gap.strip_prefix('=') {
            let (value, after) = take_value(value.trim_start_matches([' ', '\t']));
            if let Some((_, parameters)) = challenges.last_mut() {
                parameters.push((word.to_ascii_lowercase(), value));
            }
            rest = after;
        } else if word.is_empty() {
            let Some(next) = after.chars().next() else { return challenges };
            rest = &after[next.len_utf8()..]; // a stray quote
        } else {
            challenges.push((word, Vec::new()));
            rest = after;
        }
    }
}

/// A token or a quoted string at the start of `text`, and what follows it.
fn take_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "") // a quote that never ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bearer(realm: &str, service: Option<&str>, scope: &str) -> Challenge {
        let (realm, service) = (realm.to_owned(), service.map(str::to_owned));
        Challenge::Bearer(Bearer { realm, service, scope: scope.to_owned(), error: None })
    }

    #[test]
    fn what_registries_send_is_understood() {
        for (header, expected) in [
            (
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
                vec![bearer(
                    "https://auth.docker.io/token",
                    Some("registry.docker.io"),
                    "repository:a/b:pull,push",
                )],
            ),
            (r#"Basic realm="Registry Realm""#, vec![Challenge::Basic]),
            ("basic", vec![Challenge::Basic]),
            (
                r#"BEARER realm = "https://x/?a=b,c" , Basic realm=y"#,
                vec![bearer("https://x/?a=b,c", None, ""), Challenge::Basic],
            ),
            (
                r#"Negotiate, Bearer realm=https://x/,service="a \"b\"""#,
                vec![bearer("https://x/", Some("a \"b\""), "")],
            ),
            (r#"Bearer realm="r",scope="a",scope="b""#, vec![bearer("r", None, "a b")]),
            (r#"Bearer service="without a realm""#, vec![]),
            (r#"Bearer realm="never ends"#, vec![bearer("never ends", None, "")]),
            ("", vec![]),
            (r#"="" " ,, "#, vec![]),
        ] {
            assert_eq!(parse(header), expected, "{header}");
        }
    }

    #[test]
    fn the_error_of_a_refused_token_is_kept() {
        let header = r#"Bearer realm="r",error="insufficient_scope""#;
        let [Challenge::Bearer(bearer)] = &parse(header)[..] else { panic!() };
        assert_eq!(bearer.error.as_deref(), Some("insufficient_scope"));
    }

    proptest! {
        #[test]
        fn no_header_makes_the_parser_panic_or_hang(header in ".{0,120}") {
            let _ = parse(&header);
        }

        #[test]
        fn quoted_values_come_back(realm in "[ -~]{1,40}", scope in "[ -~]{0,40}") {
            let quote = |text: &str| text.replace('\\', r"\\").replace('"', "\\\"");
            let header = format!(r#"Bearer realm="{}",scope="{}""#, quote(&realm), quote(&scope));
            prop_assert_eq!(parse(&header), vec![bearer(&realm, None, &scope)]);
        }
    }
}
