//! A command line as words, as far as it is typed.

/// Splits a line as shells do: at blanks, but for quotes and backslashes. The last word is the one at the
/// cursor, which may be empty. Quotes that are still open end with the line.
pub(super) fn split(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut quote = None;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (None, ' ' | '\t') => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), _) if c == open => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(rest.next()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.push(word.unwrap_or_default());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_as_shells_do() {
        for (line, words) in [
            ("", &[""][..]),
            ("outhaul app ", &["outhaul", "app", ""]),
            ("outhaul  app sh", &["outhaul", "app", "sh"]),
            ("o --server http://h:1/ ''", &["o", "--server", "http://h:1/", ""]),
            (r#"o "a b" 'c\d' e\ f"#, &["o", "a b", r"c\d", "e f"]),
            (r#"o "a\"b"#, &["o", "a\"b"]),
            ("o 'a b", &["o", "a b"]),
            ("o \\", &["o", ""]),
        ] {
            assert_eq!(split(line), words, "{line}");
        }
    }
}
