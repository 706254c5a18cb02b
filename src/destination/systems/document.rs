//! What writers give: trees with a comment, and placeholders where secret values belong.

use std::fmt;

use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::{Login, Username};
use crate::app::SecretValues;

/// One document to be written, with what people read before it.
#[derive(Clone, PartialEq)]
pub struct Document {
    /// Lines of comment: the command that takes the document, and what to fill in.
    pub comment: Vec<String>,
    /// Comments behind lines of it: the line without its end, and the words.
    pub behind: Vec<(String, String)>,
    /// What it says. With secrets in it where they were asked for, so it is not printed by `{:?}`.
    pub value: Value,
}

/// How documents are written.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// Write the values of secrets, and not placeholders.
    pub with_secrets: bool,
    /// Namespace of Kubernetes objects; unset: where the row came from, else the system's own.
    pub namespace: Option<String>,
    /// Vault of secrets that name none (Avassa).
    pub vault: Option<String>,
}

impl Document {
    /// A document without comment.
    pub fn new(value: Value) -> Self {
        Self { comment: Vec::new(), behind: Vec::new(), value }
    }

    /// The same with one more line before it.
    #[must_use]
    pub fn comment(mut self, line: impl Into<String>) -> Self {
        self.comment.push(line.into());
        self
    }

    /// The same with a comment behind the first line that is `line`.
    #[must_use]
    pub fn behind(mut self, line: impl Into<String>, words: impl Into<String>) -> Self {
        self.behind.push((line.into(), words.into()));
        self
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.value["kind"].as_str().unwrap_or("mapping");
        write!(f, "Document({kind})")
    }
}

/// The text that stands for a value that is not written.
pub(crate) fn placeholder(what: &str) -> String {
    format!("<{what}>")
}

/// Whether a text is a placeholder: ours, `<…>`, as the vendors' pages have them, too, or Epinio's
/// `(… here)`.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    let between = |open, close| text.starts_with(open) && text.ends_with(close);
    // A password may begin and end so; one in a line of words does not.
    (between('<', '>') && !text[1..].contains('<'))
        || (between('(', ')') && text.ends_with(" here)"))
}

/// The password, or what stands for it.
pub(crate) fn fill(login: Option<&Login>, what: &str, with_secrets: bool) -> String {
    let known = login.and_then(|login| login.password.as_ref()).filter(|_| with_secrets);
    known.map_or_else(|| placeholder(what), |password| password.expose_secret().to_owned())
}

/// The user name, or what stands for it. One that its system shows is written always.
pub(crate) fn fill_username(login: Option<&Login>, what: &str, with_secrets: bool) -> String {
    match login.map(|login| &login.username) {
        Some(Username::Shown(name)) => name.clone(),
        Some(Username::Hidden(name)) if with_secrets => name.expose_secret().to_owned(),
        _ => placeholder(what),
    }
}

/// The value of a key of a Secret, or what stands for one that is not to be written or is no text.
pub(crate) fn fill_secret(values: &SecretValues, secret: &str, key: &str) -> String {
    let known = values.0.get(secret).and_then(|keys| keys.get(key));
    let text = known.and_then(|value| std::str::from_utf8(value.expose_secret()).ok());
    text.map_or_else(|| placeholder(&format!("{key} of {secret}")), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_values() {
        for text in ["<>", "<base64(username)>", "<your password>", "(set the user name here)"] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in ["", "bob", "<a", "a>", "(x)", "<a><b>", "{\"type\": \"service_account\"}"] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn a_document_is_not_printed() {
        let document = Document::new(serde_json::json!({"kind": "Secret", "x": "canary"}));
        assert_eq!(format!("{document:?}"), "Document(Secret)");
    }
}
