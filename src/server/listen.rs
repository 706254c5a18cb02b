//! The listener: TLS or not, HTTP/1.1, and no patience with those who dribble.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::tls_rustls::RustlsAcceptor;
use axum_server::{Handle, Server};

use super::http1::Http1;
use super::tls::Certificates;
use crate::error::Error;

/// A handshake takes some round trips, a header is one packet or two: who needs longer for either
/// holds the connection for its own sake.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes the address.
pub(super) fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).map_err(|source| Error::Listen { address, source })
}

/// Serves until the handle says stop.
pub(super) async fn serve(
    listener: TcpListener,
    certificates: Option<&Certificates>,
    app: Router,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let server = axum_server::from_tcp(listener)?;
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    match certificates {
        Some(certificates) => {
            tracing::info!("listening on https://{address}");
            let acceptor = RustlsAcceptor::new(certificates.config()).handshake_timeout(PATIENCE);
            tune(server.acceptor(acceptor), handle).serve(app).await
        }
        None => {
            tracing::info!("listening on http://{address}, without TLS");
            tune(server, handle).serve(app).await
        }
    }
}

/// Serves metrics in clear to whoever reaches the listener, without end; where there is none, waits.
pub(super) async fn metrics(listener: Option<TcpListener>, app: Router) -> io::Result<()> {
    let Some(listener) = listener else { return std::future::pending().await };
    tracing::info!("metrics on http://{}/metrics", listener.local_addr()?);
    let server = tune(axum_server::from_tcp(listener)?, Handle::new());
    server.serve(app.into_make_service()).await
}

fn tune<A>(
    mut server: Server<SocketAddr, A>,
    handle: Handle<SocketAddr>,
) -> Server<SocketAddr, Http1<A>> {
    server.http_builder().http1().header_read_timeout(PATIENCE);
    let server = server.first_request_timeout(PATIENCE).handle(handle).map(Http1);
    server.accept_error_handler(
        |peer, error| tracing::debug!(?peer, %error, "a connection was not accepted"),
    )
}
