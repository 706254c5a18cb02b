//! What a failure is called over HTTP: a code for each situation, and the status of each code.

use super::Error;
use crate::app::select::SelectError;
use crate::export::verify::State;
use crate::registry::{self, CopyError, Side};
use crate::{chart, cluster, destination, export};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $status:literal $text:literal,)+) => {
        /// The situations that the server's answers tell apart (`docs/PROBLEMS.md`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every code, in order of name.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code as it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The one that is written so.
            pub fn of(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)+ _ => None }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// What it means, in a sentence without the stop.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim().trim_end_matches('.'),)+ }
            }
        }
    };
}

codes! {
    /// The name means several applications.
    AppAmbiguous = 409 "APP_AMBIGUOUS",
    /// The application has changed since the chart was published.
    AppChanged = 422 "APP_CHANGED",
    /// The application holds nothing that can be exported.
    AppEmpty = 422 "APP_EMPTY",
    /// There is no such application.
    AppUnknown = 404 "APP_UNKNOWN",
    /// What was asked for does not go together, or with what is there.
    ArgumentInvalid = 400 "ARGUMENT_INVALID",
    /// Who asks, or what they may, cannot be found out now.
    AuthUnavailable = 503 "AUTH_UNAVAILABLE",
    /// The request's body is not what this route takes.
    BodyInvalid = 400 "BODY_INVALID",
    /// The request's body is larger than is taken.
    BodyTooLarge = 413 "BODY_TOO_LARGE",
    /// The request was ended.
    Cancelled = 409 "CANCELLED",
    /// The chart does not give back what runs.
    ChartDiffers = 422 "CHART_DIFFERS",
    /// What is there is not a chart of ours that can be read.
    ChartInvalid = 422 "CHART_INVALID",
    /// There is no such chart at the destination.
    ChartMissing = 422 "CHART_MISSING",
    /// The chart is larger than helm takes.
    ChartTooLarge = 422 "CHART_TOO_LARGE",
    /// The cluster gave an answer that is of no use.
    ClusterFailed = 502 "CLUSTER_FAILED",
    /// The cluster cannot be reached.
    ClusterUnreachable = 503 "CLUSTER_UNREACHABLE",
    /// Content did not have the digest that it was asked for by.
    ContentDamaged = 502 "CONTENT_DAMAGED",
    /// The cluster does not know the resource Export.
    CrdMissing = 503 "CRD_MISSING",
    /// The export destination is not one that can be meant.
    DestinationInvalid = 422 "DESTINATION_INVALID",
    /// The export destination is not for applications of this namespace.
    DestinationNotAllowed = 403 "DESTINATION_NOT_ALLOWED",
    /// There is no such export destination.
    DestinationUnknown = 404 "DESTINATION_UNKNOWN",
    /// The description of the export destination has a fault.
    DestinationUnusable = 422 "DESTINATION_UNUSABLE",
    /// The export has been changed meanwhile.
    ExportChanged = 409 "EXPORT_CHANGED",
    /// There is an export of this name.
    ExportExists = 409 "EXPORT_EXISTS",
    /// The export is finished already.
    ExportFinished = 409 "EXPORT_FINISHED",
    /// There is no such export.
    ExportUnknown = 404 "EXPORT_UNKNOWN",
    /// Findings stop the export.
    Findings = 422 "FINDINGS",
    /// The caller lacks the right.
    Forbidden = 403 "FORBIDDEN",
    /// The idempotency key was used for another request.
    IdempotencyKeyReused = 422 "IDEMPOTENCY_KEY_REUSED",
    /// An object refers to an image by what is no reference.
    ImageInvalid = 422 "IMAGE_INVALID",
    /// An image is nowhere to be found.
    ImageMissing = 422 "IMAGE_MISSING",
    /// What runs exists on the nodes only.
    ImageOnlyOnNodes = 422 "IMAGE_ONLY_ON_NODES",
    /// Something unexpected failed; the server's log has it under the request's id.
    Internal = 500 "INTERNAL",
    /// Some kinds of the namespace may not be listed.
    KindsUnreadable = 409 "KINDS_UNREADABLE",
    /// The application has objects of kinds that the caller may not list.
    KindNotReadable = 403 "KIND_NOT_READABLE",
    /// The route does not know the method.
    MethodNotAllowed = 405 "METHOD_NOT_ALLOWED",
    /// The namespace is being deleted.
    NamespaceTerminating = 409 "NAMESPACE_TERMINATING",
    /// The namespace holds more than is read.
    NamespaceTooLarge = 422 "NAMESPACE_TOO_LARGE",
    /// There is no such namespace.
    NamespaceUnknown = 404 "NAMESPACE_UNKNOWN",
    /// A name that Kubernetes, Helm or registries refuse.
    NameInvalid = 400 "NAME_INVALID",
    /// The application is not rolled out.
    NotRolledOut = 409 "NOT_ROLLED_OUT",
    /// The server is doing as much as it does at once.
    Overloaded = 503 "OVERLOADED",
    /// As many exports wait as are let wait.
    QueueFull = 503 "QUEUE_FULL",
    /// The caller sends more requests than are taken from one caller.
    RateLimited = 429 "RATE_LIMITED",
    /// Nobody is named who can decrypt the Secrets.
    RecipientsMissing = 400 "RECIPIENTS_MISSING",
    /// A registry refused the credentials, or needs some.
    RegistryCredentials = 502 "REGISTRY_CREDENTIALS",
    /// A registry denied the access.
    RegistryDenied = 502 "REGISTRY_DENIED",
    /// A registry failed midway, or lacks what was asked for.
    RegistryFailed = 502 "REGISTRY_FAILED",
    /// A registry cannot be reached, or limits the rate.
    RegistryUnreachable = 502 "REGISTRY_UNREACHABLE",
    /// A registry's certificate is not trusted.
    RegistryUntrusted = 502 "REGISTRY_UNTRUSTED",
    /// The export has no report, or none yet.
    ReportNotReady = 404 "REPORT_NOT_READY",
    /// The chart repository belongs to another application or cluster.
    RepositoryForeign = 409 "REPOSITORY_FOREIGN",
    /// The request is not one that can be understood.
    RequestInvalid = 400 "REQUEST_INVALID",
    /// The request did not arrive in time.
    RequestTimeout = 408 "REQUEST_TIMEOUT",
    /// There is no such route.
    RouteUnknown = 404 "ROUTE_UNKNOWN",
    /// The schedule has been changed meanwhile.
    ScheduleChanged = 412 "SCHEDULE_CHANGED",
    /// There is a schedule of this name.
    ScheduleExists = 409 "SCHEDULE_EXISTS",
    /// The schedule says what cannot be.
    ScheduleInvalid = 422 "SCHEDULE_INVALID",
    /// The schedule is suspended.
    ScheduleSuspended = 409 "SCHEDULE_SUSPENDED",
    /// There is no such schedule.
    ScheduleUnknown = 404 "SCHEDULE_UNKNOWN",
    /// The server's own account lacks a right in the cluster.
    ServerLacksRight = 502 "SERVER_LACKS_RIGHT",
    /// An image is at an address that the server does not read.
    SourceRefused = 422 "SOURCE_REFUSED",
    /// As many exports are watched as are at once.
    StreamsExhausted = 503 "STREAMS_EXHAUSTED",
    /// There is no namespace for destinations.
    SystemNamespaceMissing = 503 "SYSTEM_NAMESPACE_MISSING",
    /// The tag exists and points to another image.
    TagTaken = 409 "TAG_TAKEN",
    /// Nobody is known by the credentials, or there are none.
    Unauthenticated = 401 "UNAUTHENTICATED",
    /// The version exists with other content.
    VersionTaken = 409 "VERSION_TAKEN",
}

