//! Manifests: as the bytes they are, verified, by tag or digest.

use reqwest::{Method, header};

use super::super::manifest::{
    DOCKER_INDEX, DOCKER_MANIFEST, MAX_MANIFEST_BYTES, OCI_INDEX, OCI_MANIFEST,
};
use super::super::transport::body;
use super::super::{Digest, Error, Manifest, RepositoryName, Revision};
use super::Registry;
use super::call::{Answer, Call, To};

/// Name of the header that says which manifest an answer is about.
pub(super) const CONTENT_DIGEST: &str = "docker-content-digest";

/// Types that say nothing: some servers send them for any manifest.
const GENERIC_TYPES: [&str; 4] =
    ["application/json", "application/octet-stream", "text/plain", "text/json"];

/// What a registry says when a manifest names content that it does not have. GitLab and
/// Distribution say the first of children and layers, others the rest.
const CONTENT_UNKNOWN: [&str; 4] =
    ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_REFERENCES_UNKNOWN", "BLOB_UPLOAD_INVALID"];

impl Registry {
    pub(super) async fn get_manifest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Option<Manifest>, Error> {
        let answer = self.exchange(&read(Method::GET, repository, revision)).await?;
        if answer.is_not_found() {
            return Ok(None);
        }
        if !answer.is_success() {
            return Err(answer.error(self).await);
        }
        let (stated, kind) = (stated_digest(&answer), answer.header(header::CONTENT_TYPE));
        let kind = kind.map(|kind| essence(kind).to_owned());
        let host = self.host().as_str();
        let bytes = answer.body(host, "a manifest", MAX_MANIFEST_BYTES).await?;
        let expected = match revision {
            Revision::Digest(digest) => Some(digest.clone()),
            Revision::Tag(_) => stated,
        };
        let digest = self.verified(expected, &bytes)?;
        Ok(Some(Manifest { media_type: media_type(kind, &bytes), digest, bytes }))
    }

    /// By HEAD; by GET where HEAD does not say (no digest in the answer, or not permitted, as
    /// with narrow rights at ECR).
    pub(super) async fn head_manifest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Option<Digest>, Error> {
        let answer = self.exchange(&read(Method::HEAD, repository, revision)).await?;
        if answer.is_not_found() {
            return Ok(None);
        }
        match (answer.status().as_u16(), stated_digest(&answer)) {
            (200..=299, Some(digest)) => Ok(Some(digest)),
            (200..=299 | 403 | 405, _) => {
                drop(answer); // its permit
                Ok(self.get_manifest(repository, revision).await?.map(|manifest| manifest.digest))
            }
            _ => Err(answer.error(self).await),
        }
    }

    pub(super) async fn store_manifest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
        manifest: &Manifest,
    ) -> Result<(), Error> {
        let to = To::Path(format!("{repository}/manifests/{revision}"));
        let call =
            Call { body: manifest.bytes.clone(), ..Call::write(Method::PUT, repository, to) }
                .header(header::CONTENT_TYPE, &manifest.media_type);
        let answer = self.exchange(&call).await?;
        if answer.is_success() {
            return match stated_digest(&answer) {
                Some(actual) if actual != manifest.digest => Err(Error::DigestMismatch {
                    host: self.host().to_string(),
                    expected: manifest.digest.clone(),
                    actual,
                }),
                _ => Ok(()),
            };
        }
        if !matches!(answer.status().as_u16(), 400 | 404 | 422) {
            return Err(answer.error(self).await);
        }
        let (status, path) = (answer.status().as_u16(), answer.response.url().path().to_owned());
        let bytes = body::read_error(answer.response).await;
        let (host, reason) = (self.host().to_string(), body::reason(&bytes));
        Err(if body::has_code(&bytes, &CONTENT_UNKNOWN) {
            Error::ContentMissing { host, digest: manifest.digest.clone(), reason }
        } else if body::has_code(&bytes, &["NAME_UNKNOWN"]) {
            let (host, repository) = (self.host().clone(), repository.clone());
            Error::RepositoryMissing { host, repository, reason }
        } else {
            Error::Status { host, status, method: "PUT".to_owned(), path, reason }
        })
    }

    fn verified(&self, expected: Option<Digest>, bytes: &[u8]) -> Result<Digest, Error> {
        let Some(expected) = expected else { return Ok(Digest::of(bytes)) };
        let mut hasher = expected.hasher();
        hasher.update(bytes);
        let actual = hasher.finish();
        if actual == expected {
            return Ok(actual);
        }
        Err(Error::DigestMismatch { host: self.host().to_string(), expected, actual })
    }
}

fn read<'a>(method: Method, repository: &'a RepositoryName, revision: &Revision) -> Call<'a> {
    // Everything else last: an artefact of an unknown type is copied as well.
    let accept = [
        OCI_INDEX,
        OCI_MANIFEST,
        DOCKER_INDEX,
        DOCKER_MANIFEST,
        "application/json;q=0.2",
        "*/*;q=0.1",
    ];
    Call::read(method, repository, &format!("manifests/{revision}"))
        .header(header::ACCEPT, &accept.join(", "))
}

/// The digest that the registry states, if it states one.
pub(super) fn stated_digest(answer: &Answer) -> Option<Digest> {
    answer.header(CONTENT_DIGEST)?.trim().parse().ok()
}

/// The media type without its parameters.
fn essence(kind: &str) -> &str {
    kind.split(';').next().unwrap_or_default().trim()
}

/// The answer's type; the one that the body states of itself where that says nothing.
fn media_type(kind: Option<String>, bytes: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Stated {
        media_type: Option<String>,
        manifests: Option<serde::de::IgnoredAny>,
    }
    match kind {
        Some(kind) if !kind.is_empty() && !GENERIC_TYPES.contains(&kind.as_str()) => kind,
        _ => match serde_json::from_slice(bytes) {
            Ok(Stated { media_type: Some(stated), .. }) => stated,
            Ok(Stated { manifests: Some(_), .. }) => OCI_INDEX.to_owned(),
            _ => OCI_MANIFEST.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_has_a_type_even_where_the_server_names_none() {
        let some = |kind: &str| Some(kind.to_owned());
        assert_eq!(media_type(some(DOCKER_INDEX), b"{}"), DOCKER_INDEX);
        assert_eq!(media_type(None, br#"{"mediaType":"a/b"}"#), "a/b");
        assert_eq!(media_type(some("text/plain"), br#"{"manifests":[]}"#), OCI_INDEX);
        assert_eq!(media_type(some("application/json"), b"{}"), OCI_MANIFEST);
        assert_eq!(essence("application/x; charset=utf-8"), "application/x");
    }
}
