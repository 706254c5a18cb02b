//! Where the server is.

use url::{Host, Url};

use crate::error::Error;

/// The address of a server, as the user gave it.
///
/// # Errors
/// When it is none, holds more than an address, or would have the token sent in clear.
pub(super) fn address(text: &str) -> Result<Url, Error> {
    let refuse = |text: String, hint| Err(Error::Arguments { text, hint });
    let hint = "an address is https://HOST[:PORT][/PATH]";
    let is_web = |url: &Url| matches!(url.scheme(), "https" | "http") && url.has_host();
    let Some(url) = Url::parse(text).ok().filter(is_web) else {
        // Before an `@` may be a password.
        let shown = if text.contains('@') { "what is given" } else { text };
        return refuse(format!("`{shown}` is no address of a server"), hint);
    };
    if !url.username().is_empty() || url.password().is_some() {
        let text = "the address of the server holds credentials".to_owned();
        return refuse(text, "give a token in OUTHAUL_TOKEN or with `--token-file`");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse(format!("the address of the server has more than a path: {url}"), hint);
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return refuse(
            format!("{url} is not encrypted, and the token would be sent in clear"),
            "give an address with https://; without TLS only this machine is spoken to, such as by \
             `kubectl port-forward`",
        );
    }
    Ok(url)
}

/// Whether it is this machine, whatever a resolver says.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Host and port, for messages.
pub(crate) fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_a_token_can_be_sent_to() {
        for text in [
            "https://outhaul.example.com",
            "https://outhaul.example.com:8443/below/",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://localhost",
        ] {
            assert!(address(text).is_ok(), "{text}");
        }
        for (text, words) in [
            ("outhaul.example.com", "no address"),
            ("", "no address"),
            ("ftp://a", "no address"),
            ("https://", "no address"),
            ("https://a/?b", "more than a path"),
            ("https://a/#b", "more than a path"),
            ("http://outhaul.example.com", "in clear"),
            ("http://10.0.0.1", "in clear"),
            ("http://localhost.example.com", "in clear"),
            ("https://u:s3cret@a", "holds credentials"),
            ("u:s3cret@a", "no address"),
        ] {
            let error = address(text).unwrap_err();
            assert!(error.to_string().contains(words), "{text}: {error}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_port_is_named_where_there_is_one() {
        for (text, named) in [("https://a", "a"), ("https://a:8443/b", "a:8443")] {
            assert_eq!(place(&address(text).unwrap()), named);
        }
    }
}
