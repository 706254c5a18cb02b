//! Names of records.

use super::Export;

/// Longest part of a name that is the application's, so that the whole is a label's value.
const MAX_APP: usize = 40;

/// Random characters at the end: two records of one application hardly ever get the same.
const RANDOM: usize = 10;

impl Export {
    /// A name that no record has, beginning with the application's.
    pub fn fresh_name(app: &str) -> String {
        let random = (0..RANDOM).map(|_| fastrand::alphanumeric().to_ascii_lowercase());
        format!("{}-{}", Self::name_of_app(app), random.collect::<String>())
    }

    /// The name of an application as the beginning of a record's.
    pub fn name_of_app(app: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let label: String = app.chars().map(plain).take(MAX_APP).collect();
        match label.trim_matches('-') {
            "" => "export".to_owned(),
            label => label.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_with_the_applications_and_are_names() {
        let name = Export::fresh_name("My_Shop.v2");
        assert!(name.starts_with("my-shop-v2-") && name.len() == 21, "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        assert_eq!(Export::name_of_app("___"), "export");
        assert_eq!(Export::name_of_app(&"a-".repeat(30)), format!("{}a", "a-".repeat(19)));
    }
}
