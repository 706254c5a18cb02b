//! The OCI distribution protocol and the OCI image layout, as two stores behind one trait.
//!
//! ```text
//!  Reference ─► Endpoint + Keychain ─► Registry ─┐
//!                                                ├─ Store ─► copy ─► Store
//!  DIR ─────────────────────────────► Layout ────┘
//! ```
//!
//! Manifests are moved as the bytes they are and never parsed and written again; every digest is
//! verified while its bytes stream past. This module uses nothing else of this crate.

pub mod attach;
pub mod auth;
pub mod blob;
pub mod copy;
pub mod credentials;
pub mod delete;
pub mod digest;
pub mod error;
pub mod layout;
pub mod manifest;
pub mod progress;
pub mod quirks;
pub mod reference;
pub mod referrers;
pub mod remote;
pub mod retry;
pub mod serve;
pub mod store;
pub mod surroundings;
pub mod transport;

pub use copy::{Copied, Copier, CopyError, CopyOptions, Located, Platform, Side, copy};
pub use credentials::{Credential, Keychain};
pub use delete::Deleted;
pub use digest::Digest;
pub use error::Error;
pub use layout::Layout;
pub use manifest::{Descriptor, Manifest};
pub use progress::{Event, Progress};
pub use reference::{Host, Reference, RepositoryName, Tag};
pub use remote::Registry;
pub use store::{BlobSource, BlobStream, Pushed, Revision, Store};
pub use surroundings::Surroundings;
pub use transport::{Endpoint, Tls};
