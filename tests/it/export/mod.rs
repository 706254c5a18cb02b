//! The main job on real parts: a live application to a registry, and back through helm.

mod all;
mod bad_input;
mod canaries;
mod content;
mod copy;
mod encrypt;
mod estimate;
mod failures;
mod gate;
mod history;
mod images;
mod independent;
pub(crate) mod jobs;
mod keep;
mod layouts;
mod lifecycle;
mod prune;
mod published;
mod release;
mod rollout;
mod roundtrip;
mod secrets;
pub(crate) mod shop;
mod size;
mod sources;
mod templates;
mod verify;
