//! `outhaul serve`, as a process and part by part, against a real API server.

mod auth;
mod epinio;
mod exports;
mod front_proxy;
mod health;
mod native;
mod requests;
mod tls;

use crate::support::cluster::cluster;
use crate::support::outhaul::Outhaul;
use crate::support::server::Server;

/// A server of the shared cluster, with the rights of `user`.
fn serve(user: &str, args: &[&str]) -> Server {
    Server::start(Outhaul::new().kubeconfig(cluster().kubeconfig(user)), args)
}
