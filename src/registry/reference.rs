//! Image references: host, repository, tag and digest, each parsed once.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Digest, Revision, surroundings};

/// The host of a registry with its port, in one spelling: lower case, no scheme, no default port,
/// and `docker.io` for all of Docker Hub's names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Host(String);

/// The name of a repository: lower-case path segments separated by `/` (distribution-spec,
/// "Pulling manifests", `<name>`), 255 characters at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryName(String);

/// A tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(String);

/// A reference as users write it: `[host/]repository[:tag][@digest]`, with Docker's defaults for
/// what is left out (`docker.io`, `library/`, and `latest` if there is no digest).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    /// Registry.
    pub host: Host,
    /// Repository within it.
    pub repository: RepositoryName,
    /// Tag, if one was written.
    pub tag: Option<Tag>,
    /// Digest, if one was written.
    pub digest: Option<Digest>,
}

/// Text that is not what it should be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not a valid {what}: {reason}")]
pub struct InvalidReference {
    /// The text.
    pub text: String,
    /// What it should have been.
    pub what: &'static str,
    /// Which rule it breaks.
    pub reason: &'static str,
}

/// Docker Hub as references spell it; its other names are folded into this one.
const DOCKER_HUB: &str = "docker.io";

/// Where Docker Hub's registry really answers.
const DOCKER_HUB_API: &str = "registry-1.docker.io";

/// The names under which Docker Hub appears in references, Docker configurations and Secrets
/// (`DefaultAuthKey` of go-containerregistry; Epinio's own example uses the last).
const DOCKER_HUB_NAMES: [&str; 4] =
    [DOCKER_HUB, "index.docker.io", DOCKER_HUB_API, "registry.hub.docker.com"];

/// Longest repository name: registries share this limit with the reference grammar of
/// distribution (`NameTotalLengthMax`).
const MAX_REPOSITORY: usize = 255;

/// Longest tag (distribution-spec, `<reference>`).
const MAX_TAG: usize = 128;

impl Host {
    /// The canonical host and port.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port to connect to: Docker Hub answers under another name.
    pub fn api_host(&self) -> &str {
        if self.0 == DOCKER_HUB { DOCKER_HUB_API } else { &self.0 }
    }

    /// The host without its port.
    pub fn name(&self) -> &str {
        match self.0.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => &self.0,
        }
    }

    /// Whether it is the host of `host[:port][/path]`, in any spelling.
    pub fn is_of(&self, address: &str) -> bool {
        let host = address.split('/').next().unwrap_or_default();
        host.parse::<Self>().is_ok_and(|host| host == *self)
    }

    /// The host of a registry whose own is not known: a name that never resolves (RFC 2606).
    pub fn unknown() -> Self {
        Self("unknown.invalid".to_owned())
    }

    /// Whether the address means something within a cluster only: the name of a Service, or, as
    /// nodes pull from a node port, their own loopback.
    pub fn is_in_cluster(&self) -> bool {
        let name = self.name();
        name.ends_with(".svc") || name.contains(".svc.") || self.is_loopback()
    }

    /// Whether it is written as an address that means whoever asks, and nobody else: this machine, or
    /// its own link, where clouds keep the credentials of machines. Numbers count in every way in
    /// which a URL may write them.
    pub fn is_local(&self) -> bool {
        use std::net::IpAddr;
        let address = match url::Host::parse(self.name()) {
            Ok(url::Host::Ipv4(address)) => IpAddr::V4(address),
            Ok(url::Host::Ipv6(address)) => IpAddr::V6(address),
            _ => {
                let name = self.name();
                return name == "localhost" || name.ends_with(".localhost");
            }
        };
        surroundings::is_local(address)
    }

    /// Whether it is this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
    pub fn is_loopback(&self) -> bool {
        let name = self.name().trim_start_matches('[').trim_end_matches(']');
        name == "localhost"
            || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for Host {
    type Err = InvalidReference;

    /// Accepts a scheme, a path (which is ignored, as in `https://index.docker.io/v1/`), upper
    /// case and default ports.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let host = rest.split('/').next().unwrap_or_default().to_ascii_lowercase();
        let default_port = if scheme == "http" { ":80" } else { ":443" };
        let host = host.strip_suffix(default_port).unwrap_or(&host);
        if !is_host(host) {
            return Err(invalid(text, "registry host", "letters, digits, `.`, `-` and a port"));
        }
        let name = if DOCKER_HUB_NAMES.contains(&host) { DOCKER_HUB } else { host };
        Ok(Self(name.to_owned()))
    }
}

impl RepositoryName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last path segment.
    pub fn last(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// `prefix/self`, or `self` without a prefix.
    ///
    /// # Errors
    /// When the two together are too long.
    pub fn under(&self, prefix: Option<&Self>) -> Result<Self, InvalidReference> {
        prefix.map_or_else(|| Ok(self.clone()), |prefix| format!("{}/{}", prefix.0, self.0).parse())
    }
}

