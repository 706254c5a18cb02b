//! The server: what the command line does, for many users, in the cluster.
//!
//! `docs/SERVER.md` is its design, and says of each part whether it stands.

pub mod audit;
pub mod auth;
