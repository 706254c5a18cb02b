//! `outhaul serve`, as a process and part by part, against a real API server.

mod auth;
mod contract;
mod epinio;
mod exports;
mod front_proxy;
mod health;
mod native;
mod requests;
mod schedules;
mod tls;

use crate::support::cluster::cluster;
use crate::support::free_port;
use crate::support::outhaul::Outhaul;
use crate::support::server::Server;

/// A server of a cluster that does not answer.
fn nowhere(args: &[&str]) -> Server {
    let outhaul = Outhaul::new();
    let kubeconfig = format!(
        "{{apiVersion: v1, kind: Config, current-context: x, \
         clusters: [{{name: x, cluster: {{server: 'http://127.0.0.1:{}'}}}}], \
         contexts: [{{name: x, context: {{cluster: x, user: x}}}}], users: [{{name: x}}]}}",
        free_port()
    );
    let kubeconfig = outhaul.write("kubeconfig", kubeconfig);
    Server::start(outhaul.kubeconfig(kubeconfig), args)
}

/// A server of the shared cluster, with the rights of `user`.
fn serve(user: &str, args: &[&str]) -> Server {
    Server::start(Outhaul::new().kubeconfig(cluster().kubeconfig(user)), args)
}
