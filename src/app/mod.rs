//! The application model: raw objects in, one [`App`] out. Pure: no I/O, no clock.
//!
//! ```text
//!  Snapshot ─ select ─► roots ─ graph ─► members ─ normalize ─► App { objects, images, findings }
//! ```

pub mod all;
pub mod assemble;
mod definitions;
mod exclude;
pub mod finding;
mod graph;
pub mod helm;
mod images;
mod kinds;
mod leaving;
pub(crate) mod merge;
pub mod model;
mod needs;
mod normalize;
pub mod object;
pub(crate) mod path;
mod portability;
pub mod redact;
pub mod rollout;
pub(crate) mod scan;
pub mod secret;
pub mod select;
pub mod selector;
pub mod snapshot;
pub(crate) mod stack;
pub(crate) mod tree;
mod unreferenced;
mod view;

pub use all::{All, Shared, assemble_all};
pub use assemble::assemble;
pub use finding::{Code, Finding, Severity};
pub use images::ImagePattern;
pub use model::{
    App, ContainerRef, ImageUse, JobsPolicy, NAMESPACE_PLACEHOLDER, NamespacePlace, Options,
    Requirement, Running, SecretUse,
};
pub use needs::needs;
pub(crate) use normalize::{HOOK, HOOK_ANNOTATIONS};
pub use object::{Object, ObjectId};
pub use secret::{SecretValues, SecretsPolicy};
pub use select::{Candidate, FoundBy, Glance, SelectError, Selection, glance, list};
pub use snapshot::{Origin, Plaintext, Snapshot, SnapshotError, Unreadable};
