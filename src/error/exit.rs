//! Exit codes, and which error has which.

use std::process::ExitCode;

use super::{Code, Error};
use crate::app::select::SelectError;
use crate::destination::iofog::ControllerError;
use crate::registry::{self, CopyError};
use crate::{chart, cluster, destination, export, import};

macro_rules! exits {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// The exit codes, and nothing else is ever returned.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Exit {
            $($(#[doc = $doc])+ $name = $code,)+
        }

        impl Exit {
            /// Every code with its meaning, as `docs/EXIT_CODES.md` lists them.
            pub const ALL: &'static [(Self, &'static str)] =
                &[$((Self::$name, concat!($($doc),+)),)+];

            /// Its name, in a word.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The one with this number.
            pub fn of(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

exits! {
    /// Something unexpected failed.
    Failed = 1,
    /// The arguments are wrong: a flag, a name, a version.
    Usage = 2,
    /// The application is unknown or ambiguous.
    Application = 3,
    /// The cluster, or the server in it, cannot be reached or may not be read, or the application is
    /// not at rest in it.
    Cluster = 4,
    /// The manifests cannot be read or do not parse.
    Manifests = 5,
    /// The export destination is unknown or unusable.
    Destination = 6,
    /// A registry, or ioFog's Controller, needs credentials or refused them (401), or a credential
    /// helper failed.
    Credentials = 7,
    /// A registry denied the access (403), or a row of ioFog's Controller is another user's.
    Denied = 8,
    /// A registry, or ioFog's Controller, cannot be reached, is not trusted, or failed midway.
    Registry = 9,
    /// An image cannot be read: it is missing, or exists on nodes only.
    Image = 10,
    /// The chart repository belongs to another application or cluster.
    Foreign = 11,
    /// The version or tag exists with other content, a registry that is to be made is there, or one
    /// that is to be removed is in use.
    Taken = 12,
    /// A local file or directory cannot be read or written.
    File = 13,
    /// Content did not have the digest that it was asked for by.
    Integrity = 14,
    /// A published chart does not exist or is not a chart, or one to be made is larger than helm takes.
    Chart = 15,
    /// The chart does not give back what runs, or a comparison found differences.
    Differs = 16,
    /// Findings that `--fail-on` names; nothing was pushed.
    Findings = 17,
    /// An import was refused: the target lacks something, or helm or the cluster said no.
    Install = 18,
    /// A published export lacks something, or not all of it could be looked at.
    Incomplete = 19,
    /// What a drill restored did not become ready in time.
    Drill = 20,
    /// Interrupted by Ctrl-C or SIGTERM.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Error {
    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NoDestination
            | Self::TwoDestinations
            | Self::Arguments { .. }
            | Self::DigestAsDestination(_)
            | Self::Row(_)
            | Self::Schedule(_) => Exit::Usage,
            Self::Export(error) => of_export(error),
            Self::Destination(error) => of_destination(error),
            Self::Cluster(error) => of_cluster(error),
            Self::Copy(error) => of_copy(error),
            Self::Import(error) => of_import(error),
            Self::Registry(error) => of_registry(error),
            Self::System(_) => Exit::Manifests,
            Self::NoRow(_) => Exit::Destination,
            Self::RegistryTaken { .. } => Exit::Taken,
            Self::Controller(error) => of_controller(error),
            Self::Unresolved(_) => Exit::Image,
            Self::File { .. } | Self::Certificate { .. } | Self::Listen { .. } => Exit::File,
            Self::Output { .. } | Self::Runtime { .. } => Exit::Failed,
            Self::PartlyExported { first, .. }
            | Self::PartlyCopied { first, .. }
            | Self::PartlyRestored { first, .. } => first.exit(),
            Self::NoApplications(_) => Exit::Application,
            Self::Elsewhere { exit, .. } | Self::Server { exit, .. } => *exit,
            Self::Interrupted => Exit::Interrupted,
        }
    }
}

