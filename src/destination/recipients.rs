//! Recipients of encrypted Secrets: public keys of [age](https://age-encryption.org).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A public key of age, as `age-keygen` makes it: `age1…` of X25519.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Recipient(age::x25519::Recipient);

/// Text that is no such key. It is never quoted: people mistake the secret key for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecipient {
    /// The other half of the pair.
    #[error(
        "a secret key of age stands where a recipient belongs: its public key is what `age-keygen -y` prints"
    )]
    SecretKey,
    /// A key of SSH.
    #[error("keys of SSH are no recipients here: give a public key of age, `age1…`")]
    Ssh,
    /// A key of a plugin, or of another sort than X25519.
    #[error(
        "keys of age's plugins are no recipients here: give one that `age-keygen` made, `age1…`"
    )]
    Plugin,
    /// Something else.
    #[error("a recipient is a public key of age: `age1` and 58 more characters")]
    Other,
}

impl Recipient {
    /// The key.
    pub fn key(&self) -> &age::x25519::Recipient {
        &self.0
    }
}

impl FromStr for Recipient {
    type Err = InvalidRecipient;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let is = |begin: &str| {
            text.get(..begin.len()).is_some_and(|head| head.eq_ignore_ascii_case(begin))
        };
        text.parse().map(Self).map_err(|_| match () {
            () if is("AGE-SECRET-KEY-") || is("AGE-PLUGIN-") => InvalidRecipient::SecretKey,
            () if is("ssh-") => InvalidRecipient::Ssh,
            // A plugin's name stands between `age1` and the last `1`.
            () if is("age1") && text.rfind('1') > Some(3) => InvalidRecipient::Plugin,
            () => InvalidRecipient::Other,
        })
    }
}

/// The recipients of a list that commas or spaces separate.
///
/// # Errors
/// At the first that is none.
pub fn list(text: &str) -> Result<Vec<Recipient>, InvalidRecipient> {
    let words = text.split(|c: char| c == ',' || c.is_whitespace());
    words.filter(|word| !word.is_empty()).map(str::parse).collect()
}

/// The recipients of a file, as `age -R` reads it: one a line, with comments and empty lines.
///
/// # Errors
/// At the first line that is none, with its number.
pub fn file(text: &str) -> Result<Vec<Recipient>, (usize, InvalidRecipient)> {
    let lines = text.lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(at, line)| line.parse().map_err(|error| (at + 1, error))).collect()
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Recipient {
    type Error = InvalidRecipient;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Recipient> for String {
    fn from(recipient: Recipient) -> Self {
        recipient.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

    #[test]
    fn a_recipient_comes_back_as_it_was_written() {
        assert_eq!(KEY.parse::<Recipient>().unwrap().to_string(), KEY);
        let json = serde_json::to_string(&KEY.parse::<Recipient>().unwrap()).unwrap();
        assert_eq!(json, format!("\"{KEY}\""));
        assert_eq!(serde_json::from_str::<Recipient>(&json).unwrap().to_string(), KEY);
    }

    #[test]
    fn what_is_none_is_told_apart_and_not_quoted() {
        for (text, error) in [
            ("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZ", InvalidRecipient::SecretKey),
            ("age-secret-key-1gfpyysjzgfpyysjz", InvalidRecipient::SecretKey),
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", InvalidRecipient::Ssh),
            (
                "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t",
                InvalidRecipient::Plugin,
            ),
            ("age1short", InvalidRecipient::Other),
            ("", InvalidRecipient::Other),
            ("ünïcode", InvalidRecipient::Other),
            (&KEY[..KEY.len() - 1], InvalidRecipient::Other),
        ] {
            assert_eq!(text.parse::<Recipient>().unwrap_err(), error, "{text}");
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
    }

    #[test]
    fn lists_and_files() {
        assert_eq!(list(&format!(" {KEY}, {KEY}\n{KEY}")).unwrap().len(), 3);
        assert_eq!(list(" , ").unwrap(), []);
        assert!(list(&format!("{KEY} nobody")).is_err());
        let text = format!("# the team\n\n  {KEY}\r\nnobody\n");
        assert_eq!(file(&text).unwrap_err(), (4, InvalidRecipient::Other));
        assert_eq!(file(&text[..text.len() - 7]).unwrap().len(), 1);
    }
}
