//! Addresses of registries as people write them.

use crate::registry::reference::InvalidReference;
use crate::registry::{Host, RepositoryName};

/// Schemes that an address may have, with whether TLS is left out.
const SCHEMES: [(&str, bool); 4] =
    [("docker", false), ("http", true), ("https", false), ("oci", false)];

/// An address taken apart: whether it says `http://`, the host as written, and the path.
pub(super) type Parts = (bool, String, Option<String>);

/// Takes `[scheme://]host[:port][/path]` apart, and checks host and path. A path `v1` or `v2` is
/// an API's and left out.
///
/// # Errors
/// When host or path is none.
pub(super) fn split(address: &str) -> Result<Parts, InvalidReference> {
    let address = address.trim();
    let (plain, rest) = match address.split_once("://") {
        None => (false, address),
        Some((scheme, rest)) => match SCHEMES.iter().find(|(known, _)| *known == scheme) {
            Some((_, plain)) => (*plain, rest),
            None => return Err(invalid(address, "the scheme is oci, https or http")),
        },
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    host.parse::<Host>()?;
    let path = path.trim_matches('/');
    let path = if matches!(path, "" | "v1" | "v2") {
        None
    } else {
        Some(path.parse::<RepositoryName>()?.as_str().to_owned())
    };
    Ok((plain, host.to_owned(), path))
}

/// Whether an address without scheme begins with a host: it has a dot or a port, or is
/// `localhost`, as in image references.
pub fn begins_with_host(address: &str) -> bool {
    let first = address.split('/').next().unwrap_or_default();
    address.contains("://") || first.contains(['.', ':']) || first == "localhost"
}

pub(super) fn invalid(address: &str, reason: &'static str) -> InvalidReference {
    InvalidReference { text: address.to_owned(), what: "registry address", reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_apart() {
        let parts = |address: &str| split(address).map_err(|error| error.to_string()).unwrap();
        let none = (false, "r.example:5000".to_owned(), None);
        assert_eq!(parts("oci://r.example:5000"), none);
        assert_eq!(parts(" r.example:5000/v2/ "), none);
        assert_eq!(parts("http://R.example/a/b/"), (true, "R.example".into(), Some("a/b".into())));
        for bad in ["", "ftp://a.b", "oci://", "a.b/UPPER", "a.b/x y", "a b", "a.b/x:1"] {
            assert!(split(bad).is_err(), "{bad}");
        }
    }
}