impl Error {
    /// What it is called over HTTP. `docs/PROBLEMS.md` lists the codes with their statuses.
    pub fn code(&self) -> Code {
        match self {
            Self::NoDestination
            | Self::TwoDestinations
            | Self::Arguments { .. }
            | Self::DigestAsDestination(_)
            | Self::Schedule(_) => Code::ArgumentInvalid,
            Self::Export(error) => of_export(error),
            Self::Destination(error) => of_destination(error),
            Self::Cluster(error) => of_cluster(error),
            Self::Copy(error) => of_copy(error),
            Self::Registry(error) => of_registry(error),
            Self::PartlyExported { first, .. } => first.code(),
            Self::NoApplications(_) => Code::AppUnknown,
            Self::Interrupted => Code::Cancelled,
            // No route imports, converts, asks a server, reads files of the caller's or listens.
            Self::Import(_)
            | Self::Row(_)
            | Self::System(_)
            | Self::Controller(_)
            | Self::NoRow(_)
            | Self::RegistryTaken { .. }
            | Self::Unresolved(_)
            | Self::PartlyCopied { .. }
            | Self::PartlyRestored { .. }
            | Self::Elsewhere { .. }
            | Self::Server { .. }
            | Self::File { .. }
            | Self::Certificate { .. }
            | Self::Listen { .. }
            | Self::Output { .. }
            | Self::Runtime { .. } => Code::Internal,
        }
    }
}

