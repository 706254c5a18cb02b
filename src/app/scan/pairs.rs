//! Pairs of name and value within a text: `name=value`, `name: value`, `"name": "value"`,
//! `name => value`, `<name>value</name>`, in files of any format, scripts and query strings.

use super::names::{Meaning, meaning};
use super::values::judge;
use super::{Credential, LONGEST_VALUE, Place, beginning};

/// Longest name that is looked at.
const LONGEST_NAME: usize = 64;

/// Directives of Redis that a space separates from their value.
const DIRECTIVES: [&str; 2] = ["requirepass ", "masterauth "];

/// What opens a key of YAML or JSON on its line, besides the beginning of the line.
const OPENING: &[char] = &['{', ',', '[', '-'];

/// Finds them. Comments are passed over: samples stand there.
pub(super) fn find(text: &str, add: &mut dyn FnMut(Credential, Place)) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start();
        if !["#", "// ", ";", "*"].iter().any(|comment| bare.starts_with(comment)) {
            of_line(text, start, line.len(), add);
        }
        start += line.len();
    }
}

fn of_line(text: &str, start: Place, length: usize, add: &mut dyn FnMut(Credential, Place)) {
    let line = &text[start..start + length];
    let bare = line.trim();
    if let Some(directive) = DIRECTIVES.iter().find(|of| bare.starts_with(**of))
        && let Some(found) = judge(Meaning::Password, unquoted(bare[directive.len()..].trim()))
    {
        add(found, start);
    }
    let mut done = 0;
    for (at, separator) in line.match_indices([':', '=', '>']) {
        if at < done {
            continue;
        }
        let name = name_before(line, at, separator);
        let Some(meaning) = name.and_then(meaning) else { continue };
        let rest = beginning(&line[at + 1..], LONGEST_VALUE);
        let Some(value) = value_after(rest, separator) else { continue };
        // So that no value is looked at twice.
        done = at + 1 + value.len();
        if let Some(found) = judge(meaning, value) {
            add(found, start + at);
        }
    }
}

/// The name that ends before a separator.
fn name_before<'t>(line: &'t str, at: usize, separator: &str) -> Option<&'t str> {
    let before = line[..at].strip_suffix(':').filter(|_| separator == "=").unwrap_or(&line[..at]);
    let before = before.trim_end_matches([' ', '\t']);
    let closed = before.strip_suffix(['"', '\'']);
    let before = closed.map_or(before, |inner| inner.strip_suffix('\\').unwrap_or(inner));
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let length = before.bytes().rev().take(LONGEST_NAME).take_while(is_name).count();
    let (ahead, name) = before.split_at(before.len() - length);
    let opens = match separator {
        ">" => ahead.ends_with('<'),
        ":" => {
            let ahead = ahead.trim_end_matches(['"', '\'', '\\']).trim_end_matches([' ', '\t']);
            ahead.is_empty() || ahead.ends_with(OPENING)
        }
        _ => true,
    };
    (opens && !name.is_empty()).then_some(name)
}

/// The value that follows a separator; `None` if the separator is none.
fn value_after<'t>(rest: &'t str, separator: &str) -> Option<&'t str> {
    let rest = match separator {
        "=" if rest.starts_with('=') => return None,
        "=" => rest.strip_prefix('>').unwrap_or(rest),
        ":" if !rest.starts_with([' ', '\t', '"', '\'', '\\']) => return None,
        _ => rest,
    };
    let rest = rest.trim_start_matches([' ', '\t']);
    let inner = rest.strip_prefix('\\').unwrap_or(rest);
    if let Some(quote) = inner.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) {
        let inner = &inner[1..];
        let end = inner.find(quote).unwrap_or(inner.len());
        return Some(inner[..end].trim_end_matches('\\'));
    }
    let ends: &[char] = match separator {
        ">" => &['<', '\n'],
        "=" => &[' ', '\t', '\n', '\r', '"', '\'', '&', ';', ',', '|', '<', '>', ')'],
        _ => &['\n', '\r'],
    };
    let value = &rest[..rest.find(ends).unwrap_or(rest.len())];
    if separator != ":" {
        return Some(value);
    }
    let value = value.split(" #").next().unwrap_or_default().trim_end();
    let value = value.trim_end_matches([',', '}', ']']).trim_end();
    // A sentence, or what only the rest of the line explains.
    (!value.contains(char::is_whitespace)).then_some(value)
}

fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::super::tests::finds;
    use super::*;

    #[test]
    fn pairs_are_found_in_every_format() {
        for text in [
            "DB_PASSWORD=hunter2",
            "export DB_PASSWORD='hunter2'; run",
            "PGPASSWORD=hunter2 psql -h db",
            "--admin-password=hunter2",
            "-Dspring.datasource.password=hunter2",
            "jdbc:postgresql://db/shop?user=shop&password=hunter2&ssl=true",
            "Server=db;User=sa;Password=hunter2;",
            "db:\n  password: hunter2\n",
            "db: {user: shop, password: hunter2}",
            "- password: \"hunter2\" # for tests",
            r#"{"db": {"password": "hunter2"}}"#,
            r#"{"db":{"password":"hunter2"}}"#,
            r#"text: "{\"password\":\"hunter2\"}""#,
            "password => \"hunter2\"",
            "password := \"hunter2\"",
            "[db]\npassword = hunter2\n",
            "<db><password>hunter2</password></db>",
            "<Resource username=\"shop\" password=\"hunter2\"/>",
            "bind 0.0.0.0\nrequirepass hunter2\n",
            "token: 9f86d081884c7d659a2feaa0c55ad015",
            r#"{"auths": {"r.example": {"auth": "Y2Fyb2w6czNjcmV0"}}}"#,
            "//registry.example/:_authToken=9f86d081884c7d659a2feaa0c55ad015",
            "ünïcode: ✓\npassword: hünter2\n",
        ] {
            assert!(finds(find, text), "{text}");
        }
    }

    #[test]
    fn what_only_speaks_of_passwords_is_none() {
        for text in [
            "# password: hunter2",
            "  // password = hunter2",
            "; password = hunter2",
            "password: ",
            "password: must have eight characters",
            "if password == expected:",
            "The password: hunter2",
            "password_file=/run/secrets/db",
            "password=$(cat /run/secrets/db)",
            "password = os.environ[\"DB_PASSWORD\"]",
            "password: ${DB_PASSWORD}",
            "password: {{ .Values.password }}",
            "password: !vault |",
            "existingSecret: shop-credentials",
            "secretKeyRef: {name: shop, key: password}",
            "token_url: https://example.com/oauth/token",
            "password: null",
            "label.password=Password",
            "=",
            ":",
            ">",
            "<>",
            "a=",
            "password",
            "==password==",
            "password=>",
        ] {
            assert!(!finds(find, text), "{text}");
        }
    }
}
