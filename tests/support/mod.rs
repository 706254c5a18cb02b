//! What the tests share: real programs, and values to feed them.
//!
//! | module | gives |
//! |---|---|
//! | [`cluster`], [`objects`] | a Kubernetes API with users of different rights, a namespace per test |
//! | [`node`] | a node of such a cluster, where `make e2e` runs pods for real |
//! | [`registry`] | CNCF Distribution: plain, TLS, basic auth, readable access log |
//! | [`faulty`] | a registry in this process that misbehaves as told, and counts |
//! | [`images`] | small images of two platforms, pushed without our own code |
//! | [`receiver`] | a receiver of webhooks in this process, which answers as told |
//! | [`issuer`] | an identity provider whose tokens the server is shown |
//! | [`server`], [`sse`], [`proxy`] | the server under test, requests to it, events from it, cut on the way |
//! | [`tower`] | a Control Tower of Avassa's: its REST, and a real registry that asks for its tokens |
//! | [`epinio`], [`upstream`] | Epinio's client, and a server in the place of its own |
//! | [`controller`] | a Controller of ioFog in this process, which answers as a real one was recorded |
//! | [`outhaul`], [`helm`] | the programs under test and beside it, in a clean environment |
//! | [`child`], [`certs`], [`tools`], [`output`] | what those are made of |
//!
//! Everything here blocks, and works alike in `#[test]` and `#[tokio::test]`: each async test has a
//! runtime of its own, so nothing that belongs to a runtime may outlive one call.
#![allow(dead_code, reason = "a toolbox: no build of the tests uses every tool")]

pub(crate) mod certs;
pub(crate) mod child;
pub(crate) mod cluster;
pub(crate) mod controller;
pub(crate) mod epinio;
pub(crate) mod faulty;
pub(crate) mod helm;
pub(crate) mod images;
pub(crate) mod issuer;
pub(crate) mod node;
pub(crate) mod objects;
pub(crate) mod outhaul;
pub(crate) mod output;
pub(crate) mod proxy;
pub(crate) mod receiver;
pub(crate) mod registry;
pub(crate) mod server;
pub(crate) mod sse;
pub(crate) mod tools;
pub(crate) mod tower;
pub(crate) mod upstream;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Mutex;

/// Runs a future to its end on a thread and runtime of its own, whatever the caller runs on.
pub(crate) fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        scope.spawn(move || runtime.block_on(future)).join()
    })
    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A loopback port that nothing listens on.
///
/// Below the range from which the kernel serves outgoing connections and `bind` to port 0, so that
/// none of those takes it before the program that it is meant for does.
pub(crate) fn free_port() -> u16 {
    static HANDED_OUT: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut handed_out = HANDED_OUT.lock().unwrap();
    loop {
        let port = fastrand::u16(20_000..32_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && handed_out.insert(port) {
            return port;
        }
    }
}
