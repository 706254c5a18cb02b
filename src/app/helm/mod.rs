//! What helm notes down of a release (helm, `pkg/storage/driver`, `pkg/release/v1`): found, read
//! with bounds, and reduced to what selecting objects needs.
//!
//! ```text
//!  records ─ choose ─► one of them ─ decode ─► Record ─ release ─► Release (no values, no manifests)
//! ```
//!
//! A record holds values and manifests of Secrets in clear. It is never printed, serialised or
//! kept in a snapshot; a [`Release`] is, and names objects alone.

mod exported;
mod manifest;
mod record;
mod release;
mod releases;
mod storage;
mod written;

pub(in crate::app) use exported::Installed;
pub use exported::{Exported, ExportedImage};
pub use record::{ChartFile, ChartRecord, GivenValues, Record, RecordError};
pub use release::{Hook, Lookup, Newer, Release, Rendered, SecretShape};
pub use releases::Releases;
pub use storage::{
    Choice, Entry, Status, choose, is_record, is_record_name, is_release_name, payload,
};
pub use written::Written;

/// Annotation of every object that helm installed: name of its release.
pub const RELEASE_NAME: &str = "meta.helm.sh/release-name";

/// The same: namespace of its release.
pub const RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";
