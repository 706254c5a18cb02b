//! Where an answer may send us: `Location` of uploads, redirects of reads, realms of tokens.
//!
//! Pure rules. What they keep: credentials and request bodies stay with the host that was named
//! (CVE-2020-15157), nothing goes from TLS to plain text, and no registry can make us speak to
//! an address inside our own network (ggcr, `pkg/v1/remote/write.go`).

use std::net::IpAddr;

use url::{Host, Url};

use super::super::Error;

/// Where the registry says that `what` goes on: the `Location` of an upload, the next page of a
/// list. Relative or absolute, but on the origin that was asked.
///
/// # Errors
/// [`Error::RedirectRefused`] when it names another host, [`Error::Protocol`] when it is no URL.
pub(in crate::registry) fn stay(
    host: &str,
    request: &Url,
    location: &str,
    what: &str,
) -> Result<Url, Error> {
    let mut target = join(host, request, location)?;
    if lost_its_scheme(request, &target) {
        // A proxy that ends TLS and does not tell: the registry believes that it is reached over
        // plain HTTP (its docs, recipe for nginx: `X-Forwarded-Proto`). Same host: ours stays.
        let _ = target.set_scheme(request.scheme());
        let _ = target.set_port(request.port());
    }
    if target.origin() == request.origin() { Ok(target) } else { Err(refused(host, what, &target)) }
}

/// Where a read goes on. Another host is fine (object stores); the caller must leave its
/// credentials behind unless [`same_origin`].
///
/// # Errors
/// [`Error::RedirectRefused`] when the target is plain HTTP after HTTPS or an address of our own
/// network, [`Error::Protocol`] when it is no URL.
pub(super) fn redirect(host: &str, request: &Url, location: &str) -> Result<Url, Error> {
    let target = join(host, request, location)?;
    if request.scheme() == "https" && target.scheme() != "https" {
        return Err(refused(host, "a read from HTTPS to plain HTTP", &target));
    }
    if is_internal(&target) && !same_place(request, &target) {
        return Err(refused(host, "a read to a private address", &target));
    }
    Ok(target)
}

/// Where tokens are fetched. Another host is normal; plain HTTP only if the registry itself is
/// spoken to that way.
///
/// # Errors
/// As [`redirect`].
pub(super) fn realm(host: &str, registry: &Url, realm: &str) -> Result<Url, Error> {
    let target = join(host, registry, realm)?;
    if registry.scheme() == "https" && target.scheme() != "https" {
        return Err(refused(host, "the credentials to plain HTTP", &target));
    }
    if is_internal(&target) && !same_place(registry, &target) {
        return Err(refused(host, "the credentials to a private address", &target));
    }
    Ok(target)
}

/// Whether both have the same scheme, host and port, so that credentials for one are the other's.
pub(in crate::registry) fn same_origin(a: &Url, b: &Url) -> bool {
    a.origin() == b.origin()
}

fn join(host: &str, base: &Url, text: &str) -> Result<Url, Error> {
    let protocol = |reason: String| Error::Protocol { host: host.to_owned(), reason };
    let mut target =
        base.join(text).map_err(|error| protocol(format!("it points to no URL: {error}")))?;
    if !matches!(target.scheme(), "http" | "https") {
        return Err(protocol(format!("it points to a `{}` URL", target.scheme())));
    }
    let _ = target.set_username(""); // credentials come from the keychain only
    let _ = target.set_password(None);
    target.set_fragment(None);
    Ok(target)
}

fn lost_its_scheme(request: &Url, target: &Url) -> bool {
    request.scheme() == "https"
        && target.scheme() == "http"
        && target.host() == request.host()
        && (target.port().is_none() || target.port() == request.port_or_known_default())
}

/// The same machine, or both on this one: a registry at a loopback address is ours to trust.
fn same_place(registry: &Url, target: &Url) -> bool {
    registry.host() == target.host() || (is_loopback(registry) && is_loopback(target))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
        None => false,
    }
}

/// Whether the host is written as an address that means nothing outside our own network: this
/// machine, private ranges, link-local ones (cloud metadata lives there), shared and multicast.
fn is_internal(url: &Url) -> bool {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical(),
        _ => return is_loopback(url),
    };
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_multicast()
                || a == 0
                || (a == 100 && (64..128).contains(&b)) // shared address space, RFC 6598
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6.is_multicast()
        }
    }
}

