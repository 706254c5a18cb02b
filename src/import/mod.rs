//! The way back: a published chart into a cluster, through the user's helm. What the cluster lacks
//! is found before anything is made; a namespace that is new is made for the last checks, and goes
//! again if they fail.
//!
//! ```text
//!  PublishedChart + cluster ─ plan (all reads: rendered by helm, checked) ─► Plan ─ run ─► release
//! ```

mod checks;
pub mod drill;
pub mod error;
mod fresh;
mod helm;
mod images;
pub mod plan;
mod pods;
mod rendered;
pub mod restore;
mod rights;
mod run;
mod sealed;

pub use error::Error;
pub use fresh::in_its_namespace;
pub use helm::Helm;
pub use plan::{Action, Check, Plan, Request, State, What, plan, release_name};
pub use run::{Pull, run};
pub use sealed::SealedSecret;
