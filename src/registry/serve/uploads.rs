//! Uploads of blobs: in one request, in chunks, or by a mount.

use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;

use super::blobs::digest_header;
use super::refusal::Refusal;
use super::sessions::{Session, unknown};
use super::{Request, Server, route};
use crate::registry::layout::BlobWriter;
use crate::registry::{Digest, Error, RepositoryName};

/// How long a body may stand still.
pub(super) const MAX_STALL: Duration = Duration::from_secs(60);

impl Server {
    /// `POST`: a mount if the blob is here, a whole blob if its digest is given, else a session.
    pub(super) async fn begin(
        &self,
        repository: &RepositoryName,
        request: Request,
    ) -> Result<Response, Refusal> {
        if let Some(mount) = &request.query.mount {
            let digest = route::digest(mount)?;
            if self.layout.blob_size(&digest).await?.is_some() {
                return Ok(created(repository, &digest));
            }
        } else if let Some(digest) = &request.query.digest {
            let digest = route::digest(digest)?;
            let mut writer = self.layout.writer(digest.hasher()).await?;
            append(&mut writer, request.body, None).await?;
            commit(writer, &digest).await?;
            return Ok(created(repository, &digest));
        }
        // Which algorithm it will be is not known yet; another one is read from the file again.
        let writer = self.layout.writer(Digest::of(b"").hasher()).await?;
        let id = self.uploads.begin(repository, writer)?;
        Ok(progress(StatusCode::ACCEPTED, repository, &id, 0))
    }

    pub(super) async fn status(
        &self,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Response, Refusal> {
        let session = self.uploads.find(repository, id)?;
        let writer = session.writer.lock().await;
        let written = writer.as_ref().ok_or_else(|| unknown(id))?.written();
        Ok(progress(StatusCode::NO_CONTENT, repository, id, written))
    }

    pub(super) async fn patch(
        &self,
        repository: &RepositoryName,
        id: &str,
        request: Request,
    ) -> Result<Response, Refusal> {
        let session = self.uploads.find(repository, id)?;
        let mut guard = session.writer.lock().await;
        let writer = guard.as_mut().ok_or_else(|| unknown(id))?;
        match self.take_body(&session, id, writer, request).await {
            Ok(true) => Ok(progress(StatusCode::ACCEPTED, repository, id, writer.written())),
            Ok(false) => Ok(self.out_of_order(repository, id, writer)),
            Err(refusal) => Err(refusal),
        }
    }

    pub(super) async fn finish(
        &self,
        repository: &RepositoryName,
        id: &str,
        request: Request,
    ) -> Result<Response, Refusal> {
        let missing = || Refusal::invalid("DIGEST_INVALID", "the digest is missing");
        let digest = route::digest(request.query.digest.as_deref().ok_or_else(missing)?)?;
        let session = self.uploads.find(repository, id)?;
        let mut guard = session.writer.lock().await;
        let writer = guard.as_mut().ok_or_else(|| unknown(id))?;
        if !self.take_body(&session, id, writer, request).await? {
            return Ok(self.out_of_order(repository, id, writer));
        }
        let writer = guard.take().ok_or_else(|| unknown(id))?;
        self.uploads.end(id);
        commit(writer, &digest).await?;
        Ok(created(repository, &digest))
    }

    pub(super) fn cancel(
        &self,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Response, Refusal> {
        self.uploads.find(repository, id)?;
        self.uploads.end(id);
        Ok(StatusCode::NO_CONTENT.into_response())
    }

    /// Adds the body if it continues what was written. A body that breaks off may be continued; a
    /// disk that fails ends the upload.
    async fn take_body(
        &self,
        session: &Session,
        id: &str,
        writer: &mut BlobWriter,
        request: Request,
    ) -> Result<bool, Refusal> {
        session.touch();
        let range = request.headers.get(header::CONTENT_RANGE).map(|value| value.to_str());
        let expected = match range.map(|text| content_range(text.unwrap_or_default())) {
            None => None,
            Some(Some((start, end))) if start == writer.written() => Some(end - start + 1),
            Some(_) => return Ok(false),
        };
        writer.resume().await.inspect_err(|_| self.uploads.end(id))?;
        let appended = append(writer, request.body, expected).await;
        session.touch();
        if matches!(&appended, Err(refusal) if refusal.status.is_server_error()) {
            self.uploads.end(id);
        }
        appended.map(|()| true)
    }

    /// 416 says how far the upload is.
    fn out_of_order(&self, repository: &RepositoryName, id: &str, writer: &BlobWriter) -> Response {
        progress(StatusCode::RANGE_NOT_SATISFIABLE, repository, id, writer.written())
    }
}

/// Writes a body as it arrives, holding no more of it than one piece.
async fn append(writer: &mut BlobWriter, body: Body, expected: Option<u64>) -> Result<(), Refusal> {
    let before = writer.written();
    let mut chunks = body.into_data_stream();
    loop {
        match tokio::time::timeout(MAX_STALL, chunks.next()).await {
            Ok(Some(Ok(chunk))) => writer.append(&chunk).await?,
            Ok(Some(Err(error))) => {
                return Err(Refusal::invalid(
                    "BLOB_UPLOAD_INVALID",
                    format!("the body broke off: {error}"),
                ));
            }
            Ok(None) => break,
            Err(_) => return Err(stalled()),
        }
    }
    match expected {
        Some(expected) if writer.written() - before != expected => {
            Err(Refusal::invalid("SIZE_INVALID", "the body is not as long as its Content-Range"))
        }
        _ => Ok(()),
    }
}

pub(super) fn stalled() -> Refusal {
    let message = "the body stood still for too long";
    Refusal::new(StatusCode::REQUEST_TIMEOUT, "BLOB_UPLOAD_INVALID", message)
}

async fn commit(writer: BlobWriter, digest: &Digest) -> Result<(), Refusal> {
    match writer.commit(digest).await {
        Err(Error::DigestMismatch { actual, .. }) => {
            Err(Refusal::invalid("DIGEST_INVALID", format!("the blob's digest is {actual}")))
        }
        committed => committed.map(drop).map_err(Refusal::from),
    }
}

/// `<start>-<end>`, without a unit (distribution-spec, "Pushing a blob in chunks").
fn content_range(text: &str) -> Option<(u64, u64)> {
    let (start, end) = text.strip_prefix("bytes ").unwrap_or(text).split_once('-')?;
    let end = end.split('/').next()?;
    let (start, end) = (start.parse().ok()?, end.parse().ok()?);
    (start <= end).then_some((start, end))
}

fn created(repository: &RepositoryName, digest: &Digest) -> Response {
    let location = [(header::LOCATION, format!("/v2/{repository}/blobs/{digest}"))];
    (StatusCode::CREATED, location, digest_header(digest)).into_response()
}

/// Where the upload goes on and how far it is. Locations are paths: behind a proxy this server
/// does not know its own name.
fn progress(status: StatusCode, repository: &RepositoryName, id: &str, written: u64) -> Response {
    let headers = [
        (header::LOCATION, format!("/v2/{repository}/blobs/uploads/{id}")),
        (header::RANGE, format!("0-{}", written.saturating_sub(1))),
        (header::HeaderName::from_static("docker-upload-uuid"), id.to_owned()),
    ];
    (status, headers).into_response()
}