fn of_export(error: &export::Error) -> Code {
    use export::Error as E;
    match error {
        E::Cluster(error) => of_cluster(error),
        E::NotAllowed(error) => of_destination(error),
        E::Select(error) => of_select(error),
        E::Empty { .. } => Code::AppEmpty,
        E::Unreadable(_) => Code::KindsUnreadable,
        E::Terminating(_) => Code::NamespaceTerminating,
        E::NotRolledOut { .. } => Code::NotRolledOut,
        E::Stopped(_) => Code::Findings,
        E::Name(_) | E::ChartName(_) | E::ChartVersion { .. } => Code::NameInvalid,
        E::SameRepository(_) | E::Spec { .. } | E::Chart(chart::Error::Template { .. }) => {
            Code::ArgumentInvalid
        }
        E::NoRecipients => Code::RecipientsMissing,
        E::Path(..) | E::ChartsUndocumented { .. } => Code::DestinationUnusable,
        E::ImageInvalid { .. } => Code::ImageInvalid,
        E::ImageMissing { .. } => Code::ImageMissing,
        E::ImageOnlyOnNodes { .. } => Code::ImageOnlyOnNodes,
        E::ImageUnreadable { source, .. } | E::Destination { source, .. } => of_registry(source),
        E::Copy { source, .. } => of_copy(source),
        E::Foreign { .. } => Code::RepositoryForeign,
        E::VersionTaken { .. } => Code::VersionTaken,
        E::TagTaken { .. } => Code::TagTaken,
        E::ChartMissing(_) => Code::ChartMissing,
        E::NotAChart { .. } | E::NotAnExport { .. } | E::Unrendered { .. } => Code::ChartInvalid,
        E::TooLarge(_) => Code::ChartTooLarge,
        E::Differs(_) | E::Render(_) | E::VersionsDiffer { .. } => Code::ChartDiffers,
        E::Changed { .. } => Code::AppChanged,
        E::Verified { worst, .. } => match worst.state {
            State::Differs => Code::ChartDiffers,
            _ => Code::ContentDamaged,
        },
        E::Vanished { .. } | E::Lost { .. } | E::NotDeleted { .. } => Code::RegistryFailed,
        E::Chart(_) | E::Encryption(_) => Code::Internal,
    }
}

