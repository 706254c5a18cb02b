//! Every integration test, in one binary: it links once and starts one cluster.
#![cfg(test)] // true anyway; clippy's `allow-unwrap-in-tests` looks for it

#[path = "../support/mod.rs"]
mod support;

mod app;
mod architecture;
mod chart;
mod cli;
mod cluster;
mod deploy;
mod destination;
mod e2e;
mod export;
mod fidelity;
mod generated;
mod image;
mod import;
mod registry;
mod server;
mod support_controller;
mod support_faulty;
mod support_smoke;
