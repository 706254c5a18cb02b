//! What a failed request means, found in the chain of causes that the HTTP client gives.

use std::error::Error as StdError;
use std::io;

use super::super::retry::{Fault, fault};
use super::super::{Error, Surroundings};

/// Why a request got no answer, as far as it decides what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::registry) enum Cause {
    /// Nothing listens there.
    Refused,
    /// No connection came about: name, route, time.
    NoConnection,
    /// The peer does not speak TLS, or ended the handshake.
    Handshake,
    /// Its certificate is not trusted.
    Certificate,
    /// The connection broke, or nothing came for too long, after it had stood.
    Broken,
}

/// A request without an answer: the error to report, and its cause for the one who retries.
#[derive(Debug)]
pub(in crate::registry) struct Failure {
    /// What to report.
    pub(in crate::registry) error: Error,
    /// What happened; `None` when asking again cannot change it.
    pub(in crate::registry) cause: Option<Cause>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, cause: None }
    }
}

/// Translates an error of the HTTP client about `host`.
pub(in crate::registry) fn translate(host: &str, error: &reqwest::Error) -> Failure {
    let host = host.to_owned();
    if Surroundings::are_why(error) {
        return Error::Surroundings { host }.into();
    }
    let cause = cause(error);
    let reason = match cause {
        _ if error.is_timeout() => "no answer in time".to_owned(),
        Cause::Handshake => {
            format!("it does not speak TLS, is it plain HTTP? ({})", innermost(error))
        }
        _ => innermost(error),
    };
    let error = match cause {
        Cause::Certificate => Error::UntrustedCertificate { host, reason },
        _ => Error::Unreachable { host, reason },
    };
    Failure { error, cause: Some(cause) }
}

/// What it means that a request to `host` got no answer, for clients of [`super::http_client`]: the
/// error to report, and the fault behind it if that may pass.
pub fn unanswered(host: &str, error: &reqwest::Error) -> (Error, Option<Fault>) {
    let Failure { error, cause } = translate(host, error);
    let fault = fault(cause, &error);
    (error, fault)
}

fn cause(error: &reqwest::Error) -> Cause {
    let mut handshake = false;
    for link in chain(error) {
        if let Some(tls) = link.downcast_ref::<rustls::Error>() {
            return match tls {
                rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
                    Cause::Certificate
                }
                _ => Cause::Handshake,
            };
        }
        if let Some(io) = link.downcast_ref::<io::Error>() {
            match io.kind() {
                io::ErrorKind::ConnectionRefused => return Cause::Refused,
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => handshake = true,
                _ => {}
            }
        }
    }
    match (error.is_connect(), handshake) {
        (true, true) => Cause::Handshake,
        (true, false) => Cause::NoConnection,
        (false, _) => Cause::Broken,
    }
}

/// The last cause's text: the ones before it repeat the URL, whose query may hold a signature.
fn innermost(error: &reqwest::Error) -> String {
    chain(error).last().map_or_else(|| "unknown".to_owned(), ToString::to_string)
}

/// All causes below `error`, with what `io::Error` wraps and its own `source` skips.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |link| below(*link))
}

fn below<'a>(link: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match link.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => link.source(),
    }
}
