//! What can go wrong with an export, by situation.

use std::time::Duration;

use crate::app::rollout::Unsettled;
use crate::app::{Code, Unreadable};
use crate::chart::check::Difference;
use crate::chart::render::RenderError;
use crate::registry::quirks::Vendor;
use crate::registry::{self, CopyError};

use super::images::ImageName;

/// An export that failed. Nothing dangles: no chart is tagged before its images are whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The source could not be read.
    #[error(transparent)]
    Cluster(#[from] crate::cluster::Error),
    /// The destination may not be used.
    #[error(transparent)]
    NotAllowed(#[from] crate::destination::Error),
    /// The name means nothing, or several things.
    #[error(transparent)]
    Select(#[from] crate::app::select::SelectError),
    /// Some kinds could not be read and the export was not told to go on.
    #[error("not everything could be read: {}", list(.0))]
    Unreadable(Vec<Unreadable>),
    /// The namespace is being deleted and the export was not told to go on.
    #[error("namespace `{0}` is being deleted: parts of the application may be gone")]
    Terminating(String),
    /// The application was to be waited for and is not rolled out.
    #[error("not rolled out within {}: {}", seconds(*.limit), super::rollout::list(.waiting))]
    NotRolledOut {
        /// What is not, and why.
        waiting: Vec<Unsettled>,
        /// How long it was waited for at most.
        limit: Duration,
    },
    /// Findings that were to stop the export. No chart was tagged; nothing was pushed, but where they
    /// came of the push itself.
    #[error("stopped by findings: {}", codes(.0))]
    Stopped(Vec<Code>),
    /// The selection holds nothing that can be exported.
    #[error("application `{name}` has no objects that can be exported")]
    Empty {
        /// Name of the application.
        name: String,
    },
    /// A name that is no reference, repository or tag.
    #[error(transparent)]
    Name(#[from] registry::reference::InvalidReference),
    /// A resource that asks for what cannot be.
    #[error("spec.{field}: {reason}")]
    Spec {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A chart name that helm or registries refuse.
    #[error("`{0}` is not a valid chart name")]
    ChartName(String),
    /// A version that helm refuses.
    #[error("`{version}` is not a valid chart version: {reason}")]
    ChartVersion {
        /// As written.
        version: String,
        /// Why not.
        reason: String,
    },
    /// Chart and images must not share a repository: their tags would overwrite each other.
    #[error("chart and images cannot share the repository `{0}`")]
    SameRepository(String),
    /// Whether the registry takes charts is not documented, and nobody said that it does.
    #[error(
        "whether the registry of {vendor} takes Helm charts is not documented: {target} gets no chart"
    )]
    ChartsUndocumented {
        /// Name of the destination.
        target: String,
        /// Whose registry it is.
        vendor: Vendor,
    },
    /// The registry does not take a repository of this shape.
    #[error("{0}")]
    Path(String, String),
    /// An object refers to an image by what is no reference.
    #[error("{image}: {source}")]
    ImageInvalid {
        /// The image.
        image: ImageName,
        /// Which rule it breaks.
        source: registry::reference::InvalidReference,
    },
    /// An image is nowhere to be found under the reference that the objects use.
    #[error("{image} does not exist in its registry")]
    ImageMissing {
        /// The image.
        image: ImageName,
    },
    /// What runs cannot be pulled from anywhere.
    #[error("{image} runs as `{image_id}`, which exists on the nodes only: {reason}")]
    ImageOnlyOnNodes {
        /// The image.
        image: ImageName,
        /// What the nodes report.
        image_id: String,
        /// Why it cannot be pulled.
        reason: String,
    },
    /// The registry of an image refused or could not be reached.
    #[error("{image} cannot be read: {source}")]
    ImageUnreadable {
        /// The image.
        image: ImageName,
        /// What happened.
        source: registry::Error,
    },
    /// Secrets are to be encrypted, and nobody is named who can decrypt them.
    #[error("there is nobody to encrypt the Secrets for")]
    NoRecipients,
    /// Secrets could not be encrypted.
    #[error("the Secrets cannot be encrypted: {0}")]
    Encryption(#[source] std::io::Error),
    /// Another application's charts are in the repository.
    #[error("{repository} holds charts of another origin: {found}, not {ours}")]
    Foreign {
        /// The chart repository.
        repository: String,
        /// Origin found.
        found: String,
        /// Our origin.
        ours: String,
    },
    /// The version exists with other content, and versions never change.
    #[error("version {version} exists in {repository} with other content")]
    VersionTaken {
        /// The chart repository.
        repository: String,
        /// The version.
        version: String,
    },
    /// There is no chart under the reference.
    #[error("there is no chart {0}")]
    ChartMissing(String),
    /// What is there is no chart, or one that helm would not load.
    #[error("{reference} is not a chart that helm loads: {reason}")]
    NotAChart {
        /// The reference.
        reference: String,
        /// Why not.
        reason: String,
    },
    /// A chart that is none of ours, or not as this release writes them.
    #[error("{reference} is not an export of outhaul's that this release can read: {reason}")]
    NotAnExport {
        /// The reference.
        reference: String,
        /// Why not.
        reason: String,
    },
    /// The user's tag points to another image.
    #[error("tag {tag} exists in {repository} and points to another image")]
    TagTaken {
        /// The image repository.
        repository: String,
        /// The tag.
        tag: String,
    },
    /// The chart cannot be made.
    #[error(transparent)]
    Chart(#[from] crate::chart::Error),
    /// Helm would not load the chart, or not keep its release.
    #[error("{0}")]
    TooLarge(String),
    /// The chart does not give back what was exported.
    #[error("the chart does not give back what runs: {}", differences(.0))]
    Differs(Vec<Difference>),
    /// The chart could not be rendered to be compared.
    #[error("the chart cannot be compared with what runs: {0}")]
    Render(#[from] RenderError),
    /// A published chart is not what runs.
    #[error("{chart} is not what runs: {objects} objects differ")]
    Changed {
        /// The chart.
        chart: String,
        /// How many objects differ, came or went.
        objects: usize,
    },
    /// Two published versions are not the same.
    #[error("{after} is not as {before}: {differences} differences")]
    VersionsDiffer {
        /// The first.
        before: String,
        /// The second.
        after: String,
        /// Objects, values and images that differ.
        differences: usize,
    },
    /// A published chart cannot be rendered with its defaults.
    #[error("{reference} cannot be compared: {source}")]
    Unrendered {
        /// The chart.
        reference: String,
        /// Why not.
        source: RenderError,
    },
    /// A published export is not whole, or not what it should be.
    #[error("{reference} did not pass: {} is {}: {}", .worst.name, .worst.state, .worst.detail)]
    Verified {
        /// The chart.
        reference: String,
        /// The check that failed worst.
        worst: Box<super::verify::Check>,
    },
    /// An image could not be copied.
    #[error("{image}: {source}")]
    Copy {
        /// The image.
        image: ImageName,
        /// Whose registry it was to go to, if that is known and it is there that it failed.
        vendor: Option<Vendor>,
        /// What happened, and on which side.
        source: CopyError,
    },
    /// The destination failed while its content was read or the chart was pushed.
    #[error("destination {target}: {source}")]
    Destination {
        /// Name of the destination.
        target: String,
        /// Name of the Secret with its roots, if it has one.
        ca_secret: Option<String>,
        /// Whose registry it is, if that is known.
        vendor: Option<Vendor>,
        /// What happened.
        source: registry::Error,
    },
    /// The registry keeps what was to go.
    #[error("{what} was not deleted: {reason}")]
    NotDeleted {
        /// What.
        what: String,
        /// Why, in the registry's words, and its own way if it has one.
        reason: String,
    },
    /// An image is gone that a published chart needs.
    #[error("{image} is gone, and a chart that was kept needs it")]
    Lost {
        /// The image, `repository@digest`.
        image: String,
    },
    /// After the chart was tagged an image was gone again and could not be restored.
    #[error("{repository} lost image {digest} while the chart was pushed, and did so again")]
    Vanished {
        /// The image repository.
        repository: String,
        /// The image.
        digest: registry::Digest,
    },
}

/// The first of them in full: one that is wrong everywhere has one cause.
fn differences(all: &[Difference]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = all.iter().take(SHOWN).map(Difference::sentence).collect();
    let more = all.len() - shown.len();
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    format!("{}{more}", shown.join("; "))
}

/// A wait as it is written in arguments.
fn seconds(limit: Duration) -> String {
    format!("{}s", limit.as_secs())
}

/// Codes as arguments take them.
pub(crate) fn codes(codes: &[Code]) -> String {
    codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(",")
}

fn list(unreadable: &[Unreadable]) -> String {
    let each = unreadable.iter().map(|u| format!("{} ({})", u.resource, u.reason));
    each.collect::<Vec<_>>().join(", ")
}
