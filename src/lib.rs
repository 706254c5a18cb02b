//! Outhaul ships a running Kubernetes application to any OCI registry as one plain Helm chart
//! pinned by digest to its images.
//!
//! ```text
//!  Kubernetes ─► cluster ─► app ─► chart ─► export ─► registry ─► OCI registry
//!   objects      Snapshot   App    Chart     Plan       blobs, manifests, tags
//!                                            Report
//!        destination ──────────────────────────┘ ▲
//!                                               cli
//! ```
//!
//! Each arrow is one value that can be saved: a [`app::Snapshot`] becomes an [`app::App`], that a
//! [`chart::Chart`], that an [`export::Plan`], and running the plan gives an [`export::Report`].
//! `app` and `chart` are pure: no I/O and no clock. `registry` knows nothing of this crate. Which
//! module may use which is fixed by `tests/it/architecture.rs`.

pub mod app;
pub mod chart;
pub mod cli;
pub mod cluster;
pub mod destination;
pub mod error;
pub mod export;
pub mod import;
pub mod registry;
pub mod schedule;
pub mod server;
