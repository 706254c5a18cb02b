//! What can go wrong with an import, by situation.

use std::io;
use std::path::PathBuf;

use super::restore::Selector;
use crate::chart::sealed::OpenError;

/// An import that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The cluster could not be asked, or refused the namespace or a Secret.
    #[error(transparent)]
    Cluster(#[from] crate::cluster::Error),
    /// helm cannot be run.
    #[error("cannot run {}: {source}", .program.display())]
    HelmMissing {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A helm that cannot read charts from registries, or what is no helm.
    #[error("{} is not helm 3.8 or later: it says `{said}`", .program.display())]
    HelmVersion {
        /// The program.
        program: PathBuf,
        /// What it says of its version.
        said: String,
    },
    /// helm ended with an error.
    #[error("helm {command} failed: {said}")]
    HelmFailed {
        /// Which of its commands.
        command: &'static str,
        /// The end of what it said.
        said: String,
    },
    /// The target lacks something.
    #[error("the target is not ready: {}", .0.join("; "))]
    NotReady(Vec<String>),
    /// The encrypted Secrets cannot be had.
    #[error(transparent)]
    Sealed(#[from] OpenError),
    /// Another's Secret is where an encrypted one belongs.
    #[error("Secret {0} exists with other values, and is not overwritten")]
    SecretTaken(String),
    /// No credentials for the pull secret.
    #[error("there are no credentials for {0} to make a pull secret of")]
    NoCredentials(String),
    /// The published charts could not be read.
    #[error(transparent)]
    Published(#[from] crate::export::Error),
    /// No version is meant.
    #[error("{repository} has no export that `@{selector}` means{}", listed(.nearest))]
    NoVersion {
        /// Where it was looked for.
        repository: String,
        /// What was asked for.
        selector: Selector,
        /// Versions that are there, those nearest to the time.
        nearest: Vec<String>,
    },
    /// A drill would be a second production, or lacks something.
    #[error("the drill was refused: {0}")]
    DrillRefused(String),
    /// Nothing shows that the pods of a drill are kept in. Nothing of the application was started.
    #[error("nothing shows that the drill is kept in its namespace: {0}")]
    NotIsolated(String),
    /// What a drill restored did not come up in time.
    #[error("not ready: {}", .0.join(", "))]
    NotUp(Vec<String>),
    /// The namespace of a drill could not be removed.
    #[error("namespace {namespace} of the drill is still there: {reason}")]
    StillThere {
        /// Its name.
        namespace: String,
        /// What kept it.
        reason: String,
    },
    /// What a drill installs could not be written down for helm.
    #[error("cannot write into {}: {source}", .folder.display())]
    Scratch {
        /// Where it was to be.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The registry does not say which repositories it has.
    #[error("{0} does not list its repositories")]
    NoCatalog(String),
    /// The exports of a namespace are of several clusters.
    #[error("the namespace has exports of several clusters: {}", .0.join(", "))]
    ManyClusters(Vec<String>),
    /// There are no exports of a namespace.
    #[error("{place} has no exports of namespace `{namespace}` that are meant")]
    NoExports {
        /// The destination.
        place: String,
        /// The namespace.
        namespace: String,
    },
    /// A credential helper, or the registry's list of repositories, failed.
    #[error(transparent)]
    Registry(#[from] crate::registry::Error),
    /// A file of ours could not be written.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn listed(nearest: &[String]) -> String {
    match nearest {
        [] => ", and no other version".to_owned(),
        nearest => format!("; the nearest versions are {}", nearest.join(", ")),
    }
}

impl Error {
    /// What the user can do about it, in a sentence.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Cluster(error) => return error.hint(),
            Self::HelmMissing { .. } | Self::HelmVersion { .. } => {
                "install helm (https://helm.sh), or name it with --helm PATH or HELM"
            }
            Self::NotReady(_) => {
                "the plan on standard output says what to do for each; `--skip-checks` installs all \
                 the same"
            }
            Self::NoCredentials(_) => {
                "log in with `docker login`, or give --username and --password-stdin"
            }
            Self::Sealed(OpenError::NotARecipient) => {
                "give the identity of one of the recipients that the export named"
            }
            Self::SecretTaken(_) => {
                "delete it if that of the chart shall take its place; leave `--identity` out if it \
                 shall stay"
            }
            Self::NoVersion { .. } => "name one of the versions that are there, as REF:VERSION",
            Self::DrillRefused(_) => {
                "Secrets come along with `--identity`, `--with-secrets` or as values; `--leave-out` \
                 leaves out what a drill cannot restore"
            }
            Self::NotIsolated(_) => {
                "name an image with a shell and nc by `--probe-image`; or, if it is harmless that pods \
                 reach what production reaches, say `--allow-egress`"
            }
            Self::NotUp(_) => "look at the pods: `--keep` leaves the namespace",
            Self::StillThere { .. } => "remove it with `kubectl delete namespace`",
            Self::Scratch { .. } => "set TMPDIR to a folder with space",
            Self::NoCatalog(_) => {
                "name the chart of each application with `--chart NAME`, as                  `<namespace>-<application>-chart`"
            }
            Self::ManyClusters(_) => "say which with `--cluster UID`",
            Self::NoExports { .. } => {
                "look at the namespace, the cluster and the time; the path of the destination                  must be the one that was exported to"
            }
            Self::Sealed(_)
            | Self::HelmFailed { .. }
            | Self::Published(_)
            | Self::Registry(_)
            | Self::File { .. } => return None,
        })
    }
}
