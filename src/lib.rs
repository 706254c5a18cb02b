//! Outhaul ships a running Kubernetes application to any OCI registry as one plain Helm chart
//! pinned by digest to its images.

pub mod app;
pub mod chart;
pub mod cluster;
pub mod destination;
pub mod registry;
