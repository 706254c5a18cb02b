//! The distribution protocol on what is in memory, without any fault.

use axum::body::Bytes;
use axum::http::request::Parts;
use serde_json::{Value, json};

use super::auth;
use super::state::{Manifest, Reply, State};
use crate::support::images::{INDEX, digest};

/// What a path below `/v2/` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route<'p> {
    pub(super) repository: &'p str,
    kind: Kind,
    /// Digest, tag or session.
    reference: &'p str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Uploads,
    Blobs,
    Manifests,
    Tags,
    Referrers,
}

impl<'p> Route<'p> {
    /// None for `/v2/` itself and for what is no route at all.
    pub(super) fn of(path: &'p str) -> Option<Self> {
        let rest = path.strip_prefix("/v2/")?;
        let kinds = [
            ("/blobs/uploads/", Kind::Uploads),
            ("/blobs/", Kind::Blobs),
            ("/manifests/", Kind::Manifests),
            ("/tags/list", Kind::Tags),
            ("/referrers/", Kind::Referrers),
        ];
        kinds.iter().find_map(|(separator, kind)| {
            let (repository, reference) = rest.split_once(separator)?;
            Some(Self { repository, kind: *kind, reference })
        })
    }
}

/// Carries a request out. With `mounts` off, a mount is answered with an upload session.
pub(super) fn answer(state: &mut State, parts: &Parts, body: Bytes, mounts: bool) -> Reply {
    let method = parts.method.as_str();
    let Some(route) = Route::of(parts.uri.path()) else {
        return Reply::json(if parts.uri.path() == "/v2/" { 200 } else { 404 }, &json!({}));
    };
    match (route.kind, method) {
        (Kind::Uploads, "POST") => begin(state, parts, route.repository, body, mounts),
        (Kind::Uploads, _) => upload(state, parts, route.reference, &body),
        (Kind::Manifests, "PUT") => put_manifest(state, parts, route, body),
        (Kind::Blobs | Kind::Manifests, "DELETE") => delete(state, route),
        (Kind::Blobs, "GET" | "HEAD") => get_blob(state, parts, route),
        (Kind::Manifests, "GET" | "HEAD") => get_manifest(state, route),
        (Kind::Tags, "GET") => tags(state, parts, route.repository),
        (Kind::Referrers, "GET") => referrers(state, route),
        _ => Reply::error(405, "UNSUPPORTED"),
    }
}

fn begin(state: &mut State, parts: &Parts, repository: &str, body: Bytes, mounts: bool) -> Reply {
    if let (Some(digest), Some(from), true) = (query(parts, "mount"), query(parts, "from"), mounts)
    {
        let allowed = auth::covers(state, parts, &format!("repository:{from}:pull"));
        let source = state.repositories.get(&from).filter(|_| allowed);
        if let Some(blob) = source.and_then(|source| source.blobs.get(&digest)).cloned() {
            return store_blob(state, repository, blob);
        }
    }
    match query(parts, "digest") {
        Some(wanted) if wanted == digest(&body) => store_blob(state, repository, body),
        Some(_) => Reply::error(400, "DIGEST_INVALID"),
        None => state.open_upload(repository),
    }
}

fn upload(state: &mut State, parts: &Parts, id: &str, body: &[u8]) -> Reply {
    let Some(upload) = state.uploads.get_mut(id) else {
        return Reply::error(404, "BLOB_UPLOAD_UNKNOWN");
    };
    let method = parts.method.as_str();
    let range = parts.headers.get("content-range").and_then(|range| range.to_str().ok());
    let start = range.and_then(|range| range.split('-').next()?.parse::<usize>().ok());
    let in_order = start.is_none_or(|start| start == upload.bytes.len());
    if matches!(method, "PATCH" | "PUT") && in_order {
        upload.bytes.extend_from_slice(body);
    }
    let range = format!("0-{}", upload.bytes.len().saturating_sub(1));
    let repository = upload.repository.clone();
    let place = format!("/v2/{repository}/blobs/uploads/{id}?state={}", upload.bytes.len());
    match method {
        _ if !in_order => Reply::status(416).header("range", range).header("location", place),
        "GET" => Reply::status(204).header("range", range).header("location", place),
        "PATCH" => Reply::status(202).header("range", range).header("location", place),
        "DELETE" => {
            state.uploads.remove(id);
            Reply::status(204)
        }
        "PUT" => {
            let bytes = state.uploads.remove(id).map(|upload| upload.bytes).unwrap_or_default();
            if query(parts, "digest") != Some(digest(&bytes)) {
                return Reply::error(400, "DIGEST_INVALID");
            }
            store_blob(state, &repository, bytes.into())
        }
        _ => Reply::error(405, "UNSUPPORTED"),
    }
}

/// Keeps what came of a chunk before its connection was dropped, as registries do.
pub(super) fn keep_part(state: &mut State, parts: &Parts, bytes: &[u8]) {
    let session = Route::of(parts.uri.path()).map_or("", |route| route.reference);
    if let Some(upload) = state.uploads.get_mut(session) {
        upload.bytes.extend_from_slice(bytes);
    }
}

fn store_blob(state: &mut State, repository: &str, blob: Bytes) -> Reply {
    let digest = digest(&blob);
    let reply = Reply::status(201)
        .header("location", format!("/v2/{repository}/blobs/{digest}"))
        .header("docker-content-digest", &digest);
    state.repositories.entry(repository.to_owned()).or_default().blobs.insert(digest, blob);
    reply
}