fn refused(host: &str, what: &str, target: &Url) -> Error {
    Error::RedirectRefused {
        host: host.to_owned(),
        what: what.to_owned(),
        target: target.origin().ascii_serialization(), // a query may hold a signature
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn upload(host: &str, request: &Url, location: &str) -> Result<Url, Error> {
        stay(host, request, location, "an upload")
    }

    fn goes(
        rule: fn(&str, &Url, &str) -> Result<Url, Error>,
        from: &str,
        to: &str,
    ) -> Option<String> {
        rule("reg", &url(from), to).ok().map(String::from)
    }

    #[test]
    fn an_upload_stays_on_its_origin() {
        let from = "https://reg.example/v2/a/blobs/uploads/";
        for (to, at) in [
            (
                "/v2/a/blobs/uploads/1?_state=x%2F",
                "https://reg.example/v2/a/blobs/uploads/1?_state=x%2F",
            ),
            ("2", "https://reg.example/v2/a/blobs/uploads/2"),
            ("https://reg.example:443/u", "https://reg.example/u"),
            ("https://u:p@reg.example/u#f", "https://reg.example/u"),
            ("http://reg.example/u", "https://reg.example/u"),
            ("http://reg.example:443/u", "https://reg.example/u"),
        ] {
            assert_eq!(goes(upload, from, to).as_deref(), Some(at), "{to}");
        }
        for to in [
            "https://evil.example/u",
            "https://reg.example:8443/u",
            "//evil.example/u",
            "ftp://reg.example/",
        ] {
            assert_eq!(goes(upload, from, to), None, "{to}");
        }
        let port = "https://reg.example:5000/v2/";
        assert_eq!(
            goes(upload, port, "http://reg.example/u").as_deref(),
            Some("https://reg.example:5000/u")
        );
    }

    #[test]
    fn a_read_may_leave_but_not_for_plain_text_or_our_own_network() {
        let from = "https://reg.example/v2/a/blobs/x";
        let storage = "https://bucket.s3.example/x?X-Amz-Signature=1";
        assert_eq!(goes(redirect, from, storage).as_deref(), Some(storage));
        for to in [
            "http://reg.example/x",
            "https://127.0.0.1/x",
            "https://10.0.0.1/x",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/x",
            "https://[::ffff:10.0.0.1]/x",
            "https://[fd00::1]/x",
            "https://100.64.0.1/x",
            "https://0.0.0.0/x",
            "https://2130706433/x",
            "https://localhost/x",
            "file:///etc/passwd",
        ] {
            assert_eq!(goes(redirect, from, to), None, "{to}");
        }
        let inside = "http://127.0.0.1:5000/v2/";
        assert!(goes(redirect, inside, "http://127.0.0.1:9000/x").is_some());
        assert!(goes(redirect, "http://localhost:5000/", "http://127.0.0.1:9000/x").is_some());
        assert!(goes(redirect, "https://10.0.0.1/", "https://10.0.0.1:9000/x").is_some());
        assert!(goes(redirect, "https://10.0.0.1/", "https://10.0.0.2/x").is_none());
    }

    #[test]
    fn credentials_go_over_tls_unless_the_registry_has_none() {
        let elsewhere = "https://auth.docker.io/token";
        assert_eq!(
            goes(realm, "https://registry-1.docker.io/v2/", elsewhere).as_deref(),
            Some(elsewhere)
        );
        assert_eq!(goes(realm, "https://reg.example/v2/", "http://reg.example/token"), None);
        assert!(goes(realm, "http://reg.example/v2/", "http://auth.example/token").is_some());
    }

    #[test]
    fn a_refusal_names_the_target_without_its_query() {
        let error =
            redirect("reg", &url("https://reg/"), "http://x.example/p?sig=secret").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(error.to_string().contains("http://x.example"), "{error}");
    }

    proptest! {
        #[test]
        fn no_location_moves_an_upload_to_another_host(location in ".{0,80}") {
            let from = url("https://reg.example:5000/v2/a/blobs/uploads/");
            if let Ok(target) = upload("reg", &from, &location) {
                prop_assert!(same_origin(&from, &target));
            }
        }
    }
}
