//! Manifests, tags and referrers.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::blobs::digest_header;
use super::refusal::{Refusal, json_body};
use super::uploads::{MAX_STALL, stalled};
use super::{Parameters, Request, Server};
use crate::registry::layout::media_type;
use crate::registry::manifest::{MAX_MANIFEST_BYTES, OCI_INDEX};
use crate::registry::{Digest, Manifest, RepositoryName, Revision, Store as _};

/// One page of a sorted list, and whether more follows.
struct Page {
    items: Vec<String>,
    more: bool,
}

impl Server {
    pub(super) async fn catalog(&self, query: &Parameters) -> Result<Response, Refusal> {
        let all = self.layout.repositories().await?.into_iter().map(String::from);
        let page = page(all.collect(), query)?;
        let link = page.link("/v2/_catalog", query);
        Ok((link, json_body(&json!({ "repositories": page.items }))).into_response())
    }

    pub(super) async fn tags(
        &self,
        repository: &RepositoryName,
        query: &Parameters,
    ) -> Result<Response, Refusal> {
        let tags = self.layout.tags(repository).await?;
        let unknown = || Refusal::not_found("NAME_UNKNOWN", format!("repository {repository}"));
        let all = tags.ok_or_else(unknown)?.into_iter().map(String::from);
        let page = page(all.collect(), query)?;
        let link = page.link(&format!("/v2/{repository}/tags/list"), query);
        Ok((link, json_body(&json!({ "name": repository, "tags": page.items }))).into_response())
    }

    pub(super) async fn manifest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Response, Refusal> {
        let found = self.layout.manifest(repository, revision).await?;
        let name = || format!("manifest {revision} of {repository}");
        let manifest = found.ok_or_else(|| Refusal::not_found("MANIFEST_UNKNOWN", name()))?;
        let headers = [
            (header::CONTENT_TYPE, manifest.media_type),
            (header::CONTENT_LENGTH, manifest.bytes.len().to_string()),
            (header::ETAG, format!("\"{}\"", manifest.digest)),
        ];
        Ok((headers, digest_header(&manifest.digest), manifest.bytes).into_response())
    }

    pub(super) async fn put_manifest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
        request: Request,
    ) -> Result<Response, Refusal> {
        let stated = request.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let stated = stated.and_then(|value| value.split(';').next()).map(|t| t.trim().to_owned());
        let read = axum::body::to_bytes(request.body, MAX_MANIFEST_BYTES);
        let read = tokio::time::timeout(MAX_STALL, read).await.map_err(|_| stalled())?;
        let bytes = read.map_err(|error| {
            let message = format!("at most {MAX_MANIFEST_BYTES} bytes can be read: {error}");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "MANIFEST_INVALID", message)
        })?;
        let manifest = Manifest {
            media_type: agreed_type(stated.as_deref(), &bytes)?,
            digest: agreed_digest(revision, &bytes)?,
            bytes,
        };
        self.layout.put_manifest(repository, revision, &manifest).await?;
        let location = format!("/v2/{repository}/manifests/{}", manifest.digest);
        let location = [(header::LOCATION, location)];
        let created = (StatusCode::CREATED, location, digest_header(&manifest.digest));
        // Tells the client that it need not keep a list of referrers under a tag itself.
        let subject = manifest.links()?.subject.map(|subject| subject.digest.to_string());
        Ok(match subject {
            Some(subject) => ([("oci-subject", subject)], created).into_response(),
            None => created.into_response(),
        })
    }

    pub(super) async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        query: &Parameters,
    ) -> Result<Response, Refusal> {
        let mut referrers = self.layout.referrers(repository, subject).await?;
        if let Some(wanted) = &query.artifact_type {
            referrers.retain(|referrer| referrer.artifact_type.as_ref() == Some(wanted));
        }
        let list = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": referrers });
        let headers = [(header::CONTENT_TYPE, OCI_INDEX)];
        let filtered =
            query.artifact_type.as_ref().map(|_| [("oci-filters-applied", "artifactType")]);
        Ok(match filtered {
            Some(filtered) => (headers, filtered, list.to_string()).into_response(),
            None => (headers, list.to_string()).into_response(),
        })
    }
}

/// The type that both the request and the manifest state. It is not stored apart from the
/// manifest, so the two must not differ.
fn agreed_type(stated: Option<&str>, bytes: &[u8]) -> Result<String, Refusal> {
    let Some(own) = media_type(bytes) else {
        let message = "it is no JSON object with a media type, layers or manifests";
        return Err(Refusal::invalid("MANIFEST_INVALID", message));
    };
    match stated {
        Some(stated) if stated != own => {
            let message = format!("the request says {stated}, the manifest {own}");
            Err(Refusal::invalid("MANIFEST_INVALID", message))
        }
        _ => Ok(own),
    }
}

fn agreed_digest(revision: &Revision, bytes: &[u8]) -> Result<Digest, Refusal> {
    let Revision::Digest(expected) = revision else { return Ok(Digest::of(bytes)) };
    let mut hasher = expected.hasher();
    hasher.update(bytes);
    let actual = hasher.finish();
    if actual == *expected {
        return Ok(actual);
    }
    Err(Refusal::invalid("DIGEST_INVALID", format!("the manifest's digest is {actual}")))
}

/// Cuts a page out of a list (distribution-spec, "Listing Tags").
fn page(all: Vec<String>, query: &Parameters) -> Result<Page, Refusal> {
    let limit = match query.n.as_deref().map(str::parse::<usize>) {
        None => usize::MAX,
        Some(Ok(limit)) => limit,
        Some(Err(error)) => return Err(Refusal::invalid("UNSUPPORTED", format!("n: {error}"))),
    };
    let last = query.last.as_deref().unwrap_or_default();
    let mut items: Vec<String> = all.into_iter().filter(|item| item.as_str() > last).collect();
    let more = items.len() > limit;
    items.truncate(limit);
    Ok(Page { items, more: more && limit > 0 })
}

impl Page {
    /// Where the next page is.
    fn link(&self, path: &str, query: &Parameters) -> Option<[(header::HeaderName, String); 1]> {
        let (last, n) = (self.items.last()?, query.n.as_ref()?);
        let link = format!("<{path}?n={n}&last={last}>; rel=\"next\"");
        self.more.then_some([(header::LINK, link)])
    }
}
