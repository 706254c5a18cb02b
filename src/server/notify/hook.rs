//! Where ends are told: the Secret that a destination's annotation names.
//!
//! ```yaml
//! stringData:
//!   url: https://hooks.example.com/exports
//!   key: … # of the signature
//!   allow-private: "true" # if the receiver is on this machine or its link
//! ```

use secrecy::{ExposeSecret as _, SecretSlice};
use url::Url;

use crate::cluster::SecretObject;

/// Annotation of a destination's Secret: the name of the webhook's Secret, in the same namespace.
const ANNOTATION: &str = "outhaul.dev/webhook";

/// A receiver. Prints neither its key nor its path and query, which are as good as keys with some.
pub(super) struct Hook {
    pub(super) url: Url,
    pub(super) key: SecretSlice<u8>,
    /// Whether it may be an address of the server's own surroundings.
    pub(super) allow_private: bool,
}

/// The name of the webhook's Secret that a destination's Secret names, if it does.
pub(super) fn named(destination: &SecretObject) -> Option<&str> {
    let name = destination.annotations.get(ANNOTATION)?.trim();
    (!name.is_empty()).then_some(name)
}

impl Hook {
    /// Reads it; else says what is wrong with the Secret, without any of its values.
    pub(super) fn read(secret: &SecretObject) -> Result<Self, String> {
        let wrong = |what: &str| format!("Secret `{}`: {what}", secret.name);
        let text = |key: &str| {
            let bytes = secret.data.get(key).map(|value| value.expose_secret())?;
            Some(std::str::from_utf8(bytes).unwrap_or_default().trim().to_owned())
        };
        let url = text("url").ok_or_else(|| wrong("it has no key `url`"))?;
        let url: Option<Url> = url.parse().ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.ok_or_else(|| wrong("`url` is no https:// or http:// URL"))?;
        let key = secret.data.get("key").filter(|key| !key.expose_secret().is_empty());
        let key = key.ok_or_else(|| wrong("it has no key `key`, with which to sign"))?.clone();
        let allow_private = match text("allow-private").as_deref() {
            None | Some("" | "false") => false,
            Some("true") => true,
            Some(_) => return Err(wrong("`allow-private` must be \"true\" or \"false\"")),
        };
        Ok(Self { url, key, allow_private })
    }

    /// Scheme, host and port.
    pub(super) fn place(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(values: &[(&str, &str)]) -> SecretObject {
        let data = values
            .iter()
            .map(|(key, value)| ((*key).to_owned(), SecretSlice::from(value.as_bytes().to_vec())));
        SecretObject {
            name: "hook".into(),
            labels: Default::default(),
            annotations: Default::default(),
            data: data.collect(),
            malformed: Vec::new(),
        }
    }

    #[test]
    fn a_receiver_is_a_url_and_a_key() {
        let good = [("url", " https://u:p@hooks.example:8443/s3cret?token=t \n"), ("key", "k\n")];
        let hook = Hook::read(&secret(&good)).unwrap();
        assert_eq!(hook.place(), "https://hooks.example:8443");
        assert_eq!(hook.key.expose_secret(), b"k\n", "as it is: receivers have the same");
        assert!(!hook.allow_private);
        let open = [good[0], good[1], ("allow-private", "true")];
        assert!(Hook::read(&secret(&open)).unwrap().allow_private);
    }

    #[test]
    fn what_is_wrong_is_said_without_values() {
        let url = ("url", "https://hooks.example/canary");
        for (values, words) in [
            (&[("key", "canary")][..], "no key `url`"),
            (&[url], "no key `key`"),
            (&[url, ("key", "")], "no key `key`"),
            (&[("url", "canary"), ("key", "k")], "no https:// or http:// URL"),
            (&[("url", "ftp://canary/"), ("key", "k")], "no https:// or http:// URL"),
            (&[("url", ""), ("key", "k")], "no https:// or http:// URL"),
            (&[url, ("key", "k"), ("allow-private", "canary")], "must be \"true\" or \"false\""),
        ] {
            let Err(said) = Hook::read(&secret(values)) else { panic!("{words}") };
            assert!(said.starts_with("Secret `hook`: ") && said.contains(words), "{said}");
            assert!(!said.contains("canary"), "{said}");
        }
    }
}
