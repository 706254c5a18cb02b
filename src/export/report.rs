//! What an export did: one type for every door.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::{Finding, Requirement};
use crate::chart::check::Fidelity;
use crate::destination::systems::Emitted;
use crate::registry::{Copied, Digest, Tag};

use super::Plan;

/// What an export did.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// How it ended.
    pub status: Status,
    /// `namespace/name` of the application.
    pub app: String,
    /// Whose export it is.
    pub origin: String,
    /// Name of the destination: of the images', where the chart has one of its own.
    pub target: String,
    /// The chart.
    pub chart: ChartReport,
    /// Digest of this report where it is attached to the chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached: Option<Digest>,
    /// The images.
    pub images: Vec<ImageReport>,
    /// Sum of the images' bytes.
    pub bytes: Bytes,
    /// Wall time, in milliseconds.
    pub elapsed_ms: u64,
    /// What a target cluster must have.
    pub requirements: Vec<Requirement>,
    /// What the chart gives back, rendered with its defaults.
    pub fidelity: Fidelity,
    /// What a user should know.
    pub findings: Vec<Finding>,
    /// The command that installs the chart; `None` for a layout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<String>,
    /// What other systems are told.
    #[serde(skip)]
    pub emitted: Vec<Emitted>,
}

/// How an export ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReportStatus")]
pub enum Status {
    /// A new version is there.
    Exported,
    /// The version named holds this content already; nothing was pushed.
    Unchanged,
    /// As [`Status::Unchanged`], but images had gone and were copied again.
    Restored,
}

/// The chart of an export.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartReport {
    /// Address of its repository.
    pub repository: String,
    /// Its version.
    pub version: String,
    /// Digest of its manifest.
    pub digest: Digest,
    /// Digest over everything that decides the content.
    pub content: Digest,
}

/// One image of an export.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageReport {
    /// Key in `values.yaml`.
    pub key: String,
    /// The reference as the objects write it.
    pub written: String,
    /// Where it was read.
    pub source: String,
    /// Address of its repository at the destination.
    pub repository: String,
    /// Its digest there.
    pub digest: Digest,
    /// Its tags there.
    pub tags: Vec<Tag>,
    /// `os/arch[/variant]` of its platforms.
    pub platforms: Vec<String>,
    /// Bytes of its blobs.
    pub bytes: Bytes,
    /// Signatures and other referrers that went along.
    pub referrers: u64,
    /// Whether it stayed where it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
}

/// How bytes came to be at the destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReportBytes")]
pub struct Bytes {
    /// Sent.
    pub copied: u64,
    /// Taken from another repository of the destination.
    pub mounted: u64,
    /// There already.
    pub present: u64,
}

impl Report {
    /// A report of `plan`, before anything is copied.
    pub(super) fn new(plan: &Plan, status: Status) -> Self {
        Self {
            status,
            app: plan.title(),
            origin: plan.origin.clone(),
            target: plan.target.clone(),
            chart: ChartReport {
                repository: plan.chart.clone(),
                version: plan.version.to_string(),
                digest: plan.digest.clone(),
                content: plan.content.clone(),
            },
            attached: None,
            images: plan.images.iter().map(ImageReport::new).collect(),
            bytes: Bytes::default(),
            elapsed_ms: 0,
            requirements: plan.requirements.clone(),
            fidelity: plan.fidelity.clone(),
            findings: plan.findings.clone(),
            install: plan.install.clone(),
            emitted: plan.emitted.clone(),
        }
    }

    /// Adds what a copy did to the image at `index`.
    pub(super) fn add(&mut self, index: usize, copied: &Copied) {
        let bytes = Bytes {
            copied: copied.bytes_copied,
            mounted: copied.bytes_mounted,
            present: copied.bytes_present,
        };
        self.bytes += bytes;
        let image = &mut self.images[index];
        image.bytes += bytes;
        image.referrers = image.referrers.max(copied.referrers);
    }
}

impl ImageReport {
    fn new(planned: &super::PlannedImage) -> Self {
        let image = &planned.image;
        Self {
            key: image.key.clone(),
            written: image.written.clone(),
            source: image.source.to_string(),
            repository: planned.destination.clone(),
            digest: image.digest.clone(),
            tags: planned.tags.clone(),
            platforms: image.platforms.clone(),
            bytes: Bytes::default(),
            referrers: 0,
            kept: image.kept,
        }
    }
}

impl std::ops::AddAssign for Bytes {
    fn add_assign(&mut self, other: Self) {
        self.copied += other.copied;
        self.mounted += other.mounted;
        self.present += other.present;
    }
}
