//! A long answer that comes out of a registry: bounded in number, memory and patience.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::Instrument as _;

use super::super::Asked;
use super::super::envelope::Refusal;
use super::docker::{Archive, Piece};
use crate::registry::{self, Located, blob};
use crate::server::limit::{NoRoom, Stream};

/// Chunks that wait for a client who reads slower than the registry sends, each of some 16 KiB.
const CHUNKS: usize = 4;

/// A client who takes nothing for so long has gone away, or keeps room from others on purpose.
const STALLED: Duration = Duration::from_secs(60);

/// Bytes as they come. It ends at its first error.
pub(super) type Chunks = BoxStream<'static, Result<Bytes, registry::Error>>;

/// Room for a further download of the caller's.
///
/// # Errors
/// 429 or 503 when there is none.
pub(super) fn room(asked: &Asked) -> Result<Stream, Refusal> {
    asked.state.limits.downloads.take(&asked.sender.caller.user).map_err(|full| match full {
        NoRoom::Caller => {
            let title = "you download as many images already as one user may at once";
            Refusal::new(StatusCode::TOO_MANY_REQUESTS, title)
        }
        NoRoom::All => Refusal::away("as many images are downloaded already as can be at once"),
    })
}

/// The bytes of an image's archive. Each blob is verified as it passes, and of a wrong one the last
/// byte never comes.
pub(super) fn chunks(archive: Archive, from: Located) -> Chunks {
    let pieces = stream::iter(archive.pieces).then(move |piece| {
        let from = from.clone();
        async move { open(piece, &from).await }
    });
    pieces.flatten().boxed()
}

async fn open(piece: Piece, from: &Located) -> Chunks {
    match piece {
        Piece::Bytes(bytes) => stream::iter([Ok(bytes)]).boxed(),
        Piece::Blob(descriptor) => {
            match from.store.read_blob(&from.repository, &descriptor).await {
                Ok(stream) => blob::verified(stream, &descriptor, &from.store.name()),
                Err(error) => stream::iter([Err(error)]).boxed(),
            }
        }
    }
}

/// A body of these bytes. What goes wrong on the way cuts the connection, so that nobody takes a part
/// for the whole; and so does a client who stops to read.
pub(super) fn body(chunks: Chunks, room: Stream) -> Body {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let pump = async move {
        if let Err(reason) = send(chunks, &sender).await {
            tracing::warn!("a download ends early: {reason}");
            // Who waits gets an error; who does not read sees the connection end.
            let _ = sender.try_send(Err(std::io::Error::other("it ends early")));
        }
        drop(room);
    };
    tokio::spawn(pump.in_current_span());
    let received = |mut receiver: mpsc::Receiver<_>| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    };
    Body::from_stream(stream::unfold(receiver, received))
}

async fn send(
    mut chunks: Chunks,
    to: &mpsc::Sender<Result<Bytes, std::io::Error>>,
) -> Result<(), String> {
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| error.to_string())?;
        match timeout(STALLED, to.send(Ok(chunk))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err("the client went away".to_owned()),
            Err(_) => return Err(format!("the client took nothing for {} s", STALLED.as_secs())),
        }
    }
    Ok(())
}
