//! Which end point of the specification a path is. Names may have any number of segments, so
//! paths are read from their end.

use axum::http::StatusCode;

use super::refusal::Refusal;
use crate::registry::{Digest, RepositoryName, Revision};

/// An end point with its parameters, parsed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// `_catalog`, which is Docker's; the specification has none.
    Catalog,
    /// `<name>/tags/list`
    Tags(RepositoryName),
    /// `<name>/manifests/<reference>`
    Manifest(RepositoryName, Revision),
    /// `<name>/referrers/<digest>`
    Referrers(RepositoryName, Digest),
    /// `<name>/blobs/<digest>`
    Blob(RepositoryName, Digest),
    /// `<name>/blobs/uploads/`
    Uploads(RepositoryName),
    /// `<name>/blobs/uploads/<session>`
    Upload(RepositoryName, String),
}

/// Reads what stands behind `/v2/`.
pub(super) fn parse(path: &str) -> Result<Endpoint, Refusal> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path == "_catalog" {
        return Ok(Endpoint::Catalog);
    }
    if let Some(name) = path.strip_suffix("/tags/list") {
        return Ok(Endpoint::Tags(repository(name)?));
    }
    if let Some(name) = path.strip_suffix("/blobs/uploads") {
        return Ok(Endpoint::Uploads(repository(name)?));
    }
    let (rest, last) = path.rsplit_once('/').unwrap_or_default();
    if let Some(name) = rest.strip_suffix("/blobs/uploads") {
        return Ok(Endpoint::Upload(repository(name)?, last.to_owned()));
    }
    match rest.rsplit_once('/') {
        Some((name, "manifests")) => Ok(Endpoint::Manifest(repository(name)?, revision(last)?)),
        Some((name, "blobs")) => Ok(Endpoint::Blob(repository(name)?, digest(last)?)),
        Some((name, "referrers")) => Ok(Endpoint::Referrers(repository(name)?, digest(last)?)),
        _ => Err(Refusal::new(StatusCode::NOT_FOUND, "UNSUPPORTED", "there is no such end point")),
    }
}

pub(super) fn digest(text: &str) -> Result<Digest, Refusal> {
    text.parse().map_err(|error| Refusal::invalid("DIGEST_INVALID", error))
}

fn repository(text: &str) -> Result<RepositoryName, Refusal> {
    text.parse().map_err(|error| Refusal::invalid("NAME_INVALID", error))
}

/// What can be neither tag nor digest does not exist.
fn revision(text: &str) -> Result<Revision, Refusal> {
    if text.contains(':') {
        return digest(text).map(Revision::Digest);
    }
    text.parse().map(Revision::Tag).map_err(|_| Refusal::not_found("MANIFEST_UNKNOWN", text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_may_look_like_end_points() {
        let name = |text: &str| text.parse::<RepositoryName>().unwrap();
        let digest = Digest::of(b"");
        let cases = [
            ("a/tags/list", Endpoint::Tags(name("a"))),
            ("blobs/uploads/tags/list", Endpoint::Tags(name("blobs/uploads"))),
            ("a/blobs/uploads/", Endpoint::Uploads(name("a"))),
            ("a/blobs/uploads", Endpoint::Uploads(name("a"))),
            ("a/b/blobs/uploads/x-1", Endpoint::Upload(name("a/b"), "x-1".to_owned())),
            ("a/manifests/manifests/1", {
                Endpoint::Manifest(name("a/manifests"), Revision::Tag("1".parse().unwrap()))
            }),
            (&format!("a/blobs/{digest}"), Endpoint::Blob(name("a"), digest.clone())),
            (&format!("a/referrers/{digest}"), Endpoint::Referrers(name("a"), digest.clone())),
        ];
        for (path, expected) in cases {
            assert_eq!(parse(path).unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_code() {
        for (path, code) in [
            ("A/tags/list", "NAME_INVALID"),
            ("../../etc/blobs/sha256:00", "NAME_INVALID"),
            ("a/blobs/sha256:../../index.json", "UNSUPPORTED"),
            ("a/blobs/sha256:00", "DIGEST_INVALID"),
            ("a/manifests/.wrong", "MANIFEST_UNKNOWN"),
            ("a/manifests/md5:00", "DIGEST_INVALID"),
            ("nothing", "UNSUPPORTED"),
            ("", "UNSUPPORTED"),
        ] {
            assert_eq!(parse(path).unwrap_err().code, code, "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_makes_it_panic(path in ".{0,80}") {
            let _ = parse(&path);
        }
    }
}
