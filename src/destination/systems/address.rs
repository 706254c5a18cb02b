//! Addresses in the spelling of their owners.

/// `[scheme://]host[:port][/path]` in its owner's spelling, which EDA and Avassa compare by letter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The scheme, if one is written.
    pub scheme: Option<Scheme>,
    /// Host and port; empty where there is none.
    pub host: String,
    /// What follows, with its slash; empty for a sound address.
    pub rest: String,
}

/// The scheme of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

impl Address {
    /// Takes a text apart. A path is kept apart, as no system uses it.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let (scheme, bare) = match text.split_once("://") {
            Some(("http", bare)) => (Some(Scheme::Http), bare),
            Some(("https", bare)) => (Some(Scheme::Https), bare),
            // Another scheme makes it no address.
            Some(_) => (None, ""),
            None => (None, text),
        };
        let at = bare.find('/').unwrap_or(bare.len());
        let (host, rest) = bare.split_at(at);
        // `docker.io/` and `docker.io/v2/` mean the host.
        let rest = if matches!(rest.trim_matches('/'), "" | "v1" | "v2") { "" } else { rest };
        let valid = host.parse::<crate::registry::Host>().is_ok();
        let host = if valid || host == crate::destination::iofog::FROM_CACHE { host } else { "" };
        Self { scheme, host: host.to_owned(), rest: rest.to_owned() }
    }

    /// What messages call an address that may be none: its host, and nothing of a text that may
    /// hold a password (`https://bob:hunter2@…`).
    pub(crate) fn name(text: Option<&str>) -> String {
        let host = Self::parse(text.unwrap_or_default()).host;
        if host.is_empty() { "without address".to_owned() } else { host }
    }

    /// Whether HTTP without TLS is spoken.
    pub fn plain_http(&self) -> bool {
        self.scheme == Some(Scheme::Http)
    }

    /// As it was written, but for what means nothing.
    pub fn written(&self) -> String {
        let scheme = match self.scheme {
            Some(Scheme::Http) => "http://",
            Some(Scheme::Https) => "https://",
            None => "",
        };
        format!("{scheme}{}{}", self.host, self.rest)
    }
}
