//! The registry module through its public interface.

mod copy;
mod fixture;
mod layout;
mod network;
mod remote;
mod serve;
