//! The main job on real parts: a live application to a registry, and back through helm.

mod content;
mod copy;
mod failures;
mod images;
mod independent;
mod layouts;
mod lifecycle;
mod roundtrip;
mod secrets;
mod shop;
mod size;
mod templates;