impl Code {
    /// The exit code of who asked the server and was answered with this: that of the same failure
    /// here, where there is one.
    pub fn exit(self) -> Exit {
        match self {
            Self::AppAmbiguous | Self::AppEmpty | Self::AppUnknown => Exit::Application,
            Self::ArgumentInvalid
            | Self::BodyInvalid
            | Self::BodyTooLarge
            | Self::IdempotencyKeyReused
            | Self::NameInvalid
            | Self::RecipientsMissing
            | Self::RequestInvalid
            | Self::ScheduleInvalid
            | Self::ScheduleSuspended => Exit::Usage,
            Self::AuthUnavailable
            | Self::ClusterFailed
            | Self::ClusterUnreachable
            | Self::CrdMissing
            | Self::Forbidden
            | Self::KindNotReadable
            | Self::KindsUnreadable
            | Self::NamespaceTerminating
            | Self::NamespaceUnknown
            | Self::NotRolledOut
            | Self::Overloaded
            | Self::QueueFull
            | Self::RateLimited
            | Self::RequestTimeout
            | Self::ScheduleChanged
            | Self::ScheduleExists
            | Self::ServerLacksRight
            | Self::StreamsExhausted
            | Self::Unauthenticated => Exit::Cluster,
            Self::NamespaceTooLarge => Exit::Manifests,
            Self::DestinationInvalid
            | Self::DestinationNotAllowed
            | Self::DestinationUnknown
            | Self::DestinationUnusable
            | Self::SystemNamespaceMissing => Exit::Destination,
            Self::RegistryCredentials => Exit::Credentials,
            Self::RegistryDenied => Exit::Denied,
            Self::RegistryFailed
            | Self::RegistryUnreachable
            | Self::RegistryUntrusted
            | Self::SourceRefused => Exit::Registry,
            Self::ImageInvalid | Self::ImageMissing | Self::ImageOnlyOnNodes => Exit::Image,
            Self::RepositoryForeign => Exit::Foreign,
            Self::TagTaken | Self::VersionTaken => Exit::Taken,
            Self::ContentDamaged => Exit::Integrity,
            Self::ChartInvalid | Self::ChartMissing | Self::ChartTooLarge => Exit::Chart,
            Self::AppChanged | Self::ChartDiffers => Exit::Differs,
            Self::Findings => Exit::Findings,
            Self::Cancelled => Exit::Interrupted,
            Self::ExportChanged
            | Self::ExportExists
            | Self::ExportFinished
            | Self::ExportUnknown
            | Self::Internal
            | Self::MethodNotAllowed
            | Self::ReportNotReady
            | Self::RouteUnknown
            | Self::ScheduleUnknown => Exit::Failed,
        }
    }
}

fn of_export(error: &export::Error) -> Exit {
    use export::Error as E;
    match error {
        E::Cluster(error) => of_cluster(error),
        E::Select(SelectError::Selector { .. } | SelectError::NothingExcluded { .. }) => {
            Exit::Usage
        }
        E::Select(_) | E::Empty { .. } => Exit::Application,
        E::Unreadable(_) | E::Terminating(_) | E::NotRolledOut { .. } => Exit::Cluster,
        E::Stopped(_) => Exit::Findings,
        E::Name(_)
        | E::Spec { .. }
        | E::ChartName(_)
        | E::ChartVersion { .. }
        | E::SameRepository(_)
        | E::NoRecipients => Exit::Usage,
        E::Path(..) | E::ChartsUndocumented { .. } => Exit::Destination,
        E::NotAllowed(error) => of_destination(error),
        E::ImageInvalid { .. } | E::ImageMissing { .. } | E::ImageOnlyOnNodes { .. } => Exit::Image,
        E::ImageUnreadable { source, .. } | E::Destination { source, .. } => of_registry(source),
        E::Foreign { .. } => Exit::Foreign,
        E::VersionTaken { .. } | E::TagTaken { .. } => Exit::Taken,
        E::Copy { source, .. } => of_copy(source),
        E::ChartMissing(_)
        | E::NotAChart { .. }
        | E::NotAnExport { .. }
        | E::Unrendered { .. }
        | E::TooLarge(_) => Exit::Chart,
        E::Chart(chart::Error::Template { .. }) => Exit::Usage,
        E::Chart(_) | E::Encryption(_) => Exit::Failed,
        E::Differs(_) | E::Render(_) | E::Changed { .. } | E::VersionsDiffer { .. } => {
            Exit::Differs
        }
        E::Verified { worst, .. } => match worst.state {
            export::verify::State::Wrong => Exit::Integrity,
            export::verify::State::Differs => Exit::Differs,
            _ => Exit::Incomplete,
        },
        E::Vanished { .. } | E::NotDeleted { .. } => Exit::Registry,
        E::Lost { .. } => Exit::Incomplete,
    }
}

