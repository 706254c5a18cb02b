//! `outhaul serve`: the server, until a signal ends it.

use crate::cli::args::{Global, ServeArgs};
use crate::cli::{connect, interrupted};
use crate::error::Error;
use crate::server::{self, Config, Tls};

pub(crate) async fn run(args: &ServeArgs, global: &Global) -> Result<(), Error> {
    server::serve(config(args, global), interrupted()).await
}

fn config(args: &ServeArgs, global: &Global) -> Config {
    let files = args.tls_cert.clone().zip(args.tls_key.clone());
    let tls = match files {
        Some((certificate, key)) => Some(Tls::Files { certificate, key }),
        None if args.tls_self_signed => Some(Tls::SelfSigned { names: args.tls_name.clone() }),
        None => None,
    };
    Config {
        listen: args.listen,
        tls,
        plain_http: args.plain_http,
        rate: args.rate,
        drain: args.drain,
        cluster: connect::client_options(global),
    }
}
