//! `outhaul layout serve DIR`: a directory as a registry.

use std::sync::Arc;

use tokio::net::TcpListener;

use crate::cli::args::LayoutServeArgs;
use crate::cli::interrupted;
use crate::cli::output::Printer;
use crate::error::Error;
use crate::registry::{Layout, serve};

pub(crate) async fn run(args: &LayoutServeArgs, printer: &Printer) -> Result<(), Error> {
    if !args.directory.exists() {
        printer.say(format!("{} did not exist: made an empty layout", args.directory.display()));
    }
    let layout = Arc::new(Layout::create(&args.directory)?);
    let listener = listen(args.listen).await?;
    let address =
        listener.local_addr().map_err(|source| Error::Listen { address: args.listen, source })?;
    printer.say(format!(
        "serving {} at {address}, for anyone who can reach it",
        args.directory.display()
    ));
    serve::serve(listener, layout, interrupted())
        .await
        .map_err(|source| Error::Listen { address, source })
}

/// Takes the address, or says why not.
pub(crate) async fn listen(address: std::net::SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })
}
