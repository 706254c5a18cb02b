//! URLs and connection strings with a password.

use super::values::is_elsewhere;
use super::{Credential, Place, beginning};

/// Longest authority of a URL that is looked at: a host name has at most 253 bytes.
const LONGEST_AUTHORITY: usize = 1024;

/// What ends the authority of a URL, in a text of any sort.
const ENDS: &[char] =
    &['/', '?', '#', '"', '\'', '`', '<', '>', ',', ';', ')', ' ', '\t', '\n', '\r', '\\'];

/// How Go's MySQL driver writes an address: `user:password@tcp(host:3306)/db`.
const DRIVERS: [&str; 2] = ["@tcp(", "@unix("];

/// Finds them.
pub(super) fn find(text: &str, add: &mut dyn FnMut(Credential, Place)) {
    for (at, separator) in text.match_indices("://") {
        let rest = beginning(&text[at + separator.len()..], LONGEST_AUTHORITY);
        // What something fills in may hold any character.
        let filled = rest.starts_with(['$', '{', '%']);
        let authority = &rest[..rest.find(ENDS).unwrap_or(rest.len())];
        if !filled && authority.rsplit_once('@').is_some_and(|(user, _)| has_password(user)) {
            add(Credential::Url, at);
        }
    }
    for driver in DRIVERS {
        for (at, _) in text.match_indices(driver) {
            let before = &text[text.ceil_char_boundary(at.saturating_sub(LONGEST_AUTHORITY))..at];
            let start = before.rfind(|c: char| c.is_whitespace() || "\"'`=(".contains(c));
            let user = &before[start.map_or(0, |start| start + 1)..];
            if has_password(user) {
                add(Credential::Url, at);
            }
        }
    }
}

fn has_password(user_info: &str) -> bool {
    let password = user_info.split_once(':').map(|(_, password)| password);
    password.is_some_and(|password| !is_elsewhere(password))
}

#[cfg(test)]
mod tests {
    use super::super::tests::finds;
    use super::*;

    #[test]
    fn a_password_in_a_url_is_found_and_nothing_else() {
        for text in [
            "postgres://shop:hunter2@db:5432/shop",
            "redis://:geheim@cache:6379/0",
            "amqp://guest:guest@mq/",
            "see https://carol:p%40ss@example.com, please",
            "mongodb+srv://u:p@ss@cluster0.example.net/x",
            "ünïcode ✓ ftp://a:bcd@host",
            "shop:hunter2@tcp(db:3306)/shop?parseTime=true",
            "dsn=\"shop:hunter2@unix(/tmp/mysql.sock)/shop\"",
        ] {
            assert!(finds(find, text), "{text}");
        }
        for text in [
            "https://example.com/a@b:c@d",
            "http://host:8080/",
            "http://[::1]:80/x@y",
            "git+ssh://git@github.com/a/b",
            "https://carol@example.com",
            "postgres://shop:$(DB_PASSWORD)@db/shop",
            "postgres://shop:${DB_PASSWORD}@db/shop",
            "postgres://{{ user }}:{{ password }}@db/shop",
            "postgres://shop:<password>@db/shop",
            "postgres://shop:****@db/shop",
            "postgres://shop:@db/shop",
            "://",
            ":// :@",
            "mailto:carol@example.com",
            "shop:$DB@tcp(db)/",
            "a://b:c",
        ] {
            assert!(!finds(find, text), "{text}");
        }
    }
}
