//! Where the Controller is.

use url::Url;

use crate::cli::remote::is_loopback;
use crate::error::Error;

/// The address of a Controller, as the user gave it.
pub(super) fn address(text: &str, plain_http: bool) -> Result<Url, Error> {
    let refuse = |text: String, hint| Err(Error::Arguments { text, hint });
    let hint = "an address is http[s]://HOST[:PORT]; the Controller's own port is 51121";
    let is_web = |url: &Url| matches!(url.scheme(), "https" | "http") && url.has_host();
    let is_bare = |url: &Url| {
        url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    let Some(url) = Url::parse(text).ok().filter(is_web).filter(is_bare) else {
        // Before an `@` may be a password.
        let shown = if text.contains('@') { "what is given" } else { text };
        return refuse(format!("`{shown}` is no address of a Controller"), hint);
    };
    if url.scheme() == "http" && !is_loopback(&url) && !plain_http {
        return refuse(
            format!("{url} is not encrypted, and token and passwords would be sent in clear"),
            "give an address with https://, or allow that with `--plain-http`",
        );
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_a_password_can_be_sent_to() {
        for (text, plain_http) in [
            ("https://iofog.example.com:51121", false),
            ("http://127.0.0.1:51121", false),
            ("http://iofog.example.com:51121", true),
        ] {
            assert!(address(text, plain_http).is_ok(), "{text}");
        }
        for text in [
            "http://iofog.example.com:51121",
            "iofog.example.com",
            "https://u:canary@iofog.example.com",
            "https://iofog.example.com/?a=canary@",
            "u:canary@a",
        ] {
            let error = address(text, false).unwrap_err();
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
}