fn of_select(error: &SelectError) -> Code {
    match error {
        SelectError::Unknown { .. } => Code::AppUnknown,
        SelectError::Ambiguous { .. } => Code::AppAmbiguous,
        SelectError::Selector { .. } | SelectError::NothingExcluded { .. } => Code::ArgumentInvalid,
    }
}

fn of_destination(error: &destination::Error) -> Code {
    use destination::Error as E;
    match error {
        E::Unknown { .. } => Code::DestinationUnknown,
        E::Unusable { .. } => Code::DestinationUnusable,
        E::NotAllowed { .. } => Code::DestinationNotAllowed,
        E::Credentials { .. } | E::Address { .. } => Code::DestinationInvalid,
        E::NoSystemNamespace { .. } => Code::SystemNamespaceMissing,
        E::Unreadable { source, .. } => of_cluster(source),
        E::File { .. } | E::Roots { .. } => Code::Internal,
    }
}

fn of_cluster(error: &cluster::Error) -> Code {
    use cluster::Error as E;
    match error {
        E::Unreachable { .. } | E::Timeout { .. } => Code::ClusterUnreachable,
        E::Unknown { source, .. } => of_cluster(source),
        E::Unauthorized { .. } | E::Forbidden { .. } | E::Unidentified { .. } => {
            Code::ServerLacksRight
        }
        E::NamespaceMissing { .. } => Code::NamespaceUnknown,
        E::TooLarge { .. } => Code::NamespaceTooLarge,
        E::Conflict { .. } => Code::ExportChanged,
        E::Exists { .. } => Code::ExportExists,
        E::Api { .. } | E::Protocol { .. } | E::TooDeep { .. } => Code::ClusterFailed,
        // Manifests and kubeconfigs are no caller's.
        E::NoConfig(_)
        | E::BadConfig { .. }
        | E::ManyNamespaces { .. }
        | E::Malformed { .. }
        | E::File { .. }
        | E::InputTaken
        | E::Snapshot { .. } => Code::Internal,
    }
}

fn of_copy(error: &CopyError) -> Code {
    match (&error.side, &error.source) {
        (Side::Source, registry::Error::NotFound { .. }) => Code::ImageMissing,
        (_, source) => of_registry(source),
    }
}

fn of_registry(error: &registry::Error) -> Code {
    use registry::Error as E;
    match error {
        E::Unreachable { .. } | E::RateLimited { .. } => Code::RegistryUnreachable,
        E::UntrustedCertificate { .. } => Code::RegistryUntrusted,
        E::Unauthorized { .. } | E::CredentialHelper { .. } => Code::RegistryCredentials,
        E::Forbidden { .. } => Code::RegistryDenied,
        E::DigestMismatch { .. } | E::MalformedManifest { .. } => Code::ContentDamaged,
        E::NotFound { .. }
        | E::RepositoryMissing { .. }
        | E::Status { .. }
        | E::ContentMissing { .. }
        | E::Cut { .. }
        | E::TooLarge { .. }
        | E::NoTagList { .. }
        | E::RedirectRefused { .. }
        | E::Protocol { .. } => Code::RegistryFailed,
        E::Surroundings { .. } => Code::SourceRefused,
        // A certificate or an address of the destination's Secret.
        E::Configuration { .. } => Code::DestinationUnusable,
        E::File { .. } | E::NotALayout { .. } => Code::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_in_order_and_like_their_names() {
        let texts: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(texts.is_sorted_by(|a, b| a < b), "{texts:?}");
        for code in Code::ALL {
            assert_eq!(code.as_str().replace('_', ""), format!("{code:?}").to_uppercase());
            assert!((400..600).contains(&code.status()), "{code:?}");
        }
    }

    #[test]
    fn what_the_servers_account_may_not_is_no_fault_of_the_caller() {
        let refused = cluster::Error::Forbidden { resource: "pods".into(), reason: "no".into() };
        let refused = Error::from(export::Error::from(refused));
        assert_eq!((refused.code(), refused.code().status()), (Code::ServerLacksRight, 502));
    }
}
