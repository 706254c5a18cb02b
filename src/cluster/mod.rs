//! Reads raw objects: from a Kubernetes API or from manifests. The only user of `kube`.
//!
//! ```text
//!  kubeconfig / in-cluster ─► Live ──┐
//!                                    ├─ Source ─► app::Snapshot
//!  directory, file, stdin ─► Manifests
//! ```

pub mod admission;
pub mod client;
pub mod cluster_scoped;
mod config;
mod definitions;
mod discover;
mod document;
mod eda;
mod endpoints;
mod epinio;
pub mod error;
pub mod events;
mod files;
pub mod index;
pub mod jobs;
mod keys;
mod lease;
mod list;
pub mod live;
pub mod manifests;
mod nodes;
pub mod objects;
pub mod record;
mod releases;
pub mod reviews;
mod scratch;
mod secret;
mod settle;
pub mod source;
pub mod standing;
pub mod target;
mod watching;
mod workloads;

pub use config::{ClientOptions, default_namespace};
pub use epinio::EpinioParts;
pub use error::Error;
pub use files::{FileDocument, Text, documents, parsed, placed, standard_input, texts};
pub use index::AppIndex;
pub use lease::LeaseRecord;
pub use live::Live;
pub use manifests::Manifests;
pub use source::{Records, Scope, SecretObject, SecretRead, SecretReader, Source};
