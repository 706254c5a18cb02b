//! Names of records.

use jiff::Timestamp;

use super::Export;

/// Longest part of a name that is the application's, so that the whole is a label's value.
const MAX_APP: usize = 40;

/// Random characters behind the second: two records of one application hardly ever get the same.
const RANDOM: usize = 4;

impl Export {
    /// A name that no record has: the application's, the time, so that later ones stand below, and
    /// some letters.
    pub fn fresh_name(app: &str, now: Timestamp) -> String {
        let random = (0..RANDOM).map(|_| fastrand::alphanumeric().to_ascii_lowercase());
        let random = random.collect::<String>();
        format!("{}-{}-{random}", Self::name_of_app(app), base_36(now.as_second().unsigned_abs()))
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

fn base_36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 || digits.is_empty() {
        digits.extend(char::from_digit((number % 36) as u32, 36));
        number /= 36;
    }
    digits.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_labels_whatever_the_application_is_called() {
        let long = "a".repeat(39) + "--b";
        for (app, label) in [("web", "web"), ("A.b", "a-b"), ("-", "export"), ("ä", "export")] {
            assert_eq!(Export::name_of_app(app), label);
        }
        assert_eq!(Export::name_of_app(&long), "a".repeat(39));
    }

    #[test]
    fn two_records_have_two_names() {
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        let name = || Export::fresh_name("web", now);
        assert!(name().starts_with("web-") && name().len() == "web-abcdef-abcd".len());
        assert_ne!(name(), name());
    }
}