impl FromStr for RepositoryName {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_REPOSITORY {
            return Err(invalid(text, "repository name", "255 characters at most"));
        }
        if text.split('/').all(is_path_segment) {
            Ok(Self(text.to_owned()))
        } else {
            let rule = "lower-case letters and digits, single `.`, `_`, `__` or `-` between them";
            Err(invalid(text, "repository name", rule))
        }
    }
}

impl Tag {
    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Tag {
    /// `<algorithm>-<64 digits of the digest><ending>`, the form of tags that belong to another
    /// manifest (distribution-spec, "Referrers Tag Schema"; cosign adds an ending).
    pub(super) fn of_digest(digest: &Digest, ending: &'static str) -> Self {
        let hex = digest.hex();
        Self(format!("{}-{}{ending}", digest.algorithm(), &hex[..hex.len().min(64)]))
    }
}

impl FromStr for Tag {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let valid = text.bytes().next().is_some_and(word)
            && text.bytes().all(|b| word(b) || b == b'.' || b == b'-');
        if valid && text.len() <= MAX_TAG {
            Ok(Self(text.to_owned()))
        } else {
            Err(invalid(text, "tag", "letters, digits, `_`, `.`, `-`, 128 characters at most"))
        }
    }
}

impl Reference {
    /// What to ask the registry for: the digest if there is one, else the tag, else `latest`.
    pub fn revision(&self) -> Revision {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => Revision::Digest(digest.clone()),
            (None, Some(tag)) => Revision::Tag(tag.clone()),
            (None, None) => Revision::Tag(Tag("latest".to_owned())),
        }
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text.strip_prefix("oci://").or(text.strip_prefix("docker://")).unwrap_or(text);
        let (bare, digest) = match bare.split_once('@') {
            Some((rest, digest)) => {
                // Only what follows: what stands before may be a password, with an `@` of its own.
                let last = digest.rsplit('@').next().unwrap_or_default();
                let no_digest =
                    "after `@` comes `sha256:` and 64 digits, and before it no password";
                (rest, Some(digest.parse().map_err(|_| invalid(last, "digest", no_digest))?))
            }
            None => (bare, None),
        };
        let (host, path) = split_host(bare);
        let (name, tag) = match path.rsplit_once(':') {
            Some((name, tag)) => (name, Some(tag.parse()?)),
            None => (path, None),
        };
        let host: Host = host.unwrap_or(DOCKER_HUB).parse()?;
        let library = host.0 == DOCKER_HUB && !name.contains('/');
        let repository = if library { format!("library/{name}") } else { name.to_owned() };
        Ok(Self { host, repository: repository.parse()?, tag, digest })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Splits the host off a reference: the first segment is one if it has a dot, a port or an
/// upper-case letter, or is `localhost` (distribution/reference, `splitDockerDomain`).
fn split_host(text: &str) -> (Option<&str>, &str) {
    let is_host = |first: &str| {
        first.contains(['.', ':'])
            || first == "localhost"
            || first.bytes().any(|b| b.is_ascii_uppercase())
    };
    match text.split_once('/') {
        Some((first, rest)) if is_host(first) => (Some(first), rest),
        _ => (None, text),
    }
}

/// A name, an IPv4 address or an IPv6 address in brackets, with a port or none. No DNS name has an
/// underscore, but names that Docker Compose gives do.
fn is_host(text: &str) -> bool {
    let (is_named, rest) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address.parse::<Ipv6Addr>().is_ok(), rest),
        None => {
            let (name, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            (!name.is_empty() && name.bytes().all(is_name), rest)
        }
    };
    let is_port = |port: &str| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    is_named && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

fn is_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._".contains(&b)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_path_segment(text: &str) -> bool {
    let mut rest = text;
    loop {
        let word =
            rest.bytes().take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit()).count();
        if word == 0 {
            return false;
        }
        rest = &rest[word..];
        let dashes = rest.bytes().take_while(|b| *b == b'-').count();
        let separator = match rest.as_bytes() {
            [] => return true,
            [b'.', ..] => 1,
            [b'_', b'_', ..] => 2,
            [b'_', ..] => 1,
            _ => dashes,
        };
        if separator == 0 {
            return false;
        }
        rest = &rest[separator..];
    }
}

fn invalid(text: &str, what: &'static str, reason: &'static str) -> InvalidReference {
    InvalidReference { text: text.to_owned(), what, reason }
}

macro_rules! text_newtype {
    ($($name:ident),+) => {$(
        impl TryFrom<String> for $name {
            type Error = InvalidReference;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    )+};
}

text_newtype!(Host, RepositoryName, Tag, Reference);

macro_rules! display_text {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

display_text!(Host, RepositoryName, Tag);

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;
