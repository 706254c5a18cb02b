//! Where images of an address are read instead of there.

use std::str::FromStr;

use crate::registry::reference::InvalidReference;
use crate::registry::{Host, Reference, RepositoryName};

/// A place in a registry: host and path prefix.
type Place = (Host, Option<RepositoryName>);

/// Images of one place are read at another, under the rest of their name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    from: Place,
    pub(super) to: Place,
    /// Whether the other place is spoken to without TLS.
    pub(super) plain_http: bool,
}

impl Mapping {
    /// Images below `from` are read below `to`, both `HOST[:PORT][/PATH]`; `http://` before `to`
    /// means plain HTTP.
    ///
    /// # Errors
    /// When one of them is no such address.
    pub fn new(from: &str, to: &str) -> Result<Self, InvalidReference> {
        let plain_http = to.starts_with("http://");
        let to = to.strip_prefix("http://").or(to.strip_prefix("https://")).unwrap_or(to);
        Ok(Self { from: place(from)?, to: place(to)?, plain_http })
    }

    /// A whole registry under another of its names.
    pub(super) fn alias(from: Host, to: Host) -> Self {
        Self { from: (from, None), to: (to, None), plain_http: false }
    }

    /// Whether it is about an address that only a cluster knows.
    pub(super) fn is_from_cluster(&self) -> bool {
        self.from.0.is_in_cluster()
    }

    /// The image at the other place; `None` if it is not of this one.
    pub(super) fn apply(&self, image: &Reference) -> Option<Reference> {
        let (host, path) = &self.from;
        let name = image.repository.as_str();
        let rest = match path {
            Some(path) => name.strip_prefix(path.as_str())?.strip_prefix('/')?,
            None => name,
        };
        let rest: RepositoryName = rest.parse().ok().filter(|_| image.host == *host)?;
        let (host, path) = &self.to;
        let repository = rest.under(path.as_ref()).ok()?;
        Some(Reference { host: host.clone(), repository, ..image.clone() })
    }
}

impl FromStr for Mapping {
    type Err = String;

    /// `FROM=TO`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once('=').ok_or(
            "it must be FROM=TO[/PREFIX], such as 127.0.0.1:30500=registry.example.com/apps",
        )?;
        Self::new(from, to).map_err(|error| error.to_string())
    }
}

fn place(text: &str) -> Result<Place, InvalidReference> {
    let (host, path) = text.trim_end_matches('/').split_once('/').unwrap_or((text, ""));
    let host = host.trim_end_matches('/').parse()?;
    let path = if path.is_empty() { None } else { Some(path.parse()?) };
    Ok((host, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_the_name_stays() {
        for (mapping, image, read) in [
            ("127.0.0.1:30500=r.io", "127.0.0.1:30500/apps/web:1", Some("r.io/apps/web:1")),
            ("127.0.0.1:30500=r.io/x/y/", "127.0.0.1:30500/web:1", Some("r.io/x/y/web:1")),
            ("h.svc:5000/apps=r.io", "h.svc:5000/apps/web:1", Some("r.io/web:1")),
            ("h.svc:5000/apps=r.io", "h.svc:5000/apps2/web:1", None),
            ("h.svc:5000/apps=r.io", "h.svc:5000/apps:1", None),
            ("docker.io=mirror.io:5000/hub", "nginx", Some("mirror.io:5000/hub/library/nginx")),
            ("h.svc:5000=http://10.0.0.1:5000", "h.svc:5000/a:1", Some("10.0.0.1:5000/a:1")),
            ("h.svc:5000=r.io", "h.svc:5001/a:1", None),
        ] {
            let mapping: Mapping = mapping.parse().unwrap();
            let found = mapping.apply(&image.parse().unwrap());
            assert_eq!(found.map(|found| found.to_string()).as_deref(), read, "{image}");
        }
        for bad in ["", "a", "=b", "a=", "a=b/UPPER", "a b=c", "a/=b:x"] {
            assert!(bad.parse::<Mapping>().is_err(), "{bad}");
        }
    }
}
