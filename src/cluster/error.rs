//! What can go wrong between us and a cluster or its manifests, by situation.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use crate::app::snapshot::SnapshotError;

/// A cause from a library, kept for logs.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// A failure to read. Never holds a Secret's value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither a kubeconfig nor a cluster around us.
    #[error("no cluster is configured")]
    NoConfig(#[source] Option<Cause>),
    /// A kubeconfig that cannot be used.
    #[error("{config} cannot be used: {reason}")]
    BadConfig {
        /// Which one, as a phrase.
        config: String,
        /// Why not.
        reason: String,
    },
    /// No connection to the API server, or none that is trusted.
    #[error("cannot reach the cluster at {server}: {reason}")]
    Unreachable {
        /// Address of the API server.
        server: String,
        /// What the network or the TLS library said.
        reason: String,
    },
    /// 401: the credentials are missing, wrong or expired.
    #[error("the cluster at {server} refused the credentials")]
    Unauthorized {
        /// Address of the API server.
        server: String,
    },
    /// 403: the credentials are right and the permission is missing.
    #[error("no permission to read {resource}: {reason}")]
    Forbidden {
        /// What was asked for.
        resource: String,
        /// The API server's own words.
        reason: String,
    },
    /// The namespace that identifies the cluster may not be read.
    #[error(
        "no permission to read namespace {namespace}, whose uid tells this cluster from others: {reason}"
    )]
    Unidentified {
        /// That namespace.
        namespace: &'static str,
        /// The API server's own words.
        reason: String,
    },
    /// The namespace does not exist, or not in these files.
    #[error("namespace `{namespace}` does not exist in {place}")]
    NamespaceMissing {
        /// The namespace.
        namespace: String,
        /// Where it was sought.
        place: String,
    },
    /// No namespace was given, and the manifests have several.
    #[error("the manifests belong to several namespaces ({})", .found.join(", "))]
    ManyNamespaces {
        /// Those namespaces.
        found: Vec<String>,
    },
    /// A manifest that does not parse or is no object.
    #[error("{file}{}: {reason}", Place(*.line, *.column))]
    Malformed {
        /// File, or `standard input`.
        file: String,
        /// Line of the file, from 1; 0 where it is not known.
        line: u64,
        /// Column, from 1; 0 where it is not known.
        column: u64,
        /// What is wrong.
        reason: String,
    },
    /// Standard input is to be read by two, or twice.
    #[error("standard input is asked for more than once, and can be read once")]
    InputTaken,
    /// Something over a limit of ours.
    #[error("{what} is larger than the limit of {limit}")]
    TooLarge {
        /// What was read.
        what: String,
        /// The limit with its unit.
        limit: String,
    },
    /// A file or directory cannot be read.
    #[error("cannot read {}", .path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The API server did not answer in time.
    #[error("the cluster at {server} did not answer {what} within {seconds} s")]
    Timeout {
        /// Address of the API server.
        server: String,
        /// What was asked.
        what: String,
        /// How long we waited.
        seconds: u64,
    },
    /// What was to be made is there already.
    #[error("{what} exists already")]
    Exists {
        /// Kind, namespace and name.
        what: String,
    },
    /// No answer says whether it was made.
    #[error("whether {what} was made is not known: {source}")]
    Unknown {
        /// Kind, namespace and name.
        what: String,
        /// What came in place of the answer.
        source: Box<Self>,
    },
    /// What was to be written has been written by somebody else meanwhile, or is gone.
    #[error("{what} has been changed meanwhile")]
    Conflict {
        /// Kind, namespace and name.
        what: String,
    },
    /// Any other answer that is no success.
    #[error("the cluster at {server} answered {status} to {path}: {reason}")]
    Api {
        /// Address of the API server.
        server: String,
        /// HTTP status.
        status: u16,
        /// What was asked, without the query.
        path: String,
        /// The API server's own words, cut to a line.
        reason: String,
    },
    /// An answer that is not what the API promises.
    #[error("the cluster at {server} gave an answer to {path} that is not understood: {reason}")]
    Protocol {
        /// Address of the API server.
        server: String,
        /// What was asked, without the query.
        path: String,
        /// What was wrong with it.
        reason: String,
    },
    /// Objects that nest deeper than is read.
    #[error(
        "the cluster at {server} gave an answer to {path} that nests deeper than {limit} levels"
    )]
    TooDeep {
        /// Address of the API server.
        server: String,
        /// What was asked, without the query.
        path: String,
        /// How deep is read.
        limit: usize,
    },
    /// What was read does not fit in a snapshot.
    #[error("the objects of {place} do not make a snapshot")]
    Snapshot {
        /// Where they were read.
        place: String,
        /// What does not fit.
        source: SnapshotError,
    },
}

impl Error {
    /// What the user can do about it, in a sentence.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoConfig(_) => {
                "set KUBECONFIG or pass --kubeconfig; `app list`, `app show` and `app export` also read \
                 manifests, with `--from PATH`"
            }
            Self::BadConfig { .. } => "`kubectl config view` shows what kubectl makes of it",
            Self::Unreachable { .. } | Self::Timeout { .. } => {
                "`kubectl version` with the same kubeconfig and context should answer"
            }
            Self::Unauthorized { .. } => "log in to the cluster again",
            Self::Forbidden { .. } => {
                "ask for the right to get and list it (deploy/exporter-role.yaml has the roles); \
                 `kubectl auth can-i list …` tells"
            }
            Self::Unidentified { .. } => {
                "an export needs the right to `get` that namespace: \
                 ClusterRole outhaul-exporter-cluster of deploy/exporter-role.yaml"
            }
            Self::NamespaceMissing { .. } | Self::ManyNamespaces { .. } => {
                "say which namespace with -n NAMESPACE"
            }
            Self::Malformed { .. } => {
                "correct that place (indentation is part of YAML), or leave that file out"
            }
            Self::File { .. } => "check the path and that you may read it",
            Self::Unknown { .. } => {
                "look whether it is there before you run the command again, and remove it if it is \
                 there and not wanted: `outhaul registry list`, `outhaul registry delete`"
            }
            Self::InputTaken => {
                "give files in place of `-` and `--password-stdin` for all but one; `--destinations` \
                 is read again for `--chart-registry` and `--emit`"
            }
            Self::TooLarge { .. } => "select less: another namespace, or a smaller directory",
            _ => return None,
        })
    }

    /// It as the end of a request that makes `what`, of which nothing else is known unless it was refused.
    pub(super) fn unknown(self, what: impl FnOnce() -> String) -> Self {
        let is_open = match &self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Protocol { .. } => true,
            Self::Api { status, .. } => *status >= 500,
            _ => false,
        };
        if is_open { Self::Unknown { what: what(), source: Box::new(self) } } else { self }
    }

    /// Whether asking again may help: a throttle or a passing fault.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Api { status, .. } => matches!(status, 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }
}

/// The deepest cause of a library's error: the outer ones repeat it.
pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    // Nothing nests deeper; a cycle must not hang us.
    const DEEPEST: usize = 16;
    let mut deepest = error;
    for _ in 0..DEEPEST {
        match deepest.source() {
            Some(next) => deepest = next,
            None => break,
        }
    }
    deepest.to_string()
}

/// Line and column as compilers print them.
struct Place(u64, u64);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.0, self.1) {
            (0, _) => Ok(()),
            (line, 0) => write!(f, ":{line}"),
            (line, column) => write!(f, ":{line}:{column}"),
        }
    }
}
