//! Blobs on their way in.

use futures_util::stream;
use reqwest::{Method, Response, header};
use tokio::sync::OwnedSemaphorePermit;

use super::super::transport::{IDLE_TIMEOUT, Permit};
use super::super::{BlobStream, Descriptor, Error, RepositoryName};
use super::Registry;
use super::call::Call;

/// A blob of which some bytes have come.
struct Incoming {
    response: Response,
    host: String,
    blob: Descriptor,
    received: u64,
    _permit: OwnedSemaphorePermit,
}

impl Registry {
    pub(super) async fn head_blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<bool, Error> {
        let call = Call::read(Method::HEAD, repository, &format!("blobs/{}", blob.digest));
        let answer = self.exchange(&call).await?;
        match answer.status().as_u16() {
            200..=299 => Ok(true),
            404 => Ok(false),
            // Object stores refuse a HEAD at an address signed for GET; then we do not know.
            _ if !answer.ours => Ok(false),
            _ => Err(answer.error(self).await),
        }
    }

    pub(super) async fn get_blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, Error> {
        let read = Call::read(Method::GET, repository, &format!("blobs/{}", blob.digest));
        let read = read.header(header::ACCEPT, "*/*").header(header::ACCEPT_ENCODING, "identity");
        let answer =
            self.exchange(&Call { permit: Permit::Download, timeout: None, ..read }).await?;
        if answer.is_not_found() {
            let what = format!("blob {repository}@{}", blob.digest);
            return Err(Error::NotFound { host: self.host().to_string(), what });
        }
        if !answer.is_success() {
            return Err(answer.error(self).await);
        }
        Ok(Incoming {
            response: answer.response,
            host: self.host().to_string(),
            blob: blob.clone(),
            received: 0,
            _permit: answer.permit,
        }
        .stream())
    }
}

impl Incoming {
    /// The bytes as they come; an end before the last byte, or a silence, is an error, and so is
    /// one byte more than there should be.
    fn stream(self) -> BlobStream {
        Box::pin(stream::try_unfold(self, |mut this| async move {
            let next = tokio::time::timeout(IDLE_TIMEOUT, this.response.chunk()).await;
            match next {
                Ok(Ok(Some(chunk))) => {
                    this.received += chunk.len() as u64;
                    if this.received > this.blob.size {
                        return Err(this.too_long());
                    }
                    Ok(Some((chunk, this)))
                }
                Ok(Ok(None)) if this.received == this.blob.size => Ok(None),
                _ => Err(this.cut()),
            }
        }))
    }

    fn cut(&self) -> Error {
        Error::Cut {
            host: self.host.clone(),
            digest: self.blob.digest.clone(),
            received: self.received,
            expected: self.blob.size,
        }
    }

    fn too_long(&self) -> Error {
        let reason =
            format!("blob {} is longer than its {} bytes", self.blob.digest, self.blob.size);
        Error::Protocol { host: self.host.clone(), reason }
    }
}
