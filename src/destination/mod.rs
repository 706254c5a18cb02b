//! Registries that exports may go to: read from labelled Secrets, or given directly.
//!
//! ```text
//!  labelled Secrets ─► SecretReader ─► secret ──┐
//!                                               ├─ Destination ─► check ─► Check
//!  documents of other systems ─► rows ─► adopt ─┤
//!  oci://host/path, options ──────────► direct ─┘
//! ```
//!
//! What other systems say of registries is read, written and resolved in [`systems`]; [`documents`]
//! tells whose a document is.
//!
//! A Secret that cannot be used is a [`Destination`] all the same, with the reason among its
//! [`Problem`]s.

mod address;
pub mod adopt;
mod auths;
pub mod avassa;
pub mod check;
pub mod direct;
pub mod documents;
pub mod eda;
pub mod epinio;
pub mod error;
pub mod iofog;
pub mod model;
pub mod recipients;
mod secret;
pub mod select;
pub mod systems;

pub use check::{Check, check};
pub use direct::Access;
pub use error::Error;
pub use model::{Described, Destination, Problem};
pub use recipients::{InvalidRecipient, Recipient};
