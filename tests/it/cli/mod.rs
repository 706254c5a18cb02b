//! The command line as a person meets it.

mod arguments;
mod demo;
mod mirror;
mod registry;
mod registry_cluster;
mod registry_controller;
mod schedule;
mod terminal;
#[cfg(feature = "otlp")]
mod traces;
