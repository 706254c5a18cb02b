//! What can go wrong between this client and a registry or a layout, by situation.

use std::io;
use std::path::PathBuf;

use super::{Digest, Host, RepositoryName};

/// A failure at one place. Which side of a copy it was is said by [`super::CopyError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection: name, route, port, or the peer went away.
    #[error("cannot reach {host}: {reason}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// What the network said.
        reason: String,
    },
    /// The server's certificate is not signed by a root that we trust.
    #[error("{host} presented a certificate that is not trusted: {reason}")]
    UntrustedCertificate {
        /// Host and port.
        host: String,
        /// What the TLS library said.
        reason: String,
    },
    /// 401: the credentials are missing, wrong or expired.
    #[error("{host} {}", refused(.user.as_deref()))]
    Unauthorized {
        /// Host and port.
        host: String,
        /// Whose credentials were sent, if any were.
        user: Option<String>,
    },
    /// 403: the credentials are right and the permission is missing.
    #[error("{host} accepted the credentials but denied access to {repository}: {reason}")]
    Forbidden {
        /// Host and port.
        host: String,
        /// Repository.
        repository: String,
        /// The registry's own words.
        reason: String,
    },
    /// The manifest, blob or repository is not there.
    #[error("{what} does not exist at {host}")]
    NotFound {
        /// Host and port, or directory.
        host: String,
        /// What was asked for.
        what: String,
    },
    /// The registry makes no repositories by itself, and this one is not there.
    #[error(
        "repository {repository} does not exist at {host}, and a push does not create it: {reason}"
    )]
    RepositoryMissing {
        /// Host and port.
        host: Host,
        /// The repository.
        repository: RepositoryName,
        /// The registry's own words.
        reason: String,
    },
    /// 429 after all retries.
    #[error("{host} limits the rate of requests and did so for {seconds} seconds")]
    RateLimited {
        /// Host and port.
        host: String,
        /// How long we kept trying.
        seconds: u64,
    },
    /// Any other answer that is no success.
    #[error("{host} answered {status} to {method} {path}: {reason}")]
    Status {
        /// Host and port.
        host: String,
        /// HTTP status.
        status: u16,
        /// HTTP method.
        method: String,
        /// Path without query.
        path: String,
        /// The registry's own code and words, cut to a line.
        reason: String,
    },
    /// A manifest names content that the registry does not have (`MANIFEST_BLOB_UNKNOWN`).
    #[error("{host} misses content that manifest {digest} refers to: {reason}")]
    ContentMissing {
        /// Host and port.
        host: String,
        /// The manifest that was refused.
        digest: Digest,
        /// The registry's own words.
        reason: String,
    },
    /// The bytes are not those that the digest names.
    #[error("{host} sent {actual} where {expected} was asked for")]
    DigestMismatch {
        /// Host and port, or directory.
        host: String,
        /// Digest asked for.
        expected: Digest,
        /// Digest of what came.
        actual: Digest,
    },
    /// The transfer ended before all bytes had passed.
    #[error("the transfer of {digest} from {host} was cut after {received} of {expected} bytes")]
    Cut {
        /// Host and port, or directory.
        host: String,
        /// Blob.
        digest: Digest,
        /// Bytes received.
        received: u64,
        /// Bytes expected.
        expected: u64,
    },
    /// An answer or a document over a limit of ours.
    #[error("{what} of {host} is larger than {limit} bytes")]
    TooLarge {
        /// Host and port, or directory.
        host: String,
        /// What was read.
        what: String,
        /// The limit.
        limit: usize,
    },
    /// The registry does not say which tags it has.
    #[error("{host} lists no tags of {repository}: it answered {status}")]
    NoTagList {
        /// Host and port.
        host: String,
        /// The repository.
        repository: RepositoryName,
        /// HTTP status.
        status: u16,
    },
    /// The server sent us to another host, and credentials or bodies must not follow.
    #[error("{host} redirected {what} to {target}, another host")]
    RedirectRefused {
        /// Host and port.
        host: String,
        /// What would have been sent.
        what: String,
        /// Where to.
        target: String,
    },
    /// An address that nobody vouches for, and that means the machine or the link that we run on, or
    /// the API server.
    #[error("{host} is not read: it is an address of the server's own surroundings")]
    Surroundings {
        /// Host and port.
        host: String,
    },
    /// The answer breaks the specification so that we cannot go on.
    #[error("{host} gave an answer outside the specification: {reason}")]
    Protocol {
        /// Host and port.
        host: String,
        /// What was wrong.
        reason: String,
    },
    /// A manifest that is no JSON of the expected shape.
    #[error("manifest {digest} is malformed: {reason}")]
    MalformedManifest {
        /// Its digest.
        digest: Digest,
        /// What the parser said.
        reason: String,
    },
    /// A file of an OCI layout could not be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The directory is not an OCI layout, or one of a version that we do not know.
    #[error("{} is not an OCI layout: {reason}", .path.display())]
    NotALayout {
        /// Which directory.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A credential helper failed.
    #[error("credential helper `{helper}` failed for {host}: {reason}")]
    CredentialHelper {
        /// Name of the program.
        helper: String,
        /// Host asked about.
        host: String,
        /// What it said.
        reason: String,
    },
    /// A certificate, configuration file or address of ours that cannot be used.
    #[error("{what} cannot be used: {reason}")]
    Configuration {
        /// Which setting.
        what: String,
        /// Why.
        reason: String,
    },
}

fn refused(user: Option<&str>) -> String {
    match user {
        Some(user) => format!("refused the credentials of user `{user}`"),
        None => "needs credentials and none were found".to_owned(),
    }
}

impl Error {
    /// Whether trying again may help: the network, a throttle or a passing fault of the server.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::RateLimited { .. } | Self::Cut { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }
}
