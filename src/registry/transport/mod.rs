//! One HTTP client for one registry: TLS, time-outs, permits, redirects.
//!
//! Sends single requests; who may send them ([`super::auth`]) and how often
//! ([`super::retry`]) is decided above.

pub(in crate::registry) mod body;
mod client;
mod failure;
mod location;
mod tls;

use std::time::Duration;

use super::Surroundings;

pub use client::http_client;
pub(in crate::registry) use client::{Permit, Transport};
pub use failure::unanswered;
pub(in crate::registry) use failure::{Cause, Failure, translate};
pub(in crate::registry) use location::{same_origin, stay};

/// Where a registry is and how it is spoken to.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Host and port.
    pub host: super::Host,
    /// Whether to speak HTTP without TLS. A loopback host may do so unasked.
    pub plain_http: bool,
    /// How its certificate is judged.
    pub tls: Tls,
    /// Addresses that are not connected to, whatever names and redirects say; `None`: every one is.
    pub surroundings: Option<Surroundings>,
}

/// How a server's certificate is judged, and our own if one is asked for.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Further roots, PEM, added to the system's.
    pub extra_roots: Vec<u8>,
    /// Accept any certificate.
    pub skip_verify: bool,
}

/// Name, TCP and TLS together. Leaves room for two lost SYNs (sent again after 1 s and 3 s), and
/// a registry that is down is reported within about five seconds.
pub(in crate::registry) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A request without a long body, answer included. Registries check a manifest's blobs one by
/// one against slow object stores, which was seen to take tens of seconds.
pub(in crate::registry) const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Silence in the middle of a long transfer. Below the usual idle limit of load balancers (60 s
/// at AWS and nginx), which would cut the connection anyway.
pub(in crate::registry) const IDLE_TIMEOUT: Duration = Duration::from_secs(55);

/// From the last byte of a blob to its answer: Distribution moves the blob within its object
/// store before it answers (`blobwriter.go`, `moveBlob`), minutes for many gigabytes.
pub(in crate::registry) const COMMIT_TIMEOUT: Duration = Duration::from_secs(600);

/// An answer to the question whether a loopback host speaks TLS. Some servers wait for the rest
/// of what they take for a request line.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Requests of one kind in flight at one host. Twice the number of blobs that a copy moves at
/// once by default, and below the connections that small registries and proxies accept from one
/// address (nginx `limit_conn` examples start at 10 to 20).
const PERMITS: usize = 16;

/// Idle connections kept; no more than can be in use.
const IDLE_CONNECTIONS: usize = PERMITS;

/// Redirects followed for one read (registry → storage → its region, with one to spare).
const MAX_REDIRECTS: usize = 4;

impl Endpoint {
    /// The host over HTTPS with the system's roots.
    pub fn new(host: super::Host) -> Self {
        Self { host, plain_http: false, tls: Tls::default(), surroundings: None }
    }
}