fn get_blob(state: &State, parts: &Parts, route: Route<'_>) -> Reply {
    let repository = state.repositories.get(route.repository);
    let Some(blob) = repository.and_then(|found| found.blobs.get(route.reference)) else {
        return Reply::error(404, "BLOB_UNKNOWN");
    };
    let whole = Reply::content(200, "application/octet-stream", blob.clone()).digested();
    let range =
        parts.headers.get("range").and_then(|range| range.to_str().ok()?.strip_prefix("bytes="));
    let Some((start, end)) = range.and_then(|range| range.split_once('-')) else { return whole };
    let end = end.parse().map_or(blob.len(), |end: usize| blob.len().min(end + 1));
    match start.parse::<usize>() {
        Ok(start) if start < end => {
            let content_range = format!("bytes {start}-{}/{}", end - 1, blob.len());
            Reply { status: 206, body: blob.slice(start..end), ..whole }
                .header("content-range", content_range)
        }
        _ => Reply::status(416).header("content-range", format!("bytes */{}", blob.len())),
    }
}

fn put_manifest(state: &mut State, parts: &Parts, route: Route<'_>, bytes: Bytes) -> Reply {
    let Ok(manifest) = serde_json::from_slice::<Value>(&bytes) else {
        return Reply::error(400, "MANIFEST_INVALID");
    };
    let digest = digest(&bytes);
    if route.reference.contains(':') && route.reference != digest {
        return Reply::error(400, "DIGEST_INVALID");
    }
    let media_type = parts.headers.get("content-type").and_then(|value| value.to_str().ok());
    let Some(media_type) = media_type.map(str::to_owned) else {
        return Reply::error(400, "MANIFEST_INVALID");
    };
    let referrers = state.options.referrers;
    let repository = state.repositories.entry(route.repository.to_owned()).or_default();
    if repository.missing(&manifest).is_some() {
        return Reply::error(400, "MANIFEST_BLOB_UNKNOWN");
    }
    if !route.reference.contains(':') {
        repository.tags.insert(route.reference.to_owned(), digest.clone());
    }
    repository.manifests.insert(digest.clone(), Manifest { media_type, bytes });
    let reply = Reply::status(201)
        .header("location", format!("/v2/{}/manifests/{digest}", route.repository))
        .header("docker-content-digest", digest);
    match manifest["subject"]["digest"].as_str() {
        Some(subject) if referrers => reply.header("oci-subject", subject),
        _ => reply,
    }
}

fn get_manifest(state: &State, route: Route<'_>) -> Reply {
    let repository = state.repositories.get(route.repository);
    let found = repository
        .and_then(|repository| repository.manifests.get(&repository.resolve(route.reference)?));
    let Some(found) = found else { return Reply::error(404, "MANIFEST_UNKNOWN") };
    Reply::content(200, &found.media_type, found.bytes.clone()).digested()
}

/// A tag alone, a manifest with every tag on it, or a blob.
fn delete(state: &mut State, route: Route<'_>) -> Reply {
    let Some(repository) = state.repositories.get_mut(route.repository) else {
        return Reply::error(404, "NAME_UNKNOWN");
    };
    let reference = route.reference;
    let found = match route.kind {
        Kind::Blobs => repository.blobs.remove(reference).is_some(),
        _ if reference.contains(':') => {
            repository.tags.retain(|_, digest| digest != reference);
            repository.manifests.remove(reference).is_some()
        }
        _ => repository.tags.remove(reference).is_some(),
    };
    if found { Reply::status(202) } else { Reply::error(404, "MANIFEST_UNKNOWN") }
}

fn tags(state: &State, parts: &Parts, name: &str) -> Reply {
    let Some(repository) = state.repositories.get(name) else {
        return Reply::error(404, "NAME_UNKNOWN");
    };
    let last = query(parts, "last").unwrap_or_default();
    let wanted = query(parts, "n").and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
    let page = wanted.min(state.options.page);
    let mut rest = repository.tags.keys().filter(|tag| **tag > last);
    let tags: Vec<_> = rest.by_ref().take(page).collect();
    let reply = Reply::json(200, &json!({ "name": name, "tags": tags }));
    match (rest.next(), tags.last()) {
        (Some(_), Some(last)) => {
            let next = format!("</v2/{name}/tags/list?last={last}&n={page}>; rel=\"next\"");
            reply.header("link", next)
        }
        _ => reply,
    }
}

fn referrers(state: &State, route: Route<'_>) -> Reply {
    if !state.options.referrers {
        return Reply::error(404, "NOT_FOUND");
    }
    let repository = state.repositories.get(route.repository);
    let all = repository.into_iter().flat_map(|repository| &repository.manifests);
    let found = all.filter_map(|(digest, manifest)| {
        let value: Value = serde_json::from_slice(&manifest.bytes).ok()?;
        let artifact = value.get("artifactType").unwrap_or(&value["config"]["mediaType"]);
        (value["subject"]["digest"] == route.reference).then(|| {
            json!({
                "mediaType": manifest.media_type, "digest": digest, "size": manifest.bytes.len(),
                "artifactType": artifact, "annotations": value.get("annotations"),
            })
        })
    });
    let found: Vec<_> = found.collect();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": found });
    Reply::content(200, INDEX, Bytes::from(index.to_string()))
}

pub(super) fn query(parts: &Parts, key: &str) -> Option<String> {
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    url::form_urlencoded::parse(query).find(|(k, _)| k == key).map(|(_, value)| value.into_owned())
}
