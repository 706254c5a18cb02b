//! HTTP/1.1 and nothing else, on connections that can be upgraded to websockets.
//!
//! axum-server's own `http1_only` takes no upgrades, and without it whoever begins with the preface of
//! HTTP/2 is served HTTP/2, whose connections know none of the limits of the listener.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What every connection of HTTP/2 begins with (RFC 9113 §3.4), up to where no method of HTTP/1.1 does.
const PREFACE: &[u8] = b"PRI ";

/// Lets connections in as `A` does, and cuts off those that begin as HTTP/2.
#[derive(Clone)]
pub(super) struct Http1<A>(pub(super) A);

/// A connection whose beginning is looked at.
pub(super) struct Stream<S> {
    inner: S,
    /// How much of the preface has come; none once something else has.
    preface: Option<usize>,
}

type Accepting<S, T> = Pin<Box<dyn Future<Output = io::Result<(Stream<S>, T)>> + Send>>;

impl<A, I, T> Accept<I, T> for Http1<A>
where
    A: Accept<I, T>,
    A::Future: Send + 'static,
{
    type Stream = Stream<A::Stream>;
    type Service = A::Service;
    type Future = Accepting<A::Stream, A::Service>;

    fn accept(&self, stream: I, service: T) -> Self::Future {
        let accepted = self.0.accept(stream, service);
        Box::pin(async move {
            let (inner, service) = accepted.await?;
            Ok((Stream { inner, preface: Some(0) }, service))
        })
    }
}

/// Of the preface with `seen` bytes, what is seen when `bytes` have come as well.
fn further(seen: usize, bytes: &[u8]) -> Option<usize> {
    let rest = &PREFACE[seen..];
    let common = rest.len().min(bytes.len());
    (rest[..common] == bytes[..common]).then_some(seen + common)
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        if let Some(seen) = self.preface {
            self.preface = further(seen, &buf.filled()[before..]);
            if self.preface == Some(PREFACE.len()) {
                buf.set_filled(before); // an error comes with nothing read
                let error = "HTTP/2 is not spoken here";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    /// What is read of `parts`, each of which comes by itself.
    async fn read(parts: &[&[u8]]) -> io::Result<Vec<u8>> {
        let mut stream = connection(parts);
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.map(|_| all)
    }

    /// Gives one part at each read.
    struct Parts(Vec<Vec<u8>>);

    impl AsyncRead for Parts {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if let Some(part) = self.0.pop() {
                buf.put_slice(&part);
            }
            Poll::Ready(Ok(()))
        }
    }

    fn connection(parts: &[&[u8]]) -> Stream<Parts> {
        let parts = parts.iter().rev().map(|part| part.to_vec()).collect();
        Stream { inner: Parts(parts), preface: Some(0) }
    }

    #[tokio::test]
    async fn only_what_begins_as_http2_is_cut_off() {
        let taken: [&[&[u8]]; 5] = [
            &[b"GET / HTTP/1.1\r\n\r\n"],
            &[b"P", b"R", b"OPFIND / HTTP/1.1\r\n"],
            &[b"PRINT / HTTP/1.1"],
            &[b"GET /PRI * HTTP/2.0"],
            &[b"PRI"],
        ];
        for parts in taken {
            assert_eq!(read(parts).await.unwrap(), parts.concat(), "{parts:?}");
        }
        let refused: [&[&[u8]]; 3] =
            [&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], &[b"PRI "], &[b"P", b"RI", b" * HTTP"]];
        for parts in refused {
            assert!(read(parts).await.is_err(), "{parts:?}");
        }
    }
}