fn of_import(error: &import::Error) -> Exit {
    use import::Error as E;
    match error {
        E::Cluster(error) => match error {
            cluster::Error::Forbidden { .. } | cluster::Error::Api { .. } => Exit::Install,
            error => of_cluster(error),
        },
        E::HelmMissing { .. } | E::HelmVersion { .. } | E::HelmFailed { .. } | E::NotReady(_) => {
            Exit::Install
        }
        E::Sealed(chart::sealed::OpenError::NotARecipient) | E::SecretTaken(_) => Exit::Install,
        E::Sealed(_) | E::NoVersion { .. } | E::NoExports { .. } => Exit::Chart,
        E::DrillRefused(_) | E::NotIsolated(_) => Exit::Install,
        E::NotUp(_) => Exit::Drill,
        E::StillThere { .. } => Exit::Cluster,
        E::Scratch { .. } => Exit::File,
        E::NoCatalog(_) | E::ManyClusters(_) => Exit::Usage,
        E::Published(error) => of_export(error),
        E::NoCredentials(_) => Exit::Credentials,
        E::Registry(error) => of_registry(error),
        E::File { .. } => Exit::File,
    }
}

fn of_controller(error: &ControllerError) -> Exit {
    use ControllerError as E;
    match error {
        E::Unauthorized { .. } => Exit::Credentials,
        E::Forbidden { .. } | E::Unchanged { .. } => Exit::Denied,
        E::NotFound { .. } => Exit::Destination,
        E::Conflict { .. } | E::InUse { .. } => Exit::Taken,
        E::Invalid { .. } | E::System { .. } | E::Row(_) => Exit::Usage,
        E::Unanswered(error) => of_registry(error),
        E::Unavailable { .. } | E::Failed { .. } | E::Strange { .. } => Exit::Registry,
    }
}

fn of_copy(error: &CopyError) -> Exit {
    match (&error.side, &error.source) {
        (registry::Side::Source, registry::Error::NotFound { .. }) => Exit::Image,
        (_, source) => of_registry(source),
    }
}

fn of_registry(error: &registry::Error) -> Exit {
    use registry::Error as E;
    match error {
        E::Unauthorized { .. } | E::CredentialHelper { .. } => Exit::Credentials,
        E::Forbidden { .. } => Exit::Denied,
        E::DigestMismatch { .. } | E::MalformedManifest { .. } => Exit::Integrity,
        E::File { .. } | E::NotALayout { .. } => Exit::File,
        E::Configuration { .. } => Exit::Usage,
        _ => Exit::Registry,
    }
}

fn of_cluster(error: &cluster::Error) -> Exit {
    use cluster::Error as E;
    match error {
        E::Malformed { .. }
        | E::ManyNamespaces { .. }
        | E::Snapshot { .. }
        | E::TooLarge { .. } => Exit::Manifests,
        E::File { .. } => Exit::Manifests,
        E::InputTaken => Exit::Usage,
        _ => Exit::Cluster,
    }
}

fn of_destination(error: &destination::Error) -> Exit {
    use destination::Error as E;
    match error {
        E::File { .. } | E::Roots { .. } => Exit::File,
        E::Unreadable { source, .. } => of_cluster(source),
        _ => Exit::Destination,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever asks the server gets the exit code of whoever does the same without it.
    #[test]
    fn a_code_has_the_exit_code_of_its_error() {
        let registry = || registry::Error::Unreachable { host: "r".into(), reason: "no".into() };
        let select =
            SelectError::Unknown { name: "a".into(), namespace: "n".into(), known: Vec::new() };
        let unknown = destination::Error::Unknown { name: "d".into(), known: Vec::new() };
        let forbidden = cluster::Error::Forbidden { resource: "pods".into(), reason: "no".into() };
        for error in [
            Error::NoDestination,
            Error::NoApplications("n".into()),
            Error::Interrupted,
            unknown.into(),
            forbidden.into(),
            registry().into(),
            export::Error::Select(select).into(),
            export::Error::Stopped(Vec::new()).into(),
            export::Error::Terminating("n".into()).into(),
            export::Error::NoRecipients.into(),
        ] {
            assert_eq!(error.code().exit(), error.exit(), "{error}");
        }
        let server = Error::Server { text: "t".into(), hint: None, exit: Exit::Taken };
        assert_eq!(server.exit(), Exit::Taken);
    }
}
